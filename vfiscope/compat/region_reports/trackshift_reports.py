"""Reports as TrackShift (the Visual Difference Engine) writes them."""

from __future__ import annotations

from typing import Any

import numpy as np

from vfiscope.compat.region_reports.pair_report import PairReport, extent
from vfiscope.regions import METHODS, Settings, find
from vfiscope.regions.difference.structure import channels, ssim_of_pixels
from vfiscope.regions.steps import Mask
from vfiscope.types import Box, Float64

__all__ = ["dinov3_report", "ensemble_report", "hybrid_report", "peaks_report"]

UNSURE_MARGIN = 3
"""Pixels at the border of the SSIM map that the mean leaves out."""
MAJOR_BOX, MODERATE_BOX = 2000, 500
"""Pixels of the box."""
PUBLISHED_ENSEMBLE = "Ensemble: SSIM+PixelDiff(10) + Contours(3) + K-means + SAM2"
"""As published, where SAM 2 changed nothing either."""
PUBLISHED = ("hybrid-legacy", "fusion-legacy", "ensemble-legacy")


def hybrid_report(report: PairReport) -> dict[str, Any]:
    """``anomaly_report_sam.json`` of approaches 1 and 2."""
    return {
        "image_name": report.test_path,
        "ssim_score": mean_ssim(report),
        "change_score_percent": np.count_nonzero(changed(report)) / area_of(report) * 100,
        "anomalies": [
            {
                **box._asdict(),
                "type": shape_type(box, box.w / box.h, "missing_part"),
                "severity": size_word(box),
            }
            for box in map(extent, report.regions)
        ],
    }


def ensemble_report(report: PairReport) -> dict[str, Any]:
    """``ensemble_results.json`` of approach 3."""
    height, width = report.size
    pixels = int(np.count_nonzero(changed(report)))
    return {
        "metadata": {
            "architecture": PUBLISHED_ENSEMBLE
            if report.method == "ensemble-legacy"
            else f"vfiscope {report.method}",
            "image_size": [width, height],
        },
        "global_metrics": {
            "ssim_score": mean_ssim(report),
            "change_percentage": pixels / area_of(report) * 100,
            "changed_pixels": pixels,
        },
        "statistics": {"total_detections": len(report.regions)},
        "detections": [
            {
                **box._asdict(),
                "area": box.w * box.h,
                "severity": size_word(box),
                "type": shape_type(box, box.w / (box.h + 1e-6), "deformation"),
            }
            for box in map(extent, report.regions)
        ],
    }


def dinov3_report(report: PairReport) -> dict[str, Any]:
    """``results.json`` of approach 4.

    Its published rule, by which the weakest region always scores 0, is not kept: a region has been
    judged, so it is ``changed``, and its score is its part of the largest distance. Distances are
    between unit vectors: of a cosine distance c the L2 distance is the root of 2c. They are None
    where the map of the method is no such distance.
    """
    order = sorted(report.regions, key=lambda region: -region.score)
    known = report.answer.unit == "cosine distance"
    cosines = [max(0.0, region.score) for region in order]
    largest = max(cosines, default=0) or 1.0
    regions = [
        {
            "id": number,
            "bbox": [box.x, box.y, box.x + box.w - 1, box.y + box.h - 1],
            "score": cosines[number] / largest,
            "changed": True,
            "metrics": {
                "l2_distance": float(np.sqrt(2 * cosines[number])) if known else None,
                "cosine_distance": cosines[number] if known else None,
                "area_pixels": round(order[number].area),
            },
        }
        for number, box in enumerate(map(extent, order))
    ]
    return {
        "total_regions": len(regions),
        "significant_changes": len(regions),
        "regions": regions,
    }


def peaks_report(report: PairReport) -> dict[str, Any]:
    """``report.json`` of the PatchCore notebook. A region stands for its peaks: a plateau is not
    as many peaks as it has pixels."""
    points = [
        {"x": round(region.centroid_x), "y": round(region.centroid_y)} for region in report.regions
    ]
    return {
        "num_differences_found": len(points),
        "prompt_type": "points",
        "differences": points,
    }


def mean_ssim(report: PairReport) -> float:
    """SSIM in luma without the outer 3 pixels; with them where nothing else is left."""
    similarity: Float64 = ssim_of_pixels(*channels(report.pair, colour=False)[0])
    if min(report.size) > 2 * UNSURE_MARGIN:
        inner = slice(UNSURE_MARGIN, -UNSURE_MARGIN)
        similarity = similarity[inner, inner]
    return float(similarity.mean())


def changed(report: PairReport) -> Mask:
    """(H, W) changed pixels: those of the regions. The published methods count those of parts
    that are too small for a region too: where the mask of these is not known, it is made anew."""
    if report.method in PUBLISHED and report.flagged is not None:
        return report.flagged
    if report.method in PUBLISHED:
        return find(report.pair, METHODS[report.method](Settings())).cut.mask
    mask = np.zeros(report.size, bool)
    for region in report.regions:
        mask |= report.mask_of(region)
    return mask


def area_of(report: PairReport) -> int:
    return report.size[0] * report.size[1]


def shape_type(box: Box, ratio: float, otherwise: str) -> str:
    """What the published rule calls a box by its width over its height."""
    return "scratch" if ratio > 3 else "spot" if ratio < 0.5 else otherwise


def size_word(box: Box) -> str:
    area = box.w * box.h
    return "major" if area > MAJOR_BOX else "moderate" if area > MODERATE_BOX else "minor"

"""Reports as FrameShift 3 writes them, and in the words of T-BLIP2 and the difference spotter,
which write none."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from vfiscope.compat.region_reports.pair_report import PairReport, extent
from vfiscope.regions.masks import lengths_of
from vfiscope.types import Region

__all__ = ["cluster_info", "frameshift_report", "spotter_table"]

FRAMESHIFT_SEVERITIES = (
    (0.10, 5, "Critical"),
    (0.05, 4, "High"),
    (0.02, 3, "Moderate"),
    (0.01, 2, "Low"),
    (-math.inf, 1, "Minor"),
)
"""Part of the frame that is exceeded, severity, label."""


def frameshift_report(report: PairReport) -> dict[str, Any]:
    """``frameshift_v3_report.json``. The threshold is in the unit of the method's map (None where
    nothing changed); boxes are whole, where FrameShift's are a pixel short."""
    level = report.answer.level
    return {
        "version": "3.0",
        "num_changes": len(report.regions),
        "alignment_matches": report.matches,
        "threshold": level if math.isfinite(level) else None,
        "sensitivity": report.sensitivity,
        "changes": [
            _frameshift_change(report, number, region)
            for number, region in enumerate(report.regions, 1)
        ],
    }


def _frameshift_change(report: PairReport, number: int, region: Region) -> dict[str, Any]:
    box = extent(region)
    part = region.area / (report.size[0] * report.size[1])
    severity, label = next(
        (severity, label) for least, severity, label in FRAMESHIFT_SEVERITIES if part > least
    )
    return {
        "id": number,
        "bbox": box._asdict(),
        "area_pixels": round(region.area),
        "area_percent": round(100 * part, 2),
        "severity": severity,
        "severity_label": label,
    }


def cluster_info(report: PairReport) -> list[dict[str, Any]]:
    """The clusters as T-BLIP2's detector returns them in Python, the largest first: rows before
    columns, bounds inclusive. The mask is run-length coded as in COCO, not a frame of numbers."""
    found = []
    for number, region in enumerate(sorted(report.regions, key=lambda each: -each.area), 1):
        mask, box = report.mask_of(region), extent(region)
        coords = np.argwhere(mask)
        counts = lengths_of(region.mask, report.size).tolist() if region.mask else None
        found.append(
            {
                "cluster_id": number,
                "size": len(coords),
                "bbox": [box.y, box.x, box.y + box.h - 1, box.x + box.w - 1],
                "coords": coords.tolist(),
                "mask": {"size": list(report.size), "counts": counts},
            }
        )
    return found


def spotter_table(report: PairReport) -> list[list[int]]:
    """Rows of x, y, w, h, area, the smallest first: the table of components that the difference
    spotter sorts."""
    rows = [[*extent(region), round(region.area)] for region in report.regions]
    return sorted(rows, key=lambda row: row[-1])

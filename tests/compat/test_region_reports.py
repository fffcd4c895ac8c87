"""Reports in the JSON of other systems: published ones, and by hand."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from vfiscope.compat.region_reports import REPORTS, PairReport, report_of, write_report
from vfiscope.errors import OutputExistsError, UsageError
from vfiscope.regions import METHODS, FramePair, Settings, find


def report_by(method: str, test: np.ndarray, ref: np.ndarray, **names: Any) -> PairReport:
    found = find(FramePair(test, ref), METHODS[method](Settings()))
    return PairReport(found.regions, found.answer, test, ref, method=method, **names)


def test_what_a_published_method_flagged_is_not_sought_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """12 x 10 pixels of 100 x 200 are 0.6 %."""
    monkeypatch.setattr("vfiscope.compat.region_reports.trackshift_reports.find", None)
    found = find(FramePair(REF, REF), METHODS["hybrid-legacy"](Settings()))
    flagged = np.zeros((100, 200), bool)
    flagged[:12, :10] = True
    report = PairReport([], found.answer, TEST, REF, method="hybrid-legacy", flagged=flagged)
    made = report_of(report, "trackshift-hybrid")
    assert made["change_score_percent"] == pytest.approx(0.6)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("hybrid", "expected_p1_diff_sam.json"),
        ("fusion", "expected_p2_multifusion.json"),
        ("ensemble", "expected_p3_ensemble.json"),
    ],
)
def test_published_reports_of_trackshift(
    shared_data: Path, tmp_path: Path, name: str, file: str
) -> None:
    folder = shared_data / "golden" / "trackshift_tire"
    test, ref = (
        np.ascontiguousarray(cv2.imread(str(folder / image))[..., ::-1])
        for image in ("current.jpeg", "reference.jpeg")
    )
    published = json.loads((folder / file).read_text())
    made = report_by(f"{name}-legacy", test, ref, test_path="/content/race_car_tire_1_anomaly.jpeg")
    path = write_report(made, f"trackshift-{name}", tmp_path / "report.json")
    written = json.loads(path.read_text())
    expected = published.get("global_metrics", published)
    expected["ssim_score"] = pytest.approx(expected["ssim_score"], abs=1e-12)
    assert written == published
    assert list(written) == list(published)
    shape = path.read_text().splitlines()[1:2]
    assert shape == (folder / file).read_text().splitlines()[1:2]  # indented alike


REF = np.full((100, 200, 3), 60, np.uint8)
TEST = REF.copy()
TEST[10:20, 20:70] = 200  # a scratch: 500 pixels
TEST[40:80, 150:165] = 200  # a spot: 600 pixels


@pytest.fixture(scope="module")
def made() -> PairReport:
    return report_by("absdiff", TEST, REF, test_path="new.png", sensitivity="high", matches=7)


def test_types_and_severities(made: PairReport) -> None:
    value = report_of(made, "trackshift-hybrid")
    assert value["image_name"] == "new.png"
    assert value["change_score_percent"] == pytest.approx(5.5)
    assert value["anomalies"] == [
        {"x": 150, "y": 40, "w": 15, "h": 40, "type": "spot", "severity": "moderate"},
        {"x": 20, "y": 10, "w": 50, "h": 10, "type": "scratch", "severity": "minor"},
    ]
    value = report_of(made, "trackshift-ensemble")
    assert value["metadata"]["image_size"] == [200, 100]
    assert value["global_metrics"]["changed_pixels"] == 1100
    assert [entry["area"] for entry in value["detections"]] == [600, 500]


def test_the_other_schemas(made: PairReport) -> None:
    assert report_of(made, "frameshift") == {
        "version": "3.0",
        "num_changes": 2,
        "alignment_matches": 7,
        "threshold": 40.0,
        "sensitivity": "high",
        "changes": [
            {
                "id": 1,
                "bbox": {"x": 150, "y": 40, "w": 15, "h": 40},
                "area_pixels": 600,
                "area_percent": 3.0,
                "severity": 3,
                "severity_label": "Moderate",
            },
            {
                "id": 2,
                "bbox": {"x": 20, "y": 10, "w": 50, "h": 10},
                "area_pixels": 500,
                "area_percent": 2.5,
                "severity": 3,
                "severity_label": "Moderate",
            },
        ],
    }
    assert report_of(made, "trackshift-patchcore") == {
        "num_differences_found": 2,
        "prompt_type": "points",
        "differences": [{"x": 157, "y": 60}, {"x": 44, "y": 14}],
    }
    assert report_of(made, "spotter") == [[20, 10, 50, 10, 500], [150, 40, 15, 40, 600]]
    first, _ = report_of(made, "tblip2")
    assert (first["cluster_id"], first["size"], first["bbox"]) == (1, 600, [40, 150, 79, 164])
    assert first["coords"][:2] == [[40, 150], [40, 151]]
    assert first["mask"]["size"] == [100, 200]
    assert first["mask"]["counts"][:3] == [150 * 100 + 40, 40, 60]


def test_distances_of_patches(made: PairReport) -> None:
    regions = [replace(made.regions[0], score=0.02), replace(made.regions[1], score=0.5)]
    cosine = replace(made.answer, unit="cosine distance")
    value = report_of(replace(made, regions=regions, answer=cosine), "trackshift-dinov3")
    assert (value["total_regions"], value["significant_changes"]) == (2, 2)
    assert value["regions"][0] == {
        "id": 0,
        "bbox": [20, 10, 69, 19],
        "score": 1.0,
        "changed": True,
        "metrics": {"l2_distance": 1.0, "cosine_distance": 0.5, "area_pixels": 500},
    }
    assert value["regions"][1]["metrics"]["l2_distance"] == pytest.approx(0.2)
    code_values = report_of(made, "trackshift-dinov3")["regions"][0]["metrics"]
    assert (code_values["l2_distance"], code_values["cosine_distance"]) == (None, None)


@pytest.mark.parametrize("schema", list(REPORTS))
@pytest.mark.parametrize("size", [(1, 1), (30, 40)])
def test_a_pair_without_regions_has_a_report(
    tmp_path: Path, schema: str, size: tuple[int, int]
) -> None:
    frame = np.full((*size, 3), 9, np.uint8)
    write_report(report_by("auto", frame, frame), schema, tmp_path / "report.json")
    value = json.loads((tmp_path / "report.json").read_text())
    lists = [value] if isinstance(value, list) else list(value.values())
    assert [entry for entry in lists if isinstance(entry, list)] == [[]]


def test_refusals(made: PairReport, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="did you mean 'frameshift'"):
        report_of(made, "frameshif")
    (tmp_path / "there.json").write_text("mine")
    with pytest.raises(OutputExistsError):
        write_report(made, "spotter", tmp_path / "there.json")
    assert (tmp_path / "there.json").read_text() == "mine"
    write_report(made, "spotter", tmp_path / "there.json", overwrite=True)
    assert json.loads((tmp_path / "there.json").read_text())[0][-1] == 500

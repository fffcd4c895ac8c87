"""Segments say where in the frame their fault is."""

from __future__ import annotations

import csv
import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers.segment_runs import found, segment_run
from helpers.stored import SPECS

from vfiscope.segments.columns import Columns
from vfiscope.segments.placed import PART_SIGNALS, placed
from vfiscope.types import FrameTable, Role, Segment
from vfiscope.views.segment_exports import segment_csv, segment_report

SIZE = (90, 160)
SAID = "frame 3 is a blend"
HERE = "mostly at the top left: box 16, 0, 48 x 30 px, 10 % of the frame"


def frames() -> FrameTable:
    rows, zeros = np.arange(10), np.zeros(10, np.uint8)
    role = np.full(10, Role.UNKNOWN, np.uint8)
    return FrameTable(rows, rows, rows / 25, rows, role, rows * np.nan, zeros, Fraction(1, 25))


def columns(*edges: float, row: int = 3, size: Any = SIZE) -> Columns:
    """Those of ten rows, of which one is wrong between these edges."""
    signals = {name: np.full(10, np.nan, np.float32) for name in PART_SIGNALS}
    for name, edge in zip(PART_SIGNALS, edges, strict=True):
        signals[name][row] = edge
    return Columns(frames(), {"ssim": np.ones(10, np.float32)}, SPECS, signals, size)


def of(kind: str, metric: str = "blend_residual", **facts: Any) -> Segment:
    return found(3, 5, kind, metric=metric, evidence=SAID, **facts)


@pytest.mark.parametrize(
    ("edges", "words"),
    [
        ((16, 0, 64, 30), HERE),
        ((64, 30, 96, 60), "mostly in the middle: box 64, 30, 32 x 30 px, 6.7 % of the frame"),
        ((0, 60, 160, 90), "mostly at the bottom: box 0, 60, 160 x 30 px, 33 % of the frame"),
        ((0, 0, 160, 80), "in most of the frame: box 0, 0, 160 x 80 px, 89 % of the frame"),
    ],
)
def test_a_place_is_said_in_words_and_numbers(edges: tuple[float, ...], words: str) -> None:
    segment = placed(of("ghosting"), columns(*edges))
    assert segment.evidence == f"{SAID}; {words}"
    left, top, right, bottom = edges
    assert (segment.x, segment.y, segment.w, segment.h) == (left, top, right - left, bottom - top)


def test_what_is_everywhere_has_a_box_and_no_words() -> None:
    segment = placed(of("warp"), columns(0, 0, 160, 90))
    assert (segment.evidence, segment.w, segment.h) == (SAID, 160, 90)


def test_only_faults_in_places_have_one() -> None:
    there = columns(16, 0, 64, 30)
    for kind, metric in (("duplicate", "pace"), ("low_score", "luma_mean"), ("cut", "cut")):
        assert placed(of(kind, metric), there) == of(kind, metric)
    assert placed(of("low_score", "ssim"), there).w == 48
    assert placed(of("ghosting", w=5), there).w == 5  # of another detector
    assert placed(of("ghosting", peak_index=4), there).w == 0  # nothing known of this frame
    assert placed(of("ghosting"), columns(16, 0, 64, 30, size=None)).w == 0
    bare = Columns(frames(), {}, SPECS, {}, SIZE)
    assert placed(of("ghosting"), bare) == of("ghosting")


def test_boxes_are_stored_listed_and_exported(tmp_path: Path) -> None:
    there = placed(of("ghosting"), columns(16, 0, 64, 30))
    clip: dict[str, Any] = {"ticks": list(range(10)), "time_base": Fraction(1, 25)}
    with segment_run(tmp_path, [there, found(7, 8)], **clip) as run:
        assert run.segments[0] == there
        one, two = run.summary()["segments"]
        assert [one[name] for name in "xywh"] == [16, 0, 48, 30]
        assert not {"x", "y", "w", "h"} & set(two)
        rows = list(csv.DictReader(segment_csv(run).splitlines()))
        assert [[row[name] for name in "xywh"] for row in rows] == [
            ["16", "0", "48", "30"],
            [""] * 4,
        ]
        assert json.loads(segment_report(run))["segments"][0]["w"] == 48

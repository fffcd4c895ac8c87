"""Which frames are the worst of a run."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from vfiscope.types import FrameTable, MetricSpec, Role, Segment
from vfiscope.views.worst import chosen_frames, worst_frames

NAN, INF = float("nan"), float("inf")


SPECS = {
    "psnr": MetricSpec("psnr", "dB", 0, INF, False, INF, 1.0, ""),
    "midpoint_px": MetricSpec("midpoint_px", "px", -INF, INF, True, 0, 0.5, "", ranks=False),
    "ghosting": MetricSpec("ghosting", "1", 0, 1, True, 0, 0.02, "", ranks=False),
}


def fake(
    scores: dict[str, list[float]],
    *,
    role: Any = None,
    segments: Any = (),
    names: Any = (),
    step_s: float = 0.04,
) -> Any:
    n = len(next(iter(scores.values())))
    rows = np.arange(n)
    frames = FrameTable(
        index=rows,
        pts=rows,
        time_s=rows * step_s,
        ref_index=rows,
        role=np.full(n, Role.UNKNOWN, np.uint8) if role is None else np.asarray(role, np.uint8),
        phase=np.full(n, NAN),
        status=np.zeros(n, np.uint8),
        time_base=Fraction(1, 25),
    )

    class Fake(SimpleNamespace):
        def __len__(self) -> int:
            return n

    values = {name: np.array(column, np.float32) for name, column in scores.items()}
    return Fake(
        path=Path("a.h5"),
        frames=frames,
        scores=values,
        specs=SPECS,
        segments=list(segments),
        names=names,
        maps={},
    )


def low_score(start: int, stop: int) -> Segment:
    return Segment(start, stop, "low_score", "psnr", 0, start, 1, start / 25, stop / 25)


def test_the_worst_are_worst_first_by_the_direction_of_the_metric() -> None:
    run = fake(
        {"psnr": [30, 20, INF, 25, NAN, 21], "midpoint_px": [0, 1, -3, 2, NAN, 0]}, step_s=10
    )
    assert worst_frames(run, 3, None).rows == (1, 5, 3)
    assert worst_frames(run, 2, "midpoint_px").rows == (2, 3)
    assert worst_frames(run, 9, "psnr").rows == (1, 5, 3, 0)
    assert worst_frames(run, 9, "psnr").among == 4


def test_the_worst_are_of_the_synthesised_where_those_are_known() -> None:
    run = fake({"psnr": [10, 20, 11, 25]}, role=[0, 1, 0, 1], step_s=10)
    assert worst_frames(run, 9, None).rows == (1, 3)
    assert worst_frames(run, 9, None).role == "synthesised"
    assert chosen_frames(run, [2, 1, 2], None).rows == (2, 1)


def test_without_a_metric_that_ranks_the_one_that_departs_most_chooses() -> None:
    run = fake(
        {"psnr": [NAN] * 3, "midpoint_px": [1, -1, 0], "ghosting": [0, 0.01, 0.9]}, step_s=10
    )
    assert worst_frames(run, 1, None).metric == "ghosting"
    assert worst_frames(run, 1, None).rows == (2,)


def test_the_worst_are_spread_over_segments_and_time() -> None:
    """100 frames at 25 a second: a deep dip over 20 frames, a slight one of one frame, and a mild
    one elsewhere."""
    psnr = np.full(100, 40.0)
    psnr[30:50] = np.linspace(20, 21, 20)
    psnr[70], psnr[90] = 35, 38
    run = fake({"psnr": psnr.tolist()}, segments=[low_score(30, 50)])
    assert worst_frames(run, 3, None).rows == (30, 70, 90)
    assert worst_frames(run, 1, None).rows == (30,)
    # good frames far away do not take the place of bad ones: those of the dip so far apart (the
    # fifth of 25 is 0.2 s), then any of it
    spread = worst_frames(run, 9, None)
    assert spread.apart_s == pytest.approx(99 / 25 / 18)
    assert spread.rows == (30, 31, 32, 33, 36, 42, 48, 70, 90)
    assert spread.spread
    assert not worst_frames(run, 1, None).spread


def test_no_frame_below_the_floor_is_shown_for_its_place_alone() -> None:
    """96 frames of a score whose floor is 0.02: twelve bad ones, all others as good as perfect."""
    ghosting = np.full(96, 0.001)
    ghosting[48:60] = np.linspace(0.09, 0.08, 12)
    run = fake({"ghosting": ghosting.tolist()}, segments=[low_score(48, 60)])
    assert worst_frames(run, 3, None).rows == (48, 49, 50)
    few = worst_frames(run, 20, None)
    assert few.rows == tuple(range(48, 60))
    assert few.floor == 0.02
    assert not few.spread
    perfect = worst_frames(fake({"ghosting": [0, 0, 0]}), 2, None)
    assert (perfect.rows, perfect.floor) == ((0,), 0.02)


@pytest.mark.parametrize("kind", ["overexposed", "duplicate"])
def test_every_kind_of_segment_has_its_worst_frame_shown_first(kind: str) -> None:
    """Neighbours are worse, within half a second and in a longer segment."""
    psnr = np.full(100, 40.0)
    psnr[30:50] = 20
    psnr[35:37] = 30, 29
    other = Segment(35, 37, kind, "luma_mean", 0, 35, 1, 35 / 25, 37 / 25)
    run = fake({"psnr": psnr.tolist()}, segments=[low_score(30, 50), other])
    chosen = worst_frames(run, 2, None)
    assert chosen.rows == (30, 36)
    assert chosen.spread


def test_a_segment_without_a_score_of_its_own_shows_its_peak() -> None:
    """A duplicate that passes for an original is not among the synthesised frames."""
    twice = Segment(2, 3, "duplicate", "cadence", 0, 2, 1, 2 / 25, 3 / 25)
    run = fake({"psnr": [10, 20, 11, 25]}, role=[0, 1, 0, 1], segments=[twice], step_s=10)
    assert worst_frames(run, 2, None).rows == (1, 2)
    assert worst_frames(run, 2, None).unscored == 1
    assert not worst_frames(run, 2, None).spread
    assert worst_frames(run, 1, None).rows == (1,)


def test_photos_are_not_kept_apart_and_short_clips_keep_their_worst() -> None:
    photos = fake({"psnr": [30, 20, 21, 40]}, names=("a", "b", "c", "d"))
    assert worst_frames(photos, 2, None).rows == (1, 2)
    clip = fake({"psnr": [45, 33, 45, 34, 45, 32, 45]})
    assert worst_frames(clip, 3, None).rows == (5, 1, 3)

"""Segments of low scores name the cause that the real frames around tell."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from vfiscope.metrics import METRICS
from vfiscope.segments import flag
from vfiscope.segments.causes import explained, without_repetition
from vfiscope.segments.columns import Columns
from vfiscope.types import FrameTable, Role, Segment

N, AT = 40, 20
FRAMES = FrameTable(
    *(np.arange(N), np.arange(N), np.arange(N) / 25, np.arange(N)),
    np.full(N, Role.UNKNOWN, np.uint8),
    np.full(N, np.nan),
    np.zeros(N, np.uint8),
    Fraction(1, 25),
)
SPECS = {name: each.spec for name, each in METRICS.items()}
QUIET = dict.fromkeys(("fault", "moving", "repeat", "late", "early", "blend"), 0.0)


def flagged(usual: dict[str, float], worst: dict[str, float]) -> dict[str, Segment]:
    """{metric: its segment} of a run with usual values, and other ones in one frame."""
    rng = np.random.default_rng(3)
    scores = {}
    for name, value in usual.items():
        column = value + rng.uniform(0, 1e-3, N).astype(np.float32)
        column[AT] = worst.get(name, column[AT])
        scores[name] = column
    found = flag(FRAMES, scores, {name: SPECS[name] for name in scores})
    assert {(each.start, each.stop) for each in found} <= {(AT, AT + 1)}
    return {each.metric: each for each in found}


@pytest.mark.parametrize(
    ("metric", "kind", "clear", "slight"),
    [
        ("ghosting", "ghosting", 0.4, 0.06),
        ("warp", "warp", 0.2, 0.05),
        ("torn", "tearing", 0.9, 0.6),
    ],
)
def test_a_metric_of_one_fault_names_it(
    metric: str, kind: str, clear: float, slight: float
) -> None:
    assert flagged({metric: 0.0}, {metric: clear})[metric].kind == kind
    assert flagged({metric: 0.0}, {metric: slight})[metric].kind == "low_score"


@pytest.mark.parametrize(
    ("metric", "counted", "slight"),
    [("repeat", 0.6, 0.3), ("late", 0.6, 0.3), ("early", 0.6, 0.3), ("torn", 0.9, 0.6)],
)
def test_a_slight_part_of_a_fault_is_told_by_the_fault_alone(
    metric: str, counted: float, slight: float
) -> None:
    usual = {**QUIET, "torn": 0.0}
    assert set(flagged(usual, {"fault": 0.6, metric: counted})) == {"fault", metric}
    assert set(flagged(usual, {"fault": 0.6, metric: slight})) == {"fault"}
    assert set(flagged({metric: 0.0}, {metric: slight})) == {metric}
    both = {"fault": 0.6, metric: slight}  # too little for a verdict
    assert set(flagged(dict.fromkeys(both, 0.0), both)) == set(both)


def test_what_is_of_another_instant_is_unlike_its_neighbours_and_not_bent() -> None:
    usual = {**QUIET, "moving": 0.5, "warp": 0.0, "foreign": 0.0}
    worst = {"fault": 0.9, "warp": 0.3, "foreign": 0.2}
    assert flagged(usual, worst)["warp"].kind == "warp"
    found = flagged(usual, {**worst, "late": 0.8})
    assert found["warp"].kind == "low_score"
    assert found["foreign"].evidence.endswith("; the frame is late")


def test_a_score_of_a_repeat_says_so() -> None:
    usual = {**QUIET, "moving": 0.5, "foreign": 0.0}
    columns = Columns(FRAMES, {n: np.full(N, v, np.float32) for n, v in usual.items()}, SPECS)
    columns.scores["fault"][AT], columns.scores["foreign"][AT] = 0.9, 0.2
    low = Segment(AT, AT + 1, "low_score", "foreign", 0.2, AT, 0.9, 0.8, 0.84, "", "all")
    repeated = np.arange(N) == AT
    (said,) = explained([low], columns, repeated)
    assert said.evidence.endswith("the frame repeats the frame before it")
    (said,) = explained([low], columns)
    assert said.evidence.endswith("the frame is off in colour or brightness")


def test_other_scores_end_in_the_words_of_the_verdict() -> None:
    usual = {**QUIET, "moving": 0.5, "ghosting": 0.0, "psnr": 40.0}
    worst = {"fault": 0.4, "blend": 0.4, "ghosting": 0.4, "psnr": 20.0}
    found = flagged(usual, worst)
    for metric in ("fault", "blend", "psnr"):
        assert found[metric].kind == "low_score"
        assert found[metric].evidence.endswith("; the frame is a blend of its neighbours")
    assert found["ghosting"].kind == "ghosting"
    alone = flagged({"psnr": 40.0}, {"psnr": 20.0})["psnr"]
    assert alone.evidence.endswith("would be enough")


def test_what_a_score_names_a_signal_does_not_name_again() -> None:
    def of(kind: str, metric: str, start: int) -> Segment:
        return Segment(start, start + 2, kind, metric, 1.0, start, 0.9, 0.0, 1.0)

    by_score = of("ghosting", "ghosting", 4)
    by_mixture = of("ghosting", "mix_explained", 12)
    others = [of("ghosting", "blend_residual", 8), of("warp", "impulse", 4)]
    others.append(by_mixture)
    repeated = [of("ghosting", "mix_explained", 3), of("ghosting", "blend_residual", 13)]
    found = [by_score, of("ghosting", "blend_residual", 5), *others, *repeated]
    columns = Columns(FRAMES, {"ghosting": np.zeros(N, np.float32)}, SPECS)
    assert without_repetition(found, columns) == [by_score, *others]


@pytest.mark.parametrize(
    ("kind", "start", "stop", "told"),
    [
        ("drop", 20, 21, False),
        ("duplicate", 19, 20, False),
        ("cut", 30, 31, True),
        ("cadence", 0, 60, True),
        ("static", 10, 40, True),
        ("change", 20, 40, False),
        ("change", 5, 20, False),
        ("change", 5, 40, True),
    ],
)
def test_a_low_score_of_a_scan_is_told_unless_a_kind_says_why(
    kind: str, start: int, stop: int, told: bool
) -> None:
    """Frame 20 differs much from frame 19."""
    rows = np.arange(60)
    role, status = np.full(60, Role.UNKNOWN, np.uint8), np.zeros(60, np.uint8)
    frames = FrameTable(
        rows, rows, rows / 25, rows - 1, role, np.full(60, np.nan), status, Fraction(1, 25)
    )
    low = Segment(20, 21, "low_score", "absdiff", 0.5, 20, 0.9, 0.8, 0.84)
    why = Segment(start, stop, kind, "pace", 0.5, start, 0.9, start / 25, stop / 25)
    left = without_repetition([low, why], Columns(frames, {"absdiff": rows * 0.0}, {}, {}))
    assert left == ([low, why] if told else [why])


def test_a_frame_behind_missing_instants_begins_no_shot() -> None:
    def of(kind: str, metric: str, start: int) -> Segment:
        return Segment(start, start + 1, kind, metric, 1.0, start, 0.9, 0.0, 1.0)

    skips = [of("drop", "cadence", 8), of("drop", "pace", 20)]
    cuts = [of("cut", "shot_step", start) for start in (8, 9, 20)]
    found = without_repetition([*skips, *cuts], Columns(FRAMES, {}, {}))
    assert found == [*skips, *cuts[1:]]


def test_what_two_shots_show_together_is_neither_torn_nor_bent_nor_a_ghost() -> None:
    """A wipe from frame 4 to frame 12 looks as if frames were torn, a dissolve as ghosts do."""

    def of(kind: str, start: int, stop: int, metric: str = "shot_step") -> Segment:
        return Segment(start, stop, kind, metric, 1.0, start, 0.9, 0.0, 1.0)

    wipe, short = of("cut", 4, 12), of("cut", 16, 17)
    within = [of("tearing", 3, 5), of("ghosting", 8, 9), of("warp", 8, 9), of("tearing", 11, 12)]
    others = [of("tearing", 12, 13), of("tearing", 16, 17), of("blur", 8, 9)]
    by_source = of("ghosting", 6, 7, "ghosting")
    columns = Columns(FRAMES, {"ghosting": np.zeros(N, np.float32)}, SPECS)
    found = without_repetition([wipe, short, *within, *others, by_source], columns)
    assert found == [wipe, short, *others, by_source]

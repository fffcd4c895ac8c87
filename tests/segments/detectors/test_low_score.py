"""The default rule on clips whose answer is known."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from numpy.typing import NDArray

from vfiscope.config import FLAG_ENTER
from vfiscope.metrics import METRICS
from vfiscope.segments import low_scores
from vfiscope.types import FrameTable, MetricSpec, Role, Status

INF, NAN = float("inf"), float("nan")
Floats = NDArray[np.float64]

PSNR = MetricSpec("psnr", "dB", 0, INF, False, INF, 1.0, "peak signal-to-noise ratio")
COSINE = MetricSpec("cosine", "1", 0, 2, True, 0, 0.01, "cosine distance")
MIDPOINT = MetricSpec("midpoint_px", "px", -INF, INF, True, 0, 0.5, "distance from the right place")


def table(
    n: int, *, role: NDArray[np.uint8] | None = None, status: NDArray[np.uint8] | None = None
) -> FrameTable:
    rows = np.arange(n)
    return FrameTable(
        index=rows,
        pts=rows,
        time_s=rows / 25,
        ref_index=rows,
        role=np.full(n, Role.UNKNOWN, np.uint8) if role is None else role,
        phase=np.full(n, NAN),
        status=np.zeros(n, np.uint8) if status is None else status,
        time_base=Fraction(1, 25),
    )


def ranges(
    values: Floats, spec: MetricSpec = PSNR, frames: FrameTable | None = None
) -> list[tuple[int, int]]:
    found = low_scores(frames or table(len(values)), np.asarray(values, np.float32), spec)
    return [(segment.start, segment.stop) for segment in found]


def noise(n: int, sigma: float, seed: int = 0) -> Floats:
    return np.random.default_rng(seed).normal(0, sigma, n)


def alternating(
    n: int, factor: int, *, passed: float, arch: float = 0.0, sigma: float = 0.3, seed: int = 0
) -> Floats:
    """Interpolation by ``factor``: passed frames at one value, the others around 35 dB, worst in
    mid-cycle."""
    phase = (np.arange(n) % factor) / factor
    values = 35 - arch * 4 * phase * (1 - phase) + noise(n, sigma, seed)
    values[phase == 0] = passed
    return values


def test_an_even_clip_has_no_flags() -> None:
    assert ranges(np.full(96, 35.0)) == []


def test_the_floor_decides_in_an_even_clip() -> None:
    values = np.full(96, 35.0)
    values[40] = 34.01
    assert ranges(values) == []
    values[40] = 34.0
    assert ranges(values) == [(40, 41)]


def test_the_threshold_is_six_robust_deviations() -> None:
    values = np.tile([34.0, 36.0, 35.0, 35.5, 34.5, 35.25, 34.75, 35.0, 35.9, 34.2, 35.4], 9)
    deviation = np.median(np.abs(values - np.median(values)))
    enter = FLAG_ENTER * 1.4826 * deviation
    rng = np.random.default_rng(1)
    values = rng.permutation(values)
    values[50] = 35 - enter - 1e-3
    assert ranges(values) == [(50, 51)]
    values[50] = 35 - enter + 1e-3
    assert ranges(values) == []


def test_a_planted_segment_is_found_exactly() -> None:
    values = 35 + noise(96, 0.5)
    values[40:52] -= 10
    (found,) = low_scores(table(96), values.astype(np.float32), PSNR)
    assert (found.start, found.stop) == (40, 52)
    assert found.peak_index == 40 + int(np.argmin(values[40:52]))
    assert found.peak == np.float32(values[40:52].min())
    assert (found.start_time_s, found.stop_time_s) == (1.6, 2.08)
    assert (found.kind, found.metric) == ("low_score", "psnr")


def test_confidence_is_one_half_at_the_threshold() -> None:
    values = np.full(20, 35.0)
    values[4], values[12] = 34.0, 26.0
    found = low_scores(table(20), values.astype(np.float32), PSNR)
    assert [segment.confidence for segment in found] == [0.5, 0.9]


def test_hysteresis_keeps_a_segment_whole_and_its_skirts() -> None:
    values = np.full(96, 35.0)
    values[40:47] = [34.4, 33.0, 34.4, 34.4, 33.0, 34.4, 34.6]
    assert ranges(values) == [(40, 46)]
    values[60:63] = 34.4
    assert ranges(values) == [(40, 46)]


def test_one_bad_frame() -> None:
    values = 35 + noise(96, 0.5)
    values[70] -= 8
    assert ranges(values) == [(70, 71)]
    assert ranges(np.array([35, 35, 35, 35, 27, 35, 35, 35.0])) == [(4, 5)]


def test_two_bad_frames_close_together_stay_two_in_an_even_clip() -> None:
    values = np.full(96, 35.0)
    values[[40, 42, 47]] = 20
    assert ranges(values) == [(40, 41), (42, 43), (47, 48)]


def test_the_bad_direction_is_the_metrics_own() -> None:
    values = np.full(20, 0.2)
    values[5], values[10] = 0.1, 0.3
    assert ranges(values, COSINE) == [(10, 11)]
    assert ranges(np.where(np.arange(20) == 5, 60.0, 35.0)) == []


def test_a_signed_metric_is_bad_on_both_sides() -> None:
    values = np.tile([0.1, -0.1], 20)
    values[[7, 30]] = [3.0, -4.0]
    found = low_scores(table(40), values.astype(np.float32), MIDPOINT)
    assert [(segment.start, segment.stop, segment.peak) for segment in found] == [
        (7, 8, 3.0),
        (30, 31, -4.0),
    ]


@pytest.mark.parametrize("factor", [2, 3, 4, 8])
@pytest.mark.parametrize("arch", [0.0, 3.0], ids=["flat", "arch"])
@pytest.mark.parametrize("passed", [45.0, 90.0, INF])
def test_alternation_is_no_anomaly(factor: int, arch: float, passed: float) -> None:
    for seed in range(10):
        assert ranges(alternating(96, factor, passed=passed, arch=arch, sigma=0.2, seed=seed)) == []


@pytest.mark.parametrize("factor", [2, 3, 4, 8])
@pytest.mark.parametrize("arch", [0.0, 3.0], ids=["flat", "arch"])
@pytest.mark.parametrize("passed", [45.0, 90.0, INF])
def test_a_damaged_part_of_an_alternating_clip_is_one_segment(
    factor: int, arch: float, passed: float
) -> None:
    values = alternating(96, factor, passed=passed, arch=arch, sigma=0.2)
    bad = np.arange(41, 52)
    values[bad[bad % factor != 0]] -= 12
    assert ranges(values) == [(41, 52 if 51 % factor else 51)]


def test_one_bad_synthesised_frame_is_found_in_an_alternating_clip() -> None:
    values = alternating(96, 2, passed=INF, sigma=0.2)
    values[41] -= 6
    assert ranges(values) == [(41, 42)]


def test_a_passed_frame_that_is_as_bad_as_a_synthesised_one_is_no_anomaly() -> None:
    values = alternating(96, 2, passed=60.0, sigma=0.2)
    values[40] = 35
    assert ranges(values) == []


@pytest.mark.parametrize("dropped", [24, 48, 58])
def test_a_dropped_frame_shifts_the_alternation_without_flags(dropped: int) -> None:
    assert ranges(np.delete(alternating(97, 2, passed=45.0), dropped)) == []


def test_a_short_alternating_clip_has_no_flags() -> None:
    for n in range(1, 24):
        for first in (0, 1):
            assert ranges(np.where(np.arange(n) % 2 == first, 60.0, 35.0)) == []


def spiked(n: int, rows: Sequence[int], sigma: float = 0.2, seed: int = 0) -> Floats:
    """A clip at 42 dB that falls to 24 dB at some rows."""
    values = 42 + noise(n, sigma, seed)
    values[list(rows)] = 24
    return values


def singles(rows: Sequence[int]) -> list[tuple[int, int]]:
    return [(row, row + 1) for row in rows]


@pytest.mark.parametrize(
    "rows", [(6, 9), (6, 9, 14, 18), (3, 12, 21), (4, 8, 12), (5, 12, 19), (2, 8, 14, 20)]
)
def test_isolated_bad_frames_of_a_short_clip_are_no_cycle(rows: tuple[int, ...]) -> None:
    for sigma in (0, 0.2):
        values = spiked(24, rows, sigma)
        assert ranges(values) == singles(rows)
        values[0] = NAN
        assert ranges(values) == singles(rows)


@pytest.mark.parametrize("apart", [9, 10, 16])
def test_bad_frames_at_even_distances_are_flagged_beyond_the_longest_cycle(apart: int) -> None:
    rows = range(4, 300, apart)
    assert ranges(spiked(300, rows)) == singles(rows)


@pytest.mark.parametrize("apart", [2, 3, 4, 5, 6, 7, 8])
def test_bad_frames_at_even_distances_are_flagged_unless_they_make_the_cycle_of_the_clip(
    apart: int,
) -> None:
    some = range(100, 100 + 4 * apart, apart)
    assert ranges(spiked(300, some)) == singles(some)
    assert ranges(spiked(300, range(1, 300, apart))) == []


def test_roles_decide_whether_bad_frames_at_even_distances_are_the_cycle() -> None:
    rows = range(3, 120, 10)
    role = np.where(np.arange(120) % 4 == 0, Role.PASSED, Role.SYNTHESISED).astype(np.uint8)
    assert ranges(spiked(120, rows), PSNR, table(120, role=role)) == singles(rows)
    values = np.where(role == Role.PASSED, 60, 35 + noise(120, 0.3))
    assert ranges(values, PSNR, table(120, role=role)) == []


@pytest.mark.parametrize("factor", [2, 3, 4, 5])
@pytest.mark.parametrize("sigma", [0.0, 0.2])
@pytest.mark.parametrize("passed", [45.0, INF])
@pytest.mark.parametrize("n", [24, 60, 96])
def test_a_glitch_in_an_alternating_clip_is_one_segment(
    factor: int, sigma: float, passed: float, n: int
) -> None:
    for length in (1, 3, 12) if n == 96 else (1, 3):
        for first in range(factor + 1, n - length - factor, 2 * factor):
            values = alternating(n, factor, passed=passed, sigma=sigma)
            assert ranges(values) == []
            values[first : first + length] = 22
            assert ranges(values) == [(first, first + length)]


@pytest.mark.parametrize("factor", [2, 3, 4, 5])
def test_an_alternation_whose_depth_follows_the_motion_is_no_anomaly(factor: int) -> None:
    rows = np.arange(97)
    phase = (rows % factor) / factor
    depth = 0.05 + 0.35 * np.sin(np.pi * rows / 97) ** 4
    ssim = MetricSpec("ssim", "1", -1, 1, False, 1, 0.01, "structural similarity")
    for seed in range(5):
        assert ranges(0.97 - depth * 4 * phase * (1 - phase) + noise(97, 0.005, seed), ssim) == []


def test_a_segment_does_not_reach_across_good_frames() -> None:
    values = alternating(96, 4, passed=50.0, sigma=0.2)
    values[[41, 45]] = 20
    assert ranges(values) == [(41, 42), (45, 46)]


@pytest.mark.slow
@given(
    st.integers(13, 120),
    st.sets(st.integers(0, 119), min_size=1, max_size=4),
    st.integers(0, 1000),
)
def test_a_few_isolated_bad_frames_are_always_found(n: int, drawn: set[int], seed: int) -> None:
    rows = sorted(row for row in drawn if row < n)
    assume(len(rows) <= n // 12 and all(np.diff(rows) > 1))
    assert ranges(spiked(n, rows, 0.1, seed)) == singles(rows)


def test_a_cut_between_two_shots_is_found_and_a_worse_shot_is_not() -> None:
    shots = np.r_[
        np.full(60, 27.0), np.full(60, 24.0), np.full(60, 31.0), np.full(60, 22.0)
    ] + noise(240, 0.4)
    assert ranges(shots) == []
    shots[[60, 120, 180]] = [11, 14, 13]
    assert FLAG_ENTER * 1.4826 * np.median(np.abs(shots - np.median(shots))) > 16
    assert ranges(shots) == singles([60, 120, 180])


def test_a_glitch_of_four_frames_stands_out_from_its_sides_in_a_restless_clip() -> None:
    values = 36 + 6 * np.sin(np.arange(200) / 12) + noise(200, 0.2)
    assert ranges(values) == []
    values[np.arange(98, 102)] -= 20
    assert ranges(values) == [(98, 102)]


def test_roles_give_the_cycle_where_they_are_known() -> None:
    role = np.where(np.arange(12) % 4 == 0, Role.PASSED, Role.SYNTHESISED).astype(np.uint8)
    values = np.array([50, 35, 33, 35] * 3, np.float64)
    values[[1, 3, 5, 7]] = 35 + np.array([0.3, -0.3, 0.2, -0.2])
    assert ranges(values, PSNR, table(12, role=role)) == []


def test_a_still_half_does_not_break_the_moving_half_into_single_frames() -> None:
    for still in (np.full(60, 50.0), 50 + noise(60, 0.1)):
        assert ranges(np.r_[still, alternating(36, 2, passed=50.0)]) == [(61, 96)]


def test_noise_and_slow_change_are_not_flagged() -> None:
    rows = np.arange(96)
    for seed in range(50):
        assert ranges(35 + noise(96, 1.0, seed)) == []
        assert ranges(35 + 3 * np.sin(rows / 15 + seed) + noise(96, 0.3, seed)) == []
        assert ranges(40 - rows * 0.1 + noise(96, 0.2, seed)) == []
    assert ranges(40 - rows * 0.1) == []


@pytest.mark.parametrize("factor", [1, 2], ids=["even", "interpolated"])
def test_a_hole_in_a_wandering_clip_is_found_though_the_clips_own_scale_is_coarse(
    factor: int,
) -> None:
    rows = np.arange(200)
    values = 36 + 3 * np.sin(rows / 20) + noise(200, 0.3)
    assert FLAG_ENTER * 1.4826 * np.median(np.abs(values - np.median(values))) > 14
    values[151:162] -= 14
    if factor == 2:
        values[::2] = INF
    assert ranges(values) == [(151, 162)]


def test_a_step_to_another_level_is_no_hole() -> None:
    for low in (60, 100, 140):
        steps = np.r_[np.full(100, 40.0), np.full(low, 33.0), np.full(200 - low, 40.0)]
        assert ranges(steps[: 100 + low] + noise(100 + low, 0.2)) in ([], [(100, 100 + low)])
        assert ranges(41 - (np.arange(300) > 150) * 5 + noise(300, 0.2)) == []


def test_a_calm_spell_does_not_make_the_rule_touchy() -> None:
    for seed in range(20):
        values = 35 + noise(300, 1.0, seed)
        values[100:200] = 35 + noise(100, 0.1, seed + 100)
        values[150] = 33
        assert not [found for found in ranges(values) if 100 <= found[0] < 200]


@pytest.mark.parametrize("name", ["cosine_before", "cosine_after"])
def test_where_motion_begins_nothing_is_flagged(name: str) -> None:
    """The distance to a neighbour follows the motion, which is no fault."""
    distance = np.r_[np.full(30, 1e-3), np.full(10, 0.2), np.full(30, 1e-3)]
    assert low_scores(table(70), distance, METRICS[name].spec) == []
    assert [(s.start, s.stop) for s in low_scores(table(70), distance, METRICS["cosine"].spec)] == [
        (30, 40)
    ]


def test_a_fall_from_an_unusual_height_is_no_anomaly() -> None:
    values = np.r_[np.full(150, 35.0), np.full(50, 45.0)] + noise(200, 0.2)
    values[175] = 38
    assert ranges(values) == []


def test_neighbourhoods_skip_rows_without_a_value() -> None:
    values = 36 + 3 * np.sin(np.arange(300) / 20) + noise(300, 0.3)
    values[20:120] = NAN
    values[150:160] -= 14
    assert ranges(values) == [(150, 160)]


def test_a_third_of_the_clip_can_be_bad_but_not_half() -> None:
    assert ranges(np.r_[np.full(64, 35.0), np.full(32, 25.0)] + noise(96, 0.3)) == [(64, 96)]
    assert ranges(np.r_[np.full(48, 35.0), np.full(48, 25.0)] + noise(96, 0.3)) == []


@pytest.mark.parametrize(
    "values", [[], [35], [35, 20], [35, 35, 20], [NAN] * 30, [INF] * 30, [INF] * 29 + [20]]
)
def test_a_clip_without_a_level_has_no_flags(values: list[float]) -> None:
    assert ranges(np.array(values, np.float64)) == []


def test_identical_frames_take_no_part_in_the_level() -> None:
    values = np.r_[np.full(60, INF), np.full(30, 35.0)]
    assert ranges(values) == []
    values[75] = 20
    assert ranges(values) == [(75, 76)]


def test_unpaired_rows_end_a_segment_and_passed_rows_without_a_score_do_not() -> None:
    values = np.full(60, 35.0)
    values[20:30] = 20
    values[25] = NAN
    assert ranges(values) == [(20, 25), (26, 30)]
    role = np.where(np.arange(60) == 25, Role.PASSED, Role.UNKNOWN).astype(np.uint8)
    assert ranges(values, PSNR, table(60, role=role)) == [(20, 30)]
    status = np.where(np.arange(60) == 25, Status.UNREADABLE, Status.OK).astype(np.uint8)
    assert ranges(values, PSNR, table(60, role=role, status=status)) == [(20, 25), (26, 30)]


def test_an_unpaired_row_ends_a_segment_of_an_alternating_clip_too() -> None:
    values = alternating(96, 2, passed=INF, sigma=0.2)
    values[41:52:2] -= 12
    values[46] = NAN
    assert ranges(values) == [(41, 46), (47, 52)]


def test_a_metric_of_synthesised_frames_only() -> None:
    role = np.where(np.arange(60) % 2 == 0, Role.PASSED, Role.SYNTHESISED).astype(np.uint8)
    values = np.where(np.arange(60) % 2 == 0, NAN, 0.1)
    values[[31, 33, 35]] = 4
    assert ranges(values, MIDPOINT, table(60, role=role)) == [(31, 36)]
    assert ranges(values, MIDPOINT) == [(31, 32), (33, 34), (35, 36)]


@pytest.mark.parametrize("factor", [2, 3, 4, 8])
def test_synthesised_and_passed_frames_are_judged_apart(factor: int) -> None:
    """However good or bad the one kind is beside the other, each is judged against its own
    level."""
    n = 24 * factor
    passed = np.arange(n) % factor == 0
    role = np.where(passed, Role.PASSED, Role.SYNTHESISED).astype(np.uint8)
    for level in (45.0, 35.0, 20.0):
        values = np.where(passed, level, 35.0) + noise(n, 0.2)
        values[5 * factor + 1 : 7 * factor : factor] -= (
            12  # two synthesised frames with an original between them
        )
        values[12 * factor] -= 10  # an original
        found = low_scores(table(n, role=role), values, PSNR)
        assert [(s.start, s.stop, s.role) for s in found if s.role == "passed"] == [
            (12 * factor, 12 * factor + 1, "passed")
        ]
        made = [(s.start, s.stop) for s in found if s.role == "synthesised"]
        first, second = 5 * factor + 1, 6 * factor + 1
        assert made == (
            [(first, second + 1)] if factor <= 3 else [(first, first + 1), (second, second + 1)]
        )


def test_a_frame_of_unknown_role_ends_a_segment() -> None:
    role = np.where(np.arange(60) % 2, Role.SYNTHESISED, Role.PASSED).astype(np.uint8)
    values = np.full(60, 35.0)
    values[21:30] = 20
    assert ranges(values, PSNR, table(60, role=role)) == [(21, 30), (22, 29)]
    role[25] = Role.UNKNOWN
    assert ranges(values, PSNR, table(60, role=role)) == [(21, 24), (27, 30), (22, 25), (26, 29)]

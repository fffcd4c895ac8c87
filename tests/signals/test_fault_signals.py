"""Signals of faults that lie within one frame: blends, tears and damage, on scenes made by hand."""

from __future__ import annotations

import math

import cv2
import numpy as np
import pytest
from helpers.signal_scenes import H, frame, in_turn, view

from vfiscope.signals import SIGNALS

PAN = [view(3 * n) for n in range(12)]
AT = 8
"""The frame with the fault."""


def with_fault(luma: np.ndarray) -> list[np.ndarray]:
    return [*PAN[:AT], luma, *PAN[AT + 1 :]]


def others(values: list[float]) -> list[float]:
    """What frames away from the fault and from the ends have."""
    return values[3 : AT - 1]


@pytest.mark.parametrize("part", [0.5, 0.3])
def test_a_blend_is_its_neighbours_and_loses_slope(part: float) -> None:
    """At the border of the frame new content comes in, of which motion knows nothing."""
    blended = np.rint(part * PAN[AT - 1] + (1 - part) * PAN[AT + 1])
    residual = in_turn(with_fault(blended), "blend_residual")
    assert residual[AT] < 0.1
    assert min(others(residual)) > 1.5
    gradient = in_turn(with_fault(blended), "blend_gradient")
    assert gradient[AT] < min(others(gradient)) - 0.03
    motion = in_turn(PAN, "blend_motion")
    assert others(motion) == pytest.approx([6.0] * 4, abs=0.6)
    assert math.isnan(residual[0])
    assert math.isnan(residual[-1])


def test_where_nothing_moves_there_is_no_blend() -> None:
    assert all(map(math.isnan, in_turn([view()] * 4, "blend_residual")))


@pytest.mark.parametrize(("lag", "row", "bottom"), [(1, 48, False), (2, 72, False), (3, 80, True)])
def test_a_tear_shows_an_earlier_instant_in_one_part(lag: int, row: int, bottom: bool) -> None:
    torn, old = PAN[AT].copy(), PAN[AT - lag]
    part = slice(row, None) if bottom else slice(0, row)
    torn[part] = old[part]
    lumas = with_fault(torn)
    contrast = in_turn(lumas, "tear_contrast")
    assert contrast[AT] > 0.85
    assert max(others(contrast)) < 0.5
    share = row / H - bottom
    assert in_turn(lumas, "tear_share")[AT] == pytest.approx(share, abs=1e-6)
    assert in_turn(lumas, "tear_lag")[AT] == lag
    jump = in_turn(lumas, "tear_jump")
    # A part that repeats the frame before has not changed at all: ln(1.1 / 0.1).
    if lag == 1:
        assert jump[AT] == pytest.approx(2.4, abs=0.2)
        away = in_turn(lumas, "tear_jump_share")[AT]
        assert away == pytest.approx(share - 1, abs=1e-6)
    assert max(others(jump)) < 0.5
    assert [n for n, value in enumerate(contrast) if math.isnan(value)] == [0, 1]


def test_a_wobble_goes_out_and_comes_back() -> None:
    """A part of the scene lies 3 px further to the right in one frame of a pan."""
    bent, away = PAN[AT].copy(), view(3 * AT - 3)
    bent[30:80, 60:140] = away[30:80, 60:140]
    found = in_turn(with_fault(bent), "wobble")
    assert found[AT] == pytest.approx(3, abs=0.5)
    assert max(others(found)) < 0.3
    assert math.isnan(found[0])
    assert math.isnan(found[-1])
    bumped = in_turn(with_fault(view(3 * AT + 4)), "wobble")
    assert bumped[AT] < 1  # the frame as a whole is no place


def test_a_still_scene_has_no_tear() -> None:
    assert all(map(math.isnan, in_turn([view()] * 8, "tear_share")))


def test_an_impulse_is_what_one_frame_alone_has() -> None:
    """A block of 32 x 32, 16 blocks of 8 x 8, is 40 brighter in one frame of a still scene."""
    still = [view()] * 3
    struck = view()
    struck[40:72, 80:112] = np.minimum(struck[40:72, 80:112] + 40, 255)
    found = in_turn([still[0], struck, still[2]], "impulse")
    assert found[1] == pytest.approx(40, abs=3)
    assert math.isnan(found[0])
    assert math.isnan(found[2])
    assert in_turn(still, "impulse")[1] == 0
    small = view()
    small[40:56, 80:104] += 40  # 6 blocks
    assert in_turn([still[0], small, still[2]], "impulse")[1] < 1
    lasting = in_turn([still[0], struck, struck], "impulse")[1]
    assert lasting <= 0
    tiny = np.full((16, 24), 9)
    assert math.isnan(in_turn([tiny] * 3, "impulse")[1])


def test_signals_of_very_small_frames_are_defined_or_not_but_never_fail() -> None:
    names = [name for name in SIGNALS if name not in ("embedding_step",)]
    for size in ((1, 1), (3, 17), (16, 16), (1, 600), (40, 1)):
        lumas = [np.full(size, 50 + 5 * n) for n in range(9)]
        for name in names:
            assert len(in_turn(lumas, name)) == 9
    assert math.isnan(SIGNALS["embedding_step"].compute(frame(np.ones((2, 2)))))


@pytest.mark.parametrize(("first", "last"), [(-1, 2), (-2, 2)])
def test_a_blend_of_frames_further_on_is_a_mixture_too(first: int, last: int) -> None:
    lumas = with_fault(np.rint((PAN[AT + first] + PAN[AT + last]) / 2))
    left = in_turn(lumas, "blend_others")
    assert left[AT] < 0.05
    assert min(others(left)) > 1


@pytest.mark.parametrize(("first", "lag"), [(-1, 2), (0, 1), (-2, 3)])
def test_a_blend_of_any_two_instants_shows_its_detail_twice(first: int, lag: int) -> None:
    """Also where one of them is the frame itself, which nobody has seen."""
    lumas = with_fault(np.rint((PAN[AT + first] + PAN[AT + 1]) / 2))
    alike = {n: in_turn(lumas, f"echo_{n}") for n in (1, 2, 3)}
    rise = {n: values[AT] - max(others(values)) for n, values in alike.items()}
    assert max(rise, key=lambda n: rise[n]) == lag
    assert rise[lag] > 0.1
    detail = in_turn(lumas, "moving_detail")
    assert detail[AT] < 0.9 * min(others(detail))
    if first != -1:
        left = in_turn(lumas, "blend_others")
        assert left[AT] < 0.05
        assert min(others(left)) > 4
    assert math.isnan(alike[1][0])
    assert math.isnan(alike[1][-1])


def test_blur_takes_detail_and_leaves_no_echo() -> None:
    lumas = with_fault(cv2.GaussianBlur(PAN[AT], (0, 0), 3))
    detail = in_turn(lumas, "moving_detail")
    assert detail[AT] < 0.5 * min(others(detail))
    for lag in (1, 2, 3):
        alike = in_turn(lumas, f"echo_{lag}")
        assert alike[AT] < max(others(alike)) + 0.1


@pytest.mark.parametrize(("lag", "row", "count"), [(1, 48, 1), (2, 48, 2), (-1, 72, 1)])
def test_a_torn_part_falls_behind_and_catches_up(lag: int, row: int, count: int) -> None:
    """The top shows another instant in some frames; it has 5 rows of blocks of 24 pixels."""
    lumas = list(PAN)
    for at in range(AT, AT + count):
        lumas[at] = PAN[at].copy()
        lumas[at][:row] = PAN[at - lag][:row]
    behind = AT + count
    found = {name: in_turn(lumas, f"tear_{name}") for name in ("ahead", "rows", "explained")}
    assert found["ahead"][behind] == pytest.approx(lag, rel=0.2)
    assert found["rows"][behind] == count
    assert in_turn(lumas, "tear_split")[behind] == pytest.approx(row / H, abs=1e-6)
    assert found["explained"][behind] > 0.9
    assert in_turn(lumas, "tear_agreed")[behind] > 0.95
    scores = np.nan_to_num(np.minimum(np.abs(found["ahead"]), 1) * found["explained"])
    assert scores.argmax() == behind
    assert max(scores[:AT]) < 0.05
    assert all(map(math.isnan, in_turn([view()] * 4, "tear_ahead")))

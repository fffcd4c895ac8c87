"""Pairs without noise, and things on black: neither small nor dim changes are explained away."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from vfiscope.regions import METHODS, Found, FramePair, Settings, find
from vfiscope.regions.difference.lit_parts import lit_widely
from vfiscope.regions.difference.lossless import is_lossless, lossless_difference
from vfiscope.types import Uint8

LINES = ("Invoice 4711", "Widget 12.50", "Parcel 4.00", "Total 16.50", "Status: open")
THINGS = (
    (30, 30, 25, (220, 180, 40)),
    (120, 40, 22, (60, 200, 90)),
    (60, 110, 30, (200, 60, 60)),
    (160, 110, 24, (180, 180, 180)),
)


def found(test: Uint8, ref: Uint8) -> Found:
    return find(FramePair(test, ref), METHODS["auto"](Settings()))


def screen(lines: tuple[str, ...]) -> Uint8:
    made = np.full((150, 220, 3), 245, np.uint8)
    for row, text in enumerate(lines):
        place = (10, 24 + 26 * row)
        cv2.putText(made, text, place, cv2.FONT_HERSHEY_SIMPLEX, 0.5, (20, 20, 30), 1, cv2.LINE_AA)
    return made


def on_black(*dimmed: int, gain: float = 0.5) -> Uint8:
    made = np.zeros((150, 200, 3), np.uint8)
    for index, (x, y, half, colour) in enumerate(THINGS):
        lit = [round(gain * code) if index in dimmed else code for code in colour]
        made[y - half : y + half, x - half : x + half] = lit
    return made


def test_another_digit_on_a_screen_is_a_region() -> None:
    test, ref = screen((*LINES[:3], "Total 16.60", LINES[4])), screen(LINES)
    differ = np.argwhere((test != ref).any(axis=2))
    assert 12 < len(differ) < 120
    assert is_lossless(FramePair(test, ref))
    (region,) = found(test, ref).regions
    assert (region.tight_y, region.tight_x) == tuple(differ.min(axis=0))
    assert region.area == pytest.approx(len(differ), rel=0.1)


def test_noise_a_shift_and_coded_parts_are_not_lossless() -> None:
    ref = screen(LINES)
    noisy, moved, coded = ref.copy(), np.roll(ref, 1, axis=1), ref.copy()
    noisy[::2] ^= 1
    block = coded[40:72, 100:132]
    block[:] = np.clip(block.astype(np.int16) - np.arange(-4, 28)[:, None, None], 0, 255)
    for test in (ref, noisy, moved, coded):
        assert not is_lossless(FramePair(np.ascontiguousarray(test), ref))
    assert found(noisy, ref).answer.answer == "same"


def test_the_ratio_of_a_lossless_pair_is_to_fourteen_codes() -> None:
    test, ref = screen(LINES), screen(LINES)
    test[5, 5] = (245, 217, 245)
    values = lossless_difference(FramePair(test, ref)).values
    assert (values[5, 5], values.sum()) == (2.0, 2.0)


@pytest.mark.parametrize("index", [0, 2, 3])
def test_one_of_some_things_on_black_that_dims_is_a_region(index: int) -> None:
    made = found(on_black(index), on_black())
    x, y, half, _ = THINGS[index]
    (region,) = made.regions
    assert abs(region.centroid_x - x) < 2
    assert abs(region.centroid_y - y) < 2
    assert region.tight_w == pytest.approx(2 * half, abs=4)
    assert made.answer.gain == 1


def test_all_things_on_black_that_dim_alike_are_light() -> None:
    answer = found(on_black(0, 1, 2, 3), on_black()).answer
    assert (answer.answer, answer.offset) == ("light", 0)
    assert answer.gain == pytest.approx(0.5, abs=0.01)


def test_what_is_lit_widely() -> None:
    black, shown = np.zeros((60, 80), np.uint8), np.ones((60, 80), bool)
    half, fewer = black.copy(), black.copy()
    half[:, :40], fewer[:, :20] = 100, 100
    assert lit_widely(black, half, shown)
    assert not lit_widely(black, fewer, shown)
    assert lit_widely(fewer, black, shown & (np.arange(80) < 30))


def test_letters_are_no_scratches_and_a_line_across_them_is() -> None:
    ref = screen(LINES[:3])
    letters, line = screen(LINES), ref.copy()
    cv2.line(line, (20, 30), (200, 110), (60, 60, 60), 1, cv2.LINE_AA)
    kinds = {region.kind for region in found(letters, ref).regions}
    assert kinds
    assert "scratch" not in kinds
    assert {region.kind for region in found(line, ref).regions} == {"scratch"}

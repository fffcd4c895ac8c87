"""Signals of a single frame, on frames whose values are known by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from vfiscope.signals import SIGNALS, SignalFrame


def grey(luma: np.ndarray) -> SignalFrame:
    """A frame whose R, G and B are all its luma."""
    return SignalFrame(np.repeat(np.asarray(luma, np.uint8)[..., None], 3, axis=2).copy(), 8)


def values(frame: SignalFrame, *names: str) -> list[float]:
    return [SIGNALS[name].compute(frame) for name in names]


def test_spread_ends_and_clipping_of_luma() -> None:
    """100 pixels: one black, two white, the others 100 or 200."""
    luma = np.array([0] + [100] * 50 + [200] * 47 + [255] * 2).reshape(10, 10)
    found = values(grey(luma), "luma_std", "luma_p1", "luma_p99", "clipped_dark", "clipped_bright")
    assert found == pytest.approx([luma.std(), 0, 255, 0.01, 0.02])
    assert values(grey(luma[1:]), "luma_p1", "luma_p99") == [100, 255]
    assert values(grey(np.full((5, 7), 80)), "luma_std", "luma_p1", "luma_p99") == [0, 80, 80]


def test_deep_frames_are_measured_in_8_bit_codes() -> None:
    pixels = np.full((4, 6, 3), 1023, np.uint16)
    pixels[:2] = 401
    found = values(
        SignalFrame(pixels, 10), "luma_std", "clipped_bright", "green_balance"[:0] or "red_balance"
    )
    assert found == pytest.approx([(255 - 100) / 2, 0.5, 1.0])


def test_the_balance_is_that_of_the_means() -> None:
    pixels = np.zeros((2, 2, 3), np.uint8)
    pixels[:, 0] = (50, 100, 20)
    pixels[:, 1] = (100, 100, 80)
    assert values(SignalFrame(pixels, 8), "red_balance", "blue_balance") == [0.75, 0.5]
    dimmed = SignalFrame(pixels // 2, 8)
    assert values(dimmed, "red_balance", "blue_balance") == [0.75, 0.5]
    assert math.isnan(values(SignalFrame(pixels * 0, 8), "red_balance")[0])


def test_sharpness_of_stripes_and_of_a_ramp() -> None:
    """Stripes of 0 and 10, one pixel wide: both neighbours across differ by 10."""
    stripes = np.tile([0, 10], (8, 8))
    assert values(grey(stripes), "sharpness") == [20]
    ramp = np.tile(np.arange(0, 64, 4), (8, 1))
    assert values(grey(ramp), "sharpness") == [0]
    assert math.isnan(values(grey(ramp[:2]), "sharpness")[0])
    assert values(grey(np.full((8, 8), 9)), "sharpness") == [0]


@pytest.mark.parametrize("sigma", [2.0, 6.0])
def test_noise_is_told_from_slopes_and_edges(sigma: float) -> None:
    rng = np.random.default_rng(4)
    y, x = np.mgrid[:150, :200]
    scene = 60 + 0.3 * x + 0.2 * y + 60 * (x > 100) * (y > 70)
    noisy = np.rint(scene + rng.normal(0, sigma, scene.shape))
    assert values(grey(noisy), "noise") == pytest.approx([sigma], rel=0.12)
    assert values(grey(np.rint(scene)), "noise")[0] < 0.6


def test_noise_where_none_can_be_seen() -> None:
    assert math.isnan(values(grey(np.zeros((64, 64))), "noise")[0])
    assert math.isnan(values(grey(np.full((9, 9), 99)), "noise")[0])
    assert values(grey(np.full((64, 64), 99)), "noise") == [0]


def test_blockiness_is_the_ratio_of_steps() -> None:
    """Steps of 2 within blocks of 8 and of 10 between them, along both axes, from place 5 on."""
    line = np.cumsum([10 if n % 8 == 5 else 2 for n in range(65)]) % 97
    steps = np.where(np.arange(65) % 8 == 5, 10, 2)
    line = np.concatenate([[0], np.cumsum(steps[:64] * np.where(np.arange(64) % 2, 1, -1))]) + 120
    blocky = line[:, None] + line[None, :] - 120
    assert values(grey(blocky), "blockiness") == pytest.approx([5.0])
    even = np.rint(np.random.default_rng(0).normal(120, 10, (200, 200)))
    assert values(grey(even), "blockiness") == pytest.approx([1.0], abs=0.06)
    assert math.isnan(values(grey(np.full((64, 64), 5)), "blockiness")[0])
    assert math.isnan(values(grey(even[:20]), "blockiness")[0])


def test_the_active_area_lies_between_black_bars() -> None:
    luma = np.full((40, 60), 16)
    luma[5:33, 2:59] = 120
    luma[:, 20] = 30
    names = [f"active_{side}" for side in ("top", "bottom", "left", "right")]
    assert values(grey(luma), *names) == [5, 33, 2, 59]
    assert values(grey(np.full((40, 60), 90)), *names) == [0, 40, 0, 60]
    assert all(map(math.isnan, values(grey(np.full((40, 60), 16)), *names)))


def test_seams_are_straight_sharp_and_long() -> None:
    plain = np.full((64, 80), 100)
    block = plain.copy()
    block[16:32, 24:48] = 130  # inside the frame: two upright seams of 16, two level ones of 24
    assert values(grey(block), "seam") == [2 * 16 + 2 * 24]
    soft = block.copy()
    soft[16:32, 23] = soft[16:32, 48] = 115  # the upright ones are two steps of 15 now
    soft[15, 23:49] = soft[32, 23:49] = 115
    assert values(grey(soft), "seam") == [0]
    small = plain.copy()
    small[16:22, 24:30] = 130  # of 6 px
    low = plain.copy()
    low[16:32, 24:48] = 110  # of 10 code values
    assert values(grey(plain), "seam") == values(grey(small), "seam") == [0]
    assert values(grey(low), "seam") == [0]
    assert math.isnan(values(grey(np.zeros((7, 30))), "seam")[0])

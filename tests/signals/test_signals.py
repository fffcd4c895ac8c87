"""The values of signals against plain sums in float64, on frames made by hand."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from helpers.media import noise

from vfiscope.errors import UsageError
from vfiscope.signals import SIGNALS, Sight, SignalFrame, choose_signals
from vfiscope.signals.embedding_step import embedding_step
from vfiscope.signals.frame_difference import frame_difference
from vfiscope.signals.global_shift import global_shift
from vfiscope.signals.luma_mean import luma_mean

NAN = float("nan")


def exact_luma(pixels: np.ndarray, white: int) -> float:
    return float((pixels.astype(np.float64) @ [0.299, 0.587, 0.114]).mean() * 255 / white)


@pytest.mark.parametrize(("depth", "dtype"), [(8, np.uint8), (10, np.uint16), (16, np.uint16)])
@pytest.mark.parametrize("size", [(1, 1), (37, 53), (200, 311)])
def test_luma_and_difference_are_means_over_all_pixels(
    depth: int, dtype: Any, size: tuple[int, int]
) -> None:
    now, then = noise(2, *size, dtype=dtype, seed=depth)
    white = 2**depth - 1
    now, then = now & white, then & white
    frame = SignalFrame(now, depth, before=SignalFrame(then, depth))
    assert luma_mean(frame) == pytest.approx(exact_luma(now, white), rel=1e-12)
    apart = np.abs(now.astype(np.float64) - then).mean() * 255 / white
    assert frame_difference(frame) == pytest.approx(apart, rel=1e-12)


def test_hand_made_frames() -> None:
    """A quarter of a black frame turns red, then white."""
    black = np.zeros((4, 4, 3), np.uint8)
    red, white = black.copy(), black.copy()
    red[:2, :2, 0] = 255
    white[:2, :2] = 255
    frames = [SignalFrame(each, 8) for each in (black, red, white)]
    assert [luma_mean(each) for each in frames] == pytest.approx([0, 0.299 * 255 / 4, 255 / 4])
    steps = [
        SignalFrame(now.pixels, 8, before=then)
        for now, then in zip(frames, [None, *frames[:2]], strict=True)
    ]
    assert [frame_difference(each) for each in steps] == pytest.approx(
        [NAN, 255 / 4 / 3, 255 / 4 * 2 / 3], nan_ok=True
    )
    assert frame_difference(SignalFrame(red, 8, before=frames[1])) == 0.0


def test_sums_of_large_frames_are_exact() -> None:
    """White of 16 bits over 2 million pixels: beyond what 32 bits hold."""
    black, white = (np.full((1080, 1920, 3), value, np.uint16) for value in (0, 65535))
    frame = SignalFrame(white, 16, before=SignalFrame(black, 16))
    assert frame_difference(frame) == 255.0
    assert luma_mean(frame) == pytest.approx(255.0, rel=1e-15)


def step(now: list[float], then: list[float] | None) -> float:
    pixels = np.zeros((1, 1, 3), np.uint8)
    vectors = [None if each is None else np.array(each, np.float32) for each in (now, then)]
    before = SignalFrame(pixels, 8, embedding=vectors[1])
    return embedding_step(SignalFrame(pixels, 8, embedding=vectors[0], before=before))


def test_an_embedding_step_is_one_minus_the_cosine() -> None:
    rng = np.random.default_rng(1)
    a, b = (rng.normal(size=135).astype(np.float32) for _ in range(2))
    cosine = float(
        a.astype(float) @ b / math.sqrt(a.astype(float) @ a) / math.sqrt(b.astype(float) @ b)
    )
    assert step(a.tolist(), b.tolist()) == pytest.approx(1 - cosine, rel=1e-6)
    assert step(a.tolist(), (3 * a).tolist()) == pytest.approx(0, abs=1e-14)
    assert step(a.tolist(), a.tolist()) == 0.0
    assert step([1, 0], [-2, 0]) == 2.0
    assert step([0, 0], [0, 0]) == 0.0
    assert step([0, 0], [1, 0]) == step([1, 0], [0, 0]) == 1.0
    assert math.isnan(step([1, 0], None))
    assert math.isnan(embedding_step(SignalFrame(np.zeros((1, 1, 3), np.uint8), 8)))


def test_a_shift_is_that_of_the_middle_or_the_median_of_the_motion() -> None:
    pixels = np.zeros((41, 81, 3), np.uint8)
    matrix = np.array([[1.0, 0.0, 5.0], [0.0, 1.0, -2.5], [0.0, 0.0, 1.0]])
    assert global_shift(SignalFrame(pixels, 8, matrix=matrix)) == (5.0, -2.5)
    assert global_shift(SignalFrame(pixels, 8, matrix=2 * matrix)) == (5.0, -2.5)
    about_middle = np.array([[2.0, 0.0, -40.0], [0.0, 2.0, -20.0], [0.0, 0.0, 1.0]])
    assert global_shift(SignalFrame(pixels, 8, matrix=about_middle)) == (0.0, 0.0)
    motion = np.full((2, 3, 4), 7.0, np.float32)
    motion[1] = -1.25
    motion[:, 0, :2] = [[30, -80], [9, 9]]
    motion[0, 2, 3] = NAN
    assert global_shift(SignalFrame(pixels, 8, motion=motion)) == (7.0, -1.25)
    assert global_shift(SignalFrame(pixels, 8, matrix=matrix, motion=motion)) == (5.0, -2.5)
    motion[:] = NAN
    assert all(map(math.isnan, global_shift(SignalFrame(pixels, 8, motion=motion))))
    assert all(map(math.isnan, global_shift(SignalFrame(pixels, 8))))


# -------------------------------------------------------------------------------------- the choice


def test_the_usual_signals_are_those_that_a_run_can_have() -> None:
    around = Sight.BEFORE | Sight.AFTER | Sight.PAST
    everything = around | Sight.EMBEDDING | Sight.SHIFT
    alone, in_order = (list(choose_signals((), seen)) for seen in (Sight.NOTHING, around))
    assert {"luma_mean", "luma_std", "sharpness", "seam"} <= set(alone)
    assert not {"frame_difference", "impulse", "tear_share"} & set(alone)
    assert {*alone, "frame_difference", "impulse", "tear_share"} <= set(in_order)
    also = {"embedding_step", "shift_x", "shift_y"}
    assert set(choose_signals((), everything)) == {*in_order, *also}
    assert set(in_order) | also <= set(SIGNALS)
    assert choose_signals(["none"], everything) == {}
    chosen = choose_signals(["shift_y", "luma_mean", "shift_y"], everything)
    assert list(chosen) == ["shift_y", "luma_mean"]
    assert list(choose_signals(["embedding_step"], Sight.BEFORE)) == ["embedding_step"]


def test_signals_that_detectors_need_are_kept_beside_those_asked_for() -> None:
    needed = ["frame_difference", "ssim", "shift_x"]
    chosen = choose_signals(["luma_mean"], Sight.BEFORE, needed)
    assert list(chosen) == ["luma_mean", "frame_difference"]
    assert choose_signals(["none"], Sight.BEFORE, needed) == {}


@pytest.mark.parametrize(
    ("name", "offered", "said"),
    [
        ("luma_maen", Sight.BEFORE, "there is no signal 'luma_maen': did you mean 'luma_mean'"),
        ("shift_x", Sight.BEFORE, "shift_x is known where .* add --register ecc or --fields"),
        ("frame_difference", Sight.NOTHING, "looks at the frame before, and compare has none"),
    ],
)
def test_what_a_run_cannot_have_is_refused(name: str, offered: Sight, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        choose_signals([name], offered)

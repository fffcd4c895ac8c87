"""gmsd against a float64 version made with scipy's convolutions."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image
from scipy.signal import convolve2d

from vfiscope.metrics import pixel_pairs
from vfiscope.metrics.gmsd import _sums, gmsd
from vfiscope.types.batch import to_tensor

Array = NDArray[np.generic]
Frame = NDArray[np.integer]
LUMA = np.array([0.299, 0.587, 0.114])


def planar(array: Frame) -> Array:
    """(N, H, W, 3) -> the (N, 3, H, W) view that sources yield."""
    return np.ascontiguousarray(array).transpose(0, 3, 1, 2)


def noise(seed: int, shape: tuple[int, ...] = (64, 90, 3)) -> Frame:
    return np.random.default_rng(seed).integers(0, 256, shape).astype(np.uint8)


def exact(test: Frame, ref: Frame, scale: float = 1.0) -> float:
    """The definition of Xue 2014 in float64, valid parts only."""
    prewitt = np.array([[1, 0, -1]] * 3) / 3
    lengths = []
    for frame in (test, ref):
        halved = convolve2d(frame @ LUMA * scale, np.full((2, 2), 0.25), "valid")[::2, ::2]
        across, down = convolve2d(halved, prewitt, "valid"), convolve2d(halved, prewitt.T, "valid")
        lengths.append(np.hypot(across, down))
    m_t, m_r = lengths
    return float(((2 * m_t * m_r + 170) / (m_t**2 + m_r**2 + 170)).std())


@pytest.mark.parametrize("shape", [(64, 90, 3), (65, 91, 3), (6, 7, 3), (7, 200, 3)])
def test_noise_against_float64(shape: tuple[int, ...]) -> None:
    test, ref = noise(1, shape), noise(2, shape)
    assert gmsd(planar(test[None]), planar(ref[None])).item() == pytest.approx(
        exact(test, ref), abs=1e-6
    )


def test_an_edge_by_hand() -> None:
    ref = np.zeros((1, 12, 12, 3), np.uint8)
    test = ref.copy()
    test[:, :, 6:] = 60
    # Halved, the edge lies between columns 2 and 3 of 6: of the 4 inner columns the two in the
    # middle see it.
    similarity = 170 / (60**2 + 170)
    assert gmsd(planar(test), planar(ref)).item() == pytest.approx((1 - similarity) / 2, abs=1e-6)


def test_a_brighter_frame_has_the_same_gradients() -> None:
    ref = noise(3) // 2
    assert gmsd(planar(ref[None] + 100), planar(ref[None])).item() == pytest.approx(0.0, abs=1e-6)


@pytest.mark.parametrize(
    "frame", [np.zeros((40, 50, 3)), np.full((40, 50, 3), 255), noise(4)], ids=["0", "255", "noise"]
)
def test_identical_frames_score_exactly_0(frame: Frame) -> None:
    same = planar(frame[None].astype(np.uint8))
    assert gmsd(same, same.copy()).tolist() == [0.0]
    moved = to_tensor(same, "cpu")
    assert np.count_nonzero(_sums(pixel_pairs.same_scale(moved, moved, 8, 8))) == 0


@pytest.mark.parametrize("depth", [10, 12, 16])
def test_deep_frames_against_float64(depth: int) -> None:
    peak = 2**depth - 1
    test, ref = (
        np.random.default_rng(s).integers(0, peak + 1, (30, 41, 3)).astype(np.uint16)
        for s in (1, 2)
    )
    got = gmsd(planar(test[None]), planar(ref[None]), test_depth=depth, ref_depth=depth).item()
    assert got == pytest.approx(exact(test, ref, 255 / peak), abs=1e-6)


def test_the_same_frame_in_8_and_16_bit_is_identical() -> None:
    frame = noise(5)[None]
    assert gmsd(planar(frame), planar(frame.astype(np.uint16) * 257), ref_depth=16).tolist() == [
        0.0
    ]


def test_torch_computes_the_same() -> None:
    frames = [planar(np.stack([noise(seed), noise(seed + 5)])) for seed in (6, 7)]
    a = pixel_pairs.same_scale(*frames, 8, 8)
    b = pixel_pairs.same_scale(*(to_tensor(each, "cpu") for each in frames), 8, 8)
    for slow, fast in zip(b.halved(), a.halved(), strict=True):
        np.testing.assert_allclose(slow, fast, rtol=1e-6, atol=1e-2)
    np.testing.assert_allclose(_sums(b), _sums(a), rtol=1e-5)


def test_scores_depend_on_neither_batch_nor_threads(threads: Callable[[int], None]) -> None:
    test = planar(np.stack([noise(seed, (133, 260, 3)) for seed in range(4)]))
    ref = planar(np.stack([noise(seed, (133, 260, 3)) for seed in range(4, 8)]))
    threads(2)
    whole = gmsd(test, ref)
    threads(1)
    assert np.array_equal(
        whole, np.concatenate([gmsd(test[i : i + 1], ref[i : i + 1]) for i in range(4)])
    )
    assert np.array_equal(whole, gmsd(test[::-1], ref[::-1])[::-1])


@pytest.mark.parametrize("size", [(5, 50), (50, 5), (1, 1)])
def test_frames_smaller_than_6_have_no_gmsd(size: tuple[int, int]) -> None:
    frame = planar(np.zeros((2, *size, 3), np.uint8))
    assert [math.isnan(value) for value in gmsd(frame, frame).tolist()] == [True, True]


def test_an_empty_batch_has_no_scores() -> None:
    none = planar(np.zeros((0, 20, 20, 3), np.uint8))
    assert gmsd(none, none).shape == (0,)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(6, 30), st.integers(6, 30))
def test_gmsd_is_symmetric_in_bounds_and_right(seed: int, height: int, width: int) -> None:
    test, ref = noise(seed, (height, width, 3)), noise(seed + 1, (height, width, 3))
    got = gmsd(planar(test[None]), planar(ref[None])).item()
    assert got == gmsd(planar(ref[None]), planar(test[None])).item()
    assert 0 <= got <= 0.5
    assert got == pytest.approx(exact(test, ref), abs=1e-6)


def test_interpolated_frames_of_a_network(shared_data: Path) -> None:
    for folder in sorted((shared_data / "vfi/ucf101_cdfi").iterdir())[:5]:
        test, ref = (
            np.array(Image.open(folder / f"frame_01_{n}.png").convert("RGB"))
            for n in ("ours", "gt")
        )
        assert gmsd(planar(test[None]), planar(ref[None])).item() == pytest.approx(
            exact(test, ref), abs=1e-6
        )

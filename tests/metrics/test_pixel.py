"""mse, psnr, psnr_y, absdiff and its map against integer and float64 arithmetic."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from helpers.media import frames_of
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from vfiscope.errors import UsageError
from vfiscope.metrics import pixel, pixel_pairs
from vfiscope.types import Pairs
from vfiscope.types.batch import to_tensor

Array = NDArray[np.generic]
LUMA = np.array([0.299, 0.587, 0.114])
SCORES = (pixel.mse, pixel.psnr, pixel.psnr_y, pixel.absdiff)


def planar(array: NDArray[np.generic]) -> Array:
    """(N, H, W, 3) -> the (N, 3, H, W) view that sources yield."""
    return np.ascontiguousarray(array).transpose(0, 3, 1, 2)


def flat(value: int, dtype: type = np.uint8, shape: tuple[int, ...] = (1, 5, 7, 3)) -> Array:
    return planar(np.full(shape, value, dtype))


def noise(
    seed: int, shape: tuple[int, ...] = (3, 37, 53, 3), peak: int = 255
) -> NDArray[np.integer]:
    dtype = np.uint8 if peak == 255 else np.uint16
    return np.random.default_rng(seed).integers(0, peak + 1, shape).astype(dtype)


def exact(
    test: NDArray[np.integer], ref: NDArray[np.integer], scale: float = 1.0
) -> dict[str, NDArray[np.float64]]:
    """The definitions in float64."""
    apart = (test.astype(np.int64) - ref.astype(np.int64)) * scale
    mse, mse_y = (apart**2).mean(axis=(1, 2, 3)), ((apart @ LUMA) ** 2).mean(axis=(1, 2))
    with np.errstate(divide="ignore"):
        psnr, psnr_y = 10 * np.log10(255**2 / mse), 10 * np.log10(255**2 / mse_y)
    return {
        "mse": mse,
        "psnr": psnr,
        "psnr_y": psnr_y,
        "absdiff": np.abs(apart).mean(axis=(1, 2, 3)) / 255,
    }


def test_constant_frames_by_hand() -> None:
    ten, thirteen = flat(10), flat(13)
    assert pixel.mse(ten, thirteen).tolist() == [9.0]
    assert pixel.psnr(ten, thirteen).item() == pytest.approx(38.588378, abs=1e-5)
    assert pixel.psnr_y(ten, thirteen).item() == pytest.approx(38.588378, abs=1e-5)
    assert pixel.absdiff(ten, thirteen).item() == pytest.approx(3 / 255, rel=1e-6)


def test_sums_are_told_where_a_metric_has_made_them() -> None:
    test, ref = np.zeros((2, 1, 2, 2, 3), np.uint8)
    test[0, 0, 0], ref[0, 0, 1], test[0, 1, 1] = 5, 7, 255
    pairs = Pairs(frames_of(test), frames_of(ref))
    values = {each.spec.name: each.compute for each in pixel.METRICS}
    for metric in ("mse", "absdiff"):
        assert pixel.apart_from_refs(pairs) is None
        values[metric](pairs)
    assert pixel.apart_from_refs(pairs) == [3 * (5 + 7 + 255)]


def test_black_against_white_is_the_other_end() -> None:
    black, white = flat(0), flat(255)
    assert pixel.mse(black, white).tolist() == [65025.0]
    assert pixel.psnr(black, white).tolist() == [0.0]
    assert pixel.absdiff(black, white).tolist() == [1.0]


def test_sums_of_the_widest_rows_do_not_overflow() -> None:
    black, white = np.zeros((1, 3, 2, 14_000), np.uint8), np.full((1, 3, 2, 14_000), 255, np.uint8)
    assert pixel.mse(black, white).tolist() == [65025.0]
    white[..., -1] = 0  # the last pixel lies in the second piece of a row
    assert pixel.mse(black, white).tolist() == [np.float32(65025.0 * 13_999 / 14_000)]
    assert pixel.absdiff(black, white).item() == pytest.approx(13_999 / 14_000, rel=1e-6)


def test_one_step_down_is_not_a_step_of_255() -> None:
    assert pixel.mse(flat(9), flat(10)).tolist() == [1.0]
    assert pixel.mse(flat(10), flat(9)).tolist() == [1.0]
    assert pixel.absdiff(
        flat(0, np.uint16), flat(1, np.uint16), test_depth=16, ref_depth=16
    ).item() == pytest.approx(1 / 65535, rel=1e-6)


@pytest.mark.parametrize(("channel", "weight"), [(0, 0.299), (1, 0.587), (2, 0.114)])
def test_luma_weighs_the_channels_in_rgb_order(channel: int, weight: float) -> None:
    test = np.zeros((1, 4, 6, 3), np.uint8)
    test[..., channel] = 100
    expected = 10 * math.log10(255**2 / (100 * weight) ** 2)
    assert pixel.psnr_y(planar(test), planar(np.zeros_like(test))).item() == pytest.approx(
        expected, abs=1e-4
    )


@pytest.mark.parametrize("shape", [(2, 1, 1, 3), (3, 37, 53, 3), (1, 16, 300, 3)])
def test_noise_against_float64(shape: tuple[int, ...]) -> None:
    test, ref = noise(1, shape), noise(2, shape)
    expected = exact(test, ref)
    for score in SCORES:
        np.testing.assert_allclose(
            score(planar(test), planar(ref)), expected[score.__name__], rtol=2e-6
        )


@pytest.mark.parametrize("depth", [9, 10, 12, 16])
def test_deep_frames_against_float64(depth: int) -> None:
    peak = 2**depth - 1
    test, ref = noise(3, peak=peak), noise(4, peak=peak)
    expected = exact(test, ref, 255 / peak)
    for score in SCORES:
        got = score(planar(test), planar(ref), test_depth=depth, ref_depth=depth)
        np.testing.assert_allclose(got, expected[score.__name__], rtol=2e-6)


def test_the_last_bit_of_16_counts() -> None:
    ref = noise(5, peak=65535)
    test = np.where(ref < 65535, ref + 1, ref).astype(np.uint16)
    got = pixel.psnr_y(planar(test), planar(ref), test_depth=16, ref_depth=16)
    np.testing.assert_allclose(got, exact(test, ref, 255 / 65535)["psnr_y"], atol=1e-4)


def test_16_bit_copies_of_8_bit_frames_score_the_same() -> None:
    test, ref = noise(6), noise(7)
    deep = [planar(array.astype(np.uint16) * 257) for array in (test, ref)]
    for score in SCORES:
        shallow = score(planar(test), planar(ref))
        np.testing.assert_allclose(score(*deep, test_depth=16, ref_depth=16), shallow, rtol=1e-6)
        np.testing.assert_allclose(score(planar(test), deep[1], ref_depth=16), shallow, rtol=1e-6)


@pytest.mark.parametrize(("depth", "step"), [(10, 1023 / 255), (12, 4095 / 255), (16, 257)])
def test_the_same_frame_in_two_bit_depths_is_identical(depth: int, step: float) -> None:
    grey = np.random.default_rng(8).choice([0, 85, 170, 255], (2, 13, 17, 3))
    test, ref = planar(grey.astype(np.uint8)), planar(np.rint(grey * step).astype(np.uint16))
    assert pixel.psnr(test, ref, ref_depth=depth).tolist() == [math.inf] * 2
    assert pixel.psnr(ref, test, test_depth=depth).tolist() == [math.inf] * 2
    assert pixel.absdiff(test, ref, ref_depth=depth).tolist() == [0.0] * 2


@pytest.mark.parametrize(
    "frame",
    [flat(0), flat(255), flat(77), planar(noise(9))],
    ids=["black", "white", "grey", "noise"],
)
def test_identical_frames_score_their_identity_exactly(frame: Array) -> None:
    n = len(frame)
    assert pixel.mse(frame, frame.copy()).tolist() == [0.0] * n
    assert pixel.psnr(frame, frame.copy()).tolist() == [math.inf] * n
    assert pixel.psnr_y(frame, frame.copy()).tolist() == [math.inf] * n
    assert pixel.absdiff(frame, frame.copy()).tolist() == [0.0] * n
    assert np.count_nonzero(pixel.absdiff_map(frame, frame.copy())) == 0


@pytest.mark.parametrize("depths", [(8, 8), (10, 10), (16, 16), (8, 12)])
def test_torch_computes_the_same(depths: tuple[int, int]) -> None:
    test, ref = (planar(noise(seed, peak=2**depth - 1)) for seed, depth in enumerate(depths))
    a = pixel_pairs.same_scale(test, ref, *depths)
    b = pixel_pairs.same_scale(to_tensor(test, "cpu"), to_tensor(ref, "cpu"), *depths)
    for sums in (pixel._absolute_sums, pixel._squared_sums):
        np.testing.assert_allclose(sums(b), sums(a), rtol=1e-12)
    np.testing.assert_allclose(pixel._luma_sums(b), pixel._luma_sums(a), rtol=1e-6)
    edges = pixel_pairs.cell_edges(37), pixel_pairs.cell_edges(53)
    np.testing.assert_allclose(pixel._cell_sums(b, *edges), pixel._cell_sums(a, *edges), rtol=1e-12)


def test_scores_depend_on_neither_batch_nor_threads(threads: Callable[[int], None]) -> None:
    test, ref = planar(noise(10, (5, 67, 45, 3))), planar(noise(11, (5, 67, 45, 3)))
    for score in (*SCORES, pixel.absdiff_map):
        threads(2)
        whole = score(test, ref)
        threads(1)
        alone = np.concatenate([score(test[i : i + 1], ref[i : i + 1]) for i in (0, 1, 2, 3, 4)])
        backwards = score(test[::-1], ref[::-1])[::-1]
        assert np.array_equal(whole, alone)
        assert np.array_equal(whole, backwards)


def test_memory_layout_does_not_matter() -> None:
    test, ref = planar(noise(12)), planar(noise(13))
    assert np.array_equal(pixel.mse(np.ascontiguousarray(test), ref), pixel.mse(test, ref))
    assert np.array_equal(pixel.mse(test[::2], ref[::2]), pixel.mse(test, ref)[::2])


def test_an_empty_batch_has_no_scores() -> None:
    none = planar(np.zeros((0, 20, 20, 3), np.uint8))
    for score in SCORES:
        assert score(none, none).shape == (0,)
    assert pixel.absdiff_map(none, none).shape == (0, 1, 1)


@pytest.mark.parametrize(
    ("height", "width", "grid"), [(1, 15, (1, 1)), (33, 50, (2, 3)), (48, 160, (3, 10))]
)
def test_map_cells_share_out_every_pixel_once(
    height: int, width: int, grid: tuple[int, int]
) -> None:
    test, ref = noise(14, (2, height, width, 3)), noise(15, (2, height, width, 3))
    got = pixel.absdiff_map(planar(test), planar(ref))
    assert got.shape == (2, *grid)
    apart = np.abs(test.astype(float) - ref.astype(float)).mean(axis=-1) / 255
    for j in range(grid[0]):
        for k in range(grid[1]):
            rows = slice(j * height // grid[0], (j + 1) * height // grid[0])
            columns = slice(k * width // grid[1], (k + 1) * width // grid[1])
            np.testing.assert_allclose(
                got[:, j, k], apart[:, rows, columns].mean(axis=(1, 2)), rtol=1e-6
            )


def test_a_changed_pixel_shows_in_its_cell_alone() -> None:
    ref = noise(16, (1, 48, 64, 3), 255) // 2
    test = ref.copy()
    test[0, 20, 50] += 100
    changed = pixel.absdiff_map(planar(test), planar(ref))
    assert np.argwhere(changed).tolist() == [[0, 1, 3]]
    assert changed[0, 1, 3].item() == pytest.approx(100 / 255 / 256, rel=1e-6)


images = hnp.arrays(
    np.uint8, st.tuples(st.just(1), st.integers(1, 9), st.integers(1, 9), st.just(3))
)


@settings(max_examples=30, deadline=None)
@given(images)
def test_scores_are_symmetric_and_in_bounds(image: NDArray[np.uint8]) -> None:
    test = planar(image)
    ref = planar(np.roll(image, 1, axis=2)[..., ::-1])
    bounds = {"mse": (0, 65025), "psnr": (0, math.inf), "psnr_y": (0, math.inf), "absdiff": (0, 1)}
    for score in SCORES:
        value = score(test, ref).item()
        assert value == score(ref, test).item()
        assert bounds[score.__name__][0] <= value <= bounds[score.__name__][1]
        assert value == pytest.approx(
            exact(image, np.roll(image, 1, axis=2)[..., ::-1])[score.__name__][0], rel=2e-6
        )


def test_shapes_must_agree() -> None:
    with pytest.raises(UsageError, match=r"test is \(1, 3, 5, 7\).*ref is \(1, 3, 5, 8\)"):
        pixel.mse(flat(0), flat(0, shape=(1, 5, 8, 3)))


def test_channels_must_be_second() -> None:
    with pytest.raises(UsageError, match=r"one shape \(N, 3, H, W\)"):
        pixel.mse(np.zeros((1, 4, 6, 3), np.uint8), np.zeros((1, 4, 6, 3), np.uint8))


def test_an_array_and_a_tensor_are_not_compared() -> None:
    with pytest.raises(UsageError, match="pass two arrays, or two tensors on one device"):
        pixel.mse(flat(0), to_tensor(flat(0), "cpu"))


@pytest.mark.parametrize(
    ("dtype", "depth"),
    [("uint8", 10), ("uint16", 8), ("float32", 8), ("uint16", 17)],
)
def test_dtype_must_fit_the_bit_depth(dtype: str, depth: int) -> None:
    frame = np.zeros((1, 3, 4, 4), dtype)
    with pytest.raises(UsageError, match=f"ref is {dtype} with bit depth {depth}"):
        pixel.mse(flat(0, shape=(1, 4, 4, 3)), frame, ref_depth=depth)

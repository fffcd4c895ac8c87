"""ssim, ssim_rgb, ms_ssim and the ssim map against scikit-image, kornia and a float64 transcription
of the papers."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import kornia
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image
from skimage.metrics import structural_similarity

from vfiscope.metrics import pixel_pairs, ssim
from vfiscope.types.batch import to_tensor

Float64 = NDArray[np.float64]
Frame = NDArray[np.integer]

Array = NDArray[np.generic]
LUMA = np.array([0.299, 0.587, 0.114])
SCALES = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)


def planar(array: Frame) -> Array:
    """(N, H, W, 3) -> the (N, 3, H, W) view that sources yield."""
    return np.ascontiguousarray(array).transpose(0, 3, 1, 2)


def around(level: int, amplitude: int, seed: int, shape: tuple[int, ...] = (90, 130, 3)) -> Frame:
    """A flat frame with noise."""
    noise = np.random.default_rng(seed).integers(-amplitude, amplitude + 1, shape)
    return np.clip(level + noise, 0, 255).astype(np.uint8)


def scene(height: int, width: int, seed: int) -> Frame:
    """Waves, a disc and grain: structure at every scale."""
    y, x = np.mgrid[:height, :width]
    waves = 128 + 60 * np.sin(x / 7 + seed) * np.cos(y / 11) + 40 * np.sin(x / 40)
    disc = 50.0 * ((x - width / 2 - 3 * seed) ** 2 + (y - height / 2) ** 2 < (height / 4) ** 2)
    grain = np.random.default_rng(seed).normal(0, 4, (height, width, 3))
    return np.clip((waves + disc)[..., None] * [1.0, 0.9, 0.8] + grain, 0, 255).astype(np.uint8)


def filtered(plane: Float64) -> Float64:
    """The valid part of the Gaussian window's weighted mean, 11 taps, sigma 1.5."""
    taps = np.exp(-(np.arange(-5, 6) ** 2) / (2 * 1.5**2))
    taps /= taps.sum()
    down = sum(w * plane[k : plane.shape[0] - 10 + k] for k, w in enumerate(taps))
    return sum(w * down[:, k : plane.shape[1] - 10 + k] for k, w in enumerate(taps))


def transcribed(x: Float64, y: Float64) -> tuple[Float64, Float64]:
    """SSIM (equation 13 of Wang 2004) and its contrast-structure part for every window, in
    float64."""
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    mu_x, mu_y = filtered(x), filtered(y)
    var_x, var_y = filtered(x * x) - mu_x**2, filtered(y * y) - mu_y**2
    cov = filtered(x * y) - mu_x * mu_y
    structure = (2 * cov + c2) / (var_x + var_y + c2)
    return (2 * mu_x * mu_y + c1) / (mu_x**2 + mu_y**2 + c1) * structure, structure


def multiscale(x: Float64, y: Float64) -> float:
    """Equation 7 of Wang 2003 with the usual clamping of negative means."""
    product = 1.0
    for scale, weight in enumerate(SCALES):
        full, structure = transcribed(x, y)
        mean = (full if scale == 4 else structure).mean()
        product *= max(mean, 0.0) ** weight
        x, y = (p[: p.shape[0] // 2 * 2, : p.shape[1] // 2 * 2] for p in (x, y))
        x, y = ((p[::2, ::2] + p[1::2, ::2] + p[::2, 1::2] + p[1::2, 1::2]) / 4 for p in (x, y))
    return product


def by_skimage(x: Float64, y: Float64) -> float:
    _, full = structural_similarity(
        x,
        y,
        gaussian_weights=True,
        sigma=1.5,
        use_sample_covariance=False,
        data_range=255,
        full=True,
    )
    return float(full[5:-5, 5:-5].mean())


PAIRS = {
    "scene": (scene(90, 301, 1), scene(90, 301, 2)),
    "tiles": (scene(150, 530, 3), scene(150, 530, 4)),
    "smallest": (around(90, 60, 1, (11, 11, 3)), around(90, 60, 2, (11, 11, 3))),
    "narrow": (around(90, 60, 1, (200, 11, 3)), around(90, 60, 2, (200, 11, 3))),
    "noise": (around(128, 127, 3), around(128, 127, 4)),
    "dark": (around(2, 2, 5), around(2, 2, 6)),
    "bright": (around(252, 3, 7), around(252, 3, 8)),
    "grey": (around(128, 20, 9), around(128, 20, 10)),
    "colours": tuple(
        np.concatenate(
            [around(level, 2, 20 * part + level, (90, 300, 1)) for level in (3, 128, 250)], -1
        )
        for part in range(2)
    ),
    "exposure": (around(60, 2, 11), around(200, 2, 12)),
}


@pytest.mark.parametrize("name", PAIRS)
def test_ssim_against_scikit_image_and_the_formula(name: str) -> None:
    test, ref = PAIRS[name]
    got = ssim.ssim(planar(test[None]), planar(ref[None])).item()
    assert got == pytest.approx(by_skimage(test @ LUMA, ref @ LUMA), abs=1e-6)
    assert got == pytest.approx(transcribed(test @ LUMA, ref @ LUMA)[0].mean(), abs=2e-7)


@pytest.mark.parametrize("name", PAIRS)
def test_ssim_rgb_against_the_formula(name: str) -> None:
    test, ref = PAIRS[name]
    each = [
        transcribed(test[..., c].astype(float), ref[..., c].astype(float))[0].mean()
        for c in range(3)
    ]
    assert ssim.ssim_rgb(planar(test[None]), planar(ref[None])).item() == pytest.approx(
        np.mean(each), abs=2e-7
    )


def test_ssim_against_kornia() -> None:
    test, ref = PAIRS["scene"]
    planes = [torch.from_numpy(frame @ LUMA)[None, None] for frame in (test, ref)]
    full = kornia.metrics.ssim(*planes, window_size=11, max_val=255.0, eps=0.0, padding="valid")
    assert ssim.ssim(planar(test[None]), planar(ref[None])).item() == pytest.approx(
        full.mean().item(), abs=1e-6
    )


def test_flat_frames_by_hand() -> None:
    c1 = (0.01 * 255) ** 2
    test, ref = np.full((1, 20, 30, 3), 100, np.uint8), np.full((1, 20, 30, 3), 140, np.uint8)
    expected = (2 * 100 * 140 + c1) / (100**2 + 140**2 + c1)
    assert ssim.ssim(planar(test), planar(ref)).item() == pytest.approx(expected, abs=1e-6)
    assert ssim.ssim_rgb(planar(test), planar(ref)).item() == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize(("height", "width"), [(176, 176), (177, 211), (260, 352)])
def test_ms_ssim_against_the_formula(height: int, width: int) -> None:
    test, ref = scene(height, width, 1), scene(height, width, 2)
    expected = multiscale(test @ LUMA, ref @ LUMA)
    assert ssim.ms_ssim(planar(test[None]), planar(ref[None])).item() == pytest.approx(
        expected, abs=1e-6
    )


def test_ms_ssim_of_a_negative_frame_is_0() -> None:
    test = scene(180, 180, 1)
    assert ssim.ms_ssim(planar(test[None]), planar(255 - test[None])).tolist() == [0.0]
    assert ssim.ssim(planar(test[None]), planar(255 - test[None])).item() < 0


IDENTICAL = {
    "black": np.zeros((2, 180, 190, 3), np.uint8),
    "white": np.full((2, 180, 190, 3), 255, np.uint8),
    "grey": np.full((2, 180, 190, 3), 77, np.uint8),
    "noise": np.stack([around(128, 127, seed, (180, 190, 3)) for seed in (1, 2)]),
    "scene": np.stack([scene(180, 190, seed) for seed in (1, 2)]),
}


@pytest.mark.parametrize("name", IDENTICAL)
@pytest.mark.parametrize("score", [ssim.ssim, ssim.ssim_rgb, ssim.ms_ssim])
def test_identical_frames_score_exactly_1(
    name: str, score: Callable[[Array, Array], Array]
) -> None:
    frame = planar(IDENTICAL[name])
    assert score(frame, frame.copy()).tolist() == [1.0, 1.0]


@pytest.mark.parametrize("name", IDENTICAL)
def test_identical_frames_draw_a_blank_map(name: str) -> None:
    frame = planar(IDENTICAL[name])
    got = ssim.ssim_map(frame, frame.copy())
    assert got.shape == (2, 11, 11)
    assert np.all(got == 1.0)


def moved(*frames: Array) -> pixel_pairs.PixelPairs:
    """Test and reference as they are on a device, on the CPU."""
    return pixel_pairs.same_scale(*(to_tensor(each, "cpu") for each in frames), 8, 8)


def test_identical_frames_score_exactly_1_by_torch() -> None:
    frame = planar(IDENTICAL["noise"])
    a = moved(frame, frame.copy())
    assert torch.all(ssim._means(a, pixel_pairs.LUMA, both=True) == 1.0)
    assert all(torch.all(level == 1.0) for level in ssim._coarser(a))


@pytest.mark.parametrize("name", PAIRS)
def test_torch_computes_the_same(name: str) -> None:
    frames = [planar(each[None]) for each in PAIRS[name]]
    a, b = pixel_pairs.same_scale(*frames, 8, 8), moved(*frames)
    for channels in (pixel_pairs.LUMA, *ssim.CHANNELS):
        np.testing.assert_allclose(
            ssim._means(b, channels), ssim._means(a, channels, both=True), rtol=0, atol=5e-7
        )


def test_torch_computes_the_same_coarser_scales_and_cells() -> None:
    frames = [
        planar(np.stack([scene(180, 211, seed), scene(180, 211, seed + 5)])) for seed in (1, 2)
    ]
    a, b = pixel_pairs.same_scale(*frames, 8, 8), moved(*frames)
    for fast, slow in zip(ssim._coarser(a), ssim._coarser(b), strict=True):
        np.testing.assert_allclose(slow, fast, rtol=0, atol=5e-7)
    # A cell is the mean of a few hundred windows of float32, and averages their rounding little.
    np.testing.assert_allclose(ssim._ssim_map(b), ssim._ssim_map(a), rtol=0, atol=2e-6)


@pytest.mark.parametrize(("depth", "step"), [(10, 1023 / 255), (12, 4095 / 255), (16, 257)])
def test_deep_copies_of_8_bit_frames_score_the_same(depth: int, step: float) -> None:
    levels = np.array([0, 85, 170, 255])
    test, ref = (
        levels[np.random.default_rng(seed).integers(0, 4, (1, 176, 180, 3))] for seed in (1, 2)
    )
    shallow = [planar(frame.astype(np.uint8)) for frame in (test, ref)]
    deep = [planar(np.rint(frame * step).astype(np.uint16)) for frame in (test, ref)]
    for score in (ssim.ssim, ssim.ssim_rgb, ssim.ms_ssim):
        expected = score(*shallow).item()
        assert score(*deep, test_depth=depth, ref_depth=depth).item() == pytest.approx(
            expected, abs=5e-7
        )
        assert score(shallow[0], deep[1], ref_depth=depth).item() == pytest.approx(
            expected, abs=5e-7
        )
        assert score(shallow[0], deep[0], ref_depth=depth).item() == 1.0


def test_16_bit_frames_keep_their_depth() -> None:
    rng = np.random.default_rng(1)
    test, ref = (rng.integers(30000, 30200, (60, 70, 3)).astype(np.uint16) for _ in range(2))
    got = ssim.ssim(planar(test[None]), planar(ref[None]), test_depth=16, ref_depth=16).item()
    planes = [frame @ LUMA * (255 / 65535) for frame in (test, ref)]
    assert got == pytest.approx(transcribed(planes[0], planes[1])[0].mean(), abs=1e-7)
    assert 0.99 < got < 1.0


def test_scores_depend_on_neither_batch_nor_threads(threads: Callable[[int], None]) -> None:
    test = planar(np.stack([scene(190, 300, seed) for seed in range(4)]))
    ref = planar(np.stack([scene(190, 300, seed) for seed in range(4, 8)]))
    for score in (ssim.ssim, ssim.ssim_rgb, ssim.ms_ssim, ssim.ssim_map):
        threads(2)
        whole = score(test, ref)
        threads(1)
        assert np.array_equal(
            whole, np.concatenate([score(test[i : i + 1], ref[i : i + 1]) for i in range(4)])
        )
        assert np.array_equal(whole, score(test[::-1], ref[::-1])[::-1])


@pytest.mark.parametrize("size", [(181, 203), (139, 40)])
def test_halves_are_the_same_in_one_pass_with_ssim(size: tuple[int, int]) -> None:
    test, ref = (planar(np.stack([scene(*size, n + seed) for n in (0, 5)])) for seed in (1, 2))
    alone, together = (pixel_pairs.same_scale(test, ref, 8, 8) for _ in range(2))
    means = ssim._means_and_halves(together)
    assert np.array_equal(means, ssim._means(alone, pixel_pairs.LUMA, both=True))
    for one, other in zip(together.shared["halved"], alone.halved(), strict=True):
        assert np.array_equal(one, other)


def test_ssim_is_the_same_alone_and_from_the_pass_of_ms_ssim() -> None:
    test, ref = (planar(np.stack([scene(200, 181, n) for n in (0, 5)])) for _ in range(2))
    alone, both = (pixel_pairs.same_scale(test, ref[::-1], 8, 8) for _ in range(2))
    ssim._ms_ssim(both)
    assert np.array_equal(ssim._ssim(alone), ssim._ssim(both))
    assert list(alone.shared) == ["ssim"]
    assert "ssim" not in both.shared
    assert not ssim._means(alone, pixel_pairs.LUMA)[:, 1].any()


@pytest.mark.parametrize("size", [(10, 50), (50, 10), (1, 1)])
def test_frames_smaller_than_the_window_have_no_ssim(size: tuple[int, int]) -> None:
    frame = planar(np.zeros((2, *size, 3), np.uint8))
    for score in (ssim.ssim, ssim.ssim_rgb, ssim.ms_ssim):
        assert [math.isnan(value) for value in score(frame, frame).tolist()] == [True, True]
    assert np.isnan(ssim.ssim_map(frame, frame)).all()


def test_frames_smaller_than_176_have_no_ms_ssim() -> None:
    frame = planar(np.zeros((1, 175, 300, 3), np.uint8))
    assert math.isnan(ssim.ms_ssim(frame, frame).item())
    assert ssim.ssim(frame, frame).item() == 1.0


def test_an_empty_batch_has_no_scores() -> None:
    none = planar(np.zeros((0, 180, 180, 3), np.uint8))
    for score in (ssim.ssim, ssim.ssim_rgb, ssim.ms_ssim):
        assert score(none, none).shape == (0,)
    assert ssim.ssim_map(none, none).shape == (0, 11, 11)


@pytest.mark.parametrize(("height", "width"), [(11, 11), (40, 75), (90, 301)])
def test_map_cells_hold_the_windows_centred_in_them(height: int, width: int) -> None:
    test, ref = scene(height, width, 1), scene(height, width, 2)
    windows = np.full((height, width), np.nan)
    windows[5:-5, 5:-5] = transcribed(test @ LUMA, ref @ LUMA)[0]
    got = ssim.ssim_map(planar(test[None]), planar(ref[None]))[0]
    h, w = max(1, height // 16), max(1, width // 16)
    assert got.shape == (h, w)
    for j in range(h):
        for k in range(w):
            cell = windows[
                j * height // h : (j + 1) * height // h, k * width // w : (k + 1) * width // w
            ]
            assert got[j, k] == pytest.approx(np.nanmean(cell), abs=1e-6)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(11, 40), st.integers(11, 40), st.integers(1, 255))
def test_ssim_is_symmetric_in_bounds_and_right(
    seed: int, height: int, width: int, spread: int
) -> None:
    rng = np.random.default_rng(seed)
    level = rng.integers(0, 256 - spread, 2)
    test, ref = (
        rng.integers(low, low + spread + 1, (height, width, 3)).astype(np.uint8) for low in level
    )
    got = ssim.ssim(planar(test[None]), planar(ref[None])).item()
    assert got == ssim.ssim(planar(ref[None]), planar(test[None])).item()
    assert -1 <= got <= 1
    assert got == pytest.approx(transcribed(test @ LUMA, ref @ LUMA)[0].mean(), abs=1e-6)


def image(path: Path) -> Frame:
    return np.array(Image.open(path).convert("RGB"))


def test_interpolated_frames_of_a_network_against_scikit_image(shared_data: Path) -> None:
    folders = sorted((shared_data / "vfi/ucf101_cdfi").iterdir())[:8]
    test, ref = (
        np.stack([image(f / f"frame_01_{name}.png") for f in folders]) for name in ("ours", "gt")
    )
    got = ssim.ssim(planar(test), planar(ref))
    expected = [by_skimage(t @ LUMA, r @ LUMA) for t, r in zip(test, ref, strict=True)]
    np.testing.assert_allclose(got, expected, atol=1e-6, rtol=0)
    assert len(set(got.tolist())) == 8


def test_real_motion_against_scikit_image(shared_data: Path) -> None:
    for folder in sorted((shared_data / "vfi/middlebury").iterdir())[:3]:
        test, ref = (image(folder / name) for name in ("frame10.png", "frame11.png"))
        got = ssim.ssim(planar(test[None]), planar(ref[None])).item()
        assert got == pytest.approx(by_skimage(test @ LUMA, ref @ LUMA), abs=1e-6)
        assert ssim.ms_ssim(planar(test[None]), planar(ref[None])).item() == pytest.approx(
            multiscale(test @ LUMA, ref @ LUMA), abs=1e-6
        )

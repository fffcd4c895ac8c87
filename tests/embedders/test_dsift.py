"""Dense SIFT: where it looks, what it answers, and that it answers the same bits always."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from itertools import pairwise

import cv2
import numpy as np
import pytest
import torch
from helpers.media import frames_of
from hypothesis import given, settings
from hypothesis import strategies as st
from kornia.feature import DenseSIFTDescriptor

from vfiscope import synth
from vfiscope.embedders import open_embedder
from vfiscope.embedders.dsift import Dsift
from vfiscope.embedders.dsift_loops import describe_cells as describe_by_loops
from vfiscope.embedders.dsift_tensors import (
    _pool,
    _votes,
    describe_cells,
    describe_frames,
)
from vfiscope.embedders.embedder import MAX_PATCHES, check_size, grid_for, resize_for
from vfiscope.errors import EmbedderError
from vfiscope.metrics.patch_matching import cosine_distance, match
from vfiscope.pixels import LUMA_WEIGHTS, weighted
from vfiscope.types.batch import to_tensor

P = 14


def texture(height: int, width: int, seed: int = 0, sigma: float = 3.0) -> np.ndarray:
    """A smooth random RGB image, uint8."""
    noise = np.random.default_rng(seed).normal(size=(height, width, 3))
    smooth = cv2.GaussianBlur(noise, (0, 0), sigma)
    return np.clip(128 + 50 * smooth / smooth.std(), 0, 255).astype(np.uint8)


def image_of(array: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(array.copy()).permute(2, 0, 1).float() / 255


def cells_of(image: torch.Tensor) -> torch.Tensor:
    """Vectors (h, w, 135) of an image (3, h * 14, w * 14) in 0..1, by the loops."""
    planes = image.numpy()
    h, w = (side // P for side in planes.shape[1:])
    made = np.empty((h, w, 135), np.float32)
    luma = np.ascontiguousarray(weighted(planes, LUMA_WEIGHTS))
    describe_by_loops(luma, planes.reshape(3, h, P, w, P).mean(axis=(2, 4)), made)
    return torch.from_numpy(made)


def test_grid_keeps_the_aspect_and_rounds_to_whole_patches() -> None:
    assert grid_for(720, 1280, 392, P) == (28, 50)
    assert grid_for(1080, 1920, 392, P) == (28, 50)
    assert grid_for(480, 640, 392, P) == (28, 37)
    assert grid_for(640, 480, 224, P) == (21, 16)
    assert grid_for(8, 8, 28, P) == (2, 2)


@given(st.integers(1, 5000), st.integers(1, 5000), st.integers(1, 20))
def test_no_side_of_the_grid_is_off_by_more_than_half_a_patch(
    height: int, width: int, cells: int
) -> None:
    size, short = cells * P, min(height, width)
    if height * width * cells**2 > MAX_PATCHES * short**2:
        return
    try:
        grid = grid_for(height, width, size, P)
    except EmbedderError:
        return
    for side, count in zip((height, width), grid, strict=True):
        assert count >= 1
        assert abs(count - Fraction(side * cells, short)) <= Fraction(1, 2)
    assert min(grid) == cells


def test_a_size_between_patches_is_refused_with_the_nearest() -> None:
    with pytest.raises(EmbedderError, match="such as 392 or 406"):
        check_size(400, P)
    with pytest.raises(EmbedderError, match=r"such as 14$"):
        check_size(5, P)
    with pytest.raises(EmbedderError, match="such as 224 or 238"):
        open_embedder("dsift", size=225)


def test_a_frame_too_long_for_its_matches_is_refused() -> None:
    refused = "784000 patches, over the limit of 16384: pass a size of {} or less"
    with pytest.raises(EmbedderError, match=refused.format(56)):
        Dsift().grid(10, 10000)
    assert Dsift(size=56).grid(10, 10000) == (4, 4000)
    with pytest.raises(EmbedderError, match=r"16416 patches, .*: pass a size of 1330 or less"):
        Dsift(size=1344).grid(1080, 1920)
    Dsift(size=1330).grid(1080, 1920)
    with pytest.raises(EmbedderError, match="20000 patches, over the limit of 16384: crop them"):
        Dsift(size=14).grid(1, 20000)


def test_cls_is_refused() -> None:
    with pytest.raises(EmbedderError, match="dsift has no such token"):
        Dsift(pool="cls")


def test_resize_agrees_with_an_area_mean_and_keeps_bit_depth() -> None:
    deep = np.full((1, 280, 280, 3), 515, np.uint16)
    out = resize_for(to_tensor(frames_of(deep, 10).data, "cpu"), 10, (10, 10), P)
    assert out.shape == (1, 3, 140, 140)
    assert torch.allclose(out, torch.tensor(515 / 1023), atol=1e-6)
    same = texture(28, 42)[None]
    exact = resize_for(to_tensor(frames_of(same).data, "cpu"), 8, (2, 3), P)
    assert np.array_equal(exact.permute(0, 2, 3, 1).numpy(), (same / 255).astype(np.float32))


def test_features_have_the_shape_of_the_grid_and_unit_length() -> None:
    made = Dsift().embed(frames_of(np.stack([texture(360, 640, s) for s in range(2)])))
    assert made.patches.shape == (2, 28, 50, 135)
    assert made.pooled.shape == (2, 28 * 50 * 135)
    assert made.patches.dtype == made.pooled.dtype == np.float32
    assert np.allclose(np.linalg.norm(made.patches, axis=-1), 1, atol=1e-5)
    assert np.array_equal(made.pooled, made.patches.reshape(2, -1))


def test_the_pooled_vector_takes_no_memory_of_its_own() -> None:
    embedder = Dsift(size=70)
    made = embedder.embed(frames_of(texture(100, 200)[None]))
    assert np.shares_memory(made.pooled, made.patches)
    assert made.patches.size == 5 * 10 * 135
    assert embedder.floats(100, 200) == made.patches.size + made.luma.size


def test_two_cells_that_change_places_are_told_apart() -> None:
    """Red against blue of equal luma: no gradient, so each cell is flat and differs by its colour
    alone."""
    left, right = (300, 500, 800), (528, 500, 202)  # 0.299 * 228 = 0.114 * 598
    frames = np.zeros((2, P, 2 * P, 3), np.uint16)
    frames[0, :, :P], frames[0, :, P:], frames[1, :, :P], frames[1, :, P:] = (
        left,
        right,
        right,
        left,
    )
    made = Dsift(size=P).embed(frames_of(frames, 10))
    alike = (np.cos(np.pi / 2 * 228 / 1023) + 1 + np.cos(np.pi / 2 * 598 / 1023)) / 3
    distance = float(cosine_distance(made.pooled[0], made.pooled[1]))
    assert distance == pytest.approx((1 - alike) / 3, abs=1e-4)
    means = made.patches.mean(axis=(1, 2))
    assert float(cosine_distance(means[0], means[1])) < 1e-7


def test_cosine_is_the_mean_over_places_and_never_below_mismatch() -> None:
    frames = np.stack([texture(140, 200, seed) for seed in range(2)])
    frames[1, :, :100] = frames[0, :, :100]
    made = Dsift(size=140).embed(frames_of(frames))
    test, ref = made[:1], made[1:]
    distance = cosine_distance(test.pooled, ref.pooled).item()
    places = 1 - (test.patches[0].astype(np.float64) * ref.patches[0]).sum(axis=-1)
    assert distance == pytest.approx(float(places.mean()), abs=1e-6)
    assert float(match(test, ref).forward_distance.mean()) < distance


def distances(*tests: np.ndarray, ref: np.ndarray) -> list[float]:
    made = Dsift(size=112).embed(frames_of(np.stack([*tests, ref])))
    return [float(cosine_distance(made.pooled[row], made.pooled[-1])) for row in range(len(tests))]


def test_worse_interpolation_is_further_from_the_truth() -> None:
    scene = synth.Scene(112, 224, seed=1, objects=3, velocity=(6.0, 1.0))
    before, truth, after, near = (scene.frame(t) for t in (0.0, 0.5, 1.0, 0.55))
    blend = ((before.astype(np.float32) + after) / 2).round().astype(np.uint8)
    same, moved, mixed, repeat = distances(truth, near, blend, before, ref=truth)
    assert same == 0
    assert 1e-5 < moved < mixed / 10
    assert moved < repeat / 10
    assert 5e-3 < mixed < 0.1
    assert 5e-3 < repeat < 0.1


def test_distance_grows_with_a_shift_and_is_far_from_that_of_unrelated_frames() -> None:
    scene = texture(112, 260, seed=3, sigma=5.0)
    shifted = distances(*(scene[:, d : d + 224] for d in (0, 1, 2, 4, 8, 16)), ref=scene[:, :224])
    assert shifted[0] == 0
    assert all(2 * near < far for near, far in pairwise(shifted))
    unrelated = distances(texture(112, 224, seed=4, sigma=5.0), ref=scene[:, :224])[0]
    assert shifted[3] < unrelated / 5
    assert shifted[-1] < unrelated


def test_a_thing_that_moved_is_noticed_wherever_it_went() -> None:
    """The mean of the cells sees next to nothing of it."""
    frames = np.full((2, 112, 224, 3), 90, np.uint8)
    disc = cv2.getGaussianKernel(29, 6)
    bump = (100 * disc @ disc.T / (disc.max() ** 2)).astype(np.uint8)[..., None]
    frames[0, 42:71, 42:71] += bump
    frames[1, 42:71, 154:183] += bump
    made = Dsift(size=112).embed(frames_of(frames))
    means = made.patches.mean(axis=(1, 2))
    assert float(cosine_distance(means[0], means[1])) < 1e-6
    assert float(cosine_distance(made.pooled[0], made.pooled[1])) > 0.01


def test_all_pools_the_same_as_patch() -> None:
    frames = frames_of(texture(200, 200)[None])
    both = [Dsift(size=140, pool=pool).embed(frames).pooled for pool in ("patch", "all")]
    assert np.array_equal(*both)


def test_no_frames_give_no_features() -> None:
    made = Dsift(size=140).embed(frames_of(np.zeros((0, 100, 120, 3), np.uint8)))
    assert made.patches.shape == (0, 10, 12, 135)
    assert made.pooled.shape == (0, 10 * 12 * 135)


def test_shifting_by_one_patch_shifts_the_cells_by_one() -> None:
    scene = texture(12 * P, 13 * P)
    whole = cells_of(image_of(scene))
    right = cells_of(image_of(scene[:, P:]))
    down = cells_of(image_of(scene[P:]))
    inner = slice(3, -3)
    assert torch.equal(whole[inner, 1:][:, inner], right[inner, inner])
    assert torch.equal(whole[1:][inner, inner], down[inner, inner])
    assert not torch.allclose(whole[inner, :-1][:, inner], right[inner, inner], atol=0.1)


def test_a_dot_at_the_centre_of_a_cell_is_seen_symmetrically() -> None:
    image = np.zeros((7 * P, 7 * P, 3), np.uint8)
    image[3 * P + 6 : 3 * P + 8, 3 * P + 6 : 3 * P + 8] = (
        255  # a cell's centre lies between pixels 6 and 7
    )
    cell = cells_of(image_of(image))[3, 3]
    sift = cell[:128].reshape(8, 4, 4)
    mirror = [
        4,
        3,
        2,
        1,
        0,
        7,
        6,
        5,
    ]  # direction k turns into this one when left and right are swapped
    assert sift.max() > 0.04
    assert torch.allclose(sift, sift[mirror].flip(2), atol=1e-6)
    transposed = [2, 1, 0, 7, 6, 5, 4, 3]
    assert torch.allclose(sift, sift[transposed].transpose(1, 2), atol=1e-6)
    assert sift[:, [0, 3]].sum() == 0  # the dot is further than a bin from the outer rows


def test_a_ramp_has_one_direction() -> None:
    ramp = np.repeat(np.tile(np.linspace(0, 1, 8 * P)[None, :, None], (8 * P, 1, 3)), 1, axis=0)
    for turns, direction in ((0, 0), (1, 6), (2, 4), (3, 2)):
        image = torch.from_numpy(np.rot90(ramp, turns).copy()).permute(2, 0, 1).float()
        sift = cells_of(image)[4, 4, :128].reshape(8, 16)
        assert int(sift.sum(dim=1).argmax()) == direction
        assert torch.allclose(
            sift[direction], torch.full((16,), float(sift[direction, 0])), atol=1e-3
        )


def naive_bins(luma: np.ndarray, cell: tuple[int, int]) -> np.ndarray:
    """(8, 4, 4) float64: the same bins by plain loops over pixels, with the arctangent."""
    gy, gx = np.gradient(np.pad(luma, 1, mode="edge"))
    gx, gy = gx[1:-1, 1:-1], gy[1:-1, 1:-1]
    angle, size = np.arctan2(gy, gx), np.hypot(gx, gy)
    out = np.zeros((8, 4, 4))
    for row in range(4):
        for column in range(4):
            y = P * cell[0] + 6.5 + (row - 1.5) * P
            x = P * cell[1] + 6.5 + (column - 1.5) * P
            wy = np.clip(1 - np.abs(np.arange(luma.shape[0]) - y) / P, 0, None)
            wx = np.clip(1 - np.abs(np.arange(luma.shape[1]) - x) / P, 0, None)
            for k in range(8):
                votes = size * np.maximum(np.cos(angle - k * np.pi / 4), 0) ** 9
                out[k, row, column] = wy @ votes @ wx
    return out


@pytest.mark.parametrize("cell", [(3, 4), (0, 0), (5, 1)])
def test_bins_and_contrast_agree_with_plain_loops(cell: tuple[int, int]) -> None:
    scene = texture(6 * P, 7 * P, seed=4)
    bins = naive_bins(scene.astype(float) @ [0.299, 0.587, 0.114] / 255, cell)
    unit = np.minimum(bins / np.linalg.norm(bins), 0.2)
    expected = unit / np.linalg.norm(unit)
    got = cells_of(image_of(scene))[cell].double().numpy()
    sift = got[:128].reshape(8, 4, 4)
    assert np.allclose(sift / np.linalg.norm(sift), expected, atol=2e-5)
    assert np.isclose(np.linalg.norm(got[:129]) ** 2, 2 / 3, atol=1e-6)


def test_descriptors_resemble_those_of_kornia() -> None:
    """Other windows and other direction weights, but every cell is most like the one at the same
    place."""
    scene = image_of(texture(10 * P, 10 * P, seed=2, sigma=5.0))
    luma = (scene * torch.tensor([0.299, 0.587, 0.114])[:, None, None]).sum(dim=0)
    kornia = DenseSIFTDescriptor(rootsift=False, spatial_bin_size=P, stride=P, padding=P)
    theirs = kornia(luma[None, None])[0].detach().permute(1, 2, 0)[2:-2, 2:-2].flatten(0, 1)
    ours = cells_of(scene)[2:-2, 2:-2, :128].flatten(0, 1)
    alike = (ours / ours.norm(dim=-1, keepdim=True)) @ theirs.T
    assert alike.argmax(dim=1).tolist() == list(range(36))
    assert float(alike.diagonal().min()) > 0.85


def test_windows_share_out_every_gradient() -> None:
    """The triangles add up to one everywhere but in the outer half cells."""
    votes = _votes(image_of(texture(5 * P, 6 * P))[0])
    total = _pool(votes, P).sum(dim=(1, 2))
    assert torch.allclose(total, votes.sum(dim=(1, 2)), rtol=1e-5)


def test_a_flat_cell_is_flat_and_contrast_grows_without_a_jump() -> None:
    wave = np.sin(np.arange(7 * P) / 4)[None, :, None] * np.ones((7 * P, 1, 3))
    cells = []
    for strength in (0.0, 1e-9, 1e-6, 1e-4, 1e-3, 1e-2, 1e-1):
        image = torch.from_numpy(0.5 + strength * wave).permute(2, 0, 1).float()
        cells.append(cells_of(image)[3, 3])
    assert float(cells[0][128]) == pytest.approx((2 / 3) ** 0.5, abs=1e-7)
    assert cells[0][:128].abs().max() == 0
    flat = [float(cell[128]) for cell in cells]
    assert flat == sorted(flat, reverse=True)
    steps = [float((b - a).norm()) for a, b in pairwise(cells)]
    assert steps[0] < 1e-6
    assert steps[1] < 0.01
    assert float(cells[-1][:128].norm()) > 0.5


@pytest.mark.parametrize("size", [(480, 854), (97, 131), (1080, 1920)])
def test_a_plain_frame_is_flat_whatever_resizing_rounds(size: tuple[int, int]) -> None:
    patches = Dsift().embed(frames_of(np.full((1, *size, 3), 178, np.uint8))).patches
    assert (np.asarray(patches)[..., :128] == 0).all()


def test_colour_is_a_point_on_the_circle_for_each_channel() -> None:
    image = torch.tensor([0.0, 0.5, 1.0])[:, None, None].expand(3, 3 * P, 3 * P)
    colour = cells_of(image)[1, 1, 129:] * 3
    half = 0.5**0.5
    assert torch.allclose(colour, torch.tensor([1, half, 0, 0, half, 1.0]), atol=2e-4)


def test_a_change_of_hue_alone_is_noticed() -> None:
    red, green = (cells_of(torch.tensor(c)[:, None, None].expand(3, 42, 42))[1, 1]
                  for c in ([0.8, 0.2, 0.3], [0.2, 0.6, 0.3]))  # fmt: skip
    assert float(1 - red @ green) > 0.05


def test_the_loops_agree_with_the_tensor_functions() -> None:
    made = texture(5 * P, 23 * P, 4)
    made[:P] = 90  # flat: no direction
    image = image_of(made)
    assert torch.allclose(cells_of(image), describe_cells(image, P), rtol=0, atol=1e-6)


@pytest.mark.parametrize(("depth", "height", "width"), [(8, 300, 211), (10, 37, 91), (16, 28, 42)])
def test_features_agree_with_those_of_the_tensor_functions(
    depth: int, height: int, width: int
) -> None:
    pixels = texture(height, width, depth).astype(np.uint16 if depth > 8 else np.uint8)
    frames, embedder = frames_of(pixels[None] << (depth - 8), depth), Dsift(size=28)
    made = embedder.embed(frames)
    patches, luma = describe_frames(frames, embedder.grid(height, width), P, "cpu")
    assert np.allclose(made.luma, luma, rtol=0, atol=1e-5)
    assert np.allclose(made.patches, patches, rtol=0, atol=1e-5)


@pytest.mark.parametrize("shape", [(197, 311), (392, 714), (1100, 1500)])
def test_bits_do_not_depend_on_threads(
    threads: Callable[[int], None], shape: tuple[int, int]
) -> None:
    frames = frames_of(texture(*shape, sigma=2.0)[None])
    embedder = Dsift(size=392 if shape[0] < 1000 else 1092)
    made = []
    for count in (1, 2, 3, 5) if shape[0] < 1000 else (1, 3):
        threads(count)
        made.append(embedder.embed(frames))
    for other in made[1:]:
        assert np.array_equal(made[0].patches, other.patches)
        assert np.array_equal(made[0].pooled, other.pooled)


@pytest.mark.slow
@settings(max_examples=4, deadline=None)
@given(st.integers(1, 4), st.integers(30, 90), st.integers(30, 90))
def test_bits_do_not_depend_on_the_batch(batch: int, height: int, width: int) -> None:
    frames = frames_of(np.stack([texture(height, width, seed) for seed in range(5)]))
    embedder = Dsift(size=70)
    whole = embedder.embed(frames)
    for start in range(0, 5, batch):
        part = embedder.embed(frames[start : start + batch])
        assert np.array_equal(part.patches, whole.patches[start : start + batch])
        assert np.array_equal(part.pooled, whole.pooled[start : start + batch])


def test_describe_says_what_made_the_features() -> None:
    assert Dsift(size=224).describe(480, 640) == {
        "name": "dsift",
        "version": "dsift-3",
        "weights_digest": None,
        "dim": 135,
        "pooled_dim": 16 * 21 * 135,
        "patch": 14,
        "grid": [16, 21],
        "size": 224,
        "aspect": "keep",
        "pool": "patch",
    }


def test_stretched_frames_have_a_square_grid() -> None:
    made = Dsift(size=70, aspect="stretch")
    assert made.grid(480, 640) == made.grid(640, 480) == (5, 5)
    assert made.embed(frames_of(texture(120, 300)[None])).patches.shape == (1, 5, 5, 135)
    assert made.describe(480, 640)["aspect"] == "stretch"
    with pytest.raises(EmbedderError, match="aspect is 'crop': choose one of keep, stretch"):
        Dsift(aspect="crop")

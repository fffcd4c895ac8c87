"""The parts of vfi against the plain formulation: dense SIFT of whole images, in float64, cell by
cell."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from vfiscope import synth
from vfiscope.errors import UsageError
from vfiscope.metrics import pixel_pairs
from vfiscope.metrics.kernels import vfi_kernels
from vfiscope.metrics.vfi import compared
from vfiscope.types.batch import to_tensor

CELLS = (8, 16, 32)
SIZES = [
    (1, 1),
    (5, 9),
    (8, 8),
    (17, 40),
    (33, 31),
    (67, 129),
    (40, 255),
    (40, 256),
    (40, 257),
    (72, 544),
]

Floats = NDArray[np.float64]


def filled(image: Floats, cell: int) -> Floats:
    """(H, W, ...) with the last row and column repeated up to a multiple of the cell."""
    ends = [(0, -side % cell) for side in image.shape[:2]]
    return np.pad(image, [*ends, *[(0, 0)] * (image.ndim - 2)], mode="edge")


def luma_of(image: Floats) -> Floats:
    return image @ np.array([0.299, 0.587, 0.114])


def votes_of(luma: Floats) -> Floats:
    """(9, H, W): max(0, cos)^9 times the gradient for each of 8 directions, and its magnitude."""
    around = np.pad(luma, 1, mode="edge")
    gradient = (
        np.stack(
            [around[1:-1, 2:] - around[1:-1, :-2], around[2:, 1:-1] - around[:-2, 1:-1]], axis=-1
        )
        / 2
    )
    length = np.hypot(gradient[..., 0], gradient[..., 1])
    turns = np.arange(8) * np.pi / 4
    cosines = (
        gradient
        @ np.stack([np.cos(turns), np.sin(turns)])
        / np.where(length > 0, length, 1)[..., None]
    )
    votes = np.clip(cosines, 0, None) ** 9 * length[..., None]
    return np.concatenate([np.moveaxis(votes, -1, 0), length[None]])


def triangles(length: int, cell: int) -> Floats:
    """(length, length / cell + 1): weights of the pixels about every corner."""
    apart = np.abs(np.arange(length)[:, None] + 0.5 - np.arange(0, length + 1, cell))
    return np.clip(1 - apart / cell, 0, None)


def sine(share: Floats) -> Floats:
    """sin(pi/2 x) to 7e-5, as dense SIFT has it."""
    return ((0.071861 * share**2 - 0.642113) * share**2 + 1.570320) * share


def descriptors(image: Floats, cell: int) -> Floats:
    """(h, w, 135) of an image (H, W, 3) in 0..1."""
    image = filled(image, cell)
    rows, columns = (triangles(side, cell) for side in image.shape[:2])
    corners = np.pad(rows.T @ votes_of(luma_of(image)) @ columns, ((0, 0), (1, 1), (1, 1)))
    area = np.pad(np.outer(rows.sum(axis=0), columns.sum(axis=0)), 1)
    h, w = (side // cell for side in image.shape[:2])
    made = np.empty((h, w, 135))
    for i, j in np.ndindex(h, w):
        window = corners[:, i : i + 4, j : j + 4]
        sift = window[:8].ravel()
        sift = np.minimum(sift / max(np.linalg.norm(sift), 1e-12), 0.2)
        sift = sift / max(np.linalg.norm(sift), 1e-12)
        contrast = window[8].sum() / area[i : i + 4, j : j + 4].sum()
        share = contrast / (contrast + 0.02)
        colour = image[i * cell : (i + 1) * cell, j * cell : (j + 1) * cell].mean(axis=(0, 1))
        texture = [*(sift * np.sqrt(share)), np.sqrt(1 - share)]
        points = np.stack([sine(1 - colour), sine(colour)])
        points = (points / np.linalg.norm(points, axis=0)).ravel() / np.sqrt(3)
        made[i, j] = np.concatenate([np.multiply(texture, np.sqrt(2 / 3)), points * np.sqrt(1 / 3)])
    return made


def sharpness(image: Floats) -> Floats:
    """Mean modified Laplacian of luma 0..255 over cells of 16 px."""
    luma = luma_of(image) * 255
    around = np.pad(luma, 1, mode="edge")
    laplacian = np.abs(2 * luma - around[1:-1, :-2] - around[1:-1, 2:])
    laplacian += np.abs(2 * luma - around[:-2, 1:-1] - around[2:, 1:-1])
    whole = filled(laplacian, 16)
    return whole.reshape(whole.shape[0] // 16, 16, -1, 16).mean(axis=(1, 3))


def expected(test: NDArray[np.integer], ref: NDArray[np.integer], peak: int) -> list[float]:
    """Appearance for CELLS, and lost detail, of (H, W, 3) code values."""
    pair = [x / peak for x in (test, ref)]
    apart = []
    for cell in CELLS:
        one, other = (descriptors(x, cell) for x in pair)
        apart.append(float(np.sqrt(np.square(one - other).sum(axis=-1) / 2).mean()))
    one, other = (sharpness(x) for x in pair)
    return [*apart, float((np.clip(other - one, 0, None) / (other + 4)).mean())]


def aligned(
    test: NDArray[np.integer], ref: NDArray[np.integer], depth: int = 8
) -> pixel_pairs.PixelPairs:
    pair = [np.ascontiguousarray(x)[None].transpose(0, 3, 1, 2) for x in (test, ref)]
    return pixel_pairs.same_scale(*pair, depth, depth)


def noise(seed: int, size: tuple[int, int], peak: int = 255) -> NDArray[np.integer]:
    dtype = np.uint8 if peak == 255 else np.uint16
    return np.random.default_rng(seed).integers(0, peak + 1, (*size, 3)).astype(dtype)


def natural(seed: int, size: tuple[int, int]) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """A moving scene, and the frame after it."""
    scene = synth.Scene(*(max(side, 64) for side in size), seed=seed, velocity=(2.0, 1.0))
    first, second = (scene.frame(t)[: size[0], : size[1]] for t in (0.0, 1.0))
    return first, second


@pytest.mark.parametrize("size", SIZES)
def test_parts_are_those_of_the_plain_formulation(size: tuple[int, int]) -> None:
    for test, ref in (natural(1, size), (noise(2, size), noise(3, size))):
        assert compared(aligned(test, ref), CELLS)[0].tolist() == pytest.approx(
            expected(test, ref, 255), abs=3e-6
        )


@pytest.mark.parametrize("depth", [10, 16])
def test_parts_of_deep_frames(depth: int) -> None:
    peak = 2**depth - 1
    test, ref = (noise(seed, (43, 70), peak) for seed in (4, 5))
    found = compared(aligned(test, ref, depth), CELLS)[0]
    assert found.tolist() == pytest.approx(expected(test, ref, peak), abs=3e-6)


@pytest.mark.slow
@pytest.mark.parametrize("size", SIZES)
def test_loops_and_tensor_functions_agree(size: tuple[int, int]) -> None:
    for test, ref in (natural(6, size), (noise(7, size), noise(8, size))):
        loops = aligned(test, ref)
        moved = (to_tensor(x, "cpu") for x in (loops.test, loops.ref))
        tensors = pixel_pairs.same_scale(*moved, 8, 8)
        assert compared(loops, CELLS).tolist() == [
            pytest.approx(row, abs=2e-6) for row in compared(tensors, CELLS).tolist()
        ]


def test_shades_without_gradient_differ_in_colour_alone() -> None:
    test, ref = (np.full((40, 70, 3), value, np.uint8) for value in (100, 130))
    across = np.sqrt((1 - np.cos(np.pi / 2 * 30 / 255)) / 3)
    assert compared(aligned(test, ref), CELLS)[0].tolist() == pytest.approx(
        [across] * 3 + [0], abs=7e-5
    )


def test_swapped_frames_look_as_far_apart() -> None:
    test, ref = natural(9, (75, 110))
    one, other = compared(aligned(test, ref), CELLS)[0], compared(aligned(ref, test), CELLS)[0]
    assert np.array_equal(one[:3], other[:3])


@pytest.mark.parametrize(
    "turned", [np.fliplr, np.flipud, lambda x: x.transpose(1, 0, 2)], ids=["x", "y", "transposed"]
)
def test_mirrored_frames_of_whole_cells_score_alike(turned: object) -> None:
    test, ref = natural(10, (96, 160))
    mirrored = compared(aligned(turned(test), turned(ref)), CELLS)[0]  # type: ignore[operator]
    assert mirrored.tolist() == pytest.approx(
        compared(aligned(test, ref), CELLS)[0].tolist(), rel=1e-5
    )


def test_repeating_the_last_row_and_column_to_whole_cells_changes_no_descriptor() -> None:
    test, ref = natural(11, (75, 110))
    whole = [filled(x, 32).astype(np.uint8) for x in (test, ref)]
    found, same = (compared(aligned(*pair), (32,))[0, 0].item() for pair in ((test, ref), whole))
    assert found == same


def test_rows_of_cells_are_the_same_however_they_are_shared_out() -> None:
    frame = noise(12, (75, 300)).reshape(75, 900)
    weights, extra = np.array([299, 587, 114], np.float32), np.array([6, 5], np.float32)
    whole, parts = (
        [np.empty((9, 2, 2, 12, 40), np.float32), np.empty((4, 12, 40), np.float32)]
        for _ in range(2)
    )
    vfi_kernels.gather(0, 12, frame, weights, extra, *whole)
    for start, stop in ((5, 12), (0, 1), (1, 5)):
        vfi_kernels.gather(start, stop, frame, weights, extra, *parts)
    assert all(np.array_equal(*both) for both in zip(whole, parts, strict=True))
    corners = [np.random.default_rng(seed).random((9, 13, 21), np.float32) for seed in (13, 14)]
    roots = [np.random.default_rng(seed).random((10, 18), np.float32) for seed in (15, 16)]
    once, pieces = np.empty((10, 18), np.float32), np.empty((10, 18), np.float32)
    vfi_kernels.sift_apart(0, 10, *corners, *roots, np.float32(0.2), once)
    for start, stop in ((7, 10), (0, 7)):
        vfi_kernels.sift_apart(start, stop, *corners, *roots, np.float32(0.2), pieces)
    assert np.array_equal(once, pieces)


def test_parts_do_not_depend_on_threads(threads: Callable[[int], None]) -> None:
    test, ref = natural(17, (133, 260))
    found = []
    for count in (1, 2, 3):
        threads(count)
        found.append(compared(aligned(test, ref), CELLS))
    assert np.array_equal(found[0], found[1])
    assert np.array_equal(found[0], found[2])


def test_cells_that_the_loops_do_not_know_are_refused() -> None:
    frame = noise(18, (20, 20))
    with pytest.raises(UsageError, match="cells of 14 px: on a CPU choose 8, 16 or 32"):
        compared(aligned(frame, frame), (14,))

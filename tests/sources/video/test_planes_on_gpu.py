"""Planes converted by tensor operations, on a GPU where there is one and else on torch's CPU."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from helpers.media import from_planes
from planes_on_gpu import to_rgb

from vfiscope.sources.video import yuv_loops
from vfiscope.sources.video.color import Color, RgbConverter
from vfiscope.sources.video.yuv_loops import CENTRE, EVERY, LEFT, MATRICES, Factors

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"
SIZE = (34, 66)


def noise(rows: int, columns: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Y, and U and V with a sample for so many rows and columns; colours that do not exist too."""
    random = np.random.default_rng(rows + columns)
    sizes = (SIZE, (SIZE[0] // rows, SIZE[1] // columns), (SIZE[0] // rows, SIZE[1] // columns))
    y, u, v = (random.integers(0, 256, size, np.uint8) for size in sizes)
    return y, u, v


def by_tensors(planes: tuple[np.ndarray, ...], site: int, factors: Factors) -> np.ndarray:
    y, u, v = (torch.from_numpy(plane).to(DEVICE) for plane in planes)
    return to_rgb(y, u, v, site, factors).permute(1, 2, 0).cpu().numpy()


@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize(
    ("rows", "columns", "site"),
    [(2, 2, LEFT), (2, 2, CENTRE), (1, 2, LEFT), (1, 2, CENTRE), (1, 1, EVERY)],
)
def test_every_sample_is_that_of_the_loops(rows: int, columns: int, site: int, full: bool) -> None:
    planes, wanted = noise(rows, columns), np.empty((*SIZE, 3), np.uint8)
    for matrix in MATRICES:
        factors = Factors.of(matrix, full=full)
        yuv_loops._paint(
            *planes, wanted.reshape(SIZE[0], -1), None, np.empty(3, np.int64), site, *factors
        )
        np.testing.assert_array_equal(by_tensors(planes, site, factors), wanted)


def test_every_sample_is_that_of_swscale() -> None:
    planes, wanted = noise(2, 2), np.empty((*SIZE, 3), np.uint8)
    color = Color("bt709", "limited", "unknown", "unknown", "tag")
    RgbConverter("a").by_swscale(from_planes(planes, "yuv420p"), color, wanted)
    made = (by_tensors(planes, site, Factors.of("bt709", full=False)) for site in (LEFT, CENTRE))
    assert sum(np.array_equal(each, wanted) for each in made) == 1

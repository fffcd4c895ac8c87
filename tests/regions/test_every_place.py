"""A defect in each corner and at each edge is marked at its place, by every method that compares
features or normal frames, in square and in wide frames."""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np
import pytest

from vfiscope.regions import METHODS, FramePair, Method, Settings, find
from vfiscope.regions.low_rank_model import build_low_rank
from vfiscope.regions.normal import build_normal
from vfiscope.regions.patch_features import features_for
from vfiscope.regions.presets import patchcore, reconstruction
from vfiscope.types import Uint8

SIDE = 24
"""Of the defect, in pixels: two patches of the coarse grid."""
SHAPES = {"square": (96, 96), "wide": (84, 168)}
PATCH = 12
"""Side of a patch in pixels of these frames, with a short side of 8 patches."""
REACH = {
    "semantic": PATCH,
    "patchcore": PATCH,
    "patchcore with a bank": 3 * PATCH,
    "reconstruction": PATCH,
}
"""{method: pixels beside a defect that it may mark}. A descriptor looks at 5 x 5 patches, and the
threshold of normal frames that hardly differ is so low that the outermost of them exceed it."""


@pytest.fixture(autouse=True)
def coarse(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vfiscope.regions.patch_features.SIZE_DSIFT_REGIONS", 112)


def normal_frames(size: tuple[int, int]) -> Uint8:
    """Eight frames of a still scene, with noise."""
    random = np.random.default_rng(0)
    still = cv2.GaussianBlur(random.uniform(0, 255, (*size, 3)), (0, 0), 3)
    still = 128 + 6 * (still - 127.5)
    noisy = [still + random.normal(0, 2, still.shape) for _ in range(8)]
    return np.clip(np.rint(noisy), 0, 255).astype(np.uint8)


def places(size: tuple[int, int]) -> Iterator[tuple[int, int]]:
    """(x, y) of a defect in each corner and in the middle of each edge."""
    rows, columns = ([0, (side - SIDE) // 2, side - SIDE] for side in size)
    yield from ((x, y) for y in rows for x in columns if y != rows[1] or x != columns[1])


def made(name: str, frames: Uint8, monkeypatch: pytest.MonkeyPatch) -> Method:
    """A method with normal frames where it reads some, without files."""
    settings = Settings(embedder="dsift")
    if name == "patchcore with a bank":
        given = features_for(settings), build_normal(frames, settings)
        monkeypatch.setattr(patchcore, "bank_of", lambda settings: given)
        return METHODS["patchcore"](Settings(embedder="dsift", normal="a bank"))
    if name == "reconstruction":
        model = build_low_rank(frames)
        monkeypatch.setattr(reconstruction, "build_for", lambda normal: model)
    return METHODS[name](settings)


@pytest.mark.slow
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("name", REACH)
def test_a_defect_is_marked_where_it_is(
    name: str, shape: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    *normal, ref, test = normal_frames(SHAPES[shape])
    method = made(name, np.stack(normal), monkeypatch)
    assert not find(FramePair(test, ref), method).regions
    for x, y in places(SHAPES[shape]):
        broken = test.copy()
        broken[y : y + SIDE, x : x + SIDE] = (250, 20, 20)
        found = find(FramePair(broken, ref), method)
        defect = np.zeros(SHAPES[shape], np.uint8)
        defect[y : y + SIDE, x : x + SIDE] = 1
        mask, values = found.cut.mask, found.difference.values
        assert len(found.regions) == 1, (x, y)
        assert mask[defect > 0].mean() >= 0.5, (x, y)
        assert not mask[~grown(defect, REACH[name])].any(), (x, y)
        assert grown(defect, PATCH).ravel()[values.argmax()], (x, y)
        if REACH[name] == PATCH:
            (region,) = found.regions
            middle = x + (SIDE - 1) / 2, y + (SIDE - 1) / 2
            off = np.subtract((region.centroid_x, region.centroid_y), middle)
            assert np.abs(off).max() <= PATCH / 2, (x, y)


def grown(defect: Uint8, pixels: int) -> np.ndarray:
    """Pixels of a defect, and those beside it."""
    return cv2.dilate(defect, np.ones((2 * pixels + 1, 2 * pixels + 1), np.uint8)) > 0

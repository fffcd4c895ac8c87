"""Reconstruction by a low-rank model of normal frames."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from vfiscope.errors import UsageError
from vfiscope.regions import METHODS, FramePair, Settings, find
from vfiscope.regions.low_rank_model import build_low_rank, fitted
from vfiscope.types import Uint8


def scene(count: int, size: tuple[int, int] = (40, 60), seed: int = 0) -> Uint8:
    """Frames of a still scene in which a lamp and the light change, with noise."""
    random = np.random.default_rng(1)
    still = np.kron(random.integers(50, 170, (10, 15, 3)), np.ones((4, 4, 1)))[: size[0], : size[1]]
    lamp = np.zeros((*size, 1))
    lamp[10:20, 40:50] = 50
    random = np.random.default_rng(seed)
    frames = [
        (still + lamp * random.random()) * random.uniform(0.8, 1.1)
        + random.uniform(-6, 6)
        + random.normal(0, 2, still.shape)
        for _ in range(count)
    ]
    return np.clip(np.rint(frames), 0, 255).astype(np.uint8)


def test_light_and_what_normal_frames_do_are_no_change_and_a_defect_is(tmp_path: Path) -> None:
    for number, pixels in enumerate(scene(30)):
        Image.fromarray(pixels).save(tmp_path / f"{number:02d}.png")
    method = METHODS["reconstruction"](Settings(normal=str(tmp_path)))
    for pixels in scene(6, seed=9):
        found = find(FramePair(pixels, pixels), method)
        assert not found.regions
        assert found.difference.unit == "standard deviations"
    for y, x in ((0, 0), (0, 48), (28, 0), (28, 48), (14, 24)):
        broken = scene(1, seed=10)[0]
        broken[y : y + 12, x : x + 12] = (20, 200, 20)
        found = find(FramePair(broken, broken), method)
        assert found.regions
        first = max(found.regions, key=lambda region: region.area)
        assert abs(first.centroid_x - x - 5.5) < 3
        assert abs(first.centroid_y - y - 5.5) < 3
    darker = np.rint(scene(1, seed=11)[0] * 0.7).astype(np.uint8)
    found = find(FramePair(darker, darker), method)
    assert not found.regions
    assert found.difference.light.gain < 0.8


def test_the_light_of_a_frame_by_hand() -> None:
    mean = np.array([0, 10, 20, 30], np.float32)
    light = fitted(mean, 1.5 * mean + 4)
    assert (light.gain, light.offset) == pytest.approx((1.5, 4))
    flat = fitted(np.full(4, 9, np.float32), np.full(4, 12, np.float32))
    assert (flat.gain, flat.offset) == (1, 3)


def test_what_cannot_be_done_is_refused_on_one_line() -> None:
    with pytest.raises(UsageError, match="needs normal frames: pass --normal"):
        METHODS["reconstruction"](Settings())
    with pytest.raises(UsageError, match="has 3 normal frames: pass 4 or more"):
        build_low_rank(scene(3))
    model = build_low_rank(scene(8))
    with pytest.raises(UsageError, match="are 60x40 and these 90x40"):
        model.errors(np.zeros((40, 90, 3), np.uint8))


@pytest.mark.parametrize("size", [(1, 1), (2, 3), (7, 40)])
def test_frames_that_never_change(size: tuple[int, int]) -> None:
    frames = np.full((10, *size, 3), 77, np.uint8)
    model = build_low_rank(frames)
    assert (model.errors(frames[0])[0] == 0).all()
    assert model.level("medium") == 0
    assert np.isfinite(model.errors(frames[0] * 0)[0]).all()

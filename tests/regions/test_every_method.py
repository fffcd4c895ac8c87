"""What each method of the table must give, whatever it looks at."""

from __future__ import annotations

import warnings
from typing import Any

import cv2
import numpy as np
import pytest

from vfiscope.regions import METHODS, Found, FramePair, Method, Settings, find
from vfiscope.regions.masks import decode
from vfiscope.types import Uint8

RANKS = {"patchcore-legacy"}
"""Methods whose published formula ranks pixels or patches, so that some are always flagged."""
BY_SOMETHING_ELSE = {"fusion", "ensemble", "spotter", "spotter-legacy", "patchcore-legacy"}
"""Methods whose masks hold pixels below the level: dilated, of several layers, or windows."""
LOSES = {"spotter-legacy"}
"""Methods whose published opening loses what is small."""
SIZE = (48, 64)


def frame(kind: str, size: tuple[int, int] = SIZE) -> Uint8:
    rng = np.random.default_rng(3)
    smooth = cv2.GaussianBlur(rng.normal(0, 1, (*size, 3)).astype(np.float32), (0, 0), 6)
    noise = rng.integers(0, 256, (*size, 3), dtype=np.uint8)
    made: dict[str, Uint8] = {
        "constant": np.full((*size, 3), 90, np.uint8),
        "smooth": np.clip(120 + smooth * 400, 0, 255).astype(np.uint8),
        "texture": noise,
        "grey": np.repeat(noise[..., :1], 3, axis=2),
    }
    return made[kind]


def method_for(name: str, normal: Uint8) -> Method:
    """The method, with copies of a frame as normal ones where it needs some."""
    needs: Any = np.stack([normal] * 4) if name.startswith("reconstruction") else None
    return METHODS[name](Settings(embedder="dsift", normal=needs))


def check(found: Found, size: tuple[int, int], name: str) -> None:
    """What holds for all regions."""
    assert not (found.cut.mask & ~found.difference.valid).any()
    assert 0 <= found.answer.changed_area <= 1
    assert found.answer.regions == len(found.regions)
    for region in found.regions:
        assert region.x >= 0
        assert region.y >= 0
        assert region.x + region.w <= size[1]
        assert region.y + region.h <= size[0]
        assert decode(region.mask, size).sum() == region.area
        assert region.score <= region.peak
        if name not in BY_SOMETHING_ELSE and not name.endswith("-legacy"):
            assert region.peak >= found.cut.level


@pytest.mark.parametrize("name", METHODS)
def test_identical_frames_are_the_same(name: str) -> None:
    kinds = [(kind, SIZE) for kind in ("constant", "smooth", "texture", "grey")]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for kind, size in [*kinds, ("texture", (1, 1)), ("texture", (3, 2))]:
            pixels = frame(kind, size)
            found = find(FramePair(pixels, pixels.copy()), method_for(name, pixels))
            check(found, size, name)
            if name not in RANKS:
                assert (kind, size, found.answer.answer, found.regions) == (kind, size, "same", [])


@pytest.mark.parametrize("name", METHODS)
def test_regions_lie_in_the_frame_and_in_what_can_be_decided(name: str) -> None:
    ref = frame("smooth")
    test = ref.copy()
    test[8:18, 8:22] = (250, 40, 40)
    valid = np.ones(SIZE, bool)
    valid[12:16] = False
    method = method_for(name, ref)
    found = find(FramePair(test, ref), method)
    check(found, SIZE, name)
    assert found.regions or name in LOSES
    check(find(FramePair(test, ref, valid), method), SIZE, name)

"""Differences of patches as TrackShift and FrameShift published them, with their mistakes."""

from __future__ import annotations

import cv2
import numpy as np

from vfiscope.embedders import choose
from vfiscope.models.catalog import entry
from vfiscope.regions.patch_features import PatchFeatures
from vfiscope.regions.settings import Settings
from vfiscope.regions.steps import Difference, FramePair
from vfiscope.types import Float32, Uint8

__all__ = ["frameshift_heat", "published_features", "trackshift_heat"]

PUBLISHED_GRID = 16
"""Patches down and across: the grid is written down in both programs."""
FRAMESHIFT_BLUR = (21, 21)


def published_features(settings: Settings) -> PatchFeatures:
    """The features that the settings name, on 16 x 16 patches."""
    name, _ = choose(settings.embedder, settings.weights)
    size = PUBLISHED_GRID * entry(name).patch
    return PatchFeatures(name, settings.weights, settings.device, size=size)


def centre(frame: Uint8, short: int, side: int) -> Uint8:
    """The square in the middle of a frame whose short side was resized to ``short``, bicubic."""
    factor = short / min(frame.shape[:2])
    size = [max(side, round(length * factor)) for length in (frame.shape[1], frame.shape[0])]
    small = cv2.resize(frame, size, interpolation=cv2.INTER_CUBIC)
    top, left = (small.shape[0] - side) // 2, (small.shape[1] - side) // 2
    return np.ascontiguousarray(small[top : top + side, left : left + side])


def stretched(cells: Float32, size: tuple[int, int], least: float = 0.0) -> Float32:
    """A grid at the size of the frame, its own range made 0..1."""
    whole = cv2.resize(cells, (size[1], size[0]), interpolation=cv2.INTER_LINEAR)
    span = float(whole.max() - whole.min()) + least
    return np.asarray((whole - whole.min()) / span if span > 0 else whole * 0, np.float32)


def frameshift_heat(pair: FramePair, *, embed: PatchFeatures, k: int = 9) -> Difference:
    """FrameShift v3's heat map: grey levels 0..255, blurred.

    Mistakes that are kept: the square in the middle of the frame (256 / 224 of its short side) is
    looked at, and its map is stretched over the whole frame, so that every place but the centre is
    wrong. The distance is the mean over the k = 9 nearest patches of the reference, one of which is
    the patch itself, so identical frames have scores above 0. It is taken in one direction only.
    The range of the frame's own scores becomes 0..255. ``cells`` are the scores.
    """
    from vfiscope.metrics.tensors.patch_tensors import unit
    from vfiscope.regions.difference.nearest_patches import nearest

    side = PUBLISHED_GRID * embed.identity.patch
    test, ref = (
        unit(embed(centre(frame, side * 256 // 224, side))).flatten(0, 1)
        for frame in (pair.test, pair.ref)
    )
    cells = nearest(test, ref, k)[0].mean(dim=1).reshape(PUBLISHED_GRID, PUBLISHED_GRID)
    scores = cells.cpu().numpy()
    grey = (stretched(scores, pair.size) * 255).astype(np.uint8)
    blurred = cv2.GaussianBlur(grey, FRAMESHIFT_BLUR, 0)
    everywhere = np.ones(pair.size, bool)
    return Difference(blurred.astype(np.float32), "grey levels", everywhere, cells=scores)


def trackshift_heat(pair: FramePair, *, embed: PatchFeatures) -> Difference:
    """TrackShift's fourth map: the length of the difference of features, its own range made 0..1.

    Mistakes that are kept: one prefix token is dropped where the network has more (DINOv3 has
    five), so the map is shifted by the others in reading order, four patches to the right (their
    own cells, first in the map, are 0 here). The strongest place is always 1, whatever it means.
    """
    import torch

    side = PUBLISHED_GRID * embed.identity.patch
    test, ref = (embed(centre(frame, side, side)) for frame in (pair.test, pair.ref))
    apart = (test - ref).norm(dim=2).flatten()
    extra = extra_prefix(embed)
    apart = torch.cat([apart.new_zeros(extra), apart])[: len(apart)]
    cells = apart.reshape(test.shape[:2]).cpu().numpy()
    values = stretched(cells, pair.size, 1e-8)
    everywhere = np.ones(pair.size, bool)
    return Difference(values, "part of the largest difference", everywhere, cells=cells)


def extra_prefix(embed: PatchFeatures) -> int:
    """Prefix tokens beyond the first."""
    return max(0, int(getattr(embed.embedder, "prefix", 1)) - 1)

"""Features of patches for steps that compare them, and their way back to the pixels of a frame."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from functools import lru_cache
from typing import TYPE_CHECKING, TypeAlias

import cv2
import numpy as np

from vfiscope.embedders import Embedder, Identity, choose, identify, open_embedder
from vfiscope.models import resolve_device
from vfiscope.regions.settings import Settings
from vfiscope.regions.steps import Difference, FramePair
from vfiscope.types import Float32, Frames, Uint8
from vfiscope.types.batch import to_tensor

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["Embed", "PatchFeatures", "at_cells", "features_for", "filled", "of_both", "spread"]

Embed: TypeAlias = "Callable[[Uint8], Tensor]"
"""Takes a frame (H, W, 3), 8-bit RGB; returns (h, w, D) float32, a vector for each patch of a grid
that covers the frame up to its borders."""
SIZE_DSIFT_REGIONS = 560
"""Short side to which a frame is resized for dense SIFT: 40 patches, finer than for scores, as a
region cannot be smaller than a patch."""
HELD_EMBEDDERS = 2
"""Embedders that stay open."""
FRAMES_REMEMBERED = 2
"""Frames whose features are remembered: a reference is compared with many frames."""


class PatchFeatures:
    """The patch features of frames by one embedder.

    The embedder is opened for the first frame; methods with the same one share it. A frame with the
    same pixels as one of the last two gets the very same features, so that identical frames are at
    distance exactly 0.

    Args:
        name: of the embedder, or ``auto``.
        weights: its weights; None takes those on this machine.
        device: where it computes.
        size: short side of the resized frame in pixels; None takes the embedder's default.

    Raises:
        EmbedderError: the name, weights, size or device cannot be used.
    """

    def __init__(
        self,
        name: str = "auto",
        weights: str | None = None,
        device: str = "cpu",
        *,
        size: int | None = None,
    ) -> None:
        self._name, _ = choose(name, weights)
        self._weights, self._device, self._size = weights, resolve_device(device), size
        self.identity: Identity = identify(
            self._name, weights=weights, size=size, device=self._device
        )
        """What determines the features."""
        self._held: list[tuple[Uint8, Tensor]] = []

    @property
    def embedder(self) -> Embedder:
        """The embedder, opened."""
        return _opened(self.identity, self._name, self._weights, self._device, self._size)

    def __call__(self, frame: Uint8) -> Tensor:
        """(h, w, D) float32, on the device.

        Args:
            frame: (H, W, 3) RGB.
        """
        for pixels, features in self._held:
            if np.array_equal(pixels, frame):
                return features
        made = to_tensor(self.embedder.embed(_as_frames(frame)).patches[0], self._device)
        self._held = [(frame.copy(), made), *self._held][:FRAMES_REMEMBERED]
        return made


@lru_cache(maxsize=HELD_EMBEDDERS)
def _opened(
    identity: Identity, name: str, weights: str | None, device: str, size: int | None
) -> Embedder:
    return open_embedder(name, weights=weights, size=size, device=device)


def _as_frames(frame: Uint8) -> Frames:
    pixels = np.ascontiguousarray(frame)[None].transpose(0, 3, 1, 2)
    one = np.zeros(1, np.int64)
    return Frames(pixels, one, one, np.zeros(1), np.zeros(1, np.uint8), Fraction(1, 25))


def features_for(settings: Settings) -> PatchFeatures:
    """The features that the settings name.

    Raises:
        EmbedderError: they cannot be had.
    """
    name, _ = choose(settings.embedder, settings.weights)
    size = SIZE_DSIFT_REGIONS if name == "dsift" else None
    return PatchFeatures(name, settings.weights, settings.device, size=size)


def filled(pair: FramePair) -> Uint8:
    """The test frame, with the pixels of the reference where it has none of its own after
    registration: what else is there would change the patches that touch it."""
    if pair.valid is None or pair.valid.all():
        return pair.test
    return np.where(pair.valid[..., None], pair.test, pair.ref)


def of_both(pair: FramePair, embed: Embed) -> tuple[Tensor, Tensor]:
    """The features of the test frame, :func:`filled`, and of the reference."""
    return embed(filled(pair)), embed(pair.ref)


def at_cells(pair: FramePair, cells: Tensor) -> Difference:
    """The difference map of a pair from the distances of patches.

    Args:
        pair: the frames.
        cells: (h, w) cosine distances.
    """
    values: Float32 = cells.float().cpu().numpy()
    return Difference(spread(values, pair.size), "cosine distance", pair.decidable, cells=values)


def spread(cells: Float32, size: tuple[int, int]) -> Float32:
    """Values of a grid that covers a frame, at its pixels: bilinear between the middles of the
    cells (those of :class:`vfiscope.types.CellGrid`), constant outside of the outermost; means
    where cells are smaller than pixels.

    Args:
        cells: (h, w).
        size: (height, width) of the frame.
    """
    smaller = size[0] < cells.shape[0] and size[1] < cells.shape[1]
    way = cv2.INTER_AREA if smaller else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(cells, (size[1], size[0]), interpolation=way), np.float32)

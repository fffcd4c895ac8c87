"""The embedder protocol, and the geometry that all embedders share.

Geometry: nothing is cropped. With the aspect "keep" the frame is scaled so that its short side
measures ``size`` pixels, a multiple of the patch; each side is then rounded to the nearest multiple
of the patch, halves up, and is at least one patch. With the aspect "stretch" both sides measure
``size`` pixels, as in NOVA. The h x w grid therefore covers the scored frame exactly, up to its
borders, as :meth:`vfiscope.types.CellGrid.over` describes.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Protocol

from vfiscope.config import ASPECTS
from vfiscope.errors import EmbedderError
from vfiscope.types import Features, Frames

if TYPE_CHECKING:
    from torch import Tensor

    from vfiscope.embedders.identity import Identity
    from vfiscope.models.loading import LoadReport

__all__ = [
    "MAX_PATCHES",
    "RESIZING",
    "Embedder",
    "check_aspect",
    "check_size",
    "grid_for",
    "resize_for",
]

MAX_PATCHES = 16384
"""Most patches in a frame: their similarities to those of another frame take 1 GiB, and grow with
the square."""
RESIZING = 2
"""Version of the resizing before a network: raised with any of its bits, so that no unfinished run
is continued across the change. Runs that store none resized as torch does."""


class Embedder(Protocol):
    """Turns frames into vectors. The vectors of a frame do not depend on other frames."""

    name: str
    patch: int
    dim: int
    """Length of a patch's vector."""
    identity: Identity
    """Everything that determines its features."""
    report: LoadReport | None
    """Which tensors of its weight file were loaded; None where it has no weights."""

    def grid(self, height: int, width: int) -> tuple[int, int]:
        """Rows and columns of patches (h, w) in a frame of height x width pixels."""
        ...

    def embed(self, frames: Frames) -> Features:
        """The features of N frames, on the embedder's device."""
        ...

    def floats(self, height: int, width: int) -> int:
        """Number of float32 values that the features of a frame take in memory."""
        ...

    def describe(self, height: int, width: int) -> dict[str, Any]:
        """The record of the embedder that a run stores: name, version, weights_digest, dim of a
        patch's vector and pooled_dim of the frame's, patch, grid, size, aspect, pool; for a network
        also precision, resizing (its version) and weights (the report on every tensor)."""
        ...


def check_size(size: int, patch: int) -> int:
    """Return ``size`` if it is a positive multiple of the patch.

    Raises:
        EmbedderError: it is not.
    """
    if size >= patch and size % patch == 0:
        return size
    below = max(patch, size // patch * patch)
    nearest = str(below) if size < patch else f"{below} or {below + patch}"
    raise EmbedderError(
        f"size is {size}: it must be a multiple of the patch of {patch} pixels, such as {nearest}"
    )


def check_aspect(aspect: str) -> str:
    """Return ``aspect`` if it is known.

    Raises:
        EmbedderError: it is not.
    """
    if aspect not in ASPECTS:
        raise EmbedderError(f"aspect is {aspect!r}: choose one of {', '.join(ASPECTS)}")
    return aspect


def grid_for(
    height: int, width: int, size: int, patch: int, aspect: str = "keep"
) -> tuple[int, int]:
    """Patches (h, w) of a frame of height x width pixels whose short side becomes ``size``.

    Raises:
        EmbedderError: more than :data:`MAX_PATCHES`.
    """
    sides = (height, width) if aspect == "keep" else (1, 1)
    h, w = _patches(sides, size, patch)
    if h * w > MAX_PATCHES:
        smaller = range(size // patch * patch, 0, -patch)
        enough = next(
            (s for s in smaller if math.prod(_patches(sides, s, patch)) <= MAX_PATCHES), 0
        )
        remedy = f"pass a size of {enough} or less, or crop the frames" if enough else "crop them"
        raise EmbedderError(
            f"{width}x{height} frames at size {size} have {h * w} patches, over the limit of"
            f" {MAX_PATCHES}: {remedy}"
        )
    return h, w


def _patches(sides: tuple[int, int], size: int, patch: int) -> tuple[int, int]:
    """(h, w) of a frame whose short side becomes ``size`` pixels."""
    short = min(sides)
    h, w = (max(1, (2 * side * size + short * patch) // (2 * short * patch)) for side in sides)
    return h, w


def resize_for(data: Tensor, bit_depth: int, grid: tuple[int, int], patch: int) -> Tensor:
    """Frames as the embedders see them.

    Args:
        data: (N, 3, H, W) uint8 or uint16 code values.
        bit_depth: white is ``2 ** bit_depth - 1``.
        grid: patches (h, w).
        patch: side of a patch.

    Returns:
        (N, 3, h * patch, w * patch) float32 in 0..1 on the device of ``data``, antialiased
        bilinear: by compiled loops on the CPU, elsewhere by torch. A frame that already has this
        size keeps its values. Pillow's filter, by which NOVA resizes, has the same triangle but
        rounds to 8 bits after each axis: values differ from its by one code value at most.
    """
    import torch
    import torch.nn.functional as F

    from vfiscope.embedders.resizing import resized_frame

    size = (grid[0] * patch, grid[1] * patch)
    if data.device.type == "cpu":
        made = torch.empty((len(data), 3, *size))
        for image, planes in zip(data.permute(0, 2, 3, 1).contiguous(), made, strict=True):
            planes[:] = torch.from_numpy(resized_frame(image.numpy(), bit_depth, size))
        return made
    # In float32, because resizing uint8 is several times faster but rounds: a 10-bit source would
    # lose its depth. Planes first, because channels-last floats take twice as long on a CPU.
    values = data.to(torch.float32, memory_format=torch.contiguous_format)
    if values.shape[-2:] != size:
        values = F.interpolate(values, size=size, mode="bilinear", antialias=True)
    return values.div_(2**bit_depth - 1)

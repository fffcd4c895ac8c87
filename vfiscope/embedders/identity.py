"""The identity of an embedder, known without loading its network. By it, a finished run is compared
with what is requested."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from vfiscope.config import PRECISIONS, SIZE_DINOV2_CPU, SIZE_DINOV2_GPU, TOKEN_POOLS
from vfiscope.embedders.embedder import RESIZING, check_aspect, check_size, grid_for
from vfiscope.errors import EmbedderError
from vfiscope.models.checkpoints import find_weights, weights_digest

if TYPE_CHECKING:
    import os

    from vfiscope.models.catalog import Entry

__all__ = ["Identity", "check_network_size", "check_pool", "identify_network", "precision_on"]


@dataclass(frozen=True)
class Identity:
    """Two embedders with the same identity compute the same features on the same device."""

    name: str
    version: str
    weights_digest: str | None
    """``sha256:`` and the digest of the weight file; None where there is none."""
    patch: int
    """Side of a patch in pixels of the resized frame."""
    dim: int
    """Length of a patch's vector."""
    size: int
    """Short side of the resized frame in pixels."""
    aspect: str
    pool: str
    precision: str | None = None
    """float32 or bfloat16 for a network."""
    side_by_side: bool = False
    """True where a frame's vector is its patch vectors side by side; else it has length dim."""
    with_luma: bool = False
    """True where the luma of the resized frame is among its features."""
    lora_alpha: float | None = None
    """Alpha that adapters in the weights are merged with, where one was asked for."""

    def grid(self, height: int, width: int) -> tuple[int, int]:
        """Patches (h, w) of a frame of height x width pixels."""
        return grid_for(height, width, self.size, self.patch, self.aspect)

    def floats(self, height: int, width: int) -> int:
        """Number of float32 values in the features of a frame: a vector for each patch and one for
        the frame, which share memory where that is the patch vectors side by side; and the luma."""
        h, w = self.grid(height, width)
        luma = h * w * self.patch**2 if self.with_luma else 0
        return self.dim * (h * w + (0 if self.side_by_side else 1)) + luma

    def describe(self, height: int, width: int) -> dict[str, Any]:
        """The record that :meth:`vfiscope.embedders.Embedder.describe` of the opened embedder
        returns, without ``weights``, the report on every tensor."""
        h, w = self.grid(height, width)
        described = {
            "name": self.name,
            "version": self.version,
            "weights_digest": self.weights_digest,
            "dim": self.dim,
            "pooled_dim": self.dim * h * w if self.side_by_side else self.dim,
            "patch": self.patch,
            "grid": [h, w],
            "size": self.size,
            "aspect": self.aspect,
            "pool": self.pool,
        }
        if self.precision is None:
            return described
        of_networks = {"precision": self.precision, "lora_alpha": self.lora_alpha}
        known = {name: each for name, each in of_networks.items() if each is not None}
        return described | known | {"resizing": RESIZING}


def identify_network(
    made: Entry,
    *,
    weights: str | os.PathLike[str] | None,
    size: int | None,
    aspect: str,
    pool: str,
    precision: str,
    lora_alpha: float | None,
    device: str,
) -> Identity:
    """The identity of a network with these weights and options; see
    :func:`vfiscope.embedders.dinov2.load_dinov2`.

    Raises:
        EmbedderError: the size, aspect, pool or precision does not fit, or the weights are missing.
    """
    return Identity(
        made.name,
        str(made.timm_id),
        size=check_network_size(size or made.size, made.patch, device),
        aspect=check_aspect(aspect),
        pool=check_pool(pool),
        precision=precision_on(device, precision),
        patch=made.patch,
        dim=made.dim,
        weights_digest=weights_digest(find_weights(made.name, weights)),
        lora_alpha=lora_alpha,
    )


def check_network_size(size: int | None, patch: int, device: str) -> int:
    """The requested size, or the default of the device.

    Raises:
        EmbedderError: it is not a multiple of the patch.
    """
    default = SIZE_DINOV2_CPU if device.startswith("cpu") else SIZE_DINOV2_GPU
    return check_size(default if size is None else size, patch)


def check_pool(pool: str) -> str:
    """Return ``pool`` if it is known.

    Raises:
        EmbedderError: it is not.
    """
    if pool not in TOKEN_POOLS:
        raise EmbedderError(f"pool is {pool!r}: choose one of {', '.join(TOKEN_POOLS)}")
    return pool


def precision_on(device: str, precision: str) -> str:
    """The float format in which a network computes its products on a device.

    Raises:
        EmbedderError: it is unknown, or not for this device.
    """
    if precision not in PRECISIONS:
        raise EmbedderError(f"precision is {precision!r}: choose one of {', '.join(PRECISIONS)}")
    if precision == "auto":
        return "bfloat16" if device.startswith("cuda") else "float32"
    if precision == "bfloat16" and device.startswith("mps"):
        raise EmbedderError("precision is 'bfloat16', which is for cpu and cuda: choose float32")
    return precision

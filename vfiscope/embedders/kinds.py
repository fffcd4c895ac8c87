"""Open an embedder by name. Torch is imported only when one is opened."""

from __future__ import annotations

import gc
import math
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from vfiscope.errors import EmbedderError
from vfiscope.models.catalog import AUTO_ORDER, CATALOG, Entry, entry
from vfiscope.models.checkpoints import cached_weights, find_weights
from vfiscope.types import Frames
from vfiscope.types.batch import to_numpy

if TYPE_CHECKING:
    import torch

    from vfiscope.embedders.embedder import Embedder
    from vfiscope.embedders.identity import Identity

__all__ = ["EMBEDDERS", "Kind", "check", "choose", "identify", "list_embedders", "open_embedder"]

Weights = str | os.PathLike[str] | None
Device: TypeAlias = "str | torch.device"


def _open_dsift(
    *,
    weights: Weights,
    size: int | None,
    aspect: str,
    pool: str,
    precision: str,
    lora_alpha: float | None,
    device: Device,
) -> Embedder:
    """Dense SIFT, which is always float32."""
    from vfiscope.embedders.dsift import Dsift
    from vfiscope.models.device import resolve_device

    if lora_alpha is not None:
        raise EmbedderError(f"dsift has no weights, but lora_alpha is {lora_alpha:g}: leave it out")
    if weights is not None:
        raise EmbedderError(
            f"dsift has no weights, but they are {os.fspath(weights)!r}: choose a dinov2 embedder"
        )
    return Dsift(size=size, aspect=aspect, pool=pool, device=resolve_device(device))


def _identify_dsift(**options: Any) -> Identity:
    return _open_dsift(**options).identity  # there is no network to load


def _open_dinov2(made: Entry, *, device: Device, **options: Any) -> Embedder:
    with without_collecting():
        from vfiscope.embedders.dinov2 import load_dinov2
    from vfiscope.models.device import resolve_device

    return load_dinov2(made, device=resolve_device(device), **options)


def _identify_dinov2(made: Entry, *, device: Device, **options: Any) -> Identity:
    from vfiscope.embedders.identity import identify_network
    from vfiscope.models.device import resolve_device

    return identify_network(made, device=resolve_device(device), **options)


@contextmanager
def without_collecting() -> Iterator[None]:
    """Python's collector of garbage rests. An import makes objects that stay, and looking through
    them again and again takes a quarter of the time in which torch and timm are imported."""
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


@dataclass(frozen=True)
class Kind:
    """The function that opens an embedder, and one that identifies it without loading its
    network."""

    open: Callable[..., Embedder]
    identify: Callable[..., Identity]


def _network(made: Entry) -> Kind:
    return Kind(partial(_open_dinov2, made), partial(_identify_dinov2, made))


EMBEDDERS: dict[str, Kind] = {
    "dsift": Kind(_open_dsift, _identify_dsift),
    **{name: _network(made) for name, made in CATALOG.items() if made.timm_id is not None},
}
"""{name: kind}; another embedder is one more line. Other networks of timm are not listed."""


def _kind(name: str) -> Kind:
    return EMBEDDERS[name] if name in EMBEDDERS else _network(entry(name))


def choose(name: str, weights: Weights = None) -> tuple[str, str]:
    """The embedder that ``auto`` stands for on this machine, and why; any other name stays.

    Raises:
        EmbedderError: the embedder is unknown, or weights were passed with ``auto``.
    """
    if name != "auto":
        return entry(name).name, "as asked"
    if weights is not None:
        names = ", ".join(AUTO_ORDER)
        raise EmbedderError(
            f"weights are {os.fspath(weights)!r} and embedder is 'auto': choose their network, one"
            f" of {names}"
        )
    for candidate in AUTO_ORDER:
        if cached_weights(candidate) is not None:
            return candidate, "its weights are on this machine"
    return (
        "dsift",
        "no DINOv2 weights on this machine ('vfiscope models fetch dinov2-small' gets some)",
    )


def open_embedder(
    name: str,
    *,
    weights: Weights = None,
    size: int | None = None,
    aspect: str = "keep",
    pool: str = "patch",
    precision: str = "auto",
    lora_alpha: float | None = None,
    device: Device = "cpu",
) -> Embedder:
    """Open an embedder.

    Args:
        name: ``auto``, a name in :data:`~vfiscope.models.catalog.CATALOG`, or that of a vision
            transformer in timm.
        weights: weight file; None takes the one in the Hugging Face cache.
        size: short side of the resized frame in pixels; None takes the embedder's default.
        aspect: ``keep``, or ``stretch`` to make both sides ``size`` pixels.
        pool: the vector of a frame: ``patch`` (mean of the patches), ``all`` (mean of all tokens)
            or ``cls``.
        precision: ``float32`` or ``bfloat16``, in which a network multiplies; ``auto`` is float32,
            and bfloat16 on a CUDA device.
        lora_alpha: alpha of LoRA adapters in the weights; None takes the one that is stored there.
        device: ``auto``, ``cpu``, ``cuda`` or ``mps``, or a torch device.

    Raises:
        EmbedderError: the name, weights, size, aspect, pool, precision or device cannot be used.
    """
    chosen, _ = choose(name, weights)
    return _kind(chosen).open(
        weights=weights,
        size=size,
        aspect=aspect,
        pool=pool,
        precision=precision,
        lora_alpha=lora_alpha,
        device=device,
    )


def identify(
    name: str,
    *,
    weights: Weights = None,
    size: int | None = None,
    aspect: str = "keep",
    pool: str = "patch",
    precision: str = "auto",
    lora_alpha: float | None = None,
    device: Device = "cpu",
) -> Identity:
    """Identify what :func:`open_embedder` would open with the same arguments, without loading a
    network, and on a CPU without importing torch, unless the name is one of timm's.

    Raises:
        EmbedderError: the name, size, aspect, pool, precision or device cannot be used, or the
            weights are missing.
    """
    chosen, _ = choose(name, weights)
    return _kind(chosen).identify(
        weights=weights,
        size=size,
        aspect=aspect,
        pool=pool,
        precision=precision,
        lora_alpha=lora_alpha,
        device=device,
    )


def check(name: str, weights: Weights = None) -> dict[str, Any]:
    """Load an embedder's weights, run a probe image through it, and report the result.

    Returns:
        name, path and digest (None for dsift), tensors (how many were loaded), report (one line on
        them), dim, and probe_norm: the length of the mean patch of a fixed image, by which two
        machines can compare results.

    Raises:
        EmbedderError: the weights are missing, unreadable or do not fit.
    """
    chosen, _ = choose(name, weights)
    path = None if entry(chosen).timm_id is None else find_weights(chosen, weights)
    embedder = open_embedder(chosen, weights=weights)
    frame = _probe_frame()
    norm = float(np.linalg.norm(to_numpy(embedder.embed(frame).patches).mean(axis=(1, 2))))
    if not math.isfinite(norm):
        raise EmbedderError(
            f"the weights {str(path)!r} turn an image into NaN or infinity: download them again"
        )
    record = embedder.describe(*frame.size)
    return {
        "name": chosen,
        "path": None if path is None else str(path),
        "digest": record["weights_digest"],
        "tensors": 0 if embedder.report is None else len(embedder.report.loaded),
        "report": None if embedder.report is None else str(embedder.report),
        "dim": embedder.dim,
        "probe_norm": norm,
    }


def list_embedders() -> list[dict[str, Any]]:
    """All embedders as JSON-able values: name, dim, patch, description, repo, and weights.

    ``weights`` is the file on this machine, ``none needed``, or ``not on this machine``.
    """

    def weights(made: Entry) -> str:
        return (
            "none needed"
            if made.repo is None
            else str(cached_weights(made.name) or "not on this machine")
        )

    return [
        {
            "name": made.name,
            "dim": made.dim,
            "patch": made.patch,
            "description": made.description,
            "repo": made.repo,
            "weights": weights(made),
        }
        for made in CATALOG.values()
    ]


def _probe_frame() -> Frames:
    """One 224 x 224 frame of ramps and squares, the same bits on every machine."""
    y, x = np.mgrid[:224, :224]
    data = np.stack([x, y, (x // 28 + y // 28) % 2 * 200 + 20], axis=-1).astype(np.uint8)[None]
    one = np.zeros(1, np.int64)
    pixels = data.transpose(0, 3, 1, 2)
    return Frames(pixels, one, one, np.zeros(1), np.zeros(1, np.uint8), Fraction(1, 25))

"""The catalog of embedders. It does not import torch, so the command line can list it at once.

An embedder turns a frame into one vector per patch and one for the whole frame. ``dsift`` computes
them and needs no weights; the others are DINOv2 networks (Oquab et al., "DINOv2: Learning Robust
Visual Features without Supervision", TMLR 2024) whose weights are fetched once, without and with
register tokens (Darcet et al., "Vision Transformers Need Registers", ICLR 2024). Any other vision
transformer of timm is an embedder too, under its name there.
"""

from __future__ import annotations

from dataclasses import dataclass

from vfiscope.errors import EmbedderError
from vfiscope.printable import printable
from vfiscope.registry import suggest

__all__ = ["AUTO_ORDER", "CATALOG", "Entry", "Triple", "entry"]

Triple = tuple[float, float, float]


@dataclass(frozen=True)
class Entry:
    """The facts about an embedder that are known before it is opened."""

    name: str
    patch: int
    """Side of a patch in pixels of the resized frame."""
    dim: int
    """Length of a patch's vector."""
    description: str
    timm_id: str | None = None
    """Name of the network in timm; None where there is no network."""
    repo: str | None = None
    """The Hugging Face repository that holds the weights, None where there is none."""
    size: int | None = None
    """Short side of the resized frame where none is asked for; None takes that of the device."""
    mean: Triple = (0.485, 0.456, 0.406)
    """Mean of red, green and blue in 0..1, by which frames are normalised for the network; by
    default that of ImageNet."""
    deviation: Triple = (0.229, 0.224, 0.225)
    """The standard deviation, likewise."""


def _dinov2(size: str, dim: int, parameters: str, registers: str = "") -> Entry:
    what = f"DINOv2 ViT{' with 4 register tokens' if registers else ''}, {parameters} weights"
    model = f"vit_{size}_patch14_{registers and 'reg4_'}dinov2.lvd142m"
    return Entry(f"dinov2-{size}{registers}", 14, dim, what, model, f"timm/{model}")


CATALOG = {
    made.name: made
    for made in (
        Entry("dsift", 14, 135, "dense SIFT and colour, no weights"),
        _dinov2("small", 384, "22 M"),
        _dinov2("small", 384, "22 M", "-reg"),
        _dinov2("base", 768, "87 M"),
        _dinov2("base", 768, "87 M", "-reg"),
        _dinov2("large", 1024, "304 M"),
        _dinov2("large", 1024, "304 M", "-reg"),
        _dinov2("giant", 1536, "1.1 G"),
        _dinov2("giant", 1536, "1.1 G", "-reg"),
    )
}
"""{name: entry}, the cheapest first."""

AUTO_ORDER = ("dinov2-small", "dinov2-base", "dinov2-large", "dinov2-giant")
"""Embedders whose weights ``auto`` looks for on this machine, in this order, before it takes
dsift."""


def entry(name: str) -> Entry:
    """The entry of that name: one of the catalog, or made from the settings of timm, which imports
    torch. All names of timm's vision transformers have an underscore, and no other name has.

    Raises:
        EmbedderError: the embedder is unknown, or timm's network of that name cannot be used.
    """
    if name in CATALOG:
        return CATALOG[name]
    if "_" in name:
        from vfiscope.models.networks import timm_entry

        return timm_entry(name)
    raise EmbedderError(
        f"there is no embedder {printable(name)!r}: {suggest(name, CATALOG)}; or pass the name of a"
        " vision transformer of timm"
    )

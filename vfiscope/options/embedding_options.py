"""Options of how frames become vectors."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from vfiscope.options.option import FileName, Option
from vfiscope.options.pairing_options import PairingOptions

__all__ = ["Aspect", "Device", "EmbeddingOptions", "TokenPool"]

Device = Literal["auto", "cpu", "cuda", "mps"]
Aspect = Literal["keep", "stretch"]
TokenPool = Literal["patch", "all", "cls"]


class EmbeddingOptions(PairingOptions):
    """How frames become vectors, and on which device."""

    heading: ClassVar[str] = "Embedding"

    embedder: Annotated[
        str,
        Option(
            "Name, or auto: DINOv2 where its weights are on this machine, dsift otherwise.",
            "a name",
            "NAME",
            names="embedder",
        ),
    ] = "auto"
    weights: Annotated[
        FileName | None, Option("Weights of the embedder.", metavar="FILE", file=True)
    ] = None
    device: Annotated[Device, Option("Where tensors are computed.")] = "auto"
    size: Annotated[
        int | None,
        Field(ge=1, le=16384),
        Option(
            "Short side in pixels before embedding; the embedder's own where absent.",
            "a whole number of pixels",
        ),
    ] = None
    aspect: Annotated[
        Aspect, Option("Keep a frame's aspect before embedding, or make it square (stretch).")
    ] = "keep"
    pool: Annotated[TokenPool, Option("Tokens that make the pooled embedding.")] = "patch"
    precise: Annotated[
        bool, Option("Compute a network in float32 on a GPU too (bfloat16 otherwise).")
    ] = False
    window: Annotated[
        int | None,
        Field(ge=1, le=16384),
        Option(
            "Look for matches at most so many patches away; anywhere where absent.",
            "a whole number of patches",
        ),
    ] = None

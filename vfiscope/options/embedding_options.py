"""Options of embedding: how frames become vectors."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from vfiscope.options.option import FileName, Option
from vfiscope.options.pairing_options import PairingOptions

__all__ = ["Aspect", "Device", "EmbeddingOptions", "Precision", "TokenPool"]

Device = Literal["auto", "cpu", "cuda", "mps"]
Aspect = Literal["keep", "stretch"]
TokenPool = Literal["patch", "all", "cls"]
Precision = Literal["auto", "float32", "bfloat16"]


class EmbeddingOptions(PairingOptions):
    """How frames become vectors, and on which device."""

    heading: ClassVar[str] = "Embedding"

    embedder: Annotated[
        str,
        Option(
            "A name (any ViT of timm too), or auto: DINOv2 if its weights are here, else dsift.",
            "a name",
            "NAME",
            names="embedder",
        ),
    ] = "auto"
    weights: Annotated[
        FileName | None, Option("Weights of the embedder.", metavar="FILE", file=True)
    ] = None
    lora_alpha: Annotated[
        float | None,
        Field(ge=0, le=1e6),
        Option(
            "Alpha of LoRA adapters in the weights; by default the one stored with them.",
            "a number from 0 up",
        ),
    ] = None
    device: Annotated[Device, Option("Device to compute on.")] = "auto"
    size: Annotated[
        int | None,
        Field(ge=1, le=16384),
        Option(
            "Short side of frames in pixels for embedding; by default the embedder's own.",
            "a whole number of pixels",
        ),
    ] = None
    aspect: Annotated[
        Aspect,
        Option("Keep the aspect ratio of frames for embedding, or stretch them to a square."),
    ] = "keep"
    pool: Annotated[TokenPool, Option("Tokens that the pooled embedding is made from.")] = "patch"
    precision: Annotated[
        Precision,
        Option(
            "Numbers that the network multiplies; auto is float32 on a CPU, where bfloat16 can be"
            " twice as fast, and bfloat16 on a CUDA device."
        ),
    ] = "auto"
    window: Annotated[
        int | None,
        Field(ge=1, le=16384),
        Option(
            "Search for matches at most this many patches away; by default in the whole frame.",
            "a whole number of patches",
        ),
    ] = None

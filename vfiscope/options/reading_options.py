"""Options of reading: which frames, at which rate, in which form."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Field

from vfiscope.options.crop import Crop
from vfiscope.options.option import Group, Option

__all__ = ["BATCH", "IMAGE_RATE", "PREFETCH", "Position", "ReadOptions", "ResizeFilter", "ToneMap"]

BATCH = 8
PREFETCH = 2
IMAGE_RATE = 25.0

ResizeFilter = Literal["area", "bilinear", "bicubic", "lanczos"]
ToneMap = Literal["none", "reinhard", "hable", "mobius"]
TimeSource = Literal["exif", "name"]
Deinterlacer = Literal["none", "bwdif"]


def _ordinal(value: Any) -> Any:
    """Digits as an int, so that work begun in Python can be continued from the command line."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 19:
        return int(value)
    return value


Position = Annotated[str | int | float | None, BeforeValidator(_ordinal)]
"""Ordinal (int or digits) or time ("2.5s", "0:01:02.5", or a float in seconds)."""
A_POSITION = "a frame number or a time"


class ReadOptions(Group):
    """How a source is read; one field per option."""

    heading: ClassVar[str] = "Frames"

    batch: Annotated[
        int,
        Field(ge=1, le=4096),
        Option(
            "Frames decoded and scored together; affects speed and memory, never a score.",
            stored=False,
        ),
    ] = BATCH
    prefetch: Annotated[
        int,
        Field(ge=1, le=1024),
        Option("Batches decoded ahead of scoring.", stored=False, hidden=True),
    ] = PREFETCH
    start: Annotated[
        Position,
        Option("First frame (120) or time (2.5s, 0:01:02.5).", A_POSITION, "POSITION"),
    ] = None
    """Of the test; paired row by row, the reference delivers the frames of the same ordinals."""
    stop: Annotated[
        Position,
        Option("End (exclusive): a frame or a time.", A_POSITION, "POSITION"),
    ] = None
    step: Annotated[int, Field(ge=1, le=1_000_000_000), Option("Take every N-th frame.")] = 1
    fps: Annotated[
        float,
        Field(ge=1e-6, le=1e5),
        Option("Frames per second of image folders and arrays.", "frames per second"),
    ] = IMAGE_RATE
    resize: Annotated[
        ResizeFilter | None,
        Option(
            "Resize frames of another size to the reference's with this filter; by default other"
            " sizes are refused."
        ),
    ] = None
    crop: Annotated[
        Crop,
        Option(
            "Score only this box of the frames, in pixels before --resize; or leave out black bars,"
            " on each side its own (bars).",
            "X,Y,W,H, or bars",
            "X,Y,W,H|bars",
        ),
    ] = None
    tonemap: Annotated[
        ToneMap | None,
        Option(
            "Convert HDR (PQ, HLG) to SDR, or use its values as stored (none); by default HDR is"
            " refused."
        ),
    ] = None
    time_from: Annotated[
        TimeSource | None,
        Option(
            "Take the times of an image folder from EXIF or the file names; by default they are"
            " counted at --fps."
        ),
    ] = None
    stream: Annotated[
        int | None,
        Field(ge=0, le=9999),
        Option(
            "Read the stream of TEST with this number; by default the best video stream.",
            "the number of a video stream",
            "N",
        ),
    ] = None
    deinterlace: Annotated[
        Deinterlacer, Option("Deinterlace interlaced video; the frame count stays.")
    ] = "none"

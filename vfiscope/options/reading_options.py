"""Options of reading: which frames, at which rate, in which form."""

from __future__ import annotations

import re
from collections.abc import Mapping
from fractions import Fraction
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from vfiscope.errors import UsageError
from vfiscope.options.crop import Crop
from vfiscope.options.option import Group, Option

__all__ = [
    "BATCH",
    "IMAGE_RATE",
    "PREFETCH",
    "Position",
    "RawFormat",
    "ReadOptions",
    "ResizeFilter",
    "ToneMap",
    "as_stated",
    "parse_rate",
    "with_rate",
]

BATCH = 4
PREFETCH = 2
IMAGE_RATE = 25.0
MIN_FPS, MAX_FPS = 1e-6, 1e5
RATE = re.compile(r"\+?(?:[0-9]{1,12}(?:/[0-9]{1,12}|\.[0-9]{0,18})?|\.[0-9]{1,18})")

ResizeFilter = Literal["area", "bilinear", "bicubic", "lanczos"]
ToneMap = Literal["none", "reinhard", "hable", "mobius"]
TimeSource = Literal["exif", "name", "fps"]
Deinterlacer = Literal["none", "bwdif"]
RawFormat = Literal[
    "yuv420p",
    "yuv422p",
    "yuv444p",
    "yuv420p10le",
    "yuv422p10le",
    "yuv444p10le",
    "nv12",
    "gray",
    "rgb24",
    "bgr24",
    "rgb48le",
]
"""Pixel formats as FFmpeg names them."""


def parse_rate(text: str) -> Fraction:
    """A number or fraction, such as 25, 23.976 or 30000/1001. Fraction itself would take other
    digits and a power of ten of any size, which it would work out.

    Raises:
        ValueError: it is neither.
        ZeroDivisionError: it is a fraction of 0.
    """
    if not RATE.fullmatch(text.strip()):
        raise ValueError
    return Fraction(text.strip())


def _frames_per_second(value: str | float | None) -> float | None:
    """A rate as a number, also of one that is written as a fraction.

    Raises:
        ValueError: it is none, or out of range.
    """
    if isinstance(value, str):
        if not value.isascii() or "_" in value:  # Python takes digits of every script, and 1_000
            raise ValueError
        try:
            value = float(parse_rate(value)) if "/" in value else float(value)
        except (ValueError, ZeroDivisionError) as error:
            raise ValueError from error
    if value is not None and not MIN_FPS <= value <= MAX_FPS:
        raise ValueError(f"pass a number from {MIN_FPS} to {MAX_FPS}")
    return value


def _ordinal(value: Any) -> Any:
    """Digits as an int, so that work begun in Python can be continued from the command line."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 19:
        return int(value)
    return value


def _size(value: str | None) -> str | None:
    """WIDTHxHEIGHT without leading zeros.

    Raises:
        UsageError: it is not.
    """
    if value is None:
        return None
    found = re.fullmatch(r"0*([1-9][0-9]{0,4})[xX]0*([1-9][0-9]{0,4})", value, re.ASCII)
    if found is None:
        raise UsageError(f"raw_size is {value!r}: pass WIDTHxHEIGHT in pixels, such as 1920x1080")
    return f"{found[1]}x{found[2]}"


def as_stated(stored: Mapping[str, Any]) -> dict[str, Any]:
    """The options of a stored run. Earlier versions stored the default rate where nobody stated
    one, and no clock beside one that was stated."""
    unstated = stored.get("time_from") is None and stored.get("fps") == IMAGE_RATE
    return {**stored, "fps": None} if unstated else _with_clock(stored)


def with_rate(config: Mapping[str, Any]) -> dict[str, Any]:
    """Options as they are compared: beside a clock, the default rate is the same whether it was
    stated or not, which earlier versions did not store."""
    unstated = config.get("time_from") is not None and config.get("fps") is None
    return {**config, **({"fps": IMAGE_RATE} if unstated else {})}


def _with_clock(values: Mapping[str, Any]) -> dict[str, Any]:
    """Who states a rate of images wants them counted at it."""
    stated = values.get("fps") is not None and values.get("time_from") is None
    return {**values, **({"time_from": "fps"} if stated else {})}


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
        Option(
            "Batches decoded ahead of scoring; affects speed and memory, never a score.",
            stored=False,
        ),
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
        str | float | None,
        AfterValidator(_frames_per_second),
        Option(
            "Frames per second of image folders, arrays and raw video; by default 25. Images are"
            " counted at a rate that is stated. Video with times of its own keeps them.",
            "frames per second, such as 25 or 30000/1001",
            "RATE",
        ),
    ] = None
    """None where nobody stated one: :data:`IMAGE_RATE`."""
    resize: Annotated[
        ResizeFilter | None,
        Option(
            "Resize frames of another size to the reference's with this filter; by default other"
            " sizes are refused."
        ),
    ] = None
    max_width: Annotated[
        int | None,
        Field(ge=16, le=65536),
        Option(
            "Read videos and images that are wider than this at the largest whole fraction of their"
            " size that is no wider (of very wide frames three times their height counts); by"
            " default 320 where --kinds names kinds that this is enough for.",
            "a width in pixels",
            "PX",
            verbs=("scan",),
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
            "Order images by their EXIF time or by the date in their names, or count them at --fps;"
            " by default scan finds times that agree with the order of names."
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
    raw_size: Annotated[
        str | None,
        AfterValidator(_size),
        Option(
            "Width and height of the frames in raw video (.yuv, .raw, .rgb), which has no header.",
            "WIDTHxHEIGHT in pixels",
            "WxH",
        ),
    ] = None
    raw_format: Annotated[
        RawFormat | None,
        Option("Pixel format of raw video, as FFmpeg names it; its rate is --fps."),
    ] = None

    @model_validator(mode="before")
    @classmethod
    def _counted(cls, values: dict[str, Any]) -> dict[str, Any]:
        return _with_clock(values)

"""Every default of vfiscope, in one place. The command line reads its defaults from here."""

from __future__ import annotations

import dataclasses
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from fractions import Fraction
from pathlib import Path
from typing import Any

from vfiscope.errors import UsageError

__all__ = ["RunConfig", "default_out", "parse_multiplier"]

MODES = ("score", "scan", "compare")
TOKEN_POOLS = ("patch", "all", "cls")
ASPECTS = ("keep", "stretch")
DEVICES = ("auto", "cpu", "cuda", "mps")
RESIZE_FILTERS = ("area", "bilinear", "bicubic", "lanczos")
TONE_MAPS = ("none", "reinhard", "hable", "mobius")
TIME_SOURCES = ("exif", "name")
DEINTERLACERS = ("none", "bwdif")
REGISTER_METHODS = ("none", "ecc", "sift", "loftr")

DEFAULT_METRICS = ("cosine", "mismatch", "psnr", "ssim")
"""Embeddings before pixels, here and in every run: they rank interpolated frames best, and what is
computed first is printed and drawn first."""
DEFAULT_MAPS = ("mismatch",)
DEFAULT_FIELDS = ("motion",)
NEIGHBOUR_METRICS = (
    *(
        "cosine_before",
        "cosine_after",
        "fault",
        "moving",
        "repeat",
        "late",
        "early",
        "blend",
        "torn",
        "level",
    ),
    *("midpoint_px", "ghosting", "warp", "foreign", "cut"),
)
NEIGHBOUR_MAPS = ("fault", "ghosting", "warp", "foreign")
"""What is computed where there is no ground truth; with the source, PSNR and SSIM of its own frames
besides."""
FIELD_METRICS = {"motion": "mismatch"}
"""The metric whose matches a field shows."""

BATCH = 8
"""Frames decoded and scored together. Changes speed and memory, never a score."""
PREFETCH = 2
"""Batches decoded ahead of the scoring."""
IMAGE_RATE = 25.0
"""Frames per second that a folder of images is given."""
ROWS_PER_PART = 64
"""Rows in a part file: what a killed run loses at most; one that is interrupted loses none."""

SIZE_DSIFT = 392
SIZE_DINOV2_CPU = 224
SIZE_DINOV2_GPU = 518
"""Short side in pixels to which a frame is resized before it is embedded."""

MAX_CONSECUTIVE_ERRORS = 32
"""A video is given up after so many undecodable packets in a row."""

MAX_FRAMES = 10_000_000
"""A source that claims or holds more frames is refused."""
MAX_DURATION_S = 366 * 24 * 3600
"""A video that claims to be longer is refused."""
MAX_BATCH_BYTES = 2**31
"""Batches are made smaller where their pixels would not fit in this."""
MAX_LAG_BYTES = 2**32
"""A scan whose lag would hold more than this in frames and features is refused."""

FLAG_ENTER = 6.0
"""Robust standard deviations from the clip's own level at which a segment starts."""
FLAG_LEAVE = 3.0
"""Robust standard deviations at which it ends (hysteresis)."""
FLAG_MIN_FRAMES = 1
"""Shortest segment of the default rule."""

ALIGN = "none"
LOW_MARGIN = 0.2
"""Below this margin a partner is one of several that fit nearly as well (see
:class:`vfiscope.types.Pairing`)."""
ALIGN_CELLS = 4_000_000
"""Pairs of frames that an alignment compares at most at once; longer clips are compared in a band
(20 bytes each)."""
RATE_TOLERANCE = 0.001
"""Part by which the rates of two videos may differ and their frames still be paired row by row."""

NOT_STORED = frozenset({"out", "batch", "prefetch", "overwrite", "resume", "fail_on"})
"""Options that never change what a run holds."""
NOT_IDENTITY = NOT_STORED | {"test", "ref", "source", "flag"}
"""Options with which unfinished work may go on: what is not stored; inputs, which are known by path
and digest however they were spelled; and rules, which are applied at the end."""


_NUMBER = ((int,), "a whole number")
_TEXTS = ((tuple,), "a list of texts")
_FLAG = ((bool,), "true or false")
_TYPES: dict[str, tuple[tuple[type, ...], str]] = {
    "mode": ((str,), "a text"),
    "multiplier": ((str, int, float, type(None)), "a ratio, as 2, 5/2 or 24:60"),
    "lag": ((int, type(None)), "a whole number"),
    "comparison": ((str,), "a name"),
    "out": ((str, type(None)), "a file name"),
    "metrics": _TEXTS,
    "maps": _TEXTS,
    "fields": _TEXTS,
    "signals": _TEXTS,
    "embedder": ((str,), "a name"),
    "weights": ((str, type(None)), "a file name"),
    "device": ((str,), "a name"),
    "size": ((int, type(None)), "a whole number of pixels"),
    "aspect": ((str,), "a name"),
    "pool": ((str,), "a name"),
    "precise": _FLAG,
    "window": ((int, type(None)), "a whole number of patches"),
    "batch": _NUMBER,
    "prefetch": _NUMBER,
    "start": ((str, int, float, type(None)), "a frame number or a time"),
    "stop": ((str, int, float, type(None)), "a frame number or a time"),
    "step": _NUMBER,
    "fps": ((int, float), "frames per second"),
    "align": ((str, int), "auto, none, or a shift in frames"),
    "register": ((str,), "a name"),
    "register_weights": ((str, type(None)), "a file name"),
    "resize": ((str, type(None)), "the name of a filter"),
    "tonemap": ((str, type(None)), "the name of a tone map"),
    "time_from": ((str, type(None)), "where times come from"),
    "stream": ((int, type(None)), "the number of a video stream"),
    "deinterlace": ((str,), "the name of a deinterlacer"),
    "flag": _TEXTS,
    "fail_on": _TEXTS,
    "overwrite": _FLAG,
    "resume": _FLAG,
}
_BOUNDS = {
    "lag": (1, 1_000_000),
    "batch": (1, 4096),
    "prefetch": (1, 1024),
    "step": (1, 1_000_000_000),
    "size": (1, 16384),
    "stream": (0, 9999),
    "window": (1, 16384),
    "fps": (1e-6, 1e5),
}


@dataclass(frozen=True)
class RunConfig:
    """What to compare and how. One field for each option of ``score``, ``scan`` and ``compare``."""

    mode: str
    test: Any
    """Path, glob, printf pattern, or an array (N, H, W, 3) uint8 or uint16."""
    ref: Any = None
    source: Any = None
    """The lower-rate video that the test was made from by interpolation, where there is no ground
    truth."""
    multiplier: str | int | float | None = None
    """Test frames to a source frame, as "2", "2.5", "5/2" or "24:60". With ``source``, None finds
    it from the frames. Without, a whole number M states that frames 0, M, 2M ... (of the reference,
    or of the test alone) are originals that were passed through, and that those between were
    synthesised from them; None states nothing."""
    golden: Any = None
    """Image path or array, or the ordinal of the golden frame in the test itself."""
    lag: int | None = None
    """Compare every frame of a scan with the one so many frames before; 1 where neither golden nor
    lag is given."""
    align: str | int = ALIGN
    """Which reference frame a test frame is scored against: "none", that of the same row; a number,
    that so many frames later; "auto", the one that a map found from the pictures gives."""
    comparison: str = "auto"
    """What test frames are compared with, by name: see :data:`vfiscope.comparisons.COMPARISONS`;
    "auto", what the other options mean."""
    register: str = "none"
    """How each test frame is brought onto its partner before it is scored: "ecc" for small motions,
    "sift", or "loftr" with weights of its own; "none" takes it as it is."""
    register_weights: str | None = None
    out: str | None = None
    metrics: tuple[str, ...] = ()
    """Empty: what suits the mode."""
    maps: tuple[str, ...] = ()
    """Empty: what suits the mode and shows one of the metrics, as with the fields."""
    fields: tuple[str, ...] = ()
    signals: tuple[str, ...] = ()
    """Empty: those that cost little, as far as the run offers what they look at."""
    embedder: str = "auto"
    weights: str | None = None
    device: str = "auto"
    size: int | None = None
    """Short side before embedding, None for the embedder's own default."""
    aspect: str = "keep"
    """"stretch" makes both sides of a frame ``size`` pixels before embedding."""
    pool: str = "patch"
    precise: bool = False
    """Compute a network in float32 on a GPU too, where products are bfloat16 otherwise."""
    window: int | None = None
    """How many columns and rows of patches a match may be away; None for anywhere in the frame."""
    batch: int = BATCH
    prefetch: int = PREFETCH
    start: str | int | float | None = None
    """Ordinal (int or digits) or time ("2.5s", "0:01:02.5", or a float in seconds) of the test;
    where rows are paired, the reference gives the frames of the same ordinals."""
    stop: str | int | float | None = None
    step: int = 1
    fps: float = IMAGE_RATE
    """Frames per second of image folders and arrays."""
    resize: str | None = None
    """Filter with which frames of another size are brought to the reference's; None refuses
    them."""
    tonemap: str | None = None
    """How HDR (PQ, HLG) becomes SDR, "none" to take its code values as they are; None refuses
    HDR."""
    time_from: str | None = None
    """Where the times of the test's images come from: "exif" or "name"; None counts them at
    ``fps``."""
    stream: int | None = None
    """Which stream of the test is read, as the container numbers all of its streams; None takes the
    best for video."""
    deinterlace: str = "none"
    """What becomes of interlaced video: "none", both fields are one picture; "bwdif", a whole
    picture for each."""
    flag: tuple[str, ...] = ()
    fail_on: tuple[str, ...] = ()
    overwrite: bool = False
    resume: bool = True

    def __post_init__(self) -> None:
        for name, (kinds, meant) in _TYPES.items():
            value = getattr(self, name)
            if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
                raise UsageError(f"{name} is {value!r}: give {meant}")
        self._spell_alike()
        choices = {
            "mode": MODES,
            "aspect": ASPECTS,
            "pool": TOKEN_POOLS,
            "device": DEVICES,
            "register": REGISTER_METHODS,
            "resize": (None, *RESIZE_FILTERS),
            "tonemap": (None, *TONE_MAPS),
            "time_from": (None, *TIME_SOURCES),
            "deinterlace": DEINTERLACERS,
        }
        for name, allowed in choices.items():
            value = getattr(self, name)
            if value not in allowed:
                listed = ", ".join(str(choice) for choice in allowed if choice is not None)
                raise UsageError(f"{name} is {value!r}: choose one of {listed}")
        for name, (low, high) in _BOUNDS.items():
            value = getattr(self, name)
            if value is not None and not low <= value <= high:
                raise UsageError(f"{name} is {value!r}: give a number from {low} to {high}")
        if self.out is not None and not self.out.endswith((".h5", ".hdf5")):
            raise UsageError(f"out is {self.out!r}: give a name that ends in .h5")
        object.__setattr__(self, "align", _shift_or_word(self.align))
        if self.multiplier is not None:
            object.__setattr__(self, "multiplier", str(parse_multiplier(self.multiplier)))
        self._check_mode()
        self._fill_in()

    def _check_mode(self) -> None:
        """Refuse what this mode would ignore."""
        unused = {"ref"} if self.mode == "scan" else {"golden", "lag"}
        if self.mode != "score":
            unused |= {"source", "multiplier"}
        for name in sorted(unused):
            if getattr(self, name) is not None:
                other = "scan" if name in ("golden", "lag") else "score"
                raise UsageError(
                    f"{name} means nothing in mode {self.mode}: leave it out, or use mode {other}"
                )
        if self.golden is not None and self.lag is not None:
            raise UsageError("golden and lag are two ways to compare: give one of them")
        if self.source is not None and self.ref is not None:
            raise UsageError("source and ref are two ways to judge interpolation: give one of them")
        if self.multiplier is not None and self.source is None and "/" in str(self.multiplier):
            raise UsageError(
                f"multiplier is {self.multiplier}: without source only a whole number tells which"
                " frames are originals"
            )
        if self.multiplier is not None and self.source is None and self.step != 1:
            raise UsageError(
                f"step is {self.step} beside multiplier, which counts every frame: leave one of"
                " them out"
            )
        if (
            self.align != "none"
            and self.mode == "score"
            and self.ref is None
            and self.source is None
        ):
            raise UsageError(
                f"align is {self.align!r} without ref: there is nothing to align with, add --ref"
            )
        if (
            isinstance(self.align, int)
            and self.align != 0
            and (self.step != 1 or self.start is not None)
        ):
            raise UsageError(
                f"align is {self.align} beside start or step, which shift too: give --align auto"
            )
        if self.source is not None and (self.step != 1 or self.align != "none"):
            raise UsageError(
                "step and align do not go with source, whose cadence is found: leave them out"
            )
        if self.align != "none" and self.mode != "score":
            raise UsageError(
                f"align is {self.align!r} in {self.mode}, where nothing is aligned in time: leave"
                f" it out, or use vfiscope score TEST --ref REF --align {self.align}"
            )
        if self.register_weights is not None and self.register != "loftr":
            raise UsageError(
                f"register_weights mean nothing where register is {self.register!r}: give loftr"
            )
        if self.register_weights is None and self.register == "loftr":
            raise UsageError(
                "register is 'loftr' without its weights: give --register-weights FILE"
            )
        if self.register != "none" and self.mode == "score" and self.ref is None:
            raise UsageError(
                f"register is {self.register!r} without ref: it brings test frames onto a"
                " reference's"
            )

    def _spell_alike(self) -> None:
        """Give what means the same one form, so that work begun from Python goes on from the
        command line."""
        object.__setattr__(self, "fps", float(self.fps))
        for name in ("start", "stop"):
            value = getattr(self, name)
            if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 19:
                object.__setattr__(self, name, int(value))

    def _fill_in(self) -> None:
        """Choose what is computed where nothing was asked for."""
        for name, names in self._usual().items():
            if not getattr(self, name):
                object.__setattr__(self, name, names)

    def _usual(self) -> dict[str, tuple[str, ...]]:
        """What suits the mode; of its maps and fields those that show a metric asked for."""
        metrics: tuple[str, ...] = DEFAULT_METRICS
        maps: tuple[str, ...] = DEFAULT_MAPS
        fields: tuple[str, ...] = DEFAULT_FIELDS
        if self.mode == "score" and self.ref is None:
            originals = ("psnr", "ssim") if self.source is not None else ()
            metrics, maps, fields = NEIGHBOUR_METRICS + originals, NEIGHBOUR_MAPS, ()
        asked = self.metrics or metrics
        return {
            "metrics": metrics,
            "maps": tuple(name for name in maps if name in asked) or ("none",),
            "fields": tuple(name for name in fields if FIELD_METRICS[name] in asked) or ("none",),
        }

    @classmethod
    def from_options(cls, mode: str, options: Mapping[str, Any]) -> RunConfig:
        """A configuration from option names and values, as in a job file.

        Lists become tuples, and a comma-separated string is read as a list where a list is meant.

        Raises:
            UsageError: an option does not exist, or has an impossible value.
        """
        known = {field.name: field for field in fields(cls)}
        values: dict[str, Any] = {}
        for key, value in options.items():
            name = key.replace("-", "_")
            if name not in known or name == "mode":
                raise UsageError(
                    f"there is no option {key!r}: choose from {', '.join(sorted(known))}"
                )
            values[name] = (
                _as_tuple(name, value) if _TYPES.get(name) is _TEXTS else _as_path(name, value)
            )
            if name == "metrics" and value is not None and not values[name]:
                raise UsageError("metrics is empty: name at least one, or leave the option out")
        if values.get("test") is None:
            raise UsageError("test is missing: name the video, folder or image to examine")
        return cls(mode=mode, **values)

    def to_dict(self) -> dict[str, Any]:
        """Every option that can change what a run holds, as JSON-able values; arrays become
        ``"array"``."""
        return {
            f.name: _jsonable(getattr(self, f.name))
            for f in fields(self)
            if f.name not in NOT_STORED
        }

    def replace(self, **changes: Any) -> RunConfig:
        """A copy with some options changed; what suited the mode suits that of the copy."""
        usual = {name: () for name, names in self._usual().items() if getattr(self, name) == names}
        return dataclasses.replace(self, **{**usual, **changes})


def default_out(test: Any) -> str:
    """The result's name where none is given: after the test, in the current folder."""
    parts = [part for part in Path(str(test)).parts if not any(mark in part for mark in "*?[%")]
    return f"{Path(parts[-1]).stem if parts and parts[-1].strip('/.') else 'vfiscope'}.h5"


def parse_multiplier(value: str | int | float) -> Fraction:
    """Test frames to a source frame: "2", "2.5", "5/2", or two rates as "24:60".

    Raises:
        UsageError: it is no ratio above 1 (nothing would be interpolated) and up to 1000.
    """
    try:
        low, _, high = str(value).partition(":")
        ratio = Fraction(high.strip()) / Fraction(low.strip()) if high else Fraction(low.strip())
        ratio = ratio.limit_denominator(1001)
    except (ValueError, ZeroDivisionError):
        ratio = Fraction(0)
    if not 1 < ratio <= 1000:
        raise UsageError(
            f"multiplier is {value!r}: give test frames to a source frame, more than 1, as 2, 5/2"
            " or 24:60"
        )
    return ratio


def _shift_or_word(value: Any) -> str | int:
    """What ``align`` says, numbers as numbers."""
    if value in ("auto", "none") or (isinstance(value, int) and not isinstance(value, bool)):
        return value  # type: ignore[no-any-return]
    if isinstance(value, str) and re.fullmatch(r"[+-]?\d{1,9}", value.strip()):
        return int(value)
    raise UsageError(f"align is {value!r}: give auto, none, or a shift in frames, as +3 or -17")


def _as_tuple(name: str, value: Any) -> Any:
    if value is None:
        return ()
    if isinstance(value, str):
        split = value.split(",") if name in ("metrics", "maps", "fields", "signals") else [value]
        return tuple(part.strip() for part in split if part.strip())
    if isinstance(value, (list, tuple)) and all(isinstance(part, str) for part in value):
        return tuple(value)
    raise UsageError(f"{name} is {value!r}: give a list of texts")


def _as_path(name: str, value: Any) -> Any:
    return (
        os.fspath(value)
        if name in ("out", "weights", "register_weights") and isinstance(value, os.PathLike)
        else value
    )


def _jsonable(value: Any) -> Any:
    if isinstance(value, tuple):
        return list(value)
    if value is None or isinstance(value, (str, int, float, bool)):
        return value
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    return "array"

"""The findings of the doctor: for each code its severity, its name and its remedy.

A finding is a :class:`vfiscope.types.Note` with a code in ``FINDINGS``: one that a source made when
it was opened, or one of :class:`DoctorCode`, which :mod:`vfiscope.inspection.medium_checks` and
:mod:`vfiscope.inspection.pair_checks` make. To add one, add its code and its row here, and make the
note in one of these files.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple

from vfiscope.registry import Registry
from vfiscope.types import Code, Note, sentence
from vfiscope.types.notes import SENTENCES, Template, counted

__all__ = ["FINDINGS", "SEVERITIES", "DoctorCode", "Finding", "Kind"]

SEVERITIES = ("error", "warning", "info")
SSIM_WINDOW = 11
"""Least width and height in pixels of a frame for ssim."""


class Kind(NamedTuple):
    """The properties shared by all findings of one code."""

    severity: str
    """error: pixels are damaged or missing; warning: scores may not mean what they seem to; info:
    worth knowing."""
    what: str
    remedy: str = ""
    """What to do; empty where nothing needs to be done."""


FINDINGS: Registry[Kind] = Registry("finding")
"""{code: what it means}; a note of another code is information without a remedy."""
UNKNOWN_NOTE = Kind("info", "note")


@dataclass(frozen=True)
class Finding:
    """One unusual thing about a medium or a pair."""

    note: Note
    where: str
    """test, ref or pair."""

    @property
    def kind(self) -> Kind:
        """The properties of its code."""
        return FINDINGS.get(self.note.code, UNKNOWN_NOTE)

    @property
    def severity(self) -> str:
        """error, warning or info."""
        return self.kind.severity

    @property
    def what(self) -> str:
        """Its name."""
        return self.kind.what

    @property
    def detail(self) -> str:
        """What was found, with numbers."""
        return sentence(self.note)

    @property
    def remedy(self) -> str:
        """What to do; empty where nothing needs to be done."""
        if self.note.code == Code.SEVERAL_STREAMS and self.where != "test":
            return ONE_STREAM_OF_REF
        return self.kind.remedy

    def to_dict(self) -> dict[str, Any]:
        """The finding as JSON values: its texts, and the note."""
        words = {"severity": self.severity, "what": self.what, "detail": self.detail}
        return {**words, "remedy": self.remedy, "where": self.where, **self.note.to_dict()}


class DoctorCode(StrEnum):
    """Codes of what only reading every frame, or comparing two media, can show."""

    READING_ENDS_EARLY = "reading_ends_early"
    PACKETS_UNDECODABLE = "packets_undecodable"
    IMAGES_UNREADABLE = "images_unreadable"
    FRAMES_CORRUPT = "frames_corrupt"
    PACKETS_DAMAGED = "packets_damaged"
    FEWER_FRAMES = "fewer_frames_than_claimed"
    MORE_FRAMES = "more_frames_than_claimed"
    SURPLUS_FRAMES = "more_frames_than_there_can_be"
    NO_KEYFRAME_FIRST = "no_keyframe_first"
    VARIABLE_RATE = "variable_rate"
    TIME_GAPS = "time_gaps"
    TIMES_MISSING = "times_missing"
    TIMES_REPEATED = "times_repeated"
    TIMES_BACKWARD = "times_backward"
    TIMES_NEGATIVE = "times_negative"
    DELAYED_START = "delayed_start"
    EDIT_LIST = "edit_list"
    RATE_CLAIMED_WRONG = "rate_claimed_wrong"
    MIXED_SIZES = "mixed_sizes"
    MIXED_COLORS = "mixed_colors"
    COLOR_TAGS_MISSING = "color_tags_missing"
    ODD_SIZE = "odd_size"
    TINY = "tiny"
    HUGE = "huge"
    PARTLY_INTERLACED = "partly_interlaced"
    EXIF_ORIENTATION = "exif_orientation"
    NAME_NOT_CONTENT = "name_not_content"
    NAMES_NOT_CONTENT = "names_not_content"
    MIXED_FORMATS = "mixed_formats"
    COVERS = "covers"
    BLACK_BARS = "black_bars"
    PAIR_SIZE = "pair_size"
    PAIR_SHAPE = "pair_shape"
    PAIR_BARS = "pair_bars"
    PAIR_OFFSET = "pair_offset"
    PAIR_COUNT = "pair_count"
    PAIR_RATE = "pair_rate"
    PAIR_DURATION = "pair_duration"
    PAIR_MATRIX = "pair_matrix"
    PAIR_RANGE = "pair_range"
    PAIR_PRIMARIES = "pair_primaries"
    PAIR_TRANSFER = "pair_transfer"
    PAIR_COLOR_GUESSED = "pair_color_guessed"
    PAIR_DEPTH = "pair_depth"


def listed(counts: Mapping[str, int]) -> str:
    """Counts as text: "16x16 x 6, 20x20 x 1"."""
    return ", ".join(f"{name} x {count}" for name, count in counts.items())


def _differs(test: str, ref: str, guessed: bool) -> str:
    return f"test {test}, ref {ref}{' (a guess)' if guessed else ''}"


AGAIN = "make or copy it again; scores of damaged frames are kept and marked"
DEINTERLACE = "score it with --deinterlace bwdif"
REMUX = "frames are identified by their order; remux to fix the times"
ALIKE = "make both sides the same, or tag them"
TONEMAP = "score it with --tonemap reinhard, or --tonemap none for the values as stored"
ONE_STREAM_OF_REF = "--stream is for the test alone: copy another one into a file of its own"
UNSTRETCHED = (
    "pass the part that both show to --crop and --crop-ref, or --resize FILTER with --register sift"
)
ALIGN_RATES = (
    "pass --align auto; if the test was interpolated from it, use vfiscope score TEST --source REF"
)

OF_SOURCES: dict[Code, Kind] = {
    **{
        code: Kind("error", "cut short", AGAIN)
        for code in (
            Code.FILE_CUT_SHORT,
            Code.CHECKSUMS_DIFFER,
            Code.STRUCTURE_BROKEN,
            Code.GIF_ENDS_EARLY,
            Code.GIF_BAD_BLOCK,
            Code.GIF_WITHOUT_END,
            Code.TIME_SCALE_MISSING,
        )
    },
    Code.GAVE_UP: Kind("error", "reading ends early", AGAIN),
    Code.SEVERAL_STREAMS: Kind("warning", "several video streams", "choose one with --stream"),
    Code.CLOCK_RESTARTS: Kind("warning", "joined parts", "remux it if times matter"),
    Code.PIXELS_NOT_SQUARE: Kind(
        "info", "sample aspect", "scale to square pixels first if the other side has them"
    ),
    Code.ROTATED: Kind("info", "rotation"),
    Code.ROTATION_IGNORED: Kind("warning", "rotation", "turn the frames when encoding"),
    Code.HDR_AS_STORED: Kind("warning", "HDR", TONEMAP),
    Code.HDR_TONE_MAPPED: Kind("warning", "HDR", TONEMAP),
    Code.INTERLACED: Kind("warning", "interlaced", DEINTERLACE),
    Code.DEINTERLACED: Kind("info", "interlaced"),
    Code.ALPHA_NOT_DECODED: Kind(
        "warning", "alpha", "re-encode without alpha, over the intended background"
    ),
    Code.ALPHA_ON_BLACK: Kind("info", "alpha"),
    Code.NO_TIMES: Kind(
        "warning", "no times", "pass the rate with --fps, or remux it into a container"
    ),
    Code.NUMBERING_GAPS: Kind(
        "warning",
        "gaps",
        "add the missing images; otherwise later frames are paired with the wrong ones",
    ),
    Code.TAKEN: Kind("info", "time-lapse"),
    Code.NOT_DATED: Kind("info", "no dates"),
    Code.TIMES_SHARED: Kind("info", "times"),
    Code.CLOCK_WENT_BACK: Kind(
        "warning", "clock", "if it is not, write OffsetTimeOriginal, or pass --time-from fps"
    ),
    Code.CLOCK_WENT_FORWARD: Kind("info", "clock"),
    Code.READ_BY_TIME: Kind("info", "order"),
    Code.NAMES_AGAINST_TIMES: Kind("warning", "order", "check which order is right"),
    Code.NEGATIVE_NUMBERS: Kind("info", "negative numbers"),
    Code.COUNTER_STARTS_AGAIN: Kind(
        "warning", "order", "if that is wrong, rename the images, or pass --time-from exif"
    ),
    Code.IMAGE_PAGES: Kind(
        "warning",
        "several images in a file",
        "a TIFF, WebP, PNG, GIF, AVIF or HEIC that is passed by itself is read whole",
    ),
    Code.IMAGE_TRANSPARENT: Kind(
        "warning", "alpha", "lay it on the intended background, the same on both sides"
    ),
    Code.OTHER_FILES: Kind("info", "other files"),
    Code.MIXED_WITH_HEIC: Kind(
        "warning", "two kinds of images", "pass a glob to read those that are left out"
    ),
    Code.FOLDERS_INSIDE: Kind("info", "other files"),
}
OF_THE_DOCTOR: dict[DoctorCode, tuple[Kind, Template]] = {
    DoctorCode.READING_ENDS_EARLY: (Kind("error", "reading ends early", AGAIN), "{reason}"),
    DoctorCode.PACKETS_UNDECODABLE: (
        Kind("error", "damage", AGAIN),
        lambda count: f"{counted(count, 'packet')} that cannot be decoded",
    ),
    DoctorCode.IMAGES_UNREADABLE: (
        Kind("error", "damage", AGAIN),
        lambda count, first: f"{counted(count, 'image')} that cannot be read; the first: {first}",
    ),
    DoctorCode.FRAMES_CORRUPT: (
        Kind("error", "damage", AGAIN),
        lambda count: f"the decoder reports {counted(count, 'corrupt frame')}",
    ),
    DoctorCode.PACKETS_DAMAGED: (
        Kind("error", "damage", AGAIN),
        lambda damaged, lost: f"{counted(damaged, 'damaged packet')}, {lost} without a frame",
    ),
    DoctorCode.FEWER_FRAMES: (
        Kind("error", "frame count", AGAIN),
        "the container claims {claimed} frames and {there} are there",
    ),
    DoctorCode.SURPLUS_FRAMES: (
        Kind("error", "frame count", AGAIN),
        "{there} frames are there and {claimed} are claimed, as if a part were there twice",
    ),
    DoctorCode.MORE_FRAMES: (
        Kind("info", "frame count", "counted frames are used, not the claim"),
        "the container claims {claimed} frames and {there} are there",
    ),
    DoctorCode.NO_KEYFRAME_FIRST: (
        Kind("warning", "no keyframe first", "re-cut at a keyframe"),
        "the first packets refer to frames that are not there",
    ),
    DoctorCode.VARIABLE_RATE: (
        Kind(
            "warning",
            "variable frame rate",
            "pass --align auto if the other side has another rate",
        ),
        lambda intervals: f"intervals {listed(intervals)}",
    ),
    DoctorCode.TIME_GAPS: (
        Kind(
            "warning",
            "gaps in time",
            "pass --align auto if the other side has these frames",
        ),
        lambda frames, places: (
            f"{counted(frames, 'frame')} missing in {counted(places, 'place')} of a constant rate"
        ),
    ),
    DoctorCode.TIMES_MISSING: (
        Kind("warning", "times", REMUX),
        lambda count: f"{counted(count, 'frame')} without a time",
    ),
    DoctorCode.TIMES_REPEATED: (
        Kind("warning", "times", REMUX),
        lambda count: f"{counted(count, 'frame')} with the time of the frame before",
    ),
    DoctorCode.TIMES_BACKWARD: (
        Kind("warning", "times", REMUX),
        lambda count: f"{counted(count, 'frame')} earlier than the frame before",
    ),
    DoctorCode.TIMES_NEGATIVE: (
        Kind("info", "negative times"),
        lambda count: f"{counted(count, 'frame')} before 0",
    ),
    DoctorCode.DELAYED_START: (
        Kind("info", "delayed start"),
        "the first frame is at {start_s:.6g} s; seconds count from it",
    ),
    DoctorCode.EDIT_LIST: (
        Kind("info", "edit list"),
        lambda count: f"the container hides {counted(count, 'frame')}",
    ),
    DoctorCode.RATE_CLAIMED_WRONG: (
        Kind("warning", "rate", "timestamps are used, not the claimed rate"),
        "claimed {claimed:.4g} per second, measured {measured:.4g}",
    ),
    DoctorCode.MIXED_SIZES: (
        Kind("warning", "mixed sizes", "pass --resize FILTER, or split it where the size changes"),
        lambda sizes: listed(sizes),
    ),
    DoctorCode.MIXED_COLORS: (
        Kind(
            "warning",
            "mixed colours",
            "split it where they change; each frame is decoded by its own tags",
        ),
        lambda colors: listed(colors),
    ),
    DoctorCode.COLOR_TAGS_MISSING: (
        Kind("info", "colour tags missing", "tag it when encoding if that is wrong"),
        "read as {matrix}, {range} range",
    ),
    DoctorCode.ODD_SIZE: (Kind("info", "odd size"), "{width}x{height}"),
    DoctorCode.TINY: (
        Kind("warning", "tiny", f"ssim needs {SSIM_WINDOW} pixels: choose --metrics psnr"),
        "{width}x{height}",
    ),
    DoctorCode.HUGE: (
        Kind("info", "huge", "pass --batch 1 if memory is short"),
        "{width}x{height}",
    ),
    DoctorCode.PARTLY_INTERLACED: (
        Kind("warning", "interlaced", DEINTERLACE),
        "{count} of {frames} frames",
    ),
    DoctorCode.EXIF_ORIENTATION: (
        Kind("info", "EXIF orientation"),
        lambda count: f"{counted(count, 'image')} rotated for display",
    ),
    DoctorCode.NAME_NOT_CONTENT: (
        Kind("warning", "name and content", "rename it"),
        "named {named}, but it is {content}",
    ),
    DoctorCode.NAMES_NOT_CONTENT: (
        Kind("warning", "name and content", "rename them"),
        lambda named, content: f"named {' '.join(named)}, but holds {' '.join(content)}",
    ),
    DoctorCode.MIXED_FORMATS: (Kind("info", "mixed kinds"), lambda formats: listed(formats)),
    DoctorCode.COVERS: (
        Kind("info", "cover"),
        "{count} attached pictures, which are not part of the video",
    ),
    DoctorCode.BLACK_BARS: (
        Kind("info", "black bars", "pass --crop bars to leave them out of scores"),
        "{bars}",
    ),
    DoctorCode.PAIR_SIZE: (
        Kind("warning", "size differs", "pass --resize FILTER"),
        "test {test}, ref {ref}",
    ),
    DoctorCode.PAIR_SHAPE: (
        Kind("warning", "shape differs", UNSTRETCHED),
        "test {test}, ref {ref}: --resize alone would stretch the test",
    ),
    DoctorCode.PAIR_BARS: (
        Kind("warning", "black bars differ", "pass --crop bars"),
        "test {test}, ref {ref}",
    ),
    DoctorCode.PAIR_OFFSET: (
        Kind("warning", "offset", "pass --register ecc, or sift where it is large"),
        "the test lies ({dx:+z.2f}, {dy:+z.2f}) px off, to the right and down, in {share:.0%} of"
        " the frames examined",
    ),
    DoctorCode.PAIR_COUNT: (
        Kind("warning", "count differs", "pass --align auto"),
        "test {test} frames, ref {ref}",
    ),
    DoctorCode.PAIR_RATE: (
        Kind("warning", "rate differs", ALIGN_RATES),
        "test {test:.4g}, ref {ref:.4g} per second",
    ),
    DoctorCode.PAIR_DURATION: (
        Kind("warning", "duration differs", "pass --start and --stop, or --align auto"),
        "test {test:.4g} s, ref {ref:.4g} s",
    ),
    DoctorCode.PAIR_MATRIX: (Kind("warning", "matrix differs", ALIKE), _differs),
    DoctorCode.PAIR_RANGE: (Kind("warning", "range differs", ALIKE), _differs),
    DoctorCode.PAIR_PRIMARIES: (Kind("warning", "primaries differs", ALIKE), _differs),
    DoctorCode.PAIR_TRANSFER: (Kind("warning", "transfer differs", ALIKE), _differs),
    DoctorCode.PAIR_COLOR_GUESSED: (
        Kind(
            "warning", "colour is a guess", "tag the video with the values that it was encoded with"
        ),
        "one side is RGB, and the matrix and range of the other are a guess",
    ),
    DoctorCode.PAIR_DEPTH: (
        Kind(
            "info", "depth differs", "values are scaled, not truncated; rounding alone limits psnr"
        ),
        "test {test}, ref {ref}",
    ),
}

for _code, _kind in OF_SOURCES.items():
    FINDINGS.add(_code, _kind)
for _own, (_kind, _template) in OF_THE_DOCTOR.items():
    FINDINGS.add(_own, _kind)
    SENTENCES.add(_own, _template)

"""Checks of one medium: each looks at an examination and yields notes on what is unusual."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from pathlib import Path

from vfiscope.inspection.examine import Examination, Timing
from vfiscope.inspection.findings import SSIM_WINDOW, DoctorCode
from vfiscope.types import Code, Note

__all__ = ["check_medium"]

HUGE_FRAME = 2**24
"""Pixels of a frame from which it gets a note about memory."""
MAX_LISTED = 4
"""Sizes, colours or intervals that a note lists, the most frequent first."""
RATE_ERROR = 0.02
"""Relative difference of claimed and measured rate from which it is noted."""

FORMAT_OF_SUFFIX = {
    ".mp4": "mov",
    ".m4v": "mov",
    ".mov": "mov",
    ".mkv": "matroska",
    ".webm": "matroska",
    ".avi": "avi",
    ".ts": "mpegts",
    ".m2ts": "mpegts",
    ".mpg": "mpeg",
    ".flv": "flv",
    ".gif": "gif",
    ".mxf": "mxf",
    ".ogv": "ogg",
    ".h264": "h264",
    ".hevc": "hevc",
    ".ivf": "ivf",
    ".y4m": "yuv4mpegpipe",
    ".wmv": "asf",
    ".nut": "nut",
}
IMAGE_KINDS = {
    ".png": "PNG",
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".bmp": "BMP",
    ".tif": "TIFF",
    ".tiff": "TIFF",
    ".webp": "WEBP",
    ".avif": "AVIF",
    ".heic": "HEIC",
    ".heif": "HEIC",
    ".gif": "GIF",
}


def check_medium(found: Examination) -> Iterator[Note]:
    """Notes on everything unusual about a medium, including the notes of its source."""
    yield from _reading(found)
    yield from found.info.damage
    yield from _damage(found)
    if found.timing is not None:
        yield from _intervals(found.timing)
        yield from _order(found.timing, found.frames)
        yield from _start(found)
        yield from _rate(found, found.timing)
    yield from _mixtures(found)
    yield from _size(found)
    yield from _content(found)
    yield from found.info.notes


def _reading(found: Examination) -> Iterator[Note]:
    if found.info.kind != "video" and found.undecodable:
        if found.failure is not None:
            values = {"count": found.undecodable, "first": found.failure}
            yield Note(DoctorCode.IMAGES_UNREADABLE, values)
    elif found.failure is not None:
        yield found.failure
    elif found.undecodable:
        yield Note(DoctorCode.PACKETS_UNDECODABLE, {"count": found.undecodable})


def _damage(found: Examination) -> Iterator[Note]:
    if found.corrupt:
        yield Note(DoctorCode.FRAMES_CORRUPT, {"count": found.corrupt})
    if found.broken or found.lost:
        yield Note(DoctorCode.PACKETS_DAMAGED, {"damaged": found.broken, "lost": found.lost})
    claimed = found.info.frames_expected
    there = found.frames + found.skipped + found.undecodable + found.lost
    if found.info.kind == "video" and claimed is not None and claimed != there:
        more = DoctorCode.SURPLUS_FRAMES if found.surplus else DoctorCode.MORE_FRAMES
        code = DoctorCode.FEWER_FRAMES if claimed > there else more
        yield Note(code, {"claimed": claimed, "there": there})
    if not found.starts_with_key:
        yield Note(DoctorCode.NO_KEYFRAME_FIRST)


def _intervals(timing: Timing) -> Iterator[Note]:
    if not timing.constant:
        shown = {f"{1000 * s:.4g} ms": count for s, count in timing.intervals.items()}
        yield Note(DoctorCode.VARIABLE_RATE, {"intervals": _first(shown)})
    elif timing.gaps:
        yield Note(DoctorCode.TIME_GAPS, {"frames": timing.gap_frames, "places": timing.gaps})


def _order(timing: Timing, frames: int) -> Iterator[Note]:
    if 0 < timing.missing < frames:  # where no frame has a time, the source has noted it
        yield Note(DoctorCode.TIMES_MISSING, {"count": timing.missing})
    if timing.repeated:
        yield Note(DoctorCode.TIMES_REPEATED, {"count": timing.repeated})
    if timing.restart is not None:
        yield Note(Code.CLOCK_RESTARTS, {"frame": timing.restart})
    if timing.backward:
        yield Note(DoctorCode.TIMES_BACKWARD, {"count": timing.backward})


def _start(found: Examination) -> Iterator[Note]:
    timing = found.timing or Timing()
    if timing.negative:
        yield Note(DoctorCode.TIMES_NEGATIVE, {"count": timing.negative})
    elif abs(timing.start_s) > (timing.interval_s or 0):
        yield Note(DoctorCode.DELAYED_START, {"start_s": timing.start_s})
    if found.skipped:
        yield Note(DoctorCode.EDIT_LIST, {"count": found.skipped})


def _rate(found: Examination, timing: Timing) -> Iterator[Note]:
    claimed, measured = found.info.rate, timing.rate
    if not claimed or not measured or not timing.constant or timing.gaps:
        return
    if abs(float(claimed) / measured - 1) > RATE_ERROR:
        values = {"claimed": float(claimed), "measured": measured}
        yield Note(DoctorCode.RATE_CLAIMED_WRONG, values)


def _mixtures(found: Examination) -> Iterator[Note]:
    if len(found.sizes) > 1:
        sizes = {f"{width}x{height}": n for (height, width), n in found.sizes.items()}
        yield Note(DoctorCode.MIXED_SIZES, {"sizes": _first(sizes)})
    if len(found.colors) > 1:
        yield Note(DoctorCode.MIXED_COLORS, {"colors": _first(found.colors)})
    color = found.info.color
    if color["decided_by"] == "assumed":
        values = {"matrix": color["matrix"], "range": color["range"]}
        yield Note(DoctorCode.COLOR_TAGS_MISSING, values)


def _size(found: Examination) -> Iterator[Note]:
    height, width = found.info.height, found.info.width
    size = {"width": width, "height": height}
    if height % 2 or width % 2:
        yield Note(DoctorCode.ODD_SIZE, size)
    if min(height, width) < SSIM_WINDOW:
        yield Note(DoctorCode.TINY, size)
    if height * width >= HUGE_FRAME:
        yield Note(DoctorCode.HUGE, size)
    if 0 < found.interlaced < found.frames:
        values = {"count": found.interlaced, "frames": found.frames}
        yield Note(DoctorCode.PARTLY_INTERLACED, values)
    bars = None if found.borders is None else found.borders.bars()
    if bars is not None and any(bars):
        yield Note(DoctorCode.BLACK_BARS, {"bars": str(bars)})
    if found.turned:
        yield Note(DoctorCode.EXIF_ORIENTATION, {"count": found.turned})


def _content(found: Examination) -> Iterator[Note]:
    """Notes on file names that do not match the format of the content."""
    if found.info.kind == "video":
        suffix = Path(found.info.path).suffix.lower()
        content = found.container
        if FORMAT_OF_SUFFIX.get(suffix, content) not in (content, *content.split(",")):
            yield Note(DoctorCode.NAME_NOT_CONTENT, {"named": suffix, "content": content})
    else:
        suffixes = {Path(file).suffix.lower() for file in found.info.files or [found.info.path]}
        wrong = set(found.formats) - {IMAGE_KINDS.get(suffix) for suffix in suffixes}
        if wrong:
            values = {"named": sorted(suffixes), "content": sorted(wrong)}
            yield Note(DoctorCode.NAMES_NOT_CONTENT, values)
        if len(found.formats) > 1:
            yield Note(DoctorCode.MIXED_FORMATS, {"formats": dict(found.formats)})
    if found.covers:
        yield Note(DoctorCode.COVERS, {"count": found.covers})


def _first(counts: Mapping[str, int]) -> dict[str, int]:
    return dict(itertools.islice(counts.items(), MAX_LISTED))

"""What is unusual about a medium, and what will make the scores of a pair wrong. Imports no
torch."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from vfiscope.inspection.examine import Examination, Timing, examine
from vfiscope.types import sentence

__all__ = ["Diagnosis", "Finding", "diagnose"]

SEVERITIES = ("error", "warning", "info")
SSIM_WINDOW = 11
HUGE = 2**24
"""Pixels of a frame from which memory and time are worth a word."""
HALF_A_FRAME = 0.5

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
}
SEVERAL = "several video streams"
NOTES = (
    ("video streams", "warning", SEVERAL, "choose the one that you mean with --stream"),
    (
        "are not square",
        "info",
        "sample aspect",
        "scale to square pixels first where the other side has them",
    ),
    ("for display", "info", "rotation", ""),
    ("no quarter turn", "warning", "rotation", "turn the pictures when encoding"),
    (
        "HDR (",
        "warning",
        "HDR",
        "score it with --tonemap reinhard, or --tonemap none for the values as stored",
    ),
    ("interlaced", "warning", "interlaced", "score it with --deinterlace bwdif"),
    ("does not give", "warning", "alpha", "re-encode without alpha, on the background that counts"),
    ("alpha channel", "info", "alpha", ""),
    (
        "no presentation times",
        "warning",
        "no times",
        "give the rate with --fps, or put it into a container",
    ),
    (
        "numbering jumps",
        "warning",
        "gaps",
        "add the missing images, or expect later frames to be paired off",
    ),
    ("left out", "info", "other files", ""),
)
"""(part of a note of the source, severity, what, remedy)"""


REMEDY_RATES = (
    "give --align auto; where the test was interpolated from it, vfiscope score TEST --source REF"
)


@dataclass(frozen=True)
class Finding:
    """One thing that is unusual."""

    severity: str
    """error: pixels are damaged or missing; warning: scores may mean something else; info: worth
    knowing."""
    what: str
    detail: str
    remedy: str
    """What to do; empty where nothing needs to be done."""
    where: str
    """test, ref or pair."""


@dataclass(frozen=True)
class Diagnosis:
    """Every finding about a medium or a pair, errors first."""

    media: dict[str, Examination]
    """{"test": ..., "ref": ...}"""
    findings: tuple[Finding, ...]

    @property
    def damaged(self) -> bool:
        """Whether pixels are damaged or missing."""
        return any(finding.severity == "error" for finding in self.findings)

    def to_dict(self) -> dict[str, Any]:
        """The diagnosis as JSON-able values."""
        return {
            "status": "damaged" if self.damaged else "ok",
            "media": {role: _facts(found) for role, found in self.media.items()},
            "findings": [asdict(finding) for finding in self.findings],
        }


def diagnose(path: str, ref: str | None = None) -> Diagnosis:
    """Read every frame of a medium, and of its reference if one is given, and say what is unusual.

    Raises:
        SourceError: one of them cannot be opened at all.
    """
    media = {"test": examine(path)} if ref is None else {"test": examine(path), "ref": examine(ref)}
    findings = [
        Finding(*finding, role)
        for role, found in media.items()
        for finding in itertools.chain(
            _damage(found), _time(found), _picture(found), _file(found), _notes(found, role)
        )
    ]
    if ref is not None:
        findings += [Finding(*finding, "pair") for finding in _pair(media["test"], media["ref"])]
    findings.sort(key=lambda finding: SEVERITIES.index(finding.severity))
    return Diagnosis(media, tuple(findings))


RawFindings = Iterator[tuple[str, str, str, str]]
"""(severity, what, detail, remedy)"""


def _damage(found: Examination) -> RawFindings:
    claimed = found.info.frames_expected
    again = "make or copy it again; until then the scores of damaged frames are kept and marked"
    if found.failure is not None and found.info.kind == "video":
        yield "error", "reading ends early", found.failure, again
    elif found.undecodable:
        what = (
            "packets that cannot be decoded"
            if found.info.kind == "video"
            else "images that cannot be read"
        )
        more = f"; the first: {found.failure}" if found.failure else ""
        yield "error", "damage", f"{found.undecodable} {what}{more}", again
    for damage in found.info.damage:
        yield "error", "cut short", sentence(damage), again
    if found.corrupt:
        yield "error", "damage", f"{found.corrupt} frames are corrupt, says the decoder", again
    if found.broken or found.lost:
        detail = f"{found.broken} packets damaged, {found.lost} without a frame"
        yield "error", "damage", detail, again
    there = found.frames + found.skipped + found.undecodable + found.lost
    if found.info.kind == "video" and claimed is not None and claimed != there:
        severity = "error" if claimed > there else "info"
        yield (
            severity,
            "frame count",
            f"the container claims {claimed} frames and {there} are there",
            again,
        )
    if not found.starts_with_key:
        yield (
            "warning",
            "no key frame first",
            "the first packets refer to pictures that are not there",
            "cut at a key",
        )


def _time(found: Examination) -> RawFindings:
    timing = found.timing
    if timing is None:
        return
    if not timing.constant:
        shown = ", ".join(
            f"{1000 * s:.4g} ms x {n}" for s, n in itertools.islice(timing.intervals.items(), 4)
        )
        remedy = "compare by time where the other side has another rate: --align auto"
        yield "warning", "variable frame rate", f"intervals {shown}", remedy
    elif timing.gaps:
        detail = f"{timing.gap_frames} frames are missing in {timing.gaps} places of an even rate"
        yield (
            "warning",
            "gaps in time",
            detail,
            "pair with --align auto where the other side has these frames",
        )
    for count, what in (
        (timing.missing, "frames without a time"),
        (timing.repeated, "frames with the time of the frame before"),
        (timing.backward, "frames earlier than the frame before"),
    ):
        if count and not (what.startswith("frames without") and count == found.frames):
            yield (
                "warning",
                "times",
                f"{count} {what}",
                "frames are known by their order; remux to mend the times",
            )
    if timing.negative:
        yield "info", "negative times", f"{timing.negative} frames before 0", ""
    elif abs(timing.start_s) > (timing.interval_s or 0):
        yield (
            "info",
            "delayed start",
            f"the first frame is at {timing.start_s:.6g} s; seconds count from it",
            "",
        )
    if found.skipped:
        yield (
            "info",
            "edit list",
            f"{found.skipped} frames that the container says are not to be shown",
            "",
        )
    rate, real = found.info.rate, timing.rate
    if rate and real and timing.constant and not timing.gaps and abs(float(rate) / real - 1) > 0.02:
        yield (
            "warning",
            "rate",
            f"claimed {float(rate):.4g} per second, measured {real:.4g}",
            "times count",
        )


def _picture(found: Examination) -> RawFindings:
    height, width = found.info.height, found.info.width
    if len(found.sizes) > 1:
        shown = ", ".join(
            f"{w}x{h} x {n}" for (h, w), n in itertools.islice(found.sizes.items(), 4)
        )
        yield (
            "warning",
            "mixed sizes",
            shown,
            "give --resize FILTER, or split it where the size changes",
        )
    if len(found.colors) > 1:
        shown = ", ".join(f"{name} x {n}" for name, n in itertools.islice(found.colors.items(), 4))
        yield (
            "warning",
            "mixed colours",
            shown,
            "split it where they change; each frame is read by its own tags",
        )
    color = found.info.color
    if color["decided_by"] == "assumed":
        detail = f"read as {color['matrix']}, {color['range']} range"
        yield "info", "colour tags missing", detail, "tag it when encoding if that is wrong"
    if height % 2 or width % 2:
        yield "info", "odd size", f"{width}x{height}", ""
    if min(height, width) < SSIM_WINDOW:
        yield (
            "warning",
            "tiny",
            f"{width}x{height}",
            f"ssim needs {SSIM_WINDOW} pixels: choose --metrics psnr",
        )
    if height * width >= HUGE:
        yield "info", "huge", f"{width}x{height}", "give --batch 1 where memory is short"
    if 0 < found.interlaced < found.frames:
        yield (
            "warning",
            "interlaced",
            f"{found.interlaced} of {found.frames} frames",
            "score it with --deinterlace bwdif",
        )
    if found.turned:
        yield "info", "EXIF orientation", f"{found.turned} images are turned for display", ""


def _file(found: Examination) -> RawFindings:
    info = found.info
    if info.kind == "video":
        suffix = Path(info.path).suffix.lower()
        if suffix in FORMAT_OF_SUFFIX and FORMAT_OF_SUFFIX[suffix] not in found.container.split(
            ","
        ):
            yield (
                "warning",
                "name and content",
                f"named {suffix}, but it is {found.container}",
                "rename it",
            )
    else:
        wrong = {
            name
            for name in found.formats
            if name not in {IMAGE_KINDS.get(s) for s in _suffixes(found)}
        }
        if wrong:
            detail = (
                f"named {' '.join(sorted(_suffixes(found)))}, but holds {' '.join(sorted(wrong))}"
            )
            yield "warning", "name and content", detail, "rename them"
        if len(found.formats) > 1:
            yield (
                "info",
                "mixed kinds",
                ", ".join(f"{name} x {n}" for name, n in found.formats.items()),
                "",
            )
    if found.covers:
        yield "info", "cover", f"{found.covers} attached pictures, which are no film", ""


def _suffixes(found: Examination) -> set[str]:
    return {Path(file).suffix.lower() for file in found.info.files}


def _notes(found: Examination, role: str) -> RawFindings:
    for note in map(sentence, found.info.notes):
        known = next((kind for kind in NOTES if kind[0] in note), None)
        if known is None:
            yield "info", "note", note, ""
        elif known[2] == SEVERAL and role != "test":
            yield (
                known[1],
                known[2],
                note,
                "--stream is for the test alone: copy another one into a file of its own",
            )
        else:
            yield known[1], known[2], note, known[3]


def _pair(test: Examination, ref: Examination) -> RawFindings:
    one, two = test.info, ref.info
    if (one.height, one.width) != (two.height, two.width):
        detail = f"test {one.width}x{one.height}, ref {two.width}x{two.height}"
        yield "warning", "size differs", detail, "give --resize FILTER"
    if test.frames != ref.frames:
        yield (
            "warning",
            "count differs",
            f"test {test.frames} frames, ref {ref.frames}",
            "give --align auto",
        )
    yield from _pair_times(test.timing, ref.timing)
    both = "rgb" not in (one.color["matrix"], two.color["matrix"])
    for key in ("matrix", "range", "primaries", "transfer"):
        values = one.color[key], two.color[key]
        if (
            values[0] == values[1]
            or "unknown" in values
            or (not both and key in ("matrix", "range"))
        ):
            continue
        guess = (
            " (a guess)" if key in ("matrix", "range") and "assumed" in _deciders(test, ref) else ""
        )
        yield (
            "warning",
            f"{key} differs",
            f"test {values[0]}, ref {values[1]}{guess}",
            "make both sides alike, or tag them",
        )
    if not both and "assumed" in _deciders(test, ref):
        detail = "one side is RGB, and the matrix and range of the other are a guess"
        yield "warning", "colour is a guess", detail, "tag the video with what it was encoded with"
    if one.bit_depth != two.bit_depth:
        detail = f"test {_depth(test)}, ref {_depth(ref)}"
        yield (
            "info",
            "depth differs",
            detail,
            "values are scaled, not cut; rounding alone limits psnr",
        )


def _pair_times(one: Timing | None, two: Timing | None) -> RawFindings:
    if (
        one is None
        or two is None
        or not one.rate
        or not two.rate
        or not one.interval_s
        or not two.interval_s
    ):
        return
    if abs(one.rate / two.rate - 1) > 0.005:
        yield (
            "warning",
            "rate differs",
            f"test {one.rate:.4g}, ref {two.rate:.4g} per second",
            REMEDY_RATES,
        )
    if abs(one.duration_s - two.duration_s) > HALF_A_FRAME * max(one.interval_s, two.interval_s):
        detail = f"test {one.duration_s:.4g} s, ref {two.duration_s:.4g} s"
        yield "warning", "duration differs", detail, "give --start and --stop, or --align auto"


def _deciders(test: Examination, ref: Examination) -> tuple[str, str]:
    return test.info.color["decided_by"], ref.info.color["decided_by"]


def _depth(found: Examination) -> str:
    return (
        f"{'8' if found.info.bit_depth == 8 else 'more than 8'} bits ({', '.join(found.formats)})"
    )


def _facts(found: Examination) -> dict[str, Any]:
    info, timing = found.info, found.timing
    return {
        "path": info.path,
        "kind": info.kind,
        "container": found.container,
        "decoder": info.decoder,
        "width": info.width,
        "height": info.height,
        "frames_claimed": info.frames_expected,
        "frames": found.frames,
        "frames_skipped": found.skipped,
        "frames_corrupt": found.corrupt,
        "undecodable": found.undecodable,
        "formats": dict(found.formats),
        "sizes": {f"{width}x{height}": count for (height, width), count in found.sizes.items()},
        "colors": dict(found.colors),
        "color": dict(info.color),
        "rate": None if info.rate is None else float(info.rate),
        "timing": None if timing is None else {**asdict(timing), "intervals": _first(timing)},
    }


def _first(timing: Timing) -> dict[str, int]:
    return {
        f"{seconds:.6g}": count for seconds, count in itertools.islice(timing.intervals.items(), 16)
    }

"""What the segments of a run and its clip are called in files for editors."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePath, PurePosixPath, PureWindowsPath
from typing import TYPE_CHECKING
from urllib.parse import quote

from vfiscope.errors import UsageError
from vfiscope.printable import printable
from vfiscope.store.summary import named
from vfiscope.types import Segment
from vfiscope.types.segment_kinds import is_fault
from vfiscope.views.places import range_place
from vfiscope.views.segment_exports.frame_clock import FrameClock, test_source
from vfiscope.views.segment_exports.timecode import Timecode, timecode_of

if TYPE_CHECKING:
    from vfiscope.store import Run

__all__ = ["Clip", "clip_of", "clock_note", "colour_of", "file_url", "needs_timecode", "note_of"]


@dataclass(frozen=True)
class Clip:
    """The test of a run as editors name it."""

    name: str
    """The name of the file or folder, on one line."""
    path: str
    """On one line, for people."""
    url: str
    """``file://`` address of a video; "" of images and arrays, which are no single file."""
    size: tuple[int, int] | None
    """(height, width) of its frames as decoded, None where an older run does not tell."""


def clip_of(run: Run) -> Clip:
    """The test of a run."""
    test = test_source(run)
    path = str(test.get("path", ""))
    single = not run.names and test.get("kind", "video") == "video"
    known = all(isinstance(test.get(side), int) for side in ("height", "width"))
    return Clip(
        name=printable(_of_its_system(path).name or path),
        path=printable(path),
        url=file_url(path) if single else "",
        size=(test["height"], test["width"]) if known else run.frame_size,
    )


def _of_its_system(path: str) -> PurePath:
    windows = PureWindowsPath(path)
    return windows if windows.drive else PurePosixPath(path)


def file_url(path: str) -> str:
    """The address of a file, also of one on another system."""
    clean = "".join("\ufffd" if "\ud800" <= letter < "\udc80" else letter for letter in path)
    whole = _of_its_system(clean).as_posix()
    root = "" if whole.startswith("/") else "/"
    return f"file://{root}{quote(whole, safe='/:', errors='surrogateescape')}"


def note_of(run: Run, segment: Segment) -> str:
    """All that is known of a segment, on one line that begins with its frames."""
    spec = run.specs.get(segment.metric) or run.signal_specs.get(segment.metric)
    unit = f" {spec.unit}" if spec is not None and spec.unit != "1" else ""
    entry = named(segment, run.frames, run.names, run.moment)
    worst = f"worst at frame {segment.peak_index}: {segment.metric} {segment.peak:.6g}{unit}"
    parts = [
        f"frames [{segment.start}, {segment.stop})",
        *([range_place(entry)] if run.names else []),
        segment.evidence or worst,
        *([f"rule {segment.rule}"] if segment.rule else []),
        *([f"confidence {segment.confidence:.2f}"] if not segment.rule else []),
        *([f"{segment.role} frames"] if segment.role != "all" else []),
    ]
    return "; ".join(printable(part) for part in parts)


def colour_of(segment: Segment) -> str:
    """Yellow where a rule of the user is met, blue for information, red for faults."""
    if segment.rule:
        return "Yellow"
    return "Red" if is_fault(segment.kind) else "Blue"


def clock_note(clock: FrameClock) -> str:
    """What the times of a file rest on, in one sentence."""
    if not clock.constant:
        return "The frame rate varies: times are the presentation times of the frames."
    rate = f"{clock.rate} frames a second"
    if clock.stated:
        return f"Images are counted at {rate}, one frame each."
    apart = bool((clock.places != clock.ordinals).any())
    gaps = "; where frames are missing, the one before lasts" if apart else ""
    return f"Frames are counted at {rate}{gaps}."


def needs_timecode(clock: FrameClock, clip: Clip, *, drop: bool) -> Timecode:
    """The timecode of a clip, for a format that knows no other time.

    Raises:
        UsageError: the frame rate varies, or has no timecode.
    """
    timecode = timecode_of(clock.rate, drop=drop) if clock.constant else None
    if timecode is None:
        why = (
            f"{clock.rate} frames a second have no timecode"
            if clock.constant
            else ("its frame rate varies")
        )
        raise UsageError(
            f"an .edl counts frames in timecode, and {clip.name}: {why}: export .otio, .fcpxml,"
            " .vtt or .srt, or score a copy with a constant rate"
        )
    return timecode

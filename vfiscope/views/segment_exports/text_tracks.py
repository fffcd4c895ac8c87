"""Segments as a track of timed text: WebVTT (https://www.w3.org/TR/webvtt1/) and SubRip (.srt).

Both count whole milliseconds from the first presented frame. Start and stop are rounded down, so
that a cue is shown with exactly the frames of its segment: it is active from its start on and until
just before its stop.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from html import escape
from math import floor
from typing import TYPE_CHECKING

from vfiscope.printable import printable
from vfiscope.types import Segment
from vfiscope.views.segment_exports.frame_clock import clock_of
from vfiscope.views.segment_exports.marked_segments import clip_of, clock_note, note_of

if TYPE_CHECKING:
    from vfiscope.store import Run

__all__ = ["srt_of", "vtt_of"]


def vtt_of(run: Run) -> str:
    """The segments of a run as WebVTT."""
    about = escape(f"{clip_of(run).name}: {clock_note(clock_of(run))}", quote=False)
    blocks = ["WEBVTT", f"NOTE\n{about}"]
    for segment, start, stop in _cues(run):
        words = "\n".join(escape(line, quote=False) for line in _lines(run, segment))
        blocks.append(f"{_clock(start, '.')} --> {_clock(stop, '.')}\n{words}")
    return "\n\n".join(blocks) + "\n"


def srt_of(run: Run) -> str:
    """The segments of a run as SubRip; empty where there are none."""
    blocks = [
        "\n".join(
            [f"{number}\n{_clock(start, ',')} --> {_clock(stop, ',')}", *_lines(run, segment)]
        )
        for number, (segment, start, stop) in enumerate(_cues(run), 1)
    ]
    return "".join(f"{block}\n\n" for block in blocks)


def _cues(run: Run) -> Iterator[tuple[Segment, int, int]]:
    """Segments with the milliseconds of their start and stop, in the order of these."""
    clock = clock_of(run)
    found = []
    for segment in run.segments:
        start, stop = (_milliseconds(clock.seconds(place)) for place in clock.span(segment))
        found.append((segment, max(0, start), max(0, start) + max(1, stop - start)))
    yield from sorted(found, key=lambda cue: cue[1:])


def _lines(run: Run, segment: Segment) -> list[str]:
    return [printable(segment.kind), note_of(run, segment)]


def _milliseconds(seconds: Fraction) -> int:
    return floor(seconds * 1000)


def _clock(milliseconds: int, point: str) -> str:
    seconds, rest = divmod(milliseconds, 1000)
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}{point}{rest:03}"

"""Segments as an edit decision list (CMX3600), as editors read markers from it.

Each segment is an event over its frames. Source timecode counts the frames of the clip from
00:00:00:00, record timecode those of a timeline from 01:00:00:00, where editors begin one. Segments
that overlap lie on the tracks V, V2, ... Behind each event stand the marker as DaVinci Resolve
writes and imports it (``note |C:colour |M:name |D:frames``), the name of the clip, and a locator as
Avid reads it.

At 29.97 and 59.94 frames a second, timecode is drop-frame, or in ``.ndf.edl`` non-drop.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING

from vfiscope.errors import UsageError
from vfiscope.printable import printable
from vfiscope.types import Segment
from vfiscope.views.segment_exports.frame_clock import FrameClock, clock_of
from vfiscope.views.segment_exports.marked_segments import (
    clip_of,
    clock_note,
    colour_of,
    needs_timecode,
    note_of,
)

if TYPE_CHECKING:
    from vfiscope.store import Run

__all__ = ["edl_of", "non_drop_edl_of"]


def edl_of(run: Run, *, drop: bool = True) -> str:
    """The segments of a run as an EDL.

    Raises:
        UsageError: the frame rate varies or has no timecode, or the clip ends after 23 hours.
    """
    clock, clip = clock_of(run), clip_of(run)
    timecode = needs_timecode(clock, clip, drop=drop)
    if timecode.hour + clock.end > timecode.day:
        raise UsageError(
            f"{clip.name} lasts for more than 23 hours, and timecode from 01:00:00:00 ends after"
            " these: export .otio, .fcpxml, .vtt or .srt"
        )
    lines = [
        f"TITLE: {_field(clip.name)}",
        f"FCM: {'DROP FRAME' if timecode.drop else 'NON-DROP FRAME'}",
        "",
    ]
    for number, (track, event) in enumerate(_on_tracks(run.segments, clock), 1):
        start, stop = clock.span(event)
        source = [timecode.text(place) for place in (start, stop)]
        record = [timecode.text(place + timecode.hour) for place in (start, stop)]
        colour, name, note = colour_of(event), _field(event.kind), _field(note_of(run, event))
        lines += [
            f"{number:03}  AX       {track:<5} C        {' '.join(source + record)}",
            f"{note} |C:ResolveColor{colour} |M:{name} |D:{stop - start}",
            f"* FROM CLIP NAME: {_field(clip.name)}",
            f"* LOC: {record[0]} {colour.upper():<7} {name}: {note}",
            *([f"* COMMENT: {clock_note(clock)}"] if number == 1 else []),
            "",
        ]
    return "\n".join(lines)


non_drop_edl_of = partial(edl_of, drop=False)


def _on_tracks(segments: Sequence[Segment], clock: FrameClock) -> Iterator[tuple[str, Segment]]:
    """Each segment with its track: the first that is free."""
    ends: list[int] = []
    for segment in sorted(segments, key=lambda each: clock.span(each)):
        start, stop = clock.span(segment)
        lane = next((lane for lane, end in enumerate(ends) if end <= start), len(ends))
        ends[lane : lane + 1] = [stop]
        yield f"V{lane + 1 if lane else ''}", segment


def _field(text: str) -> str:
    """A text that ends no field of a marker."""
    return printable(text).replace("|", "/")

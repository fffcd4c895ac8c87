"""Segments as markers in Final Cut Pro XML 1.9
(https://developer.apple.com/documentation/professional-video-applications/fcpxml-reference).

A project holds a sequence with the clip from its first frame to the last that is known, and every
segment is a marker over its frames, with all that is known of it as its note. Times are exact
fractions of a second: of frames where the rate is constant, else presentation times on a sequence
of the usual rate that is next. A video is the asset; images are a gap of their length.
"""

from __future__ import annotations

from fractions import Fraction
from math import ceil
from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from vfiscope.printable import printable
from vfiscope.views.segment_exports.frame_clock import USUAL_RATES, FrameClock, clock_of
from vfiscope.views.segment_exports.marked_segments import Clip, clip_of, clock_note, note_of
from vfiscope.views.segment_exports.timecode import timecode_of

if TYPE_CHECKING:
    from vfiscope.store import Run

__all__ = ["fcpxml_of"]

FCPXML_HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE fcpxml>\n'


def fcpxml_of(run: Run) -> str:
    """The segments of a run as FCPXML."""
    clock, clip = clock_of(run), clip_of(run)
    rate = clock.rate if clock.constant else _sequence_rate(clock)
    length = Fraction(ceil(clock.seconds(clock.end) * rate), rate)
    root = Element("fcpxml", version="1.9")
    resources = SubElement(root, "resources")
    _format(resources, clip, rate)
    if clip.url:
        _asset(resources, clip, length, constant=clock.constant)
    project = SubElement(SubElement(root, "event", name="vfiscope"), "project", name=clip.name)
    drops = (timecode := timecode_of(rate, drop=True)) is not None and timecode.drop
    sequence = SubElement(
        project,
        "sequence",
        {
            "format": "r1",
            "duration": _time(length),
            "tcStart": "0s",
            "tcFormat": "DF" if drops else "NDF",
        },
    )
    SubElement(sequence, "note").text = clock_note(clock)
    place = {"name": clip.name, "offset": "0s", "start": "0s", "duration": _time(length)}
    spine = SubElement(sequence, "spine")
    item = SubElement(
        spine, *(("asset-clip", {"ref": "r2", **place}) if clip.url else ("gap", place))
    )
    for segment in run.segments:
        start, stop = (clock.seconds(place) for place in clock.span(segment))
        times = {"start": _time(start), "duration": _time(stop - start)}
        words = {"value": printable(segment.kind), "note": note_of(run, segment)}
        SubElement(item, "marker", {**times, **words})
    indent(root)
    return f"{FCPXML_HEAD}{tostring(root, encoding='unicode')}\n"


def _format(resources: Element, clip: Clip, rate: Fraction) -> None:
    height, width = clip.size or (1080, 1920)
    size = {"width": str(width), "height": str(height)}
    SubElement(resources, "format", {"id": "r1", "frameDuration": _time(1 / rate), **size})


def _asset(resources: Element, clip: Clip, length: Fraction, *, constant: bool) -> None:
    facts = {"start": "0s", "duration": _time(length), "hasVideo": "1"}
    same = {"format": "r1"} if constant else {}  # of a varying rate, editors ask the file
    asset = SubElement(resources, "asset", {"id": "r2", "name": clip.name, **facts, **same})
    SubElement(asset, "media-rep", {"kind": "original-media", "src": clip.url})


def _sequence_rate(clock: FrameClock) -> Fraction:
    """The usual rate that is next to that of the usual frame."""
    usual = clock.rate / clock.usual
    return min(USUAL_RATES, key=lambda rate: abs(rate / usual - 1))


def _time(seconds: Fraction) -> str:
    return f"{seconds}s"

"""Segments as markers of a clip in OpenTimelineIO (https://opentimelineio.readthedocs.io), written
by its own library: the extra ``otio``.

The clip lies on a timeline of its own, from its first frame to the last that is known, and every
segment is a marker over its frames. Where the frame rate varies, times are counted in the ticks of
the container, which are exact.
"""

from __future__ import annotations

import ctypes
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from vfiscope.errors import optional_import
from vfiscope.printable import printable
from vfiscope.store.text import plain
from vfiscope.types import Segment
from vfiscope.views.segment_exports.frame_clock import FrameClock, clock_of, test_source
from vfiscope.views.segment_exports.marked_segments import (
    Clip,
    clip_of,
    clock_note,
    colour_of,
    file_url,
    note_of,
)
from vfiscope.views.segment_exports.numbered_images import numbered_images

if TYPE_CHECKING:
    from vfiscope.store import Run

__all__ = ["otio_of"]


def otio_of(run: Run) -> str:
    """The segments of a run as an OTIO timeline in JSON.

    Raises:
        MissingPackageError: the package OpenTimelineIO is not installed.
    """
    otio = _library()
    clock, named = clock_of(run), clip_of(run)
    whole = _range(otio, clock, 0, clock.end)
    about = {"vfiscope": {"result": printable(run.path.name), "times": clock_note(clock)}}
    media = _media(otio, run, clock, named)
    clip = otio.schema.Clip(name=named.name, media_reference=media, source_range=whole)
    clip.markers.extend(_marker(otio, run, clock, segment) for segment in run.segments)
    track = otio.schema.Track(name="V", kind=otio.schema.TrackKind.Video, children=[clip])
    timeline = otio.schema.Timeline(name=named.name, metadata=about)
    timeline.tracks.append(track)
    return f"{timeline.to_json_string()}\n"


def _library() -> Any:
    otio = optional_import("opentimelineio", "otio")
    # Its C++ part (0.18) lets go of this function after Python has ended, where freeing it may
    # abort the process: one reference too many, and it is never freed.
    function = getattr(otio.core, "_value_to_any", None)
    if function is not None:
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(function))
    return otio


def _media(otio: Any, run: Run, clock: FrameClock, clip: Clip) -> Any:
    """Where the clip is: a video, images that are numbered without gaps, or only a name."""
    whole = _range(otio, clock, 0, clock.end)
    if clip.url:
        return otio.schema.ExternalReference(target_url=clip.url, available_range=whole)
    path = str(test_source(run).get("path", ""))
    images = numbered_images(path, run.names, run.frames.index) if run.names else None
    if images is None:
        about = {"vfiscope": {"path": clip.path}}
        return otio.schema.MissingReference(clip.name, whole, about)
    return otio.schema.ImageSequenceReference(
        target_url_base=f"{file_url(images.folder)}/",
        name_prefix=images.prefix,
        name_suffix=images.suffix,
        start_frame=images.first,
        frame_step=images.step,
        rate=float(clock.rate * images.step),  # of numbers
        frame_zero_padding=images.digits,
        available_range=whole,
    )


def _marker(otio: Any, run: Run, clock: FrameClock, segment: Segment) -> Any:
    return otio.schema.Marker(
        name=segment.kind,
        marked_range=_range(otio, clock, *clock.span(segment)),
        color=colour_of(segment).upper(),
        metadata={"vfiscope": plain(asdict(segment))},
        comment=note_of(run, segment),
    )


def _range(otio: Any, clock: FrameClock, start: int, stop: int) -> Any:
    rate = float(clock.rate)
    return otio.opentime.TimeRange(
        otio.opentime.RationalTime(start, rate), otio.opentime.RationalTime(stop - start, rate)
    )

"""Segments as a table and as one JSON object, with exact times and timecode."""

from __future__ import annotations

import json
from dataclasses import fields
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vfiscope.printable import CsvRows
from vfiscope.store.summary import named
from vfiscope.store.text import plain
from vfiscope.types import Segment
from vfiscope.views.segment_exports.frame_clock import (
    FrameClock,
    clock_of,
    presentation_clock,
)
from vfiscope.views.segment_exports.marked_segments import clock_note
from vfiscope.views.segment_exports.timecode import Timecode, timecode_of

if TYPE_CHECKING:
    from vfiscope.store import Run

__all__ = ["segment_csv", "segment_report"]

SEGMENT_REPORT_VERSION = 1
TIMES = ("start_exact_s", "stop_exact_s", "start_timecode", "stop_timecode")
IMAGES = ("start_name", "stop_name", "peak_name")
CAPTURED = ("start_at", "stop_at", "peak_at")


def segment_csv(run: Run) -> str:
    """A heading and a row for each segment: the columns of the result, :data:`TIMES`, and of
    images their files and capture times, those of the first, last and worst."""
    columns = [field.name for field in fields(Segment)] + [*TIMES]
    columns += [*IMAGES] if run.names else []
    columns += [*CAPTURED] if run.times_from else []
    file = StringIO()
    rows = CsvRows(file)
    rows.write([columns])
    rows.write([entry.get(name) for name in columns] for entry in _entries(run))
    return file.getvalue()


def segment_report(run: Run) -> str:
    """The segments of a run with all that is known of them, as strictly valid JSON.

    ::

        format, version     "vfiscope segments" and the version of this schema
        result              full path of the result
        vfiscope, made      version and time (ISO 8601, UTC) of the flagging; None in older results
        rules               those of the user
        inputs              [{role, path (full), kind, width, height, digest}]
        frames_per_second   {exact: "24000/1001", value}; None where the rate varies
        times               what times rest on, in one sentence
        timecode            "drop-frame" or "non-drop", as in start_timecode; None: there is none
        segments            the columns of the result; start_exact_s, stop_exact_s: presentation
                            times as fractions of seconds; start_timecode, stop_timecode: from
                            00:00:00:00, None where there is none; of images also start_name,
                            start_at, ...
    """
    clock, record = clock_of(run), run.stages.get("segments")
    timecode = _timecode(clock)
    rate = {"exact": str(clock.rate), "value": float(clock.rate)} if clock.constant else None
    report = {
        "format": "vfiscope segments",
        "version": SEGMENT_REPORT_VERSION,
        "result": str(Path(run.path).resolve()),
        "vfiscope": record.vfiscope_version if record else None,
        "made": record.made if record else None,
        "rules": list(run.rules),
        "inputs": [
            {key: source.get(key) for key in ("role", "path", "kind", "width", "height", "digest")}
            for source in run.sources
        ],
        "frames_per_second": rate,
        "times": clock_note(clock),
        "timecode": timecode and ("drop-frame" if timecode.drop else "non-drop"),
        "segments": _entries(run),
    }
    return f"{json.dumps(plain(report), allow_nan=False, indent=1)}\n"


def _timecode(clock: FrameClock) -> Timecode | None:
    found = timecode_of(clock.rate, drop=True) if clock.constant else None
    return found if found is not None and clock.end < found.day else None


def _entries(run: Run) -> list[dict[str, Any]]:
    clock, presented = clock_of(run), presentation_clock(run)
    timecode = _timecode(clock)
    found = []
    for segment in run.segments:
        exact = [str(presented.seconds(place)) for place in presented.span(segment)]
        numbered = [timecode and timecode.text(place) for place in clock.span(segment)]
        times = dict(zip(TIMES, [*exact, *numbered], strict=True))
        found.append({**named(segment, run.frames, run.names, run.moment), **times})
    return found

"""The place of a frame or a range of frames for people: by number and clock, or by file and date.

Times are ``1.958 s`` below a minute and ``0:01:02.458`` from there on. Photos that have a time of
their own (EXIF, or their names) have a date and a clock; as everywhere, one without a zone is taken
as UTC.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from vfiscope.printable import printable
from vfiscope.types import date

if TYPE_CHECKING:
    from vfiscope.store import Run

__all__ = ["clock", "frame_place", "range_place"]


def clock(seconds: float) -> str:
    """``1.958 s``, or ``0:01:02.458`` from a minute on."""
    if abs(seconds) < 60:
        return f"{seconds:.3f} s"
    sign, whole = "-" * (seconds < 0), round(abs(seconds) * 1000)
    minutes, milliseconds = divmod(whole, 60_000)
    rest = f"{milliseconds // 1000:02}.{milliseconds % 1000:03}"
    return f"{sign}{minutes // 60}:{minutes % 60:02}:{rest}"


def frame_place(run: Run, row: int) -> str:
    """``frame 47, 1.958 s``; ``1586534433.jpg, 2020-04-10 16:00``; or ``40.jpg`` where photos have
    no time."""
    if not run.names:
        return f"frame {int(run.frames.index[row])}, {clock(float(run.frames.time_s[row]))}"
    moment = run.moment(row)
    return ", ".join([printable(run.names[row]), *([] if moment is None else [date(moment)])])


def range_place(segment: Mapping[str, Any]) -> str:
    """Of a segment of a summary: ``0.480..0.600 s``, or ``40.jpg..44.jpg, 2020-04-10
    16:00..2020-04-11 01:00``."""
    first, last = segment.get("start_name"), segment.get("stop_name")
    if first is None:
        start, stop = clock(segment["start_time_s"]), clock(segment["stop_time_s"])
        return f"{start.removesuffix(' s') if stop.endswith('s') else start}..{stop}"
    parts = [_from_to(printable(first), printable(str(last)))]
    if segment.get("start_at") is not None:
        parts.append(_from_to(date(segment["start_at"]), date(segment["stop_at"])))
    return ", ".join(parts)


def _from_to(first: str, last: str) -> str:
    return first if first == last else f"{first}..{last}"

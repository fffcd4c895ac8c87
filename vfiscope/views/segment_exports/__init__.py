"""Segments in the formats that editors and other programs open; one table of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from vfiscope.views.segment_exports.edl import edl_of, non_drop_edl_of
from vfiscope.views.segment_exports.fcpxml import fcpxml_of
from vfiscope.views.segment_exports.otio_timeline import otio_of
from vfiscope.views.segment_exports.segment_rows import segment_csv, segment_report
from vfiscope.views.segment_exports.text_tracks import srt_of, vtt_of

if TYPE_CHECKING:
    from vfiscope.store import Run

__all__ = ["SEGMENT_FORMATS"]

SEGMENT_FORMATS: dict[str, Callable[[Run], str]] = {
    ".segments.csv": segment_csv,
    ".segments.json": segment_report,
    ".ndf.edl": non_drop_edl_of,
    ".edl": edl_of,
    ".otio": otio_of,
    ".fcpxml": fcpxml_of,
    ".vtt": vtt_of,
    ".srt": srt_of,
}
"""{ending of a file: a pure function from a run to its text}"""

"""What a run says of itself at its end: how frames were paired, and what makes it partial."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vfiscope.alignment import find_passthrough, summarize, summarize_cadence
from vfiscope.scoring.inputs import changed
from vfiscope.scoring.job import OpenJob
from vfiscope.scoring.streams import TimeMap
from vfiscope.sources import Source
from vfiscope.store import headline_role, rows_of
from vfiscope.types import (
    Cadence,
    Float64,
    FrameTable,
    Needs,
    Pairing,
    Registrations,
    Role,
    Verdict,
)

__all__ = [
    "collect_notes",
    "describe_pairing",
    "registered",
    "warn_unmarked_originals",
    "why_unpaired",
]

DAMAGE_WORDS = {
    "corrupt": "corrupt frames",
    "unreadable": "unreadable frames",
    "undecodable": "undecodable packets without a row",
    "broken": "damaged packets",
    "short": "frames at the end, by the claimed duration, are missing",
    "lost": "packets without a frame",
    "hidden": "frames marked as not to be shown, though not at an end,",
}
"""{count of a source: what it counts}"""


def registered(found: Registrations | None) -> list[str]:
    """How the frames were registered, one line for people; none where they were not."""
    if found is None or not found.accepted.any():
        return []
    rows = found.accepted
    residual, valid = np.nanmedian(found.residual[rows]), np.median(found.valid[rows])
    return [
        f"registered {int(rows.sum())} of {len(found)} frames (medians:"
        f" {int(np.median(found.inliers[rows]))} inliers, residual {residual:.2g} px, {valid:.0%}"
        " of the partner covered)"
    ]


def collect_notes(
    job: OpenJob, scored: Scored, report: Report, registrations: Registrations | None
) -> list[Note]:
    """What makes a run partial; empty when it is whole."""
    return [*report.notes, *_damaged(job), *_refused(registrations), *_undefined(job, scored)]


def _damaged(job: OpenJob) -> list[str]:
    notes = []
    for role, source in job.sources.items():
        for what, words in DAMAGE_WORDS.items():
            if count := getattr(source.counts, what):
                notes.append(f"{count} {words} in {role} {source.info.path}")
        if early := source.counts.given_up(source.info.path):
            notes.append(f"{role} {early}")
        if source.counts.ended:  # what lies behind --stop was not asked for
            notes += [f"{role} {source.info.path}: {damage}" for damage in source.info.damage]
        notes += changed(source, job.stamps[role])
        if missing := _missing(source):
            notes.append(
                f"{missing} frames that {role} {source.info.path} claims are not there: it may be"
                " cut short"
            )
    return notes


def _refused(found: Registrations | None) -> list[str]:
    """A sentence about the frames that could not be registered, with the reasons; none where all
    could."""
    reasons = (
        {v: found.count(v) for v in Verdict if v > Verdict.UNPAIRED} if found is not None else {}
    )
    if not (count := sum(reasons.values())):
        return []
    listed = ", ".join(f"{n} {v.name.lower().replace('_', ' ')}" for v, n in reasons.items() if n)
    return [f"{count} frames could not be registered and were scored as they are ({listed})"]


def _undefined(job: OpenJob, scored: Scored) -> list[Note]:
    """A note on each metric that no frame has a value of, of those that the run is about: a
    rule about it would be met by nothing.

    Not of those that many a whole clip has no place for: where nothing moves, or no original was
    passed through.
    """
    role = headline_role(scored.table)
    rows = rows_of(scored.table, role)
    return [
        Note(Code.METRIC_UNDEFINED, {"metric": name, "role": role})
        for name, column in scored.values.items()
        if job.plan.metrics[name].spec.needs in job.comparison.offers_always
        and np.isnan(column[rows]).all()
    ]


def _missing(source: Source) -> int:
    """How many frames a video claims beyond those that its whole stream held."""
    counts, expected = source.counts, source.info.frames_expected
    if source.info.kind != "video" or expected is None or not counts.ended:
        return 0
    return max(
        0, expected - counts.decoded - counts.skipped - counts.undecodable - counts.unreadable
    )

"""Notes at the end of a run: what makes it partial, how its frames were registered."""

from __future__ import annotations

import numpy as np

from vfiscope.comparisons import Comparison, Scored
from vfiscope.scoring.checks import Inputs
from vfiscope.scoring.provenance import changed
from vfiscope.scoring.score import Plan
from vfiscope.sources import Source
from vfiscope.store import headline_role, rows_of
from vfiscope.types import Code, Note, Registrations, Status, Verdict

__all__ = ["damaged", "describe_registrations", "refused", "undefined"]

DAMAGE_COUNTS = {
    "corrupt": Code.CORRUPT,
    "unreadable": Code.UNREADABLE,
    "undecodable": Code.UNDECODABLE,
    "broken": Code.BROKEN,
    "short": Code.SHORT,
    "surplus": Code.SURPLUS,
    "lost": Code.LOST,
    "hidden": Code.HIDDEN,
}
"""{count of a source: the note on it}"""


def describe_registrations(found: Registrations | None) -> list[str]:
    """One line on how the frames were registered; empty where they were not."""
    if found is None or not found.accepted.any():
        return []
    rows = found.accepted
    residual, valid = np.nanmedian(found.residual[rows]), np.median(found.valid[rows])
    return [
        f"registered {int(rows.sum())} of {len(found)} frames (medians:"
        f" {int(np.median(found.inliers[rows]))} inliers, residual {residual:.2g} px, {valid:.0%}"
        " of the partner covered)"
    ]


def damaged(inputs: Inputs) -> list[Note]:
    """Notes on what could not be read of the inputs, and on inputs that changed meanwhile."""
    notes: list[Note] = []
    for role, source in inputs.sources.items():
        where = {"role": role, "path": source.info.path}
        for what, code in DAMAGE_COUNTS.items():
            if count := getattr(source.counts, what):
                notes.append(Note(code, {"count": count, **where}))
        # Why, of the first of them.
        notes += [
            note
            for note in source.info.notes
            if note.code is Code.IMAGE_UNREADABLE and note not in notes
        ]
        if early := source.counts.given_up(source.info.path):
            notes.append(Note(Code.SOURCE_GAVE_UP, {"role": role, "note": early}))
        if source.counts.ended:  # what comes after --stop was not asked for
            notes += [
                Note(Code.SOURCE_DAMAGED, {**where, "note": damage})
                for damage in source.info.damage
            ]
        notes += changed(source, inputs.stamps[role])
        if missing := _missing(source):
            notes.append(Note(Code.FRAMES_MISSING, {"count": missing, **where}))
    return notes


def refused(found: Registrations | None) -> list[Note]:
    """A note on frames that could not be registered, with reasons; empty where all were."""
    reasons = (
        {v: found.count(v) for v in Verdict if v > Verdict.UNPAIRED} if found is not None else {}
    )
    counted = {verdict.name.lower(): count for verdict, count in reasons.items() if count}
    return [Note(Code.NOT_REGISTERED, {"reasons": counted})] if counted else []


def undefined(plan: Plan, comparison: Comparison, scored: Scored) -> list[Note]:
    """A note on each metric that has no value for any frame of the headline role, because no frame
    could meet a rule about it.

    Metrics that are often undefined for a whole clip get no note: those that need motion or
    passed-through originals, or take what there is. Nor does any where no frame could be read,
    which is told, or where normal frames alone tell what changed in frames without a partner.
    """
    unread = (scored.table.status == Status.UNREADABLE).all()
    if unread or (comparison.config.normal is not None and (scored.table.ref_index < 0).all()):
        return []
    role = headline_role(scored.table)
    rows = rows_of(scored.table, role)
    return [
        Note(Code.METRIC_UNDEFINED, {"metric": name, "role": role})
        for name, column in scored.values.items()
        if plan.metrics[name].spec.needs
        and plan.metrics[name].spec.needs in comparison.offers_always
        and np.isnan(column[rows]).all()
    ]


def _missing(source: Source) -> int:
    """The number of frames that a video claims but its whole stream did not hold."""
    counts, expected = source.counts, source.info.frames_expected
    if source.info.kind != "video" or expected is None or not counts.ended:
        return 0
    return max(
        0, expected - counts.decoded - counts.skipped - counts.undecodable - counts.unreadable
    )

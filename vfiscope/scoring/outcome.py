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
    Code,
    Float64,
    FrameTable,
    Needs,
    Note,
    Pairing,
    Registrations,
    Role,
    Verdict,
    sentence,
)

__all__ = [
    "collect_notes",
    "describe_pairing",
    "registered",
    "warn_shifted",
    "warn_unmarked_originals",
    "why_unpaired",
]

DAMAGE_COUNTS = {
    "corrupt": Code.CORRUPT,
    "unreadable": Code.UNREADABLE,
    "undecodable": Code.UNDECODABLE,
    "broken": Code.BROKEN,
    "short": Code.SHORT,
    "lost": Code.LOST,
    "hidden": Code.HIDDEN,
}
"""{count of a source: the note on it}"""


BADNESS: dict[str, Callable[[Float64], Float64]] = {
    "mse": lambda mse: mse,
    "psnr": lambda psnr: 10 ** (-psnr / 10),
    "absdiff": lambda absdiff: absdiff,
    "ssim": lambda ssim: 1 - ssim,
    "ghosting": lambda ghosting: ghosting,
}
"""{metric: how bad its values are}, the one that tells frames apart best first."""


def describe_pairing(job: OpenJob, table: FrameTable, found: TimeMap) -> dict[str, Any]:
    """How frames were paired and what was left over."""
    said: dict[str, Any] = {"policy": job.policy}
    if job.policy == "lag":
        said["lag"] = job.lag
    said["test_unpaired"] = int((table.ref_index < 0).sum())
    used = len(np.unique(table.ref_index[table.ref_index >= 0]))
    said["ref_unpaired"] = job.sources["ref"].counts.delivered - used if "ref" in job.sources else 0
    if isinstance(found, Cadence):
        return {**said, **summarize_cadence(found)}
    if isinstance(found, Pairing):
        return {**said, **summarize(found)}
    warning = warn_shifted(job)
    return {**said, **({} if warning is None else {"warning": sentence(warning)})}


def warn_shifted(job: OpenJob) -> Note | None:
    """A warning where frames paired row by row would fit clearly better one row off."""
    return job.check.verdict() if job.policy == "row" else None


def why_unpaired(job: OpenJob, table: FrameTable) -> str | None:
    """Why no frame at all has a partner, where that follows from how many there are; None where one
    has."""
    alone = (
        job.policy == "neighbours"
    )  # an original is compared with nothing there, and is its own partner
    if ((table.ref_index >= 0) & ~(alone & (table.role == Role.PASSED))).any():
        return None
    n = len(table)
    frames = f"{n} frame{'s' * (n != 1)}"
    match job.policy:
        case "lag":
            remedy = "give a smaller one" if n > 1 else "give two or more, or --golden"
            return f"lag is {job.lag}, but the sequence has {frames}: {remedy}"
        case "shift":
            return (
                f"align is {job.shift}, and none of {frames} has a partner there: give a smaller"
                " shift"
            )
        case "neighbours" if job.config.multiplier is not None:
            need = int(job.config.multiplier) + 1
            return (
                f"the test has {frames}, none synthesised between two originals: give {need} or"
                " more, or --ref"
            )
        case "neighbours":
            return (
                f"the test has {frames}, none with one before and one after it: give three or more,"
                " or --ref"
            )
    return None


def warn_unmarked_originals(
    job: OpenJob, table: FrameTable, values: Mapping[str, NDArray[np.float32]]
) -> Note | None:
    """A warning where the scores look as if originals were among the frames that nothing tells from
    synthesised ones.

    How good frames are never decides what they are: the better a method is, the less its frames
    would be told from originals. It is said, with the option that states it, and numbers stay over
    all frames.
    """
    if job.config.mode != "score" or job.config.step != 1 or (table.role != Role.UNKNOWN).any():
        return None
    name = next((name for name in BADNESS if name in values), None)
    found = (
        None if name is None else find_passthrough(BADNESS[name](values[name].astype(np.float64)))
    )
    if found is None:
        return None
    multiplier, row = found
    cycle = (table.index if job.policy == "neighbours" else table.ref_index)[row::multiplier]
    counted = int(cycle[cycle >= 0][0])
    return Note(
        Code.UNMARKED_ORIGINALS,
        {
            "multiplier": multiplier,
            "frame": int(table.index[row]),
            "metric": name,
            "begins_with_one": counted % multiplier == 0,
        },
    )


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
    job: OpenJob,
    pairing: Mapping[str, Any],
    table: FrameTable,
    values: Mapping[str, NDArray[np.float32]],
    registrations: Registrations | None,
) -> list[Note]:
    """What makes a run partial; empty when it is whole."""
    return [
        *_unpaired(job, pairing),
        *_damaged(job),
        *_refused(registrations),
        *_empty(job, table, values),
    ]


def _unpaired(job: OpenJob, pairing: Mapping[str, Any]) -> list[Note]:
    notes = []
    if job.policy == "row":
        for role in ("test", "ref"):
            if count := pairing[f"{role}_unpaired"]:
                notes.append(Note(Code.WITHOUT_PARTNER, {"count": count, "role": role}))
            if count := job.sources[role].counts.undecodable:
                notes.append(Note(Code.ROWS_MAY_BE_OFF, {"count": count, "role": role}))
    if job.policy == "source" and (count := pairing["outside"]):
        notes.append(Note(Code.OUTSIDE_OF_SOURCE, {"count": count}))
    return notes


def _damaged(job: OpenJob) -> list[Note]:
    notes = []
    for role, source in job.sources.items():
        where = {"role": role, "path": source.info.path}
        for what, code in DAMAGE_COUNTS.items():
            if count := getattr(source.counts, what):
                notes.append(Note(code, {"count": count, **where}))
        if early := source.counts.given_up(source.info.path):
            notes.append(Note(Code.SOURCE_GAVE_UP, {"role": role, "note": early}))
        if source.counts.ended:  # what lies behind --stop was not asked for
            notes += [
                Note(Code.SOURCE_DAMAGED, {**where, "note": damage})
                for damage in source.info.damage
            ]
        notes += changed(source, job.stamps[role])
        if missing := _missing(source):
            notes.append(Note(Code.FRAMES_MISSING, {"count": missing, **where}))
    return notes


def _refused(found: Registrations | None) -> list[Note]:
    """A note on the frames that could not be registered, with the reasons; none where all could."""
    reasons = (
        {v: found.count(v) for v in Verdict if v > Verdict.UNPAIRED} if found is not None else {}
    )
    counted = {verdict.name.lower(): count for verdict, count in reasons.items() if count}
    return [Note(Code.NOT_REGISTERED, {"reasons": counted})] if counted else []


def _empty(
    job: OpenJob, table: FrameTable, values: Mapping[str, NDArray[np.float32]]
) -> list[Note]:
    """A note on each metric that no frame has a value of, of those that the run is about: a
    rule about it would be met by nothing.

    Not of those that many a whole clip has no place for: where nothing moves, or no original was
    passed through.
    """
    role = headline_role(table)
    rows = rows_of(table, role)
    empty = [name for name, column in values.items() if np.isnan(column[rows]).all()]
    return [
        Note(Code.METRIC_UNDEFINED, {"metric": name, "role": role})
        for name in empty
        if Needs.NEIGHBOURS not in job.plan.metrics[name].spec.needs and job.policy != "source"
    ]


def _missing(source: Source) -> int:
    """How many frames a video claims beyond those that its whole stream held."""
    counts, expected = source.counts, source.info.frames_expected
    if source.info.kind != "video" or expected is None or not counts.ended:
        return 0
    return max(
        0, expected - counts.decoded - counts.skipped - counts.undecodable - counts.unreadable
    )

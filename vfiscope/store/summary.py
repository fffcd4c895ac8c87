"""The JSON summary of a result: what the command line prints and reports, and ``--fail-on``
judges."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from vfiscope.store.pools import POOLS, ROLES, pool, rows_of, worst_row
from vfiscope.store.text import plain
from vfiscope.store.verdict import judge
from vfiscope.types import FrameTable, MetricSpec, Segment, Status

if TYPE_CHECKING:
    from vfiscope.store.run import Run

__all__ = ["summarize"]


def describe(
    values: ArrayLike,
    spec: MetricSpec,
    frames: FrameTable,
    rows: NDArray[np.bool_],
    names: Sequence[str] = (),
) -> dict[str, Any]:
    """The pools of one metric over some rows, with its worst frame (decode ordinal, and the name of
    its image where there are names) and the numbers of infinite and defined values.

    Of a signed metric, whose values of both signs would cancel out, also ``mean_abs``: the mean
    distance from identity.
    """
    array = np.asarray(values, np.float64)
    mine = array[rows]
    row = worst_row(np.where(rows, array, np.nan), spec)
    signed = spec.low < spec.identity < spec.high
    return {
        **{name: pool(mine, name) for name in POOLS},
        **({"mean_abs": pool(np.abs(mine - spec.identity), "mean")} if signed else {}),
        "worst": None if row is None else float(array[row]),
        "worst_index": None if row is None else int(frames.index[row]),
        **({"worst_name": None if row is None else names[row]} if names else {}),
        "infinite": int(np.isinf(mine).sum()),
        "defined": int((~np.isnan(mine)).sum()),
    }


def summarize(run: Run) -> dict[str, Any]:
    """The summary of a result, strictly JSON-able: what is NaN or infinite is None, and counted.

    ``metrics`` is about the frames that ``role`` names; where frames are told apart, ``roles`` has
    those of each role.
    """
    seconds = run.timings.get("seconds")
    total = len(run.frames)
    judgement = judge(run.frames, run.scores)
    summary = {
        "mode": run.mode,
        "out": str(run.path),
        "frames": _count(run),
        "role": run.role,
        "metrics": _pooled(run, run.role),
        "roles": {
            role: {"frames": int(rows_of(run.frames, role).sum()), "metrics": _pooled(run, role)}
            for role in (ROLES if run.role != "all" else ())
        },
        "verdict": None if judgement is None else judgement.to_dict(),
        "segments": [
            {**dataclasses.asdict(segment), **_named(run, segment)} for segment in run.segments
        ],
        "rules": list(run.rules),
        "regions": len(run.regions),
        "pairing": dict(run.pairing),
        "status": run.status,
        "notes": list(run.notes),
        "warnings": list(run.warnings),
        "seconds": seconds,
        "fps": run.timings.get("fps", total / seconds if seconds else None),
    }
    cleaned: dict[str, Any] = plain(summary)
    return cleaned


def _pooled(run: Run, role: str) -> dict[str, Any]:
    """{metric: its pools over the frames of a role}, without metrics that only other frames have
    values of."""
    rows = rows_of(run.frames, role)
    return {
        name: describe(values, run.specs[name], run.frames, rows, run.names)
        for name, values in run.scores.items()
        if np.isnan(values).all() or not np.isnan(values[rows]).all()
    }


def _named(run: Run, segment: Segment) -> dict[str, str | None]:
    """The first and the last image of a segment, and when they were taken, as far as that is
    known."""
    first, end = (
        int(row) for row in np.searchsorted(run.frames.index, (segment.start, segment.stop))
    )
    ends = {"start": first, "stop": max(first, end - 1)}
    if not run.names or first >= len(run.names):
        return {}
    names: dict[str, str | None] = {f"{end}_name": run.names[row] for end, row in ends.items()}
    moments = {f"{end}_at": run.moment(row) for end, row in ends.items()}
    return names | (moments if moments["start_at"] is not None else {})


def _count(run: Run) -> Mapping[str, int]:
    """Frames by what happened to them.

    Each is scored, unpaired or unreadable, but for originals that no metric of the run is about; a
    corrupt one may be scored or unpaired as well: its status says the worse.
    """
    frames = run.frames
    unreadable = frames.status == Status.UNREADABLE
    unpaired = (frames.ref_index < 0) & ~unreadable
    valued = np.any([~np.isnan(values) for values in run.scores.values()], axis=0)
    idle = rows_of(frames, "passed") & ~valued
    return {
        "scored": int((~unpaired & ~unreadable & ~idle).sum()),
        "unpaired": int(unpaired.sum()),
        "corrupt": int((frames.status == Status.CORRUPT).sum()),
        "unreadable": int(unreadable.sum()),
        "total": len(frames),
    }

"""The parts of the JSON summary of a result, computed from stored columns; see ``Run.summary``."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from vfiscope.store.pools import ROLES, headline_role, pool, pools, rows_of, worst_row
from vfiscope.types import FrameTable, MetricSpec, Role, Segment, SignalSpec, Status

__all__ = ["by_role", "count", "described_signals", "named", "pooled"]

Scored = Mapping[str, NDArray[np.float32]]
"""{metric: (N,) float32}, NaN where not defined."""


Moment = Callable[[int], str | None] | None
"""The capture time of a row; None where times are counted."""


def describe(
    values: ArrayLike,
    spec: MetricSpec,
    frames: FrameTable,
    rows: NDArray[np.bool_],
    names: Sequence[str] = (),
    moment: Moment = None,
) -> dict[str, Any]:
    """The pools of one metric over some rows, with its worst frame (decode ordinal, and the name of
    its image and its capture time where there are such) and the numbers of infinite and defined
    values.

    Of a signed metric, whose values of both signs would cancel out, also ``mean_abs``: the mean
    distance from identity.
    """
    array = np.asarray(values, np.float64)
    mine = array[rows]
    row = worst_row(np.where(rows, array, np.nan), spec)
    signed = spec.low < spec.identity < spec.high
    return {
        **pools(mine),
        **({"mean_abs": pool(np.abs(mine - spec.identity), "mean")} if signed else {}),
        "worst": None if row is None else float(array[row]),
        "worst_index": None if row is None else int(frames.index[row]),
        **({"worst_name": None if row is None else names[row]} if names else {}),
        **({"worst_at": None if row is None else moment(row)} if moment is not None else {}),
        "infinite": int(np.isinf(mine).sum()),
        "defined": int((~np.isnan(mine)).sum()),
    }


def pooled(
    scores: Scored,
    specs: Mapping[str, MetricSpec],
    frames: FrameTable,
    role: str,
    names: Sequence[str] = (),
    moment: Moment = None,
) -> dict[str, Any]:
    """{metric: its pools over the frames of a role}, without metrics that have values only for
    other frames."""
    rows = rows_of(frames, role)
    return {
        name: describe(values, specs[name], frames, rows, names, moment)
        for name, values in scores.items()
        if np.isnan(values).all() or not np.isnan(values[rows]).all()
    }


def by_role(
    scores: Scored,
    specs: Mapping[str, MetricSpec],
    frames: FrameTable,
    names: Sequence[str] = (),
    moment: Moment = None,
) -> dict[str, Any]:
    """{role: its number of frames and :func:`pooled`} where roles are known, else empty."""
    if headline_role(frames) == "all":
        return {}
    return {
        role: {
            "frames": int(rows_of(frames, role).sum()),
            "metrics": pooled(scores, specs, frames, role, names, moment),
        }
        for role in ROLES
        if role != "held" or (frames.role == Role.HELD).any()
    }


def described_signals(signals: Scored, specs: Mapping[str, SignalSpec]) -> dict[str, Any]:
    """{signal: its unit, mean and range over all frames, and the number of frames that have a
    value}."""
    return {
        name: {
            "unit": specs[name].unit,
            **pools(values, ("mean", "min", "max")),
            "defined": int((~np.isnan(values)).sum()),
        }
        for name, values in signals.items()
    }


def named(
    segment: Segment,
    frames: FrameTable,
    names: Sequence[str],
    moment: Callable[[int], str | None],
) -> dict[str, Any]:
    """A segment as a dictionary, with its box and its first, last and worst image and their capture
    times, if known.

    Args:
        segment: the segment.
        frames: the frame table of the run.
        names: the image file of each row; empty for video and arrays.
        moment: the capture time of a row.
    """
    unknown = () if segment.w else ("x", "y", "w", "h")
    entry = {name: value for name, value in vars(segment).items() if name not in unknown}
    if not names:
        return entry
    first, end = (int(row) for row in np.searchsorted(frames.index, (segment.start, segment.stop)))
    ends = {"start": first, "stop": max(first, end - 1)}
    ends["peak"] = int(np.searchsorted(frames.index, segment.peak_index))
    moments = {f"{end}_at": moment(row) for end, row in ends.items()}
    return {
        **entry,
        **{f"{end}_name": names[row] for end, row in ends.items()},
        **(moments if moments["start_at"] is not None else {}),
    }


def count(frames: FrameTable, scores: Scored, unread: int | None = None) -> Mapping[str, int]:
    """Numbers of frames by outcome.

    Each frame is scored, unpaired, unreadable or without a readable partner, except for originals
    that no metric of the run is about. A corrupt frame may be scored or unpaired as well; its
    status is the more severe.

    Args:
        frames: the frame table, whose status is the more severe of a frame and its partner.
        scores: what was scored.
        unread: test frames that could not be read; None where that was not counted.
    """
    unreadable = frames.status == Status.UNREADABLE
    unpaired = (frames.ref_index < 0) & ~unreadable
    valued = np.any([~np.isnan(values) for values in scores.values()], axis=0)
    idle = rows_of(frames, "passed") & ~valued
    own = int(unreadable.sum()) if unread is None else min(unread, int(unreadable.sum()))
    return {
        "scored": int((~unpaired & ~unreadable & ~idle).sum()),
        "unpaired": int(unpaired.sum()),
        "corrupt": int((frames.status == Status.CORRUPT).sum()),
        "unreadable": own,
        "partner_unreadable": int(unreadable.sum()) - own,
        "total": len(frames),
    }

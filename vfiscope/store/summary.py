"""The JSON summary of a result: what the command line prints and reports, and ``--fail-on`` judges."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from vfiscope.store.pools import POOLS, pool, worst_row
from vfiscope.store.text import plain
from vfiscope.types import FrameTable, MetricSpec, Role, Status

if TYPE_CHECKING:
    from vfiscope.store.run import Run

__all__ = ["summarize"]


def describe(values: ArrayLike, spec: MetricSpec, frames: FrameTable, names: Sequence[str] = ()) -> dict[str, Any]:
    """The pools of one metric, with its worst frame (decode ordinal, and the name of its image where there are names)
    and the numbers of infinite and defined values."""
    array = np.asarray(values, np.float64)
    row = worst_row(array, spec)
    return {
        **{name: pool(array, name) for name in POOLS},
        "worst": None if row is None else float(array[row]),
        "worst_index": None if row is None else int(frames.index[row]),
        **({"worst_name": None if row is None else names[row]} if names else {}),
        "infinite": int(np.isinf(array).sum()),
        "defined": int((~np.isnan(array)).sum()),
    }


def summarize(run: Run) -> dict[str, Any]:
    """The summary of a result, strictly JSON-able: what is NaN or infinite is None, and counted."""
    seconds = run.timings.get("seconds")
    total = len(run.frames)
    summary = {
        "mode": run.mode,
        "out": str(run.path),
        "frames": _count(run.frames),
        "metrics": {
            name: describe(values, run.specs[name], run.frames, run.names) for name, values in run.scores.items()
        },
        "roles": _by_role(run),
        "segments": [dataclasses.asdict(segment) for segment in run.segments],
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


def _by_role(run: Run) -> dict[str, Any]:
    """{role: frames and pools of each metric}, for passed-through and synthesised frames where both are known."""
    roles = [role for role in (Role.PASSED, Role.SYNTHESISED) if (run.frames.role == role).any()]
    found: dict[str, Any] = {}
    for role in roles if len(roles) == 2 else []:
        rows = run.frames.role == role
        pooled = {
            name: {**{key: pool(values[rows], key) for key in POOLS}, "mean_abs": pool(np.abs(values[rows]), "mean")}
            for name, values in run.scores.items()
        }
        found[role.name.lower()] = {"frames": int(rows.sum()), "metrics": pooled}
    return found


def _count(frames: FrameTable) -> Mapping[str, int]:
    """Frames by what happened to them.

    Each is scored, unpaired or unreadable; a corrupt one may be scored or unpaired as well: its status says the worse.
    """
    unreadable = frames.status == Status.UNREADABLE
    unpaired = (frames.ref_index < 0) & ~unreadable
    return {
        "scored": int((~unpaired & ~unreadable).sum()),
        "unpaired": int(unpaired.sum()),
        "corrupt": int((frames.status == Status.CORRUPT).sum()),
        "unreadable": int(unreadable.sum()),
        "total": len(frames),
    }

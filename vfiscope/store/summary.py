"""The JSON summary of a result: what the command line prints and reports, and ``--fail-on`` judges."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from vfiscope.errors import UsageError
from vfiscope.store.text import plain
from vfiscope.types import Float64, FrameTable, MetricSpec, Role, Status

if TYPE_CHECKING:
    from vfiscope.store.run import Run

__all__ = ["POOLS", "pool", "summarize"]

POOLS = ("mean", "std", "min", "p1", "p5", "p50", "p95", "p99", "max")
_SIMPLE: Mapping[str, Callable[[Float64], Any]] = {"mean": np.mean, "std": np.std, "min": np.min, "max": np.max}
_PERCENTILE = re.compile(r"p(\d{1,3}(?:\.\d+)?)")


def pool(values: ArrayLike, name: str) -> float | None:
    """One number for a curve, in float64 over its finite values.

    Args:
        values: (N,) scores; NaN and infinities are left out.
        name: ``mean``, ``std`` (of the population), ``min``, ``max``, or ``p0`` to ``p100``, a percentile with linear
            interpolation.

    Returns:
        The number, None where no value is finite.

    Raises:
        UsageError: there is no such pool.
    """
    match = _PERCENTILE.fullmatch(name)
    if name not in _SIMPLE and (match is None or float(match[1]) > 100):
        raise UsageError(f"there is no pool {name!r}: choose mean, std, min, max, or a percentile p0 to p100")
    array = np.asarray(values, np.float64)
    finite = array[np.isfinite(array)]
    if not len(finite):
        return None
    return float(_SIMPLE[name](finite) if match is None else np.percentile(finite, float(match[1])))


def worst_row(values: ArrayLike, spec: MetricSpec) -> int | None:
    """Row of the worst finite value, the first of equals; None where no value is finite.

    Worst is by the metric's direction; for a signed metric, whose identity lies inside its range, it is the value
    farthest from identity.
    """
    array = np.asarray(values, np.float64)
    finite = np.isfinite(array)
    if not finite.any():
        return None
    if spec.low < spec.identity < spec.high:
        badness = np.abs(array - spec.identity)
    else:
        badness = array if spec.lower_is_better else -array
    return int(np.argmax(np.where(finite, badness, -np.inf)))


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

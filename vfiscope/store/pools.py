"""One number for a curve, and which rows of a run such a number is about."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from vfiscope.errors import UsageError
from vfiscope.types import Float64, FrameTable, MetricSpec, Role

__all__ = ["POOLS", "ROLES", "headline_role", "pool", "pools", "rows_of", "worst_row"]

POOLS = ("mean", "std", "min", "p1", "p5", "p50", "p95", "p99", "max")
ROLES = ("synthesised", "passed", "held", "all")
"""Groups of frames that a number can be about; the first is the headline where roles are known."""
_SIMPLE: Mapping[str, Callable[[Float64], Any]] = {
    "mean": np.mean,
    "std": np.std,
    "min": np.min,
    "max": np.max,
}
_PERCENTILE = re.compile(r"p(\d{1,3}(?:\.\d+)?)")


def pool(values: ArrayLike, name: str) -> float | None:
    """One number for a curve, in float64 over its finite values.

    Args:
        values: (N,) scores; NaN and infinities are left out.
        name: ``mean``, ``std`` (of the population), ``min``, ``max``, or ``p0`` to ``p100``, a
            percentile with linear interpolation.

    Returns:
        The number, None where no value is finite.

    Raises:
        UsageError: the pool is unknown.
    """
    return pools(values, (name,))[name]


def pools(values: ArrayLike, names: Sequence[str] = POOLS) -> dict[str, float | None]:
    """{name: :func:`pool`} of one curve; percentiles share their work.

    Raises:
        UsageError: as :func:`pool`.
    """
    levels = {name: _level(name) for name in names if name not in _SIMPLE}
    array = np.asarray(values, np.float64)
    finite = array[np.isfinite(array)]
    if not len(finite):
        return dict.fromkeys(names)
    at_levels = np.percentile(finite, list(levels.values())) if levels else ()
    found = dict(zip(levels, at_levels, strict=True))
    found |= {name: _SIMPLE[name](finite) for name in names if name in _SIMPLE}
    return {name: float(found[name]) for name in names}


def _level(name: str) -> float:
    """The percentage that the name of a percentile says."""
    match = _PERCENTILE.fullmatch(name)
    if match is None or float(match[1]) > 100:
        raise UsageError(
            f"there is no pool {name!r}: choose mean, std, min, max, or a percentile p0 to p100"
        )
    return float(match[1])


def worst_row(values: ArrayLike, spec: MetricSpec) -> int | None:
    """Row of the worst finite value, the first of equals; None where no value is finite.

    Worst is by the metric's direction; for a signed metric, whose identity lies inside its range,
    it is the value farthest from identity.
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


def headline_role(frames: FrameTable) -> str:
    """The role of the headline numbers of a run: ``"synthesised"`` where roles are known, else
    ``"all"``.

    Originals that were passed through measure a codec, not an interpolation method: where they are
    known they are left out of numbers about the method.
    """
    return "synthesised" if (frames.role == Role.SYNTHESISED).any() else "all"


def rows_of(frames: FrameTable, role: str) -> NDArray[np.bool_]:
    """Mask (N,) of the rows of a role.

    Args:
        frames: the frame table of a run, N rows.
        role: ``"all"``, ``"synthesised"``, ``"passed"``, or ``"held"``.

    Raises:
        UsageError: the role is unknown.
    """
    match role:
        case "all":
            return np.ones(len(frames), bool)
        case "synthesised":
            return np.asarray(frames.role == Role.SYNTHESISED)
        case "passed":
            return np.asarray(frames.role == Role.PASSED)
        case "held":
            return np.asarray(frames.role == Role.HELD)
    raise UsageError(f"there is no role {role!r}: choose all, synthesised, passed, or held")

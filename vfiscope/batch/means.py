"""The means over all compared pairs of a batch."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from vfiscope.metrics import METRICS
from vfiscope.types import Needs
from vfiscope.views.naming import EMBEDDER_KEYS

__all__ = ["describe_means", "means_of"]


def means_of(results: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """The mean of each metric over all pairs, as ``means.json`` holds it.

    Args:
        results: the entries of ``results.json``; those of other modes than compare are left out.

    Returns:
        ``pairs`` (compared), ``failed``, ``metrics`` ({name: ``mean``, and ``of`` how many pairs:
        those with a finite value}) and ``left_out`` ({metric: why it has no mean}).
    """
    pairs = [result for result in results if result["mode"] == "compare"]
    done = [result for result in pairs if result["summary"] is not None]
    names = dict.fromkeys(name for result in done for name in result["summary"]["metrics"])
    left_out = {name: "different embedders" for name in names if _differ(done, name)}
    return {
        "pairs": len(done),
        "failed": len(pairs) - len(done),
        "metrics": {name: _mean(_values(done, name)) for name in names if name not in left_out},
        "left_out": left_out,
    }


def describe_means(means: Mapping[str, Any]) -> str:
    """The means as a line of text; empty for fewer than two pairs."""
    number = means["pairs"]
    parts = [
        f"{name} {pooled['mean']:.4g}{f' (of {of})' if (of := pooled['of']) < number else ''}"
        for name, pooled in means["metrics"].items()
        if pooled["mean"] is not None
    ]
    parts += [f"{name} left out ({why})" for name, why in means["left_out"].items()]
    return f"mean of {number} pairs: {', '.join(parts)}" if number > 1 and parts else ""


def _values(done: Iterable[Mapping[str, Any]], name: str) -> list[float]:
    """The finite values of a metric."""
    found = (result["summary"]["metrics"].get(name, {}).get("mean") for result in done)
    return [value for value in found if value is not None]


def _mean(values: Sequence[float]) -> dict[str, Any]:
    return {"mean": float(np.mean(values)) if values else None, "of": len(values)}


def _differ(done: Sequence[Mapping[str, Any]], name: str) -> bool:
    """Whether a metric compares features, and the pairs have those of different embedders."""
    if name not in METRICS or Needs.FEATURES not in METRICS[name].spec.needs:
        return False
    mine = [result["embedder"] for result in done if name in result["summary"]["metrics"]]
    return any(each.get(key) != mine[0].get(key) for each in mine for key in EMBEDDER_KEYS)

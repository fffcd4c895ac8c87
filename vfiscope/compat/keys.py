"""The keys that other tools use for the sides of a pair, in their inputs and outputs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vfiscope.compat.bands import band_of
from vfiscope.errors import UsageError
from vfiscope.views.naming import EMBEDDER_KEYS

if TYPE_CHECKING:
    from vfiscope.store import Run

__all__ = ["LISTS", "option_of", "pair_keys", "rows_of"]

ALIASES = {"image_a": "ref", "ref_img": "ref", "image_b": "test", "dist_img": "test"}
LISTS = ("pairs", "jobs")
"""Keys under which an object may hold the list of jobs."""


def option_of(key: str) -> str:
    """The option for a key of a job list, with dashes or underscores; lists made for VFI-Similarity
    and for sets of distorted images use other names for the two sides."""
    return ALIASES.get(key, key.replace("-", "_"))


def rows_of(value: Any) -> Any:
    """The list of jobs in a JSON value: the value itself, or its key ``pairs`` or ``jobs``; None
    where it has neither key.

    Raises:
        UsageError: it has both.
    """
    if not isinstance(value, dict):
        return value
    found = [key for key in LISTS if key in value]
    if len(found) > 1:
        raise UsageError(
            f"the job list has the keys {' and '.join(map(repr, found))}, which mean the same:"
            " leave one out"
        )
    return value[found[0]] if found else None


def pair_keys(
    options: Mapping[str, Any], run: Run | None = None, summary: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """The keys of a result of VFI-Similarity, for a job and, once it is done, its run and the
    summary of that."""
    ref, test = (options.get(role) for role in ("ref", "test"))
    embedder = None if run is None else run.embedder
    distance = None if summary is None else summary["metrics"].get("cosine", {}).get("mean")
    return {
        "image_a": Path(ref).name if isinstance(ref, str) else None,
        "image_b": Path(test).name if isinstance(test, str) else None,
        "cosine_similarity": None if distance is None else 1 - distance,
        "cosine_distance": distance,
        "band": None if run is None else band_of(run),
        "embedder": embedder and {key: embedder.get(key) for key in EMBEDDER_KEYS},
        "embedding_dim": embedder and embedder["dim"],
    }

"""The keys that other tools use for the sides of a pair, in their inputs and outputs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from vfiscope.store import Run

__all__ = ["option_of", "pair_keys", "rows_of"]

ALIASES = {"image_a": "ref", "ref_img": "ref", "image_b": "test", "dist_img": "test"}


def option_of(key: str) -> str:
    """The option for a key of a job list; lists made for VFI-Similarity and for sets of distorted
    images use other names for the two sides."""
    return ALIASES.get(key, key)


def rows_of(value: Any) -> Any:
    """The list of jobs in a JSON value: the value itself, or its key ``pairs`` or ``jobs``."""
    return value.get("pairs", value.get("jobs")) if isinstance(value, dict) else value


def pair_keys(
    options: Mapping[str, Any], run: Run | None = None, summary: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """The keys of a result of VFI-Similarity, for a job and, once it is done, its run and the
    summary of that."""
    ref, test = (options.get(role) for role in ("ref", "test"))
    distance = None if summary is None else summary["metrics"].get("cosine", {}).get("mean")
    return {
        "image_a": Path(ref).name if isinstance(ref, str) else None,
        "image_b": Path(test).name if isinstance(test, str) else None,
        "cosine_similarity": None if distance is None else 1 - distance,
        "cosine_distance": distance,
        "embedding_dim": None if run is None or run.embedder is None else run.embedder["dim"],
    }

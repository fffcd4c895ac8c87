"""Describe the differences between two headers."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from vfiscope.options import not_stored

__all__ = ["changes"]

LOAD_REPORT = "embedder.weights"
"""How each tensor of a weight file was used: determined by its digest and the network, and known
only after the network is loaded."""


def changes(
    old: Mapping[str, Any], new: Mapping[str, Any], without: Collection[str] | None = None
) -> list[str]:
    """One line for each leaf that differs between two dictionaries of a header.

    Options that are never stored, or those passed, are left out, and so is the use of the tensors
    of a weight file. Of a metric, map or field, and of a group that one side lacks, only the first
    leaf is listed.
    """
    before, after = (
        dict(flatten({k: v for k, v in each.items() if v not in (None, {})})) for each in (old, new)
    )
    ignored = {f"config.{name}" for name in (not_stored() if without is None else without)}
    lines: dict[str, str] = {}
    for key in dict.fromkeys([*before, *after]):
        if key in ignored or key == LOAD_REPORT or key.startswith(f"{LOAD_REPORT}."):
            continue
        if before.get(key) != after.get(key):
            line = f"{key}: {before.get(key, '(absent)')} -> {after.get(key, '(absent)')}"
            lines.setdefault(_thing(key, before, after), line)
    return list(lines.values())


def _thing(key: str, *sides: Collection[str]) -> str:
    """The group of a leaf: its metric, map or field, a group that one side lacks, or only
    itself."""
    group, _, rest = key.partition(".")
    if group in ("metrics", "maps", "fields", "signals", "grids"):
        return rest.partition(".")[0]
    return (
        key if all(any(each.startswith(f"{group}.") for each in side) for side in sides) else group
    )


def flatten(value: Any, prefix: str = "") -> Iterator[tuple[str, str]]:
    """Yield (path, text) of every leaf; the sources are named by their role."""
    if isinstance(value, Mapping) and value:
        for key, item in value.items():
            yield from flatten(item, f"{prefix}.{key}" if prefix else str(key))
    elif (
        isinstance(value, (list, tuple))
        and value
        and all(isinstance(item, Mapping) for item in value)
    ):
        roles = [item.get("role") for item in value]
        for number, item in enumerate(value):
            label = roles[number] if roles.count(roles[number]) == 1 else number
            yield from flatten(item, f"{prefix}[{label}]")
    else:
        yield prefix, value if isinstance(value, str) and value.isprintable() else json.dumps(value)

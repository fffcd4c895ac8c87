"""One way in which a fault is made, at three severities."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from faults_truth import Edit

Levels = tuple[Mapping[str, Any], Mapping[str, Any], Mapping[str, Any]]
"""The arguments of a mild, a moderate and a strong one."""


@dataclass(frozen=True)
class Variant:
    name: str
    kind: str
    make: Callable[..., Edit]
    needs: str
    """What a place must have for it to be seen: "change", "speed" or "texture"."""
    levels: Levels

    def length(self, level: int) -> int:
        """Frames of the source that it covers."""
        values = self.levels[level]
        if "down" in values:
            up, hold = values.get("up", values["down"]), values.get("hold", 2)
            return int(values["down"] + hold - 1 + up)
        return int(values.get("count", 1)) or 1

    def stays(self, level: int) -> bool:
        """Whether it changes all frames up to the end."""
        lasting = ("exposure", "shift", "change")
        return self.kind in lasting and not self.levels[level].get("count")


def steps(**values: Any) -> Levels:
    """Arguments of the three severities; those that are lists of three differ."""
    return tuple(
        {name: value[i] if isinstance(value, list) else value for name, value in values.items()}
        for i in range(3)
    )  # type: ignore[return-value]


def grey(*gains: float) -> list[tuple[float, float, float]]:
    return [(gain, gain, gain) for gain in gains]

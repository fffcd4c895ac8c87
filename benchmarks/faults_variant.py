"""One way in which a fault is made, at three severities."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import faults_damage as damage
import faults_light as light
import faults_time as time
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


MADE = {
    **dict.fromkeys(("duplicate", "freeze"), (time.repeat, "change")),
    "drop": (time.drop, "change"),
    "ghosting": (time.ghost, "speed"),
    "tearing": (time.tear, "speed"),
    "fade": (light.fade, "texture"),
    "flash": (light.flash, "texture"),
    "black": (light.black, "texture"),
    "flicker": (light.flicker, "texture"),
    "exposure": (light.exposure, "texture"),
    "blur": (damage.blur, "texture"),
    "warp": (damage.warp, "texture"),
    "corruption": (damage.corrupt, "texture"),
    "shift": (damage.shift, "texture"),
    "change": (damage.thing, "texture"),
}
"""{kind: how it is made, and what a place must have for it to be seen}"""


def variant(name: str, kind: str, **values: Any) -> Variant:
    """A variant by its arguments; those that are lists of three differ from mild to strong."""
    make, needs = MADE[kind]
    mild, moderate, strong = (
        {key: value[level] if isinstance(value, list) else value for key, value in values.items()}
        for level in range(3)
    )
    return Variant(name, kind, make, needs, (mild, moderate, strong))


def grey(*gains: float) -> list[tuple[float, float, float]]:
    return [(gain, gain, gain) for gain in gains]

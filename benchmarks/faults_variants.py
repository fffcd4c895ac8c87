"""Every way in which a fault is made, at three severities, for each half: other frames, strengths
and shapes in the half that is reported than in the one that detectors are tuned on."""

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


def steps(**values: Any) -> Levels:
    """Arguments of the three severities; those that are lists of three differ."""
    return tuple(
        {name: value[i] if isinstance(value, list) else value for name, value in values.items()}
        for i in range(3)
    )  # type: ignore[return-value]


def grey(*gains: float) -> list[tuple[float, float, float]]:
    return [(gain, gain, gain) for gain in gains]


# A mild repeat has grain of its own; a strong one stands where much moves (faults_place.py).
TUNING = (
    Variant("replaced", "duplicate", time.repeat, "change", steps(noise=[1.5, 0, 0])),
    Variant(
        "inserted", "duplicate", time.repeat, "change", steps(noise=[1.5, 0, 0], inserted=True)
    ),
    Variant(
        "replaced", "freeze", time.repeat, "change", steps(count=[3, 6, 14], noise=[0.7, 0, 0])
    ),
    Variant("missing", "drop", time.drop, "change", steps(count=[1, 3, 7])),
    Variant("gap in time", "drop", time.drop, "change", steps(count=[1, 3, 7], gap=True)),
    Variant("to black", "fade", light.fade, "texture", steps(down=[14, 9, 6], hold=[1, 2, 2])),
    Variant(
        "even",
        "flash",
        light.flash,
        "texture",
        steps(count=[1, 1, 2], gain=[1.15, 1.5, 2.2], offset=[8, 30, 90]),
    ),
    Variant("in place", "black", light.black, "texture", steps(count=[1, 4, 10], level=[14, 0, 0])),
    Variant(
        "alternating",
        "flicker",
        light.flicker,
        "texture",
        steps(count=[16, 14, 12], depth=[0.025, 0.06, 0.14]),
    ),
    Variant(
        "brighter for good",
        "exposure",
        light.exposure,
        "texture",
        steps(gains=grey(1.08, 1.2, 1.4)),
    ),
    Variant(
        "darker for a while",
        "exposure",
        light.exposure,
        "texture",
        steps(gains=grey(0.93, 0.82, 0.66), count=[24, 20, 16]),
    ),
    Variant(
        "both neighbours",
        "ghosting",
        time.ghost,
        "speed",
        steps(
            count=[1, 1, 3],
            weights=[(0.7, 0.3), (0.5, 0.5), (0.5, 0.5)],
            lags=[(0, 1), (-1, 1), (-1, 1)],
        ),
    ),
    Variant(
        "one band",
        "tearing",
        time.tear,
        "speed",
        steps(count=[1, 1, 3], lag=[1, 2, 2], part=[0.25, 0.5, 0.5], moving=[False, False, True]),
    ),
    Variant("even", "blur", damage.blur, "texture", steps(count=[3, 5, 7], sigma=[1.1, 1.8, 3.5])),
    Variant(
        "field",
        "warp",
        damage.warp,
        "texture",
        steps(count=[1, 2, 3], px=[5.0, 10.0, 18.0], size=[0.25, 0.35, 0.5]),
    ),
    Variant(
        "blocks",
        "corruption",
        damage.corrupt,
        "texture",
        steps(count=[1, 2, 4], share=[0.02, 0.06, 0.2], how="blocks"),
    ),
    Variant(
        "rows",
        "corruption",
        damage.corrupt,
        "texture",
        steps(count=[1, 2, 5], share=[0.06, 0.12, 0.3], how="rows", stays=[False, True, True]),
    ),
    Variant("for good", "shift", damage.shift, "texture", steps(px=[3.0, 7.0, 18.0])),
    Variant(
        "and back", "shift", damage.shift, "texture", steps(px=[3.0, 7.0, 18.0], count=[1, 2, 2])
    ),
    Variant(
        "and gone",
        "change",
        damage.thing,
        "texture",
        steps(size=[0.15, 0.22, 0.35], count=[12, 16, 20]),
    ),
    Variant("for good", "change", damage.thing, "texture", steps(size=[0.15, 0.22, 0.35])),
)
REPORTED = (
    Variant("replaced", "duplicate", time.repeat, "change", steps(noise=[1.0, 0.3, 0])),
    Variant(
        "inserted", "duplicate", time.repeat, "change", steps(noise=[1.0, 0, 0], inserted=True)
    ),
    Variant(
        "replaced", "freeze", time.repeat, "change", steps(count=[2, 5, 11], noise=[0.5, 0.2, 0])
    ),
    Variant("inserted", "freeze", time.repeat, "change", steps(count=[2, 7, 16], inserted=True)),
    Variant("missing", "drop", time.drop, "change", steps(count=[1, 2, 5])),
    Variant("more missing", "drop", time.drop, "change", steps(count=[1, 4, 8])),
    Variant("gap in time", "drop", time.drop, "change", steps(count=[1, 2, 6], gap=True)),
    Variant(
        "to black",
        "fade",
        light.fade,
        "texture",
        steps(down=[13, 8, 5], up=[11, 10, 7], hold=3, linear=True),
    ),
    Variant("to white", "fade", light.fade, "texture", steps(down=[12, 8, 5], hold=2, to=245.0)),
    Variant(
        "dying",
        "flash",
        light.flash,
        "texture",
        steps(count=[1, 2, 3], gain=[1.2, 1.4, 1.8], offset=[5, 40, 110], decay=[1.0, 0.6, 0.5]),
    ),
    Variant(
        "between",
        "black",
        light.black,
        "texture",
        steps(count=[1, 5, 12], level=[16, 2, 0], noise=[1, 0.5, 0], inserted=True),
    ),
    Variant("in place", "black", light.black, "texture", steps(count=[2, 3, 8], level=[12, 3, 0])),
    Variant(
        "sine",
        "flicker",
        light.flicker,
        "texture",
        steps(count=[20, 17, 13], depth=[0.03, 0.08, 0.16], wave="sine"),
    ),
    Variant(
        "alternating",
        "flicker",
        light.flicker,
        "texture",
        steps(count=[18, 11, 10], depth=[0.02, 0.05, 0.11]),
    ),
    Variant(
        "darker for good", "exposure", light.exposure, "texture", steps(gains=grey(0.92, 0.84, 0.7))
    ),
    Variant(
        "another white",
        "exposure",
        light.exposure,
        "texture",
        steps(gains=[(1.07, 1.0, 0.94), (1.18, 1.02, 0.86), (1.35, 1.0, 0.7)]),
    ),
    Variant(
        "brighter for a while",
        "exposure",
        light.exposure,
        "texture",
        steps(gains=grey(1.09, 1.17, 1.36), count=[18, 26, 22]),
    ),
    Variant(
        "with the next",
        "ghosting",
        time.ghost,
        "speed",
        steps(
            count=[1, 1, 2],
            weights=[(0.75, 0.25), (0.5, 0.5), (0.45, 0.55)],
            lags=[(0, 1), (0, 1), (0, 1)],
        ),
    ),
    Variant(
        "wide",
        "ghosting",
        time.ghost,
        "speed",
        steps(
            count=[1, 2, 4],
            weights=[(0.3, 0.7), (0.4, 0.6), (0.5, 0.5)],
            lags=[(-1, 0), (-1, 1), (-1, 2)],
        ),
    ),
    Variant(
        "from above",
        "tearing",
        time.tear,
        "speed",
        steps(
            count=[1, 1, 4],
            lag=[1, 2, 3],
            part=[0.3, 0.4, 0.6],
            below=False,
            moving=[False, False, True],
        ),
    ),
    Variant(
        "of the future",
        "tearing",
        time.tear,
        "speed",
        steps(count=[1, 1, 2], lag=[-1, -1, -2], part=[0.35, 0.55, 0.5]),
    ),
    Variant("even", "blur", damage.blur, "texture", steps(count=[2, 4, 9], sigma=[1.2, 2.0, 4.0])),
    Variant(
        "along a line",
        "blur",
        damage.blur,
        "texture",
        steps(count=[2, 4, 6], sigma=0.0, length=[5, 9, 17]),
    ),
    Variant(
        "waves",
        "warp",
        damage.warp,
        "texture",
        steps(count=[1, 2, 4], px=[3.0, 6.0, 10.0], size=[0.3, 0.4, 0.5], waves=True),
    ),
    Variant(
        "field",
        "warp",
        damage.warp,
        "texture",
        steps(count=[1, 1, 3], px=[6.0, 12.0, 20.0], size=[0.22, 0.3, 0.45]),
    ),
    Variant(
        "blocks",
        "corruption",
        damage.corrupt,
        "texture",
        steps(count=[1, 3, 5], share=[0.025, 0.08, 0.25], how="blocks", stays=[False, True, True]),
    ),
    Variant(
        "slice",
        "corruption",
        damage.corrupt,
        "texture",
        steps(count=[1, 1, 3], share=[0.1, 0.2, 0.4], how="slice"),
    ),
    Variant(
        "rows",
        "corruption",
        damage.corrupt,
        "texture",
        steps(count=[1, 1, 4], share=[0.07, 0.15, 0.35], how="rows"),
    ),
    Variant(
        "for good",
        "shift",
        damage.shift,
        "texture",
        steps(px=[2.5, 6.0, 15.0], degrees=[0.0, 0.5, 1.0]),
    ),
    Variant(
        "swinging",
        "shift",
        damage.shift,
        "texture",
        steps(px=[4.0, 9.0, 20.0], count=[3, 3, 4], swing=0.5),
    ),
    Variant(
        "and gone",
        "change",
        damage.thing,
        "texture",
        steps(size=[0.16, 0.24, 0.4], count=[10, 14, 24], round_=False),
    ),
    Variant(
        "for good", "change", damage.thing, "texture", steps(size=[0.16, 0.24, 0.4], round_=False)
    ),
)
VARIANTS = {"tuning": TUNING, "reported": REPORTED}

PATTERNS = {
    "tuning": {
        "twos": (2,),
        "threes": (3,),
        "2:3": (2, 3),
        "one in five": (1, 1, 1, 2),
    },
    "reported": {
        "twos": (2,),
        "threes": (3,),
        "3:2": (3, 2),
        "one in six": (1, 1, 1, 1, 2),
        "one in 25": (*[1] * 23, 2),
    },
}
"""Cadences: how often each frame of the source is shown, in turn."""
STRETCHES = (36, 64, 200)
"""Frames of a cadence, mild to strong; the longest is the whole clip."""

"""The faults that detectors are tuned on."""

from __future__ import annotations

import faults_damage as damage
import faults_light as light
import faults_time as time
from faults_variant import Variant, grey, steps

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
    Variant("inserted", "freeze", time.repeat, "change", steps(count=[3, 5, 12], inserted=True)),
    Variant(
        "to white",
        "fade",
        light.fade,
        "texture",
        steps(down=[15, 10, 7], hold=[1, 2, 3], to=235.0, linear=True),
    ),
    Variant(
        "with the next",
        "ghosting",
        time.ghost,
        "speed",
        steps(
            count=[1, 2, 3],
            weights=[(0.7, 0.3), (0.55, 0.45), (0.4, 0.6)],
            lags=[(0, 1), (0, 1), (0, 1)],
        ),
    ),
    Variant(
        "wide",
        "ghosting",
        time.ghost,
        "speed",
        steps(
            count=[1, 1, 3],
            weights=[(0.35, 0.65), (0.5, 0.5), (0.45, 0.55)],
            lags=[(-1, 0), (-2, 1), (-2, 1)],
        ),
    ),
    Variant(
        "from above",
        "tearing",
        time.tear,
        "speed",
        steps(count=[1, 2, 3], lag=[1, 1, 2], part=[0.35, 0.45, 0.3], below=False),
    ),
    Variant(
        "of the future",
        "tearing",
        time.tear,
        "speed",
        steps(
            count=[1, 1, 3],
            lag=[-1, -2, -1],
            part=[0.4, 0.4, 0.6],
            moving=[False, False, True],
        ),
    ),
    Variant(
        "along a line",
        "blur",
        damage.blur,
        "texture",
        steps(count=[3, 3, 5], sigma=0.0, length=[7, 11, 15]),
    ),
    Variant(
        "waves",
        "warp",
        damage.warp,
        "texture",
        steps(count=[2, 1, 3], px=[3.5, 7.0, 12.0], size=[0.25, 0.4, 0.45], waves=True),
    ),
    Variant(
        "slice",
        "corruption",
        damage.corrupt,
        "texture",
        steps(count=[1, 2, 4], share=[0.08, 0.15, 0.3], how="slice", stays=[False, True, False]),
    ),
    Variant(
        "swinging",
        "shift",
        damage.shift,
        "texture",
        steps(px=[5.0, 8.0, 16.0], count=[2, 4, 5], swing=0.6, degrees=[0.0, 0.0, 0.7]),
    ),
    Variant(
        "another white",
        "exposure",
        light.exposure,
        "texture",
        steps(gains=[(0.95, 1.0, 1.06), (0.88, 1.0, 1.15), (0.75, 0.97, 1.3)], count=[20, 24, 18]),
    ),
    Variant("for good", "change", damage.thing, "texture", steps(size=[0.15, 0.22, 0.35])),
)

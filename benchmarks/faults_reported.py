"""The faults that are reported: other frames, strengths and shapes than those of the other half."""

from __future__ import annotations

import faults_damage as damage
import faults_light as light
import faults_time as time
from faults_variant import Variant, grey, steps

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

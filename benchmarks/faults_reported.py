"""The faults that are reported: other frames, strengths and shapes than those of the other half."""

from __future__ import annotations

from faults_variant import grey, variant

REPORTED = (
    variant("replaced", "duplicate", noise=[1.0, 0.3, 0]),
    variant("inserted", "duplicate", noise=[1.0, 0, 0], inserted=True),
    variant("replaced", "freeze", count=[2, 5, 11], noise=[0.5, 0.2, 0]),
    variant("inserted", "freeze", count=[2, 7, 16], inserted=True),
    variant("missing", "drop", count=[1, 2, 5]),
    variant("more missing", "drop", count=[1, 4, 8]),
    variant("gap in time", "drop", count=[1, 2, 6], gap=True),
    variant("to black", "fade", down=[13, 8, 5], up=[11, 10, 7], hold=3, linear=True),
    variant("to white", "fade", down=[12, 8, 5], hold=2, to=245.0),
    variant(
        "dying",
        "flash",
        count=[1, 2, 3],
        gain=[1.2, 1.4, 1.8],
        offset=[5, 40, 110],
        decay=[1.0, 0.6, 0.5],
    ),
    variant(
        "between", "black", count=[1, 5, 12], level=[16, 2, 0], noise=[1, 0.5, 0], inserted=True
    ),
    variant("in place", "black", count=[2, 3, 8], level=[12, 3, 0]),
    variant("sine", "flicker", count=[20, 17, 13], depth=[0.03, 0.08, 0.16], wave="sine"),
    variant("alternating", "flicker", count=[18, 11, 10], depth=[0.02, 0.05, 0.11]),
    variant("darker for good", "exposure", gains=grey(0.92, 0.84, 0.7)),
    variant(
        "another white", "exposure", gains=[(1.07, 1.0, 0.94), (1.18, 1.02, 0.86), (1.35, 1.0, 0.7)]
    ),
    variant("brighter for a while", "exposure", gains=grey(1.09, 1.17, 1.36), count=[18, 26, 22]),
    variant(
        "with the next",
        "ghosting",
        count=[1, 1, 2],
        weights=[(0.75, 0.25), (0.5, 0.5), (0.45, 0.55)],
        lags=[(0, 1), (0, 1), (0, 1)],
    ),
    variant(
        "wide",
        "ghosting",
        count=[1, 2, 4],
        weights=[(0.3, 0.7), (0.4, 0.6), (0.5, 0.5)],
        lags=[(-1, 0), (-1, 1), (-1, 2)],
    ),
    variant(
        "from above",
        "tearing",
        count=[1, 1, 4],
        lag=[1, 2, 3],
        part=[0.3, 0.4, 0.6],
        below=False,
        moving=[False, False, True],
    ),
    variant("of the future", "tearing", count=[1, 1, 2], lag=[-1, -1, -2], part=[0.35, 0.55, 0.5]),
    variant("even", "blur", count=[2, 4, 9], sigma=[1.2, 2.0, 4.0]),
    variant("along a line", "blur", count=[2, 4, 6], sigma=0.0, length=[5, 9, 17]),
    variant(
        "waves", "warp", count=[1, 2, 4], px=[3.0, 6.0, 10.0], size=[0.3, 0.4, 0.5], waves=True
    ),
    variant("field", "warp", count=[1, 1, 3], px=[6.0, 12.0, 20.0], size=[0.22, 0.3, 0.45]),
    variant(
        "blocks",
        "corruption",
        count=[1, 3, 5],
        share=[0.025, 0.08, 0.25],
        how="blocks",
        stays=[False, True, True],
    ),
    variant("slice", "corruption", count=[1, 1, 3], share=[0.1, 0.2, 0.4], how="slice"),
    variant("rows", "corruption", count=[1, 1, 4], share=[0.07, 0.15, 0.35], how="rows"),
    variant("for good", "shift", px=[2.5, 6.0, 15.0], degrees=[0.0, 0.5, 1.0]),
    variant("swinging", "shift", px=[4.0, 9.0, 20.0], count=[3, 3, 4], swing=0.5),
    variant("and gone", "change", size=[0.16, 0.24, 0.4], count=[10, 14, 24], round_=False),
    variant("for good", "change", size=[0.16, 0.24, 0.4], round_=False),
)

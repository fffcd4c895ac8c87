"""The faults that detectors are tuned on."""

from __future__ import annotations

from faults_variant import grey, variant

# A mild repeat has grain of its own; a strong one stands where much moves (faults_place.py).
TUNING = (
    variant("replaced", "duplicate", noise=[1.5, 0, 0]),
    variant("inserted", "duplicate", noise=[1.5, 0, 0], inserted=True),
    variant("replaced", "freeze", count=[3, 6, 14], noise=[0.7, 0, 0]),
    variant("missing", "drop", count=[1, 3, 7]),
    variant("gap in time", "drop", count=[1, 3, 7], gap=True),
    variant("to black", "fade", down=[14, 9, 6], hold=[1, 2, 2]),
    variant("even", "flash", count=[1, 1, 2], gain=[1.15, 1.5, 2.2], offset=[8, 30, 90]),
    variant("in place", "black", count=[1, 4, 10], level=[14, 0, 0]),
    variant("alternating", "flicker", count=[16, 14, 12], depth=[0.025, 0.06, 0.14]),
    variant("brighter for good", "exposure", gains=grey(1.08, 1.2, 1.4)),
    variant("darker for a while", "exposure", gains=grey(0.93, 0.82, 0.66), count=[24, 20, 16]),
    variant(
        "both neighbours",
        "ghosting",
        count=[1, 1, 3],
        weights=[(0.7, 0.3), (0.5, 0.5), (0.5, 0.5)],
        lags=[(0, 1), (-1, 1), (-1, 1)],
    ),
    variant(
        "one band",
        "tearing",
        count=[1, 1, 3],
        lag=[1, 2, 2],
        part=[0.25, 0.5, 0.5],
        moving=[False, False, True],
    ),
    variant("even", "blur", count=[3, 5, 7], sigma=[1.1, 1.8, 3.5]),
    variant("field", "warp", count=[1, 2, 3], px=[5.0, 10.0, 18.0], size=[0.25, 0.35, 0.5]),
    variant("blocks", "corruption", count=[1, 2, 4], share=[0.02, 0.06, 0.2], how="blocks"),
    variant(
        "rows",
        "corruption",
        count=[1, 2, 5],
        share=[0.06, 0.12, 0.3],
        how="rows",
        stays=[False, True, True],
    ),
    variant("for good", "shift", px=[3.0, 7.0, 18.0]),
    variant("and back", "shift", px=[3.0, 7.0, 18.0], count=[1, 2, 2]),
    variant("and gone", "change", size=[0.15, 0.22, 0.35], count=[12, 16, 20]),
    variant("inserted", "freeze", count=[3, 5, 12], inserted=True),
    variant("to white", "fade", down=[15, 10, 7], hold=[1, 2, 3], to=235.0, linear=True),
    variant(
        "with the next",
        "ghosting",
        count=[1, 2, 3],
        weights=[(0.7, 0.3), (0.55, 0.45), (0.4, 0.6)],
        lags=[(0, 1), (0, 1), (0, 1)],
    ),
    variant(
        "wide",
        "ghosting",
        count=[1, 1, 3],
        weights=[(0.35, 0.65), (0.5, 0.5), (0.45, 0.55)],
        lags=[(-1, 0), (-2, 1), (-2, 1)],
    ),
    variant(
        "from above", "tearing", count=[1, 2, 3], lag=[1, 1, 2], part=[0.35, 0.45, 0.3], below=False
    ),
    variant(
        "of the future",
        "tearing",
        count=[1, 1, 3],
        lag=[-1, -2, -1],
        part=[0.4, 0.4, 0.6],
        moving=[False, False, True],
    ),
    variant("along a line", "blur", count=[3, 3, 5], sigma=0.0, length=[7, 11, 15]),
    variant(
        "waves", "warp", count=[2, 1, 3], px=[3.5, 7.0, 12.0], size=[0.25, 0.4, 0.45], waves=True
    ),
    variant(
        "slice",
        "corruption",
        count=[1, 2, 4],
        share=[0.08, 0.15, 0.3],
        how="slice",
        stays=[False, True, False],
    ),
    variant(
        "swinging",
        "shift",
        px=[5.0, 8.0, 16.0],
        count=[2, 4, 5],
        swing=0.6,
        degrees=[0.0, 0.0, 0.7],
    ),
    variant(
        "another white",
        "exposure",
        gains=[(0.95, 1.0, 1.06), (0.88, 1.0, 1.15), (0.75, 0.97, 1.3)],
        count=[20, 24, 18],
    ),
    variant("for good", "change", size=[0.15, 0.22, 0.35]),
)

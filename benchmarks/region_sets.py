"""What the method ``auto`` says of labelled sets of pairs.

    python benchmarks/region_sets.py clevr FOLDER
    python benchmarks/region_sets.py masks FOLDER...
    python benchmarks/region_sets.py kinds FOLDER

``clevr``: triples ``ID_default.png``, ``ID_nonsemantic.png`` (camera and light moved),
``ID_semantic.png`` (moved, and something changed), as of CLEVR-Change. Prints the answer and the
evidence for each pair, and how well the evidence tells the two kinds apart (AUC), for each half of
the ids and for all.

``masks``: folders with ``A``, ``B`` and ``label`` (LEVIR-CD, DSIFN-CD). Prints the F1 of pixels
over each set: of the masks of ``auto``, of the plain difference and of 1 - SSIM, cut by Otsu's
threshold of each pair and by the best single threshold of the set (an upper bound, chosen on the
labels), and of frames that are marked changed everywhere.

``kinds``: pairs ``N_temp.jpg``, ``N_test.jpg`` with ``N.txt`` of lines ``x1 y1 x2 y2 type``
(DeepPCB). Prints which kind and change ``auto`` gives the boxes of each labelled type.
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from vfiscope.regions import METHODS, Found, FramePair, Settings, find
from vfiscope.regions.difference.absolute import absolute_difference
from vfiscope.regions.difference.structure import structure_difference
from vfiscope.regions.steps import Difference
from vfiscope.regions.threshold import otsu
from vfiscope.types import Region

LEVELS = 256
MIN_IOU = 0.33
TYPES = ("", "open", "short", "mousebite", "spur", "copper", "pin-hole")
HONEST = (
    "  No classical method knows what a building is: seasons and light change more pixels than\n"
    "  buildings do, and scores near that of marking everything say no more than that."
)

Box = tuple[float, float, float, float]
Mask = NDArray[np.bool_]


def image(path: Path) -> NDArray[np.uint8]:
    with Image.open(path) as opened:
        return np.asarray(opened.convert("RGB"))


def found_in(test: Path, ref: Path) -> tuple[Found, float]:
    """What ``auto`` finds, and the seconds of processor time that it took."""
    pair = FramePair(image(test), image(ref))
    start = time.process_time()
    return find(pair, METHODS["auto"](Settings())), time.process_time() - start


def area_under_curve(changed: Sequence[float], moved: Sequence[float]) -> float:
    """The share of pairs of scores in which the changed one is higher; ties count half."""
    above = np.subtract.outer(np.array(changed), np.array(moved))
    return float((np.sign(above) + 1).mean() / 2)


def clevr(folder: Path) -> None:
    ids = sorted(path.name.split("_")[0] for path in folder.glob("*_default.png"))
    evidence: dict[str, list[float]] = {"nonsemantic": [], "semantic": []}
    answers: dict[str, Counter[str]] = {name: Counter() for name in evidence}
    seconds = []
    for number in ids:
        for kind, values in evidence.items():
            test, ref = (folder / f"{number}_{name}.png" for name in (kind, "default"))
            found, took = found_in(test, ref)
            values.append(float(np.nan_to_num(found.answer.evidence)))
            answers[kind][found.answer.answer] += 1
            seconds.append(took)
            told = f"{values[-1]:5.1f} {found.answer.answer:9} {len(found.regions):2}"
            print(f"{number} {kind:11} {told}")
    for kind, counts in answers.items():
        print(f"{kind}: " + ", ".join(f"{name} {n}" for name, n in counts.most_common()))
    for name, part in (("even ids", slice(0, None, 2)), ("odd ids", slice(1, None, 2))):
        auc = area_under_curve(evidence["semantic"][part], evidence["nonsemantic"][part])
        print(f"AUC of {name}: {auc:.3f}")
    print(f"AUC of all: {area_under_curve(evidence['semantic'], evidence['nonsemantic']):.3f}")
    print(f"processor time of a pair: {np.mean(seconds):.2f} s, at most {max(seconds):.2f} s")


def proposed_mask(found: Found) -> Mask:
    """(H, W) the union of the masks of all regions, also of pairs that are undecided and have
    none."""
    union = np.zeros(found.pair.size, bool)
    for each in METHODS["auto"](Settings()).propose(found.difference, found.cut):
        box = each.box
        union[box.y : box.y + box.h, box.x : box.x + box.w] |= each.mask
    return union


def f1(right: float, marked: float, labelled: float) -> float:
    return 2 * right / (marked + labelled) if marked + labelled else 0.0


class Curve:
    """Pixels above each of 256 levels, over a set of pairs."""

    def __init__(self) -> None:
        self.marked, self.right, self.labelled = np.zeros(LEVELS), np.zeros(LEVELS), 0
        self.otsu = np.zeros(2)

    def add(self, difference: Difference, scale: float, label: Mask) -> None:
        codes = np.clip(difference.values / scale * (LEVELS - 1), 0, LEVELS - 1).astype(int)
        for total, among in ((self.marked, codes.ravel()), (self.right, codes[label])):
            total += np.bincount(among, minlength=LEVELS)[::-1].cumsum()[::-1]
        self.labelled += int(label.sum())
        mask = otsu(difference, step=scale / (LEVELS - 1)).mask
        self.otsu += ((mask & label).sum(), mask.sum())

    def best(self) -> float:
        pairs = zip(self.right, self.marked, strict=True)
        return max(f1(right, marked, self.labelled) for right, marked in pairs)


MAPS: dict[str, tuple[Callable[[FramePair], Difference], float]] = {
    "plain difference": (absolute_difference, 255.0),
    "1 - SSIM": (structure_difference, 1.0),
}


def masks(folder: Path) -> None:
    curves = {name: Curve() for name in MAPS}
    auto, labelled, pixels, answers = np.zeros(2), 0, 0, Counter[str]()
    for path in sorted((folder / "label").iterdir()):
        with Image.open(path) as opened:
            label = np.asarray(opened.convert("L")) > 127
        ref, test = (next((folder / side).glob(f"{path.stem}.*")) for side in "AB")
        found, _ = found_in(test, ref)
        mask = proposed_mask(found)
        answers[found.answer.answer] += 1
        auto += ((mask & label).sum(), mask.sum())
        labelled, pixels = labelled + int(label.sum()), pixels + label.size
        pair = FramePair(image(test), image(ref))
        for name, (make, scale) in MAPS.items():
            curves[name].add(make(pair), scale, label)
    print(f"{folder.name}: F1 of pixels, {sum(answers.values())} pairs")
    print(f"  auto                            {f1(*auto, labelled):.3f}   ({dict(answers)})")
    for name, curve in curves.items():
        print(f"  {name:17} Otsu          {f1(*curve.otsu, labelled):.3f}")
        print(f"  {name:17} best level    {curve.best():.3f}")
    print(f"  everything changed              {f1(labelled, pixels, labelled):.3f}")
    print(HONEST)


def overlap(one: Box, two: Box) -> float:
    """Intersection over union of two boxes x, y, w, h."""
    across = min(one[0] + one[2], two[0] + two[2]) - max(one[0], two[0])
    along = min(one[1] + one[3], two[1] + two[3]) - max(one[1], two[1])
    both = max(0.0, across) * max(0.0, along)
    return both / (one[2] * one[3] + two[2] * two[3] - both)


def matched(regions: Sequence[Region], labels: str) -> Iterator[tuple[str, Region]]:
    """The labelled type of each region that finds a free label."""
    free = []
    for line in labels.splitlines():
        x1, y1, x2, y2, kind = (int(part) for part in line.split())
        free.append(((x1, y1, x2 - x1, y2 - y1), TYPES[kind]))
    for region in regions:
        box = (region.x, region.y, region.w, region.h)
        best = max(free, key=lambda label: overlap(box, label[0]), default=None)
        if best is not None and overlap(box, best[0]) >= MIN_IOU:
            free.remove(best)
            yield best[1], region


def kinds(folder: Path) -> None:
    counts: dict[str, Counter[str]] = {}
    for labels in sorted(folder.glob("*.txt")):
        test, ref = (folder / f"{labels.stem}_{name}.jpg" for name in ("test", "temp"))
        found, _ = found_in(test, ref)
        for name, region in matched(found.regions, labels.read_text()):
            counts.setdefault(name, Counter())[f"{region.kind} {region.change}"] += 1
    columns = sorted({column for each in counts.values() for column in each})
    for name, each in sorted(counts.items()):
        row = ", ".join(f"{column} {each[column]}" for column in columns if each[column])
        print(f"{name:10} {row}")


COMMANDS = {"clevr": clevr, "masks": masks, "kinds": kinds}


def main() -> None:
    command, *folders = sys.argv[1:] or [""]
    if command not in COMMANDS or not folders:
        raise SystemExit(__doc__)
    for folder in folders:
        COMMANDS[command](Path(folder))


if __name__ == "__main__":
    main()

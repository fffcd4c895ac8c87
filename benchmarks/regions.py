"""How well the methods of regions do on known changes, and whether they keep quiet where nothing
changed.

    python benchmarks/regions.py deeppcb FOLDER     boxes against annotated ones
    python benchmarks/regions.py nochange FILES...  frames against altered copies of themselves
    python benchmarks/regions.py squares FILES...   squares planted in nine places
    python benchmarks/regions.py speed              processor time and memory of large pairs

``deeppcb``: FOLDER holds, for each pair, ``N_temp.*`` (the reference), ``N_test.*`` and ``N.txt``
with a line ``x1 y1 x2 y2 type`` for each change. Each box found, in the method's order, takes the
free annotated box that it overlaps most, if they overlap (intersection over union) by 0.33, or by
0.5. The names in sorted order fall into an even half, on which ``auto`` was tuned, and an odd half:
``--half``.

``nochange`` and ``squares``: images of any kind. Exits with 1 if ``auto`` finds a region where
nothing changed, or misses a square of side 16 and contrast 40.

``--methods auto,absdiff`` and ``--sensitivity medium`` are the defaults.
"""

from __future__ import annotations

import argparse
import resource
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from itertools import product
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from vfiscope.regions import METHODS, Found, FramePair, Method, Settings, find
from vfiscope.regions.viewpoint.where_it_helps import register_where_it_helps
from vfiscope.types import Box, Region

OVERLAPS = (0.33, 0.5)
SQUARE_SIDES, CONTRASTS = (8, 16, 24), (20, 40, 60, 80)
MUST_FIND = (16, 40)
SPEED_SIZES = {"1920x1080": (1080, 1920), "4000x3000": (3000, 4000)}

Pixels = NDArray[np.uint8]


def load(path: Path) -> Pixels:
    """(H, W, 3) RGB."""
    read = cv2.imread(str(path))
    if read is None:
        sys.exit(f"{path} cannot be read as an image")
    return np.asarray(cv2.cvtColor(read, cv2.COLOR_BGR2RGB), np.uint8)


def overlap(one: Box, other: Box) -> float:
    """Intersection over union."""
    w = min(one.x + one.w, other.x + other.w) - max(one.x, other.x)
    h = min(one.y + one.h, other.y + other.h) - max(one.y, other.y)
    both = max(w, 0) * max(h, 0)
    return both / (one.w * one.h + other.w * other.h - both) if both else 0.0


def drawn(region: Region) -> Box:
    return Box(int(region.x), int(region.y), int(region.w), int(region.h))


def tight(region: Region) -> Box:
    extent = (region.tight_x, region.tight_y, region.tight_w, region.tight_h)
    return Box(*(int(length) for length in extent))


def matched(found: Sequence[Box], truth: Sequence[Box], least: float) -> int:
    """How many boxes found take a true one of their own."""
    free = list(truth)
    for box in found:
        best = max(free, key=lambda one: overlap(box, one), default=None)
        if best is not None and overlap(box, best) >= least:
            free.remove(best)
    return len(truth) - len(free)


def annotated(path: Path) -> list[Box]:
    rows = [line.replace(",", " ").split() for line in path.read_text().splitlines()]
    corners = [[int(value) for value in row[:4]] for row in rows if row]
    return [Box(left, top, right - left, bottom - top) for left, top, right, bottom in corners]


def deeppcb(folder: Path, methods: dict[str, Method], half: str) -> bool:
    names = sorted(path.stem for path in folder.glob("*.txt"))
    names = {"even": names[0::2], "odd": names[1::2], "all": names}[half]
    pairs = [(image(folder, f"{name}_test"), image(folder, f"{name}_temp")) for name in names]
    truth = [annotated(folder / f"{name}.txt") for name in names]
    print(f"{len(names)} pairs, {sum(map(len, truth))} annotated changes")
    print(f"{'method':12} {'overlap':>7} {'F1':>6} {'precision':>9} {'recall':>6} {'s/pair':>7}")
    for name, method in methods.items():
        start = time.process_time()
        found = [
            [drawn(region) for region in find(FramePair(load(test), load(ref)), method).regions]
            for test, ref in pairs
        ]
        each = (time.process_time() - start) / max(1, len(pairs))
        for least in OVERLAPS:
            right = sum(matched(*boxes, least) for boxes in zip(found, truth, strict=True))
            said, true = sum(map(len, found)), sum(map(len, truth))
            parts = (2 * right / max(1, said + true), right / max(1, said), right / max(1, true))
            print(f"{name:12} {least:7.2f} {parts[0]:6.3f} {parts[1]:9.3f} {parts[2]:6.3f}", end="")
            print(f" {each:7.3f}")
    return True


def image(folder: Path, stem: str) -> Path:
    found = [path for path in folder.glob(f"{stem}.*") if path.suffix != ".txt"]
    if not found:
        sys.exit(f"{folder} has no image {stem}")
    return found[0]


def jpeg(frame: Pixels, quality: int) -> Pixels:
    wanted = [cv2.IMWRITE_JPEG_QUALITY, quality]
    coded = cv2.imencode(".jpg", cv2.cvtColor(frame, cv2.COLOR_RGB2BGR), wanted)[1]
    return np.asarray(cv2.cvtColor(cv2.imdecode(coded, 1), cv2.COLOR_BGR2RGB), np.uint8)


def lit(frame: Pixels, gain: float, offset: float) -> Pixels:
    return np.clip(np.rint(frame * gain + offset), 0, 255).astype(np.uint8)


def noisy(frame: Pixels, sigma: float) -> Pixels:
    """With Gaussian noise; grey frames stay grey."""
    grey = np.ptp(frame, axis=2).max() == 0
    shape = (*frame.shape[:2], 1) if grey else frame.shape
    grain = np.random.default_rng(round(sigma)).normal(0, sigma, shape)
    return np.clip(np.rint(frame + grain), 0, 255).astype(np.uint8)


def moved(frame: Pixels, matrix: NDArray[np.float64], border: int) -> Pixels:
    size = (frame.shape[1], frame.shape[0])
    made = cv2.warpAffine(frame, matrix, size, flags=cv2.INTER_CUBIC, borderMode=border)
    return np.asarray(made, np.uint8)


def turned(frame: Pixels) -> Pixels:
    """By 2 degrees about the centre, black beyond the border."""
    centre = (frame.shape[1] / 2, frame.shape[0] / 2)
    return moved(frame, cv2.getRotationMatrix2D(centre, 2, 1), cv2.BORDER_CONSTANT)


HALF_A_PIXEL = np.array([[1, 0, 0.5], [0, 1, 0.5]])
CONDITIONS: dict[str, Callable[[Pixels], Pixels]] = {
    "identical": lambda frame: frame.copy(),
    "JPEG 95": lambda frame: jpeg(frame, 95),
    "JPEG 80": lambda frame: jpeg(frame, 80),
    "JPEG 50": lambda frame: jpeg(frame, 50),
    "JPEG 20": lambda frame: jpeg(frame, 20),
    "gain 1.05": lambda frame: lit(frame, 1.05, 0),
    "gain 0.9 + 8": lambda frame: lit(frame, 0.9, 8),
    "1 px right": lambda frame: np.roll(frame, 1, 1),
    "1 px diagonal": lambda frame: np.roll(frame, (1, 1), (0, 1)),
    "half a pixel": lambda frame: moved(frame, HALF_A_PIXEL, cv2.BORDER_REFLECT),
    "noise 3": lambda frame: noisy(frame, 3),
    "noise 6": lambda frame: noisy(frame, 6),
    "noise 12": lambda frame: noisy(frame, 12),
    "blur 1": lambda frame: np.asarray(cv2.GaussianBlur(frame, (0, 0), 1.0), np.uint8),
}
TURNED = "2 degrees, registered"


def altered(frame: Pixels, method: Method) -> Iterator[tuple[str, FramePair]]:
    """Pairs without a change. A method that does not register gets the turned one registered."""
    for name, alter in CONDITIONS.items():
        yield name, FramePair(alter(frame), frame)
    pair = FramePair(turned(frame), frame)
    yield TURNED, pair if method.register else register_where_it_helps(pair, things=False)


def nochange(files: Sequence[Path], methods: dict[str, Method]) -> bool:
    regions: Counter[tuple[str, str]] = Counter()
    wrong: Counter[tuple[str, str]] = Counter()
    for path, (name, method) in product(files, methods.items()):
        for condition, pair in altered(load(path), method):
            count = len(find(pair, method).regions)
            regions[name, condition] += count
            wrong[name, condition] += count > 0
            if count and name == "auto":
                print(f"{path}: {condition}: {count} regions", flush=True)
    print(f"{len(files)} images; images with a region (regions in all)")
    print(f"{'':24}" + "".join(f"{name:>16}" for name in methods))
    for condition in (*CONDITIONS, TURNED):
        cells = [f"{wrong[name, condition]} ({regions[name, condition]})" for name in methods]
        print(f"{condition:24}" + "".join(f"{cell:>16}" for cell in cells))
    return not sum(count for (name, _), count in wrong.items() if name == "auto")


def planted(frame: Pixels, box: Box, contrast: int) -> Pixels:
    """The frame with a brighter square, or a darker one where it would be clipped."""
    inside = np.s_[box.y : box.y + box.h, box.x : box.x + box.w]
    made = frame.astype(np.int16)
    made[inside] += contrast if made[inside].mean() < 128 else -contrast
    return np.clip(made, 0, 255).astype(np.uint8)


def nine_places(frame: Pixels, side: int) -> list[Box]:
    height, width = frame.shape[:2]
    rows, columns = ((0, (end - side) // 2, end - side) for end in (height, width))
    return [Box(x, y, side, side) for y, x in product(rows, columns)]


def squares(files: Sequence[Path], methods: dict[str, Method]) -> bool:
    found: Counter[tuple[str, int, int]] = Counter()
    false: Counter[str] = Counter()
    frames = {path: load(path) for path in files}
    for (path, frame), side, contrast in product(frames.items(), SQUARE_SIDES, CONTRASTS):
        for box in nine_places(frame, side):
            pair = FramePair(jpeg(planted(frame, box, contrast), 80), frame)
            for name, method in methods.items():
                boxes = [tight(region) for region in find(pair, method).regions]
                hit = matched(boxes, [box], OVERLAPS[0])
                found[name, side, contrast] += hit
                false[name] += len(boxes) - hit
                if not hit and name == "auto" and (side, contrast) == MUST_FIND:
                    print(f"{path}: missed {side} px, contrast {contrast}, at {box.x}, {box.y}")
    total = 9 * len(files)
    print(f"squares found of {total} (tight box, overlap {OVERLAPS[0]}), after JPEG 80")
    print(f"{'method':12} {'side':>4}" + "".join(f"{value:>14}" for value in CONTRASTS))
    for name, side in product(methods, SQUARE_SIDES):
        counts = [found[name, side, contrast] for contrast in CONTRASTS]
        print(f"{name:12} {side:>4}" + "".join(f"{count:>14}" for count in counts))
    print("other boxes: " + ", ".join(f"{name} {false[name]}" for name in methods))
    return "auto" not in methods or found["auto", *MUST_FIND] == total


def speed(methods: dict[str, Method]) -> bool:
    """Frames of a smooth random scene: the test frame has moved, is darker, has noise and a change;
    the memory is the largest of this process so far."""
    print(f"{'method':12} {'size':>10} {'processor s':>12} {'peak MB':>8} {'regions':>8}")
    for size, (height, width) in SPEED_SIZES.items():
        rough = np.random.default_rng(0).integers(0, 256, (height // 8, width // 8, 3), np.uint8)
        ref = np.asarray(cv2.resize(rough, (width, height), interpolation=cv2.INTER_CUBIC))
        test = noisy(lit(np.roll(ref, 1, 1), 0.95, 4), 2)
        test[100:200, 100:200] = 255 - test[100:200, 100:200]
        for name, method in methods.items():
            start = time.process_time()
            found: Found = find(FramePair(test, ref), method)
            taken = time.process_time() - start
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
            print(f"{name:12} {size:>10} {taken:12.2f} {peak:8.0f} {len(found.regions):8}")
    return True


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("what", choices=["deeppcb", "nochange", "squares", "speed"])
    parser.add_argument("paths", nargs="*", type=Path)
    parser.add_argument("--methods", default="auto,absdiff")
    parser.add_argument("--sensitivity", default="medium", choices=["low", "medium", "high"])
    parser.add_argument("--half", default="all", choices=["even", "odd", "all"])
    asked = parser.parse_intermixed_args()
    cv2.setNumThreads(1)
    settings = Settings(sensitivity=asked.sensitivity)
    methods = {name: METHODS[name](settings) for name in asked.methods.split(",")}
    if asked.what == "speed":
        return not speed(methods)
    if not asked.paths:
        parser.error(f"{asked.what} needs a folder or files")
    if asked.what == "deeppcb":
        return not deeppcb(asked.paths[0], methods, asked.half)
    return not {"nochange": nochange, "squares": squares}[asked.what](asked.paths, methods)


if __name__ == "__main__":
    sys.exit(main())

"""How well planted defects are told from normal frames of a moving line, and how large the memory
bank of normal frames becomes.

    python benchmarks/normal_frames.py --seeds 1,2,3 --frames 50,100,200

The scene is made up here: a conveyor belt with equal textured parts that moves by fractions of a
pixel, light that drifts, and noise. Half of the test frames have one defect: a scratch, a spot, a
hole, a foreign thing or a coloured stain, anywhere on the frame. Printed are the area under the
ROC curve of the largest value of each map (1: every defect frame exceeds every normal one), the
part of defects whose largest value lies on the defect, normal frames with a region, and the size of
the bank. Times are seconds of processor time.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from sklearn.metrics import roc_auc_score

from vfiscope.regions import METHODS, FramePair, Method, Settings, find
from vfiscope.regions.normal import build_normal
from vfiscope.synth import Ground
from vfiscope.types import Box, Uint8

HEIGHT, WIDTH = 240, 360
PITCH = 150.0
"""Pixels from part to part."""
SPEED = 7.37
"""Pixels per frame."""
KINDS = ("scratch", "spot", "hole", "foreign", "colour")


@dataclass(frozen=True)
class Line:
    """A conveyor line; each instant of it is a frame."""

    seed: int

    def frame(self, at: float, noise_seed: int, defect: str | None = None) -> tuple[Uint8, Box]:
        """A frame (H, W, 3) at an instant in frames, and where its defect is."""
        random = np.random.default_rng((self.seed, noise_seed))
        moved = SPEED * at
        image = self._belt(moved)
        for number in range(int(moved // PITCH) - 1, int((moved + WIDTH) // PITCH) + 2):
            self._part(image, number * PITCH - moved + PITCH / 2)
        box = Box(0, 0, 0, 0)
        if defect is not None:
            box = plant(image, defect, random)
        gain, offset = 1 + 0.06 * np.sin(at / 17 + self.seed), 4 * np.sin(at / 11)
        image = image * gain + offset + random.normal(0, 2.0, image.shape)
        return np.clip(np.rint(image), 0, 255).astype(np.uint8), box

    def _belt(self, moved: float) -> np.ndarray:
        palette = ((62, 64, 68), (70, 72, 76), (78, 80, 82))
        belt = Ground(10 * self.seed + 1, 40.0, 5.0, grain=2.5, palette=palette)
        return belt.render(moved, 0.0, HEIGHT, WIDTH).astype(np.float32)

    def _part(self, image: np.ndarray, x: float) -> None:
        """Blend the part whose centre is at column x into the image."""
        random = np.random.default_rng(self.seed)
        metal = Ground(10 * self.seed + 2, 30.0, 4.0, grain=10.0)
        colour = metal.render(-x - 60.0 + 1000.0, 0.0, HEIGHT, WIDTH)
        rows, columns = np.mgrid[:HEIGHT, :WIDTH].astype(np.float32)
        away = np.hypot(columns - x, rows - HEIGHT / 2)
        inside = np.clip(56.0 - away, 0, 1) * np.clip(away - 15.0, 0, 1)
        for angle in np.arange(6) * np.pi / 3 + random.uniform(0, 1):
            bolt = np.hypot(
                columns - x - 36 * np.cos(angle), rows - HEIGHT / 2 - 36 * np.sin(angle)
            )
            inside *= np.clip(bolt - 6.0, 0, 1)
        image += inside[..., None] * (colour - image)


def plant(image: np.ndarray, kind: str, random: np.random.Generator) -> Box:
    """Draw a defect into a float image; its box."""
    side = int(random.integers(20, 35))
    x, y = int(random.integers(0, WIDTH - side)), int(random.integers(0, HEIGHT - side))
    under = image[y : y + side, x : x + side]
    mask = np.zeros((side, side), np.float32)
    if kind == "scratch":
        ends = (0, int(random.integers(side))), (side - 1, int(random.integers(side)))
        cv2.line(mask, *ends, 1.0, 3, cv2.LINE_AA)
        colour: np.ndarray | float = under.mean(axis=(0, 1)) + random.choice([-70, 90])
    else:
        cv2.circle(mask, (side // 2, side // 2), side // 2 - 1, 1.0, -1, cv2.LINE_AA)
        colour = {
            "spot": under * 0.35,
            "hole": under * 0 + 20.0,
            "foreign": under * 0 + random.uniform(0, 60, 3) + 195 * random.integers(0, 2, 3),
            "colour": under * 0.4 + 0.6 * np.array([220.0, 30.0, 200.0]),
        }[kind]
    under += mask[..., None] * (colour - under)
    return Box(x, y, side, side)


def normal_frames(line: Line, count: int, first: float) -> Uint8:
    """(N, H, W, 3) frames one after the other."""
    return np.stack([line.frame(first + n, int(first) + n)[0] for n in range(count)])


def measure(method: Method, line: Line, tests: int) -> dict[str, float]:
    """Figures of a method on as many normal frames as ones with a defect."""
    scores, wrong, seconds, hits = [], 0, [], 0
    plain = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    for number in range(2 * tests):
        kind = KINDS[number // 2 % len(KINDS)] if number % 2 else None
        frame, box = line.frame(1000.37 + 3.1 * number, 5000 + number, kind)
        start = time.process_time()
        found = find(FramePair(frame, plain), method)
        seconds.append(time.process_time() - start)
        values = found.difference.values
        scores.append(float(values.max()))
        wrong += kind is None and bool(found.regions)
        y, x = np.unravel_index(values.argmax(), values.shape)
        near = 14 + box.w / 2
        hits += kind is not None and bool(
            max(abs(x - box.x - box.w / 2), abs(y - box.y - box.h / 2)) <= near
        )
    truth = np.arange(2 * tests) % 2
    above = np.array(scores)[truth == 1] > found.cut.level
    return {
        "auroc": float(roc_auc_score(truth, scores)),
        "found": float(above.mean()),
        "in place": hits / tests,
        "false": wrong / tests,
        "seconds": float(np.median(seconds)),
    }


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--seeds", default="1")
    parser.add_argument("--frames", default="50")
    parser.add_argument("--tests", type=int, default=40, help="frames with a defect, and without")
    parser.add_argument("--embedder", default="dsift")
    parser.add_argument("--weights", default=None)
    parser.add_argument("--method", default="patchcore", choices=("patchcore", "reconstruction"))
    parser.add_argument("--most", type=int, default=None, help="patches of the bank")
    told = parser.parse_args(arguments)
    print("seed frames patches  build s   auroc  found in place  false  s/frame")
    for seed in map(int, told.seeds.split(",")):
        for frames in map(int, told.frames.split(",")):
            print(row(told, seed, frames), flush=True)


def row(told: argparse.Namespace, seed: int, frames: int) -> str:
    """One line of the table."""
    line, settings = Line(seed), Settings(embedder=told.embedder, weights=told.weights)
    stack = normal_frames(line, frames, 0.0)
    with tempfile.TemporaryDirectory() as folder:
        start = time.process_time()
        patches = 0
        if told.method == "patchcore":
            extra = {} if told.most is None else {"most": told.most}
            bank = build_normal(stack, settings, **extra)
            patches, path = len(bank.patches), f"{folder}/bank.h5"
            bank.save(path)
        else:
            path = folder
            for number, each in enumerate(stack):
                cv2.imwrite(f"{folder}/{number:04d}.png", each[..., ::-1])
        method = METHODS[told.method](
            Settings(embedder=told.embedder, weights=told.weights, normal=path)
        )
        built = time.process_time() - start
        made = measure(method, line, told.tests)
    return (
        f"{seed:4d} {frames:6d} {patches:7d} {built:8.1f}  {made['auroc']:6.4f}"
        f" {made['found']:6.2f}"
        f" {made['in place']:8.2f} {made['false']:6.2f} {made['seconds']:8.2f}"
    )


if __name__ == "__main__":
    main()

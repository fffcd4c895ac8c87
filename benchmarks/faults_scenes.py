"""Made clips for the benchmark of faults: still, pan, zoom, hand-held, grain, things that move,
fog, night, and animation on twos and threes. Seeds and speeds differ between the halves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from faults_time import Random, held, rounded
from faults_truth import Pixels, Shots, Truth

from vfiscope import synth

HEIGHT, WIDTH, FRAMES, RATE = 270, 480, 132, 25
SEEDS_APART = 1000


@dataclass(frozen=True)
class Side:
    """Of which half a clip is, and which of its makes."""

    half: int
    seed: int = 0

    def ground(self, number: int) -> int:
        """The seed of a scene: another one in each half and make."""
        return number + self.half + SEEDS_APART * self.seed


Maker = Callable[[Side, Random], list[Pixels]]


def noisy(frames: list[Pixels], sigma: float, random: Random, grey: bool = False) -> list[Pixels]:
    shape = (*frames[0].shape[:2], 1 if grey else 3)
    return [rounded(f + sigma * random.standard_normal(shape, np.float32)) for f in frames]


def large(seed: int) -> Pixels:
    """A detailed ground of twice the size."""
    scene = synth.Scene(2 * HEIGHT, 2 * WIDTH, seed=seed, objects=9, shortest=5.0)
    return scene.frame(0)


def seen(ground: Pixels, x: float, y: float, scale: float = 1.0, turn: float = 0.0) -> Pixels:
    """What a camera sees that looks at (x, y) of the ground; ``turn`` in degrees."""
    matrix = cv2.getRotationMatrix2D((x, y), turn, scale)
    matrix[:, 2] += WIDTH / 2 - x, HEIGHT / 2 - y
    size, mode = (WIDTH, HEIGHT), cv2.BORDER_REFLECT
    return np.asarray(cv2.warpAffine(ground, matrix, size, flags=cv2.INTER_CUBIC, borderMode=mode))


def still(side: Side, random: Random) -> list[Pixels]:
    frame = seen(large(side.ground(31)), WIDTH, HEIGHT)
    return noisy([frame] * FRAMES, (3.0, 1.5)[side.half], random, grey=bool(side.half))


def pan(side: Side, random: Random) -> list[Pixels]:
    ground, (vx, vy) = large(side.ground(41)), ((2.7, 0.0), (-2.2, 0.7))[side.half]
    x, y = (300.0, 640.0)[side.half], HEIGHT - 40.0
    return [seen(ground, x + vx * i, y + vy * i) for i in range(FRAMES)]


def zoom(side: Side, random: Random) -> list[Pixels]:
    ground, rate = large(side.ground(51)), (1.0035, 1 / 1.0045)[side.half]
    start = (0.8, 1.4)[side.half]
    return [seen(ground, WIDTH, HEIGHT, start * rate**i) for i in range(FRAMES)]


def hand(side: Side, random: Random) -> list[Pixels]:
    """A random walk of position and angle, smoothed over a few frames, with things that move."""
    scene = synth.Scene(2 * HEIGHT, 2 * WIDTH, seed=side.ground(61), objects=7, velocity=(0.0, 0.0))
    reach = (5, 3)[side.half]
    steps = random.standard_normal((FRAMES + reach, 3))
    kernel = np.ones(reach) / reach
    speed = np.stack([np.convolve(steps[:, k], kernel, "valid")[:FRAMES] for k in range(3)])
    path = np.cumsum(speed * [[3.2], [2.2], [0.12]], axis=1)
    path -= np.linspace(0, 1, FRAMES) * path[:, -1:]
    return [
        seen(scene.frame(i), WIDTH + path[0, i], HEIGHT + path[1, i], 1.0, path[2, i])
        for i in range(FRAMES)
    ]


def things(side: Side, random: Random) -> list[Pixels]:
    """A camera that stands, and five things that move."""
    scene = synth.Scene(HEIGHT, WIDTH, seed=side.ground(71), objects=5, velocity=(0.0, 0.0))
    return list(scene.frames(FRAMES, step=(1.0, 1.4)[side.half]))


def grain(side: Side, random: Random) -> list[Pixels]:
    """Film grain, two pixels wide, over a slow pan with things that move."""
    scene = synth.Scene(HEIGHT, WIDTH, seed=side.ground(81), objects=4, velocity=(0.8, 0.3))
    made = []
    for frame in scene.frames(FRAMES, step=1.2):
        fine = random.standard_normal((HEIGHT, WIDTH, 1), np.float32)
        made.append(
            rounded(frame + (9.0, 7.0)[side.half] * cv2.GaussianBlur(fine, (0, 0), 0.8)[..., None])
        )
    return made


def fog(side: Side, random: Random) -> list[Pixels]:
    """Low contrast, everything moves."""
    clear = pan(side, random) if side.half else things(side, random)
    return noisy([rounded(130 + 0.22 * (f.astype(np.float32) - 120)) for f in clear], 1.0, random)


def night(side: Side, random: Random) -> list[Pixels]:
    clear = things(side, random) if side.half else pan(side, random)
    return noisy(
        [rounded(6 + (0.22, 0.3)[side.half] * f) for f in clear], (2.0, 2.5)[side.half], random
    )


def drawn(side: Side, random: Random, hold: int) -> list[Pixels]:
    """Things on a ground that stands, every drawing shown ``hold`` times."""
    scene = synth.Scene(HEIGHT, WIDTH, seed=side.ground(91), objects=6, velocity=(0.0, 0.0))
    drawings = list(scene.frames(FRAMES // hold + 1, step=hold * (1.3, 1.0)[side.half]))
    return held(drawings, (hold,), FRAMES)[0]


SCENES: dict[str, Maker] = {
    "still": still,
    "pan": pan,
    "zoom": zoom,
    "hand-held": hand,
    "things": things,
    "grain": grain,
    "fog": fog,
    "night": night,
}
HOLDS = {"twos": 2, "threes": 3}


def made(name: str, half: int, seed: int = 0) -> Shots:
    """A made clip."""
    random = np.random.default_rng([half, len(name), ord(name[0]), seed])
    side = Side(half, seed)
    if name not in HOLDS:
        return Shots(SCENES[name](side, random), RATE)
    frames = drawn(side, random, HOLDS[name])
    return Shots(frames, RATE, [Truth("cadence", 0, len(frames), reason=f"drawn on {name}")])

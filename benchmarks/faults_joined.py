"""Shots joined at known places by cuts, dissolves, wipes and fades through black."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import cycle

import cv2
import numpy as np
from faults_clips import Base
from faults_place import luma
from faults_scenes import HEIGHT, WIDTH
from faults_time import Random, rounded
from faults_truth import HALVES, Pixels, Shots, Truth

SHOT = 30
"""Frames of a shot between two transitions."""
LENGTHS = {"tuning": (24, 14, 8), "reported": (28, 17, 10)}
"""Frames of a dissolve or wipe, mild (slow) to strong."""
LIKE_ITSELF = 0.8
"""Correlation of two frames that show the same scene."""
Transition = Callable[[list[Pixels], list[Pixels], float, int], Pixels]


def dissolve(one: Pixels, other: Pixels, part: float, half: int) -> Pixels:
    return rounded((1 - part) * one.astype(np.float32) + part * other.astype(np.float32))


def wipe(one: Pixels, other: Pixels, part: float, half: int) -> Pixels:
    """A hard line from the left; in the reported half a soft one from above."""
    mixed = one.copy()
    if half == 0:
        line = round(part * one.shape[1])
        mixed[:, :line] = other[:, :line]
        return mixed
    rows = np.arange(one.shape[0], dtype=np.float32)
    share = np.clip((part * (one.shape[0] + 24) - rows) / 24, 0, 1)[:, None, None]
    return rounded(one + share * (other.astype(np.float32) - one))


def through_black(one: Pixels, other: Pixels, part: float, half: int) -> Pixels:
    shown, weight = (one, 1 - 2 * part) if part < 0.5 else (other, 2 * part - 1)
    return rounded(max(weight, 0.0) * shown)


def alike(frames: list[Pixels], to: Pixels) -> list[Pixels]:
    """With the mean and spread of another frame, so that no histogram tells the cut."""
    mean, std = (float(f(frames[0])) for f in (np.mean, np.std))
    gain = float(np.std(to)) / max(std, 1.0)
    return [rounded((f - mean) * gain + float(np.mean(to))) for f in frames]


def joined(bases: Sequence[Base], half: str, level: int, severity: str, random: Random) -> Shots:
    """Five or six shots with a transition of every kind between them."""
    side, length = HALVES.index(half), LENGTHS[half][level]
    truths: list[Truth] = []
    kinds = ["cut", "dissolve", "wipe", "through black", "cut"]
    random.shuffle(kinds)
    shots = _shots(bases, length, random)
    made = next(shots)
    for kind, following in zip(kinds, shots, strict=False):
        if _same_place(made[-1], following[0]):
            continue
        at = len(made)
        if kind == "cut":
            following = alike(following, made[-1]) if level == 0 else following
            made += following
            truths.append(Truth("cut", at, at + 1, "cut", severity))
            continue
        mix, named, also = {
            "dissolve": (dissolve, "fade", ("cut",)),
            "wipe": (wipe, "cut", ("fade",)),
            "through black": (through_black, "fade", ()),
        }[kind]
        start = at - length
        mixed = [
            mix(made[start + i], following[i], (i + 1) / (length + 1), side) for i in range(length)
        ]
        made = [*made[:start], *mixed, *following[length:]]
        truths.append(Truth(named, start, at, kind, severity, also=also))
        if kind == "through black":
            middle = (start + at) // 2
            truths.append(Truth("black", middle - 2, middle + 3, optional=True, reason="faded"))
    return Shots(made, 25, truths)


def _shots(bases: Sequence[Base], length: int, random: Random) -> Iterator[list[Pixels]]:
    """A shot of every base in turn, for as long as they are asked for."""
    for base in cycle(bases):
        if shot := _shot(base, SHOT + 2 * length, random):
            yield shot


def _same_place(one: Pixels, other: Pixels) -> bool:
    """Whether two frames show the same scene, be it in another light: no transition is seen."""
    two = [luma(frame).ravel() for frame in (one, other)]
    return float(np.corrcoef(*two)[0, 1]) > LIKE_ITSELF


def _shot(base: Base, count: int, random: Random) -> list[Pixels]:
    """``count`` frames of one size from a stretch in which the base has nothing of its own; none
    where it has no such stretch."""
    whole = base.shots()
    events = [each for each in whole.truths if each.kind != "cadence"]
    clear = [
        at
        for at in range(len(whole.frames) - min(count, len(whole.frames) - 1))
        if not any(t.start < at + count and t.stop > at for t in events)
        and whole.frames[at].std() > 12
        and whole.frames[min(at + count, len(whole.frames)) - 1].std() > 12
    ]
    if not clear:
        return []
    at = int(random.choice(clear))
    return [_fitted(frame) for frame in whole.frames[at : at + count]]


def _fitted(frame: Pixels) -> Pixels:
    return np.asarray(cv2.resize(frame, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA), np.uint8)

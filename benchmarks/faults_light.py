"""Faults of light, and what only looks like one: fades, flashes, black, flicker, exposure."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from faults_time import Random, rounded
from faults_truth import Edit, Pixels, Truth

WAVES = {"alternate": lambda i: 1.0 - 2.0 * (i % 2), "sine": lambda i: np.sin(2.1 * i + 0.4)}


def fade(
    frames: Sequence[Pixels],
    at: int,
    random: Random,
    *,
    down: int,
    hold: int = 2,
    up: int | None = None,
    to: float = 0.0,
    linear: bool = False,
) -> Edit:
    """To an even grey value within ``down`` frames, ``hold`` frames of it, and back; ``linear``
    fades the light and not the code values."""
    up = down if up is None else up
    steps = [1.0 - (i + 1) / down for i in range(down)]
    weights = [*steps, *[0.0] * (hold - 1), *[(i + 1) / (up + 1) for i in range(up)]]
    power = 1 / 2.2 if linear else 1.0
    made = []
    for i, weight in enumerate(weights):
        own = frames[min(at + i, len(frames) - 1)].astype(np.float32)
        made.append(rounded(to + weight**power * (own - to)))
    stop = at + len(weights)
    truths = [Truth("fade", at, stop)]
    if to < 24:
        dark = Truth("black", at + down - 2, at + down + hold + 1, optional=True, reason="faded")
        still = Truth("freeze", at + down - 2, at + down + hold + 1, optional=True, reason="black")
        truths += [dark, still]
    return Edit(at, min(stop, len(frames)), made[: len(frames) - at], truths)


def flash(
    frames: Sequence[Pixels],
    at: int,
    random: Random,
    *,
    count: int,
    gain: float,
    offset: float,
    decay: float = 1.0,
) -> Edit:
    """Frames [at, at + count) are lit up, each by ``decay`` of the one before."""
    made = []
    for number in range(count):
        share = decay**number
        lit = frames[at + number] * (1 + share * (gain - 1)) + share * offset
        made.append(rounded(lit))
    return Edit(at, at + count, made, [Truth("flash", at, at + count)])


def black(
    frames: Sequence[Pixels],
    at: int,
    random: Random,
    *,
    count: int,
    level: float = 0.0,
    noise: float = 0.0,
    inserted: bool = False,
) -> Edit:
    """``count`` frames of nearly nothing, in place of others or in between."""
    shape = frames[at].shape
    made = [
        rounded(level + noise * random.standard_normal(shape, np.float32)) for _ in range(count)
    ]
    stop, said = at + count, "into and out of black"
    truths = [
        Truth("black", at, stop),
        Truth("cut", at, at + 1, optional=True, reason=said),
        Truth("cut", stop, stop + 1, optional=True, reason=said),
        Truth("freeze", at, stop, optional=True, reason="black frames are alike"),
    ]
    return Edit(at, at if inserted else stop, made, truths)


def flicker(
    frames: Sequence[Pixels],
    at: int,
    random: Random,
    *,
    count: int,
    depth: float,
    wave: str = "alternate",
) -> Edit:
    """Frames [at, at + count) get brighter and darker by ``depth``."""
    gains = [1.0 + depth * float(WAVES[wave](i)) for i in range(count)]
    made = [rounded(frames[at + i] * gain) for i, gain in enumerate(gains)]
    return Edit(at, at + count, made, [Truth("flicker", at, at + count)])


def exposure(
    frames: Sequence[Pixels],
    at: int,
    random: Random,
    *,
    gains: tuple[float, float, float],
    count: int = 0,
) -> Edit:
    """The channels get brighter by ``gains``: for ``count`` frames, or for good (0)."""
    last = at + count if count else len(frames)
    made = [rounded(frame * np.asarray(gains, np.float32)) for frame in frames[at:last]]
    stop = last if count else at + 1
    return Edit(at, last, made, [Truth("exposure", at, stop, lasting=not count)])

"""Faults of time: frames repeated, missing, blended, torn; cadences. Each function takes the frames
of a clip, the place, and how strong, and returns an ``Edit``."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from faults_truth import Edit, Pixels, Truth

Random = np.random.Generator


def rounded(values: np.ndarray) -> Pixels:
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)


def grainy(frame: Pixels, sigma: float, random: Random) -> Pixels:
    """With fresh noise of ``sigma`` code values."""
    if not sigma:
        return frame.copy()
    return rounded(frame + sigma * random.standard_normal(frame.shape, np.float32))


def repeat(
    frames: Sequence[Pixels],
    at: int,
    random: Random,
    *,
    count: int = 1,
    noise: float = 0.0,
    inserted: bool = False,
) -> Edit:
    """Frame ``at - 1`` is shown ``count`` times more: in place of others, or in between."""
    kind = "duplicate" if count == 1 else "freeze"
    shown = [grainy(frames[at - 1], noise, random) for _ in range(count)]
    truths = [Truth(kind, at, at + count)]
    if not inserted:
        caught_up = Truth("drop", at + count, at + count + 1, optional=True, reason="caught up")
        truths.append(caught_up)
    return Edit(at, at if inserted else at + count, shown, truths)


def drop(
    frames: Sequence[Pixels], at: int, random: Random, *, count: int, gap: bool = False
) -> Edit:
    """Frames [at, at + count) are missing; ``gap`` leaves their time empty."""
    return Edit(at, at + count, [], [Truth("drop", at, at + 1)], wait=count if gap else 0)


def ghost(
    frames: Sequence[Pixels],
    at: int,
    random: Random,
    *,
    count: int,
    weights: Sequence[float],
    lags: Sequence[int],
) -> Edit:
    """Frames [at, at + count) are weighted sums of those at ``lags`` from them."""
    made = []
    for i in range(at, at + count):
        places = [min(max(i + lag, 0), len(frames) - 1) for lag in lags]
        mixed = sum(w * frames[p].astype(np.float32) for w, p in zip(weights, places, strict=True))
        made.append(rounded(np.asarray(mixed)))
    return Edit(at, at + count, made, [Truth("ghosting", at, at + count)])


def tear(
    frames: Sequence[Pixels],
    at: int,
    random: Random,
    *,
    count: int = 1,
    lag: int = 1,
    part: float = 0.5,
    below: bool = True,
    moving: bool = False,
) -> Edit:
    """In frames [at, at + count) a band of ``part`` of the rows shows the instant ``lag`` frames
    earlier (later, if negative); ``moving`` lets the line wander."""
    height, made = frames[at].shape[0], []
    for number, i in enumerate(range(at, at + count)):
        share = part + (0.12 * number if moving else 0.0)
        line = round(height * min(max(share, 0.1), 0.9))
        other = frames[min(max(i - lag, 0), len(frames) - 1)]
        torn = frames[i].copy()
        band = slice(height - line, None) if below else slice(None, line)
        torn[band] = other[band]
        made.append(torn)
    return Edit(at, at + count, made, [Truth("tearing", at, at + count)])


def held(frames: Sequence[Pixels], pattern: Sequence[int], count: int) -> tuple[list[Pixels], int]:
    """``count`` frames, each of the source as often as the pattern says, in turn; and how many of
    the source that takes."""
    shown: list[Pixels] = []
    number = 0
    while len(shown) < count and number < len(frames):
        shown += [frames[number]] * pattern[number % len(pattern)]
        number += 1
    return shown[:count], number


def cadence(
    frames: Sequence[Pixels], at: int, random: Random, *, count: int, pattern: Sequence[int]
) -> Edit:
    """From ``at`` on, ``count`` frames are held by a pattern such as (2, 3)."""
    shown, used = held(frames[at:], pattern, min(count, len(frames) - at))
    return Edit(at, at + used, shown, [Truth("cadence", at, at + len(shown))])


def combed(frames: Sequence[Pixels], at: int, random: Random, *, count: int) -> Edit:
    """3:2 pulldown of fields: four frames become five, two of them woven from two instants."""
    cycles, made = min(count // 5, (len(frames) - at) // 4), []
    for cycle in range(cycles):
        four = frames[at + 4 * cycle : at + 4 * cycle + 4]
        for top, bottom in ((0, 0), (1, 1), (1, 2), (2, 3), (3, 3)):
            woven = four[top].copy()
            woven[1::2] = four[bottom][1::2]
            made.append(woven)
    stop = at + len(made)
    interlaced = Truth("tearing", at, stop, optional=True, reason="woven fields")
    return Edit(at, at + 4 * cycles, made, [Truth("cadence", at, stop), interlaced])

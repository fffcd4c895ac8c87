"""Faults of the frame itself: blur, broken geometry, damaged blocks, a bumped camera, things that
were not there."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from faults_time import Random, rounded
from faults_truth import Edit, Pixels, Truth

BLOCK = 16


def blur(
    frames: Sequence[Pixels],
    at: int,
    random: Random,
    *,
    count: int,
    sigma: float,
    length: int = 0,
) -> Edit:
    """Frames [at, at + count) through a Gaussian, or along a line of ``length`` px."""
    made = []
    for frame in frames[at : at + count]:
        if length:
            kernel = np.zeros((length, length), np.float32)
            cv2.line(kernel, (0, length // 3), (length - 1, 2 * length // 3), 1.0)
            made.append(cv2.filter2D(frame, -1, kernel / kernel.sum()))
        else:
            made.append(cv2.GaussianBlur(frame, (0, 0), sigma))
    return Edit(at, at + count, made, [Truth("blur", at, at + count)])


def warp(
    frames: Sequence[Pixels],
    at: int,
    random: Random,
    *,
    count: int,
    px: float,
    size: float,
    waves: bool = False,
) -> Edit:
    """Within a blob of ``size`` of the frame's height, content is displaced by up to ``px`` px: by
    a smooth random field, or in ``waves``; another one in every frame."""
    height, width = frames[at].shape[:2]
    x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    middle = _busiest(frames[at], round(size * height), random)
    reach = np.exp(-((x - middle[0]) ** 2 + (y - middle[1]) ** 2) / (2 * (size * height / 2) ** 2))
    made = []
    for frame in frames[at : at + count]:
        if waves:
            phase = random.uniform(0, 6.28)
            fields = [np.sin(y / 5 + phase), np.cos(x / 9 + phase)]
        else:
            coarse = random.uniform(-1, 1, (2, 12, 20)).astype(np.float32)
            fields = [cv2.resize(c, (width, height), interpolation=cv2.INTER_CUBIC) for c in coarse]
        dx, dy = (px * reach * each for each in fields)
        at_x, at_y = (x + dx).astype(np.float32), (y + dy).astype(np.float32)
        made.append(cv2.remap(frame, at_x, at_y, cv2.INTER_LINEAR, None, cv2.BORDER_REFLECT))
    return Edit(at, at + count, made, [Truth("warp", at, at + count)])


def corrupt(
    frames: Sequence[Pixels],
    at: int,
    random: Random,
    *,
    count: int,
    share: float,
    how: str,
    stays: bool = False,
) -> Edit:
    """``share`` of the macroblocks is damaged: "blocks" of another place, "rows" shifted sideways,
    a "slice" that is missing; ``stays`` keeps the same damage for all frames."""
    damage, seed = DAMAGES[how], int(random.integers(1 << 30))
    made = []
    for number, frame in enumerate(frames[at : at + count]):
        own = np.random.default_rng(seed + (0 if stays else number))
        made.append(damage(frame.copy(), share, own))
    return Edit(at, at + count, made, [Truth("corruption", at, at + count)])


def _blocks(frame: Pixels, share: float, random: Random) -> Pixels:
    rows, columns = frame.shape[0] // BLOCK, frame.shape[1] // BLOCK
    source = frame.copy()
    near = int(random.integers(rows)), int(random.integers(columns))
    places = [(i, j) for i in range(rows) for j in range(columns)]
    places.sort(key=lambda each: (each[0] - near[0]) ** 2 + ((each[1] - near[1]) / 3) ** 2)
    for i, j in places[: max(2, round(share * rows * columns))]:
        k, m = int(random.integers(rows)), int(random.integers(columns))
        own = np.s_[i * BLOCK : (i + 1) * BLOCK, j * BLOCK : (j + 1) * BLOCK]
        frame[own] = source[k * BLOCK : (k + 1) * BLOCK, m * BLOCK : (m + 1) * BLOCK]
    return frame


def _rows(frame: Pixels, share: float, random: Random) -> Pixels:
    rows = frame.shape[0] // BLOCK
    count = max(1, round(share * rows))
    first = int(random.integers(rows - count + 1))
    for row in range(first, first + count):
        band = np.s_[row * BLOCK : (row + 1) * BLOCK]
        by = BLOCK * int(random.integers(2, 8)) * int(random.choice((-1, 1)))
        frame[band] = np.roll(frame[band], by, axis=1)
    return frame


def _slice(frame: Pixels, share: float, random: Random) -> Pixels:
    rows = frame.shape[0] // BLOCK
    count = max(1, round(share * rows))
    first = int(random.integers(rows - count + 1))
    left = BLOCK * int(random.integers(frame.shape[1] // BLOCK))
    colour = ((128, 128, 128), (0, 135, 0), (16, 16, 16))[int(random.integers(3))]
    frame[first * BLOCK : (first + 1) * BLOCK, left:] = colour
    frame[(first + 1) * BLOCK : (first + count) * BLOCK] = colour
    return frame


DAMAGES = {"blocks": _blocks, "rows": _rows, "slice": _slice}


def shift(
    frames: Sequence[Pixels],
    at: int,
    random: Random,
    *,
    px: float,
    count: int = 0,
    degrees: float = 0.0,
    swing: float = 0.0,
) -> Edit:
    """The camera is bumped by ``px`` px in some direction, and turned: for ``count`` frames, or for
    good (0). With ``swing`` each frame has that part of the one before, the other way."""
    last = at + count if count else len(frames)
    angle = random.uniform(0, 2 * np.pi)
    dx, dy = px * np.cos(angle), px * np.sin(angle)
    height, width = frames[at].shape[:2]
    made = []
    for number, frame in enumerate(frames[at:last]):
        part = (-swing) ** number if swing else 1.0
        matrix = cv2.getRotationMatrix2D((width / 2, height / 2), part * degrees, 1.0)
        matrix[:, 2] += part * dx, part * dy
        size, mode = (width, height), cv2.BORDER_REFLECT
        made.append(cv2.warpAffine(frame, matrix, size, flags=cv2.INTER_CUBIC, borderMode=mode))
    stop = last if count else at + 1
    return Edit(at, last, made, [Truth("shift", at, stop, lasting=not count)])


def thing(
    frames: Sequence[Pixels],
    at: int,
    random: Random,
    *,
    size: float,
    count: int = 0,
    round_: bool = True,
) -> Edit:
    """A thing of ``size`` of the frame's height, cut from elsewhere and recoloured, is there for
    ``count`` frames, or for good (0)."""
    last = at + count if count else len(frames)
    height, width = frames[at].shape[:2]
    side = max(8, round(size * height))
    y, x = (int(random.integers(end - side)) for end in (height, width))
    skin = cv2.resize(frames[at], (side, side))[::-1].astype(np.float32)
    ground = float(frames[at][y : y + side, x : x + side].mean())
    skin = 0.5 * (skin - skin.mean()) + (ground + 70 if ground < 120 else ground - 70)
    mask = np.full((side, side), float(not round_), np.float32)
    if round_:
        cv2.circle(mask, (side // 2, side // 2), side // 2 - 1, 1.0, -1)
    mask = cv2.GaussianBlur(mask, (0, 0), 0.8)[..., None]
    made = []
    for frame in frames[at:last]:
        changed = frame.copy()
        area = changed[y : y + side, x : x + side]
        area[:] = rounded(area + mask * (skin - area))
        made.append(changed)
    stop = last if count else at + 1
    return Edit(at, last, made, [Truth("change", at, stop, lasting=not count)])


def _busiest(frame: Pixels, side: int, random: Random) -> tuple[float, float]:
    """(x, y) of one of the most textured places: a warp of nothing cannot be seen."""
    grey = cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY)
    edges = np.abs(cv2.Laplacian(grey, cv2.CV_32F))
    busy = cv2.blur(edges, (side, side))
    rows, columns = np.nonzero(busy >= np.quantile(busy, 0.9))
    one = int(random.integers(len(rows)))
    return float(columns[one]), float(rows[one])

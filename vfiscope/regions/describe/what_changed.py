"""What changed in a region: its light, its colour, its texture, or its place."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np

from vfiscope.regions.describe.surroundings import Surroundings
from vfiscope.regions.steps import Mask
from vfiscope.types import Float32

__all__ = ["TEXTURE_RATIO", "UNTOLD", "Change", "colour_name", "spread_of", "what_changed"]

MEAN_SHARE = 0.5
"""A region became brighter or darker as a whole where the shift of its mean makes up this much of
what changed in its pixels."""
TEXTURE_RATIO = 1.5
"""By which the standard deviation must differ to say that texture was lost or gained."""
MIN_FOUND_AGAIN, MIN_FOUND_AGAIN_GAIN = 0.8, 0.2
"""Correlation of what moved with the place that it came from, and by how much more than without a
shift."""
MIN_MOVE_PX = 2.0
MIN_VANISHED_SHARE = 0.4
"""Of what appeared: a thing that moved leaves about as much as it covers."""
MIN_SOURCE_SHARE = 0.5
"""Of what appeared, that must have changed where it came from: else it is a copy."""
MIN_CORE_PX = 4
"""Half a side; less has too little in it to be known again by itself."""
MIN_CONTENT = 3.0
"""Standard deviation in Lab below which there is nothing to be found again."""
GREY_CHROMA = 10.0
BLACK_BELOW, WHITE_ABOVE = 20.0, 85.0
"""L below and above which grey is called so."""
HUES = (
    (15, "pink"),
    (55, "red"),
    (80, "orange"),
    (110, "yellow"),
    (165, "green"),
    (225, "turquoise"),
    (308, "blue"),
    (325, "purple"),
    (361, "pink"),
)
"""(degrees, name): each hue of Lab ends at its angle."""


class Change(NamedTuple):
    """What changed; colours are CIE Lab, less what changed around the region."""

    name: str
    """brighter, darker, colour, texture_lost, texture_gained or moved; empty where not told."""
    lighter: float
    """Rise of the mean of L."""
    colour: float
    """Distance of the means of a and b."""
    looks: tuple[str, str]
    """What the colour of the region is called in the reference and in the test."""
    move: tuple[float, float] | None = None
    """(x, y) in pixels of the frame, from the reference to the test; None unless it moved."""


UNTOLD = Change("", 0.0, 0.0, ("", ""))
"""Of a frame without a reference."""


def what_changed(look: Surroundings) -> Change:
    """What changed in a region, by the first rule that fits.

    1. *moved*: what appeared in the test frame is found in the reference beside it (or what
       vanished, in the test frame), and about as much vanished as appeared; or the core of the
       region is found there. What it is found on must have changed too: else it is a copy.
    2. *texture_lost*, *texture_gained*: the mean stayed (its shift is less than half of what
       changed in the pixels), and the standard deviation fell or rose by half.
    3. *colour* where a and b changed by more than L, else *brighter* or *darker*.
    """
    rise = look.test[look.inside] - look.ref[look.inside]
    if look.around.any():
        rise = rise - np.median(look.test[look.around] - look.ref[look.around], axis=0)
    mean = rise.mean(axis=0)
    lighter, colour = float(mean[0]), float(np.hypot(mean[1], mean[2]))
    looks = colour_name(look.ref[look.inside]), colour_name(look.test[look.inside])
    move = _move(look)
    return Change(_name(look, rise, move), lighter, colour, looks, move)


def _name(look: Surroundings, rise: Float32, move: tuple[float, float] | None) -> str:
    """Which rule fits first.

    Args:
        look: the region and its surroundings.
        rise: (N, 3) change of the colour of each pixel.
        move: as found.
    """
    if move is not None:
        return "moved"
    lighter, *ab = rise.mean(axis=0)
    colour = np.hypot(*ab)
    in_pixels = float(np.linalg.norm(rise, axis=1).mean())
    if np.hypot(lighter, colour) < MEAN_SHARE * in_pixels:
        spread, spread_ref = (spread_of(each[look.inside]) for each in (look.test, look.ref))
        if spread_ref > TEXTURE_RATIO * spread:
            return "texture_lost"
        if spread > TEXTURE_RATIO * spread_ref:
            return "texture_gained"
    if colour > abs(lighter):
        return "colour"
    return "brighter" if lighter > 0 else "darker"


def colour_name(values: Float32) -> str:
    """A word for the mean of (N, 3) Lab colours: black, grey or white where a and b are small,
    else by their angle."""
    lightness, a, b = values.mean(axis=0)
    if np.hypot(a, b) < GREY_CHROMA:
        return (
            "black" if lightness < BLACK_BELOW else "white" if lightness > WHITE_ABOVE else "grey"
        )
    angle = np.degrees(np.arctan2(b, a)) % 360
    return next(name for end, name in HUES if angle < end)


def spread_of(values: Float32) -> float:
    """Standard deviation of (N, 3) colours."""
    return float(np.sqrt(values.var(axis=0).sum())) if len(values) else 0.0


def _move(look: Surroundings) -> tuple[float, float] | None:
    """How far the thing in a region moved; None where none is found again."""
    if not look.around.any():
        return None
    core = _core(look.inside)
    parts = [(-1, core), (1, core)]
    new, gone = (_unlike(each, look.around) for each in (look.test, look.ref))
    appeared, vanished = look.changed & (new > gone), look.changed & (gone > new)
    areas = sorted((np.count_nonzero(appeared), np.count_nonzero(vanished)))
    if areas[0] >= MIN_VANISHED_SHARE * areas[1]:
        parts = [(-1, appeared & look.inside), (1, vanished & look.inside), *parts]
    for sign, part in parts:
        frame, other = (look.test, look.ref) if sign < 0 else (look.ref, look.test)
        found = _found_again(frame, other, part)
        if found is None or np.hypot(*found) * look.scale < MIN_MOVE_PX:
            continue
        if _share_in(part, found, look.changed) >= MIN_SOURCE_SHARE:
            return sign * found[0] * look.scale, sign * found[1] * look.scale
    return None


def _core(mask: Mask) -> Mask:
    """The largest square in the largest circle that fits into a mask: of the old and the new place
    of one thing, where they touch, a part of one of them."""
    far = cv2.distanceTransform(
        np.pad(mask.astype(np.uint8), 1), cv2.DIST_L2, cv2.DIST_MASK_PRECISE
    )
    row, column = np.unravel_index(far.argmax(), far.shape)
    half = int(far.max() / np.sqrt(2))
    core = np.zeros_like(mask)
    if half >= MIN_CORE_PX:
        core[row - half : row + half - 1, column - half : column + half - 1] = True
    return core


def _share_in(part: Mask, shift: tuple[int, int], mask: Mask) -> float:
    """Share of a part that lies in a mask after a shift (x, y)."""
    rows, columns = np.nonzero(part)
    rows, columns = rows + shift[1], columns + shift[0]
    seen = (rows >= 0) & (rows < mask.shape[0]) & (columns >= 0) & (columns < mask.shape[1])
    return float(mask[rows[seen], columns[seen]].sum() / max(1, len(rows)))


def _unlike(frame: Float32, around: Mask) -> Float32:
    """(h, w) distance of each pixel from the median of the surroundings."""
    middle = np.median(frame[around], axis=0)
    return np.asarray(np.linalg.norm(frame - middle, axis=2), np.float32)


def _found_again(frame: Float32, other: Float32, part: Mask) -> tuple[int, int] | None:
    """The shift (x, y) at which the extent of a part of one frame is found in the other; None where
    it is not, or where it is found as well without a shift."""
    rows, columns = np.flatnonzero(part.any(1)), np.flatnonzero(part.any(0))
    if not len(rows):
        return None
    top, left = max(0, rows[0] - 1), max(0, columns[0] - 1)
    template = frame[top : rows[-1] + 2, left : columns[-1] + 2]
    if spread_of(template.reshape(-1, 3)) < MIN_CONTENT:
        return None
    alike = cv2.matchTemplate(other, template, cv2.TM_CCOEFF_NORMED)
    alike = np.where(np.isfinite(alike), alike, 0)
    y, x = np.unravel_index(alike.argmax(), alike.shape)
    best, still = float(alike[y, x]), float(alike[top, left])
    if best < MIN_FOUND_AGAIN or best < still + MIN_FOUND_AGAIN_GAIN:
        return None
    return int(x) - int(left), int(y) - int(top)

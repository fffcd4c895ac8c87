"""Of which kind a change is, by rules that can be read."""

from __future__ import annotations

import cv2
import numpy as np

from vfiscope.regions.describe.mask_shape import mask_shape
from vfiscope.regions.describe.surroundings import Surroundings
from vfiscope.regions.describe.what_changed import TEXTURE_RATIO, Change, spread_of
from vfiscope.regions.steps import Mask
from vfiscope.types import Float32

__all__ = ["kind_of"]

UNLIKE = 3.0
"""By how much the border of a region must stand out more in one frame than in the other to say that
something lies there in that frame only."""
MIN_CONTRAST = 3.0
"""CIE Lab distance across a border that is seen at a glance."""
SAME_BORDER = 0.5
"""Share of the contrast along a border that both frames show."""
MAX_DAMAGE_SHARE = 0.05
"""Of the frame: damage is a part of a thing that stays; what is larger is a thing of its own."""
MIN_STAYS_SHARE = 0.5
"""Of a region's border, that must lie beside pixels that did not change: the thing that stays."""
BORDER_WINDOW_PX = 9
SCRATCH_ELONGATION = 5.0
MAX_STROKES = 1.6
"""Length of a scratch over its extent: that of half a circle, bent farther than scratches are. That
of letters is the sum of their strokes."""
ALIKE_AREA, FEWEST_ALIKE = 3.0, 2
"""Two others of an area so much larger or smaller at most, beside it, are letters of a text too."""
SCRATCH_SHARE, SPOT_SHARE = 0.02, 0.03
"""Of the frame's shorter side: how thick a scratch, and how large a spot, may be."""
MIN_SMALL_PX = 6.0
"""In frames so small that the shares mean less."""
SPOT_ELONGATION = 2.5


def kind_of(look: Surroundings, change: Change, size: tuple[int, int]) -> str:
    """The kind of a change, by the first rule that fits.

    Whether a thing lies in a region is told by its border: the colours just inside and just outside
    differ in a frame that shows the thing, and are alike in one that does not.

    1. *moved*: the change is.
    2. The border shows in the test frame only (at least three times as much as in the reference): a
       *scratch* where it is long (5 times its thickness), thin, of one stroke and not among others
       of its size, as letters are, a *spot* where it is small and
       compact, else *added*.
    3. It shows in the reference only: *missing*.
    4. It shows in both, along the same lines: *colour*, unless texture was lost or gained (the
       thing is there, it looks otherwise).
    5. *damage* where there is evidence of it. First, of a thing that stays: the region takes 5 % of
       the frame or less, half of its border or more lies beside pixels that did not change, and
       less changed around it than in it. Then one of two. Its texture was lost, of which the
       reference has as much in what stays. Or the outline of what stays was displaced, as by a
       bite or a spur: the region was one with what lies on one side and is now one with what lies
       on the other, so that its border shows along other lines (both frames share less than a
       third of it), and the step between the two looks is 1.5 times what each varies by.
    6. *unknown*: something changed, and none of these rules can tell what. Things that moved by
       less than their size and plants that grew in front of a pattern change outlines too.

    Args:
        look: the region and its surroundings.
        change: as found by :func:`~vfiscope.regions.describe.what_changed.what_changed`.
        size: (height, width) of the frame.
    """
    if change.name == "moved":
        return "moved"
    test, ref = _border(look)
    shown, shown_ref = float(test.mean()), float(ref.mean())
    seen = max(shown, shown_ref) >= MIN_CONTRAST
    if seen and shown >= UNLIKE * shown_ref:
        return _form(look, min(size))
    if seen and shown_ref >= UNLIKE * shown:
        return "missing"
    shared = float(np.minimum(test, ref).sum() / max(np.maximum(test, ref).sum(), 1e-9))
    textural = change.name.startswith("texture")
    if seen and shared >= SAME_BORDER and not textural:
        return "colour"
    if not _at_a_thing_that_stays(look, len(test), size):
        return "unknown"
    if change.name == "texture_lost":
        spread, near = (spread_of(look.ref[part]) for part in (look.inside, look.around))
        return "damage" if max(spread, near) <= TEXTURE_RATIO * min(spread, near) else "unknown"
    looks = max(spread_of(frame[look.inside]) for frame in (look.test, look.ref))
    step = float(np.hypot(change.lighter, change.colour))
    displaced = seen and not textural and shared < 1 / UNLIKE and step >= TEXTURE_RATIO * looks
    return "damage" if displaced else "unknown"


def _at_a_thing_that_stays(look: Surroundings, beside: int, size: tuple[int, int]) -> bool:
    """Whether a region is small to medium, and lies alone beside what did not change.

    Args:
        look: the region and its surroundings.
        beside: pixels of its border beside what did not change.
        size: (height, width) of the frame.
    """
    own = np.count_nonzero(look.inside)
    share = own * look.scale**2 / (size[0] * size[1])
    border = np.count_nonzero(_line(look.inside, ~look.inside))
    alone = np.count_nonzero(look.changed & ~look.inside) < own
    return bool(share <= MAX_DAMAGE_SHARE and beside >= MIN_STAYS_SHARE * border and alone)


def _form(look: Surroundings, side: int) -> str:
    """Scratch, spot or added, by the form of the mask."""
    shape = mask_shape(look.inside)
    thickness, length = shape.thickness * look.scale, shape.length * look.scale
    if shape.elongation >= SCRATCH_ELONGATION and thickness <= max(
        MIN_SMALL_PX, SCRATCH_SHARE * side
    ):
        return "scratch" if _is_one_stroke(look) else "added"
    small = max(thickness, length) <= max(MIN_SMALL_PX, SPOT_SHARE * side)
    return "spot" if small and shape.elongation <= SPOT_ELONGATION else "added"


def _is_one_stroke(look: Surroundings) -> bool:
    """Whether a thin and long mask is one line that stands alone, rather than writing: its outlines
    run along each stroke twice."""
    inside = look.inside.astype(np.uint8)
    outlines, _ = cv2.findContours(inside, cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
    length = sum(cv2.arcLength(each, closed=True) for each in outlines) / 2
    places = np.argwhere(look.inside)[:, ::-1].astype(np.float32)
    w, h = cv2.minAreaRect(places)[1]
    extent = float(np.hypot(w, h))
    if length > MAX_STROKES * (extent + 1):
        return False
    others = (look.changed & ~look.inside).astype(np.uint8)
    areas = cv2.connectedComponentsWithStats(others)[2][1:, cv2.CC_STAT_AREA]
    own = np.count_nonzero(look.inside)
    alike = (areas * ALIKE_AREA >= own) & (areas <= ALIKE_AREA * own)
    return int(np.count_nonzero(alike)) < FEWEST_ALIKE


def _border(look: Surroundings) -> tuple[Float32, Float32]:
    """(N,) contrast across the border at each of its pixels, in the test frame and in the
    reference; one zero where the region has no border."""
    line = _line(look.inside, look.around)
    if not line.any():
        return np.zeros(1, np.float32), np.zeros(1, np.float32)
    test, ref = (_contrast(each, look.inside, look.around, line) for each in (look.test, look.ref))
    return test, ref


def _line(inside: Mask, around: Mask) -> Mask:
    """Pixels that lie within two pixels of both."""
    near = np.ones((5, 5), np.uint8)
    inner, outer = (cv2.dilate(each.astype(np.uint8), near) > 0 for each in (inside, around))
    return np.asarray(inner & outer)


def _contrast(frame: Float32, inside: Mask, around: Mask, line: Mask) -> Float32:
    side = (BORDER_WINDOW_PX, BORDER_WINDOW_PX)
    means = []
    for part in (inside, around):
        weight = part.astype(np.float32)
        total = cv2.boxFilter(frame * weight[..., None], -1, side, normalize=False)[line]
        count = cv2.boxFilter(weight, -1, side, normalize=False)[line]
        means.append(total / np.maximum(count, 1)[:, None])
    return np.asarray(np.linalg.norm(means[0] - means[1], axis=1), np.float32)

"""Of which kind a change is, by rules that can be read."""

from __future__ import annotations

import cv2
import numpy as np

from vfiscope.regions.describe.mask_shape import mask_shape
from vfiscope.regions.describe.surroundings import Surroundings
from vfiscope.regions.describe.what_changed import Change
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
BORDER_WINDOW_PX = 9
SCRATCH_ELONGATION = 5.0
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
       *scratch* where it is long (5 times its thickness) and thin, a *spot* where it is small and
       compact, else *added*.
    3. It shows in the reference only: *missing*.
    4. *damage* where texture was lost or gained.
    5. It shows in both: *colour* where along the same lines (the thing is there, it looks
       otherwise), *damage* where along others (its outline changed).
    6. It shows in neither: *unknown*.

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
    if change.name.startswith("texture"):
        return "damage"
    if not seen:
        return "unknown"
    shared = float(np.minimum(test, ref).sum() / np.maximum(test, ref).sum())
    return "colour" if shared >= SAME_BORDER else "damage"


def _form(look: Surroundings, side: int) -> str:
    """Scratch, spot or added, by the form of the mask."""
    shape = mask_shape(look.inside)
    thickness, length = shape.thickness * look.scale, shape.length * look.scale
    if shape.elongation >= SCRATCH_ELONGATION and thickness <= max(
        MIN_SMALL_PX, SCRATCH_SHARE * side
    ):
        return "scratch"
    small = max(thickness, length) <= max(MIN_SMALL_PX, SPOT_SHARE * side)
    return "spot" if small and shape.elongation <= SPOT_ELONGATION else "added"


def _border(look: Surroundings) -> tuple[Float32, Float32]:
    """(N,) contrast across the border at each of its pixels, in the test frame and in the
    reference; one zero where the region has no border."""
    near = np.ones((5, 5), np.uint8)
    inner, outer = (
        cv2.dilate(each.astype(np.uint8), near).astype(bool) for each in (look.inside, look.around)
    )
    line = inner & outer
    if not line.any():
        return np.zeros(1, np.float32), np.zeros(1, np.float32)
    test, ref = (_contrast(each, look.inside, look.around, line) for each in (look.test, look.ref))
    return test, ref


def _contrast(frame: Float32, inside: Mask, around: Mask, line: Mask) -> Float32:
    side = (BORDER_WINDOW_PX, BORDER_WINDOW_PX)
    means = []
    for part in (inside, around):
        weight = part.astype(np.float32)
        total = cv2.boxFilter(frame * weight[..., None], -1, side, normalize=False)[line]
        count = cv2.boxFilter(weight, -1, side, normalize=False)[line]
        means.append(total / np.maximum(count, 1)[:, None])
    return np.asarray(np.linalg.norm(means[0] - means[1], axis=1), np.float32)

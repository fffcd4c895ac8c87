"""The difference that tolerates small shifts, as a ratio to what noise and edges explain."""

from __future__ import annotations

from math import ceil

import cv2
import numpy as np

from vfiscope.regions.difference.light_fit_of_pair import local_range
from vfiscope.regions.difference.local_shift import looked_up, shift_field, shifted
from vfiscope.regions.difference.lossless import is_lossless, lossless_difference
from vfiscope.regions.difference.noise_level import noise_level
from vfiscope.regions.difference.relit_planes import relit_planes
from vfiscope.regions.steps import Difference, FramePair, Mask
from vfiscope.types import Float32, Uint8

__all__ = ["decidable", "tolerant_codes", "tolerant_difference"]

LUMA_FLOOR, COLOUR_FLOOR = 14.0, 10.0
"""Codes of Y', and of Cr and Cb, below which nobody asks for a difference."""
NOISE_MULTIPLE = 4.0
EDGE_SHARE = 0.5
"""Of the range around a pixel: an edge may lie off by half a pixel beyond the tolerance."""
RIM_RATIO = 0.5
"""Of the threshold, from where a pixel beside a changed one has changed too."""
EDGE_LEVEL = 0.5
"""Of the largest difference around a pixel of the rim: smoothing carries a change over its edge,
where half of it is left."""
SMALL_FRAME_SIDE = 320
MOVED_PX = 0.2
"""Shift from which a reference pixel may lie outside its frame."""


def tolerant_difference(pair: FramePair, *, tolerance: int = 2, scale: float = 1.0) -> Difference:
    """The difference that light, small shifts, noise and edges do not explain; of a pair that has
    none of these, any that is clear.

    Args:
        pair: two frames.
        tolerance: pixels by which things may lie off, beyond the local shifts that are fitted; one
            less where the short side is below 320 pixels and details are narrow.
        scale: of the part of the threshold that is not about edges.

    Returns:
        Ratios to the threshold of each pixel; 1 and below is explained.
    """
    if np.array_equal(pair.test, pair.ref):
        return Difference(np.zeros(pair.size, np.float32), "ratio", pair.decidable)
    if is_lossless(pair):
        return lossless_difference(pair, scale=scale)
    tolerance -= min(pair.size) < SMALL_FRAME_SIDE
    planes, lights = relit_planes(pair)
    luma, its_ref = planes[0]
    flow = shift_field(np.where(pair.decidable, luma, its_ref), its_ref)
    valid = decidable(pair, flow, band=tolerance + 1)
    ratio, rim = np.zeros(pair.size, np.float32), np.zeros(pair.size, bool)
    for index, (test, ref) in enumerate(planes):
        own, own_rim = _ratio(
            test,
            shifted(ref, flow),
            valid,
            tolerance,
            floor=scale * (COLOUR_FLOOR if index else LUMA_FLOOR),
            multiple=scale * NOISE_MULTIPLE,
        )
        np.maximum(ratio, own, out=ratio)
        rim |= own_rim
    return Difference(
        ratio,
        "ratio",
        valid,
        rim=rim & valid,
        reach=tolerance + 1,
        light=lights[0],
        colours=(lights[1], lights[2]) if len(lights) == 3 else None,
        flow=flow,
    )


def tolerant_codes(test: Uint8, ref: Uint8, radius: int) -> Uint8:
    """The difference of two planes that no shift within a radius explains, in codes.

    A code of either plane counts by how far it lies outside what the other plane shows within the
    radius; both ways, as a thin line that vanished lies inside what the reference shows.
    """
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
    made = np.zeros_like(test)
    for here, there in ((test, ref), (ref, test)):
        np.maximum(made, cv2.subtract(here, cv2.dilate(there, disc)), out=made)
        np.maximum(made, cv2.subtract(cv2.erode(there, disc), here), out=made)
    return made


def decidable(pair: FramePair, flow: Float32, *, band: int) -> Mask:
    """The pixels for which both frames show what is needed.

    Args:
        pair: two frames.
        flow: (2, H, W) where the reference is looked up.
        band: pixels beside what is not seen that cannot be decided either. The border of the frame
            counts as not seen only where frames moved, to a pixel more than they moved: a change in
            a corner is to be found.
    """
    height, width = pair.size
    far = float(np.abs(flow).max()) if flow.size else 0.0
    inside = pair.decidable
    if far > MOVED_PX:
        (x, y), edge = looked_up(flow), np.float32(MOVED_PX)
        inside = inside & (x >= -edge) & (x <= width - 1 + edge)
        inside &= (y >= -edge) & (y <= height - 1 + edge)
    seen = inside if inside.all() else _eroded(inside, band)
    depth = band if _resampled(pair) else min(band, 1 + ceil(far)) if far > MOVED_PX else 0
    if not depth:
        return seen
    made = np.zeros_like(seen)
    made[depth:-depth, depth:-depth] = seen[depth:-depth, depth:-depth]
    return made


def _eroded(mask: Mask, radius: int) -> Mask:
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
    outside = cv2.BORDER_CONSTANT
    return cv2.erode(mask.astype(np.uint8), disc, borderType=outside, borderValue=1) > 0


def _resampled(pair: FramePair) -> bool:
    """Whether registration moved the test frame: its border is then mixed with what lies beyond."""
    found = pair.registration
    return found is not None and found.accepted and not np.array_equal(found.matrix, np.eye(3))


def _ratio(
    test: Uint8, ref: Uint8, valid: Mask, radius: int, *, floor: float, multiple: float
) -> tuple[Float32, Mask]:
    """The ratio of one plane, and the pixels that belong to a change beside them."""
    spread = np.maximum(local_range(test, radius + 1), local_range(ref, radius + 1))
    raw = np.asarray(cv2.absdiff(test, ref), np.uint8)
    noise = noise_level(raw, spread, valid)
    levels = np.maximum(floor + multiple * noise, EDGE_SHARE * np.arange(256))
    inverse = np.asarray(cv2.LUT(spread, (1 / levels).astype(np.float32)), np.float32)
    around = cv2.dilate(raw, np.ones((2 * radius + 3, 2 * radius + 3), np.uint8))
    rim = (raw * inverse > RIM_RATIO) & (raw > around * np.float32(EDGE_LEVEL))
    return tolerant_codes(test, ref, radius) * inverse, rim

"""A region and what lies around it, as both frames show it."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from vfiscope.regions.steps import Cut, Difference, FramePair, Light, Mask
from vfiscope.types import Box, Float32, Uint8

__all__ = ["Surroundings", "surroundings"]

MIN_SURROUNDINGS_PX, MAX_SURROUNDINGS_PX = 24, 240
"""How far around a region is looked, at least and at most; in between, 1.5 times its longer side:
things that moved by more are not known again."""
NO_LIGHT = Light()
MAX_LOOK_SIDE_PX = 256
"""Longer side to which a larger cutting is reduced: what a region is shows at any size."""


@dataclass(frozen=True, eq=False)
class Surroundings:
    """A cutting of both frames around a region, h x w pixels."""

    test: Float32
    """(h, w, 3) CIE Lab: L 0..100."""
    ref: Float32
    """(h, w, 3) the same of the reference, in the light and at the place of the test frame."""
    inside: Mask
    """(h, w) the region."""
    changed: Mask
    """(h, w) all that lies above the threshold, with the region."""
    around: Mask
    """(h, w) decidable pixels that did not change."""
    scale: float
    """Pixels of the frame to a pixel of the cutting."""


def surroundings(
    pair: FramePair, difference: Difference, cut: Cut, box: Box, mask: Mask
) -> Surroundings:
    """The cutting around a region.

    Args:
        pair: the frames as compared.
        difference: with the light and the local shift that were fitted out.
        cut: what lies above the threshold.
        box: extent of the region.
        mask: (box.h, box.w) its pixels.
    """
    pad = min(max(MIN_SURROUNDINGS_PX, 3 * max(box.w, box.h) // 2), MAX_SURROUNDINGS_PX)
    top, left = max(0, box.y - pad), max(0, box.x - pad)
    window = np.s_[top : box.y + box.h + pad, left : box.x + box.w + pad]
    test = pair.test[window]
    ref = _in_place(pair.ref, difference.flow, window)
    inside = np.zeros(test.shape[:2], bool)
    inside[box.y - top : box.y - top + box.h, box.x - left : box.x - left + box.w] = mask
    changed = cut.mask[window] | inside
    factor = max(1.0, max(inside.shape) / MAX_LOOK_SIDE_PX)
    valid = difference.valid[window] & pair.decidable[window]
    masks = [_reduced_mask(each, factor) for each in (inside, changed, valid)]
    return Surroundings(
        _lab(_reduced(test, factor)),
        _lab(_reduced(ref, factor), difference.light, difference.colours),
        masks[0],
        masks[1],
        masks[2] & ~masks[1],
        factor,
    )


def _in_place(ref: Uint8, flow: Float32 | None, window: tuple[slice, slice]) -> Uint8:
    """A window of the reference with the local shifts undone."""
    if flow is None or not flow[(slice(None), *window)].any():
        return ref[window]
    dx, dy = flow[(slice(None), *window)]
    rows, columns = np.indices(dx.shape, np.float32, sparse=True)
    x, y = dx + columns + window[1].start, dy + rows + window[0].start
    low = max(0, int(y.min())), max(0, int(x.min()))
    near = ref[low[0] : int(y.max()) + 2, low[1] : int(x.max()) + 2]
    if not near.size:
        return ref[window]
    return np.asarray(
        cv2.remap(near, x - low[1], y - low[0], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    )


def _small(size: tuple[int, ...], factor: float) -> tuple[int, int]:
    return max(1, round(size[1] / factor)), max(1, round(size[0] / factor))


def _reduced(pixels: Uint8, factor: float) -> Uint8:
    if factor == 1.0:
        return pixels
    small = _small(pixels.shape, factor)
    return np.asarray(cv2.resize(pixels, small, interpolation=cv2.INTER_AREA))


def _reduced_mask(mask: Mask, factor: float) -> Mask:
    """Pixels of which half lies in the mask; of one that is thinner, those with the most of it."""
    if factor == 1.0:
        return mask
    small = cv2.resize(
        mask.astype(np.float32), _small(mask.shape, factor), interpolation=cv2.INTER_AREA
    )
    return np.asarray((small > 0) & (small >= float(small.max()) / 2))


def _lab(
    pixels: Uint8, light: Light = NO_LIGHT, colours: tuple[Light, Light] | None = None
) -> Float32:
    """CIE Lab under another light: of luma with those of Cr and Cb, or of R, G and B alike."""
    codes: Float32 = pixels.astype(np.float32) / np.float32(255)
    if colours is not None:
        planes = np.asarray(cv2.cvtColor(codes, cv2.COLOR_RGB2YCrCb), np.float32)
        for index, each in enumerate((light, *colours)):
            planes[..., index] = _relit(planes[..., index], each)
        codes = np.clip(cv2.cvtColor(planes, cv2.COLOR_YCrCb2RGB), 0, 1)
    elif light != NO_LIGHT:
        codes = np.clip(_relit(codes, light), 0, 1)
    return np.asarray(cv2.cvtColor(codes, cv2.COLOR_RGB2Lab), np.float32)


def _relit(plane: Float32, light: Light) -> Float32:
    """Values of 0..1 under another light."""
    return np.asarray(plane * np.float32(light.gain) + np.float32(light.offset / 255), np.float32)

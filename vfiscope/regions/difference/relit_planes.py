"""The planes of two frames, those of the reference in the light of the test frame."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from vfiscope.regions.difference.colour_planes import colour_planes
from vfiscope.regions.difference.colour_strength import GREY_CODE, WEAK_COLOUR, colour_strength
from vfiscope.regions.difference.light_fit_of_pair import fit_light, flat_pixels, relit
from vfiscope.regions.difference.lit_parts import lit_widely
from vfiscope.regions.difference.shading import fit_shading, shaded
from vfiscope.regions.steps import FramePair, Light, Mask
from vfiscope.types import Uint8

__all__ = ["relit_planes"]

Planes = tuple[Uint8, Uint8]
"""Of test and reference, (H, W) each."""

CLIP_STRIDE = 3
FULL_CODE = 252
CLIPPED_CODES = 10
"""Within which a clipped code is where the light puts it: codes of 255 come back from a file as
somewhat less."""
MIN_CLIPPED_SHARE = 0.5
"""Of the codes that the light puts beyond the range, that must be found at its end."""
WEAKER, STRONGER = 0.75, 4 / 3
"""Strengths of colours that are told."""


def relit_planes(pair: FramePair) -> tuple[list[Planes], list[Light]]:
    """The planes of test and reference, the latter under the light of the former, and that light
    for each: of Y', with the strength of colours, and of Cr and Cb.

    Where the light of Y' takes codes of R, G or B out of the range, and the test frame is clipped
    there, it is R, G and B that are brought into this light, and clipped: colours that are clipped
    follow no gain. Colours that became weaker than half follow the strength that all of them have.
    Colour is shaded only where luma is.
    """
    shown, planes = pair.decidable, colour_planes(pair)
    test, ref = planes[0]
    flat = flat_pixels(test, ref) & shown
    told = shown & ~_half_clipped(pair) if len(planes) == 3 else shown
    wide = lit_widely(test, ref, shown)
    light = fit_light(test, ref, flat & told, told, wide=wide)
    clipped = len(planes) == 3 and _clips(pair, light)
    if clipped:
        planes = colour_planes(replace(pair, ref=relit(pair.ref, light)))
        ref = planes[0][1]
    else:
        ref = relit(ref, light)
    shading = fit_shading(test, ref, flat if wide else np.zeros_like(flat))
    made, lights = [(test, shaded(ref, shading))], [light]
    strength = colour_strength(planes[1:], shown) if len(planes) == 3 else None
    gained = strength is not None and np.isinf(strength)
    for test, ref in [] if gained else planes[1:]:
        flat = flat_pixels(test, ref) & shown
        own = _weak(strength) or fit_light(test, ref, flat, shown, wide=wide, origin=GREY_CODE)
        ref = relit(ref, own)
        if shading.any():
            ref = shaded(ref, fit_shading(test, ref, flat, origin=GREY_CODE), origin=GREY_CODE)
        made.append((test, ref))
        lights.append(_after(light.gain, own) if clipped else own)
    under = 1.0 if strength is None else strength if clipped else strength / light.gain
    if under <= WEAKER or under >= STRONGER:
        lights[0] = replace(light, colour=float(under))
    return made, lights


def _weak(strength: float | None) -> Light | None:
    """The light of a plane of colour under a strength that no fit of it alone reaches."""
    if strength is None or strength >= WEAK_COLOUR:
        return None
    return Light(strength, GREY_CODE * (1 - strength))


def _after(gain: float, own: Light) -> Light:
    """A light of Cr or Cb after a gain about grey."""
    return Light(own.gain * gain, own.offset + own.gain * GREY_CODE * (1 - gain))


def _half_clipped(pair: FramePair) -> Mask:
    """(H, W) where one of R, G and B is clipped in either frame, and another is not: their luma
    follows no gain."""
    made = np.zeros(pair.size, bool)
    for frame in (pair.test, pair.ref):
        red, green, blue = cv2.split(frame)
        most, least = cv2.max(cv2.max(red, green), blue), cv2.min(cv2.min(red, green), blue)
        made |= (most >= FULL_CODE) & (least < FULL_CODE - CLIPPED_CODES)
    return made


def _clips(pair: FramePair, light: Light) -> bool:
    """Whether the light takes codes out of the range, and the test frame ends there."""
    if light == Light():
        return False
    pick = np.s_[::CLIP_STRIDE, ::CLIP_STRIDE]
    taken = pair.decidable[pick]
    ref, test = pair.ref[pick][taken], pair.test[pick][taken]
    lit = relit(ref, light)
    ends = ((lit == 0) | (lit == 255)) & (lit != ref)
    if not ends.any():
        return False
    return bool((cv2.absdiff(lit, test)[ends] <= CLIPPED_CODES).mean() >= MIN_CLIPPED_SHARE)

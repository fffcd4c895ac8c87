"""Registration where it makes frames more alike; frames that are alike as they are stay so."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from vfiscope.pixels import luma_bytes, luma_plane
from vfiscope.regions.difference.light_fit_of_pair import fit_light, flat_pixels, relit
from vfiscope.regions.difference.tolerant import tolerant_codes
from vfiscope.regions.steps import FramePair, Mask
from vfiscope.regions.viewpoint.objectness import register_objects
from vfiscope.registration import open_register
from vfiscope.registration.homography import covered_mask, enlarging, warp
from vfiscope.registration.points import refused
from vfiscope.types import Float64, Registration, Uint8, Verdict

__all__ = ["register_where_it_helps", "registered"]

TRIAL_SIDE_PX = 480
"""Longer side at which frames are compared to see whether a registration helps."""
TRIAL_SIGMA, TRIAL_RADIUS = 1.0, 1
TRIAL_CODES = 20
"""Codes beyond what a shift of a pixel explains from where a pixel is unlike."""
MAX_UNLIKE_SHARE = 0.01
"""Frames with fewer pixels that are unlike are compared as they are."""
MIN_UNRELATED_CODES = 5.0
"""Median difference, in smoothed luma: noise of a standard deviation of 18 codes."""
MAX_REMAINING_SHARE = 0.85
"""Of the unlike pixels, that a registration may leave to be taken."""
POINTS_ALLOWANCE = 1.5
"""By how much more points may leave than things and are still preferred: they lie more exactly."""
MAX_UNREGISTERED_SHARE = 0.25
"""Of the pixels that are unlike, where no registration can be trusted: beyond it the frames may not
show the same scene."""
SIFT_SIDE_PX = 640
"""Longer side to which frames are reduced for points: a fifth of the time of a full HD frame."""
WARP_MARGIN_PX = 3
"""Pixels beside what the test frame shows, that the interpolation reaches."""


def register_where_it_helps(pair: FramePair, *, things: bool = True) -> FramePair:
    """The pair with its test frame brought onto the reference, if that makes them more alike.

    Frames of which at most 1 % of the pixels are unlike, at a longer side of 480 pixels and but for
    light and shifts of a pixel, stay as they are. Otherwise two registrations are tried, by points
    (SIFT) and by things (:func:`~vfiscope.regions.viewpoint.objectness.register_objects`). That
    which leaves the fewest unlike pixels is taken if it leaves at most 85 % of them; points may
    leave half as many more than things.

    Where neither can be trusted and more than a quarter of the pixels are unlike, or more than 1 %
    and the reference explains nothing of the test frame, the frames stay as they are and the
    registration of the pair is a refused one by the method "none", with the reason. A pair that is
    registered already stays so.

    Args:
        pair: the frames.
        things: False: by points only.
    """
    if pair.registration is not None and pair.registration.accepted:
        return pair
    before = _unlike(pair, np.eye(3))
    if before <= MAX_UNLIKE_SHARE:
        return pair
    ways = [(_sift(pair), 1.0)]
    if things:
        ways.append((register_objects(pair.test, pair.ref), POINTS_ALLOWANCE))
    tried = [(_unlike(pair, one.matrix), cost, one) for one, cost in ways if one.accepted]
    if not tried:
        alike = before <= MAX_UNREGISTERED_SHARE and not _unrelated(pair)
        return pair if alike else replace(pair, registration=_no(before))
    share, _, best = min(tried, key=lambda each: each[0] * each[1])
    return registered(pair, best) if share <= MAX_REMAINING_SHARE * before else pair


def _no(share: float) -> Registration:
    reason = f"{100 * share:.0f} % of the pixels differ, and no registration makes the frames alike"
    return refused("none", Verdict.UNLIKE, reason)


def registered(pair: FramePair, found: Registration) -> FramePair:
    """The pair with its test frame warped; pixels that it does not show cannot be decided, nor
    can those that it was not decidable for."""
    size = 2 * WARP_MARGIN_PX + 1
    sure = cv2.erode(
        _seen(pair.decidable, found.matrix).astype(np.uint8),
        np.ones((size, size), np.uint8),
        borderType=cv2.BORDER_CONSTANT,
        borderValue=1,
    )
    warped = _warped(pair.test, found.matrix)
    return FramePair(warped, pair.ref, np.asarray(sure, bool), found)


def _seen(decidable: Mask, matrix: Float64) -> Mask:
    """(H, W) pixels of the reference where a warped test frame shows decidable ones."""
    height, width = decidable.shape
    covered = covered_mask(matrix, (height, width))
    if decidable.all():
        return covered
    moved = cv2.warpPerspective(
        decidable.astype(np.uint8), matrix, (width, height), flags=cv2.INTER_NEAREST
    )
    return np.asarray(covered & (moved > 0))


def _sift(pair: FramePair) -> Registration:
    """By points of frames reduced to a longer side of 640."""
    test, ref, back = _reduced(pair, SIFT_SIDE_PX)
    found = open_register("sift")(luma_plane(test, 8), luma_plane(ref, 8))
    matrix = back @ found.matrix @ np.linalg.inv(back)
    return Registration(**{**vars(found), "matrix": matrix / matrix[2, 2]})


def _reduced(pair: FramePair, side: int) -> tuple[Uint8, Uint8, Float64]:
    """Both frames with at most this longer side, and the matrix from reduced to full pixels."""
    height, width = pair.size
    factor = max(1.0, max(height, width) / side)
    small = max(1, round(width / factor)), max(1, round(height / factor))
    back = enlarging((small[1], small[0]), pair.size)
    if factor == 1.0:
        return pair.test, pair.ref, back
    test, ref = (
        np.asarray(cv2.resize(each, small, interpolation=cv2.INTER_AREA), np.uint8)
        for each in (pair.test, pair.ref)
    )
    return test, ref, back


def _unlike(pair: FramePair, matrix: Float64) -> float:
    """Share of the pixels in view that light and shifts of a pixel do not explain."""
    test, ref, seen = _on_trial(pair, matrix)
    if not seen.any():
        return 1.0
    codes = tolerant_codes(test, ref, TRIAL_RADIUS)
    return float((codes[seen] > TRIAL_CODES).mean())


def _unrelated(pair: FramePair) -> bool:
    """Whether half of the pixels are no nearer to the reference than to one code for all, and
    further from it than noise is."""
    test, ref, seen = _on_trial(pair, np.eye(3))
    if not seen.any():
        return False
    apart = float(np.median(cv2.absdiff(test, ref)[seen]))
    shown = test[seen].astype(np.float32)
    return apart >= max(MIN_UNRELATED_CODES, float(np.median(np.abs(shown - np.median(shown)))))


def _on_trial(pair: FramePair, matrix: Float64) -> tuple[Uint8, Uint8, Mask]:
    """Reduced, smoothed luma of the registered test frame, that of the reference in its light, and
    the pixels that both show."""
    test, ref, back = _reduced(pair, TRIAL_SIDE_PX)
    small = np.linalg.inv(back) @ matrix @ back
    shape = (test.shape[1], test.shape[0])
    shown = cv2.resize(pair.decidable.astype(np.uint8), shape, interpolation=cv2.INTER_NEAREST)
    seen = _seen(shown > 0, small)
    here, there = _smooth(_warped(test, small)), _smooth(ref)
    light = fit_light(here, there, flat_pixels(here, there) & seen)
    return here, relit(there, light), seen


def _warped(frame: Uint8, matrix: Float64) -> Uint8:
    return np.asarray(warp(frame, matrix), np.uint8)


def _smooth(frame: Uint8) -> Uint8:
    grey = luma_bytes(frame)
    return np.asarray(cv2.GaussianBlur(grey, (0, 0), TRIAL_SIGMA), np.uint8)

"""Registration where it makes frames more alike; frames that are alike as they are stay so."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from vfiscope.pixels import luma_bytes
from vfiscope.regions.difference.light_fit_of_pair import fit_light, flat_pixels, relit
from vfiscope.regions.difference.local_shift import shift_field, shifted
from vfiscope.regions.difference.lossless import is_lossless
from vfiscope.regions.difference.tolerant import tolerant_codes
from vfiscope.regions.steps import FramePair, Mask
from vfiscope.regions.viewpoint.candidates import Candidate, candidates
from vfiscope.regions.viewpoint.parallax import lies_in_a_plane
from vfiscope.regions.viewpoint.reduced_pair import reduced_pair
from vfiscope.registration.homography import covered_mask, warp
from vfiscope.registration.points import refused
from vfiscope.types import Float32, Float64, Registration, Uint8, Verdict

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
MIN_STRUCTURE = 0.1
"""Correlation of details from which a registration may be true. Of the same scene it is 0.4 and
more, from another view too; of scenes that have nothing in common it is 0."""
MAX_INVERTED = -0.5
"""Correlation of details from which what was dark is bright: dark mode, a negative."""
DETAIL_SIGMA, DETAIL_CODES = 4.0, 20
"""Details are finer than so many pixels; one counts for at most so many codes."""
MAX_REMAINING_SHARE = 0.85
"""Of the unlike pixels, that a registration may leave to be taken."""
MAX_UNREGISTERED_SHARE = 0.25
"""Of the pixels that are unlike, where no registration can be trusted: beyond it the frames may not
show the same scene."""
WARP_MARGIN_PX = 3
"""Pixels beside what the test frame shows, that the interpolation reaches."""


def register_where_it_helps(
    pair: FramePair, *, things: bool = True, local_px: float = 0.0
) -> FramePair:
    """The pair with its test frame brought onto the reference, if that makes them more alike.

    Frames of which at most 1 % of the pixels are unlike, at a longer side of 480 pixels and but for
    light and shifts of a pixel, stay as they are. Otherwise the registrations of
    :func:`~vfiscope.regions.viewpoint.candidates.candidates` are tried, and that which leaves the
    fewest unlike pixels is taken if it leaves at most 85 % of them. What a large turn leaves counts
    twice, and beside points what things leave half as much again.

    A registration is one story for the whole frame. Local shifts are another, with which smooth
    shifts of a few pixels tell all but a compact rest, and that rest is what changed. Points of
    which 70 % lie in one plane, without a large turn, tell the same more exactly. Any other
    registration is not taken where local shifts leave at most 1 %; and where they leave more, but
    help by as much, it must leave at most 85 % of that, with local shifts of its own.

    No registration is taken under which the details of the frames have nothing in common: a light
    that swallows the contrast makes any frames alike.

    Where none can be trusted and more than a quarter of the pixels are unlike, or more than 1 %
    and the reference explains nothing of the test frame, or what was dark is bright, the frames
    stay as they are and the registration of the pair is a refused one by the method "none", with
    the reason. So it is where none is taken, more than a quarter are unlike and the details of the
    frames have nothing in common as they are. A pair that is
    registered already stays so.

    Args:
        pair: the frames.
        things: False: by points only.
        local_px: by how much things may lie elsewhere for the difference that comes after it; 0:
            it has no local shifts.
    """
    if pair.registration is not None and pair.registration.accepted:
        return pair
    if is_lossless(pair):
        return pair
    before = _unlike(pair, np.eye(3))
    if before <= MAX_UNLIKE_SHARE:
        return pair
    local = _unlike_nearby(pair, np.eye(3), local_px)
    near = local <= MAX_UNLIKE_SHARE
    tried = [
        (one.doubt * _unlike(pair, one.found.matrix), one)
        for one in candidates(pair, things=things and not near)
        if one.found.accepted and (not near or _is_exact(one))
    ]
    tried = [each for each in tried if _structure(pair, each[1].found.matrix) >= MIN_STRUCTURE]
    best = _best(pair, tried, before, local, local_px)
    if best is not None:
        return registered(pair, best.found)
    return pair if near or _alike(pair, before, known=bool(tried)) else _refused(pair, before)


def _best(
    pair: FramePair,
    tried: list[tuple[float, Candidate]],
    before: float,
    local: float,
    local_px: float,
) -> Candidate | None:
    """The registration to be taken of those tried, each with the share that it leaves; None: none
    leaves few enough."""
    if not tried:
        return None
    left, best = min(tried, key=lambda each: each[0] * each[1].handicap)
    if left > MAX_REMAINING_SHARE * before:
        return None
    if not _is_exact(best) and local <= MAX_REMAINING_SHARE * before:
        left = best.doubt * _unlike_nearby(pair, best.found.matrix, local_px)
        if left > MAX_REMAINING_SHARE * local:
            return None
    return best


def _alike(pair: FramePair, before: float, *, known: bool) -> bool:
    """Whether frames that are not registered can be compared as they are.

    Args:
        pair: the frames.
        before: share of the pixels that are unlike.
        known: whether there was a registration that can be trusted, though it helps little.
    """
    if _structure(pair, np.eye(3), shifts=False) <= MAX_INVERTED:
        return False
    if known:
        few = before <= MAX_UNREGISTERED_SHARE
        return few or _structure(pair, np.eye(3)) >= MIN_STRUCTURE
    return before <= MAX_UNREGISTERED_SHARE and not _unrelated(pair)


def _is_exact(one: Candidate) -> bool:
    return one.doubt == 1 and lies_in_a_plane(one.found)


def _refused(pair: FramePair, share: float) -> FramePair:
    reason = f"{100 * share:.0f} % of the pixels differ, and no registration makes the frames alike"
    return replace(pair, registration=refused("none", Verdict.UNLIKE, reason))


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


def _unlike(pair: FramePair, matrix: Float64) -> float:
    """Share of the pixels in view that light and shifts of a pixel do not explain."""
    test, ref, seen = _on_trial(pair, matrix)
    if not seen.any():
        return 1.0
    codes = tolerant_codes(test, ref, TRIAL_RADIUS)
    return float((codes[seen] > TRIAL_CODES).mean())


def _unlike_nearby(pair: FramePair, matrix: Float64, local_px: float) -> float:
    """As :func:`_unlike`, but for local shifts too; 1 where some reach farther than ``local_px``,
    since things may then lie farther still."""
    if not local_px:
        return 1.0
    test, ref, seen = _on_trial(pair, matrix)
    field = shift_field(np.where(seen, test, ref), ref)
    factor = max(pair.size) / max(test.shape)
    if not seen.any() or factor * float(np.abs(field).max()) > local_px:
        return 1.0
    codes = tolerant_codes(test, shifted(ref, field), TRIAL_RADIUS)
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


def _structure(pair: FramePair, matrix: Float64, *, shifts: bool = True) -> float:
    """How much the details of two frames have in common, but for local shifts: correlation, -1..1;
    1 where one has none."""
    test, ref, seen = _in_view(pair, matrix)
    if shifts:
        ref = shifted(ref, shift_field(np.where(seen, test, ref), ref))
    own, there = (_details(each)[seen] for each in (test, ref))
    power = float(np.sqrt(np.square(own).sum() * np.square(there).sum()))
    return float((own * there).sum()) / power if power else 1.0


def _details(plane: Uint8) -> Float32:
    codes = plane.astype(np.float32)
    fine = codes - cv2.GaussianBlur(codes, (0, 0), DETAIL_SIGMA)
    return np.asarray(np.clip(fine, -DETAIL_CODES, DETAIL_CODES), np.float32)


def _on_trial(pair: FramePair, matrix: Float64) -> tuple[Uint8, Uint8, Mask]:
    """As :func:`_in_view`, with the reference in the light of the test frame."""
    here, there, seen = _in_view(pair, matrix)
    light = fit_light(here, there, flat_pixels(here, there) & seen, seen)
    return here, relit(there, light), seen


def _in_view(pair: FramePair, matrix: Float64) -> tuple[Uint8, Uint8, Mask]:
    """Reduced, smoothed luma of the registered test frame and of the reference, and the pixels
    that both show."""
    test, ref, back = reduced_pair(pair, TRIAL_SIDE_PX)
    small = np.linalg.inv(back) @ matrix @ back
    shape = (test.shape[1], test.shape[0])
    shown = cv2.resize(pair.decidable.astype(np.uint8), shape, interpolation=cv2.INTER_NEAREST)
    seen = _seen(shown > 0, small)
    return _smooth(_warped(test, small)), _smooth(ref), seen


def _warped(frame: Uint8, matrix: Float64) -> Uint8:
    return np.asarray(warp(frame, matrix), np.uint8)


def _smooth(frame: Uint8) -> Uint8:
    grey = luma_bytes(frame)
    return np.asarray(cv2.GaussianBlur(grey, (0, 0), TRIAL_SIGMA), np.uint8)

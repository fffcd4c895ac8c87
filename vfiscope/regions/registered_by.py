"""The test frame brought onto its reference by one of the methods of
:mod:`vfiscope.registration`."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from vfiscope.pixels import luma_plane
from vfiscope.regions.steps import FramePair
from vfiscope.registration import open_register
from vfiscope.registration.homography import covered_mask
from vfiscope.registration.homography import warp as warp_pixels
from vfiscope.types import Verdict

__all__ = ["registered_by"]


def registered_by(pair: FramePair, *, method: str) -> FramePair:
    """The pair with the test frame on the pixels of the reference.

    A pair that is registered already, or that cannot be, keeps its pixels; the verdict says so.

    Args:
        pair: the frames.
        method: ecc or sift.
    """
    if pair.registration is not None:
        return pair
    found = open_register(method)(luma_plane(pair.test, 8), luma_plane(pair.ref, 8))
    if found.verdict != Verdict.ACCEPTED or np.array_equal(found.matrix, np.eye(3)):
        return replace(pair, registration=found)
    test = np.asarray(warp_pixels(pair.test, found.matrix), np.uint8)
    valid = covered_mask(found.matrix, pair.size) & pair.decidable
    return FramePair(test, pair.ref, valid, found)

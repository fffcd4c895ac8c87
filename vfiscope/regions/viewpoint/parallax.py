"""What a camera that moved explains does not count as a change."""

from __future__ import annotations

import cv2
import numpy as np

from vfiscope.regions.difference.colour_planes import is_grey
from vfiscope.regions.steps import Cut, Difference, FramePair, Weighed
from vfiscope.regions.threshold import fixed
from vfiscope.regions.viewpoint.colour_distance import colour_distance
from vfiscope.regions.viewpoint.residual_shifts import shows_one_plane
from vfiscope.registration.homography import corners, project
from vfiscope.types import Float64, Registration

__all__ = ["lies_in_a_plane", "weigh_parallax"]

MAX_STEADY_SHARE = 0.02
"""Of the decidable pixels: a registered pair in which more of them differ shows things from
elsewhere."""
MAX_CORNER_SHARE = 0.01
"""Of the diagonal: a camera that moved things by less does not show them from elsewhere."""
MIN_PLANE_SHARE = 0.7
"""Of the matched points: where fewer agree on one plane, things lie nearer and farther."""
MIN_EVIDENCE = 18.0
"""Distance of a and b in CIE Lab that is another colour, not the same one in another light."""


def weigh_parallax(pair: FramePair, difference: Difference, cut: Cut) -> Weighed:
    """The difference, or where a moved camera explains it, one that parallax does not raise.

    A registration brings one plane onto itself; nearer and farther things stay displaced, and hide
    and uncover others. So it is where the registration moves a corner of the frame by more than
    1 % of its diagonal and

    - less than 70 % of the matched points agree on it, or
    - it was done by things and no points refined it, so that it is right to a few pixels only, or
    - more than 2 % of the pixels still differ.

    and more than 2 % of the edges that did not change lie off one plane by more than 1.5 pixels
    (:func:`~vfiscope.regions.viewpoint.residual_shifts.shows_one_plane`).

    Then only colours count that the other frame does not show within 5 % of the width
    (:func:`~vfiscope.regions.viewpoint.colour_distance.colour_distance`), as the ratio to a
    distance of 18. Where neither frame has a colour that says nothing, and the difference stays.
    """
    found = pair.registration
    if found is None or not found.accepted:
        return Weighed(difference, cut)
    distance, known = colour_distance(pair)
    evidence = float(distance.max())
    decidable = max(1, int(np.count_nonzero(difference.valid)))
    still = _corner_share(found.matrix, pair.size) <= MAX_CORNER_SHARE
    steady = np.count_nonzero(cut.mask) <= MAX_STEADY_SHARE * decidable
    plane = lies_in_a_plane(found)
    grey = is_grey(pair.test) and is_grey(pair.ref)
    if still or grey or (steady and plane) or shows_one_plane(pair, difference, cut):
        return Weighed(difference, cut, evidence)
    size = (pair.size[1], pair.size[0])
    ratio = cv2.resize(distance / np.float32(MIN_EVIDENCE), size).astype(np.float32)
    valid = cv2.resize(known.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST) > 0
    colours = Difference(
        ratio,
        "ratio",
        valid & pair.decidable,
        light=difference.light,
        colours=difference.colours,
    )
    return Weighed(colours, fixed(colours, level=1.0), evidence, by_colour=True)


def lies_in_a_plane(found: Registration) -> bool:
    """Whether a registration brings most that was matched onto itself, exactly."""
    if np.isnan(found.inlier_ratio):
        return found.method != "objects"
    return found.inlier_ratio >= MIN_PLANE_SHARE


def _corner_share(matrix: Float64, size: tuple[int, int]) -> float:
    """How far a registration moves the corner that it moves most, over the diagonal."""
    places = corners(size)
    away = np.linalg.norm(project(matrix, places) - places, axis=1)
    return float(away.max() / np.hypot(*size))

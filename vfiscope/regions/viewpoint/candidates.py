"""The registrations that a pair of frames may have."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from vfiscope.pixels import luma_plane
from vfiscope.regions.steps import FramePair
from vfiscope.regions.viewpoint.objectness import register_objects
from vfiscope.regions.viewpoint.reduced_pair import reduced_pair
from vfiscope.registration.ecc import register_flow
from vfiscope.registration.points import Matches, from_points
from vfiscope.registration.sift import match_sift
from vfiscope.types import Float32, Float64, Registration

__all__ = ["Candidate", "candidates"]

CANDIDATE_SIDE_PX = 640
"""Longer side to which frames are reduced for points: a fifth of the time of a full HD frame."""
THINGS_HANDICAP = 1.5
"""By how much more points may leave than things and are still preferred: they lie more exactly."""
FLOW_TIMES = 2
"""How often the registration by things is refined: its error may be more than the flow spans."""
FULL_TURN, TURN_DOUBT = 30.0, 2.0
"""Degrees from where a registration must leave half as much. A camera is rarely turned so far,
while what is symmetric, or repeats, has many rotations that bring nearly all of it onto itself."""
NEAR_SHARE = 0.15
"""Of the diagonal: points that lie no farther apart are matched as of a camera upright."""


class Candidate(NamedTuple):
    """A registration that a pair may have."""

    found: Registration
    """Accepted or not."""
    doubt: float = 1.0
    """How often the pixels that it leaves unlike count."""
    handicap: float = 1.0
    """How often they count beside those of others."""


def candidates(pair: FramePair, *, things: bool) -> Iterator[Candidate]:
    """Registrations of a pair.

    By points (SIFT), and where these turn the frame by more than 30 degrees, also by those of them
    that lie near each other; by things
    (:func:`~vfiscope.regions.viewpoint.objectness.register_objects`), as found and refined by the
    dense flow that is left.

    Args:
        pair: the frames.
        things: False: by points only.
    """
    test, ref, back = reduced_pair(pair, CANDIDATE_SIDE_PX)
    planes = luma_plane(test, 8), luma_plane(ref, 8)
    size = (test.shape[0], test.shape[1])
    matches = match_sift(*planes)
    found = from_points(matches, size, "sift")
    doubt = TURN_DOUBT if _turn(found) > FULL_TURN else 1.0
    yield Candidate(_enlarged(found, back), doubt)
    if doubt > 1:
        yield Candidate(_enlarged(from_points(_near(matches, size), size, "sift"), back))
    if not things:
        return
    rough = register_objects(pair.test, pair.ref)
    if rough.accepted:
        refined = _refined(planes, np.linalg.inv(back) @ rough.matrix @ back)
        if refined is not None:
            yield Candidate(_enlarged(refined, back), handicap=THINGS_HANDICAP)
    yield Candidate(rough, handicap=THINGS_HANDICAP)


def _enlarged(found: Registration, back: Float64) -> Registration:
    matrix = back @ found.matrix @ np.linalg.inv(back)
    return replace(found, matrix=matrix / matrix[2, 2])


def _turn(found: Registration) -> float:
    """Degrees, 0..180."""
    return float(abs(np.degrees(np.arctan2(found.matrix[1, 0], found.matrix[0, 0]))))


def _near(matches: Matches, size: tuple[int, int]) -> Matches:
    apart = np.linalg.norm(matches.test - matches.ref, axis=1)
    near = apart <= NEAR_SHARE * float(np.hypot(*size))
    return Matches(matches.test[near], matches.ref[near], matches.scale)


def _refined(planes: tuple[Float32, Float32], rough: Float64) -> Registration | None:
    """A rough registration, refined by flow; None where the flow does not agree on one."""
    found = None
    for _ in range(FLOW_TIMES):
        finer = register_flow(*planes, rough)
        if not finer.accepted:
            break
        found, rough = replace(finer, method="objects"), finer.matrix
    return found

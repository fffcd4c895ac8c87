"""The steps of a method, one after the other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import isnan

import cv2
import numpy as np

from vfiscope.regions.answer import answer_of, doubt_of
from vfiscope.regions.segment.map_mask import covered
from vfiscope.regions.steps import (
    Cut,
    Difference,
    Found,
    FramePair,
    Mask,
    Method,
    Proposal,
    Weighed,
)
from vfiscope.regions.surrounding import Surrounding

__all__ = ["find", "find_between"]

MOST_REGIONS = 1000
"""Regions of a frame; its answer counts all."""


def find(pair: FramePair, method: Method) -> Found:
    """The regions in which a test frame differs from its reference, and the answer for the pair.

    Args:
        pair: two frames of one size.
        method: as made by one of :data:`~vfiscope.regions.METHODS`.

    Returns:
        Regions and answer of frame 0.
    """
    if method.register is not None:
        pair = method.register(pair)
    return _found(pair, method.difference(pair), method)


def find_between(pairs: Sequence[FramePair], method: Method, phase: float = 0.5) -> Found:
    """The regions of a test frame that differ from each of several references, as from the real
    frames before and after an interpolated one: what either of them shows, in its place or moved
    along the motion between them to the instant of the test frame, is no fault.

    A reference is moved in another way only while something differs from all so far. Where the
    method registers, each reference is brought onto the test frame. Light, local shifts
    and the movement of one reference say nothing about all of them, so the answer has none.

    Args:
        pairs: the test frame with the frame before and the one after; all of one size.
        method: as made by one of :data:`~vfiscope.regions.METHODS`.
        phase: the instant of the test frame, 0 at the frame before, 1 at the one after; NaN where
            it is not known, which is taken as halfway.

    Returns:
        Regions and answer of frame 0; the pair is that with the nearer real frame. Regions are
        described against the nearest of all references.
    """
    around = Surrounding(pairs[0].test, pairs[0].ref, pairs[1].ref, 0.5 if isnan(phase) else phase)
    pairs = [_reference_registered(pair, method) for pair in pairs]
    direct = [(pair, method.difference(pair)) for pair in pairs]
    least = _least([difference for _, difference in direct])

    def apart(compared: tuple[FramePair, Difference]) -> float:
        return _mean(compared[1], least.valid)

    nearest = nearer = min(direct, key=apart)
    for frames in around.moved():
        if not method.threshold(least).mask.any():
            break
        for frame, holds in frames:
            pair = FramePair(around.test, frame)
            difference = _where_seen(method.difference(pair), holds)
            least = _least([least, difference])
            nearest = min(nearest, (pair, difference), key=apart)
    if method.between is not None:
        least = method.between(least, around)
    pair, its = nearest
    its = replace(least, light=its.light, colours=its.colours, flow=its.flow)
    if any(each.registration is None for each in pairs):
        pair = replace(pair, registration=None)
    return replace(
        _found(pair, least, method, its), pair=replace(nearer[0], registration=pair.registration)
    )


def _reference_registered(pair: FramePair, method: Method) -> FramePair:
    """The pair with its reference on the pixels of the test frame; of the registration remains
    only that it was refused."""
    made = replace(pair, test=pair.ref, ref=pair.test)
    if method.register is not None:
        made = method.register(made)
    found = made.registration
    refused = None if found is None or found.accepted else found
    return FramePair(pair.test, made.test, made.valid, refused)


def _least(found: Sequence[Difference]) -> Difference:
    """What differs in all."""
    rims = [each.rim for each in found if each.rim is not None]
    cells = [each.cells for each in found if each.cells is not None]
    return Difference(
        np.minimum.reduce([each.values for each in found]),
        found[0].unit,
        np.logical_and.reduce([each.valid for each in found]),
        cells=np.minimum.reduce(cells) if len(cells) == len(found) else None,
        rim=np.logical_and.reduce(rims) if len(rims) == len(found) else None,
        reach=max(each.reach for each in found),
    )


def _where_seen(difference: Difference, holds: Mask) -> Difference:
    """The difference from a frame that was moved; where that shows nothing, it excuses nothing."""
    seen, nothing = difference.valid & holds, np.float32(np.inf)
    cells = difference.cells
    if cells is not None and not seen.all():
        share = cv2.resize(seen.astype(np.float32), cells.shape[::-1], interpolation=cv2.INTER_AREA)
        cells = np.where(share == 1, cells, nothing)
    values = np.where(seen, difference.values, nothing)
    return replace(difference, values=values, cells=cells, valid=np.ones_like(seen))


def _mean(difference: Difference, among: Mask) -> float:
    return float(difference.values[among].mean()) if among.any() else 0.0


def _found(
    pair: FramePair, difference: Difference, method: Method, described: Difference | None = None
) -> Found:
    """The steps after the difference.

    Args:
        pair: the frames.
        difference: of them.
        method: its steps.
        described: the difference with the light and the shifts that regions are described with;
            None: the same.
    """
    cut = method.threshold(difference)
    mask = cut.mask if method.clean is None else method.clean(cut.mask)
    cut = replace(cut, mask=mask & difference.valid)
    weighed = Weighed(difference, cut)
    if method.weigh is not None:
        weighed = method.weigh(pair, difference, cut)
    difference, cut = weighed.difference, weighed.cut
    doubt = doubt_of(pair, weighed)
    found = [] if doubt and method.silent_in_doubt else method.propose(difference, cut)
    proposals = _most_important(found, cut)
    if method.segment is not None:
        proposals = method.segment(pair, difference, cut, proposals)
    regions = [method.describe(pair, described or difference, cut, each) for each in proposals]
    answer = answer_of(
        pair, weighed, regions, area=covered(cut, proposals), count=len(found), doubt=doubt
    )
    return Found(regions, answer, pair, difference, cut)


def _most_important(proposals: Sequence[Proposal], cut: Cut) -> Sequence[Proposal]:
    """The proposals with the most pixels above the threshold in their boxes, in their order."""
    if len(proposals) <= MOST_REGIONS:
        return proposals
    above = cv2.integral(cut.mask.view(np.uint8))
    x, y, w, h = np.array([proposal.box for proposal in proposals]).T
    pixels = above[y + h, x + w] - above[y, x + w] - above[y + h, x] + above[y, x]
    kept = np.sort(np.argsort(-pixels, kind="stable")[:MOST_REGIONS])
    return [proposals[number] for number in kept]

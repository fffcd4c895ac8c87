"""The steps of a method, one after the other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np

from vfiscope.regions.answer import answer_of
from vfiscope.regions.steps import Cut, Difference, Found, FramePair, Method, Proposal, Weighed

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


def find_between(pairs: Sequence[FramePair], method: Method) -> Found:
    """The regions of a test frame that differ from each of several references, as from the real
    frames before and after an interpolated one: what either of them shows is no fault.

    Args:
        pairs: the test frame with each reference; all of one size.
        method: as made by one of :data:`~vfiscope.regions.METHODS`.

    Returns:
        Regions and answer of frame 0; the pair is the first.
    """
    found = [method.difference(pair) for pair in pairs]
    rims = [each.rim for each in found if each.rim is not None]
    least = replace(
        found[0],
        values=np.minimum.reduce([each.values for each in found]),
        valid=np.logical_and.reduce([each.valid for each in found]),
        layers=None,
        rim=np.logical_and.reduce(rims) if len(rims) == len(found) else None,
    )
    return _found(pairs[0], least, method)


def _found(pair: FramePair, difference: Difference, method: Method) -> Found:
    cut = method.threshold(difference)
    if method.clean is not None:
        cut = replace(cut, mask=method.clean(cut.mask))
    weighed = Weighed(difference, cut)
    if method.weigh is not None:
        weighed = method.weigh(pair, difference, cut)
    difference, cut = weighed.difference, weighed.cut
    found = method.propose(difference, cut)
    proposals = _most_important(found, cut)
    if method.segment is not None:
        proposals = method.segment(pair, difference, cut, proposals)
    regions = [method.describe(pair, difference, cut, each) for each in proposals]
    answer = answer_of(pair, weighed, regions, count=len(found))
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

"""The steps of a method, one after the other."""

from __future__ import annotations

from dataclasses import replace

from vfiscope.regions.answer import answer_of
from vfiscope.regions.steps import Found, FramePair, Method, Weighed

__all__ = ["find"]


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
    difference = method.difference(pair)
    cut = method.threshold(difference)
    if method.clean is not None:
        cut = replace(cut, mask=method.clean(cut.mask))
    weighed = Weighed(method.propose(difference, cut))
    if method.weigh is not None:
        weighed = method.weigh(pair, difference, cut, weighed.proposals)
    proposals = weighed.proposals
    if method.segment is not None:
        proposals = method.segment(pair, difference, cut, proposals)
    regions = [method.describe(pair, difference, cut, each) for each in proposals]
    answer = answer_of(pair, difference, cut, regions, evidence=weighed.evidence)
    return Found(regions, answer, pair, difference, cut)

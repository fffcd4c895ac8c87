"""Regions in words."""

from __future__ import annotations

from vfiscope.types import Answer

__all__ = ["answer_sentence"]


def answer_sentence(answer: Answer) -> str:
    """What a method says of a pair of frames, in one sentence."""
    if answer.caption:
        return answer.caption
    count = f"{answer.regions} region{'s' * (answer.regions != 1)}"
    part = 100 * answer.changed_area
    share = f"{part:.0f} % of the frame" if part >= 10 else f"{part:.2g} % of the frame"
    return f"{answer.answer}: {count}, {share}" if answer.regions else f"{answer.answer}: no region"

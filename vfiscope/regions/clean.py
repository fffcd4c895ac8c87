"""Cleaning of masks by morphology."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import cv2
import numpy as np

from vfiscope.regions.steps import Mask

__all__ = ["closed", "dilated", "in_turn", "opened"]


def opened(mask: Mask, *, size: int, times: int = 1, round_: bool = False) -> Mask:
    """The mask without parts that a square of ``size`` pixels does not fit into.

    Args:
        mask: (H, W).
        size: side of the square in pixels.
        times: how often it is eroded, and dilated as often.
        round_: an ellipse instead of a square.
    """
    return _morphed(mask, cv2.MORPH_OPEN, size, times, round_)


def closed(mask: Mask, *, size: int, times: int = 1, round_: bool = False) -> Mask:
    """The mask and the gaps that a square of ``size`` pixels does not fit into."""
    return _morphed(mask, cv2.MORPH_CLOSE, size, times, round_)


def dilated(mask: Mask, *, size: int, times: int = 1, round_: bool = False) -> Mask:
    """The mask, grown by a square of ``size`` pixels."""
    return _morphed(mask, cv2.MORPH_DILATE, size, times, round_)


def in_turn(mask: Mask, *, steps: Sequence[Callable[[Mask], Mask]]) -> Mask:
    """The mask after several steps."""
    for step in steps:
        mask = step(mask)
    return mask


def _morphed(mask: Mask, operation: int, size: int, times: int, round_: bool) -> Mask:
    shape = cv2.MORPH_ELLIPSE if round_ else cv2.MORPH_RECT
    kernel = cv2.getStructuringElement(shape, (size, size))
    made = cv2.morphologyEx(mask.astype(np.uint8), operation, kernel, iterations=times)
    return np.asarray(made, bool)

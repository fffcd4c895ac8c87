"""Masks as text: run lengths of the whole frame, as COCO has them."""

from __future__ import annotations

import json

import numpy as np

from vfiscope.regions.steps import Mask
from vfiscope.types import Box

__all__ = ["decode", "encode"]


def encode(mask: Mask, box: Box, size: tuple[int, int]) -> str:
    """The run lengths of a mask as a JSON list.

    Args:
        mask: (box.h, box.w) bool.
        box: where it lies in the frame.
        size: (height, width) of the frame.
    """
    whole = np.zeros(size, bool)
    whole[box.y : box.y + box.h, box.x : box.x + box.w] = mask
    flat = whole.ravel(order="F")
    edges = np.flatnonzero(flat[1:] != flat[:-1]) + 1
    lengths = np.diff([0, *edges, flat.size])
    return json.dumps([*([0] if flat.size and flat[0] else []), *lengths.tolist()])


def decode(text: str, size: tuple[int, int]) -> Mask:
    """The (H, W) mask of run lengths."""
    lengths = np.array(json.loads(text), np.int64)
    values = np.arange(len(lengths)) % 2 == 1
    return np.asarray(np.repeat(values, lengths).reshape(size, order="F"))

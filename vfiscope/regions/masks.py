"""Masks as text: run lengths of the whole frame, down its columns, in the compressed form of COCO.

The lengths of the runs alternate between pixels outside and inside, beginning with those outside.
From the fourth on, each is stored as its difference from the one before the last; every number is
written in groups of five bits, the lowest first, each as a character from ``0`` on (``rleToString``
of https://github.com/cocodataset/cocoapi, common/maskApi.c, 2015). The size of the frame is not
part of the text.
"""

from __future__ import annotations

import numpy as np

from vfiscope.errors import StoreError
from vfiscope.regions.steps import Mask
from vfiscope.types import Box, Int64, Uint8

__all__ = ["decode", "encode", "extent_of", "lengths_of"]

GROUP_BITS, GROUP_VALUES = 5, 0x1F
SIGN_BIT, MORE_FOLLOWS = 0x10, 0x20
FIRST_CHARACTER, LAST_CHARACTER = 48, 111
MOST_GROUPS = 8
"""To a number, which then has 40 bits."""
SHOWN_OF_MASK = 40
"""Characters of a mask that cannot be read."""


def encode(mask: Mask, box: Box, size: tuple[int, int]) -> str:
    """The run lengths of a mask.

    Args:
        mask: (box.h, box.w) bool.
        box: where it lies in the frame.
        size: (height, width) of the frame.
    """
    height, width = size
    # Below every column lies a pixel outside, so that runs end with their column.
    columns = np.zeros((box.w, box.h + 1), np.int8)
    columns[:, : box.h] = mask.T
    edges = np.flatnonzero(np.diff(columns.ravel(), prepend=np.int8(0)))
    column, row = np.divmod(edges, box.h + 1)
    places = (box.x + column) * height + box.y + row
    # Of a run that goes on at the head of the next column, the end and the start are one place.
    joined = np.flatnonzero(places[1:-1:2] == places[2::2])
    places = np.delete(places, np.concatenate([2 * joined + 1, 2 * joined + 2]))
    lengths = np.diff(places, prepend=0, append=height * width)
    return _text_of(lengths if len(places) == 0 or lengths[-1] else lengths[:-1])


def decode(text: str, size: tuple[int, int], part: Box | None = None) -> Mask:
    """The mask of run lengths.

    Args:
        text: as of :func:`encode`, or the lengths as a JSON list.
        size: (height, width) of the frame.
        part: the part of the frame that is wanted; None for the whole.

    Returns:
        (H, W) bool; of a part (part.h, part.w).

    Raises:
        StoreError: the text does not hold the lengths of a mask of such a frame.
    """
    height, width = size
    part = part or Box(0, 0, width, height)
    ends = np.cumsum(lengths_of(text, size))
    first, beyond = part.x * height, (part.x + part.w) * height
    lengths = np.asarray(np.diff(np.clip(ends, first, beyond), prepend=first), np.int64)
    flat = np.repeat(np.arange(len(lengths)) % 2 == 1, lengths)
    columns = flat.reshape(part.w, height)[:, part.y : part.y + part.h]
    return np.ascontiguousarray(columns.T)


def extent_of(text: str, size: tuple[int, int]) -> Box | None:
    """The smallest box around the mask of run lengths; None where it has no pixel.

    Raises:
        StoreError: as for :func:`decode`.
    """
    height = size[0]
    ends = np.cumsum(lengths_of(text, size))
    stops = ends[1::2]
    starts = ends[::2][: len(stops)]
    starts, stops = starts[stops > starts], stops[stops > starts]
    if not len(starts):
        return None
    (left, top), (right, bottom) = np.divmod(starts, height), np.divmod(stops - 1, height)
    x, w = int(left[0]), int(right[-1] - left[0]) + 1
    if (right > left).any():  # what goes on in the next column has both ends of a column
        return Box(x, 0, w, height)
    return Box(x, int(top.min()), w, int(bottom.max() - top.min()) + 1)


def lengths_of(text: str, size: tuple[int, int]) -> Int64:
    """(N,) lengths of the runs, outside and inside in turn.

    Args:
        text: as of :func:`encode`, or the lengths as a JSON list.
        size: (height, width) of the frame.

    Raises:
        StoreError: the text does not hold the lengths of a mask of such a frame.
    """
    pixels = size[0] * size[1]
    try:
        # No compressed text ends with a bracket: it would say that more follows.
        lengths = _listed(text) if text.endswith("]") else _compressed(text)
    except (ValueError, OverflowError) as error:
        raise _refused(text, size, str(error)) from None
    if len(lengths) > pixels + 1 or (lengths < 0).any() or (lengths > pixels).any():
        raise _refused(text, size, "runs are longer or more than fit into the frame")
    if lengths.sum() != pixels:
        raise _refused(text, size, f"its runs are {lengths.sum()} pixels long together")
    return lengths


def _text_of(lengths: Int64) -> str:
    numbers = lengths.copy()
    numbers[3:] -= lengths[1:-2]
    largest = int(np.maximum(numbers, ~numbers).max())
    most = largest.bit_length() // GROUP_BITS + 1
    shifted = numbers[:, None] >> (GROUP_BITS * np.arange(most))
    groups = shifted & GROUP_VALUES
    # A number is complete where what is left of it is nothing but the sign of its last group.
    rest = shifted >> GROUP_BITS
    more = np.where(groups & SIGN_BIT, rest != -1, rest != 0)
    used = np.ones_like(more)
    used[:, 1:] = more[:, :-1]
    characters = FIRST_CHARACTER + groups + MORE_FOLLOWS * more
    return bytes(characters[used].astype(np.uint8)).decode("ascii")


def _compressed(text: str) -> Int64:
    bytes_: Uint8 = np.frombuffer(text.encode("ascii", "replace"), np.uint8)
    if len(bytes_) and not (FIRST_CHARACTER <= bytes_.min() <= bytes_.max() <= LAST_CHARACTER):
        raise ValueError("it holds other characters than 0 to o")
    groups = bytes_.astype(np.int64) - FIRST_CHARACTER
    last = np.flatnonzero((groups & MORE_FOLLOWS) == 0)
    if len(groups) and (not len(last) or last[-1] != len(groups) - 1):
        raise ValueError("its end is missing")
    first = np.concatenate([[0], last[:-1] + 1])[: len(last)]
    if len(last) and (last - first).max() >= MOST_GROUPS:
        raise ValueError("it holds a number that is too large")
    place = GROUP_BITS * (np.arange(len(groups)) - np.repeat(first, last - first + 1))
    values = (groups & GROUP_VALUES) << place
    # The sign of a number is the highest bit of its last group.
    values[last] -= ((groups[last] & SIGN_BIT) << 1) << place[last]
    numbers = np.asarray(np.add.reduceat(values, first) if len(first) else values, np.int64)
    numbers[1::2] = np.cumsum(numbers[1::2])
    numbers[2::2] = np.cumsum(numbers[2::2])
    return numbers


def _listed(text: str) -> Int64:
    inside = text.strip()[1:-1].split(",")
    if not text.lstrip().startswith("["):
        raise ValueError("it is no list")
    return np.array([int(each) for each in inside], np.int64)


def _refused(text: str, size: tuple[int, int], why: str) -> StoreError:
    short = text if len(text) <= SHOWN_OF_MASK else f"{text[:SHOWN_OF_MASK]}…"
    return StoreError(
        f"{short!r} is not a mask of a frame of {size[1]}x{size[0]} pixels: {why[:100]}; find the"
        " regions again"
    )

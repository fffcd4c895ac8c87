"""Where the content of a frame lay in the frame before: dense flow of tiny frames.

Flow is OpenCV's dense inverse search (Kroeger, Timofte, Dai, Van Gool 2016) at frames scaled down
to at most 240 px of width. It follows some pixels of motion; where the camera was bumped, phase
correlation (Kuglin and Hines 1975) says where to start.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import cv2
import numpy as np

from vfiscope.jit import REORDERED, compiled
from vfiscope.signals.fetching import fetched_along
from vfiscope.signals.ranks import ranked
from vfiscope.signals.signal import SignalFrame
from vfiscope.types import Float32, Uint8

__all__ = [
    "MIN_FLOW_PX",
    "Carried",
    "block_flow",
    "carry",
    "flow_between",
    "from_before",
    "mean_apart",
    "step_before",
    "step_to_next",
    "tiny_scale",
    "to_next",
]

FLOW_BLOCK_PX = 8
"""Side of the blocks, in tiny pixels."""
MIN_FLOW_PX = 12
"""Short side below which there is no flow."""
MIN_LEFT_CODES, MAX_LEFT_SHARE = 4.0, 0.6
"""Difference behind the motion, in code values and as a part of that without it, above which a jump
of the whole frame is tried too."""
MIN_JUMP_PX = 3
"""Shift of the whole frame up to which flow needs no start."""
PATCH_PX = 8
"""Side of the patches of that flow."""
MAX_JUMP_SHARE = 0.25
"""Largest start as a part of the side."""


@dataclass(frozen=True, eq=False)
class Carried:
    """A frame that was brought to the places of another one."""

    flow: Float32
    """(h, w, 2) tiny pixels: content at (x, y) of the one is at (x + dx, y + dy) of the other."""
    luma: Float32
    """(h, w) the tiny luma of the other there."""
    left: float
    """Mean absolute difference between that and the luma of the one."""

    @cached_property
    def blocks(self) -> Float32:
        """(h, w, 2) mean flow of blocks of 8 x 8."""
        high, wide = (side // FLOW_BLOCK_PX for side in self.flow.shape[:2])
        made = np.empty((high, wide, 2), np.float32)
        mean_flow(self.flow.reshape(len(self.flow), -1), made)
        return made

    @cached_property
    def usual(self) -> tuple[float, float]:
        """Medians of dx and dy over the blocks: the flow of the frame as a whole."""
        across, down = (ranked(self.blocks[..., axis], 0.5)[0] for axis in (0, 1))
        return across, down


def from_before(frame: SignalFrame) -> Carried | None:
    """The tiny frame before, brought to where its content is in this one; None where there is none,
    or frames are too small."""
    before = frame.before
    if before is None:
        return None
    return frame.share("from_before", lambda: carry(frame.tiny, before.tiny))


def to_next(frame: SignalFrame) -> Carried | None:
    """This tiny frame brought to the next one, which that one will need itself."""
    after = frame.after
    return (
        None if after is None else after.share("from_before", lambda: carry(after.tiny, frame.tiny))
    )


def block_flow(found: Carried | None) -> Float32 | None:
    """(h, w, 2) mean flow of blocks of 8 x 8; None where nothing is known."""
    return None if found is None else found.blocks


def step_before(frame: SignalFrame) -> Float32 | None:
    """(h, w, 2) motion of the blocks into the frame before."""
    return None if frame.before is None else block_flow(frame.before.shared.get("from_before"))


def step_to_next(frame: SignalFrame) -> Float32 | None:
    """(h, w, 2) motion of the blocks out of the frame."""
    return block_flow(to_next(frame))


def tiny_scale(frame: SignalFrame) -> int:
    """Pixels of the frame along a pixel of the tiny one."""
    wide, small, tiny = (each.shape[1] for each in (frame.luma, frame.small, frame.tiny))
    return int(wide // small) * int(small // tiny)


def carry(now: Uint8, other: Uint8) -> Carried | None:
    """A plane (h, w) brought to where its content is in another one; None where they are too
    small."""
    if min(now.shape) < MIN_FLOW_PX:
        return None
    flow = flow_between(now, other)
    luma = fetched_along(other, flow)
    plain = Carried(flow, luma, mean_apart(now, luma))
    apart = float(cv2.norm(now, other, cv2.NORM_L1)) / now.size
    if plain.left < max(MIN_LEFT_CODES, MAX_LEFT_SHARE * apart):
        return plain
    across, down = _jump(now, other)
    if max(abs(across), abs(down)) < MIN_JUMP_PX:
        return plain
    jump = np.array([across, down], np.float32)
    flow = flow_between(now, _moved(other, across, down)) + jump
    luma = fetched_along(other, flow)
    jumped = Carried(flow, luma, mean_apart(now, luma))
    return jumped if jumped.left < plain.left else plain


def flow_between(now: Uint8, other: Uint8) -> Float32:
    """(h, w, 2) px: content at (x, y) of the one plane is at (x + dx, y + dy) of the other. Short
    sides of at least 12 px."""
    # Made anew each time: OpenCV fits the scales of a search to its first frames.
    search = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_ULTRAFAST)
    height, width = now.shape
    # OpenCV chooses its coarsest scale by the width alone, and crashes where a patch is higher than
    # the frame is there.
    coarsest = max(0, math.floor(math.log2(2 * width / (5 * PATCH_PX))))
    short = max(0, (PATCH_PX << coarsest) - height)
    if short:
        border = (0, short, 0, 0, cv2.BORDER_REPLICATE)
        now, other = (np.asarray(cv2.copyMakeBorder(p, *border), np.uint8) for p in (now, other))
    flow = search.calc(now, other, np.zeros((*now.shape, 2), np.float32))
    return np.asarray(flow, np.float32)[:height]


def mean_apart(now: Uint8, other: Float32) -> float:
    """Mean absolute difference of two planes (h, w)."""
    return float(summed_apart(now, other)) / now.size


@compiled(REORDERED)
def summed_apart(now: Any, other: Any) -> float:
    """Sum of the absolute differences of (h, w) uint8 and float32: rows in float32, and their sums
    in float64."""
    total = 0.0
    for y in range(now.shape[0]):
        here, there, part = now[y], other[y], np.float32(0)
        for x in range(here.shape[0]):
            part += abs(np.float32(here[x]) - there[x])
        total += np.float64(part)
    return total


@compiled()
def mean_flow(rows: Any, made: Any) -> None:
    """Fill (h, w, 2) float32 with the means of the blocks of a flow, given as (H, 2 W)."""
    share = np.float32(1 / FLOW_BLOCK_PX**2)
    sums = np.empty(made.shape[1] * FLOW_BLOCK_PX * 2, np.float32)
    for i in range(made.shape[0]):
        sums[:] = 0
        for y in range(i * FLOW_BLOCK_PX, (i + 1) * FLOW_BLOCK_PX):
            row = rows[y]
            for x in range(sums.shape[0]):
                sums[x] += row[x]
        for j in range(made.shape[1]):
            for axis in range(2):
                first, total = j * FLOW_BLOCK_PX * 2 + axis, np.float32(0)
                for x in range(FLOW_BLOCK_PX):
                    total += sums[first + 2 * x]
                made[i, j, axis] = total * share


def _jump(now: Uint8, other: Uint8) -> tuple[int, int]:
    """Whole pixels (dx, dy) by which all of a frame seems to have moved at once; 0, 0 where that is
    too far to be one scene."""
    height, width = now.shape
    window = cv2.createHanningWindow((width, height), cv2.CV_32F)
    (dx, dy), _ = cv2.phaseCorrelate(now.astype(np.float32), other.astype(np.float32), window)
    across, down = round(dx), round(dy)
    far = abs(across) > MAX_JUMP_SHARE * width or abs(down) > MAX_JUMP_SHARE * height
    return (0, 0) if far else (across, down)


def _moved(plane: Uint8, across: int, down: int) -> Uint8:
    """A plane whose content at (x + across, y + down) is brought to (x, y); the border repeated."""
    height, width = plane.shape
    x = np.clip(np.arange(width) + across, 0, width - 1)
    y = np.clip(np.arange(height) + down, 0, height - 1)
    return np.ascontiguousarray(plane[np.ix_(y, x)])

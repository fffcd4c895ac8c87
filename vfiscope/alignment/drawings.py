"""Drawings: a source of animation holds each drawing for two or three frames."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from vfiscope.alignment.lattice import Side
from vfiscope.types import Int64

__all__ = ["Drawings", "find_drawings"]

MAX_HELD_DIFFERENCE = 0.02
"""Largest difference of two cells of signatures, in parts of the contrast of a frame, that is none:
about a code value, which rounding to 8 bits may make."""
HELD_SHARES = (0.1, 0.125, 0.16, 0.2, 0.25, 0.3)
"""Shares of the largest changes shortly before and after it up to which a change may be compression
of the same drawing: a codec copies most of a repeated frame. A step to a new drawing is seldom less
than half of those around it."""
MAX_IN_GAP_SHARE = 0.05
"""Share of changes that may lie between such a share and twice as much: compression and movement
are two populations with a gap. The paces of uneven movement, as of a shaken camera, have none."""
HELD_FRAMES = (2, 4)
"""Frames that a drawing is usually held for in animation, least and most: on twos, threes, fours. A
still shot holds for longer."""
MIN_HELD_DRAWINGS = 4
"""Drawings that must be held for that long."""
MIN_HELD_SHARE = 0.5
"""Least share of the frames of the source that such drawings fill."""


class Drawings(NamedTuple):
    """The drawings of a source of M frames."""

    first: Int64
    """(K,) row of the first frame of each drawing."""
    last: Int64
    """(K,) row of its last frame; the next row is the first of the next drawing."""

    @property
    def usual(self) -> int:
        """Frames that a drawing is usually held for."""
        return int(np.median(self.last - self.first + 1))

    @property
    def held(self) -> NDArray[np.bool_]:
        """(M,) whether a frame shows the same drawing as the next one."""
        out = np.ones(int(self.last[-1]) + 1, bool)
        out[self.last] = False
        return out


def find_drawings(source: Side) -> Drawings | None:
    """The drawings of a source; None where it is no animation that holds them."""
    changed = _changed(source)
    first = np.r_[0, np.flatnonzero(changed) + 1]
    last = np.r_[first[1:] - 1, len(source.index) - 1]
    frames = last - first + 1
    least, most = HELD_FRAMES
    held = (frames >= least) & (frames <= most)
    enough = held.sum() >= MIN_HELD_DRAWINGS
    if not enough or frames[held].sum() < MIN_HELD_SHARE * len(source.index):
        return None
    return Drawings(first, last)


def _changed(source: Side) -> NDArray[np.bool_]:
    """(M - 1,) whether a frame shows another drawing than the one before it.

    How much compression leaves between repeats depends on the codec, the size and the content, so
    that no fixed limit tells it from movement: the gap between the two does, each change taken in
    parts of the changes around it.
    """
    unread = source.blank[1:] | source.blank[:-1]
    change = np.abs(np.diff(source.signatures, axis=0)).max(axis=1, initial=0)
    change[unread] = 0
    reach = HELD_FRAMES[1] - 1
    # Both sides must hold a larger step, or a cut would make stills of the frames next to it. What
    # lies before the first frame and after the last one is not known, and may be one.
    largest = sliding_window_view(np.pad(change, reach, constant_values=np.inf), reach).max(axis=1)
    around = np.minimum(largest[: len(change)], largest[reach + 1 :])
    moved: NDArray[np.bool_] = (change > MAX_HELD_DIFFERENCE) & ~unread
    part = change[moved] / np.maximum(around, MAX_HELD_DIFFERENCE)[moved]
    between = [int(((part > share) & (part <= 2 * share)).sum()) for share in HELD_SHARES]
    if min(between) <= MAX_IN_GAP_SHARE * len(change):
        moved[moved] = part > HELD_SHARES[between.index(min(between))]
    return np.logical_or(moved, unread)

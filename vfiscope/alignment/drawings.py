"""Drawings: a source of animation holds each drawing for two or three frames."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from vfiscope.alignment.lattice import Side
from vfiscope.types import Int64

__all__ = ["Drawings", "find_drawings"]

MAX_HELD_DIFFERENCE = 0.02
"""Largest difference of two cells of signatures, in parts of the contrast of a frame, of two frames
that show the same drawing: compression leaves less, and whatever moves changes some cell more."""
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
    change = np.abs(np.diff(source.signatures, axis=0)).max(axis=1, initial=0)
    changed = (change > MAX_HELD_DIFFERENCE) | source.blank[1:] | source.blank[:-1]
    first = np.r_[0, np.flatnonzero(changed) + 1]
    last = np.r_[first[1:] - 1, len(source.index) - 1]
    frames = last - first + 1
    least, most = HELD_FRAMES
    held = (frames >= least) & (frames <= most)
    enough = held.sum() >= MIN_HELD_DRAWINGS
    if not enough or frames[held].sum() < MIN_HELD_SHARE * len(source.index):
        return None
    return Drawings(first, last)

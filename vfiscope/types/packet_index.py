"""The packets of a video, as its container lists them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vfiscope.types.arrays import Int64, check

__all__ = ["PacketIndex"]


@dataclass(frozen=True, eq=False)
class PacketIndex:
    """The N presentation times at which packets begin; several packets of one time are one entry,
    such as the two fields of a frame."""

    pts: Int64
    """(N,) rising strictly, in units of the time base of the source."""
    size: Int64
    """(N,) bytes."""
    keyframe: NDArray[np.bool_]
    """(N,) as flagged by the container."""

    def __post_init__(self) -> None:
        columns = {"pts": self.pts, "size": self.size, "keyframe": self.keyframe}
        check(
            all(column.shape == self.pts.shape for column in columns.values()),
            "the columns of a packet index must be (N,)",
            **columns,
        )

    def __len__(self) -> int:
        return len(self.pts)

    def at(self, pts: int) -> tuple[int, bool] | None:
        """Bytes of the packet of a time, and whether it is a keyframe; None where there is none."""
        place = int(np.searchsorted(self.pts, pts))
        if place == len(self) or self.pts[place] != pts:
            return None
        return int(self.size[place]), bool(self.keyframe[place])

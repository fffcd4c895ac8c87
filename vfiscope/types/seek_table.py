"""The seek table of a video: what a first pass records to find single frames again."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from vfiscope.types.arrays import Int64, check

__all__ = ["NOT_WHOLE", "SeekTable"]

NOT_WHOLE = -1
"""The checksum of a frame that cannot be found by seeking: damaged, missing, or without a time."""


@dataclass(frozen=True, eq=False)
class SeekTable:
    """The N frames that a first pass decoded, and the K keyframes among its packets.

    A frame that was found through a keyframe is accepted only if its time and its checksum equal
    those recorded here.
    """

    pts: Int64
    """(N,) presentation times in units of the source's time base, by decode ordinal."""
    checksum: Int64
    """(N,) checksum of the samples as they were decoded, before any conversion; ``NOT_WHOLE`` where
    the frame cannot be found by seeking."""
    keyframe_pts: Int64
    """(K,) presentation times of the keyframes, in decode order."""
    keyframe_dts: Int64
    """(K,) their decode times, by which containers seek."""
    ended: bool
    """True if the pass reached the end of the stream, so that there are no other frames."""

    COLUMNS = ("pts", "checksum", "keyframe_pts", "keyframe_dts")

    def __post_init__(self) -> None:
        columns = {name: getattr(self, name) for name in self.COLUMNS}
        check(
            self.pts.ndim == self.keyframe_pts.ndim == 1
            and self.pts.shape == self.checksum.shape
            and self.keyframe_pts.shape == self.keyframe_dts.shape,
            "a seek table needs pts and checksum (N,), keyframe_pts and keyframe_dts (K,)",
            **columns,
        )

    def __len__(self) -> int:
        """Number of frames in the table."""
        return len(self.pts)

    @cached_property
    def rises(self) -> bool:
        """True if the times increase strictly, so that a time identifies one frame."""
        return bool((np.diff(self.pts) > 0).all() and (np.diff(self.keyframe_pts) > 0).all())

    def __repr__(self) -> str:
        return f"SeekTable({len(self)} frames, {len(self.keyframe_pts)} keyframes)"

"""Motion between the two real frames around a test frame.

It is estimated from the real frames alone, so that a faulty frame cannot influence what it is
judged by.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from vfiscope.metrics.interpolation.flow import Bool, estimate, resized, resized_flow, visible
from vfiscope.types import Float32

__all__ = ["MAX_BETWEEN_SIDE_PX", "Between"]

MAX_BETWEEN_SIDE_PX = 270
"""Largest short side in pixels at which this motion is estimated."""


@dataclass(frozen=True, eq=False)
class Between:
    """Motion between the real frames around a frame."""

    forth: Float32
    """(h, w, 2) from the frame before to the one after, in its own pixels."""
    back: Float32

    @classmethod
    def of(cls, before: Float32, after: Float32, size: tuple[int, int]) -> Between:
        """Estimate it at a size (h, w), which is no larger than that of the two planes of luma."""
        small = resized(before, size), resized(after, size)
        return cls(estimate(*small), estimate(*small[::-1]))

    def expected(self, phase: float) -> Iterator[tuple[Float32, Float32]]:
        """Flows to both neighbours from a frame at ``phase``, 0 at the one before and 1 at the one
        after.

        Motion is assumed to be even, and the flow through a pixel of the frame to be that which
        starts at the same pixel of the one neighbour, or of the other (Jiang, Sun, Jampani, Yang,
        Learned-Miller, Kautz 2018, equation 3).
        """
        t, rest = np.float32(phase), np.float32(1 - phase)
        yield -t * self.forth, rest * self.forth
        yield t * self.back, -rest * self.back

    def at(self, size: tuple[int, ...]) -> Between:
        """The same motion at another size (h, w)."""
        return Between(resized_flow(self.forth, size), resized_flow(self.back, size))

    @property
    def hidden(self) -> Bool:
        """(h, w) pixels where the content of one of the neighbours is not found in the other."""
        found: Bool = ~(visible(self.forth, self.back) & visible(self.back, self.forth))
        return found

    @property
    def speed(self) -> Float32:
        """(h, w) distance in pixels that content moves, the larger of the two neighbours."""
        return np.maximum(
            *(np.hypot(flow[..., 0], flow[..., 1]) for flow in (self.forth, self.back))
        )

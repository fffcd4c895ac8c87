"""The interface of a signal: its function and its inputs."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from enum import Flag, auto
from functools import cached_property
from typing import Any

from numpy.typing import NDArray

from vfiscope.registration.offset import frame_offset
from vfiscope.signals.light_fit import LightFit, cells_of, fit_light
from vfiscope.types import Float32, Float64, SignalSpec

__all__ = ["Partner", "Sight", "Signal", "SignalFrame"]


class Sight(Flag):
    """The inputs of a signal in addition to the pixels of its frame."""

    NOTHING = 0
    BEFORE = auto()
    """The test frame in the row before."""
    EMBEDDING = auto()
    """The vector of the frame."""
    SHIFT = auto()
    """The place of the frame on its partner: its registration, the motion field, or the pixels of
    both."""
    GOLDEN = auto()
    """The pixels of the golden frame."""


@dataclass(frozen=True, eq=False)
class Partner:
    """The readable partner of a test frame. Its pixels must not be written to."""

    pixels: NDArray[Any]
    """(H, W, 3) uint8 or uint16: RGB code values, of the same size."""
    bit_depth: int
    index: int = 0
    """Its decode ordinal."""

    @cached_property
    def cells(self) -> Float64:
        """(h, w, 3) the cells of its light."""
        return cells_of(self.pixels, self.bit_depth)


@dataclass(frozen=True, eq=False)
class SignalFrame:
    """A readable test frame as signals see it. Its arrays must not be written to."""

    pixels: NDArray[Any]
    """(H, W, 3) uint8 or uint16, C-contiguous: RGB code values as they were decoded, before the
    frame was registered."""
    bit_depth: int
    embedding: Float32 | None = None
    """(E,) vector of the frame as it was compared, registered where the run registers; None where
    frames are not embedded."""
    matrix: Float64 | None = None
    """(3, 3) from pixels of the frame to those of its partner; None where it was not registered."""
    motion: Float32 | None = None
    """(2, h, w) px, (dx, dy) from cells of the frame as it was compared to its partner; None where
    that is not computed."""
    partner: Partner | None = None
    """What it was compared with; None where it has no partner, or nothing looks at one."""
    index: int = 0
    """Its decode ordinal."""
    before: SignalFrame | None = None
    """The test frame in the row before; None at the first row, and where that has no pixels."""

    @cached_property
    def offset(self) -> tuple[float, float]:
        """(dx, dy) px from the frame to its partner, as a whole, by correlation of their pixels;
        NaN where unknown."""
        other = self.partner
        if other is None:
            return math.nan, math.nan
        return frame_offset(self.pixels, other.pixels, self.bit_depth, other.bit_depth)

    @cached_property
    def light(self) -> LightFit | None:
        """The light of the frame against that of its partner; None where unknown."""
        other = self.partner
        if other is None:
            return None
        return fit_light(cells_of(self.pixels, self.bit_depth), other.cells)

    @property
    def white(self) -> int:
        """The code value of white."""
        return int(2**self.bit_depth - 1)


@dataclass(frozen=True)
class Signal:
    """A number per test frame."""

    spec: SignalSpec
    compute: Callable[[SignalFrame], float]
    """A frame that can be read -> its value, NaN where it is not defined."""
    looks_at: Sight = Sight.NOTHING
    usual: bool = False
    """True for a cheap signal that is computed by default."""

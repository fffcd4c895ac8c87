"""The interface of a signal: its function and its inputs."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, field, replace
from enum import Flag, auto
from functools import cached_property
from typing import Any, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from vfiscope.pixels import channel_sums, luma_bytes, times_smaller
from vfiscope.registration.offset import frame_offset
from vfiscope.signals.frame_views import block_means, scaled_down, slopes
from vfiscope.signals.light_fit import LightFit, cells_of, fit_light
from vfiscope.types import Float32, Float64, SignalSpec, Uint8

__all__ = [
    "COMING_ROWS",
    "NEAR_ROWS",
    "PAST_ROWS",
    "Partner",
    "Sight",
    "Signal",
    "SignalFrame",
    "part_of",
    "rows_before",
]

T = TypeVar("T")
PAST_ROWS, COMING_ROWS = 6, 2
"""How far back and how far ahead signals may look."""
NEAR_ROWS = 6
"""How far they may look both ways, at whole frames."""
SMALL_WIDTH = 480
TINY_WIDTH = 240


class Sight(Flag):
    """The inputs of a signal in addition to the pixels of its frame."""

    NOTHING = 0
    BEFORE = auto()
    """The test frame in the row before."""
    AFTER = auto()
    """The test frame in the next row."""
    PAST = auto()
    """Further test frames before, and what was computed of the one before and its own before."""
    COMING = auto()
    """Further test frames after it."""
    EMBEDDING = auto()
    """The vector of the frame."""
    SHIFT = auto()
    """The place of the frame on its partner: its registration, the motion field, or the pixels of
    both."""
    GOLDEN = auto()
    """The pixels of the golden frame."""
    PACKETS = auto()
    """The packets of the video."""
    NEAR = auto()
    """The test frames around it, each with the one before it."""
    FAULTS = auto()
    """What is wrong where: the pixels of the partner in a reference, and the maps of faults between
    real frames."""


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
    faults: Float32 | None = None
    """(h, w) 0..1, share of each cell that is at fault between real frames; None where that is not
    computed."""
    partner: Partner | None = None
    """What it was compared with; None where it has no partner, or nothing looks at one."""
    index: int = 0
    """Its decode ordinal."""
    packet: tuple[int, bool] | None = None
    """Bytes of its packet, and whether it is a keyframe; None where the container tells nothing."""
    before: SignalFrame | None = None
    """The test frame in the row before; None at the first row, and where that has no pixels. It
    knows neither its own before nor what follows it, but holds what :meth:`share` kept of them."""
    after: SignalFrame | None = None
    """The test frame in the next row; None at the last row, and where that has no pixels."""
    past: tuple[Uint8, ...] = ()
    """The :attr:`small` versions of up to six frames before, the latest first, as far as the next
    one back that has no pixels; empty where no signal looks at them."""
    coming: tuple[Uint8, ...] = ()
    """The same of up to two frames after, the next one first."""
    earlier: tuple[SignalFrame, ...] = ()
    """Up to six frames before, the latest first, each with the one before it; without those that
    have no pixels, and empty where no signal looks at them."""
    later: tuple[SignalFrame, ...] = ()
    """The same of up to six frames after, the next one first."""
    shared: dict[Hashable, Any] = field(default_factory=dict, repr=False)
    """What :meth:`share` has computed; the same for all versions of the frame."""

    def share(self, key: Hashable, compute: Callable[[], T]) -> T:
        """The value of the frame under ``key``, computed at its first use, for other signals and
        for the frame in the next row."""
        if key not in self.shared:
            self.shared[key] = compute()
        made: T = self.shared[key]
        return made

    @property
    def channel_means(self) -> tuple[float, ...]:
        """Means of R, G and B over all pixels, in code values of the frame's own depth."""
        count = self.pixels.shape[0] * self.pixels.shape[1]
        sums = self.share("channel_sums", lambda: channel_sums(self.pixels))
        return self.share("channel_means", lambda: tuple((sums / count).tolist()))

    @property
    def luma(self) -> Uint8:
        """(H, W) luma, rounded to 8-bit code values."""
        made: Uint8 | None = self.shared.get("luma")
        return self.share("luma", self._luma) if made is None else made

    def _luma(self) -> Uint8:
        return luma_bytes(self.pixels, self.bit_depth)

    @property
    def row_step(self) -> int:
        """The n of every n-th row, which statistics of all pixels look at: enough rows of wide
        frames are hundreds."""
        return times_smaller(self.pixels.shape[:2], SMALL_WIDTH)

    @property
    def small(self) -> Uint8:
        """(h, w) luma, scaled down to at most 480 px of width by averaging."""
        made: Uint8 | None = self.shared.get("small")
        return self.share("small", self._small) if made is None else made

    def _small(self) -> Uint8:
        return scaled_down(self.luma, SMALL_WIDTH)

    @property
    def tiny(self) -> Uint8:
        """(h, w) luma, scaled down to at most 240 px of width by averaging."""
        made: Uint8 | None = self.shared.get("tiny")
        return self.share("tiny", self._tiny) if made is None else made

    def _tiny(self) -> Uint8:
        return scaled_down(self.small, TINY_WIDTH)

    @property
    def contrast(self) -> float:
        """Standard deviation of :attr:`tiny`, in code values."""
        return self.share("contrast", lambda: float(cv2.meanStdDev(self.tiny)[1][0, 0]))

    @property
    def slopes(self) -> Float32:
        """(h, w) slope of :attr:`tiny`, in code values per pixel of it."""
        return self.share("slopes", lambda: slopes(self.tiny))

    @property
    def blocks(self) -> Float32 | None:
        """(h, w) mean absolute difference of :attr:`small` to that of the frame before, in blocks
        of 16 x 16; None where there is no frame before."""
        before = self.before
        if before is None:
            return None
        small, then = self.small, before.small
        return self.share(
            "blocks", lambda: block_means(np.asarray(cv2.absdiff(small, then), np.uint8))
        )

    def linked(
        self,
        before: SignalFrame | None,
        after: SignalFrame | None,
        past: tuple[Uint8, ...],
        coming: tuple[Uint8, ...] = (),
        earlier: Iterable[SignalFrame | None] = (),
        later: Iterable[SignalFrame | None] = (),
    ) -> SignalFrame:
        """The same frame among its neighbours, the nearest first; those without pixels are left
        out of ``earlier`` and ``later``."""
        return self.but(
            before=before,
            after=after,
            past=past,
            coming=coming,
            earlier=tuple(filter(None, earlier)),
            later=tuple(filter(None, later)),
        )

    def alone(self) -> SignalFrame:
        """The same frame without other frames, which it would keep in memory."""
        return replace(
            self, before=None, after=None, past=(), coming=(), earlier=(), later=(), partner=None
        )

    def but(self, **changes: Any) -> SignalFrame:
        """The same frame with other neighbours: as dataclasses.replace, which asks for each of all
        fields by its name and takes four times as long, several times for every frame."""
        made = object.__new__(SignalFrame)
        vars(made).update(vars(self), **changes)
        return made

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
    dated: bool = False
    """True for one that is computed by default only for photos that tell when they were taken."""


def part_of(find: Callable[[SignalFrame], Any], name: str) -> Callable[[SignalFrame], float]:
    """The number of that name in what is found in a frame, once for all numbers; NaN where nothing
    is."""

    def compute(frame: SignalFrame) -> float:
        found = frame.share(find, lambda: find(frame))
        return math.nan if found is None else float(getattr(found, name))

    return compute


def rows_before(looked_at: Sight) -> int:
    """How many rows before the first one have to be read for its values to be whole."""
    if Sight.NEAR in looked_at:
        return NEAR_ROWS + 1
    if Sight.PAST in looked_at:
        return PAST_ROWS
    return int(Sight.BEFORE in looked_at)

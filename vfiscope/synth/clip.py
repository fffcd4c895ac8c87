"""A short clip in memory that knows what it shows."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from vfiscope.errors import UsageError
from vfiscope.types import Float64, Int64, Role, Uint8

__all__ = ["Clip", "Event"]


@dataclass(frozen=True)
class Event:
    """Something planted in a clip: a half-open range of its frames, with what was done there."""

    kind: str
    """A kind of :class:`vfiscope.types.Segment` where there is one for it."""
    start: int
    stop: int
    values: Mapping[str, Any] = field(default_factory=dict)
    """The arguments that made it."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "values", MappingProxyType(dict(self.values)))

    def to_dict(self) -> dict[str, Any]:
        """Kind, start, stop and the arguments in one JSON-able dict."""
        return {"kind": self.kind, "start": self.start, "stop": self.stop, **self.values}


@dataclass(frozen=True, eq=False)
class Clip:
    """N frames with their times, what instant each shows, where it comes from and what was
    planted."""

    frames: Uint8
    """(N, H, W, 3) uint8 RGB."""
    pts: Int64
    """(N,) in ``time_base`` units, strictly increasing."""
    time_base: Fraction
    """Seconds per unit of ``pts``."""
    instant: Float64
    """(N,) time in the scene that each frame shows, in frames of the scene; NaN where it shows none
    or several."""
    role: Uint8
    """(N,) values of :class:`vfiscope.types.Role`."""
    events: tuple[Event, ...] = ()

    def __post_init__(self) -> None:
        n = len(self.frames)
        if self.frames.ndim != 4 or self.frames.shape[3] != 3 or self.frames.dtype != np.uint8:
            raise UsageError(
                f"clip frames are {self.frames.shape} {self.frames.dtype}: pass (N, H, W, 3) uint8"
            )
        for name in ("pts", "instant", "role"):
            shape = getattr(self, name).shape
            if shape != (n,):
                raise UsageError(
                    f"clip {name} has shape {shape}: pass one value for each of the {n} frames"
                )
        if n > 1 and not np.all(np.diff(self.pts) > 0):
            raise UsageError(
                "clip pts do not increase: pass each frame a later time than the one before it"
            )

    @classmethod
    def at_rate(
        cls, frames: Uint8, rate: Fraction | float | int = 24, *, instant: ArrayLike | None = None
    ) -> Clip:
        """A clip at a constant rate, frames per second, all its frames passed (original).

        Args:
            frames: (N, H, W, 3) uint8 RGB.
            instant: (N,) times in the scene; None counts the frames.
        """
        if not rate > 0:
            raise UsageError(f"rate is {rate}: pass frames per second above 0")
        n = len(frames)
        shown = np.arange(n, dtype=np.float64) if instant is None else np.array(instant, np.float64)
        time_base = 1 / Fraction(rate).limit_denominator(1001)
        return cls(
            frames,
            np.arange(n, dtype=np.int64),
            time_base,
            shown,
            np.full(n, Role.PASSED, np.uint8),
        )

    def __len__(self) -> int:
        return len(self.frames)

    def __repr__(self) -> str:
        kinds = ", ".join(f"{event.kind} [{event.start}, {event.stop})" for event in self.events)
        return f"Clip({len(self)} x {self.size[0]}x{self.size[1]}{'; ' if kinds else ''}{kinds})"

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) in pixels."""
        return int(self.frames.shape[1]), int(self.frames.shape[2])

    @property
    def step(self) -> int:
        """The usual time between two frames, in ``time_base`` units."""
        return int(np.median(np.diff(self.pts))) if len(self) > 1 else 1

    @property
    def rate(self) -> Fraction:
        """Frames per second at the usual time between two."""
        return 1 / (self.step * self.time_base)

    @property
    def time_s(self) -> Float64:
        """(N,) float64 seconds since the first frame."""
        return (self.pts - self.pts[:1]).astype(np.float64) * float(self.time_base)

    @property
    def truth(self) -> dict[str, Any]:
        """Everything known about the clip as JSON-able values: events, instant (None for NaN),
        role, pts."""
        return {
            "events": [event.to_dict() for event in self.events],
            "instant": [None if np.isnan(value) else float(value) for value in self.instant],
            "role": [Role(value).name.lower() for value in self.role],
            "pts": self.pts.tolist(),
            "time_base": str(self.time_base),
        }

    def replace(self, **changes: Any) -> Clip:
        """A copy with some fields changed."""
        return dataclasses.replace(self, **changes)

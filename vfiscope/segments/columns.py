"""The stored columns of a run: what detectors and rules look at."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from vfiscope.options.computing_options import NEIGHBOUR_METRICS
from vfiscope.signals import SIGNALS
from vfiscope.store import Run
from vfiscope.types import FrameTable, MetricSpec, Role, SignalSpec

__all__ = ["Column", "Columns"]

T = TypeVar("T")

STAND_INS = {
    "shot_step": ("structure_step", "cut_step"),
    "shot_residual": ("warp_residual", "cut_residual"),
}
"""{signal: what says nearly the same in runs without it: those that were made before it existed,
and those that look for cuts and fades alone; the last one that is there}"""
Column = NDArray[np.floating[Any]]
"""(N,) values, one per row of the frame table."""


@dataclass(frozen=True, eq=False)
class Columns:
    """The stored columns of a run of N frames."""

    frames: FrameTable
    scores: Mapping[str, Column]
    """{metric: (N,) float32}, NaN where not defined."""
    specs: Mapping[str, MetricSpec]
    """The metric of each score; a score may lack one."""
    signals: Mapping[str, Column] = field(default_factory=dict)
    """{signal: (N,) float32}, NaN where not defined."""
    size: tuple[int, int] | None = None
    """(height, width) of the frames in pixels as scored; None where unknown."""
    timed: bool = True
    """False for images whose times are counted because nobody knows them."""
    displaced: Collection[int] = ()
    """Frames of the reference that the test shows out of order."""
    stand_ins: frozenset[str] = field(default=frozenset(), init=False)
    """Signals that the run lacks and others stand in for, for detectors: a rule of a user may not
    be about them."""
    shared: dict[str, Any] = field(default_factory=dict, repr=False)
    """What :meth:`share` has computed."""

    def __post_init__(self) -> None:
        instead = {
            name: self.signals[other]
            for name, others in STAND_INS.items()
            for other in others
            if other in self.signals
        }
        object.__setattr__(self, "stand_ins", frozenset(instead) - frozenset(self.signals))
        object.__setattr__(self, "signals", {**instead, **self.signals})

    @classmethod
    def of(cls, run: Run) -> Columns:
        """Those of a finished run."""
        return cls(run.frames, run.scores, run.specs, run.signals, run.frame_size)

    @property
    def looks_back(self) -> bool:
        """True if frames are compared with those before them: a score says what has changed since.
        False with a reference, real frames around, or a golden frame."""
        frames = self.frames
        unpaired = (frames.role == Role.UNKNOWN) & (frames.ref_index != frames.index)
        between = any(name in self.scores for name in NEIGHBOUR_METRICS)
        return bool(unpaired.all()) and not between and "changed_area" not in self.signals

    @property
    def values(self) -> Mapping[str, Column]:
        """The scores and signals of the run by name; of equal names the score."""
        return {**{name: self.signals[name] for name in self._stored}, **self.scores}

    @property
    def known(self) -> Mapping[str, MetricSpec | SignalSpec | None]:
        """What each of the values is; None where that is unknown."""
        signals = {name: SIGNALS[name].spec if name in SIGNALS else None for name in self._stored}
        scores = {name: self.specs.get(name) for name in self.scores}
        return {**scores, **{name: spec for name, spec in signals.items() if name not in scores}}

    @property
    def _stored(self) -> list[str]:
        return [name for name in self.signals if name not in self.stand_ins]

    def share(self, key: str, compute: Callable[[], T]) -> T:
        """The value under ``key``, computed at its first use, for all detectors."""
        if key not in self.shared:
            self.shared[key] = compute()
        made: T = self.shared[key]
        return made

"""Methods by metrics over the same frames: means with intervals, which is best, and whether
decisively.

- **Frames**: those that all methods have; where synthesised frames are told apart, these alone. Of
  each metric the frames where all methods have a finite value: a frame that is infinite for one
  method (PSNR of identical frames) or has no value there is left out of the means of all, and
  counted in the notes.
- **Best** is the method with the best mean. It is *decisive* where the 95 % interval of its lead
  over the second, over the same frames, does not contain 0 (:mod:`vfiscope.views.intervals`).
- **Wins** are the shares of frames in which a method has the best value, infinite ones counting;
  equal values share.
- **Not ranked** are metrics of one kind of fault or of the material, scores of frames passed
  through, and what is not comparable between these runs; they have means and intervals, and no
  best.
- Of a signed metric, such as ``midpoint_px``, all is about the distance from its identity.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from vfiscope.errors import UsageError
from vfiscope.store.text import plain
from vfiscope.types import MetricSpec
from vfiscope.views.intervals import DRAWS, INTERVAL_CONFIDENCE
from vfiscope.views.naming import signed, title

__all__ = ["Choice", "Column", "Lead", "Table", "Worst"]

ROLE_CHOICES = ("synthesised", "all")


@dataclass(frozen=True)
class Worst:
    """A frame in which a method is bad."""

    frame: int
    """Decode ordinal of the test frame."""
    time_s: float
    value: float
    scene: str = ""
    file: str = ""
    """The name of its image; "" in a video."""


@dataclass(frozen=True)
class Lead:
    """How far the best method is ahead of the second, as a mean over the same frames, in the
    metric's unit."""

    over: str
    mean: float
    low: float | None
    """Ends of the 95 % interval; None where there are too few frames for one."""
    high: float | None


@dataclass(frozen=True)
class Column:
    """One metric of all methods."""

    spec: MetricSpec
    sizes: tuple[int, ...]
    """Frames of each scene in which all methods have a finite value, which are those of the
    means."""
    values: Mapping[str, float | None]
    """{label: mean}, None where there is no value."""
    low: Mapping[str, float | None]
    high: Mapping[str, float | None]
    """Ends of the 95 % interval of each mean; None where there are too few frames for one."""
    wins: Mapping[str, float]
    """{label: share of frames, 0..1, in which it is the best}; empty where not ranked."""
    worst: Mapping[str, tuple[Worst, ...]]
    reason: str = ""
    """The reason why it is not ranked; "" where it is."""
    best: str | None = None
    """None where it is not ranked, and where two are equal."""
    lead: Lead | None = None

    @property
    def frames(self) -> int:
        """In all scenes."""
        return sum(self.sizes)

    @property
    def ranked(self) -> bool:
        return not self.reason

    @property
    def decisive(self) -> bool:
        """Whether the interval of the lead does not contain 0."""
        return self.lead is not None and self.lead.low is not None and self.lead.low > 0

    @property
    def title(self) -> str:
        return title(self.spec, absolute=True)

    def to_dict(self) -> dict[str, Any]:
        """JSON-able."""
        lead = self.lead
        return {
            "values": dict(self.values),
            "low": dict(self.low),
            "high": dict(self.high),
            "best": self.best,
            "decisive": self.decisive,
            "ranked": self.ranked,
            "reason": self.reason or None,
            "lead": None if lead is None else dict(vars(lead)),
            "wins": dict(self.wins),
            "worst": {
                label: [dict(vars(each)) for each in found] for label, found in self.worst.items()
            },
            "frames": self.frames,
            "unit": self.spec.unit,
            "lower_is_better": self.spec.lower_is_better or signed(self.spec),
            "absolute": signed(self.spec),
        }


@dataclass(frozen=True)
class Table:
    """Methods by metrics. ``print(table)`` shows it; :func:`vfiscope.views.table_text.render` has
    the other forms."""

    heading: str
    """The frames that it is about, in words."""
    role: str
    """"synthesised" or "all"."""
    frames: int
    """Frames of that role in which all methods have a value: of the ranked metric that has the
    most, or of any metric where none is ranked."""
    methods: tuple[str, ...]
    columns: tuple[Column, ...]
    scenes: tuple[str, ...]
    """Names of the scenes; one "" where the runs are of one."""
    drawn: str
    """What the bootstrap of the intervals draws."""
    notes: tuple[str, ...] = ()
    """Notes for the reader, one sentence each."""
    warnings: tuple[str, ...] = ()
    """Warnings about runs, one sentence each."""

    def to_dict(self) -> dict[str, Any]:
        """The contract's JSON: ``json.dumps(table.to_dict(), allow_nan=False)`` always works."""
        found: dict[str, Any] = plain(
            {
                "frames": self.frames,
                "role": self.role,
                "heading": self.heading,
                "methods": self.methods,
                "metrics": {column.spec.name: column.to_dict() for column in self.columns},
                "scenes": [scene for scene in self.scenes if scene],
                "intervals": {
                    "confidence": INTERVAL_CONFIDENCE,
                    "drawn": self.drawn,
                    "draws": DRAWS,
                },
                "notes": self.notes,
                "warnings": self.warnings,
            }
        )
        return found

    def __str__(self) -> str:
        from vfiscope.views.table_text import render

        return render(self, "text").rstrip("\n")


@dataclass(frozen=True)
class Choice:
    """What a table shows."""

    metrics: Sequence[str] | None = None
    """All where None, but cuts."""
    worst: int = 1
    """Worst frames of each method and metric."""
    role: str | None = None
    """"synthesised" or "all" frames; None for synthesised ones where they are known."""
    sort: str | None = None
    """The metric by which the methods are ordered, best first; None leaves them in their order."""

    def __post_init__(self) -> None:
        if self.role not in (None, *ROLE_CHOICES):
            raise UsageError(f"role is {self.role!r}: choose one of {', '.join(ROLE_CHOICES)}")
        if self.worst < 0:
            raise UsageError(f"worst is {self.worst}: pass how many frames to name, 0 or more")

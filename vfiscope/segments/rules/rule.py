"""What a rule about scores and signals says, and whether a run can be asked it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from vfiscope.errors import UsageError
from vfiscope.metric_names import METRICS
from vfiscope.registry import suggest
from vfiscope.segments.rules.value import Value, plain, pool_word
from vfiscope.signals import REMEDIES, SIGNALS, Sight, Signal
from vfiscope.store import POOLS
from vfiscope.types import MetricSpec, SignalSpec

__all__ = ["OPERATORS", "ROBUST", "SLACK_S", "Known", "Rule", "length_words"]

OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    "<": np.less,
    "<=": np.less_equal,
    ">": np.greater,
    ">=": np.greater_equal,
}
ROBUST = "z"
"""The function of a rule about robust z-scores."""
SLACK_S = 1e-6
"""Times are sums of rounded intervals; rows that last less than this too short for ``for T s`` are
long enough."""

Known = Mapping[str, MetricSpec | SignalSpec | None]
"""{score or signal: what it is}; None where that is unknown."""


@dataclass(frozen=True)
class Rule:
    """One parsed rule. ``str(rule)`` is its normal form and parses to an equal rule."""

    name: str
    """Of the score or signal, in lower case."""
    op: str
    value: Value
    """In the unit of the score or signal."""
    unit: str = ""
    """The unit as written, or ""."""
    frames: int = 1
    """Consecutive rows that must meet it."""
    seconds: float = 0.0
    """Least duration of those rows."""
    function: str = ""
    """"" for the values of the frames, ROBUST for their robust z-scores, or one of
    :data:`vfiscope.store.POOLS` for one number of the whole clip."""
    role: str = ""
    """"synthesised", "passed", "held" or "all"; "" for what the headline numbers of the run are
    about."""
    until: Value | None = None
    """The value at which a marked range ends; None for ``value``."""
    text: str = field(default="", compare=False)
    """As the user wrote it."""

    def __str__(self) -> str:
        until = "" if self.until is None else f" until {self._measured(self.until)}"
        length = length_words(self.frames, self.seconds)
        return f"{self.subject} {self.op} {self._measured(self.value)}{until}{length}"

    def _measured(self, value: Value) -> str:
        return f"{value} {self.unit}" if self.unit and not value.statistic else str(value)

    @property
    def subject(self) -> str:
        """The left side of the comparison: the values of some frames, or a function of them."""
        about = f"{self.name} of {self.role}" if self.role else self.name
        return f"{pool_word(self.function)}({about})" if self.function else about

    @property
    def pooled(self) -> bool:
        """True if it is about the whole clip."""
        return self.function in POOLS

    def check(self, known: Known) -> str:
        """The name of the score or signal as the run has it.

        Args:
            known: the scores and signals of the run.

        Raises:
            UsageError: there is no such score or signal, or it is in another unit.
        """
        names = {name.lower(): name for name in known}
        if self.name not in names:
            raise UsageError(f"rule {self.text!r}: no metric or signal {self._unknown(known)}")
        name = names[self.name]
        spec = known[name]
        if spec is not None and self.unit and self.unit != spec.unit:
            meant = "is a plain number" if spec.unit == "1" else f"is in {spec.unit}"
            raise UsageError(
                f"rule {self.text!r}: {name} {meant}, not in {self.unit}: leave the unit out"
            )
        return name

    def _unknown(self, known: Known) -> str:
        """The name, and what to do about it."""
        listed = f"the run has {', '.join(known) or 'none at all'}"
        if self.name in SIGNALS:
            return f"{self.name!r}: it is a signal{_why_absent(SIGNALS[self.name])}; {listed}"
        if self.name in METRICS:
            own = [name for name, spec in known.items() if isinstance(spec, MetricSpec)]
            metrics = ",".join([*own, self.name])
            return f"{self.name!r}: make the run again with --metrics {metrics}; {listed}"
        hint = suggest(self.name, (name.lower() for name in known))
        return f"{self.name!r}: " + (f"{hint} {listed}" if hint.startswith("did") else hint)

    def check_marks_frames(self) -> None:
        """Raise UsageError if the rule is pooled, and so cannot mark frames."""
        if self.pooled:
            raise UsageError(
                f"rule {self.text!r} is about the whole clip and marks no frames: use it with"
                f" --fail-on, or write '{replace(self, function='')}'"
            )

    def check_single(self) -> None:
        """Raise UsageError if the rule is about consecutive frames, which independent images are
        not."""
        if self.frames > 1 or self.seconds > 0 or self.until is not None:
            bare = replace(self, frames=1, seconds=0.0, until=None)
            raise UsageError(
                f"rule {self.text!r} is about consecutive frames, and the images are independent:"
                f" write '{bare}'"
            )

    def check_role(self, roles: Collection[str]) -> None:
        """Raise UsageError if the rule is about a role that the run cannot tell, so that it could
        never be met.

        Args:
            roles: of "synthesised", "passed" and "held" those for which the score is defined; none
                where the run does not tell them apart.
        """
        if not roles and self.role not in ("", "all"):
            tells = "--source SRC" if self.role == "held" else "--multiplier M or --source SRC"
            raise UsageError(
                f"rule {self.text!r} is about {self.role} frames, but the roles of these frames are"
                f" unknown: vfiscope score with {tells} tells them, or leave 'of {self.role}' out"
            )
        if roles and (self.role or "synthesised") not in (*roles, "all"):
            other = next(iter(roles))
            raise UsageError(
                f"rule {self.text!r}: {self.name} has no value for {self.role or 'synthesised'}"
                f" frames here, only for {other} ones: write '{replace(self, role=other)}'"
            )


def _why_absent(signal: Signal) -> str:
    """Why a run lacks a signal that a rule names, which is then stored wherever it can be."""
    needs = [
        remedy
        for part, remedy in REMEDIES.items()
        if part in signal.looks_at and part in (Sight.GOLDEN, Sight.SHIFT)
    ]
    return (
        f" that {needs[0]} (without --signals none)"
        if needs
        else f", make the run again with --signals {signal.spec.name}"
    )


def length_words(frames: int, seconds: float) -> str:
    """The end of a normal form: `` for 3 frames``, `` for 0.5 s``, or nothing."""
    if frames > 1:
        return f" for {frames} frames"
    return f" for {plain(seconds)} s" if seconds > 0 else ""

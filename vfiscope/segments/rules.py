"""Evaluate a user's rule: which frames it applies to, which of them it marks, and whether a clip
meets it."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vfiscope.errors import UsageError
from vfiscope.signals import SIGNALS
from vfiscope.store import headline_role, pool, rows_of
from vfiscope.types import FrameTable, MetricSpec, Role, Segment, Status, counted

__all__ = ["Column", "Rule", "float32", "segment_of", "spans", "stepped_over"]

Column = NDArray[np.floating[Any]]
"""(N,) scores, one per row of the frame table."""
Mask = NDArray[np.bool_]
Float64 = NDArray[np.float64]

OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    "<": np.less,
    "<=": np.less_equal,
    ">": np.greater,
    ">=": np.greater_equal,
}

SLACK_S = 1e-6
"""Times are sums of rounded intervals; rows that last less than this too short for ``for T s`` are
long enough."""


@dataclass(frozen=True)
class Rule:
    """One parsed rule. ``str(rule)`` is its normal form and parses to an equal rule."""

    metric: str
    op: str
    value: float
    """In the metric's unit."""
    unit: str = ""
    """The unit as written, or ""."""
    frames: int = 1
    """Consecutive rows that must meet it."""
    seconds: float = 0.0
    """Least duration of those rows."""
    pool: str = ""
    """One of :data:`vfiscope.store.POOLS`; "" for a plain rule."""
    role: str = ""
    """"synthesised", "passed" or "all"; "" for what the headline numbers of the run are about."""
    text: str = field(default="", compare=False)
    """As the user wrote it."""

    def __str__(self) -> str:
        length = ""
        if self.frames > 1:
            length = f" for {self.frames} frames"
        elif self.seconds > 0:
            length = f" for {_plain(self.seconds)} s"
        return (
            f"{self.subject} {self.op}"
            f" {_plain(self.value)}{' ' * bool(self.unit)}{self.unit}{length}"
        )

    @property
    def subject(self) -> str:
        """The left side of the comparison: the metric of some frames, or its pool."""
        about = f"{self.metric} of {self.role}" if self.role else self.metric
        return f"{self.pool}({about})" if self.pool else about

    def check(self, specs: Mapping[str, MetricSpec | None]) -> str:
        """The metric's name as the run has it.

        Args:
            specs: the metrics of the run; None for one without a spec.

        Raises:
            UsageError: there is no such metric, or it is in another unit.
        """
        names = {name.lower(): name for name in specs}
        if self.metric not in names:
            near = difflib.get_close_matches(self.metric, names, n=1)
            hint = f"did you mean {names[near[0]]!r}? " if near else ""
            if self.metric in SIGNALS:
                hint = "it is a signal, and rules are about metrics: "
            listed = ", ".join(specs) or "none at all"
            raise UsageError(
                f"rule {self.text!r}: no metric {self.metric!r}: {hint}the run has {listed}"
            )
        name = names[self.metric]
        spec = specs[name]
        if spec is not None and self.unit and self.unit != spec.unit:
            meant = "is a plain number" if spec.unit == "1" else f"is in {spec.unit}"
            raise UsageError(
                f"rule {self.text!r}: {name} {meant}, not in {self.unit}: leave the unit out"
            )
        return name

    def check_marks_frames(self) -> None:
        """Raise UsageError if the rule is pooled, and so cannot mark frames."""
        if self.pool:
            raise UsageError(
                f"rule {self.text!r} is about the whole clip and marks no frames: use it with"
                f" --fail-on, or write '{replace(self, pool='')}'"
            )

    def check_single(self) -> None:
        """Raise UsageError if the rule is about consecutive frames, which independent images are
        not."""
        if self.frames > 1 or self.seconds > 0:
            bare = replace(self, frames=1, seconds=0.0)
            raise UsageError(
                f"rule {self.text!r} is about consecutive frames, and the images are independent:"
                f" write '{bare}'"
            )

    def check_role(self, roles: Collection[str]) -> None:
        """Raise UsageError if the rule is about a role that the run cannot tell, so that it could
        never be met.

        Args:
            roles: of "synthesised", "passed" and "held" those for which the metric is defined; none
                where the run does not tell them apart.
        """
        if not roles and self.role not in ("", "all"):
            tells = "--source SRC" if self.role == "held" else "--multiplier M or --source SRC"
            raise UsageError(
                f"rule {self.text!r} is about {self.role} frames, but the roles of these frames are"
                f" unknown: pass {tells}, or leave 'of {self.role}' out"
            )
        if roles and (self.role or "synthesised") not in (*roles, "all"):
            other = next(iter(roles))
            raise UsageError(
                f"rule {self.text!r}: {self.metric} has no value for {self.role or 'synthesised'}"
                f" frames here, only for {other} ones: write '{replace(self, role=other)}'"
            )

    def rows(self, frames: FrameTable, column: Column) -> tuple[str, Mask]:
        """The role of the frames that the rule is about, and the mask (N,) of their rows.

        Raises:
            UsageError: the roles of frames are unknown, or the metric is not defined for them.
        """
        self.check_role(_roles(frames, column))
        role = self.role or headline_role(frames)
        return role, rows_of(frames, role)

    def segments(
        self,
        frames: FrameTable,
        values: Mapping[str, Column],
        specs: Mapping[str, MetricSpec],
        *,
        alone: bool = False,
    ) -> list[Segment]:
        """Every run of rows that meets the rule for long enough, in order; the peak is the value
        that meets it most.

        Args:
            frames: one row per test frame.
            values: {metric: (N,)}, NaN where not defined.
            specs: what the metrics mean.
            alone: True if rows have nothing to do with those beside them: each is a segment.

        Raises:
            UsageError: the rule is pooled, its metric is unknown or in another unit, or is not
                defined for such frames; it is about consecutive frames that stand alone.
        """
        self.check_marks_frames()
        if alone:
            self.check_single()
        name = self.check({each: specs.get(each) for each in values})
        column = np.asarray(values[name], dtype=np.float32)
        role, rows = self.rows(frames, column)
        met = rows & OPERATORS[self.op](column, float32(self.value))
        badness = np.where(rows, column if self.op.startswith(">") else -column, np.nan)
        said = {"rule": self.text or str(self), "role": role}
        ends = _row_ends(frames)
        found = []
        over = np.zeros(len(met), np.bool_) if alone else stepped_over(frames, column, role)
        for first, last in spans(met, over, reach=0 if alone else 1):
            lasts = ends[last] - frames.time_s[first] >= self.seconds - SLACK_S
            if met[first : last + 1].sum() >= self.frames and lasts:
                place, count = (first, last), int(met[first : last + 1].sum())
                segment = segment_of(frames, name, column, badness, place, 1.0, **said)
                found.append(replace(segment, evidence=self._evidence(segment, count)))
        return found

    def _evidence(self, segment: Segment, count: int) -> str:
        frames = "frame" if segment.role == "all" else f"{segment.role} frame"
        lasts = segment.stop_time_s - segment.start_time_s
        return (
            f"{counted(count, frames)} in {lasts:.3g} s {'meets' if count == 1 else 'meet'}"
            f" {self.subject} {self.op} {_plain(self.value)}, frame {segment.peak_index} most, with"
            f" {segment.peak:.4g}"
        )

    def met(
        self, frames: FrameTable, values: Mapping[str, Column], specs: Mapping[str, MetricSpec]
    ) -> bool:
        """True if the clip meets the rule, see :meth:`failure`."""
        return self.failure(frames, values, specs) is not None

    def failure(
        self, frames: FrameTable, values: Mapping[str, Column], specs: Mapping[str, MetricSpec]
    ) -> str | None:
        """A text that says how the clip meets the rule, or None if it does not.

        For a pooled rule it is ``p5(ssim) = 0.615``; for a plain rule ``12 frames, the first in
        [48, 60)`` (half-open, in decode ordinals). Where roles are known it names the role:
        ``p5(ssim of synthesised)``, ``12 synthesised frames``.

        A pool is taken over the finite values of the rule's frames, as in the summary of a run
        (percentiles by linear interpolation, std of the population). Where every value is infinite
        the pool is that infinity (std 0); where there is no value the rule is not met.

        Raises:
            UsageError: the metric is unknown or in another unit, or is not defined for such frames.
        """
        if not self.pool:
            return _marked(frames, self.segments(frames, values, specs), values)
        name = self.check({each: specs.get(each) for each in values})
        role, rows = self.rows(frames, values[name])
        column = np.asarray(values[name], dtype=np.float64)[rows]
        pooled = pool(column, self.pool)
        if pooled is None:
            infinite = column[~np.isnan(column)]
            if not len(infinite):
                return None
            pooled = 0.0 if self.pool == "std" else float(infinite[0])
        met = OPERATORS[self.op](float32(pooled), float32(self.value))
        said = replace(self, role=self.role or role.replace("all", ""))
        return f"{said.subject} = {pooled:.4g}" if met else None


def spans(
    met: Mask, ignored: Mask, broken: Mask | None = None, reach: int = 1
) -> list[tuple[int, int]]:
    """Runs of rows, as (first, last) with both ends included and both ends met.

    Two met rows belong to one run when they are at most ``reach`` rows apart, not counting ignored
    rows between them, and no broken row lies between.
    """
    rows = np.flatnonzero(met)
    if not len(rows):
        return []
    apart = np.diff(np.cumsum(~ignored)[rows]) > reach
    if broken is not None:
        apart |= np.diff(np.cumsum(broken)[rows]) > 0
    firsts = rows[np.r_[True, apart]]
    lasts = rows[np.r_[apart, True]]
    return [(int(first), int(last)) for first, last in zip(firsts, lasts, strict=True)]


def stepped_over(frames: FrameTable, column: Column, role: str) -> Mask:
    """(N,) rows that neither count nor break a run of rows of a role.

    They are rows of another known role; in a rule about all frames, rows that were read and whose
    role has no value of the metric anywhere.
    """
    if role != "all":
        return np.asarray((frames.role != Role.UNKNOWN) & ~rows_of(frames, role), dtype=np.bool_)
    read = (frames.status == Status.OK) | (frames.status == Status.CORRUPT)
    defined = np.isin(frames.role, frames.role[~np.isnan(column)])
    return np.asarray(
        np.isnan(column) & (frames.role != Role.UNKNOWN) & ~defined & read, dtype=np.bool_
    )


def _roles(frames: FrameTable, column: Column) -> list[str]:
    """The roles for which a metric is defined, of "synthesised", "passed" and "held"; empty where
    roles are unknown.

    A role of which no frame was compared counts as defined: there is no evidence against it.
    """
    told = ["synthesised", "passed", *["held"] * bool((frames.role == Role.HELD).any())]
    if (frames.role == Role.UNKNOWN).all():
        return []
    compared = (frames.status == Status.OK) | (frames.status == Status.CORRUPT)
    values = {role: column[rows_of(frames, role) & compared] for role in told}
    return [
        role for role in told if not len(values[role]) or not np.isnan(values[role]).all()
    ] or told


def segment_of(
    frames: FrameTable,
    metric: str,
    column: Column,
    badness: Column,
    rows: tuple[int, int],
    confidence: float,
    kind: str = "low_score",
    rule: str = "",
    role: str = "all",
    *,
    evidence: str = "",
) -> Segment:
    """The segment of a range of rows, both ends included; its peak is the first row of greatest
    badness, which is NaN in rows that are stepped over.

    ``evidence`` says in one sentence, with its numbers, why it is flagged."""
    first, last = rows
    peak = first + int(np.nanargmax(badness[first : last + 1]))
    return Segment(
        start=int(frames.index[first]),
        stop=int(frames.index[last]) + 1,
        kind=kind,
        metric=metric,
        peak=float(column[peak]),
        peak_index=int(frames.index[peak]),
        confidence=confidence,
        start_time_s=float(frames.time_s[first]),
        stop_time_s=float(_row_ends(frames)[last]),
        rule=rule,
        role=role,
        evidence=evidence,
    )


def _marked(
    frames: FrameTable, segments: Sequence[Segment], values: Mapping[str, Column]
) -> str | None:
    """The number of frames in the segments of one rule and the range of the first segment, as text;
    None without segments."""
    if not segments:
        return None
    first = segments[0]
    index = frames.index[rows_of(frames, first.role) & ~np.isnan(values[first.metric])]
    count = sum(
        int(((index >= segment.start) & (index < segment.stop)).sum()) for segment in segments
    )
    role = "" if first.role == "all" else f"{first.role} "
    return f"{count} {role}frame{'s' * (count > 1)}, the first in [{first.start}, {first.stop})"


def _row_ends(frames: FrameTable) -> Float64:
    """(N,) seconds at which each row ends: when the next one starts, the last after the median
    interval."""
    times = frames.time_s
    interval = float(np.median(np.diff(times))) if len(times) > 1 else 0.0
    return np.concatenate([times[1:], times[-1:] + interval])


def float32(value: float) -> np.float32:
    # A value beyond the range of float32 compares as infinity, as a stored score would.
    with np.errstate(over="ignore"):
        return np.float32(value)


def _plain(value: float) -> str:
    return repr(value).removesuffix(".0")

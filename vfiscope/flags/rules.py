"""The language of a user's rules.

::

    METRIC OP VALUE [UNIT] [for N frames | for T s]     ssim < 0.9 for 3 frames
    POOL(METRIC) OP VALUE [UNIT]                        p5(psnr) < 30 dB

OP is one of ``< <= > >=``; POOL one of mean, std, min, max, p1, p5, p50 (or median), p95, p99; VALUE is finite. Case
and spaces do not matter, a time may be given in s or ms.

A plain rule marks every run of rows that meet it and that is at least so long; ``N frames`` counts rows, so with a step
of 2 three frames span five ordinals. A pooled rule is about the whole clip and is met or not: it is for ``--fail-on``.

A row without a value (NaN) never meets a rule, and it ends a run: nothing is known about that frame. The one exception
is a passed frame of an interpolated clip that was read but has no score because the metric is not defined for it: it is
stepped over, neither counted nor breaking the run. Infinity is a value: +inf PSNR meets ``psnr > 50`` and no ``<``.

Values are compared as float32, the type they are stored in, so a stored 0.9 meets ``>= 0.9``.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from vfiscope.errors import UsageError
from vfiscope.store import POOLS, pool
from vfiscope.types import FrameTable, MetricSpec, Role, Segment, Status

__all__ = ["Column", "Rule", "failures", "ignored_rows", "parse_rule", "segment_of", "spans"]

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
OPERATOR_SPELLINGS = {"≤": "<=", "≥": ">=", "=<": "<=", "=>": ">="}

POOL_SPELLINGS = {"median": "p50"}

UNITS = {"db": "dB", "px": "px", "pixel": "px", "pixels": "px"}
SECONDS = {"s": 1.0, "sec": 1.0, "secs": 1.0, "second": 1.0, "seconds": 1.0, "ms": 1e-3, "msec": 1e-3}
FRAMES = ("frame", "frames")

SLACK_S = 1e-6
"""Times are sums of rounded intervals; a run that is short of ``for T s`` by less than this is long enough."""

EXAMPLES = "'ssim < 0.9 for 3 frames' or 'mean(psnr) < 30 dB'"


@dataclass(frozen=True)
class Rule:
    """One parsed rule. ``str(rule)`` is its normal form and parses to an equal rule."""

    metric: str
    op: str
    value: float
    """In the metric's unit."""
    unit: str = ""
    """The unit as given, "" where none was."""
    frames: int = 1
    """Rows that must meet it in a row."""
    seconds: float = 0.0
    """How long they must last together."""
    pool: str = ""
    """One of :data:`POOLS`; "" for a plain rule."""
    text: str = field(default="", compare=False)
    """As the user wrote it."""

    def __str__(self) -> str:
        length = ""
        if self.frames > 1:
            length = f" for {self.frames} frames"
        elif self.seconds > 0:
            length = f" for {_plain(self.seconds)} s"
        return f"{self.subject} {self.op} {_plain(self.value)}{' ' * bool(self.unit)}{self.unit}{length}"

    @property
    def subject(self) -> str:
        """What is compared with the value: the metric, or its pool."""
        return f"{self.pool}({self.metric})" if self.pool else self.metric

    def check(self, specs: Mapping[str, MetricSpec | None]) -> str:
        """The metric's name as the run has it.

        Args:
            specs: the metrics that there are; None for one of unknown meaning.

        Raises:
            UsageError: there is no such metric, or it is in another unit.
        """
        names = {name.lower(): name for name in specs}
        if self.metric not in names:
            near = difflib.get_close_matches(self.metric, names, n=1)
            hint = f"did you mean {names[near[0]]!r}? " if near else ""
            listed = ", ".join(specs) or "none at all"
            raise UsageError(f"rule {self.text!r}: no metric {self.metric!r}: {hint}the run has {listed}")
        name = names[self.metric]
        spec = specs[name]
        if spec is not None and self.unit and self.unit != spec.unit:
            meant = "is a plain number" if spec.unit == "1" else f"is in {spec.unit}"
            raise UsageError(f"rule {self.text!r}: {name} {meant}, not in {self.unit}: leave the unit out")
        return name

    def check_marks_frames(self) -> None:
        """Raise UsageError if the rule is pooled, and so cannot mark frames."""
        if self.pool:
            raise UsageError(
                f"rule {self.text!r} is about the whole clip and marks no frames: use it with --fail-on, or write "
                f"'{self.metric} {self.op} {_plain(self.value)}'"
            )

    def segments(
        self, frames: FrameTable, values: Mapping[str, Column], specs: Mapping[str, MetricSpec]
    ) -> list[Segment]:
        """Every run of rows that meets the rule for long enough, in order; the peak is the value that meets it most.

        Args:
            frames: one row per test frame.
            values: {metric: (N,)}, NaN where not defined.
            specs: what the metrics mean.

        Raises:
            UsageError: the rule is pooled, there is no such metric, or it is in another unit.
        """
        self.check_marks_frames()
        name = self.check({each: specs.get(each) for each in values})
        column = np.asarray(values[name], dtype=np.float32)
        met = np.asarray(OPERATORS[self.op](column, _float32(self.value)), dtype=np.bool_)
        ignored = ignored_rows(frames, column)
        ends = _row_ends(frames)
        found = []
        for first, last in spans(met, ignored):
            lasts = ends[last] - frames.time_s[first] >= self.seconds - SLACK_S
            if met[first : last + 1].sum() >= self.frames and lasts:
                badness = column if self.op.startswith(">") else -column
                found.append(segment_of(frames, name, column, badness, (first, last), 1.0, rule=self.text or str(self)))
        return found

    def met(self, frames: FrameTable, values: Mapping[str, Column], specs: Mapping[str, MetricSpec]) -> bool:
        """Whether the clip meets the rule, see :meth:`failure`."""
        return self.failure(frames, values, specs) is not None

    def failure(self, frames: FrameTable, values: Mapping[str, Column], specs: Mapping[str, MetricSpec]) -> str | None:
        """By what the clip meets the rule: a plain rule by its segments, a pooled rule by its one number; else None.

        That is said as ``p5(ssim) = 0.615``, or ``12 frames, the first in [48, 60)`` (half-open, in decode ordinals).

        A pool is taken over the finite values, as in the summary of a run (percentiles by linear interpolation, std of
        the population). Where every value is infinite the pool is that infinity (std 0); where there is no value the
        rule is not met.

        Raises:
            UsageError: there is no such metric, or it is in another unit.
        """
        if not self.pool:
            return _marked(frames, self.segments(frames, values, specs), values)
        name = self.check({each: specs.get(each) for each in values})
        column = np.asarray(values[name], dtype=np.float64)
        pooled = pool(column, self.pool)
        if pooled is None:
            infinite = column[~np.isnan(column)]
            if not len(infinite):
                return None
            pooled = 0.0 if self.pool == "std" else float(infinite[0])
        met = OPERATORS[self.op](_float32(pooled), _float32(self.value))
        return f"{self.subject} = {pooled:.4g}" if met else None


def parse_rule(text: str, *, specs: Mapping[str, MetricSpec | None] | None = None) -> Rule:
    """Read one rule.

    Args:
        text: see the module's description.
        specs: the metrics that there will be; where given, the rule is checked against them.

    Raises:
        UsageError: the text is no rule, with the position of what is wrong; or there is no such metric.
    """
    scan = _Scanner(text)
    name, pooling = scan.take(r"[a-z_]\w*", "a metric"), ""
    if scan.skip(r"\("):
        if POOL_SPELLINGS.get(name, name) not in POOLS:
            scan.fail(f"one of {', '.join((*POOLS, *POOL_SPELLINGS))} before '('", at=text.lower().index(name))
        pooling, name = POOL_SPELLINGS.get(name, name), scan.take(r"[a-z_]\w*", "a metric")
        scan.take(r"\)", "')'")
    op = scan.take(r"<=|>=|=<|=>|≤|≥|<(?!>)|>", "one of < <= > >=")
    value = float(scan.take(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?", "a finite number"))
    if not np.isfinite(_float32(value)):
        scan.fail("a finite number", at=scan.token)
    units = UNITS | {spec.unit.lower(): spec.unit for spec in (specs or {}).values() if spec and spec.unit != "1"}
    unit = "" if scan.sees(r"for\b|$|\W|\d") else units.get(scan.take(r"\w+", "a unit"), "?")
    if unit == "?":
        scan.fail(f"a unit ({', '.join(sorted(set(units.values())))}), for, or the end", at=scan.token)
    frames, seconds = _length(scan, pooling)
    if not scan.sees("$"):
        scan.fail("the end" if pooling or frames > 1 or seconds else "for N frames, for T s, or the end")
    rule = Rule(name, OPERATOR_SPELLINGS.get(op, op), value, unit, frames, seconds, pooling, text)
    if specs is not None:
        rule.check(specs)
    return rule


def failures(
    rules: Iterable[str], frames: FrameTable, values: Mapping[str, Column], specs: Mapping[str, MetricSpec]
) -> dict[str, str]:
    """{rule: by what it is met} of those rules that a clip meets, see :meth:`Rule.failure`."""
    found = {rule: parse_rule(rule).failure(frames, values, specs) for rule in rules}
    return {rule: failure for rule, failure in found.items() if failure is not None}


def _length(scan: _Scanner, pooling: str) -> tuple[int, float]:
    """(frames, seconds) of the optional ``for`` part."""
    if not scan.skip(r"for\b"):
        return 1, 0.0
    if pooling:
        scan.fail("the end, because a pool is over the whole clip", at=scan.token)
    amount = float(scan.take(r"\d+\.?\d*|\.\d+", "a number of frames or seconds"))
    at = scan.token
    unit = scan.take(r"[a-z]+", "frames, s or ms")
    if unit not in (*FRAMES, *SECONDS):
        scan.fail("frames, s or ms", at=scan.token)
    if unit in FRAMES and (amount < 1 or amount != int(amount)):
        scan.fail("a whole number of frames, 1 or more", at=at)
    if amount == 0:
        scan.fail("a time above 0", at=at)
    return (int(amount), 0.0) if unit in FRAMES else (1, amount * SECONDS[unit])


class _Scanner:
    """A position in a rule's text, and errors that name it."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.token = 0
        """Where the last token began."""
        self.at = 0
        self.skip("")

    def sees(self, pattern: str) -> bool:
        return re.compile(pattern, re.IGNORECASE).match(self.text, self.at) is not None

    def skip(self, pattern: str) -> str | None:
        """The next token in lower case and the spaces after it, where it fits the pattern."""
        match = re.compile(rf"({pattern})\s*", re.IGNORECASE).match(self.text, self.at)
        if match is None:
            return None
        self.token, self.at = match.start(), match.end()
        return match.group(1).lower()

    def take(self, pattern: str, wanted: str) -> str:
        token = self.skip(pattern)
        return self.fail(wanted) if token is None else token

    def fail(self, wanted: str, *, at: int | None = None) -> NoReturn:
        at = self.at if at is None else at
        found = re.compile(r"\w+|\S|$").search(self.text, at)
        seen = repr(found.group()) if found and found.group() else "the end"
        raise UsageError(
            f"rule {self.text!r}: expected {wanted} at position {at + 1}, found {seen}: write it as {EXAMPLES}"
        )


def spans(met: Mask, ignored: Mask, broken: Mask | None = None, reach: int = 1) -> list[tuple[int, int]]:
    """Runs of rows, as (first, last) with both ends included and both ends met.

    Two met rows belong to one run when they are at most ``reach`` rows apart, not counting ignored rows between them,
    and no broken row lies between.
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


def ignored_rows(frames: FrameTable, column: Column) -> Mask:
    """(N,) rows that are stepped over: frames that were read, of a role for which the metric is defined nowhere."""
    read = (frames.status == Status.OK) | (frames.status == Status.CORRUPT)
    known = frames.role != Role.UNKNOWN
    defined = np.isin(frames.role, frames.role[~np.isnan(column)])
    return np.asarray(np.isnan(column) & known & ~defined & read, dtype=np.bool_)


def segment_of(
    frames: FrameTable,
    metric: str,
    column: Column,
    badness: Column,
    rows: tuple[int, int],
    confidence: float,
    kind: str = "low_score",
    rule: str = "",
) -> Segment:
    """The segment of a run of rows (both ends included); its peak is the first row of greatest badness."""
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
    )


def _marked(frames: FrameTable, segments: Sequence[Segment], values: Mapping[str, Column]) -> str | None:
    """How many frames the segments of one rule hold, and where the first of them are; None without any."""
    if not segments:
        return None
    first, index = segments[0], frames.index[~np.isnan(values[segments[0].metric])]
    count = sum(int(((index >= segment.start) & (index < segment.stop)).sum()) for segment in segments)
    return f"{count} frame{'s' * (count > 1)}, the first in [{first.start}, {first.stop})"


def _row_ends(frames: FrameTable) -> Float64:
    """(N,) seconds at which each row ends: when the next one starts, the last after the median interval."""
    times = frames.time_s
    interval = float(np.median(np.diff(times))) if len(times) > 1 else 0.0
    return np.concatenate([times[1:], times[-1:] + interval])


def _float32(value: float) -> np.float32:
    with np.errstate(over="ignore"):  # beyond the range of a stored score: infinite is what it compares as
        return np.float32(value)


def _plain(value: float) -> str:
    return repr(value).removesuffix(".0")

"""Ask a rule: which frames it is about, which of them it marks, and whether a clip meets it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from vfiscope.config import SIGMA_OF_MAD
from vfiscope.segments.columns import Column, Columns
from vfiscope.segments.rules.rule import OPERATORS, ROBUST, SLACK_S, Rule
from vfiscope.segments.rules.value import float32
from vfiscope.segments.spans import row_end, segment_of, spans, stepped_over
from vfiscope.segments.wording import told
from vfiscope.store import headline_role, pool, rows_of
from vfiscope.types import FrameTable, Role, Segment, Status, counted

__all__ = ["failure", "limits_of", "marked"]

Mask = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class _Asked:
    """A rule before the columns of a run."""

    name: str
    column: Column
    """(N,) of the score or signal, float32."""
    role: str
    rows: Mask
    """(N,) those of the frames that the rule is about."""

    @classmethod
    def of(cls, rule: Rule, columns: Columns) -> _Asked:
        """
        Raises:
            UsageError: the score or signal is unknown or in another unit, the roles of frames are
                unknown, or it is not defined for them.
        """
        name = rule.check(columns.known)
        column = np.asarray(columns.values[name], dtype=np.float32)
        rule.check_role(_roles(columns.frames, column))
        role = rule.role or headline_role(columns.frames)
        return cls(name, column, role, rows_of(columns.frames, role))


def marked(rule: Rule, columns: Columns, *, alone: bool = False) -> list[Segment]:
    """Every run of rows that meets the rule for long enough, in order; the peak is the value that
    meets it most.

    Args:
        rule: a rule about frames.
        columns: of the run.
        alone: True if rows have nothing to do with those beside them: each is a segment.

    Raises:
        UsageError: the rule is pooled, its score or signal is unknown or in another unit, or is not
            defined for such frames; it is about consecutive frames that stand alone.
    """
    rule.check_marks_frames()
    if alone:
        rule.check_single()
    asked, frames = _Asked.of(rule, columns), columns.frames
    met, held, numbers = _meets(rule, asked)
    signed = asked.column if rule.op.startswith(">") else -asked.column
    badness = np.where(asked.rows, signed, np.nan)
    over = np.zeros(len(met), bool) if alone else stepped_over(frames, asked.column, asked.role)
    found = []
    for begin, last in spans(held, over, reach=0 if alone else 1):
        opened = np.flatnonzero(met[begin : last + 1])
        if not len(opened):
            continue
        first = begin + int(opened[0])
        count = int(held[first : last + 1].sum())
        lasts = row_end(frames, last) - float(frames.time_s[first])
        if count >= rule.frames and lasts >= rule.seconds - SLACK_S:
            segment = segment_of(
                *(frames, asked.name, asked.column, badness, (first, last), 1.0),
                rule=rule.text or str(rule),
                role=asked.role,
            )
            said = _evidence(rule, segment, count, numbers)
            found.append(replace(segment, evidence=said))
    return found


def failure(rule: Rule, columns: Columns) -> str | None:
    """A text that says how the clip meets the rule, or None if it does not.

    For a pooled rule it is ``p5(ssim) = 0.615``; for a rule about frames ``12 frames, the first in
    [48, 60)`` (half-open, in decode ordinals). Where roles are known it names the role:
    ``p5(ssim of synthesised)``, ``12 synthesised frames``.

    A pool is taken over the finite values of the rule's frames, as in the summary of a run
    (percentiles by linear interpolation, std of the population). Where every value is infinite the
    pool is that infinity (std 0); where there is no value the rule is not met.

    Raises:
        UsageError: the score or signal is unknown or in another unit, or is not defined for such
            frames.
    """
    if not rule.pooled:
        return _frames_marked(columns, marked(rule, columns))
    asked = _Asked.of(rule, columns)
    column = np.asarray(asked.column, np.float64)[asked.rows]
    pooled, limit = pool(column, rule.function), rule.value.of(column)
    if pooled is None:
        infinite = column[~np.isnan(column)]
        if not len(infinite):
            return None
        pooled = 0.0 if rule.function == "std" else float(infinite[0])
    if limit is None or not OPERATORS[rule.op](float32(pooled), float32(limit)):
        return None
    said = replace(rule, role=rule.role or asked.role.replace("all", ""))
    return f"{said.subject} = {pooled:.4g}"


def limits_of(rule: Rule, columns: Columns) -> list[float]:
    """The numbers with which a rule about single frames compares the values of a run.

    Raises:
        UsageError: the run cannot be asked the rule.
    """
    values = [rule.value] if rule.until is None else [rule.value, rule.until]
    if not any(value.statistic for value in values):
        return [value.number for value in values]
    asked = _Asked.of(rule, columns)
    limits = [value.of(asked.column[asked.rows]) for value in values]
    return [limit for limit in limits if limit is not None]


def _meets(rule: Rule, asked: _Asked) -> tuple[Mask, Mask, str]:
    """Masks (N,) of the rows that open a segment and of those that it lasts over, and the numbers
    of the clip that decide, in words."""
    judged, values, numbers = asked.column, asked.column[asked.rows], []
    if rule.function == ROBUST:
        judged, words = _robust(asked)
        numbers.append(words)
    masks = []
    for value in (rule.value, rule.until or rule.value):
        limit = value.of(values)
        reached = limit is not None and OPERATORS[rule.op](judged, float32(limit))
        masks.append(asked.rows & reached)
        if value.statistic and limit is not None:
            numbers.append(f"{value} is {told(limit)}")
    return masks[0], masks[0] | masks[1], ", ".join(dict.fromkeys(numbers))


def _robust(asked: _Asked) -> tuple[Column, str]:
    """(N,) deviations from the median in robust standard deviations, 1.4826 times the median
    absolute deviation (Rousseeuw and Croux 1993), both of the finite values of the rule's rows;
    where that is 0, any deviation is infinite.
    """
    column = np.asarray(asked.column, np.float64)
    values = column[asked.rows]
    values = values[np.isfinite(values)]
    if not len(values):
        return np.full(len(column), np.nan), ""
    median = float(np.median(values))
    sigma = SIGMA_OF_MAD * float(np.median(np.abs(values - median)))
    away = column - median
    with np.errstate(divide="ignore", invalid="ignore"):
        found = np.where(away == 0, 0.0, away / sigma).astype(np.float32)
    return found, f"the median is {told(median)} and 1.4826 MAD {told(sigma)}"


def _evidence(rule: Rule, segment: Segment, count: int, numbers: str) -> str:
    """How many frames meet a rule, and which most."""
    frames = "frame" if segment.role == "all" else f"{segment.role} frame"
    lasts = segment.stop_time_s - segment.start_time_s
    meet = "meets" if count == 1 else "meet"
    return (
        f"{counted(count, frames)} in {lasts:.3g} s {meet} {replace(rule, frames=1, seconds=0.0)},"
        f" frame {segment.peak_index} most, with {told(segment.peak)}"
    ) + (f"; {numbers}" if numbers else "")


def _roles(frames: FrameTable, column: Column) -> list[str]:
    """The roles for which a score is defined, of "synthesised", "passed" and "held"; empty where
    roles are unknown.

    A role of which no frame was compared counts as defined: there is no evidence against it.
    """
    told_apart = ["synthesised", "passed", *["held"] * bool((frames.role == Role.HELD).any())]
    if (frames.role == Role.UNKNOWN).all():
        return []
    compared = (frames.status == Status.OK) | (frames.status == Status.CORRUPT)
    values = {role: column[rows_of(frames, role) & compared] for role in told_apart}
    return [
        role for role in told_apart if not len(values[role]) or not np.isnan(values[role]).all()
    ] or told_apart


def _frames_marked(columns: Columns, segments: Sequence[Segment]) -> str | None:
    """The number of frames in the segments of one rule and the range of the first segment, as text;
    None without segments."""
    if not segments:
        return None
    first, frames = segments[0], columns.frames
    index = frames.index[rows_of(frames, first.role) & ~np.isnan(columns.values[first.metric])]
    starts, stops = np.array([(each.start, each.stop) for each in segments]).T
    count = int((np.searchsorted(index, stops) - np.searchsorted(index, starts)).sum())
    role = "" if first.role == "all" else f"{first.role} "
    return f"{count} {role}frame{'s' * (count > 1)}, the first in [{first.start}, {first.stop})"

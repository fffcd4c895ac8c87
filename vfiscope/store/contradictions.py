"""What cannot be true of a run: checked where rows and segments are stored, and where a file of
anybody is opened, so that whatever is stored opens, and every reader can rely on it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vfiscope.config import MAX_FRAMES
from vfiscope.errors import StoreError
from vfiscope.types import FrameTable, MetricSpec, Region, Segment

__all__ = [
    "MAX_TABLE_ROWS",
    "check_boxes",
    "check_names",
    "check_rows",
    "check_rules",
    "check_segments",
    "check_spec",
    "most_rows",
]

MAX_TIME_S = 1e15
"""Seconds: a hundred times ten million frames of which one is taken in eleven days."""
MAX_ORDINAL = 2**40
"""Of a frame."""
MAX_TABLE_ROWS = 2**18
"""Of a table of segments, regions or tracks."""
MAX_RULES = 1000
LONGEST_RULE = 1000
"""Rules of a run, and characters of one."""
MAX_NAMES = 256
"""Scores, maps, fields, signals or other items of a group."""
MAX_NAME = 100
"""Characters of the name of one."""
MAX_LENGTH = 1e12
"""Of a region, in pixels or square pixels."""
REGION_LENGTHS = ("x", "y", "w", "h", "area", "tight_x", "tight_y", "tight_w", "tight_h")
SEGMENT_FACTS = ("start", "stop", "peak_index", "confidence", "start_time_s", "stop_time_s")
SEGMENT_BOX = ("x", "y", "w", "h")

LIMITED_TABLES = ("regions", "segments", "tracks")


def most_rows(table: str) -> int:
    """How many rows a table of a stage may have; of answers, one for every frame."""
    return MAX_TABLE_ROWS if table in LIMITED_TABLES else MAX_FRAMES


def check_rows(where: str | Path, frames: FrameTable, after: int = -1) -> None:
    """Refuse rows that contradict each other.

    Times may go back where the exact times do, as in joined videos.

    Args:
        where: the file, for the message.
        frames: the rows.
        after: decode ordinal of the row before the first.

    Raises:
        StoreError: naming the first row of which something cannot be true.
    """
    times, steps = frames.time_s, np.diff(frames.time_s)
    back = (steps < 0) & (np.diff(frames.pts) >= 0)
    before = np.concatenate([[after], frames.index])[: len(frames)]
    wrong: dict[str, NDArray[np.bool_]] = {
        "index": (frames.index <= before) | (frames.index > MAX_ORDINAL),
        "time_s": ~(np.abs(times) <= MAX_TIME_S) | np.concatenate([[False], back])[: len(frames)],
        "ref_index": (frames.ref_index < -1) | (frames.ref_index > MAX_ORDINAL),
        "phase": (frames.phase < 0) | (frames.phase > 1),
    }
    for column, rows in wrong.items():
        if rows.any():
            row = int(np.flatnonzero(rows)[0])
            value = getattr(frames, column)[row]
            raise StoreError(
                f"{where}: /frames/{column}[{row}] is {value:.6g}, which contradicts the other"
                " columns or rows: make it again"
            )


def check_segments(where: str | Path, frames: FrameTable, segments: Sequence[Segment]) -> None:
    """Refuse segments that do not lie within the frames of their run, or whose peak does not lie
    within them.

    Raises:
        StoreError: naming the first.
    """
    if not segments:
        return
    facts: Any = {
        name: np.array([getattr(each, name) for each in segments])
        for name in (*SEGMENT_FACTS, *SEGMENT_BOX)
    }
    first, end = (int(frames.index[0]), int(frames.index[-1]) + 1) if len(frames) else (0, 0)
    right = (
        (first <= facts["start"])
        & (facts["start"] <= facts["peak_index"])
        & (facts["peak_index"] < facts["stop"])
        & (facts["stop"] <= end)
        & (facts["confidence"] >= 0)
        & (facts["confidence"] <= 1)
        & (np.abs(facts["start_time_s"]) <= 2 * MAX_TIME_S)
        & (np.abs(facts["stop_time_s"]) <= 2 * MAX_TIME_S)
    )
    for name in SEGMENT_BOX:
        right &= (facts[name] >= 0) & (facts[name] <= MAX_LENGTH)
    if not right.all():
        number = int(np.flatnonzero(~right)[0])
        said = ", ".join(f"{name} {facts[name][number]:.6g}" for name in facts)
        raise StoreError(
            f"{where}: segment {number} ({said}) contradicts the frames, which are"
            f" [{first}, {end}): make it again"
        )


def check_boxes(where: str | Path, regions: Sequence[Region]) -> None:
    """Refuse regions whose place is no place.

    Raises:
        StoreError: naming the first.
    """
    rows = [[getattr(each, name) for name in REGION_LENGTHS] for each in regions]
    lengths = np.array(rows, np.float64).reshape(len(rows), len(REGION_LENGTHS))
    wrong = np.flatnonzero(~(np.abs(lengths) <= MAX_LENGTH).all(axis=1))
    if len(wrong):
        facts = zip(REGION_LENGTHS, lengths[wrong[0]], strict=True)
        said = ", ".join(f"{name} {value:.6g}" for name, value in facts)
        raise StoreError(
            f"{where}: region {wrong[0]} ({said}) has no place: find the regions again"
        )


def check_rules(rules: object) -> list[str]:
    """The user's rules of a run.

    Raises:
        ValueError: they are not a list of texts, or too many, or too long.
    """
    if not isinstance(rules, list | tuple) or not all(isinstance(rule, str) for rule in rules):
        raise ValueError("the rules are not a list of texts")
    if len(rules) > MAX_RULES or any(len(rule) > LONGEST_RULE for rule in rules):
        raise ValueError(f"there are more than {MAX_RULES} rules, or one has so many characters")
    return list(rules)


def check_names(where: str | Path, kind: str, names: Collection[str]) -> None:
    """Refuse too many items of a group, such as scores or maps, and names that cannot be shown.

    Raises:
        StoreError: naming the group.
    """
    if len(names) > MAX_NAMES:
        raise StoreError(f"{where}: there are {len(names)} {kind}: {MAX_NAMES} is the limit")
    for name in names:
        if not name or len(name) > MAX_NAME or not name.isprintable():
            raise StoreError(
                f"{where}: {kind} have the name {name[:MAX_NAME]!r}: use 1 to {MAX_NAME} printable"
                " characters"
            )


def check_spec(where: str | Path, spec: MetricSpec) -> None:
    """Refuse a metric whose range is none.

    Raises:
        StoreError: naming the metric.
    """
    facts = np.array([spec.low, spec.high, spec.identity, spec.floor])
    beyond = np.isfinite(facts) & (np.abs(facts) > np.finfo(np.float32).max)
    if not (spec.low < spec.high and spec.floor >= 0) or beyond.any():
        raise StoreError(
            f"{where}: {spec.name} has the range {spec.low:g} to {spec.high:g}, the identity"
            f" {spec.identity:g} and the floor {spec.floor:g}: make it again"
        )

"""Where the time of a run went, as text."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from vfiscope.types import counted
from vfiscope.types.times import COMPILE

__all__ = ["describe_time", "describe_timing", "times_reading", "total_timings", "with_ratio"]

READING_STAGES = "read "
"""How the stages begin that decode an input and convert its frames to RGB."""
ELSEWHERE = "elsewhere"
TOTALS = ("seconds", "processor_seconds", "frames")
"""Of a whole run; older versions stored fewer."""


def describe_timing(timings: Mapping[str, Any], title: str = "time") -> list[str]:
    """A line about the whole run, and a table of its stages; a run that stored none has a line
    that says so."""
    stages, whole = timings.get("stages"), describe_time(timings)
    if not stages or whole is None:
        return [f"{title}: this run did not store where it went"]
    total, frames = timings["processor_seconds"], max(1, timings["frames"])
    in_order = sorted(stages, key=lambda name: name == COMPILE)
    spent = {name: stages[name]["processor"] for name in in_order}
    waited = {name: f"{times['wall']:10.2f}" for name, times in stages.items()}
    spent[ELSEWHERE] = _elsewhere(timings)
    wide = max(len(name) for name in spent)
    each = {name: f"{1000 * seconds / frames:.2f}" for name, seconds in spent.items()}
    rows = [
        f"{name:<{wide}}  {'once' if name == COMPILE else each[name]:>14}"
        f"  {seconds / (total or 1):6.1%}  {waited.get(name, '')}"
        for name, seconds in spent.items()
    ]
    heading = f"{'stage':<{wide}}  processor ms a frame   share      wall s"
    return [f"{title}: {whole}", "", heading, *(row.rstrip() for row in rows)]


def describe_time(timings: Mapping[str, Any]) -> str | None:
    """How long a run took, in one line; None where it did not store that."""
    if any(timings.get(name) is None for name in TOTALS):
        return None
    times = times_reading(timings)
    beside = "" if times is None else f", {times:.2g} times that of reading alone"
    return (
        f"{timings['seconds']:.3g} s for {counted(timings['frames'], 'frame')},"
        f" {timings['processor_seconds']:.3g} s of processor time{beside}"
    )


def times_reading(timings: Mapping[str, Any]) -> float | None:
    """Processor time of a whole run over that of reading its inputs: decoding, and converting to
    RGB. Compiling and loading loops is left out. None where that is not known."""
    stages, total = timings.get("stages") or {}, timings.get("processor_seconds")
    reading = sum(
        each["processor"] for name, each in stages.items() if name.startswith(READING_STAGES)
    )
    once = stages.get(COMPILE, {"processor": 0.0})["processor"]
    return (total - once) / reading if reading and total is not None else None


def with_ratio(timings: Mapping[str, Any]) -> dict[str, Any]:
    """What a run stored, with what the text adds: ``elsewhere`` (seconds of processor time in no
    stage) and ``times_reading`` (see :func:`times_reading`); None where they are not known."""
    elsewhere = None if describe_time(timings) is None else _elsewhere(timings)
    return {**timings, ELSEWHERE: elsewhere, "times_reading": times_reading(timings)}


def total_timings(runs: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """The sums over runs that stored their times."""
    total: dict[str, Any] = dict.fromkeys(TOTALS, 0)
    stages: dict[str, dict[str, float]] = defaultdict(lambda: {"processor": 0.0, "wall": 0.0})
    for timings in runs:
        for name in TOTALS:
            total[name] += timings[name]
        for stage, times in timings["stages"].items():
            for kind, seconds in times.items():
                stages[stage][kind] += seconds
    return {**total, "stages": dict(stages)}


def _elsewhere(timings: Mapping[str, Any]) -> float:
    """Seconds of processor time in no stage: imports, Python between stages, and threads that
    libraries start."""
    stages = timings.get("stages") or {}
    spent = sum(each["processor"] for each in stages.values())
    return max(0.0, float(timings["processor_seconds"] - spent))

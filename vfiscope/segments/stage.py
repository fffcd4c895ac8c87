"""Segments as a stage over a stored run: flagged again from its scores and signals, decoding
nothing."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from vfiscope.errors import UsageError
from vfiscope.segments.detect import flag
from vfiscope.segments.rules import Column
from vfiscope.stages import STAGES, Stage, ask
from vfiscope.store import Run, StageResult
from vfiscope.types import FrameTable, MetricSpec, Segment

__all__ = ["SEGMENTS", "flagged", "made_by", "reflag", "reflag_if_rules_differ"]


def find(run: Run, *, rules: Sequence[str] = ()) -> Mapping[str, Sequence[Segment]]:
    """The segments of a stored run.

    Args:
        run: a finished run.
        rules: the user's rules, besides what the detectors find.

    Raises:
        UsageError: a rule cannot be read, or is about a metric or frames that the run does not
            hold.
    """
    if isinstance(rules, str) or not all(isinstance(rule, str) for rule in rules):
        raise UsageError(f"rules is {rules!r}: pass a list of texts")
    return {"segments": flag(run.frames, run.scores, run.specs, rules, run.signals)}


SEGMENTS = STAGES.add("segments", Stage("segments", 1, (), {"segments": Segment}, find))


def flagged(
    frames: FrameTable,
    values: Mapping[str, Column],
    specs: Mapping[str, MetricSpec],
    rules: Sequence[str] = (),
    signals: Mapping[str, Column] = MappingProxyType({}),
) -> StageResult:
    """What the stage makes of a run that is not stored yet: arguments as of
    :func:`vfiscope.segments.detect.flag`."""
    segments = flag(frames, values, specs, rules, signals)
    return SEGMENTS.result({"rules": list(rules)}, {"segments": segments})


def reflag(path: str | os.PathLike[str], rules: Sequence[str] | None = None) -> None:
    """Replace the segments of a run by those that its scores give now.

    Args:
        path: a finished run.
        rules: the user's rules besides the default one; None for those that the run was made with.

    Raises:
        UsageError: a rule cannot be read, or is about a metric or frames that the run does not
            hold.
        StoreError: there is no readable run, or it cannot be changed.
    """
    if rules is None:
        with Run(path) as run:
            rules = run.config.get("flag", ())
    ask(path, SEGMENTS, {"rules": list(rules)})


def made_by(run: Run, rules: Sequence[str]) -> bool:
    """Whether these rules made the segments that a run holds."""
    made = run.stages.get("segments")
    return made is not None and made.parameters == {"rules": list(rules)}


def reflag_if_rules_differ(path: str | os.PathLike[str], rules: Sequence[str]) -> None:
    """Flag again, unless these rules made the segments that the run holds.

    Raises:
        as :func:`reflag`.
    """
    with Run(path) as run:
        kept = made_by(run, rules)
    if not kept:
        reflag(path, rules)

"""Segments as a stage: flag a stored run again from its scores and signals, without decoding."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from vfiscope.errors import UsageError
from vfiscope.segments.columns import Column
from vfiscope.segments.detect import flag
from vfiscope.stages import STAGES, Stage, ask
from vfiscope.store import Run, StageResult
from vfiscope.types import FrameTable, MetricSpec, Pairing, Segment

__all__ = [
    "SEGMENTS",
    "are_timed",
    "flagged",
    "made_by",
    "reflag",
    "reflag_if_rules_differ",
    "shown_out_of_order",
]


def find(run: Run, *, rules: Sequence[str] = ()) -> Mapping[str, Sequence[Segment]]:
    """The segments of a stored run.

    Args:
        run: a finished run.
        rules: the user's rules, in addition to the detectors.

    Raises:
        UsageError: a rule cannot be read, or is about a metric or frames that the run does not
            hold.
    """
    if isinstance(rules, str) or not all(isinstance(rule, str) for rule in rules):
        raise UsageError(f"rules is {rules!r}: pass a list of texts")
    alone = bool(run.config.get("independent"))
    stored = run.frames, run.scores, run.specs, rules, run.signals
    kinds = run.config.get("kinds") or ()
    timed = are_timed(run.config, run.sources)
    found = flag(
        *stored,
        independent=alone,
        size=run.frame_size,
        kinds=kinds,
        timed=timed,
        displaced=shown_out_of_order(run.pairing_table),
    )
    return {"segments": found}


def shown_out_of_order(pairing: Pairing | None) -> frozenset[int]:
    """The frames of the reference that the test shows out of order, as far as a map knows."""
    return frozenset(shown for _, shown in pairing.displaced) if pairing else frozenset()


def are_timed(config: Mapping[str, Any], sources: Sequence[Mapping[str, Any]]) -> bool:
    """False for images whose times nobody knows: they are counted at the default rate, and
    nobody stated that.

    Args:
        config: the options of a run.
        sources: what it stores about its inputs.
    """
    test = next((each for each in sources if each["role"] == "test"), {})
    counted = test.get("kind") == "images" and not test.get("times_from")
    stated = config.get("time_from") == "fps" or config.get("fps") is not None
    return not counted or stated


SEGMENTS = STAGES.add("segments", Stage("segments", 3, (), {"segments": Segment}, find))


def flagged(
    frames: FrameTable,
    values: Mapping[str, Column],
    specs: Mapping[str, MetricSpec],
    rules: Sequence[str] = (),
    signals: Mapping[str, Column] = MappingProxyType({}),
    *,
    independent: bool = False,
    size: tuple[int, int] | None = None,
    kinds: Sequence[str] = (),
    timed: bool = True,
    displaced: Collection[int] = (),
) -> StageResult:
    """The stage's result for a run that is not stored yet; the arguments are those of
    :func:`vfiscope.segments.detect.flag`."""
    columns = frames, values, specs, rules, signals
    segments = flag(
        *columns,
        independent=independent,
        size=size,
        kinds=kinds,
        timed=timed,
        displaced=displaced,
    )
    return SEGMENTS.result({"rules": list(rules)}, {"segments": segments})


def reflag(
    path: str | os.PathLike[str], rules: Sequence[str] | None = None, *, since: Run | None = None
) -> None:
    """Replace the segments of a run by those found in its scores now.

    Args:
        path: a finished run.
        rules: the user's rules, in addition to the detectors; None for those of the run.
        since: the run as the caller saw it; as it is now where None.

    Raises:
        UsageError: a rule cannot be read, or is about a metric or frames that the run does not
            hold.
        StoreError: there is no readable run, it cannot be changed, or somebody else flagged it
            since then.
    """
    if since is None:
        with Run(path) as since:
            pass  # its columns stay in memory
    if rules is None:
        rules = since.config.get("flag", ())
    ask(path, SEGMENTS, {"rules": list(rules)}, since=since)


def made_by(run: Run, rules: Sequence[str]) -> bool:
    """True if the segments of a run were made with these rules, by this version of the stage."""
    made = run.stages.get("segments")
    asked = SEGMENTS.version, {"rules": list(rules)}
    return made is not None and (made.version, made.parameters) == asked


def reflag_if_rules_differ(path: str | os.PathLike[str], rules: Sequence[str]) -> None:
    """Flag again, unless the segments of the run were made with these rules.

    Raises:
        as :func:`reflag`.
    """
    with Run(path) as run:
        kept = made_by(run, rules)
    if not kept:
        reflag(path, rules, since=run)

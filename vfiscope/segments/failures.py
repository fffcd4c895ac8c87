"""Which rules a clip meets."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from vfiscope.errors import UsageError
from vfiscope.segments.columns import Columns
from vfiscope.segments.detectors import DETECTORS
from vfiscope.segments.rules import Gate, failure, parse_rule
from vfiscope.segments.rules.gate import ANY_FAULT
from vfiscope.store import Run
from vfiscope.types import Answer, Segment
from vfiscope.types.segment_kinds import SEGMENT_KINDS

__all__ = ["check_kind", "failures", "failures_of"]


def failures(rules: Iterable[str], run: Run) -> dict[str, str]:
    """{rule: by what it is met} of those rules that a finished run meets.

    Raises:
        UsageError: a rule cannot be read, or is about a score, signal, kind or frames that are not
            there.
    """
    sought = run.stages.get("regions")
    answers = None if sought is None or sought.parameters.get("method") == "none" else run.answers
    remedy = f"run vfiscope regions {run.path} first"
    rules, kinds = list(rules), run.config.get("kinds") or ()
    for gate in (each for each in map(parse_rule, rules) if isinstance(each, Gate)):
        check_kind(gate, kinds, bool(run.rules))
    return failures_of(rules, Columns.of(run), run.segments, answers, remedy)


def failures_of(
    rules: Iterable[str],
    columns: Columns,
    segments: Sequence[Segment] = (),
    answers: Sequence[Answer] | None = None,
    remedy: str = "add --regions auto",
) -> dict[str, str]:
    """The same from the columns, segments and answers of a run; None for answers where no regions
    were sought, with the remedy."""
    found: dict[str, str | None] = {}
    for text in rules:
        rule = parse_rule(text, specs=columns.known)
        if isinstance(rule, Gate):
            check_kind(rule)
            rule.check_sought(answers is not None, remedy)
            found[text] = (
                rule.failure_of_changes(answers or ())
                if rule.about_changes
                else rule.failure(columns.frames, segments)
            )
        else:
            found[text] = failure(rule, columns)
    return {text: by for text, by in found.items() if by is not None}


def check_kind(gate: Gate, sought: Sequence[str] = (), has_rules: bool = False) -> None:
    """Raise UsageError if the gate could never be met, as no detector flags segments of its kind,
    or none is asked to.

    Args:
        gate: the gate.
        sought: the kinds that detectors are asked for; all where empty.
        has_rules: True where rules of the user mark segments, too, which are low scores.
    """
    others = (kind for detector in DETECTORS.values() for kind in detector.kinds)
    gate.check_kind([*dict.fromkeys((*SEGMENT_KINDS, *others))])
    there = {*sought, ANY_FAULT, *(["low_score"] if has_rules else [])}
    if sought and not gate.about_changes and gate.kind not in there:
        raise UsageError(
            f"rule {gate.text!r} is about {gate.kind}, which --kinds {','.join(sought)} leaves out:"
            f" scan with {gate.kind} in --kinds"
        )

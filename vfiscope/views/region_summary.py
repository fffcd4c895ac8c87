"""What was found in a run, short, for the summaries of commands and of a batch."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from vfiscope.regions.unsought import why_no_answer
from vfiscope.store.text import plain
from vfiscope.views.region_report import region_facts
from vfiscope.views.region_words import Marks, headline, most_severe, worst_first

if TYPE_CHECKING:
    from vfiscope.store import Run

__all__ = ["summary_with_changes"]

BY_WEIGHT = ("changed", "undecided", "moved", "light", "same")


def summary_with_changes(run: Run) -> dict[str, Any]:
    """The JSON summary of a run with ``changes``, in the words of
    :func:`vfiscope.views.region_report.region_report`; None where no regions were sought.

    ::

        method      that they were sought with
        answer      that for the pair; of several pairs the first of changed, undecided, moved,
                    light, same that one of them has; None where no pair was looked at
        answers     {answer: number of frames}
        sentence    for people
        tracks      number
        regions     [{frame, id, track, kind, change, severity, caption, box, tight}]: of a pair all
                    that are stored; of several the most severe one of each track, of the ten most
                    severe tracks
    """
    return {**run.summary(), "changes": _changes(run)}


def _changes(run: Run) -> dict[str, Any] | None:
    made = run.stages.get("regions")
    if made is None or made.parameters.get("method") == "none":
        return None
    counts = Counter(answer.answer for answer in run.answers)
    numbers = {id(region): number for number, region in enumerate(run.regions, 1)}
    marks = Marks.of(run)
    groups = worst_first(marks)
    shown = [most_severe(group) for group in (groups if len(run.answers) == 1 else groups[:10])]
    found: dict[str, Any] = plain(
        {
            "method": made.parameters.get("method"),
            "answer": min(counts, key=_weight, default=None),
            "answers": dict(counts),
            "sentence": headline(marks) if run.answers else str(why_no_answer(run)),
            "tracks": len(run.tracks),
            "regions": [
                {"frame": each.frame, **region_facts(numbers[id(each)], each)} for each in shown
            ],
        }
    )
    return found


def _weight(answer: str) -> int:
    return BY_WEIGHT.index(answer) if answer in BY_WEIGHT else len(BY_WEIGHT)

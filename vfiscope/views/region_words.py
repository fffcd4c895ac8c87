"""Regions in words: the answer first, then the most severe of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from vfiscope.regions.describe.severity_of import weight
from vfiscope.regions.regions_stage import outdated
from vfiscope.regions.share_words import percent
from vfiscope.regions.unsought import why_no_answer
from vfiscope.types import Answer, Code, Note, Region
from vfiscope.views.places import frame_place, range_place

if TYPE_CHECKING:
    from vfiscope.store import Run

__all__ = ["Marks", "answer_sentence", "describe_regions", "headline", "most_severe", "worst_first"]

ANSWER_WORDS = {
    "same": "nothing changed",
    "light": "only the light changed",
    "moved": "only the camera moved",
    "changed": "something changed",
    "undecided": "it cannot be told",
}


@dataclass(frozen=True, eq=False)
class Marks:
    """What a run holds about some of its frames."""

    run: Run
    answers: Sequence[Answer]
    regions: Sequence[Region]
    tracks: int

    @classmethod
    def of(cls, run: Run, frames: Collection[int] | None = None) -> Marks:
        """Those of some frames, by their decode ordinals; None for all."""
        if frames is None:
            return cls(run, run.answers, run.regions, len(run.tracks))
        answers = [each for each in run.answers if each.frame in frames]
        regions = [each for each in run.regions if each.frame in frames]
        return cls(run, answers, regions, len({each.track for each in regions} - {-1}))


def answer_sentence(answer: Answer) -> str:
    """What a method says of a pair of frames, in one sentence."""
    if answer.caption:
        return answer.caption
    count = f"{answer.regions} region{'s' * (answer.regions != 1)}"
    said = ANSWER_WORDS.get(answer.answer, answer.answer)
    if not answer.regions:
        return f"{said}: no region"
    return f"{said}: {count}, {percent(answer.changed_area)} of the frame"


def describe_regions(run: Run, most: int = 10, frames: Collection[int] | None = None) -> list[str]:
    """The regions of a run as lines for people, the most severe first.

    Of a single pair, the answer and its regions, with their numbers in the figures; of several, in
    how many frames there is what, and the tracks, each with its frames and the caption of its most
    severe region.

    Args:
        run: a finished run.
        most: how many regions or tracks are listed.
        frames: decode ordinals of the frames that are told of; None for all.

    Returns:
        Lines without line breaks; none where no regions were asked for.
    """
    marks = Marks.of(run, frames)
    if not marks.answers:
        note = why_no_answer(run)
        return [] if note.code == Code.REGIONS_NOT_SOUGHT else [str(note)]
    groups = worst_first(marks)
    lines = [headline(marks), *_listed(marks, groups[:most])]
    if len(groups) > most:
        lines.append(f"  and {len(groups) - most} more, all in the result")
    return [*lines, *(str(note) for note in (*_mask_notes(marks), *outdated(run)))]


def headline(marks: Marks) -> str:
    """The answer for a single pair as a sentence; of several, in how many frames there is what."""
    answers = marks.answers
    return answer_sentence(answers[0]) if len(answers) == 1 else _counted(marks)


def worst_first(marks: Marks) -> list[list[Region]]:
    """The regions of each track together, or of a single pair each by itself, the most severe
    first."""
    single = len(marks.answers) == 1
    groups = [[each] for each in marks.regions] if single else _tracks(marks.regions)
    return sorted(groups, key=lambda group: weight(most_severe(group)), reverse=True)


def _mask_notes(marks: Marks) -> Iterator[Note]:
    """A note where SAM 2 was asked for the masks, and some are of the map all the same."""
    count = sum(region.mask_by == "map" for region in marks.regions)
    if count and marks.run.stages["regions"].parameters.get("sam_weights") is not None:
        yield Note(Code.MASKS_OF_MAP, {"count": count, "regions": len(marks.regions)})


def most_severe(group: Sequence[Region]) -> Region:
    """The most severe region; of several, the largest."""
    return max(group, key=weight)


def _tracks(regions: Sequence[Region]) -> list[list[Region]]:
    """The regions of each track, and every one of no track by itself."""
    found: dict[tuple[int, int], list[Region]] = {}
    for n, region in enumerate(regions):
        found.setdefault((region.track, n if region.track < 0 else -1), []).append(region)
    return list(found.values())


def _counted(marks: Marks) -> str:
    """``something changed in 12 of 60 frames, nothing changed in 48: 31 regions, 4 tracks``"""
    counts = Counter(answer.answer for answer in marks.answers)
    kinds = [*(kind for kind in reversed(ANSWER_WORDS) if kind in counts)]
    kinds += [kind for kind in counts if kind not in ANSWER_WORDS]
    parts = [
        f"{ANSWER_WORDS.get(kind, kind)} in {counts[kind]}{' of ' * (n == 0)}"
        f"{f'{len(marks.answers)} frames' if n == 0 else ''}"
        for n, kind in enumerate(sorted(kinds, key=lambda kind: kind != "changed"))
    ]
    tracks = f", {marks.tracks} track{'s' * (marks.tracks != 1)}" if marks.tracks else ""
    count = f"{len(marks.regions)} region{'s' * (len(marks.regions) != 1)}"
    return f"{', '.join(parts)}: {count}{tracks}"


def _listed(marks: Marks, groups: Sequence[Sequence[Region]]) -> Iterator[str]:
    run, several = marks.run, len(marks.answers) > 1
    numbers = {id(region): number for number, region in enumerate(run.regions, 1)}
    for group in groups:
        worst = most_severe(group)
        if several:
            named = f"track {worst.track}, " if worst.track >= 0 else "no track, "
            if run.config.get("independent"):  # of which none has tracks
                named = ""
            count = f"{len(group)} region{'s' * (len(group) != 1)}"
            yield f"  {named}{_frames(run, group)}, {count}:"
        where = f"    {frame_place(run, _row(run, worst.frame))}, " if len(group) > 1 else "    "
        lead = where if several else f"  {numbers[id(worst)]:>2}  "
        yield f"{lead}severity {worst.severity}, {worst.kind}: {worst.caption or _place(worst)}"


def _place(region: Region) -> str:
    return f"x {region.x:.0f}, y {region.y:.0f}, {region.w:.0f}x{region.h:.0f} px"


def _row(run: Run, frame: int) -> int:
    """The row of a frame; of one that the run does not hold, the next."""
    return min(int(np.searchsorted(run.frames.index, frame)), len(run.frames) - 1)


def _frames(run: Run, group: Sequence[Region]) -> str:
    """The frames of a track, and their times or names and dates."""
    rows = [_row(run, region.frame) for region in (group[0], group[-1])]
    if rows[0] == rows[1]:
        return frame_place(run, rows[0])
    ends = {"start": rows[0], "stop": rows[1]}
    facts: dict[str, Any] = {
        f"{end}_time_s": float(run.frames.time_s[row]) for end, row in ends.items()
    }
    if run.names:
        facts |= {f"{end}_name": run.names[row] for end, row in ends.items()}
        facts |= {f"{end}_at": run.moment(row) for end, row in ends.items()}
        return range_place(facts)
    return f"frames {group[0].frame} to {group[-1].frame}, {range_place(facts)}"

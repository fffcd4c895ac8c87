"""The texts on a sheet of frames: what each frame is, further facts, how to read the sheet."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from vfiscope.printable import printable
from vfiscope.scoring.inputs import golden_index
from vfiscope.store import Run, causes_of
from vfiscope.types import ComparedFrames, FetchedFrame, Role, Status
from vfiscope.views.heat import Scale
from vfiscope.views.naming import CUT, heading, informative
from vfiscope.views.places import frame_place
from vfiscope.views.worst import ChosenFrames

__all__ = ["caption_of", "details_of", "heading_of", "how_to_read", "title_of"]

MAX_DETAILS = 6
"""Most scores beside a frame."""


def caption_of(run: Run, role: str, one: FetchedFrame) -> tuple[str, str]:
    own = one.role == "test" or (
        one.role == "golden" and golden_index(run.config.get("golden")) is not None
    )
    at = np.flatnonzero((run.frames.index == one.index) & own)
    place = (
        frame_place(run, int(at[0]))
        if len(at)
        else f"frame {one.index}"
        if one.is_video
        else printable(one.name)
    )
    return (f"{role}: {printable(one.name)}" if one.is_video else role), place


def heading_of(run: Run, row: int, chosen: ChosenFrames) -> str:
    place = frame_place(run, row)
    if chosen.metric is None or np.isnan(run.scores[chosen.metric][row]):
        return place
    return f"{place}:  {_score(run, chosen.metric, row)}"


def _score(run: Run, metric: str, row: int) -> str:
    unit = run.specs[metric].unit
    return f"{metric} {float(run.scores[metric][row]):.4g}{'' if unit == '1' else f' {unit}'}"


def details_of(run: Run, each: ComparedFrames, chosen: ChosenFrames, extent: str) -> str:
    """Further facts about a frame, in one line."""
    row, index = each.row, int(run.frames.index[each.row])
    told = [f"frame {index}"] if run.names else []
    if run.frames.role[row] != Role.UNKNOWN:
        told.append(Role(int(run.frames.role[row])).name.lower())
    if run.frames.status[row] in (Status.CORRUPT, Status.UNREADABLE):
        told.append(Status(int(run.frames.status[row])).name.lower())
    if each.partner is None and each.before is None:
        original = run.frames.role[row] == Role.PASSED
        told.append(
            "an original, not judged" if original else "compared with nothing: it has no partner"
        )
        extent = ""
    told += filter(None, [causes_of(run.frames, run.scores)[row], extent])
    if CUT in run.scores and run.scores[CUT][row] == 1:
        told.append("across a cut: not judged")
    told += [_score(run, name, row) for name in _telling(run, row) if name != chosen.metric][
        :MAX_DETAILS
    ]
    kinds = {
        (s.start, s.stop, s.kind)
        for s in run.segments
        if s.start <= index < s.stop and s.kind != "cut"
    }
    told += [
        f"flagged [{start}, {stop}) {kind.replace('_', ' ')}"
        for start, stop, kind in sorted(kinds)[:2]
    ]
    return "   ".join(told)


def _telling(run: Run, row: int) -> list[str]:
    """The informative scores of a frame: those that rank, and the faults that it has."""
    found = []
    for name, spec in run.specs.items():
        value = float(run.scores[name][row])
        if name != CUT and not np.isnan(value):
            has = not informative(spec) and abs(value - spec.identity) >= spec.floor
            found += [name] if spec.ranks or has else []
    return found


def title_of(run: Run, chosen: ChosenFrames) -> str:
    what = heading([run])
    if not chosen.role or chosen.among == 1:
        return what
    many = len(chosen.rows) - chosen.unscored
    number = f"the {many} worst" if many > 1 else "the worst"
    kind = "synthesised frames" if chosen.role == "synthesised" else "frames"
    spread = ", one of each stretch first" if chosen.spread else ""
    others = f", and {chosen.unscored} flagged" if chosen.unscored else ""
    return f"{what}: {number} of {chosen.among} {kind} by {chosen.metric}{spread}{others}"


def how_to_read(
    chosen: ChosenFrames, scale: Scale, fetched: Sequence[ComparedFrames], computed: bool
) -> str:
    """How to read a sheet whose map is stored, or computed for it."""
    spec = scale.spec
    low, high = scale.ends
    between = any(each.partner is None and each.before is not None for each in fetched)
    what = f"Map: {spec.name}"
    if computed:
        to = (
            "the smaller of those to the frames before and after"
            if between
            else "to what is beside it"
        )
        what += (
            ", not stored in the run but computed here: mean absolute difference as a part of"
            f" white, {to}"
        )
    many = len(chosen.rows) > 1
    shown = (
        f"{what}. {'One scale for all' if many else 'Scale'}: {low:.3g} (nothing wrong) to"
        f" {high:.3g} ({scale.words})."
    )
    spread = (
        f" Frames: the worst one of each flagged segment first{_spread(chosen)}."
        if chosen.role and (many or chosen.floor)
        else ""
    )
    box = (
        "Box: the area of at least half of its peak that holds most, enlarged below as far as it"
        " fits."
    )
    return f"{shown} {box}{spread}"


def _spread(chosen: ChosenFrames) -> str:
    apart = f", then others {chosen.apart_s:.2g} s apart, if as bad" if chosen.apart_s else ""
    fewer = f"; the others depart by less than {chosen.floor:g}" if chosen.floor else ""
    return apart + fewer

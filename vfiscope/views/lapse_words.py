"""The answer of a time-lapse in a few lines."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from vfiscope.types import counted, date
from vfiscope.views.lapse_answer import (
    LAPSE_SIGNALS,
    BalanceAnswer,
    CameraAnswer,
    ChangeAnswer,
    GrowthAnswer,
    LapseAnswer,
    LightAnswer,
    Photo,
    Place,
    lapse_answer,
)

if TYPE_CHECKING:
    from vfiscope.store import Run

__all__ = ["describe_lapse"]

MOST_LISTED = 6


def describe_lapse(run: Run) -> list[str]:
    """The lines; none for a run that is no time-lapse or lacks one of its signals."""
    if run.time_lapse is None or not set(LAPSE_SIGNALS) <= set(run.signals) or len(run) < 2:
        return []
    answer = lapse_answer(run)
    told = {
        "light": _light(answer.light),
        "balance": _balance(answer.balance),
        "camera": _camera(answer.camera),
        "growth": _growth(answer.growth),
        "change": _change(answer.change),
        "look at": _first(answer),
    }
    lines = [
        f"{'' if n else name:<9}{said}"
        for name, words in told.items()
        for n, said in enumerate(words)
    ]
    return ["the time-lapse:", *(f"  {line}" for line in lines)]


def _light(light: LightAnswer) -> Iterator[str]:
    yield f"flickers by {100 * light.flicker:.1f} % of luma (root mean square)"
    if light.worst is not None:
        yield (
            f"most in {_named(light.worst)}: {100 * light.worst_flicker:+.1f} %, which a deflicker"
            f" would multiply by {light.deflicker:.3f}"
        )
    if light.day:
        yield f"{100 * light.day:.0f} % between the times of the day"
    yield f"{100 * light.change:+.1f} % from beginning to end"


def _balance(balance: BalanceAnswer) -> Iterator[str]:
    yield f"red {100 * balance.red:+.1f} %, blue {100 * balance.blue:+.1f} % against green"


def _camera(camera: CameraAnswer) -> Iterator[str]:
    if not camera.bumps:
        yield "was not bumped"
        yield (
            f"points wander by {camera.wander_px:.1f} px and {camera.wander_degrees:.2f} degrees"
            " at most"
        )
        return
    listed = [f"{_named(b.before)} ({b.px:.1f} px, {b.degrees:.2f} degrees)" for b in camera.bumps]
    yield f"bumped {counted(len(listed), 'time')}, before {_few(listed)}"


def _growth(growth: GrowthAnswer) -> Iterator[str]:
    if growth.half_by is None:
        known = growth.usual == growth.usual
        yield f"green does not grow; it takes {100 * growth.usual:.1f} %" if known else "-"
    else:
        yield (
            f"green from {100 * growth.first:.1f} % to {100 * growth.last:.1f} % of the photo,"
            f" {100 * growth.grown:.1f} % grown in all{_at(growth.place)}, half of it by"
            f" {_named(growth.half_by)}"
        )
    for fall in growth.falls[:MOST_LISTED]:
        yield f"{-100 * fall.share:.1f} % in {_named(fall.photo)}{_at(fall.place)}"


def _change(change: ChangeAnswer) -> Iterator[str]:
    known = change.usual_step == change.usual_step
    yield f"{100 * change.usual_step:.1f} % of the photo from one to the next" if known else "-"
    if change.fastest is not None:
        yield f"fastest before {_named(change.fastest)}: {100 * change.per_hour:.2g} % per hour"


def _first(answer: LapseAnswer) -> Iterator[str]:
    strange = answer.misfits
    where = [f"{_named(p)}{' (does not belong)' * (p in strange)}" for p in answer.look_at]
    if where:
        yield ", ".join(where)


def _named(photo: Photo) -> str:
    return f"frame {photo.frame}" + ("" if photo.time is None else f", {date(photo.time)}")


def _few(listed: Sequence[str]) -> str:
    more = len(listed) - MOST_LISTED
    return ", ".join(listed[:MOST_LISTED]) + (f" and {more} more" if more > 0 else "")


def _at(place: Place | None) -> str:
    return "" if place is None else f" around ({place[0]:.0f}, {place[1]:.0f})"

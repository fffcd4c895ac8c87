"""The answer of a time-lapse in a few lines: light, balance, camera, growth, change, and which
photos to look at first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from vfiscope.segments.columns import Columns
from vfiscope.segments.detectors.bump import BUMP_SIGNALS, bump_limits
from vfiscope.segments.detectors.growth import GREEN_SIGNALS, Growth
from vfiscope.segments.photo_change import Changes
from vfiscope.segments.photo_curves import PHOTO_SIGNALS, PhotoCurves, middle_of
from vfiscope.types import counted, date

if TYPE_CHECKING:
    from vfiscope.store import Run

__all__ = ["LAPSE_SIGNALS", "describe_lapse"]

LAPSE_SIGNALS = (*PHOTO_SIGNALS, *BUMP_SIGNALS, *GREEN_SIGNALS, "changed_step")
MOST_LISTED = 6


def describe_lapse(run: Run) -> list[str]:
    """The lines; none for a run that is no time-lapse or lacks one of its signals."""
    if run.time_lapse is None or not set(LAPSE_SIGNALS) <= set(run.signals) or len(run) < 2:
        return []
    columns = Columns.of(run)
    curves = PhotoCurves(columns)
    told = {
        "light": _light(curves, run),
        "balance": _balance(curves),
        "camera": _camera(columns, curves, run),
        "growth": _growth(Growth(columns), run),
        "change": _change(Changes(columns), run),
        "look at": _first(columns, curves, run),
    }
    lines = [
        f"{'' if n else name:<9}{said}"
        for name, words in told.items()
        for n, said in enumerate(words)
    ]
    return ["the time-lapse:", *(f"  {line}" for line in lines)]


def _light(curves: PhotoCurves, run: Run) -> Iterator[str]:
    light = curves.brightness
    yield f"flickers by {100 * light.size:.1f} % of luma (root mean square)"
    if light.size:
        worst = int(np.nanargmax(np.abs(light.rest)))
        most = float(light.rest[worst])
        yield (
            f"most in {_frame(run, worst)}: {100 * most:+.1f} %, which a deflicker would multiply"
            f" by {np.exp(-most):.3f}"
        )
    day = light.day[np.isfinite(light.day)]
    if len(day) and np.ptp(day):
        yield f"{100 * np.ptp(day):.0f} % between the times of the day"
    yield f"{100 * light.change:+.1f} % from beginning to end"


def _balance(curves: PhotoCurves) -> Iterator[str]:
    red, blue = curves.balance
    yield f"red {100 * red.change:+.1f} %, blue {100 * blue.change:+.1f} % against green"


def _camera(columns: Columns, curves: PhotoCurves, run: Run) -> Iterator[str]:
    far, least_px, turn, least_deg = bump_limits(columns)
    met = curves.belongs & ((far >= least_px) | (turn >= least_deg))
    bumped: list[int] = np.flatnonzero(met).tolist()
    if not bumped:
        yield "was not bumped"
        moved = np.nanmax(far, initial=0), np.nanmax(turn, initial=0)
        yield f"points wander by {moved[0]:.1f} px and {moved[1]:.2f} degrees at most"
        return
    listed = [f"{_frame(run, row)} ({far[row]:.1f} px, {turn[row]:.2f} degrees)" for row in bumped]
    yield f"bumped {counted(len(bumped), 'time')}, before {_few(listed)}"


def _growth(growth: Growth, run: Run) -> Iterator[str]:
    share, rows = growth.share, growth.rows
    if not growth.grows:
        yield f"green does not grow; it takes {100 * np.median(share):.1f} %" if len(share) else "-"
    else:
        ends = 100 * middle_of(share), 100 * middle_of(share, last=True)
        gained = np.cumsum(np.where(np.isin(np.arange(len(rows)), growth.falls), 0, growth.steps))
        half = int(rows[int(np.argmax(gained >= gained[-1] / 2))])
        yield (
            f"green from {ends[0]:.1f} % to {ends[1]:.1f} % of the photo,"
            f" {100 * growth.grown:.1f} % grown in all{_at(growth.place(growth.growing))}, half of"
            f" it by {_frame(run, half)}"
        )
    for at in growth.falls[:MOST_LISTED]:
        yield (
            f"{100 * growth.steps[at]:.1f} % in {_frame(run, int(rows[at]))}"
            f"{_at(growth.place(np.array([at])))}"
        )


def _change(changes: Changes, run: Run) -> Iterator[str]:
    yield f"{100 * np.nanmedian(changes.step):.1f} % of the photo from one to the next"
    if np.isfinite(changes.rate).any():
        fastest = int(np.nanargmax(changes.rate))
        yield (
            f"fastest before {_frame(run, fastest)}: {100 * changes.rate[fastest]:.2g} % per hour"
        )


def _first(columns: Columns, curves: PhotoCurves, run: Run) -> Iterator[str]:
    """Photos to look at: those that do not belong, then what was taken, then the largest jumps."""
    strange = np.flatnonzero(curves.read & ~curves.belongs)
    growth, changes = Growth(columns), Changes(columns)
    rows: list[int] = [*strange.tolist(), *growth.rows[growth.falls].tolist()]
    rows += [row for row in changes.worst.tolist() if row not in rows]
    where = [f"{_frame(run, row)}{' (does not belong)' * (row in strange)}" for row in rows]
    yield ", ".join(where[:MOST_LISTED])


def _frame(run: Run, row: int) -> str:
    moment = run.moment(row)
    return f"frame {int(run.frames.index[row])}" + ("" if moment is None else f", {date(moment)}")


def _few(listed: Sequence[str]) -> str:
    more = len(listed) - MOST_LISTED
    return ", ".join(listed[:MOST_LISTED]) + (f" and {more} more" if more > 0 else "")


def _at(place: tuple[float, float] | None) -> str:
    return "" if place is None else f" around ({place[0]:.0f}, {place[1]:.0f})"

"""What a time-lapse shows, in numbers: light, balance, camera, growth, change, and which photos to
look at first."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from vfiscope.segments.columns import Columns
from vfiscope.segments.detectors.bump import BUMP_SIGNALS, bump_limits
from vfiscope.segments.detectors.growth import GREEN_SIGNALS, Growth
from vfiscope.segments.photo_change import Changes
from vfiscope.segments.photo_curves import PHOTO_SIGNALS, PhotoCurves, middle_of
from vfiscope.store.text import plain

if TYPE_CHECKING:
    from vfiscope.store import Run

__all__ = ["LAPSE_SIGNALS", "LapseAnswer", "Photo", "lapse_answer"]

LAPSE_SIGNALS = (*PHOTO_SIGNALS, *BUMP_SIGNALS, *GREEN_SIGNALS, "changed_step")
MOST_TO_SEE = 6
Place = tuple[float, float]


@dataclass(frozen=True)
class Photo:
    """A photo of a run."""

    frame: int
    """Its decode ordinal."""
    time: str | None
    """When it was taken: ISO 8601."""


@dataclass(frozen=True)
class LightAnswer:
    """How its light varies; parts of luma, 0.01 for 1 %."""

    flicker: float
    """Root mean square of what is neither trend nor light of the day."""
    worst: Photo | None
    worst_flicker: float
    """Of that photo, signed."""
    deflicker: float
    """What a deflicker would multiply it by."""
    day: float
    """From the darkest to the lightest time of the day; 0 where no day is seen."""
    change: float
    """From beginning to end."""


@dataclass(frozen=True)
class BalanceAnswer:
    """How its white balance drifts from beginning to end: parts, against green."""

    red: float
    blue: float


@dataclass(frozen=True)
class Bump:
    """A jump of the camera before a photo, in px and degrees."""

    before: Photo
    px: float
    degrees: float


@dataclass(frozen=True)
class CameraAnswer:
    """Its bumps, and how far points wander at most."""

    bumps: Sequence[Bump]
    wander_px: float
    wander_degrees: float


@dataclass(frozen=True)
class Fall:
    """Something green that was taken away: a part of the photo, and the centre of it in px."""

    photo: Photo
    share: float
    place: Place | None


@dataclass(frozen=True)
class GrowthAnswer:
    """What is green: parts of the photo."""

    grows: bool
    first: float
    last: float
    usual: float
    grown: float
    """All that came to it, whatever was taken in between."""
    place: Place | None
    """Centre of it in px."""
    half_by: Photo | None
    falls: Sequence[Fall]


@dataclass(frozen=True)
class ChangeAnswer:
    """What else changes, beyond light and the camera: parts of the photo."""

    usual_step: float
    fastest: Photo | None
    per_hour: float
    """At the fastest."""


@dataclass(frozen=True)
class LapseAnswer:
    """All of it. Numbers that are not known are NaN."""

    light: LightAnswer
    balance: BalanceAnswer
    camera: CameraAnswer
    growth: GrowthAnswer
    change: ChangeAnswer
    misfits: Sequence[Photo]
    """Those that do not belong."""
    look_at: Sequence[Photo]
    """A few: misfits, then what was taken, then the largest jumps."""

    def to_dict(self) -> dict[str, Any]:
        """JSON-able values; None for numbers that are not known."""
        found: dict[str, Any] = plain(asdict(self))
        return found


def lapse_answer(run: Run) -> LapseAnswer:
    """The answer of a run that holds the signals ``LAPSE_SIGNALS`` of at least two photos."""
    columns = Columns.of(run)
    curves, growth, changes = PhotoCurves(columns), Growth(columns), Changes(columns)
    red, blue = curves.balance
    strange = np.flatnonzero(curves.read & ~curves.belongs).tolist()
    rows = [*strange, *growth.rows[growth.falls].tolist()]
    rows += [row for row in changes.worst.tolist() if row not in rows]
    return LapseAnswer(
        _light(run, curves),
        BalanceAnswer(float(red.change), float(blue.change)),
        _camera(run, columns, curves),
        _growth(run, growth),
        _change(run, changes),
        _photos(run, strange),
        _photos(run, rows[:MOST_TO_SEE]),
    )


def _light(run: Run, curves: PhotoCurves) -> LightAnswer:
    light = curves.brightness
    day = light.day[np.isfinite(light.day)]
    worst = int(np.nanargmax(np.abs(light.rest))) if light.size else None
    most = 0.0 if worst is None else float(light.rest[worst])
    return LightAnswer(
        float(light.size),
        None if worst is None else _photo(run, worst),
        most,
        float(np.exp(-most)),
        float(np.ptp(day)) if len(day) else 0.0,
        float(light.change),
    )


def _camera(run: Run, columns: Columns, curves: PhotoCurves) -> CameraAnswer:
    far, least_px, turn, least_deg = bump_limits(columns)
    met = curves.belongs & ((far >= least_px) | (turn >= least_deg))
    bumps = [
        Bump(_photo(run, row), float(far[row]), float(turn[row]))
        for row in np.flatnonzero(met).tolist()
    ]
    most = (float(np.nanmax(np.where(met, 0, each), initial=0)) for each in (far, turn))
    return CameraAnswer(bumps, *most)


def _growth(run: Run, growth: Growth) -> GrowthAnswer:
    share, rows = growth.share, growth.rows
    place, half = None, None
    if growth.grows:
        place = growth.place(growth.growing)
        half = _photo(run, growth.half)
    falls = [
        Fall(_photo(run, int(rows[at])), -float(growth.steps[at]), growth.place(np.array([at])))
        for at in growth.falls
    ]
    known = len(share) > 0
    return GrowthAnswer(
        bool(growth.grows),
        middle_of(share) if known else np.nan,
        middle_of(share, last=True) if known else np.nan,
        float(np.median(share)) if known else np.nan,
        float(growth.grown) if growth.grows else 0.0,
        place,
        half,
        falls,
    )


def _change(run: Run, changes: Changes) -> ChangeAnswer:
    rate, known = changes.rate, changes.step[np.isfinite(changes.step)]
    fastest = int(np.nanargmax(rate)) if np.nanmax(rate, initial=0) > 0 else None
    return ChangeAnswer(
        float(np.median(known)) if len(known) else np.nan,
        None if fastest is None else _photo(run, fastest),
        np.nan if fastest is None else float(rate[fastest]),
    )


def _photos(run: Run, rows: Iterable[int]) -> list[Photo]:
    return [_photo(run, row) for row in rows]


def _photo(run: Run, row: int) -> Photo:
    return Photo(int(run.frames.index[row]), run.moment(row))

"""The order and the times of a sequence of images: by their names, and by when they were taken."""

from __future__ import annotations

import itertools
import os
from collections.abc import Sequence
from datetime import timedelta
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from vfiscope.errors import SourceError
from vfiscope.files import open_regular
from vfiscope.sources.images.capture_times import (
    MICROSECOND,
    from_exif,
    from_name,
    names_are_dated,
)
from vfiscope.sources.images.image_header import HEIC_EXTENSIONS, read_header
from vfiscope.types import UNIX_EPOCH, Code, Note, TimeLapse, date, moment_of

__all__ = ["Taken", "taken"]

HOUR = 3600 * MICROSECOND
SAME_STEP = 0.02
"""Relative difference of two equal steps, and at least two seconds, by which timers vary."""
MIN_EVEN_SHARE = 0.75
"""Of the steps that are usual in an even sequence."""
MIN_EVEN_STEPS = 3
ENDS_OF_SUMMER = frozenset(
    {(10, day) for day in range(25, 32)}
    | {(month, day) for month in (4, 11) for day in range(1, 8)}
)
"""(month, day) of the last Sunday of October (Europe, America before 2007), and the first of
November (America) and of April (Australia, New Zealand)."""
SUNDAY = 6
END_OF_NIGHT = 4
"""Clocks are put back from 3, 2 or 1."""
PHOTO_EXTENSIONS = (".jpg", ".jpeg", *HEIC_EXTENSIONS)
"""Of what cameras write; rendered frames are seldom lossy."""
LOOKED_AT = 3
"""First images that are asked for an EXIF time; where they have none, the others are not opened."""


class Taken(NamedTuple):
    """Image files in the order of frames."""

    files: tuple[str, ...]
    moments: tuple[int, ...] | None
    """Microseconds since 1970, rising, of the first files or of all; None where images are
    counted."""
    how: str = ""
    """exif or name; "" where images are counted."""
    notes: tuple[Note, ...] = ()


def taken(files: tuple[str, ...], how: str | None, stop: int | None = None) -> Taken:
    """The order and the times of images.

    Asked for times, images are in their order, and names order what has the same time. Otherwise
    names order, and times are used where every image has one and they do not disagree with that.
    Times that are shared are spread within their second, files that cannot be read get a time
    between their neighbours, and a clock that goes back by an hour in an even sequence is taken for
    the end of summer time; with steps of an hour, which show one time twice, only in the nights in
    which that ends.

    Args:
        files: in the order of names.
        how: "exif" for DateTimeOriginal, "name" for a date or a unix time in the names, "fps" to
            count; None for what can be found: EXIF, then names.
        stop: the first ordinal that is not needed; images after it are not opened to find EXIF.

    Raises:
        SourceError: times were asked for, and a readable file has none.
    """
    if how == "fps" or (how is None and len(files) < 2):
        return Taken(files, None)
    if how is not None:
        return _asked(files, how)
    if any(from_exif(file) is not None for file in files[:LOOKED_AT]):
        part = files if stop is None else files[: stop + 1]
        moments = [from_exif(file) for file in part]
        lacking = [file for file, each in zip(part, moments, strict=True) if each is None]
        if not any(_is_readable(file) for file in lacking):
            return _found(files, _filled(moments), "exif")
    names = [from_name(file) for file in files]
    if names_are_dated(files, names):
        return _found(files, _filled(names), "name")
    photos = all(os.path.splitext(file)[1].lower() in PHOTO_EXTENSIONS for file in files)
    notes = [Note(Code.NOT_DATED, {"count": len(files)})] if photos else []
    return Taken(files, None, notes=tuple(notes))


def _asked(files: tuple[str, ...], how: str) -> Taken:
    moments = [from_exif(file) if how == "exif" else from_name(file) for file in files]
    for file, moment in zip(files, moments, strict=True):
        if moment is None and (how == "name" or _is_readable(file)):
            what = "EXIF time (DateTimeOriginal)" if how == "exif" else "unix time or date in its"
            what += " name" if how == "name" else ""
            raise SourceError(f"{file} has no {what}: leave it out, or leave out --time-from")
    if all(moment is None for moment in moments):
        raise SourceError(
            f"none of {len(files)} images, such as {files[0]}, can be read: check the files"
        )
    known = _filled(moments)
    straight, clock = _straightened(known)
    if _rises(straight):
        return _timed(files, straight, how, clock)
    order = sorted(range(len(files)), key=lambda row: (known[row], row))
    moved = next(row for row, place in enumerate(order) if row != place)
    note = Note(Code.READ_BY_TIME, {"file": os.path.basename(files[order[moved]]), "row": moved})
    ordered = tuple(files[row] for row in order)
    return _timed(ordered, [known[row] for row in order], how, [note])


def _found(files: tuple[str, ...], known: list[int], how: str) -> Taken:
    straight, clock = _straightened(known)
    if _rises(straight):
        if straight[0] == straight[-1]:  # a clock that was never set
            return Taken(files, None)
        return _timed(files, straight, how, clock)
    row = next(row for row in range(1, len(known)) if known[row] < known[row - 1])
    values = {
        "how": how,
        "file": os.path.basename(files[row]),
        "at": moment_of(known[row]),
        "before": os.path.basename(files[row - 1]),
        "before_at": moment_of(known[row - 1]),
    }
    return Taken(files, None, "", (Note(Code.NAMES_AGAINST_TIMES, values),))


def _timed(files: tuple[str, ...], moments: list[int], how: str, notes: Sequence[Note]) -> Taken:
    spread = _spread(moments)
    lapse = TimeLapse.of(spread)
    if lapse is None or not all(a < b for a, b in itertools.pairwise(spread)):
        return Taken(files, None)
    shared = len(moments) - len(set(moments))
    shares = [Note(Code.TIMES_SHARED, {"count": shared})] if shared else []
    said = Note(Code.TAKEN, {**lapse.to_dict(), "how": how})
    return Taken(files, tuple(spread), how, (said, *notes, *shares))


def _filled(moments: Sequence[int | None]) -> list[int]:
    """The moments, with those of unreadable files evenly between their neighbours, and at the ends
    a usual step away."""
    rows = np.array([row for row, moment in enumerate(moments) if moment is not None])
    known = [moment for moment in moments if moment is not None]
    steps = np.diff(known) // np.maximum(1, np.diff(rows))
    step = int(np.median(steps)) if len(steps) else MICROSECOND
    found = []
    for row, moment in enumerate(moments):
        after = int(np.searchsorted(rows, row))
        if moment is not None:
            found.append(moment)
        elif after == 0:
            found.append(known[0] - step * int(rows[0] - row))
        elif after == len(rows):
            found.append(known[-1] + step * int(row - rows[-1]))
        else:
            low, high = int(rows[after - 1]), int(rows[after])
            share = known[after] - known[after - 1]
            found.append(known[after - 1] + share * (row - low) // (high - low))
    return found


def _straightened(moments: list[int]) -> tuple[list[int], list[Note]]:
    """Moments with an hour added after each place where the clock went back by one in an otherwise
    even sequence, and a note on the first such place; or on the one where it may have gone forward.
    """
    steps = np.diff(np.array(moments, np.float64))
    forward = steps[steps > 0]
    usual = float(np.median(forward)) if len(forward) else 0.0
    margin = max(2 * MICROSECOND, SAME_STEP * usual)
    even = np.abs(steps - usual) <= margin
    back = (steps <= 0) & (np.abs(steps + HOUR - usual) <= margin)
    if abs(usual - HOUR) <= margin:  # an equal time may as well be that of a copied photo
        back &= [_may_end_summer(moment) for moment in moments[1:]]
    ahead = np.abs(steps - HOUR - usual) <= margin
    others = len(steps) - back.sum() - ahead.sum()
    if even.sum() < max(MIN_EVEN_STEPS, MIN_EVEN_SHARE * others):
        return moments, []
    if not back.any():
        told = ahead if ahead.sum() == 1 else back
        return moments, _on_clock(Code.CLOCK_WENT_FORWARD, moments, told)
    hours = [0, *np.cumsum(back).tolist()]
    straight = [moment + HOUR * late for moment, late in zip(moments, hours, strict=True)]
    return straight, _on_clock(Code.CLOCK_WENT_BACK, moments, back)


def _may_end_summer(moment: int) -> bool:
    """True in the nights in which clocks are put back by an hour: before a Sunday morning around
    the end of October, and on the southern half around the first of April."""
    shown = UNIX_EPOCH + timedelta(microseconds=moment)
    in_season = (shown.month, shown.day) in ENDS_OF_SUMMER
    return in_season and shown.weekday() == SUNDAY and shown.hour < END_OF_NIGHT


def _on_clock(code: Code, moments: Sequence[int], steps: NDArray[np.bool_]) -> list[Note]:
    """A note on the first of some steps; none where there is none."""
    if not steps.any():
        return []
    row = int(np.argmax(steps)) + 1
    at = moment_of(moments[row])
    return [Note(code, {"row": row, "at": at and date(at)})]


def _rises(moments: Sequence[int]) -> bool:
    return all(before <= after for before, after in itertools.pairwise(moments))


def _spread(moments: Sequence[int]) -> list[int]:
    """Rising moments, equal ones evenly within their second, or up to the next one."""
    found: list[int] = []
    for moment, group in itertools.groupby(moments):
        count = len(list(group))
        after = moments[len(found) + count] if len(found) + count < len(moments) else None
        room = MICROSECOND if after is None else min(MICROSECOND, after - moment)
        found += [moment + room * place // count for place in range(count)]
    return found


def _is_readable(file: str) -> bool:
    try:
        with open_regular(file) as stream:
            read_header(stream, file, count=False)
    except (OSError, SourceError):
        return False
    return True

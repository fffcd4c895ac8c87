"""Capture times of the images of a time-lapse, from EXIF or from their names."""

from __future__ import annotations

import itertools
import os
import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

from vfiscope.errors import SourceError
from vfiscope.files import open_regular
from vfiscope.types import UNIX_EPOCH

__all__ = ["MICROSECOND", "capture_times"]

MICROSECOND = 10**6
EXIF_FOLDER, EXIF_TAKEN, EXIF_OFFSET, EXIF_FRACTION = 0x8769, 0x9003, 0x9011, 0x9291
CALENDAR = re.compile(
    r"(?<!\d)((?:19|20)\d\d)[-_.]?(\d\d)[-_.]?(\d\d)[T"
    r" _-]?(\d\d)[-_.:h]?(\d\d)[-_.:m]?(\d\d)(?:[.,](\d{1,6}))?(?!\d)"
)
UNIX = re.compile(r"(?<!\d)(\d{13}|\d{9,10})(?!\d)")


def capture_times(files: Sequence[str], how: str) -> tuple[int, ...]:
    """Microseconds since 1970 of every file; times without a zone are taken as UTC.

    Args:
        files: image files in order.
        how: "exif" for DateTimeOriginal (with its fraction and offset where they are there), "name"
            for a unix time in seconds or milliseconds, or year to second as in 2024-05-01T12:30:00
            or 20240501_123000, in the file name.

    Raises:
        SourceError: a file lacks that time, or the times do not increase.
    """
    read: Callable[[str], int | None] = _from_exif if how == "exif" else _from_name
    moments = []
    for file in files:
        moment = read(file)
        if moment is None:
            what = (
                "EXIF time (DateTimeOriginal)"
                if how == "exif"
                else "unix time or date with seconds in its name"
            )
            raise SourceError(f"{file} has no {what}: leave it out, or leave out --time-from")
        moments.append(moment)
    for i, (before, after) in enumerate(itertools.pairwise(moments)):
        if after <= before:
            raise SourceError(
                f"{files[i + 1]} was not taken after {os.path.basename(files[i])}"
                f" ({_shown(before)}, {_shown(after)}): name the files in the order of time, or"
                " leave out --time-from"
            )
    return tuple(moments)


def _from_exif(file: str) -> int | None:
    try:
        from PIL import Image

        with open_regular(file) as stream, Image.open(stream) as image:
            tags = Image.Image.getexif(image).get_ifd(EXIF_FOLDER)
        taken = datetime.strptime(str(tags[EXIF_TAKEN]).strip("\0 "), "%Y:%m:%d %H:%M:%S")
        digits = str(tags.get(EXIF_FRACTION, "0")).strip("\0 ")
        fraction = int(f"{digits:0<6}"[:6]) if digits.isdigit() else 0
        zone = (
            datetime.strptime(str(tags[EXIF_OFFSET]).strip("\0 "), "%z").tzinfo
            if EXIF_OFFSET in tags
            else UTC
        )
    except (OSError, SyntaxError, ValueError, TypeError, KeyError):
        return None
    return _microseconds(taken.replace(microsecond=fraction, tzinfo=zone))


def _from_name(file: str) -> int | None:
    stem = os.path.splitext(os.path.basename(file))[0]
    if found := CALENDAR.search(stem):
        try:
            year, month, day, hour, minute, second = (int(part) for part in found.groups()[:6])
            taken = datetime(year, month, day, hour, minute, second, tzinfo=UTC)
        except ValueError:
            return None
        return _microseconds(taken) + int(f"{found[7] or '0':0<6}")
    if found := UNIX.search(stem):
        return int(found[1]) * (1000 if len(found[1]) == 13 else MICROSECOND)
    return None


def _microseconds(moment: datetime) -> int:
    return (moment - UNIX_EPOCH) // timedelta(microseconds=1)


def _shown(moment: int) -> str:
    return (UNIX_EPOCH + timedelta(microseconds=moment)).isoformat()

"""Capture times of single images, from EXIF or from their names."""

from __future__ import annotations

import itertools
import os
import re
import struct
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from vfiscope.errors import SourceError
from vfiscope.files import open_regular
from vfiscope.sources.images.heic import is_heic, open_heic
from vfiscope.sources.images.image_header import HEAD_BYTES, PILLOW_FORMATS, quietly
from vfiscope.types import UNIX_EPOCH

__all__ = ["MICROSECOND", "from_exif", "from_name", "names_are_dated"]

MICROSECOND = 10**6
EXIF_FOLDER, EXIF_TAKEN, EXIF_OFFSET, EXIF_FRACTION = 0x8769, 0x9003, 0x9011, 0x9291
CALENDAR = re.compile(
    r"(?<!\d)((?:19|20)\d\d)[-_.]?(\d\d)[-_.]?(\d\d)"
    r"(?:[T _-]?(\d\d)[-_.:h]?(\d\d)(?:[-_.:m]?(\d\d)(?:[.,](\d{1,6}))?)?)?(?!\d)"
)
CLOCK_DIGITS = re.compile(r"(?<!\d)(?:19|20)\d\d[-_.]?\d\d[-_.]?\d\d[T _-]?(\d{4}|\d{6})(?!\d)")
UNIX = re.compile(r"(?<!\d)(\d{13}|\d{9,10})(?!\d)")
DATE_AND_HOUR = re.compile(
    r"(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])(?:[01]\d|2[0-3])"
)
PLAUSIBLE = 631_152_000 * MICROSECOND, 2**31 * MICROSECOND
"""1990, before which there were hardly any digital photos, and 2038: numbers that count frames from
0 lie before."""


def from_exif(file: str) -> int | None:
    """Microseconds since 1970 of DateTimeOriginal, with its fraction and offset where they are
    there; without an offset as UTC. None where there is no such time."""
    from PIL import Image

    try:
        tags = _tags(file)
        taken = datetime.strptime(str(tags[EXIF_TAKEN]).strip("\0 "), "%Y:%m:%d %H:%M:%S")
        digits = str(tags.get(EXIF_FRACTION, "0")).strip("\0 ")
        fraction = int(f"{digits:0<6}"[:6]) if digits.isdigit() else 0
        zone = (
            datetime.strptime(str(tags[EXIF_OFFSET]).strip("\0 "), "%z").tzinfo
            if EXIF_OFFSET in tags
            else UTC
        )
    except (
        *(OSError, SyntaxError, ValueError, TypeError, KeyError, SourceError),
        *(AttributeError, EOFError, OverflowError, struct.error, Image.DecompressionBombError),
    ):  # what Pillow raises about damaged tags
        return None
    return _microseconds(taken.replace(microsecond=fraction, tzinfo=zone))


def _tags(file: str) -> Mapping[int, Any]:
    """The tags of the EXIF folder that holds the time."""
    from PIL import Image

    with open_regular(file) as stream:
        heic = is_heic(stream.read(HEAD_BYTES))
        stream.seek(0)
        if heic:
            exif = Image.Exif()
            exif.load(open_heic(stream, file)[0].info["exif"])
            return exif.get_ifd(EXIF_FOLDER)
        with quietly(), Image.open(stream, formats=PILLOW_FORMATS) as image:
            return Image.Image.getexif(image).get_ifd(EXIF_FOLDER)


def from_name(file: str) -> int | None:
    """Microseconds since 1970 of a date (2024-05-01, 20240501_1230, 2024-05-01T12:30:00.5) or a
    unix time (1585746033, 1585746033250) in a name; None where there is none."""
    stem = os.path.splitext(os.path.basename(file))[0]
    if found := CALENDAR.search(stem):
        try:
            year, month, day, hour, minute, second = (int(part or 0) for part in found.groups()[:6])
            taken = datetime(year, month, day, hour, minute, second, tzinfo=UTC)
        except ValueError:
            pass
        else:
            return _microseconds(taken) + int(f"{found[7] or '0':0<6}")
    found = UNIX.search(stem)
    if found is None or DATE_AND_HOUR.fullmatch(found[1]):
        return None
    return int(found[1]) * (1000 if len(found[1]) == 13 else MICROSECOND)


def names_are_dated(files: Sequence[str], moments: Sequence[int | None]) -> bool:
    """True if the moments of names can hardly be other numbers.

    Every name has one, between 1990 and 2038, no two are alike, and what stands behind a date is no
    counter: as a clock, it would be within the first hour of the day, and it mostly goes on by 1
    (``20240501_0001``, ``20240501_0002``; ``20240501_000100``, ``20240501_000101``).
    """
    known = [moment for moment in moments if moment is not None]
    low, high = PLAUSIBLE
    if len(known) < len(files) or len(set(known)) < len(known):
        return False
    return not _are_counted(files) and all(low <= moment < high for moment in known)


def _are_counted(files: Sequence[str]) -> bool:
    """True if the digits behind the dates of all names are those of a counter."""
    stems = (os.path.splitext(os.path.basename(file))[0] for file in files)
    digits = [found[1] for stem in stems if (found := CLOCK_DIGITS.search(stem))]
    steps = [int(after) - int(before) for before, after in itertools.pairwise(digits)]
    early = all(each.startswith("00") for each in digits)
    return len(digits) == len(files) and early and 2 * steps.count(1) > len(steps)


def _microseconds(moment: datetime) -> int:
    return (moment - UNIX_EPOCH) // timedelta(microseconds=1)

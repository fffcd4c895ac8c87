"""Images whose names are numbered without gaps, as editors open them: one sequence."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from vfiscope.types import Int64

__all__ = ["NumberedImages", "numbered_images"]

NUMBERED_NAME = re.compile(
    r"(?P<prefix>(?:[^/\\]*[^/\\\d])?)(?P<number>\d{1,9})(?P<suffix>\.[^./\\]+)"
)


@dataclass(frozen=True)
class NumberedImages:
    """The names of a sequence: prefix, number and suffix."""

    folder: str
    prefix: str
    suffix: str
    first: int
    """The number of the image with ordinal 0."""
    step: int
    """From one number to the next."""
    digits: int
    """Least number of digits, with zeros before."""


def numbered_images(path: str, names: Sequence[str], ordinals: Int64) -> NumberedImages | None:
    """The sequence that some images belong to; None where their names do not tell it.

    Args:
        path: the folder, or the pattern or glob that the images were named with.
        names: the images of some ordinals, relative to the folder that they share.
        ordinals: those, rising.
    """
    found = [NUMBERED_NAME.fullmatch(name) for name in names]
    parts = [match.groupdict() for match in found if match is not None]
    around = {(part["prefix"], part["suffix"]) for part in parts}
    if len(parts) < len(names) or len(around) != 1:
        return None
    (prefix, suffix) = around.pop()
    numbers = [int(part["number"]) for part in parts]
    rows = [int(ordinal) for ordinal in ordinals]
    step = max(1, (numbers[-1] - numbers[0]) // max(1, rows[-1] - rows[0]))
    even = all(
        number - before == step * (row - row_before)
        for (before, number), (row_before, row) in zip(
            pairwise(numbers), pairwise(rows), strict=True
        )
    )
    first, widths = numbers[0] - step * rows[0], {len(part["number"]) for part in parts}
    padded = any(part["number"].startswith("0") and len(part["number"]) > 1 for part in parts)
    if not even or first < 0 or (padded and len(widths) > 1):
        return None
    folder = path if not path.endswith(suffix) else path.replace("\\", "/").rpartition("/")[0]
    return NumberedImages(
        folder, prefix, suffix, first, step, widths.pop() if len(widths) == 1 else 1
    )

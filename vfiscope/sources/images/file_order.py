"""The natural order of image files: by the numbers in their names.

A minus is a sign where it cannot be a hyphen: at the start of a name, or after a character such as
``_`` or a space, and only where other numbers in its place have none (``frame_-0004.png`` lies
before ``frame_0000.png``; ``2024-05-01`` has none, nor have ``Scene -001``, ``Scene -002``).
Digits after a point are its fraction (``t_0.25`` lies before ``t_0.5``), except in a chain
(``2024.05.01``) and where they are a counter of their own, which ends in 0 and has another length
than others (``1.9``, ``1.10``): no program writes fractions so. Capitals do not order. A camera's
counter that starts again (``9998, 9999, 0001``) is read over that place.
"""

from __future__ import annotations

import itertools
import os
import re
from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import NamedTuple

__all__ = ["Ordered", "in_order"]

SIGN = r"(?:(?<![^\W_])-)?"
WHOLE = re.compile(rf"({SIGN}\d+)")
WITH_FRACTION = re.compile(rf"({SIGN}(?<!\d\.)(?<!\d)\d+\.\d+(?!\d|\.\d)|{SIGN}\d+)")
MIN_COUNTER_DIGITS = 3
"""A counter of fewer digits starts again so often that its names repeat."""

Part = tuple[str | int | Fraction, ...]
"""Text and numbers of a name in turn, text first."""


class Ordered(NamedTuple):
    """Files in natural order."""

    files: tuple[str, ...]
    numbers: tuple[int, ...]
    """The one whole number in which their names differ, counted on where the counter starts again;
    none where they differ otherwise."""
    written: tuple[int, ...]
    """The same numbers as they are written."""
    same: tuple[str, str] | None
    """Two files that stand for one frame."""


def in_order(files: Sequence[str], *, signed: bool = False) -> Ordered:
    """Image files in natural order.

    Folders order before names, and names before extensions.

    Args:
        files: their paths.
        signed: whether every minus that can be a sign is one.
    """
    names = [os.path.split(file) for file in files]
    pattern = WITH_FRACTION if _has_fractions([name for _, name in names]) else WHOLE
    stems, suffixes = zip(*(os.path.splitext(name) for _, name in names), strict=True)
    paths = list(dict.fromkeys(folder for folder, _ in names))
    levels = _parts([level for path in paths for level in path.split(os.sep)], WHOLE, signed)
    folders = {path: tuple(itertools.islice(levels, path.count(os.sep) + 1)) for path in paths}
    parts = _parts(stems, pattern, signed)
    keyed = [
        (folders[folder], folder, part, suffix.casefold(), file)
        for (folder, _), part, suffix, file in zip(names, parts, suffixes, files, strict=True)
    ]
    keyed.sort()
    ordered = [file for *_, file in keyed]
    same = next(
        (
            (one[-1], other[-1])
            for one, other in itertools.pairwise(keyed)
            if one[1:3] == other[1:3]
        ),
        None,
    )
    numbers = _numbers([(*folder, stem) for folder, _, stem, *_ in keyed])
    first = _start(ordered, numbers)
    span = 0 if not first else numbers[-1] + (numbers[0] == 0)
    return Ordered(
        tuple(ordered[first:] + ordered[:first]),
        tuple(numbers[first:] + [number + span for number in numbers[:first]]),
        tuple(numbers[first:] + numbers[:first]),
        same,
    )


def _parts(names: Sequence[str], pattern: re.Pattern[str], signed: bool) -> Iterator[Part]:
    """Text and numbers of names; a minus before which no number stands alone belongs to the text.

    A place is known by the texts before it.
    """
    split = [pattern.split(name.casefold()) for name in names]
    plain = {
        tuple(pieces[:at:2])
        for pieces in split
        for at in range(1, len(pieces), 2)
        if not pieces[at].startswith("-")
    }
    for pieces in split:
        part: list[str | int | Fraction] = list(pieces)
        for at in range(1, len(pieces), 2):
            hyphen = pieces[at][0] == "-" and not signed and tuple(pieces[:at:2]) not in plain
            part[at - 1] = f"{pieces[at - 1]}{'-' * hyphen}"
            part[at] = _number(pieces[at][hyphen:])
        yield tuple(part)


def _number(digits: str) -> int | Fraction:
    return Fraction(digits) if "." in digits else int(digits)


def _has_fractions(names: Sequence[str]) -> bool:
    """True if digits after a point are fractions, False if there are none or they are counters."""
    stems = (os.path.splitext(name)[0] for name in names)
    found = [
        part.partition(".")[2]
        for stem in stems
        if "." in stem
        for part in WITH_FRACTION.findall(stem)
        if "." in part
    ]
    lengths = {len(digits) for digits in found}
    counted = len(lengths) > 1 and any(len(each) > 1 and each.endswith("0") for each in found)
    return bool(found) and not counted


def _numbers(keys: Sequence[tuple[Part, ...]]) -> list[int]:
    """The one whole number in which the names differ; none where they differ otherwise."""
    rows = [[piece for part in key for piece in part] for key in keys]
    if len({len(row) for row in rows}) != 1:
        return []
    columns = [column for column in zip(*rows, strict=True) if len(set(column)) > 1]
    if len(columns) != 1 or not all(isinstance(value, int) for value in columns[0]):
        return []
    return [int(value) for value in columns[0]]


def _start(files: Sequence[str], numbers: Sequence[int]) -> int:
    """The row at which a counter that starts again begins; 0 where none does.

    Its last number before that is all nines, its first 0 or 1, and more than half of its range is
    missing between: such as 0001..0006, 9994..9999.
    """
    if not numbers or numbers[0] not in (0, 1):
        return 0
    digits = len(str(numbers[-1]))
    full = numbers[-1] == 10**digits - 1 and digits >= MIN_COUNTER_DIGITS
    half = 10**digits / 2
    gaps = [row for row in range(1, len(numbers)) if numbers[row] - numbers[row - 1] > half]
    if not full or len(gaps) != 1:
        return 0
    padded = f"{numbers[0]:0{digits}}"
    return gaps[0] if padded in os.path.basename(files[0]) else 0

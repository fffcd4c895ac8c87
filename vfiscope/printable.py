"""Texts of anybody, made safe where they are shown: on a terminal, in a figure, in a spreadsheet.

Names of files, messages of decoders and everything in a result of somebody else may hold escape
codes that drive a terminal, marks that turn the direction of writing, line breaks that look like
further output, formulas, or megabytes. All that is printed, drawn or written as CSV passes one of
these functions (:mod:`vfiscope.cli.terminal`, :func:`vfiscope.views.style.clean_texts` and
:class:`CsvRows` see to it), and JSON is written in ASCII.
"""

from __future__ import annotations

import csv
import math
import numbers
import unicodedata
from collections.abc import Iterable, Mapping
from typing import Any, TextIO

__all__ = ["LONGEST_LINE", "MOST_SHOWN", "CsvRows", "cell", "printable", "printable_lines", "shown"]

MOST_SHOWN = 1000
"""Characters of a text of somebody else that are shown."""
CUT_ROOM = 40
"""Characters beyond that are let be, so that what was cut, and says so, is not cut again."""
LONGEST_LINE = 5000
"""Characters of a printed line: longer than any that vfiscope makes of such texts."""
REPLACEMENT = "\ufffd"
"""What stands for a character that is not shown."""
FORMULA_MARKS = frozenset("=+-@")
"""What begins a formula in a spreadsheet, in its ASCII form."""


def printable(text: str, most: int = MOST_SHOWN) -> str:
    """One line of a text, short enough to be shown: control characters, line breaks, marks of
    direction and lone surrogates are replaced by U+FFFD, and a long text says that it was cut."""
    whole = len(text) <= most + CUT_ROOM
    kept = text if whole else text[:most]
    clean = kept if kept.isprintable() else "".join(map(_letter, kept))
    return clean if whole else f"{clean}… (cut, of {len(text)} characters)"


def printable_lines(text: str, most: int = LONGEST_LINE) -> str:
    """The same for a text of several lines, whose line breaks stay."""
    return "\n".join(printable(line, most) for line in text.split("\n"))


def shown(value: Any) -> Any:
    """A JSON value with every text in it, keys too, made printable."""
    if isinstance(value, str):
        return printable(value)
    if isinstance(value, Mapping):
        return {printable(str(key)): shown(item) for key, item in value.items()}
    return [shown(item) for item in value] if isinstance(value, list | tuple) else value


def cell(value: object) -> str:
    """A value as the cell of a spreadsheet: empty where there is none, numbers with the fewest
    digits that read back as the same value, and texts printable and never a formula.

    Spreadsheets compute a text that begins with one of ``= + - @``; they take it as a text behind
    an apostrophe. The wide forms of these characters count too.
    """
    if value is None or (isinstance(value, numbers.Real) and math.isnan(value)):
        return ""
    if not isinstance(value, str):
        return str(value)
    text = printable(value)
    first = unicodedata.normalize("NFKC", text.lstrip()[:1])
    return f"'{text}" if first in FORMULA_MARKS else text


class CsvRows:
    """Rows of a .csv file, whose cells are those of :func:`cell`.

    Args:
        file: where they go, opened with ``newline=""``.
        end: of a line.
    """

    def __init__(self, file: TextIO, end: str = "\n") -> None:
        self._writer = csv.writer(file, lineterminator=end)

    def write(self, rows: Iterable[Iterable[object]]) -> None:
        """Append rows."""
        self._writer.writerows([cell(value) for value in row] for row in rows)


def _letter(letter: str) -> str:
    # isprintable() holds every space but the ASCII one for unprintable; they do no harm
    safe = letter.isprintable() or unicodedata.category(letter) == "Zs"
    return letter if safe else REPLACEMENT

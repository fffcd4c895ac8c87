"""A table as text for a terminal, CSV, Markdown, LaTeX or JSON.

Methods are rows and metrics columns, those that are not ranked in a part of their own. The best
value is marked by ``*`` (text), ``**bold**`` or ``\\textbf`` where its lead is decisive, else by
``~``, ``*italic*`` or ``\\textit``. Numbers of a column have one form, with as many decimals as
show four digits of the largest mean; scientific where that is below 0.001, or another mean would
show as 0. CSV and JSON have all digits.
"""

from __future__ import annotations

import io
import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from vfiscope.errors import UsageError
from vfiscope.files import replacing
from vfiscope.printable import CsvRows
from vfiscope.views.export import suffix_of
from vfiscope.views.table import Column, Table, Worst
from vfiscope.views.table_cells import (
    footnotes,
    format_of_column,
    interval,
    leading,
    mark_of,
    number,
    parts,
)
from vfiscope.views.table_markup import latex, markdown

__all__ = ["format_of", "render", "write_table"]

FORMAT_OF_EXTENSION = {
    ".txt": "text",
    ".csv": "csv",
    ".md": "markdown",
    ".tex": "latex",
    ".json": "json",
}
WIDTH = 110
"""Characters of a line of text; further columns go below."""
GAP = 2
BOLD, PLAIN = "\x1b[1m", "\x1b[0m"
LEGEND = (
    "* best, and decisive: the 95 % interval of its lead over the second does not contain 0",
    "~ best, but not decisive",
)


def render(table: Table, form: str = "text", *, bold: bool = False) -> str:
    """A table as a text that ends in a line break.

    Args:
        table: what to show.
        form: text, csv, markdown, latex or json.
        bold: show decisive values of a text in bold too, for a terminal.

    Raises:
        UsageError: there is no such form.
    """
    if form not in RENDERERS:
        raise UsageError(f"format is {form!r}: choose one of {', '.join(RENDERERS)}")
    return _text(table, bold) if form == "text" else RENDERERS[form](table)


def format_of(out: str | os.PathLike[str], form: str | None = None) -> str:
    """The form of a file: the one that is named, else that of its extension.

    Raises:
        UsageError: the extension is none of .txt, .csv, .md, .tex and .json.
    """
    return form or FORMAT_OF_EXTENSION[suffix_of(Path(out), tuple(FORMAT_OF_EXTENSION))]


def write_table(
    table: Table, out: str | os.PathLike[str], form: str | None = None, *, overwrite: bool = False
) -> Path:
    """Write a table; the extension of ``out`` chooses the form where none is named. It appears
    whole or not at all.

    Raises:
        UsageError: another extension, or no such form.
        OutputExistsError: the file exists, and overwriting was not asked for.
        DiskFullError, StoreError: the file cannot be written.
    """
    path, content = Path(out), render(table, format_of(out, form))
    with replacing(path, overwrite=overwrite) as temporary:
        temporary.write_text(content, encoding="utf-8", newline="")
    return path


# --------------------------------------------------------------------------------------------- text


def _text(table: Table, bold: bool = False) -> str:
    lines = [table.heading, ""]
    for n, (heading, columns) in enumerate(parts(table)):
        lines += [f"{heading}:"] * bool(heading)
        lines += [
            *_grid(table, columns, bold),
            *(mark for mark in LEGEND if _has(columns, mark[0])),
        ]
        if n == 0:
            lines += [f"[low, high] of a mean, 95 %: {table.drawn}", ""]
        if not heading:
            lines += ["frames won, of those with a value in all methods (equal ones are shared):"]
            lines += [
                *_wins(table, columns),
                "",
                "lead of the best over the second, over the same frames:",
            ]
            lines += [*(f"  {leading(column)}" for column in columns), ""]
    if any(each for column in table.columns for each in column.worst.values()):
        lines += ["worst frames:", *_worst_lines(table), ""]
    lines += [f"note: {note}" for note in footnotes(table)]
    return "\n".join(lines).rstrip() + "\n"


def _has(columns: Sequence[Column], mark: str) -> bool:
    return any(column.best is not None and column.decisive == (mark == "*") for column in columns)


def _grid(table: Table, columns: Sequence[Column], bold: bool) -> Iterator[str]:
    """Two lines for each method: means, and the intervals below them."""
    blocks = [_block(table, column) for column in columns]
    for chosen in _fitting(table, columns, blocks):
        strong = [columns[n].decisive and bold for n in chosen]
        for row in range(2 * len(table.methods) + 1):
            name = table.methods[(row - 1) // 2] if row % 2 else ""
            cells = [blocks[n][row] for n in chosen]
            if not row or row % 2 or any(cells):
                best = [
                    s and columns[n].best == name and bool(name)
                    for s, n in zip(strong, chosen, strict=True)
                ]
                yield _line(table, name, cells, [_wide(blocks[n]) for n in chosen], best)
        yield ""


def _block(table: Table, column: Column) -> list[str]:
    """The cells of a column: its title, then the mean of each method, and where it ranks its
    interval."""
    form = format_of_column(column)
    cells = [column.title]
    for method in table.methods:
        cells.append(number(column.values[method], form) + mark_of(column, method))
        cells.append(
            interval(column.low[method], column.high[method], form) if column.ranked else ""
        )
    return cells


def _wins(table: Table, columns: Sequence[Column]) -> Iterator[str]:
    blocks = [
        [column.spec.name, *(f"{column.wins[method]:.0%}" for method in table.methods)]
        for column in columns
    ]
    for chosen in _fitting(table, columns, blocks):
        for row, name in enumerate(("", *table.methods)):
            yield _line(
                table, name, [blocks[n][row] for n in chosen], [_wide(blocks[n]) for n in chosen]
            )


def _wide(cells: Sequence[str]) -> int:
    return max(map(len, cells)) + GAP


def _fitting(
    table: Table, columns: Sequence[Column], blocks: Sequence[Sequence[str]]
) -> Iterator[list[int]]:
    """The columns in groups that fit the width of a line."""
    group: list[int] = []
    used = start = _wide(table.methods)
    for n in range(len(columns)):
        if group and used + _wide(blocks[n]) > WIDTH:
            yield group
            group, used = [], start
        group.append(n)
        used += _wide(blocks[n])
    if group:
        yield group


def _line(
    table: Table,
    name: str,
    cells: Sequence[str],
    widths: Sequence[int],
    strong: Sequence[bool] | None = None,
) -> str:
    first = name.ljust(_wide(table.methods))
    padded = [cell.ljust(width) for cell, width in zip(cells, widths, strict=True)]
    for n, is_strong in enumerate(strong or ()):
        if is_strong:
            padded[n] = f"{BOLD}{cells[n]}{PLAIN}{padded[n][len(cells[n]) :]}"
    return (first + "".join(padded)).rstrip()


def _worst_lines(table: Table) -> Iterator[str]:
    """A line for each method and metric that is ranked; of all metrics where none is."""
    ranked = [column for column in table.columns if column.ranked] or list(table.columns)
    for method in table.methods:
        for n, column in enumerate(ranked):
            form = format_of_column(column)
            found = ", ".join(
                f"{number(worst.value, form)} at {_where(worst)}" for worst in column.worst[method]
            )
            name = method if n == 0 else ""
            yield f"{name.ljust(_wide(table.methods))}{column.spec.name}: {found or '-'}"


def _where(worst: Worst) -> str:
    scene = f"{worst.scene}, " if worst.scene else ""
    return f"{scene}{worst.file or f'frame {worst.frame} ({worst.time_s:.3f} s)'}"


# -------------------------------------------------------------------------------------- other forms


def _csv(table: Table) -> str:
    """One row for each method; five columns for each metric."""
    file = io.StringIO(newline="")
    rows = CsvRows(file)
    ends = ("", "_low", "_high", "_wins", "_best")
    names = [f"{column.spec.name}{end}" for column in table.columns for end in ends]
    rows.write([["method", "role", "frames", *names]])
    for method in table.methods:
        row: list[object] = [method, table.role, table.frames]
        for column in table.columns:
            best = ("decisive" if column.decisive else "yes") if method == column.best else ""
            row += [
                column.values[method],
                column.low[method],
                column.high[method],
                column.wins.get(method),
                best,
            ]
        rows.write([row])
    return file.getvalue()


def _json(table: Table) -> str:
    return json.dumps(table.to_dict(), indent=2, allow_nan=False) + "\n"


RENDERERS: Mapping[str, Callable[[Table], str]] = {
    "text": _text,
    "csv": _csv,
    "markdown": markdown,
    "latex": latex,
    "json": _json,
}

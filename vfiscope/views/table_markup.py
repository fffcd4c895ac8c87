"""A table in Markdown and LaTeX."""

from __future__ import annotations

import re
from collections.abc import Sequence

from vfiscope.printable import LONGEST_LINE, printable
from vfiscope.views.table import Column, Table
from vfiscope.views.table_cells import (
    footnotes,
    format_of_column,
    interval,
    leading,
    mark_of,
    number,
    parts,
)

__all__ = ["latex", "markdown"]


LATEX_ESCAPES = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    "[": "{[}",  # behind a line break it would begin its option
    "*": "{*}",
    "↑": r"$\uparrow$",
    "↓": r"$\downarrow$",
    "²": r"\textsuperscript{2}",
    "…": r"\ldots{}",
    **{letter: f"\\{letter}" for letter in "&%$#_{}"},
}


def markdown(table: Table) -> str:
    lines = [_escaped(table.heading), ""]
    for heading, columns in parts(table):
        lines += [heading, ""] * bool(heading)
        lines.append(_row(["method", *(_escaped(column.title) for column in columns)]))
        lines.append(_row(["---", *("---:" for _ in columns)]))
        for method in table.methods:
            lines.append(_row([_escaped(method), *(_marked(column, method) for column in columns)]))
        lines.append("")
    bold = [
        "**bold**: the 95 % interval of the lead over the second does not contain 0; *italic*:"
        " best, not decisive"
    ]
    ranked = [column for column in table.columns if column.ranked]
    facts = [
        *(leading(column) for column in ranked),
        f"[low, high] of a mean, 95 %: {table.drawn}",
        *footnotes(table),
    ]
    return (
        "\n".join(
            [
                *lines,
                *(f"- {line}" for line in bold * bool(ranked)),
                *(f"- {_escaped(f)}" for f in facts),
            ]
        )
        + "\n"
    )


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _marked(column: Column, method: str) -> str:
    """Mean and interval of a method in Markdown."""
    form = format_of_column(column)
    around = {"*": "**", "~": "*", "": ""}[mark_of(column, method)]
    mean = f"{around}{number(column.values[method], form)}{around}"
    return f"{mean} {interval(column.low[method], column.high[method], form)}".rstrip()


def _escaped(text: str) -> str:
    """A text of anybody's in Markdown."""
    return re.sub(r"([\\`*_<>|~]|\](?=[(\[:]))", r"\\\1", printable(text, LONGEST_LINE))


def latex(table: Table) -> str:
    lines = ["% needs \\usepackage{booktabs}", f"% {table.heading}"]
    for heading, columns in parts(table):
        lines += [f"% {heading}"] * bool(heading)
        lines += [rf"\begin{{tabular}}{{l{'r' * len(columns)}}}", r"\toprule"]
        lines += [_latex_row(["Method", *(_tex(column.title) for column in columns)]), r"\midrule"]
        for method in table.methods:
            lines.append(
                _latex_row([_tex(method), *(_latex_cell(column, method) for column in columns)])
            )
        lines += [r"\bottomrule", r"\end{tabular}"]
    ranked = [column for column in table.columns if column.ranked]
    facts = [
        *(leading(column) for column in ranked),
        f"intervals: {table.drawn}",
        *footnotes(table),
    ]
    return "\n".join([*lines, *(f"% {printable(fact, LONGEST_LINE)}" for fact in facts)]) + "\n"


def _latex_row(cells: Sequence[str]) -> str:
    return " & ".join(cells) + r" \\"


def _latex_cell(column: Column, method: str) -> str:
    value = _tex(number(column.values[method], format_of_column(column)))
    command = {"*": r"\textbf", "~": r"\textit", "": ""}[mark_of(column, method)]
    return f"{command}{{{value}}}" if command else value


def _tex(text: str) -> str:
    """A text of anybody's in LaTeX."""
    return "".join(LATEX_ESCAPES.get(letter, letter) for letter in printable(text, LONGEST_LINE))

"""The words and numbers of a table, which are the same in every form.

Numbers of a column have one format, with as many decimals as show four digits of the largest mean;
scientific where that is below 0.001, or another mean would show as 0.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator

from vfiscope.views.naming import unit_of
from vfiscope.views.table import Column, Table

__all__ = [
    "footnotes",
    "format_of_column",
    "hides",
    "interval",
    "leading",
    "mark_of",
    "number",
    "parts",
]


def parts(table: Table) -> Iterator[tuple[str, list[Column]]]:
    """(heading, columns) of the ranked metrics, and of the others."""
    ranked = [column for column in table.columns if column.ranked]
    if ranked:
        yield "", ranked
    if others := [column for column in table.columns if not column.ranked]:
        yield "not ranked", others


def footnotes(table: Table) -> list[str]:
    """Why metrics are not ranked, and all else that a reader must know."""
    reasons: dict[str, list[str]] = {}
    for column in table.columns:
        if column.reason:
            reasons.setdefault(column.reason, []).append(column.spec.name)
    return [
        *(f"{', '.join(names)} not ranked: {reason}" for reason, names in reasons.items()),
        *table.notes,
    ]


def number_format(values: Iterable[float | None]) -> str:
    """The format that shows four digits of the largest value, and no value as 0 that is none."""
    known = [abs(value) for value in values if value]
    if not known:
        return ".3f"
    decimals = max(0, 3 - math.floor(math.log10(max(known))))
    form = f".{decimals}f"
    return ".3e" if max(known) < 1e-3 or hides(form, known) else form


def hides(form: str, values: Iterable[float | None]) -> bool:
    """Whether a value that is not 0 would show as 0."""
    return any(value and not float(f"{value:{form}}") for value in values)


def format_of_column(column: Column) -> str:
    return number_format(column.values.values())


def number(value: float | None, form: str) -> str:
    return "-" if value is None else f"{value:{form}}"


def interval(low: float | None, high: float | None, form: str) -> str:
    return "" if low is None else f"[{number(low, form)}, {number(high, form)}]"


def leading(column: Column) -> str:
    """The lead of the best method over the second, in words."""
    lead = column.lead
    if lead is None:
        return f"{column.spec.name}: the best are equal"
    form, numbers = format_of_column(column), (lead.mean, lead.low, lead.high)
    if hides(form, numbers):
        form = number_format(numbers)
    verdict = "decisive" if column.decisive else "not decisive"
    ahead = " ".join(
        filter(
            None,
            (number(lead.mean, form), unit_of(column.spec), interval(lead.low, lead.high, form)),
        )
    )
    return f"{column.spec.name}: {column.best} over {lead.over} by {ahead}, {verdict}"


def mark_of(column: Column, method: str) -> str:
    return ("*" if column.decisive else "~") if method == column.best else ""

"""All that ``vfiscope`` prints: no text of anybody reaches the terminal as it is."""

from __future__ import annotations

import json
import logging
import re
import traceback
from typing import Any

import click

from vfiscope.printable import LONGEST_LINE, printable, printable_lines

__all__ = ["CleanFormatter", "say", "say_error", "say_json", "say_traceback"]

OWN_MARKS = re.compile(r"(\x1b\[[01]m)")
"""Bold on and off: the only codes that vfiscope itself prints."""


def say(text: str, *, styled: bool = False, whole: bool = False, end: str = "\n") -> None:
    """Print lines of text on stdout.

    Args:
        text: may hold texts of anybody.
        styled: whether codes for bold are meant; they are replaced otherwise.
        whole: whether a program reads the lines, so that none is cut.
        end: printed after it.
    """
    most = len(text) if whole else LONGEST_LINE
    parts = OWN_MARKS.split(text) if styled else [text]
    # the pattern has one group, so every second part is a code
    clean = [part if n % 2 else printable_lines(part, most) for n, part in enumerate(parts)]
    click.echo("".join(clean) + end, nl=False)


def say_error(text: str) -> None:
    """Print one line on stderr, headed by the name of the program."""
    click.echo(f"vfiscope: {printable(' '.join(text.split()), LONGEST_LINE)}", err=True)


def say_json(value: Any) -> None:
    """Print one JSON value, in ASCII, on stdout."""
    click.echo(json.dumps(value, allow_nan=False))


def say_traceback() -> None:
    """Print the traceback of the exception that is being handled."""
    click.echo(printable_lines(traceback.format_exc()), err=True, nl=False)


class CleanFormatter(logging.Formatter):
    """Formats log records for a terminal."""

    def format(self, record: logging.LogRecord) -> str:
        return printable_lines(super().format(record))

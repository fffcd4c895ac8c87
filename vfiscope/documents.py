"""JSON and TOML written by others: read within limits, refused in words.

What is beyond the limits would be an error of Python somewhere else: a value nested too deep for
its stack, a number of too many digits to be printed, a key of which one value is lost.
"""

from __future__ import annotations

import json
import math
import os
import tomllib
from collections.abc import Iterable
from typing import Any

from vfiscope.files import read_whole

__all__ = ["MAX_JOBS", "DocumentError", "json_of", "read_text", "toml_of"]

MAX_JOBS = 100_000
"""More jobs in one file are refused."""
MAX_DOCUMENT_BYTES = 2**24
"""A longer job file is refused: that is room for all of them."""
MAX_TOML_BYTES = 2**15
"""A longer configuration is refused: it holds a few dozen options."""
MAX_NESTING = 64
MAX_INTEGER = 2**63
"""Whole numbers from here on are refused, as by TOML 1.0 and most readers of JSON (RFC 8259, 6)."""

TOO_DEEP = f"it is nested more than {MAX_NESTING} deep"
TOO_LARGE = "a whole number in it has more than 64 bits"


class DocumentError(ValueError):
    """A text is not valid JSON or TOML, or is beyond the limits; the message says why."""


def read_text(path: str | os.PathLike[str], limit: int = MAX_DOCUMENT_BYTES) -> str:
    """The text of a regular file, without a byte order mark.

    Raises:
        OSError: it cannot be read, is not a regular file, or is larger than ``limit`` bytes.
        DocumentError: it is not UTF-8.
    """
    try:
        return read_whole(path, limit).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DocumentError(
            f"it is not UTF-8 text: {error.reason} at byte {error.start}"
        ) from error


def json_of(text: str, line: int = 0) -> Any:
    """The value of a JSON text in which no object has a key twice.

    Args:
        text: the JSON.
        line: how many lines of the file are before it.

    Raises:
        DocumentError: it is not valid, has constants that JSON does not have, or is beyond the
            limits of this module.
    """
    try:
        return _checked(json.loads(text, parse_constant=_no_constant, object_pairs_hook=_object))
    except json.JSONDecodeError as error:
        place = f"line {line + error.lineno} column {error.colno}"
        raise DocumentError(f"{error.msg}: {place}") from error
    except (RecursionError, ValueError) as error:
        raise DocumentError(_why(error) + f": line {line + 1}" * bool(line)) from error


def toml_of(text: str) -> dict[str, Any]:
    """The table of a TOML text.

    Raises:
        DocumentError: it is not valid, or is beyond the limits of this module.
    """
    try:
        return dict(_checked(tomllib.loads(text)))
    except (RecursionError, ValueError) as error:
        raise DocumentError(_why(error)) from error


def _why(error: Exception) -> str:
    if isinstance(error, (tomllib.TOMLDecodeError, DocumentError)):
        return str(error)
    if isinstance(error, RecursionError):
        return TOO_DEEP
    # Python reads no number of thousands of digits, and has no error of its own for that.
    return TOO_LARGE if "integer string conversion" in str(error) else str(error)


def _no_constant(constant: str) -> None:
    raise DocumentError(f"{constant} is not a JSON value")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        seen: set[str] = set()
        for name, _ in pairs:
            if name in seen:
                raise DocumentError(f"the key {name[:80]!r} is there twice")
            seen.add(name)
    return found


def _checked(value: Any) -> Any:
    """The value, level by level, so that its depth needs no stack."""
    level = [value]
    for _ in range(MAX_NESTING):
        for each in level:
            _check_number(each)
        level = [inner for each in level for inner in _inner(each)]
        if not level:
            return value
    raise DocumentError(TOO_DEEP)


def _inner(value: Any) -> Iterable[Any]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


def _check_number(value: Any) -> None:
    if isinstance(value, int) and not -MAX_INTEGER <= value < MAX_INTEGER:
        raise DocumentError(TOO_LARGE)
    if isinstance(value, float) and not math.isfinite(value):
        raise DocumentError(f"a number in it is {value}")

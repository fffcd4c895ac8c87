"""Texts in a result: strictly valid JSON, and strings that HDF5 can store."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Mapping
from fractions import Fraction
from typing import Any

import numpy as np

from vfiscope.errors import StoreError

__all__ = ["check_texts", "plain"]


def plain(value: Any) -> Any:
    """The value as JSON types: dict, list, str, int, float, bool and None. NaN and infinities
    become None."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, (np.generic, np.ndarray)):
        return plain(value.tolist())
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, (os.PathLike, Fraction)):
        return str(value)
    return value


def check_texts(what: str, values: Iterable[str]) -> None:
    """Raise StoreError for a text that HDF5 cannot store."""
    for value in values:
        if "\0" in value or any("\ud800" <= letter <= "\udfff" for letter in value):
            raise StoreError(f"{what} is {value!r}: leave out NUL and lone surrogates")

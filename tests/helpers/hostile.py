"""Edits that make a stored run one of somebody who means harm, or who made a mistake."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import h5py
import numpy as np

Edit = Callable[[Any], None]
ESCAPES = "\x1b[2J\x1b]0;owned\x07\x9b31m\u202egpj\nflagged: nothing\r"
"""Clears a terminal, names its window, colours it, turns the direction of writing, and adds a
line."""


def attribute(name: str, value: Any) -> Edit:
    return lambda h5: h5.attrs.create(name, value if isinstance(value, str) else json.dumps(value))


def entry(name: str, **changes: Any) -> Edit:
    """Other entries of a JSON attribute; of the first item where it is a list."""

    def edit(h5: Any) -> None:
        value = json.loads(h5.attrs[name])
        (value[0] if isinstance(value, list) else value).update(changes)
        h5.attrs[name] = json.dumps(value)

    return edit


def row(name: str, values: Any, at: Any = slice(None)) -> Edit:
    """Other values of a column."""

    def edit(h5: Any) -> None:
        h5[name][at] = values

    return edit


def replaced(name: str, data: Any) -> Edit:
    """Another column of that name, with the same attributes."""

    def edit(h5: Any) -> None:
        attrs = dict(h5[name].attrs)
        text = h5py.check_string_dtype(h5[name].dtype)
        del h5[name]
        made = h5.create_dataset(name, data=data, dtype=h5py.string_dtype() if text else None)
        made.attrs.update(attrs)

    return edit


def segments(count: int = 1, **columns: Any) -> Edit:
    """So many segments with these columns; the others are of a harmless one."""
    harmless = {
        "start": 3,
        "stop": 9,
        "kind": "low_score",
        "metric": "ssim",
        "peak": 0.25,
        "peak_index": 5,
        "confidence": 0.5,
        "start_time_s": 0.1,
        "stop_time_s": 0.3,
        "rule": "",
        "role": "all",
    }

    def edit(h5: Any) -> None:
        for name, value in {**harmless, **columns}.items():
            text = isinstance(value, str)
            kind: Any = h5py.string_dtype() if text else h5["segments"][name].dtype
            data = [value] * count if text else np.full(count, value, kind)
            del h5["segments"][name]
            h5["segments"].create_dataset(name, data=data, dtype=kind)

    return edit


def unwritten_rows(h5: Any, rows: int = 10_000_000) -> None:
    """Every column claims so many rows, of which none is stored."""
    for group in ("frames", "scores"):
        for name in [*h5[group]]:
            column = h5[group][name]
            kind, attrs = column.dtype, dict(column.attrs)
            del h5[group][name]
            made = h5[group].create_dataset(name, (rows,), kind, chunks=(64,), compression="gzip")
            made.attrs.update(attrs)
    for group in ("maps", "fields"):
        for name in [*h5[group]]:
            del h5[group][name]


def many_scores(h5: Any, count: int = 300) -> None:
    for number in range(count):
        made = h5["scores"].create_dataset(f"m{number}", data=np.zeros(len(h5["frames/pts"]), "f4"))
        made.attrs.update(dict(h5["scores/ssim"].attrs))


def no_rows(h5: Any) -> None:
    for group in ("frames", "scores", "maps", "fields"):
        for name in [*h5[group]]:
            old = h5[group][name]
            attrs, shape, kind = dict(old.attrs), (0, *old.shape[1:]), old.dtype
            del h5[group][name]
            h5[group].create_dataset(name, shape, kind).attrs.update(attrs)


def long_names(h5: Any) -> None:
    """A name of two megabytes for the first row, and short ones for the others."""
    names = ["x" * 2**21, *["y"] * (len(h5["frames/pts"]) - 1)]
    h5["frames"].create_dataset("name", data=names, dtype=h5py.string_dtype())


def repeat_first_reference(path: Any, name: str) -> None:
    """Let every text of a column be the first one, which lies in the file once."""
    with h5py.File(path, "r") as h5:
        offset, count = h5[name].id.get_offset(), len(h5[name])
    data = bytearray(path.read_bytes())
    data[offset : offset + 16 * count] = data[offset : offset + 16] * count
    path.write_bytes(data)

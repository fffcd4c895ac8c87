"""Compare two results bit for bit."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from vfiscope.store import schema
from vfiscope.store.header_diff import changes
from vfiscope.store.opening import opened, settled

__all__ = ["differences"]


def differences(a: str | os.PathLike[str], b: str | os.PathLike[str]) -> list[str]:
    """Compare two HDF5 results bit for bit: data, types, shapes, chunks, filters and attributes.

    Ignored are ``created``, ``timings``, the time at which stages were ``made``, and the options
    that do not affect a result (``out``, ``batch``, ...): between two runs on the same input
    nothing else may differ. NaNs are compared by their bits.

    Returns:
        One line for each difference, empty where there is none.

    Raises:
        StoreError: a file is missing or not HDF5.
    """

    def compare() -> list[str]:
        with opened(Path(a)) as first, opened(Path(b)) as second:
            return list(_compare("/", first, second))

    return settled(Path(a), lambda: settled(Path(b), compare))


def _compare(name: str, a: Any, b: Any) -> Iterator[str]:
    ignored = {"created", "timings"} if name == "/" else set()
    if name.startswith("/stages/"):
        ignored = {"made"}
    for key in sorted({*a.attrs, *b.attrs} - ignored):
        one, two = (_attribute(item, key) for item in (a, b))
        if name == "/" and key == "config" and isinstance(one, str) and isinstance(two, str):
            yield from changes({"config": json.loads(one)}, {"config": json.loads(two)})
        elif one != two:
            yield f"{name}@{key}: {one} -> {two}"
    if isinstance(a, h5py.Group) and isinstance(b, h5py.Group):
        for key in sorted({*a, *b}):
            if key not in a or key not in b:
                yield f"{name}{key}: only in the {'first' if key in a else 'second'}"
            else:
                yield from _compare(
                    f"{name}{key}{'/' if isinstance(a[key], h5py.Group) else ''}", a[key], b[key]
                )
    elif isinstance(a, h5py.Dataset) and isinstance(b, h5py.Dataset):
        yield from _compare_data(name, a, b)
    else:
        yield f"{name}: {type(a).__name__} -> {type(b).__name__}"


def _attribute(item: Any, key: str) -> Any:
    if key not in item.attrs:
        return "(absent)"
    value = item.attrs[key]
    if isinstance(value, str):
        return value
    array = np.asarray(value)
    content = array.tolist() if array.dtype == object else array.tobytes()
    return (str(array.dtype), array.shape, content)


def _compare_data(name: str, a: Any, b: Any) -> Iterator[str]:
    properties = (
        "dtype",
        "shape",
        "chunks",
        "compression",
        "compression_opts",
        "shuffle",
        "fletcher32",
    )
    for key in properties:
        one, two = getattr(a, key), getattr(b, key)
        if one != two:
            yield f"{name}.{key}: {one} -> {two}"
    if a.shape != b.shape or a.dtype != b.dtype:
        return
    rows = [row for row in range(0, len(a), schema.CHUNK_ROWS) if not _same(a, b, row)]
    if rows:
        stops = [min(row + schema.CHUNK_ROWS, len(a)) for row in rows]
        where = ", ".join(f"{row}:{stop}" for row, stop in zip(rows, stops, strict=True))
        yield f"{name}: other values in rows {where}"


def _same(a: Any, b: Any, row: int) -> bool:
    one, two = (item[row : row + schema.CHUNK_ROWS] for item in (a, b))
    return bool(
        one.tolist() == two.tolist() if one.dtype == object else one.tobytes() == two.tobytes()
    )

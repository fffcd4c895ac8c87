"""The tables of a result whose rows are no frames: ``/segments`` and ``/regions``."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable
from typing import Any, TypeVar

import h5py
import numpy as np

from vfiscope.store.text import check_texts, json_text
from vfiscope.types import Region, Segment

__all__ = ["TABLE_TYPES", "read_rules", "read_table", "write_segments", "write_table"]

TABLE_TYPES = {"int": "<i8", "float": "<f8", "str": h5py.string_dtype("utf-8")}

_Row = TypeVar("_Row", Segment, Region)


def write_table(h5: Any, name: str, cls: type[_Row], rows: Iterable[_Row]) -> None:
    """Write dataclasses as one column for each of their fields."""
    listed = list(rows)
    group = h5.create_group(name)
    for column in dataclasses.fields(cls):
        values = [getattr(row, column.name) for row in listed]
        if column.type == "str":
            check_texts(f"{name}.{column.name}", values)
        dtype = TABLE_TYPES[str(column.type)]
        group.create_dataset(
            column.name,
            data=np.array(values, object if column.type == "str" else dtype),
            dtype=dtype,
        )


def read_table(h5: Any, name: str, cls: type[_Row]) -> list[_Row]:
    """The dataclasses stored as columns."""
    columns = {}
    for column in dataclasses.fields(cls):
        if column.name not in h5[name] and column.default is not dataclasses.MISSING:
            continue  # a column that came after the file was written
        dataset = h5[name][column.name]
        columns[column.name] = (
            dataset.asstr()[()].tolist() if column.type == "str" else dataset[()].tolist()
        )
    return [
        cls(**dict(zip(columns, row, strict=True))) for row in zip(*columns.values(), strict=True)
    ]


def write_segments(h5: Any, segments: Iterable[Segment], rules: Iterable[str]) -> None:
    """Write the segments and the user's rules that they were made with, whether a rule marked
    anything or not."""
    write_table(h5, "segments", Segment, segments)
    h5["segments"].attrs["rules"] = json_text(list(rules))


def read_rules(h5: Any) -> list[str]:
    """The user's rules that the segments were made with."""
    stored = h5["segments"].attrs.get("rules")
    # Files that were written before this attribute have them in their configuration alone.
    rules = json.loads(h5.attrs["config"]).get("flag", []) if stored is None else json.loads(stored)
    if not isinstance(rules, list) or not all(isinstance(rule, str) for rule in rules):
        raise ValueError("the rules are no list of texts")
    return rules

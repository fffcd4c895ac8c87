"""The results of stages: a group of columns for each table, and a record of each stage.

::

    /<table>/<column>   (n,) int64, float64, bool or text: a column for each field of the dataclass
    /stages/<name>      attributes version, parameters (JSON), made (ISO 8601, UTC),
                        vfiscope_version, tables (JSON list of names); facts (JSON), where the
                        tables depend on more than the run and the parameters
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeVar

import h5py
import numpy as np

from vfiscope.errors import StoreError
from vfiscope.printable import printable
from vfiscope.store.contradictions import check_rules, most_rows
from vfiscope.store.members import attribute, members
from vfiscope.store.stored_json import parse_json, to_json
from vfiscope.store.text import check_texts

__all__ = [
    "TABLE_TYPES",
    "StageRecord",
    "StageResult",
    "Table",
    "column_types",
    "read_stages",
    "read_table",
    "rules_of",
    "write_stage",
]

TABLE_TYPES = {"int": "<i8", "float": "<f8", "bool": "?", "str": h5py.string_dtype("utf-8")}
TABLES_BEFORE_STAGES = ("segments", "regions")
"""Tables of files older than ``/stages``, each made by the stage of the same name."""
TABLE_NAME = re.compile(r"[a-z]\w*")

_Row = TypeVar("_Row")


class Table(NamedTuple):
    """Rows of one dataclass, whose fields are int, float, bool or str."""

    row: type
    rows: Sequence[Any]


@dataclass(frozen=True)
class StageResult:
    """The tables that a stage made from a run, and its parameters."""

    stage: str
    version: int
    parameters: Mapping[str, Any]
    """JSON-able."""
    tables: Mapping[str, Table]
    facts: Mapping[str, Any] = field(default_factory=dict)
    """What else the tables depend on; JSON-able."""


@dataclass(frozen=True)
class StageRecord:
    """The stored record of a stage."""

    version: int
    parameters: Mapping[str, Any]
    made: str
    """ISO 8601, UTC."""
    vfiscope_version: str
    tables: Sequence[str]
    facts: Mapping[str, Any] = field(default_factory=dict)
    """What else the tables depend on; none in files that are older than it."""


def column_types(row: type) -> dict[str, Any]:
    """{column: its type in the file} of a table of these dataclasses.

    Raises:
        StoreError: a field has another type.
    """
    found = {}
    for column in dataclasses.fields(row):
        kind = column.type if isinstance(column.type, str) else column.type.__name__
        if kind not in TABLE_TYPES:
            raise StoreError(
                f"{row.__name__}.{column.name} is of type {kind}: make it int, float, bool or str"
            )
        found[column.name] = TABLE_TYPES[kind]
    return found


def write_stage(h5: Any, result: StageResult, made: str, vfiscope_version: str) -> None:
    """Write the tables of a stage, replacing its earlier ones.

    Raises:
        StoreError: a table has the name of another group, or a value cannot be stored.
    """
    stages = h5.require_group("stages")
    for name in _tables_of(h5, result.stage):
        del h5[name]
    if result.stage in stages:
        del stages[result.stage]
    for name, table in result.tables.items():
        if not TABLE_NAME.fullmatch(name) or name in h5:
            raise StoreError(
                f"the stage {result.stage} makes a table {name!r}, which is taken or not a valid"
                " name: choose another"
            )
        _write_table(h5, name, table)
    if result.stage == "segments":
        try:
            check_rules(result.parameters["rules"])
        except (KeyError, ValueError) as error:
            raise StoreError(f"{error}: pass fewer and shorter ones") from error
    attrs = stages.create_group(result.stage).attrs
    attrs["version"] = result.version
    attrs["parameters"] = to_json("parameters", result.parameters)
    attrs["made"] = made
    attrs["vfiscope_version"] = vfiscope_version
    attrs["tables"] = to_json("tables", list(result.tables))
    if result.facts:
        attrs["facts"] = to_json("facts", result.facts)


def _tables_of(h5: Any, stage: str) -> list[str]:
    """The stored tables of a stage."""
    if stage in h5["stages"]:
        return [name for name in _names(h5["stages"][stage]) if name in h5]
    return [stage] if stage in TABLES_BEFORE_STAGES and stage in h5 else []


def _names(group: Any) -> list[str]:
    names: list[str] = parse_json("tables", attribute(group.attrs, "tables"))
    return names


def _write_table(h5: Any, name: str, table: Table) -> None:
    if len(table.rows) > (most := most_rows(name)):
        raise StoreError(
            f"{name} has {len(table.rows)} rows, more than {most}: use stricter rules, or look at"
            " fewer frames"
        )
    group = h5.create_group(name)
    for column, dtype in column_types(table.row).items():
        values = [getattr(row, column) for row in table.rows]
        text = dtype is TABLE_TYPES["str"]
        if text:
            check_texts(f"{name}.{column}", values)
        elif values and not np.can_cast(np.array(values).dtype, dtype, "same_kind"):
            raise StoreError(f"{name}.{column} holds {np.array(values).dtype}: make it {dtype}")
        group.create_dataset(column, data=np.array(values, object if text else dtype), dtype=dtype)


def read_table(
    h5: Any, name: str, row: type[_Row], *, clean: bool = False, codes: Collection[str] = ()
) -> list[_Row]:
    """The dataclasses stored as columns; empty where the run does not hold the table.

    With ``clean`` texts are made printable, except for columns that are codes, which their readers
    check.
    """
    if name not in h5:
        return []
    group, columns = h5[name], {}
    held = set(group)
    first = dataclasses.fields(row)[0].name  # type: ignore[arg-type]
    if first in held and not group[first].shape[0]:
        return []  # all columns are empty then: their lengths were checked
    for column in dataclasses.fields(row):  # type: ignore[arg-type]
        if column.name not in held and column.default is not dataclasses.MISSING:
            continue  # a column that is newer than the file
        columns[column.name] = _read_column(group[column.name], clean and column.name not in codes)
    return [
        row(**dict(zip(columns, values, strict=True)))
        for values in zip(*columns.values(), strict=True)
    ]


def _read_column(dataset: Any, clean: bool) -> list[Any]:
    if not h5py.check_string_dtype(dataset.dtype):
        values: list[Any] = dataset[()].tolist()
        return values
    texts = dataset.asstr()[()].tolist()
    # a few texts repeat in many rows, and are kept once
    known = {text: printable(text) if clean else text for text in dict.fromkeys(texts)}
    return [known[text] for text in texts]


def read_stages(h5: Any) -> dict[str, StageRecord]:
    """{stage: its record}; files older than ``/stages`` have one for segments only."""
    records = {
        name: StageRecord(
            version=int(attribute(group.attrs, "version")),
            parameters=parse_json("parameters", attribute(group.attrs, "parameters")),
            made=str(attribute(group.attrs, "made")),
            vfiscope_version=str(attribute(group.attrs, "vfiscope_version")),
            tables=tuple(_names(group)),
            facts=parse_json("facts", attribute(group.attrs, "facts"))
            if "facts" in group.attrs
            else {},
        )
        for name, group in (members(h5["stages"]) if "stages" in h5 else ())
    }
    if "segments" in h5 and "segments" not in records:
        records["segments"] = StageRecord(
            version=1,
            parameters={"rules": _rules_before_stages(h5)},
            made=str(attribute(h5.attrs, "created")),
            vfiscope_version=str(attribute(h5.attrs, "vfiscope_version")),
            tables=("segments",),
        )
    return records


def rules_of(stages: Mapping[str, StageRecord]) -> list[str]:
    """The user's rules that the segments of a run were made with."""
    return check_rules(stages["segments"].parameters["rules"] if "segments" in stages else [])


def _rules_before_stages(h5: Any) -> Any:
    attrs = h5["segments"].attrs
    if "rules" in attrs:
        return parse_json("rules", attribute(attrs, "rules"))
    # Files older than this attribute have the rules only in their configuration.
    return parse_json("config", attribute(h5.attrs, "config")).get("flag", [])

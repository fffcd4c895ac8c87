"""The seek tables of the videos, by which single frames are found again: ``/seek/<role>/<column>``.

Each role has the columns of SeekTable, ``pts`` and ``checksum`` (N,), ``keyframe_pts`` and
``keyframe_dts`` (K,), and the attribute ``ended``. Results of images and arrays, and older
results, have no ``/seek``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from vfiscope.store.members import attribute, members
from vfiscope.types import SeekTable

__all__ = ["SEEK_TYPES", "read_seek_tables", "write_seek_tables"]

SEEK_TYPES = dict.fromkeys(SeekTable.COLUMNS, "<i8")
CHUNK_FRAMES = 4096


def write_seek_tables(h5: Any, tables: Mapping[str, SeekTable], filters: Mapping[str, Any]) -> None:
    """Store the tables of {role: table}."""
    for role, table in tables.items():
        group = h5.create_group(f"seek/{role}")
        group.attrs["ended"] = table.ended
        for name in SeekTable.COLUMNS:
            column = getattr(table, name)
            chunks = (min(len(column), CHUNK_FRAMES),)
            layout = {"chunks": chunks, **filters} if len(column) else {}
            group.create_dataset(name, data=column, dtype="<i8", **layout)


def read_seek_tables(h5: Any) -> dict[str, SeekTable]:
    """{role: table} of a result."""
    return {
        role: SeekTable(
            **{name: group[name][()] for name in SeekTable.COLUMNS},
            ended=bool(attribute(group.attrs, "ended")),
        )
        for role, group in (members(h5["seek"]) if "seek" in h5 else ())
    }

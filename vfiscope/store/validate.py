"""Validate an untrusted result file before reading it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from enum import IntEnum
from pathlib import Path
from typing import Any, NamedTuple

import h5py
import numpy as np

from vfiscope import config
from vfiscope.errors import StoreError
from vfiscope.store import schema
from vfiscope.store.claims import stored_bytes, text_bytes
from vfiscope.store.contradictions import check_names, check_rows, most_rows
from vfiscope.store.pairing_table import PAIR_LISTS, PAIRING_TYPES
from vfiscope.store.registration_table import REGISTRATION_TYPES
from vfiscope.store.seek_tables import SEEK_TYPES
from vfiscope.store.stage_tables import TABLE_TYPES, column_types, read_stages
from vfiscope.types import (
    Answer,
    FrameTable,
    Int64,
    Pairing,
    Region,
    Registrations,
    Role,
    Segment,
    Status,
    Track,
    Verdict,
)

__all__ = ["check_map", "check_stored", "check_values", "is_plain"]

FILTERS = frozenset({h5py.h5z.FILTER_DEFLATE, h5py.h5z.FILTER_SHUFFLE, h5py.h5z.FILTER_FLETCHER32})
MAX_CELLS = 2**27
"""Values that a frame can have in a map or a field."""
TABLES: Mapping[str, type] = {
    "segments": Segment,
    "regions": Region,
    "answers": Answer,
    "tracks": Track,
}
"""Tables with known columns; stages of other packages may add others."""
OPTIONAL = ("pairing", "registration", "signals")
"""Groups with a row for each frame that not every result has."""
COLUMN_TYPES: Mapping[str, Mapping[str, Any]] = {
    "frames": {**schema.FRAME_TYPES, "name": TABLE_TYPES["str"]},
    "pairing": {**PAIRING_TYPES, **dict.fromkeys(PAIR_LISTS, "<i8")},
    "registration": REGISTRATION_TYPES,
    **{name: column_types(row) for name, row in TABLES.items()},
}
"""{group: {column: type}}; the other groups hold whatever was computed, of one type."""
ROW_SHAPES: Mapping[str, tuple[int | None, ...]] = {
    "maps": (None, None),
    "fields": (2, None, None),
    "registration/matrix": (3, 3),
    **{f"pairing/{name}": (2,) for name in PAIR_LISTS},
}
"""Shape of a row, None for any length; a row of any other group or column is a single value."""


class _Stored(NamedTuple):
    """A dataset that was checked."""

    rows: int
    held: int
    """Bytes that its data take in the file."""


def check_stored(path: Path, h5: Any, file: Any) -> None:
    """Refuse a file that would make HDF5 open other files, load native filter code, or exhaust the
    memory.

    Only links, types, shapes, chunks, filters and sizes are read.

    Args:
        path: the file, for messages.
        h5: the file, open for reading.
        file: the file object below it.

    Raises:
        StoreError: something is not stored in the file itself, or does not have the type, shape or
        size of a result.
    """
    optional = [group for group in OPTIONAL if group in h5]
    required = [group for group in schema.ROW_GROUPS if group not in OPTIONAL]
    by_frame, tables = ("frames", *required, *optional), _tables(path, h5)
    found = {
        group: _check_group(path, h5, file, group)
        for group in (*by_frame, *tables, *_seek_groups(path, h5))
    }
    held = sum(each.held for group in found.values() for each in group.values())
    if held > file.size:
        raise StoreError(f"{path} claims {held} bytes of data and has {file.size}: do not trust it")
    rows = found["frames"]["index"].rows
    if not rows:
        raise StoreError(f"{path} holds no frames: make it again")
    for group in by_frame:
        for name, each in found[group].items():
            if each.rows != rows and not (group == "pairing" and name in PAIR_LISTS):
                raise StoreError(
                    f"{path} holds {rows} frames, but /{group}/{name} has {each.rows} rows:"
                    " it is damaged, make it again"
                )
    for group in tables:
        if len(lengths := {each.rows for each in found[group].values()}) > 1:
            raise StoreError(
                f"{path}: the columns of /{group} have from {min(lengths)} to {max(lengths)} rows:"
                " it is damaged, make it again"
            )


def _check_group(path: Path, h5: Any, file: Any, group: str) -> dict[str, _Stored]:
    """Check the datasets of a group: {name: what it holds}."""
    if not isinstance(h5.get(group, getlink=True), h5py.HardLink):
        raise StoreError(f"{path}: /{group} is missing or a link: make the file again")
    if not isinstance(found := h5[group], h5py.Group):
        raise StoreError(f"{path}: /{group} is not a group: the file is damaged, make it again")
    check_names(path, group, found)
    return {name: _check_dataset(path, found, file, group, name) for name in found}


def _tables(path: Path, h5: Any) -> list[str]:
    """The names of the tables of all stages, from the records of the stages."""
    if "stages" in h5:
        for group, names in ((h5, ["stages"]), (h5["stages"], h5["stages"])):
            for name in names:
                linked = not isinstance(group.get(name, getlink=True), h5py.HardLink)
                if linked or not isinstance(group[name], h5py.Group):
                    raise StoreError(f"{path}: /stages is damaged: make the file again")
        check_names(path, "stages", h5["stages"])
    made = {table for record in read_stages(h5).values() for table in record.tables}
    return sorted(made | ({*TABLES} & {*h5}))


def _seek_groups(path: Path, h5: Any) -> list[str]:
    """The groups of the optional seek tables."""
    if "seek" not in h5:
        return []
    linked = not isinstance(h5.get("seek", getlink=True), h5py.HardLink)
    if linked or not isinstance(h5["seek"], h5py.Group):
        raise StoreError(f"{path}: /seek is not a group of the file itself: do not trust it")
    check_names(path, "roles", h5["seek"])
    return [f"seek/{role}" for role in h5["seek"]]


def _check_dataset(path: Path, group: Any, file: Any, group_name: str, name: str) -> _Stored:
    where = f"{path}: /{group_name}/{name}"
    linked = (
        group.id.links.get_info(name.encode("utf-8", "surrogateescape")).type != h5py.h5l.TYPE_HARD
    )
    dataset = None if linked else group[name]  # a link is not followed
    if not isinstance(dataset, h5py.Dataset) or not is_plain(dataset):
        raise StoreError(f"{where} is not stored in the file itself: do not trust it")
    shape, chunks = dataset.shape, dataset.chunks
    if not _fits(shape, ROW_SHAPES.get(group_name, ROW_SHAPES.get(f"{group_name}/{name}", ()))):
        raise StoreError(f"{where} claims the shape {shape}: do not trust it")
    if group_name == "frames" and not shape[0]:
        raise StoreError(f"{path} holds no frames: make it again")
    # A dataset that may grow can have chunks beyond its end, which are read whole.
    if chunks is not None and any(
        chunk > max(1, side) for chunk, side in zip(chunks, shape, strict=True)
    ):
        raise StoreError(
            f"{where} claims chunks {chunks} of the shape {shape}: do not trust it, make it again"
        )
    columns = SEEK_TYPES if group_name.startswith("seek/") else COLUMN_TYPES.get(group_name, {})
    one_type = schema.ROW_GROUPS.get(group_name)
    dtype = columns.get(name) if one_type is None else one_type.dtype
    if dtype is not None and not _is_type(dataset.dtype, dtype):
        raise StoreError(f"{where} is {dataset.dtype}, not {np.dtype(dtype)}: make it again")
    if shape[0] > (most := most_rows(group_name)):
        raise StoreError(f"{where} has {shape[0]} rows, more than {most}: make it again")
    try:
        held = stored_bytes(dataset)
        texts = h5py.check_string_dtype(dataset.dtype)
        return _Stored(shape[0], held + (text_bytes(dataset, file) if texts else 0))
    except ValueError as error:
        raise StoreError(f"{where} {error}: do not trust it") from error


def is_plain(dataset: Any) -> bool:
    """True where a dataset lies in its own file and is unpacked without native code of others."""
    properties = dataset.id.get_create_plist()
    filters = {properties.get_filter(number)[0] for number in range(properties.get_nfilters())}
    elsewhere = properties.get_layout() == h5py.h5d.VIRTUAL or properties.get_external_count()
    return not elsewhere and filters <= FILTERS


def _fits(shape: tuple[int, ...] | None, row: tuple[int | None, ...]) -> bool:
    """True for a shape of any number of such rows, within the limits."""
    if (
        not shape
        or len(shape) != 1 + len(row)
        or shape[0] > config.MAX_FRAMES
        or math.prod(shape[1:]) > MAX_CELLS
    ):
        return False
    return all(meant in (None, side) for meant, side in zip(row, shape[1:], strict=True))


def _is_type(found: Any, meant: Any) -> bool:
    if meant is not TABLE_TYPES["str"]:
        return bool(found == np.dtype(meant))
    text = h5py.check_string_dtype(found)
    return text is not None and text.length is None


def check_values(
    path: Path,
    frames: FrameTable,
    register: Mapping[str, Any] | None,
    registration: Registrations | None,
) -> None:
    """Refuse meaningless numbers and contradictory records.

    Args:
        path: the result, for messages.
        frames: its frame table.
        register: how its frames were registered, None where they were taken as they are.
        registration: the registration of each, None where they were taken as they are.

    Raises:
        StoreError: the file holds such a number or record.
    """
    columns: list[tuple[str, Any, type[IntEnum]]] = [
        ("frames/role", frames.role, Role),
        ("frames/status", frames.status, Status),
    ]
    if (register is None) != (registration is None):
        there, missing = (
            ("register", "/registration") if register is not None else ("/registration", "register")
        )
        raise StoreError(f"{path} has {there} and no {missing}: it is damaged, make it again")
    if registration is not None:
        columns.append(("registration/verdict", registration.verdict, Verdict))
        bad = np.flatnonzero(~np.isfinite(registration.matrix).all(axis=(1, 2)))
        if len(bad):
            raise StoreError(f"{path}: /registration/matrix[{bad[0]}] is not finite: make it again")
    for name, values, known in columns:
        bad = np.flatnonzero(values > max(known))
        if len(bad):
            raise StoreError(
                f"{path}: /{name}[{bad[0]}] is {values[bad[0]]}, which means nothing: make it again"
            )
    check_rows(path, frames)


def check_map(path: Path, mapped: bool, digest: object, table: Pairing | None, ref: Int64) -> None:
    """Refuse scores that were made with another map than the stored one.

    Args:
        path: the result, for messages.
        mapped: whether the summary of the pairing names a map.
        digest: the stored digest of the map.
        table: the stored map, None where there is none.
        ref: (N,) the partners that the frames were scored against.

    Raises:
        StoreError: the map is missing or does not match.
    """
    if table is None:
        if mapped:
            raise StoreError(
                f"{path} was scored through a map, but /pairing is missing: make it again"
            )
    elif digest != table.digest or (table.ref_index != ref).any():
        raise StoreError(
            f"/pairing of {path} is not the map that its frames were scored through: make it again"
        )

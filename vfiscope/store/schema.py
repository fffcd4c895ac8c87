"""The layout of the HDF5 file, format version 1: the only place with names, types and filters.

A result holds the groups (:mod:`vfiscope.store.part_file` has the layout of an unfinished one):

::

    /frames/<column>   (N,) with the columns of FrameTable; in results from images also name
    /scores/<metric>   (N,) float32, the MetricSpec as attributes
    /maps/<map>        (N, h, w) float16, the MetricSpec as attributes, and its cells
    /fields/<field>    (N, 2, h, w) float16, the FieldSpec as attributes, and its cells
    /signals/<signal>  (N,) float32, the SignalSpec as attributes; the group where there are any

A result also has the tables of its stages (:mod:`vfiscope.store.stage_tables`) and the root
attributes of :func:`write_root`; one that was paired with a map has ``/pairing/<column>`` (N,)
with the columns of Pairing. Where frames were registered, it has
``/registration/<column>`` (N,) with the columns of Registrations, ``matrix`` (N, 3, 3). Of inputs
that are videos there is ``/seek/<role>``, see :mod:`vfiscope.store.seek_tables`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import IntEnum
from fractions import Fraction
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from vfiscope.errors import StoreError
from vfiscope.store.coded_notes import write_notes
from vfiscope.store.contradictions import check_names, check_rows, check_spec
from vfiscope.store.frame_geometry import write_cells, write_size
from vfiscope.store.header import FORMAT, FORMAT_VERSION, Header
from vfiscope.store.members import attribute, members
from vfiscope.store.registration_table import (
    create_registrations,
    join_registrations,
    no_registrations,
    write_registrations,
)
from vfiscope.store.seek_tables import write_seek_tables
from vfiscope.store.spec_attributes import (
    FIELD_TYPES,
    METRIC_TYPES,
    SIGNAL_TYPES,
    Types,
    write_spec,
)
from vfiscope.store.stage_tables import StageResult, write_stage
from vfiscope.store.stored_json import to_json
from vfiscope.types import (
    FrameTable,
    Note,
    Pairing,
    Role,
    Scores,
    SeekTable,
    Status,
)

__all__ = ["FORMAT", "FORMAT_VERSION", "Header"]

CHUNK_ROWS = 64
"""Rows in an HDF5 chunk of maps and fields, and rows that are written at once."""
COLUMN_CHUNK_ROWS = 4096
"""Rows in a chunk of a column of numbers: a column is read as a whole, and HDF5 keeps a chunk in
memory until it is full."""

FRAME_TYPES = {
    "index": "<i8",
    "pts": "<i8",
    "time_s": "<f8",
    "ref_index": "<i8",
    "role": "u1",
    "phase": "<f8",
    "status": "u1",
}
FRAME_NAMES: Mapping[str, type[IntEnum]] = {"role": Role, "status": Status}
SCALAR_FILTERS = {"compression": "gzip", "compression_opts": 1, "shuffle": True}
ARRAY_FILTERS = {**SCALAR_FILTERS, "fletcher32": True}


class Group(NamedTuple):
    """A group of arrays with a row for each frame."""

    arrays: str
    """Their name in Scores."""
    specs: str
    """Their name in Header."""
    dtype: str
    attributes: Types
    filters: Mapping[str, Any]


ROW_GROUPS = {
    "scores": Group("values", "metrics", "<f4", METRIC_TYPES, SCALAR_FILTERS),
    "maps": Group("maps", "maps", "<f2", METRIC_TYPES, ARRAY_FILTERS),
    "fields": Group("fields", "fields", "<f2", FIELD_TYPES, ARRAY_FILTERS),
    "signals": Group("signals", "signals", "<f4", SIGNAL_TYPES, SCALAR_FILTERS),
}
HEADER_JSON = ("config", "sources", "versions", "embedder", "register")
"""Parts of a header that are stored as JSON."""
SCALAR_GROUPS = ("scores", "signals")
"""Those with a number for each frame."""


# ----------------------------------------------------------------------------------- frames, scores


def check(scores: Scores, header: Header) -> None:
    """Raise StoreError unless the scores match the header exactly."""
    for name, group in ROW_GROUPS.items():
        _check_group(scores, header, name, group)
    if (scores.registrations is None) != (header.register is None):
        raise StoreError(
            "scores and header disagree on whether frames were registered: pass both or neither"
        )
    if scores.frames.time_base != header.time_base:
        raise StoreError(
            f"time base is {scores.frames.time_base}, but the run announced {header.time_base}"
        )
    check_rows("the scores", scores.frames)


def _check_group(scores: Scores, header: Header, name: str, group: Group) -> None:
    arrays, specs = getattr(scores, group.arrays), getattr(header, group.specs)
    if set(arrays) != set(specs):
        raise StoreError(
            f"{group.specs} are {sorted(arrays)}, but the run announced {sorted(specs)}: store"
            " these"
        )
    dtype = np.dtype(group.dtype)
    for each, array in arrays.items():
        shape = row_shape(header, name, each)
        if array.shape[1:] != shape or array.dtype != dtype:
            needed = ", ".join(["N", *map(str, shape)])
            raise StoreError(
                f"{each} is {array.dtype} {array.shape}: store it as {dtype} ({needed})"
            )


def row_shape(header: Header, group: str, name: str) -> tuple[int, ...]:
    """Shape of the values of one frame in a group: () for a score or signal, (h, w) for a map,
    (2, h, w) for a field."""
    if group in SCALAR_GROUPS:
        return ()
    return (*((2,) if group == "fields" else ()), *header.grids[name])


def create(h5: Any, header: Header, rows: int) -> None:
    """Create the empty datasets of a run of ``rows`` rows, with their attributes."""
    chunk = max(1, min(rows, COLUMN_CHUNK_ROWS))
    frames = h5.create_group("frames")
    for name, dtype in FRAME_TYPES.items():
        frames.create_dataset(name, shape=(rows,), dtype=dtype, chunks=(chunk,), **SCALAR_FILTERS)
    frames["pts"].attrs["time_base_num"] = header.time_base.numerator
    frames["pts"].attrs["time_base_den"] = header.time_base.denominator
    for name, values in FRAME_NAMES.items():
        frames[name].attrs["names"] = [value.name.lower() for value in values]
    if header.register is not None:
        create_registrations(h5, rows, chunk, SCALAR_FILTERS)
    for name, group in ROW_GROUPS.items():
        _create_group(h5, header, rows, name, group)


def _create_group(h5: Any, header: Header, rows: int, name: str, group: Group) -> None:
    specs = getattr(header, group.specs)
    if name == "signals" and not specs:
        return
    # the order that was asked for, not the alphabet's
    made = h5.create_group(name, track_order=True)
    for each, spec in specs.items():
        shape = row_shape(header, name, each)
        chunks = (max(1, min(rows, CHUNK_ROWS if shape else COLUMN_CHUNK_ROWS)), *shape)
        dataset = made.create_dataset(
            each, (rows, *shape), group.dtype, chunks=chunks, **group.filters
        )
        write_spec(dataset.attrs, spec, group.attributes)
        if shape and (cells := header.cells(each)) is not None:
            write_cells(dataset, cells)


def write_rows(h5: Any, start: int, scores: Scores) -> None:
    """Write rows into the datasets from ``start`` on."""
    rows = slice(start, start + len(scores))
    frames = h5["frames"]
    for name in FrameTable.COLUMNS:
        frames[name][rows] = getattr(scores.frames, name)
    for name, group in ROW_GROUPS.items():
        if arrays := getattr(scores, group.arrays):
            made = h5[name]
            for each, array in arrays.items():
                made[each][rows] = array
    if scores.registrations is not None:
        write_registrations(h5, rows, scores.registrations)


def read_frames(h5: Any) -> FrameTable:
    """The frame table of a result."""
    group = h5["frames"]
    attrs = group["pts"].attrs
    columns = {name: group[name][()] for name in FrameTable.COLUMNS}
    return FrameTable(
        **columns,
        time_base=Fraction(
            int(attribute(attrs, "time_base_num")), int(attribute(attrs, "time_base_den"))
        ),
    )


def drop_guessed_roles(frames: FrameTable, h5: Any, config: Mapping[str, Any]) -> FrameTable:
    """The frame table of a result, without roles that were guessed from scores.

    Versions before ``ranks`` guessed them where neither a source nor a multiplier stated the roles.
    """
    stated = config.get("source") is not None or config.get("multiplier") is not None
    if stated or any("ranks" in dataset.attrs for _, dataset in members(h5["scores"])):
        return frames
    unknown = np.full_like(frames.role, Role.UNKNOWN)
    return dataclasses.replace(frames, role=unknown, phase=np.full(len(frames), np.nan))


def _each_array(change: Callable[[str, str], Any], of: Scores) -> dict[str, dict[str, Any]]:
    """The arrays of scores anew: {group in Scores: {name: change(group, name)}}."""
    return {
        group.arrays: {each: change(group.arrays, each) for each in getattr(of, group.arrays)}
        for group in ROW_GROUPS.values()
    }


def sliced(scores: Scores, rows: slice) -> Scores:
    """The scores of a slice of rows; shares memory."""
    frames = FrameTable(
        **{name: getattr(scores.frames, name)[rows] for name in FrameTable.COLUMNS},
        time_base=scores.frames.time_base,
    )
    return Scores(
        frames,
        registrations=None if scores.registrations is None else scores.registrations[rows],
        **_each_array(lambda group, name: getattr(scores, group)[name][rows], scores),
    )


def join(pieces: Sequence[Scores]) -> Scores:
    """Scores concatenated, as a copy; at least one piece."""
    if len(pieces) == 1:
        return pieces[0]
    first = pieces[0]
    columns = {
        name: np.concatenate([getattr(piece.frames, name) for piece in pieces])
        for name in FrameTable.COLUMNS
    }
    return Scores(
        FrameTable(**columns, time_base=first.frames.time_base),
        registrations=join_registrations([piece.registrations for piece in pieces]),
        **_each_array(
            lambda group, name: np.concatenate([getattr(each, group)[name] for each in pieces]),
            first,
        ),
    )


def empty(header: Header) -> Scores:
    """Scores of no rows."""
    columns: dict[str, NDArray[Any]] = {
        name: np.empty(0, dtype) for name, dtype in FRAME_TYPES.items()
    }
    arrays = {
        group.arrays: {
            each: np.empty((0, *row_shape(header, name, each)), group.dtype)
            for each in getattr(header, group.specs)
        }
        for name, group in ROW_GROUPS.items()
    }
    return Scores(
        FrameTable(**columns, time_base=header.time_base),
        registrations=None if header.register is None else no_registrations(),
        **arrays,
    )


# ----------------------------------------------------------------------------------------- the root


@dataclass(frozen=True, kw_only=True)
class Ending:
    """The values of a run that are known only after its last frame."""

    sources: Sequence[Mapping[str, Any]]
    """The inputs again, with what was counted while reading them under keys ``frames_*``."""
    pairing: Mapping[str, Any]
    """The summary of the pairing of test and reference."""
    status: Literal["ok", "partial"]
    """Partial when frames were unreadable, corrupt or unpaired beyond what was asked."""
    notes: Sequence[Note] = ()
    """Reasons why the run is partial."""
    warnings: Sequence[Note] = ()
    """Reasons to doubt the meaning of scores; they do not make a run partial."""
    timings: Mapping[str, Any] = field(default_factory=dict)
    """``seconds`` in total, and other measurements."""
    stages: Sequence[StageResult] = ()
    """The results of the stages."""
    table: Pairing | None = None
    """The map that the frames were paired with, one row for each of the scores."""
    names: Sequence[str] = ()
    """The image file of each row, where the test was images."""
    seek_tables: Mapping[str, SeekTable] = field(default_factory=dict)
    """{role: its seek table}"""
    created: str = field(default_factory=lambda: datetime.now(UTC).isoformat())
    """ISO 8601, UTC."""


def check_header(header: Header) -> None:
    """Refuse a header of which no result could be made that can be opened again.

    Raises:
        StoreError: naming what cannot be stored.
    """
    for name, group in ROW_GROUPS.items():
        check_names("the run", name, list(getattr(header, group.specs)))
    for spec in (*header.metrics.values(), *header.maps.values()):
        check_spec("the run", spec)
    for name, value in _header_json(header).items():
        to_json(name, value)


def _header_json(header: Header) -> dict[str, Any]:
    """The attributes of a header that are stored as JSON."""
    known = {name: getattr(header, name) for name in HEADER_JSON}
    return {name: value for name, value in known.items() if value is not None}


def write_root(h5: Any, header: Header, ending: Ending) -> None:
    """Write the results of stages and the root attributes; ``complete`` comes last."""
    made_by = str(header.versions.get("vfiscope", "unknown"))
    for result in ending.stages:
        write_stage(h5, result, ending.created, made_by)
    write_seek_tables(h5, ending.seek_tables, SCALAR_FILTERS)
    attrs = h5.attrs
    attrs["format"] = FORMAT
    attrs["format_version"] = FORMAT_VERSION
    attrs["vfiscope_version"] = made_by
    attrs["mode"] = header.mode
    attrs["created"] = ending.created
    write_size(attrs, header.size)
    for name, value in {**_header_json(header), "sources": ending.sources}.items():
        attrs[name] = to_json(name, value)
    attrs["pairing"] = to_json("pairing", ending.pairing)
    attrs["status"] = ending.status
    write_notes(attrs, "notes", ending.notes)
    write_notes(attrs, "warnings", ending.warnings)
    attrs["timings"] = to_json("timings", ending.timings)
    attrs["complete"] = True

"""The file of a part: the rows of an unfinished result in few datasets, as every dataset costs.

::

    /frames, /scores, /signals   (N,) tables with a column for each dataset of a result; scores and
                                 signals where there are any
    /maps/<map>, /fields/<field>, /registration/<column>   as in a result, without attributes
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from vfiscope.store.members import attribute, members
from vfiscope.store.registration_table import (
    create_registrations,
    read_registrations,
    write_registrations,
)
from vfiscope.store.schema import (
    ARRAY_FILTERS,
    CHUNK_ROWS,
    FRAME_TYPES,
    ROW_GROUPS,
    SCALAR_FILTERS,
    SCALAR_GROUPS,
)
from vfiscope.types import FrameTable, Scores

__all__ = ["part_bytes", "read_rows"]


def part_bytes(scores: Scores) -> bytes:
    """The file of some rows; one at least."""
    rows = len(scores)
    # In memory, because HDF5 crashes the process after a failed write.
    with h5py.File.in_memory() as h5:
        _write_table(h5, "frames", {name: getattr(scores.frames, name) for name in FRAME_TYPES})
        attrs, base = h5["frames"].attrs, scores.frames.time_base
        attrs["time_base_num"], attrs["time_base_den"] = base.numerator, base.denominator
        for name, group in ROW_GROUPS.items():
            arrays = getattr(scores, group.arrays)
            if name in SCALAR_GROUPS:
                _write_table(h5, name, arrays)
                continue
            for each, array in arrays.items():
                chunks = (min(rows, CHUNK_ROWS), *array.shape[1:])
                h5.create_dataset(f"{name}/{each}", data=array, chunks=chunks, **ARRAY_FILTERS)
        if scores.registrations is not None:
            create_registrations(h5, rows, rows, SCALAR_FILTERS)
            write_registrations(h5, slice(0, rows), scores.registrations)
        h5.flush()
        image: bytes = h5.id.get_file_image()
    return image


def read_rows(h5: Any, *, arrays: bool) -> Scores:
    """Everything in the file of a part; without ``arrays`` the maps and fields are left out."""
    attrs = h5["frames"].attrs
    base = Fraction(*(int(attribute(attrs, f"time_base_{part}")) for part in ("num", "den")))
    found = {}
    for name, group in ROW_GROUPS.items():
        if name in SCALAR_GROUPS:
            found[group.arrays] = _read_table(h5, name)
        else:
            held = members(h5.get(name, {})) if arrays else ()
            found[group.arrays] = {each: dataset[()] for each, dataset in held}
    frames = FrameTable(**_read_table(h5, "frames"), time_base=base)
    return Scores(frames, registrations=read_registrations(h5), **found)


def _write_table(h5: Any, name: str, columns: Mapping[str, NDArray[Any]]) -> None:
    if not columns:
        return
    rows = len(next(iter(columns.values())))
    table = np.empty(rows, [(each, column.dtype) for each, column in columns.items()])
    for each, column in columns.items():
        table[each] = column
    h5.create_dataset(name, data=table)


def _read_table(h5: Any, name: str) -> dict[str, NDArray[Any]]:
    if name not in h5:
        return {}
    table = h5[name][()]
    return {each: np.ascontiguousarray(table[each]) for each in table.dtype.names}

"""Maps and fields of a stored run, read on demand."""

from __future__ import annotations

import operator
import shutil
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from vfiscope.errors import StoreError
from vfiscope.store.overlay import Overlay
from vfiscope.types import Box, CellGrid, FieldSpec, MetricSpec

__all__ = ["Handle", "LazyArray", "reading"]

_Spec = TypeVar("_Spec", MetricSpec, FieldSpec)


@contextmanager
def reading(path: Path, what: str) -> Iterator[None]:
    """Turn errors of h5py about a damaged file into a one-line StoreError."""
    try:
        yield
    except (
        OSError,
        LookupError,
        ValueError,
        TypeError,
        RuntimeError,
        ArithmeticError,
        MemoryError,
    ) as error:
        raise StoreError(
            f"{what} of {path} cannot be read, the file is damaged: make it again"
        ) from error


class Handle:
    """An open file with what it owns, shared by a run and its maps; closed when none of them is in
    use."""

    def __init__(self, h5: Any, file: Overlay, owns: Path | None) -> None:
        self.close = weakref.finalize(self, _discard, h5, file, owns)


class LazyArray(Generic[_Spec]):
    """A map or field of a run, read on demand: ``stored[i]`` is one frame, ``stored[a:b]`` several,
    as float32; ``stored.box(i, j)`` are the pixels of a cell."""

    def __init__(
        self, dataset: Any, spec: _Spec, cells: CellGrid | None, path: Path, handle: Handle
    ) -> None:
        self.spec: _Spec = spec
        self._cells = cells
        self.shape: tuple[int, ...] = tuple(dataset.shape)
        """(N, h, w) of a map, (N, 2, h, w) of a field."""
        self._dataset = dataset
        self._handle = handle
        self._path = path

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows: int | slice) -> NDArray[np.float32]:
        """(h, w) or (2, h, w) for a row, (n, h, w) or (n, 2, h, w) for a slice.

        Raises:
            IndexError: the row does not exist.
            StoreError: the file is damaged there, or the run was closed.
        """
        if not self._dataset:
            raise StoreError(f"{self._path} was closed: open it again to read {self.spec.name}")
        picked = self._pick(rows)
        with reading(self._path, f"{self.spec.name}[{rows}]"):
            if isinstance(picked, int):
                return np.asarray(self._dataset[picked], np.float32)
            if not picked:
                return np.empty((0, *self.shape[1:]), np.float32)
            forward = picked if picked.step > 0 else picked[::-1]
            data = np.asarray(
                self._dataset[forward.start : forward.stop : forward.step], np.float32
            )
        return data if picked.step > 0 else data[::-1]

    def at(self, row: int) -> NDArray[np.float32]:
        """The map (h, w) or field (2, h, w) of the frame in a row, as ``stored[row]``."""
        return self[operator.index(row)]

    @property
    def cells(self) -> CellGrid:
        """The cells in the frame as scored.

        Raises:
            StoreError: an older file that stores neither the cells nor the frame size.
        """
        if self._cells is None:
            raise StoreError(
                f"{self._path} does not store the size of its frames, so the place of the"
                f" cells of {self.spec.name} is unknown: score again"
            )
        return self._cells

    def box(self, i: int, j: int) -> Box:
        """The pixels (x, y, w, h) of cell (i, j) in the frame as scored, see
        :meth:`vfiscope.types.CellGrid.box`.

        Raises:
            IndexError: the cell does not exist.
            StoreError: as for :attr:`cells`.
        """
        return self.cells.box(i, j)

    def _pick(self, rows: int | slice) -> int | range:
        try:
            return range(len(self))[rows if isinstance(rows, slice) else operator.index(rows)]
        except IndexError as error:
            raise IndexError(
                f"{self.spec.name} has {len(self)} rows: there is no row {rows}"
            ) from error

    def __repr__(self) -> str:
        return f"LazyArray({self.spec.name}, {' x '.join(map(str, self.shape))}, {self.spec.unit})"


def _discard(h5: Any, file: Overlay, owns: Path | None) -> None:
    h5.close()
    file.close()
    if owns is not None:
        shutil.rmtree(owns, ignore_errors=True)

"""Batches of N rows: the only place where they are sliced, gathered, joined and moved to a device.

A batch is a frozen dataclass that names its columns. A column has a row for each of the N: a numpy
array, a tensor where it is on a device, another batch, or None where nothing is known.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, ClassVar, Self, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from vfiscope.types.arrays import Int64

if TYPE_CHECKING:
    import torch

    Pixels: TypeAlias = NDArray[Any] | torch.Tensor
    Vectors: TypeAlias = NDArray[np.float32] | torch.Tensor

__all__ = ["Batch", "Sharing", "array_on_cpu", "to_numpy", "to_tensor"]

T = TypeVar("T")


@dataclass(frozen=True, eq=False)
class Batch:
    """N rows in columns."""

    COLUMNS: ClassVar[tuple[str, ...]]
    """Names of the fields that have a row for each of the N; all others belong to the whole
    batch."""

    def __len__(self) -> int:
        return len(getattr(self, self.COLUMNS[0]))

    def __getitem__(self, rows: slice) -> Self:
        """The rows of a slice; shares memory."""
        return self._each(lambda column: column[rows])

    def take(self, rows: Int64) -> Self:
        """Rows by their numbers, in any order and any number of times: a copy."""
        return self._each(lambda column: _taken(column, rows))

    @classmethod
    def concat(cls, batches: Sequence[Self]) -> Self:
        """Join one or more batches with the same columns; other fields are taken from the first."""
        first = batches[0]
        if len(batches) == 1:
            return first
        columns = {name: [getattr(each, name) for each in batches] for name in cls.COLUMNS}
        return replace(first, **{name: _joined(parts) for name, parts in columns.items()})

    def _each(self, change: Callable[[Any], Any]) -> Self:
        columns = {name: getattr(self, name) for name in self.COLUMNS}
        return replace(self, **{n: change(c) for n, c in columns.items() if c is not None})


@dataclass(frozen=True, eq=False)
class Sharing:
    """Caches values that several functions use, so that each is computed once."""

    shared: dict[str, Any] = field(default_factory=dict, init=False, repr=False)
    """Valid for exactly these rows: a slice of a batch starts with none."""

    def share(self, key: str, compute: Callable[[], T]) -> T:
        """The value stored under ``key``, computed at its first use."""
        if key not in self.shared:
            self.shared[key] = compute()
        made: T = self.shared[key]
        return made


def to_tensor(data: Pixels, device: str) -> torch.Tensor:
    """An array or tensor on a device; shares the memory of an array where that is "cpu"."""
    import torch

    made = torch.from_numpy(data) if isinstance(data, np.ndarray) else data
    pinned = torch.device(device).type == "cuda" and not made.is_cuda
    if pinned:
        made = made.pin_memory()  # else the copy would keep this thread waiting
    # Of memory that is not pinned nobody sees to it that it stays as it is until it is copied.
    return made.to(device, non_blocking=pinned)


def to_numpy(data: Pixels) -> NDArray[Any]:
    """An array or tensor as a numpy array; shares memory where it is not on a device."""
    if isinstance(data, np.ndarray):
        return data
    made: NDArray[Any] = data.detach().cpu().numpy()
    return made


def array_on_cpu(data: torch.Tensor) -> Vectors:
    """A tensor as batches hold it: a numpy array of the same memory on the CPU, on a device the
    tensor itself."""
    return to_numpy(data) if data.device.type == "cpu" else data


def _taken(column: Any, rows: Int64) -> Any:
    """Rows of a column; the order of what is within a row stays as it is in memory."""
    if isinstance(column, Batch):
        return column.take(rows)
    return (
        column[rows] if isinstance(column, np.ndarray) else column[to_tensor(rows, column.device)]
    )


def _joined(parts: Sequence[Any]) -> Any:
    if any(part is None for part in parts):
        return None
    if isinstance(parts[0], Batch):
        return type(parts[0]).concat(parts)
    if isinstance(parts[0], np.ndarray):
        return np.concatenate(parts)
    import torch

    return torch.cat(list(parts))

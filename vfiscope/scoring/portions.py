"""Batches in as many rows at a time as a device has memory for."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterator
from typing import TypeVar

from vfiscope.errors import UsageError
from vfiscope.types import Features, Frames
from vfiscope.types.batch import Batch

__all__ = ["Portions"]

log = logging.getLogger("vfiscope")

RowsT = TypeVar("RowsT", bound=Batch)
T = TypeVar("T")


class Portions:
    """Computes batches whole until the memory of a device runs out, from then on in halves.

    What is computed of a row depends on no other row, so that it is the same in smaller portions.
    """

    def __init__(self) -> None:
        self._most = sys.maxsize
        """Rows that fitted, or have not been tried yet."""

    def __call__(self, batch: RowsT, compute: Callable[[RowsT], T]) -> Iterator[tuple[RowsT, T]]:
        """The batch in portions, each with what is computed of it.

        Raises:
            UsageError: there is no memory for a single row.
        """
        start = 0
        while start < len(batch):
            # A slice, even of all rows: what a failed attempt has cached goes with it.
            portion = batch[start : start + self._most]
            try:
                made = compute(portion)
            except RuntimeError as error:
                if not _is_out_of_memory(error):
                    raise
                self._halve(len(portion), error)
                continue
            yield portion, made
            start += len(portion)

    def features(self, frames: Frames, embed: Callable[[Frames], Features]) -> Features:
        """The features of a whole batch, also of one without frames.

        Raises:
            UsageError: there is no memory for a single frame.
        """
        return Features.concat([made for _, made in self(frames, embed)] or [embed(frames)])

    def _halve(self, rows: int, error: RuntimeError) -> None:
        if rows == 1:
            reason = str(error).splitlines()[0]
            raise UsageError(
                f"there is no memory for a single frame: {reason}: pass a smaller --size, or"
                " --device cpu"
            ) from error
        self._most = rows // 2
        log.info("no memory for %d frames at once: going on with %d", rows, self._most)


def _is_out_of_memory(error: RuntimeError) -> bool:
    """True for the error by which torch says that the memory of a device ran out. Without torch
    there is no device."""
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(error, torch.OutOfMemoryError)

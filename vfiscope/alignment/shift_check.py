"""A check during scoring for a reference that fits clearly better when shifted by one frame."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from math import sqrt

import numpy as np

from vfiscope.alignment.signature import COARSE_GRID, signatures
from vfiscope.types import Code, Float32, Frames, Note, Status

__all__ = ["ShiftCheck"]


SHIFTS = (-1, 0, 1)
FIRST_ROWS = 48
"""Rows at the start that are all compared."""
WATCHED_ROWS, CYCLE_ROWS = 8, 24
"""Of each cycle after them, so many rows at its start: a shift lasts, so the others tell the same,
and thumbnails of all frames would take as long as a metric."""
ROWS_STOOD_FOR = CYCLE_ROWS // (WATCHED_ROWS - 2)
"""Rows that one of a cycle counts for: its first and its last row lack a neighbour."""
MIN_SHIFT_ROWS = 8
"""Least number of compared rows for a verdict."""
MIN_VISIBLE_MSE = 1e-3
"""Mean squared difference of signatures (3 % of the contrast) below which rows fit well enough as
they are."""
MAX_SHIFTED_RATIO = 0.4
"""The shifted mean squared difference must be below this share of the unshifted one ..."""
MIN_SHIFTED_ROWS_SHARE = 0.7
"""... and smaller in this share of the rows."""


class ShiftCheck:
    """Compares the signatures of test frames, in a long clip a third of them, with those of the
    reference frames at their row and beside it.

    Holds a few signatures at a time. The result depends on the frames alone, not on how they are
    batched.
    """

    def __init__(self) -> None:
        self._seen: dict[str, dict[int, Float32 | None]] = {"test": {}, "ref": {}}
        self._count = {"test": 0, "ref": 0}
        self._ended = {"test": False, "ref": False}
        self._next = 1
        self._rows = 0
        self._sums = np.zeros(len(SHIFTS))
        self._wins = np.zeros(len(SHIFTS), np.int64)

    def watch(self, role: str, batches: Iterable[Frames]) -> Iterator[Frames]:
        """Pass the batches on unchanged, and note their signatures.

        Args:
            role: "test" or "ref".
            batches: that source's frames from its first on.
        """
        other = "ref" if role == "test" else "test"
        for frames in batches:
            if not (self._ended[other] and self._count[role] > self._count[other]):
                self._add(role, frames)
            yield frames
        self._ended[role] = True

    def _add(self, role: str, frames: Frames) -> None:
        for k, status in enumerate(frames.status):
            row = self._count[role]
            watched = row < FIRST_ROWS or row % CYCLE_ROWS < WATCHED_ROWS
            there = watched and status != Status.UNREADABLE
            self._seen[role][row] = _signature(frames[k : k + 1]) if there else None
            self._count[role] += 1
        test, ref = self._seen["test"], self._seen["ref"]
        while self._next in test and self._next + 1 in ref:
            self._compare(test.pop(self._next), [ref.get(self._next + shift) for shift in SHIFTS])
            ref.pop(self._next - 1, None)
            self._next += 1

    def _compare(self, own: Float32 | None, others: list[Float32 | None]) -> None:
        near = [other for other in others if other is not None]
        if own is None or len(near) < len(SHIFTS):
            return
        residuals = np.array([float(np.mean((own - other) ** 2)) for other in near])
        weight = 1 if self._next < FIRST_ROWS else ROWS_STOOD_FOR
        self._rows += weight
        self._sums += weight * residuals
        self._wins += weight * (residuals < residuals[1])

    def verdict(self) -> Note | None:
        """A note on the shift that fits better; None where the rows fit as they are."""
        best = 0 if self._sums[0] < self._sums[2] else 2
        here, there = self._sums[1] / max(1, self._rows), self._sums[best] / max(1, self._rows)
        clear = (
            here > MIN_VISIBLE_MSE
            and there < MAX_SHIFTED_RATIO * here
            and self._wins[best] >= MIN_SHIFTED_ROWS_SHARE * self._rows
        )
        if self._rows < MIN_SHIFT_ROWS or not clear:
            return None
        residuals = {"residual": sqrt(there), "residual_by_row": sqrt(here)}
        nowhere = {"dx": 0.0, "dy": 0.0, "method": ""}  # who knows of an offset in space adds it
        return Note(Code.SHIFT_FITS_BETTER, {"shift": SHIFTS[best], **residuals, **nowhere})


def _signature(frame: Frames) -> Float32:
    found: Float32 = signatures(frame, COARSE_GRID, stride=max(1, frame.size[0] // 180))[0]
    return found

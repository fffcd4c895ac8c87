"""The check for a reference that fits better when it is shifted."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import numpy as np
import pytest

from vfiscope.alignment import ShiftCheck
from vfiscope.alignment.shift_check import CYCLE_ROWS, FIRST_ROWS, WATCHED_ROWS
from vfiscope.types import Frames, Note

SCENES = np.random.default_rng(3).integers(0, 256, (6 * CYCLE_ROWS, 18, 32, 3), np.uint8)


def batches(pixels: np.ndarray, size: int) -> Iterator[Frames]:
    for first in range(0, len(pixels), size):
        data = pixels[first : first + size].transpose(0, 3, 1, 2)
        index = np.arange(first, first + len(data))
        status = np.zeros(len(data), np.uint8)
        yield Frames(data, index, index, index.astype(float), status, Fraction(1, 25))


def verdict(test: np.ndarray, ref: np.ndarray, size: int) -> Note | None:
    check = ShiftCheck()
    both = zip(
        check.watch("test", batches(test, size)),
        check.watch("ref", batches(ref, size)),
        strict=True,
    )
    assert sum(len(one) for one, _ in both) == len(test)
    return check.verdict()


@pytest.mark.parametrize("size", [1, 7, 64])
@pytest.mark.parametrize("shift", [-1, 1])
def test_a_shift_is_found_however_frames_are_batched(shift: int, size: int) -> None:
    found = verdict(np.roll(SCENES, -shift, axis=0), SCENES, size)
    assert found is not None
    assert found.values["shift"] == shift
    assert found.values["residual"] == 0.0
    assert verdict(SCENES, SCENES, size) is None


def test_watched_rows_decide_for_those_between() -> None:
    shifted = np.roll(SCENES, 1, axis=0)
    row = np.arange(len(SCENES))
    watched = (row < FIRST_ROWS) | (row % CYCLE_ROWS < WATCHED_ROWS)
    watched = watched[:, None, None, None]
    assert verdict(np.where(watched, shifted, SCENES), SCENES, 4) is not None
    assert verdict(np.where(watched, SCENES, shifted), SCENES, 4) is None


@pytest.mark.parametrize(("still", "found"), [(24, True), (72, False)])
def test_all_parts_of_a_clip_count_by_their_length(still: int, found: bool) -> None:
    """A shift that 5 of 6 rows show is found, one that half of them show is not."""
    moving = SCENES.copy()
    moving[:still] = moving[0]
    assert (verdict(np.roll(moving, 1, axis=0), moving, 4) is not None) is found

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from vfiscope.sources.batching import SelectedRow, gather
from vfiscope.types import Frames, Status


def numbered(count: int) -> Iterator[SelectedRow]:
    """Frames in which every sample is the number of the frame."""
    for i in range(count):

        def paint(out: Any, value: int = i) -> Status:
            out[...] = value
            return Status.OK

        yield SelectedRow(i, i, i / 25, paint)


def batches(count: int, bit_depth: int = 8) -> Iterator[Frames]:
    return gather(
        numbered(count), shape=(2, 3, 5, 3), bit_depth=bit_depth, time_base=Fraction(1, 25)
    )


def address(frames: Frames) -> int:
    assert isinstance(frames.data, np.ndarray)
    return int(frames.data.__array_interface__["data"][0])


@pytest.mark.parametrize("bit_depth", [8, 16])
def test_memory_of_batches_that_nobody_holds_is_used_again(bit_depth: int) -> None:
    reader = batches(20, bit_depth)
    assert len({address(next(reader)) for _ in range(5)}) == 1
    assert len({address(frames) for frames in reader}) == 2  # a loop holds one during the next


def test_batches_that_are_held_share_no_pixels() -> None:
    held = list(batches(9))
    assert [len(frames) for frames in held] == [2, 2, 2, 2, 1]
    assert len({address(frames) for frames in held}) == 5
    for frames in held:
        assert (frames.data == frames.index[:, None, None, None]).all()


@pytest.mark.parametrize(
    "view",
    [
        lambda frames: frames[1:].data,
        lambda frames: frames.interleaved[1:, 1:, ::2],
        lambda frames: np.asarray(frames.data)[1:].transpose(1, 2, 3, 0).reshape(-1)[3:],
    ],
)
def test_a_view_of_a_batch_keeps_its_pixels(view: Any) -> None:
    reader = batches(20)
    first = next(reader)
    kept = view(first)
    del first
    for _ in reader:
        pass
    assert (kept == 1).all()


def test_a_held_batch_outlives_its_reader() -> None:
    reader = batches(4)
    held = [next(reader)]
    reader.close()
    del reader
    assert held[0].data.max() == 1

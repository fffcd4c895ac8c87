"""Slicing, gathering, joining and moving of batches."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import torch
from helpers.media import noise
from helpers.streams import features, frames
from hypothesis import given
from hypothesis import strategies as st

from vfiscope.types import Frames, Neighbours, Pairs, Registrations
from vfiscope.types.batch import to_numpy, to_tensor


def pictured(n: int) -> Frames:
    """Frames as sources yield them: a view of interleaved rows."""
    return replace(frames(0, n), data=noise(n, 4, 5).transpose(0, 3, 1, 2))


def paired(n: int) -> Pairs:
    test, ref = frames(0, n), frames(20, n)
    identity = np.tile(np.eye(3), (n, 1, 1))
    ones = np.ones(n, np.float32)
    return Pairs(
        test,
        ref,
        features(test),
        None,
        around=Neighbours(frames(40, n), frames(60, n), features(frames(40, n)), None),
        phase=np.linspace(0, 1, n),
        window=3,
        registrations=Registrations(
            identity, np.zeros(n, np.uint8), np.arange(n), ones, ones, ones
        ),
    )


def told(pairs: Pairs) -> list[list[float]]:
    """What every row is, in each column."""
    assert pairs.ref is not None
    assert pairs.test_features is not None
    assert pairs.around is not None
    assert pairs.around.before_features is not None
    assert pairs.phase is not None
    assert pairs.registrations is not None
    columns = [
        pairs.test.data[:, 0, 0, 0],
        pairs.test.index,
        pairs.ref.index,
        pairs.test_features.pooled[:, 0],
        pairs.around.before.index,
        pairs.around.after.time_s,
        pairs.around.before_features.patches[:, 0, 0, 0],
        pairs.phase,
        pairs.registrations.inliers,
    ]
    return [list(row) for row in zip(*(column.tolist() for column in columns), strict=True)]


@given(st.integers(1, 9), st.integers(0, 9), st.integers(0, 9))
def test_a_slice_of_pairs_has_the_rows_of_every_column(n: int, start: int, stop: int) -> None:
    pairs = paired(n)
    part = pairs[start:stop]
    assert len(part) == len(range(n)[start:stop])
    assert told(part) == told(pairs)[start:stop]
    assert part.window == 3
    assert part.ref_features is None
    assert part.role is None


@given(st.lists(st.integers(0, 5), min_size=1, max_size=9))
def test_rows_are_taken_in_any_order_and_number(rows: list[int]) -> None:
    pairs = paired(6)
    assert told(pairs.take(np.array(rows))) == [told(pairs)[row] for row in rows]


@given(st.lists(st.integers(0, 6), min_size=1, max_size=4))
def test_parts_joined_are_the_whole(cuts: list[int]) -> None:
    pairs = paired(6)
    edges = [0, *sorted(cuts), 6]
    parts = [pairs[a:b] for a, b in pairwise(edges)]
    assert told(Pairs.concat(parts)) == told(pairs)


def test_a_slice_shares_memory_and_a_copy_does_not() -> None:
    whole = pictured(4)
    assert np.shares_memory(whole[1:3].data, whole.data)
    assert np.shares_memory(whole.interleaved, whole.data)
    assert not np.shares_memory(whole.take(np.array([1, 2])).data, whole.data)


def test_frames_stay_interleaved_in_memory() -> None:
    whole = pictured(4)
    for made in (whole.take(np.array([3, 0, 0])), Frames.concat([whole[:1], whole[2:]])):
        assert np.shares_memory(made.interleaved, made.data)


def test_values_of_some_rows_are_not_those_of_others() -> None:
    pairs = paired(3)
    assert pairs.share("sum", lambda: pairs.test.index.sum()) == 3
    assert pairs.share("sum", lambda: pytest.fail("computed twice")) == 3
    part = pairs[1:]
    assert part.share("sum", lambda: part.test.index.sum()) == 3
    assert pairs[:1].share("sum", lambda: 0) == 0


def test_frames_move_to_a_device_with_their_pixels_alone() -> None:
    whole = pictured(3)
    moved = whole.to("cpu")
    assert isinstance(moved.data, torch.Tensor)
    assert isinstance(moved.index, np.ndarray)
    assert np.array_equal(moved.interleaved, whole.interleaved)
    assert np.array_equal(moved[1:].take(np.array([1, 0])).interleaved, whole.interleaved[[2, 1]])
    assert np.array_equal(Frames.concat([moved, moved[:1]]).interleaved[:3], whole.interleaved)
    assert moved.to("meta").data.device.type == "meta"
    assert moved.to("meta").take(np.array([0, 0])).data.shape == (2, 3, 4, 5)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_frames_keep_their_order_in_the_memory_of_a_gpu() -> None:
    """They are uploaded from pinned memory, interleaved as they were decoded."""
    whole = pictured(3)
    moved = whole.to("cuda")
    assert moved.data.is_cuda
    assert moved.data.permute(0, 2, 3, 1).is_contiguous()
    assert np.array_equal(moved.interleaved, whole.interleaved)


def test_arrays_and_tensors_of_the_cpu_share_memory() -> None:
    array = noise(1, 2, 3)
    assert np.shares_memory(to_numpy(to_tensor(array, "cpu")), array)
    assert to_numpy(array) is array

"""Values by rank, beside numpy's sort."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from vfiscope.signals.ranks import nth_largest, ranked

SHARES = (0.0, 0.25, 0.5, 0.9, 1.0)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@settings(deadline=None)  # a loop is compiled at first
@given(data=st.data())
def test_ranks_are_those_of_sorted_values(dtype: type, data: st.DataObject) -> None:
    width = 8 * np.dtype(dtype).itemsize
    values = data.draw(arrays(dtype, st.integers(1, 200), elements=st.floats(width=width)))
    values = np.where(data.draw(st.booleans()), values, -values)
    in_order = np.sort(values)
    places = [round(share * (len(values) - 1)) for share in SHARES]
    np.testing.assert_array_equal(ranked(values, *SHARES), in_order[places])
    n = data.draw(st.integers(1, len(values)))
    np.testing.assert_array_equal(nth_largest(values, n), in_order[len(values) - n])


def test_whole_numbers_and_parts_of_arrays_have_ranks_too() -> None:
    values = np.random.default_rng(3).integers(-5000, 5000, (40, 50, 2)).astype(np.int32)
    assert ranked(values, 0.3) == [np.sort(values.ravel())[round(0.3 * (values.size - 1))]]
    part = values[..., 1]
    assert nth_largest(part, 12) == np.sort(part.ravel())[-12]
    assert nth_largest(part.astype(np.float32), 12) == np.sort(part.ravel())[-12]


def test_what_is_ranked_stays_as_it_is() -> None:
    values = np.random.default_rng(4).normal(size=1000)
    before = values.copy()
    ranked(values, 0.5)
    np.testing.assert_array_equal(values, before)

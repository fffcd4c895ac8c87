"""The quick form of departures gives the bits of the plain one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from numpy.lib.stride_tricks import sliding_window_view

from vfiscope.config import SIGMA_OF_MAD
from vfiscope.segments import departures as module
from vfiscope.segments.departures import departures
from vfiscope.types import Float64

FLOATS = st.floats(width=32, allow_nan=False, allow_infinity=False)


def plain(values: Float64, size: int) -> tuple[Float64, Float64]:
    """What :func:`module._rolling` gives, by numpy."""
    windows = sliding_window_view(values, size)
    level = np.median(windows, axis=1)
    away = np.median(np.abs(windows - level[:, np.newaxis]), axis=1)
    return level, SIGMA_OF_MAD * away


@settings(deadline=None)  # the first one loads compiled loops
@given(arrays(np.float64, array_shapes(max_dims=1, max_side=65), elements=FLOATS), st.data())
def test_medians_are_those_of_numpy(values: Float64, data: st.DataObject) -> None:
    size = data.draw(st.integers(1, len(values)))
    for found, expected in zip(module._rolling(values, size), plain(values, size), strict=True):
        np.testing.assert_array_equal(found, expected)


def columns(seed: int) -> Float64:
    """Badness with ties, faults, infinities and missing values."""
    noise = np.random.default_rng(seed)
    values = noise.normal(0, 1, 400).astype(np.float32).astype(np.float64)
    values[noise.integers(0, 400, 20)] += 30
    values[noise.integers(0, 400, 100)] = np.round(values[:100])
    values[noise.integers(0, 400, 10)] = noise.choice([np.nan, -np.inf, np.inf], 10)
    return values


@pytest.mark.parametrize("cycle", [1, 2, 5])
@pytest.mark.parametrize("count", [9, 50, 400])
def test_departures_are_those_of_plain_medians(
    count: int, cycle: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    badness = [columns(seed)[:count] for seed in range(4)]
    quick = [departures(each, cycle, 0.1) for each in badness]
    monkeypatch.setattr(module, "_rolling", plain)
    for found, each in zip(quick, badness, strict=True):
        slow = departures(each, cycle, 0.1)
        for name in ("excess", "level", "enter", "view"):
            np.testing.assert_array_equal(getattr(found, name), getattr(slow, name))

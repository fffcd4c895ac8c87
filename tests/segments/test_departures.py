"""The quick form of departures gives the bits of the plain one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from vfiscope.segments import departures as module
from vfiscope.segments.departures import departures
from vfiscope.types import Float64

FLOATS = st.floats(width=32, allow_nan=False, allow_infinity=False)


@given(arrays(np.float64, array_shapes(min_dims=2, max_dims=2, max_side=65), elements=FLOATS))
def test_medians_are_those_of_numpy(windows: Float64) -> None:
    np.testing.assert_array_equal(module._medians(windows), np.median(windows, axis=1))


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
    monkeypatch.setattr(module, "_medians", lambda windows: np.median(windows, axis=1))
    for found, each in zip(quick, badness, strict=True):
        plain = departures(each, cycle, 0.1)
        for name in ("excess", "level", "enter", "view"):
            np.testing.assert_array_equal(getattr(found, name), getattr(plain, name))

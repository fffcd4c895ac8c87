"""Curves: the axis of frames, thinning, limits."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from helpers.figures import INF, NAN, fake, lines, panels
from matplotlib.figure import Figure

from vfiscope.views.curves import frame_axis, thin
from vfiscope.views.plot import plot_run


def test_frame_numbers_follow_variable_frame_rates() -> None:
    times = np.array([0.0, 0.1, 0.2, 1.2, 2.2])
    frames = fake({"ssim": [1] * 5}, time_s=times, index=np.array([10, 12, 14, 16, 18])).frames
    to_frame, to_time = frame_axis(frames)
    np.testing.assert_allclose(to_frame(times), [10, 12, 14, 16, 18], rtol=0, atol=1e-12)
    np.testing.assert_allclose(
        to_frame([0.15, 0.7, -0.1, 3.2]), [13, 15, 8, 20], rtol=0, atol=1e-12
    )
    np.testing.assert_allclose(to_time([8, 13, 15, 20]), [-0.1, 0.15, 0.7, 3.2], rtol=0, atol=1e-12)


def test_a_frame_that_does_not_advance_in_time_is_left_out_of_the_axis() -> None:
    frames = fake({"ssim": [1] * 5}, time_s=np.array([0.0, 0.1, 0.1, 0.05, 0.4])).frames
    np.testing.assert_allclose(
        frame_axis(frames)[0]([0.0, 0.1, 0.4]), [0, 1, 4], rtol=0, atol=1e-12
    )


def frame_ticks(figure: Figure) -> list[float]:
    _, numbers = panels(figure)[-1].child_axes
    figure.canvas.draw()
    low, high = numbers.get_xlim()
    return [float(tick) for tick in numbers.get_xticks() if low <= tick <= high]


@pytest.mark.parametrize("n", [1, 2, 5, 96])
def test_frame_numbers_are_whole_and_exist(n: int) -> None:
    ticks = frame_ticks(
        plot_run(
            fake({"ssim": [1] * n}, index=np.arange(7, 7 + n), time_s=np.arange(7, 7 + n) / 25)
        )
    )
    assert ticks
    assert all(tick == int(tick) and 7 <= tick < 7 + n for tick in ticks)


@pytest.mark.parametrize(
    ("last_s", "unit", "half"), [(9000, "s", 4500), (36000, "h", 5), (864000, "d", 5)]
)
def test_long_sequences_have_hours_or_days(last_s: float, unit: str, half: float) -> None:
    figure = plot_run(fake({"ssim": [1] * 11}, time_s=np.linspace(0, last_s, 11)))
    times, _ = panels(figure)[-1].child_axes
    assert times.get_xlabel() == f"Time [{unit}]"
    figure.canvas.draw()
    low, high = panels(figure)[-1].get_xlim()
    assert sum(times.get_xlim()) / 2 == pytest.approx((low + high) / 2 * half / (last_s / 2))
    drawn = [panel.get_xticks() * half / (last_s / 2) for panel in panels(figure)]
    np.testing.assert_allclose(drawn, [times.get_xticks()] * len(drawn))


def test_the_frame_axis_says_whose_frames_it_numbers_when_runs_differ() -> None:
    slow = fake({"ssim": [1] * 5}, name="slow", time_s=np.arange(5) / 10)
    fast = fake({"ssim": [1] * 9}, name="fast")
    _, numbers = panels(plot_run([slow, fast]))[-1].child_axes
    assert numbers.get_xlabel() == "Frame of slow"
    _, numbers = panels(plot_run([fast, fake({"ssim": [1] * 4}, name="short")]))[-1].child_axes
    assert numbers.get_xlabel() == "Frame"


def test_thinning_loses_no_spike_and_no_gap() -> None:
    n = 100_000
    rng = np.random.default_rng(0)
    values = rng.normal(0, 1, n)
    spikes = rng.choice(n, 20, replace=False)
    values[spikes] = np.linspace(50, 100, 20)
    values[40_013:40_322] = NAN
    values[70_000] = NAN
    times, kept = thin(np.arange(n, dtype=np.float64), values)
    assert len(times) < 12_000
    assert (np.diff(times) > 0).all()
    np.testing.assert_array_equal(kept, values[times.astype(int)])
    assert set(spikes[~np.isnan(values[spikes])]) <= set(times.astype(int))
    assert {40_013, 40_321, 70_000} <= set(times.astype(int))
    size = -(-n // 2000)
    for start in range(0, n, size):
        inside = (times >= start) & (times < start + size)
        part = values[start : start + size]
        if not np.isnan(part).all():
            assert np.nanmin(kept[inside]) == np.nanmin(part)
            assert np.nanmax(kept[inside]) == np.nanmax(part)


@pytest.mark.parametrize("n", [10_001, 10_007, 123_457])
def test_thinning_keeps_the_ends(n: int) -> None:
    times, values = thin(np.arange(n, dtype=np.float64), np.zeros(n))
    assert (times[0], times[-1]) == (0, n - 1)
    assert len(times) == len(values) <= 10_000


def test_few_rows_are_not_thinned() -> None:
    times = np.arange(10_000.0)
    assert thin(times, times)[0] is times


def test_a_very_long_run_is_drawn_from_few_points(tmp_path: Path) -> None:
    values = np.full(100_000, 35.0)
    values[54_321] = 5
    values[::2] = INF
    ax = panels(plot_run(fake({"psnr": values}), tmp_path / "a.svg"))[0]
    assert min(lines(ax)[0][1]) == 5
    assert sum(len(x) for x, _ in lines(ax)) < 25_000
    assert (tmp_path / "a.svg").stat().st_size < 2_000_000

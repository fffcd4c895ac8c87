"""Figures of dated photos: dates below, curves that break at pauses, spoilt photos by name."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from helpers.images import save
from matplotlib.figure import Figure

import vfiscope as vs
from vfiscope.cli.messages import describe
from vfiscope.errors import UsageError
from vfiscope.store import Run
from vfiscope.views.plot import plot_run

QUICK = {"metrics": "psnr", "maps": "none", "fields": "none"}
DAYS, A_DAY = 4, (0, 10800, 21600)
ODD = 7  # the second photo of the third day


@pytest.fixture(scope="module")
def lapse(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Three photos a day for four days, one of them much brighter."""
    folder = tmp_path_factory.mktemp("lapse")
    noise = np.random.default_rng(5).integers(60, 120, (12, 12, 12, 3))
    for i, second in enumerate(86400 * day + hour for day in range(DAYS) for hour in A_DAY):
        made = noise[i] + (60 if i == ODD else 0)
        save(folder / f"{1585746000 + second}.png", made.astype(np.uint8))
    return vs.scan(str(folder), **QUICK)


def texts(figure: Figure) -> str:
    found = [text.get_text() for ax in figure.axes for text in ax.texts]
    return "\n".join([figure.get_suptitle(), *found])


def test_the_summary_speaks_in_dates(lapse: Run) -> None:
    lines = describe(lapse.summary()).splitlines()
    assert lines[1] == (
        "taken from 2020-04-01 13:00 to 2020-04-04 19:00 (by their names), every 3 h,"
        " with 3 night gaps of 18 h"
    )
    assert "  [7, 8)  1585929600.png, 2020-04-03 16:00  overexposed  luma_mean" in "\n".join(lines)
    assert lapse.times_from == "name"
    taken = lapse.summary()["taken"]
    assert (taken["pauses"], taken["step_s"], taken["daily"]) == (3, 10800.0, True)


def test_the_figure_speaks_in_dates(lapse: Run) -> None:
    figure = plot_run(lapse)
    figure.canvas.draw()
    said = texts(figure)
    assert "every 3 h, with 3 night gaps of 18 h" in said
    assert "overexposed: 1585929600.png, 2020-04-03 16:00" in said
    dates, numbers = figure.axes[0].child_axes
    assert dates.get_xlabel() == "Date"
    assert "2020-Apr" in dates.xaxis.get_offset_text().get_text()
    assert numbers.get_xticks().tolist() == [0, 3, 6, 9]
    shown = [label.get_text() for label in dates.get_xticklabels()]
    # ticks of the panel stand at the dates
    zero = 1585746000
    midnights = [each for each in figure.axes[0].get_xticks() if (each + zero) % 86400 < 1e-3]
    assert len(midnights) >= 3
    assert shown[:1] != [""]


def test_curves_break_at_pauses(lapse: Run) -> None:
    (line, *_) = plot_run(lapse).axes[0].lines
    times, values = line.get_data()
    gaps = np.flatnonzero(np.isnan(values))
    # the first frame has no partner, and before each of three mornings the line breaks
    np.testing.assert_array_equal(np.asarray(times)[gaps], [0, 86400, 172800, 259200])
    assert len(values) == len(lapse) + 3


def test_undated_images_have_seconds(lapse: Run) -> None:
    folder = Path(lapse.sources[0]["path"])
    with vs.scan(str(folder), time_from="fps", **QUICK) as run:
        figure = plot_run(run)
        assert run.summary()["taken"] is None
    assert figure.axes[0].child_axes[0].get_xlabel() == "Time [s]"
    assert "taken" not in texts(figure)


def test_images_at_a_rate_that_nobody_stated_have_numbers_alone(lapse: Run, tmp_path: Path) -> None:
    for number in range(10):
        save(tmp_path / f"{number}.png", np.full((12, 12, 3), 10 * number, np.uint8))
    folder = str(tmp_path)
    with vs.scan(folder, **QUICK) as run, vs.scan(folder, fps=5, **QUICK) as stated:
        figure = plot_run(run)
        (axis,) = figure.axes[0].child_axes
        assert axis.get_xlabel() == "Frame"
        figure.canvas.draw()
        shown = axis.get_xticks()
        np.testing.assert_allclose(shown, np.rint(shown))
        # the lines of the grid stand at whole frames
        np.testing.assert_allclose(np.asarray(figure.axes[0].get_xticks()) * 25, shown, atol=1e-6)
        timed = plot_run(stated).axes[0].child_axes
        assert [each.get_xlabel() for each in timed] == ["Time [s]", "Frame"]
        with pytest.raises(UsageError, match=r"has dates, and .* images without times: plot each"):
            plot_run([lapse, run])
        assert plot_run([lapse, stated])


@pytest.mark.slow
def test_the_garden_tells_its_dates_nights_and_spoilt_photo(shared_data: Path) -> None:
    with vs.scan(str(shared_data / "timelapse/garden"), **QUICK) as run:
        said, drawn = describe(run.summary()), texts(plot_run(run))
    for text in (said, drawn):
        assert "taken from 2020-04-01 13:00:33 to 2020-04-20 19:00:33" in text
        assert "every 3 h, with 19 night gaps of 18 h" in text
        assert "1586534433.jpg, 2020-04-10 16:00:33" in text
        assert text.count("overexposed") == 1

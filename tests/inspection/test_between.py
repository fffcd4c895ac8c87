"""What changed between two photos of a time-lapse, its curves, and its verb."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from helpers.cli import call

from vfiscope import api, synth
from vfiscope.errors import UsageError
from vfiscope.inspection.between import between, draw_between, row_at
from vfiscope.segments.photo_stage import PhotoRow
from vfiscope.stages import STAGES
from vfiscope.store import Run
from vfiscope.views.lapse_figure import plot_lapse

BUMP = (3.0, 2.0, 0.0)


@pytest.fixture(scope="module")
def lapse() -> synth.TimeLapse:
    return synth.TimeLapse(9, 96, 128, seed=1, bumps={5: BUMP}, covered=(7,), growth=0.12, plants=1)


@pytest.fixture(scope="module")
def run(lapse: synth.TimeLapse, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    folder = tmp_path_factory.mktemp("lapse")
    lapse.write(folder / "bed")
    out = str(folder / "bed.h5")
    with api.scan(str(folder / "bed"), metrics=("absdiff",), device="cpu", out=out) as made:
        yield made


def test_a_photo_is_found_by_number_and_by_date(run: Run) -> None:
    assert row_at(run, "3") == 3
    assert row_at(run, "2023-11-15T04:00") == 3  # taken at 04:13:20
    assert row_at(run, "2023-11-15T05:00+01:00") == 3
    with pytest.raises(UsageError, match="has no frame 9: the last is 8"):
        row_at(run, "9")
    with pytest.raises(UsageError, match="'noon': pass the number of a frame, or a date"):
        row_at(run, "noon")


def test_what_grew_is_found_behind_a_bump(run: Run, lapse: synth.TimeLapse) -> None:
    found = between(run, "0", "8")
    assert found.placed is not None
    assert (found.placed.x, found.placed.y) == pytest.approx(BUMP[:2], abs=0.3)
    grown = lapse.share(8) - lapse.share(0)
    assert found.changed.mean() == pytest.approx(grown, rel=0.2)
    assert not found.changed[:2].any()  # what the earlier photo does not show has not changed
    columns = np.nonzero(found.changed)[1]
    assert columns.mean() / found.changed.shape[1] == pytest.approx(0.5 + BUMP[0] / 128, abs=0.03)
    assert found.facts["frames"] == [0, 8]
    assert found.sentence.startswith("between 1700000000.jpg, 2023-11-14 22:13:20 and 1700")
    figure = draw_between(found)
    assert len(figure.axes) == 3


def test_a_covered_photo_shows_another_place(run: Run) -> None:
    found = between(run, "0", "7")
    assert found.sentence.endswith("they do not show the same place")
    assert found.facts["changed"] is None
    with pytest.raises(UsageError, match="both are frame 3: pass two photos"):
        between(run, "3", "2023-11-15T04:00")


def test_the_curves_are_drawn_and_stored(run: Run) -> None:
    figure = plot_lapse(run)
    assert [ax.get_title(loc="left")[:6] for ax in figure.axes] == [
        *("Green,", "Light,", "Cumula", "Change")
    ]
    rows = STAGES["timelapse"].run(run)["timelapse"]
    assert len(rows) == 9
    assert all(isinstance(row, PhotoRow) for row in rows)
    assert [row.frame for row in rows if not row.belongs] == [7]
    for row in rows:
        if row.belongs:
            assert row.light - row.trend == pytest.approx(-np.log(row.deflicker), abs=1e-9)


@pytest.mark.slow
def test_the_verb_says_and_draws(
    run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call("timelapse", run.path, "-o", tmp_path / "a.png") == 0
    assert capsys.readouterr().out.startswith("the time-lapse:\n  light    flickers by")
    assert (tmp_path / "a.png").stat().st_size > 10_000
    assert call("timelapse", run.path, "--between", "0", "8", "--json") == 0
    assert json.loads(capsys.readouterr().out)["same_place"] is True


def test_other_runs_are_no_time_lapse(tmp_path: Path) -> None:
    synth.TimeLapse(3, 32, 48).write(tmp_path / "bed")
    options = {"metrics": ("absdiff",), "device": "cpu", "time_from": "fps"}
    with api.scan(str(tmp_path / "bed"), **options) as run, pytest.raises(UsageError) as error:
        plot_lapse(run)
    assert "is no time-lapse: its frames do not tell when they were taken" in str(error.value)

"""Regions and scores stay: what is asked again, what has changed since, and what fails."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

import vfiscope as vs
from vfiscope.batch.execute import run_jobs
from vfiscope.cli.info_text import describe_facts
from vfiscope.errors import OutputExistsError, StoreError, UsageError
from vfiscope.inspection.info import describe
from vfiscope.regions import regions_stage as stage
from vfiscope.scoring import pipeline
from vfiscope.scoring.region_marks import sought_pairs
from vfiscope.store import amend, contradictions, stage_tables
from vfiscope.views.region_words import describe_regions

PLAIN = np.full((48, 64, 3), 100, np.uint8)
MARKED = PLAIN.copy()
MARKED[10:26, 20:44] = 200
FEW: dict[str, Any] = {"metrics": ["psnr"], "signals": ["none"]}


@pytest.fixture
def clips(tmp_path: Path) -> tuple[str, str]:
    """Test and reference: frames 1 and 2 of 4 are marked."""
    for name, frames in (("test", [PLAIN, MARKED, MARKED, PLAIN]), ("ref", [PLAIN] * 4)):
        (tmp_path / name).mkdir()
        for number, pixels in enumerate(frames):
            cv2.imwrite(str(tmp_path / name / f"{number}.png"), pixels)
    return str(tmp_path / "test"), str(tmp_path / "ref")


def marked(run: vs.Run) -> list[int]:
    return [each.frame for each in run.answers]


def test_more_answers_than_other_rows_are_stored_and_read(
    clips: tuple[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(contradictions, "MAX_TABLE_ROWS", 3)
    monkeypatch.setattr(stage, "MAX_TABLE_ROWS", 3)
    out = tmp_path / "run.h5"
    vs.scan(clips[0], golden=0, regions="absdiff", out=out, **FEW).close()
    with vs.open_run(out) as run:
        assert len(run.answers) == 4
        tables = {
            name: stage_tables.Table(row, run.table(name, row) * 4)
            for name, row in stage.REGIONS.tables.items()
        }
    with pytest.raises(StoreError, match="rows, more than 3"):
        amend(out, "regions", 1, {}, tables)
    with vs.open_run(out) as run:
        assert len(run.answers) == 4


def test_too_many_regions_stop_the_search_with_the_remedy(
    clips: tuple[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stage, "MAX_TABLE_ROWS", 1)
    out = tmp_path / "run.h5"
    with pytest.raises(UsageError, match=r"frame 2 there are 2 regions.*vfiscope regions .*run.h5"):
        vs.scan(clips[0], golden=0, regions="absdiff", out=out, **FEW)
    with vs.open_run(out) as run:
        assert len(run.scores["psnr"]) == 4
        assert "regions" not in run.stages


def test_a_batch_that_says_nothing_of_regions_leaves_them(
    clips: tuple[str, str], tmp_path: Path
) -> None:
    job = {"id": "j", "mode": "score", "test": clips[0], "ref": clips[1], **FEW}
    again = tmp_path / "out"
    list(run_jobs([job], again))
    vs.find_regions(again / "j.h5", "absdiff", frames="all").close()
    [left] = run_jobs([job], again)
    assert (left["skipped"], left["marked_again"]) == (True, False)
    with vs.open_run(again / "j.h5") as run:
        assert marked(run) == [0, 1, 2, 3]
    [removed] = run_jobs([{**job, "regions": "none"}], again)
    assert removed["marked_again"]
    with vs.open_run(again / "j.h5") as run:
        assert marked(run) == []


def test_regions_of_other_flagged_frames_are_told_and_sought_again(
    clips: tuple[str, str], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("WARNING", "vfiscope")
    job = {"id": "j", "mode": "score", "test": clips[0], "ref": clips[1], "regions": "absdiff"}
    [_] = run_jobs([{**job, "flag": ["psnr < 30"], **FEW}], tmp_path / "out")
    out = tmp_path / "out" / "j.h5"
    with vs.open_run(out) as run:
        assert marked(run) == [1, 2]
        assert stage.outdated(run) == []
    with vs.flag(out, ["psnr > 30"]) as run:
        assert marked(run) == [1, 2]
    assert "are of the frames that were flagged before: vfiscope regions" in caplog.text
    [again] = run_jobs([{**job, "flag": ["psnr > 30"], **FEW}], tmp_path / "out")
    assert again["marked_again"]
    with vs.open_run(out) as run:
        assert marked(run) == [0, 3]


def test_regions_that_fail_never_take_the_scores_with_them(
    clips: tuple[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = {"golden": 0, "regions": "absdiff", "region_frames": "7", **FEW}
    with pytest.raises(UsageError, match=r"none of the frames 7: it has 0 to 3$"):
        vs.scan(clips[0], **asked)  # the result is temporary, and there are no scores to keep
    out = tmp_path / "run.h5"
    with pytest.raises(UsageError, match=r"none of the frames 7.*vfiscope regions .*run.h5"):
        vs.scan(clips[0], out=out, **asked)
    with vs.open_run(out) as run:
        assert len(run.scores["psnr"]) == 4

    def stopped(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(pipeline, "mark_if_asked", stopped)
    with pytest.raises(KeyboardInterrupt, match=r"scores are kept: vfiscope regions"):
        vs.scan(clips[0], out=tmp_path / "stopped.h5", **asked)
    with vs.open_run(tmp_path / "stopped.h5") as run:
        assert len(run.scores["psnr"]) == 4


def test_the_same_call_goes_on_with_regions_that_were_stopped(
    clips: tuple[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopped(*_: object) -> None:
        raise KeyboardInterrupt

    out = str(tmp_path / "run.h5")
    asked = {"golden": 0, "regions": "absdiff", "out": out, **FEW}
    with monkeypatch.context() as patch:
        patch.setattr(pipeline, "mark_if_asked", stopped)
        with pytest.raises(KeyboardInterrupt):
            vs.scan(clips[0], **asked)
    told = describe(out)
    assert told["regions"] is None
    assert told["regions_note"].startswith("regions were asked for and not sought yet: run the")
    assert told["regions_note"] in describe_facts(told)
    with vs.open_run(out) as run:
        assert describe_regions(run) == [told["regions_note"]]
    for other in ({"golden": 1}, {"regions": "none"}, {"resume": False}):
        with pytest.raises(OutputExistsError):
            vs.scan(clips[0], **{**asked, **other})
    monkeypatch.setattr(pipeline, "_score", lambda *_: pytest.fail("it was scored again"))
    with vs.scan(clips[0], **asked) as run:
        assert marked(run) == [0, 1, 2, 3]
    assert describe(out)["regions_note"] is None
    with pytest.raises(OutputExistsError):
        vs.scan(clips[0], **asked)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"regions": "patchcore", "normal": "/does/not/exist"}, "/does/not/exist"),
        ({"regions": "reconstruction"}, "reconstruction needs normal frames: pass --normal"),
        (
            {"regions": "auto", "normal": "/does/not/exist"},
            "auto does not look at it: leave it out, or choose one of patchcore, reconstruction",
        ),
        ({"regions": "hybrid-legacy", "sensitivity": "high"}, "hybrid-legacy does not look at it"),
        ({"regions": "semantic", "embedder": "dinov2-small", "weights": "/no/file"}, "/no/file"),
    ],
)
def test_what_can_be_refused_is_refused_before_anything_is_decoded(
    options: dict[str, Any],
    message: str,
    clips: tuple[str, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pipeline, "_score", lambda *_: pytest.fail("it was scored"))
    with pytest.raises(vs.VfiscopeError, match=message) as raised:
        vs.scan(clips[0], golden=0, out=tmp_path / "run.h5", **{**FEW, **options})
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"sensitivity": "hgih"}, "sensitivity is 'hgih': choose one of low, medium, high"),
        ({"method": 5}, "method is 5: pass the name of a method"),
        ({"frames": 2.5}, "frames is 2.5: pass auto, flagged, all, or frames"),
    ],
)
def test_a_parameter_that_cannot_be_used_is_refused_in_one_line(
    given: dict[str, Any], message: str, clips: tuple[str, str], tmp_path: Path
) -> None:
    out = tmp_path / "run.h5"
    vs.scan(clips[0], golden=0, out=out, **FEW).close()
    with pytest.raises(UsageError, match=message):
        vs.find_regions(out, **given)
    with vs.find_regions(out, "absdiff", frames=1) as run:  # type: ignore[arg-type]
        assert marked(run) == [1]


def test_figures_are_refused_of_regions_that_are_not_made_like_this_any_more(
    clips: tuple[str, str], tmp_path: Path
) -> None:
    out = tmp_path / "run.h5"
    asked = {"regions": "reconstruction", "normal": clips[1]}
    normal = Path(clips[1])
    rng = np.random.default_rng(0)
    for number in range(4):
        cv2.imwrite(str(normal / f"{number}.png"), rng.integers(90, 110, (48, 64, 3), np.uint8))
    vs.scan(clips[0], golden=0, out=out, **asked, **FEW).close()
    with vs.open_run(out) as run:
        facts = run.stages["regions"].facts
        assert facts["normal"]["path"] == clips[1]
        assert facts["normal"]["digest"].startswith("sha256:")
        assert stage.has_regions(run, stage.stored_parameters(run))
        assert len(list(sought_pairs(run))) >= 1
    cv2.imwrite(str(normal / "3.png"), PLAIN)
    with vs.open_run(out) as run:
        assert not stage.has_regions(run, dict(run.stages["regions"].parameters))
        with pytest.raises(UsageError, match=r"the normal of the regions .* has changed since"):
            next(sought_pairs(run))
        parameters = {**run.stages["regions"].parameters, "new": 1}
        tables = {
            name: stage_tables.Table(row, run.table(name, row))
            for name, row in stage.REGIONS.tables.items()
        }
    known = {name: value for name, value in parameters.items() if name != "new"}
    for version, kept in ((stage.REGIONS.version, parameters), (stage.REGIONS.version - 1, known)):
        amend(out, "regions", version, kept, tables)
        with (
            vs.open_run(out) as run,
            pytest.raises(UsageError, match="of another version of vfiscope: seek them again"),
        ):
            next(sought_pairs(run))
    with vs.open_run(out) as run:
        assert not stage.has_regions(run, known)


def test_the_embedder_of_a_method_is_a_fact_of_its_regions() -> None:
    with vs.compare(MARKED, PLAIN, regions="none", embedder="dsift", **FEW) as run:
        held = stage.facts_of(run, method="semantic")["embedder"]
    assert (held["name"], held["size"], held["weights_digest"]) == ("dsift", 560, None)

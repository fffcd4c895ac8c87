"""Options of a batch hold for every job whose mode has them; what a job sets itself wins."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from helpers.cli import call
from helpers.images import save
from helpers.media import noise

import vfiscope as vs
from vfiscope.batch.shared_options import inherited, shared_options
from vfiscope.errors import UsageError
from vfiscope.options import RunConfig

CHEAP: dict[str, Any] = {"metrics": ("psnr",), "maps": ("none",), "fields": ("none",)}
FLAGS = ["--metrics", "psnr", "--maps", "none", "--fields", "none"]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for number, pixels in enumerate(noise(3, 42, 56)):
        save(tmp_path / "media" / f"{number}.png", pixels)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def write(folder: Path) -> Callable[..., str]:
    def written(*jobs: dict[str, Any]) -> str:
        (folder / "jobs.json").write_text(json.dumps({"pairs": jobs}))
        return "jobs.json"

    return written


def test_every_declared_option_but_those_of_one_job_is_shared() -> None:
    left_out = {told.name for told in RunConfig.declared()} - set(shared_options())
    assert left_out == {"mode", "test", "out", "overwrite"}
    shown = inspect.signature(vs.run_jobs).parameters
    assert set(shown) == {"jobs", "out", "visualize", *shared_options(RunConfig.declared())}


@pytest.mark.slow
def test_the_command_line_and_python_share_options_alike(
    folder: Path, write: Callable[..., str], capsys: pytest.CaptureFixture[str]
) -> None:
    """The pair list of another tool knows none of them; the last job has a size of its own."""
    pair = {"ref_img": "media/0.png", "dist_img": "media/1.png"}
    path = write(pair, {**pair, "size": 42})
    options = ["--embedder", "dsift", "--size", "28", "--aspect", "stretch", "--quiet"]
    metric = ["--metrics", "cosine", *FLAGS[2:]]
    assert call("batch", path, "-o", "by_command", *options, *metric) == 0
    (folder / "shared.toml").write_text('embedder = "dsift"\nsize = 28\naspect = "stretch"\n')
    assert call("batch", path, "-o", "by_file", "--config", "shared.toml", *metric, "--json") == 0
    by_file = json.loads(capsys.readouterr().out)
    shared = {**CHEAP, "metrics": ["cosine"], "embedder": "dsift", "size": 28, "aspect": "stretch"}
    by_python = list(vs.run_jobs(path, "by_python", **shared))
    by_command = json.loads((folder / "by_command/results.json").read_text())
    distances = [[each["cosine_distance"] for each in done] for done in (by_python, by_file)]
    assert distances == [[each["cosine_distance"] for each in by_command]] * 2
    for result, size in zip(by_python, (28, 42), strict=True):
        with vs.open_run(result["out"]) as run:
            assert (run.config["size"], run.config["aspect"]) == (size, "stretch")
        options = {**shared, "size": size}
        with vs.compare("media/1.png", "media/0.png", **options) as alone:
            assert result["cosine_distance"] == alone.scores["cosine"][0]


def test_inputs_are_shared_too_and_named_in_the_results(folder: Path) -> None:
    jobs = [{"test": "media/1.png"}, {"test": "media/2.png", "ref": "media/1.png"}]
    first, second = vs.run_jobs(jobs, "out", ref="media/0.png", **CHEAP)
    assert (first["ref"], first["image_a"]) == ("media/0.png", "0.png")
    assert (second["ref"], second["image_a"]) == (str(folder / "media/1.png"), "1.png")


@pytest.mark.parametrize(
    ("own", "taken"),
    [
        ({}, {"weights", "embedder", "ref", "register"}),
        ({"embedder": "dsift"}, {"ref", "register"}),
        ({"weights": "mine.pt"}, {"embedder", "ref", "register"}),
        ({"source": "s.mp4"}, {"weights", "embedder", "register"}),
    ],
)
def test_a_jobs_own_value_leaves_out_what_belongs_to_another(
    own: dict[str, str], taken: set[str]
) -> None:
    shared = {"weights": "w.pt", "embedder": "dinov2-small", "ref": "r", "register": "ecc"}
    assert set(inherited("score", own, shared)) == taken
    assert set(inherited("scan", own, {**shared, "lag": 1})) == taken - {"ref"} | {"lag"}


def test_an_option_that_no_job_has_is_said(
    folder: Path, write: Callable[..., str], capsys: pytest.CaptureFixture[str]
) -> None:
    path = write({"test": "media/1.png", "ref": "media/0.png"})
    assert call("batch", path, "-o", "out", "--golden", "0", *FLAGS) == 0
    assert "golden has no effect: no job is a scan" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"sise": 28}, "a batch has no option 'sise': did you mean 'size'"),
        ({"out": "a.h5"}, "multiple values|a batch has no option 'out'"),
        ({"overwrite": True}, "a batch has no option 'overwrite'"),
        ({"size": "28"}, "size is '28': pass a whole number"),
        ({"device": "tpu"}, "device is 'tpu': choose one of auto, cpu, cuda, mps"),
        ({"fail_on": "psnr <"}, "psnr <"),
    ],
)
def test_a_wrong_shared_option_is_refused_before_any_job(
    folder: Path, options: dict[str, Any], message: str
) -> None:
    with pytest.raises((UsageError, TypeError), match=message):
        vs.run_jobs([{"test": "media/1.png", "ref": "media/0.png"}], "made", **options)
    assert not (folder / "made").exists()


def test_rules_of_a_batch_add_to_those_of_a_job(folder: Path) -> None:
    job = {"test": "media/1.png", "ref": "media/0.png", "fail_on": "psnr < 99"}
    (result,) = vs.run_jobs([job], "out", fail_on=["psnr < 98"], flag=["psnr < 97"], **CHEAP)
    assert result["failed_on"] == ["psnr < 98", "psnr < 99"]
    assert result["summary"]["rules"] == ["psnr < 97"]


def test_a_method_for_regions_is_refused_once_before_the_first_job(
    folder: Path, write: Callable[..., str]
) -> None:
    jobs = write({"test": "media/0.png", "ref": "media/1.png"})
    with pytest.raises(UsageError, match="there is no method for regions 'nonsense'"):
        vs.run_jobs(jobs, folder / "out", regions="nonsense")
    assert not (folder / "out").exists()


def test_jobs_and_a_whole_batch_tell_where_their_time_went(
    write: Callable[..., str], capsys: pytest.CaptureFixture[str]
) -> None:
    pair = {"ref": "media/0.png", "test": "media/1.png"}
    path = write({"id": "a", "timing": True, **pair}, {"id": "b", **pair})
    assert call("batch", path, "-o", "out", *FLAGS, "--quiet") == 0
    of_a, empty, total, *_ = capsys.readouterr().out.split("\n")
    assert of_a.startswith("a: time: ")
    assert empty == ""
    assert total.startswith("time of 1 job: ")
    assert call("batch", path, "-o", "out", *FLAGS, "--quiet", "--timing") == 0
    assert [line.split(": ")[:2] for line in capsys.readouterr().out.splitlines()] == [
        ["a", "time (done before)"],
        ["b", "time (done before)"],
    ]

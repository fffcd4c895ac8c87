"""Entries of a job list that cannot be meant: each is refused by name, and the others run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from helpers.cli import call
from helpers.images import save
from helpers.media import noise

import vfiscope as vs
from vfiscope.batch.job_file import read_jobs
from vfiscope.batch.results import FILES
from vfiscope.errors import UsageError

CHEAP: dict[str, Any] = {"metrics": ("psnr",), "maps": ("none",), "fields": ("none",)}
PAIR = {"test": "1.png", "ref": "0.png"}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for number, pixels in enumerate(noise(2, 16, 16)):
        save(tmp_path / f"{number}.png", pixels)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("key", "value", "shown"),
    [
        ("id", None, "null"),
        ("id", ["a"], '["a"]'),
        ("id", {"a": 1}, '{"a": 1}'),
        ("id", True, "true"),
        ("id", 1.5, "1.5"),
        ("label", ["mine"], '["mine"]'),
        ("label", False, "false"),
        ("mode", ["compare"], '["compare"]'),
    ],
)
def test_a_name_that_is_no_text_is_refused(
    folder: Path, key: str, value: object, shown: str
) -> None:
    jobs = [{**PAIR, key: value}, {**PAIR, "id": 7}]
    bad, good = vs.run_jobs(jobs, "out", **CHEAP)
    assert bad["error"] == f"{key} is {shown}: pass a text, or leave {key} out"
    assert (bad["id"], good["id"], good["state"]) == ("pair_001", "7", "ok")
    assert {path.suffix for path in (folder / "out").iterdir()} == {".h5", ".json", ".csv"}
    assert [path.name for path in (folder / "out").glob("*.h5")] == ["7.h5"]


@pytest.mark.parametrize(
    ("keys", "option"),
    [
        (("test", "image_b"), "test"),
        (("image_b", "dist_img"), "test"),
        (("ref_img", "ref"), "ref"),
        (("fail-on", "fail_on"), "fail_on"),
        (("register-weights", "register_weights"), "register_weights"),
    ],
)
def test_two_keys_that_mean_the_same_are_refused(keys: tuple[str, str], option: str) -> None:
    jobs = [{**dict.fromkeys(keys, "1.png")}, PAIR]
    bad, good = vs.run_jobs(jobs, "out", **CHEAP)
    said = f"{keys[0]!r} and {keys[1]!r} mean the same, {option}: leave one of them out"
    assert bad["error"] == said
    assert good["state"] == "ok"


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.json", '[{"test": "a.png", "test": "b.png"}]', "'test' is there twice"),
        ("a.jsonl", '{"ref": "a.png", "ref": "b.png"}', "'ref' is there twice"),
        ("a.json", '{"pairs": [], "pairs": [1]}', "'pairs' is there twice"),
        ("a.json", '{"pairs": [], "jobs": []}', "'pairs' and 'jobs', which mean the same"),
        ("a.csv", "id;mode;test\na;scan;b\n", "'id;mode;test': separate columns by commas"),
        ("a.csv", "test,ref,test\na,b,c\n", "two columns of the job file are called 'test'"),
    ],
)
def test_a_file_that_says_a_thing_twice_is_refused(
    folder: Path, name: str, text: str, message: str
) -> None:
    (folder / name).write_text(text)
    with pytest.raises(UsageError, match=message):
        read_jobs(name)


def test_null_leaves_an_option_out_as_an_empty_cell_does() -> None:
    (result,) = vs.run_jobs([{**PAIR, "size": None, "embedder": None}], "out", size=28, **CHEAP)
    assert result["state"] == "ok"
    with vs.open_run(result["out"]) as run:
        assert (run.config["size"], run.config["embedder"]) == (28, "auto")


@pytest.mark.parametrize(
    ("name", "text"),
    [("a.json", '{"pairs": []}'), ("a.json", "[]"), ("a.jsonl", "\n"), ("a.csv", "test,ref\n")],
)
def test_an_empty_list_has_an_empty_result(
    folder: Path, name: str, text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / name).write_text(text)
    assert call("batch", name, "-o", "out") == 0
    assert "the job list is empty: nothing is run" in capsys.readouterr().err
    assert json.loads((folder / "out/results.json").read_text()) == []


def test_a_list_under_another_key_is_no_empty_list(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "a.json").write_text('{"pair": []}')
    assert call("batch", "a.json", "-o", "out") == 2
    assert 'an object with the key "pairs" or "jobs"' in capsys.readouterr().err
    assert not (folder / "out").exists()


@pytest.mark.parametrize("name", ["a", "a.h5"])
@pytest.mark.parametrize("target", ["elsewhere", "nowhere"])
def test_a_batch_never_writes_through_a_link(folder: Path, name: str, target: str) -> None:
    """The folder of the figures or the result of a job leads out of the batch's own folder."""
    (folder / "elsewhere").mkdir()
    (folder / "out").mkdir()
    (folder / "out" / name).symlink_to(folder / target)
    (bad,) = vs.run_jobs([{**PAIR, "id": "a"}], "out", visualize=True, **CHEAP)
    assert f"out/{name} is a link to elsewhere" in bad["error"]
    assert not (folder / "out/a.h5").is_file()
    assert [*(folder / "elsewhere").iterdir()] == []
    assert not (folder / "nowhere").exists()


@pytest.mark.parametrize("name", FILES)
def test_results_of_a_batch_are_no_links(folder: Path, name: str) -> None:
    precious = folder / "precious"
    precious.write_text("mine")
    (folder / "out").mkdir()
    (folder / "out" / name).symlink_to(precious)
    with pytest.raises(UsageError, match=f"out/{name} is a link to elsewhere, .*pass another -o"):
        list(vs.run_jobs([], "out"))
    assert precious.read_text() == "mine"
    assert [path.name for path in (folder / "out").iterdir()] == [name]


def test_figures_are_no_links(folder: Path) -> None:
    (folder / "out/a").mkdir(parents=True)
    (folder / "out/a/summary.json").symlink_to(folder / "nowhere")
    (bad,) = vs.run_jobs([{**PAIR, "id": "a"}], "out", visualize=True, **CHEAP)
    assert "out/a/summary.json is a link to elsewhere" in bad["error"]
    assert not (folder / "nowhere").exists()


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("results.json", "'results.json' is the name of a file of the batch: choose another"),
        ("a/b", "'a/b' cannot be a file name: choose one without slashes"),
    ],
)
def test_an_id_that_cannot_name_a_result(folder: Path, name: str, said: str) -> None:
    (bad,) = vs.run_jobs([{**PAIR, "id": name}], "out", **CHEAP)
    assert said in bad["error"]

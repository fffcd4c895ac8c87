"""Job files in three forms, results that survive a bad job, and reruns that do only what is new."""

from __future__ import annotations

import csv
import json
import textwrap
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import get_type_hints

import numpy as np
import pytest
from PIL import Image

import vfiscope as vs
from vfiscope import synth
from vfiscope.batch.execute import run_jobs
from vfiscope.batch.job_file import read_jobs, typed
from vfiscope.cli.program import main, vfiscope
from vfiscope.errors import UsageError
from vfiscope.options import RunConfig
from vfiscope.scoring import pipeline
from vfiscope.store import Run
from vfiscope.types import Scores

CHEAP = {"metrics": "psnr", "maps": "none", "fields": "none"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    frames = synth.Scene(48, 64).frames(4)
    synth.write_images(tmp_path / "media", frames, "f%d.png")
    return tmp_path


def write(path: Path, jobs: object) -> Path:
    path.write_text(json.dumps(jobs))
    return path


def test_warnings_say_of_which_job_they_are(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    clear = np.full((3, 48, 64, 4), 90, np.uint8)
    synth.write_images(tmp_path / "plain", clear[..., :3], "f%d.png")
    (tmp_path / "clear").mkdir()
    for number, image in enumerate(clear):
        Image.fromarray(image).save(tmp_path / "clear" / f"f{number}.png")
    rows = [{"id": name, "mode": "scan", "test": name, **CHEAP} for name in ("plain", "100%_clear")]
    rows[1]["test"] = "clear"
    list(run_jobs(write(tmp_path / "jobs.json", rows), tmp_path / "out"))
    vs.scan(tmp_path / "clear", **CHEAP)
    (of_job, alone) = [each for each in caplog.messages if "transparent" in each]
    assert of_job.startswith("warning: 100%_clear: test ")
    assert alone == of_job.replace("100%_clear: ", "")


def test_json_jsonl_and_csv_say_the_same(folder: Path) -> None:
    job = {
        "id": "one",
        "mode": "scan",
        "test": "media/f0.png",
        "golden": "0",
        "label": "first",
        "lag": "2",
    }
    write(folder / "a.json", [job])
    (folder / "a.jsonl").write_text(json.dumps(job) + "\n\n")
    with open(folder / "a.csv", "w", newline="") as file:
        writer = csv.DictWriter(file, [*job, "ref"])
        writer.writeheader()
        writer.writerow(job)
    read = [read_jobs(folder / name)[0] for name in ("a.json", "a.jsonl", "a.csv")]
    assert read[0] == read[1] == read[2]
    assert read[0].id == "one"
    assert read[0].label == "first"
    assert read[0].options["test"] == str(folder / "media/f0.png")
    assert read[0].options["golden"] == "0"


@pytest.mark.parametrize(("ref", "test"), [("image_a", "image_b"), ("ref_img", "dist_img")])
def test_pair_lists_of_other_tools_are_read(folder: Path, ref: str, test: str) -> None:
    path = write(folder / "a.json", {"pairs": [{ref: "media/f0.png", test: "media/f1.png"}]})
    (job,) = read_jobs(path)
    assert (job.id, job.mode) == ("pair_001", "compare")
    assert Path(job.options["ref"]).name == "f0.png"
    assert Path(job.options["test"]).name == "f1.png"


def test_one_failing_job_never_stops_the_others(folder: Path) -> None:
    jobs = [
        {"id": "good", "test": "media/f1.png", "ref": "media/f0.png", **CHEAP},
        {"id": "missing", "test": "media/f9.png", "ref": "media/f0.png", **CHEAP},
        {"id": "typo", "test": "media/f1.png", "reference": "media/f0.png"},
        {"id": "../out", "test": "media/f1.png", "ref": "media/f0.png"},
        "nonsense",
        {"id": "five", "test": "media/f1.png", "ref": "media/f0.png", "metrics": 5},
        {"id": "list", "test": "media/f1.png", "ref": "media/f0.png", "embedder": [1]},
        {"id": "own", "test": "media/f1.png", "ref": "media/f0.png", "out": "mine.h5", **CHEAP},
        {"id": "last", "mode": "scan", "test": "media", "golden": 0, **CHEAP},
    ]
    results = list(run_jobs(read_jobs(write(folder / "a.json", jobs)), folder / "out"))
    assert [r["state"] for r in results] == ["ok", *["failed"] * 7, "ok"]
    assert "f9.png" in results[1]["error"]
    assert "reference" in results[2]["error"]
    assert "slashes" in results[3]["error"]
    example = '{"test": "a.png", "ref": "b.png"}'
    assert (
        results[4]["error"]
        == f'entry 5 of the job list is "nonsense": pass an object, as {example}'
    )
    assert (
        results[7]["error"]
        == "out is 'mine.h5', but a batch writes own.h5 into its own folder: leave it out"
    )
    assert results[8]["summary"]["frames"]["scored"] == 4
    assert json.loads((folder / "out/results.json").read_text()) == results
    rows = list(csv.DictReader((folder / "out/summary.csv").read_text().splitlines()))
    assert [row["id"] for row in rows] == [r["id"] for r in results]
    assert float(rows[0]["psnr_mean"]) == results[0]["summary"]["metrics"]["psnr"]["mean"]
    assert sorted(path.name for path in (folder / "out").iterdir()) == [
        "good.h5",
        "last.h5",
        "means.json",
        "results.json",
        "summary.csv",
    ]


def test_a_table_says_which_frames_its_means_are_about(folder: Path) -> None:
    """A frame is 10 code values off for each number in its place of ``off``."""
    truth = np.full((8, 16, 16, 3), 100, np.uint8)
    off = np.array([0, 1, 0, 2, 1, 1, 0, 4], np.uint8)
    synth.write_images(folder / "truth", truth)
    synth.write_images(folder / "test", truth + 10 * off[:, None, None, None])
    common = {"mode": "score", "test": "test", "ref": "truth", **CHEAP, "metrics": "absdiff"}
    jobs = [{"id": "told", "multiplier": 2, **common}, {"id": "untold", **common}]
    results = list(
        run_jobs(
            read_jobs(write(folder / "a.json", jobs)), folder / "out", fail_on=["max(absdiff) > 0"]
        )
    )
    rows = list(csv.DictReader((folder / "out/summary.csv").read_text().splitlines()))
    head = ["id", "label", "mode", "state", "error", "role", "frames", "scored", "segments"]
    head += ["answer", "regions"]
    assert list(rows[0]) == [*head, "absdiff_mean", "absdiff_passed_mean"]
    assert [(row["role"], row["frames"], row["scored"]) for row in rows] == [
        ("synthesised", "4", "8"),
        ("all", "8", "8"),
    ]
    assert float(rows[0]["absdiff_mean"]) == pytest.approx(20 / 255)
    assert float(rows[0]["absdiff_passed_mean"]) == pytest.approx(2.5 / 255)
    assert float(rows[1]["absdiff_mean"]) == pytest.approx(11.25 / 255)
    assert rows[1]["absdiff_passed_mean"] == ""
    assert [r["failures"]["max(absdiff) > 0"] for r in results] == [
        "max(absdiff of synthesised) = 0.1569",
        "max(absdiff) = 0.1569",
    ]
    assert [r["summary"]["role"] for r in results] == ["synthesised", "all"]


def test_numbers_for_readers_of_other_results_are_about_the_role(folder: Path) -> None:
    scene = list(synth.Scene(64, 64, seed=1).frames(4))
    synth.write_images(folder / "truth", scene)
    synth.write_images(folder / "test", [scene[0], scene[3], scene[2], scene[1]])
    common = {
        "mode": "score",
        "test": "test",
        "ref": "truth",
        "metrics": "cosine",
        "maps": "none",
        "fields": "none",
    }
    jobs = [{"id": "told", "multiplier": 2, **common}, {"id": "untold", **common}]
    told, untold = run_jobs(read_jobs(write(folder / "a.json", jobs)), folder / "out")
    assert (
        told["cosine_distance"]
        == told["summary"]["roles"]["synthesised"]["metrics"]["cosine"]["mean"]
    )
    assert told["cosine_distance"] == pytest.approx(
        2 * untold["cosine_distance"]
    )  # two of four are identical
    assert told["cosine_similarity"] == 1 - told["cosine_distance"]


def test_the_remedies_of_a_job_are_for_a_job_list(folder: Path) -> None:
    synth.write_video(folder / "a.mkv", synth.Scene(32, 32).frames(2))
    jobs = [
        {"test": "a.mkv", "ref": "a.mkv", **CHEAP},
        {"test": "http://x/y.png", "ref": "media/f0.png", **CHEAP},
        {"mode": "scan", "test": "media", "golden": "-1", **CHEAP},
        {"mode": "score", "test": "a.mkv", "ref": "a.mkv", **CHEAP},
    ]
    results = list(run_jobs(read_jobs(write(folder / "a.json", jobs)), folder / "out"))
    assert '"mode": "score" in a job list' in results[0]["error"]
    assert results[1]["error"].startswith("'http://x/y.png' is an address")
    assert results[2]["error"].startswith("golden is -1: pass an image")
    assert results[3]["state"] == "ok"  # the remedy of the first


def test_a_rerun_does_only_what_is_new(folder: Path) -> None:
    jobs = [
        {"id": name, "test": f"media/f{i}.png", "ref": "media/f0.png", **CHEAP}
        for i, name in enumerate("abc")
    ]
    path = write(folder / "a.json", jobs)
    first = list(run_jobs(read_jobs(path), folder / "out"))
    stamps = {r["id"]: Path(r["out"]).stat().st_mtime_ns for r in first}
    jobs[1]["metrics"] = "ssim"
    (folder / "out/c.h5").unlink()
    again = list(run_jobs(read_jobs(write(path, jobs)), folder / "out"))
    assert [(r["state"], r["skipped"]) for r in again] == [
        ("ok", True),
        ("ok", False),
        ("ok", False),
    ]
    assert Path(again[0]["out"]).stat().st_mtime_ns == stamps["a"]
    assert again[0]["summary"] == first[0]["summary"]
    assert list(again[1]["summary"]["metrics"]) == ["ssim"]


def test_work_begun_from_python_is_the_same_work_in_a_batch(folder: Path) -> None:
    (folder / "out").mkdir()
    options = {"golden": 0, "start": 1, "stop": "3", "fps": 25, **CHEAP}
    vs.scan(str(folder / "media"), out=str(folder / "out/a.h5"), **options).close()
    (folder / "a.csv").write_text("id,mode,test,golden,start,stop,fps," + ",".join(CHEAP) + "\n")
    with (folder / "a.csv").open("a") as file:
        file.write("a,scan,media,0,1,3,25," + ",".join(map(str, CHEAP.values())) + "\n")
    (result,) = run_jobs(read_jobs(folder / "a.csv"), folder / "out")
    assert (result["error"], result["skipped"]) == (None, True)


def test_a_rerun_with_other_rules_flags_again_and_scores_nothing(folder: Path) -> None:
    job = {"id": "a", "mode": "scan", "test": "media", "golden": 0, **CHEAP}
    path = write(folder / "a.json", [job])
    (first,) = run_jobs(read_jobs(path), folder / "out")
    assert first["summary"]["segments"] == []
    job["flag"] = ["psnr < 99 for 2 frames"]
    (again,) = run_jobs(read_jobs(write(path, [job])), folder / "out")
    assert (again["skipped"], again["flagged_again"]) == (True, True)
    assert again["summary"]["metrics"] == first["summary"]["metrics"]
    assert {segment["rule"] for segment in again["summary"]["segments"]} == {
        "psnr < 99 for 2 frames"
    }
    stamp = Path(again["out"]).stat().st_mtime_ns
    (third,) = run_jobs(read_jobs(path), folder / "out")
    assert third["summary"] == again["summary"]
    assert not third["flagged_again"]
    assert Path(third["out"]).stat().st_mtime_ns == stamp


def test_no_resume_discards_the_unfinished_work_of_a_job(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("vfiscope.config.ROWS_PER_PART", 2)
    job = {"id": "a", "mode": "scan", "test": "media", "golden": 0, "batch": 1, **CHEAP}
    path = write(folder / "a.json", [job])

    def killed(scores: Iterable[Scores], *_: object) -> Iterator[Scores]:
        yield from islice(scores, 3)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        pipeline.run(read_jobs(path)[0].configure(folder / "a.h5"), watch=killed)
    (folder / "out").mkdir()
    (folder / "a.h5.parts").rename(folder / "out/a.h5.parts")
    write(path, [{**job, "step": 2}])
    codes = []
    for extra in ([], ["--no-resume"], []):
        with pytest.raises(SystemExit) as caught:
            main(["batch", str(path), "-o", str(folder / "out"), *extra])
        codes.append(caught.value.code)
        if not extra and len(codes) == 1:
            assert "config.step: 1 -> 2" in (err := capsys.readouterr().err)
            assert "--no-resume discards the unfinished work" in err
    assert codes == [3, 0, 0]
    with Run(folder / "out/a.h5") as run:
        assert run.frames.index.tolist() == [0, 2]


def test_a_file_that_is_no_result_does_not_fail_its_job_for_good(folder: Path) -> None:
    jobs = read_jobs(
        write(
            folder / "a.json", [{"id": "a", "test": "media/f1.png", "ref": "media/f0.png", **CHEAP}]
        )
    )
    (folder / "out").mkdir()
    (folder / "out/a.h5").write_text("junk")
    (result,) = run_jobs(jobs, folder / "out")
    assert "is not a result" in result["error"]
    (folder / "out/a.h5").unlink()
    (result,) = run_jobs(jobs, folder / "out")
    assert result["state"] == "ok"


def test_cells_keep_their_line_breaks_and_lines_their_separators(folder: Path) -> None:
    (folder / "a.csv").write_text('id,test,ref\n"a","media/f\n.png",media/f0.png\n')
    assert read_jobs(folder / "a.csv")[0].options["test"].endswith("f\n.png")
    (folder / "a.jsonl").write_text(
        '{"id": "a", "test": "media/\u2028.png", "ref": "media/f0.png"}\n'
    )
    assert read_jobs(folder / "a.jsonl")[0].options["test"].endswith("\u2028.png")


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.csv", "id,test\na,b,c\n", "more cells than the header"),
        ("a.json", '[{"id": "a\\u0007"}]', "printable"),
        ("a.txt", "[]", r"\.json, \.jsonl or \.csv"),
        ("a.json", "{", "not a valid .json"),
        ("a.json", '[{"test": NaN}]', "NaN is not a JSON value"),
        ("a.jsonl", '{"golden": 1' + 5000 * "0" + "}", "not a valid .jsonl file"),
        (
            "a.jsonl",
            '{"test": "a.png"}\n\n{"test" 3}\n',
            (
                r"a.jsonl is not a valid .jsonl file \(Expecting ':' delimiter: line 3 column 9\):"
                r" fix the file"
            ),
        ),
        ("a.json", '{"tests": []}', "pairs"),
        ("a.json", '[{"id": "x"}, {"id": "x"}]', "two jobs have the id 'x'"),
    ],
)
def test_a_wrong_job_file_is_refused(tmp_path: Path, name: str, text: str, message: str) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(UsageError, match=message):
        read_jobs(tmp_path / name)
    with pytest.raises(
        UsageError,
        match=r"absent\.json: No such file or directory: check the name of the job file$",
    ):
        read_jobs(tmp_path / "absent.json")


def test_the_verb_reports_by_exit_code(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    good = {"id": "good", "test": "media/f1.png", "ref": "media/f0.png", **CHEAP}
    bad = {"id": "bad", "test": "media/f9.png", "ref": "media/f0.png"}

    def call(jobs: list[dict[str, str]], *options: str) -> int:
        path = write(folder / "jobs.json", jobs)
        with pytest.raises(SystemExit) as caught:
            main(["batch", str(path), "-o", str(folder / "out"), *options])
        return int(caught.value.code or 0)

    assert call([good]) == 0
    assert call([good, bad]) == 3
    assert "f9.png" in capsys.readouterr().err
    assert call([good, bad], "--quiet") == 3
    out, err = capsys.readouterr()
    assert out == ""
    assert "f9.png" in err
    assert call([good], "--fail-on", "ssim < 1") == 3
    assert "no metric or signal 'ssim'" in capsys.readouterr().err
    uneven = {"id": "uneven", "mode": "score", "test": "media", "ref": "media/f0.png", **CHEAP}
    assert [call([uneven]), call([uneven])] == [3, 3]
    capsys.readouterr()
    assert call([good], "--fail-on", "psnr < 100", "--json") == 1
    assert json.loads(capsys.readouterr().out)[0]["failed_on"] == ["psnr < 100"]
    assert call([good], "--fail-on", "psnr <") == 2


def test_cells_with_numbers_and_truths_are_read(folder: Path) -> None:
    (folder / "a.csv").write_text(
        "id,test,ref,window,overwrite,metrics,embedder,size\n"
        "a,media/f1.png,media/f0.png,2,true,mismatch,dsift,42\n"
        "b,media/f1.png,media/f0.png,2,yes,mismatch,dsift,42\n"
    )
    good, bad = run_jobs(read_jobs(folder / "a.csv"), folder / "out")
    assert good["state"] == "ok"
    with Run(good["out"]) as run:
        assert run.config["window"] == 2
    assert bad["error"] == "overwrite is 'yes': pass true or false"


def test_every_whole_number_and_truth_may_be_a_cell(folder: Path) -> None:
    """Cells as a spreadsheet writes them; fps, multiplier and align stay texts, which the
    configuration reads."""
    numbers = {
        name: "2" for name, kind in get_type_hints(RunConfig).items() if kind in (int, int | None)
    }
    assert {"stream", "prefetch", "lag", "window"} <= {*numbers}
    truths = {name: "TRUE" for name, kind in get_type_hints(RunConfig).items() if kind is bool}
    cells = typed({**numbers, **truths, "fps": "23.5", "multiplier": "5/2"})
    assert cells == {
        **dict.fromkeys(numbers, 2),
        **dict.fromkeys(truths, True),
        "fps": "23.5",
        "multiplier": "5/2",
    }
    synth.write_video(folder / "media/clip.mp4", synth.Scene(48, 64).frames(5))
    head = "id,mode,test,ref,stream,multiplier,window,metrics,maps,fields"
    (folder / "media/a.csv").write_text(f"{head}\na,score,clip.mp4,clip.mp4,0,2,3,psnr,none,none\n")
    (result,) = run_jobs(read_jobs(folder / "media/a.csv"), folder / "out")
    assert result["error"] is None
    with Run(result["out"]) as run:
        assert (run.config["stream"], run.config["multiplier"], run.config["window"]) == (0, "2", 3)


def test_register_weights_are_beside_the_job_file(folder: Path) -> None:
    job = {
        "test": "f1.png",
        "ref": "f0.png",
        "register": "loftr",
        "register_weights": "w.ckpt",
        "weights": "v.pth",
    }
    (read,) = read_jobs(write(folder / "media/a.json", [job]))
    assert read.options["register_weights"] == str(folder / "media/w.ckpt")
    assert read.options["weights"] == str(folder / "media/v.pth")


def examples_of_help() -> tuple[str, str]:
    """The job file in JSON and the one in CSV that the help of batch shows."""
    text = vfiscope.commands["batch"].help or ""
    as_json, as_csv = (textwrap.dedent(part.split("\n\n")[0]) for part in text.split("\b\n")[1:])
    return as_json, as_csv


@pytest.mark.slow
def test_the_examples_of_the_help_run_and_it_says_where_the_results_are(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    frames = list(synth.Scene(48, 64).frames(4))
    for name in ("flow.mp4", "truth.mp4"):
        synth.write_video(tmp_path / name, frames)
    synth.write_images(tmp_path / "garden", frames, "%d.png")
    for path in sorted((tmp_path / "garden").iterdir()):
        Image.open(path).save(path.with_suffix(".jpg"))
    for name, frame in zip(("a.png", "b.png"), frames, strict=False):
        Image.fromarray(frame).save(tmp_path / name)
    as_json, as_csv = examples_of_help()
    (tmp_path / "jobs.json").write_text(as_json)
    (tmp_path / "jobs.csv").write_text(as_csv)
    read = [read_jobs(tmp_path / name) for name in ("jobs.json", "jobs.csv")]
    assert [(job.id, job.label, job.mode) for job in read[0]] == [
        (job.id, job.label, job.mode) for job in read[1]
    ]
    with pytest.raises(SystemExit) as ended:
        main(["batch", str(tmp_path / "jobs.csv"), "-o", str(tmp_path / "results")])
    assert ended.value.code == 0
    said = capsys.readouterr().out.splitlines()
    assert said[:2] == ["flow: ok", "garden: ok"]
    assert said[2].startswith("pair_003: ok: ")  # and what changed
    table, results = tmp_path / "results" / "summary.csv", tmp_path / "results" / "results.json"
    assert said[3:] == [f"table: {table}", f"results: {results}"]
    assert table.is_file()
    assert len(json.loads(results.read_text())) == 3

"""The command line: what score, flag, plot, export, info and demo print and write."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
from helpers.cli import QUICK, call

import vfiscope as vs
from vfiscope import synth
from vfiscope.cli.program import vfiscope
from vfiscope.metric_names import MAPS, METRICS
from vfiscope.options import RunConfig
from vfiscope.views.timing_words import with_ratio


def test_score_writes_and_prints_a_summary(
    media: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert call("score", media / "test.mp4", "--ref", media / "truth.mp4") == 0
    out, err = capsys.readouterr()
    assert "12 frames scored" in out
    assert "[4, 7)" in out
    assert "embedder" in err
    with vs.open_run("test.h5") as run:
        assert list(run.scores) == list(RunConfig("score", "x", "y").metrics)


@pytest.mark.slow
def test_json_is_the_only_thing_on_stdout(
    media: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert (
        call(
            "score",
            media / "test.mp4",
            "--ref",
            media / "truth.mp4",
            "--json",
            "-o",
            tmp_path / "a.h5",
        )
        == 0
    )
    summary = json.loads(capsys.readouterr().out)
    assert summary["mode"] == "score"
    assert summary["frames"]["scored"] == 12
    assert summary["metrics"]["psnr"]["worst_index"] in range(4, 7)
    assert summary["status"] == "ok"


def test_quiet_prints_nothing(
    media: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert (
        call(
            "score",
            media / "test.mp4",
            "--ref",
            media / "truth.mp4",
            "-o",
            tmp_path / "a.h5",
            *QUICK,
        )
        == 0
    )
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("rule", "code"),
    [("psnr < 10", 0), ("psnr < 60", 1), ("mean(psnr) < 10", 0), ("min(psnr) < 60", 1)],
)
def test_fail_on_decides_the_exit_code(media: Path, tmp_path: Path, rule: str, code: int) -> None:
    out = tmp_path / "a.h5"
    assert (
        call(
            "score",
            media / "test.mp4",
            "--ref",
            media / "truth.mp4",
            "-o",
            out,
            *QUICK,
            "--fail-on",
            rule,
        )
        == code
    )
    assert out.exists()


def test_a_partial_run_exits_with_3_and_says_why(
    media: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    synth.write_images(tmp_path / "few", synth.Scene(64, 96).frames(3))
    assert (
        call(
            "score", media / "test.mp4", "--ref", tmp_path / "few", "-o", tmp_path / "a.h5", *QUICK
        )
        == 3
    )
    assert "9 test frames have no partner" in capsys.readouterr().err
    assert (tmp_path / "a.h5").exists()
    gate = ["--fail-on", "psnr > 0", "-o", tmp_path / "b.h5"]
    assert call("score", media / "test.mp4", "--ref", tmp_path / "few", *QUICK, *gate) == 1
    err = capsys.readouterr().err
    assert "9 test frames have no partner" in err
    assert "failed on 'psnr > 0': 3 frames, the first in [0, 3)\n" in err


def test_options_come_from_a_file_and_the_command_line_wins(media: Path, tmp_path: Path) -> None:
    file = tmp_path / "options.toml"
    file.write_text(
        'metrics = ["psnr", "absdiff"]\nmaps = "none"\nfields = "none"\nstep = 2\nquiet = true\n'
    )
    out = tmp_path / "a.h5"
    assert call("scan", media / "test.mp4", "--config", file, "--step", "3", "-o", out) == 0
    with vs.open_run(out) as run:
        assert list(run.scores) == ["psnr", "absdiff"]
        assert run.frames.index.tolist() == [0, 3, 6, 9]


def test_a_file_may_hold_one_rule_a_time_and_json(
    media: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "options.toml"
    file.write_text(
        'flag = "psnr < 99"\nstart = 0.2\njson = true\nmetrics = "psnr"\nmaps = "none"\nfields ='
        ' "none"\n'
    )
    assert (
        call("scan", media / "test.mp4", "--config", file, "--golden", "0", "-o", tmp_path / "a.h5")
        == 0
    )
    summary = json.loads(capsys.readouterr().out)
    assert summary["frames"]["total"] == 7
    assert summary["segments"][0]["start"] == 5


def test_flag_flags_again_and_decodes_nothing(
    media: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    film, out = tmp_path / "film.mp4", tmp_path / "a.h5"
    film.write_bytes((media / "test.mp4").read_bytes())
    call("score", film, "--ref", media / "truth.mp4", "-o", out, *QUICK)
    film.unlink()
    with vs.open_run(out) as run:
        before = run.scores["psnr"].copy()
        level = float(np.median(before))
    assert call("flag", out, "--rule", f"psnr < {level} for 1 frame", "--json") == 0
    summary = json.loads(capsys.readouterr().out)
    ruled = [(s["start"], s["stop"]) for s in summary["segments"] if s["confidence"] == 1]
    below = before < level
    edges = np.flatnonzero(np.diff(np.concatenate([[False], below, [False]]).astype(int)))
    assert ruled == list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))
    with vs.open_run(out) as run:
        np.testing.assert_array_equal(run.scores["psnr"], before)
        assert (run.rules, run.config["flag"]) == ([f"psnr < {level} for 1 frame"], [])
        assert {s.rule for s in run.segments if s.confidence == 1} == set(run.rules)
    assert call("flag", out, "--rule", "nothing < 1", "--quiet") == 2
    assert call("flag", out, "--fail-on", "ssim < 1", "--quiet") == 2


def test_flag_without_rules_applies_those_of_the_run_again(
    media: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "a.h5"
    call(
        "score",
        media / "test.mp4",
        "--ref",
        media / "truth.mp4",
        "-o",
        out,
        *QUICK,
        "--flag",
        "psnr > 0",
    )
    with vs.open_run(out) as run:
        made = run.segments
    assert [s.rule for s in made if (s.start, s.stop) == (0, 12)] == ["psnr > 0"]
    assert call("flag", out, "--rule", "psnr > 1") == 0
    printed = capsys.readouterr().out
    assert "a.h5: flagged again, 12 frames\n" in printed
    assert "rule 'psnr > 1'\n" in printed
    with vs.open_run(out) as run:
        assert (run.rules, run.config["flag"]) == (["psnr > 1"], ["psnr > 0"])
    assert call("flag", out, "--quiet") == 0
    with vs.open_run(out) as run:
        assert (run.rules, run.config["flag"], run.segments) == (["psnr > 0"], ["psnr > 0"], made)


def test_a_fault_of_the_program_has_a_code_of_its_own(
    media: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vfiscope.inspection.info.describe", lambda path: 1 / 0)
    assert call("info", media / "test.mp4") == 70
    assert "ZeroDivisionError" in capsys.readouterr().err
    monkeypatch.undo()
    assert call("info", "x" * 300) == 2
    assert call("plot", "x" * 300, "-o", "a.png") == 2
    assert capsys.readouterr().err.count("error:") == 2


def test_plot_and_export_write_files(
    media: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    runs = [tmp_path / name for name in ("a.h5", "b.h5")]
    for run, crop in zip(runs, ([], ["--stop", "8"]), strict=True):
        assert (
            call(
                "score", media / "test.mp4", "--ref", media / "truth.mp4", "-o", run, *QUICK, *crop
            )
            == 0
        )
    assert call("plot", *runs, "-o", tmp_path / "curves.png", "--metrics", "psnr") == 0
    assert (tmp_path / "curves.png").read_bytes().startswith(b"\x89PNG")
    assert call("export", runs[0], "-o", tmp_path / "a.csv") == 0
    assert len((tmp_path / "a.csv").read_text().splitlines()) == 13
    assert call("export", runs[0], "-o", tmp_path / "a.txt") == 2
    assert call("plot", runs[0], "-o", tmp_path / "a.gif") == 2
    assert call("plot", tmp_path / "none.h5", "-o", tmp_path / "x.png") == 2


def test_info_says_what_a_path_is(
    media: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call("info", media / "truth.mp4", "--json") == 0
    facts = json.loads(capsys.readouterr().out)
    assert (facts["kind"], facts["width"], facts["height"], facts["frames_expected"]) == (
        "video",
        96,
        64,
        12,
    )
    call("scan", media / "test.mp4", "-o", tmp_path / "a.h5", "--metrics", "psnr")
    scored = capsys.readouterr().out
    assert call("info", tmp_path / "a.h5") == 0
    said, _, summary = capsys.readouterr().out.partition("\n\n")
    assert summary == scored
    assert re.match(
        r"run +scan, ok, of .*\ntest +\S+test.mp4: 96x64, 8 bit, 12 frames decoded, h264", said
    )
    assert call("info", tmp_path / "a.h5", "--json") == 0
    with vs.open_run(tmp_path / "a.h5") as run:
        assert json.loads(capsys.readouterr().out)["summary"] == run.summary()
    assert call("info", media / "text.mp4") == 2


def test_timing_is_printed_and_stored(
    media: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    scan = ["scan", media / "test.mp4", "-o", tmp_path / "a.h5", "--metrics", "psnr", "--timing"]
    assert call(*scan) == 0
    said = capsys.readouterr().out
    assert re.search(r"\ntime: .* s for 12 frames, .* times that of reading alone\n", said)
    assert re.search(r"\nread test +\d+\.\d\d +\d+\.\d% +\d+\.\d\d\n", said)
    assert call(*scan, "--overwrite", "--json") == 0
    with vs.open_run(tmp_path / "a.h5") as run:
        told = json.loads(capsys.readouterr().out)["timings"]
        assert told == with_ratio(run.timings)
    assert call(*scan, "--overwrite", "--quiet") == 0  # it was asked for
    assert re.match(r"time: .* s for 12 frames", capsys.readouterr().out)
    assert call("info", tmp_path / "a.h5", "--json") == 0
    told = json.loads(capsys.readouterr().out)["timings"]
    assert told["times_reading"] > 1
    assert 0 <= told["elsewhere"] < told["processor_seconds"]
    assert call("info", tmp_path / "a.h5") == 0
    assert re.search(r"\ntime +.* of processor time", capsys.readouterr().out)


def test_models_lists_every_embedder(capsys: pytest.CaptureFixture[str]) -> None:
    assert call("models", "list", "--json") == 0
    names = [entry["name"] for entry in json.loads(capsys.readouterr().out)]
    sizes = ("small", "base", "large", "giant")
    assert names == [
        "dsift",
        *(f"dinov2-{size}{registers}" for size in sizes for registers in ("", "-reg")),
    ]
    assert call("models", "check", "dsift") == 0
    assert "dsift" in capsys.readouterr().out
    assert call("models", "fetch", "dsift") == 2


@pytest.mark.slow
def test_demo_makes_a_sample_and_scores_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call("demo", "-o", tmp_path / "demo", "--quiet") == 0
    names = sorted(path.name for path in (tmp_path / "demo").iterdir())
    assert names == ["curves.png", "interpolated.h5", "interpolated.mp4", "truth.mp4"]
    with vs.open_run(tmp_path / "demo" / "interpolated.h5") as run:
        assert (36, 46) in {(s.start, s.stop) for s in run.segments}
    assert call("demo", "-o", tmp_path / "demo", "--quiet") == 2
    assert "--overwrite" in capsys.readouterr().err


def test_every_verb_has_help_and_an_example() -> None:
    for name, command in vfiscope.commands.items():
        assert command.help, name
        assert name in ("models", "demo") or f"vfiscope {name} " in command.help


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_of_a_completion_is_all_that_is_printed(
    shell: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("_VFISCOPE_COMPLETE", f"{shell}_source")
    assert call() == 0
    said = capsys.readouterr()
    assert "_VFISCOPE_COMPLETE" in said.out
    assert said.err == ""


@pytest.mark.parametrize(
    ("words", "completed"),
    [
        ("vfiscope sc", {"plain,score", "plain,scan"}),
        ("vfiscope score --regis", {"plain,--register", "plain,--register-weights"}),
        ("vfiscope score --resize bi", {"plain,bilinear", "plain,bicubic"}),
        ("vfiscope score tru", {"file,tru"}),
        ("vfiscope score test.mp4 --ref tru", {"file,tru"}),
        ("vfiscope models ch", {"plain,check"}),
    ],
)
def test_a_word_is_completed_without_a_word_on_stderr(
    words: str,
    completed: set[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("_VFISCOPE_COMPLETE", "bash_complete")
    monkeypatch.setenv("COMP_WORDS", words)
    monkeypatch.setenv("COMP_CWORD", str(len(words.split()) - 1))
    assert call() == 0
    said = capsys.readouterr()
    assert set(said.out.split()) == completed
    assert said.err == ""


def test_help_lists_what_can_be_computed(capsys: pytest.CaptureFixture[str]) -> None:
    assert call("score", "--help") == 0
    listed = " ".join(capsys.readouterr().out.split())
    for kind in ("Metrics: " + ", ".join(METRICS), "Maps: " + ", ".join(MAPS), "Fields: motion"):
        assert kind in listed

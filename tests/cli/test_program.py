"""The command line: exit codes, one-line errors, what goes to stdout and what to stderr."""

from __future__ import annotations

import json
import os
import re
import signal
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np
import pytest
from helpers.cli import call

import vfiscope as vs
from vfiscope import synth
from vfiscope.cli.messages import describe
from vfiscope.cli.program import vfiscope
from vfiscope.config import RunConfig
from vfiscope.metric_names import MAPS, METRICS
from vfiscope.store import differences
from vfiscope.types import Scores

POOLED = {
    **dict.fromkeys(["mean", "p5", "p50", "p95", "worst"], 1.0),
    "worst_index": 5,
    "infinite": 0,
}
QUICK = ["--metrics", "psnr", "--maps", "none", "--fields", "none", "--quiet"]


@pytest.fixture(scope="module")
def media(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("media")
    clip = synth.Scene(64, 96, seed=2).clip(12)
    synth.write_video(folder / "truth.mp4", clip.frames, crf=12)
    synth.write_video(folder / "test.mp4", synth.ghost(clip, 4, 7, distance=5).frames, crf=14)
    synth.write_video(folder / "wide.mp4", synth.Scene(64, 128).frames(12))
    synth.write_images(folder, clip.frames[:1], "still_%d.png")
    (folder / "empty.mp4").touch()
    (folder / "text.mp4").write_text("not a film\n" * 100)
    (folder / "hollow").mkdir()
    return folder


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


BAD = [
    (["score", "{m}/nowhere.mp4", "--ref", "{m}/truth.mp4"], "nowhere.mp4"),
    (["score", "{m}/test.mp4", "--ref", "{m}/nowhere.mp4"], "nowhere.mp4"),
    (["score", "{m}/empty.mp4", "--ref", "{m}/truth.mp4"], "empty.mp4"),
    (["score", "{m}/text.mp4", "--ref", "{m}/truth.mp4"], "text.mp4"),
    (["score", "{m}/hollow", "--ref", "{m}/truth.mp4"], "hollow"),
    (["score", "{m}/wide.mp4", "--ref", "{m}/truth.mp4"], "--resize"),
    (
        ["score", "{m}/test.mp4", "--multiplier", "5/2"],
        "multiplier is 5/2: without source only a whole number",
    ),
    (["score", "{m}/test.mp4", "--multiplier", "2", "--step", "2"], "step is 2 beside multiplier"),
    (["score", "{m}/test.mp4", "--source", "{m}/nowhere.mp4"], "nowhere.mp4"),
    (
        ["score", "{m}/test.mp4", "--source", "{m}/truth.mp4", "--ref", "{m}/truth.mp4"],
        "source and ref are two ways",
    ),
    (["score", "{m}/test.mp4", "--ref", "{m}/truth.mp4", "--metrics", "vmaf"], "vmaf"),
    (["score", "{m}/test.mp4", "--ref", "{m}/truth.mp4", "--flag", "ssim << 2"], "ssim << 2"),
    (["score", "{m}/test.mp4", "--ref", "{m}/truth.mp4", "--fail-on", "mode(psnr) < 2"], "mode"),
    (
        ["score", "{m}/test.mp4", "--ref", "{m}/truth.mp4", "--fail-on", "psnr < 1e400"],
        "finite number",
    ),
    (["score", "{m}/test.mp4", "--ref", "{m}/truth.mp4", "--embedder", "dino"], "dino"),
    (
        ["score", "{m}/test.mp4", "--ref", "{m}/truth.mp4", "--embedder", "dinov2-small"],
        "models fetch dinov2-small",
    ),
    (["score", "{m}/test.mp4", "--ref", "{m}/truth.mp4", "--device", "cuda"], "cuda"),
    (["score", "{m}/test.mp4", "--ref", "{m}/truth.mp4", "--start", "99"], "99"),
    (["score", "{m}/test.mp4", "--ref", "{m}/truth.mp4", "--colour"], "--colour"),
    (["score"], "TEST"),
    (
        ["scan", "{m}/test.mp4", "--golden", "99"],
        "golden is 99, but {m}/test.mp4 has 12 frames: give a number from 0 to 11",
    ),
    (
        ["scan", "{m}/test.mp4", "--golden", "-1"],
        "golden is -1: give an image, or the number of a frame, counted from 0",
    ),
    (
        ["scan", "{m}/test.mp4", "--lag", "12"],
        "lag is 12, but the sequence has 12 frames: give a smaller one",
    ),
    (
        ["score", "{m}/test.mp4", "--ref", "{m}/truth.mp4", "--align", "9999"],
        "align is 9999, and none of 12 frames has",
    ),
    (
        ["score", "http://x/y.mp4"],
        "error: 'http://x/y.mp4' is an address, and only local files are read: download it",
    ),
    (["score", "{m}/*.xyz"], "no file fits '{m}/*.xyz': check the folder and the pattern"),
    (
        ["score", "{m}/test.mp4", "--source", "{m}/truth.mp4", "--multiplier", "1"],
        "multiplier is '1': give",
    ),
    (
        ["score", "{m}/test.mp4", "--ref", "{m}/truth.mp4", "--multiplier", "1"],
        "more than 1, as 2, 5/2 or 24:60",
    ),
    (
        ["scan", "{m}/test.mp4", "--config", "none.toml"],
        "configuration none.toml: No such file or directory: check its name",
    ),
    (
        ["scan", "{m}/test.mp4", "--config", "{m}/text.mp4"],
        "text.mp4 is no valid TOML (Expected '=' after a key",
    ),
    (
        ["batch", "none.json"],
        "cannot read none.json: No such file or directory: check the name of the job file",
    ),
    (["scan", "{m}/test.mp4", "--lag", "0"], "lag"),
    (["compare", "{m}/test.mp4", "{m}/truth.mp4"], "score"),
    (["render"], "render"),
]


@pytest.mark.parametrize(
    ("arguments", "named"),
    BAD,
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_bad_input_is_one_line_and_exit_code_2(
    media: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    named: str,
) -> None:
    given = [argument.format(m=media) for argument in arguments]
    output = ["-o", str(tmp_path / "a.h5")] if len(given) > 1 else []
    assert call(*given, *output) == 2
    out, err = capsys.readouterr()
    errors = [line for line in err.splitlines() if "error:" in line]
    assert len(errors) == 1
    assert named.format(m=media) in errors[0]
    assert "Traceback" not in err
    assert out == ""
    assert list(tmp_path.iterdir()) == []


def stopped_by(number: int) -> Callable[..., Iterator[Scores]]:
    """A progress bar that sends this process a signal after five frames."""

    def watch(scores: Iterable[Scores], *_: object) -> Iterator[Scores]:
        for row, batch in enumerate(scores):
            if row == 5:
                os.kill(os.getpid(), number)
            yield batch

    return watch


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupt_says_what_is_kept_and_the_same_command_goes_on_from_there(
    media: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    number: int,
    code: int,
) -> None:
    out = tmp_path / "a.h5"
    command = ["scan", media / "test.mp4", "--metrics", "psnr", "--batch", "1"]
    with monkeypatch.context() as patch:
        patch.setattr("vfiscope.cli.program.progress", stopped_by(number))
        assert call(*command, "-o", out) == code
    (line,) = filter(None, capsys.readouterr().err.splitlines())
    assert (
        line
        == f"vfiscope: interrupted: 5 frames of {out} are kept: run the same command again to go on"
        " after them"
    )
    assert call(*command, "-o", out) == 0
    assert f"resuming {out} after 5 frames" in capsys.readouterr().err
    assert call(*command, "-o", tmp_path / "b.h5") == 0
    assert differences(out, tmp_path / "b.h5") == []


def test_an_interrupt_before_there_is_work_promises_nothing(
    media: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("vfiscope.scoring.pipeline.open_job", interrupt)
    assert call("scan", media / "test.mp4", "-o", tmp_path / "a.h5") == 130
    assert capsys.readouterr().err.strip() == "vfiscope: interrupted"
    monkeypatch.setattr("vfiscope.demo.run_job", interrupt)
    assert call("demo", "-o", tmp_path / "demo") == 130
    said = (
        f"vfiscope: interrupted: {tmp_path / 'demo'} holds half a demo: give --overwrite to make it"
        " again"
    )
    assert capsys.readouterr().err.strip() == said


@pytest.mark.parametrize(
    ("chosen", "whole"),
    [
        ([], 12),
        (["--stop", "6"], 6),
        (["--start", "3", "--stop", "6"], 3),
        (["--start", "0.12s", "--stop", "0.24s"], 3),
        (["--start", "9"], 3),
        (["--stop", "40"], 12),
    ],
)
def test_the_bar_counts_what_was_chosen_and_ends_full(
    media: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    chosen: list[str],
    whole: int,
) -> None:
    monkeypatch.setattr(type(sys.stderr), "isatty", lambda _self: True)
    monkeypatch.setenv("TQDM_MININTERVAL", "0")
    options = ["--metrics", "psnr", "--batch", "1", "-o", tmp_path / "a.h5"]
    assert call("scan", media / "test.mp4", "--golden", "0", *options, *chosen) == 0
    shown = [line for line in re.split(r"[\r\n]", capsys.readouterr().err) if "s of video" in line]
    claimed = [float(re.findall(r"/(\d\.\d) s of video", line)[0]) for line in shown]
    assert claimed[0] == pytest.approx(whole / 25, abs=0.05)
    assert shown[-1].startswith("100%")


@pytest.mark.parametrize("align", [[], ["--align", "auto"], ["--align", "0"]])
@pytest.mark.parametrize("crop", [["--start", "99"], ["--start", "9s"]])
def test_a_start_behind_the_end_says_nothing_before_its_error(
    media: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    crop: list[str],
    align: list[str],
) -> None:
    words = [
        "score",
        media / "test.mp4",
        "--ref",
        media / "truth.mp4",
        "-o",
        tmp_path / "a.h5",
        *crop,
        *align,
    ]
    assert call(*words, "--window", "2", "--metrics", "psnr,cosine") == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("vfiscope: error: nothing of ")
    assert list(tmp_path.iterdir()) == []


def test_an_output_that_exists_is_refused(
    media: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "a.h5"
    out.write_text("mine")
    assert call("score", media / "test.mp4", "--ref", media / "truth.mp4", "-o", out, *QUICK) == 2
    assert "--overwrite" in capsys.readouterr().err
    assert out.read_text() == "mine"


def test_an_output_folder_that_is_missing_is_refused(
    media: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "missing" / "a.h5"
    assert call("score", media / "test.mp4", "--ref", media / "truth.mp4", "-o", out, *QUICK) == 2
    assert "missing" in capsys.readouterr().err


@pytest.mark.skipif(
    not Path("/sys/kernel").is_dir(), reason="needs a file system that nobody may write"
)
def test_a_read_only_folder_is_refused(media: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert (
        call(
            "score",
            media / "test.mp4",
            "--ref",
            media / "truth.mp4",
            "-o",
            "/sys/kernel/a.h5",
            *QUICK,
        )
        == 2
    )
    (line,) = capsys.readouterr().err.splitlines()
    assert "/sys/kernel" in line


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


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("colour = 1", "colour"),
        ("step = ", "options.toml"),
        ("step = 1.5", "step is 1.5"),
        ("batch = true", "batch is True"),
        ("lag = [1, 2]", "lag is [1, 2]"),
        ("overwrite = 3", "overwrite is 3"),
        ("flag = [1]", "flag is [1]"),
        ('config = "x"', "config"),
    ],
)
def test_a_wrong_option_file_is_refused(
    media: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, named: str
) -> None:
    (tmp_path / "options.toml").write_text(text)
    assert call("scan", media / "test.mp4", "--config", tmp_path / "options.toml") == 2
    assert named in capsys.readouterr().err


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


def test_a_failure_says_by_what_on_screen_and_in_json(
    media: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "a.h5"
    gate = [
        "--fail-on",
        "mean(psnr) > 0",
        "--fail-on",
        "psnr > 0 for 2 frames",
        "--fail-on",
        "psnr < 0",
    ]
    assert (
        call(
            "score",
            media / "test.mp4",
            "--ref",
            media / "truth.mp4",
            "-o",
            out,
            *QUICK,
            *gate,
            "--json",
        )
        == 1
    )
    printed, err = capsys.readouterr()
    summary = json.loads(printed)
    mean = f"mean(psnr) = {summary['metrics']['psnr']['mean']:.4g}"
    failures = {"mean(psnr) > 0": mean, "psnr > 0 for 2 frames": "12 frames, the first in [0, 12)"}
    assert (summary["failed_on"], summary["failures"]) == (list(failures), failures)
    assert err.splitlines() == [
        f"vfiscope: failed on {rule!r}: {by}" for rule, by in failures.items()
    ]


def test_segments_of_one_range_and_rule_are_one_line() -> None:
    common = {
        "start": 4,
        "stop": 7,
        "kind": "low_score",
        "peak_index": 5,
        "start_time_s": 0.16,
        "stop_time_s": 0.28,
    }
    segments = [
        {**common, "metric": "psnr", "peak": 20.0, "confidence": 0.8, "rule": ""},
        {**common, "metric": "psnr", "peak": 20.0, "confidence": 1.0, "rule": "psnr < 30"},
        {**common, "metric": "ssim", "peak": 0.5, "confidence": 0.9, "rule": ""},
    ]
    segments = [{**segment, "role": "all"} for segment in segments]
    frames = {"scored": 9, "total": 9}
    summary = {
        "mode": "scan",
        "out": "a.h5",
        "frames": frames,
        "role": "all",
        "metrics": {"psnr": {**POOLED, "defined": 9}},
    }
    assert describe({**summary, "roles": {}, "segments": segments}).splitlines()[-2:] == [
        "  [4, 7)  0.160..0.280 s  low_score  psnr 20 at 5, ssim 0.5 at 5  confidence 0.90",
        "  [4, 7)  0.160..0.280 s  low_score  psnr 20 at 5  rule 'psnr < 30'",
    ]


def test_the_table_is_headed_by_what_it_is_about() -> None:
    signed = {**POOLED, "mean": -0.5, "mean_abs": 2.5, "defined": 5}
    infinite = {**POOLED, "mean": None, "infinite": 4, "defined": 4}
    summary = {
        "mode": "score",
        "out": "a.h5",
        "frames": {"scored": 9, "unpaired": 1, "total": 10},
        "role": "synthesised",
        "metrics": {"midpoint_px": signed},
        "roles": {
            "synthesised": {"frames": 5, "metrics": {"midpoint_px": signed}},
            "passed": {
                "frames": 4,
                "metrics": {"psnr": infinite, "ssim": {**POOLED, "defined": 4}},
            },
            "all": {"frames": 10, "metrics": {}},
        },
        "segments": [],
    }
    assert describe(summary).splitlines() == [
        "a.h5: 9 frames scored, 1 unpaired",
        "",
        "over the 5 synthesised frames of 10:",
        "metric              mean         p5        p50        p95      worst  at frame",
        "midpoint_px         -0.5          1          1          1          1  5",
        "|midpoint_px|        2.5",
        "",
        "4 frames passed through, mean: psnr identical, ssim 1",
    ]
    nothing = {
        "synthesised": summary["roles"]["synthesised"],
        "passed": {"frames": 1, "metrics": {}},
    }
    assert (
        describe({**summary, "roles": nothing}).splitlines()[-1]
        == "1 frame passed through, not judged"
    )
    alone = {**summary, "role": "all", "roles": {}}
    told = "over 5 of 10 frames; if originals were passed through, state --multiplier M:"
    assert describe(alone).splitlines()[2] == told
    assert describe({**alone, "mode": "scan"}).splitlines()[2] == "over 5 of 10 frames:"
    whole = {**alone, "mode": "scan", "metrics": {"midpoint_px": {**signed, "defined": 10}}}
    assert describe(whole).splitlines()[2] == "over all 10 frames:"
    some = {**summary, "metrics": {"midpoint_px": {**signed, "defined": 3}}}
    assert describe(some).splitlines()[2] == "over 3 of the 5 synthesised frames of 10:"


def test_a_compared_pair_has_one_value_for_each_metric(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    synth.write_images(tmp_path / "shots", synth.Scene(32, 32).frames(1))
    (image,) = (tmp_path / "shots").iterdir()
    assert call("compare", image, image, "-o", tmp_path / "a.h5", "--metrics", "psnr,ssim,mse") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].endswith("a.h5: 1 frame compared")
    assert [line.split() for line in lines[2:]] == [
        ["psnr", "identical"],
        ["ssim", "1"],
        ["mse", "0"],
    ]


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
        ("vfiscope score --reg", {"plain,--register", "plain,--register-weights"}),
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

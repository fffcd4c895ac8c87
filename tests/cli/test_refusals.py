"""Mistakes at the command line: one line, a code, and nothing written."""

from __future__ import annotations

from pathlib import Path

import pytest
from helpers.cli import QUICK, call

BAD = [
    (["score", "{m}/nowhere.mp4", "--ref", "{m}/truth.mp4"], "nowhere.mp4"),
    (["score", "{m}/test.mp4", "--ref", "{m}/nowhere.mp4"], "nowhere.mp4"),
    (["score", "{m}/empty.mp4", "--ref", "{m}/truth.mp4"], "empty.mp4"),
    (["score", "{m}/text.mp4", "--ref", "{m}/truth.mp4"], "text.mp4"),
    (["score", "{m}/hollow", "--ref", "{m}/truth.mp4"], "hollow"),
    (["score", "{m}/wide.mp4", "--ref", "{m}/truth.mp4"], "--resize"),
    (
        ["score", "{m}/test.mp4", "--multiplier", "5/2"],
        "multiplier is 5/2, which without source must be a whole number",
    ),
    (["score", "{m}/test.mp4", "--multiplier", "2", "--step", "2"], "step is 2, but multiplier"),
    (["score", "{m}/test.mp4", "--source", "{m}/nowhere.mp4"], "nowhere.mp4"),
    (
        ["score", "{m}/test.mp4", "--source", "{m}/truth.mp4", "--ref", "{m}/truth.mp4"],
        "source and ref exclude each other",
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
    (["score"], "TEST is missing: vfiscope score --help says what to pass"),
    (["flag"], "RUN is missing: vfiscope flag --help says what to pass"),
    (
        ["show", "a.h5", "--worst", "abc"],
        "Invalid value for '--worst': 'abc' is not a valid integer: vfiscope show --help says",
    ),
    (
        ["score", "{m}/test.mp4", "x"],
        "extra argument (x): what it is compared with is passed as --ref REF",
    ),
    (["compare", "a", "b", "x"], "extra argument (x): vfiscope compare --help says what to pass"),
    (
        ["scan", "{m}/test.mp4", "x"],
        "extra argument (x): two inputs are compared by vfiscope score TEST --ref REF",
    ),
    (
        ["scan", "{m}/test.mp4", "--kinds", "-o", "x.h5"],
        "--kinds needs a value, and -o is the next option: pass one",
    ),
    (
        ["scan", "{m}/test.mp4", "--metrics", "--size=28"],
        "--metrics needs a value, and --size=28 is the next option: pass one",
    ),
    (["scan", "{m}/test.mp4", "--kinds", "fault"], "there is no kind 'fault': choose from dup"),
    (["scan", "{m}/test.mp4", "--fps", "30/0"], "fps is '30/0': pass frames per second, such"),
    (
        ["scan", "{m}/test.mp4", "--golden", "99"],
        "golden is 99, but {m}/test.mp4 has 12 frames: pass a number from 0 to 11",
    ),
    (
        ["scan", "{m}/test.mp4", "--golden", "-1"],
        "golden is -1: pass an image, or the number of a frame, counted from 0",
    ),
    (
        ["scan", "{m}/test.mp4", "--lag", "12"],
        "lag is 12, but the sequence has 12 frames: pass a smaller one",
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
        "multiplier is '1': pass",
    ),
    (
        ["score", "{m}/test.mp4", "--ref", "{m}/truth.mp4", "--multiplier", "1"],
        "more than 1, such as 2, 5/2 or 24:60",
    ),
    (
        ["scan", "{m}/test.mp4", "--config", "none.toml"],
        "configuration none.toml: No such file or directory: check its name",
    ),
    (
        ["scan", "{m}/test.mp4", "--config", "{m}/text.mp4"],
        "text.mp4 is not valid TOML (Expected '=' after a key",
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


def test_a_missing_value_says_which_help_to_read(capsys: pytest.CaptureFixture[str]) -> None:
    assert call("scan", "a.mp4", "--fps") == 2
    said = "Option '--fps' requires an argument: vfiscope scan --help says what to pass"
    assert capsys.readouterr().err == f"vfiscope: error: {said}\n"


def test_a_missing_option_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert call("plot", "a.h5") == 2
    said = "vfiscope: error: -o or --out is missing: vfiscope plot --help says what to pass\n"
    assert capsys.readouterr().err == said


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

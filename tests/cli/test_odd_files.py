"""Files of others that are named to the program: what is no regular file, what nests, what counts
in other digits or too high is refused in one line, at once."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from helpers.cli import QUICK, call
from helpers.odd_inputs import picture

from vfiscope.sources import open_source
from vfiscope.store import Run
from vfiscope.types import Status

SCAN = ["scan", "{t}/1.png", "--golden", "0"]


def odd(path: Path, kind: str) -> Path:
    if kind == "fifo":
        os.mkfifo(path)
    else:
        path.symlink_to(kind)
    return path


@pytest.mark.parametrize("kind", ["fifo", "/dev/zero", "/dev/stdin"])
@pytest.mark.parametrize(
    "command",
    [
        [*SCAN, "--config", "{t}/odd.toml"],
        ["batch", "{t}/odd.json", "-o", "{t}/b"],
        ["batch", "{t}/odd.csv", "-o", "{t}/b"],
        [*SCAN, "--metrics", "cosine", "--embedder", "dinov2-small", "--weights", "{t}/odd.pth"],
        [*SCAN, "--register=loftr", "--register-weights", "{t}/odd.ckpt"],
        ["table", "{t}"],
        ["info", "{t}/odd.h5"],
        ["plot", "{t}/odd.h5", "-o", "{t}/a.svg"],
    ],
    ids=lambda command: command[0] + command[-1],
)
def test_what_is_no_regular_file_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], command: list[str], kind: str
) -> None:
    if kind == "/dev/stdin" and os.path.isfile(kind):
        pytest.skip("the standard input is a regular file here")
    picture(tmp_path / "1.png")
    for name in ("odd.toml", "odd.json", "odd.csv", "odd.pth", "odd.ckpt", "odd.h5"):
        odd(tmp_path / name, kind)
    odd(tmp_path / "results.json", kind)
    before = sorted(os.listdir(tmp_path))
    assert call(*(word.format(t=tmp_path) for word in command)) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("vfiscope: error: ")
    assert "file" in line
    assert sorted(os.listdir(tmp_path)) == before


@pytest.mark.parametrize("kind", ["fifo", "/dev/zero"])
def test_a_pipe_among_images_is_an_unreadable_row(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], kind: str
) -> None:
    folder = tmp_path / "images"
    folder.mkdir()
    odd(folder / "a_001.png", kind)
    for number in (2, 3):
        picture(folder / f"a_00{number}.png", seed=number)
    out = tmp_path / "a.h5"
    assert call("score", folder, "--ref", folder, "-o", out, *QUICK) == 3
    with Run(out) as run:
        assert run.frames.status.tolist() == [Status.UNREADABLE, Status.OK, Status.OK]
        assert run.notes == [
            f"1 unreadable frame in test {folder}",
            f"{folder}/a_001.png cannot be read: not a regular file",
            f"1 unreadable frame in ref {folder}",
        ]
    assert call("doctor", folder) in (1, 3)
    assert "a_001.png cannot be read: not a regular file" in capsys.readouterr().out
    with pytest.raises(Exception, match=r"a_002\.png has no EXIF time"):
        open_source(folder, time_from="exif")


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.json", "[" * 10_000 + "]" * 10_000, "nested more than 64 deep): fix the file"),
        ("a.jsonl", "\n" + '{"a":' * 100_000 + "1" + "}" * 100_000, "64 deep: line 2): fix"),
        ("a.json", '[{"test": "a.png", "test": "b.png"}]', "the key 'test' is there twice"),
        ("a.jsonl", "{}\n" * 100_001, "holds 100001 jobs, more than 100000: split it"),
        ("a.csv", ",".join(map(str, [*range(200_000), 7])), "two columns of the job file are"),
        ("a.json", " " * 2**24 + "[]", "larger than 16777216 bytes"),
        ("a.toml", "a = " + "[" * 10_000 + "]" * 10_000, "64 deep): fix the file"),
        ("a.toml", "step = " + "9" * 6_000, "number in it has more than 64 bits): fix the file"),
        ("a.toml", "step = 0x" + "f" * 6_000, "number in it has more than 64 bits"),
        ("a.toml", "a" * 2**15 + " = 1", "larger than 32768 bytes"),
        ("a.toml", "time-from = 'name'\ntime_from = 'exif'", "time-from and time_from are the"),
    ],
    ids=lambda text: text[:20],
)
def test_files_beyond_the_limits_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, text: str, message: str
) -> None:
    path = tmp_path / name
    path.write_text(text)
    command = ["scan", "a.mp4", "--config", path] if path.suffix == ".toml" else ["batch", path]
    assert call(*command, "-o", tmp_path / "b") == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert message in line
    assert len(line) < 500
    assert os.listdir(tmp_path) == [name]


@pytest.mark.parametrize(
    "options",
    [
        ["--start", "٣"],
        ["--stop", "٣s"],
        ["--start", "１:０２"],
        ["--start", "9" * 5_000],
        ["--start", "9" * 5_000 + "s"],
        ["--start", "1:" + "9" * 5_000],
        ["--step", "٢"],
        ["--step", "1_0"],
        ["--step", "9" * 5_000],
        ["--fps", "٢٤"],
        ["--multiplier", "٢"],
        ["--multiplier", "1e999999999"],
        ["--multiplier", "9" * 5_000],
        ["--align", "+٣"],
        ["--golden", "٠"],
        ["--flag", "ssim < ٠.٩"],
    ],
    ids=lambda options: f"{options[0]} {options[1][:20]}",
)
def test_numbers_in_other_digits_or_of_thousands_of_digits_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], options: list[str]
) -> None:
    picture(tmp_path / "1.png")
    verb = ["scan"] if options[0] == "--golden" else ["score", "--ref", tmp_path / "1.png"]
    assert call(*verb, tmp_path / "1.png", *options, "-o", tmp_path / "a.h5") == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("vfiscope: error: ")
    assert os.listdir(tmp_path) == ["1.png"]


def test_digits_of_other_scripts_in_a_table_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    picture(tmp_path / "1.png")
    (tmp_path / "a.csv").write_text("mode,test,golden,step\nscan,1.png,1.png,２\n")
    assert call("batch", tmp_path / "a.csv", "-o", tmp_path / "b") != 0
    assert "step is '２': pass a whole number" in capsys.readouterr().err

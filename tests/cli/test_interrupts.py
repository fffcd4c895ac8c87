"""Progress bars, and interrupts that say what is kept."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest
from helpers.cli import call

import vfiscope
from vfiscope.cli import entry
from vfiscope.store import differences
from vfiscope.types import Scores


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
        patch.setattr("vfiscope.cli.run_commands.progress", stopped_by(number))
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


@pytest.mark.slow
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
        f"vfiscope: interrupted: {tmp_path / 'demo'} holds half a demo: pass --overwrite to make it"
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


HERE = Path(vfiscope.__file__).parents[1]
PRESSED = """
import atexit, os, runpy, signal, sys
press = lambda: os.kill(os.getpid(), signal.SIGINT)
class Press:
    def find_spec(self, name, *_):
        if name == {name!r}:
            press()
if {name!r} == "the end":
    atexit.register(press)
sys.meta_path.insert(0, Press())
sys.argv = ["vfiscope", *{words!r}]
runpy.run_module("vfiscope", run_name="__main__")
"""


@pytest.mark.slow
@pytest.mark.parametrize("name", ["click", "vfiscope.cli.run_commands", "av", "the end"])
def test_an_interrupt_while_something_is_imported_or_ends_is_one_line(name: str) -> None:
    code = PRESSED.format(name=name, words=["info", "samples/truth.mp4"])
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=HERE
    )
    assert done.stderr.split() == ["vfiscope:", "interrupted"]
    assert done.returncode == 130


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_that_the_program_was_started_to_ignore_is_ignored(
    monkeypatch: pytest.MonkeyPatch, number: signal.Signals
) -> None:
    """As SIGINT is for what a script runs in the background."""
    seen: list[object] = []
    monkeypatch.setattr(sys, "argv", ["vfiscope"])
    monkeypatch.setattr(
        "vfiscope.cli.program.vfiscope.main", lambda **_: seen.append(signal.getsignal(number))
    )
    before = signal.signal(number, signal.SIG_IGN)
    try:
        with pytest.raises(SystemExit):
            entry.main()
        seen.append(signal.getsignal(number))
    finally:
        signal.signal(number, before)
    assert seen == [signal.SIG_IGN, signal.SIG_IGN]


def test_almost_nothing_is_imported_before_interrupts_are_caught() -> None:
    code = "import sys; before = set(sys.modules); import vfiscope.cli.entry; "
    code += "print(*set(sys.modules) - before)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=HERE
    )
    own = {"vfiscope", "vfiscope.cli", "vfiscope.cli.entry", "__future__", "signal"}
    of_signal = "enum types operator functools collections keyword reprlib _operator _functools"
    of_signal += " _collections itertools collections.abc"
    assert set(done.stdout.split()) <= own | set(of_signal.split())
    project = tomllib.loads((HERE / "pyproject.toml").read_text())["project"]
    assert project["scripts"] == {"vfiscope": "vfiscope.cli.entry:main"}


def test_an_interrupt_of_which_a_library_made_another_error_is_an_interrupt(
    media: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def swallow(*_: object, **__: object) -> None:
        try:
            os.kill(os.getpid(), signal.SIGINT)
        except KeyboardInterrupt:
            raise RuntimeError from None

    monkeypatch.setattr("vfiscope.scoring.pipeline.open_job", swallow)
    assert call("scan", media / "test.mp4", "-o", tmp_path / "a.h5") == 130
    assert capsys.readouterr().err.split() == ["vfiscope:", "interrupted"]

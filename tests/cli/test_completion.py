"""Completion in shells: bash runs the script, zsh and fish are given theirs."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from helpers.cli import call

import vfiscope

ROOT = Path(vfiscope.__file__).parents[1]
ASK = """
source <(vfiscope completion bash 2>/dev/null)
COMP_WORDS=({words})
COMP_CWORD={last}
_vfiscope_completion vfiscope
printf '%s\\n' "${{COMPREPLY[@]}}"
"""


@pytest.fixture
def program(tmp_path: Path) -> dict[str, str]:
    """An environment in which ``vfiscope`` is a command."""
    command = tmp_path / "vfiscope"
    command.write_text(f'#!/bin/sh\ncd {ROOT} && exec {sys.executable} -m vfiscope "$@"\n')
    command.chmod(0o755)
    return {**os.environ, "PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}"}


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash")
@pytest.mark.parametrize(
    ("words", "completed"),
    [
        ("vfiscope compa", {"compare"}),
        ("vfiscope score a.mp4 --prec", {"--precision"}),
        ("vfiscope score a.mp4 --tonemap ha", {"hable"}),
        ("vfiscope score a.mp4 --metrics psnr,ms", {"psnr,mse", "psnr,ms_ssim"}),
        ("vfiscope score a.mp4 --maps no", {"none"}),
        ("vfiscope score a.mp4 --embedder dinov2-b", {"dinov2-base", "dinov2-base-reg"}),
        ("vfiscope score a.mp4 --signals luma_m", {"luma_mean"}),
        ("vfiscope completion z", {"zsh"}),
    ],
)
def test_bash_completes(program: dict[str, str], words: str, completed: set[str]) -> None:
    script = ASK.format(words=words, last=len(words.split()) - 1)
    done = subprocess.run(
        ["bash", "-c", script], capture_output=True, text=True, check=False, env=program
    )
    assert done.stderr == ""
    assert set(done.stdout.split()) == completed


@pytest.mark.parametrize(
    ("shell", "line"),
    [
        ("bash", "complete -o nosort -F _vfiscope_completion vfiscope"),
        ("zsh", "#compdef vfiscope"),
        ("fish", "complete --no-files --command vfiscope"),
    ],
)
def test_a_script_is_printed(shell: str, line: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert call("completion", shell) == 0
    assert line in capsys.readouterr().out


def test_there_is_no_other_shell(capsys: pytest.CaptureFixture[str]) -> None:
    assert call("completion", "powershell") == 2
    assert "'powershell' is not one of 'bash', 'zsh', 'fish'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "meant"),
    [
        (["scroe"], "there is no verb 'scroe': did you mean 'score'?"),
        (["score", "a", "--stepp", "3"], "there is no option --stepp: did you mean --step?"),
        (["score", "a", "--threads"], "there is no option --threads: vfiscope score --help lists"),
        (["score", "a", "-x"], "there is no option -x: vfiscope score --help lists all"),
        (["score", "samples/truth.mp4", "--metrics", "pnsr"], "did you mean 'psnr'?"),
        (["score", "samples/truth.mp4", "--maps", "mismach"], "did you mean 'mismatch'?"),
        (["score", "samples/truth.mp4", "--fields", "motino"], "did you mean 'motion'?"),
        (["score", "samples/truth.mp4", "--embedder", "dsitf"], "did you mean 'dsift'?"),
        (["score", "samples/truth.mp4", "--signals", "luma_mena"], "did you mean 'luma_mean'?"),
    ],
)
def test_a_wrong_name_is_answered_with_what_may_be_meant(
    arguments: list[str],
    meant: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(ROOT)
    assert call(*arguments) == 2
    assert meant in capsys.readouterr().err

"""A run that is flagged twice at once: nobody's rules are lost without a word."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from helpers.cli import call
from helpers.stored import store_run

import vfiscope.segments
from vfiscope.errors import StoreError
from vfiscope.segments import reflag
from vfiscope.segments.stage import SEGMENTS, reflag_if_rules_differ
from vfiscope.stages import ask
from vfiscope.store import Run

MINE, OTHER = "psnr < 31", "psnr > 40"
KEPT = r'segments was asked with other parameters \({"rules": \["psnr > 40"\]}\) at the same time'


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return store_run(tmp_path / "a.h5", {"psnr": [30.0, 35.0, 45.0]})


@pytest.mark.parametrize(
    "again",
    [
        lambda path, since: reflag(path, [MINE], since=since),
        lambda path, since: reflag(path, None, since=since),
        lambda path, since: ask(path, SEGMENTS, {"rules": [MINE]}, since=since),
    ],
    ids=["flag", "rules of the run", "stage"],
)
def test_the_second_of_two_at_once_is_refused(
    path: Path, again: Callable[[Path, Run], Any]
) -> None:
    with Run(path) as since:
        reflag(path, [OTHER])
        with pytest.raises(StoreError, match=KEPT) as caught:
            again(path, since)
    assert "\n" not in str(caught.value)
    with Run(path) as run:
        assert (run.rules, len(run.segments)) == ([OTHER], 1)


def test_the_same_rules_at_once_are_no_conflict(path: Path) -> None:
    with Run(path) as since:
        reflag(path, [MINE])
        reflag(path, [MINE], since=since)
    with Run(path) as run:
        assert run.rules == [MINE]


def test_one_after_the_other_replaces(path: Path) -> None:
    reflag(path, [OTHER])
    reflag(path, [MINE])
    reflag_if_rules_differ(path, [MINE, OTHER])
    with Run(path) as run:
        assert run.rules == [MINE, OTHER]


def test_the_command_that_began_first_and_ends_last_is_refused(
    path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    checked = vfiscope.segments.failures

    def slow(*arguments: Any) -> dict[str, str]:
        """Called when the command has read the run."""
        reflag(path, [OTHER])
        return checked(*arguments)

    monkeypatch.setattr(vfiscope.segments, "failures", slow)
    assert call("flag", path, "--rule", MINE) == 2
    printed, errors = capsys.readouterr()
    assert printed == ""
    assert errors.startswith(f"vfiscope: error: {path}: segments was asked with other parameters")
    assert len(errors.splitlines()) == 1
    with Run(path) as run:
        assert run.rules == [OTHER]
    assert [each.name for each in path.parent.iterdir()] == ["a.h5"]

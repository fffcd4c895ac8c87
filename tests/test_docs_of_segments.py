"""The page about segments says what is flagged, and shows what is printed."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from vfiscope.cli.program import main
from vfiscope.signals import SIGNALS
from vfiscope.types.segment_kinds import FAULTS, SEGMENT_KINDS

ROOT = Path(__file__).resolve().parents[1]
PAGE = (ROOT / "docs" / "segments.md").read_text(encoding="utf-8")
FENCES = re.findall(r"^```(\w*)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
SHOWN = [body for language, body in FENCES if not language]


def parts(text: str) -> tuple[list[str], list[float]]:
    """Words, and the numbers apart, whose last digits may differ between machines."""
    words = re.findall(r"-?\d+\.?\d*|[^\s\d]+", text)
    return [w for w in words if not w[-1].isdigit()], [float(w) for w in words if w[-1].isdigit()]


def check(printed: str, shown: str) -> None:
    words, numbers = parts(shown)
    found, values = parts(printed[printed.index(shown[:30]) :])
    assert found[: len(words)] == words
    assert values[: len(numbers)] == pytest.approx(numbers, rel=0.02)


def test_the_page_names_every_kind_and_only_signals_that_exist() -> None:
    rows = re.findall(r"^\| (`.*?) \| (.*?) \|(?: (.*?) \|)?", PAGE, re.MULTILINE)
    named = {name for kinds, _, _ in rows for name in re.findall(r"`(\w+)`", kinds)}
    named |= set(re.findall(r"`(\w+)`", PAGE.partition("Faults of a time-lapse:")[2][:120]))
    assert set(SEGMENT_KINDS) <= named
    signals = {
        name
        for kinds, _, evidence in rows
        if re.findall(r"\w+", kinds)[0] in FAULTS
        for name in re.findall(r"`(\w+)`", evidence)
    }
    assert signals
    assert signals <= set(SIGNALS)


def test_the_python_of_the_page_prints_what_it_shows(capsys: pytest.CaptureFixture[str]) -> None:
    (code,) = (body for language, body in FENCES if language == "python")
    exec(code, {})
    check(capsys.readouterr().out, SHOWN[1])


@pytest.mark.slow
def test_the_commands_of_the_page_print_what_it_shows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "samples").symlink_to(ROOT / "samples")
    monkeypatch.chdir(tmp_path)
    for shown, code in ((SHOWN[0], 0), (SHOWN[2], 1)):
        command, _, rest = shown.partition("\n...\n")
        arguments = re.findall(r'"([^"]*)"|(\S+)', command)
        with pytest.raises(SystemExit) as caught:
            main([quoted or plain for quoted, plain in arguments][2:])
        assert caught.value.code == code
        told = capsys.readouterr()
        body, failed, why = rest.partition("vfiscope: failed")
        check(told.out, body)
        assert (failed + why).strip() in told.err

"""The README says what is true: verbs, metrics, numbers made by commands, and an example that
runs."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import vfiscope as vs
from vfiscope.cli.program import main, vfiscope
from vfiscope.metrics import MAPS, METRICS

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def block(language: str, number: int) -> str:
    """The text between the n-th fences of a language."""
    fences = re.findall(r"^```(\w*)\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
    return [text for name, text in fences if name == language][number]


def test_every_verb_is_in_the_table() -> None:
    assert set(re.findall(r"^\| `vfiscope (\w+)", README, re.MULTILINE)) == set(vfiscope.commands)


def test_the_table_of_metrics_says_what_the_specs_say() -> None:
    rows = re.findall(r"^\| `(\w+)` \| ([^|]*) \| ([^|]*) \|", README, re.MULTILINE)
    assert {row[0] for row in rows} == set(METRICS)
    for name, unit_and_range, identity in rows:
        spec = METRICS[name].spec
        low, high = unit_and_range.split()[-1].split("..")
        assert float(low) == spec.low, name
        assert float(high or "inf") == spec.high, name
        assert float(identity) == spec.identity, name
        assert unit_and_range.startswith("dB") == (spec.unit == "dB"), name


def test_the_line_of_maps_names_every_map() -> None:
    line = re.search(r"^Maps: (.*?)\n\n", README, re.MULTILINE | re.DOTALL)
    assert line is not None
    assert set(re.findall(r"`(\w+)`", line[1])) == set(MAPS)


def test_tables_of_numbers_are_the_benchmarks() -> None:
    for name in ("speed.md", "memory.md", "vfi_short.md"):
        assert (ROOT / "benchmarks" / name).read_text().strip() in README


def test_the_python_example_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "samples").symlink_to(ROOT / "samples")
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    exec(block("python", 0), names)
    run = names["run"]
    assert isinstance(run, vs.Run)
    assert (run.segments[0].start, run.segments[0].stop) == (48, 60)
    assert (tmp_path / "curves.svg").stat().st_size > 1000
    run.close()


def test_what_the_first_command_prints_is_what_the_readme_shows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "samples").symlink_to(ROOT / "samples")
    monkeypatch.chdir(tmp_path)
    score = next(line for line in block("sh", 0).splitlines() if " score " in line)
    with pytest.raises(SystemExit) as caught:
        main(score.split()[1:])
    assert caught.value.code == 0
    printed, shown = capsys.readouterr().out.split(), block("", 0).split()
    # The last digits of learned or accumulated values may differ between machines; words and frames
    # may not.
    assert [word for word in printed if not is_decimal(word)] == [
        word for word in shown if not is_decimal(word)
    ]
    for word, other in zip(filter(is_decimal, printed), filter(is_decimal, shown), strict=True):
        assert float(word) == pytest.approx(float(other), rel=0.02)


def is_decimal(word: str) -> bool:
    return bool(re.fullmatch(r"-?\d+\.\d+(e-?\d+)?", word))


def words_of(text: str) -> tuple[list[str], list[float]]:
    """Words, and apart from them the decimals, whose last digits may differ between machines."""
    words = re.findall(r"-?\d+\.\d+(?:e-?\d+)?|[^\s\[\],*]+", text)
    return [w for w in words if not is_decimal(w)], [float(w) for w in words if is_decimal(w)]


@pytest.mark.parametrize(
    ("recipe", "shown", "drawn"),
    [(1, [1], ["flow-worst3.png"]), (2, [3], ["timelapse-worst2.png", "timelapse.png"])],
)
def test_a_recipe_typed_as_it_stands_ends_with_what_the_readme_shows(
    recipe: int,
    shown: list[int],
    drawn: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "samples").symlink_to(ROOT / "samples")
    monkeypatch.chdir(tmp_path)
    for line in block("sh", recipe + 1).splitlines():
        with pytest.raises(SystemExit) as caught:
            main(line.split()[1:])
        assert caught.value.code == 0, line
    words, numbers = words_of(capsys.readouterr().out)
    for number in shown:
        wanted, values = words_of(block("", number))
        starts = [k for k in range(len(words)) if words[k : k + len(wanted)] == wanted]
        assert starts, wanted
        assert any(
            numbers[k : k + len(values)] == pytest.approx(values, rel=0.02)
            for k in range(len(numbers))
        )
    for name in drawn:
        assert (tmp_path / name).stat().st_size > 10_000


def test_the_verdict_of_the_repeat_is_what_the_readme_shows(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    methods = ROOT / "samples" / "methods"
    with pytest.raises(SystemExit) as caught:
        main(
            [
                "score",
                f"{methods}/repeat.mp4",
                "--source",
                f"{methods}/source.mp4",
                "-o",
                f"{tmp_path}/r.h5",
            ]
        )
    assert caught.value.code == 0
    assert block("", 2).strip() in capsys.readouterr().out

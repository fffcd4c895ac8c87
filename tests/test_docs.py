"""README and docs say what is true: verbs, metrics, numbers made by commands, examples that run."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import h5py
import pytest

import vfiscope as vs
from vfiscope.cli import exit_codes
from vfiscope.cli.program import main, vfiscope
from vfiscope.metrics import MAPS, METRICS
from vfiscope.segments import parse_rule
from vfiscope.signals import SIGNALS

ROOT = Path(__file__).resolve().parents[1]
PAGES = {
    path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8")
    for path in (
        ROOT / "README.md",
        ROOT / "CONTRIBUTING.md",
        *sorted((ROOT / "docs").glob("*.md")),
    )
}
README = PAGES["README.md"]


def blocks(text: str, language: str) -> list[str]:
    """The texts between the fences of a language."""
    fences = re.findall(r"^```(\w*)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    return [body for name, body in fences if name == language]


def block(language: str, number: int) -> str:
    """The n-th block of a language in the README."""
    return blocks(README, language)[number]


def test_the_readme_is_short() -> None:
    assert len(README.split()) <= 900


def anchors(text: str) -> set[str]:
    """The anchors that GitHub makes of the headings of a page."""
    headings = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", each.lower()).replace(" ", "-") for each in headings}


@pytest.mark.parametrize("name", PAGES)
def test_links_lead_somewhere(name: str) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", PAGES[name]):
        if target.startswith("http"):
            continue
        path, _, anchor = target.partition("#")
        found = (ROOT / name).parent / path if path else ROOT / name
        assert found.exists(), target
        if anchor:
            assert anchor in anchors(found.read_text(encoding="utf-8")), target


def commands(text: str) -> list[list[str]]:
    """The arguments of every ``vfiscope`` command in the blocks of a page."""
    lines = [
        line
        for language in ("", "sh")
        for each in blocks(text, language)
        for line in each.splitlines()
    ]
    found = [re.match(r"(?:\.venv/bin/)?vfiscope (.*)", line) for line in lines]
    return [shlex.split(each[1], comments=True) for each in found if each is not None]


@pytest.mark.parametrize(
    "name",
    # The commands of docs/extending.md need its modules: test_extending.py types them.
    [name for name in PAGES if commands(PAGES[name]) and name != "docs/extending.md"],
)
def test_every_command_can_be_parsed(name: str) -> None:
    for arguments in commands(PAGES[name]):
        if "=" in arguments[0]:
            continue
        context = vfiscope.make_context("vfiscope", list(arguments))
        _, command, rest = vfiscope.resolve_command(context, list(arguments))
        assert command is not None, arguments
        command.make_context(command.name, rest, parent=context)


def test_every_verb_is_in_the_table() -> None:
    table = PAGES["docs/commands.md"]
    assert set(re.findall(r"^\| `vfiscope (\w+)", table, re.MULTILINE)) == set(vfiscope.commands)


def test_the_exit_codes_are_those_of_the_program() -> None:
    codes = re.findall(r"^\| (\d+) \|", PAGES["docs/commands.md"], re.MULTILINE)
    assert [int(code) for code in codes] == [
        exit_codes.OK,
        exit_codes.FAILED_ON,
        exit_codes.UNUSABLE,
        exit_codes.PARTIAL,
        exit_codes.FAULT,
        exit_codes.INTERRUPTED,
        exit_codes.TERMINATED,
    ]


@pytest.mark.parametrize("rule", re.findall(r"^\| (`.*`) \|", PAGES["docs/rules.md"], re.MULTILINE))
def test_the_rules_of_the_table_can_be_read(rule: str) -> None:
    for text in re.findall(r"`([^`]+)`", rule):
        parse_rule(text, specs={name: METRICS[name].spec for name in ("psnr", "ssim")})


def test_the_table_of_metrics_says_what_the_specs_say() -> None:
    page = PAGES["docs/metrics.md"].partition("## Maps and fields")[0]
    rows = re.findall(r"^\| `(\w+)` \| ([^|]*) \| ([^|]*) \|", page, re.MULTILINE)
    assert {row[0] for row in rows} == set(METRICS)
    for name, unit_and_range, identity in rows:
        spec = METRICS[name].spec
        low, high = unit_and_range.split()[-1].split("..")
        assert float(low) == spec.low, name
        assert float(high or "inf") == spec.high, name
        assert float(identity) == spec.identity, name
        assert unit_and_range.startswith("dB") == (spec.unit == "dB"), name


def test_the_line_of_maps_names_every_map() -> None:
    line = re.search(r"^Maps: (.*?)\n\n", PAGES["docs/metrics.md"], re.MULTILINE | re.DOTALL)
    assert line is not None
    assert set(re.findall(r"`(\w+)`", line[1])) == set(MAPS)


def test_the_table_of_signals_says_what_the_specs_say() -> None:
    rows = re.findall(r"^\| ((?:`\w+`,? ?)+)\| (\w+) \|", PAGES["docs/metrics.md"], re.MULTILINE)
    told = {name: unit for names, unit in rows for name in re.findall(r"`(\w+)`", names)}
    assert {name: told.get(name) for name in SIGNALS} == {
        name: signal.spec.unit for name, signal in SIGNALS.items()
    }


def test_the_page_of_the_file_names_all_that_a_run_holds(tmp_path: Path) -> None:
    page = PAGES["docs/file-format.md"]
    with vs.score(
        str(ROOT / "samples" / "interpolated.mp4"),
        ref=str(ROOT / "samples" / "truth.mp4"),
        stop=4,
        align="auto",
        register="sift",
        out=str(tmp_path / "a.h5"),
    ):
        pass
    told = set(re.findall(r"^\| `/(\w+)/", page, re.MULTILINE))
    with h5py.File(tmp_path / "a.h5") as file:
        assert set(file) <= told
        attributes = set(re.findall(r"`(\w+)`", page.partition("## Datasets")[0]))
        assert set(file.attrs) <= attributes
        assert {f"`/frames/{name}`" for name in file["frames"]} <= set(
            re.findall(r"`/frames/\w+`", page)
        )
        cells = file["maps"]["mismatch"].attrs
        assert {"top", "left", "cell_height", "cell_width"} <= set(cells)


def test_tables_of_numbers_are_the_benchmarks() -> None:
    for name in ("speed.md", "vfi_short.md"):
        assert (ROOT / "benchmarks" / name).read_text().strip() in PAGES["docs/benchmarks.md"]
    for name in ("faults_audit.md", "faults_reported.md", "faults_cuts.md"):
        assert (ROOT / "benchmarks" / name).read_text().strip() in PAGES["docs/benchmarks.md"]


@pytest.mark.slow
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


def test_the_python_of_the_quick_start_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "samples").symlink_to(ROOT / "samples")
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    exec(blocks(PAGES["docs/quickstart.md"], "python")[0], names)
    assert names["pixels"].shape == (1, 3, *names["run"].frame_size)
    assert names["worst"] in range(48, 60)


@pytest.mark.slow
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


@pytest.mark.slow
@pytest.mark.parametrize(
    ("recipe", "shown", "drawn"),
    [
        (1, [1], ["flow-worst3.png"]),
        (2, [2], ["timelapse-worst2.png", "timelapse.png"]),
        (3, [], ["figures/test-000000_page.png"]),
    ],
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
    for line in block("sh", recipe).splitlines():
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


@pytest.mark.slow
def test_the_verdict_of_the_repeat_is_what_the_docs_show(
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
    shown = [text for text in blocks(PAGES["docs/interpolation.md"], "") if "verdict:" in text]
    assert len(shown) == 1
    assert shown[0].strip() in capsys.readouterr().out


@pytest.mark.slow
def test_the_regions_of_the_first_pair_are_what_the_docs_show(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "samples").symlink_to(ROOT / "samples")
    monkeypatch.chdir(tmp_path)
    page = PAGES["docs/regions.md"]
    with pytest.raises(SystemExit) as caught:
        main(blocks(page, "sh")[0].splitlines()[0].split()[1:])
    assert caught.value.code == 0
    assert capsys.readouterr().out.endswith(blocks(page, "")[0])

"""The table of detectors, and one that another package adds by one small file."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from helpers.plugins import run_with_plugin, write_plugin
from helpers.results import SSIM, make_scores, write

from vfiscope.errors import UsageError
from vfiscope.segments import flag
from vfiscope.segments.detectors import DETECTORS, Columns, Detector, detectors_of
from vfiscope.signals import SIGNALS
from vfiscope.store import Run
from vfiscope.types import Segment

DETECTOR = """
from vfiscope.segments.detectors import DETECTORS, Detector
from vfiscope.types import Segment

def detect(columns):
    frames, values = columns.frames, columns.scores["ssim"]
    worst = int(values.argmin())
    start, stop = int(frames.index[worst]), int(frames.index[worst]) + 1
    return [
        Segment(start, stop, "blur", "ssim", float(values[worst]), start, 0.75,
                float(frames.time_s[worst]), float(frames.time_s[worst]) + 0.1)
    ]

DETECTORS.add("smear", Detector("smear", ["ssim"], detect))
DETECTORS.add("never", Detector("never", ["ssim", "no_such_signal"], detect))
"""


@pytest.mark.slow
def test_a_detector_of_another_package_flags_segments(tmp_path: Path) -> None:
    out = write(tmp_path / "a.h5", make_scores(30))
    plugin = tmp_path / "plugin"
    plugin.mkdir()
    done = run_with_plugin(write_plugin(plugin, DETECTOR), "flag", str(out), "--json")
    assert done.returncode == 0, done.stderr
    with Run(out) as run:
        worst = int(np.argmin(run.scores["ssim"]))
        (found,) = [segment for segment in run.segments if segment.kind == "blur"]
        assert (found.start, found.stop, found.peak_index) == (worst, worst + 1, worst)
        assert found.peak == run.scores["ssim"][worst]
        assert run.stages["segments"].parameters == {"rules": []}
    kinds = [segment["kind"] for segment in json.loads(done.stdout)["segments"]]
    assert kinds.count("blur") == 1


class Recorded(dict[str, np.ndarray]):
    """Columns that note which ones are looked for."""

    def __init__(self, columns: dict[str, np.ndarray]) -> None:
        super().__init__(columns)
        self.seen: set[str] = set()

    def __getitem__(self, name: str) -> np.ndarray:
        self.seen.add(name)
        return super().__getitem__(name)

    def __contains__(self, name: object) -> bool:
        self.seen.add(str(name))
        return super().__contains__(name)

    def get(self, name: str, default: Any = None) -> Any:
        self.seen.add(name)
        return super().get(name, default)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_detectors_name_all_signals_that_they_read() -> None:
    rng, frames = np.random.default_rng(2), make_scores(40).frames
    names = [name for name, each in SIGNALS.items() if not each.dated]
    made = {name: rng.random(40) for name in names if not name.startswith(("light_r", "changed"))}
    # Photos and runs with a golden frame; cuts do without damage, as small frames tell none.
    without = {"photo_back", "light_red", "changed_area"}
    for name in set(DETECTORS) - {"slip", "shot_cut", "gradual"}:
        detector = DETECTORS[name]
        columns = Columns(frames, {}, {}, made)
        seen = Recorded(dict(columns.signals))
        object.__setattr__(columns, "signals", seen)
        if detector.can_read(columns):
            detector.detect(columns)
            assert seen.seen - without <= {*detector.needs, *detector.reads}, name


def test_kinds_are_looked_for_with_what_explains_them() -> None:
    names = {each.name for each in detectors_of(["change"])}
    assert {"onset", "shot_cut", "duplicate", "shift"} <= names
    assert {each.name for each in detectors_of(["static"])} == {"static"}
    assert {"tearing", "gradual", "fade"} <= {each.name for each in detectors_of(["tearing"])}
    assert len(detectors_of(())) == len(DETECTORS)


def test_a_kind_asked_for_alone_is_explained_by_others(monkeypatch: pytest.MonkeyPatch) -> None:
    """What looks torn within a wipe is not, though nobody asked for wipes."""

    def found(kind: str, start: int, stop: int) -> Detector:
        segment = Segment(start, stop, kind, "shot_step", 1.0, start, 0.9, 0.0, 1.0)
        return Detector(f"made_{kind}", [], lambda columns: [segment], [kind])

    made = [found("cut", 4, 12), found("tearing", 8, 9), found("blur", 8, 9)]
    monkeypatch.setattr(DETECTORS, "_things", {each.name: each for each in made})
    scores = make_scores(20)

    def kinds(*asked: str) -> list[str]:
        return [each.kind for each in flag(scores.frames, scores.values, {}, kinds=asked)]

    assert kinds() == ["cut", "blur"]
    assert kinds("tearing") == []
    assert kinds("blur", "tearing") == ["blur"]


def test_the_detectors_are_asked_in_order() -> None:
    assert list(DETECTORS)[:2] == ["low_score", "cut"]
    assert [detector.name for detector in DETECTORS.values()] == list(DETECTORS)


def test_needs_are_a_list() -> None:
    with pytest.raises(UsageError, match=r"needs 'luma_mean': pass a list, \['luma_mean'\]"):
        Detector("dark", "luma_mean", lambda columns: [])


def test_a_detector_that_fails_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(columns: Columns) -> list[Segment]:
        raise ValueError("no such thing")

    monkeypatch.setitem(DETECTORS._things, "broken", Detector("broken", [], fail))
    scores = make_scores(5)
    with pytest.raises(UsageError, match=r"the detector broken failed \(ValueError: no such thing"):
        flag(scores.frames, scores.values, {})


def test_a_fault_of_an_own_detector_is_no_other_package_s(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(columns: Columns) -> list[Segment]:
        raise ValueError("no such thing")

    fail.__module__ = "vfiscope.segments.detectors.broken"
    monkeypatch.setitem(DETECTORS._things, "broken", Detector("broken", [], fail))
    scores = make_scores(5)
    with pytest.raises(ValueError, match="no such thing"):
        flag(scores.frames, scores.values, {})


def columns(cut: list[float]) -> Columns:
    frames = make_scores(len(cut)).frames
    frames = replace(frames, role=np.full_like(frames.role, 2), status=0 * frames.status)
    scores = {"cut": np.array(cut, np.float32)}
    return Columns(frames, scores, {"cut": replace(SSIM, name="cut", low=0.0, identity=0.0)})


def test_cuts_are_marked_and_have_no_level() -> None:
    given = columns([0, 0, 1, 1, 0, float("nan"), 1, *[0] * 20])
    assert DETECTORS["low_score"].detect(given) == []
    found = DETECTORS["cut"].detect(given)
    assert [(segment.start, segment.stop, segment.kind) for segment in found] == [
        (2, 4, "cut"),
        (6, 7, "cut"),
    ]


def test_a_detector_is_left_out_where_it_lacks_a_column() -> None:
    given = columns([0, 1])
    assert DETECTORS["cut"].can_read(given)
    assert not DETECTORS["cut"].can_read(replace(given, scores={}))
    assert DETECTORS["cut"].can_read(replace(given, scores={}, signals=given.scores))
    assert DETECTORS["low_score"].can_read(replace(given, scores={}))


def test_a_rule_tells_of_a_range_that_is_found_anyway() -> None:
    given = columns([0, 0, 1, 1, 0])
    (cut,) = flag(given.frames, given.scores, given.specs)
    (ruled,) = flag(given.frames, given.scores, given.specs, ["cut >= 1"])
    assert (cut.start, cut.stop, cut.rule) == (2, 4, "")
    assert (ruled.start, ruled.stop, ruled.rule) == (2, 4, "cut >= 1")


STAGE = """
from dataclasses import dataclass
from vfiscope.stages import STAGES, Stage

@dataclass(frozen=True)
class Row:
    frame: int
    value: float
    word: str

def make(run, *, below=0.5, word="dim"):
    values = run.scores["ssim"]
    rows = [Row(int(i), float(values[i]), word) for i in (values < below).nonzero()[0]]
    return {"mine": rows}

STAGES.add("mine", Stage("mine", 3, ["scores/ssim", "stages/segments"], {"mine": Row}, make))
STAGES.add("lost", Stage("lost", 1, ["maps/heat"], {"lost": Row}, make))
"""


@pytest.fixture
def plugin(tmp_path: Path) -> Path:
    folder = tmp_path / "plugin"
    folder.mkdir()
    return write_plugin(folder, STAGE)


@pytest.mark.slow
def test_a_stage_of_another_package_is_asked_from_the_command_line(
    tmp_path: Path, plugin: Path
) -> None:
    out = write(tmp_path / "a.h5", make_scores(30))
    command = ["stage", "mine", str(out), "--set", "below=0.25", "--set", "word=dark room"]
    done = run_with_plugin(plugin, *command)
    assert done.returncode == 0, done.stderr
    with Run(out) as run:
        rows = np.flatnonzero(run.scores["ssim"] < 0.25)
        record = run.stages["mine"]
    assert (record.version, record.tables) == (3, ("mine",))
    assert record.parameters == {"below": 0.25, "word": "dark room"}
    with h5py.File(out, "r") as h5:
        assert h5["mine/frame"][()].tolist() == rows.tolist()
        assert h5["mine/word"].asstr()[()].tolist() == ["dark room"] * len(rows)
    assert done.stdout == (
        f"mine: {len(rows)} rows\n" + 'parameters: {"below": 0.25, "word": "dark room"}\n'
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["mina"], "there is no stage 'mina': did you mean 'mine'?"),
        (["mine", "--set", "under=1"], "the stage mine has no parameter 'under'"),
        (["mine", "--set", "below"], "--set is 'below': write it as KEY=VALUE"),
        (["lost"], "the stage lost needs maps/heat, but the maps of"),
        (["segments", "--set", 'rules=["nothing < 1"]'], "no metric or signal 'nothing'"),
        (["segments", "--set", "rules=ssim < 1"], "rules is 'ssim < 1': pass a list of texts"),
        (["segments", "--set", "rules=[1]"], "rules is [1]: pass a list of texts"),
    ],
)
def test_a_stage_that_cannot_be_asked_is_one_line(
    tmp_path: Path, plugin: Path, arguments: list[str], message: str
) -> None:
    out = write(tmp_path / "a.h5", make_scores(10))
    before = out.read_bytes()
    name, *settings = arguments
    done = run_with_plugin(plugin, "stage", name, str(out), *settings)
    assert done.returncode == 2
    assert message in done.stderr
    assert done.stderr.count("\n") == 1
    assert out.read_bytes() == before


def test_segments_are_a_stage_like_others(tmp_path: Path) -> None:
    out = write(tmp_path / "a.h5", make_scores(30))
    settings = ["--set", 'rules=["ssim < 0.5"]']
    done = run_with_plugin(tmp_path, "stage", "segments", str(out), *settings, "--quiet")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    with Run(out) as run:
        assert run.rules == ["ssim < 0.5"]
        ruled = [segment for segment in run.segments if segment.rule == "ssim < 0.5"]
        flagged = {row for segment in ruled for row in range(segment.start, segment.stop)}
        low = run.rows() & (run.scores["ssim"] < 0.5)
        assert {*np.flatnonzero(low).tolist()} <= flagged


@pytest.mark.parametrize("field", ["kinds", "gives_way_to", "reads"])
def test_a_text_is_no_list_of_names(field: str) -> None:
    with pytest.raises(UsageError, match=rf"the {field} 'dim': pass a list, \['dim'\]"):
        Detector(**{"name": "x", "needs": (), "detect": lambda _: [], field: "dim"})

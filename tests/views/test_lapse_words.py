"""The answer of a time-lapse, of one whose answers are known."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest

from vfiscope import api, synth
from vfiscope.views.lapse_answer import lapse_answer
from vfiscope.views.lapse_words import describe_lapse


@pytest.mark.slow
def test_a_made_time_lapse_is_answered(tmp_path: Path) -> None:
    lapse = synth.TimeLapse(
        *(20, 120, 160),
        seed=1,
        drift=(0.0, -0.08),
        bumps={9: (4.0, -2.0, 0.0)},
        covered=(13,),
        growth=0.1,
        harvests={17: 0},
    )
    lapse.write(tmp_path / "bed")
    with api.scan(str(tmp_path / "bed"), metrics=("absdiff",), device="cpu") as run:
        said = "\n".join(describe_lapse(run))
        answer = lapse_answer(run).to_dict()
        kinds = {(each.kind, each.start) for each in run.segments}
    assert {("gap", 6), ("gap", 12), ("gap", 18), ("shift", 9), ("change", 17)} <= kinds
    assert {("growth", 0), ("flicker", 0), ("exposure", 0)} <= kinds
    assert not {start for kind, start in kinds if kind == "shift"} - {9}
    assert re.search(r"bumped 1 time, before frame 9, 2023-11-16 04:13:20 \(4.[45] px, 0.0", said)
    assert "look at  frame 13, 2023-11-17 00:13:20 (does not belong), frame 17" in said
    assert f"-{100 * lapse.harvested(17):.1f} % in frame 17" in said
    assert answer["camera"]["bumps"][0]["px"] == pytest.approx(np.hypot(4, 2), rel=0.1)
    assert answer["growth"]["falls"][0]["share"] == pytest.approx(lapse.harvested(17), rel=0.1)
    assert answer["look_at"][0] == {"frame": 13, "time": "2023-11-17T00:13:20+00:00"}
    assert json.loads(json.dumps(answer))["balance"]["blue"] == pytest.approx(-0.08, rel=0.15)


@pytest.mark.filterwarnings("error::RuntimeWarning")
def test_what_no_photo_tells_is_no_number(tmp_path: Path) -> None:
    synth.TimeLapse(3, 32, 48).write(tmp_path / "bed")
    for photo in sorted((tmp_path / "bed").iterdir())[1:]:
        photo.write_bytes(photo.read_bytes()[:100])
    with api.scan(str(tmp_path / "bed"), metrics=("absdiff",), device="cpu") as run:
        answer, said = lapse_answer(run).to_dict(), describe_lapse(run)
    assert answer["change"] == {"usual_step": None, "fastest": None, "per_hour": None}
    assert json.loads(json.dumps(answer, allow_nan=False))["look_at"] == []
    assert said[-1] == "  change   -"


def test_a_folder_without_dates_has_no_such_answer(tmp_path: Path) -> None:
    synth.TimeLapse(3, 32, 48).write(tmp_path / "bed")
    options = {"metrics": ("absdiff",), "device": "cpu", "time_from": "fps"}
    with api.scan(str(tmp_path / "bed"), **options) as run:
        assert describe_lapse(run) == []

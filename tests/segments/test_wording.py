"""Every segment says in one sentence, with its numbers, why it is flagged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from helpers.cli import call
from helpers.edits import drop, spoil
from helpers.stored import SPECS, store_run

from vfiscope.segments import flag, reflag
from vfiscope.store import Run
from vfiscope.types import FrameTable, Role
from vfiscope.types.segment_kinds import EDITS, FAULTS, INFORMATION, SEGMENT_KINDS, is_fault

P, S = Role.PASSED, Role.SYNTHESISED
FLAT = (0.001 * np.random.default_rng(3).permutation(np.arange(60) % 3)).tolist()
"""A level of 0.001; two thirds of the values lie 0.001 from it."""


def table(n: int, role: Sequence[int] = (), ref_index: Sequence[float] = ()) -> FrameTable:
    rows = np.arange(n)
    places = np.array(ref_index) if len(ref_index) else rows.astype(float)
    return FrameTable(
        index=rows + 100,
        pts=rows,
        time_s=rows * 2.0,
        ref_index=np.floor(places).astype(np.int64),
        role=np.array(role or [Role.UNKNOWN] * n, np.uint8),
        phase=places % 1,
        status=np.zeros(n, np.uint8),
        time_base=Fraction(1, 25),
    )


def evidence(
    frames: FrameTable,
    scores: Mapping[str, Sequence[float]],
    signals: Mapping[str, Sequence[float]] | None = None,
    rules: Sequence[str] = (),
) -> dict[str, str]:
    """{kind: the evidence of its first segment}"""
    columns = [
        {name: np.array(values, np.float32) for name, values in each.items()}
        for each in (scores, signals or {})
    ]
    found = flag(frames, columns[0], SPECS, rules, columns[1])
    assert {segment.kind for segment in found} <= set(SEGMENT_KINDS)
    assert all(segment.evidence for segment in found)
    return {segment.kind: segment.evidence for segment in reversed(found)}


def put(value: float, rows: Sequence[int], flat: Sequence[float] = FLAT) -> list[float]:
    return [value if row in rows else each for row, each in enumerate(flat)]


def test_a_low_score_says_by_how_much_and_from_what() -> None:
    """The level is 0.001, 6 * 1.4826 * 0.001 = 0.008896, and the floor of cosine 0.01."""
    assert evidence(table(60), {"cosine": put(0.201, [20])}) == {
        "low_score": "cosine is 0.201 at frame 120, 0.2 above the level of all frames (0.001);"
        " 0.01 would be enough"
    }
    wavy = [30 + 10 * np.sin(row / 60) for row in range(400)]
    low = [each - 25 if 100 <= row < 114 else each for row, each in enumerate(wavy)]
    (told,) = evidence(table(400), {"psnr": low}).values()
    assert " dB below the level of the 49 frames around it (" in told
    (told,) = evidence(table(400), {"psnr": put(wavy[190] - 25, [190], wavy)}).values()
    assert " dB below the level of the frames beside it (" in told
    roles = [P, S] * 60
    off = put(-9.0, [61], [3.0 * (row % 2) for row in range(120)])
    assert evidence(table(120, roles), {"midpoint_px": off}) == {
        "low_score": "midpoint_px is -9 px at frame 161, 6 px further from 0 than all synthesised"
        " frames (3 px from it); 0.5 px would be enough"
    }


def test_a_cut_a_flicker_and_photos() -> None:
    assert evidence(table(9), {"cut": [0.0] * 4 + [1.0] + [0.0] * 4}) == {
        "cut": "the real frame before and the one behind are unrelated"
    }
    levels = {"level_y": [0.0, 8.0] * 20, "level_cb": [0.0] * 40, "level_cr": [0.0] * 40}
    told = "is up to 8 code values above that of the"
    enough = "again and again; 1 would be enough"
    assert evidence(table(40), levels) == {
        "flicker": f"luma of some frames {told} frames between them, {enough}"
    }
    assert evidence(table(40, [P, S] * 20), levels) == {
        "flicker": f"luma of synthesised frames {told} originals between them, {enough}"
    }
    assert evidence(table(17), {}, {"luma_mean": put(60, [8], [100] * 17)}) == {
        "underexposed": "mean luma is 40 code values below that of the 5 photos before and of the"
        " 5 behind; that of all but 2 photos departs by 0 at most, and 10 would be enough"
    }


def test_a_golden_scan_says_how_much_has_changed_and_how_bright_it_is() -> None:
    ones = [1.0] * 60
    lights = {"light_red": put(1.3, [20, 21], ones), "light_green": ones, "light_blue": ones}
    assert evidence(table(60), {}, {"changed_area": put(0.125, [20]), **lights}) == {
        "change": "0.125 of frame 120 differs from the golden frame by more than light, 0.124 above"
        " the level of all frames (0.001); 0.008896 would be enough",
        "exposure": "red of frame 120 is 1.3 times as bright as in the golden frame, 0.3 further"
        " from 1 than all frames (0 from it); 0.05 would be enough",
    }


@pytest.mark.parametrize(
    ("steps", "kind", "told"),
    [
        ([*range(10), 9, *range(10, 30)], "duplicate", "frame 110 repeats frame 109: the place in"),
        ([*range(10), 9, 9, *range(10, 30)], "freeze", "frames 110 to 111 repeat frame 109: the"),
        (
            [*range(10), *range(13, 40)],
            "drop",
            "3 frames missing before frame 110: the place in the source moves on by 4 usual steps",
        ),
    ],
)
def test_a_slip_names_the_frames(steps: list[int], kind: str, told: str) -> None:
    places = [step / 2 for step in steps]
    roles = [P if step % 2 == 0 else S for step in steps]
    found = evidence(table(len(steps), roles, places), {})
    assert list(found) == [kind]
    assert found[kind].startswith(told)


def test_a_rule_says_how_many_frames_meet_it() -> None:
    values = {"ssim": [0.8, 0.5, 0.95, 0.7]}
    assert evidence(table(4), values, rules=["ssim < 0.9"]) == {
        "low_score": "2 frames in 4 s meet ssim < 0.9, frame 101 most, with 0.5"
    }
    assert evidence(table(4, [P, S, S, S]), values, rules=["ssim of passed < 0.9"]) == {
        "low_score": "1 passed frame in 2 s meets ssim of passed < 0.9, frame 100 most, with 0.8"
    }


def test_evidence_is_stored_and_printed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = store_run(tmp_path / "a.h5", {"cosine": put(0.201, [20]), "ssim": [0.9] * 60})
    reflag(path)
    with Run(path) as run:
        (stored,) = run.segments
        assert run.summary()["segments"][0]["evidence"] == stored.evidence
    assert call("flag", path) == 0
    printed = capsys.readouterr().out.splitlines()
    assert printed[-1] == f"      {stored.evidence}"
    spoil(drop("segments/evidence"))(path)  # as in files that are older than it
    with Run(path) as run:
        assert [segment.evidence for segment in run.segments] == [""]
    reflag(path)
    with Run(path) as run:
        assert run.segments == [stored]


def test_kinds_are_faults_edits_or_information() -> None:
    assert len(SEGMENT_KINDS) == len(FAULTS) + len(EDITS) + len(INFORMATION)
    assert set(INFORMATION) == {"black", "flash", "static", "cadence", "gap", "growth"}
    asked = ("freeze", "cut", "static", "another")
    assert [is_fault(kind) for kind in asked] == [True, False, False, True]

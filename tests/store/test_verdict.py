"""The verdict on a run: counts and sentences of planted columns, and of whole runs over made-up
clips."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import h5py
import numpy as np
import pytest
from click.testing import CliRunner
from numpy.typing import NDArray

import vfiscope as vs
from vfiscope import synth
from vfiscope.cli.program import vfiscope
from vfiscope.store import Judgement, causes_of, judge
from vfiscope.store.verdict import CAUSES
from vfiscope.types import FrameTable, Role

Pixels = NDArray[np.uint8]
CLEAN = {
    "fault": 0.0,
    "moving": 0.5,
    "repeat": 0.0,
    "late": 0.0,
    "early": 0.0,
    "blend": 0.0,
    "torn": 0.0,
}
ROWS: Mapping[str, Mapping[str, float]] = {
    "clean": {},
    "still": {"moving": 0.0},
    "before": {"fault": 1, "repeat": 0.9, "late": 0.95},
    "after": {"fault": 1, "repeat": 0.9, "early": 0.95},
    "late": {"fault": 0.9, "late": 0.9, "repeat": 0.2},
    "early": {"fault": 0.9, "early": 0.9},
    "blend": {"fault": 0.3, "blend": 0.3},
    "torn": {"fault": 1, "torn": 0.9, "repeat": 0.9, "late": 0.5, "early": 0.5},
    "bright": {"fault": 1, "level": 3.0},
    "dark": {"fault": 1, "level": -3.0},
    "fog": {"fault": 0.3, "foreign": 0.2},
    "broken": {"fault": 0.2, "warp": 0.15},
    "cut": dict.fromkeys(CLEAN, np.nan),
}


def table(n: int, role: Role | NDArray[np.uint8] = Role.UNKNOWN, start: int = 0) -> FrameTable:
    index = np.arange(start, start + n, dtype=np.int64)
    roles = np.full(n, role, np.uint8) if isinstance(role, Role) else role
    return FrameTable(
        index,
        index,
        index / 24,
        index,
        roles,
        np.full(n, 0.5),
        np.zeros(n, np.uint8),
        Fraction(1, 24),
    )


def columns(*kinds: str) -> dict[str, NDArray[np.float32]]:
    rows = [{**CLEAN, "level": 0.0, "warp": 0.0, "foreign": 0.0, **ROWS[kind]} for kind in kinds]
    return {name: np.array([row[name] for row in rows], np.float32) for name in rows[0]}


def alternating(n: int) -> NDArray[np.uint8]:
    return np.where(np.arange(n) % 2, Role.SYNTHESISED, Role.PASSED).astype(np.uint8)


def judged(*kinds: str, role: Role | NDArray[np.uint8] = Role.SYNTHESISED) -> Judgement:
    found = judge(table(len(kinds), role), columns(*kinds))
    assert found is not None
    return found


def counts(found: Judgement) -> dict[str, int]:
    return {name: getattr(found, name) for name in (*CAUSES, "clean") if getattr(found, name)}


@pytest.mark.parametrize(
    ("kind", "cause"),
    [
        ("before", "repeats"),
        ("after", "repeats"),
        ("late", "late"),
        ("early", "early"),
        ("blend", "blends"),
        ("torn", "torn"),
        ("bright", "off_colour"),
        ("dark", "off_colour"),
        ("fog", "off_colour"),
        ("broken", "broken"),
        ("still", "clean"),
    ],
)
def test_every_fault_has_its_cause(kind: str, cause: str) -> None:
    found = judged("clean", kind, "clean", "clean")
    assert counts(found) == ({"clean": 4} if cause == "clean" else {cause: 1, "clean": 3})
    assert (found.frames, found.still, found.cadence) == (4, int(kind == "still"), None)


def test_each_frame_has_its_cause_in_words() -> None:
    kinds = ("clean", "before", "torn", "bright", "still", "cut")
    found = causes_of(table(len(kinds), Role.SYNTHESISED), columns(*kinds))
    assert found == ["", "repeats a neighbour", "is torn", "is off in colour or brightness", "", ""]
    assert causes_of(table(2, Role.SYNTHESISED), {"fault": np.ones(2, np.float32)}) == ["", ""]


def test_a_frame_in_which_nothing_moves_is_not_asked_for_its_instant() -> None:
    kinds = ("before", "late", "blend", "torn", "bright", "broken")
    values = {**columns(*kinds), "moving": np.full(len(kinds), 0.005, np.float32)}
    found = judge(table(len(kinds), Role.SYNTHESISED), values)
    assert found is not None
    assert counts(found) == {"off_colour": 1, "broken": 1, "clean": 4}


def test_a_frame_whose_place_in_the_source_stays_repeats_the_one_before_it() -> None:
    rows = table(8, Role.SYNTHESISED)
    ref_index, phase = np.array([0, 0, 1, 1, 1, 1, 3, 3]), np.array([0, 5, 0, 5, 5, 5, 0, 5]) / 10
    clean = columns(*["clean"] * 8)
    found = judge(replace(rows, ref_index=ref_index, phase=phase), clean)
    assert found is not None
    assert counts(found) == {"repeats": 2, "clean": 6}
    for nowhere in (np.full(8, -1), np.zeros(8, np.int64)):  # no source; one that stands still
        found = judge(replace(rows, ref_index=nowhere), clean)
        assert found is not None
        assert counts(found) == {"clean": 8}
    still = judge(replace(rows, ref_index=ref_index, phase=phase), columns(*["still"] * 8))
    assert still is None or not still.repeats  # it is not asked for its instant


@pytest.mark.parametrize("frozen", [4, 12])
def test_a_freeze_may_be_most_of_a_clip(frozen: int) -> None:
    places = [0.0, 0.5, 1.0, *[1.5] * frozen, 2.0, 2.5]
    rows, place = table(len(places), Role.SYNTHESISED), np.array(places)
    frames = replace(rows, ref_index=place.astype(np.int64), phase=place % 1)
    found = judge(frames, columns(*["clean"] * len(places)))
    assert found is not None
    assert counts(found) == {"repeats": frozen - 1, "clean": 6}


def test_the_sentence_counts_each_frame_once_and_leaves_out_what_was_not_judged() -> None:
    found = judged(
        "before",
        "before",
        "cut",
        "blend",
        "torn",
        "bright",
        "broken",
        "late",
        "early",
        "still",
        "clean",
    )
    assert (
        found.sentence
        == "of 10 synthesised frames 2 repeat a neighbour, 1 is a blend of its neighbours, 1 is"
        " late, 1 is early, 1 is torn, 1 is off in colour or brightness, 1 is broken in geometry"
        " and 2 show no clear fault (nothing moves in 1 of them); where motion is uneven, true"
        " frames look late or early too"
    )
    assert sum(counts(found).values()) == found.frames == 10
    assert judged("clean").sentence == "of 1 synthesised frame 1 shows no clear fault"
    uneven = "where motion is uneven, true frames look late or early too"
    assert judged("late").sentence == f"of 1 synthesised frame 1 is late; {uneven}"
    assert judged("early").sentence == f"of 1 synthesised frame 1 is early; {uneven}"


def test_passed_frames_are_not_judged() -> None:
    found = judged("before", "clean", "before", "blend", "before", "clean", role=alternating(6))
    assert (found.role, found.frames) == ("synthesised", 3)
    assert counts(found) == {"blends": 1, "clean": 2}


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (
            "before",
            (
                "every second frame, from 1 on, repeats the frame before it: this is a clip of half"
                " the rate; "
            ),
        ),
        (
            "after",
            (
                "every second frame, from 1 on, repeats the frame after it: this is a clip of half"
                " the rate; "
            ),
        ),
        ("blend", "every second frame, from 1 on, is a blend of its neighbours; "),
    ],
)
def test_every_second_frame_with_known_roles(kind: str, words: str) -> None:
    found = judged(*["cut", kind] * 6, role=alternating(12))
    assert found.sentence.startswith(words + "of 6 synthesised frames 6 ")
    assert found.cadence is not None
    assert (found.cadence.cycle, found.cadence.count, found.cadence.first) == (2, 1, 1)


def test_every_second_frame_with_nothing_but_the_video() -> None:
    repeats = judged("cut", *["before", "after"] * 6, "cut", role=Role.UNKNOWN)
    assert (
        repeats.sentence
        == "every second frame, from 1 on, repeats the frame before it: this is a clip of half the"
        " rate; state --multiplier 2 to judge only those; of 12 frames 6 repeat a neighbour and"
        " 6 show no clear fault"
    )
    blends = judged("cut", *["blend", "broken"] * 6, "cut", role=Role.UNKNOWN)
    assert (
        blends.sentence
        == "every second frame, from 1 on, is a blend of its neighbours; state --multiplier 2 to"
        " judge only those; of 6 frames 6 are blends of their neighbours"
    )


def test_the_pattern_is_found_where_a_part_shows_nothing_and_from_where_it_begins() -> None:
    kinds = ["cut", *["before", "after"] * 5, *["still"] * 20, *["before", "after"] * 5, "cut"]
    found = judge(table(len(kinds), start=100), columns(*kinds))
    assert found is not None
    assert found.sentence.startswith("every second frame, from 101 on, repeats the frame before it")
    assert (found.repeats, found.still, found.clean) == (10, 20, 30)


def test_longer_cycles() -> None:
    held = judged("cut", *["still", "still", "before", "after"] * 5, "cut", role=Role.UNKNOWN)
    assert held.sentence.startswith(
        "of every 4 frames, from 1 on, 3 repeat the frame before them: this is a clip of a quarter"
        " of the rate; state --multiplier 4 to judge only those; of 20 frames 15 repeat a neighbour"
        " and 5 show no clear fault"
    )
    film = ["clean"] * 100
    film[6::25], film[7::25] = ["after"] * 4, ["before"] * 4
    assert judged(*film, role=Role.UNKNOWN).sentence.startswith(
        "one frame in 25, from 7 on, repeats the frame before it; of 100 frames 4 repeat"
    )
    mixed = judged("cut", *["blend", "blend", "blend", "broken"] * 4, "cut", role=Role.UNKNOWN)
    assert mixed.sentence.startswith(
        "of every 4 frames, from 1 on, 3 are blends of their neighbours; state --multiplier 4 to"
        " judge only those"
    )


@pytest.mark.parametrize(
    "kinds",
    [
        ["clean"] * 30,
        ["still"] * 30,
        ["before", *["clean"] * 29],
        [*["before"] * 2, *["clean"] * 28],
        [*["before", "clean"] * 2, *["clean"] * 20],
        ["before"] * 20,
        ["blend"] * 20,
    ],
)
def test_what_is_no_pattern(kinds: list[str]) -> None:
    assert judged(*kinds).cadence is None


def test_isolated_repeats_without_roles_are_counted_once() -> None:
    found = judged("clean", "clean", "after", "before", "clean", "clean", role=Role.UNKNOWN)
    assert counts(found) == {"repeats": 1, "clean": 5}


def test_without_its_columns_there_is_no_verdict() -> None:
    whole = columns("clean", "before")
    for name in ("fault", "moving", "repeat", "late", "early", "blend"):
        assert (
            judge(table(2), {key: values for key, values in whole.items() if key != name}) is None
        )
    some = {
        key: values
        for key, values in whole.items()
        if key not in ("torn", "level", "warp", "foreign")
    }
    found = judge(table(2, Role.SYNTHESISED), some)
    assert found is not None
    assert counts(found) == {"repeats": 1, "clean": 1}
    assert judge(table(2), columns("cut", "cut")) is None
    assert judge(table(2), {"psnr": whole["fault"]}) is None


def test_a_local_fault_stands_out_from_the_run_and_is_counted_after_other_causes() -> None:
    def local(peak: list[float], *kinds: str) -> dict[str, int]:
        values = {**columns(*kinds), "fault_peak": np.array(peak, np.float32)}
        found = judge(table(len(kinds), Role.SYNTHESISED), values)
        assert found is not None
        return counts(found)

    quiet = [0.0, 0.01, 0.02, 0.0, 0.01, 0.02, 0.0]
    eight = ["clean"] * 6 + ["still", "blend"]
    assert local([*quiet, 0.5], *eight) == {"blends": 1, "clean": 7}
    assert local([0.5, *quiet], *eight) == {"local": 1, "blends": 1, "clean": 6}
    assert local([*quiet[:6], 0.13, 0.0], *eight) == {"local": 1, "blends": 1, "clean": 6}
    assert local([*quiet[:6], 0.11, 0.0], *eight) == {"blends": 1, "clean": 7}
    # What half of the run has is its level, and few frames have none.
    assert local([0.0, 0.5, 0.1, 0.4, 0.2, 0.3, 0.6, 0.0], *eight) == {"blends": 1, "clean": 7}
    assert local([*quiet[:6], 0.5], *eight[:7]) == {"clean": 7}


def test_the_judgement_is_strictly_json_able() -> None:
    found = json.loads(
        json.dumps(judged(*["cut", "before"] * 6, role=alternating(12)).to_dict(), allow_nan=False)
    )
    assert found["cadence"] == {
        "fault": "repeats",
        "cycle": 2,
        "count": 1,
        "first": 1,
        "of": "before",
        "step": 1,
    }
    assert set(found) == {*CAUSES, "role", "frames", "clean", "still", "cadence", "sentence"}
    assert judged("clean").to_dict()["cadence"] is None


# --------------------------------------------------------------------------------------- whole runs

N = 13


@pytest.fixture(scope="module")
def truth() -> Pixels:
    return np.stack(list(synth.Scene(144, 256, seed=6, objects=0, velocity=(4.0, 2.0)).frames(N)))


def planted(truth: Pixels, fault: str) -> Pixels:
    """Every second frame with a fault."""
    made = truth.copy()
    for row in range(1, N, 2):
        before, exact, after = (each.astype(np.float64) for each in truth[row - 1 : row + 2])
        made[row] = {
            "repeat": before,
            "blend": np.rint((before + after) / 2),
            "torn": np.concatenate([before[:70], after[70:]]),
            "bright": np.clip(exact + 5, 0, 255),
        }[fault].astype(np.uint8)
    return made


@pytest.mark.slow
@pytest.mark.parametrize(
    ("fault", "counted", "words"),
    [
        ("repeat", "repeats", "every second frame, from 1 on, repeats the frame before it"),
        (
            "blend",
            "blends",
            (
                "every second frame, from 1 on, is a blend of its neighbours; of 6 synthesised"
                " frames 6 are"
            ),
        ),
        ("torn", "torn", "of 6 synthesised frames 6 are torn"),
        ("bright", "off_colour", "of 6 synthesised frames 6 are off in colour or brightness"),
    ],
)
def test_runs_with_their_source_say_what_is_wrong(
    truth: Pixels, fault: str, counted: str, words: str
) -> None:
    with vs.score(planted(truth, fault), source=truth[::2]) as run:
        verdict = run.summary()["verdict"]
    assert verdict["sentence"].startswith(words)
    assert verdict[counted] == verdict["frames"] == 6


@pytest.mark.slow
def test_runs_with_nothing_but_the_video_say_it_too(truth: Pixels) -> None:
    for fault, words in (
        (
            "repeat",
            (
                "every second frame, from 1 on, repeats the frame before it: this is a clip of half"
                " the rate; "
            ),
        ),
        (
            "blend",
            "every second frame, from 1 on, is a blend of its neighbours; state --multiplier 2",
        ),
    ):
        with vs.score(planted(truth, fault)) as run:
            assert run.summary()["verdict"]["sentence"].startswith(words)
    with vs.score(truth) as run:
        assert run.summary()["verdict"]["sentence"] == "of 11 frames 11 show no clear fault"


def test_a_cut_is_not_judged(truth: Pixels) -> None:
    other = (
        np.stack(list(synth.Scene(144, 256, seed=40, objects=0, velocity=(4.0, 2.0)).frames(6)))[
            ..., ::-1
        ]
        // 3
    )
    with vs.score(np.concatenate([truth[:6], other])) as run:
        assert run.summary()["verdict"]["sentence"] == "of 8 frames 8 show no clear fault"


def test_the_screen_info_and_json_say_the_verdict_and_exits_do_not_change(
    truth: Pixels, tmp_path: Path
) -> None:
    path = synth.write_video(tmp_path / "test.mp4", iter(planted(truth, "repeat")), rate=24, crf=18)
    call = CliRunner().invoke
    out = str(tmp_path / "a.h5")
    result = call(vfiscope, ["score", str(path), "-o", out, "--fail-on", "mean(fault) > 2"])
    assert result.exit_code == 0, result.output
    line = (
        "verdict: every second frame, from 1 on, repeats the frame before it: this is a clip of"
        " half the rate"
    )
    assert line in result.stdout
    assert line in call(vfiscope, ["info", out]).output
    told = json.loads(call(vfiscope, ["info", out, "--json"]).output)["summary"]["verdict"]
    assert told["cadence"]["fault"] == "repeats"
    with h5py.File(out, "r+") as h5:  # as an earlier version would have written it
        for name in ("fault", "moving", "repeat", "late", "early", "blend", "torn", "level"):
            del h5[f"scores/{name}"]
    assert "verdict" not in call(vfiscope, ["info", out]).output


def test_runs_with_a_reference_have_no_verdict(truth: Pixels) -> None:
    with vs.score(truth, ref=truth, metrics="psnr", maps="none", fields="none") as run:
        assert run.summary()["verdict"] is None


def test_held_frames_with_a_fault_of_their_own_are_counted_once() -> None:
    kinds = ["cut", *["still", "still", "before", "after"] * 5, "cut"]
    values = columns(*kinds)
    values["level"][[1, 5]] = 10
    found = judge(table(len(kinds)), values)
    assert found is not None
    assert counts(found) == {"repeats": 13, "off_colour": 2, "clean": 5}


def test_of_every_second_frame_scored_no_rate_and_no_multiplier_follows() -> None:
    def stepped(*kinds: str) -> Judgement:
        frames = table(len(kinds))
        found = judge(dataclasses.replace(frames, index=2 * frames.index), columns(*kinds))
        assert found is not None
        return found

    repeats = stepped("cut", *["before", "after"] * 6, "cut")
    assert (
        repeats.sentence
        == "of the frames scored, every second frame, from 2 on, repeats the frame before it; of 12"
        " frames 6 repeat a neighbour and 6 show no clear fault"
    )
    assert "--multiplier" not in stepped("cut", *["blend", "broken"] * 6, "cut").sentence

"""The benchmark of faults: what its injectors do to frames, how truths move, and what matches."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

MODULES = "truth time light damage place match files variants peers"


@pytest.fixture
def faults(monkeypatch: pytest.MonkeyPatch) -> Iterator[SimpleNamespace]:
    """The modules of the benchmark by their short names."""
    monkeypatch.syspath_prepend(str(Path(__file__).resolve().parents[2] / "benchmarks"))
    names = MODULES.split()
    yield SimpleNamespace(**{name: __import__(f"faults_{name}") for name in names})
    for name in [name for name in sys.modules if name.startswith("faults_")]:
        del sys.modules[name]


def numbered(count: int = 40) -> list[np.ndarray]:
    """Even frames of 32 x 48 whose value is their number."""
    return [np.full((32, 48, 3), i, np.uint8) for i in range(count)]


def shown(frames: list[np.ndarray]) -> list[int]:
    return [int(frame[0, 0, 0]) for frame in frames]


def edited(faults: SimpleNamespace, edit: object, *truths: object) -> SimpleNamespace:
    shots = faults.truth.Shots(numbered(), 25.0, list(truths)).edited(edit)
    return SimpleNamespace(shown=shown(shots.frames), truths=shots.truths, pts=shots.pts)


RANDOM = np.random.default_rng(0)


def test_repeats_and_drops_show_the_frames_that_they_say(faults: SimpleNamespace) -> None:
    time, frames = faults.time, numbered()
    replaced = edited(faults, time.repeat(frames, 10, RANDOM))
    assert replaced.shown[8:13] == [8, 9, 9, 11, 12]
    assert [(t.kind, t.start, t.stop, t.optional) for t in replaced.truths] == [
        ("duplicate", 10, 11, False),
        ("drop", 11, 12, True),
    ]
    inserted = edited(faults, time.repeat(frames, 10, RANDOM, count=3, inserted=True))
    assert inserted.shown[8:15] == [8, 9, 9, 9, 9, 10, 11]
    assert [(t.kind, t.start, t.stop) for t in inserted.truths] == [("freeze", 10, 13)]
    dropped = edited(faults, time.drop(frames, 10, RANDOM, count=3, gap=True))
    assert dropped.shown[8:12] == [8, 9, 13, 14]
    assert dropped.pts[8:12] == [8, 9, 13, 14]
    assert [(t.kind, t.start, t.stop) for t in dropped.truths] == [("drop", 10, 11)]


def test_later_truths_move_with_their_frames(faults: SimpleNamespace) -> None:
    truth, frames = faults.truth.Truth, numbered()
    later, whole, before = truth("blur", 20, 23), truth("cadence", 0, 40), truth("cut", 9, 10)
    inserted = edited(
        faults, faults.time.repeat(frames, 10, RANDOM, count=2, inserted=True), later, whole, before
    )
    assert [(t.start, t.stop) for t in inserted.truths[:3]] == [(22, 25), (0, 42), (9, 10)]
    dropped = edited(faults, faults.time.drop(frames, 10, RANDOM, count=4), later, whole, before)
    assert [(t.start, t.stop) for t in dropped.truths[:3]] == [(16, 19), (0, 36), (9, 10)]


def test_blends_tears_and_cadences_show_the_instants_that_they_say(faults: SimpleNamespace) -> None:
    time, frames = faults.time, numbered()
    ghost = time.ghost(frames, 10, RANDOM, count=2, weights=(0.25, 0.75), lags=(-2, 2))
    assert shown(ghost.frames) == [11, 12]
    torn = time.tear(frames, 10, RANDOM, lag=2, part=0.25).frames[0]
    assert torn[:, 0, 0].tolist() == [10] * 24 + [8] * 8
    pulled = edited(faults, time.cadence(frames, 4, RANDOM, count=7, pattern=(2, 3)))
    assert pulled.shown[3:13] == [3, 4, 4, 5, 5, 5, 6, 6, 7, 8]
    assert [(t.start, t.stop) for t in pulled.truths] == [(4, 11)]
    woven = time.combed(frames, 4, RANDOM, count=5)
    assert [f[:2, 0, 0].tolist() for f in woven.frames] == [[4, 4], [5, 5], [5, 6], [6, 7], [7, 7]]
    assert (woven.first, woven.last) == (4, 8)


def test_light_and_lasting_faults(faults: SimpleNamespace) -> None:
    light, frames = faults.light, [np.full((32, 48, 3), 100, np.uint8) for _ in range(20)]
    fade = light.fade(frames, 5, RANDOM, down=4, hold=2, up=3)
    assert shown(fade.frames) == [75, 50, 25, 0, 0, 25, 50, 75]
    assert (fade.truths[0].start, fade.truths[0].stop) == (5, 13)
    flicker = light.flicker(frames, 5, RANDOM, count=3, depth=0.1)
    assert shown(flicker.frames) == [110, 90, 110]
    step = light.exposure(frames, 5, RANDOM, gains=(1.2, 1.0, 0.5))
    assert len(step.frames) == 15
    assert step.frames[0][0, 0].tolist() == [120, 100, 50]
    assert step.truths[0].lasting
    assert (step.truths[0].start, step.truths[0].stop) == (5, 6)


def test_damage_changes_the_share_that_it_says(faults: SimpleNamespace) -> None:
    noise = np.random.default_rng(1).integers(0, 256, (64, 96, 3), dtype=np.uint8)
    for how, share, blocks in (("blocks", 0.25, 6), ("slice", 0.5, 12)):
        made = faults.damage.corrupt([noise] * 3, 1, RANDOM, count=1, share=share, how=how).frames
        changed = np.abs(made[0].astype(int) - noise).max(axis=2) > 0
        per_block = changed.reshape(4, 16, 6, 16).any(axis=(1, 3))
        assert 1 <= per_block.sum() <= blocks
    bump = faults.damage.shift([noise] * 6, 2, RANDOM, px=3.0, count=2)
    assert (len(bump.frames), bump.truths[0].start, bump.truths[0].stop) == (2, 2, 4)


def test_every_variant_makes_the_kind_that_it_names(faults: SimpleNamespace) -> None:
    frames = list(np.random.default_rng(2).integers(30, 220, (60, 32, 48, 3), dtype=np.uint8))
    for half in faults.truth.HALVES:
        for variant in faults.variants.VARIANTS[half]:
            for level in range(3):
                values = variant.levels[level]
                edit = variant.make(frames, 12, np.random.default_rng(3), **values)
                named = [t for t in edit.truths if not t.optional]
                assert [t.kind for t in named] in ([variant.kind], ["freeze"]), variant
                assert named[0].start == 12
                inserted = values.get("inserted", False)
                assert edit.last >= 12 + variant.length(level) * (not inserted), variant


def test_what_can_be_seen_depends_on_what_goes_on(faults: SimpleNamespace) -> None:
    """Noise that moves by 4 px a frame up to frame 30, and then stands."""
    ground = np.random.default_rng(4).integers(0, 256, (64, 400, 3), dtype=np.uint8)
    places = [4 * min(i, 30) for i in range(60)]
    frames = [np.ascontiguousarray(ground[:, at : at + 96]) for at in places]
    sights = faults.place.Sights(faults.truth.Shots(frames, 25.0))
    variant = next(v for v in faults.variants.TUNING if v.kind == "duplicate")
    assert sights.can_be_seen(variant, 1, 15)
    assert not sights.can_be_seen(variant, 1, 45)
    assert sights.spread[45] > faults.place.LEAST_STD
    free = faults.place.free_places(sights.shots, [(30, 32)], 1)
    assert free == [12]


def test_matching_is_one_to_one_and_the_nearest_wins(faults: SimpleNamespace) -> None:
    match, truth = faults.match, faults.truth.Truth
    truths = [
        truth("cut", 10, 11),
        truth("fade", 30, 40, also=("cut",)),
        truth("shift", 50, 51, lasting=True),
        truth("drop", 60, 61, optional=True),
        truth("blur", 70, 74),
    ]
    said = [match.Said(*values) for values in SAID]
    found = match.verdict(truths, said)
    assert [(t.kind, s.start) for t, s in sorted(found.pairs, key=lambda p: p[0].start)] == [
        ("cut", 11),
        ("fade", 34),
        ("shift", 50),
    ]
    assert [(s.kind, s.start) for s in found.false] == [("cut", 8), ("cut", 14), ("blur", 76)]
    assert [(s.kind, s.start) for s in found.forgiven] == [
        ("drop", 61),
        ("static", 0),
        ("low_score", 71),
    ]
    assert [t.kind for t in found.missed] == ["blur"]


SAID = [
    ("cut", 8, 9, 0.5),
    ("cut", 11, 12, 0.95),
    ("cut", 14, 15, 0.5),
    ("cut", 34, 35, 0.85),
    ("shift", 50, 90, 0.85),
    ("drop", 61, 62, 0.35),
    ("static", 0, 90, 1.0),
    ("low_score", 71, 72, 1.0),
    ("blur", 76, 77, 0.55),
]


def test_counts_shares_and_calibration_by_hand(faults: SimpleNamespace) -> None:
    match, truth = faults.match, faults.truth.Truth
    cuts = [truth("cut", at, at + 1, "cut", "mild", visible=at < 50) for at in (10, 20, 60, 80)]
    entry = faults.files.Entry("a.mp4", "tuning", "a", "x", "mild", 100, 25.0, cuts)
    said = [match.Said("cut", at, at + 1, 0.85) for at in (10, 21, 40, 60)]
    result = match.judged([entry], {"a.mp4": said})
    tally = result.tallies("faults")["cut", "mild"]
    assert (tally.found, tally.missed, tally.false) == (2, 0, 1)
    assert (tally.found_unseen, tally.missed_unseen, tally.placed) == (1, 1, 4)
    assert (tally.precision, tally.recall, tally.f1) == (2 / 3, 1.0, 0.8)
    assert tally.f1_placed == 0.75
    assert (tally.within(0), tally.within(1)) == (4 / 6, 1.0)
    assert result.calibration() == [(0.8, 4, 3)]
    assert result.confusions() == {("cut", "nothing"): 1}


def test_what_is_written_is_read_again(faults: SimpleNamespace, tmp_path: Path) -> None:
    made = faults.truth.Truth("fade", 3, 9, "wipe", "mild", False, ("cut",), reason="so")
    entry = faults.files.Entry("a.mp4", "tuning", "a", "x", "mild", 9, 25.0, [made], pts=[0, 2])
    faults.files.save_list(tmp_path, [entry])
    assert faults.files.load_list(tmp_path) == [entry]
    values = np.zeros((32, 48, 3), np.uint8)
    other = values + np.uint8(40)
    pairs = [values, other, other, values, other]
    assert faults.files.damaged_stretches([values] * 5, pairs) == [(1, 3), (4, 5)]


LOG = """
[freezedetect @ 0x55] lavfi.freezedetect.freeze_start: 2.36
[Parsed_mpdecimate_3 @ 0x56] lo:0<158 lo:0<39 lo:0<39 drop pts:59 pts_time:2.36 drop_count:1
[Parsed_mpdecimate_3 @ 0x56] lo:0<158 lo:0<39 lo:0<39 drop pts:60 pts_time:2.4 drop_count:2
[freezedetect @ 0x55] lavfi.freezedetect.freeze_duration: 0.12
[freezedetect @ 0x55] lavfi.freezedetect.freeze_end: 2.48
[Parsed_mpdecimate_3 @ 0x56] lo:0<158 lo:0<39 lo:0<39 drop pts:82 pts_time:3.28 drop_count:1
[scdet @ 0x57] lavfi.scd.score: 38.953, lavfi.scd.time: 3.6
[blackdetect @ 0x58] black_start:0.4 black_end:0.6 black_duration:0.2
"""


def test_the_logs_of_other_tools_are_read(faults: SimpleNamespace) -> None:
    entry = faults.files.Entry("a.mp4", "tuning", "a", "x", "mild", 100, 25.0, [])
    read = {
        name: faults.peers.segments(entry, name, LOG.splitlines())
        for name in ("freezedetect", "mpdecimate", "scdet", "blackdetect")
    }
    assert read == {
        "freezedetect": [["freeze", 60, 62]],
        "mpdecimate": [["freeze", 59, 61], ["duplicate", 82, 83]],
        "scdet": [["cut", 90, 91]],
        "blackdetect": [["black", 10, 15]],
    }

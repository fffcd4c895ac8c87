"""Slips of a cadence: repeated and lost frames, and which frames are originals from there on."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from cadence import filled
from numpy.typing import NDArray

from vfiscope import open_source, synth
from vfiscope.alignment import describe_cadence, find_cadence, notes_on_cadence
from vfiscope.alignment.drawings import MAX_HELD_DIFFERENCE, find_drawings
from vfiscope.alignment.lattice import read_side
from vfiscope.errors import PairingError
from vfiscope.types import Cadence, Role

Pixels = NDArray[np.uint8]


@pytest.fixture(scope="module")
def low() -> Pixels:
    """(21, 72, 128, 3) frames of the source."""
    return np.stack(list(synth.Scene(72, 128, seed=4, velocity=(1.5, 0.5)).frames(21)))


def found(frames: Pixels, source: Pixels, multiplier: int = 2) -> Cadence:
    with (
        open_source(frames, fps=24 * multiplier) as test,
        open_source(source, fps=24) as other,
    ):
        return find_cadence(test, other)


def positions(cadence: Cadence) -> NDArray[np.float64]:
    return np.where(cadence.before >= 0, cadence.before + np.nan_to_num(cadence.phase), -1.0)


LOST_TWO = [*range(15), *range(17, 41)]
MANY_LOST = [*range(10), *range(18, 26), *range(31, 41)]
"""So many that a line through all frames fits another multiplier better."""
FROZEN = [*range(10), *[9] * 11, *range(21, 41)]
FROZEN_BETWEEN = [*range(11), *[10] * 11, *range(22, 41)]
SLIPS: dict[str, tuple[int, list[int], list[tuple[int, int]]]] = {
    "one repeated": (2, [*range(19), 18, *range(19, 41)], [(19, 1)]),
    "one lost": (2, [*range(18), *range(19, 41)], [(18, -1)]),
    "two lost": (2, LOST_TWO, [(15, -2)]),
    "two slips": (2, [*range(12), 11, *range(12, 27), *range(28, 41)], [(12, 1), (28, -1)]),
    "a freeze": (2, [*range(14), 13, 13, 13, *range(14, 41)], [(14, 3)]),
    "many lost, twice": (2, MANY_LOST, [(10, -8), (18, -5)]),
    "a long freeze near the start": (2, [*range(8), *[7] * 16, *range(8, 41)], [(8, 16)]),
    "a freeze in place of frames": (2, FROZEN, [(10, 11), (21, -11)]),
    "one between originals": (2, FROZEN_BETWEEN, [(11, 11), (22, -11)]),
    "of three": (3, [*range(31), 30, *range(31, 61)], [(31, 1)]),
}
"""{name: (multiplier, frames of the right clip that the test shows, slips)}"""


@pytest.mark.parametrize("name", SLIPS)
def test_after_a_slip_originals_are_originals_again(low: Pixels, name: str) -> None:
    multiplier, shown, slips = SLIPS[name]
    made = np.stack(filled(low, Fraction(multiplier), "blend")[0])
    cadence = found(made[shown], low, multiplier)
    np.testing.assert_allclose(positions(cadence), np.array(shown) / multiplier, atol=1e-12)
    original = np.array(shown) % multiplier == 0
    np.testing.assert_array_equal(cadence.role == Role.PASSED, original)
    assert cadence.slips == tuple(slips)
    assert cadence.share == 1.0


def test_few_originals_of_another_multiplier_do_not_hide_slips() -> None:
    """With 25 test frames to 12 of the source, all of its four originals lie between the slips and
    fit too; of the 47 of the multiplier that the rates give, all fit."""
    source = np.stack(list(synth.Scene(72, 128, seed=4, velocity=(1.5, 0.5)).frames(49)))
    shown = [*range(25), 24, 24, *range(25, 57), 56, *range(57, 78), *range(79, 97)]
    assert [shown[row] for row in (0, 25, 50, 75)] == [0, 24, 48, 72]
    made = np.stack(filled(source, Fraction(2), "blend")[0])
    cadence = found(made[shown], source)
    assert cadence.multiplier == 2
    assert cadence.slips == ((25, 2), (59, 1), (81, -1))


def test_a_slip_is_said(low: Pixels) -> None:
    made = np.stack(filled(low, Fraction(2), "blend")[0])
    assert notes_on_cadence(found(made, low)) == []
    (note,) = notes_on_cadence(found(made[SLIPS["one repeated"][1]], low))
    assert str(note) == (
        "the cadence slips: frame 19 repeats frame 18 (from there on all are 1 frame late)"
    )
    (note,) = notes_on_cadence(found(made[SLIPS["two slips"][1]], low))
    assert "a frame is missing before frame 28 (from there on all are in time again)" in str(note)


def test_changed_originals_are_said_and_no_slip(low: Pixels) -> None:
    made = np.stack(filled(low, Fraction(2), "blend")[0])
    made[[10, 24]] = made[[11, 25]]
    cadence = found(made, low)
    assert cadence.slips == ()
    assert cadence.unlike == (10, 24)
    assert cadence.share == 19 / 21
    (note,) = notes_on_cadence(cadence)
    assert str(note).startswith("2 of 21 passed frames are unlike their source frames, the first")
    assert "90% alike" in describe_cadence(cadence)


@pytest.mark.parametrize("hold", [2, 3])
def test_a_clip_of_drawings_without_their_repeats(low: Pixels, hold: int) -> None:
    source, multiplier = np.repeat(low[:14], hold, axis=0), 2 * hold
    made, steps = filled(low[:14], Fraction(multiplier), "blend")
    cadence = found(np.stack(made), source)
    assert (cadence.multiplier, cadence.start) == (multiplier, 0)
    assert (cadence.drawings, cadence.held_for, cadence.share) == (14, hold, 1.0)
    drawing, part = steps // multiplier, steps % multiplier
    first, last = drawing * hold, drawing * hold + hold - 1
    np.testing.assert_array_equal(cadence.before, np.where(part == 0, first, last))
    np.testing.assert_allclose(cadence.phase, part / multiplier, atol=1e-12)
    assert f"{multiplier} test frames to a drawing (the source holds 14" in describe_cadence(
        cadence
    )


@pytest.mark.parametrize("hold", [2, 3])
def test_frames_between_equal_drawings_are_held(low: Pixels, hold: int) -> None:
    source = np.repeat(low[:12], hold, axis=0)
    made, steps = filled(source, Fraction(2), "blend")
    cadence = found(np.stack(made), source)
    assert (cadence.multiplier, cadence.drawings, cadence.share) == (2, 0, 1.0)
    held = (steps % 2 == 1) & (steps // 2 % hold < hold - 1)
    np.testing.assert_array_equal(cadence.role == Role.HELD, held)
    np.testing.assert_array_equal(cadence.role == Role.PASSED, steps % 2 == 0)


def test_a_still_shot_and_a_moving_one_hold_no_drawings(low: Pixels) -> None:
    for source in (low, np.concatenate([low[:8], np.repeat(low[8:9], 12, axis=0)])):
        with open_source(source) as frames:
            assert find_drawings(read_side(frames)) is None


@pytest.mark.parametrize("hold", [2, 3])
def test_compression_of_repeats_makes_no_drawings(low: Pixels, tmp_path: Path, hold: int) -> None:
    """A codec copies some repeats exactly and refines others, by several code values in a cell."""
    twos = np.repeat(low[:15], hold, axis=0)
    path = synth.write_video(tmp_path / "held.mp4", iter(twos), rate=24, crf=20)
    with open_source(str(path)) as frames:
        side = read_side(frames)
    change = np.abs(np.diff(side.signatures, axis=0)).max(axis=1)
    inside = np.arange(1, len(twos)) % hold > 0
    assert change[inside].min() == 0
    assert change[inside].max() > MAX_HELD_DIFFERENCE
    drawings = find_drawings(side)
    assert drawings is not None
    np.testing.assert_array_equal(drawings.first, np.arange(15) * hold)
    with open_source(str(path)) as source:
        made = np.stack(filled(low[:15], Fraction(2 * hold), "blend")[0])
        with open_source(made, fps=24 * hold) as test:
            cadence = find_cadence(test, source)
    assert (cadence.drawings, cadence.multiplier, cadence.start) == (15, 2 * hold, 0)
    assert (cadence.share, int((cadence.role == Role.PASSED).sum())) == (1.0, 15)


def test_uneven_movement_holds_no_drawings() -> None:
    """A step is compared with those on both sides: a cut makes no drawings of slow frames, nor do
    frames that move at a third of their neighbours' pace, or at any pace (a shaken camera)."""
    scene = synth.Scene(72, 128, seed=4, velocity=(3.0, 0.0), objects=0)
    shaken = np.cumsum(np.random.default_rng(4).normal(0, 1, 30))
    slow = [scene.frame(t) for t in np.arange(24) * 0.05]
    other = [synth.Scene(72, 128, seed=7).frame(0.05 * t) for t in range(24)]
    cuts = [(slow, other)[t // 6 % 2][t] for t in range(24)]
    uneven = [scene.frame(t) for t in np.cumsum(np.tile([0.15, 0.05], 12))]
    for shown in (cuts, uneven, [scene.frame(t) for t in shaken]):
        with open_source(np.stack(shown)) as frames:
            assert find_drawings(read_side(frames)) is None


def test_times_in_milliseconds(low: Pixels, tmp_path: Path) -> None:
    """42 and 125 ms are 24 and 8 frames per second, and not a ratio of 71/24."""
    made = filled(low[:6], Fraction(3), "blend")[0]
    paths = [
        synth.write_video(tmp_path / f"{rate}.mkv", iter(frames), rate=rate)
        for frames, rate in ((made, 24), (low[:6], 8))
    ]
    with open_source(str(paths[0])) as test, open_source(str(paths[1])) as source:
        cadence = find_cadence(test, source)
    assert (cadence.multiplier, cadence.share) == (3, 1.0)


def test_slip_after_slip_is_no_cadence(low: Pixels) -> None:
    made = np.stack(filled(low, Fraction(2), "blend")[0])
    order = np.random.default_rng(1).permutation(41)
    with pytest.raises(PairingError, match="no steady cadence"):
        found(made[order], low)

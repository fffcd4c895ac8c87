"""Cadence: multiplier and phase of interpolated clips, whatever fills the gaps."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from cadence import FILLS, filled
from numpy.typing import NDArray

from vfiscope import open_source, synth
from vfiscope.alignment import find_cadence
from vfiscope.errors import PairingError
from vfiscope.types import Cadence, Role

Pixels = NDArray[np.uint8]


@pytest.fixture(scope="module")
def low() -> Pixels:
    """(21, 144, 256, 3) frames of the source."""
    return np.stack(list(synth.Scene(144, 256, seed=4, velocity=(2.5, 0.5)).frames(21)))


def found(
    frames: list[Pixels] | Pixels, source: Pixels, folder: Path, rate: Fraction, **options: Fraction
) -> Cadence:
    path = synth.write_video(folder / "test.mp4", iter(frames), rate=rate, crf=23)
    with open_source(str(path)) as test, open_source(source, fps=24) as other:
        return find_cadence(test, other, **options)


def positions(cadence: Cadence) -> NDArray[np.float64]:
    return np.where(cadence.before >= 0, cadence.before + np.nan_to_num(cadence.phase), -1.0)


@pytest.mark.slow
@pytest.mark.parametrize("told", [True, False], ids=["times right", "times wrong"])
@pytest.mark.parametrize("fill", FILLS)
@pytest.mark.parametrize(
    "multiplier", [Fraction(2), Fraction(3), Fraction(4), Fraction(8), Fraction(5, 2)], ids=str
)
def test_every_frame_has_its_place(
    low: Pixels, tmp_path: Path, multiplier: Fraction, fill: str, told: bool
) -> None:
    made, steps = filled(low, multiplier, fill)
    cadence = found(made, low, tmp_path, 24 * multiplier if told else Fraction(24))
    assert cadence.multiplier == multiplier
    np.testing.assert_allclose(positions(cadence), steps / multiplier.numerator, atol=1e-12)
    assert np.array_equal(cadence.role == Role.PASSED, steps % multiplier.numerator == 0)
    assert cadence.share == 1.0


def test_parts_in_another_order_are_refused(low: Pixels, tmp_path: Path) -> None:
    """The first part alone fits, and leads the second one out of the source."""
    made, _ = filled(low, Fraction(2), "blend")
    said = r"not in the order of the source: frame \d+ shows source frame \d, and \d+ of the"
    with pytest.raises(PairingError, match=said):
        found([*made[20:], *made[:20]], low, tmp_path, Fraction(48))


def test_a_clip_that_begins_and_ends_elsewhere(low: Pixels, tmp_path: Path) -> None:
    made, steps = filled(low, Fraction(4), "blend")
    cadence = found(made[5:60], low[3:12], tmp_path, Fraction(96))
    assert cadence.start == Fraction(5, 4) - 3
    place = steps[5:60] / 4 - 3
    np.testing.assert_allclose(
        positions(cadence), np.where((place >= 0) & (place <= 8), place, -1.0), atol=1e-12
    )
    assert (cadence.role[positions(cadence) < 0] == Role.UNKNOWN).all()


def test_where_nothing_moves_the_times_decide(tmp_path: Path) -> None:
    still = np.stack([synth.Scene(72, 128, seed=1).frame(0)] * 12)
    cadence = found(np.repeat(still, 2, axis=0), still, tmp_path, Fraction(48))
    assert cadence.multiplier == 2
    assert positions(cadence)[:4].tolist() == [0.0, 0.5, 1.0, 1.5]


def test_a_multiplier_that_is_asked_for(low: Pixels, tmp_path: Path) -> None:
    made, _ = filled(low, Fraction(4), "repeat")
    assert found(made, low, tmp_path, Fraction(24), multiplier=Fraction(4)).multiplier == 4
    remedy = "check --source, or leave out --multiplier 3, and it is looked for"
    with pytest.raises(PairingError, match=f"no steady cadence.*: {remedy}$"):
        found(made, low, tmp_path, Fraction(96), multiplier=Fraction(3))


def test_another_film_has_no_cadence(low: Pixels, tmp_path: Path) -> None:
    other = np.stack(list(synth.Scene(144, 256, seed=9).frames(40)))
    with pytest.raises(
        PairingError, match="none of 40 test frames resembles any of 21 source frames"
    ):
        found(other, low, tmp_path, Fraction(48))


def test_a_source_of_one_frame(low: Pixels, tmp_path: Path) -> None:
    with pytest.raises(PairingError, match="one frame, and interpolation needs two"):
        found(low, low[:1], tmp_path, Fraction(48))

"""Where in the frame most of what is wrong lies."""

from __future__ import annotations

import numpy as np
import pytest
from helpers.media import noise

import vfiscope as vs
from vfiscope.errors import UsageError
from vfiscope.signals import SignalFrame
from vfiscope.signals.signal import Partner
from vfiscope.signals.worst_part import WORST_PART, worst_part
from vfiscope.types import Float32

NAMES = [signal.spec.name for signal in WORST_PART]
CLEAN = noise(1, 96, 160, seed=5)[0] // 2 + 60


def against(test: np.ndarray, ref: np.ndarray = CLEAN, bits: int = 8) -> SignalFrame:
    return SignalFrame(test, bits, partner=Partner(ref, bits))


def spoiled(*boxes: tuple[int, int, int, int, int], frame: np.ndarray = CLEAN) -> np.ndarray:
    """A copy that is so many code values brighter in boxes (x, y, w, h, by)."""
    made = frame.copy()
    for x, y, w, h, by in boxes:
        made[y : y + h, x : x + w] += np.uint8(by)
    return made


def cells(*marked: tuple[int, int, float]) -> Float32:
    plane = np.zeros((6, 10), np.float32)
    for row, column, share in marked:
        plane[row, column] = share
    return plane


def test_the_box_is_that_of_the_blocks_that_differ() -> None:
    frame = against(spoiled((32, 16, 48, 32, 40)))
    assert worst_part(frame) == (32, 16, 48, 32)
    assert [signal.compute(frame) for signal in WORST_PART] == [32, 16, 80, 48]
    mixed = SignalFrame(frame.pixels, 8, partner=Partner(CLEAN.astype(np.uint16) * 257, 16))
    assert worst_part(mixed) == (32, 16, 48, 32)
    deep = [each.astype(np.uint16) * 257 for each in (spoiled((32, 16, 48, 32, 40)), CLEAN)]
    assert worst_part(against(*deep, bits=16)) == (32, 16, 48, 32)


def test_of_two_patches_the_one_with_more_counts_and_of_many_all() -> None:
    large, small = (0, 0, 64, 32, 40), (128, 64, 16, 16, 40)
    assert worst_part(against(spoiled(large, small))) == (0, 0, 64, 32)
    corners = [(x, y, 16, 16, 40) for x in (16, 128) for y in (0, 64)]
    assert worst_part(against(spoiled(*corners))) == (16, 0, 128, 80)


def test_what_is_wrong_everywhere_is_the_whole_frame_and_noise_is_nowhere() -> None:
    assert worst_part(against(CLEAN + np.uint8(10))) == (0, 0, 160, 96)
    assert worst_part(against(spoiled((32, 16, 48, 32, 2)))) is None
    assert worst_part(against(CLEAN)) is None
    assert np.isnan([signal.compute(against(CLEAN)) for signal in WORST_PART]).all()


def test_the_last_block_reaches_to_the_border() -> None:
    clean = CLEAN[:90, :150]
    frame = against(spoiled((128, 64, 22, 26, 40), frame=clean), clean)
    assert worst_part(frame) == (128, 64, 22, 26)
    wide = np.repeat(np.repeat(CLEAN, 6, axis=0), 6, axis=1)  # 960 px: every second pixel
    assert worst_part(against(spoiled((320, 64, 64, 32, 40), frame=wide), wide)) == (
        *(320, 64),
        *(64, 32),
    )


def test_maps_of_faults_come_before_pixels() -> None:
    faults = cells((1, 2, 0.9), (1, 3, 0.5), (4, 9, 0.1))
    frame = SignalFrame(CLEAN, 8, faults=faults, partner=Partner(CLEAN, 8))
    assert worst_part(frame) == (32, 16, 32, 16)
    unknown = SignalFrame(CLEAN, 8, faults=np.full((6, 10), np.nan, np.float32))
    assert worst_part(unknown) is None
    assert worst_part(SignalFrame(CLEAN, 8, faults=cells((1, 2, 0.1)))) is None


def test_a_registered_frame_has_no_place_of_its_own() -> None:
    test = spoiled((32, 16, 48, 32, 40))
    frame = SignalFrame(test, 8, matrix=np.eye(3), partner=Partner(CLEAN, 8))
    assert worst_part(frame) is None
    assert worst_part(SignalFrame(test, 8)) is None


def test_runs_store_it_where_there_is_a_reference() -> None:
    ref = noise(4, 48, 80, seed=1) // 2 + 60
    test = ref.copy()
    test[2, 16:32, 48:80] += 50
    with vs.score(test, ref=ref, metrics=["psnr"], signals=NAMES) as run:
        stored = np.array([run.signals[name] for name in NAMES])
        np.testing.assert_array_equal(stored[:, 2], [48, 16, 80, 32])
        assert np.isnan(stored[:, [0, 1, 3]]).all()
    with pytest.raises(UsageError, match="worst_left is about what differs from a reference"):
        vs.scan(ref, metrics=["absdiff"], signals=["worst_left"])

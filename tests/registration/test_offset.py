"""A test that lies off its reference by the same few pixels, and what must not be taken for it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from helpers.media import Array, noise, write_video

import vfiscope as vs
from vfiscope import synth
from vfiscope.inspection.doctor import diagnose
from vfiscope.pixels import luma_plane
from vfiscope.registration.constant_offset import constant_offset
from vfiscope.registration.offset import _corners, _rough_luma, correlation, frame_offset
from vfiscope.types import Code

H, W, N = 96, 144, 22
REF = np.stack(list(synth.Scene(H, W, seed=8, objects=2, velocity=(0.7, -0.4)).frames(N)))
LEAN: dict[str, Any] = {"metrics": "psnr", "maps": "none", "fields": "none"}


def moved(frame: Array, dx: float, dy: float) -> Array:
    matrix = np.array([[1, 0, dx], [0, 1, dy]], np.float32)
    size, mode = (frame.shape[1], frame.shape[0]), cv2.BORDER_REFLECT
    return cv2.warpAffine(frame, matrix, size, flags=cv2.INTER_CUBIC, borderMode=mode)


def all_moved(dx: float, dy: float) -> Array:
    return np.stack([moved(frame, dx, dy) for frame in REF])


def offsets(run: vs.Run) -> list[tuple[float, float]]:
    return [
        (note.values["dx"], note.values["dy"])
        for note in run.coded_warnings
        if note.code == Code.OFFSET
    ]


@pytest.mark.parametrize(("dx", "dy"), [(3, 2), (0.5, -0.25), (-9, 4.5), (0, 0)])
@pytest.mark.parametrize(("gain", "add"), [(1.0, 0), (0.6, 30)])
def test_the_offset_of_a_frame(dx: float, dy: float, gain: float, add: int) -> None:
    test = (moved(REF[0], dx, dy) * gain + add).astype(np.uint8)
    assert frame_offset(test, REF[0], 8, 8) == pytest.approx((-dx, -dy), abs=0.15)
    deep = test.astype(np.uint16) * 257
    assert frame_offset(deep, REF[0], 16, 8) == pytest.approx((-dx, -dy), abs=0.15)


def test_a_frame_on_itself_has_no_offset() -> None:
    assert frame_offset(REF[0], REF[0], 8, 8) == (0, 0)


def test_all_tiles_are_looked_at_where_half_of_them_are_flat() -> None:
    ref = next(iter(synth.Scene(400, 400, seed=3, objects=2).frames(1)))
    test = moved(ref, 3, -1)
    for top, left, side in list(_corners(400, 400))[:8]:
        test[top : top + side, left : left + side] = 90
    assert frame_offset(test, ref, 8, 8) == pytest.approx((-3, 1), abs=0.15)


def test_correlation_is_that_of_numpy() -> None:
    own = luma_plane(noise(2, 24, 31)[0], 8)
    other = own * 0.4 + luma_plane(noise(3, 24, 31)[0], 8)
    expected = np.corrcoef(own.ravel(), other.ravel())[0, 1]
    assert correlation(own, other) == pytest.approx(expected, abs=1e-5)


def test_rough_luma_is_that_of_opencv() -> None:
    frame = noise(1, 301, 517)[0]
    expected = cv2.resize(luma_plane(frame, 8), (256, 149), interpolation=cv2.INTER_AREA)
    np.testing.assert_allclose(_rough_luma(frame, 8), expected, atol=1e-3)


def test_rough_luma_of_a_long_strip_has_room_for_its_sums() -> None:
    frame = np.full((300, 51_300, 3), 255, np.uint8)  # 1 row of areas
    np.testing.assert_allclose(_rough_luma(frame, 8), np.full((1, 256), 255.0), atol=1e-3)


def test_what_has_no_texture_has_no_offset() -> None:
    flat = np.full((H, W, 3), 90, np.uint8)
    assert np.isnan(frame_offset(flat, flat, 8, 8)).all()
    assert np.isnan(frame_offset(REF[0, :40, :40], REF[0, :40, :40], 8, 8)).all()


@pytest.mark.parametrize(
    ("x", "y", "found"),
    [
        ([-3.0, -3.0, -3.1, 0.0, -3.0], [-2.0] * 5, (3.0, 2.0, 0.8, "ecc")),
        ([40.0] * 3, [0.0] * 3, (-40.0, 0.0, 1.0, "sift")),
        ([np.nan, 1.0, 1.0], [np.nan, 1.0, 1.0], None),
        ([0.2] * 9, [0.0] * 9, None),
        ([0.0, 3.0] * 4, [0.0] * 8, None),
        (list(np.linspace(0, 3, 9)), [0.0] * 9, None),
    ],
    ids=["most agree", "far off", "too few", "too little", "every other frame", "drifts"],
)
def test_a_constant_offset(x: list[float], y: list[float], found: Any) -> None:
    told = constant_offset(np.array(x), np.array(y), (H, W))
    assert (None if told is None else tuple(told)) == found


@pytest.mark.parametrize(("dx", "dy"), [(3, 2), (0.5, 0)])
def test_an_offset_is_told_and_registered(dx: float, dy: float) -> None:
    run = vs.score(all_moved(dx, dy), ref=REF, **LEAN)
    assert offsets(run) == [pytest.approx((dx, dy), abs=0.12)]
    assert "pass --register ecc" in run.warnings[0]
    better = vs.score(all_moved(dx, dy), ref=REF, register="ecc", **LEAN)
    assert offsets(better) == []
    assert better.scores["psnr"].mean() > run.scores["psnr"].mean() + 6


def test_an_offset_of_a_resized_test() -> None:
    small = np.stack(
        [cv2.resize(f, (W // 2, H // 2), interpolation=cv2.INTER_AREA) for f in all_moved(4, 0)]
    )
    run = vs.score(small, ref=REF, resize="bicubic", **LEAN)
    assert offsets(run) == [pytest.approx((4, 0), abs=0.2)]


def test_a_camera_or_a_scene_that_moves_is_not_an_offset() -> None:
    wandering = np.stack([moved(frame, 0.3 * t, 0) for t, frame in enumerate(REF)])
    noisy = np.clip(REF.astype(int) + np.random.default_rng(0).integers(-9, 10, REF.shape), 0, 255)
    for test in (wandering, noisy.astype(np.uint8), np.repeat(REF[::2], 2, 0)):
        assert offsets(vs.score(test, ref=REF, **LEAN)) == []


def test_a_frame_too_late_is_told_as_time() -> None:
    pan = np.stack(list(synth.Scene(H, W, seed=9, objects=0, velocity=(5, 0)).frames(N + 1)))
    run = vs.score(pan[1:], ref=pan[:-1], **LEAN)
    assert [note.code for note in run.coded_warnings] == [Code.SHIFT_FITS_BETTER]


def test_an_offset_along_a_pan_is_told_as_either_unless_registered() -> None:
    pan = list(synth.Scene(H, W + 3, seed=9, objects=0, velocity=(2, 0)).frames(N))
    test, ref = (np.stack([frame[:, at : at + W] for frame in pan]) for at in (0, 3))
    (told,) = vs.score(test, ref=ref, **LEAN).coded_warnings
    assert told.code == Code.SHIFT_FITS_BETTER
    assert abs(told.values["dx"]) == pytest.approx(3, abs=0.2)
    assert "--register ecc" in str(told)
    assert vs.score(test, ref=ref, register="ecc", **LEAN).coded_warnings == []


def test_the_doctor_tells_an_offset(tmp_path: Path) -> None:
    test = write_video(tmp_path / "test.mkv", all_moved(-2, 1.5))
    ref = write_video(tmp_path / "ref.mkv", REF)
    (found,) = [each for each in diagnose(str(test), str(ref)).findings if each.what == "offset"]
    assert (found.note.values["dx"], found.note.values["dy"]) == pytest.approx((-2, 1.5), abs=0.12)
    assert "--register ecc" in found.remedy
    same = diagnose(str(ref), str(ref)).findings
    assert "offset" not in {each.what for each in same}

"""The steps of ``auto``, each on scenes whose result can be computed by hand."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
from helpers.media import noise
from numpy.typing import NDArray

from vfiscope.regions import FramePair
from vfiscope.regions.difference.colour_planes import colour_planes
from vfiscope.regions.difference.light_fit_of_pair import (
    fit_light,
    flat_pixels,
    local_range,
    relit,
)
from vfiscope.regions.difference.local_shift import shift_field, shifted
from vfiscope.regions.difference.noise_level import noise_level
from vfiscope.regions.difference.shading import fit_shading, shaded
from vfiscope.regions.difference.tolerant import decidable, tolerant_codes, tolerant_difference
from vfiscope.regions.propose.grown import grown, with_context
from vfiscope.regions.steps import Cut, Difference, Light
from vfiscope.types import Box, Registration, Verdict

Pixels = NDArray[np.uint8]
HOW = {"gap": 3, "min_seeds": 12, "margin": 0.0, "min_side": 0.0}


def plane(height: int = 96, width: int = 128) -> Pixels:
    """A smooth random plane, 30..220."""
    rough = cv2.GaussianBlur(noise(1, height, width)[0, ..., 0].astype(np.float32), (0, 0), 3)
    scaled = np.interp(rough, (rough.min(), rough.max()), (30, 220))
    return np.rint(scaled).astype(np.uint8)


def rgb(grey: Pixels) -> Pixels:
    return np.repeat(grey[..., None], 3, axis=2)


def everywhere(like: Pixels) -> NDArray[np.bool_]:
    return np.ones(like.shape[:2], bool)


def test_grey_frames_have_one_plane_and_coloured_ones_three() -> None:
    grey = rgb(plane())
    tinted = grey.copy()
    tinted[5, 7, 2] ^= 1
    assert len(colour_planes(FramePair(grey, grey))) == 1
    assert len(colour_planes(FramePair(tinted, grey))) == 3


def test_the_local_range_is_that_of_the_disc() -> None:
    codes = np.full((9, 9), 50, np.uint8)
    codes[4, 4] = 90
    spread = local_range(codes, 2)
    assert (spread > 0).sum() == 17
    assert spread.max() == 40


@pytest.mark.parametrize(("gain", "offset"), [(1.0, 0.0), (0.9, 8.0), (1.0, -12.0), (0.7, 30.0)])
def test_the_light_is_recovered_beside_a_change(gain: float, offset: float) -> None:
    ref = plane()
    test = np.rint(ref * gain + offset).astype(np.uint8)
    test[:30, :40] = 200
    light = fit_light(test, ref, everywhere(ref))
    assert light.gain == pytest.approx(gain, abs=0.01)
    assert light.offset == pytest.approx(offset, abs=1)
    assert np.abs(relit(ref, light)[40:].astype(int) - test[40:]).max() <= 2


def test_the_light_of_black_and_white_is_recovered() -> None:
    ref = np.zeros((60, 60), np.uint8)
    ref[:, 20:] = 255
    test = np.rint(ref * 0.9 + 8).astype(np.uint8)
    light = fit_light(test, ref, flat_pixels(test, ref))
    assert (relit(ref, light) == test).all()


def test_no_pixels_have_no_change_of_light() -> None:
    ref = plane()
    assert fit_light(ref // 2, ref, ~everywhere(ref)) == Light()


def test_a_gain_is_limited() -> None:
    ref = np.tile(np.arange(10, 90, dtype=np.uint8), (40, 1))
    light = fit_light(np.asarray(ref // 5, np.uint8), ref, everywhere(ref))
    assert light.gain >= 0.5


def test_uneven_light_is_recovered_beside_a_change() -> None:
    ref = plane()
    across = np.linspace(-1, 1, 128)
    test = np.rint(np.minimum(ref, 200) * (1 + 0.2 * across)).astype(np.uint8)
    ref = np.minimum(ref, 200)
    test[:30, :30] = 250
    found = fit_shading(test, ref, everywhere(ref))
    assert found == pytest.approx([0, 0.2, 0, 0, 0, 0], abs=0.01)
    assert np.abs(shaded(ref, found)[40:].astype(int) - test[40:]).max() <= 2


def test_light_that_is_even_and_changes_of_a_part_are_no_shading() -> None:
    ref = plane()
    test = ref.copy()
    test[20:60, 20:60] += 30
    assert not fit_shading(test, ref, everywhere(ref)).any()
    assert not fit_shading(test, ref, ~everywhere(ref)).any()


def test_shading_of_colour_is_about_grey() -> None:
    colour = np.full((60, 60), 168, np.uint8)
    gain = np.array([0.5, 0, 0, 0, 0, 0])
    assert (shaded(colour, gain, origin=128) == 188).all()
    assert (shaded(np.full_like(colour, 128), gain, origin=128) == 128).all()


def test_shifts_of_parts_are_recovered() -> None:
    wide = plane(128, 268)
    ref = wide[:, 6:262]
    test = ref.copy()
    test[:, :128] = wide[:, 2:130]
    test[:, 128:] = wide[:, 137:265]
    dx, dy = shift_field(test, ref)
    assert np.abs(dx[24:-24, 24:72] + 4).max() < 0.3
    assert np.abs(dx[24:-24, 184:-24] - 3).max() < 0.3
    assert np.abs(dy[24:-24, 24:72]).max() < 0.3
    assert (
        np.abs(
            shifted(ref, np.stack([dx, dy]))[24:-24, 24:72] - test[24:-24, 24:72].astype(int)
        ).mean()
        < 2
    )


def test_flat_and_changed_parts_do_not_move() -> None:
    ref = np.full((96, 96), 100, np.uint8)
    test = ref.copy()
    test[30:60, 30:60] = 180
    assert np.abs(shift_field(test, ref)).max() < 0.2


def test_a_thin_line_that_vanished_is_seen_and_one_that_moved_is_not() -> None:
    ref = np.full((40, 40), 100, np.uint8)
    ref[:, 20] = 180
    gone, moved = np.full_like(ref, 100), np.roll(ref, 2, 1)
    assert (tolerant_codes(gone, ref, 2) == np.where(ref == 180, 80, 0)).all()
    assert (tolerant_codes(ref, gone, 2) == np.where(ref == 180, 80, 0)).all()
    assert not tolerant_codes(moved, ref, 2).any()
    assert tolerant_codes(np.roll(ref, 3, 1), ref, 2).max() == 80


def flow_of(dx: float, size: tuple[int, int] = (20, 30)) -> NDArray[np.float32]:
    field = np.zeros((2, *size), np.float32)
    field[0] = dx
    return field


def test_what_the_reference_does_not_show_is_not_decided() -> None:
    frame = np.zeros((20, 30, 3), np.uint8)
    pair = FramePair(frame, frame)
    assert decidable(pair, flow_of(0), band=3).all()
    assert decidable(pair, flow_of(0.1), band=3).all()
    half = decidable(pair, flow_of(0.5), band=3)
    assert half[2:-2, 2:26].all()
    assert half.sum() == 16 * 24
    far = decidable(pair, flow_of(4), band=3)
    assert far[3:-3, 3:23].all()
    assert far.sum() == 14 * 20


def test_pixels_that_registration_left_empty_are_not_decided() -> None:
    frame = np.zeros((20, 30, 3), np.uint8)
    seen = np.ones((20, 30), bool)
    seen[:, :5] = False
    masked = decidable(FramePair(frame, frame, seen), flow_of(0), band=3)
    assert masked[:, 8:].all()
    assert not masked[:, :8].any()
    moved = Registration(
        np.array([[1, 0, 0.4], [0, 1, 0], [0, 0, 1]]),
        "sift",
        "homography",
        Verdict.ACCEPTED,
        "",
        20,
        1.0,
        0.1,
        1.0,
    )
    border = decidable(FramePair(frame, frame, None, moved), flow_of(0), band=3)
    assert border[3:-3, 3:-3].all()
    assert border.sum() == 14 * 24
    still = replace(moved, matrix=np.eye(3))
    assert decidable(FramePair(frame, frame, None, still), flow_of(0), band=3).all()


def test_the_noise_is_the_quantile_of_nearly_flat_parts_and_capped() -> None:
    spread = np.full((100, 100), 6, np.uint8)
    valid = everywhere(spread)
    raw = np.tile(np.arange(10, dtype=np.uint8), (100, 10))
    raw = raw[:, np.arange(100) // 2 % 10]
    assert noise_level(raw, spread, valid) == pytest.approx(7.5)
    assert noise_level(raw * 9, spread, valid) == 8
    assert noise_level(raw * 0, spread, valid) == pytest.approx(0.3)
    assert noise_level(raw, spread, ~valid) == 0
    spread[:] = 200
    assert noise_level(raw, spread, valid) == pytest.approx(7.5)


def test_changes_in_nearly_flat_parts_are_not_noise() -> None:
    spread = np.full((100, 100), 6, np.uint8)
    raw = np.zeros((100, 100), np.uint8)
    raw[:30] = 60
    assert noise_level(raw, spread, everywhere(raw)) < 1.2


def test_the_ratio_is_the_difference_over_its_threshold() -> None:
    ref = np.full((64, 64, 3), 100, np.uint8)
    test = ref.copy()
    test[20:44, 20:44] = 149
    found = tolerant_difference(FramePair(test, ref))
    assert found.unit == "ratio"
    assert found.values[32, 32] == pytest.approx(49 / 14, rel=0.15)
    assert found.values[5, 5] == 0
    assert found.light == Light()
    strict = tolerant_difference(FramePair(test, ref), scale=2.0)
    assert strict.values[32, 32] == pytest.approx(found.values[32, 32] / 2)


def cut_of(*boxes: tuple[slice, slice]) -> tuple[Difference, Cut]:
    values = np.zeros((60, 80), np.float32)
    for box in boxes:
        values[box] = 2
    return Difference(values, "ratio", values >= 0, reach=3), Cut(1.0, values > 1)


def test_regions_grow_into_the_rim_near_them() -> None:
    difference, cut = cut_of(np.s_[20:30, 20:30])
    rim = np.zeros((60, 80), bool)
    rim[24, 10:40] = True
    (one,) = grown(replace(difference, rim=rim), cut, **HOW)
    assert one.box == Box(17, 20, 16, 10)
    assert one.mask is not None
    assert one.mask.sum() == 100 + 6


def test_parts_are_joined_over_gaps_of_three_pixels_and_not_of_four() -> None:
    near = grown(*cut_of(np.s_[10:20, 10:20], np.s_[10:20, 23:33]), **HOW)
    apart = grown(*cut_of(np.s_[10:20, 10:20], np.s_[10:20, 24:34]), **HOW)
    assert [one.box for one in near] == [Box(10, 10, 23, 10)]
    assert len(apart) == 2


def test_large_parts_are_one_region_over_a_bridge_and_small_ones_are_none() -> None:
    difference, cut = cut_of(np.s_[10:20, 10:20], np.s_[10:20, 60:70], np.s_[14:15, 40:44])
    bridge = np.zeros(cut.mask.shape, bool)
    bridge[12:16, 15:65] = True
    before = cut.mask.copy()
    (one,) = grown(replace(difference, bridge=bridge), cut, **HOW)
    assert one.box == Box(10, 10, 60, 10)
    assert one.mask is not None
    assert np.count_nonzero(one.mask) == 200
    assert (cut.mask == before).all()


def test_specks_are_left_out_and_the_largest_change_comes_first() -> None:
    found = grown(*cut_of(np.s_[0:3, 0:4], np.s_[20:31, 20:21], np.s_[40:50, 60:80]), **HOW)
    assert [one.box for one in found] == [Box(60, 40, 20, 10), Box(0, 0, 4, 3)]


def test_the_box_with_context_has_a_margin_and_a_least_side_inside_the_frame() -> None:
    assert with_context(Box(30, 30, 20, 4), (100, 100), 2, 12) == Box(28, 26, 24, 12)
    assert with_context(Box(0, 95, 4, 5), (100, 100), 2, 12) == Box(0, 92, 8, 8)

"""Detectors of a time-lapse, on columns whose answers are known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from helpers.results import make_scores

from vfiscope.segments.detector import Columns
from vfiscope.segments.detectors import bump, growth, jump, misfit, photo_gap, photo_light
from vfiscope.segments.photo_change import Changes
from vfiscope.segments.photo_curves import PhotoCurves, smooth

HOUR, DAY = 3600.0, 86400.0
COUNT = 48
SECONDS = np.array([DAY * (k // 6) + 2 * HOUR * (k % 6) for k in range(COUNT)])


def columns(**signals: np.ndarray) -> Columns:
    """Photos of a camera at rest in steady light, but for what is passed."""
    rows = np.arange(COUNT)
    usual = {
        "photo_back": np.where(rows > 0, 1.0, np.nan),
        "exposure_back": np.where(rows > 0, np.minimum(rows, 6.0), np.nan),
        "luma_mean": np.full(COUNT, 120.0),
        "luma_std": np.full(COUNT, 40.0),
        "sharpness": np.full(COUNT, 8.0),
        "bump_points": np.full(COUNT, 0.8),
        "bump_scale": np.ones(COUNT),
        "green_share": np.full(COUNT, 0.05),
        "changed_step": np.where(rows % 6 > 0, 0.02, 0.08) + 0.004 * (rows % 2),
        "green_x": np.full(COUNT, 100.0),
        "green_y": np.full(COUNT, 60.0),
    }
    for name in ("bump_x", "bump_y", "bump_rotation"):
        usual[name] = np.zeros(COUNT)
    for colour in ("red", "green", "blue"):
        usual[f"exposure_{colour}"] = np.zeros(COUNT)
    frames = replace(make_scores(COUNT).frames, time_s=SECONDS)
    return Columns(frames, {}, {}, {**usual, **signals})


def stepped(light: np.ndarray) -> np.ndarray:
    """What the signal of an exposure is for a curve of ln of light."""
    back = np.minimum(np.arange(COUNT), 6)
    return light - light[np.arange(COUNT) - back]


def test_a_steady_time_lapse_has_gaps_only() -> None:
    steady = columns()
    for module in (misfit, bump, photo_light, growth, jump):
        assert module.detect(steady) == []
    gaps = photo_gap.detect(steady)
    assert [gap.start for gap in gaps] == [6, 12, 18, 24, 30, 36, 42]
    assert {gap.kind for gap in gaps} == {"gap"}
    assert gaps[0].peak == 14 * HOUR
    assert gaps[0].evidence == "14 h pass before frame 6, where 2 h are usual"


def test_photos_that_are_stepped_over_do_not_belong() -> None:
    back = np.where(np.arange(COUNT) > 0, 1.0, np.nan)
    back[20], back[21], back[22] = np.nan, 1, 3
    (found,) = misfit.detect(columns(photo_back=back))
    assert (found.start, found.stop, found.kind) == (20, 22, "change")
    assert found.evidence == (
        "frames 20 to 21 are like none of the photos before, but frame 22 is like frame 19 (80 % of"
        " their points agree)"
    )


def test_a_misfit_is_named_by_its_luma() -> None:
    back = np.where(np.arange(COUNT) > 0, 1.0, np.nan)
    back[20], back[21] = np.nan, 2
    luma = np.full(COUNT, 120.0)
    luma[20] = 30
    (found,) = misfit.detect(columns(photo_back=back, luma_mean=luma))
    assert (found.start, found.stop, found.kind) == (20, 21, "underexposed")


def test_a_new_place_that_stays_is_no_misfit() -> None:
    back = np.where(np.arange(COUNT) > 0, 1.0, np.nan)
    back[20] = np.nan
    assert misfit.detect(columns(photo_back=back)) == []
    back[44:] = np.nan  # the last photos are like no other
    (found,) = misfit.detect(columns(photo_back=back))
    assert (found.start, found.stop, found.confidence) == (44, COUNT, misfit.AT_THE_END)
    assert misfit.detect(columns(photo_back=np.full(COUNT, np.nan))) == []


def test_a_blurred_photo() -> None:
    sharp = np.full(COUNT, 8.0)
    sharp[13] = 4.0
    (found,) = misfit.detect(columns(sharpness=sharp))
    assert (found.start, found.stop, found.kind) == (13, 14, "blur")
    assert found.evidence.startswith("sharpness by contrast is 50 % of that of the photos before")


def test_a_bump_is_told_in_px_and_degrees() -> None:
    x, y, turn = np.zeros((3, COUNT))
    x[10], y[10], turn[10], turn[30] = 3.3, -2.2, 0.4, -0.3
    both = bump.detect(columns(bump_x=x, bump_y=y, bump_rotation=turn))
    assert [(each.start, each.stop, each.kind) for each in both] == [
        (10, 11, "shift"),
        (30, 31, "shift"),
    ]
    assert [(each.metric, each.peak) for each in both] == [
        ("bump_x", pytest.approx(3.3)),
        ("bump_rotation", pytest.approx(-0.3)),
    ]
    assert both[0].evidence == (
        "the content of frame 10 lies 3.3 px right and 2.2 px up of where it is in frame 9, turned"
        " 0.40 degrees clockwise; 80 % of the points agree; 1 px or 0.15 degrees would be enough"
    )


def test_points_that_always_wander_are_no_bumps() -> None:
    wandering = np.random.default_rng(1).normal(0, 0.5, COUNT)
    assert bump.detect(columns(bump_x=wandering)) == []


def test_flicker_is_told_from_trend_and_day() -> None:
    flicker = np.random.default_rng(2).normal(0, 1, COUNT)
    flicker *= 0.03 / np.sqrt(np.square(flicker - flicker.mean()).mean())
    flicker -= flicker.mean()
    slow = 0.2 * np.arange(COUNT) / COUNT + 0.1 * np.sin(2 * np.pi * SECONDS / DAY)
    steps = stepped(slow + flicker)
    light = columns(**{f"exposure_{colour}": steps for colour in ("red", "green", "blue")})
    (found,) = photo_light.detect(light)
    assert (found.start, found.stop, found.kind) == (0, COUNT, "flicker")
    curve = PhotoCurves(light).brightness
    assert curve.size == pytest.approx(0.03, rel=0.1)
    assert curve.change == pytest.approx(0.2, rel=0.15)
    assert np.corrcoef(curve.rest, flicker)[0, 1] > 0.95


def test_white_balance_drifts_in_blue() -> None:
    steps = stepped(np.linspace(0, -0.06, COUNT))
    (found,) = photo_light.detect(columns(exposure_blue=steps))
    assert (found.kind, found.metric) == ("exposure", "blue_drift")
    assert found.peak == pytest.approx(-0.06, abs=0.002)
    assert "blue falls by 6.0 % against green from frame 0 to 47" in found.evidence


def test_a_jump_is_more_than_photos_as_far_apart_change() -> None:
    changed = columns().signals["changed_step"].copy()
    changed[12] = 0.1  # over night: little more than usual
    changed[15] = 0.1
    (found,) = jump.detect(columns(changed_step=changed))
    assert (found.start, found.stop, found.kind) == (15, 16, "change")
    assert found.evidence.startswith(
        "10.0 % of frame 15 has changed, where 2.4 % are usual for 2 h;"
    )
    changes = Changes(columns(changed_step=changed))
    assert changes.worst[0] == 15
    assert changes.rate[15] == pytest.approx(0.05)
    assert changes.cumulative[-1] == pytest.approx(np.nansum(changed))


def test_growth_and_harvest_have_size_and_place() -> None:
    share, x = np.linspace(0.01, 0.08, COUNT), np.full(COUNT, 100.0)
    gone = 0.02  # of the photo, at x = 160
    x[30:] = (share[30:] * 100 - gone * 160) / (share[30:] - gone)
    share = share - np.where(np.arange(COUNT) >= 30, gone, 0)
    grown, fall = growth.detect(columns(green_share=share, green_x=x))
    assert (grown.kind, grown.start, grown.stop) == ("growth", 0, COUNT)
    assert "6.6 % in all with what was taken since" in grown.evidence
    assert (fall.kind, fall.start, fall.stop) == ("change", 30, 31)
    assert "green falls from 5.3 % of frame 29 to 3.5 % of frame 30" in fall.evidence
    found = growth.Growth(columns(green_share=share, green_x=x))
    place = found.place(found.falls)
    assert place is not None
    assert place == pytest.approx((160, 60), abs=6)


def test_a_share_that_wanders_does_not_grow() -> None:
    share = 0.05 + np.random.default_rng(3).normal(0, 0.003, COUNT)
    assert growth.detect(columns(green_share=share)) == []


def test_three_days_show_the_light_of_the_day() -> None:
    """Two and a half days pass between the first photo and the last."""
    rows = SECONDS <= 2.5 * DAY
    light = 0.05 * np.sin(2 * np.pi * SECONDS / DAY)[rows]
    assert smooth(light, SECONDS[rows]).size < 1e-6
    assert smooth(light[SECONDS[rows] < 2 * DAY], SECONDS[rows]).size > 0.01


def test_light_relative_to_a_photo_that_does_not_belong_is_no_step() -> None:
    """Photo 10 is much brighter, photo 11 lies on photo 9, and the light of photo 16 was measured
    by that of photo 10."""
    light, back = np.zeros(COUNT), np.where(np.arange(COUNT) > 0, 1.0, np.nan)
    light[10], back[11] = 0.7, 2.0
    curves = PhotoCurves(columns(photo_back=back, exposure_green=stepped(light)))
    assert np.flatnonzero(~curves.belongs).tolist() == [10]
    assert np.nanmax(np.abs(curves.light)) == 0


def test_a_curve_of_few_photos_is_left_as_it_is() -> None:
    few = smooth(np.array([0.0, 1.0, np.nan, 3.0]), np.arange(4.0))
    assert few.size == 0
    assert few.change == 3


def test_what_turns_green_at_once_is_no_growth() -> None:
    """A lamp that is switched on, in a scene in which nothing grows."""
    share = np.where(np.arange(COUNT) < COUNT // 2, 0.001, 0.03)
    found = growth.Growth(columns(green_share=share))
    assert found.grown == pytest.approx(0.029)
    assert not found.grows

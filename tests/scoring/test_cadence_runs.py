"""Runs against a source whose cadence slips, whose made frames flicker, or that holds drawings."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from cadence import filled
from numpy.typing import NDArray

import vfiscope as vs
from vfiscope import synth
from vfiscope.errors import PairingError, UsageError

Pixels = NDArray[np.uint8]
LEAN = {"metrics": ("psnr", "level_y", "level_cb", "level_cr"), "maps": "none", "fields": "none"}
ALONE = {**LEAN, "metrics": LEAN["metrics"][1:]}


@pytest.fixture(scope="module")
def low() -> Pixels:
    return np.stack(list(synth.Scene(72, 128, seed=4, velocity=(1.5, 0.5)).frames(16)))


def made(source: Pixels, bright: tuple[int, int, int] = (0, 0, 0), multiplier: int = 2) -> Pixels:
    frames, steps = filled(source, Fraction(multiplier), "blend")
    shown = np.stack(frames).astype(int)
    shown[steps % multiplier > 0] += bright
    return np.clip(shown, 0, 255).astype(np.uint8)


def kinds(run: vs.Run) -> set[tuple[str, int, int]]:
    return {(each.kind, each.start, each.stop) for each in run.segments}


def test_a_slip_is_flagged_and_originals_after_it_are_originals(low: Pixels) -> None:
    clip = made(low)
    with vs.score(clip[[*range(13), 12, *range(13, 31)]], source=low, **LEAN) as run:
        assert kinds(run) == {("duplicate", 13, 14)}
        assert [warning.partition(":")[0] for warning in run.warnings] == ["the cadence slips"]
        assert np.isinf(run.scores["psnr"][run.rows("passed")]).all()
        assert run.rows("passed").sum() == 17
    with vs.score(clip, source=low, **LEAN) as run:
        assert (run.segments, list(run.warnings)) == ([], [])


@pytest.mark.parametrize("bright", [(8, 8, 8), (-2, -2, -2), (0, 0, 9)])
def test_flicker_is_said_and_flagged(low: Pixels, bright: tuple[int, int, int]) -> None:
    clip = made(low, bright)
    with vs.score(clip, source=low, **LEAN) as run:
        assert ("flicker", 1, 30) in kinds(run)
        assert "the clip flickers" in " ".join(run.warnings)
        luma = float(np.dot(bright, (0.299, 0.587, 0.114)))
        levels = run.summary()["roles"]
        assert levels["synthesised"]["metrics"]["level_y"]["p50"] == pytest.approx(luma, abs=0.3)
        assert abs(levels["passed"]["metrics"]["level_y"]["p50"]) < 0.01
    with vs.score(clip, **ALONE) as run:
        assert {kind for kind, _, _ in kinds(run)} == {"flicker"}
    with vs.score(clip, multiplier=2, **ALONE) as run:
        assert ("flicker", 1, 30) in kinds(run)
        assert np.isnan(run.scores["level_y"][run.rows("passed")]).all()


def test_held_frames_are_a_group_of_their_own(low: Pixels) -> None:
    twos = np.repeat(low[:8], 2, axis=0)
    with vs.score(made(twos), source=twos, **LEAN) as run:
        held = np.arange(31) % 4 == 1
        np.testing.assert_array_equal(run.rows("held"), held)
        assert run.rows("synthesised").sum() == 7
        roles = run.summary()["roles"]
        assert list(roles) == ["synthesised", "passed", "held", "all"]
        assert roles["held"]["metrics"]["level_y"]["mean"] == 0
        assert [each.kind for each in run.segments] == ["cadence"]
        assert not run.warnings


def test_rules_may_be_about_held_frames(low: Pixels) -> None:
    twos = np.repeat(low[:5], 2, axis=0)
    options = {**LEAN, "metrics": ("psnr", "level_y", "ghosting")}
    rules = ("level_y of held >= 0", "ghosting of held >= 0")
    with vs.score(made(twos), source=twos, flag=rules, fail_on=rules[1], **options) as run:
        ruled = [each for each in run.segments if each.rule]
        assert {(each.rule, each.role) for each in ruled} == {(rule, "held") for rule in rules}
        first = next(each for each in ruled if each.rule == rules[1])
        assert (first.start, first.peak) == (1, 0)
    with pytest.raises(UsageError, match="psnr has no value for held frames here, only for passed"):
        vs.score(made(twos), source=twos, flag="psnr of held >= 0", **options)
    with pytest.raises(
        UsageError, match="score with --source SRC tells them, or leave 'of held' out"
    ):
        vs.score(twos, flag="ghosting of held >= 0", **options | {"metrics": "ghosting"})
    with pytest.raises(UsageError, match="no value for held frames here, only for synthesised"):
        vs.score(twos, multiplier=2, flag="ghosting of held >= 0", metrics="ghosting")


def test_drawings_without_their_repeats_lie_between_drawings(low: Pixels) -> None:
    twos = np.repeat(low[:8], 2, axis=0)
    with vs.score(made(low[:8], multiplier=4), source=twos, **LEAN) as run:
        assert (run.pairing["drawings"], run.pairing["multiplier"]) == (8, "4")
        assert run.rows("passed").sum() == 8
        assert np.isinf(run.scores["psnr"][run.rows("passed")]).all()
        assert np.abs(run.scores["level_y"][run.rows("synthesised")]).max() < 0.5
        assert (run.segments, list(run.warnings)) == ([], [])


def test_a_stated_multiplier_counts_frames_as_they_are_shown(low: Pixels) -> None:
    """Four test frames to a drawing that is held for two frames are two to a frame."""
    twos, clip = np.repeat(low[:8], 2, axis=0), made(low[:8], multiplier=4)
    with vs.score(clip, source=twos, multiplier=2, **LEAN) as run:
        assert (run.pairing["drawings"], run.pairing["multiplier"]) == (8, "4")
    for wrong in (3, 4):
        said = f"no steady cadence: of the originals that a multiplier of {wrong} predicts"
        with pytest.raises(PairingError, match=said):
            vs.score(clip, source=twos, multiplier=wrong, **LEAN)

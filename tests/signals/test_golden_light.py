"""Golden scans: light is fitted out before a change is flagged, and told as light."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from helpers.media import Array

import vfiscope as vs
from vfiscope import synth
from vfiscope.errors import UsageError
from vfiscope.signals import signal
from vfiscope.signals.light_fit import cells_of, fit_light
from vfiscope.types import Code

H, W, N = 60, 96, 40
BASE = synth.Scene(H, W, seed=11, objects=0, velocity=(0, 0)).frame(0).astype(float)
LEAN: dict[str, Any] = {"metrics": "psnr", "maps": "none", "fields": "none"}
OBJECT = (slice(20, 40), slice(50, 70))


def scan(gains: Array, there: range, add: float = 0.0) -> Array:
    """(N, H, W, 3): the scene with a gain for each frame and channel, an object in some frames, and
    noise."""
    rng = np.random.default_rng(0)
    out = BASE * gains[:, None, None, :] + add + rng.normal(0, 1.5, (len(gains), H, W, 3))
    for t in there:
        out[t][OBJECT] = np.array([30, 190, 210]) * gains[t] + add
    return np.clip(np.rint(out), 0, 255).astype(np.uint8)


def kinds(run: vs.Run) -> dict[str, list[tuple[int, int]]]:
    found: dict[str, list[tuple[int, int]]] = {}
    for segment in run.segments:
        if segment.kind != "static":  # nothing moves in these scenes
            found.setdefault(segment.kind, []).append((segment.start, segment.stop))
    return found


def falling(to: tuple[float, float, float]) -> Array:
    return np.linspace(np.ones(3), to, N)


@pytest.mark.parametrize(
    ("gain", "offset"), [((0.5, 0.5, 0.5), 0.0), ((0.9, 0.7, 0.4), 20.0), ((1.0, 1.0, 1.0), 0.0)]
)
@pytest.mark.parametrize("covered", [0, 30])
def test_the_light_is_fitted_whatever_stands_in_it(
    gain: tuple[float, float, float], offset: float, covered: int
) -> None:
    golden = np.rint(BASE * 0.9 + 10).astype(np.uint8)
    test = np.rint(golden * np.array(gain) + offset)
    test[:covered, :48] = (5, 250, 120)
    fit = fit_light(cells_of(test.astype(np.uint8), 8), cells_of(golden, 8))
    assert fit is not None
    assert fit.gain == pytest.approx(gain, abs=0.01)
    assert fit.offset == pytest.approx([offset] * 3, abs=0.8)
    assert fit.changed.mean() == pytest.approx(covered * 48 / (H * W), abs=0.012)


def test_a_flat_thing_before_two_fifths_of_the_frame_is_no_light() -> None:
    golden = np.rint(BASE * 0.9 + 10).astype(np.uint8)
    test = np.rint(golden * 1.05).astype(np.uint8)
    test[12:, 20:68] = (140, 100, 90)
    fit = fit_light(cells_of(test, 8), cells_of(golden, 8))
    assert fit is not None
    assert fit.gain == pytest.approx([1.05] * 3, abs=0.02)
    assert fit.changed.mean() == pytest.approx(0.4, abs=0.04)


def test_white_that_clips_is_no_change_and_black_tells_nothing() -> None:
    golden = np.rint(np.clip(BASE * 1.3, 0, 255)).astype(np.uint8)
    brighter = np.rint(np.clip(BASE * 1.3 * 1.5, 0, 255)).astype(np.uint8)
    fit = fit_light(cells_of(brighter, 8), cells_of(golden, 8))
    assert fit is not None
    assert fit.changed.mean() < 0.01
    assert fit.gain == pytest.approx([1.5] * 3, abs=0.05)
    assert fit_light(cells_of(np.zeros_like(golden), 8), cells_of(golden, 8)) is None


def test_slow_light_is_told_as_light_and_the_object_as_change() -> None:
    run = vs.scan(scan(falling((0.5, 0.45, 0.37)), range(26, 34)), golden=0, **LEAN)
    assert kinds(run) == {"change": [(26, 34)]}
    (told,) = run.coded_warnings
    assert told.code == Code.LIGHT_CHANGES
    assert told.values["step_at"] is None
    assert told.values["frame"] == N - 1
    lights = [told.values[name] for name in ("red", "green", "blue")]
    assert lights == pytest.approx([0.5, 0.45, 0.37], abs=0.01)
    assert "the light drifts: frame 39 is 0.50 (red), 0.45 (green), 0.37 (blue)" in run.warnings[0]
    changed = run.signals["changed_area"]
    assert changed[26:34] == pytest.approx([400 / (H * W)] * 8, abs=0.015)
    assert np.delete(changed, np.arange(26, 34)).max() < 0.002


def test_a_step_of_light_with_an_object() -> None:
    gains = np.ones((N, 3))
    gains[24:34] = 0.6
    run = vs.scan(scan(gains, range(28, 34)), golden=0, **LEAN)
    assert kinds(run)["change"] == [(28, 34)]
    assert kinds(run)["exposure"] == [(24, 34)]
    assert run.coded_warnings[0].values["step_at"] in (24, 34)


@pytest.mark.parametrize(
    ("light", "step_at"),
    [
        ((1.0, 1.05, 1.1, 1.15, 1.2), None),
        ((1.0, 0.9, 0.8), None),
        ((1.0, 1.01, 1.2, 1.19, 1.2), 2),
        ((1.0, 1.2, 1.2), 1),
        ((1.0, 1.2), 1),
    ],
)
def test_a_drift_over_a_few_photos_is_no_step(
    light: tuple[float, ...], step_at: int | None
) -> None:
    photos = scan(np.outer(light, np.ones(3)), range(0))
    (told,) = vs.scan(photos, golden=0, **LEAN).coded_warnings
    assert (told.code, told.values["step_at"]) == (Code.LIGHT_CHANGES, step_at)


def test_the_cells_of_the_golden_frame_are_computed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Array] = []

    def counted(pixels: Array, bit_depth: int) -> Array:
        seen.append(pixels)
        return cells_of(pixels, bit_depth)

    monkeypatch.setattr(signal, "cells_of", counted)
    photos = scan(falling((0.9, 0.8, 0.7))[::8], range(0))
    run = vs.scan(photos, golden=photos[1], batch=2, **LEAN)
    assert len(seen) == len(photos) + 1
    fits = [fit_light(cells_of(photo, 8), cells_of(photos[1], 8)) for photo in photos]
    assert run.signals["light_red"] == pytest.approx([fit.light[0] for fit in fits if fit])


def test_coloured_light_alone_is_no_change() -> None:
    gains = np.ones((N, 3))
    gains[20:30, 2] = 0.7
    run = vs.scan(scan(gains, range(0)), golden=0, **LEAN)
    found = [each for each in run.segments if each.kind not in ("low_score", "static")]
    assert [(each.kind, each.metric, each.start, each.stop) for each in found] == [
        ("exposure", "light_blue", 20, 30)
    ]


def test_one_light_says_nothing() -> None:
    run = vs.scan(scan(np.ones((N, 3)), range(0)), golden=0, **LEAN)
    assert (kinds(run), run.coded_warnings) == ({}, [])
    assert run.signals["light_green"] == pytest.approx(np.ones(N), abs=0.01)


def test_light_is_of_golden_scans_alone() -> None:
    frames = scan(np.ones((4, 3)), range(0))
    assert "changed_area" not in vs.scan(frames, lag=1, **LEAN).signals
    with pytest.raises(UsageError, match="light_red is relative to a golden frame: use scan with"):
        vs.scan(frames, lag=1, signals="light_red", **LEAN)


def test_another_scene_is_a_change_and_no_light() -> None:
    other = synth.Scene(H, W, seed=77, objects=0).frame(0)
    frames = scan(np.ones((N, 3)), range(0))
    frames[20:25] = other
    run = vs.scan(frames, golden=0, **LEAN)
    assert kinds(run)["change"] == [(20, 25)]
    assert "exposure" not in kinds(run)
    assert (run.signals["changed_area"][20:25] == 1).all()
    assert np.isnan(run.signals["light_red"][20:25]).all()
    assert run.coded_warnings == []

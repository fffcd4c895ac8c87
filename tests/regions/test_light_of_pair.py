"""What is light, and what only looks so: blur, lost colour, clipping."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from vfiscope import synth
from vfiscope.regions import METHODS, Found, FramePair, Settings, find
from vfiscope.regions.difference.colour_strength import colour_strength
from vfiscope.regions.difference.light_fit_of_pair import fit_light, flat_pixels
from vfiscope.types import Uint8

AUTO = METHODS["auto"](Settings())
SHAPES = (
    synth.Shape("disc", 60.0, 60.0, 40.0, 40.0, seed=4),
    synth.Shape("rectangle", 150.0, 90.0, 60.0, 40.0, seed=6),
)
SCENE = synth.Scene(140, 200, seed=9, objects=SHAPES, velocity=(0.0, 0.0)).frame(0.0)


def found(test: Uint8, ref: Uint8) -> Found:
    return find(FramePair(test, ref), AUTO)


def grey(frame: Uint8) -> Uint8:
    return np.repeat(cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY)[..., None], 3, axis=2)


def faded(frame: Uint8, strength: float) -> Uint8:
    luma = grey(frame).astype(np.float32)
    return np.clip(np.rint(luma + strength * (frame - luma)), 0, 255).astype(np.uint8)


def luma(frame: Uint8) -> Uint8:
    return np.ascontiguousarray(grey(frame)[..., 0])


@pytest.mark.parametrize("far", [6, 20])
def test_blur_is_no_loss_of_light(far: int) -> None:
    ref = luma(SCENE)
    test = cv2.blur(ref, (2 * far + 1, 5))
    assert fit_light(test, ref, flat_pixels(test, ref)).gain == 1


def test_a_loss_of_contrast_of_all_scales_is_light() -> None:
    ref = luma(SCENE)
    test = np.rint(ref * 0.6 + 50).astype(np.uint8)
    light = fit_light(test, ref, flat_pixels(test, ref))
    assert (light.gain, light.offset) == (pytest.approx(0.6, abs=0.01), pytest.approx(50, abs=1))


@pytest.mark.parametrize(
    ("test", "words", "strength"),
    [
        (grey(SCENE), "The colour was lost; nothing else changed.", 0),
        (faded(SCENE, 0.3), "Colours became weaker by 70 %; nothing else changed.", 0.3),
        (faded(SCENE, 0.6), "Colours became weaker by 40 %; nothing else changed.", 0.6),
        (faded(SCENE, 0.9), "Nothing changed.", 1),
    ],
)
def test_what_became_of_all_colours_is_said(test: Uint8, words: str, strength: float) -> None:
    answer = found(test, SCENE)
    assert answer.answer.caption == words
    assert answer.difference.light.colour == pytest.approx(strength, abs=0.02)
    assert answer.regions == []


def test_colour_that_was_added_everywhere_is_said() -> None:
    assert found(SCENE, grey(SCENE)).answer.caption.startswith("Colour was added everywhere")


def test_a_thing_that_lost_its_colour_is_a_region() -> None:
    ref = SCENE.copy()
    ref[40:90, 40:100] = (190, 60, 70)
    test = ref.copy()
    test[40:90, 40:100] = grey(ref)[40:90, 40:100]
    (region,) = found(test, ref).regions
    assert abs(region.centroid_x - 69.5) < 2
    assert abs(region.centroid_y - 64.5) < 2


def test_the_strength_of_colours_is_that_of_most_and_of_none_where_few_have_any() -> None:
    ref = np.full((30, 30), 128, np.uint8)
    ref[:, 10:] = 168
    test = np.full((30, 30), 128, np.uint8)
    test[:, 10:] = 138
    everywhere = np.ones(ref.shape, bool)
    assert colour_strength([(test, ref)] * 2, everywhere) == pytest.approx(0.25)
    ref[:, 15:] = test[:, 15:] = 128
    ref[:15] = test[:15] = 128
    assert colour_strength([(test, ref)] * 2, everywhere) is None
    assert colour_strength([(test, ref)] * 2, ~everywhere) is None


def test_what_clips_as_the_light_says_has_not_changed() -> None:
    ref = np.minimum(SCENE, 250)
    ref[30:60, 100:140] = (250, 190, 60)
    assert ((ref * 1.3) > 255).mean() > 0.02
    test = np.clip(np.rint(ref * 1.3), 0, 255).astype(np.uint8)
    answer = found(test, ref)
    assert (answer.answer.answer, answer.regions) == ("light", [])
    assert answer.answer.gain == pytest.approx(1.3, abs=0.02)
    test[100:124, 20:44] = (20, 20, 160)
    assert len(found(test, ref).regions) == 1


def test_a_pale_frame_that_lost_its_colour_did_so_and_a_thing_on_grey_did_not() -> None:
    tint = np.random.default_rng(3).integers(1, 4, (35, 50, 3)).repeat(4, axis=0).repeat(4, axis=1)
    pale = (grey(SCENE) // 2 + 60 + np.array([6, 3, 0]) * tint).astype(np.uint8)
    pale[:30, :60] = (160, 120, 100)
    answer = found(grey(pale), pale).answer
    assert answer.caption == "The colour was lost; nothing else changed."
    thing = grey(SCENE)
    thing[40:90, 60:120] = (200, 90, 60)
    assert colour_strength(chroma(grey(thing), thing), np.ones((140, 200), bool)) is None


def chroma(test: Uint8, ref: Uint8) -> list[tuple[Uint8, Uint8]]:
    both = (cv2.split(cv2.cvtColor(each, cv2.COLOR_RGB2YCrCb))[1:] for each in (test, ref))
    return [(np.asarray(own), np.asarray(there)) for own, there in zip(*both, strict=True)]


def test_a_scene_between_black_bars_tells_gain_and_offset() -> None:
    """The bars tell by how much black moved, and the scene the gain."""
    ref = np.zeros((140, 520, 3), np.uint8)
    ref[:, 160:360] = SCENE
    test = np.clip(np.rint(ref * 0.9 + 8), 0, 255).astype(np.uint8)
    answer = found(test, ref).answer
    assert (answer.answer, answer.regions) == ("light", 0)
    assert (answer.gain, answer.offset) == (pytest.approx(0.9, abs=0.01), pytest.approx(8, abs=0.5))

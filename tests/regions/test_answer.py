"""The answer for a pair as a whole, on scenes whose answer is known."""

from __future__ import annotations

import warnings
from functools import cache

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from vfiscope.regions import METHODS, Found, FramePair, Settings, find
from vfiscope.regions.answer_caption import light_words
from vfiscope.regions.segment.map_mask import covered
from vfiscope.regions.steps import Cut, Light, Proposal
from vfiscope.regions.viewpoint.where_it_helps import register_where_it_helps
from vfiscope.types import Box, Registration, Verdict

Pixels = NDArray[np.uint8]


@cache
def photo(seed: int = 11) -> Pixels:
    """A textured, coloured scene, 240 wide and 180 high, mean about 120."""
    rng = np.random.default_rng(seed)
    planes = []
    for sigma in (2.0, 5.0):
        noise = rng.normal(0, 1, (180, 240, 3)).astype(np.float32)
        smooth = cv2.GaussianBlur(noise, (0, 0), sigma)
        planes.append(smooth / smooth.std())
    codes = 120 + 25 * planes[0] + 20 * planes[1]
    return codes.clip(0, 255).astype(np.uint8)


def turned(
    frame: Pixels, degrees: float, zoom: float = 1.0, shift: tuple[int, int] = (0, 0)
) -> Pixels:
    """Turned clockwise as seen, about the centre, then shifted."""
    height, width = frame.shape[:2]
    matrix = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), -degrees, zoom)
    matrix[:, 2] += shift
    made = cv2.warpAffine(
        frame, matrix, (width, height), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT
    )
    return np.asarray(made, np.uint8)


def answer(test: Pixels, ref: Pixels) -> Found:
    return find(FramePair(test, ref), METHODS["auto"](Settings()))


def test_the_same_frame() -> None:
    found = answer(photo(), photo()).answer
    assert (found.answer, found.registration, found.caption) == ("same", "none", "Nothing changed.")
    assert np.isnan(found.evidence)


def test_constant_100_against_constant_140_is_light() -> None:
    ref, test = (np.full((60, 80, 3), code, np.uint8) for code in (100, 140))
    found = answer(test, ref).answer
    assert (found.answer, found.gain, found.offset) == ("light", 1.0, 40.0)
    assert found.caption == "The light rose by 40 of 255 code values; nothing else changed."


def test_the_light_of_a_nearly_black_frame_is_told_in_code_values() -> None:
    assert light_words(Light(1.0, 38.0), 2.0) == "the light rose by 38 of 255 code values"
    assert light_words(Light(0.9, 4.0), 100.0) == "the light fell by 6.0 of 255 code values"
    assert light_words(Light(0.9, 10.0), 100.0) == "the contrast fell by 10 %"


def test_less_contrast_is_light_too() -> None:
    mean = photo().mean()
    test = np.rint((photo() - mean) * 0.8 + mean).astype(np.uint8)
    found = answer(test, photo()).answer
    assert (found.answer, found.regions) == ("light", 0)
    assert found.gain == pytest.approx(0.8, abs=0.02)
    assert found.caption.startswith("The contrast fell by 20 %")


def test_a_pixel_of_shift_is_a_move() -> None:
    found = answer(np.roll(photo(), 2, axis=1), photo()).answer
    assert (found.answer, found.regions) == ("moved", 0)
    assert found.shift_x == pytest.approx(2, abs=0.3)
    assert found.shift_y == pytest.approx(0, abs=0.3)
    assert "px right" in found.caption


def test_a_turned_camera_is_registered_and_said_in_numbers() -> None:
    whole = answer(turned(photo(), 3.0, 1.05, (12, -6)), photo())
    found = whole.answer
    assert (found.answer, found.regions, found.registration) == ("moved", 0, "sift")
    assert found.shift_x == pytest.approx(12, abs=0.1)
    assert found.shift_y == pytest.approx(-6, abs=0.1)
    assert found.rotation == pytest.approx(3.0, abs=0.05)
    assert found.zoom == pytest.approx(1.05, abs=0.002)
    assert found.caption == (
        "The camera moved (view 12 px right, 6.0 px up, 3.0 degrees clockwise, zoom 1.050); "
        "nothing else changed."
    )
    assert whole.pair.valid is not None
    assert not whole.pair.valid[:, -8:].any()  # 239 lies at 120 + 1.05 * 119 + 12 > 239
    assert whole.pair.valid[70:110, 20:200].all()
    assert (whole.difference.valid <= whole.pair.valid).all()


def test_a_frame_upside_down_is_registered_because_that_explains_all() -> None:
    found = answer(np.ascontiguousarray(photo()[::-1, ::-1]), photo()).answer
    assert (found.answer, found.registration) == ("moved", "sift")
    assert abs(found.rotation) == pytest.approx(180, abs=0.1)


def test_a_change_before_a_turned_camera() -> None:
    test = photo().copy()
    test[100:130, 150:190] = (250, 30, 30)
    found = answer(turned(test, 2.0), photo())
    (region,) = found.regions
    assert found.answer.answer == "changed"
    assert found.answer.evidence > 18
    assert abs(region.tight_x - 150) <= 3
    assert abs(region.tight_y - 100) <= 3
    assert "1 region changed" in found.answer.caption
    assert "2.0 degrees clockwise" in found.answer.caption


def test_frames_of_two_scenes_are_undecided() -> None:
    found = answer(photo(5), photo()).answer
    assert found.answer == "undecided"
    assert "no registration makes the frames alike" in found.caption


@pytest.mark.parametrize("sigma", [0.3, 0.6])
def test_unrelated_fine_textures_are_not_light(sigma: float) -> None:
    """Least squares halve the contrast of the reference: regression to the mean."""
    rng = np.random.default_rng(4)
    rough = rng.normal(0, 1, (2, 180, 240)).astype(np.float32)
    smooth = np.stack([cv2.GaussianBlur(one, (0, 0), sigma) for one in rough])
    codes = np.clip(120 + 40 * smooth / smooth.std(), 0, 255).astype(np.uint8)
    found = answer(*np.repeat(codes[..., None], 3, axis=3)).answer
    assert (found.answer, found.gain) == ("undecided", 1)


def test_noise_of_a_blank_wall_is_neither_light_nor_doubtful() -> None:
    rng = np.random.default_rng(4)
    test, ref = (np.clip(120 + rng.normal(0, 12, (180, 240, 3)), 0, 255) for _ in range(2))
    assert answer(test.astype(np.uint8), ref.astype(np.uint8)).answer.answer == "same"


def test_half_the_light_is_light() -> None:
    found = answer(np.rint(photo() * 0.5).astype(np.uint8), photo()).answer
    assert (found.answer, found.regions) == ("light", 0)
    assert found.gain == pytest.approx(0.5, abs=0.02)


def test_masks_that_overlap_are_counted_once() -> None:
    cut = Cut(1.0, np.zeros((10, 10), bool))
    both = [Proposal(Box(0, 0, 6, 10)), Proposal(Box(4, 0, 6, 5))]
    assert covered(cut, both) == pytest.approx(0.8)


def test_no_common_pixel_is_undecided() -> None:
    pair = FramePair(photo(), photo(), valid=np.zeros(photo().shape[:2], bool))
    found = find(pair, METHODS["absdiff"](Settings())).answer
    assert found.caption == "It cannot be told what changed: no pixel is shown by both frames."


def test_a_registration_that_was_refused_by_request_is_no_doubt() -> None:
    no = Registration(np.eye(3), "ecc", "affine", Verdict.FEW_MATCHES, "few", 0, 0.0, 0.0, 1.0)
    flat = np.full((60, 80, 3), 100, np.uint8)
    found = find(FramePair(flat, flat, registration=no), METHODS["absdiff"](Settings())).answer
    assert (found.answer, found.registration) == ("same", "none")


def test_a_registered_pair_is_not_registered_again() -> None:
    whole = answer(turned(photo(), 3.0), photo())
    assert register_where_it_helps(whole.pair) is whole.pair


@pytest.mark.parametrize("size", [(1, 1), (2, 3), (1, 300), (9, 9), (33, 400)])
def test_frames_of_any_size_have_an_answer(size: tuple[int, int]) -> None:
    rng = np.random.default_rng(1)
    noise = [rng.integers(0, 256, (*size, 3), dtype=np.uint8) for _ in range(2)]
    black, white = np.zeros_like(noise[0]), np.full_like(noise[0], 255)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for test, ref in (noise, (noise[0], noise[0]), (white, black), (noise[0], black)):
            found = answer(test, ref).answer
            assert found.answer in {"same", "light", "moved", "changed", "undecided"}
            assert found.caption.endswith(".")
        assert answer(noise[0], noise[0]).answer.answer == "same"


@pytest.mark.parametrize(
    ("codes", "word"), [((0, 0, 0), "black"), ((250, 252, 250), "white"), ((90, 40, 200), "")]
)
def test_a_frame_of_one_colour_shows_nothing(codes: tuple[int, int, int], word: str) -> None:
    grain = np.random.default_rng(3).integers(-2, 3, photo().shape)
    plain = np.clip(np.array(codes) + grain, 0, 255).astype(np.uint8)
    for name, test, ref in (
        ("the test frame", plain, photo()),
        ("the reference", photo(), plain),
    ):
        found = answer(test, ref)
        assert (found.answer.answer, found.answer.regions, found.regions) == ("undecided", 0, [])
        told = f"{name} is {word or 'of one colour'}."
        assert found.answer.caption == f"It cannot be told what changed: {told}"


def test_one_thing_on_a_plain_ground_is_a_change_both_ways() -> None:
    plain = np.full((120, 160, 3), 120, np.uint8)
    thing = plain.copy()
    thing[40:70, 50:80] = 200
    assert [answer(*pair).answer.regions for pair in ((plain, thing), (thing, plain))] == [1, 1]


def test_an_undecided_pair_has_no_regions_or_says_what_they_are() -> None:
    pair = FramePair(photo(5), photo())
    for method, regions in (("auto", False), ("absdiff", True)):
        found = find(pair, METHODS[method](Settings()))
        assert found.answer.answer == "undecided"
        assert bool(found.regions) == bool(found.answer.regions) == regions
        said = found.answer.caption.endswith("; the regions say only where the frames differ.")
        assert said == regions


def test_of_few_pixels_light_cannot_be_told_from_a_change() -> None:
    ref, test = (np.full((8, 8, 3), code, np.uint8) for code in (100, 60))
    found = answer(test, ref).answer
    assert found.answer == "undecided"
    assert found.caption.endswith("8x8 pixels are too few to tell a change from light.")

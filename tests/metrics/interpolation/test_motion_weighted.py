"""Errors weighted by how the picture moves, against weights that can be computed by hand."""

from __future__ import annotations

import numpy as np
import pytest
from helpers.between import between, frames, score

from vfiscope import synth
from vfiscope.errors import UsageError
from vfiscope.metrics import METRICS
from vfiscope.metrics.interpolation import flow, motion_weighted
from vfiscope.types import Neighbours, Pairs

NAMES = [metric.spec.name for metric in motion_weighted.METRICS]
SCENE = synth.Scene(192, 256, seed=4, velocity=(6, 2))


def field(
    across: list[float], down: list[float]
) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    """u = a x + b y, v = c x + d y on 9 x 12 pixels."""
    y, x = np.mgrid[:9, :12].astype(np.float32)
    return np.stack([across[0] * x + across[1] * y, down[0] * x + down[1] * y], axis=-1)


def test_a_zoom_diverges_and_a_shear_and_a_turn_do_not() -> None:
    np.testing.assert_allclose(motion_weighted.divergence(field([1, 0], [0, 1])), 2, atol=1e-6)
    np.testing.assert_allclose(
        motion_weighted.divergence(field([0.25, 0], [0, -0.5])), -0.25, atol=1e-6
    )
    for across, down in (([0, 1], [1, 0]), ([0, -1], [1, 0]), ([3, 5], [7, -3])):
        np.testing.assert_allclose(motion_weighted.divergence(field(across, down)), 0, atol=1e-5)


def test_weights_are_shares_of_the_greatest_divergence() -> None:
    steps = np.zeros((5, 9, 2), np.float32)
    steps[:, 3, 0], steps[:, 4:, 0] = 2, 2.01
    # Central differences of 0 0 0 2 2.01 2.01 2.01 ... along x.
    expected = [0, 0, 1 / 1.005, 1, 0, 0, 0, 0, 0]  # 0.005 / 1.005 is below 0.01
    np.testing.assert_allclose(motion_weighted.divergence_weights(steps), [expected] * 5, atol=1e-5)
    assert not motion_weighted.divergence_weights(steps * 0).any()
    assert not motion_weighted.divergence_weights(field([1e-4, 0], [0, 1e-4])).any()
    np.testing.assert_allclose(
        motion_weighted.divergence_weights(-field([1e-2, 0], [0, 0])), 1, atol=1e-4
    )


def test_weighted_psnr_by_hand() -> None:
    squares = np.array([[0, 100, 4]], np.float32)
    assert motion_weighted.weighted_psnr(squares, np.array([[0.5, 0.25, 0.25]])) == pytest.approx(
        10 * np.log10(255**2 / 26), abs=1e-9
    )
    assert motion_weighted.weighted_psnr(squares, np.array([[1.0, 0, 0]])) == np.inf


def test_psnr_div_equals_psnr_where_nothing_diverges() -> None:
    still = SCENE.frame(0)
    pairs = between(
        still, [still, still], still, ref=np.clip(still.astype(int) + 7, 0, 255).astype(np.uint8)
    )
    assert score(pairs, "psnr_div") == score(pairs, "psnr")
    assert score(between(still, [still], still, ref=still), "psnr_div") == [np.inf]


def test_psnr_div_looks_where_the_motion_is_torn() -> None:
    shape = synth.Shape("disc", 128, 96, 90, 90, vx=12, seed=2)
    scene = synth.Scene(192, 256, seed=2, velocity=(-4, 0), objects=[shape])
    truth = scene.frame(0.5)
    edge, corner = truth.copy(), truth.copy()
    edge[80:112, 80:100] = np.roll(edge[80:112, 80:100], 6, axis=0)
    corner[4:36, 4:24] = np.roll(corner[4:36, 4:24], 6, axis=0)
    pairs = between(scene.frame(0), [edge, corner, truth], scene.frame(1), ref=truth)
    at_edge, in_corner, exact = score(pairs, "psnr_div")
    assert exact == np.inf
    assert at_edge < in_corner


def test_motion_error_counts_what_moves() -> None:
    shape = synth.Shape("rectangle", 128, 96, 80, 80, vx=10, seed=2)
    scene = synth.Scene(192, 256, seed=2, velocity=(0, 0), objects=[shape])
    truth = scene.frame(0.5)
    inside, outside = (truth // 2 + 60 for _ in range(2))
    inside[:, :, :], outside[:, :, :] = truth, truth
    inside[80:112, 112:150] ^= 32
    outside[8:40, 8:46] ^= 32
    pairs = between(scene.frame(0), [inside, outside, truth], scene.frame(1), ref=truth)
    moved, stood, exact = score(pairs, "motion_error")
    plain = score(pairs, "absdiff")
    assert plain[0] == plain[1] == pytest.approx(32 / 255 * 32 * 38 / (192 * 256), rel=1e-5)
    assert moved == pytest.approx(
        plain[0] * 192 * 256 / 80**2, rel=0.25
    )  # the mean over the square alone
    assert stood < plain[1] / 10
    assert exact == 0


def test_motion_error_is_the_plain_error_where_nothing_moves() -> None:
    still = SCENE.frame(0)
    pairs = between(still, [still ^ 8], still, ref=still)
    assert score(pairs, "motion_error") == pytest.approx(score(pairs, "absdiff"), rel=1e-6)


def test_errors_by_visibility_add_up_to_the_whole() -> None:
    scene = synth.Scene(192, 256, seed=7, velocity=(16, 6), objects=2)
    truth = scene.frame(0.5)
    noise = np.random.default_rng(0).integers(-9, 10, truth.shape)
    test = np.clip(truth + noise, 0, 255).astype(np.uint8)
    pairs = between(scene.frame(0), [test], scene.frame(1), ref=truth)
    triplets = flow.triplets(pairs, "ref")
    assert triplets is not None
    counts = triplets[0].in_before.astype(int) + triplets[0].in_after
    parts = np.abs(test.astype(float) - truth).mean(axis=-1) / 255
    for name, count in (("error_both", 2), ("error_one", 1), ("error_none", 0)):
        assert score(pairs, name) == pytest.approx([parts[counts == count].mean()], rel=1e-5), name


def test_an_empty_area_has_no_error() -> None:
    still = SCENE.frame(0)
    pairs = between(still, [still ^ 8], still, ref=still)
    assert score(pairs, "error_both") == pytest.approx(score(pairs, "absdiff"), rel=1e-6)
    assert np.isnan([*score(pairs, "error_one"), *score(pairs, "error_none")]).all()


def test_errors_of_large_frames_are_averaged_over_working_pixels() -> None:
    still = np.random.default_rng(3).integers(60, 200, (1082, 1084, 3), dtype=np.uint8)
    pairs = between(still, [still ^ 8], still, ref=still)
    assert score(pairs, "error_both") == pytest.approx([8 / 255], rel=1e-4)


def test_two_bit_depths_compare() -> None:
    truth = SCENE.frame(0.5)
    pairs = between(SCENE.frame(0), [truth], SCENE.frame(1), ref=truth)
    wide = frames([truth.astype(np.uint16) * 257], 16)
    mixed = Pairs(pairs.test, wide, around=pairs.around, phase=pairs.phase)
    assert score(mixed, "motion_error") == score(mixed, "error_both") == [0]
    assert score(mixed, "psnr_div") == [np.inf]


@pytest.mark.parametrize("name", NAMES)
def test_cuts_and_small_frames_have_no_value_and_missing_frames_are_refused(name: str) -> None:
    one, other = SCENE.frame(0), synth.Scene(192, 256, seed=13).frame(0)
    assert np.isnan(score(between(one, [one], other, ref=one), name)).all()
    small = np.zeros((12, 40, 3), np.uint8)
    assert np.isnan(score(between(small, [small], small, ref=small), name)).all()
    with pytest.raises(UsageError, match="ref is None"):
        METRICS[name].compute(between(one, [one], one))
    with pytest.raises(UsageError, match="around is None"):
        METRICS[name].compute(Pairs(frames([one]), frames([one])))


def test_no_row_depends_on_another() -> None:
    truth = SCENE.frame(0.5)
    tests = [SCENE.frame(0.6), truth ^ 4, SCENE.frame(0.2)]
    together = between(SCENE.frame(0), tests, SCENE.frame(1), ref=truth)
    for name in NAMES:
        alone = [
            score(between(SCENE.frame(0), [test], SCENE.frame(1), ref=truth), name)[0]
            for test in tests
        ]
        np.testing.assert_array_equal(score(together, name), alone, err_msg=name)
    assert isinstance(together.around, Neighbours)

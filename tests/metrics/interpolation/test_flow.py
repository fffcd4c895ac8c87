"""Flow between frames: its vectors and its visibility against scenes of known motion."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from helpers.between import between, frames

from vfiscope import synth
from vfiscope.errors import UsageError
from vfiscope.metrics.interpolation import flow
from vfiscope.types import Pairs


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ((540, 960), (540, 960)),
        ((1080, 1920), (540, 960)),
        ((16, 40), (16, 40)),
        ((2160, 1620), (720, 540)),
    ],
)
def test_working_size_keeps_the_shape(size: tuple[int, int], expected: tuple[int, int]) -> None:
    assert flow.working_size(*size) == expected


def test_luma_of_every_depth_is_in_code_values_of_eight_bit() -> None:
    grey = np.full((20, 24, 3), 100)
    for depth in (8, 10, 16):
        codes = np.rint(grey * (2**depth - 1) / 255).astype(np.uint8 if depth == 8 else np.uint16)
        plane = flow.luma(frames([codes], depth), 0, (10, 12))
        assert plane.shape == (10, 12)
        assert plane.dtype == np.float32
        np.testing.assert_allclose(plane, 100, atol=0.13)


def test_luma_averages_down() -> None:
    picture = np.zeros((4, 6, 3), np.uint8)
    picture[0, 0] = 200
    plane = flow.luma(frames([picture]), 0, (2, 3))
    assert plane[0, 0] == 50
    assert plane.sum() == 50


@pytest.mark.parametrize("velocity", [(3, 1), (-9, 4), (20, -6)])
def test_vectors_are_those_of_the_scene(velocity: tuple[float, float]) -> None:
    scene = synth.Scene(270, 480, seed=2, velocity=velocity)
    start, end = (flow.luma(frames([scene.frame(t)]), 0, (270, 480)) for t in (0, 1))
    apart = np.linalg.norm(flow.estimate(start, end) - scene.flow(0, 1).transpose(1, 2, 0), axis=-1)
    error = apart[scene.visible(0, 1)]
    assert np.median(error) < 0.1
    assert error.mean() < 0.5


def test_equal_planes_do_not_move() -> None:
    plane = np.random.default_rng(0).uniform(0, 255, (60, 70)).astype(np.float32)
    assert np.abs(flow.estimate(plane, plane)).max() == 0


def test_fetch_reads_where_the_flow_points() -> None:
    plane = np.arange(20, dtype=np.float32).reshape(4, 5)
    moved = np.zeros((4, 5, 2), np.float32)
    moved[..., 0] = 1.5
    np.testing.assert_allclose(flow.fetch(plane, moved)[1], [6.5, 7.5, 8.5, 9, 9], atol=1e-3)


def test_content_is_visible_where_the_flows_agree_inside_the_frame() -> None:
    forth, back = np.zeros((20, 30, 2), np.float32), np.zeros((20, 30, 2), np.float32)
    forth[..., 0], back[..., 0] = 4, -4
    back[:, :10, 0] = -2.5  # |4 - 2.5|^2 = 2.25 is above 0.01 (16 + 6.25) + 0.5
    seen = flow.visible(forth, back)
    assert not seen[:, :6].any()  # points into columns 4 to 9
    assert seen[:, 6:26].all()
    assert not seen[:, 26:].any()  # leaves the frame


def test_bits_do_not_depend_on_threads_and_their_number_is_restored() -> None:
    scene = synth.Scene(180, 320, seed=5, velocity=(7, 3))
    made, before = [], cv2.getNumThreads()
    for threads in (1, 3):
        cv2.setNumThreads(threads)
        triplets = flow.triplets(
            between(scene.frame(0), [scene.frame(0.5), scene.frame(0.7)], scene.frame(1))
        )
        assert cv2.getNumThreads() == threads
        made.append(triplets)
    cv2.setNumThreads(before)
    assert made[0] is not None
    assert made[1] is not None
    for one, other in zip(*made, strict=True):
        assert np.array_equal(one.to_before, other.to_before)
        assert np.array_equal(one.to_after, other.to_after)
        assert np.array_equal(one.in_after, other.in_after)


def test_flows_of_a_batch_are_made_once(monkeypatch: pytest.MonkeyPatch) -> None:
    scene = synth.Scene(90, 120, seed=5)
    pairs, calls = between(scene.frame(0), [scene.frame(0.5)], scene.frame(1)), []
    estimate = flow.estimate
    monkeypatch.setattr(flow, "estimate", lambda *planes: calls.append(1) or estimate(*planes))
    assert flow.triplets(pairs) is flow.triplets(pairs)
    assert len(calls) == 4


def test_frames_that_are_too_small_have_no_flow() -> None:
    small = np.zeros((15, 400, 3), np.uint8)
    assert flow.triplets(between(small, [small], small)) is None


def test_missing_frames_are_refused() -> None:
    picture = np.zeros((32, 32, 3), np.uint8)
    with pytest.raises(UsageError, match="around is None"):
        flow.triplets(Pairs(frames([picture]), None))
    with pytest.raises(UsageError, match="ref is None"):
        flow.triplets(between(picture, [picture], picture), "ref")

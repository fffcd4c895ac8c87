"""Made-up scenes against what can be computed by hand."""

from __future__ import annotations

import itertools
from fractions import Fraction

import cv2
import numpy as np
import pytest

from vfiscope import synth
from vfiscope.errors import UsageError
from vfiscope.synth.texture import LEVELS, PALETTE_SIGMAS
from vfiscope.types import Role


@pytest.mark.parametrize("t", [0.0, 0.5, 3.0, 7.3])
def test_frame_is_the_sum_of_cosines_at_the_shifted_points(t: float) -> None:
    scene = synth.Scene(90, 160, seed=4, objects=0, velocity=(0.25, -1.5))
    ground = scene.ground
    assert isinstance(ground, synth.Ground)
    y, x = np.mgrid[:90, :160].astype(np.float64)
    x, y = x - 0.25 * t, y + 1.5 * t
    level = np.clip(ground.land(x, y) * LEVELS / (2 * PALETTE_SIGMAS) + LEVELS / 2, 0, LEVELS - 1)
    exact = ground.table[level.astype(int)] + ground.grain_level * ground.grain(x, y)[..., None]
    error = np.abs(scene.frame(t) - np.clip(exact, 0, 255))
    assert error.max() < 0.75
    assert error.mean() == pytest.approx(0.25, abs=0.01)  # rounding alone


def test_four_frames_of_a_quarter_pixel_are_one_pixel() -> None:
    scene = synth.Scene(60, 80, seed=2, objects=0, velocity=(0.25, 0.0))
    first, fifth = scene.frame(0).astype(int), scene.frame(4).astype(int)
    assert np.abs(fifth[:, 1:] - first[:, :-1]).max() <= 1
    assert np.abs(fifth - first).mean() > 1.0


def test_scenes_repeat_themselves_and_differ_by_seed() -> None:
    first = synth.Scene(60, 80, seed=2).frame(1.5)
    assert first.dtype == np.uint8
    assert first.shape == (60, 80, 3)
    assert np.array_equal(first, synth.Scene(60, 80, seed=2).frame(1.5))
    assert not np.array_equal(first, synth.Scene(60, 80, seed=3).frame(1.5))


@pytest.mark.parametrize("seed", range(4))
def test_scenes_have_structure_and_are_not_clipped(seed: int) -> None:
    luma = synth.Scene(180, 320, seed=seed).frame(0).astype(np.float64).mean(axis=2)
    assert 60 < luma.mean() < 200
    assert luma.std() > 20
    assert np.abs(np.diff(luma, axis=1)).mean() < 8  # noise of this deviation would have over 22
    assert np.mean((luma == 0) | (luma == 255)) < 0.01


def test_positions_follow_velocity_acceleration_and_bounces() -> None:
    shapes = (
        synth.Shape("disc", 10.0, 20.0, 8.0, 8.0, vx=1.5, vy=-0.5),
        synth.Shape("disc", 10.0, 20.0, 8.0, 8.0, vx=1.0, ax=0.5, ay=-0.25),
        synth.Shape("rectangle", 90.0, 30.0, 10.0, 20.0, vx=2.0, bounce=True),
    )
    scene = synth.Scene(60, 100, objects=shapes)
    assert scene.positions(0).tolist() == [[10, 20], [10, 20], [90, 30]]
    # 10 + 4 + 0.5 * 16 / 2 = 18; the rectangle turns at 95: 90 + 8 = 98 becomes 92.
    assert scene.positions(4).tolist() == [[16, 18], [18, 18], [92, 30]]
    assert synth.Scene(60, 100, objects=()).positions(4).shape == (0, 2)


@pytest.mark.parametrize(("kind", "area"), [("disc", np.pi * 15.0**2), ("rectangle", 30.0 * 30.0)])
@pytest.mark.parametrize("t", [0.0, 1.0, 2.7])
def test_shapes_are_painted_where_they_are_said_to_be(kind: str, area: float, t: float) -> None:
    shape = synth.Shape(kind, 50.25, 40.5, 30.0, 30.0, vx=1.3, vy=-0.7, seed=3)
    bare = synth.Scene(90, 120, seed=1, objects=()).frame(t).astype(int)
    change = (
        np.abs(synth.Scene(90, 120, seed=1, objects=(shape,)).frame(t).astype(int) - bare).max(
            axis=2
        )
        > 0
    )
    rows, columns = np.nonzero(change)
    assert rows.min() == pytest.approx(40.5 - 0.7 * t - 15.0, abs=1.0)
    assert rows.max() == pytest.approx(40.5 - 0.7 * t + 15.0, abs=1.0)
    assert columns.min() == pytest.approx(50.25 + 1.3 * t - 15.0, abs=1.0)
    assert columns.max() == pytest.approx(50.25 + 1.3 * t + 15.0, abs=1.0)
    assert change.sum() == pytest.approx(area, rel=0.08)


def test_soft_edges_cover_by_area() -> None:
    class White:
        def render(self, x: float, y: float, height: int, width: int) -> np.ndarray:
            return np.full((height, width, 3), 255.0, np.float32)

    # The left edge of the rectangle lies at 20.0 + t, in the middle of the pixel at 20 for t = 0.
    shape = synth.Shape("rectangle", 40.0, 30.0, 40.0, 40.0, vx=1.0, seed=3)
    scene = synth.Scene(60, 90, objects=(shape,), texture=White())
    cover = [255.0 - scene.frame(t)[30, 20].astype(float) for t in (-0.5, -0.25, 0.0, 0.25, 0.5)]
    assert np.allclose(cover[4], 0.0)
    assert np.all(np.diff([value.mean() for value in cover]) < 0)
    assert cover[2].mean() / cover[0].mean() == pytest.approx(0.5, abs=0.1)


def test_shapes_come_and_go() -> None:
    shape = synth.Shape("disc", 30.0, 30.0, 20.0, 20.0, appear=14, vanish=18)
    scene, bare = synth.Scene(60, 60, objects=(shape,)), synth.Scene(60, 60, objects=())
    there = [t for t in range(12, 20) if not np.array_equal(scene.frame(t), bare.frame(t))]
    assert there == [14, 15, 16, 17]
    assert scene.layers(13).max() == -1
    assert scene.layers(14)[30, 30] == 0
    assert not scene.visible(17, 18)[30, 30]


def test_flow_by_hand() -> None:
    shape = synth.Shape("rectangle", 30.0, 20.0, 20.0, 10.0, vx=2.0, vy=1.0)
    scene = synth.Scene(60, 80, objects=(shape,), velocity=(-0.5, 0.25))
    flow = scene.flow(1.0, 3.0)
    assert flow.dtype == np.float32
    assert flow.shape == (2, 60, 80)
    assert flow[:, 21, 32].tolist() == [4.0, 2.0]  # its centre at t = 1
    assert flow[:, 50, 70].tolist() == [-1.0, 0.5]
    assert np.sum(flow[0] == 4.0) == 21 * 11  # pixels with their centre on or inside the outline
    assert np.array_equal(scene.flow(3.0, 3.0), np.zeros((2, 60, 80)))


def test_visible_by_hand() -> None:
    shape = synth.Shape("rectangle", 30.0, 20.0, 20.0, 10.0, vx=10.0)
    scene = synth.Scene(60, 80, objects=(shape,), velocity=(0.0, 0.0))
    seen = scene.visible(0.0, 2.0, margin=0.0)
    assert seen[20, 30]  # on the rectangle
    assert not seen[20, 50]  # ground that the rectangle covers two frames later
    assert seen[20, 65]  # ground beyond it
    assert not scene.visible(0.0, 6.0, margin=0.0)[
        20, 30
    ]  # the rectangle's centre has left at x = 90
    assert not scene.visible(0.0, 2.0, margin=3.0)[20, 63]  # 3 px beside its later place
    assert scene.visible(0.0, 2.0, margin=2.0)[20, 63]


@pytest.mark.parametrize("seed", [0, 7])
@pytest.mark.parametrize(("t0", "t1"), [(0.0, 1.0), (3.0, 2.0), (1.0, 4.5)])
def test_later_frame_warped_by_the_flow_is_the_earlier(seed: int, t0: float, t1: float) -> None:
    scene = synth.Scene(180, 320, seed=seed, objects=4, velocity=(1.7, -0.6))
    flow, seen = scene.flow(t0, t1), scene.visible(t0, t1)
    y, x = np.mgrid[:180, :320].astype(np.float32)
    later = scene.frame(t1).astype(np.float32)
    warped = cv2.remap(later, x + flow[0], y + flow[1], cv2.INTER_CUBIC)
    residual = np.abs(warped - scene.frame(t0)).mean(axis=2)
    assert seen.mean() > 0.75
    assert residual[seen].mean() < 1.0
    unmoved = np.abs(later - scene.frame(t0)).mean(axis=2)
    assert unmoved[seen].mean() > 3 * residual[seen].mean()


def test_frames_are_rendered_one_at_a_time() -> None:
    calls = []

    class Counted:
        def render(self, x: float, y: float, height: int, width: int) -> np.ndarray:
            calls.append((x, y))
            return np.zeros((height, width, 3), np.float32)

    frames = synth.Scene(20, 30, objects=0, velocity=(2.0, 0.0), texture=Counted()).frames(
        10**9, start=1.0, step=0.5
    )
    assert calls == []
    assert len(list(itertools.islice(frames, 3))) == 3
    assert calls == [(-2.0, 0.0), (-3.0, 0.0), (-4.0, 0.0)]


def test_a_photo_moves_by_whole_pixels_exactly() -> None:
    photo = np.random.default_rng(0).integers(0, 256, (40, 60, 3), dtype=np.uint8)
    scene = synth.Scene(40, 60, objects=0, velocity=(3.0, -2.0), texture=photo)
    assert np.array_equal(scene.frame(0), photo)
    moved = scene.frame(1)
    assert np.array_equal(moved[:-2, 3:], photo[2:, :-3])
    assert np.array_equal(moved[:-2, :3], photo[2:, 2::-1])  # mirrored beyond the border
    assert np.array_equal(
        scene.frame(1000)[5, 7], photo[_mirror(5 + 2000, 40), _mirror(7 - 3000, 60)]
    )


def _mirror(index: int, size: int) -> int:
    while not 0 <= index < size:
        index = -1 - index if index < 0 else 2 * size - 1 - index
    return index


def test_a_photo_moves_by_parts_of_a_pixel() -> None:
    picture = synth.Scene(60, 80, seed=5, objects=0, velocity=(0.5, 0.25), shortest=12.0)
    photo = synth.Scene(60, 80, objects=0, velocity=(0.5, 0.25), texture=picture.frame(0))
    error = np.abs(photo.frame(1).astype(int) - picture.frame(1).astype(int))[4:-4, 4:-4]
    assert error.mean() < 0.34  # 0.25 by rounding; a tenth of a pixel amiss gives 0.40
    assert np.abs(photo.frame(1).astype(int) - picture.frame(0).astype(int)).mean() > 1.0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"height": 0}, "scene size is 0 x 640"),
        ({"objects": -1}, "objects is -1"),
        ({"texture": np.zeros((4, 4), np.uint8)}, r"texture is \(4, 4\) uint8"),
        ({"texture": np.zeros((4, 4, 3), np.float32)}, r"texture is \(4, 4, 3\) float32"),
    ],
)
def test_impossible_scenes(arguments: dict, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        synth.Scene(**arguments)


@pytest.mark.parametrize(
    ("kind", "width", "message"), [("star", 4.0, "kind is 'star'"), ("disc", 0.0, "size is 0.0 x")]
)
def test_impossible_shapes(kind: str, width: float, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        synth.Shape(kind, 0.0, 0.0, width, 4.0)


def test_clip_of_a_scene_knows_its_instants() -> None:
    scene = synth.Scene(20, 30, velocity=(1.0, 0.0))
    clip = scene.clip(5, rate=Fraction(24000, 1001), start=2.0, step=0.5)
    assert clip.instant.tolist() == [2.0, 2.5, 3.0, 3.5, 4.0]
    assert clip.time_base == Fraction(1001, 24000)
    assert clip.time_s[4] == pytest.approx(4 * 1001 / 24000, abs=1e-15)
    assert np.array_equal(clip.frames[3], scene.frame(3.5))
    assert clip.role.tolist() == [Role.PASSED] * 5


def test_every_public_name_is_there_and_documented() -> None:
    assert sorted(synth.__all__) == synth.__all__
    for name in synth.__all__:
        assert getattr(synth, name).__doc__, name

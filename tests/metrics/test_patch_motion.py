"""Motion against scenes whose every vector is known, and the aligning of pixels by itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from helpers.media import frames_of
from timm.models.vision_transformer import VisionTransformer

import vfiscope as vs
from vfiscope.embedders import Embedder
from vfiscope.embedders.dinov2 import Dinov2
from vfiscope.embedders.dsift import Dsift
from vfiscope.metrics import patch_matching, patches
from vfiscope.metrics.patch_alignment import luma_of, refine
from vfiscope.synth import Scene, Shape
from vfiscope.types import Float32, Frames, Int64, Pairs

MOVING = (
    Shape("disc", 150, 180, 150, 150, vx=12.0, vy=-7.0, seed=1),
    Shape("rectangle", 430, 170, 170, 140, vx=-2.5, vy=0.3, seed=2),
)
SCENES = {
    "0.3 px right": Scene(360, 640, 1, objects=0, velocity=(0.3, 0)),
    "0.3 px up": Scene(360, 640, 2, objects=0, velocity=(0, -0.3)),
    "1.75, 0.5": Scene(360, 640, 3, objects=0, velocity=(1.75, 0.5)),
    "6.5 px, half a patch": Scene(360, 640, 4, objects=0, velocity=(-6.4, 3.0)),
    "20 px left": Scene(360, 640, 5, objects=0, velocity=(-20, 0)),
    "20 px down, larger": Scene(540, 720, 6, objects=0, velocity=(0, 20)),
    "objects": Scene(360, 640, 7, objects=MOVING, velocity=(3.2, 1.1)),
    "tall, fine": Scene(500, 300, 8, objects=2, velocity=(-9.3, 1.7), shortest=5.0),
}


def random_dinov2() -> Dinov2:
    """A random network whose patches do not know where they are: with positions, nothing random
    finds them again."""
    torch.manual_seed(0)
    model = VisionTransformer(
        img_size=70,
        patch_size=14,
        embed_dim=192,
        depth=1,
        num_heads=4,
        num_classes=0,
        dynamic_img_size=True,
    )
    with torch.no_grad():
        model.pos_embed.zero_()
    return Dinov2(model, name="small", version="random", size=392)


def moved(
    embedder: Embedder, test: np.ndarray, ref: np.ndarray, window: int | None = None
) -> np.ndarray:
    """(2, h, w) the field of a pair."""
    frames = [frames_of([image]) for image in (test, ref)]
    pairs = Pairs(*frames, *(embedder.embed(each) for each in frames), window=window)
    (field,) = patches.FIELDS
    return field.compute(pairs)[0]


def aligned(test: Frames, ref: Frames, whole: Int64, start: Float32) -> Float32:
    grid = whole.shape[2], whole.shape[3]
    return refine(luma_of(test, grid), luma_of(ref, grid), whole, start)


def errors(scene: Scene, found: np.ndarray) -> np.ndarray:
    """Distances from the truth in px, at the centres of the patches that can be seen in both
    frames."""
    h, w = found.shape[1:]
    rows = ((np.arange(h) + 0.5) * scene.height / h).astype(int)
    columns = ((np.arange(w) + 0.5) * scene.width / w).astype(int)
    off = found - scene.flow(0, 1)[:, rows][:, :, columns]
    return np.hypot(*off)[scene.visible(0, 1)[rows][:, columns]]


def aligned_by_hand(test: np.ndarray, ref: np.ndarray, row: int, column: int) -> np.ndarray:
    """(dx, dy) in patches of a patch far from the borders, whose match is itself."""
    luma = [image @ (0.299, 0.587, 0.114) / 255 for image in (test, ref)]
    coarse = [
        F.interpolate(
            torch.from_numpy(p)[None, None], scale_factor=4 / 14, mode="bilinear", antialias=True
        )[0, 0]
        for p in luma
    ]
    at = np.zeros(2)
    for pictures, cell, reach in (([p.numpy() for p in coarse], 4, 4), (luma, 14, 10)):
        x, y = column * cell + cell // 2 - reach, row * cell + cell // 2 - reach
        n = 2 * reach
        own = pictures[0][y : y + n, x : x + n]

        def apart(dx: float, dy: float) -> np.ndarray:
            map_x, map_y = np.meshgrid(x + dx + np.arange(n), y + dy + np.arange(n))  # noqa: B023
            return bilinear(pictures[1], map_x, map_y) - own  # noqa: B023

        if cell == 4:
            shifts = [(dx, dy) for dy in range(-4, 5) for dx in range(-4, 5)]
            at = np.array(min(shifts, key=lambda s: apart(*s).var())) / cell
        slopes = np.gradient(pictures[0])
        gx, gy = (
            s[y : y + n, x : x + n] - s[y : y + n, x : x + n].mean() for s in (slopes[1], slopes[0])
        )
        tensor = np.array([[(gx * gx).sum(), (gx * gy).sum()], [(gx * gy).sum(), (gy * gy).sum()]])
        for _ in range(3):
            error = apart(*(at * cell))
            at = at - np.linalg.solve(tensor, [(gx * error).sum(), (gy * error).sum()]) / cell
    return at


def bilinear(plane: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    left, top = np.floor(x).astype(int), np.floor(y).astype(int)
    x, y = x - left, y - top
    above = plane[top, left] * (1 - x) + plane[top, left + 1] * x
    below = plane[top + 1, left] * (1 - x) + plane[top + 1, left + 1] * x
    return above * (1 - y) + below * y


@pytest.mark.slow
@pytest.mark.parametrize("name", SCENES)
def test_motion_is_right_to_a_fraction_of_a_pixel(name: str) -> None:
    """Half a pixel is asked of the median. A random network finds few patches again, but these are
    as exact."""
    scene = SCENES[name]
    images = scene.frame(0), scene.frame(1)
    off = errors(scene, moved(Dsift(), *images))
    assert len(off) > 300
    assert np.median(off) <= 0.1
    assert np.mean(off > 0.5) < 0.2
    off = errors(scene, moved(random_dinov2(), *images, window=2))
    assert len(off) > 300
    assert np.median(off) <= 0.5


def test_the_embedding_alone_is_not_as_near() -> None:
    """What the refinement is for: without it the half patch is a pixel or two off."""
    scene = SCENES["6.5 px, half a patch"]
    features = [Dsift().embed(frames_of([scene.frame(t)])) for t in (0, 1)]
    _, start = patch_matching.motion(patch_matching.match(*features))
    assert np.median(errors(scene, start[0] * 640 / 50)) > 1


def test_the_aligning_finds_its_way_from_a_neighbouring_patch() -> None:
    """A match one patch off is corrected where the true place is within one patch of it, and else
    left alone."""
    scene = SCENES["1.75, 0.5"]
    frames = frames_of([scene.frame(0)]), frames_of([scene.frame(1)])
    truth = np.array([1.75 / 12.8, 0.5 * 28 / 360])[:, None, None]
    for shift, near in ((0, True), (-1, False), (1, True), (2, False)):
        whole = np.zeros((1, 2, 28, 50), np.int64)
        whole[:, 0, :, 2:-2] = shift  # inside the frame, as every match is
        found = aligned(*frames, whole, whole.astype(np.float32))[0]
        assert np.abs(found - whole[0]).max() <= 1
        off = np.abs(found - truth).max(axis=0)[3:-3, 3:-3]
        assert ((off < 0.02).mean() > 0.9) == near


def test_where_pixels_say_nothing_the_embedding_is_kept() -> None:
    """Flat, striped (one direction only) and equal frames leave every bit of the start."""
    start = np.random.default_rng(1).random((1, 2, 4, 6), np.float32) - np.float32(0.5)
    whole = np.zeros((1, 2, 4, 6), np.int64)
    flat = np.full((56, 84, 3), 90, np.uint8)
    stripes = np.tile(
        (np.arange(84) // 5 % 2 * 100 + 50).astype(np.uint8)[None, :, None], (56, 1, 3)
    )
    for test, ref in ((flat, flat + 3), (stripes, np.roll(stripes, 2, axis=1))):
        assert np.array_equal(aligned(frames_of([test]), frames_of([ref]), whole, start), start)
    textured = Scene(56, 84, 1, objects=0).frame(0)
    for picture in (flat, stripes, textured):
        zero = np.zeros_like(start)
        assert (aligned(frames_of([picture]), frames_of([picture]), whole, zero) == 0).all()


def test_brightness_and_depth_do_not_move_anything() -> None:
    scene = SCENES["1.75, 0.5"]
    test, ref = scene.frame(0) // 2 + 20, scene.frame(1) // 2 + 20
    whole = np.zeros((1, 2, 28, 50), np.int64)
    plain = aligned(frames_of([test]), frames_of([ref]), whole, whole.astype(np.float32))
    brighter = aligned(frames_of([test]), frames_of([ref + 30]), whole, whole.astype(np.float32))
    assert np.median(np.abs(plain - brighter)) < 1e-4
    deep = [frames_of([image]) for image in (test, ref)]
    deep = [
        Frames(
            f.data.astype(np.uint16) * 257,
            f.index,
            f.pts,
            f.time_s,
            f.status,
            f.time_base,
            16,
        )
        for f in deep
    ]
    assert np.median(np.abs(plain - aligned(*deep, whole, whole.astype(np.float32)))) < 1e-4


def test_bits_depend_neither_on_threads_nor_on_the_batch(threads: Callable[[int], None]) -> None:
    scene = SCENES["tall, fine"]
    test, ref = (frames_of(list(scene.frames(2, start=start))) for start in (0, 1))
    whole = np.zeros((2, 2, 47, 28), np.int64)
    made = []
    for count in (1, 2):
        threads(count)
        made.append(aligned(test, ref, whole, whole.astype(np.float32)))
    assert np.array_equal(made[0], made[1])
    alone = aligned(test[1:], ref[1:], whole[1:], whole[1:].astype(np.float32))
    assert np.array_equal(alone[0], made[0][1])


def test_a_match_outside_the_frame_and_a_guess_far_from_it_are_refused() -> None:
    frame = frames_of([Scene(56, 84, 1, objects=0).frame(0)])
    whole = np.zeros((1, 2, 4, 6), np.int64)
    for axis, places in ((0, 6), (1, 4)):
        for row, column, shift in ((0, 0, -1), (3, 5, 1), (3, 5, -places)):
            outside = whole.copy()
            outside[0, axis, row, column] = shift
            with pytest.raises(ValueError, match=f"leaves the {places} patches"):
                aligned(frame, frame, outside, outside.astype(np.float32))
        for guess in (1.01, float("nan")):
            far = whole.astype(np.float32)
            far[0, axis, 2, 3] = guess
            with pytest.raises(ValueError, match=f"{places} patches"):
                aligned(frame, frame, whole, far)


def test_luma_is_that_of_the_tensor_functions_and_of_the_features() -> None:
    """Of interleaved and of planar memory, at another size and at the same."""
    for scene, grid in ((Scene(100, 150, 1, objects=0), (4, 6)), (Scene(56, 84, 1), (4, 6))):
        frames = frames_of([scene.frame(0)])
        planar = replace(frames, data=np.ascontiguousarray(frames.data))
        made = luma_of(frames, grid)
        assert made.shape == (1, 56, 84)
        assert np.array_equal(luma_of(planar, grid), made)
        assert luma_of(frames.to("cpu"), grid) == pytest.approx(made, abs=1e-4)
        features = Dsift(size=56).embed(frames)
        assert luma_of(frames, grid, features.luma) is features.luma
        assert np.array_equal(features.luma, made)
        assert luma_of(frames, (2, 3), features.luma).shape == (1, 28, 42)


def test_the_aligning_follows_its_formula() -> None:
    """One patch against the same steps in float64, written out with slices of the frame itself."""
    scene = SCENES["1.75, 0.5"]
    test, ref = (scene.frame(t)[:70, :98] for t in (0, 1))
    whole = np.zeros((1, 2, 5, 7), np.int64)
    found = aligned(frames_of([test]), frames_of([ref]), whole, whole.astype(np.float32))[
        0, :, 2, 3
    ]
    assert np.allclose(found, aligned_by_hand(test, ref, 2, 3), atol=1e-5)


def test_the_window_and_the_refinement_reach_a_run() -> None:
    """70 px to the left: 5 patches of 14 are found without a window of 2, and not within it."""
    scene = Scene(140, 280, 4, objects=0, velocity=(-70, 0))
    options = {"embedder": "dsift", "size": 140, "metrics": ["mismatch"]}
    free, narrow = (
        vs.compare(scene.frame(0), scene.frame(1), window=window, **options).fields["motion"][0][
            :, 3:-3, 8:-3
        ]
        for window in (None, 2)
    )
    assert np.median(free[0]) == pytest.approx(-70, abs=0.1)
    assert np.median(np.abs(free[1])) < 0.1
    assert np.abs(narrow).max() <= 3 * 14  # a patch more than the window, by the aligning

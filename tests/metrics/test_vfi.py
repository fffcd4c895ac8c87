"""vfi: its parts by hand, the laws of a metric, and its constants against what the fit gives."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterator
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from numpy.typing import NDArray

from vfiscope import synth
from vfiscope.embedders import open_embedder
from vfiscope.errors import UsageError
from vfiscope.metrics import METRICS, pixel_pairs
from vfiscope.metrics.vfi import PARTS, SCALE, compared, detail, parts, vfi
from vfiscope.types import Frames
from vfiscope.types.batch import to_tensor

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"
LUMA = np.array([0.299, 0.587, 0.114])


def planar(array: NDArray[np.integer]) -> NDArray[np.integer]:
    """(N, H, W, 3) -> the (N, 3, H, W) view that sources yield."""
    return np.ascontiguousarray(array).transpose(0, 3, 1, 2)


def noise(seed: int, shape: tuple[int, ...] = (1, 64, 90, 3)) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, shape).astype(np.uint8)


def flat(value: int, shape: tuple[int, ...] = (1, 64, 64, 3)) -> NDArray[np.uint8]:
    return np.full(shape, value, np.uint8)


def formula(values: list[float]) -> float:
    powers = [
        (1 + value / part.softness) ** part.weight
        for value, part in zip(values, PARTS.values(), strict=True)
    ]
    return SCALE * (math.prod(powers) - 1)


@pytest.fixture
def clip() -> synth.Clip:
    return synth.Scene(120, 160, seed=1, velocity=(2.0, 0.0)).clip(8)


@pytest.fixture
def fit(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    import vfi_fit

    return vfi_fit


@pytest.fixture
def benchmark(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    import vfi as module

    yield module
    del sys.modules["vfi"]


@pytest.mark.parametrize(
    "frame",
    [flat(0), flat(255), noise(1), noise(2, (1, 65, 203, 3))],
    ids=["black", "white", "noise", "odd"],
)
def test_identical_frames_score_exactly_0(frame: NDArray[np.uint8]) -> None:
    assert vfi(planar(frame), planar(frame.copy())).tolist() == [0.0]
    assert parts(planar(frame), planar(frame.copy())).tolist() == [[0.0] * 4]


def test_two_greys_by_hand() -> None:
    # No gradients: descriptors differ in colour alone, a third of their squared length, by an angle
    # of 100 / 255 of a quarter turn. SSIM is its luminance term.
    across = math.sqrt((1 - math.cos(math.pi / 2 * 100 / 255)) / 3)
    c1 = (0.01 * 255) ** 2
    apart = 1 - (2 * 100 * 200 + c1) / (100**2 + 200**2 + c1)
    test, ref = planar(flat(100)), planar(flat(200))
    assert parts(test, ref)[0].tolist() == pytest.approx([across, across, apart, 0.0], abs=1e-4)
    assert vfi(test, ref).item() == pytest.approx(formula([across, across, apart, 0.0]), rel=1e-3)


def test_lost_stripes_by_hand() -> None:
    stripes = flat(100)
    stripes[:, :, 1::2] = 140
    # |2 Y - Y_left - Y_right| is 80, and 40 in the first and last of 64 columns; down it is 0.
    border, inner = 80 - 40 / 16, 80
    lost = (border / (border + 4) + inner / (inner + 4)) / 2
    blank, full = planar(flat(120)), planar(stripes)
    assert detail(pixel_pairs.same_scale(blank, full, 8, 8)).item() == pytest.approx(lost, rel=1e-5)
    assert detail(pixel_pairs.same_scale(full, blank, 8, 8)).item() == 0.0


def test_appearance_is_the_distance_of_the_embedders_descriptors() -> None:
    test, ref = (planar(noise(seed, (1, 392, 406, 3))) for seed in (3, 4))
    order = np.zeros(1, np.int64)
    both = [
        Frames(x, order, order, np.zeros(1), np.zeros(1, np.uint8), Fraction(1, 25))
        for x in (test, ref)
    ]
    one, other = (
        open_embedder("dsift").embed(frames).patches[0].astype(np.float64) for frames in both
    )
    expected = np.sqrt(1 - (one * other).sum(-1)).mean()
    moved = pixel_pairs.same_scale(to_tensor(test, "cpu"), to_tensor(ref, "cpu"), 8, 8)
    found = compared(moved, (14,))[0, 0]
    assert found.item() == pytest.approx(expected, rel=1e-5)


def test_the_score_is_the_formula_of_its_parts() -> None:
    test, ref = planar(noise(5) // 2), planar(noise(6))
    values = parts(test, ref)[0].tolist()
    assert min(values) > 0
    assert vfi(test, ref).item() == pytest.approx(formula(values), rel=1e-6)


def test_no_score_falls_when_a_part_rises_or_leaves_the_range() -> None:
    assert all(part.softness > 0 and part.weight > 0 for part in PARTS.values())
    assert 1.5 < formula([1.0, 1.0, 2.0, 1.0]) < METRICS["vfi"].spec.high


FAULTS = {
    "blur": ("sigma", (0.5, 1.0, 2.0, 4.0)),
    "ghost": ("distance", (1, 2, 3)),
    "shift": ("dx", (1, 2, 4, 8)),
    "noise": ("sigma", (1.0, 2.0, 4.0, 8.0, 16.0, 32.0)),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_scores_grow_with_the_fault(fault: str, clip: synth.Clip) -> None:
    name, strengths = FAULTS[fault]
    ref = planar(clip.frames[3:4])
    made = [
        getattr(synth, fault)(clip, 3, 4, **{name: strength}).frames[3:4] for strength in strengths
    ]
    scores = [0.0, *(vfi(planar(frame), ref).item() for frame in made)]
    assert all(more > less * 1.2 for less, more in pairwise(scores)), scores


def test_only_a_blurred_test_frame_loses_detail(clip: synth.Clip) -> None:
    sharp, soft = planar(clip.frames[3:4]), planar(synth.blur(clip, 3, 4, sigma=2.0).frames[3:4])
    lost, gained = (
        detail(pixel_pairs.same_scale(*pair, 8, 8)).item()
        for pair in ((soft, sharp), (sharp, soft))
    )
    assert lost > 0.1
    assert gained < 0.01


def test_scores_depend_on_neither_batch_nor_threads(threads: Callable[[int], None]) -> None:
    test, ref = (planar(noise(seed, (4, 133, 260, 3))) for seed in (7, 8))
    threads(2)
    whole = parts(test, ref), vfi(test, ref)
    threads(1)
    for row in range(4):
        assert np.array_equal(whole[0][row], parts(test[row : row + 1], ref[row : row + 1])[0])
        assert np.array_equal(whole[1][row], vfi(test[row : row + 1], ref[row : row + 1])[0])
    assert np.array_equal(whole[1], vfi(test[::-1], ref[::-1])[::-1])


def test_planes_first_score_as_interleaved_frames_do() -> None:
    test, ref = planar(noise(9)), planar(noise(10))
    assert np.array_equal(
        vfi(np.ascontiguousarray(test), np.ascontiguousarray(ref)), vfi(test, ref)
    )


@pytest.mark.parametrize("depth", [10, 16])
def test_deep_frames_score_as_8_bit_frames_of_the_same_shade(depth: int) -> None:
    test, ref = noise(11), noise(11) // 2 + 40
    deep = [planar(np.rint(x / 255 * (2**depth - 1)).astype(np.uint16)) for x in (test, ref)]
    got = vfi(*deep, test_depth=depth, ref_depth=depth).item()
    assert got == pytest.approx(vfi(planar(test), planar(ref)).item(), rel=2e-3)


def test_the_same_frame_in_8_and_16_bit_is_identical() -> None:
    frame = noise(12)
    assert vfi(planar(frame), planar(frame.astype(np.uint16) * 257), ref_depth=16).tolist() == [0.0]


@pytest.mark.parametrize("size", [(64, 64), (11, 11), (67, 129), (1, 1), (10, 64)])
def test_every_size_from_11_px_has_a_score(size: tuple[int, int]) -> None:
    test, ref = (planar(noise(seed, (2, *size, 3))) for seed in (13, 14))
    assert np.isfinite(vfi(test, ref)).tolist() == [min(size) >= 11] * 2


def test_an_empty_batch_has_no_scores() -> None:
    none = planar(noise(15, (0, 64, 64, 3)))
    assert vfi(none, none).shape == (0,)


@pytest.mark.parametrize(
    ("ref", "depth", "message"),
    [
        (
            noise(16, (1, 64, 88, 3)),
            8,
            "pass two arrays, or two tensors on one device, of one shape",
        ),
        (noise(16), 10, "with bit depth 10"),
    ],
)
def test_bad_input_is_refused(ref: NDArray[np.uint8], depth: int, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        vfi(planar(noise(17)), planar(ref), ref_depth=depth)


def planted(fit: ModuleType, scenes: int = 16, each: int = 4) -> object:
    """A table whose LPIPS is a vfi of known weights, with softness as the fit would choose it."""
    rng = np.random.default_rng(18)
    scene = np.repeat(np.arange(scenes), each)
    pool = {name: np.exp(rng.normal(-4, 1, len(scene))) for name in fit.POOL}
    soft = {name: 0.1 * float(np.median(values)) for name, values in pool.items()}
    exponent = 0.6 * np.log1p(pool["fine"] / soft["fine"]) + 0.3 * np.log1p(
        pool["detail"] / soft["detail"]
    )
    lpips = fit.SMALL * np.expm1(exponent + 0.2)
    return fit.Table([str(s) for s in range(scenes)], scene, lpips, {}, pool)


def test_the_fit_finds_planted_weights(fit: ModuleType) -> None:
    table = planted(fit)
    everything = table.scene >= 0
    choice = fit.chosen(table, everything)
    # A part too many would get hardly any weight; one too few would not fit.
    assert {"fine", "detail"} <= set(choice.parts)
    assert choice.softness == 0.1
    found = fit.fitted(table, everything, fit.Choice(fit.POOL, 0.1))
    assert found.scale == pytest.approx(fit.SMALL * math.exp(0.2), rel=1e-6)
    weights = {name: weight for name, (_, weight) in found.parts.items() if weight > 1e-6}
    assert weights == pytest.approx({"fine": 0.6, "detail": 0.3}, rel=1e-6)


def test_a_scene_has_no_say_in_its_own_prediction(
    fit: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        fit, "CHOICES", [choice for choice in fit.CHOICES if len(choice.parts) == 2][:6]
    )
    table = planted(fit, scenes=9, each=3)
    before, _ = fit.out_of_scene(table)
    table.lpips[table.scene == 2] = (0.5, 0.001, 0.2)
    after, _ = fit.out_of_scene(table)
    assert np.array_equal(before[table.scene == 2], after[table.scene == 2])
    assert not np.array_equal(before[table.scene == 3], after[table.scene == 3])


def test_constants_are_what_the_fit_gives(fit: ModuleType) -> None:
    table = fit.load(BENCHMARKS / "vfi.csv")
    everything = table.scene >= 0
    found = fit.fitted(table, everything, fit.chosen(table, everything))
    assert pytest.approx(found.scale, rel=1e-3) == SCALE
    assert list(found.parts) == list(PARTS)
    for name, part in PARTS.items():
        assert (part.softness, part.weight) == pytest.approx(found.parts[name], rel=1e-3), name


@pytest.mark.slow
def test_what_the_fit_was_made_on_is_what_real_scenes_measure(
    benchmark: ModuleType, fit: ModuleType, shared_data: Path
) -> None:
    """Three scenes of 57; ``--fit`` measures all, which takes a minute."""
    kept = fit.load(BENCHMARKS / "vfi.csv")
    assert (len(kept.scenes), len(kept.lpips)) == (57, 216)
    wanted = (
        kept.scenes[0],
        kept.scenes[20],
        next(name for name in kept.scenes if name.startswith("Middlebury")),
    )
    scenes = (triplet for triplet in benchmark.triplets(shared_data) if triplet.name in wanted)
    found, _ = benchmark.measured(scenes, benchmark.Lpips(shared_data), metrics=False)
    rows = np.isin(kept.scene, [kept.scenes.index(name) for name in wanted])
    # DIS flow, JPEG decoders and the network may round differently on another machine.
    assert found.lpips == pytest.approx(kept.lpips[rows], rel=0.02)
    for name in fit.POOL:
        assert found.pool[name] == pytest.approx(kept.pool[name][rows], rel=0.02), name


def test_motion_compensation_is_nearer_than_repeat_and_blend(benchmark: ModuleType) -> None:
    scene = synth.Scene(120, 160, seed=2, velocity=(3.0, 1.0), objects=0)
    triplet = benchmark.Triplet("moving", *(scene.frame(t) for t in (0.0, 1.0, 2.0)))
    truth = planar(triplet.truth[None])
    scores = {
        name: vfi(planar(frame[None]), truth).item() for name, frame in triplet.candidates().items()
    }
    assert scores["motion"] < 0.3 * min(scores["repeat"], scores["blend"])

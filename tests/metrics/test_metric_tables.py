"""The tables of metrics: names, specs, and that the table computes what the functions do, sharing
work."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from vfiscope.errors import UsageError
from vfiscope.metrics import FIELDS, MAPS, METRICS, gmsd, pixel, pixel_pairs, ssim, vfi
from vfiscope.metrics.kernels import difference_kernels, ssim_kernels
from vfiscope.options import RunConfig
from vfiscope.options.computing_options import (
    DEFAULT_FIELDS,
    DEFAULT_MAPS,
    DEFAULT_METRICS,
    FIELD_METRICS,
)
from vfiscope.store import spec_attributes
from vfiscope.types import Frames, Needs, Pairs

FUNCTIONS = {
    "mse": pixel.mse,
    "psnr": pixel.psnr,
    "psnr_y": pixel.psnr_y,
    "absdiff": pixel.absdiff,
    "ssim": ssim.ssim,
    "ssim_rgb": ssim.ssim_rgb,
    "ms_ssim": ssim.ms_ssim,
    "gmsd": gmsd.gmsd,
    "vfi": vfi.vfi,
}
MAP_FUNCTIONS = {"absdiff": pixel.absdiff_map, "ssim": ssim.ssim_map}
PIXEL_METRICS = [metric for metric in METRICS.values() if metric.spec.needs == Needs.REF]


def frames(array: NDArray[np.integer], depth: int = 8) -> Frames:
    n = len(array)
    data = array.transpose(0, 3, 1, 2)
    order = np.arange(n, dtype=np.int64)
    return Frames(data, order, order, order / 25, np.zeros(n, np.uint8), Fraction(1, 25), depth)


LEVELS = ("level_y", "level_cb", "level_cr")


def noise(seed: int) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, (2, 180, 200, 3), dtype=np.uint8)


def test_names_of_the_contract_are_there() -> None:
    assert set(METRICS) >= {*FUNCTIONS, "cosine", "mismatch"}
    assert set(METRICS) >= {"cosine_before", "cosine_after", "midpoint_px", "ghosting", "warp"}
    assert set(MAPS) >= {"absdiff", "ssim", "mismatch", "ghosting", "warp"}
    assert set(FIELDS) >= {"motion"}
    assert set(METRICS) >= set(DEFAULT_METRICS)
    assert set(MAPS) >= set(DEFAULT_MAPS)
    assert set(FIELDS) >= set(DEFAULT_FIELDS) == set(FIELD_METRICS)


@pytest.mark.parametrize(
    ("inputs", "metrics", "maps", "fields"),
    [
        ({"ref": "r"}, (), ("mismatch",), ("motion",)),
        ({"ref": "r"}, ("psnr", "ssim"), ("none",), ("none",)),
        ({"ref": "r"}, ("cosine",), ("none",), ("none",)),
        ({"ref": "r"}, ("mismatch",), ("mismatch",), ("motion",)),
        ({}, (), ("fault", "ghosting", "warp", "foreign"), ("none",)),
        ({"source": "s"}, ("midpoint_px", "warp"), ("warp",), ("none",)),
    ],
)
def test_maps_and_fields_are_those_of_the_metrics(
    inputs: dict[str, str], metrics: tuple[str, ...], maps: tuple[str, ...], fields: tuple[str, ...]
) -> None:
    """Asking for PSNR alone embeds and matches nothing."""
    config = RunConfig("score", "t", metrics=metrics, **inputs)
    assert (config.maps, config.fields) == (maps, fields)
    asked = RunConfig("score", "t", metrics=metrics, maps=("ssim",), fields=("motion",), **inputs)
    assert (asked.maps, asked.fields) == (("ssim",), ("motion",))
    assert config.replace(batch=3).maps == maps


@pytest.mark.parametrize(
    ("mode", "inputs", "first", "last"),
    [
        ("score", {"ref": "r"}, ("cosine", "mismatch"), ("psnr", "ssim")),
        ("scan", {}, ("cosine", "mismatch"), ("psnr", "ssim")),
        ("compare", {"ref": "r"}, ("cosine", "mismatch"), ("psnr", "ssim")),
        ("score", {"source": "s"}, ("cosine_before", "cosine_after"), ("psnr", "ssim", *LEVELS)),
        ("score", {}, ("cosine_before", "cosine_after"), ("cut", *LEVELS)),
    ],
)
def test_embeddings_come_first_and_pixels_last(
    mode: str, inputs: dict[str, str], first: tuple[str, ...], last: tuple[str, ...]
) -> None:
    """The codec's PSNR of originals passed through never heads a table of interpolated frames."""
    metrics = RunConfig(mode, "t", **inputs).metrics
    assert metrics[: len(first)] == first
    assert metrics[-len(last) :] == last


def test_a_copy_with_other_metrics_has_their_maps() -> None:
    config = RunConfig("score", "t", "r")
    assert config.replace(metrics=("psnr",)).maps == ("none",)
    assert config.replace(metrics=("psnr",)).replace(metrics=()).fields == ("motion",)


@pytest.mark.parametrize("table", [METRICS, MAPS], ids=["metrics", "maps"])
def test_specs_are_sound(table: dict[str, Any]) -> None:
    for name, metric in table.items():
        spec = metric.spec
        assert spec.name == name
        assert spec.low < spec.high
        signed = spec.low < spec.identity < spec.high
        assert signed == (name == "midpoint_px" or name.startswith("level"))
        assert signed or spec.identity == (spec.low if spec.lower_is_better else spec.high)
        assert 0 < spec.floor < math.inf
        # Levels take the partner or the frames around, whichever there is.
        assert spec.needs & (Needs.REF | Needs.NEIGHBOURS) or name.startswith("level_")
        assert spec.description
        assert "\n" not in spec.description


def test_a_metric_without_ground_truth_does_not_rank_and_older_files_know_it() -> None:
    asked_alone = {name for name, metric in METRICS.items() if Needs.REF not in metric.spec.needs}
    assert {name for name, metric in METRICS.items() if not metric.spec.ranks} == asked_alone - {
        "fault"
    }
    assert asked_alone > spec_attributes.UNRANKED


@pytest.mark.parametrize("metric", PIXEL_METRICS, ids=lambda metric: metric.spec.name)
def test_identical_frames_score_the_identity_of_the_spec(metric: Any) -> None:
    same = frames(noise(1))
    scores = metric.compute(Pairs(same, same))
    assert scores.dtype == np.float32
    assert scores.tolist() == [metric.spec.identity] * 2


@pytest.mark.parametrize("metric", PIXEL_METRICS, ids=lambda metric: metric.spec.name)
def test_worse_frames_score_worse_within_the_bounds(metric: Any) -> None:
    ref, low = noise(2), METRICS[metric.spec.name].spec.low
    little, much = (
        np.clip(ref + np.random.default_rng(3).normal(0, s, ref.shape), 0, 255) for s in (3, 40)
    )
    scores = [
        metric.compute(Pairs(frames(test.astype(np.uint8)), frames(ref))) for test in (little, much)
    ]
    worse = scores[1] > scores[0] if metric.spec.lower_is_better else scores[1] < scores[0]
    assert worse.all()
    assert all(low <= value <= metric.spec.high for score in scores for value in score.tolist())


@pytest.mark.parametrize("depths", [(8, 8), (8, 16)])
def test_tables_compute_what_the_functions_do(depths: tuple[int, int]) -> None:
    test, ref = (
        frames(noise(seed).astype(np.uint8 if depth == 8 else np.uint16), depth)
        for seed, depth in zip((4, 5), depths, strict=True)
    )
    pairs = Pairs(test, ref)
    depth = {"test_depth": depths[0], "ref_depth": depths[1]}
    for table, functions in ((METRICS, FUNCTIONS), (MAPS, MAP_FUNCTIONS)):
        for name, function in functions.items():
            assert np.array_equal(
                table[name].compute(pairs), function(test.data, ref.data, **depth)
            ), name


PIXEL_PARTS = [*PIXEL_METRICS, *(MAPS[name] for name in MAP_FUNCTIONS)]


@pytest.mark.parametrize("depths", [(8, 8), (10, 10), (8, 16)])
@pytest.mark.parametrize("metric", PIXEL_PARTS)
def test_loops_and_tensor_functions_compute_the_same(metric: Any, depths: tuple[int, int]) -> None:
    peaks = [2**depth - 1 for depth in depths]
    test, ref = (
        frames((noise(seed) / 255 * peak).astype(np.uint8 if peak == 255 else np.uint16), depth)
        for seed, peak, depth in zip((4, 5), peaks, depths, strict=True)
    )
    loops = metric.compute(Pairs(test, ref))
    tensors = metric.compute(Pairs(test.to("cpu"), ref.to("cpu")))
    assert isinstance(loops, np.ndarray)
    assert isinstance(tensors, torch.Tensor)
    assert loops.dtype == np.float32
    assert tensors.dtype == torch.float32
    np.testing.assert_allclose(tensors, loops, rtol=2e-5, atol=2e-6)


def test_metrics_of_a_batch_share_their_work(monkeypatch: pytest.MonkeyPatch) -> None:
    called = []
    in_bands = ssim_kernels.in_bands

    def counted(kernel: Any, *arguments: Any) -> None:
        called.append(kernel.__name__)
        in_bands(kernel, *arguments)

    for kernels in (ssim_kernels, difference_kernels):
        monkeypatch.setattr(kernels, "in_bands", counted)
    pairs = Pairs(frames(noise(6)), frames(noise(7)))
    names = ("mse", "psnr", "absdiff", "ssim", "ms_ssim", "gmsd")
    for metric in sorted((METRICS[name] for name in names), key=lambda each: not each.early):
        metric.compute(pairs)
    assert called.count("_squared_bytes") == called.count("_absolute_bytes") == 1
    assert called.count("_ssim_frames") == 1
    assert called.count("_halve_frames") == 0  # they come with the pass of MS-SSIM


@pytest.mark.parametrize("metric", PIXEL_METRICS, ids=lambda metric: metric.spec.name)
def test_pairs_without_a_reference_are_refused(metric: Any) -> None:
    with pytest.raises(UsageError, match="ref is None"):
        metric.compute(Pairs(frames(noise(8)), None))


def test_interleaved_frames_are_not_copied() -> None:
    array = noise(9)
    a = pixel_pairs.same_scale(frames(array).data, frames(array).data, 8, 8)
    assert all(np.shares_memory(plane, array) for plane in a.arrays)


@pytest.mark.parametrize(("length", "cells"), [(1, 1), (31, 1), (32, 2), (47, 2), (1080, 67)])
def test_cells_cover_a_side_without_gaps(length: int, cells: int) -> None:
    edges = pixel_pairs.cell_edges(length)
    assert len(edges) == cells + 1
    assert (edges[0], edges[-1]) == (0, length)
    assert length < 16 or set(np.diff(edges)) <= set(range(16, 32))

"""Thresholds, cleaning and proposals on maps that can be counted by hand."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from skimage.filters import threshold_otsu

from vfiscope.regions.clean import closed, dilated, in_turn, opened
from vfiscope.regions.kmeans import strongest_cluster
from vfiscope.regions.propose.components import components
from vfiscope.regions.propose.contours import contours
from vfiscope.regions.steps import Cut, Difference
from vfiscope.regions.threshold import any_level, otsu, quantile
from vfiscope.types import Box


def of(values: np.ndarray, valid: np.ndarray | None = None) -> Difference:
    valid = np.ones(values.shape, bool) if valid is None else valid
    return Difference(values.astype(np.float32), "code values", valid)


RAMP = of(np.arange(100).reshape(10, 10))


def test_quantiles_flag_a_share_above_a_floor() -> None:
    for share, flagged in ((0.98, 2), (0.95, 5), (0.90, 10)):
        cut = quantile(RAMP, share=share)
        assert np.count_nonzero(cut.mask) == flagged
        assert (cut.mask == (RAMP.values > cut.level)).all()
    assert quantile(RAMP, share=0.5).level == 49.5
    assert quantile(RAMP, share=0.5, floor=97).mask.sum() == 2
    half = of(RAMP.values, RAMP.values < 50)  # the rest cannot be decided
    assert quantile(half, share=0.5).level == 24.5
    nowhere = of(RAMP.values, np.zeros((10, 10), bool))
    for cut in (quantile(nowhere, share=0.5), otsu(nowhere)):
        assert (cut.level, cut.mask.any()) == (np.inf, False)


def test_otsu_equals_scikit_image() -> None:
    rng = np.random.default_rng(3)
    values = np.rint(np.concatenate([rng.normal(20, 6, 700), rng.normal(120, 20, 300)]))
    made = of(values.clip(0, 255).reshape(20, 50))
    assert otsu(made).level == threshold_otsu(made.values.astype(np.uint8))
    scaled = of(made.values / 100)
    assert (otsu(scaled, step=0.01).mask == otsu(made).mask).all()
    assert otsu(made, floor=200).level == 200


def test_any_level_joins_layers_that_are_cleaned_first() -> None:
    layers = np.zeros((2, 12, 12), np.float32)
    layers[0, 1:5, 1:5] = 35
    layers[1, 6:10, 6:10] = 80
    layers[1, 0, 11] = 80  # a speck
    difference = Difference(layers.max(axis=0), "code values", np.ones((12, 12), bool), layers)
    cut = any_level(difference, levels=(70, 30), clean=partial(opened, size=3))
    assert (cut.level, cut.mask.sum()) == (30, 32)
    only = any_level(difference, levels=(70,), clean=partial(opened, size=3))
    assert only.mask.sum() == 16


def test_cleaning() -> None:
    mask = np.zeros((15, 15), bool)
    mask[3:6, 3:6] = mask[3:6, 7:10] = True
    assert opened(mask, size=3).sum() == 18
    assert opened(mask, size=3, times=2).sum() == 0
    assert closed(mask, size=3).sum() == 21
    assert dilated(mask, size=3).sum() == 5 * 9
    assert dilated(mask, size=3, round_=True).sum() == 18 + 3 * 8 - 3
    steps = partial(closed, size=3), partial(dilated, size=3)
    assert in_turn(mask, steps=steps).sum() == 5 * 9


def test_contours_take_what_lies_in_their_holes() -> None:
    mask = np.zeros((30, 40), bool)
    mask[2:14, 2:14] = True
    mask[4:12, 4:12] = False
    mask[7:9, 7:9] = True  # in the hole
    mask[20:24, 30:38] = True
    found = contours(RAMP, Cut(0.5, mask))
    assert [proposal.box for proposal in found] == [Box(30, 20, 8, 4), Box(2, 2, 12, 12)]
    ring = found[1].mask
    assert ring is not None
    assert ring.sum() == 144 - 64 + 4
    assert len(contours(RAMP, Cut(0.5, mask), min_box=33)) == 1


def test_components_by_size_and_border() -> None:
    mask = np.zeros((30, 40), bool)
    mask[0, 5:15] = mask[10:14, 10:30] = mask[20:26, 20:26] = True
    cut = Cut(0.5, mask)

    def sizes(**rules: Any) -> list[tuple[int, int]]:
        return [(p.box.w, p.box.h) for p in components(RAMP, cut, **rules)]

    assert sizes() == [(20, 4), (6, 6), (10, 1)]
    assert sizes(max_size=(15, 30)) == [(6, 6), (10, 1)]
    assert sizes(max_size=(40, 5)) == [(20, 4), (10, 1)]
    assert sizes(limit=1, min_area=40) == [(20, 4)]


def test_the_strongest_cluster_counts_above_a_level() -> None:
    layers = np.zeros((2, 10, 10), np.float32)
    layers[:, 2:5, 2:6] = 200
    layers[:, 7:9, 7:9] = 20
    difference = Difference(layers[0], "code values", np.ones((10, 10), bool), layers)
    strong = layers[0] == 200
    for least in (None, 30.0):
        assert (strongest_cluster(difference, clusters=3, least=least) == strong).all()
    assert not strongest_cluster(difference, clusters=3, least=200.0).any()
    assert not strongest_cluster(of(np.full((4, 4), 7)), clusters=3).any()

"""The methods of other systems: what they published, and what they must give anywhere. The reports
of TrackShift are held against its own in ``tests/compat``."""

from __future__ import annotations

import json
import warnings
from dataclasses import replace
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from sklearn.cluster import DBSCAN

from vfiscope.regions import METHODS, Found, FramePair, Settings, find
from vfiscope.regions.difference.blend import blended
from vfiscope.regions.difference.structure import channels, ssim_of_pixels
from vfiscope.regions.masks import decode
from vfiscope.regions.presets.spotter import spotter_legacy
from vfiscope.regions.presets.trackshift import hybrid_legacy
from vfiscope.regions.propose.dbscan import dbscan_clusters
from vfiscope.regions.steps import Difference

OURS = ("hybrid", "fusion", "ensemble", "clusters", "spotter")
NAMES = [*OURS, *(f"{name}-legacy" for name in OURS), "frameshift-legacy", "absdiff", "auto"]


def rgb(path: Path) -> NDArray[np.uint8]:
    return np.ascontiguousarray(cv2.imread(str(path))[..., ::-1])


def boxes_of(found: Found) -> list[tuple[float, float, float, float]]:
    return [(region.x, region.y, region.w, region.h) for region in found.regions]


@pytest.fixture
def tyre(shared_data: Path) -> FramePair:
    folder = shared_data / "golden" / "trackshift_tire"
    return FramePair(rgb(folder / "current.jpeg"), rgb(folder / "reference.jpeg"))


def test_trackshift_without_the_wrap(shared_data: Path, tyre: FramePair) -> None:
    """The same steps in grey, clipped: derived beside the published ones."""
    folder = shared_data / "golden" / "trackshift_tire"
    expected = json.loads((folder / "derived_here.json").read_text())["p1_clipped"]
    method = replace(
        hybrid_legacy(Settings()), difference=partial(blended, weights=(0.5,), colour=False)
    )
    found = find(tyre, method)
    assert 100 * found.cut.mask.mean() == expected["change_score_percent"]
    assert boxes_of(found) == [tuple(e[key] for key in "xywh") for e in expected["anomalies"]]


def test_the_spotter_on_the_tyre(shared_data: Path, tyre: FramePair) -> None:
    derived = json.loads(
        (shared_data / "golden" / "trackshift_tire" / "derived_here.json").read_text()
    )
    found = find(tyre, METHODS["spotter-legacy"](Settings()))
    boxes = [
        [*box, region.area] for box, region in zip(boxes_of(found), found.regions, strict=True)
    ]
    assert boxes == derived["diff_spotter_boxes_xywha_ascending"][::-1]


def test_published_boxes_of_the_spotter(shared_data: Path) -> None:
    """From the published difference picture, cut out of its axes and brought to the published
    size."""
    folder = shared_data / "golden" / "diffspotter_ex6"
    picture = rgb(folder / "ex6_ssim_diff.png")[16:428, 62:733]
    values = cv2.resize(picture, (1200, 737)).max(axis=2).astype(np.float32)
    difference = Difference(values, "code values, stretched", np.ones(values.shape, bool))
    method = spotter_legacy(Settings())
    cut = method.threshold(difference)
    assert method.clean is not None
    mask = method.clean(cut.mask)
    found = method.propose(difference, type(cut)(cut.level, mask))
    published = json.loads((folder / "expected.json").read_text())["published_components_xywha"]
    assert len(found) == len(published) == 5
    for proposal, (x, y, w, h, _) in zip(found[::-1], published, strict=True):
        a = proposal.box
        wide = min(a.x + a.w, x + w) - max(a.x, x)
        high = min(a.y + a.h, y + h) - max(a.y, y)
        assert wide * high / (a.w * a.h + w * h - wide * high) >= 0.95


def test_clusters_of_t_blip2_on_the_tyre(tyre: FramePair) -> None:
    """At its 224 x 224, its command line loses the third defect, of 10 pixels after opening, and
    the distances that its class has by itself do not; labels are scikit-learn's."""
    small = [
        np.asarray(Image.fromarray(frame).resize((224, 224), Image.Resampling.BICUBIC))
        for frame in (tyre.test, tyre.ref)
    ]
    method = METHODS["clusters-legacy"](Settings())
    found = find(FramePair(*small), method)
    for eps, min_samples, sizes in ((3.5, 20, [86, 47]), (8.0, 8, [86, 47, 10])):
        places = np.argwhere(found.cut.mask)
        oracle = DBSCAN(eps=eps, min_samples=min_samples).fit_predict(places)
        assert sorted(np.bincount(oracle[oracle >= 0]), reverse=True) == sizes
        clustered = partial(dbscan_clusters, eps=eps, min_samples=min_samples, min_size=5)
        regions = find(FramePair(*small), replace(method, propose=clustered)).regions
        assert [region.area for region in regions] == sizes
    assert [region.area for region in found.regions] == [86, 47]


def test_the_published_case_of_frameshift(shared_data: Path) -> None:
    """Two of its three changes: the recoloured square differs little in luma."""
    folder = shared_data / "golden" / "frameshift_v1_synth"
    test, ref = rgb(folder / "after.png"), rgb(folder / "before.png")
    published = json.loads((folder / "expected.json").read_text())
    found = find(FramePair(test, ref), METHODS["frameshift-legacy"](Settings()))
    assert boxes_of(found) == [(447, 247, 107, 107), (425, 47, 79, 107)]
    for region, change in zip(found.regions, published["changes"], strict=True):
        mask = decode(region.mask, (400, 600)).astype(np.uint8)
        (contour,), _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
        assert (region.x, region.y) == (change["x"], change["y"])
        assert cv2.contourArea(contour) == change["area"]
    similarity = ssim_of_pixels(*channels(FramePair(test, ref), colour=False)[0])
    assert round(float(similarity[3:-3, 3:-3].mean()), 3) == published["ssim"]


@pytest.mark.slow
def test_the_tyre_without_the_bugs(tyre: FramePair) -> None:
    """Three defects, no other box; none on a compressed copy of the reference."""
    defects = [(526, 96), (163, 528), (433, 593)]
    _, data = cv2.imencode(".jpg", tyre.ref[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 50])
    copy = np.ascontiguousarray(cv2.imdecode(data, cv2.IMREAD_COLOR)[..., ::-1])
    for name in OURS:
        method = METHODS[name](Settings())
        boxes = boxes_of(find(tyre, method))
        assert len(boxes) == 3
        for x, y in defects:
            assert sum(bx <= x < bx + w and by <= y < by + h for bx, by, w, h in boxes) == 1
        assert find(FramePair(copy, tyre.ref), method).regions == []


@pytest.mark.parametrize("name", NAMES)
def test_every_pair_has_a_defined_answer(name: str) -> None:
    method = METHODS[name](Settings())
    rng = np.random.default_rng(2)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for size in ((1, 1), (3, 2), (5, 40)):
            busy = rng.integers(0, 256, (*size, 3), dtype=np.uint8)
            grey = np.repeat(busy[..., :1], 3, axis=2)
            flat = np.full((*size, 3), 90, np.uint8)
            for frame in (busy, grey, flat):
                assert find(FramePair(frame, frame), method).answer.answer == "same"
            for test, ref in ((busy, grey), (flat, busy), (flat, flat + 40)):
                found = find(FramePair(test, ref), method)
                assert np.isfinite([region.score for region in found.regions]).all()
                assert found.answer.regions == len(found.regions)
                assert (found.answer.answer == "changed") <= bool(found.regions)
                assert 0 <= found.answer.changed_area <= 1
                for each in found.regions:
                    assert 0 < each.area <= each.tight_w * each.tight_h
                    assert min(each.x, each.y, each.tight_x, each.tight_y) >= 0
                    assert max(each.x + each.w, each.tight_x + each.tight_w) <= size[1]
                    assert max(each.y + each.h, each.tight_y + each.tight_h) <= size[0]
            valid = np.zeros(size, bool)
            assert find(FramePair(busy, grey, valid), method).regions == []


@pytest.mark.parametrize("name", OURS)
def test_a_change_of_colour_is_found_where_it_lies(name: str) -> None:
    """Red becomes green of the same luma: nothing in grey."""
    ref = np.full((80, 120, 3), (40, 60, 40), np.uint8)
    ref[:, :, 2] += (np.arange(120) % 7 * 3).astype(np.uint8)
    ref[20:50, 60:90] = (196, 0, 0)
    test = ref.copy()
    test[20:50, 60:90] = (0, 100, 0)
    (region,) = find(FramePair(test, ref), METHODS[name](Settings())).regions
    assert abs(region.centroid_x - 74.5) < 3
    assert abs(region.centroid_y - 34.5) < 3
    assert 30 <= region.w <= 50
    assert 30 <= region.h <= 50


def test_the_spotter_dilates_boxes_not_masks() -> None:
    """A square of 10 pixels: the mask is as large as the blurred square is unlike, not as it is
    after dilation, and what it holds lies above the level."""
    ref = np.full((80, 80, 3), 90, np.uint8)
    test = ref.copy()
    test[30:40, 30:40] = 200
    found = find(FramePair(test, ref), METHODS["spotter"](Settings()))
    (region,) = found.regions
    assert region.score > found.cut.level
    assert region.area == found.cut.mask.sum() <= region.tight_w * region.tight_h
    assert (region.x, region.w) == (region.tight_x - 4, region.tight_w + 8)  # 5 x 5, twice


def test_a_change_of_the_whole_frame_is_found() -> None:
    """The published rule for large parts drops it."""
    ref = np.random.default_rng(0).integers(0, 256, (60, 90, 3), dtype=np.uint8)
    found = find(FramePair(255 - ref, ref), METHODS["spotter"](Settings()))
    assert boxes_of(found) == [(0, 0, 90, 60)]

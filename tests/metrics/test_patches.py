"""Comparisons of embeddings against float64 loops and scenes with known motion."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from typing import Any

import cv2
import numpy as np
import pytest
from helpers.media import frames_of
from threadpoolctl import threadpool_limits

from vfiscope.embedders.dsift import Dsift
from vfiscope.metrics import patch_matching, patches
from vfiscope.metrics.patch_matching import Matches
from vfiscope.metrics.tensors import patch_tensors
from vfiscope.types import Features, Float32, Int64, Needs, Pairs
from vfiscope.types.batch import to_numpy, to_tensor

FORMS = pytest.mark.parametrize("form", [patch_matching, patch_tensors], ids=["loops", "tensors"])
"""For the CPU, and for devices: tested on the CPU here, as they compute there."""


def features_of(patches: np.ndarray) -> Features:
    return Features(patches.mean(axis=(1, 2)), patches)


def random_features(n: int, h: int, w: int, d: int, seed: int = 0) -> Features:
    return features_of(np.random.default_rng(seed).normal(size=(n, h, w, d)).astype(np.float32))


def matched(form: Any, test: Features, ref: Features, window: int | None = None) -> Matches[Any]:
    """The matches that a form finds, and the arrays of their tensors."""
    if form is patch_tensors:
        test, ref = (
            Features(to_tensor(each.pooled, "cpu"), to_tensor(each.patches, "cpu"))
            for each in (test, ref)
        )
    return form.match(test, ref, window)


def arrays(matches: Matches[Any]) -> Matches[Any]:
    """The same as arrays."""
    values = [getattr(matches, each.name) for each in fields(matches)]
    return Matches(values[0], *map(to_numpy, values[1:]))


def distances(form: Any, test: np.ndarray, ref: np.ndarray) -> np.ndarray:
    if form is patch_tensors:
        return form.cosine_distance(to_tensor(test, "cpu"), to_tensor(ref, "cpu")).numpy()
    return form.cosine_distance(test, ref)


def moves(form: Any, test: Features, ref: Features) -> tuple[Int64, Float32]:
    whole, start = form.motion(matched(form, test, ref))
    return to_numpy(whole), to_numpy(start)


def scene(height: int, width: int, seed: int = 0) -> np.ndarray:
    """A random RGB texture with detail at several scales, float64 around 128."""
    noise = np.random.default_rng(seed).normal(size=(height, width, 3))
    layers = [cv2.GaussianBlur(noise, (0, 0), sigma) for sigma in (1.5, 4, 10, 25)]
    return np.clip(128 + 25 * sum(layer / layer.std() for layer in layers), 0, 255)


def shifted(image: np.ndarray, dx: float, dy: float) -> np.ndarray:
    """The image with its content moved by (dx, dy), cubic."""
    by = np.array([[1, 0, dx], [0, 1, dy]], float)
    return cv2.warpAffine(
        image, by, image.shape[1::-1], flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT
    )


def pairs_of(test: np.ndarray, ref: np.ndarray, size: int = 392) -> Pairs:
    frames = [frames_of(image[None].round().clip(0, 255).astype(np.uint8)) for image in (test, ref)]
    embedder = Dsift(size=size)
    return Pairs(*frames, *(embedder.embed(one) for one in frames))


def scale(metric: patches.Metric) -> tuple[float, float, float, bool]:
    return metric.spec.low, metric.spec.high, metric.spec.identity, metric.spec.lower_is_better


def tables() -> dict[str, patches.Metric | patches.FieldMetric]:
    return {
        **{metric.spec.name: metric for metric in patches.METRICS},
        **{f"map {metric.spec.name}": metric for metric in patches.MAPS},
        **{field.spec.name: field for field in patches.FIELDS},
    }


def test_tables_hold_what_the_contract_names() -> None:
    assert [metric.spec.name for metric in patches.METRICS] == ["cosine", "mismatch"]
    assert [field.spec.name for field in patches.FIELDS] == ["motion"]
    distance, boosted, alike = (0, 2, 0, True), (0, 2.5, 0, True), (-1, 1, 1, False)
    assert {metric.spec.name: scale(metric) for metric in (*patches.METRICS, *patches.MAPS)} == {
        "cosine": distance,
        "mismatch": distance,
        "mismatch_back": distance,
        "mismatch_boosted": boosted,
        "mismatch_boosted_back": boosted,
        "similarity": alike,
        "similarity_back": alike,
    }
    assert all(
        metric.spec.needs == Needs.REF | Needs.FEATURES
        for metric in (*patches.METRICS, *patches.MAPS)
    )


@FORMS
def test_cosine_distance_of_known_vectors(form: Any) -> None:
    test = np.array([[1, 0], [1, 0], [1, 0], [3, 4], [2, 2]], np.float32)
    ref = np.array([[5, 0], [0, 2], [-3, 0], [4, 3], [7, 7]], np.float32)
    assert distances(form, test, ref) == pytest.approx([0, 1, 2, 0.04, 0], abs=1e-7)


@FORMS
def test_small_distances_keep_their_precision(form: Any) -> None:
    angle = 1e-4
    test, ref = np.array([[1.0, 0.0]]), np.array([[np.cos(angle), np.sin(angle)]])
    expected = 1 - float((test @ ref.T).item())
    found = distances(form, test.astype(np.float32), ref.astype(np.float32))
    assert float(found[0]) == pytest.approx(expected, rel=1e-4)
    assert expected == pytest.approx(5e-9, rel=1e-6)


@FORMS
def test_zero_vectors_are_alike_and_at_right_angles_to_the_rest(form: Any) -> None:
    zero, other = np.zeros((1, 4), np.float32), np.ones((1, 4), np.float32)
    assert distances(form, zero, zero).item() == 0
    assert distances(form, zero, other).item() == 1
    assert distances(form, other, zero).item() == 1
    vectors = np.zeros((1, 1, 3, 4), np.float32)
    vectors[0, 0, 1] = 1
    swapped = vectors[:, :, [1, 0, 2]]
    matches = matched(form, features_of(vectors), features_of(swapped))
    assert matches.forward.tolist() == [[1, 0, 2]]
    assert matches.forward_distance.tolist() == [[0, 0, 0]]


def cosines(test: Features, ref: Features, row: int) -> np.ndarray:
    """(P, P) in float64."""
    a, b = (f.patches[row].reshape(-1, f.patches.shape[-1]).astype(float) for f in (test, ref))
    return (a / np.linalg.norm(a, axis=1, keepdims=True)) @ (
        b / np.linalg.norm(b, axis=1, keepdims=True)
    ).T


@FORMS
@pytest.mark.parametrize("shape", [(2, 7, 11, 48), (1, 16, 16, 384)])
def test_matches_are_those_of_float64_brute_force(
    form: Any, shape: tuple[int, int, int, int]
) -> None:
    test, ref = random_features(*shape, seed=1), random_features(*shape, seed=2)
    ref.patches[:, ::2] += 2 * test.patches[:, ::-1][:, ::2]
    matches = arrays(matched(form, test, ref))
    settled = 0
    for row in range(shape[0]):
        similarity = cosines(test, ref, row)
        for table, got, apart in (
            (similarity, matches.forward[row], matches.forward_distance[row]),
            (similarity.T, matches.backward[row], matches.backward_distance[row]),
        ):
            top = np.sort(table, axis=1)[:, -2:]
            clear = top[:, 1] - top[:, 0] >= 1e-5
            settled += int(clear.sum())
            assert np.array_equal(got[clear], table.argmax(axis=1)[clear])
            assert np.allclose(apart, 1 - table.max(axis=1), atol=1e-5)
        forward, backward = matches.forward[row].tolist(), matches.backward[row].tolist()
        assert matches.mutual[row].tolist() == [backward[j] == i for i, j in enumerate(forward)]
    assert settled > 0.99 * 2 * shape[0] * shape[1] * shape[2]


@FORMS
@pytest.mark.parametrize("window", [1, 3, 20])
def test_a_window_limits_matches_to_the_patches_around(form: Any, window: int) -> None:
    test, ref = random_features(2, 7, 11, 48, seed=1), random_features(2, 7, 11, 48, seed=2)
    y, x = np.divmod(np.arange(77), 11)
    near = (abs(y[:, None] - y) <= window) & (abs(x[:, None] - x) <= window)
    matches = arrays(matched(form, test, ref, window))
    for row in range(2):
        table = cosines(test, ref, row)
        table[~near] = -np.inf
        for each, got in ((table, matches.forward[row]), (table.T, matches.backward[row])):
            top = np.sort(each, axis=1)[:, -2:]
            clear = top[:, 1] - top[:, 0] >= 1e-5
            assert clear.mean() > 0.99
            assert np.array_equal(got[clear], each.argmax(axis=1)[clear])
    whole = arrays(matched(form, test, ref))
    assert np.array_equal(matches.forward, whole.forward) == (window == 20)


def test_maps_both_ways_by_hand() -> None:
    """Three patches in a row. Test 0 and 1 both prefer reference 0, which prefers test 0: test 1 is
    not mutual."""
    frames = frames_of(np.zeros((1, 14, 42, 3), np.uint8))
    test = np.array([[1, 0, 0, 0], [0.8, 0.6, 0, 0], [0, 0, 1, 0]], np.float32)
    ref = np.array([[1, 0, 0, 0], [0, 0, 0.6, 0.8], [0, 0, 1, 0]], np.float32)
    pairs = Pairs(frames, frames, *(features_of(rows[None, None]) for rows in (test, ref)))
    found = {metric.spec.name: metric.compute(pairs).flatten().tolist() for metric in patches.MAPS}
    expected = {
        "mismatch": [0, 0.2, 0],
        "mismatch_boosted": [0, 0.25, 0],
        "similarity": [1, 0.8, 1],
        "mismatch_back": [0, 0.4, 0],
        "mismatch_boosted_back": [0, 0.5, 0],
        "similarity_back": [1, 0.6, 1],
    }
    assert set(found) == set(expected)
    for name, values in expected.items():
        assert found[name] == pytest.approx(values, abs=1e-6), name


@FORMS
def test_equal_patches_stay_where_they_are(form: Any) -> None:
    flat = features_of(np.ones((1, 9, 13, 6), np.float32))
    for other in (flat, features_of(flat.patches * [[[[1, 1, 1, 0, 0, 0]]]])):
        matches = matched(form, flat, features_of(other.patches.astype(np.float32)))
        assert matches.forward.tolist() == matches.backward.tolist() == [list(range(117))]
        assert bool(matches.mutual.all())


@FORMS
def test_near_ties_go_to_the_nearest_and_then_to_the_first(form: Any) -> None:
    test = np.zeros((1, 1, 5, 3), np.float32)
    test[..., 0] = 1
    ref = np.zeros((1, 1, 5, 3), np.float32)
    ref[..., 1] = 1  # at right angles to all of the test
    ref[0, 0, 0] = 1, 0, 0  # the best, by 2e-6
    for apart, expected in ((2e-6, [0, 0, 0, 4, 4]), (2e-5, [0, 0, 0, 0, 0])):
        angle = np.sqrt(2 * apart)
        ref[0, 0, 4] = np.cos(angle), np.sin(angle), 0
        assert matched(form, features_of(test), features_of(ref)).forward.tolist() == [expected]


def test_the_loops_settle_ties_as_the_tensor_functions_do(monkeypatch: pytest.MonkeyPatch) -> None:
    """Many patches alike, and a grid of more patches than a block has columns; without and with a
    window."""
    rows = np.random.default_rng(3).integers(0, 4, (1, 12, 13, 5))
    few = features_of((rows > 2).astype(np.float32))
    moved = features_of(np.roll(few.patches, (1, 2), axis=(1, 2)))
    for window in (None, 3):
        loops = matched(patch_matching, few, moved, window)
        for block in (1 << 20, 200):
            with monkeypatch.context() as patched:
                patched.setattr(patch_tensors, "_BLOCK", block)
                tensors = arrays(matched(patch_tensors, few, moved, window))
            assert np.array_equal(loops.forward, tensors.forward)
            assert np.array_equal(loops.backward, tensors.backward)
    assert len(np.unique(loops.forward)) > 20


def test_loops_and_tensor_functions_agree_on_pictures() -> None:
    """The same matches; distances and motion within rounding."""
    image = scene(280, 420)
    pairs = pairs_of(image, shifted(image, 9.5, -4), size=280)
    test, ref = pairs.test_features, pairs.ref_features
    assert test is not None
    assert ref is not None
    loops, tensors = (matched(form, test, ref) for form in (patch_matching, patch_tensors))
    for name in ("forward", "backward", "mutual", "mutual_back"):
        assert np.array_equal(getattr(loops, name), to_numpy(getattr(tensors, name)))
    for name in ("forward_distance", "backward_distance"):
        assert getattr(loops, name) == pytest.approx(to_numpy(getattr(tensors, name)), abs=1e-7)
    for one, other in zip(patch_matching.motion(loops), patch_tensors.motion(tensors), strict=True):
        assert one == pytest.approx(to_numpy(other), abs=1e-5)


def blank(pairs: Pairs) -> list[str]:
    """Names of what is not exactly at its identity everywhere."""
    fields = [field.spec.name for field in patches.FIELDS]
    ends = {
        name: 0 if name in fields else metric.spec.identity for name, metric in tables().items()
    }
    return [
        name
        for name, metric in tables().items()
        if not bool((metric.compute(pairs) == ends[name]).all())
    ]


def test_identical_frames_are_exactly_at_the_identity() -> None:
    image = scene(270, 480)
    assert blank(pairs_of(image, image)) == []
    flat = np.full((270, 480, 3), 77.0)
    assert blank(pairs_of(flat, flat)) == []


def test_identical_flat_and_random_features_are_exactly_at_the_identity() -> None:
    frames = frames_of(np.zeros((2, 70, 98, 3), np.uint8))
    for made in (
        features_of(np.full((2, 5, 7, 24), 0.3, np.float32)),
        random_features(2, 5, 7, 24),
    ):
        assert blank(Pairs(frames, frames, made, made)) == []


def test_shapes_and_sharing() -> None:
    frames = frames_of(np.zeros((3, 100, 140, 3), np.uint8))
    test, ref = random_features(3, 5, 7, 24, 1), random_features(3, 5, 7, 24, 2)
    pairs = Pairs(frames, frames, test, ref)
    made = {name: metric.compute(pairs) for name, metric in tables().items()}
    assert {name: tuple(value.shape) for name, value in made.items()} == {
        "cosine": (3,),
        "mismatch": (3,),
        **{f"map {metric.spec.name}": (3, 5, 7) for metric in patches.MAPS},
        "motion": (3, 2, 5, 7),
    }
    assert all(value.dtype == np.float32 for value in made.values())
    assert np.allclose(made["mismatch"], made["map mismatch"].mean(axis=(1, 2)), atol=1e-6)
    assert list(pairs.shared) == ["matches"]


def test_mismatch_marks_the_changed_patch_only() -> None:
    made = random_features(1, 6, 8, 64)
    changed = made.patches.copy()
    changed[0, 2, 5] = -changed[0, 2, 5]
    pairs = Pairs(*[frames_of(np.zeros((1, 60, 80, 3), np.uint8))] * 2, features_of(changed), made)
    found = patches.MAPS[0].compute(pairs)[0]
    assert float(found[2, 5]) > 0.4
    found[2, 5] = 0
    assert float(found.max()) == 0


def test_a_change_in_the_picture_is_marked_where_it_is() -> None:
    ref = scene(392, 560)
    test = ref.copy()
    test[168:224, 280:336] = scene(56, 56, seed=9)
    found = patches.MAPS[0].compute(pairs_of(test, ref))[0]
    inside = found[12:16, 20:24]
    far = found.copy()
    far[9:19, 17:27] = 0
    assert inside.mean() > 0.02
    assert far.max() == 0


def test_motion_of_whole_patches_is_exact_in_pixels_of_the_full_frame() -> None:
    wide = random_features(1, 12, 14, 64)
    test, ref = features_of(wide.patches[:, 2:10, 3:12]), features_of(wide.patches[:, 1:9, 1:10])
    frames = frames_of(np.zeros((1, 8 * 20, 9 * 30, 3), np.uint8))
    moved = patches.FIELDS[0].compute(Pairs(frames, frames, test, ref))[0]
    # Patch (0, 0) of the test is patch (1, 2) of the reference: content moves right by 2 and down
    # by 1.
    assert np.allclose(moved[0, 1:6, 1:6], 60, atol=1.0)
    assert np.allclose(moved[1, 1:6, 1:6], 20, atol=1.0)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("dx", "dy"),
    [(28, 0), (-42, 14), (5, 0), (0, -5), (7, 7), (-9.5, 3.25), (20, -11), (33, 24), (1.4, -0.7)],
)
def test_motion_of_a_moved_texture(dx: float, dy: float) -> None:
    """A twentieth of a pixel where the match is right, whatever the fraction; few matches are wrong
    outright."""
    image = scene(392, 560)
    test, ref = image, shifted(image, dx, dy)
    moved = patches.FIELDS[0].compute(pairs_of(test, ref))[0][:, 4:-4, 5:-5]
    error = np.hypot(moved[0] - dx, moved[1] - dy)
    assert np.median(error) < 0.05
    assert np.mean(error > 1) < 0.06


def test_motion_is_measured_in_pixels_of_the_full_frame() -> None:
    image = cv2.resize(scene(392, 560), None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC)
    pairs = pairs_of(image, shifted(image, 56, -28))
    moved = patches.FIELDS[0].compute(pairs)[0][:, 4:-4, 5:-5]
    assert np.median(moved[0]) == pytest.approx(56, abs=0.05)
    assert np.median(moved[1]) == pytest.approx(-28, abs=0.05)


@FORMS
def test_the_fraction_of_the_embedding_is_bounded_and_off_at_the_borders(form: Any) -> None:
    whole, start = moves(form, random_features(1, 6, 7, 8, 1), random_features(1, 6, 7, 8, 2))
    fraction = (start - whole)[0]
    assert whole.dtype == np.int64
    assert start.dtype == np.float32
    assert 0.01 < float(np.abs(fraction).max()) <= 0.5
    assert (fraction[0, :, [0, 6]] == 0).all()
    assert (fraction[1, [0, 5]] == 0).all()


@FORMS
def test_a_grid_of_one_patch_has_no_motion(form: Any) -> None:
    whole, start = moves(form, random_features(2, 1, 1, 8, 1), random_features(2, 1, 1, 8, 2))
    assert np.abs(whole).max() == np.abs(start).max() == 0


def test_bits_do_not_depend_on_threads_or_batch(threads: Callable[[int], None]) -> None:
    test, ref = random_features(3, 17, 23, 135, 1), random_features(3, 17, 23, 135, 2)
    frames = frames_of(np.stack([scene(170, 230, seed) for seed in range(3)]).astype(np.uint8))
    moved = frames_of(
        np.stack([scene(172, 233, seed)[2:, 3:] for seed in range(3)]).astype(np.uint8)
    )
    results = []
    for count in (1, 2, 3):
        threads(count)
        with threadpool_limits(count):  # of the library of matrix products
            pairs = Pairs(frames, moved, test, ref)
            results.append({name: metric.compute(pairs) for name, metric in tables().items()})
    for other in results[1:]:
        assert all(np.array_equal(value, other[name]) for name, value in results[0].items())
    single = Pairs(frames, moved, test, ref)[1:2]
    for name, metric in tables().items():
        assert np.array_equal(metric.compute(single)[0], results[0][name][1]), name


@FORMS
@pytest.mark.parametrize("width", [4095, 4096, 4097, 189_001])
def test_the_bits_of_a_long_vector_do_not_depend_on_threads_or_batch(
    threads: Callable[[int], None], form: Any, width: int
) -> None:
    random = np.random.default_rng(1)
    test, ref = (random.normal(size=(5, width)).astype(np.float32) for _ in range(2))
    threads(1)
    whole = distances(form, test, ref)
    wide = [
        each.astype(float) / np.linalg.norm(each.astype(float), axis=1)[:, None]
        for each in (test, ref)
    ]
    assert whole == pytest.approx(1 - (wide[0] * wide[1]).sum(axis=1), abs=1e-6)
    for count in (1, 2, 3):
        threads(count)
        assert np.array_equal(distances(form, test, ref), whole)
        assert np.array_equal(distances(form, test[2:3], ref[2:3]), whole[2:3])
    assert distances(form, test, test).max() == 0


def test_no_pairs_give_no_scores() -> None:
    frames = frames_of(np.zeros((0, 20, 20, 3), np.uint8))
    none = features_of(np.zeros((0, 4, 4, 8), np.float32))
    pairs = Pairs(frames, frames, none, none)
    shapes = {name: tuple(metric.compute(pairs).shape) for name, metric in tables().items()}
    assert set(shapes.values()) == {(0,), (0, 4, 4), (0, 2, 4, 4)}


def test_pairs_without_features_and_unequal_grids_are_refused() -> None:
    frames = frames_of(np.zeros((1, 20, 20, 3), np.uint8))
    with pytest.raises(ValueError, match="have none"):
        patches.METRICS[0].compute(Pairs(frames, frames))
    for form in (patch_matching, patch_tensors):
        with pytest.raises(ValueError, match="differ"):
            matched(form, random_features(1, 2, 3, 4), random_features(1, 3, 2, 4))

"""Registration: known warps are found, what cannot be registered is refused, and borders are no
difference."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from helpers.media import noise
from helpers.warps import (
    LARGE,
    LUMA,
    SMALL,
    Array,
    corner_error,
    frames,
    jpeg,
    planted,
    seen_through,
)
from kornia.feature import LoFTR

from vfiscope import registration, synth
from vfiscope.errors import UsageError
from vfiscope.registration.homography import cells_covered, covered_mask, judge, project, reduced
from vfiscope.registration.loftr import LoftrMatcher
from vfiscope.registration.points import Matches, from_points
from vfiscope.types import Registration, Status, Verdict


def registered(method: str, test: Array, ref: Array) -> Registration:
    return registration.register(frames(test), frames(ref), registration.open_register(method))[0]


@pytest.fixture(scope="module")
def scenes() -> list[Array]:
    return [synth.Scene(360, 480, seed=seed).clip(1).frames[0] for seed in range(4)]


# -------------------------------------------------------------------------------------- known warps


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(("method", "warp"), [("sift", LARGE), ("sift", SMALL), ("ecc", SMALL)])
def test_a_warped_copy_is_found_to_a_pixel(
    scenes: list[Array], method: str, warp: Any, seed: int
) -> None:
    ref = scenes[seed]
    truth = planted(*ref.shape[:2], *warp)
    test = seen_through(ref, truth)
    for picture in (test, jpeg(test)):
        found = registered(method, picture, ref)
        assert found.accepted, found.reason
        assert corner_error(found.matrix, truth, ref.shape[:2]) < 0.5
        assert found.valid == pytest.approx(covered_mask(truth, ref.shape[:2]).mean(), abs=0.003)
        assert found.inlier_ratio > 0.7
        assert 0.01 < found.residual < 0.6


@pytest.mark.parametrize(
    "name", ["timelapse/garden", "vfi/middlebury", "pairs/vmaf_images/bikes.jpg"]
)
def test_a_warped_photograph_is_found_to_a_pixel(shared_data: Path, name: str) -> None:
    path = shared_data / name
    file = (
        path
        if path.is_file()
        else sorted(p for p in path.rglob("*") if p.suffix in (".jpg", ".png"))[0]
    )
    ref = cv2.imread(str(file))
    for method, warp in (("sift", LARGE), ("ecc", SMALL)):
        truth = planted(*ref.shape[:2], *warp)
        found = registered(method, jpeg(seen_through(ref, truth)), ref)
        assert found.accepted, found.reason
        assert corner_error(found.matrix, truth, ref.shape[:2]) < 1.0


@pytest.mark.slow
def test_large_frames_are_registered_on_smaller_ones() -> None:
    ref = synth.Scene(900, 1600, seed=5).clip(1).frames[0]
    truth = planted(900, 1600, *SMALL)
    for method in ("sift", "ecc"):
        assert (
            corner_error(
                registered(method, seen_through(ref, truth), ref).matrix, truth, (900, 1600)
            )
            < 1.0
        )


@pytest.mark.parametrize("method", ["sift", "ecc"])
def test_identical_pictures_give_the_identity(scenes: list[Array], method: str) -> None:
    for picture in scenes[:2]:
        found = registered(method, picture, picture)
        assert found.accepted
        assert found.model == "affine"
        assert corner_error(found.matrix, np.eye(3), picture.shape[:2]) < 1e-3
        assert found.inlier_ratio == 1.0


@pytest.mark.parametrize("method", ["sift", "ecc"])
def test_what_moved_on_its_own_does_not_pull(scenes: list[Array], method: str) -> None:
    truth = planted(360, 480, *SMALL)
    test = seen_through(scenes[0], truth)
    test[100:220, 150:330] = scenes[2][
        100:220, 150:330
    ]  # an eighth of the picture shows something else
    assert corner_error(registered(method, test, scenes[0]).matrix, truth, (360, 480)) < 0.5


@pytest.mark.parametrize("method", ["sift", "ecc"])
def test_threads_change_no_bit(scenes: list[Array], method: str) -> None:
    test = seen_through(scenes[1], planted(360, 480, *SMALL))
    threads, found = cv2.getNumThreads(), set()
    try:
        for count in (1, 2, 5):
            cv2.setNumThreads(count)
            found.add(registered(method, test, scenes[1]).matrix.tobytes())
    finally:
        cv2.setNumThreads(threads)
    assert len(found) == 1


# ----------------------------------------------------------------------------------------- refusals


@pytest.mark.parametrize("method", ["sift", "ecc"])
def test_unrelated_pictures_are_refused(scenes: list[Array], method: str) -> None:
    for i, test in enumerate(scenes):
        for j, ref in enumerate(scenes[: i + 1]):
            found = registered(method, test, ref)
            assert found.accepted == (i == j)
            assert bool(found.reason) == (i != j)
            np.testing.assert_array_equal(found.matrix[2], [0, 0, 1])


@pytest.mark.slow
@pytest.mark.parametrize("method", ["sift", "ecc"])
def test_unrelated_photographs_are_refused(shared_data: Path, method: str) -> None:
    names = ("timelapse/garden", "vfi/middlebury", "pairs/vmaf_images", "sequences/film_960x507")
    files = [
        sorted(p for p in (shared_data / n).rglob("*") if p.suffix in (".jpg", ".png"))[0]
        for n in names
    ]
    pictures = [
        cv2.resize(cv2.imread(str(file)), (480, 360), interpolation=cv2.INTER_AREA)
        for file in files
    ]
    for i, test in enumerate(pictures):
        for j, ref in enumerate(pictures[: i + 1]):
            assert registered(method, test, ref).accepted == (i == j), (names[i], names[j])


@pytest.mark.parametrize("method", ["sift", "ecc"])
def test_a_strong_change_of_viewpoint_is_not_got_wrong(shared_data: Path, method: str) -> None:
    test, ref = (
        cv2.imread(str(shared_data / "pairs" / "viewpoint" / name))
        for name in ("tgt.png", "ref.png")
    )
    found = registered(method, test, ref)
    assert not found.accepted
    assert found.verdict == (Verdict.PERSPECTIVE if method == "sift" else Verdict.FEW_INLIERS)


@pytest.mark.parametrize("method", ["sift", "ecc"])
def test_flat_tiny_and_noisy_pictures_are_refused(scenes: list[Array], method: str) -> None:
    flat = np.full((120, 160, 3), 90, np.uint8)
    pictures = [(flat, flat), (flat, scenes[0][:120, :160]), (scenes[0][:120, :160], flat)]
    pictures += [(scenes[0][:8, :8], scenes[0][:8, :8]), (scenes[0][:1, :1], scenes[0][:1, :1])]
    pictures.append((noise(1, 120, 160, seed=1)[0], noise(1, 120, 160, seed=2)[0]))
    for test, ref in pictures:
        found = registered(method, np.ascontiguousarray(test), np.ascontiguousarray(ref))
        assert not found.accepted
        assert found.reason
        np.testing.assert_array_equal(found.matrix, np.eye(3))
        assert found.valid == 1.0


def test_an_unreadable_frame_is_not_registered(scenes: list[Array]) -> None:
    broken = frames(scenes[0], status=Status.UNREADABLE)
    assert (
        registration.register(broken, frames(scenes[0]), registration.open_register("sift"))[
            0
        ].verdict
        == Verdict.UNPAIRED
    )


@pytest.mark.parametrize(
    ("matrix", "verdict"),
    [
        (np.eye(3), Verdict.ACCEPTED),
        (np.diag([1.9, 1.9, 1.0]), Verdict.ACCEPTED),
        (planted(100, 200, 0, 1.9, 0, 0), Verdict.ACCEPTED),
        (planted(100, 200, 0, 2.1, 0, 0), Verdict.SCALE),
        (planted(100, 200, 0, 0.45, 0, 0), Verdict.SCALE),
        (planted(100, 200, 0, 0.6, 0, 0), Verdict.OUTSIDE),
        (planted(100, 200, 0, 1, 0.6, 0), Verdict.OUTSIDE),
        (planted(100, 200, 180, 1, 0, 0), Verdict.ACCEPTED),
        (np.array([[-1.0, 0, 199], [0, 1, 0], [0, 0, 1]]), Verdict.MIRRORED),
        (planted(100, 200, 0, 1, 0, 2.1), Verdict.MIRRORED),  # the horizon lies in the picture
        (planted(100, 200, 0, 1, 0, 0.5), Verdict.PERSPECTIVE),
        (np.full((3, 3), np.nan), Verdict.MIRRORED),
    ],
)
def test_what_no_camera_does_is_refused(matrix: Array, verdict: Verdict) -> None:
    found, reason = judge(matrix, (100, 200))
    assert found == verdict
    assert bool(reason) == (verdict != Verdict.ACCEPTED)


def test_points_need_number_agreement_and_spread() -> None:
    random = np.random.default_rng(0)
    truth = planted(300, 400, *SMALL)
    ref = random.uniform(0, 300, (40, 2))
    test = project(np.linalg.inv(truth), ref)

    def judged(at: Array, at_ref: Array) -> Registration:
        return from_points(Matches(at, at_ref), (300, 400), "sift")

    exact = judged(test, ref)
    assert (exact.verdict, exact.model, exact.inliers, exact.inlier_ratio) == (
        Verdict.ACCEPTED,
        "homography",
        40,
        1.0,
    )
    assert corner_error(exact.matrix, truth, (300, 400)) < 0.01
    assert judged(test[:11], ref[:11]).verdict == Verdict.FEW_MATCHES
    stray = random.uniform(0, 300, (160, 2))
    mixed = judged(
        np.concatenate([test, stray]), np.concatenate([ref, random.uniform(0, 300, (160, 2))])
    )
    assert mixed.verdict == Verdict.FEW_INLIERS
    half = judged(
        np.concatenate([test, stray[:40]]), np.concatenate([ref, random.uniform(0, 300, (40, 2))])
    )
    assert half.accepted
    assert half.inliers in (40, 41)
    assert corner_error(half.matrix, truth, (300, 400)) < 0.3
    crowded = 150 + (ref - 150) / 20 + random.normal(0, 0.3, ref.shape)
    assert judged(150 + (ref - 150) / 20, crowded).verdict == Verdict.UNSTEADY


# ----------------------------------------------------------------------------------------- the warp


def test_the_identity_keeps_every_pixel() -> None:
    for dtype, depth in ((np.uint8, 8), (np.uint16, 16)):
        batch = frames(*noise(2, 33, 47, dtype=dtype), bit_depth=depth)
        same = Registration(np.eye(3), "sift", "affine", Verdict.ACCEPTED, "", 12, 1.0, 0.0, 1.0)
        warped, masks = registration.warp(batch, [same, same])
        assert np.array_equal(warped.data, batch.data)
        assert masks.all()


def test_a_whole_shift_is_exact_and_filled_with_the_partner() -> None:
    picture, partner = noise(2, 20, 30)
    shift = np.array(
        [[1.0, 0, 4], [0, 1, -3], [0, 0, 1]]
    )  # what is at (x, y) belongs to (x + 4, y - 3)
    found = Registration(shift, "sift", "affine", Verdict.ACCEPTED, "", 12, 1.0, 0.0, 0.0)
    warped, masks = registration.warp(frames(picture), [found])
    expected = np.zeros((20, 30), bool)
    expected[:17, 4:] = True
    np.testing.assert_array_equal(masks[0], expected)
    filled = registration.fill(warped, frames(partner), masks).interleaved[0]
    np.testing.assert_array_equal(filled[:17, 4:], picture[3:, :26])
    np.testing.assert_array_equal(filled[~expected], partner[~expected])


def test_deep_partners_fill_at_the_depth_of_the_test() -> None:
    test = frames(np.zeros((4, 4, 3), np.uint8))
    partner = frames(np.full((4, 4, 3), 1023, np.uint16), bit_depth=10)
    filled = registration.fill(test, partner, np.zeros((1, 4, 4), bool))
    assert np.unique(filled.data).tolist() == [255]


def test_cells_are_counted_by_their_pixels() -> None:
    mask = np.zeros((10, 9), bool)
    mask[4, 8] = True
    np.testing.assert_array_equal(cells_covered(mask, (2, 3)), [[0, 0, 1], [0, 0, 0]])
    # Cells of 10 / 3 rows: row 3 belongs to the first two, row 4 to the second.
    mask[3, 0] = True
    np.testing.assert_array_equal(cells_covered(mask, (3, 3)), [[1, 0, 0], [1, 0, 1], [0, 0, 0]])


def test_reduced_pictures_keep_their_coordinates() -> None:
    y, x = np.mgrid[:300, :400].astype(np.float32)
    small, back = reduced(x + 1000 * y, 100, 100)
    assert small.shape == (75, 100)
    rows, columns = np.array([0, 10, 74]), np.array([0, 50, 99])
    at = project(back, np.column_stack([columns, rows]).astype(np.float64))
    np.testing.assert_allclose(small[rows, columns], at[:, 0] + 1000 * at[:, 1], rtol=1e-6)
    assert reduced(x, 400, 400)[0] is x


# -------------------------------------------------------------------------------------------- LoFTR


class FakeNetwork(torch.nn.Module):
    """Finds what a matrix of the full frames says, on a grid, in LoFTR's coordinates."""

    def __init__(self, matrix: Array, scale: float) -> None:
        super().__init__()
        self.matrix, self.scale = matrix, scale
        self.seen: dict[str, torch.Tensor] = {}

    def forward(self, data: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        self.seen = data
        h, w = data["image0"].shape[2:]
        at = (
            np.stack(np.meshgrid(np.arange(8, w - 8, 16), np.arange(8, h - 8, 16)), -1).reshape(
                -1, 2
            )
            + 0.5
        )
        ref = project(self.matrix, at * self.scale - 0.5)
        return {
            "keypoints0": torch.from_numpy(at).float(),
            "keypoints1": torch.from_numpy((ref + 0.5) / self.scale).float(),
        }


@pytest.mark.parametrize(("size", "scale"), [((240, 320), 1.0), ((960, 1280), 2.0)])
def test_loftr_points_are_read_in_pixels_of_the_frames(size: tuple[int, int], scale: float) -> None:
    truth = planted(*size, *LARGE)
    network = FakeNetwork(truth, scale)
    picture = noise(1, *size)[0] @ LUMA.astype(np.float32)
    matches = LoftrMatcher(network, torch.device("cpu"))(
        picture.astype(np.float32), picture.astype(np.float32)
    )
    found = from_points(matches, size, "loftr")
    assert corner_error(found.matrix, truth, size) < 0.01
    seen = network.seen["image0"]
    assert seen.dtype == torch.float32
    assert seen.shape == (1, 1, size[0] // scale, size[1] // scale)
    assert 0.0 <= float(seen.min()) < float(seen.max()) <= 1.0


@pytest.fixture(scope="module")
def loftr_weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("loftr") / "loftr.ckpt"
    state = {
        f"matcher.{name}": tensor for name, tensor in LoFTR(pretrained=None).state_dict().items()
    }
    torch.save({"state_dict": state}, path)
    return path


@pytest.mark.slow
def test_loftr_is_read_from_a_file(loftr_weights: Path, scenes: list[Array]) -> None:
    method = registration.open_register("loftr", weights=str(loftr_weights))
    small = np.ascontiguousarray(scenes[0][:96, :128])
    found = registration.register(
        frames(small), frames(np.ascontiguousarray(scenes[1][:96, :128])), method
    )[0]
    assert not found.accepted  # its weights are random
    torch.manual_seed(0)
    network = LoFTR(pretrained=None).eval()
    with torch.inference_mode():
        x = torch.from_numpy((small @ LUMA).astype(np.float32))[None, None] / 255
        direct = network({"image0": x, "image1": x})["keypoints0"].numpy() - 0.5
    assert isinstance(method, partial)
    matches = method.keywords["match"](
        small @ LUMA.astype(np.float32), small @ LUMA.astype(np.float32)
    )
    np.testing.assert_allclose(matches.test, direct, atol=1e-4)
    assert registration.describe("loftr", str(loftr_weights))["weights_digest"].startswith(
        "sha256:"
    )


@pytest.mark.slow
def test_wrong_loftr_weights_are_one_line(tmp_path: Path, loftr_weights: Path) -> None:
    state = torch.load(loftr_weights, weights_only=True)["state_dict"]
    first = next(iter(state))
    torch.save(
        {name: tensor for name, tensor in state.items() if name != first}, tmp_path / "less.pt"
    )
    torch.save({**state, first: torch.zeros(3)}, tmp_path / "shape.pt")
    torch.save([1, 2], tmp_path / "list.pt")
    (tmp_path / "text.pt").write_text("no weights")
    itself: dict[str, object] = {}
    itself["model"] = itself
    torch.save(itself, tmp_path / "itself.pt")
    torch.save({**state, "module." * 5000 + "x": torch.zeros(3)}, tmp_path / "prefixes.pt")
    for name, words in {
        "less.pt": "are not LoFTR's: 1 tensors",
        "shape.pt": "are not LoFTR's: 1 tensors",
        "list.pt": "hold no state dict",
        "itself.pt": "hold no state dict",
        "prefixes.pt": "are not LoFTR's: 1 tensors",
        "text.pt": "cannot read the register weights",
        "missing.pt": "are not a file",
    }.items():
        with pytest.raises(UsageError, match=words) as caught:
            registration.open_register("loftr", weights=str(tmp_path / name))
        assert "\n" not in str(caught.value)
    with pytest.raises(UsageError, match="--register-weights FILE"):
        registration.open_register("loftr")
    with pytest.raises(UsageError, match="register is 'orb': choose ecc"):
        registration.open_register("orb")

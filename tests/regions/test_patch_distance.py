"""Distances of patches that can be computed by hand, and their place in the frame."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch
from helpers.networks import network

from vfiscope.embedders.dinov2 import Dinov2
from vfiscope.regions import METHODS, FramePair, Settings, find
from vfiscope.regions.difference.nearest_patches import against_reference, nearest
from vfiscope.regions.difference.patch_distance import windowed
from vfiscope.regions.patch_features import PatchFeatures, _as_frames, spread
from vfiscope.types import Uint8

BLACK = np.zeros((30, 50, 3), np.uint8)
GREY = np.full((30, 50, 3), 9, np.uint8)


def known(test: torch.Tensor, ref: torch.Tensor):  # type: ignore[no-untyped-def]
    """Features of a grey test frame and a black reference."""
    return lambda frame: test if frame[0, 0, 0] == 9 else ref


def angles(*degrees: list[float]) -> torch.Tensor:
    """(h, w, 2) unit vectors."""
    at = torch.deg2rad(torch.tensor(degrees))
    return torch.stack([torch.cos(at), torch.sin(at)], dim=-1)


REF = angles([0, 10, 20, 30, 40], [100, 110, 120, 130, 140], [200, 210, 220, 230, 240])


def test_a_shift_of_one_patch_is_within_the_window_and_what_vanished_is_seen() -> None:
    shifted = torch.roll(REF, 1, dims=1)
    shifted[:, 0] = REF[:, 0]
    embed = known(shifted, REF)
    assert windowed(FramePair(GREY, BLACK), embed=embed, reach=1).values.max() < 1e-6 + 1 - np.cos(
        np.deg2rad(10)
    )
    flat = angles(*[[0] * 5] * 3)
    thing = flat.clone()
    thing[1, 1] = angles([90.0])[0]
    for test, ref in ((thing, flat), (flat, thing)):
        cells = windowed(FramePair(GREY, BLACK), embed=known(test, ref)).cells
        want = np.zeros((3, 5))
        want[1, 1] = 1
        np.testing.assert_allclose(cells, want, atol=1e-6)


def test_nearest_patches_over_several_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vfiscope.regions.difference.nearest_patches.SEARCH_ROWS", 4)
    bank = angles([float(at) for at in range(0, 180, 15)])[0]
    distance, rows = nearest(angles([31.0, 95.0, 2.0, 0.0, 178.0])[0], bank, 3)
    assert rows.tolist() == [[2, 3, 1], [6, 7, 5], [0, 1, 2], [0, 1, 2], [11, 10, 9]]
    apart = np.array([[1, 14, 16], [5, 10, 20], [2, 13, 28], [0, 15, 30], [13, 28, 43]])
    np.testing.assert_allclose(distance, 1 - np.cos(np.deg2rad(apart)), atol=1e-6)
    assert distance[3, 0] == 0


def test_rare_patches_of_the_reference_are_not_far_from_it() -> None:
    cells = against_reference(FramePair(GREY, BLACK), embed=known(REF.clone(), REF), k=3).cells
    assert cells is not None
    assert (cells == 0).all()
    test = REF.clone()
    test[0, 4] = angles([320.0])[0]  # 40 degrees from the nearest, which has 0, 10, 20 around it
    one_way = against_reference(
        FramePair(GREY, BLACK), embed=known(test, REF), k=3, both=False
    ).cells
    cosines = np.cos(np.deg2rad([[40, 50, 60], [0, 10, 20]])).mean(axis=1)
    assert one_way is not None
    assert one_way[0, 4] == pytest.approx(cosines[1] - cosines[0], abs=1e-5)
    assert np.count_nonzero(one_way > 1e-5) == 1


def colours(frame: Uint8) -> torch.Tensor:
    """(h, w, 4) mean colours of patches of 6 pixels, beside a constant."""
    cells = cv2.resize(frame, (frame.shape[1] // 6, frame.shape[0] // 6), interpolation=3)
    made = np.concatenate([cells.astype(np.float32), np.full((*cells.shape[:2], 1), 60.0)], 2)
    return torch.from_numpy(made.astype(np.float32))


def by_network(frame: Uint8) -> torch.Tensor:
    torch.manual_seed(0)
    net = Dinov2(network(class_token=True, reg_tokens=4), name="x", version="x", size=84)
    assert net.prefix == 5
    return torch.from_numpy(net.embed(_as_frames(frame)).patches[0])


def places(size: tuple[int, int], side: int = 16) -> list[tuple[int, int]]:
    """(y, x) of squares in the corners, at the middles of the edges, and in the middle."""
    lines = [(0, length // 2 - side // 2, length - side) for length in size]
    return [(y, x) for y in lines[0] for x in lines[1]]


@pytest.mark.parametrize("size", [(96, 96), (60, 180), (180, 60)])
def test_a_defect_in_each_corner_and_edge_is_at_its_place(size: tuple[int, int]) -> None:
    ref = textured(size)
    for y, x in places(size):
        test = ref.copy()
        test[y : y + 16, x : x + 16] = (255, 0, 0)
        for step in (windowed, against_reference):
            made = step(FramePair(test, ref), embed=colours)
            top = np.unravel_index(made.values.argmax(), size)
            assert max(abs(top[0] - y - 7.5), abs(top[1] - x - 7.5)) <= 8


@pytest.mark.parametrize("size", [(84, 84), (70, 154)])
def test_embedders_cover_the_frame_up_to_its_corners(size: tuple[int, int]) -> None:
    ref, dsift = textured(size), PatchFeatures("dsift", size=84)
    for y, x in places(size)[::2]:
        test = ref.copy()
        test[y : y + 16, x : x + 16] = (255, 0, 0)
        for embed in (by_network, dsift):
            made = windowed(FramePair(test, ref), embed=embed)
            assert made.cells is not None
            assert made.cells.shape == ((6, 6) if size == (84, 84) else (6, 13))
            top = np.unravel_index(made.values.argmax(), size)
            assert max(abs(top[0] - y - 7.5), abs(top[1] - x - 7.5)) <= 14


def textured(size: tuple[int, int]) -> Uint8:
    random = np.random.default_rng(3)
    small = random.integers(80, 170, (45, 45, 1), np.uint8)
    return np.repeat(np.kron(small, np.ones((4, 4, 1), np.uint8))[: size[0], : size[1]], 3, axis=2)


def test_filled_pixels_do_not_count() -> None:
    ref = textured((60, 60))
    test, valid = ref.copy(), np.ones((60, 60), bool)
    test[:, :20], valid[:, :20] = 0, False
    made = windowed(FramePair(test, ref, valid), embed=colours)
    assert made.values.max() == 0
    assert (made.valid == valid).all()


@pytest.mark.parametrize("size", [(1, 1), (2, 3), (40, 9), (64, 64)])
def test_frames_of_any_size_and_look(size: tuple[int, int]) -> None:
    grey, white = np.full((*size, 3), 100, np.uint8), np.full((*size, 3), 255, np.uint8)
    method = METHODS["semantic"](Settings(embedder="dsift"))
    for test, ref in ((grey, grey), (white, grey), (white * 0, white)):
        found = find(FramePair(test, ref), method)
        assert found.difference.values.shape == size
        assert np.isfinite(found.difference.values).all()
        if test is ref:
            assert (found.difference.values == 0).all()
            assert not found.regions


def test_values_of_cells_at_pixels() -> None:
    cells = np.array([[0.0, 1.0]], np.float32)
    np.testing.assert_allclose(spread(cells, (1, 4)), [[0, 0.25, 0.75, 1]])
    assert spread(np.arange(4, dtype=np.float32).reshape(2, 2), (1, 1)) == 1.5


def test_the_same_pixels_are_embedded_once(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []
    look = PatchFeatures("dsift", size=28)
    embed = look.embedder.embed
    monkeypatch.setattr(look.embedder, "embed", lambda frames: calls.append(1) or embed(frames))
    one = look(GREY)
    assert look(GREY.copy()) is one
    assert look(BLACK) is not one
    assert look(GREY) is one
    assert len(calls) == 2

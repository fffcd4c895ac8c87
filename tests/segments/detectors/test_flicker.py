"""Flicker in stored columns: with and without known roles, and what is none."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from numpy.typing import NDArray

from vfiscope.segments.detectors import DETECTORS, Columns
from vfiscope.types import FrameTable, Role

N = 40


def found(
    luma: NDArray[np.float64], role: NDArray[np.uint8], name: str = "level_y"
) -> list[tuple[str, str, int, int]]:
    n, nothing = len(luma), np.zeros(len(luma))
    order = np.arange(n)
    table = FrameTable(
        order, order, order / 25, order, role, nothing, nothing.astype(np.uint8), Fraction(1, 25)
    )
    scores = dict.fromkeys(("level_y", "level_cb", "level_cr"), nothing) | {name: luma}
    segments = DETECTORS["flicker"].detect(Columns(table, scores, {}))
    return [(each.kind, each.role, each.start, each.stop) for each in segments]


def roles(multiplier: int) -> NDArray[np.uint8]:
    part = np.arange(N) % multiplier
    return np.where(part, Role.SYNTHESISED, Role.PASSED).astype(np.uint8)


@pytest.mark.parametrize("multiplier", [2, 3])
@pytest.mark.parametrize(("off", "name"), [(8, "level_y"), (-1.5, "level_y"), (1.2, "level_cr")])
def test_synthesised_frames_of_another_level(multiplier: int, off: float, name: str) -> None:
    role = roles(multiplier)
    noise = np.random.default_rng(1).normal(0, 0.2, N)
    last = int(np.flatnonzero(role == Role.SYNTHESISED)[-1])
    expected = [("flicker", "synthesised", 1, last + 1)]
    assert found(noise + off * (role == Role.SYNTHESISED), role, name) == expected
    assert found(noise + off, role, name) == []  # the passed ones have it too
    assert found(noise, role, name) == []


def test_a_part_of_the_clip_flickers() -> None:
    role = roles(2)
    late = np.where((np.arange(N) >= 20) & (role == Role.SYNTHESISED), 4.0, 0.0)
    assert found(late, role) == [("flicker", "synthesised", 21, N)]
    flash = np.where(np.arange(N) == 21, 40.0, 0.0)
    assert found(flash, role) == []


@pytest.mark.parametrize("multiplier", [2, 3, 4])
@pytest.mark.parametrize("off", [8.0, -2.0])
def test_without_roles_every_frame_is_beside_its_neighbours(multiplier: int, off: float) -> None:
    shown = np.where(np.arange(N) % multiplier, off, 0.0)
    apart = np.full(N, np.nan)
    apart[1:-1] = shown[1:-1] - (shown[:-2] + shown[2:]) / 2
    unknown = np.full(N, Role.UNKNOWN, np.uint8)
    (segment,) = found(apart, unknown)
    assert segment[:2] == ("flicker", "all")
    assert segment[2] <= multiplier
    assert segment[3] >= N - 2 * multiplier


def test_flashes_and_noise_are_no_flicker() -> None:
    unknown, apart = np.full(N, Role.UNKNOWN, np.uint8), np.zeros(N)
    apart[[5, 17, 30]] = 30
    apart[[4, 6, 16, 18, 29, 31]] = -15
    assert found(apart, unknown) == []
    assert found(np.random.default_rng(3).normal(0, 0.5, N), unknown) == []

"""Rows that are read again: each input once, in bounded memory, and what reading each row alone
gives."""

from __future__ import annotations

from collections.abc import Collection, Generator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers.media import noise, write_video

import vfiscope as vs
from vfiscope.comparisons import FrameRequest
from vfiscope.scoring.frames_in_turn import frames_in_turn
from vfiscope.scoring.stored_frames import fetch, opened_inputs, streamed
from vfiscope.types import FetchedFrame


class Inputs:
    """Inputs that tell what was read of them, and how many of their frames were held."""

    def __init__(self) -> None:
        self.read: list[tuple[str, list[int]]] = []

    def __call__(self, role: str, ordinals: Collection[int]) -> Generator[FetchedFrame]:
        self.read.append((role, []))
        mine = self.read[-1][1]
        for ordinal in sorted(ordinals):
            mine.append(ordinal)
            yield FetchedFrame(role, ordinal, "", "", True, None)


def needs(*rows: tuple[int, ...]) -> list[list[FrameRequest]]:
    """A test frame and its partners in "ref" for each row."""
    return [
        [FrameRequest("test", row[0]), *(FrameRequest("ref", one) for one in row[1:])]
        for row in rows
    ]


@pytest.mark.parametrize(
    ("rows", "most", "reads"),
    [
        ([(0, 0), (1, 1), (2, 2)], 2, 2),
        ([(0, 3), (1, 3), (2, 5), (3, 4)], 4, 2),  # repeated, and one that runs ahead
        ([(0, 9), (1, 9), (2, 9)], 2, 2),  # golden: read first, and held
        ([(0, 4), (1, 3), (2, 2), (3, 1), (4, 0)], 4, 4),  # backwards: in two parts
        ([(0, 4), (1, 3), (2, 2), (3, 1), (4, 0)], 99, 2),
        ([(n, n // 2, n // 2 + 1) for n in range(8)], 4, 2),  # between two
        ([], 1, 0),
    ],
)
def test_every_row_gets_its_frames_and_inputs_are_read_once(
    rows: list[tuple[int, ...]], most: int, reads: int
) -> None:
    inputs = Inputs()
    needed = needs(*rows)
    for row, found in zip(needed, frames_in_turn(needed, inputs, most), strict=True):
        assert set(row) <= set(found)
        assert all(
            (one.role, one.ordinal) == (each.role, each.index) for one, each in found.items()
        )
    assert len(inputs.read) == reads


def test_no_frame_is_read_before_it_is_needed() -> None:
    inputs = Inputs()
    rows = frames_in_turn(needs((0, 1), (1, 2), (2, 3), (3, 9)), inputs, 9)
    for count in (1, 2, 3):
        next(rows)
        assert dict(inputs.read) == {"test": list(range(count)), "ref": list(range(1, count + 1))}


@pytest.mark.parametrize("options", [{"golden": 4}, {"lag": 2}], ids=["golden", "lag"])
def test_rows_of_a_video_are_those_that_each_alone_gives(
    tmp_path: Path, options: dict[str, Any]
) -> None:
    clip = write_video(tmp_path / "clip.mkv", noise(9, 32, 48), codec="ffv1")
    out = tmp_path / "run.h5"
    vs.scan(str(clip), metrics=["psnr"], signals=["none"], out=out, **options).close()
    with vs.open_run(out) as run, opened_inputs(run) as sources:
        rows = range(len(run))
        alone = [fetch(run, [row])[0] for row in rows]
        for most in (1, 99):
            for one, each in zip(alone, streamed(run, sources, rows, most), strict=True):
                assert one.row == each.row
                assert np.array_equal(one.test.pixels, each.test.pixels)
                assert (one.partner is None) == (each.partner is None)
                if one.partner is not None and each.partner is not None:
                    assert one.partner.index == each.partner.index
                    assert np.array_equal(one.partner.pixels, each.partner.pixels)

"""The clip at fault as videos and photos, and a run of it."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest
from helpers.faulty_clip import HEIGHT, LEAN, TEST, TRUTH, WIDTH
from helpers.media import write_video
from helpers.warps import planted, seen_through

import vfiscope as vs
from vfiscope import synth


@pytest.fixture(scope="module")
def media(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Lossless videos truth and test, photos of both in folders, and wide: the test at twice the
    size."""
    folder = tmp_path_factory.mktemp("media")
    for name, frames in (("truth", TRUTH), ("test", TEST)):
        write_video(folder / f"{name}.mkv", frames)
        synth.write_images(folder / name, frames)
    write_video(
        folder / "wide.mkv",
        np.stack([cv2.resize(frame, (2 * WIDTH, 2 * HEIGHT)) for frame in TEST]),
    )
    write_video(folder / "source.mkv", TRUTH[::2], rate=Fraction(25, 2))
    deep = [frame.astype(np.uint16) * 257 for frame in TEST]
    (folder / "deep").mkdir()
    for number, frame in enumerate(deep):
        cv2.imwrite(str(folder / f"deep/{number}.png"), frame[..., ::-1])
    (folder / "moved").mkdir()
    for number, frame in enumerate(synth.Scene(240, 320, seed=2).clip(4).frames):
        seen = seen_through(
            frame, planted(240, 320, 3.0 * number, 1 - number / 100, number / 50, 0.0)
        )
        cv2.imwrite(str(folder / f"moved/{number}.png"), np.ascontiguousarray(seen[..., ::-1]))
    return folder


@pytest.fixture(scope="module")
def scored(media: Path) -> Path:
    """test.mkv against truth.mkv, with a map of absolute differences."""
    with vs.score(
        media / "test.mkv", ref=media / "truth.mkv", out=str(media / "scored.h5"), **LEAN
    ) as run:
        return run.path

"""A made clip with faults of time, from the file to the segments."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

import vfiscope as vs
from vfiscope import synth


@pytest.mark.slow
def test_a_repeat_a_freeze_and_a_drop_in_a_pan(tmp_path: Path) -> None:
    noise = np.random.default_rng(3).standard_normal((96, 400))
    scene = gaussian_filter(noise, 2, mode="wrap")
    scene = np.clip(128 + 45 * scene / scene.std(), 0, 255).astype(np.uint8)
    shown = [*range(20), 19, *range(21, 40), 39, 39, 39, 39, *range(44, 60), *range(63, 80)]
    frames = [np.repeat(scene[:, 3 * at : 3 * at + 128, None], 3, axis=2) for at in shown]
    path = synth.write_video(tmp_path / "pan.mp4", iter(frames), rate=Fraction(25), crf=23)
    with vs.scan(str(path), metrics=("absdiff",), out=str(tmp_path / "pan.h5")) as run:
        named = [each for each in run.segments if each.kind != "low_score"]
    found = [(each.kind, each.start, each.stop) for each in named]
    # 20 repeats 19; 40 to 43 repeat 39; between 59 and 60 three are missing
    assert found == [("duplicate", 20, 21), ("freeze", 40, 44), ("drop", 60, 61)]

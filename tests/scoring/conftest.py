"""A clip with a ghosted stretch; and a fast clip with every second frame of it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from helpers.ghosted_runs import N as GHOSTED
from helpers.interpolated import VELOCITY, N, Pixels

from vfiscope import synth


@pytest.fixture(scope="module")
def media(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """truth.mp4 and test.mp4, 30 frames of 96x128, the test ghosted in [10, 16)."""
    folder = tmp_path_factory.mktemp("media")
    clip = synth.Scene(96, 128, seed=2).clip(GHOSTED)
    synth.write_video(folder / "truth.mp4", clip.frames, crf=12)
    synth.write_video(folder / "test.mp4", synth.ghost(clip, 10, 16, distance=5).frames, crf=14)
    synth.write_images(folder / "truth", clip.frames[:8])
    synth.write_images(folder / "test", synth.noise(clip, 0, GHOSTED, sigma=4).frames[:8])
    return folder


@pytest.fixture(scope="module")
def truth() -> Pixels:
    """(21, 144, 256, 3) frames of the fast clip."""
    return np.stack(list(synth.Scene(144, 256, seed=6, objects=0, velocity=VELOCITY).frames(N)))


@pytest.fixture(scope="module")
def low(truth: Pixels) -> Pixels:
    return truth[::2]

"""Small videos and an image, and things that are no video."""

from __future__ import annotations

from pathlib import Path

import pytest

from vfiscope import synth


@pytest.fixture(scope="module")
def media(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("media")
    clip = synth.Scene(64, 96, seed=2).clip(12)
    synth.write_video(folder / "truth.mp4", clip.frames, crf=12)
    synth.write_video(folder / "test.mp4", synth.ghost(clip, 4, 7, distance=5).frames, crf=14)
    synth.write_video(folder / "wide.mp4", synth.Scene(64, 128).frames(12))
    synth.write_images(folder, clip.frames[:1], "still_%d.png")
    (folder / "empty.mp4").touch()
    (folder / "text.mp4").write_text("not a film\n" * 100)
    (folder / "hollow").mkdir()
    return folder

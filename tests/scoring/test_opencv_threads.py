"""OpenCV has one thread while a job scores, and its own number before and behind it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import cv2
import pytest
from helpers.media import moving, write_video

from vfiscope.options import RunConfig
from vfiscope.scoring import pipeline
from vfiscope.sources import Source
from vfiscope.types import Scores


@pytest.mark.parametrize(("register", "meanwhile"), [("none", 1), ("ecc", 3)])
def test_only_registering_keeps_opencvs_threads(
    tmp_path: Path, register: str, meanwhile: int
) -> None:
    found: list[int] = []

    def watch(scores: Iterable[Scores], source: Source, done: int) -> Iterator[Scores]:
        for each in scores:
            found.append(cv2.getNumThreads())
            yield each
        raise InterruptedError("in the middle of a job")

    path = str(write_video(tmp_path / "a.mkv", moving(2, 32, 32)))
    config = RunConfig("score", path, ref=path, metrics=("psnr",), register=register)
    before = cv2.getNumThreads()
    cv2.setNumThreads(3)
    try:
        with pytest.raises(InterruptedError):
            pipeline.run(config, watch=watch)
        assert found == [meanwhile]
        assert cv2.getNumThreads() == 3
    finally:
        cv2.setNumThreads(before)

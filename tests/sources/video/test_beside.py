"""What a video is asked for beside its pixels is that of its pixels, whichever way they are
made."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers.media import noise, write_video

from vfiscope.pixels import luma_bytes
from vfiscope.sources import open_source
from vfiscope.types import Frames


def with_luma(path: Path, **options: Any) -> list[Frames]:
    with open_source(path, batch=2, **options) as source:
        source.ask_for_luma()
        return list(source)


@pytest.mark.parametrize(
    ("pix_fmt", "size", "rotation", "options"),
    [
        ("yuv420p", (34, 36), 0, {}),
        ("yuv444p", (33, 35), 0, {}),
        ("yuv420p", (33, 35), 0, {}),
        ("yuva420p", (34, 36), 0, {}),
        ("gray", (34, 36), 0, {}),
        ("yuv420p", (34, 36), 90, {}),
        ("yuv420p", (34, 36), 0, {"crop": "3,5,21,19"}),
        ("yuv420p", (34, 36), 0, {"resize": (20, 22, "area")}),
        ("yuv420p", (68, 72), 0, {"max_width": 30}),
    ],
)
def test_luma_and_sums_are_those_of_the_pixels(
    tmp_path: Path, pix_fmt: str, size: tuple[int, int], rotation: int, options: dict[str, Any]
) -> None:
    made = noise(3, *size, seed=4)
    path = write_video(tmp_path / "a.mkv", made, pix_fmt=pix_fmt, rotation=rotation)
    batches = with_luma(path, **options)
    assert [len(batch) for batch in batches] == [2, 1]
    for batch in batches:
        assert batch.luma is not None
        wanted = np.stack([luma_bytes(pixels) for pixels in batch.interleaved])
        np.testing.assert_array_equal(batch.luma, wanted)
        np.testing.assert_array_equal(batch.sums, batch.interleaved.sum(axis=(1, 2)))


def test_without_being_asked_and_of_deep_videos_there_is_none(tmp_path: Path) -> None:
    deep = write_video(tmp_path / "b.mkv", noise(2, 34, 36, dtype=np.uint16), pix_fmt="yuv420p10le")
    assert with_luma(deep)[0].luma is None
    path = write_video(tmp_path / "a.mkv", noise(2, 34, 36), pix_fmt="yuv420p")
    with open_source(path) as source:
        assert next(iter(source)).luma is None


def test_luma_goes_with_its_rows(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mkv", noise(4, 34, 36), pix_fmt="yuv420p")
    first, second = with_luma(path)
    joined = Frames.concat([first, second])
    assert joined.luma is not None
    assert first.luma is not None
    np.testing.assert_array_equal(joined[:2].luma, first.luma)
    np.testing.assert_array_equal(joined.take(np.array([3, 0])).luma, joined.luma[[3, 0]])
    with open_source(path) as source:
        assert Frames.concat([first, *source]).luma is None
    for name, shape in (("luma", r"\(2, 34, 36\)"), ("sums", r"\(2, 3\)")):
        with pytest.raises(ValueError, match=f"Frames.{name} must be {shape}"):
            replace(first, **{name: getattr(joined, name)})

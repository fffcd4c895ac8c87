"""The decoding that tells how to read a video goes on where its frames are read."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from helpers.media import moving, pixels, write_video

from vfiscope.errors import UsageError
from vfiscope.sources import open_source
from vfiscope.sources.source import Counts, Source
from vfiscope.sources.video import video_source
from vfiscope.sources.video.container import VideoFile
from vfiscope.sources.video.decode import Progress, decode
from vfiscope.sources.video.probe import begin


@pytest.fixture
def begun_anew(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The paths of the files that are decoded from a new beginning."""
    found: list[str] = []

    def noted(video: VideoFile, progress: Progress) -> Any:
        found.append(video.path)
        return decode(video, progress)

    monkeypatch.setattr(video_source, "decode", noted)
    return found


def video(path: Path) -> Path:
    return write_video(path, moving(12, 48, 64), codec="libx264", pix_fmt="yuv420p")


def test_the_first_pass_goes_on_with_the_opened_decoder_and_the_next_opens_anew(
    tmp_path: Path, begun_anew: list[str]
) -> None:
    path = video(tmp_path / "a.mp4")
    with open_source(path) as source:
        first, counts, table = pixels(source), source.counts, source.seek_table
        assert begun_anew == []
        np.testing.assert_array_equal(pixels(source), first)
        assert begun_anew == [str(path)]
        assert source.counts == counts
        assert counts.decoded == len(first) == 12
        assert table is not None
        assert source.seek_table is not None
        for column in ("pts", "checksum", "keyframe_pts", "keyframe_dts"):
            known = getattr(table, column)
            np.testing.assert_array_equal(getattr(source.seek_table, column), known)
        assert len(table.keyframe_pts) > 0


def test_a_file_that_was_changed_since_it_was_opened_is_opened_anew(
    tmp_path: Path, begun_anew: list[str]
) -> None:
    path = video(tmp_path / "a.mp4")
    with open_source(path) as source:
        other = write_video(
            tmp_path / "b.mp4", moving(3, 48, 64), codec="libx264", pix_fmt="yuv420p"
        )
        os.replace(other, path)
        assert len(pixels(source)) == 3
        assert begun_anew == [str(path)]


@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="no list of open files here")
def test_a_source_that_is_never_read_leaves_no_file_open(tmp_path: Path) -> None:
    path = video(tmp_path / "a.mp4")
    with open_source(path):
        assert _times_open(path) == 1
    assert _times_open(path) == 0
    with pytest.raises(UsageError, match="crop") as caught:
        open_source(path, crop="0,0,999,999")
    assert caught.tb is not None  # whose frames are still alive
    assert _times_open(path) == 0


def _times_open(path: Path) -> int:
    links = [f"/proc/self/fd/{number}" for number in os.listdir("/proc/self/fd")]
    return sum(os.path.realpath(link) == str(path.resolve()) for link in links)


def _without_first(path: Path) -> Path:
    """Intra-coded video whose first three packets cannot be decoded."""
    write_video(path, moving(12, 48, 64), codec="png", pix_fmt="rgb24")
    with av.open(str(path)) as container:
        places = [each.pos for each in container.demux(video=0) if each.size]
    data = bytearray(path.read_bytes())
    for at in places[:3]:
        data[at : at + 40] = bytes(40)
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("stop", [1, 2, None])
def test_rows_before_the_first_frame_are_counted_as_they_are_read(
    tmp_path: Path, stop: int | None
) -> None:
    path = _without_first(tmp_path / "a.mov")
    with open_source(path, stop=stop) as source:
        first, again = _read(source), _read(source)
    assert first == again
    assert first[0][:2] == [0, 1][: len(first[0])]
    assert first[1].unreadable == (3 if stop is None else stop + 1)


def _read(source: Source) -> tuple[list[int], Counts]:
    rows = [int(row) for frames in source for row in frames.index]
    return rows, source.counts


def test_what_was_noted_by_each_row_is_noted_again(tmp_path: Path) -> None:
    path = str(_without_first(tmp_path / "a.mov"))
    here, there = Progress(), Progress()
    _, _, begun = begin(VideoFile(path))
    for one, other in zip(begun.rows(here), decode(VideoFile(path), there), strict=True):
        assert (one.pts, one.frame is None) == (other.pts, other.frame is None)
        assert (here.counts, here.keyframes) == (there.counts, there.keyframes)
    assert here.counts == there.counts
    assert here.counts.decoded == 9

"""Frames found through keyframes: the very frames, whatever the codec does, and no others."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers.media import Array, moving, noise, write_video

from vfiscope.errors import SourceError, UsageError
from vfiscope.sources import Source, open_source
from vfiscope.sources.video.video_source import VideoSource
from vfiscope.types import NOT_WHOLE, Frames, SeekTable, Status

N = 50
OPEN_X264 = "log-level=none:open-gop=1:keyint=10:min-keyint=5:bframes=3:b-adapt=0:scenecut=0"
CLOSED_X264 = "log-level=none:keyint=12:bframes=3:b-adapt=0:scenecut=0"
CLIPS: dict[str, dict[str, Any]] = {
    "a.mp4": {"codec": "libx264", "options": {"x264-params": CLOSED_X264}},
    "open.mp4": {"codec": "libx264", "options": {"x264-params": OPEN_X264}},
    "a.ts": {"codec": "libx264", "options": {"x264-params": CLOSED_X264}},
    "hevc.mp4": {"codec": "libx265", "options": {"x265-params": "log-level=none:keyint=10"}},
    "hevc.mkv": {
        "codec": "libx265",
        "options": {"x265-params": "log-level=none:keyint=12:no-open-gop=1:bframes=4"},
    },
    "vp9.webm": {
        "codec": "libvpx-vp9",
        "options": {"g": "9", "auto-alt-ref": "1", "lag-in-frames": "9", "cpu-used": "8"},
    },
    "av1.mkv": {"codec": "libsvtav1", "options": {"g": "9", "preset": "12"}},
    "mpeg2.ts": {"codec": "mpeg2video", "options": {"g": "9", "bf": "2", "b": "4000000"}},
    "mpeg4.avi": {"codec": "mpeg4", "options": {"g": "9", "bf": "2", "b": "4000000"}},
    "mjpeg.avi": {"codec": "mjpeg", "pix_fmt": "yuvj420p"},
    "ffv1.mkv": {"codec": "ffv1", "options": {"g": "10"}},
}
"""Clips of which seeking finds every frame."""


def made(folder: Path, name: str) -> Path:
    frames = np.clip(moving(N, 64, 96).astype(int) + noise(N, 64, 96) // 8, 0, 255)
    how = {"pix_fmt": "yuv420p", **CLIPS[name]}
    return write_video(folder / name, frames.astype(np.uint8), **how)


def read_whole(path: Path, **options: Any) -> tuple[Frames, SeekTable]:
    """All frames as one batch, and what reading them noted."""
    with open_source(path, batch=1000, **options) as source:
        (frames,) = source
        assert source.seek_table is not None
        return frames, source.seek_table


def check_same(found: Frames, whole: Frames, ordinals: Sequence[int]) -> None:
    assert found.index.tolist() == list(ordinals)
    for name in ("index", "pts", "time_s", "status", "data"):
        assert np.array_equal(
            np.asarray(getattr(found, name)), np.asarray(getattr(whole, name))[list(ordinals)]
        ), name


def sought(monkeypatch: pytest.MonkeyPatch, path: Path, table: SeekTable, **more: Any) -> Source:
    """The source opened anew with a table, in which nothing can be decoded from the start."""
    source = open_source(path, **more)
    source.seek_table = table

    def refuse(*_: Any) -> None:
        raise AssertionError("decoded from the start")

    monkeypatch.setattr(VideoSource, "_decoded", refuse)
    return source


def orders(n: int) -> list[list[int]]:
    rng = np.random.default_rng(n)
    return [rng.integers(0, n, 7).tolist(), list(range(n))[::-4], [n - 1, 0, n - 1], [n // 2]]


@pytest.mark.parametrize("name", CLIPS)
def test_seeking_finds_the_frames_of_the_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    path = made(tmp_path, name)
    whole, table = read_whole(path)
    assert len(table) == N
    assert table.ended
    assert len(table.keyframe_pts) > 2
    with sought(monkeypatch, path, table) as source:
        for ordinals in orders(N):
            check_same(source.frames_at(ordinals), whole, ordinals)


def interlaced(folder: Path) -> Path:
    """Fields of two moments in each frame."""
    frames = moving(2 * N, 64, 96)
    woven = frames[::2].copy()
    woven[:, 1::2] = frames[1::2, 1::2]
    options = {"g": "9", "bf": "2", "b": "6000000", "flags": "+ildct+ilme"}
    return write_video(
        folder / "woven.ts",
        woven,
        codec="mpeg2video",
        pix_fmt="yuv420p",
        options=options,
    )


def test_deinterlaced_frames_are_made_from_neighbours_that_are_sought_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = interlaced(tmp_path)
    whole, table = read_whole(path, deinterlace="bwdif")
    plain, _ = read_whole(path)
    assert not np.array_equal(np.asarray(whole.data), np.asarray(plain.data)), "bwdif did something"
    with sought(monkeypatch, path, table, deinterlace="bwdif") as source:
        for ordinals in [*orders(N), [1], [2], [N - 2], [5, 9], [5, 8]]:
            check_same(source.frames_at(ordinals), whole, ordinals)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda t: replace(t, checksum=np.roll(t.checksum, 1)),
        lambda t: replace(t, pts=t.pts + 1),
        lambda t: replace(t, keyframe_dts=t.keyframe_dts + 40000),
        lambda t: replace(t, keyframe_dts=t.keyframe_dts[::-1].copy()),
        lambda t: replace(t, keyframe_pts=t.keyframe_pts - 3000),
        lambda t: replace(t, pts=t.pts[::-1].copy()),
        lambda t: replace(t, checksum=np.full(len(t), NOT_WHOLE)),
        lambda t: replace(t, keyframe_pts=t.keyframe_pts[:0], keyframe_dts=t.keyframe_dts[:0]),
    ],
    ids=["checksums", "times", "places", "reversed", "early", "falling", "damaged", "none"],
)
def test_a_table_that_is_wrong_costs_time_and_nothing_else(tmp_path: Path, spoil: Any) -> None:
    path = made(tmp_path, "a.mp4")
    whole, table = read_whole(path)
    with open_source(path) as source:
        for ordinals in ([40, 3, 25], [7]):
            source.seek_table = spoil(table)
            check_same(source.frames_at(ordinals), whole, ordinals)


def test_a_disagreement_is_said_once_and_not_tried_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = made(tmp_path, "a.mp4")
    _, table = read_whole(path)
    caplog.set_level(logging.INFO, "vfiscope")
    with open_source(path) as source:
        source.seek_table = replace(table, checksum=table.checksum ^ 1)
        source.frames_at([30])
        source.frames_at([31])
    (said,) = caplog.messages
    assert said == f"{path} is decoded from its start: by seeking, frame 30 comes out otherwise"


def test_the_table_of_another_file_gives_the_frames_of_this_one(tmp_path: Path) -> None:
    whole, _ = read_whole(made(tmp_path, "a.mp4"))
    other = write_video(
        tmp_path / "other.mp4",
        moving(N, 64, 96)[::-1],
        pix_fmt="yuv420p",
        **CLIPS["a.mp4"],
    )
    _, table = read_whole(other)
    with open_source(tmp_path / "a.mp4") as source:
        source.seek_table = table
        check_same(source.frames_at([44, 2]), whole, [44, 2])


def test_damaged_frames_keep_their_status_and_their_neighbours(tmp_path: Path) -> None:
    """Bytes overwritten in the middle: whatever the statuses are, frames_at gives the same."""
    path = made(tmp_path, "a.ts")
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 3000] = bytes(3000)
    path.write_bytes(data)
    whole, table = read_whole(path)
    damaged = np.flatnonzero(whole.status != Status.OK)
    assert damaged.size, "there is damage"
    assert (table.checksum[damaged] == NOT_WHOLE).all()
    n = len(whole)
    with open_source(path) as source:
        source.seek_table = table
        for ordinals in ([n - 1], [int(damaged[0])], [n - 1, int(damaged[-1]), 0], [*range(n)]):
            check_same(source.frames_at(ordinals), whole, ordinals)


def test_a_first_pass_that_stopped_early_knows_what_it_saw(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = made(tmp_path, "a.mp4")
    whole, _ = read_whole(path)
    with open_source(path, stop=20, batch=4) as source:
        list(source)
        table = source.seek_table
        assert table is not None
        assert (len(table), table.ended) == (21, False)  # the frame at the stop was decoded too
        check_same(source.frames_at([45, 4]), whole, [45, 4])
        assert len(source.seek_table or ()) == 46
    with sought(monkeypatch, path, table) as source:
        check_same(source.frames_at([19, 4]), whole, [19, 4])


def test_later_calls_seek_by_what_earlier_ones_noted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = made(tmp_path, "a.mp4")
    whole, _ = read_whole(path)
    with open_source(path) as source:
        assert source.seek_table is None
        check_same(source.frames_at([30]), whole, [30])
        with sought(monkeypatch, path, source.seek_table) as again:  # type: ignore[arg-type]
            check_same(again.frames_at([12, 30]), whole, [12, 30])


def test_a_stream_without_times_is_decoded_from_its_start(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.h264", moving(N, 64, 96), pix_fmt="yuv420p", **CLIPS["a.mp4"])
    whole, table = read_whole(path)
    assert (table.checksum == NOT_WHOLE).all()
    with open_source(path) as source:
        source.seek_table = table
        check_same(source.frames_at([40, 1]), whole, [40, 1])


def test_selection_and_resize_do_not_change_what_an_ordinal_means(tmp_path: Path) -> None:
    path = made(tmp_path, "a.mp4")
    whole, _ = read_whole(path)
    small, table = read_whole(path, resize=(32, 48, "area"))
    with open_source(path, start=10, stop=20, step=3) as source:
        check_same(source.frames_at([2, 40]), whole, [2, 40])
    with open_source(path, start=10, resize=(32, 48, "area")) as source:
        source.seek_table = table
        check_same(source.frames_at([2, 40]), small, [2, 40])


def test_the_table_of_a_whole_pass_outlasts_one_that_ends_nowhere(tmp_path: Path) -> None:
    path = made(tmp_path, "a.mp4")
    _, whole = read_whole(path)
    with open_source(path) as source:
        assert isinstance(source, VideoSource)
        source.seek_table = whole
        source._remember(replace(whole, ended=False))
        assert source.seek_table is whole


def test_notes_and_counts_are_those_of_reading(tmp_path: Path) -> None:
    path = made(tmp_path, "a.mp4")
    with open_source(path) as source:
        list(source)
        info, counts = source.info, replace(source.counts)
        source.frames_at([30, 2])
        assert (source.info, source.counts) == (info, counts)


def test_what_cannot_be_fetched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = made(tmp_path, "a.mp4")
    source = open_source(path)
    for _ in range(2):
        with pytest.raises(SourceError, match=f"a.mp4 has no frame {N}: it has {N}, counted from"):
            source.frames_at([3, N])
    with pytest.raises(SourceError, match="has no frame -1: frames are counted from 0"):
        source.frames_at([3, -1])
    with pytest.raises(TypeError):
        source.frames_at([1.5])  # type: ignore[list-item]
    monkeypatch.setattr("vfiscope.config.MAX_BATCH_BYTES", 4 * 64 * 96 * 3)
    assert len(source.frames_at([0, 1, 2, 3])) == 4
    with pytest.raises(UsageError, match=r"5 frames of .*a\.mp4 take .* ask for fewer at once"):
        source.frames_at([0, 0, 0, 0, 0])
    source.close()
    with pytest.raises(SourceError, match="was closed: open it again"):
        source.frames_at([0])


def test_images_and_arrays_of_mixed_use() -> None:
    frames: Array = noise(6, 24, 32, dtype=np.uint16)
    with open_source(frames) as source:
        found = source.frames_at([5, 5, 0])
        assert np.array_equal(np.asarray(found.data).transpose(0, 2, 3, 1), frames[[5, 5, 0]])
        assert found.bit_depth == 16
        with pytest.raises(SourceError, match="array has no frame 6: it has 6, counted from 0"):
            source.frames_at([6])

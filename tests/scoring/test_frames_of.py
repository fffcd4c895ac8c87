"""The frames of a run, fetched again from Python: the very ones, from where the inputs are now."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers.media import moving, noise, write_video

import vfiscope as vs
from vfiscope.errors import SourceError, UsageError
from vfiscope.sources import open_source
from vfiscope.sources.video import video_source

N = 40
LEAN: dict[str, Any] = {"metrics": "psnr", "maps": "none", "fields": "none"}


@pytest.fixture(scope="module")
def media(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """test.mp4 and ref.mp4 of several groups with B-frames, wide.mp4 of another size."""
    folder = tmp_path_factory.mktemp("media")
    options = {"x264-params": "log-level=none:keyint=12:scenecut=0"}
    how: dict[str, Any] = {"codec": "libx264", "pix_fmt": "yuv420p", "options": options}
    ref = moving(N, 64, 96)
    test = np.clip(ref.astype(int) + noise(N, 64, 96) // 16, 0, 255).astype(np.uint8)
    write_video(folder / "ref.mp4", ref, **how)
    write_video(folder / "test.mp4", test, **how)
    write_video(folder / "wide.mp4", moving(N, 96, 128), **how)
    return folder


def decoded(path: Path, ordinals: list[int], **options: Any) -> np.ndarray[Any, Any]:
    """(N, 3, H, W) of a whole reading."""
    (frames,) = open_source(path, batch=1000, **options)
    return np.asarray(frames.data)[ordinals]


@pytest.mark.parametrize(
    ("options", "partner"),
    [
        ({}, 0),
        ({"start": 5, "stop": 35, "step": 3}, 0),
        ({"start": "0.4s"}, 0),
        ({"align": 2}, 2),
    ],
)
def test_rows_of_test_and_reference(
    media: Path, monkeypatch: pytest.MonkeyPatch, options: dict[str, Any], partner: int
) -> None:
    run = vs.score(media / "test.mp4", ref=media / "ref.mp4", **LEAN, **options)
    rows = [7, 2, 7, 0]
    test = run.frames.index[rows].tolist()
    expected = decoded(media / "test.mp4", test)
    other = decoded(media / "ref.mp4", [i + partner for i in test])

    monkeypatch.setattr(video_source, "deinterlace_frames", None)
    found = vs.frames_of(run, rows)
    assert found.index.tolist() == test
    assert found.pts.tolist() == run.frames.pts[rows].tolist()
    assert np.array_equal(np.asarray(found.data), expected)
    found = vs.frames_of(run, rows, role="ref")
    assert found.index.tolist() == [i + partner for i in test]
    assert np.array_equal(np.asarray(found.data), other)


def test_frames_are_sought_by_what_the_run_stored(media: Path, tmp_path: Path) -> None:
    out = tmp_path / "a.h5"
    with vs.score(media / "test.mp4", ref=media / "ref.mp4", out=str(out), **LEAN):
        pass
    with vs.open_run(out) as run:
        for role in ("test", "ref"):
            table = run.seek_tables[role]
            assert (len(table), len(table.keyframe_pts), table.ended) == (N, 4, True)
            with open_source(media / f"{role}.mp4") as source:
                list(source)
                assert source.seek_table is not None
                assert np.array_equal(source.seek_table.checksum, table.checksum)


def test_images_and_a_golden_frame(media: Path) -> None:
    with vs.scan(media / "test.mp4", golden=14, **LEAN) as run:
        found = vs.frames_of(run, [3, 30], role="golden")
        assert found.index.tolist() == [14, 14]
        assert np.array_equal(np.asarray(found.data), decoded(media / "test.mp4", [14, 14]))
        assert set(run.seek_tables) == {"test", "golden"}


def test_resized_frames_have_the_size_that_was_scored(media: Path) -> None:
    with vs.score(media / "wide.mp4", ref=media / "ref.mp4", resize="area", **LEAN) as run:
        found = vs.frames_of(run, [25])
    assert found.size == (64, 96)
    expected = decoded(media / "wide.mp4", [25], resize=(64, 96, "area"))
    assert np.array_equal(np.asarray(found.data), expected)


def test_inputs_that_moved_or_changed(media: Path, tmp_path: Path) -> None:
    then, now = tmp_path / "then", tmp_path / "now"
    then.mkdir()
    for name in ("test.mp4", "ref.mp4"):
        shutil.copy(media / name, then)
    run = vs.score(then / "test.mp4", ref=then / "ref.mp4", **LEAN)
    expected = decoded(then / "test.mp4", [9])
    then.rename(now)
    with pytest.raises(SourceError, match=r"is not there any more: .*--root DIR"):
        vs.frames_of(run, [9])
    assert np.array_equal(np.asarray(vs.frames_of(run, [9], root=now).data), expected)
    content = bytearray((now / "test.mp4").read_bytes())
    content[-1] ^= 255
    (now / "test.mp4").write_bytes(content)
    with pytest.raises(SourceError, match="has changed since it was scored: same size"):
        vs.frames_of(run, [9], root=now)


def test_what_a_run_has_not(media: Path) -> None:
    with vs.score(media / "test.mp4", ref=media / "ref.mp4", align=-2, **LEAN) as run:
        with pytest.raises(UsageError, match="has no input 'golden': choose from test, ref"):
            vs.frames_of(run, [0], role="golden")
        with pytest.raises(UsageError, match=f"has no row {N}: it has {N}, counted from 0"):
            vs.frames_of(run, [0, N])
        with pytest.raises(UsageError, match="has no row -1: "):
            vs.frames_of(run, [-1])
        with pytest.raises(UsageError, match=r"row 1 of .* has no partner: leave it out"):
            vs.frames_of(run, [5, 1], role="ref")
    with (
        vs.scan(noise(4, 64, 96), **LEAN) as run,
        pytest.raises(SourceError, match="was an array in memory, which was not kept"),
    ):
        vs.frames_of(run, [0])

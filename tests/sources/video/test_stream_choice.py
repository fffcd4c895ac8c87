"""Several video streams in a file: many frames are preferred to a still, and the choice is said."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from helpers.media import Array, moving, pixels, write_video
from helpers.odd_inputs import QUICK

import vfiscope as vs
from vfiscope.sources import open_source
from vfiscope.sources.video.container import VideoFile, opened
from vfiscope.types import Code

CLIP = moving(8, 48, 64)


def several(path: Path, streams: list[tuple[str, str, Array]]) -> Path:
    """One file with the frames of every (codec, pixel format, frames)."""
    with av.open(str(path), "w") as container:
        made = []
        for codec, pix_fmt, frames in streams:
            stream = container.add_stream(codec, rate=25)
            stream.height, stream.width, stream.pix_fmt = *frames.shape[1:3], pix_fmt
            made.append((stream, frames))
        for stream, frames in made:
            for i, shown in enumerate(frames):
                frame = av.VideoFrame.from_ndarray(shown, "rgb24")
                frame.pts, frame.time_base = i, Fraction(1, 25)
                container.mux(stream.encode(frame))
            container.mux(stream.encode())
    return path


STILL = ("mjpeg", "yuvj420p", moving(1, 96, 128))


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "nut"])
def test_a_still_picture_before_the_video_is_not_the_video(tmp_path: Path, suffix: str) -> None:
    path = several(tmp_path / f"a.{suffix}", [STILL, ("ffv1", "bgr0", CLIP)])
    with open_source(path) as source:
        np.testing.assert_array_equal(pixels(source), CLIP)
        np.testing.assert_array_equal(source.frames_at([5]).interleaved, CLIP[5:6])
        (note,) = [note for note in source.info.notes if note.code == Code.SEVERAL_STREAMS]
        listed = "0: mjpeg 128x96, 1: ffv1 64x48"
        assert note.values == {"streams": 2, "stream": 1, "listed": listed}
    assert pixels(open_source(path, stream=0)).shape == (1, 96, 128, 3)


def test_of_two_stills_and_a_video_the_video_is_read(tmp_path: Path) -> None:
    path = several(tmp_path / "a.mkv", [STILL, ("ffv1", "bgr0", CLIP), STILL])
    np.testing.assert_array_equal(pixels(open_source(path)), CLIP)


def test_of_two_videos_the_larger_is_read_whichever_is_longer(tmp_path: Path) -> None:
    large = moving(3, 96, 128)
    path = several(tmp_path / "a.nut", [("ffv1", "bgr0", CLIP), ("ffv1", "bgr0", large)])
    with open_source(path) as source:
        chosen = int(source.info.notes[0].values["stream"])
        np.testing.assert_array_equal(pixels(source), (CLIP, large)[chosen])
    with av.open(str(path)) as container:
        best = container.streams.best("video")
        assert best is not None
        assert chosen == best.index


def test_the_choice_is_printed_and_stored(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = str(several(tmp_path / "a.mkv", [STILL, ("ffv1", "bgr0", CLIP)]))
    ref = str(write_video(tmp_path / "ref.mkv", CLIP))
    said = "holds 2 video streams (0: mjpeg 128x96, 1: ffv1 64x48): stream 1 is read"
    with vs.score(path, ref=ref, **QUICK) as run:
        assert np.isposinf(run.scores["psnr"]).all()
        assert list(run.warnings) == [f"test {path}: {said}"]
    assert f"warning: test {path}: {said}" in caplog.messages


@pytest.mark.parametrize(("height", "threads"), [(480, 1), (482, 0)])
def test_small_frames_are_decoded_by_one_thread(tmp_path: Path, height: int, threads: int) -> None:
    """0 leaves their number to FFmpeg."""
    path = write_video(tmp_path / "a.mkv", np.zeros((1, height, 640, 3), np.uint8))
    with opened(VideoFile(str(path))) as (_, stream):
        assert stream.codec_context.thread_count == threads

"""Inputs that are refused in one line, and where outputs cannot be written."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest
from helpers.cli import call
from helpers.media import (
    moving,
    noise,
    pixels,
    write_audio,
    write_video,
)
from helpers.odd_inputs import QUICK, h264, picture, refused

import vfiscope as vs
from vfiscope.errors import SourceError, UsageError
from vfiscope.sources import open_source
from vfiscope.types import Code, Note, Status


@pytest.mark.parametrize("kind", ["missing", "no images"])
def test_paths_without_media_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], kind: str
) -> None:
    (tmp_path / "empty").mkdir()
    path, words = (
        (tmp_path / "gone.mp4", "gone.mp4' does not exist")
        if kind == "missing"
        else (
            tmp_path / "empty",
            "empty' holds no image",
        )
    )
    refused(capsys, path, words, tmp_path / "a.h5")


def test_a_file_without_permission_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = picture(tmp_path / "a.png")
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(SourceError, match=r"a\.png' may not be read: change its permissions"):
        open_source(path)


def test_an_empty_file_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.mp4").touch()
    refused(capsys, tmp_path / "a.mp4", r"is empty \(0 bytes\)", tmp_path / "a.h5")


def test_a_text_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.mp4").write_text("not a film\n" * 99)
    refused(capsys, tmp_path / "a.mp4", "is not a readable video", tmp_path / "a.h5")


PLAYLISTS = {
    "ffconcat": "ffconcat version 1.0\nfile good.mkv\n",
    "m3u8": "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\ngood.mkv\n#EXT-X-ENDLIST\n",
    "DASH": (
        '<?xml version="1.0"?><MPD'
        ' xmlns="urn:mpeg:dash:schema:mpd:2011"><BaseURL>good.mkv</BaseURL></MPD>'
    ),
    "SDP": (
        "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nt=0 0\nm=video 5004 RTP/AVP 96\na=rtpmap:96"
        " H264/90000\n"
    ),
    "image list": "good_%d.png\n",
}


@pytest.mark.parametrize("kind", PLAYLISTS)
@pytest.mark.parametrize("suffix", ["mp4", "mkv", "ts"])
def test_playlists_are_not_followed(tmp_path: Path, kind: str, suffix: str) -> None:
    write_video(tmp_path / "good.mkv", noise(2, 16, 16))
    (tmp_path / f"a.{suffix}").write_text(PLAYLISTS[kind])
    with pytest.raises(SourceError, match="is not a readable video"):
        open_source(tmp_path / f"a.{suffix}")


@pytest.mark.parametrize(
    "name", ["concat:a|b.mkv", "-i.mkv", "a\nb.mkv", "ü 漢 🙂.mkv", "it's [1]*.mkv", "http:x.mkv"]
)
def test_odd_names_are_names_of_files(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = noise(2, 16, 16)
    write_video(tmp_path / "plain.mkv", made).rename(tmp_path / name)
    monkeypatch.chdir(tmp_path)
    np.testing.assert_array_equal(pixels(open_source(name)), made)
    with pytest.raises(
        SourceError,
        match=r"^'http://127\.0\.0\.1/a\.mkv' is an address, and only local files are read: down",
    ):
        open_source("http://127.0.0.1/a.mkv")


@pytest.mark.parametrize("kind", ["pipe", "device", "socket", "dangling"])
def test_what_is_no_regular_file_is_refused(
    tmp_path: Path, kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path, words = tmp_path / "a.mp4", "is not a regular file"
    listener = socket.socket(socket.AF_UNIX)
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "device":
        path = Path("/dev/zero")
    elif kind == "socket":
        listener.bind(str(path))
    else:
        path.symlink_to(tmp_path / "gone.mp4")
        words = "is a link to .*gone.mp4', which does not exist"
    refused(capsys, path, words, tmp_path / "a.h5")
    listener.close()


def test_sound_alone_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    refused(capsys, write_audio(tmp_path / "a.mp4"), "has no video stream", tmp_path / "a.h5")


def test_a_cover_is_no_film(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write_audio(tmp_path / "a.mp4", picture=noise(1, 16, 16)[0])
    refused(capsys, path, "has no video stream", tmp_path / "a.h5")


def test_several_streams_are_noted_and_chosen_by_number(tmp_path: Path) -> None:
    path = tmp_path / "a.mkv"
    with av.open(str(path), "w") as container:
        streams = [container.add_stream("ffv1", rate=25) for _ in range(2)]
        for size, stream in zip((16, 64), streams, strict=True):
            stream.width = stream.height = size
            stream.pix_fmt = "bgr0"
        for i in range(3):
            for size, stream in zip((16, 64), streams, strict=True):
                frame = av.VideoFrame.from_ndarray(noise(1, size, size)[0], "rgb24")
                frame.pts = i
                container.mux(stream.encode(frame))
        for stream in streams:
            container.mux(stream.encode())
    with open_source(path) as source:
        assert tuple(map(str, source.info.notes)) == (
            "holds 2 video streams (0: ffv1 16x16, 1: ffv1 64x64): stream"
            f" {int(source.size[0] == 64)} is read",
        )
        assert len(pixels(source)) == 3
    for number, size in enumerate((16, 64)):
        with open_source(path, stream=number) as source:
            np.testing.assert_array_equal(
                pixels(source), np.concatenate([noise(1, size, size)] * 3)
            )
            there = {"streams": 2, "listed": "0: ffv1 16x16, 1: ffv1 64x64"}
            assert source.info.notes == (Note(Code.SEVERAL_STREAMS, {**there, "stream": number}),)
    with pytest.raises(
        SourceError, match=r"has no video stream 2: choose from 0: ffv1 16x16, 1: ffv1 64x64"
    ):
        open_source(path, stream=2)
    with pytest.raises(UsageError, match="--stream 0 is for videos, and an array is none"):
        open_source(noise(1, 16, 16), stream=0)
    plain = write_video(tmp_path / "b.mkv", np.concatenate([noise(1, 16, 16)] * 3))
    with vs.score(str(path), ref=str(plain), stream=0, **QUICK) as run:
        assert np.isposinf(run.scores["psnr"]).all()
        assert run.config["stream"] == 0
    assert call("score", path, "--ref", plain, "--stream", "9", "-o", tmp_path / "c.h5") == 2


def test_a_video_without_frames_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with av.open(str(tmp_path / "a.mkv"), "w") as container:
        stream = container.add_stream("ffv1", rate=25)
        stream.width, stream.height, stream.pix_fmt = 16, 16, "bgr0"
        container.start_encoding()
    refused(
        capsys,
        tmp_path / "a.mkv",
        "holds no frame that can be decoded|not a video",
        tmp_path / "a.h5",
    )


def test_videos_of_one_and_two_frames(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mkv", moving(1, 48, 64))
    with pytest.raises(
        UsageError, match="lag is 1, but the sequence has 1 frame: pass two or more, or --golden"
    ):
        vs.scan(str(path), **QUICK)
    with vs.scan(str(path), golden=0, **QUICK) as run:
        assert np.isinf(run.scores["psnr"]).tolist() == [True]
    path = write_video(tmp_path / "b.mkv", moving(2, 48, 64))
    with vs.scan(str(path), **QUICK) as run:
        assert run.frames.status.tolist().count(Status.UNPAIRED) == 1
        assert np.isnan(run.scores["psnr"]).tolist() == [True, False]
        assert run.summary()["metrics"]["psnr"]["defined"] == 1


def test_a_protected_video_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    key = "00112233445566778899aabbccddeeff"
    scheme = {"encryption_scheme": "cenc-aes-ctr", "encryption_key": key, "encryption_kid": key}
    refused(
        capsys,
        h264(tmp_path / "a.mp4", container_options=scheme),
        "is encrypted",
        tmp_path / "a.h5",
    )


def test_the_same_file_twice_is_identical(tmp_path: Path) -> None:
    path = h264(tmp_path / "a.mp4")
    (tmp_path / "link.mp4").symlink_to(path)
    with vs.score(str(tmp_path / "link.mp4"), ref=str(path), **QUICK) as run:
        assert (run.scores["ssim"] == 1).all()
        assert np.isposinf(run.scores["psnr"]).all()


@pytest.mark.slow
@pytest.mark.parametrize("value", [0, 128, 255])
def test_flat_frames_have_scores(value: int) -> None:
    made = np.full((3, 48, 64, 3), value, np.uint8)
    with vs.score(
        made,
        ref=np.full_like(made, 200),
        metrics="psnr,ssim,gmsd,cosine,mismatch",
        embedder="dsift",
    ) as run:
        for name, values in run.scores.items():
            assert not np.isnan(values).any(), name


PLACES: dict[str, Callable[[Path], Path]] = {
    "exists": lambda folder: picture(folder / "out.h5", format="PNG"),
    "is a folder": lambda folder: folder,
    "in no folder": lambda folder: folder / "gone" / "a.h5",
}


@pytest.mark.parametrize("place", PLACES)
def test_places_that_cannot_be_written_are_refused(
    tmp_path: Path, place: str, capsys: pytest.CaptureFixture[str]
) -> None:
    out = PLACES[place](tmp_path)
    before = out.read_bytes() if out.is_file() else None
    path = h264(tmp_path / "a.mp4")
    assert (
        call("scan", path, "--metrics", "psnr", "--maps", "none", "--fields", "none", "-o", out)
        == 2
    )
    assert str(out if place != "in no folder" else out.parent) in capsys.readouterr().err
    assert (out.read_bytes() if out.is_file() else None) == before

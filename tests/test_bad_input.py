"""Bad and odd inputs, a test for each row of the list of 62: what is refused, what makes a run
partial, what is exact.

Rows 27 (other frame counts), 28 (other rates) and 30 (one frame off) are shown in
``test_timeline.py``. Row 50 (a GPU without a decoder) can only show that the decoder's name is
stored: decoding is always done by the CPU. Row 62 (places that cannot be written) is shown here for
what needs no special file system; ``test_store_crash.py`` and ``test_store_writer.py`` have full
disks and failed moves.
"""

from __future__ import annotations

import os
import re
import socket
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from helpers.cli import call
from helpers.media import (
    Array,
    column,
    from_planes,
    moving,
    noise,
    pixels,
    write_audio,
    write_clip,
    write_video,
)
from PIL import Image

import vfiscope as vs
from vfiscope.errors import PairingError, SourceError, UsageError
from vfiscope.sources import open_source
from vfiscope.types import Code, Note, Status

QUICK: dict[str, Any] = {"metrics": "psnr,ssim", "maps": "none", "fields": "none"}
ELSEWHERE = {27, 28, 30}


def refused(capsys: pytest.CaptureFixture[str], path: object, words: str, out: Path) -> None:
    """The command line ends with 2 and one line that matches, and writes nothing."""
    assert (
        call("scan", path, "--metrics", "psnr", "--maps", "none", "--fields", "none", "-o", out)
        == 2
    )
    printed, errors = capsys.readouterr()
    assert printed == ""
    assert re.search(words, errors), errors
    assert "Traceback" not in errors
    assert len([line for line in errors.splitlines() if "error:" in line]) == 1
    assert not out.exists()


def h264(path: Path, frames: Array | None = None, **more: Any) -> Path:
    return write_video(
        path,
        moving(12, 48, 64) if frames is None else frames,
        codec="libx264",
        pix_fmt="yuv420p",
        **more,
    )


def picture(path: Path, seed: int = 0, size: tuple[int, int] = (16, 16), **more: Any) -> Path:
    Image.fromarray(noise(1, *size, seed=seed)[0]).save(path, **more)
    return path


def flat(
    path: Path, values: tuple[int, int, int] = (120, 90, 200), pix_fmt: str = "yuv444p", **tags: Any
) -> Path:
    bits = 8 if pix_fmt.endswith("p") else int(pix_fmt[-4:-2])
    planes = [
        np.full((32, 32), value << (bits - 8), np.uint8 if bits == 8 else np.uint16)
        for value in values
    ]
    return write_video(path, [from_planes(planes, pix_fmt)] * 3, pix_fmt=pix_fmt, **tags)


@pytest.mark.parametrize("kind", ["missing", "no images"])
def test_row_01_paths_without_media(
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


def test_row_01_no_permission(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = picture(tmp_path / "a.png")
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(SourceError, match=r"a\.png' may not be read: change its permissions"):
        open_source(path)


def test_row_02_an_empty_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.mp4").touch()
    refused(capsys, tmp_path / "a.mp4", r"is empty \(0 bytes\)", tmp_path / "a.h5")


def test_row_03_text(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.mp4").write_text("not a film\n" * 99)
    refused(capsys, tmp_path / "a.mp4", "is no video that can be read", tmp_path / "a.h5")


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
def test_row_04_playlists_are_not_followed(tmp_path: Path, kind: str, suffix: str) -> None:
    write_video(tmp_path / "good.mkv", noise(2, 16, 16))
    (tmp_path / f"a.{suffix}").write_text(PLAYLISTS[kind])
    with pytest.raises(SourceError, match="is no video that can be read"):
        open_source(tmp_path / f"a.{suffix}")


@pytest.mark.parametrize(
    "name", ["concat:a|b.mkv", "-i.mkv", "a\nb.mkv", "ü 漢 🙂.mkv", "it's [1]*.mkv", "http:x.mkv"]
)
def test_row_05_odd_names_are_names_of_files(
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
def test_row_06_what_is_no_regular_file(
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


def test_row_07_sound_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    refused(capsys, write_audio(tmp_path / "a.mp4"), "has no video stream", tmp_path / "a.h5")


def test_row_08_a_cover_is_no_film(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write_audio(tmp_path / "a.mp4", picture=noise(1, 16, 16)[0])
    refused(capsys, path, "has no video stream", tmp_path / "a.h5")


def test_row_09_several_streams_are_noted_and_chosen_by_number(tmp_path: Path) -> None:
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
            f"holds 2 video streams: stream {int(source.size[0] == 64)} is read",
        )
        assert len(pixels(source)) == 3
    for number, size in enumerate((16, 64)):
        with open_source(path, stream=number) as source:
            np.testing.assert_array_equal(
                pixels(source), np.concatenate([noise(1, size, size)] * 3)
            )
            assert source.info.notes == (
                Note(Code.SEVERAL_STREAMS, {"streams": 2, "stream": number}),
            )
    with pytest.raises(
        SourceError, match=r"has no video stream 2: choose from 0 \(ffv1\), 1 \(ffv1\)"
    ):
        open_source(path, stream=2)
    with pytest.raises(UsageError, match="--stream 0 is for videos, and an array is none"):
        open_source(noise(1, 16, 16), stream=0)
    plain = write_video(tmp_path / "b.mkv", np.concatenate([noise(1, 16, 16)] * 3))
    with vs.score(str(path), ref=str(plain), stream=0, **QUICK) as run:
        assert np.isposinf(run.scores["psnr"]).all()
        assert run.config["stream"] == 0
    assert call("score", path, "--ref", plain, "--stream", "9", "-o", tmp_path / "c.h5") == 2


def test_row_10_a_video_without_frames(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with av.open(str(tmp_path / "a.mkv"), "w") as container:
        stream = container.add_stream("ffv1", rate=25)
        stream.width, stream.height, stream.pix_fmt = 16, 16, "bgr0"
        container.start_encoding()
    refused(
        capsys, tmp_path / "a.mkv", "holds no frame that can be decoded|no video", tmp_path / "a.h5"
    )


def test_rows_11_and_12_one_and_two_frames(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mkv", moving(1, 48, 64))
    with pytest.raises(
        UsageError, match="lag is 1, but the sequence has 1 frame: give two or more, or --golden"
    ):
        vs.scan(str(path), **QUICK)
    with vs.scan(str(path), golden=0, **QUICK) as run:
        assert np.isinf(run.scores["psnr"]).tolist() == [True]
    path = write_video(tmp_path / "b.mkv", moving(2, 48, 64))
    with vs.scan(str(path), **QUICK) as run:
        assert run.frames.status.tolist().count(Status.UNPAIRED) == 1
        assert np.isnan(run.scores["psnr"]).tolist() == [True, False]
        assert run.summary()["metrics"]["psnr"]["defined"] == 1


def test_row_13_cut_before_the_index(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = h264(tmp_path / "a.mp4")
    path.write_bytes(path.read_bytes()[:-300])
    refused(capsys, path, "is no video that can be read .*may be incomplete", tmp_path / "a.h5")


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "avi", "gif", "ts"])
def test_row_14_cut_at_the_end_is_partial(tmp_path: Path, suffix: str) -> None:
    made = {"gif": ("gif", "rgb8"), "avi": ("mjpeg", "yuvj420p"), "ts": ("mpeg2video", "yuv420p")}
    path = tmp_path / f"a.{suffix}"
    if suffix == "mp4":
        write_clip(path)
    else:
        codec, pix_fmt = made.get(suffix, ("ffv1", "bgr0"))
        write_video(path, moving(20, 48, 64), codec=codec, pix_fmt=pix_fmt)
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 6 // 10 + 1])
    with vs.scan(str(path), golden=0, **QUICK) as run:
        assert run.status == "partial"
        assert 1 < len(run) < 60
        assert any("cut short" in note for note in run.notes)
    out = tmp_path / "b.h5"
    assert (
        call(
            "scan",
            path,
            "--golden",
            "0",
            "--metrics",
            "psnr",
            "--maps",
            "none",
            "--fields",
            "none",
            "-o",
            out,
        )
        == 3
    )


def damaged(path: Path, how: str) -> Path:
    data = bytearray(write_clip(path).read_bytes())
    if how == "random":
        for at in np.random.default_rng(3).integers(len(data) // 5, len(data) * 9 // 10, 60):
            data[at] ^= 0xFF
    elif how == "zeroed":
        data[len(data) // 2 : len(data) // 2 + 9000] = bytes(9000)
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("how", ["random", "zeroed"])
def test_rows_15_and_16_damage_inside_is_partial(tmp_path: Path, how: str) -> None:
    with vs.scan(str(damaged(tmp_path / "a.mp4", how)), golden=0, **QUICK) as run:
        assert run.status == "partial"
        (source,) = (source for source in run.sources if source["role"] == "test")
        assert source["frames_corrupt"] + source["frames_unreadable"] > 0
        assert len(run) == 60
        np.testing.assert_array_equal(
            np.isnan(run.scores["ssim"]), run.frames.status == Status.UNREADABLE
        )
        assert (run.frames.status == Status.UNREADABLE).sum() == source["frames_unreadable"]
        assert (run.frames.status == Status.CORRUPT).sum() == source["frames_corrupt"]


def test_row_16_pairs_behind_damage_are_right(tmp_path: Path) -> None:
    """Zeroed packets against the whole clip: rows without pixels, and the groups behind them are
    identical again."""
    whole, bad = write_clip(tmp_path / "a.mp4"), tmp_path / "b.mp4"
    with av.open(str(whole)) as container:
        packets = [(packet.pos or 0, packet.size) for packet in container.demux(video=0)][28:31]
    data = bytearray(whole.read_bytes())
    for at, size in packets:
        data[at : at + size] = bytes(size)
    bad.write_bytes(data)
    with vs.score(str(bad), ref=str(whole), **QUICK) as run:
        status = run.frames.status
        lost = status == Status.UNREADABLE
        assert run.frames.ref_index.tolist() == list(range(60))
        np.testing.assert_array_equal(run.frames.time_s, np.arange(60) / 25)
        assert lost.sum() > 0
        np.testing.assert_array_equal(np.isnan(run.scores["psnr"]), lost)
        assert np.isposinf(
            run.scores["psnr"][[*range(24), *range(36, 60)]]
        ).all()  # every group but one
        assert run.status == "partial"
    out = ["--metrics", "psnr", "--maps", "none", "--fields", "none", "-o", tmp_path / "c.h5"]
    assert call("score", bad, "--ref", whole, *out) == 3


@pytest.mark.parametrize("suffix", ["h264", "ts"])
def test_row_17_a_stream_that_starts_inside_a_group(tmp_path: Path, suffix: str) -> None:
    """The first frame is that of the first key; what lay before it is counted and has no row."""
    params = f"log-level=none:keyint=8:min-keyint=8:bframes={2 if suffix == 'ts' else 0}"
    path = h264(tmp_path / f"a.{suffix}", moving(24, 48, 64), options={"x264-params": params})
    whole, data = pixels(open_source(path)), path.read_bytes()
    if suffix == "ts":
        with av.open(str(path)) as container:
            head, at = (
                3 * 188,
                [packet.pos for packet in container.demux(video=0) if packet.size][3],
            )
    else:
        head = data.index(b"\x00\x00\x01\x65")
        at = [m.start() for m in re.finditer(rb"\x00\x00\x00?\x01[\x61\x41]", data)][2]
    (tmp_path / f"b.{suffix}").write_bytes(data[:head] + data[at:])
    with open_source(tmp_path / f"b.{suffix}") as source:
        np.testing.assert_array_equal(pixels(source), whole[8:])
        assert (source.counts.decoded, source.counts.unreadable, source.counts.lost) == (16, 0, 5)
    with vs.scan(str(tmp_path / f"b.{suffix}"), golden=0, **QUICK) as run:
        assert run.status == "partial"
        assert any("5 packets without a frame" in note for note in run.notes)


def test_rows_18_and_19_without_index_and_times(tmp_path: Path) -> None:
    with open_source(h264(tmp_path / "a.h264")) as source:
        assert source.info.frames_expected is None
        assert Note(Code.NO_TIMES) in source.info.notes
        assert column(source, "time_s") == [i / 25 for i in range(12)]
    with open_source(
        write_video(tmp_path / "a.ts", moving(12, 48, 64), codec="mpeg2video", pix_fmt="yuv420p")
    ) as source:
        assert column(source, "index") == list(range(12))


def test_row_20_other_starts_than_zero(tmp_path: Path) -> None:
    pts = list(range(700, 708))
    path = write_video(tmp_path / "a.mkv", noise(8, 16, 16), pts=pts, time_base=Fraction(1, 25))
    with open_source(path) as source:
        assert column(source, "pts") == [40 * at for at in pts]
        assert column(source, "time_s") == [i / 25 for i in range(8)]


def test_row_20_times_below_zero(tmp_path: Path) -> None:
    path = h264(
        tmp_path / "a.ts", moving(8, 48, 64), options={"x264-params": "log-level=none:bframes=0"}
    )
    with open_source(path) as source:
        before = column(source, "time_s")
    shifted = tmp_path / "b.mkv"
    with (
        av.open(str(path)) as given,
        av.open(str(shifted), "w", options={"avoid_negative_ts": "disabled"}) as made,
    ):
        stream = given.streams.video[0]
        copy = made.add_stream_from_template(stream)
        for packet in given.demux(stream):
            if packet.pts is not None and packet.dts is not None:
                packet.pts, packet.dts = packet.pts - 144000, packet.dts - 144000
                packet.stream = copy
                made.mux(packet)
    with open_source(shifted) as source:
        assert column(source, "time_s") == pytest.approx(
            before, abs=0.0011
        )  # Matroska counts in milliseconds


def test_row_21_an_edit_list(shared_data: Path) -> None:
    """Five frames before the edit are not shown, as FFmpeg does by default."""
    with open_source(
        shared_data / "videos/meta-pytorch+torchcodec/discard_first_keyframe.mp4"
    ) as source:
        assert (len(pixels(source)), source.counts.skipped, source.counts.hidden) == (25, 5, 0)


@pytest.mark.parametrize("pts", [[0, 1, 1, 2, 3], [0, 3, 1, 4, 5]])
def test_row_22_times_that_repeat_or_go_back(tmp_path: Path, pts: list[int]) -> None:
    path = tmp_path / "a.mkv"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("ffv1", rate=25)
        stream.width, stream.height, stream.pix_fmt = 16, 16, "bgr0"
        for i, at in enumerate(pts):
            frame = av.VideoFrame.from_ndarray(noise(5, 16, 16)[i], "rgb24")
            frame.pts = i
            for packet in stream.encode(frame):
                packet.pts, packet.dts = at, i - 10
                container.mux(packet)
    with open_source(path) as source:
        np.testing.assert_array_equal(pixels(source), noise(5, 16, 16))
        assert column(source, "index") == [0, 1, 2, 3, 4]
        assert Note(Code.TIME_NOT_INCREASING, {"frame": 2}) in source.info.notes


def test_row_23_a_variable_rate(tmp_path: Path) -> None:
    pts = [0, 40, 41, 500, 512, 900]
    path = write_video(tmp_path / "a.mkv", moving(6, 48, 64), pts=pts, time_base=Fraction(1, 1000))
    with vs.scan(str(path), golden=0, flag=["psnr < 99 for 1 frames"], **QUICK) as run:
        np.testing.assert_array_equal(run.frames.time_s, np.array(pts) / 1000)
        assert run.segments[0].start_time_s == 0.04


@pytest.mark.parametrize(
    "params", ["open-gop=1:keyint=5:bframes=3", "keyint=250:bframes=4:b-pyramid=normal"]
)
def test_row_24_every_start_gives_the_frames_of_a_serial_decoding(
    tmp_path: Path, params: str
) -> None:
    path = h264(
        tmp_path / "a.mp4", moving(24, 48, 64), options={"x264-params": f"log-level=none:{params}"}
    )
    whole = pixels(open_source(path))
    for start in range(24):
        np.testing.assert_array_equal(pixels(open_source(path, start=start)), whole[start:])


def test_row_25_a_discarded_first_key_frame(shared_data: Path) -> None:
    path = shared_data / "videos/meta-pytorch+torchcodec/discard_first_keyframe.mp4"
    with open_source(path) as source, av.open(str(path)) as container:
        first = next(container.decode(video=0))
        assert column(source, "pts")[0] == first.pts


def test_row_26_times_that_wrap(tmp_path: Path) -> None:
    """33 bits of 90 kHz run over in the middle of the clip: the times go on."""
    at = 2**33 - 4 * 3600
    path = h264(
        tmp_path / "a.ts",
        moving(10, 48, 64),
        pts=[at + 3600 * i for i in range(10)],
        time_base=Fraction(1, 90000),
        options={"x264-params": "log-level=none:bframes=0"},
    )
    with open_source(path) as source:
        assert np.diff(column(source, "pts")).tolist() == [3600] * 9


def test_row_29_other_sizes(tmp_path: Path) -> None:
    small, large = (str(write_video(tmp_path / f"{n}.mkv", moving(3, n, n))) for n in (32, 64))
    with pytest.raises(PairingError, match=r"test .* is 32x32, ref .* is 64x64: give --resize"):
        vs.score(small, ref=large, **QUICK)
    with vs.score(small, ref=large, resize="area", **QUICK) as run:
        assert run.config["resize"] == "area"


@pytest.mark.parametrize("degrees", [90, 180, 270])
def test_row_31_turned_pictures(tmp_path: Path, degrees: int) -> None:
    with open_source(h264(tmp_path / "a.mp4", rotation=degrees)) as source:
        assert source.size == ((48, 64) if degrees == 180 else (64, 48))
        assert [note.code for note in source.info.notes] == [Code.ROTATED]


def test_row_32_pixels_that_are_not_square(shared_data: Path) -> None:
    with open_source(
        shared_data / "videos/meta-pytorch+torchcodec/test_non_zero_start.mp4"
    ) as source:
        assert source.size == (112, 200)
        assert Note(Code.PIXELS_NOT_SQUARE, {"aspect": "224:225"}) in source.info.notes


@pytest.mark.parametrize("size", [(241, 321), (15, 17), (16, 17)])
def test_row_33_odd_sizes(tmp_path: Path, size: tuple[int, int]) -> None:
    made = noise(2, *size)
    np.testing.assert_array_equal(pixels(open_source(write_video(tmp_path / "a.mkv", made))), made)


@pytest.mark.parametrize("size", [(1, 1), (8, 8), (10, 13)])
def test_row_34_tiny_pictures(tmp_path: Path, size: tuple[int, int]) -> None:
    path = str(write_video(tmp_path / "a.mkv", noise(2, *size)))
    with vs.score(path, ref=path, **QUICK) as run:
        assert np.isposinf(run.scores["psnr"]).all()
        assert np.isnan(run.scores["ssim"]).all()
        assert run.summary()["metrics"]["ssim"]["defined"] == 0


def test_row_35_more_pixels_than_may_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from vfiscope.sources.video import container

    path = h264(tmp_path / "a.mp4")
    monkeypatch.setattr(container, "MAX_PIXELS", 48 * 64 - 1)
    with pytest.raises(SourceError, match="has 64x48 pixels, more than 3071: scale it down"):
        open_source(path)


def test_row_35_more_frames_or_seconds_than_may_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from vfiscope import config
    from vfiscope.sources.video import video_source

    path = h264(tmp_path / "a.mp4")
    monkeypatch.setattr(config, "MAX_FRAMES", 11)
    with pytest.raises(SourceError, match="holds more than 11 frames: split it"):
        list(open_source(path))
    monkeypatch.setattr(video_source, "MAX_FRAMES", 11)
    with pytest.raises(SourceError, match="claims 12 frames"):
        open_source(path)
    monkeypatch.undo()
    monkeypatch.setattr(video_source, "MAX_DURATION_S", 0.1)
    with pytest.raises(SourceError, match="claims 12 frames, 0 s"):
        open_source(path)


def test_row_35_batches_stay_within_their_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    from vfiscope import config

    monkeypatch.setattr(config, "MAX_BATCH_BYTES", 2 * 16 * 16 * 3)
    assert [len(frames) for frames in open_source(noise(5, 16, 16), batch=4)] == [2, 2, 1]


def test_row_36_long_and_thin(tmp_path: Path) -> None:
    path = str(write_video(tmp_path / "a.mkv", noise(2, 16, 4096)))
    with vs.score(path, ref=path, **QUICK) as run:
        assert (run.scores["ssim"] == 1).all()


def two_parts(folder: Path, parts: list[dict[str, Any]]) -> Path:
    data = b""
    for i, part in enumerate(parts):
        data += h264(folder / f"{i}.h264", **part).read_bytes()
    (folder / "both.h264").write_bytes(data)
    return folder / "both.h264"


def test_rows_37_and_39_a_size_that_changes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = two_parts(tmp_path, [{"frames": moving(5, 32, 48)}, {"frames": moving(5, 48, 64)}])
    refused(
        capsys,
        path,
        "changes its size at frame 5: from 48x32 to 64x48; split it there",
        tmp_path / "a.h5",
    )
    assert pixels(open_source(path, resize=(32, 48, "area"))).shape == (10, 32, 48, 3)


def test_row_38_tags_that_change(tmp_path: Path) -> None:
    """Full range after limited: every frame is read by its own tag, and the change is noted."""
    parts = [
        {"options": {"x264-params": f"log-level=none:fullrange={on}:colormatrix=bt709"}}
        for on in ("off", "on")
    ]
    path = two_parts(tmp_path, parts)
    with open_source(path) as source:
        got = pixels(source)
        (note,) = [note for note in source.info.notes if note.code == Code.COLOR_CHANGES]
        assert str(note).startswith("from frame 12 on, colours are bt709, full")
    assert not np.array_equal(got[:12], got[12:])


@pytest.mark.parametrize(("height", "matrix"), [(720, "bt709"), (576, "bt601")])
def test_row_40_no_tags(tmp_path: Path, height: int, matrix: str) -> None:
    planes = [np.full((height, 32), value, np.uint8) for value in (120, 90, 200)]
    path = write_video(tmp_path / "a.mkv", [from_planes(planes, "yuv444p")], pix_fmt="yuv444p")
    color = open_source(path).info.color
    assert (color["matrix"], color["range"], color["decided_by"]) == (matrix, "limited", "assumed")


def test_row_41_tags_against_the_height(tmp_path: Path) -> None:
    color = open_source(flat(tmp_path / "a.mkv", matrix=1, color_range=1)).info.color
    assert (color["matrix"], color["decided_by"]) == ("bt709", "tag")


def test_row_42_full_range(tmp_path: Path) -> None:
    for path in (
        flat(tmp_path / "a.mkv", (255, 128, 128), color_range=2),
        flat(tmp_path / "a.avi", (255, 128, 128), pix_fmt="yuvj444p", codec="mjpeg"),
    ):
        assert pixels(open_source(path)).min() >= 254


@pytest.mark.parametrize("transfer", [16, 18])
def test_row_43_hdr(tmp_path: Path, capsys: pytest.CaptureFixture[str], transfer: int) -> None:
    path = flat(tmp_path / "a.mkv", pix_fmt="yuv444p10le", matrix=9, transfer=transfer)
    refused(capsys, path, "is HDR .*add --tonemap reinhard, or --tonemap none", tmp_path / "a.h5")
    with vs.scan(str(path), golden=0, tonemap="reinhard", **QUICK) as run:
        assert run.config["tonemap"] == run.sources[0]["color"]["tonemap"] == "reinhard"


def test_row_44_tags_alone_differ(tmp_path: Path) -> None:
    test, ref = flat(tmp_path / "a.mkv", matrix=1), flat(tmp_path / "b.mkv", matrix=5)
    with vs.score(str(test), ref=str(ref), **QUICK) as run:
        assert run.warnings == [
            "colour matrix differs: test is read as bt709 (assumed), ref as bt601 (assumed)"
        ]


@pytest.mark.parametrize(
    "pix_fmt", ["yuv420p10le", "yuv422p12le", "yuv444p10le", "gray", "gray10le", "gray16le"]
)
def test_row_45_depths_and_samplings(tmp_path: Path, pix_fmt: str) -> None:
    """White is the top of the range at every depth."""
    rgb = np.full((32, 32, 3), 65535, np.uint16)
    frame = av.VideoFrame.from_ndarray(rgb, "rgb48le").reformat(format=pix_fmt)
    with open_source(write_video(tmp_path / "a.mkv", [frame], pix_fmt=pix_fmt)) as source:
        top = 255 if source.info.bit_depth == 8 else 65535
        assert np.abs(pixels(source) / top - 1).max() < 0.005


def test_row_46_alpha(tmp_path: Path) -> None:
    rgba = np.full((16, 16, 4), 200, np.uint8)
    rgba[..., 3] = 51
    Image.fromarray(rgba).save(tmp_path / "a.png")
    video_source = write_video(
        tmp_path / "a.mkv",
        [av.VideoFrame.from_ndarray(rgba, "rgba").reformat(format="bgra")],
        pix_fmt="bgra",
    )
    for path in (tmp_path / "a.png", video_source):
        with open_source(path) as source:
            assert np.unique(pixels(source)).tolist() == [40]  # 200 * 51 / 255
            assert "laid on black" in " ".join(map(str, source.info.notes))


@pytest.mark.parametrize(
    ("codec", "pix_fmt", "suffix", "off"),
    [
        ("ffv1", "bgr0", "mkv", 0),
        ("utvideo", "gbrp", "avi", 0),
        ("png", "rgb24", "mov", 0),
        ("gif", "rgb8", "gif", 40),
    ],
)
def test_row_47_the_order_of_the_channels(
    tmp_path: Path, codec: str, pix_fmt: str, suffix: str, off: int
) -> None:
    made = np.zeros((3, 16, 16, 3), np.uint8)
    for i in range(3):
        made[i, ..., i] = 255
    got = pixels(
        open_source(write_video(tmp_path / f"a.{suffix}", made, codec=codec, pix_fmt=pix_fmt))
    )
    assert np.abs(got.astype(int) - made).max() <= off


@pytest.mark.parametrize("order", ["tff", "bff"])
def test_rows_48_and_49_fields(tmp_path: Path, order: str) -> None:
    params = f"log-level=none:{order}=1"
    with open_source(h264(tmp_path / "a.mp4", options={"x264-params": params})) as source:
        assert len(pixels(source)) == 12
        assert Note(Code.INTERLACED) in source.info.notes
        assert source.counts.lost == 0


def test_row_48_fields_become_pictures_where_that_is_asked_for(tmp_path: Path) -> None:
    """The rows of the first field stay to the bit, the others come nearer to the scene at its
    time."""
    scene = moving(24, 48, 64)[..., 1]
    woven = scene[::2].copy()
    woven[:, ::2] = scene[1::2, ::2]  # the bottom field comes first
    gray = np.full((48, 64), 128, np.uint8)
    path = write_video(
        tmp_path / "a.mp4",
        [from_planes([picture, gray, gray], "yuv444p") for picture in woven],
        codec="libx264",
        pix_fmt="yuv444p",
        options={"x264-params": "log-level=none:bff=1:qp=0"},
        color_range=2,
    )
    with open_source(path) as source, open_source(path, deinterlace="bwdif") as whole:
        before, after = (pixels(side)[..., 1].astype(int) for side in (source, whole))
        assert column(whole, "pts") == column(source, "pts")
        assert whole.info.color == source.info.color
        assert whole.info.notes == (Note(Code.DEINTERLACED),)
    np.testing.assert_array_equal(before, woven)
    np.testing.assert_array_equal(after[:, 1::2], woven[:, 1::2])
    assert np.abs(after - scene[::2]).mean() < np.abs(before - scene[::2]).mean() / 3
    with vs.score(str(path), ref=str(path), deinterlace="bwdif", **QUICK) as run:
        assert run.config["deinterlace"] == "bwdif"
        assert np.isposinf(run.scores["psnr"]).all()


@pytest.mark.parametrize("how", ["zeroed", "dropped"])
def test_row_48_pictures_made_from_a_damaged_neighbour_are_marked(tmp_path: Path, how: str) -> None:
    """Every picture is a key frame of its own, so that only the filter spreads the damage of
    one."""
    params = {"g": "1", "x264-params": "log-level=none:tff=1"}
    path, bad = h264(tmp_path / "a.mp4", options=params), tmp_path / "b.mp4"
    with av.open(str(path)) as container:
        packet = list(container.demux(video=0))[5]
        at, size = packet.pos or 0, packet.size
    data = bytearray(path.read_bytes())
    data[at + 4 : at + size] = (
        bytes(size - 4)
        if how == "dropped"
        else data[at + 4 : at + size // 2] + bytes(size - size // 2)
    )
    bad.write_bytes(data)
    with (
        open_source(path, deinterlace="bwdif") as whole,
        open_source(bad, deinterlace="bwdif") as source,
    ):
        same = (pixels(whole) == pixels(source)).all(axis=(1, 2, 3))
        status = np.array(column(source, "status"))
        counts = source.counts
    damage = Status.UNREADABLE if how == "dropped" else Status.CORRUPT
    assert status[4:7].tolist() == [Status.CORRUPT, damage, Status.CORRUPT]
    assert (status[[*range(4), *range(7, 12)]] == Status.OK).all()
    assert same.tolist() == (status == Status.OK).tolist()
    assert (counts.corrupt, counts.unreadable) == ((2, 1) if how == "dropped" else (3, 0))
    with open_source(bad) as source:
        assert (np.array(column(source, "status")) != Status.OK).nonzero()[0].tolist() == [5]


def test_row_48_only_videos_have_fields(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = h264(tmp_path / "a.mp4", options={"x264-params": "log-level=none:tff=1:qp=0"})
    for i, image in enumerate(moving(12, 48, 64)):
        (tmp_path / "images").mkdir(exist_ok=True)
        Image.fromarray(image).save(tmp_path / f"images/{i:02}.png")
    out = tmp_path / "a.h5"
    assert call("scan", tmp_path / "images", "--deinterlace", "bwdif", "-o", out) == 2
    said = f"--deinterlace bwdif is for videos, and {tmp_path / 'images'} is none: leave it out"
    assert capsys.readouterr().err == f"vfiscope: error: {said}\n"
    with pytest.raises(UsageError, match="--deinterlace bwdif is for videos, and array is none"):
        vs.scan(noise(3, 48, 64), deinterlace="bwdif", **QUICK)
    with vs.score(
        str(path), ref=str(tmp_path / "images"), deinterlace="bwdif", resize="area", **QUICK
    ) as run:
        assert len(run) == 12


def test_row_48_progressive_pictures_and_lost_ones_pass_the_deinterlacer(tmp_path: Path) -> None:
    clip, bad = write_clip(tmp_path / "a.mp4"), damaged(tmp_path / "b.mp4", "zeroed")
    for path in (clip, bad):
        with open_source(path) as source, open_source(path, deinterlace="bwdif") as same:
            if path == clip:
                np.testing.assert_array_equal(pixels(source), pixels(same))
            assert column(source, "status") == column(same, "status")
            assert column(source, "pts") == column(same, "pts")
    both = two_parts(tmp_path, [{"frames": moving(5, 32, 48)}, {"frames": moving(5, 48, 64)}])
    assert len(pixels(open_source(both, deinterlace="bwdif", resize=(32, 48, "area")))) == 10


def test_row_50_the_decoder_is_stored(tmp_path: Path) -> None:
    with vs.scan(str(h264(tmp_path / "a.mp4")), golden=0, **QUICK) as run:
        assert run.sources[0]["decoder"].startswith("h264 (PyAV ")


CODECS = [
    ("mjpeg", "yuvj420p", "avi"),
    ("prores_ks", "yuv422p10le", "mov"),
    ("ffv1", "yuv420p", "mkv"),
    ("libx265", "yuv420p", "mp4"),
    ("libvpx", "yuv420p", "webm"),
    ("libvpx-vp9", "yuv420p", "webm"),
    ("libsvtav1", "yuv420p", "mkv"),
    ("mpeg2video", "yuv420p", "mpg"),
    ("mpeg4", "yuv420p", "avi"),
    ("gif", "rgb8", "gif"),
    ("apng", "rgb24", "apng"),
    ("rawvideo", "yuv420p", "nut"),
]


@pytest.mark.parametrize(("codec", "pix_fmt", "suffix"), CODECS)
def test_row_51_codecs(tmp_path: Path, codec: str, pix_fmt: str, suffix: str) -> None:
    if codec not in av.codecs_available:
        pytest.skip(f"this build of PyAV has no encoder {codec}")
    made = moving(6, 64, 96)
    got = pixels(
        open_source(write_video(tmp_path / f"a.{suffix}", made, codec=codec, pix_fmt=pix_fmt))
    )
    assert got.shape == made.shape
    assert np.abs(got / (257 if got.dtype == np.uint16 else 1) - made).mean() < 30


def test_row_52_protected_video(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    key = "00112233445566778899aabbccddeeff"
    scheme = {"encryption_scheme": "cenc-aes-ctr", "encryption_key": key, "encryption_kid": key}
    refused(
        capsys,
        h264(tmp_path / "a.mp4", container_options=scheme),
        "is encrypted",
        tmp_path / "a.h5",
    )


def test_rows_53_and_54_names_of_images(tmp_path: Path) -> None:
    for i in (1, 2, 9, 10, 12):
        picture(tmp_path / f"{i}.png", seed=i)
    for other in ("Thumbs.db", ".hidden.png", "notes.txt"):
        (tmp_path / other).write_bytes(b"x")
    (tmp_path / "sub").mkdir()
    with open_source(tmp_path) as source:
        assert [Path(file).name for file in source.info.files] == [
            "1.png",
            "2.png",
            "9.png",
            "10.png",
            "12.png",
        ]
        assert tuple(map(str, source.info.notes[:2])) == (
            "left out 3 files that are no images",
            "left out 1 folder inside",
        )
    picture(tmp_path / "01.png")
    with pytest.raises(SourceError, match="stand for the same frame"):
        open_source(tmp_path)


def test_row_55_mixed_sizes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    picture(tmp_path / "1.png")
    picture(tmp_path / "2.jpg", size=(20, 24))
    refused(capsys, tmp_path, r"2\.jpg is 24x20, .*1\.png is 16x16", tmp_path / "a.h5")


def test_row_56_kinds_of_images(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    assert open_source(picture(tmp_path / "turned.jpg", size=(16, 24), exif=exif)).size == (24, 16)
    Image.fromarray(np.zeros((16, 16, 4), np.uint8), "CMYK").save(tmp_path / "cmyk.jpg")
    assert pixels(open_source(tmp_path / "cmyk.jpg")).min() > 250
    plain = picture(tmp_path / "plain.png")
    picture(tmp_path / "profile.png", icc_profile=b"\0" * 128)
    np.testing.assert_array_equal(
        pixels(open_source(plain)), pixels(open_source(tmp_path / "profile.png"))
    )


def test_row_57_a_broken_image_keeps_its_row(tmp_path: Path) -> None:
    for i in range(4):
        picture(tmp_path / f"{i}.png", seed=i)
    (tmp_path / "2.png").write_bytes((tmp_path / "2.png").read_bytes()[:200])
    with vs.scan(str(tmp_path), golden=0, **QUICK) as run:
        assert run.frames.index.tolist() == [0, 1, 2, 3]
        assert run.frames.status.tolist() == [Status.OK, Status.OK, Status.UNREADABLE, Status.OK]
        assert np.isnan(run.scores["ssim"]).tolist() == [False, False, True, False]
        assert run.status == "partial"


@pytest.mark.parametrize("suffix", ["png", "webp", "tif", "bmp"])
def test_row_58_bombs_are_refused_by_their_header(
    tmp_path: Path, suffix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from vfiscope.sources.images import image_header

    monkeypatch.setattr(image_header, "MAX_PIXELS", 255)
    with pytest.raises(SourceError, match=r"has 16x16 pixels, more than 255"):
        open_source(picture(tmp_path / f"a.{suffix}"))


def test_row_59_a_file_that_changes_while_it_is_read(tmp_path: Path) -> None:
    from vfiscope.scoring.inputs import changed, stamp_files

    with open_source(h264(tmp_path / "a.mp4")) as source:
        before = stamp_files(source)
        os.utime(tmp_path / "a.mp4", ns=(1, 1))
        assert [*map(str, changed(source, before))] == [
            f"{tmp_path / 'a.mp4'} changed while the run was reading: scores may be of neither"
            " state"
        ]


def test_row_60_the_same_file_twice(tmp_path: Path) -> None:
    path = h264(tmp_path / "a.mp4")
    (tmp_path / "link.mp4").symlink_to(path)
    with vs.score(str(tmp_path / "link.mp4"), ref=str(path), **QUICK) as run:
        assert (run.scores["ssim"] == 1).all()
        assert np.isposinf(run.scores["psnr"]).all()


@pytest.mark.parametrize("value", [0, 128, 255])
def test_row_61_flat_pictures(value: int) -> None:
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
def test_row_62_places_that_cannot_be_written(
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


def test_every_row_has_a_test() -> None:
    numbers = set(ELSEWHERE)
    for name in globals():
        if found := re.match(r"test_rows?_((?:\d\d(?:_and_)?)+)", name):
            numbers |= {int(number) for number in re.findall(r"\d\d", found[1])}
    assert numbers == set(range(1, 63))

"""Videos that are cut, damaged, or have odd times: what is partial, what is exact."""

from __future__ import annotations

import re
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from helpers.cli import call
from helpers.media import (
    column,
    moving,
    noise,
    pixels,
    write_clip,
    write_video,
)
from helpers.odd_inputs import QUICK, damaged, h264, refused

import vfiscope as vs
from vfiscope.sources import open_source
from vfiscope.types import Code, Note, Status


def test_a_file_cut_before_its_index_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = h264(tmp_path / "a.mp4")
    path.write_bytes(path.read_bytes()[:-300])
    refused(capsys, path, "is not a readable video .*may be incomplete", tmp_path / "a.h5")


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "avi", "gif", "ts"])
def test_a_file_cut_at_its_end_is_partial(tmp_path: Path, suffix: str) -> None:
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


@pytest.mark.parametrize("how", ["random", "zeroed"])
def test_damage_inside_is_partial(tmp_path: Path, how: str) -> None:
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


def test_pairs_behind_damage_are_right(tmp_path: Path) -> None:
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
def test_a_stream_that_starts_inside_a_group(tmp_path: Path, suffix: str) -> None:
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


def test_videos_without_index_and_times_are_read(tmp_path: Path) -> None:
    with open_source(h264(tmp_path / "a.h264")) as source:
        assert source.info.frames_expected is None
        assert Note(Code.NO_TIMES) in source.info.notes
        assert column(source, "time_s") == [i / 25 for i in range(12)]
    with open_source(
        write_video(tmp_path / "a.ts", moving(12, 48, 64), codec="mpeg2video", pix_fmt="yuv420p")
    ) as source:
        assert column(source, "index") == list(range(12))


def test_times_may_start_elsewhere_than_at_zero(tmp_path: Path) -> None:
    pts = list(range(700, 708))
    path = write_video(tmp_path / "a.mkv", noise(8, 16, 16), pts=pts, time_base=Fraction(1, 25))
    with open_source(path) as source:
        assert column(source, "pts") == [40 * at for at in pts]
        assert column(source, "time_s") == [i / 25 for i in range(8)]


def test_times_may_be_below_zero(tmp_path: Path) -> None:
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


def test_an_edit_list_is_followed(shared_data: Path) -> None:
    """Five frames before the edit are not shown, as FFmpeg does by default."""
    with open_source(
        shared_data / "videos/meta-pytorch+torchcodec/discard_first_keyframe.mp4"
    ) as source:
        assert (len(pixels(source)), source.counts.skipped, source.counts.hidden) == (25, 5, 0)


@pytest.mark.parametrize("pts", [[0, 1, 1, 2, 3], [0, 3, 1, 4, 5]])
def test_times_that_repeat_or_go_back(tmp_path: Path, pts: list[int]) -> None:
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


def test_a_variable_rate_is_kept(tmp_path: Path) -> None:
    pts = [0, 40, 41, 500, 512, 900]
    path = write_video(tmp_path / "a.mkv", moving(6, 48, 64), pts=pts, time_base=Fraction(1, 1000))
    with vs.scan(str(path), golden=0, flag=["psnr < 99 for 1 frames"], **QUICK) as run:
        np.testing.assert_array_equal(run.frames.time_s, np.array(pts) / 1000)
        assert run.segments[0].start_time_s == 0.04


@pytest.mark.parametrize(
    "params", ["open-gop=1:keyint=5:bframes=3", "keyint=250:bframes=4:b-pyramid=normal"]
)
def test_every_start_gives_the_frames_of_a_serial_decoding(tmp_path: Path, params: str) -> None:
    path = h264(
        tmp_path / "a.mp4", moving(24, 48, 64), options={"x264-params": f"log-level=none:{params}"}
    )
    whole = pixels(open_source(path))
    for start in range(24):
        np.testing.assert_array_equal(pixels(open_source(path, start=start)), whole[start:])


def test_a_discarded_first_key_frame(shared_data: Path) -> None:
    path = shared_data / "videos/meta-pytorch+torchcodec/discard_first_keyframe.mp4"
    with open_source(path) as source, av.open(str(path)) as container:
        first = next(container.decode(video=0))
        assert column(source, "pts")[0] == first.pts


def test_times_that_wrap_go_on(tmp_path: Path) -> None:
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

"""Videos of odd sizes, tags, depths, fields and codecs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from helpers.cli import call
from helpers.media import (
    column,
    from_planes,
    moving,
    noise,
    pixels,
    write_clip,
    write_video,
)
from helpers.odd_inputs import QUICK, damaged, h264, refused
from PIL import Image

import vfiscope as vs
from vfiscope.errors import PairingError, SourceError, UsageError
from vfiscope.sources import open_source
from vfiscope.types import Code, Note, Status


def flat(
    path: Path, values: tuple[int, int, int] = (120, 90, 200), pix_fmt: str = "yuv444p", **tags: Any
) -> Path:
    bits = 8 if pix_fmt.endswith("p") else int(pix_fmt[-4:-2])
    planes = [
        np.full((32, 32), value << (bits - 8), np.uint8 if bits == 8 else np.uint16)
        for value in values
    ]
    return write_video(path, [from_planes(planes, pix_fmt)] * 3, pix_fmt=pix_fmt, **tags)


def test_other_sizes_are_refused_unless_resized(tmp_path: Path) -> None:
    small, large = (str(write_video(tmp_path / f"{n}.mkv", moving(3, n, n))) for n in (32, 64))
    with pytest.raises(PairingError, match=r"test .* is 32x32, ref .* is 64x64: pass --resize"):
        vs.score(small, ref=large, **QUICK)
    with vs.score(small, ref=large, resize="area", **QUICK) as run:
        assert run.config["resize"] == "area"


@pytest.mark.parametrize("degrees", [90, 180, 270])
def test_turned_frames_are_turned_back(tmp_path: Path, degrees: int) -> None:
    with open_source(h264(tmp_path / "a.mp4", rotation=degrees)) as source:
        assert source.size == ((48, 64) if degrees == 180 else (64, 48))
        assert [note.code for note in source.info.notes] == [Code.ROTATED]


def test_pixels_that_are_not_square_are_noted(shared_data: Path) -> None:
    with open_source(
        shared_data / "videos/meta-pytorch+torchcodec/test_non_zero_start.mp4"
    ) as source:
        assert source.size == (112, 200)
        assert Note(Code.PIXELS_NOT_SQUARE, {"aspect": "224:225"}) in source.info.notes


@pytest.mark.parametrize("size", [(241, 321), (15, 17), (16, 17)])
def test_odd_sizes_are_read(tmp_path: Path, size: tuple[int, int]) -> None:
    made = noise(2, *size)
    np.testing.assert_array_equal(pixels(open_source(write_video(tmp_path / "a.mkv", made))), made)


@pytest.mark.parametrize("size", [(1, 1), (8, 8), (10, 13)])
def test_tiny_frames_are_read(tmp_path: Path, size: tuple[int, int]) -> None:
    path = str(write_video(tmp_path / "a.mkv", noise(2, *size)))
    with vs.score(path, ref=path, **QUICK) as run:
        assert np.isposinf(run.scores["psnr"]).all()
        assert np.isnan(run.scores["ssim"]).all()
        assert run.summary()["metrics"]["ssim"]["defined"] == 0


def test_more_pixels_than_may_be_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = h264(tmp_path / "a.mp4")
    monkeypatch.setattr("vfiscope.sources.images.image_header.MAX_PIXELS", 48 * 64 - 1)
    with pytest.raises(SourceError, match="has 64x48 pixels, more than 3071: scale it down"):
        open_source(path)


def test_more_frames_or_seconds_than_may_be_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from vfiscope import config
    from vfiscope.sources.video import probe

    path = h264(tmp_path / "a.mp4")
    monkeypatch.setattr(config, "MAX_FRAMES", 11)
    with pytest.raises(SourceError, match="holds more than 11 frames: split it"):
        list(open_source(path))
    monkeypatch.setattr(probe, "MAX_FRAMES", 11)
    with pytest.raises(SourceError, match="claims 12 frames"):
        open_source(path)
    monkeypatch.undo()
    monkeypatch.setattr(probe, "MAX_DURATION_S", 0.1)
    with pytest.raises(SourceError, match="claims 12 frames, 0 s"):
        open_source(path)


def test_batches_stay_within_their_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    from vfiscope import config

    monkeypatch.setattr(config, "MAX_BATCH_BYTES", 2 * 16 * 16 * 3)
    assert [len(frames) for frames in open_source(noise(5, 16, 16), batch=4)] == [2, 2, 1]


def test_long_and_thin_frames_are_scored(tmp_path: Path) -> None:
    path = str(write_video(tmp_path / "a.mkv", noise(2, 16, 4096)))
    with vs.score(path, ref=path, **QUICK) as run:
        assert (run.scores["ssim"] == 1).all()


def two_parts(folder: Path, parts: list[dict[str, Any]]) -> Path:
    data = b""
    for i, part in enumerate(parts):
        data += h264(folder / f"{i}.h264", **part).read_bytes()
    (folder / "both.h264").write_bytes(data)
    return folder / "both.h264"


def test_a_size_that_changes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = two_parts(tmp_path, [{"frames": moving(5, 32, 48)}, {"frames": moving(5, 48, 64)}])
    refused(
        capsys,
        path,
        "changes its size at frame 5: from 48x32 to 64x48; split it there",
        tmp_path / "a.h5",
    )
    assert pixels(open_source(path, resize=(32, 48, "area"))).shape == (10, 32, 48, 3)


def test_colour_tags_that_change(tmp_path: Path) -> None:
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
def test_without_tags_the_height_decides_the_matrix(
    tmp_path: Path, height: int, matrix: str
) -> None:
    planes = [np.full((height, 32), value, np.uint8) for value in (120, 90, 200)]
    path = write_video(tmp_path / "a.mkv", [from_planes(planes, "yuv444p")], pix_fmt="yuv444p")
    color = open_source(path).info.color
    assert (color["matrix"], color["range"], color["decided_by"]) == (matrix, "limited", "assumed")


def test_tags_win_over_the_height(tmp_path: Path) -> None:
    color = open_source(flat(tmp_path / "a.mkv", matrix=1, color_range=1)).info.color
    assert (color["matrix"], color["decided_by"]) == ("bt709", "tag")


def test_full_range_is_read_as_such(tmp_path: Path) -> None:
    for path in (
        flat(tmp_path / "a.mkv", (255, 128, 128), color_range=2),
        flat(tmp_path / "a.avi", (255, 128, 128), pix_fmt="yuvj444p", codec="mjpeg"),
    ):
        assert pixels(open_source(path)).min() >= 254


@pytest.mark.parametrize("transfer", [16, 18])
def test_hdr_needs_to_be_asked_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], transfer: int
) -> None:
    path = flat(tmp_path / "a.mkv", pix_fmt="yuv444p10le", matrix=9, transfer=transfer)
    refused(capsys, path, "is HDR .*add --tonemap reinhard, or --tonemap none", tmp_path / "a.h5")
    with vs.scan(str(path), golden=0, tonemap="reinhard", **QUICK) as run:
        assert run.config["tonemap"] == run.sources[0]["color"]["tonemap"] == "reinhard"


def test_clips_whose_tags_alone_differ(tmp_path: Path) -> None:
    test, ref = flat(tmp_path / "a.mkv", matrix=1), flat(tmp_path / "b.mkv", matrix=5)
    with vs.score(str(test), ref=str(ref), **QUICK) as run:
        assert run.warnings == [
            "colour matrix differs: test is read as bt709 (assumed), ref as bt601 (assumed)"
        ]


@pytest.mark.parametrize(
    "pix_fmt", ["yuv420p10le", "yuv422p12le", "yuv444p10le", "gray", "gray10le", "gray16le"]
)
def test_depths_and_samplings_are_read(tmp_path: Path, pix_fmt: str) -> None:
    """White is the top of the range at every depth."""
    rgb = np.full((32, 32, 3), 65535, np.uint16)
    frame = av.VideoFrame.from_ndarray(rgb, "rgb48le").reformat(format=pix_fmt)
    with open_source(write_video(tmp_path / "a.mkv", [frame], pix_fmt=pix_fmt)) as source:
        top = 255 if source.info.bit_depth == 8 else 65535
        assert np.abs(pixels(source) / top - 1).max() < 0.005


def test_alpha_is_composited_over_black(tmp_path: Path) -> None:
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
            assert "composited over black" in " ".join(map(str, source.info.notes))


@pytest.mark.parametrize(
    ("codec", "pix_fmt", "suffix", "off"),
    [
        ("ffv1", "bgr0", "mkv", 0),
        ("utvideo", "gbrp", "avi", 0),
        ("png", "rgb24", "mov", 0),
        ("gif", "rgb8", "gif", 40),
    ],
)
def test_the_order_of_the_channels(
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
def test_interlaced_fields_are_noted(tmp_path: Path, order: str) -> None:
    params = f"log-level=none:{order}=1"
    with open_source(h264(tmp_path / "a.mp4", options={"x264-params": params})) as source:
        assert len(pixels(source)) == 12
        assert Note(Code.INTERLACED) in source.info.notes
        assert source.counts.lost == 0


def test_fields_become_frames_where_that_is_asked_for(tmp_path: Path) -> None:
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
def test_frames_made_from_a_damaged_neighbour_are_marked(tmp_path: Path, how: str) -> None:
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


def test_only_videos_have_fields(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = h264(tmp_path / "a.mp4", options={"x264-params": "log-level=none:tff=1:qp=0"})
    for i, image in enumerate(moving(12, 48, 64)):
        (tmp_path / "images").mkdir(exist_ok=True)
        Image.fromarray(image).save(tmp_path / f"images/{i:02}.png")
    out = tmp_path / "a.h5"
    assert call("scan", tmp_path / "images", "--deinterlace", "bwdif", "-o", out) == 2
    said = (
        f"--deinterlace bwdif is for videos, but {tmp_path / 'images'} is not a video: leave it out"
    )
    assert capsys.readouterr().err == f"vfiscope: error: {said}\n"
    with pytest.raises(
        UsageError, match="--deinterlace bwdif is for videos, but array is not a video"
    ):
        vs.scan(noise(3, 48, 64), deinterlace="bwdif", **QUICK)
    with vs.score(
        str(path), ref=str(tmp_path / "images"), deinterlace="bwdif", resize="area", **QUICK
    ) as run:
        assert len(run) == 12


def test_progressive_frames_and_lost_ones_pass_the_deinterlacer(tmp_path: Path) -> None:
    clip, bad = write_clip(tmp_path / "a.mp4"), damaged(tmp_path / "b.mp4", "zeroed")
    for path in (clip, bad):
        with open_source(path) as source, open_source(path, deinterlace="bwdif") as same:
            if path == clip:
                np.testing.assert_array_equal(pixels(source), pixels(same))
            assert column(source, "status") == column(same, "status")
            assert column(source, "pts") == column(same, "pts")
    both = two_parts(tmp_path, [{"frames": moving(5, 32, 48)}, {"frames": moving(5, 48, 64)}])
    assert len(pixels(open_source(both, deinterlace="bwdif", resize=(32, 48, "area")))) == 10


def test_the_decoder_is_stored(tmp_path: Path) -> None:
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
def test_common_codecs_are_read(tmp_path: Path, codec: str, pix_fmt: str, suffix: str) -> None:
    if codec not in av.codecs_available:
        pytest.skip(f"this build of PyAV has no encoder {codec}")
    made = moving(6, 64, 96)
    got = pixels(
        open_source(write_video(tmp_path / f"a.{suffix}", made, codec=codec, pix_fmt=pix_fmt))
    )
    assert got.shape == made.shape
    assert np.abs(got / (257 if got.dtype == np.uint16 else 1) - made).mean() < 30

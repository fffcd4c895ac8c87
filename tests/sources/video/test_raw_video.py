"""Raw video, which has no header: sizes and formats are told, checked, and hinted at."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from helpers.media import Array, column, moving, noise, pixels, write_video

import vfiscope as vs
from vfiscope.errors import SourceError, UsageError
from vfiscope.scoring.stored_frames import frames_of
from vfiscope.sources import open_source
from vfiscope.sources.video.raw_video import RawVideo
from vfiscope.types import Code, Note

CLIP = moving(5, 48, 64)


def raw(path: Path, pix_fmt: str, frames: Array = CLIP) -> Path:
    """The planes of every frame, one after the other, as FFmpeg writes them."""
    shown = (
        av.VideoFrame.from_ndarray(frame, "rgb24").reformat(format=pix_fmt) for frame in frames
    )
    path.write_bytes(b"".join(frame.to_ndarray().tobytes() for frame in shown))
    return path


def told(pix_fmt: str, size: str = "64x48", **more: Any) -> dict[str, Any]:
    return {"raw_size": size, "raw_format": pix_fmt, **more}


@pytest.mark.parametrize(
    "pix_fmt", ["yuv420p", "yuv420p10le", "yuv422p", "yuv444p", "nv12", "gray"]
)
def test_raw_frames_are_those_of_the_same_samples_in_a_container(
    tmp_path: Path, pix_fmt: str
) -> None:
    samples = [av.VideoFrame.from_ndarray(f, "rgb24").reformat(format=pix_fmt) for f in CLIP]
    inside = write_video(tmp_path / "a.nut", samples, codec="rawvideo", pix_fmt=pix_fmt)
    with open_source(raw(tmp_path / "a.yuv", pix_fmt), **told(pix_fmt, fps=50)) as source:
        np.testing.assert_array_equal(pixels(source), pixels(open_source(inside)))
        assert source.info.frames_expected == 5
        assert source.info.bit_depth == (16 if "10" in pix_fmt else 8)
        assert column(source, "time_s") == [i / 50 for i in range(5)]
        for ordinals in ([4, 0, 2], [1]):
            got = source.frames_at(ordinals).interleaved
            np.testing.assert_array_equal(got, pixels(source)[ordinals])


@pytest.mark.parametrize(
    ("pix_fmt", "size"), [("yuv422p10le", 60 * 44 * 4), ("nv12", 60 * 44 * 3 // 2)]
)
def test_the_bytes_of_a_frame(pix_fmt: str, size: int) -> None:
    assert RawVideo(60, 44, pix_fmt, Fraction(25)).frame_bytes == size
    odd = RawVideo(61, 45, pix_fmt, Fraction(25)).frame_bytes
    assert odd == ((61 * 45 + 2 * 31 * 45) * 2 if "10" in pix_fmt else 61 * 45 + 2 * 31 * 23)


def test_raw_rgb_comes_back_exactly(tmp_path: Path) -> None:
    made = noise(3, 9, 7)
    (tmp_path / "a.rgb").write_bytes(made.tobytes())
    np.testing.assert_array_equal(
        pixels(open_source(tmp_path / "a.rgb", **told("rgb24", "7x9"))), made
    )


def test_real_raw_pairs_are_read(shared_data: Path) -> None:
    folder = shared_data / "videos" / "Netflix+vmaf"
    options = told("yuv420p10le", "480x270", stop=1)
    pair = [
        pixels(open_source(folder / f"sparks_{side}_480x270.yuv42010le.yuv", **options))
        for side in ("dis", "ref")
    ]
    assert pair[0].shape == (1, 270, 480, 3)
    assert np.abs(pair[0].astype(float) - pair[1]).mean() < 0.02 * 65535


@pytest.mark.parametrize(
    ("made", "options", "words"),
    [
        (
            "yuv420p",
            {},
            r"raw video, which has no header: .* --raw-size 64x48 --raw-format yuv420p",
        ),
        ("yuv420p", {}, r"make a Y4M of it: ffmpeg -f rawvideo -video_size 64x48"),
        (
            "yuv420p",
            told("yuv420p", "48x48"),
            r"18432 bytes, which is 5.33 frames of 48x48",
        ),
        ("yuv422p", told("yuv444p"), r"2.67 frames of .*\(yuv422p, .*would fit\)"),
        ("yuv420p", told("yuv420p10le"), r"holds the value .* 10 bits end at 1023: .*is yuv420p$"),
        ("yuv420p10le", told("yuv420p"), r"every second byte is at most 3, .* is yuv420p10le$"),
    ],
)
def test_what_does_not_fit_is_said(
    tmp_path: Path, made: str, options: dict[str, Any], words: str
) -> None:
    path = raw(tmp_path / "of_1x2_clip_64x48.yuv", made, CLIP[:4])
    with pytest.raises(SourceError, match=words) as caught:
        open_source(path, **options)
    assert "\n" not in str(caught.value)


def samples(path: Path, shown: list[tuple[float, int]], dtype: str) -> Path:
    """Frames yuv420p 64x48 of black and, in this share of the samples, a value; chroma alike."""
    size = 64 * 48 * 3 // 2
    frames = [np.where(np.arange(size) < share * size, value, 0) for share, value in shown]
    path.write_bytes(np.stack(frames).astype(dtype).tobytes())
    return path


def test_a_few_samples_of_a_black_frame_do_not_decide_about_the_depth(tmp_path: Path) -> None:
    dark = np.zeros((3, 48 * 64 * 3 // 2), np.uint8)
    dark[0, ::64] = 200  # at even places only
    for later in (dark[1:], np.full_like(dark[1:], 128)):
        (tmp_path / "a.yuv").write_bytes(np.concatenate([dark[:1], later]).tobytes())
        with open_source(tmp_path / "a.yuv", **told("yuv420p")) as source:
            assert source.info.frames_expected == 3
    deep = [(0.0, 0), (1.0, 600), (1.0, 600)]  # begins with black
    for made, read in ((deep, "yuv420p"), ([(0.0, 0), (1.0, 5000)], "yuv420p10le")):
        path = samples(tmp_path / "b.yuv", made, "<u2")
        with pytest.raises(SourceError, match="check --raw-format"):
            open_source(path, **told(read))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"raw_size": "64x48"}, "raw video needs a size and a format: pass --raw-format too"),
        ({"raw_format": "yuv420p"}, "pass --raw-size WIDTHxHEIGHT too"),
        (told("yuv420p", "64*48"), r"raw_size is '64\*48': pass WIDTHxHEIGHT in pixels"),
        (told("yuv420p", "0x48"), "raw_size is '0x48': pass WIDTHxHEIGHT in pixels"),
        (told("yuv411"), "raw_format is 'yuv411': choose one of yuv420p"),
    ],
)
def test_options_that_do_not_tell_enough_are_refused(
    tmp_path: Path, options: dict[str, Any], words: str
) -> None:
    with pytest.raises(UsageError, match=words):
        open_source(raw(tmp_path / "a.yuv", "yuv420p"), **options)


def test_options_of_raw_video_are_for_raw_video(tmp_path: Path) -> None:
    path = str(write_video(tmp_path / "a.mkv", CLIP))
    with pytest.raises(UsageError, match=r"--raw-size is for raw video \(.yuv\), but .*a.mkv is"):
        vs.score(path, ref=path, metrics="psnr", raw_size="64x48")


def test_a_y4m_that_is_named_yuv_has_a_header(tmp_path: Path) -> None:
    header = b"YUV4MPEG2 W64 H48 F25:1 C420mpeg2\n"
    samples = raw(tmp_path / "a.yuv", "yuv420p").read_bytes()
    frames = [samples[at : at + 4608] for at in range(0, len(samples), 4608)]
    for name in ("a.yuv", "a.y4m"):
        (tmp_path / name).write_bytes(header + b"".join(b"FRAME\n" + each for each in frames))
    expected = pixels(open_source(tmp_path / "a.y4m"))
    assert expected.shape == CLIP.shape
    np.testing.assert_array_equal(pixels(open_source(tmp_path / "a.yuv")), expected)


@pytest.mark.parametrize(
    ("tag", "pix_fmt"),
    [
        ("C420jpeg", "yuv420p"),
        ("", "yuv420p"),
        ("C422", "yuv422p"),
        ("C444", "yuv444p"),
        ("C420p10", "yuv420p10le"),
        ("Cmono", "gray"),
    ],
)
def test_a_y4m_that_is_cut_short_is_said(tmp_path: Path, tag: str, pix_fmt: str) -> None:
    small = CLIP[:, :46, :62]
    frames = [raw(tmp_path / "a.yuv", pix_fmt, small[i : i + 1]).read_bytes() for i in (0, 1)]
    path = tmp_path / "a.y4m"
    whole = f"YUV4MPEG2 W62 H46 F25:1 {tag}\n".encode() + b"".join(b"FRAME\n" + f for f in frames)
    path.write_bytes(whole)
    with open_source(path) as source:
        assert pixels(source).shape == (2, 46, 62, 3)
        assert source.info.damage == ()
    path.write_bytes(whole[:-1])
    with open_source(path) as source:
        values = {"end": len(whole), "size": len(whole) - 1, "missing": 1}
        assert source.info.damage == (Note(Code.FILE_CUT_SHORT, values),)


@pytest.mark.parametrize(
    ("header", "words"),
    [
        ("W60000 H60000 F25:1 C420", "has 60000x60000 pixels, more than"),
        ("F25:1 H99999 W99999", "has 99999x99999 pixels, more than"),
        ("W-5 H10 F25:1", "its header makes no sense"),
    ],
)
def test_a_y4m_of_impossible_size_is_refused_for_its_size(
    tmp_path: Path, header: str, words: str
) -> None:
    (tmp_path / "a.y4m").write_bytes(f"YUV4MPEG2 {header}\nFRAME\n".encode() + bytes(1000))
    with pytest.raises(SourceError, match=words) as caught:
        open_source(tmp_path / "a.y4m")
    assert "busy" not in str(caught.value)


def test_raw_video_is_scored_against_video_and_its_frames_found_again(tmp_path: Path) -> None:
    test = str(raw(tmp_path / "a.yuv", "yuv444p"))
    ref = str(write_video(tmp_path / "ref.mkv", CLIP, rate=30))
    out = str(tmp_path / "a.h5")
    with vs.score(test, ref=ref, metrics="psnr", out=out, **told("yuv444p")) as run:
        assert run.scores["psnr"].min() > 40
        assert (run.config["raw_size"], run.config["raw_format"]) == ("64x48", "yuv444p")
        expected = pixels(open_source(test, **told("yuv444p")))
        np.testing.assert_array_equal(frames_of(run, [3, 1]).interleaved, expected[[3, 1]])

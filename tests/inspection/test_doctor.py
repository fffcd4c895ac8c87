"""The doctor: one made medium for each thing that it knows, and what it says of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from helpers.cli import call
from helpers.media import from_planes, moving, noise, write_clip, write_video
from PIL import Image

from vfiscope.errors import SourceError
from vfiscope.inspection.doctor import Diagnosis, diagnose

MS = Fraction(1, 1000)


def said(diagnosis: Diagnosis, where: str = "test") -> dict[str, str]:
    """{what: detail} of the findings about one side."""
    return {
        finding.what: finding.detail for finding in diagnosis.findings if finding.where == where
    }


def timed(path: Path, pts: list[int]) -> Path:
    return write_video(path, noise(len(pts), 16, 16), pts=pts, time_base=MS)


def gray(path: Path, *, bits: int = 8, size: int = 16, n: int = 4, **tags: Any) -> Path:
    planes = [
        np.full((size, size), value << (bits - 8), np.uint8 if bits == 8 else np.uint16)
        for value in (90, 128, 128)
    ]
    pix_fmt = "yuv444p" if bits == 8 else f"yuv444p{bits}le"
    return write_video(path, [from_planes(planes, pix_fmt)] * n, pix_fmt=pix_fmt, **tags)


@pytest.mark.parametrize(
    ("pts", "what", "detail"),
    [
        ([0, 40, 80, 120, 160], None, ""),
        ([0, 40, 81, 120, 160], None, ""),
        (
            [0, 40, 80, 200, 240, 280],
            "gaps in time",
            "2 frames missing in 1 place of a constant rate",
        ),
        (
            [0, 40, 90, 97, 300],
            "variable frame rate",
            "intervals 40 ms x 1, 50 ms x 1, 7 ms x 1, 203 ms x 1",
        ),
        ([5000, 5040, 5080], "delayed start", "the first frame is at 5 s; seconds count from it"),
    ],
)
def test_times_are_judged_by_their_intervals(
    tmp_path: Path, pts: list[int], what: str | None, detail: str
) -> None:
    found = said(diagnose(str(timed(tmp_path / "a.mkv", pts))))
    if what is None:
        assert found == {}
    else:
        assert found[what] == detail


def test_nothing_unusual_is_said_in_so_many_words(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call("doctor", write_video(tmp_path / "a.mkv", noise(5, 16, 16))) == 0
    out = capsys.readouterr().out.splitlines()
    assert len(out) == 2
    assert "16x16, bgr0 in matroska, 5 frames in 0.2 s, read as rgb full (tag)" in out[0]
    assert out[1] == "  nothing unusual"


PICTURES: dict[str, tuple[Callable[[Path], Path], str]] = {
    "HDR": (lambda f: gray(f / "a.mkv", bits=10, matrix=9, transfer=18), "HDR (arib-std-b67)"),
    "colour tags missing": (lambda f: gray(f / "a.mkv"), "read as bt601, limited range"),
    "odd size": (lambda f: write_video(f / "a.mkv", noise(2, 17, 33)), "33x17"),
    "tiny": (lambda f: write_video(f / "a.mkv", noise(2, 8, 8)), "8x8"),
    "alpha": (
        lambda f: write_video(f / "a.mkv", noise(2, 16, 16), pix_fmt="bgra"),
        "composited over black",
    ),
    "rotation": (
        lambda f: write_video(
            f / "a.mp4", moving(2, 16, 32), codec="libx264", pix_fmt="yuv420p", rotation=90
        ),
        "for display",
    ),
    "no times": (
        lambda f: write_video(f / "a.h264", moving(4, 16, 16), codec="libx264", pix_fmt="yuv420p"),
        "no presentation times",
    ),
    "name and content": (
        lambda f: write_video(f / "a.mkv", noise(2, 16, 16)).rename(f / "a.mp4"),
        "named .mp4, but it is matroska,webm",
    ),
}


@pytest.mark.parametrize("what", PICTURES)
def test_pictures_are_judged(tmp_path: Path, what: str) -> None:
    make, detail = PICTURES[what]
    diagnosis = diagnose(str(make(tmp_path)))
    assert detail in said(diagnosis)[what]
    assert not diagnosis.damaged


def test_damage_is_an_error_and_exit_code_3(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write_clip(tmp_path / "a.mp4")
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 6 // 10])
    assert call("doctor", path, "--json") == 3
    facts = json.loads(capsys.readouterr().out)
    assert facts["status"] == "damaged"
    assert facts["media"]["test"]["frames_claimed"] == 60
    assert facts["media"]["test"]["frames"] < 60
    assert [finding["what"] for finding in facts["findings"] if finding["severity"] == "error"] == [
        "damage",
        "cut short",
        "damage",
        "frame count",
    ]
    assert all(
        set(finding) == {"severity", "what", "detail", "remedy", "where", "code", "values"}
        for finding in facts["findings"]
    )


def test_images_are_judged(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for i in (1, 2, 3, 6, 7):
        Image.fromarray(noise(1, 16, 16)[0]).save(tmp_path / f"{i}.png")
    Image.fromarray(noise(1, 20, 20)[0]).save(tmp_path / "8.png")
    Image.fromarray(noise(1, 16, 16)[0]).save(tmp_path / "9.png", format="JPEG")
    exif = Image.Exif()
    exif[0x0112] = 3
    Image.fromarray(noise(1, 16, 16)[0]).save(tmp_path / "10.png", exif=exif)
    (tmp_path / "notes.txt").write_text("x")
    (tmp_path / "2.png").write_bytes(b"broken")
    assert call("doctor", tmp_path) == 3
    assert "1 image that cannot be read" in capsys.readouterr().out
    found = said(diagnose(str(tmp_path)))
    assert found["gaps"] == "numbering jumps from 3 to 6 (2 missing)"
    assert found["mixed sizes"] == "16x16 x 6, 20x20 x 1"
    assert found["name and content"] == "named .png, but holds JPEG"
    assert found["EXIF orientation"] == "1 image rotated for display"
    assert found["other files"] == "left out 1 file that is not an image"


def test_a_pair_is_judged(tmp_path: Path) -> None:
    test = gray(tmp_path / "test.mkv", matrix=1, color_range=1, n=25)
    ref = gray(tmp_path / "ref.mkv", bits=10, size=32, n=60, matrix=9, color_range=2, rate=30)
    found = said(diagnose(str(test), str(ref)), "pair")
    assert found == {
        "size differs": "test 16x16, ref 32x32",
        "count differs": "test 25 frames, ref 60",
        "rate differs": "test 25, ref 29.99 per second",  # Matroska counts in milliseconds
        "duration differs": "test 1 s, ref 2 s",
        "matrix differs": "test bt709, ref bt2020nc",
        "range differs": "test limited, ref full",
        "depth differs": "test 8 bits (yuv444p), ref more than 8 bits (yuv444p10le)",
    }


def test_a_pair_that_fits_has_no_findings(tmp_path: Path) -> None:
    path = str(gray(tmp_path / "a.mkv", matrix=1, color_range=1))
    assert diagnose(path, path).findings == ()


def test_a_guess_against_pictures_is_said(tmp_path: Path) -> None:
    for i in range(4):
        Image.fromarray(noise(1, 16, 16)[0]).save(tmp_path / f"{i}.png")
    assert "colour is a guess" in said(
        diagnose(str(gray(tmp_path / "a.mkv")), str(tmp_path)), "pair"
    )


def test_what_cannot_be_opened_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_text("no film")
    with pytest.raises(SourceError, match="is not a readable video"):
        diagnose(str(tmp_path / "a.mp4"))
    assert call("doctor", tmp_path / "gone.mp4") == 2


def test_real_clips_are_judged(shared_data: Path) -> None:
    folder = shared_data / "videos/meta-pytorch+torchcodec"
    assert "5 frames" in said(diagnose(str(folder / "discard_first_keyframe.mp4")))["edit list"]
    assert "8.33301 s" in said(diagnose(str(folder / "test_non_zero_start.mp4")))["delayed start"]
    assert "smpte2084" in said(diagnose(str(folder / "bt2020_10bit.mp4")))["HDR"]
    pair = [str(folder / name) for name in ("bt601_limited_range.mp4", "bt709_full_range.mp4")]
    assert {"matrix differs", "range differs", "shape differs", "count differs"} <= set(
        said(diagnose(*pair), "pair")
    )
    (lapse,) = said(diagnose(str(shared_data / "timelapse/garden"))).values()
    assert lapse.endswith("every 3 h, with 19 night gaps of 18 h")


def test_stream_is_advised_for_the_test_alone(tmp_path: Path) -> None:
    path = tmp_path / "a.mkv"
    with av.open(str(path), "w") as container:
        streams = [container.add_stream("ffv1", rate=25) for _ in range(2)]
        for stream in streams:
            stream.width, stream.height, stream.pix_fmt = 16, 16, "bgr0"
        for stream in streams * 3:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(noise(1, 16, 16)[0], "rgb24")))
        for stream in streams:
            container.mux(stream.encode())
    found = {
        f.where: f
        for f in diagnose(str(path), str(path)).findings
        if f.what == "several video streams"
    }
    assert found["test"].remedy == "choose one with --stream"
    assert found["ref"].detail == (
        "holds 2 video streams (0: ffv1 16x16, 1: ffv1 16x16): stream 0 is read"
    )
    assert (
        found["ref"].remedy
        == "--stream is for the test alone: copy another one into a file of its own"
    )

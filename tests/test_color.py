from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from media import from_planes, pixels, to_rgb, upsample, write_video

from vfiscope.errors import SourceError
from vfiscope.sources import open_source

# --- colour -----------------------------------------------------------------------------------------------------------

CHROMA = {"420": (2, 2), "422": (1, 2), "444": (1, 1)}
BT601, BT709, BT2020 = 5, 1, 9
LIMITED, FULL = 1, 2


def smooth_planes(pix_fmt: str, height: int, width: int, bits: int) -> list[np.ndarray[Any, Any]]:
    rows, columns = CHROMA[pix_fmt.removeprefix("yuvj").removeprefix("yuv")[:3]]
    planes = []
    for i, (h, w) in enumerate([(height, width), *[(-(-height // rows), -(-width // columns))] * 2]):
        y, x = np.mgrid[:h, :w]
        wave = 0.5 + 0.42 * np.sin((x * (1 + i) + 2 * y + 5 * i) * 2 * np.pi / max(w, 8))
        planes.append(np.rint(wave * (2**bits - 1)).astype(np.uint8 if bits == 8 else np.uint16))
    return planes


@pytest.mark.parametrize(
    ("pix_fmt", "bits"),
    [("yuv420p", 8), ("yuv422p", 8), ("yuv444p", 8), ("yuv420p10le", 10), ("yuv422p10le", 10), ("yuv444p12le", 12)],
)
@pytest.mark.parametrize(("code", "matrix"), [(BT709, "bt709"), (BT601, "bt601"), (BT2020, "bt2020nc")])
@pytest.mark.parametrize("color_range", [LIMITED, FULL])
def test_tagged_yuv_agrees_with_the_definition(
    tmp_path: Path, pix_fmt: str, bits: int, code: int, matrix: str, color_range: int
) -> None:
    planes = smooth_planes(pix_fmt, 64, 96, bits)
    frame = from_planes(planes, pix_fmt)
    path = write_video(tmp_path / "a.mkv", [frame], pix_fmt=pix_fmt, matrix=code, color_range=color_range)
    with open_source(path) as source:
        named = {"matrix": matrix, "range": "limited" if color_range == LIMITED else "full", "decided_by": "tag"}
        assert source.info.color.items() >= named.items()
        got = pixels(source)[0].astype(np.float64)
    top = 255 if bits == 8 else 65535
    y, u, v = planes[0].astype(float), upsample(planes[1], 64, 96), upsample(planes[2], 64, 96)
    expected = to_rgb(y, u, v, bits=bits, matrix=matrix, full=color_range == FULL, top=top)
    assert np.abs(got - expected).max() <= (0.6 if bits == 8 else 2 / 255 * 65535 / 4)
    assert abs((got - expected).mean()) <= 0.1 / 255 * top


@pytest.mark.parametrize(("height", "matrix"), [(719, "bt601"), (720, "bt709")])
def test_untagged_matrix_follows_the_height(tmp_path: Path, height: int, matrix: str) -> None:
    planes = [np.full(s, v, np.uint8) for s, v in [((height, 16), 120), ((360, 8), 90), ((360, 8), 200)]]
    path = write_video(tmp_path / "a.mkv", [from_planes(planes, "yuv420p")], pix_fmt="yuv420p")
    with open_source(path) as source:
        assert source.info.color.items() >= {"matrix": matrix, "range": "limited", "decided_by": "assumed"}.items()
        expected = to_rgb(*(np.float64(v) for v in (120, 90, 200)), bits=8, matrix=matrix, full=False, top=255)
        assert np.abs(pixels(source)[0] - expected).max() <= 0.51


def test_yuvj_is_full_range(tmp_path: Path) -> None:
    planes = [np.full(s, v, np.uint8) for s, v in [((16, 16), 255), ((8, 8), 128), ((8, 8), 128)]]
    path = write_video(tmp_path / "a.avi", [from_planes(planes, "yuvj420p")], codec="mjpeg", pix_fmt="yuvj420p")
    with open_source(path) as source:
        assert source.info.color["range"] == "full"
        assert pixels(source).min() == 255


@pytest.mark.parametrize(("pix_fmt", "bits"), [("yuv420p", 8), ("yuv420p10le", 10), ("yuv444p16le", 16)])
@pytest.mark.parametrize("color_range", [LIMITED, FULL])
def test_black_and_white_reach_the_ends_exactly(tmp_path: Path, pix_fmt: str, bits: int, color_range: int) -> None:
    dtype, top = (np.uint8, 255) if bits == 8 else (np.uint16, 65535)
    scale = 2 ** (bits - 8)
    ends = (16 * scale, 235 * scale) if color_range == LIMITED else (0, 2**bits - 1)
    size = 8 if "420" in pix_fmt else 16
    neutral = np.full((size, size), 128 * scale, dtype)
    frames = [from_planes([np.full((16, 16), end, dtype), neutral, neutral], pix_fmt) for end in ends]
    path = write_video(tmp_path / "a.mkv", frames, pix_fmt=pix_fmt, matrix=BT709, color_range=color_range)
    got = pixels(open_source(path))
    assert (got[0] == 0).all()
    assert (got[1] == top).all()


@pytest.mark.parametrize(("pix_fmt", "bits"), [("gray", 8), ("gray10le", 10)])
def test_gray_is_full_range_unless_tagged_limited(tmp_path: Path, pix_fmt: str, bits: int) -> None:
    dtype, top = (np.uint8, 255) if bits == 8 else (np.uint16, 65535)
    levels = np.linspace(0, 2**bits - 1, 256).astype(dtype).reshape(16, 16)
    scale = 2 ** (bits - 8)
    full = levels / (2**bits - 1) * top
    limited = np.clip((levels - 16.0 * scale) / (219 * scale), 0, 1) * top
    for color_range, expected in ((None, full), (LIMITED, limited)):
        path = write_video(
            tmp_path / "a.mkv", [from_planes([levels], pix_fmt)], pix_fmt=pix_fmt, color_range=color_range
        )
        with open_source(path) as source:
            assert source.info.color["matrix"] == "gray"
            got = pixels(source)[0]
        assert np.abs(got - expected[..., None]).max() <= 1


def test_hdr_is_noted_and_kept_as_stored(tmp_path: Path) -> None:
    flat = [np.full((16, 16), 512, np.uint16)] * 3
    path = write_video(
        tmp_path / "a.mp4",
        [from_planes(flat, "yuv444p10le")],
        codec="libx265",
        pix_fmt="yuv444p10le",
        options={"x265-params": "log-level=none:lossless=1:colorprim=bt2020:transfer=smpte2084:colormatrix=bt2020nc"},
    )
    with open_source(path) as source:
        assert source.info.color["transfer"] == "smpte2084"
        assert any("HDR (smpte2084)" in note for note in source.info.notes)
        assert np.abs(pixels(source) - 65535 * (512 - 64) / 876).max() <= 65


def test_a_matrix_that_cannot_be_converted_is_refused(tmp_path: Path) -> None:
    frame = from_planes([np.full((16, 16), 99, np.uint8)] * 3, "yuv444p")
    path = write_video(tmp_path / "a.mkv", [frame], pix_fmt="yuv444p", matrix=8)
    with pytest.raises(SourceError, match="colour matrix 'ycgco', which cannot be converted"):
        open_source(path)

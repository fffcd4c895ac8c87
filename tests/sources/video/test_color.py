from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import av.filter
import numpy as np
import pytest
from helpers.media import from_planes, pixels, to_rgb, upsample, write_video

import vfiscope as vs
from vfiscope.errors import SourceError
from vfiscope.sources import open_source
from vfiscope.sources.video.tonemap import tone_map
from vfiscope.types import Code, Note

# ------------------------------------------------------------------------------------------- colour

CHROMA = {"420": (2, 2), "422": (1, 2), "444": (1, 1)}
BT601, BT709, BT2020 = 5, 1, 9
LIMITED, FULL = 1, 2


def smooth_planes(pix_fmt: str, height: int, width: int, bits: int) -> list[np.ndarray[Any, Any]]:
    rows, columns = CHROMA[pix_fmt.removeprefix("yuvj").removeprefix("yuv")[:3]]
    planes = []
    for i, (h, w) in enumerate(
        [(height, width), *[(-(-height // rows), -(-width // columns))] * 2]
    ):
        y, x = np.mgrid[:h, :w]
        wave = 0.5 + 0.42 * np.sin((x * (1 + i) + 2 * y + 5 * i) * 2 * np.pi / max(w, 8))
        planes.append(np.rint(wave * (2**bits - 1)).astype(np.uint8 if bits == 8 else np.uint16))
    return planes


@pytest.mark.parametrize(
    ("pix_fmt", "bits"),
    [
        ("yuv420p", 8),
        ("yuv422p", 8),
        ("yuv444p", 8),
        ("yuv420p10le", 10),
        ("yuv422p10le", 10),
        ("yuv444p12le", 12),
    ],
)
@pytest.mark.parametrize(
    ("code", "matrix"), [(BT709, "bt709"), (BT601, "bt601"), (BT2020, "bt2020nc")]
)
@pytest.mark.parametrize("color_range", [LIMITED, FULL])
def test_tagged_yuv_agrees_with_the_definition(
    tmp_path: Path, pix_fmt: str, bits: int, code: int, matrix: str, color_range: int
) -> None:
    planes = smooth_planes(pix_fmt, 64, 96, bits)
    frame = from_planes(planes, pix_fmt)
    path = write_video(
        tmp_path / "a.mkv", [frame], pix_fmt=pix_fmt, matrix=code, color_range=color_range
    )
    with open_source(path) as source:
        named = {
            "matrix": matrix,
            "range": "limited" if color_range == LIMITED else "full",
            "decided_by": "tag",
        }
        assert source.info.color.items() >= named.items()
        got = pixels(source)[0].astype(np.float64)
    top = 255 if bits == 8 else 65535
    y, u, v = planes[0].astype(float), upsample(planes[1], 64, 96), upsample(planes[2], 64, 96)
    expected = to_rgb(y, u, v, bits=bits, matrix=matrix, full=color_range == FULL, top=top)
    assert np.abs(got - expected).max() <= (0.6 if bits == 8 else 2 / 255 * 65535 / 4)
    assert abs((got - expected).mean()) <= 0.1 / 255 * top


@pytest.mark.parametrize(("height", "matrix"), [(719, "bt601"), (720, "bt709")])
def test_untagged_matrix_follows_the_height(tmp_path: Path, height: int, matrix: str) -> None:
    planes = [
        np.full(s, v, np.uint8) for s, v in [((height, 16), 120), ((360, 8), 90), ((360, 8), 200)]
    ]
    path = write_video(tmp_path / "a.mkv", [from_planes(planes, "yuv420p")], pix_fmt="yuv420p")
    with open_source(path) as source:
        assert (
            source.info.color.items()
            >= {
                "matrix": matrix,
                "range": "limited",
                "decided_by": "assumed",
            }.items()
        )
        expected = to_rgb(
            *(np.float64(v) for v in (120, 90, 200)), bits=8, matrix=matrix, full=False, top=255
        )
        assert np.abs(pixels(source)[0] - expected).max() <= 0.51


def test_yuvj_is_full_range(tmp_path: Path) -> None:
    planes = [np.full(s, v, np.uint8) for s, v in [((16, 16), 255), ((8, 8), 128), ((8, 8), 128)]]
    path = write_video(
        tmp_path / "a.avi", [from_planes(planes, "yuvj420p")], codec="mjpeg", pix_fmt="yuvj420p"
    )
    with open_source(path) as source:
        assert source.info.color["range"] == "full"
        assert pixels(source).min() == 255


@pytest.mark.parametrize(
    ("pix_fmt", "bits"), [("yuv420p", 8), ("yuv420p10le", 10), ("yuv444p16le", 16)]
)
@pytest.mark.parametrize("color_range", [LIMITED, FULL])
def test_black_and_white_reach_the_ends_exactly(
    tmp_path: Path, pix_fmt: str, bits: int, color_range: int
) -> None:
    dtype, top = (np.uint8, 255) if bits == 8 else (np.uint16, 65535)
    scale = 2 ** (bits - 8)
    ends = (16 * scale, 235 * scale) if color_range == LIMITED else (0, 2**bits - 1)
    size = 8 if "420" in pix_fmt else 16
    neutral = np.full((size, size), 128 * scale, dtype)
    frames = [
        from_planes([np.full((16, 16), end, dtype), neutral, neutral], pix_fmt) for end in ends
    ]
    path = write_video(
        tmp_path / "a.mkv", frames, pix_fmt=pix_fmt, matrix=BT709, color_range=color_range
    )
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
            tmp_path / "a.mkv",
            [from_planes([levels], pix_fmt)],
            pix_fmt=pix_fmt,
            color_range=color_range,
        )
        with open_source(path) as source:
            assert source.info.color["matrix"] == "gray"
            got = pixels(source)[0]
        assert np.abs(got - expected[..., None]).max() <= 1


def test_hdr_is_refused_unless_a_tone_map_is_named(tmp_path: Path) -> None:
    flat = [np.full((16, 16), 512, np.uint16)] * 3
    frame = from_planes(flat, "yuv444p10le")
    path = write_video(tmp_path / "a.mkv", [frame], pix_fmt="yuv444p10le", matrix=9, transfer=16)
    with pytest.raises(
        SourceError,
        match=r"is HDR \(transfer smpte2084, .* add --tonemap reinhard, or --tonemap none",
    ):
        open_source(path)
    with open_source(path, tonemap="none") as source:
        assert source.info.color["transfer"] == "smpte2084"
        assert source.info.color["tonemap"] == "none"
        assert Note(Code.HDR_AS_STORED, {"transfer": "smpte2084"}) in source.info.notes
        assert np.abs(pixels(source) - 65535 * (512 - 64) / 876).max() <= 65
    with open_source(path, tonemap="reinhard") as source:
        assert source.info.color["tonemap"] == "reinhard"
        values = {"transfer": "smpte2084", "tonemap": "reinhard"}
        assert Note(Code.HDR_TONE_MAPPED, values) in source.info.notes
        value = (512 - 64) / 876
        root = value ** (32 / 2523)
        light = (
            10000
            * ((root - 3424 / 4096) / (2413 / 128 - 2392 / 128 * root)) ** (16384 / 2610)
            / 203
        )
        expected = (light * (1 + light / (1000 / 203) ** 2) / (1 + light)) ** (1 / 2.4)
        assert np.abs(pixels(source) / 65535 - expected).max() <= 0.002


def code_of(nits: float) -> float:
    """The PQ code value of a brightness: the inverse of SMPTE ST 2084, written out."""
    y = (nits / 10000) ** (2610 / 16384)
    return ((3424 / 4096 + 2413 / 128 * y) / (1 + 2392 / 128 * y)) ** (2523 / 32)


@pytest.mark.parametrize(
    ("nits", "expected"),
    [
        (0.0, 0.0),
        (203.0, 0.761825),  # ((1 + (203 / 1000)^2) / 2)^(1 / 2.4)
        (100.0, 0.635383),  # x = 100/203: (x (1 + x 0.203^2) / (1 + x))^(1 / 2.4)
        (1000.0, 1.0),
        (4000.0, 1.0),
    ],
)
@pytest.mark.parametrize(("dtype", "top"), [(np.uint8, 255), (np.uint16, 65535)])
def test_the_tone_map_gives_values_computed_by_hand(
    nits: float, expected: float, dtype: Any, top: int
) -> None:
    made = np.full((70, 3, 3), np.rint(code_of(nits) * top), dtype)
    tone_map(made, "smpte2084", "bt2020")
    assert np.abs(made / top - expected).max() <= (0.02 if top == 255 else 0.0005)


@pytest.mark.parametrize("curve", ["hable", "mobius"])
def test_curves_are_those_of_the_filter_of_ffmpeg(curve: str) -> None:
    """Gray from 1 to 1000 cd/m2: FFmpeg maps the light, the display's inverse is applied here."""
    codes = np.rint(np.array([code_of(nits) for nits in np.linspace(1, 1000, 64)]) * 65535).astype(
        np.uint16
    )
    made = np.repeat(codes[None, :, None], 3, 2)
    light = np.float32([nits_of(code / 65535) / 203 for code in codes])
    given = av.VideoFrame.from_ndarray(
        np.ascontiguousarray(np.repeat(light[None, :, None], 3, 2)), "gbrpf32le"
    )
    graph = av.filter.Graph()
    source = graph.add_buffer(width=64, height=1, format=given.format, time_base=Fraction(1, 25))
    mapped = graph.add("tonemap", f"tonemap={curve}:desat=0:peak={1000 / 203}")
    graph.link_nodes(source, mapped, graph.add("buffersink")).configure()
    graph.push(given)
    expected = np.clip(graph.pull().to_ndarray()[0, :, 0], 0, 1) ** (1 / 2.4)
    tone_map(made, "smpte2084", "bt709", curve)
    assert np.abs(made[0, :, 0] / 65535 - expected).max() <= 0.0005


def nits_of(code: float) -> float:
    """SMPTE ST 2084: the light of a code value in 0..1."""
    root = code ** (1 / (2523 / 32))
    return 10000 * (max(root - 3424 / 4096, 0) / (2413 / 128 - 2392 / 128 * root)) ** (
        1 / (2610 / 16384)
    )


def test_hlg_is_mapped_through_its_own_curve() -> None:
    """Code value 1/2 is scene light 1/12; the display of 1000 cd/m2 shows 1000 (1/12)^1.2 = 50.7
    cd/m2."""
    made = np.full((2, 2, 3), 32768, np.uint16)
    tone_map(made, "arib-std-b67", "bt2020")
    x = 1000 * (1 / 12) ** 1.2 / 203
    assert np.abs(made / 65535 - (x * (1 + x * 0.203**2) / (1 + x)) ** (1 / 2.4)).max() <= 0.0005


def test_wide_primaries_become_narrow_ones_and_narrow_ones_stay() -> None:
    red = np.zeros((1, 1, 3), np.uint16)
    red[..., 0] = round(code_of(100) * 65535)
    wide, narrow = red.copy(), red.copy()
    tone_map(wide, "smpte2084", "bt2020")
    tone_map(narrow, "smpte2084", "bt709")
    assert wide[0, 0, 1] == wide[0, 0, 2] == 0
    assert wide[0, 0, 0] / narrow[0, 0, 0] == pytest.approx(
        1.1440, abs=0.002
    )  # x = 0.818 against x = 0.493
    assert narrow[0, 0, 0] / 65535 == pytest.approx(0.635383, abs=0.0005)


def test_real_hdr_is_refused_and_wide_gamut_sdr_is_not(shared_data: Path) -> None:
    folder = shared_data / "videos/meta-pytorch+torchcodec"
    for name in (
        "bt2020_10bit.mp4",
        "nasa_13013_hdr.mp4",
        "testsrc2_12bit_hdr.mp4",
        "testsrc2_hdr.mp4",
    ):
        with pytest.raises(SourceError, match="add --tonemap"):
            open_source(folder / name)


def test_wide_gamut_without_an_hdr_curve_is_read_by_its_matrix(tmp_path: Path) -> None:
    flat = [np.full((16, 16), value, np.uint16) for value in (500, 400, 700)]
    path = write_video(
        tmp_path / "a.mkv",
        [from_planes(flat, "yuv444p10le")],
        pix_fmt="yuv444p10le",
        matrix=9,
        transfer=14,
    )
    with open_source(path) as source:
        assert (source.info.color["matrix"], source.info.color["transfer"]) == (
            "bt2020nc",
            "bt2020-10",
        )
        expected = to_rgb(
            *(np.float64(v) for v in (500, 400, 700)),
            bits=10,
            matrix="bt2020nc",
            full=False,
            top=65535,
        )
        assert np.abs(pixels(source)[0] - expected).max() <= 65


@pytest.mark.parametrize(
    ("codec", "pix_fmt", "suffix", "bits"),
    [
        ("ffv1", "bgra", "mkv", 8),
        ("ffv1", "yuva444p10le", "mkv", 10),
        ("ffv1", "gbrap12le", "mkv", 12),
        ("png", "rgba", "mov", 8),
        ("png", "rgba64be", "mov", 16),
        ("qtrle", "argb", "mov", 8),
    ],
)
def test_transparent_video_is_laid_on_black(
    tmp_path: Path, codec: str, pix_fmt: str, suffix: str, bits: int
) -> None:
    """A gray of 3/4 under an alpha that goes from 0 to 1 across the picture: the result is 3/4 of
    the alpha."""
    ramp = np.broadcast_to(np.linspace(0, 65535, 32), (16, 32))
    rgba = np.stack([np.full((16, 32), 0.75 * 65535)] * 3 + [ramp], -1).astype(np.uint16)
    frame = av.VideoFrame.from_ndarray(rgba, "rgba64le").reformat(format=pix_fmt, dst_color_range=1)
    path = write_video(
        tmp_path / f"a.{suffix}", [frame], codec=codec, pix_fmt=pix_fmt, color_range=None
    )
    with open_source(path) as source:
        assert Note(Code.ALPHA_ON_BLACK) in source.info.notes
        got = pixels(source)[0]
    top = 255 if source.info.bit_depth == 8 else 65535
    assert np.abs(got / top - 0.75 * ramp[..., None] / 65535).max() <= 2.1 / 255


def test_a_matrix_that_cannot_be_converted_is_refused(tmp_path: Path) -> None:
    frame = from_planes([np.full((16, 16), 99, np.uint8)] * 3, "yuv444p")
    path = write_video(tmp_path / "a.mkv", [frame], pix_fmt="yuv444p", matrix=8)
    with pytest.raises(SourceError, match="colour matrix 'ycgco', which cannot be converted"):
        open_source(path)


@pytest.mark.parametrize(("pix_fmt", "bits"), [("yuva444p", 8), ("yuva444p10le", 10)])
def test_the_alpha_of_planes_weighs_exactly(tmp_path: Path, pix_fmt: str, bits: int) -> None:
    dtype, top = (np.uint8, 255) if bits == 8 else (np.uint16, 1023)
    ramp = np.linspace(0, top, 32).astype(dtype)
    alpha = np.repeat(ramp[None], 16, 0)
    planes = [np.full((16, 32), value << (bits - 8), dtype) for value in (181, 128, 128)]
    path = write_video(
        tmp_path / "a.mkv", [from_planes([*planes, alpha], pix_fmt)], pix_fmt=pix_fmt
    )
    got = pixels(open_source(path))[0]
    white = 255 if bits == 8 else 65535
    assert np.abs(got - (181 - 16) / 219 * white * alpha[..., None] / top).max() <= (
        1 if bits == 8 else 70
    )


# --- FFmpeg's own conversion
# ------------------------------------------------------------------------------------------

MATRIX_NAMES = {"bt709": "bt709", "bt601": "bt601", "bt2020nc": "bt2020"}


def ffmpeg_rgb(
    path: Path, matrix: str, color_range: str, chroma: str
) -> tuple[list[Fraction], list[np.ndarray[Any, Any]]]:
    """Times and (H, W, 3) pictures of FFmpeg's scale filter under a stated matrix and range, 16
    bits for deep clips."""
    times, shown = [], []
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        graph: Any = None
        for frame in container.decode(stream):
            deep = frame.format.components[0].bits > 8
            if graph is None:
                graph = av.filter.Graph()
                source = graph.add_buffer(template=stream)
                scale = graph.add(
                    "scale",
                    f"in_color_matrix={MATRIX_NAMES[matrix]}:in_range={color_range}:out_range=full:"
                    f"in_chroma_loc={chroma}:flags=bilinear+accurate_rnd+full_chroma_int",
                )
                pixel_format = graph.add("format", "gbrp16le" if deep else "gbrp")
                sink = graph.add("buffersink")
                source.link_to(scale)
                scale.link_to(pixel_format)
                pixel_format.link_to(sink)
                graph.configure()
            graph.push(frame)
            converted = graph.pull()
            times.append(frame.pts * frame.time_base)
            dtype = np.uint16 if deep else np.uint8
            planes = []
            for plane in converted.planes:
                samples = np.frombuffer(memoryview(plane), dtype).reshape(plane.height, -1)
                planes.append(samples[:, : frame.width])
            white = 65535 if deep else 255
            shown.append(np.stack([planes[2], planes[0], planes[1]], -1) / white)
    return times, shown


def check_like_ffmpeg(path: Path, turns: int = 0, chroma: str = "center") -> None:
    """Counts and times exactly, and pixels within 2/255, of FFmpeg's conversion under what the
    source says it used.

    Chroma lies where the codec puts it: FFmpeg's filter has to be told, its frames say it
    themselves.
    """
    with open_source(path) as source:
        color = source.info.color
        times, shown = ffmpeg_rgb(path, color["matrix"], color["range"], chroma)
        seen = 0
        for frames in source:
            white = 255 if frames.bit_depth == 8 else 65535
            for i in range(len(frames)):
                got = frames.interleaved[i] / white
                expected = np.rot90(shown[seen], turns)
                assert got.shape == expected.shape
                assert np.abs(got - expected).max() <= 2 / 255, seen
                assert int(frames.pts[i]) * frames.time_base == times[seen]
                seen += 1
        assert seen == len(times) == source.counts.decoded


@pytest.mark.parametrize(
    "pix_fmt", ["yuv420p", "yuv422p", "yuv444p", "yuv420p10le", "yuv422p10le", "yuv444p12le"]
)
@pytest.mark.parametrize("color_range", [LIMITED, FULL])
@pytest.mark.parametrize("code", [BT709, BT601, BT2020])
def test_made_clips_are_converted_as_ffmpeg_does(
    tmp_path: Path, pix_fmt: str, color_range: int, code: int
) -> None:
    bits = 8 if pix_fmt.endswith("p") else int(pix_fmt[-4:-2])
    frames = [from_planes(smooth_planes(pix_fmt, 61, 83, bits), pix_fmt) for _ in range(4)]
    pts = [500, 540, 601, 999]  # a delayed start and a variable rate, in an odd size
    path = write_video(
        tmp_path / "a.mkv",
        frames,
        pix_fmt=pix_fmt,
        pts=pts,
        time_base=Fraction(1, 1000),
        matrix=code,
        color_range=color_range,
    )
    check_like_ffmpeg(path)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "turns", "chroma"),
    [
        ("bt601_limited_range.mp4", 0, "left"),
        ("bt709_full_range.mp4", 0, "left"),
        ("test_non_zero_start.mp4", 0, "left"),
        ("nasa_13013_rotated.mp4", 1, "left"),
        ("h264_10bits.mp4", 0, "left"),
        ("h265_10bits.mp4", 0, "left"),
        ("testsrc2_444_12bit_hevc.mp4", 0, "center"),
        ("testsrc2_odd_height_and_width_444_10bit.mp4", 0, "center"),
        ("testsrc2_odd_height_and_width_mpeg2.mp4", 0, "left"),
        ("testsrc2_odd_height_and_width_vp9.mp4", 0, "center"),
        ("testsrc2_odd_height_and_width_vp9_10bit.mp4", 0, "center"),
        ("testsrc2_av1_10bit.mp4", 0, "center"),
        ("discard_first_keyframe.mp4", 0, "left"),
    ],
)
def test_real_clips_are_converted_as_ffmpeg_does(
    shared_data: Path, name: str, turns: int, chroma: str
) -> None:
    check_like_ffmpeg(shared_data / "videos/meta-pytorch+torchcodec" / name, turns, chroma)


def test_the_same_clip_scores_the_same_at_8_10_and_12_bits(tmp_path: Path) -> None:
    """Within quantisation: half a code value of 8 bits on either side of an error of several."""
    rng = np.random.default_rng(4)
    y, x = np.mgrid[:96, :128]
    truth = np.stack([100 + 60 * np.sin((x + 2 * t) / 9) + 40 * np.cos(y / 7) for t in range(4)])
    noisy = truth + rng.normal(0, 5, truth.shape)
    scores = {}
    for bits in (8, 10, 12):
        paths = []
        for name, luma in (("truth", truth), ("test", noisy)):
            dtype, scale = (np.uint8 if bits == 8 else np.uint16), (2**bits - 1) / 255
            pix_fmt = "yuv444p" if bits == 8 else f"yuv444p{bits}le"
            neutral = np.full((96, 128), 128 << (bits - 8), dtype)
            frames = [
                from_planes(
                    [np.rint(np.clip(plane, 0, 255) * scale).astype(dtype), neutral, neutral],
                    pix_fmt,
                )
                for plane in luma
            ]
            path = tmp_path / f"{name}{bits}.mkv"
            paths.append(
                str(write_video(path, frames, pix_fmt=pix_fmt, matrix=BT709, color_range=FULL))
            )
        with vs.score(
            paths[1], ref=paths[0], metrics="psnr,ssim", maps="none", fields="none"
        ) as run:
            scores[bits] = {name: float(np.mean(values)) for name, values in run.scores.items()}
    assert scores[8]["psnr"] == pytest.approx(34.1, abs=0.2)  # 20 log10(255 / 5)
    for bits in (10, 12):
        assert scores[bits]["psnr"] == pytest.approx(scores[8]["psnr"], abs=0.05)
        assert scores[bits]["ssim"] == pytest.approx(scores[8]["ssim"], abs=0.002)
    assert scores[10]["psnr"] == pytest.approx(scores[12]["psnr"], abs=0.005)
    assert scores[10]["ssim"] == pytest.approx(scores[12]["ssim"], abs=0.0002)

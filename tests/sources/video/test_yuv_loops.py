from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import av.filter
import numpy as np
import pytest
from helpers.media import from_planes, noise, write_video

from vfiscope import open_source
from vfiscope.pixels import Beside, luma_bytes
from vfiscope.sources.video.color import Color, RgbConverter
from vfiscope.sources.video.yuv_loops import MATRICES, YuvLoops

Array = np.ndarray[Any, Any]
BT709 = Color("bt709", "limited", "unknown", "unknown", "tag")


def noisy(pix_fmt: str, height: int, width: int) -> av.VideoFrame:
    """A frame whose samples, and the padding of its lines, take every value."""
    frame = av.VideoFrame(width, height, pix_fmt)
    random = np.random.default_rng(height * width)
    for plane in frame.planes:
        plane.update(random.bytes(plane.buffer_size))
    frame.pts, frame.time_base = 0, Fraction(1, 25)
    return frame


def with_properties(frame: av.VideoFrame, properties: str) -> av.VideoFrame:
    """The frame as FFmpeg's filter setparams marks it."""
    graph = av.filter.Graph()
    size = {"width": frame.width, "height": frame.height}
    nodes = (
        graph.add_buffer(format=frame.format, time_base=frame.time_base, **size),
        graph.add("setparams", properties),
        graph.add("buffersink"),
    )
    graph.link_nodes(*nodes).configure()
    graph.push(frame)
    marked = graph.pull()
    assert isinstance(marked, av.VideoFrame)
    return marked


def by_loops(frame: av.VideoFrame, color: Color) -> Array | None:
    """The frame as the loops alone convert it, with and without what belongs beside it; None where
    they leave it to swscale."""
    out = np.full((2, frame.height, frame.width, 3), 7, np.uint8)
    beside = Beside(np.empty_like(out[0, ..., 0]), np.empty(3, np.int64))
    if RgbConverter("a")._by_loops(frame, color, out[0]):
        assert RgbConverter("a")._by_loops(frame, color, out[1], beside)
        np.testing.assert_array_equal(*out)
        np.testing.assert_array_equal(beside.luma, luma_bytes(out[0]))
        np.testing.assert_array_equal(beside.sums, out[0].sum(axis=(0, 1)))
        return out[0]
    assert (out == 7).all()
    return None


def by_swscale(frame: av.VideoFrame, color: Color) -> Array:
    out = np.empty((frame.height, frame.width, 3), np.uint8)
    RgbConverter("a").by_swscale(frame, color, out)
    return out


@pytest.mark.parametrize("site", ["left", "center", "unspecified"])
@pytest.mark.parametrize(
    ("pix_fmt", "sizes"),
    [
        ("yuv420p", [(18, 18), (20, 66), (130, 34), (32, 2050)]),
        ("yuvj420p", [(64, 130)]),
        ("yuv422p", [(17, 18), (33, 130)]),
        ("yuvj422p", [(64, 98)]),
        ("yuv444p", [(17, 17), (31, 131)]),
        ("yuvj444p", [(64, 66)]),
    ],
)
def test_every_sample_is_that_of_swscale(
    pix_fmt: str, sizes: list[tuple[int, int]], site: str
) -> None:
    for size in sizes:
        frame = with_properties(noisy(pix_fmt, *size), f"chroma_location={site}")
        for matrix in MATRICES:
            for code_range in ("full",) if "j" in pix_fmt else ("limited", "full"):
                color = Color(matrix, code_range, "unknown", "unknown", "tag")
                made = by_loops(frame, color)
                assert made is not None
                np.testing.assert_array_equal(made, by_swscale(frame, color))


def test_colours_that_do_not_exist_overflow_as_in_swscale() -> None:
    ends = [np.repeat(np.arange(256, dtype=np.uint8)[:, None], 18, axis=1)]
    ends += [np.full((256, 18), value, np.uint8) for value in (255, 128)]
    frame = from_planes(ends, "yuv444p")
    made = by_loops(frame, BT709)
    assert made is not None
    np.testing.assert_array_equal(made, by_swscale(frame, BT709))
    assert made[200, 0, 2] == 255
    assert made[255, 0, 2] == 0


@pytest.mark.parametrize(
    ("pix_fmt", "size", "properties"),
    [
        ("yuv420p", (33, 34), "chroma_location=left"),
        ("yuv420p", (34, 33), "chroma_location=left"),
        ("yuv422p", (34, 33), "chroma_location=left"),
        ("yuv420p", (34, 34), "chroma_location=topleft"),
        ("yuv420p", (34, 34), "field_mode=tff"),
        ("yuv420p", (16, 34), "chroma_location=left"),
        ("yuv444p", (34, 16), "chroma_location=left"),
        ("yuva444p", (34, 34), "chroma_location=left"),
        ("nv12", (34, 34), "chroma_location=left"),
        ("gray", (34, 34), "chroma_location=left"),
    ],
)
def test_what_is_not_proved_is_left_to_swscale(
    pix_fmt: str, size: tuple[int, int], properties: str
) -> None:
    frame = with_properties(noisy(pix_fmt, *size), properties)
    assert by_loops(frame, BT709) is None


def test_a_swscale_that_rounds_otherwise_is_not_imitated() -> None:
    frame, converter = noisy("yuv420p", 34, 34), RgbConverter("a")
    loops, out = YuvLoops(), np.empty((34, 34, 3), np.uint8)

    def planes(specimen: av.VideoFrame, change: int) -> av.VideoFrame:
        made = converter._reformat(specimen, "gbrp", BT709)
        lines = np.frombuffer(memoryview(made.planes[0]), np.uint8)
        lines[0] ^= change
        return made

    for change, agrees in ((0, True), (1, False)):
        loops.ask_again()
        found = loops.convert(
            frame, "bt709", full=False, swscale=lambda f, c=change: planes(f, c), out=out
        )
        assert found is agrees


def test_a_stream_may_change_its_site_at_a_keyframe_and_its_size() -> None:
    converter = RgbConverter("a")
    for site, size in (("left", (34, 34)), ("center", (34, 34)), ("topleft", (66, 34))) * 2:
        for is_key in (True, False):
            frame = with_properties(noisy("yuv420p", *size), f"chroma_location={site}")
            frame.key_frame = is_key
            out = np.empty((*size, 3), np.uint8)
            converter.reach(frame)
            converter(frame, BT709, out)
            np.testing.assert_array_equal(out, by_swscale(frame, BT709))


def test_swscale_is_asked_behind_keyframes_and_when_properties_change(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The second keyframe is reached and not converted, as with --step; the last frame lies behind
    one that could not be decoded."""
    asked: list[int] = []
    ask = YuvLoops._ask
    monkeypatch.setattr(YuvLoops, "_ask", lambda *a: asked.append(number) or ask(*a))
    converter = RgbConverter("a")
    told = ("", "", "", "", "color_primaries=bt2020", "color_primaries=bt2020", "", "")
    for number, properties in enumerate(told):
        frame = with_properties(noisy("yuv420p", 34, 34), f"chroma_location=left:{properties}")
        frame.key_frame = number in (0, 2)
        converter.reach(None if number == 7 else frame)
        if number == 2:
            continue
        out = np.empty((34, 34, 3), np.uint8)
        converter(frame, BT709, out)
        np.testing.assert_array_equal(out, by_swscale(frame, BT709))
    assert asked == [0, 3, 4, 6, 7]


def test_a_stream_whose_site_changes_is_the_same_however_it_is_read(tmp_path: Path) -> None:
    """Two recordings joined byte by byte, with keyframes at frames 0 and 10."""
    pieces = []
    for site in (0, 1):
        options = {"x264-params": f"chromaloc={site}:keyint=10:scenecut=0:bframes=0:log-level=none"}
        more: dict[str, Any] = {"codec": "libx264", "pix_fmt": "yuv420p", "options": options}
        pieces.append(write_video(tmp_path / f"{site}.h264", noise(10, 64, 64), **more))
    joined = tmp_path / "joined.h264"
    joined.write_bytes(b"".join(piece.read_bytes() for piece in pieces))
    with open_source(joined) as source:
        whole = np.concatenate([frames.interleaved for frames in source])
        assert len(whole) == 20
        assert (source.frames_at([5, 15]).interleaved == whole[[5, 15]]).all()
    for chosen in ({"step": 3}, {"start": 5, "step": 6}):
        with open_source(joined, **chosen) as source:
            for frames in source:
                assert (frames.interleaved == whole[frames.index]).all()

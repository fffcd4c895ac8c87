from __future__ import annotations

import zlib

import av
import numpy as np
import pytest
from helpers.media import from_planes

from vfiscope.sources.video.checksum import checksum, has_checksum

FORMATS = ["yuv420p", "gray", "rgb24", "yuv444p10le", "pal8", "nv12"]


def made(pix_fmt: str, seed: int = 0, width: int = 37) -> av.VideoFrame:
    """A frame of noise; the padding of its lines is noise too."""
    frame = av.VideoFrame(width, 9, pix_fmt)
    for plane in frame.planes:
        plane.update(np.random.default_rng(seed).bytes(plane.buffer_size))
    return frame


def changed(frame: av.VideoFrame, number: int, at: int) -> int:
    """The checksum with another value at a byte of a plane, which is then restored."""
    samples = np.frombuffer(memoryview(frame.planes[number]), np.uint8)
    samples[at] ^= 1
    found = checksum(frame)
    samples[at] ^= 1
    return found


@pytest.mark.parametrize("pix_fmt", FORMATS)
@pytest.mark.parametrize("width", [37, 64])
def test_every_sample_counts_and_no_padding_does(pix_fmt: str, width: int) -> None:
    frame = made(pix_fmt, width=width)
    whole = checksum(frame)
    assert 2**62 <= whole < 2**63
    assert checksum(made(pix_fmt, width=width)) == whole
    bytes_a_sample = 2 if "10le" in pix_fmt else 3 if pix_fmt == "rgb24" else 1
    line = frame.planes[0].line_size
    ends = [0, width * bytes_a_sample - 1, 8 * line, 8 * line + width * bytes_a_sample - 1]
    found = {changed(frame, 0, at) for at in ends}
    assert len(found | {whole}) == 5
    if line > width * bytes_a_sample:
        assert changed(frame, 0, width * bytes_a_sample) == whole
    for number in range(1, len(frame.planes)):
        assert changed(frame, number, 1) != whole
    assert checksum(frame) == whole


def test_samples_in_another_order_are_another_frame() -> None:
    rows = np.arange(12 * 16, dtype=np.uint8).reshape(12, 16)
    shuffled = (rows, rows[::-1], rows[:, ::-1], np.roll(rows, 4, axis=1), np.roll(rows, 1, axis=0))
    frames = [from_planes([np.ascontiguousarray(each)], "gray") for each in shuffled]
    assert len({checksum(frame) for frame in frames}) == len(frames)


def test_small_changes_of_two_samples_do_not_cancel_out() -> None:
    level = np.full((2, 64), 100, np.uint8)
    found = {checksum(from_planes([level], "gray"))}
    for at, (one, other) in ((4, (3, -1)), (8, (5, -1)), (8, (-10, 2))):
        changed_level = level.copy()
        changed_level[0, [0, at]] += np.array((one, other)).astype(np.uint8)
        found.add(checksum(from_planes([changed_level], "gray")))
    assert len(found) == 4


def test_what_affects_the_conversion_counts() -> None:
    frame = made("yuv420p")
    found = {checksum(frame)}
    frame.color_range = 2
    found.add(checksum(frame))
    frame.colorspace = 9
    found.add(checksum(frame))
    assert len(found) == 3


@pytest.mark.parametrize("pix_fmt", FORMATS)
def test_a_frame_is_recognised_by_its_checksum(pix_fmt: str) -> None:
    frame, other = made(pix_fmt), made(pix_fmt, seed=1)
    assert has_checksum(frame, checksum(frame))
    assert not has_checksum(frame, checksum(other))


def test_a_frame_is_recognised_by_the_crc_of_older_versions() -> None:
    frame = made("gray")
    head = ("gray", (37, 9), [0, 2, 2, 2], False)
    lines = np.frombuffer(memoryview(frame.planes[0]), np.uint8).reshape(9, -1)[:, :37]
    crc = zlib.crc32(lines.tobytes(), zlib.crc32(repr(head).encode()))
    assert has_checksum(frame, crc)
    assert not has_checksum(frame, crc ^ 1)
    assert not has_checksum(made("gray", seed=1), crc)

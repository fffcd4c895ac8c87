"""Images that hold more, or other, than their headers claim: refused at once and in silence, or
read as if what does not count were not there."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers.media import noise
from numpy.typing import NDArray
from PIL import Image

from vfiscope import pixels as colors
from vfiscope.errors import SourceError
from vfiscope.sources import open_source
from vfiscope.sources.images import jpeg_checks
from vfiscope.sources.images.image_source import decode_image, read_image
from vfiscope.types import Code

RGB = noise(1, 11, 13, seed=1)[0]
ZEROS = 2**24


def chunk(name: bytes, body: bytes) -> bytes:
    return len(body).to_bytes(4, "big") + name + body + zlib.crc32(name + body).to_bytes(4, "big")


def rows(image: NDArray[Any]) -> bytes:
    return b"".join(b"\0" + row.tobytes() for row in image)


def header(image: NDArray[Any], color: int, interlace: int = 0) -> bytes:
    height, width = image.shape[:2]
    return chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, color, 0, 0, interlace))


def png(
    image: NDArray[Any] = RGB,
    color: int = 2,
    *,
    before: tuple[bytes, ...] = (),
    idat: bytes | None = None,
    after: tuple[bytes, ...] = (),
    head: bytes | None = None,
) -> bytes:
    body = zlib.compress(rows(image)) if idat is None else idat
    parts = [header(image, color) if head is None else head, *before, chunk(b"IDAT", body), *after]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts) + chunk(b"IEND", b"")


def bomb(size: int) -> bytes:
    """A deflate stream of the pixels and ``size`` zeros after them: 16 kB for each 16 MB."""
    deflate = zlib.compressobj(9)
    start = deflate.compress(rows(RGB)) + deflate.flush(zlib.Z_FULL_FLUSH)
    block = deflate.compress(bytes(ZEROS)) + deflate.flush(zlib.Z_FULL_FLUSH)
    return start + block * (size // ZEROS) + deflate.flush()


def decoded(path: Path) -> NDArray[Any]:
    found, data = read_image(str(path))
    return decode_image(found, data, str(path))


PIXELS = "it holds more than the pixels that its header claims"
ANIMATED = chunk(b"acTL", struct.pack(">II", 2, 0))
GRAY, RGBA = RGB[..., 0], np.dstack([RGB, RGB[..., 0]])


def frame_control(number: int) -> bytes:
    body = struct.pack(">IIIIIHHBB", number, 13, 11, 0, 0, 1, 10, 0, 0)
    return chunk(b"fcTL", body)


REFUSED = {
    "3 GB of surplus in 3 MB": (png(idat=bomb(3 * 2**30)), PIXELS),
    "one byte of surplus": (png(idat=zlib.compress(rows(RGB) + b"\0")), PIXELS),
    "surplus after the stream": (png(idat=zlib.compress(rows(RGB)) + b"more"), PIXELS),
    "surplus in a second chunk": (png(after=(chunk(b"IDAT", b"more"),)), PIXELS),
    "a row is missing": (png(idat=zlib.compress(rows(RGB[1:]))), "it holds less than the pixels"),
    "no checksum": (png(idat=zlib.compress(rows(RGB))[:-4]), "it holds less than the pixels"),
    "no deflate": (png(idat=b"hello"), "its pixels cannot be inflated"),
    "unknown filter": (png(idat=zlib.compress(b"\7" + rows(RGB)[1:])), "filtered in an unknown"),
    "no palette": (png(GRAY, 3), "it has no valid palette"),
    "palette of 4 bytes": (png(GRAY, 3, before=(chunk(b"PLTE", b"abcd"),)), "no valid palette"),
    "unknown chunk": (png(before=(chunk(b"ABCD", b"x"),)), "it holds 'ABCD'"),
    "two headers": (png(before=(header(RGB, 2),)), "it does not begin with its header"),
    "interlaced in a third way": (png(head=header(RGB, 2, 7)), "its header is not valid"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_a_png_that_does_not_hold_what_it_claims_is_refused_in_silence(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], kind: str
) -> None:
    data, words = REFUSED[kind]
    assert len(data) < 4_000_000
    (tmp_path / "a.png").write_bytes(data)
    with pytest.raises(SourceError, match=rf"a\.png cannot be decoded: it is damaged, .*{words}"):
        decoded(tmp_path / "a.png")
    assert capfd.readouterr() == ("", "")


SAME = {
    "transparency twice": (png(before=(chunk(b"tRNS", b"\0\1" * 3),) * 2), RGB),
    "transparency beside alpha": (png(RGBA, 6, before=(chunk(b"tRNS", b"\0\1" * 3),)), None),
    "palette in a gray image": (png(GRAY, 0, before=(chunk(b"PLTE", b"abc"),)), GRAY),
    "palette of 4 bytes": (png(before=(chunk(b"PLTE", b"abcd"),)), RGB),
    "no orientation": (png(before=(chunk(b"eXIf", b"hello"),)), RGB),
    "animation of 1 GB in its second frame": (
        png(
            before=(ANIMATED, frame_control(0)),
            after=(frame_control(1), chunk(b"fdAT", b"\0\0\0\2" + bomb(2**30))),
        ),
        RGB,
    ),
}


@pytest.mark.parametrize("kind", SAME)
def test_what_does_not_count_in_a_png_changes_nothing_and_says_nothing(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], kind: str
) -> None:
    data, image = SAME[kind]
    (tmp_path / "a.png").write_bytes(data)
    found = decoded(tmp_path / "a.png")
    if image is None:
        image = np.rint(RGB * (RGBA[..., 3:] / 255)).astype(np.uint8)
    np.testing.assert_array_equal(found, image if image.ndim == 3 else np.dstack([image] * 3))
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("name", [b"zTXt", b"iCCP", b"iTXt"])
def test_texts_and_profiles_that_inflate_without_end_are_refused(
    tmp_path: Path, name: bytes
) -> None:
    head = b"a\0\1\0\0\0" if name == b"iTXt" else b"a\0\0"
    (tmp_path / "a.png").write_bytes(png(before=(chunk(name, head + bomb(2**30)),)))
    with pytest.raises(SourceError, match=r"a\.png has a damaged header: Decompressed data too"):
        open_source(tmp_path / "a.png")


@pytest.mark.parametrize("size", [(1, 1), (3, 2), (11, 13)])
def test_an_interlaced_png_holds_what_it_claims(tmp_path: Path, size: tuple[int, int]) -> None:
    image = RGB[: size[0], : size[1]]
    steps = ((0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2))
    passes = [image[y::down, x::across] for y, x, down, across in (*steps, (1, 0, 2, 1))]
    body = b"".join(rows(part) for part in passes if part.size)
    path = tmp_path / "a.png"
    path.write_bytes(png(head=header(image, 2, 1), idat=zlib.compress(body)))
    np.testing.assert_array_equal(decoded(path), image)
    np.testing.assert_array_equal(np.asarray(Image.open(path)), image)
    path.write_bytes(png(head=header(image, 2, 1), idat=zlib.compress(body + b"\0")))
    with pytest.raises(SourceError, match=PIXELS):
        decoded(path)


def test_large_images_are_read_as_small_ones_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.png").write_bytes(png(RGBA, 6))
    expected = decoded(tmp_path / "a.png")
    monkeypatch.setattr("vfiscope.sources.images.png_checks.MAX_STORED_BYTES", 99)
    monkeypatch.setattr(colors, "FLOATS_AT_ONCE", 40)  # bands of three rows
    np.testing.assert_array_equal(decoded(tmp_path / "a.png"), expected)
    np.testing.assert_array_equal(expected, np.rint(RGB * (RGBA[..., 3:] / 255)))


def test_a_jpeg_of_very_many_scans_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    saved = io.BytesIO()
    Image.fromarray(RGB).save(saved, "JPEG", progressive=True)
    data = saved.getvalue()
    last = data[data.rindex(b"\xff\xda") : -2]
    (tmp_path / "a.jpg").write_bytes(data)
    usual = decoded(tmp_path / "a.jpg")
    (tmp_path / "b.jpg").write_bytes(data[:-2] + 50 * last + data[-2:])
    monkeypatch.setattr(jpeg_checks, "MAX_PIXELS", RGB[..., 0].size)
    with pytest.raises(SourceError, match=r"b\.jpg holds 60 scans of 13x11 pixels: save it as a"):
        decoded(tmp_path / "b.jpg")
    assert usual.shape == RGB.shape
    np.testing.assert_array_equal(decoded(tmp_path / "a.jpg"), usual)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("place", ["behind the end", "in a segment", "in a thumbnail"])
def test_what_is_no_scan_of_a_jpeg_is_not_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    """Such as the video of a motion photo, or the preview in its EXIF data."""
    saved = io.BytesIO()
    Image.fromarray(RGB).save(saved, "JPEG", progressive=True)
    data = saved.getvalue()
    (tmp_path / "a.jpg").write_bytes(data)
    scans = 99 * b"\xff\xda\0\2"
    if place != "behind the end":
        body = scans if place == "in a segment" else data[:-2] + scans + data[-2:]
        data = data[:2] + b"\xff\xe5" + (len(body) + 2).to_bytes(2, "big") + body + data[2:]
    else:
        data += scans
    (tmp_path / "b.jpg").write_bytes(data)
    monkeypatch.setattr(jpeg_checks, "MAX_PIXELS", RGB[..., 0].size)
    np.testing.assert_array_equal(decoded(tmp_path / "b.jpg"), decoded(tmp_path / "a.jpg"))


def test_a_jpeg_of_very_many_segments_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Image.fromarray(RGB).save(tmp_path / "a.jpg")
    data = (tmp_path / "a.jpg").read_bytes()
    (tmp_path / "a.jpg").write_bytes(data[:2] + 40 * b"\xff\xe5\0\2" + data[2:])
    assert decoded(tmp_path / "a.jpg").shape == RGB.shape
    monkeypatch.setattr(jpeg_checks, "MAX_SEGMENTS", 40)
    with pytest.raises(SourceError, match=r"a\.jpg holds 40 segments or more: save it anew"):
        decoded(tmp_path / "a.jpg")


@pytest.mark.parametrize("big", [False, True])
def test_a_tiff_of_directories_that_lie_over_each_other_is_refused(
    tmp_path: Path, big: bool
) -> None:
    page, path = Image.fromarray(RGB), tmp_path / "a.tif"
    page.save(path, big_tiff=big)
    data = bytearray(path.read_bytes())
    count, entry, offset = ("<Q", 20, "<Q") if big else ("<H", 12, "<I")
    (at,) = struct.unpack_from(offset, data, 8 if big else 4)
    (entries,) = struct.unpack_from(count, data, at)
    # The next directory begins at the end, and is long; the one after it begins inside of it.
    first, many = len(data), 40_000
    struct.pack_into(offset, data, at + struct.calcsize(count) + entries * entry, first)
    data += 2 * struct.pack(count, many) + bytes(many * entry + 64)
    second = first + struct.calcsize(count)
    struct.pack_into(offset, data, second + many * entry, second)
    path.write_bytes(data)
    with pytest.raises(SourceError, match=r"a\.tif has a damaged header: its directories overlap"):
        open_source(path)


@pytest.mark.parametrize("big", [False, True])
def test_a_directory_that_reaches_beyond_its_file_is_cut_short(tmp_path: Path, big: bool) -> None:
    page, path = Image.fromarray(RGB), tmp_path / "a.tif"
    page.save(path, big_tiff=big)
    data = bytearray(path.read_bytes())
    count, entry, offset = ("<Q", 20, "<Q") if big else ("<H", 12, "<I")
    (at,) = struct.unpack_from(offset, data, 8 if big else 4)
    (entries,) = struct.unpack_from(count, data, at)
    struct.pack_into(offset, data, at + struct.calcsize(count) + entries * entry, len(data))
    data += struct.pack(count, 2**60 if big else 60_000)
    path.write_bytes(data)
    with open_source(path) as source:
        np.testing.assert_array_equal(next(iter(source)).interleaved[0], RGB)
        assert [note.code for note in source.info.damage] == [Code.FILE_CUT_SHORT]


def test_a_file_larger_than_any_image_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(png())
    with path.open("r+b") as file:
        file.truncate(2**40)  # a hole, which takes no room on the disk
    with pytest.raises(SourceError, match=r"a\.png cannot be read: larger than 1073741824 bytes"):
        decoded(path)

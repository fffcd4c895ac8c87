"""Folders of images: kinds of pixels, sequences, damage."""

from __future__ import annotations

import io
import os
import shutil
import struct
import warnings
import zlib
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest
from helpers.images import folder_of, read, save
from helpers.media import noise
from PIL import Image

import vfiscope as vs
from vfiscope.errors import SourceError
from vfiscope.inspection.doctor import diagnose
from vfiscope.sources import digest, open_source
from vfiscope.sources.images import image_header
from vfiscope.types import Code, Note, Status


@pytest.mark.parametrize("suffix", ["png", "bmp", "tif", "tiff", "webp"])
def test_lossless_kinds_come_back_exactly(tmp_path: Path, suffix: str) -> None:
    made = noise(1, 33, 47)
    save(tmp_path / f"a.{suffix}", made[0], **({"lossless": True} if suffix == "webp" else {}))
    with open_source(tmp_path / f"a.{suffix}") as source:
        assert (source.info.kind, source.info.height, source.info.width, source.info.bit_depth) == (
            "images",
            33,
            47,
            8,
        )
    np.testing.assert_array_equal(read(tmp_path / f"a.{suffix}"), made)


@pytest.mark.parametrize("suffix", ["png", "tif"])
@pytest.mark.parametrize("channels", [1, 3])
def test_sixteen_bits_are_kept(tmp_path: Path, suffix: str, channels: int) -> None:
    made = noise(1, 9, 11, dtype=np.uint16)[0]
    if channels == 1:
        made = np.repeat(made[..., :1], 3, 2)
    path = save(tmp_path / f"a.{suffix}", made if channels == 3 else made[..., 0])
    assert open_source(path).info.bit_depth == 16
    np.testing.assert_array_equal(read(path)[0], made)


def test_gray_one_bit_and_palette_become_rgb(tmp_path: Path) -> None:
    rgb = noise(1, 9, 11)[0]
    gray = rgb[..., 0]
    save(tmp_path / "gray.png", gray)
    np.testing.assert_array_equal(read(tmp_path / "gray.png")[0], np.repeat(gray[..., None], 3, 2))
    Image.fromarray(gray > 127).save(tmp_path / "bit.png")
    np.testing.assert_array_equal(read(tmp_path / "bit.png")[0, ..., 1], (gray > 127) * 255)
    palette = Image.fromarray(rgb).quantize(7)
    palette.save(tmp_path / "palette.png")
    np.testing.assert_array_equal(
        read(tmp_path / "palette.png")[0], np.asarray(palette.convert("RGB"))
    )


@pytest.mark.parametrize("suffix", ["png", "webp", "tif"])
def test_transparency_is_laid_on_black_and_noted(tmp_path: Path, suffix: str) -> None:
    rgb, alpha = noise(2, 9, 11)
    options = {"lossless": True, "exact": True} if suffix == "webp" else {}
    path = save(tmp_path / f"a.{suffix}", np.dstack([rgb, alpha[..., 0]]), **options)
    expected = rgb.astype(float) * alpha[..., :1] / 255
    with open_source(path) as source:
        got = next(iter(source)).interleaved[0]
        assert source.info.notes == (Note(Code.IMAGE_TRANSPARENT, {"file": f"a.{suffix}"}),)
    assert np.abs(got - expected).max() <= (1 if suffix == "tif" else 0.5)


def test_an_opaque_alpha_channel_is_not_noted(tmp_path: Path) -> None:
    path = save(
        tmp_path / "a.png", np.dstack([noise(1, 9, 11)[0], np.full((9, 11), 255, np.uint8)])
    )
    with open_source(path) as source:
        list(source)
        assert source.info.notes == ()


def test_transparent_images_are_told_once_in_scores_and_by_the_doctor(tmp_path: Path) -> None:
    images = np.concatenate([noise(3, 48, 64), np.full((3, 48, 64, 1), 90, np.uint8)], -1)
    for number, image in enumerate(images):
        save(tmp_path / f"{number}.png", image)
    run = vs.scan(tmp_path, metrics="psnr", maps="none", fields="none")
    told = [str(note) for note in run.coded_warnings]
    assert told == [f"test {tmp_path}: 0.png is transparent: it is composited over black"]
    found = [each for each in diagnose(str(tmp_path)).findings if each.what == "alpha"]
    assert [each.note.code for each in found] == [Code.IMAGE_TRANSPARENT]


def test_deep_transparency_is_laid_on_black(tmp_path: Path) -> None:
    rgb, alpha = noise(2, 9, 11, dtype=np.uint16)
    path = save(tmp_path / "a.png", np.dstack([rgb, alpha[..., 0]]))
    assert np.abs(read(path)[0] - rgb.astype(float) * alpha[..., :1] / 65535).max() <= 0.5


def test_a_transparent_palette_colour_is_black(tmp_path: Path) -> None:
    palette = Image.fromarray(noise(1, 9, 11)[0]).quantize(7)
    palette.save(tmp_path / "a.png", transparency=3)
    expected = np.asarray(palette.convert("RGB")) * (np.asarray(palette) != 3)[..., None]
    np.testing.assert_array_equal(read(tmp_path / "a.png")[0], expected)


@pytest.mark.parametrize("suffix", ["jpg", "png", "tif"])
@pytest.mark.parametrize("tag", range(1, 9))
def test_exif_orientation_is_applied(tmp_path: Path, suffix: str, tag: int) -> None:
    stored = np.zeros((16, 32, 3), np.uint8)
    stored[:8, :8], stored[8:, :8], stored[:8, 24:] = (250, 10, 10), (10, 250, 10), (10, 10, 250)
    exif = Image.Exif()
    exif[0x0112] = tag
    path = save(
        tmp_path / f"a.{suffix}",
        stored,
        exif=exif,
        **({"quality": 98, "subsampling": 0} if suffix == "jpg" else {}),
    )
    turns = [
        lambda a: a,
        np.fliplr,
        lambda a: np.rot90(a, 2),
        np.flipud,
        lambda a: a.transpose(1, 0, 2),
    ]
    turns += [lambda a: np.rot90(a, -1), lambda a: np.rot90(a, 2).transpose(1, 0, 2), np.rot90]
    expected = turns[tag - 1](stored)
    with open_source(path) as source:
        assert (source.info.height, source.info.width) == expected.shape[:2]
    assert np.abs(read(path)[0].astype(int) - expected).max() <= 6


def test_exif_orientation_is_applied_to_transparent_images(tmp_path: Path) -> None:
    stored = noise(1, 8, 12)[0]
    exif = Image.Exif()
    exif[0x0112] = 6
    path = save(tmp_path / "a.png", np.dstack([stored, np.full((8, 12), 255, np.uint8)]), exif=exif)
    np.testing.assert_array_equal(read(path)[0], np.rot90(stored, -1))


def test_cmyk_becomes_rgb(tmp_path: Path) -> None:
    inks = np.zeros((16, 16, 4), np.uint8)
    inks[..., 0], inks[..., 3] = 200, 30
    Image.fromarray(inks, "CMYK").save(tmp_path / "a.jpg", quality=98)
    expected = (255 - inks[0, 0, :3].astype(float)) * (255 - 30) / 255
    assert np.abs(read(tmp_path / "a.jpg")[0] - expected).max() <= 3


def test_in_a_folder_only_the_first_page_is_read_and_the_others_are_noted(tmp_path: Path) -> None:
    pages = [Image.fromarray(page) for page in noise(3, 8, 8)]
    pages[0].save(tmp_path / "a.tif", save_all=True, append_images=pages[1:])
    with open_source(tmp_path) as source:
        assert len(list(source)) == 1
        assert source.info.notes == (Note(Code.IMAGE_PAGES, {"file": "a.tif", "pages": 3}),)


@pytest.mark.parametrize(
    ("channels", "reason"),
    [(1, "holds floating point values"), (3, "is not a readable image")],
)
def test_floating_point_images_are_refused(tmp_path: Path, channels: int, reason: str) -> None:
    cv2.imwrite(str(tmp_path / "a.tif"), np.ones((8, 8, channels), np.float32))
    with pytest.raises(SourceError, match=f"a.tif {reason}"):
        open_source(tmp_path / "a.tif")


def test_images_are_timed_by_the_given_rate(tmp_path: Path) -> None:
    folder_of(tmp_path, ["1.png", "2.png", "3.png"])
    with open_source(tmp_path, fps=29.97, batch=2) as source:
        assert source.info.time_base == Fraction(100, 2997)
        assert source.info.duration_s == pytest.approx(3 / 29.97)
        assert [frames.pts.tolist() for frames in source] == [[0, 1], [2]]
        assert [time for frames in source for time in frames.time_s] == [
            0.0,
            100 / 2997,
            200 / 2997,
        ]


def test_images_outside_the_selection_are_not_read(tmp_path: Path) -> None:
    made = folder_of(tmp_path, [f"{i}.png" for i in range(6)])
    for i in (0, 2, 5):
        (tmp_path / f"{i}.png").write_bytes(b"damaged")
    save(tmp_path / "0.png", made[0])
    with open_source(tmp_path, start=1, stop=5, step=2) as source:
        (frames,) = source
        assert frames.index.tolist() == [1, 3]
        assert (source.counts.decoded, source.counts.unreadable) == (2, 0)


def test_a_damaged_image_keeps_its_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        np, "empty", lambda shape, dtype: np.full(shape, 77, dtype)
    )  # memory that was used before
    made = folder_of(tmp_path, [f"{i}.png" for i in range(4)])
    data = (tmp_path / "2.png").read_bytes()
    (tmp_path / "2.png").write_bytes(data[: len(data) // 2])
    with open_source(tmp_path) as source:
        (frames,) = source
        assert frames.index.tolist() == [0, 1, 2, 3]
        assert frames.status.tolist() == [Status.OK, Status.OK, Status.UNREADABLE, Status.OK]
        assert (source.counts.decoded, source.counts.unreadable, source.counts.delivered) == (
            3,
            1,
            4,
        )
        assert any("2.png cannot be decoded" in str(note) for note in source.info.notes)
        got = frames.interleaved
    assert not got[2].any()
    np.testing.assert_array_equal(got[[0, 1, 3]], made[[0, 1, 3]])


def chunk(name: bytes, body: bytes) -> bytes:
    return len(body).to_bytes(4, "big") + name + body + zlib.crc32(name + body).to_bytes(4, "big")


def put_before_pixels(data: bytes, *chunks: bytes) -> bytes:
    at = data.index(b"IDAT") - 4
    return b"".join([data[:at], *chunks, data[at:]])


@pytest.mark.parametrize("damage", ["flip", "cut", "end"])
def test_a_damaged_png_says_nothing_by_itself(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], damage: str
) -> None:
    folder_of(tmp_path, ["0.png", "1.png"])
    data = bytearray((tmp_path / "1.png").read_bytes())
    at = data.index(b"IDAT") + 20
    if damage == "flip":
        data[at] ^= 1
    (tmp_path / "1.png").write_bytes(
        data if damage == "flip" else data[:at] if damage == "cut" else data[:-4]
    )
    with open_source(tmp_path) as source:
        (frames,) = source
        assert frames.status.tolist() == [Status.OK, Status.UNREADABLE]
        note = str(*source.info.notes)
    assert (
        "its IDAT differs from its checksum" in note
        if damage == "flip"
        else "ends before its end mark" in note
    )
    assert capfd.readouterr() == ("", "")


def test_what_no_pixel_depends_on_is_left_out(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    made = noise(1, 6, 8)[0]
    save(tmp_path / "0.png", made)
    data = (tmp_path / "0.png").read_bytes()
    others = [
        chunk(b"gAMA", (200000).to_bytes(4, "big")),
        chunk(b"iCCP", b"x\0\0" + zlib.compress(b"no profile")),
        chunk(b"bKGD", b"\0\1" * 3),
        chunk(b"tEXt", b"a\0b"),
    ]
    (tmp_path / "0.png").write_bytes(put_before_pixels(data, *others) + b"more")
    np.testing.assert_array_equal(read(tmp_path / "0.png")[0], made)
    assert capfd.readouterr() == ("", "")


def test_notes_do_not_grow_with_the_number_of_files(tmp_path: Path) -> None:
    for i in range(12):
        save(tmp_path / f"{i}.png", np.dstack([noise(1, 6, 8)[0], np.full((6, 8), 99, np.uint8)]))
    for i in (4, 7, 9):
        (tmp_path / f"{i}.png").write_bytes(b"damaged")
    with open_source(tmp_path) as source:
        list(source)
        list(source)
        assert source.counts.unreadable == 3
        assert len(source.info.notes) == 2


@pytest.mark.parametrize("suffix", ["png", "jpg", "bmp", "tif", "webp"])
@pytest.mark.parametrize("keep", [0.0, 0.1, 0.6, 0.98])
def test_truncated_images_are_never_taken_for_pictures(
    tmp_path: Path, suffix: str, keep: float
) -> None:
    made = noise(2, 64, 64)
    for i in range(2):
        save(tmp_path / f"{i}.{suffix}", made[i])
    data = (tmp_path / f"1.{suffix}").read_bytes()
    (tmp_path / f"1.{suffix}").write_bytes(data[: int(len(data) * keep)])
    with open_source(tmp_path) as source:
        (frames,) = source
        assert frames.status.tolist() == [Status.OK, Status.UNREADABLE]


def test_the_size_is_taken_from_the_first_readable_image(tmp_path: Path) -> None:
    made = folder_of(tmp_path, ["0.png", "1.png"])
    (tmp_path / "0.png").write_bytes(b"not an image")
    with open_source(tmp_path) as source:
        (frames,) = source
        assert frames.size == (6, 8)
        assert frames.status.tolist() == [Status.UNREADABLE, Status.OK]
        np.testing.assert_array_equal(frames.interleaved[1], made[1])


def test_a_folder_without_a_readable_image_is_refused(tmp_path: Path) -> None:
    for i in range(3):
        (tmp_path / f"{i}.png").write_bytes(b"not an image")
    with pytest.raises(
        SourceError,
        match=r"none of the 3 images of .* can be read; the first: .*0\.png is not a readable",
    ):
        open_source(tmp_path)
    with pytest.raises(SourceError, match=r"0\.png is not a readable image"):
        open_source(tmp_path / "0.png")


def test_mixed_sizes_are_refused_by_name_unless_resized(tmp_path: Path) -> None:
    folder_of(tmp_path, ["1.png", "2.png"])
    save(tmp_path / "3.png", noise(1, 10, 12)[0])
    with pytest.raises(SourceError, match=r"3\.png is 12x10, .*1\.png is 8x6: .* use --resize"):
        read(tmp_path)
    assert read(tmp_path, resize=(6, 8, "area")).shape == (3, 6, 8, 3)


def test_mixed_depths_are_refused_by_name(tmp_path: Path) -> None:
    save(tmp_path / "1.png", noise(1, 6, 8, dtype=np.uint16)[0])
    save(tmp_path / "2.png", noise(1, 6, 8)[0])
    with pytest.raises(SourceError, match=r"2\.png has 8 bits, .*1\.png has 16"):
        read(tmp_path)


def test_a_decompression_bomb_is_refused_before_it_is_decoded(tmp_path: Path) -> None:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    for width, height in ((12000, 12000), (60000, 60000)):
        assert width * height > image_header.MAX_PIXELS
        body = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
        data = (
            b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", body) + chunk(b"IDAT", b"x") + chunk(b"IEND", b"")
        )
        (tmp_path / "a.png").write_bytes(data)
        with pytest.raises(
            SourceError, match=r"a\.png (has 12000x12000 pixels, more than|is refused)"
        ):
            open_source(tmp_path / "a.png")


def test_a_large_image_within_the_limit_is_no_bomb() -> None:
    """Pillow warns from 89 million pixels on; the limit here is the only one that counts."""
    data = io.BytesIO()
    Image.new("1", (11000, 9000)).save(data, "PNG")
    data.seek(0)
    assert image_header.read_header(data, "a.png").width == 11000


def test_reading_images_in_two_threads_leaves_the_filters_of_warnings_alone() -> None:
    data = io.BytesIO()
    Image.new("RGB", (64, 48)).save(data, "PNG")

    def read(_: int) -> int:
        return image_header.read_header(io.BytesIO(data.getvalue()), "a.png").width

    before = list(warnings.filters)
    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(read, range(2000))) == {64}
    assert list(warnings.filters) == before


def test_folders_keep_their_digest_when_moved_and_lose_it_when_changed(tmp_path: Path) -> None:
    folder_of(tmp_path / "a", ["1.png", "2.png"])
    shutil.copytree(tmp_path / "a", tmp_path / "b")
    before = digest(open_source(tmp_path / "a").info)
    assert before == digest(open_source(tmp_path / "b").info)
    (tmp_path / "b/2.png").rename(tmp_path / "b/3.png")
    assert before != digest(open_source(tmp_path / "b").info)
    save(tmp_path / "a/2.png", noise(1, 6, 8, seed=5)[0])
    assert before != digest(open_source(tmp_path / "a").info)


def test_a_real_time_lapse_is_read_in_order(shared_data: Path) -> None:
    with open_source(shared_data / "timelapse/garden", batch=16) as source:
        assert (source.info.frames_expected, source.info.height, source.info.width) == (
            60,
            480,
            640,
        )
        names = [int(os.path.basename(file)[:-4]) for file in source.info.files]
        assert names == sorted(names)
        assert [len(frames) for frames in source] == [16, 16, 16, 12]

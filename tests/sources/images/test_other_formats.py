"""Folders of AVIF, GIF and HEIC images."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from helpers.media import Array, column, moving, noise, pixels
from PIL import Image

import vfiscope as vs
from vfiscope.errors import MissingPackageError
from vfiscope.inspection.doctor import diagnose
from vfiscope.sources import open_source
from vfiscope.types import Code, Note, Status

MADE = moving(4, 24, 40)
BRANDS = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic"
QUICK = {"metrics": "psnr", "lag": 1, "maps": "none", "fields": "none"}


def folder_of(folder: Path, suffix: str, frames: Array = MADE, **more: Any) -> Path:
    for i, frame in enumerate(frames):
        Image.fromarray(frame).save(folder / f"{i}.{suffix}", **more)
    return folder


def test_a_folder_of_avif_is_read(tmp_path: Path) -> None:
    folder_of(tmp_path, "avif", quality=100, subsampling="4:4:4")
    expected = [np.asarray(Image.open(tmp_path / f"{i}.avif")) for i in range(4)]
    with open_source(tmp_path) as source:
        np.testing.assert_array_equal(pixels(source), expected)
        np.testing.assert_array_equal(source.frames_at([3]).interleaved[0], expected[3])
        assert np.abs(pixels(source).astype(int) - MADE).max() <= 3
    found = diagnose(str(tmp_path))
    assert (found.media["test"].container, found.findings) == ("AVIF", ())


def test_avif_of_ten_bits_spans_sixteen(tmp_path: Path) -> None:
    deep = (np.arange(24 * 40 * 3).reshape(24, 40, 3) % 1024).astype(np.uint16)
    deep = cv2.GaussianBlur(deep, (0, 0), 3)
    options = [cv2.IMWRITE_AVIF_DEPTH, 10, cv2.IMWRITE_AVIF_QUALITY, 100]
    assert cv2.imwrite(str(tmp_path / "0.avif"), deep[..., ::-1], options)
    with open_source(tmp_path) as source:
        assert source.info.bit_depth == 16
        difference = pixels(source)[0].astype(float) * (1023 / 65535) - deep
    assert np.abs(difference).max() <= 6


@pytest.mark.parametrize("orientation", [1, 3, 5, 6, 8])
def test_turned_avif_is_upright(tmp_path: Path, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    folder_of(tmp_path, "avif", MADE[:1], quality=100, subsampling="4:4:4", exif=exif)
    turned = {1: MADE[0], 3: MADE[0, ::-1, ::-1], 5: MADE[0].transpose(1, 0, 2)}
    turned |= {6: np.rot90(MADE[0], -1), 8: np.rot90(MADE[0])}
    got = pixels(open_source(tmp_path))[0]
    assert got.shape == turned[orientation].shape
    assert np.abs(got.astype(int) - turned[orientation]).max() <= 3


def test_transparent_avif_is_laid_on_black(tmp_path: Path) -> None:
    clear = np.concatenate([MADE[:1], np.full((1, 24, 40, 1), 51, np.uint8)], -1)
    folder_of(tmp_path, "avif", clear, quality=100, subsampling="4:4:4")
    with open_source(tmp_path) as source:
        assert np.abs(pixels(source)[0].astype(float) - MADE[0] * 0.2).max() <= 2
        assert source.info.notes == (Note(Code.IMAGE_TRANSPARENT, {"file": "0.avif"}),)


def test_a_folder_of_gifs_is_read(tmp_path: Path) -> None:
    colors = (noise(4, 12, 20) // 255).astype(np.uint8) * 255
    folder_of(tmp_path, "gif", colors)
    with open_source(tmp_path) as source:
        np.testing.assert_array_equal(pixels(source), colors)
        np.testing.assert_array_equal(source.frames_at([2]).interleaved[0], colors[2])
    (tmp_path / "1.gif").write_bytes((tmp_path / "1.gif").read_bytes()[:-120])
    with vs.scan(str(tmp_path), lag=1, metrics="psnr") as run:
        assert run.frames.status.tolist()[1] == Status.UNREADABLE
        assert run.status == "partial"


def test_a_gif_beside_frames_is_not_one_of_them(tmp_path: Path) -> None:
    folder_of(tmp_path, "png")
    Image.fromarray(MADE[0]).save(tmp_path / "preview.gif")
    with open_source(tmp_path) as source:
        assert source.info.frames_expected == 4
        assert source.info.notes == (Note(Code.OTHER_FILES, {"count": 1}),)


def test_two_avif_images_are_compared(tmp_path: Path) -> None:
    folder_of(tmp_path, "avif")
    one, other = str(tmp_path / "0.avif"), str(tmp_path / "1.avif")
    with vs.compare(one, one, metrics="psnr") as run:
        assert np.isposinf(run.scores["psnr"]).all()
    with vs.scan(str(tmp_path), golden=other, metrics="psnr") as run:
        assert np.isposinf(run.scores["psnr"]).tolist() == [False, True, False, False]


def heic(path: Path, *frames: Array, bits: int = 8) -> Path:
    """A HEIC file of some images, near to lossless."""
    pillow_heif = pytest.importorskip("pillow_heif", reason="pillow-heif is not installed")
    made = pillow_heif.HeifFile()
    for frame in frames:
        mode = "RGB" if bits == 8 else "RGB;16"
        made.add_frombytes(mode, (frame.shape[1], frame.shape[0]), frame.tobytes())
    made.save(path, quality=100, chroma=444)
    return path


def test_a_folder_of_heic_is_read(tmp_path: Path) -> None:
    for i, frame in enumerate(MADE):
        heic(tmp_path / f"{i}.heic", frame)
    with open_source(tmp_path) as source:
        assert np.abs(pixels(source).astype(int) - MADE).max() <= 4
        np.testing.assert_array_equal(source.frames_at([3]).interleaved[0], pixels(source)[3])
    assert diagnose(str(tmp_path)).media["test"].container == "HEIC"


def test_a_heic_of_several_images_is_read_whole(tmp_path: Path) -> None:
    with open_source(heic(tmp_path / "a.heic", *MADE)) as source:
        assert source.info.frames_expected == 4
        assert np.abs(pixels(source).astype(int) - MADE).max() <= 4


def test_heic_of_ten_bits_spans_sixteen(tmp_path: Path) -> None:
    deep = np.full((24, 40, 3), 65535, np.uint16)
    deep[:, :20] //= 2
    with open_source(heic(tmp_path / "a.heic", deep, bits=16)) as source:
        assert source.info.bit_depth == 16
        got = pixels(source)[0].astype(float)
    assert np.abs(got[:, 30:] - 65535).max() <= 200
    assert np.abs(got[:, :10] - 32767).max() <= 200


@pytest.mark.parametrize("count", [1, 2])
def test_transparent_heic_is_laid_on_black_and_said(tmp_path: Path, count: int) -> None:
    pillow_heif = pytest.importorskip("pillow_heif", reason="pillow-heif is not installed")
    clear = np.concatenate([MADE[0], np.full((24, 40, 1), 51, np.uint8)], -1)
    made = pillow_heif.HeifFile()
    for _ in range(count):
        made.add_frombytes("RGBA", (40, 24), clear.tobytes())
    made.save(tmp_path / "a.heic", quality=100, chroma=444)
    with open_source(tmp_path / "a.heic") as source:
        got = pixels(source)
        assert source.info.notes == (Note(Code.IMAGE_TRANSPARENT, {"file": "a.heic"}),)
    assert len(got) == count
    assert np.abs(got - MADE[0] * 0.2).max() <= 2


@pytest.mark.parametrize("count", [1, 2])
def test_heic_with_alpha_that_is_opaque_says_nothing(tmp_path: Path, count: int) -> None:
    pillow_heif = pytest.importorskip("pillow_heif", reason="pillow-heif is not installed")
    opaque = np.concatenate([MADE[0], np.full((24, 40, 1), 255, np.uint8)], -1)
    made = pillow_heif.HeifFile()
    for _ in range(count):
        made.add_frombytes("RGBA", (40, 24), opaque.tobytes())
    made.save(tmp_path / "a.heic", quality=-1, chroma=444)
    assert pillow_heif.open_heif(tmp_path / "a.heic").has_alpha
    with open_source(tmp_path / "a.heic") as source:
        assert len(pixels(source)) == count
        assert source.info.notes == ()


def test_without_its_package_heic_is_refused_with_the_way_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    (tmp_path / "a.heic").write_bytes(BRANDS + bytes(200))
    words = r"a.heic is a HEIC image, .*: pip install 'vfiscope\[heic\]'"
    for target in (tmp_path, tmp_path / "a.heic"):
        with pytest.raises(MissingPackageError, match=words):
            open_source(target)


@pytest.mark.parametrize("name", ["2_edit.heic", "2.HEIC"])
def test_a_heic_beside_frames_is_left_out_and_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    folder_of(tmp_path, "png")
    (tmp_path / name).write_bytes(BRANDS + bytes(200))
    with vs.scan(str(tmp_path), **QUICK) as run:
        assert (run.status, len(run.names)) == ("ok", 4)
        (warning,) = run.warnings
    assert f"left out 1 image such as {name}: HEIC and other images are not read as" in warning


def test_of_heic_and_others_the_kind_of_more_files_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    for i in range(5):
        (tmp_path / f"{i}.heif").write_bytes(BRANDS + bytes(200))
    folder_of(tmp_path, "png")
    with pytest.raises(MissingPackageError, match=r"0\.heif is a HEIC image, .*pip install"):
        open_source(tmp_path)
    (tmp_path / "4.heif").unlink()
    with open_source(tmp_path) as source:
        assert source.info.frames_expected == 4
        assert [note.values for note in source.info.notes] == [{"count": 4, "file": "0.heif"}]


@pytest.mark.parametrize("row", [0, 2])
def test_without_its_package_a_heic_of_another_name_keeps_its_row(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, row: int
) -> None:
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    folder_of(tmp_path, "png")
    (tmp_path / f"{row}.png").write_bytes(BRANDS + bytes(200))
    with open_source(tmp_path) as source:
        statuses = column(source, "status")
        (note,) = source.info.notes
    assert statuses == [Status.UNREADABLE if i == row else Status.OK for i in range(4)]
    assert "pip install" in str(note)

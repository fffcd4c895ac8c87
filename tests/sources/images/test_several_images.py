"""Files that hold several images: read whole when passed by themselves, said inside a folder."""

from __future__ import annotations

import io
import itertools
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from helpers.media import Array, column, moving, noise, pixels
from PIL import Image

import vfiscope as vs
from vfiscope.cli.program import main
from vfiscope.errors import SourceError, UsageError
from vfiscope.inspection.doctor import diagnose
from vfiscope.scoring.stored_frames import frames_of
from vfiscope.sources import digest, open_source
from vfiscope.sources.images import paged_files
from vfiscope.sources.images.image_header import read_header
from vfiscope.sources.images.tiff_pages import find_pages
from vfiscope.types import Code, Note, Status

MADE = noise(6, 12, 20)
DEEP = noise(6, 12, 20, dtype=np.uint16)


def saved(path: Path, frames: Array = MADE, **more: Any) -> Path:
    first, *others = (Image.fromarray(frame) for frame in frames)
    first.save(path, save_all=True, append_images=others, **more)
    return path


def deep_stack(path: Path) -> Path:
    assert cv2.imwritemulti(str(path), [frame[..., ::-1] for frame in DEEP])
    return path


WHOLE: dict[str, tuple[Callable[[Path], Path], Array, str]] = {
    "animated WebP": (
        lambda folder: saved(folder / "a.webp", duration=40, lossless=True),
        MADE,
        "images",
    ),
    "APNG as .png": (lambda folder: saved(folder / "a.png", duration=40), MADE, "video"),
    "pages of TIFF": (lambda folder: saved(folder / "a.tif"), MADE, "images"),
    "gray pages": (
        lambda folder: saved(folder / "a.tiff", MADE[..., 0]),
        MADE[..., :1].repeat(3, -1),
        "images",
    ),
    "compressed pages": (
        lambda folder: saved(folder / "a.tif", compression="tiff_lzw"),
        MADE,
        "images",
    ),
    "BigTIFF": (lambda folder: saved(folder / "a.tif", big_tiff=True), MADE, "images"),
    "pages of 16 bits": (lambda folder: deep_stack(folder / "a.tif"), DEEP, "images"),
}


@pytest.mark.parametrize("name", WHOLE)
def test_a_single_file_is_read_whole(tmp_path: Path, name: str) -> None:
    make, expected, kind = WHOLE[name]
    path = make(tmp_path)
    with open_source(path, batch=4) as source:
        assert (source.info.kind, source.info.notes) == (kind, ())
        assert source.info.bit_depth == 8 * expected.itemsize
        np.testing.assert_array_equal(pixels(source), expected)
        np.testing.assert_array_equal(
            source.frames_at([5, 0, 3, 3]).interleaved, expected[[5, 0, 3, 3]]
        )
        assert np.round(column(source, "time_s"), 6).tolist() == [i / 25 for i in range(6)]
        assert len(digest(source.info)) == 71


def test_durations_are_the_times_of_frames(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.webp", duration=[10, 200, 30, 40, 1000, 60], lossless=True)
    with open_source(path) as source:
        assert source.info.time_base * 1000 == 1
        assert column(source, "pts") == [0, 10, 210, 240, 280, 1280]
        assert (source.info.duration_s, source.info.rate) == (1.34, pytest.approx(6 / 1.34))
    assert column(open_source(path, start=0.21, stop="1s"), "index") == [2, 3, 4]


def test_durations_are_not_looked_for_behind_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = saved(tmp_path / "a.webp", duration=40, lossless=True)
    monkeypatch.setattr(paged_files, "MAX_OTHER_CHUNKS", 3)
    data = path.read_bytes()
    (tmp_path / "b.webp").write_bytes(data + 2 * data[data.index(b"ANMF") :] + bytes(640))
    np.testing.assert_array_equal(
        column(open_source(tmp_path / "b.webp"), "pts"), range(0, 240, 40)
    )
    zeros = struct.pack("<L", len(data) + 640 - 8) + data[8:] + bytes(640)  # chunks without bytes
    file = io.BytesIO(b"RIFF" + zeros)
    assert paged_files._webp_durations(file) == (40,) * 6
    assert file.tell() < len(data) + 32


def test_an_animation_without_durations_follows_the_rate_and_says_so(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.webp", duration=[0, 40, 40, 40, 40, 40], lossless=True)
    with open_source(path, fps=10) as source:
        assert np.round(column(source, "time_s"), 6).tolist() == [0, 0.1, 0.2, 0.3, 0.4, 0.5]
        assert source.info.notes == (Note(Code.NO_DURATIONS, {"images": 6}),)


def test_an_apng_with_a_picture_before_the_animation_is_read_as_browsers_show_it(
    tmp_path: Path,
) -> None:
    path = saved(tmp_path / "a.png", duration=40, default_image=True)
    np.testing.assert_array_equal(pixels(open_source(path)), MADE[1:])


def test_transparent_pages_are_laid_on_black(tmp_path: Path) -> None:
    clear = np.concatenate([MADE, np.full((6, 12, 20, 1), 51, np.uint8)], -1)
    path = saved(tmp_path / "a.webp", clear, duration=40, lossless=True, exact=True)
    expected = np.rint(MADE[:1] * 0.2)
    with open_source(path, stop=1) as source:
        np.testing.assert_array_equal(pixels(source), expected)
        assert source.info.notes == (Note(Code.IMAGE_TRANSPARENT, {"file": "a.webp"}),)


@pytest.mark.parametrize("clear", [(), (3, 5)])
def test_transparency_is_told_by_the_pixels_not_by_the_header(
    tmp_path: Path, clear: tuple[int, ...]
) -> None:
    """The header claims alpha for all images as soon as the encoder is given some."""
    alpha = np.full((6, 12, 20, 1), 255, np.uint8)
    alpha[list(clear)] = 51
    made = np.concatenate([MADE, alpha], -1)
    path = saved(tmp_path / "a.webp", made, duration=40, lossless=True, exact=True)
    path.write_bytes(claiming_alpha(path.read_bytes()))
    with path.open("rb") as file:
        assert read_header(file, "a.webp").has_alpha
    with open_source(path) as source:
        np.testing.assert_array_equal(pixels(source)[0], MADE[0])
        said = [Note(Code.IMAGE_TRANSPARENT, {"file": "a.webp"})] if clear else []
        assert list(source.info.notes) == said
    found = [each.note for each in diagnose(str(path)).findings if each.what == "alpha"]
    assert found == said


def claiming_alpha(data: bytes) -> bytes:
    """An animated WebP whose header has the flag of alpha (WebP container specification, VP8X)."""
    assert data[12:16] == b"VP8X"
    return data[:20] + bytes([data[20] | 0x10]) + data[21:]


def marked_as_reduced(path: Path, kind: int = 1) -> Path:
    """A TIFF whose second page calls itself a smaller copy (1) or a mask (4)."""
    frames = [Image.fromarray(MADE[0]), Image.fromarray(MADE[1][:6, :10])]
    frames[0].save(path, save_all=True, append_images=frames[1:], tiffinfo={254: 0})
    data = bytearray(path.read_bytes())
    second = data.rindex(struct.pack("<HHLL", 254, 4, 1, 0))
    data[second + 8] = kind
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("order", [">", "<"])
@pytest.mark.parametrize(("tag", "form", "kind"), [(255, "H2x", 2), (255, "L", 2), (254, "H2x", 1)])
def test_a_thumbnail_is_known_in_every_form(
    tmp_path: Path, order: str, tag: int, form: str, kind: int
) -> None:
    """SubfileType is a SHORT, and NewSubfileType a LONG (TIFF 6.0, section 8); both are written as
    either."""
    size = struct.calcsize("<HHHL4sL")

    def page(tag: int, value: int, following: int) -> bytes:
        number = struct.pack(order + form, value)
        return struct.pack(f"{order}HHHL4sL", 1, tag, 3 + (form == "L"), 1, number, following)

    head = (b"MM" if order == ">" else b"II") + struct.pack(f"{order}HL", 42, 8)
    pages = page(tag, 0, 8 + size) + page(tag, kind, 8 + 2 * size) + page(tag, 0, 0)
    assert find_pages(io.BytesIO(head + pages)).offsets == [8, 8 + 2 * size]


@pytest.mark.parametrize("kind", [1, 4], ids=["thumbnail", "mask"])
def test_a_thumbnail_and_a_mask_are_no_frames(tmp_path: Path, kind: int) -> None:
    with open_source(marked_as_reduced(tmp_path / "a.tif", kind)) as source:
        assert source.info.frames_expected == 1
        np.testing.assert_array_equal(pixels(source), MADE[:1])
        assert source.info.notes == ()


def test_a_stack_with_one_directory_for_all_is_refused_with_their_number(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    Image.fromarray(MADE[0]).save(path, tiffinfo={270: "ImageJ=1.54f\nimages=96\nslices=96\n"})
    with pytest.raises(SourceError, match=r"says that it holds 96 images, and 1 can be found"):
        open_source(path)
    Image.fromarray(MADE[1]).save(tmp_path / "b.tif")
    with open_source(tmp_path) as source:
        np.testing.assert_array_equal(pixels(source), MADE[:2])
        assert source.info.notes == (Note(Code.IMAGE_PAGES, {"file": "a.tif", "pages": 96}),)


def test_pages_that_lead_in_a_circle_end(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.tif", MADE[:2])
    data = bytearray(path.read_bytes())
    first = data[4:8]
    last = struct.unpack("<L", data[4:8])[0]
    for _ in range(2):
        at = last + 2 + 12 * struct.unpack("<H", data[last : last + 2])[0]
        last = struct.unpack("<L", data[at : at + 4])[0] or last
    data[at : at + 4] = first
    path.write_bytes(data)
    np.testing.assert_array_equal(pixels(open_source(path)), MADE[:2])


def test_pages_of_other_sizes_are_refused_by_number(tmp_path: Path) -> None:
    frames = [Image.fromarray(MADE[0]), Image.fromarray(MADE[1][:6])]
    frames[0].save(tmp_path / "a.tif", save_all=True, append_images=frames[1:])
    with pytest.raises(SourceError, match=r"image 1 of .*a.tif is 20x6, the first is 20x12: pass"):
        list(open_source(tmp_path / "a.tif"))
    assert pixels(open_source(tmp_path / "a.tif", resize=(12, 20, "area"))).shape[0] == 2


@pytest.mark.slow
def test_a_stack_that_is_cut_short_keeps_its_rows_and_says_so(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.tif")
    path.write_bytes(path.read_bytes()[:-100])
    with open_source(path) as source:
        shown = pixels(source)
        assert column(source, "status") == [Status.OK] * 5 + [Status.UNREADABLE]
        assert "image 5 of" in str(source.info.notes[0])
    np.testing.assert_array_equal(shown[:5], MADE[:5])
    with vs.scan(str(path), lag=1, metrics="psnr") as run:
        assert run.status == "partial"
    assert diagnose(str(path)).damaged


def test_a_stack_whose_next_page_lies_beyond_its_end_is_damaged(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.tif")
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with open_source(path) as source:
        np.testing.assert_array_equal(pixels(source), MADE[:3])
        assert [note.code for note in source.info.damage] == [Code.FILE_CUT_SHORT]


def test_an_animated_webp_that_is_cut_short_is_refused(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.webp", duration=40, lossless=True)
    path.write_bytes(path.read_bytes()[:-700])
    with pytest.raises(SourceError, match=r"a.webp has a damaged header"):
        open_source(path)


def test_an_animated_gif_that_is_cut_anywhere_is_read_or_refused(tmp_path: Path) -> None:
    whole = saved(tmp_path / "a.gif", noise(3, 4, 5), duration=40).read_bytes()
    refused = 0
    for length in range(len(whole)):
        try:
            read_header(io.BytesIO(whole[:length]), "cut.gif")
        except SourceError:
            refused += 1
    assert 13 <= refused < len(whole)  # the head is 13 bytes long


@pytest.mark.parametrize("how", ["cut", "flipped"])
def test_an_animated_png_that_is_damaged_is_said(tmp_path: Path, how: str) -> None:
    path = saved(tmp_path / "a.png", duration=40)
    data = bytearray(path.read_bytes())
    if how == "flipped":
        data[data.rindex(b"fdAT") + 300] ^= 4
    path.write_bytes(data if how == "flipped" else data[:-300])
    with vs.scan(str(path), lag=1, metrics="psnr") as run:
        assert run.status == "partial"
    code = Code.CHECKSUMS_DIFFER if how == "flipped" else Code.FILE_CUT_SHORT
    assert code in [each.note.code for each in diagnose(str(path)).findings]


def test_a_directory_that_claims_more_than_the_file_holds_ends_the_pages(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.tif", MADE[:2], big_tiff=True)
    data = bytearray(path.read_bytes())
    with open(path, "rb") as file:
        second = find_pages(file).offsets[1]
    data[second : second + 8] = b"\xff" * 8
    path.write_bytes(data)
    with open_source(path) as source:
        np.testing.assert_array_equal(pixels(source), MADE[:1])


def test_a_stack_is_scored_whole_and_its_frames_found_again(tmp_path: Path) -> None:
    path, ref = saved(tmp_path / "a.tif"), saved(tmp_path / "b.webp", duration=40, lossless=True)
    with vs.score(str(path), ref=str(ref), metrics="psnr", out=str(tmp_path / "a.h5")) as run:
        assert np.isposinf(run.scores["psnr"]).tolist() == [True] * 6
        np.testing.assert_array_equal(frames_of(run, [4, 1]).interleaved, MADE[[4, 1]])
        np.testing.assert_array_equal(frames_of(run, [2], role="ref").interleaved, MADE[2:3])
    with pytest.raises(UsageError, match=r"a.tif is 6 frames: use mode score"):
        vs.compare(str(path), str(ref))
    found = diagnose(str(path))
    assert (found.media["test"].frames, found.media["test"].container) == (6, "TIFF")
    assert not found.damaged


def test_in_a_folder_a_file_of_several_images_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for i, frame in enumerate(moving(4, 12, 20)):
        Image.fromarray(frame).save(tmp_path / f"{i}.tif")
    saved(tmp_path / "2.tif")
    said = "2.tif holds 6 images: only the first is read"
    out = tmp_path / "a.h5"
    with pytest.raises(SystemExit):
        main(["scan", str(tmp_path), "--lag", "1", "--metrics", "psnr", "-o", str(out)])
    printed = " ".join(itertools.chain(*(text.split() for text in capsys.readouterr())))
    assert printed.count(f"{tmp_path}: {said}") == 1
    with vs.open_run(out) as run:
        assert list(run.warnings) == [f"test {tmp_path}: {said}"]
    assert said in [each.detail for each in diagnose(str(tmp_path)).findings]

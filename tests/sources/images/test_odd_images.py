"""Folders of odd, broken and changing images."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from helpers.media import (
    pixels,
)
from helpers.odd_inputs import QUICK, h264, picture, refused
from PIL import Image

import vfiscope as vs
from vfiscope.errors import SourceError
from vfiscope.sources import open_source
from vfiscope.types import Status


def test_names_of_images_decide_their_order(tmp_path: Path) -> None:
    for i in (1, 2, 9, 10, 12):
        picture(tmp_path / f"{i}.png", seed=i)
    for other in ("Thumbs.db", ".hidden.png", "notes.txt"):
        (tmp_path / other).write_bytes(b"x")
    (tmp_path / "sub").mkdir()
    with open_source(tmp_path) as source:
        assert [Path(file).name for file in source.info.files] == [
            "1.png",
            "2.png",
            "9.png",
            "10.png",
            "12.png",
        ]
        assert tuple(map(str, source.info.notes[:2])) == (
            "left out 3 files that are not images",
            "left out 1 folder inside",
        )
    picture(tmp_path / "01.png")
    with pytest.raises(SourceError, match="stand for the same frame"):
        open_source(tmp_path)


def test_images_of_mixed_sizes_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    picture(tmp_path / "1.png")
    picture(tmp_path / "2.jpg", size=(20, 24))
    refused(capsys, tmp_path, r"2\.jpg is 24x20, .*1\.png is 16x16", tmp_path / "a.h5")


def test_kinds_of_images_are_read(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    assert open_source(picture(tmp_path / "turned.jpg", size=(16, 24), exif=exif)).size == (24, 16)
    Image.fromarray(np.zeros((16, 16, 4), np.uint8), "CMYK").save(tmp_path / "cmyk.jpg")
    assert pixels(open_source(tmp_path / "cmyk.jpg")).min() > 250
    plain = picture(tmp_path / "plain.png")
    picture(tmp_path / "profile.png", icc_profile=b"\0" * 128)
    np.testing.assert_array_equal(
        pixels(open_source(plain)), pixels(open_source(tmp_path / "profile.png"))
    )


def test_a_broken_image_keeps_its_row(tmp_path: Path) -> None:
    for i in range(4):
        picture(tmp_path / f"{i}.png", seed=i)
    (tmp_path / "2.png").write_bytes((tmp_path / "2.png").read_bytes()[:200])
    with vs.scan(str(tmp_path), golden=0, **QUICK) as run:
        assert run.frames.index.tolist() == [0, 1, 2, 3]
        assert run.frames.status.tolist() == [Status.OK, Status.OK, Status.UNREADABLE, Status.OK]
        assert np.isnan(run.scores["ssim"]).tolist() == [False, False, True, False]
        assert run.status == "partial"


@pytest.mark.parametrize("suffix", ["png", "webp", "tif", "bmp"])
def test_bombs_are_refused_by_their_header(
    tmp_path: Path, suffix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from vfiscope.sources.images import image_header

    monkeypatch.setattr(image_header, "MAX_PIXELS", 255)
    with pytest.raises(SourceError, match=r"has 16x16 pixels, more than 255"):
        open_source(picture(tmp_path / f"a.{suffix}"))


def test_a_file_that_changes_while_it_is_read(tmp_path: Path) -> None:
    from vfiscope.scoring.provenance import changed, stamp_files

    with open_source(h264(tmp_path / "a.mp4")) as source:
        before = stamp_files(source)
        os.utime(tmp_path / "a.mp4", ns=(1, 1))
        assert [*map(str, changed(source, before))] == [
            f"{tmp_path / 'a.mp4'} changed while the run was reading: scores may be of neither"
            " state"
        ]

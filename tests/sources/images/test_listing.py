"""Which image files belong to a sequence, and in which order."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from helpers.images import folder_of, read, save
from helpers.media import noise

from vfiscope.errors import SourceError
from vfiscope.files import HDF5_MARK
from vfiscope.sources import open_source


# --- which files, in which order
def test_unpadded_numbers_come_in_natural_order(tmp_path: Path) -> None:
    made = folder_of(tmp_path, [f"shot{i}.png" for i in (1, 2, 9, 10, 11, 100)])
    with open_source(tmp_path) as source:
        assert [os.path.basename(file) for file in source.info.files] == [
            f"shot{i}.png" for i in (1, 2, 9, 10, 11, 100)
        ]
        assert source.info.frames_expected == 6
    np.testing.assert_array_equal(read(tmp_path), made)


def test_a_glob_goes_over_folders_in_natural_order(tmp_path: Path) -> None:
    made = folder_of(tmp_path, ["1/frame_01.png", "2/frame_01.png", "10/frame_01.png"])
    save(tmp_path / "2/frame_02.png", noise(1, 6, 8)[0])
    np.testing.assert_array_equal(read(str(tmp_path / "*" / "frame_01.png")), made)
    assert len(read(str(tmp_path / "**" / "*.png"))) == 4


def test_a_printf_pattern_starts_at_the_smallest_number(tmp_path: Path) -> None:
    made = folder_of(tmp_path, ["f_0007.png", "f_0008.png", "f_0010.png", "f_10000.png"])
    for other in ("f_7.png", "g_0009.png", "f_0009.png.bak", "f_00011.png"):
        (tmp_path / other).write_bytes(b"x")
    with open_source(tmp_path / "f_%04d.png") as source:
        assert len(source.info.files) == 4
    np.testing.assert_array_equal(read(tmp_path / "f_%04d.png"), made)


def test_a_pattern_with_a_percent_sign_means_the_sign(tmp_path: Path) -> None:
    made = folder_of(tmp_path, ["100%_1.png", "100%_2.png"])
    np.testing.assert_array_equal(read(tmp_path / "100%%_%d.png"), made)


@pytest.mark.parametrize(
    ("target", "reason"),
    [
        ("f_%04d.png", "no file fits"),
        ("%d_%d.png", "holds 2 numbers: pass a pattern with one"),
        ("gone/f_%d.png", "cannot be listed"),
        ("*.txt", "holds no image"),
        ("*.jpg", r"no file fits '.*/\*\.jpg': check the folder and the pattern"),
        ("gone/*.png", "no file fits"),
        (".", "holds no image: images end in .png"),
    ],
)
def test_targets_without_images_are_refused(tmp_path: Path, target: str, reason: str) -> None:
    (tmp_path / "notes.txt").write_text("x")
    with pytest.raises(SourceError, match=reason):
        open_source(os.path.join(tmp_path, target))


def test_a_folder_without_images_tells_what_it_holds(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    with pytest.raises(SourceError, match=r"but folders: pass one of them, or a quoted glob"):
        open_source(tmp_path)
    for name in ("b.mp4", "a.MOV"):
        (tmp_path / name).write_bytes(b"x")
    with pytest.raises(SourceError, match=r"but 2 videos, such as a\.MOV: pass one of them"):
        open_source(tmp_path)


def test_a_result_is_no_video(tmp_path: Path) -> None:
    (tmp_path / "a.h5").write_bytes(HDF5_MARK + bytes(4000))
    with pytest.raises(SourceError, match="is an HDF5 file, such as a result: pass a video"):
        open_source(tmp_path / "a.h5")


def test_a_literal_name_wins_over_a_glob(tmp_path: Path) -> None:
    made = folder_of(tmp_path, ["a[1].png", "a1.png"])
    np.testing.assert_array_equal(read(tmp_path / "a[1].png"), made[:1])


def test_other_files_are_left_out_and_counted(tmp_path: Path) -> None:
    made = folder_of(tmp_path, ["1.PNG", "2.png"])
    for other in ("Thumbs.db", ".hidden.png", "notes.txt"):
        (tmp_path / other).write_bytes(b"x")
    (tmp_path / "sub").mkdir()
    with open_source(tmp_path) as source:
        assert tuple(map(str, source.info.notes)) == (
            "left out 3 files that are not images",
            "left out 1 folder inside",
        )
    np.testing.assert_array_equal(read(tmp_path), made)


@pytest.mark.parametrize(
    "names", [["1.png", "01.png"], ["a_1_2.png", "a_1_02.png"], ["x07.png", "x7.png"]]
)
def test_two_files_for_one_frame_are_refused(tmp_path: Path, names: list[str]) -> None:
    folder_of(tmp_path, names)
    with pytest.raises(SourceError, match="stand for the same frame"):
        open_source(tmp_path)


def test_one_number_in_two_kinds_of_file_is_refused(tmp_path: Path) -> None:
    folder_of(tmp_path, ["f1.png", "f2.png"])
    save(tmp_path / "f1.jpg", noise(1, 6, 8)[0])
    with pytest.raises(SourceError, match=r"f1.* stand for the same frame"):
        open_source(tmp_path)
    assert len(read(tmp_path / "*.png")) == 2


@pytest.mark.parametrize(
    ("numbers", "notes"),
    [
        ([5, 6, 7, 9, 10], ("numbering jumps from 7 to 9 (1 missing)",)),
        ([0, 10, 20, 50, 60], ("numbering jumps from 20 to 50 (2 missing)",)),
        ([1, 2, 4, 5, 9], ()),
        (
            [1, 2, 3, 5, 6, 7, 11, 12],
            ("numbering jumps from 3 to 5 (1 missing), and in 1 other place: 4 missing in all",),
        ),
        ([1585746033, 1585756833, 1585767633, 1585832434, 1585843233], ()),
        ([1585746033, 1585756901, 1585767620], ()),
        ([4], ()),
    ],
)
def test_gaps_are_noted_where_the_numbering_is_regular(
    tmp_path: Path, numbers: list[int], notes: tuple[str, ...]
) -> None:
    folder_of(tmp_path, [f"take2_{number}.png" for number in numbers])
    assert tuple(map(str, open_source(tmp_path, time_from="fps").info.notes)) == notes

"""The order of image files: signs, fractions, capitals, counters that start again."""

from __future__ import annotations

from pathlib import Path

import pytest
from helpers.images import folder_of, read

import vfiscope as vs
from vfiscope.errors import SourceError
from vfiscope.sources import open_source
from vfiscope.sources.images.file_order import in_order
from vfiscope.types import Code


@pytest.mark.parametrize(
    "names",
    [
        # numbers before the start of an event
        ["frame_-0004.png", "frame_-0001.png", "frame_0000.png", "frame_0003.png"],
        ["-12.5.png", "-2.25.png", "0.5.png", "3.png"],
        ["take 2 -10.tif", "take 2 -9.tif", "take 2 1.tif"],
        # hyphens are no signs
        ["shot-1.png", "shot-2.png", "shot-10.png"],
        ["2024-05-01.png", "2024-05-02.png", "2024-11-01.png"],
        ["Scene -001.png", "Scene -002.png", "Scene -003.png"],
        ["clip--001.png", "clip--002.png", "clip--010.png"],
        ["take -1/-001.png", "take -1/-002.png", "take -2/-001.png"],
        ["a_-001_-2.png", "a_-001_0.png", "a_-002_-1.png"],  # of two places, one has signs
        ["a_-1.png", "a_-2.png", "b_0.png"],
        # fractions
        ["t_0.125.png", "t_0.25.png", "t_0.5.png", "t_1.0.png"],
        ["x1.05.png", "x1.5.png", "x12.25.png"],
        # counters after a point
        ["1.8.png", "1.9.png", "1.10.png", "1.11.png"],
        ["cam.0009.png", "cam.0010.png", "cam.0100.png"],
        ["2024.5.9.png", "2024.5.10.png", "2024.11.1.png"],
        # capitals
        ["IMG_0001.JPG", "img_0002.jpg", "IMG_0003.JPG"],
        ["a1.PNG", "B1.png", "c1.PNG"],
        ["Day1/x.png", "day2/X.png", "DAY10/x.png"],
    ],
)
def test_names_come_in_the_order_of_their_numbers(names: list[str]) -> None:
    paths = [f"/photos/{name}" for name in names]
    assert list(in_order(sorted(paths, reverse=True)).files) == paths


def test_a_negative_number_is_noted_once(tmp_path: Path) -> None:
    folder_of(tmp_path, ["f_-0002.png", "f_-0001.png", "f_0000.png", "f_0001.png"])
    with open_source(tmp_path) as source:
        assert [note.values for note in source.info.notes] == [
            {"file": "f_-0002.png", "number": -2}
        ]
        assert not source.info.gaps


@pytest.mark.parametrize("last", ["0", "-1"])
def test_a_pattern_counts_below_zero(tmp_path: Path, last: str) -> None:
    made = folder_of(tmp_path, ["f_-3.png", "f_-2.png", f"f_{last}.png"])
    assert (read(tmp_path / "f_%d.png") == made).all()
    assert (read(tmp_path / "f_-%d.png") == made[[1, 0] if last == "0" else [2, 1, 0]]).all()


def test_negative_numbers_are_told_with_a_run(tmp_path: Path) -> None:
    folder_of(tmp_path, ["f_-2.png", "f_-1.png", "f_0.png"])
    with vs.scan(str(tmp_path), lag=1, metrics="psnr", maps="none", fields="none") as run:
        (warning,) = run.warnings
    assert "numbers after a minus are negative: f_-2.png is number -2" in warning


@pytest.mark.parametrize("names", [["IMG_1.png", "img_1.png"], ["t0.5.png", "t00.5.png"]])
def test_names_that_differ_only_in_how_they_are_written_are_refused(
    tmp_path: Path, names: list[str]
) -> None:
    folder_of(tmp_path, names)
    with pytest.raises(SourceError, match="stand for the same frame"):
        open_source(tmp_path)


@pytest.mark.parametrize(
    ("numbers", "first"),
    [
        (["0001", "0002", "9998", "9999"], "9998"),
        (["000", "001", "996", "997", "999"], "996"),
        (["00001", "99999"], "99999"),
    ],
)
def test_a_counter_that_starts_again_is_read_on(
    tmp_path: Path, numbers: list[str], first: str
) -> None:
    folder_of(tmp_path, [f"DSC_{number}.png" for number in numbers])
    with open_source(tmp_path) as source:
        found = [Path(file).stem.removeprefix("DSC_") for file in source.info.files]
        (note,) = [each for each in source.info.notes if each.code == Code.COUNTER_STARTS_AGAIN]
        missing = sum(gap.missing for gap in source.info.gaps)
    at = numbers.index(first)
    assert found == numbers[at:] + numbers[:at]
    assert note.values["first"] == int(first)
    assert missing == (1 if first == "996" else 0)  # 998


@pytest.mark.parametrize(
    "numbers",
    [
        ["0001", "0002", "9997", "9998"],  # does not reach the last number
        ["0002", "9998", "9999"],  # does not begin anew
        ["1", "2", "9998", "9999"],  # not a counter of four digits
        ["0001", "0002", "5002", "9999"],  # missing in two places
        ["01", "99"],
    ],
)
def test_other_jumps_leave_the_order_of_numbers(numbers: list[str]) -> None:
    ordered = in_order([f"/p/DSC_{number}.png" for number in numbers])
    assert [Path(file).stem.removeprefix("DSC_") for file in ordered.files] == numbers
    assert ordered.numbers == ordered.written

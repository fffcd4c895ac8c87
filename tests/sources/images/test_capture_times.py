"""Times of a time-lapse, from EXIF and from names."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from helpers.media import column, noise, write_video
from PIL import Image

import vfiscope as vs
from vfiscope.errors import SourceError, UsageError
from vfiscope.sources import open_source


def save(
    path: Path, taken: str | None = None, fraction: str | None = None, offset: str | None = None
) -> Path:
    exif = Image.Exif()
    inner = exif.get_ifd(0x8769)
    for tag, value in ((0x9003, taken), (0x9291, fraction), (0x9011, offset)):
        if value is not None:
            inner[tag] = value
    Image.fromarray(noise(1, 8, 8)[0]).save(path, exif=exif)
    return path


@pytest.mark.parametrize(
    ("names", "seconds"),
    [
        (["1585746033.png", "1585746093.png", "1585756833.png"], [0, 60, 10800]),
        (["1585746033000.png", "1585746033250.png"], [0, 0.25]),
        (["cam2_20240501_123000.png", "cam2_20240501_123105.png"], [0, 65]),
        (["2024-05-01T23-59-59.png", "2024-05-02T00-00-01.png"], [0, 2]),
        (["2024-02-28 12h00m00.5.png", "2024-02-29 12h00m00.75.png"], [0, 86400.25]),
        (["2024-02-28.png", "2024-02-29.png", "2024-03-02.png"], [0, 86400, 259200]),
        (["cam 20240501_0930.png", "cam 20240501_1000.png"], [0, 1800]),
    ],
)
def test_names_tell_the_time_exactly(
    tmp_path: Path, names: list[str], seconds: list[float]
) -> None:
    for name in names:
        save(tmp_path / name)
    with open_source(tmp_path, time_from="name") as source:
        assert source.info.time_base == Fraction(1, 10**6)
        assert source.info.rate is None
        assert column(source, "time_s") == seconds
        assert source.info.duration_s == seconds[-1]


def test_unix_times_are_kept_as_presentation_times(tmp_path: Path) -> None:
    save(tmp_path / "1585746033.png")
    assert column(open_source(tmp_path / "1585746033.png", time_from="name"), "pts") == [
        1585746033 * 10**6
    ]


def test_exif_tells_the_time_with_fraction_and_offset(tmp_path: Path) -> None:
    save(tmp_path / "1.jpg", "2024:05:01 12:00:00")
    save(tmp_path / "2.jpg", "2024:05:01 12:00:00", "5")
    save(tmp_path / "3.jpg", "2024:05:01 14:00:10", offset="+02:00")
    with open_source(tmp_path, time_from="exif") as source:
        assert column(source, "time_s") == [0.0, 0.5, 10.0]
        assert column(source, "pts")[0] == 1714564800 * 10**6


def test_ranges_by_time_use_the_times_of_the_pictures(tmp_path: Path) -> None:
    for second in (0, 10, 400, 500):
        save(tmp_path / f"{1585746033 + second}.png")
    assert column(open_source(tmp_path, time_from="name", start="10s", stop="500s"), "index") == [
        1,
        2,
    ]


@pytest.mark.parametrize("how", ["exif", "name"])
def test_a_picture_without_a_time_is_refused_by_name(tmp_path: Path, how: str) -> None:
    save(tmp_path / "1585746033.jpg", "2024:05:01 12:00:00")
    save(tmp_path / "shot_2.jpg", "not a time")
    with pytest.raises(SourceError, match=r"shot_2\.jpg has no .*leave out --time-from"):
        open_source(tmp_path, time_from=how)


def test_impossible_dates_are_no_times(tmp_path: Path) -> None:
    save(tmp_path / "20241301_123000.png")
    with pytest.raises(SourceError, match="has no unix time or date in its name"):
        open_source(tmp_path, time_from="name")


def test_only_images_have_such_times(tmp_path: Path) -> None:
    for target in (noise(2, 8, 8), write_video(tmp_path / "a.mkv", noise(2, 8, 8))):
        with pytest.raises(UsageError, match="is for image folders"):
            open_source(target, time_from="name")
    with pytest.raises(UsageError, match="time_from is 'sun': choose one of exif, name, fps"):
        open_source(noise(1, 8, 8), time_from="sun")


def test_a_run_stores_the_times_of_the_pictures(tmp_path: Path) -> None:
    for second in (0, 60, 3600):
        save(tmp_path / f"{1585746033 + second}.png")
    with vs.scan(
        str(tmp_path), metrics="psnr", maps="none", fields="none", time_from="name"
    ) as run:
        np.testing.assert_array_equal(run.frames.time_s, [0, 60, 3600])
        assert run.config["time_from"] == "name"


def test_a_real_time_lapse_tells_its_times(shared_data: Path) -> None:
    with open_source(shared_data / "timelapse/garden", time_from="name") as source:
        names = [int(Path(file).stem) for file in source.info.files]
        assert column(source, "pts") == [name * 10**6 for name in names]

"""Timecode of frames, against hand-computed ones and the inverse rule."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vfiscope.views.segment_exports.timecode import Timecode, timecode_of

NTSC_30, NTSC_60 = Fraction(30000, 1001), Fraction(60000, 1001)


def frame_of(text: str, base: int, drop: int) -> int:
    """The frame that a timecode names: all numbers before it, less those left out."""
    hours, minutes, seconds, frames = map(int, text.replace(";", ":").split(":"))
    minutes += 60 * hours
    return (60 * minutes + seconds) * base + frames - drop * (minutes - minutes // 10)


@pytest.mark.parametrize(
    ("rate", "drop", "frame", "text"),
    [
        (Fraction(25), True, 90_000, "01:00:00:00"),
        (Fraction(24), True, 57, "00:00:02:09"),
        (Fraction(24000, 1001), True, 86_400, "01:00:00:00"),  # counts, 3.6 s behind the clock
        (NTSC_30, True, 1799, "00:00:59;29"),
        (NTSC_30, True, 1800, "00:01:00;02"),
        (NTSC_30, True, 3597, "00:01:59;29"),
        (NTSC_30, True, 3598, "00:02:00;02"),
        (NTSC_30, True, 17_981, "00:09:59;29"),
        (NTSC_30, True, 17_982, "00:10:00;00"),
        (NTSC_30, True, 107_892, "01:00:00;00"),
        (NTSC_30, False, 1800, "00:01:00:00"),
        (NTSC_30, False, 18_000, "00:10:00:00"),
        (NTSC_30, False, 108_000, "01:00:00:00"),
        (NTSC_60, True, 3600, "00:01:00;04"),
        (NTSC_60, True, 35_964, "00:10:00;00"),
        (NTSC_60, True, 215_784, "01:00:00;00"),
        (NTSC_60, False, 216_000, "01:00:00:00"),
        (Fraction(2997, 100), True, 17_982, "00:10:00;00"),
        (Fraction(100), True, 199, "00:00:01:99"),
        (NTSC_30, True, 2_589_407, "23:59:59;29"),
    ],
)
def test_timecode(rate: Fraction, drop: bool, frame: int, text: str) -> None:
    timecode = timecode_of(rate, drop=drop)
    assert timecode is not None
    assert timecode.text(frame) == text


@pytest.mark.parametrize("drop", [0, 2])
def test_a_day(drop: int) -> None:
    assert Timecode(30, drop).day == (2_592_000 if not drop else 2_589_408)
    assert Timecode(30, drop).hour * 24 == Timecode(30, drop).day


@given(
    st.sampled_from([(24, 0), (25, 0), (30, 0), (60, 0), (30, 2), (60, 4)]), st.integers(0, 2**40)
)
def test_a_frame_comes_back_from_its_timecode(how: tuple[int, int], frame: int) -> None:
    timecode = Timecode(*how)
    frame %= timecode.day
    assert frame_of(timecode.text(frame), *how) == frame


def test_the_clock_is_right_to_a_frame_after_every_ten_minutes() -> None:
    for tens in range(0, 144, 7):
        frame = tens * 17_982
        assert Timecode(30, 2).text(frame) == f"{tens // 6:02}:{tens % 6}0:00;00"
        assert abs(frame / NTSC_30 - 600 * tens) <= tens * 0.0007  # 0.6 ms in ten minutes


@pytest.mark.parametrize("rate", ["25/2", "120", "120000/1001", "29", "1/2", "1000", "299/10"])
def test_rates_without_timecode(rate: str) -> None:
    found = timecode_of(Fraction(rate), drop=True)
    assert found == (Timecode(29) if rate == "29" else None)

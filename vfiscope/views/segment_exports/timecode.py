"""Timecode of SMPTE ST 12-1: hours, minutes, seconds and frames, counted at a whole rate.

At 30000/1001 and 60000/1001 frames a second a count of 30 or 60 to the second falls behind the
clock by 3.6 s in an hour. Drop-frame timecode leaves out the numbers of the first two (four) frames
of every minute but each tenth, and so is right to a frame every ten minutes; no frame is lost.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

__all__ = ["Timecode", "timecode_of"]

MOST_FRAMES = 100
"""Frames per second that two digits count."""
NTSC_SLACK = Fraction(1, 100)
"""23.98 is written for 24000/1001."""


@dataclass(frozen=True)
class Timecode:
    """How frames are numbered."""

    base: int
    """Frame numbers in a second."""
    drop: int = 0
    """Numbers left out in every minute but each tenth: 2 at 29.97, 4 at 59.94 frames a second."""

    @property
    def ten_minutes(self) -> int:
        """Frames in ten minutes of timecode."""
        return 600 * self.base - 9 * self.drop

    @property
    def hour(self) -> int:
        """Frames in an hour of timecode."""
        return 6 * self.ten_minutes

    @property
    def day(self) -> int:
        """Frames until timecode begins again."""
        return 24 * self.hour

    def text(self, frame: int) -> str:
        """``01:00:00:00`` of a frame from 0 below :attr:`day`; ``01:00:00;00`` with dropped
        numbers."""
        tens, rest = divmod(frame, self.ten_minutes)
        minutes = max(0, rest - self.drop) // (60 * self.base - self.drop)  # the first drops none
        number = frame + self.drop * (9 * tens + minutes)
        seconds, frames = divmod(number, self.base)
        clock = f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
        return f"{clock}{';' if self.drop else ':'}{frames:02}"


def timecode_of(rate: Fraction, *, drop: bool) -> Timecode | None:
    """The timecode of a frame rate: a whole number, or one that is slowed to 1000/1001.

    Args:
        rate: frames per second.
        drop: leave numbers out where the rate allows it (29.97 and 59.94).

    Returns:
        None where the rate has no timecode.
    """
    base = round(rate * 1001 / 1000)
    slowed = rate.denominator != 1 and abs(rate * 1001 / 1000 - base) < NTSC_SLACK
    if not (slowed or rate.denominator == 1) or not 1 <= round(rate) <= MOST_FRAMES:
        return None
    if not slowed:
        return Timecode(int(rate))
    return Timecode(base, base // 15 if drop and base % 30 == 0 else 0)

"""Parts of a stream whose clock starts again, as in transport streams that were joined byte by
byte: find where they begin, and count their times on."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain, pairwise
from typing import TypeAlias

import av
from av.container import InputContainer
from av.video.stream import VideoStream

__all__ = ["Packet", "PartClock", "in_parts"]

Packet: TypeAlias = "av.Packet[VideoStream]"
TS_DISCONT = 0x200
"""The flag of formats whose times may jump (AVFMT_TS_DISCONT)."""
CLOCK_WINDOW = 3
"""Latest packets of a part that a later one must precede to begin a new part."""


def in_parts(
    packets: Iterable[Packet | None], container: InputContainer
) -> Iterator[tuple[Packet | None, int]]:
    """Each packet with how often the clock of the stream had started again.

    A part begins with a packet whose decoding time precedes the latest ones, if the clock does not
    return to them: one damaged time is not enough. What follows therefore goes on from the early
    packet; where it has no time, a part begins with a keyframe only.

    Args:
        packets: in the order of the file; None for each one that the demuxer refused.
        container: tells whether its format allows times to jump.
    """
    if not container.format.flags & TS_DISCONT:
        yield from ((packet, 0) for packet in packets)
        return
    part, recent = 0, deque[int](maxlen=CLOCK_WINDOW)
    for packet, following in pairwise(chain(packets, [None])):
        if packet is None or packet.dts is None:
            yield packet, part
            continue
        early = bool(recent) and packet.dts <= min(recent)
        begins = early and _goes_on(packet, following, max(recent))
        if begins:
            part += 1
            recent.clear()
        if begins or not early:
            recent.append(packet.dts)
        yield packet, part


def _goes_on(early: Packet, following: Packet | None, latest: int) -> bool:
    """True if the clock goes on from an early packet, not from the latest time of the part before;
    where both are alike, that part was of one packet."""
    if following is None or following.dts is None:
        return early.is_keyframe
    return following.dts <= latest or early.dts == latest


@dataclass
class PartClock:
    """Presentation times that go on where the clock of a stream starts again, or has no time for a
    frame: one frame after the latest, by the average rate."""

    step: int
    """Ticks from a frame to the next."""
    part: int = 0
    shift: int = 0
    """From the times of this part to those of the first."""
    last: int | None = None
    """The latest time; None before the first frame."""

    @classmethod
    def of(cls, rate: Fraction | None, time_base: Fraction) -> PartClock:
        """The clock of a stream with an average rate; without one, frames are a tick apart."""
        return cls(max(1, round(1 / (rate * time_base))) if rate else 1)

    def count(self, pts: int | None, part: int) -> int:
        """The time of the next frame in ticks, from its time in its own part, if it has one."""
        following = 0 if self.last is None else self.last + self.step
        if pts is None:
            self.last = following
            return following
        if part != self.part:
            self.part, self.shift = part, following - pts
        self.last = pts + self.shift
        return self.last

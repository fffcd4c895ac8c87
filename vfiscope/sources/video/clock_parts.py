"""Find where the clock of a stream starts again, as in transport streams that were joined byte by
byte."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

import av
from av.container import InputContainer
from av.video.stream import VideoStream

__all__ = ["PartClock"]

TS_DISCONT = 0x200
"""The flag of formats whose times may jump (AVFMT_TS_DISCONT)."""
CLOCK_WINDOW = 3
"""Latest packets of a part that a later one must precede to begin a new part: one damaged time is
not enough."""


@dataclass
class PartClock:
    """Watches the decoding times of the packets of a stream, which rise within a part."""

    may_restart: bool
    """Whether the format allows times to jump."""
    part: int = 0
    """How often the clock has started again."""
    recent: deque[int] = field(default_factory=lambda: deque(maxlen=CLOCK_WINDOW))
    """Decoding times of the latest packets of the part, without an early one."""
    early: bool = False
    """Whether the latest packet precedes all of them."""

    @classmethod
    def of(cls, container: InputContainer) -> PartClock:
        return cls(bool(container.format.flags & TS_DISCONT))

    def begins(self, packet: av.Packet[VideoStream]) -> int | None:
        """0 if a new part begins with this packet, 1 if with the one before, else None.

        A part begins at once with a keyframe; as it may begin between keyframes too, otherwise when
        two packets agree.
        """
        if not self.may_restart or packet.dts is None:
            return None
        was_early, self.early = self.early, bool(self.recent) and packet.dts <= min(self.recent)
        if self.early and not (was_early or packet.is_keyframe):
            return None
        ago = int(was_early) if self.early else None
        if self.early:
            self.part += 1
            self.recent.clear()
            self.early = False
        self.recent.append(packet.dts)
        return ago

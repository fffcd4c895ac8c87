"""What the container tells about a frame: the size of its packet, and whether it is a keyframe."""

from __future__ import annotations

import math

from vfiscope.signals.signal import Sight, Signal, SignalFrame
from vfiscope.types import SignalSpec

__all__ = ["KEYFRAME", "PACKET_BYTES", "keyframe", "packet_bytes"]


def packet_bytes(frame: SignalFrame) -> float:
    """Bytes of the packet with the presentation time of the frame; NaN where there is none."""
    return math.nan if frame.packet is None else float(frame.packet[0])


def keyframe(frame: SignalFrame) -> float:
    """1 for a packet that is flagged as a keyframe, 0 for any other."""
    return math.nan if frame.packet is None else float(frame.packet[1])


PACKET_BYTES = Signal(
    SignalSpec("packet_bytes", "bytes", "Size of the frame's packet in the container."),
    packet_bytes,
    Sight.PACKETS,
    usual=True,
)
KEYFRAME = Signal(
    SignalSpec("keyframe", "1", "1 where the container flags the frame as a keyframe, else 0."),
    keyframe,
    Sight.PACKETS,
    usual=True,
)

"""List the packets of a video without decoding them."""

from __future__ import annotations

import numpy as np

from vfiscope.sources.video.clock_parts import in_parts
from vfiscope.sources.video.container import VideoFile, opened
from vfiscope.sources.video.decode import packets
from vfiscope.types import PacketIndex

__all__ = ["list_packets"]


def list_packets(video: VideoFile) -> PacketIndex:
    """The packets that have a time, as far as the clock of the stream goes on: in joined streams,
    those of the first part.

    Raises:
        SourceError: the file cannot be opened, or cannot be read on.
    """
    found: dict[int, tuple[int, bool]] = {}
    with opened(video) as (container, stream):
        for packet, part in in_parts(packets(video.path, container, stream), container):
            if part:
                break
            if packet is None or packet.pts is None or not packet.size or packet.is_discard:
                continue
            size, keyframe = found.get(packet.pts, (0, False))
            found[packet.pts] = size + packet.size, keyframe or packet.is_keyframe
    times = sorted(found)
    return PacketIndex(
        np.array(times, np.int64),
        np.array([found[pts][0] for pts in times], np.int64),
        np.array([found[pts][1] for pts in times], np.bool_),
    )

"""The packets of a video, read one by one or listed without decoding them."""

from __future__ import annotations

from collections.abc import Iterator

import av
import numpy as np
from av.container import InputContainer
from av.video.stream import VideoStream

from vfiscope.errors import SourceError
from vfiscope.sources.video.clock_parts import Packet, in_parts
from vfiscope.sources.video.container import VideoFile, opened
from vfiscope.types import PacketIndex

__all__ = ["list_packets", "packets"]


def packets(path: str, container: InputContainer, stream: VideoStream) -> Iterator[Packet | None]:
    """The packets of the stream; None for each one that the demuxer refused.

    Raises:
        SourceError: the file cannot be read on, or is encrypted and would be decoded to noise.
    """
    going = True
    while going:
        try:
            for packet in container.demux(stream):
                if packet.has_sidedata("encryption_info"):
                    raise SourceError(f"{path} is encrypted (DRM): pass a file without protection")
                yield packet
            going = False
        except av.InvalidDataError:
            yield None
        except IndexError:  # PyAV, of a packet whose stream began after the file was opened
            continue
        except (av.FFmpegError, OSError) as error:
            raise SourceError(f"{path} cannot be read on: {error.strerror or error}") from error


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

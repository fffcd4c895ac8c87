"""The packets of MPEG-TS files (ISO/IEC 13818-1), counted without a decoder."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from vfiscope.files import open_regular
from vfiscope.types import Uint8

__all__ = ["TS_PACKET", "TS_SYNC", "frames_begun"]

TS_PACKET, TS_SYNC = 188, 0x47
PACKETS_AT_ONCE = 2**13
TS_HEAD, PES_HEAD = 4, 9
"""Bytes: of a packet, and of an elementary stream's own (PES) up to its times."""


def frames_begun(path: str, pid: int) -> int:
    """How many elementary stream packets (PES) of a stream begin with a time, or should begin there
    and have lost their start code: each is followed by the beginning of a frame (2.4.3.7).

    Counted up to where packets do not follow each other any more. One that has lost its sync byte
    alone, which demuxers leave out, counts.

    Args:
        path: an MPEG-TS file of packets of 188 bytes.
        pid: the identifier of the stream.

    Raises:
        OSError: the file cannot be read.
    """
    return sum(_begun(packets, pid) for packets in _packets(path))


def _packets(path: str) -> Iterator[Uint8]:
    """(N, 188) packets, piece by piece."""
    with open_regular(path) as file:
        while piece := file.read(PACKETS_AT_ONCE * TS_PACKET):
            whole = len(piece) // TS_PACKET
            packets = np.frombuffer(piece, np.uint8, whole * TS_PACKET).reshape(whole, TS_PACKET)
            damaged = packets[:, 0] != TS_SYNC
            lost = np.flatnonzero(damaged[:-1] & damaged[1:])
            yield packets[: lost[0]] if len(lost) else packets
            if len(lost):
                return


def _begun(packets: Uint8, pid: int) -> int:
    flags, more = packets[:, 1], packets[:, 3]
    own = ((flags & 0x1F).astype(np.int32) << 8 | packets[:, 2]) == pid
    starts, clear, has_payload = (flags & 0x40) > 0, (more & 0xC0) == 0, (more & 0x10) > 0
    chosen = packets[own & starts & clear & has_payload]
    adapted = (chosen[:, 3] & 0x20) > 0
    begin = TS_HEAD + np.where(adapted, 1 + chosen[:, TS_HEAD].astype(np.int64), 0)
    fits = begin + PES_HEAD <= TS_PACKET
    chosen, begin = chosen[fits], begin[fits]
    head = chosen[np.arange(len(chosen))[:, None], begin[:, None] + np.arange(PES_HEAD)]
    coded = (head[:, :3] == (0, 0, 1)).all(axis=1)
    return int((~coded | ((head[:, 7] & 0x80) > 0)).sum())

"""What a container claims of the length of a video, held against what was read of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from av.container import InputContainer
from av.video.stream import VideoStream

from vfiscope.errors import SourceError
from vfiscope.sources.video.integrity import is_opendml
from vfiscope.sources.video.transport_stream import frames_begun
from vfiscope.types import Int64

__all__ = ["Claims", "emptied_places"]

COUNTED = ("avi", "ivf")
"""Formats whose header counts all frames, which are then read one after the other. Others claim
fewer in healthy files (the first fragment of MP4), have what they list and no more (MP4), or store
no number (GIF, where FFmpeg counts)."""


def emptied_places(pts: Int64, discarded: int) -> int:
    """How many frames an edit list hides that belong among those it shows.

    An edit list rightly cuts a beginning or an end. Where all frames follow each other at one
    distance but for as many gaps as frames were discarded, these are what is missing there: their
    own times were damaged.

    Args:
        pts: presentation timestamps of the frames that are shown, (N,).
        discarded: number of frames that the edit list hides.
    """
    if not discarded or len(pts) < 3:
        return 0
    rising = np.sort(pts)
    steps = rising[1:] - rising[:-1]
    usual = int(np.median(steps))
    if usual <= 0 or (steps % usual).any():
        return 0
    gaps = int((steps // usual - 1).sum())
    return gaps if gaps == discarded else 0


@dataclass(frozen=True)
class Claims:
    """Claims that are exact in healthy files; None where the container has none such."""

    frames: int | None
    """No healthy file holds more. It may hold fewer: AVI counts the times that frames are held."""
    seconds: Fraction | None
    """Until the end of the last frame, stored for this stream alone; not estimated."""
    rate: Fraction | None
    """Frames per second."""
    pid: int | None = None
    """Of a stream in a transport stream, which tells where its frames begin."""

    @classmethod
    def of(
        cls,
        container: InputContainer,
        stream: VideoStream,
        frames: int | None,
        seconds: Fraction | None,
        rate: Fraction | None,
    ) -> Claims:
        """Those claims of a container on a stream of it that can be relied upon.

        Raises:
            SourceError: the file cannot be read.
        """
        form, path = container.format.name, container.name
        pid = stream.id if form == "mpegts" else None
        with _readable(path):
            counted = form in COUNTED and not (form == "avi" and is_opendml(path))
        alone = "matroska" in form and len(container.streams) == 1
        return cls(frames or None if counted else None, seconds if alone else None, rate, pid)

    def short(self, frames: int, last_s: Fraction) -> int:
        """Frames that are missing at the end, by the claimed seconds; one is within rounding and
        does not count.

        Args:
            frames: that were decoded.
            last_s: presentation time of the last one, in seconds.
        """
        if not (self.seconds and self.rate and frames):
            return 0
        missing = (self.seconds - last_s) * self.rate - 1
        return int(missing) if missing >= 2 else 0

    def unseen(self, path: str, packets: int | None) -> int:
        """Frames of a transport stream of which the demuxer gave no packet.

        Args:
            path: the file.
            packets: that it gave, None where that is not known.

        Raises:
            SourceError: the file cannot be read.
        """
        if self.pid is None or packets is None:
            return 0
        with _readable(path):
            return max(0, frames_begun(path, self.pid) - packets)

    def surplus(self, frames: int) -> int:
        """Frames beyond the claimed number, as where a part of the file is there twice.

        Args:
            frames: that were read, those without pixels included.
        """
        return 0 if self.frames is None else max(0, frames - self.frames)


@contextmanager
def _readable(path: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise SourceError(f"{path} cannot be read: {error.strerror or error}") from error

"""The counts of what a source held and how it could be read."""

from __future__ import annotations

from dataclasses import dataclass

from vfiscope.types import Code, Note

__all__ = ["Counts"]


@dataclass
class Counts:
    """Counts of the frames of the latest iteration; partial while it is in progress."""

    decoded: int = 0
    """Frames decoded, whether selected or not. Image files outside the selection are not read and
    not counted."""
    delivered: int = 0
    """Frames handed out, those without pixels included."""
    corrupt: int = 0
    """Frames that the decoder marked or logged as damaged; they were kept."""
    undecodable: int = 0
    """Packets of a video that the demuxer or the decoder refused and that have no row, for want of
    a time."""
    unreadable: int = 0
    """Rows without pixels: image files that cannot be decoded, and packets of a video that gave no
    frame."""
    skipped: int = 0
    """Frames that the container itself says are not to be shown (edit lists)."""
    broken: int = 0
    """Packets of a video that the demuxer marked as damaged; they were decoded nevertheless."""
    lost: int = 0
    """Packets of a video that gave neither a frame nor an error nor a row, in codecs of a frame a
    packet; in transport streams also those that the demuxer did not find."""
    packets: int | None = None
    """Packets that the demuxer gave; None before the end, or where two may make a frame."""
    hidden: int = 0
    """Packets inside a video, not at its ends, that the container says are not to be shown: a part
    of ``skipped``."""
    short: int = 0
    """Frames by which a video is shorter than its container claims in seconds."""
    surplus: int = 0
    """Frames of a video beyond the number that its container claims, where such claims are
    exact."""
    gave_up: int = 0
    """Refused packets in a row after which the rest of a video was not read; 0 where it was."""
    seen: int = 0
    """Rows up to the stop, selected or not."""
    stop: int | None = None
    """Ordinal of the first frame at or after the stop; None where none was reached."""
    ended: bool = False
    """True if decoding reached the end of the source."""

    def given_up(self, path: str) -> Note | None:
        """A note where reading ended early, else None."""
        if not self.gave_up:
            return None
        values = {"path": path, "packets": self.gave_up, "frames": self.decoded}
        return Note(Code.GAVE_UP, values)

"""The base of all sources: selection of frames, counts, and iteration in batches."""

from __future__ import annotations

import operator
import os
import stat
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Generator, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import partial
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vfiscope import config
from vfiscope.errors import SourceError, UsageError
from vfiscope.options.crop import Box
from vfiscope.pixels import times_smaller
from vfiscope.sources.batching import SelectedRow, arrange, gather
from vfiscope.sources.counts import Counts
from vfiscope.sources.geometry import cropped, resize_into
from vfiscope.sources.selection import NOT_ASKED, Options, Selection
from vfiscope.stage_clock import StageClock
from vfiscope.types import Frames, Note, PacketIndex, SeekTable, SourceInfo, Status

__all__ = [
    "RGB_COLOR",
    "Counts",
    "Pixels",
    "Row",
    "Single",
    "Source",
    "check_file",
]

Pixels = NDArray[np.uint8] | NDArray[np.uint16]


RGB_COLOR = {
    "matrix": "rgb",
    "range": "full",
    "primaries": "unknown",
    "transfer": "unknown",
    "decided_by": "tag",
}
"""The interpretation of the code values of images and arrays."""


@dataclass(frozen=True, slots=True)
class Row:
    """One frame before its pixels are wanted."""

    index: int
    pts: int
    paint: Callable[..., Status]
    """Writes the frame into an (H, W, 3) array, and what belongs beside it if it is called with
    :class:`~vfiscope.pixels.Beside`; called at once or not at all."""


@dataclass(frozen=True, eq=False)
class Single:
    """One frame as numpy has it."""

    index: int
    status: Status
    pixels: Pixels
    """(H, W, 3) RGB code values, uint8 or uint16; zeros where it is unreadable."""

    @property
    def shown(self) -> NDArray[np.uint8]:
        """The pixels reduced to 8 bits."""
        return (self.pixels >> (8 * self.pixels.itemsize - 8)).astype(np.uint8)


class Source(ABC):
    """Frames in presentation order, batch by batch, as often as it is iterated.

    A context manager. Memory does not grow with the length: one batch is alive at a time, and it
    belongs to whoever received it.

    Raises while iterating:
        SourceError: it was closed, a frame has another size or depth than the first, the file
            cannot be read on, or it holds no frame that can be decoded.
        UsageError: start, stop and step select no frame.
    """

    def __init__(self, info: SourceInfo, options: Options) -> None:
        if options.crop is not None and not options.crop.lies_in((info.height, info.width)):
            raise UsageError(
                f"crop is {options.crop}, but frames of {info.path} are"
                f" {info.width}x{info.height}: pass X,Y,W,H inside of them"
            )
        if options.crop is not None and options.crop.size == (info.height, info.width):
            options = replace(options, crop=None)
        self._info = info
        self._options = options
        self._closed = False
        self._noted: set[str] = set()
        self._timed: Callable[[Generator[Frames]], Iterator[Frames]] = iter
        self._writes_beside = False
        self.counts = Counts()
        self.seek_table: SeekTable | None = None
        """The seek table of a video, from this or an earlier reading of the file; None for other
        sources."""

    @property
    def info(self) -> SourceInfo:
        """The description of the source. Its notes may grow during iteration."""
        return self._info

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) of the frames as delivered."""
        if self._options.resize is not None:
            return self._options.resize[0], self._options.resize[1]
        whole = self._info.height, self._info.width
        height, width = whole if self.crop is None else self.crop.size
        times = times_smaller((height, width), self._options.max_width or width)
        return max(1, height // times), max(1, width // times)

    @property
    def is_shrunk(self) -> bool:
        """Whether frames are delivered at a fraction of their size, by ``max_width``."""
        return self._options.max_width is not None and self._info.width > self.size[1]

    @property
    def crop(self) -> Box | None:
        """The part of each frame that is delivered, in pixels before it is resized; None for
        all."""
        return self._options.crop

    @property
    def span_s(self) -> tuple[float, float | None]:
        """Where the chosen frames start and end, in seconds from the first frame, as far as the
        claims tell.

        The end is None where nothing is claimed.
        """
        selection, length = self._options.selection, self._info.duration_s
        start, stop = self._seconds(selection.start) or 0.0, self._seconds(selection.stop)
        return start, length if stop is None else min(stop, length or stop)

    def _seconds(self, position: int | Fraction | None) -> float | None:
        """A position in seconds, by the rate or the mean interval that are claimed; None where
        there is neither."""
        if not isinstance(position, int):
            return None if position is None else float(position)
        if self._info.rate is not None:
            return float(position / self._info.rate)
        count, length = self._info.frames_expected, self._info.duration_s
        return position * length / count if count and length else None

    @property
    def packets(self) -> PacketIndex | None:
        """The packets of a video by their presentation times, which are read at the first use; None
        for other sources, and where frames have no times of their own."""
        return None

    @property
    def selection(self) -> Selection:
        """The selected frames."""
        return self._options.selection

    def __iter__(self) -> Iterator[Frames]:
        return self.select(self.selection)

    def select(self, selection: Selection) -> Iterator[Frames]:
        """As iterating, with other frames than those that were asked for when the source was
        opened."""
        self._check_open()
        self.counts = Counts()
        return self._timed(self._batches(self.counts, selection))

    def time_reading(self, clock: StageClock, stage: str) -> None:
        """Charge the making of batches to a stage of a clock."""
        self._timed = partial(clock.timed, stage)

    def singles(self, ordinals: Collection[int]) -> Generator[Single]:
        """The frames of some decode ordinals, rising, whatever was asked for when the source was
        opened.

        As :meth:`frames_at`, without torch and one at a time. Ordinals that the source does not
        have are left out.
        """
        self._check_open()
        dtype = np.uint8 if self._info.bit_depth == 8 else np.uint16
        with closing(self._rows_at(sorted({i for i in ordinals if i >= 0}))) as rows:
            for row in rows:
                out = np.empty((*self.size, 3), dtype)
                yield Single(row.index, row.paint(out), out)

    def frames_at(self, ordinals: Sequence[int]) -> Frames:
        """Exactly the frames of some decode ordinals, whatever was asked for when the source was
        opened.

        They are what iterating the whole source gives for them, bit for bit: pixels, times and
        statuses. Images are read one by one. Of a video that was read before, frames are found
        through its keyframes and compared with what was noted then; otherwise it is decoded up to
        the last of them, and that is noted for the next call.

        Args:
            ordinals: of frames, in any order, repeated as often as wanted.

        Returns:
            One frame for each ordinal, in this order.

        Raises:
            SourceError: the source has no frame of an ordinal, or was closed.
            UsageError: these frames do not fit in ``config.MAX_BATCH_BYTES``.
        """
        self._check_open()
        wanted = [operator.index(ordinal) for ordinal in ordinals]
        path, bit_depth = self._info.path, self._info.bit_depth
        held = 3 * self.size[0] * self.size[1] * (1 if bit_depth == 8 else 2) * len(wanted)
        if held > config.MAX_BATCH_BYTES:
            raise UsageError(
                f"{len(wanted)} frames of {path} take {held / 2**30:.1f} GiB, and"
                f" {config.MAX_BATCH_BYTES / 2**30:g} is the limit: ask for fewer at once"
            )
        if min(wanted, default=0) < 0:
            raise SourceError(f"{path} has no frame {min(wanted)}: frames are counted from 0")
        try:
            with closing(self._rows_at(sorted(set(wanted)))) as rows:
                return arrange(
                    rows,
                    wanted,
                    size=self.size,
                    bit_depth=bit_depth,
                    time_base=self._info.time_base,
                )
        except KeyError as missing:
            raise SourceError(
                f"{path} has no frame {missing}: it has {self._length}, counted from 0"
            ) from None

    @property
    def _length(self) -> int | None:
        """The number of frames, as far as known."""
        return self._info.frames_expected

    def _rows_at(self, ordinals: list[int]) -> Generator[SelectedRow]:
        """The rows of increasing ordinals, without those that do not exist."""
        if not ordinals:
            return
        wanted, first_pts = set(ordinals), None
        with closing(self._rows(Counts())) as rows:
            for row in rows:
                first_pts = row.pts if first_pts is None else first_pts
                if row.index in wanted:
                    seconds = float((row.pts - first_pts) * self._info.time_base)
                    yield SelectedRow(row.index, row.pts, seconds, row.paint)
                if row.index >= ordinals[-1]:
                    return

    def close(self) -> None:
        """Release the source, which can then no longer be iterated. May be called again."""
        self._closed = True

    def __enter__(self) -> Source:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        info = self._info
        return (
            f"{type(self).__name__}({info.path!r}, {info.height}x{info.width}, {info.bit_depth}"
            " bit)"
        )

    def ask_for_luma(self) -> None:
        """Deliver the luma and the sums of frames too where they are cheaper to make than from
        pixels: of videos of 8 bits."""
        self._writes_beside = self._info.kind == "video" and self._info.bit_depth == 8

    @abstractmethod
    def _rows(self, counts: Counts) -> Generator[Row]:
        """Every frame from the first on. Counts what it decodes, and sets ``counts.ended`` at the
        end."""

    def _batches(self, counts: Counts, selection: Selection) -> Generator[Frames]:
        height, width = self.size
        known = None if self._info.kind == "video" else self._info.frames_expected
        frame_bytes = 3 * height * width * (1 if self._info.bit_depth == 8 else 2)
        room = max(1, config.MAX_BATCH_BYTES // frame_bytes)
        batch = min(self._options.batch, known or self._options.batch, room)
        with closing(self._selected(counts, selection)) as rows:
            yield from gather(
                rows,
                shape=(batch, height, width, 3),
                bit_depth=self._info.bit_depth,
                time_base=self._info.time_base,
                with_beside=self._writes_beside,
            )

    def _selected(self, counts: Counts, selection: Selection) -> Generator[SelectedRow]:
        time_base = self._info.time_base
        first_pts: int | None = None
        first_index: int | None = None
        with closing(self._rows(counts)) as rows:
            for row in rows:
                self._check_open()
                counts.seen += 1
                if row.index >= config.MAX_FRAMES:
                    raise SourceError(
                        f"{self._info.path} holds more than {config.MAX_FRAMES} frames: split it"
                    )
                first_pts = row.pts if first_pts is None else first_pts
                units = row.pts - first_pts
                seconds = units * time_base if selection.timed else NOT_ASKED
                if selection.after(row.index, seconds):
                    counts.stop = row.index
                    break
                if selection.before(row.index, seconds):
                    continue
                first_index = row.index if first_index is None else first_index
                if (row.index - first_index) % selection.step == 0:
                    counts.delivered += 1
                    time_s = units * time_base.numerator / time_base.denominator
                    yield SelectedRow(row.index, row.pts, time_s, row.paint)
        if first_pts is None:
            raise SourceError(
                f"{self._info.path} holds no frame that can be decoded: it may be damaged or"
                " incomplete"
            )
        if first_index is None:
            remedy = (
                f"it has {counts.seen} frames, pass an earlier start"
                if counts.ended
                else "pass a later stop"
            )
            raise UsageError(f"nothing of {self._info.path} is selected by {selection}: {remedy}")

    def _deliver(self, pixels: NDArray[Any], out: Pixels) -> None:
        """Write upright (H, W, 3) pixels into a row of a batch: cropped, then resized."""
        name = self._options.resize[2] if self._options.resize else "area"
        resize_into(cropped(pixels, self.crop), out, name)

    def _check_open(self) -> None:
        if self._closed:
            raise SourceError(f"{self._info.path} was closed: open it again")

    @contextmanager
    def _without_notes(self) -> Iterator[None]:
        """Leave the notes unchanged: they name the first frame of a kind, which only reading in
        order can tell."""
        info, noted = self._info, set(self._noted)
        try:
            yield
        finally:
            self._info, self._noted = info, noted

    def _note(self, note: Note) -> None:
        """Add a note: the first of its code only, so that they do not grow with the length."""
        if note.code not in self._noted:
            self._noted.add(note.code)
            self._info = replace(self._info, notes=(*self._info.notes, note))


def check_file(path: str) -> int:
    """Size in bytes of a regular file that holds something.

    Raises:
        SourceError: it does not exist, is a link to nothing, a folder, a pipe, a device or a
        socket, or is empty.
    """
    try:
        found = os.stat(path)
    except (OSError, ValueError) as error:
        raise SourceError(_why_missing(path, error)) from error
    if not stat.S_ISREG(found.st_mode):
        raise SourceError(
            f"{path!r} is not a regular file: pass a video, an image or a folder of images"
        )
    if found.st_size == 0:
        raise SourceError(f"{path!r} is empty (0 bytes): copy or make it again")
    if not os.access(path, os.R_OK):
        raise SourceError(f"{path!r} may not be read: change its permissions")
    return found.st_size


def _why_missing(path: str, error: OSError | ValueError) -> str:
    if isinstance(error, FileNotFoundError):
        if os.path.islink(path):
            return f"{path!r} is a link to {os.readlink(path)!r}, which does not exist"
        return f"{path!r} does not exist: check the name (only local files are read)"
    reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return f"{path!r} cannot be opened: {reason}"

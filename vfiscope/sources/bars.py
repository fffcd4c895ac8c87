"""Black bars: rows or columns at the borders of a sequence that stay dark and even.

The brightest value that a pixel ever has decides, so that a fade or a dark scene does not make a
bar. Beyond a bar the frame must become brighter within a few pixels along the whole border, which
the fading edge of a night sky does not. Thin bars (padding) may be on one side; larger ones must be
on opposite sides, because a dark band on one side alone may be scenery. Bars with subtitles in them
are not found.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from vfiscope.jit import compiled
from vfiscope.options.crop import Box
from vfiscope.sources.selection import Selection
from vfiscope.sources.source import Source
from vfiscope.types import Frames, Status

__all__ = ["Bars", "Borders", "content_box", "find_bars", "look"]

MAX_BAR_LEVEL = 40.0
"""Highest code value of a bar; black of limited range that is read as full range is 16."""
MAX_BAR_UNEVENNESS = 12.0
"""Code values by which the pixels of a bar differ, compression noise included."""
MIN_EDGE_STEP = 24.0
"""Code values by which the frame beyond a bar is brighter, in the middle of the border."""
WEAK_EDGE_STEP = 6.0
EDGE_PX = 3
"""Pixels within which the edge of a bar rises."""
BLENDED_SHARE = 0.25
"""Part of the rise that may lie before them."""
SPREAD_PX = 8
"""Pixels of a bar next to its edge that compression makes uneven: a block of its transform."""
MIN_BAR_PX = 2
MAX_LONE_BAR_PX = 16
"""A larger bar counts only with one on the opposite side: padding fills up macroblocks of 16."""
MAX_BARS_SHARE = 0.45
"""Part of the frame that one bar may take."""
BORDER_SAMPLES = 256
"""Pixels along each border that are examined."""
SEARCHED_FRAMES = 48
SEARCH_STEP = 5
"""Bars are searched in every so-many-th frame: neighbouring frames tell the same."""
LATER_STEP = 5
"""Of a long sequence only every so-many-th of these is looked at behind the first ones: what covers
a bar for a moment was there before, and a look takes as long as a cheap metric."""


class Bars(NamedTuple):
    """The bars of a sequence, in pixels; 0 where there is none."""

    top: int = 0
    bottom: int = 0
    left: int = 0
    right: int = 0

    def __str__(self) -> str:
        there = [f"{name} {px}" for name, px in self._asdict().items() if px]
        return f"{', '.join(there)} px" if there else "none"

    def box(self, size: tuple[int, int]) -> Box | None:
        """The content of frames of a size (height, width); None where it is all of them."""
        if not any(self):
            return None
        height, width = size[0] - self.top - self.bottom, size[1] - self.left - self.right
        return Box(self.left, self.top, width, height)


class Lines(NamedTuple):
    """The rows or columns of a sequence, one after the other."""

    brightest: NDArray[np.uint8]
    """(lines, samples) brightest value that each pixel ever had."""
    total: NDArray[np.float64]
    """(lines,) sum over frames of the mean of the middle half of a line."""

    def reversed(self) -> Lines:
        """The same lines from the other side."""
        return Lines(self.brightest[::-1], self.total[::-1])


class Borders:
    """The brightest value that pixels had, line by line from each border of a sequence."""

    def __init__(self, step: int = SEARCH_STEP) -> None:
        self.frames = 0
        self.are_lit = False
        """Whether something was clearly seen at every border: there can be no bar any more, and
        what another sequence has there is known to be one."""
        self._step = step
        self._first: int | None = None
        self._rows: Lines | None = None
        self._columns: Lines | None = None

    def add(self, frames: Frames) -> None:
        """Look at every few frames of a batch on the CPU."""
        if self._first is None and len(frames):
            self._first = int(frames.index[0])
        looks, left = np.divmod(frames.index - (self._first or 0), self._step)
        for row in np.flatnonzero(left == 0):
            sought = self.frames < SEARCHED_FRAMES and not self.are_lit
            due = sought or looks[row] % LATER_STEP == 0
            if due and frames.status[row] != Status.UNREADABLE:
                self._look_at(frames.interleaved[row])

    def watch(self, batches: Iterable[Frames]) -> Iterator[Frames]:
        """Pass batches on unchanged, and look at them."""
        for frames in batches:
            self.add(frames)
            yield frames

    def _look_at(self, pixels: NDArray[Any]) -> None:
        height, width = pixels.shape[:2]
        rows = _brightness(pixels, 1, max(1, width // BORDER_SAMPLES))
        columns = _brightness(pixels, max(1, height // BORDER_SAMPLES), 1).T
        self._rows = _with(self._rows, rows)
        self._columns = _with(self._columns, columns)
        self.frames += 1
        self.are_lit = self.are_lit or all(_is_seen(lines.brightest[:1]) for lines in self._sides())

    def bars(self) -> Bars | None:
        """The bars so far; None where no frame was bright enough to tell."""
        if self._rows is None or self._columns is None:
            return None
        most = self._rows.brightest
        if np.median(most) < MAX_BAR_LEVEL and most.max() < 2 * MAX_BAR_LEVEL:
            return None
        top, bottom, left, right = self._sides()
        return Bars(*_opposite(top, bottom), *_opposite(left, right))

    def differ(self, other: Borders) -> bool:
        """True where one sequence shows something in the place of a bar of the other."""
        bars, others = self.bars(), other.bars()
        if bars is None or others is None:
            return False
        sides = zip(bars, others, self._sides(), other._sides(), strict=True)
        return any(
            abs(px - other_px) >= MIN_BAR_PX
            and _shows(lines if px < other_px else other_lines, *sorted((px, other_px)))
            for px, other_px, lines, other_lines in sides
        )

    def _sides(self) -> tuple[Lines, ...]:
        """The lines from the top, bottom, left and right border inwards."""
        if self._rows is None or self._columns is None:
            return ()
        return self._rows, self._rows.reversed(), self._columns, self._columns.reversed()


def look(source: Source) -> Borders:
    """The borders of the chosen frames of a source, in up to 48 of them.

    Images are taken from the whole sequence, and of a video the first, since later ones are only
    reached by decoding.
    """
    chosen, count = source.selection, source.info.frames_expected
    is_video = source.info.kind == "video"
    spread = 1 if is_video else max(1, (count or 1) // SEARCHED_FRAMES)
    found = Borders() if is_video else Borders(1)
    for frames in source.select(Selection(chosen.start, chosen.stop, chosen.step * spread)):
        found.add(frames)
        enough = found.are_lit or found.frames >= SEARCHED_FRAMES
        if enough and found.bars() is not None:
            break
    return found


def find_bars(source: Source) -> Bars:
    """The bars of the chosen frames of a source; none where all frames are dark."""
    return look(source).bars() or Bars()


def content_box(source: Source) -> Box | None:
    """The box of what is not bars; None where that is all."""
    return find_bars(source).box(source.size)


def _brightness(pixels: NDArray[Any], down: int, across: int) -> NDArray[np.uint8]:
    """(h, w) brightest channel of every so-many-th pixel of (H, W, 3), as 8-bit code values."""
    height, width = pixels.shape[:2]
    made = np.empty((-(-height // down), -(-width // across)), pixels.dtype)
    brightest(np.ascontiguousarray(pixels).reshape(height, -1), down, 3 * across, made)
    return made if made.dtype == np.uint8 else np.asarray(made >> 8, np.uint8)


@compiled()
def brightest(rows: Any, down: int, step: int, made: Any) -> None:
    """Fill (h, w) with the largest of three neighbours at every so-many-th place of (H, 3 W)."""
    for i in range(made.shape[0]):
        row, filled = rows[i * down], made[i]
        if step == 3:  # a loop with a known step compiles to vector operations
            for j in range(filled.shape[0]):
                filled[j] = max(max(row[3 * j], row[3 * j + 1]), row[3 * j + 2])
        else:
            for j in range(filled.shape[0]):
                at = j * step
                filled[j] = max(max(row[at], row[at + 1]), row[at + 2])


def _with(lines: Lines | None, seen: NDArray[np.uint8]) -> Lines:
    """The lines with another frame of them, in the same memory."""
    shown = _middle(seen)
    middle = shown.sum(axis=1, dtype=np.uint32) / shown.shape[1]  # a mean would sum float64
    if lines is None:
        return Lines(seen, middle)
    return Lines(np.maximum(lines.brightest, seen, out=lines.brightest), lines.total + middle)


def _opposite(one: Lines, other: Lines) -> tuple[int, int]:
    """The bars on two opposite sides. Where what is shown beside one of them is dark, a weak edge
    in the same place is enough."""
    found = [_bar(one), _bar(other)]
    for side, lines in enumerate((one, other)):
        if not found[side] and found[1 - side]:
            weak = _bar(lines, WEAK_EDGE_STEP)
            found[side] = weak if abs(weak - found[1 - side]) <= MIN_BAR_PX else 0
    alone = min(found) == 0 and max(found) > MAX_LONE_BAR_PX
    return (0, 0) if alone else (found[0], found[1])


def _bar(lines: Lines, least: float = MIN_EDGE_STEP) -> int:
    """The lines of a bar that begins at the first one, 0 where there is none.

    Compression spreads the edge over the lines of a bar, and brightens them more often than not; so
    the even part is where a bar is looked for, and half the step at its end is where it ends.
    """
    most = int(MAX_BARS_SHARE * len(lines.total))
    shown = lines.brightest[: most + SPREAD_PX + EDGE_PX].astype(np.float64)
    level = float(np.median(shown[0]))
    if level > MAX_BAR_LEVEL:
        return 0
    above = shown - level
    even = np.quantile(above, 0.98, axis=1) <= MAX_BAR_UNEVENNESS
    core = len(even) if even.all() else int(np.argmin(even))
    usual = lines.total[: len(above)]
    ends = range(core, min(core + SPREAD_PX, len(above) - EDGE_PX) + 1)
    if not core or not len(ends):
        return 0
    rises = [usual[i : i + EDGE_PX].mean() - usual[max(0, i - EDGE_PX) : i].mean() for i in ends]
    end = ends[int(np.argmax(rises))]
    step = usual[end : end + EDGE_PX].mean() - usual[:core].mean()
    if step <= 0 or np.median(_middle(above[end : end + EDGE_PX])) < least:
        return 0
    share = (usual - usual[:core].mean()) / step
    bar = core + int(np.argmax(share[core:] >= 0.5))
    sharp = share[max(0, bar - EDGE_PX)] <= BLENDED_SHARE
    return bar if sharp and MIN_BAR_PX <= bar <= most else 0


def _middle(lines: NDArray[Any]) -> NDArray[Any]:
    """The middle half of each line."""
    part = lines.shape[1] // 4
    return lines[:, part : lines.shape[1] - part]


def _shows(lines: Lines, start: int, stop: int) -> bool:
    """True if lines of a side show something in the place of a bar."""
    return _is_seen(lines.brightest[start:stop])


def _is_seen(brightest: NDArray[np.uint8]) -> bool:
    """True if lines are clearly brighter than a bar may be."""
    shown = np.median(_middle(brightest), axis=1)
    return bool(np.median(shown) >= MAX_BAR_LEVEL + MIN_EDGE_STEP)

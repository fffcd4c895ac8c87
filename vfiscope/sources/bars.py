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
EDGE_PX = 3
"""Pixels of a border over which compression or scaling spreads the edge of a bar."""
BLENDED_SHARE = 0.25
"""A row belongs to the bar while less than this share of it is picture."""
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


class Borders:
    """The brightest value that pixels had, line by line from each border of a sequence."""

    def __init__(self, step: int = SEARCH_STEP) -> None:
        self.frames = 0
        self._step = step
        self._first: int | None = None
        self._rows: NDArray[np.uint8] | None = None
        self._columns: NDArray[np.uint8] | None = None

    def add(self, frames: Frames) -> None:
        """Look at every few frames of a batch on the CPU."""
        if self._first is None and len(frames):
            self._first = int(frames.index[0])
        for row in np.flatnonzero((frames.index - (self._first or 0)) % self._step == 0):
            if frames.status[row] != Status.UNREADABLE:
                self._look_at(frames.interleaved[row])

    def watch(self, batches: Iterable[Frames]) -> Iterator[Frames]:
        """Pass batches on unchanged, and look at them."""
        for frames in batches:
            self.add(frames)
            yield frames

    def _look_at(self, pixels: NDArray[Any]) -> None:
        height, width = pixels.shape[:2]
        rows = _brightest(pixels[:, :: max(1, width // BORDER_SAMPLES)])
        columns = _brightest(pixels[:: max(1, height // BORDER_SAMPLES)]).T
        self._rows = rows if self._rows is None else np.maximum(self._rows, rows)
        self._columns = columns if self._columns is None else np.maximum(self._columns, columns)
        self.frames += 1

    def bars(self) -> Bars | None:
        """The bars so far; None where no frame was bright enough to tell."""
        if self._rows is None or self._columns is None:
            return None
        if np.median(self._rows) < MAX_BAR_LEVEL and self._rows.max() < 2 * MAX_BAR_LEVEL:
            return None
        found = [_bar(lines) for lines in self._sides()]
        for one, other in ((0, 1), (2, 3)):
            if min(found[one], found[other]) == 0 and max(found[one], found[other]) > (
                MAX_LONE_BAR_PX
            ):
                found[one] = found[other] = 0
        return Bars(*found)

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

    def _sides(self) -> tuple[NDArray[np.uint8], ...]:
        """(lines, samples) from the top, bottom, left and right border inwards."""
        if self._rows is None or self._columns is None:
            return ()
        return self._rows, self._rows[::-1], self._columns, self._columns[::-1]


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
        if found.frames >= SEARCHED_FRAMES and found.bars() is not None:
            break
    return found


def find_bars(source: Source) -> Bars:
    """The bars of the chosen frames of a source; none where all frames are dark."""
    return look(source).bars() or Bars()


def content_box(source: Source) -> Box | None:
    """The box of what is not bars; None where that is all."""
    return find_bars(source).box(source.size)


def _brightest(pixels: NDArray[Any]) -> NDArray[np.uint8]:
    """(H, W) brightest channel of (H, W, 3), as 8-bit code values."""
    most = np.maximum(np.maximum(pixels[..., 0], pixels[..., 1]), pixels[..., 2])
    return np.asarray(most >> (8 * most.itemsize - 8), np.uint8)


def _bar(lines: NDArray[np.uint8]) -> int:
    """Lines of a bar at the start of (lines, samples), 0 where there is none."""
    level = float(np.median(lines[0]))
    if level > MAX_BAR_LEVEL:
        return 0
    above = lines[: 1 + int(MAX_BARS_SHARE * len(lines)) + 2 * EDGE_PX].astype(np.float64) - level
    even = np.quantile(above, 0.98, axis=1) <= MAX_BAR_UNEVENNESS
    bar = len(even) if even.all() else int(np.argmin(even))
    middle = _middle(above)
    beyond = middle[bar : bar + 2 * EDGE_PX]
    if not bar or not len(beyond) or middle[bar : bar + EDGE_PX].max() < MIN_EDGE_STEP:
        return 0
    edge = [step < BLENDED_SHARE * float(np.median(beyond)) for step in beyond[:EDGE_PX]]
    bar += len(edge) if all(edge) else edge.index(False)
    return bar if MIN_BAR_PX <= bar <= MAX_BARS_SHARE * len(lines) else 0


def _middle(lines: NDArray[Any]) -> NDArray[np.float64]:
    """(lines,) median of the middle half of each line."""
    part = lines.shape[1] // 4
    return np.asarray(np.median(lines[:, part : lines.shape[1] - part], axis=1), np.float64)


def _shows(lines: NDArray[np.uint8], start: int, stop: int) -> bool:
    """True if lines are clearly brighter than a bar may be."""
    return bool(np.median(_middle(lines[start:stop])) >= MAX_BAR_LEVEL + MIN_EDGE_STEP)

"""What changed between any two photos of a time-lapse: both are read again."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from vfiscope.errors import UsageError
from vfiscope.scoring.stored_frames import frames_of
from vfiscope.signals.photo_view import Placed, changed_between
from vfiscope.signals.signal import SignalFrame
from vfiscope.store import Run
from vfiscope.types import duration
from vfiscope.views.drawn import drawn
from vfiscope.views.heat import grey
from vfiscope.views.lapse_figure import check_lapse
from vfiscope.views.places import frame_place

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["Between", "between", "draw_between", "row_at"]

BETWEEN_HEIGHT_IN, BETWEEN_EDGE_IN = 2.3, 0.7
MARKED = (0.9, 0.15, 0.1)
MARK_STRENGTH = 0.6


@dataclass(frozen=True, eq=False)
class Between:
    """Two photos of a run and what changed from one to the other."""

    run: Run
    rows: tuple[int, int]
    pixels: tuple[NDArray[np.uint8], NDArray[np.uint8]]
    placed: Placed | None
    """None where they do not show the same place."""
    changed: NDArray[np.bool_]
    """(h, w) cells; all where they do not show the same place."""

    @property
    def sentence(self) -> str:
        """What changed, in words."""
        places = [frame_place(self.run, row) for row in self.rows]
        times = self.run.frames.time_s
        passed = duration(abs(float(times[self.rows[1]] - times[self.rows[0]])))
        said = f"between {places[0]} and {places[1]} ({passed})"
        if self.placed is None:
            return f"{said}: they do not show the same place"
        return f"{said}: {100 * self.changed.mean():.1f} % of the photo changed, beyond light"

    @property
    def facts(self) -> dict[str, Any]:
        """The same as JSON-able values."""
        index = self.run.frames.index
        same = self.placed is not None
        return {
            "frames": [int(index[row]) for row in self.rows],
            "names": [self.run.names[row] for row in self.rows] if self.run.names else [],
            "times": [self.run.moment(row) for row in self.rows],
            "same_place": same,
            "changed": float(self.changed.mean()) if same else None,
        }


def row_at(run: Run, when: str) -> int:
    """The row of a photo: by its number, or the one nearest to a date, which is UTC without a zone.

    Raises:
        UsageError: there is no such photo, or it is no number and no date.
    """
    if when.isdigit():
        found = np.flatnonzero(run.frames.index == int(when))
        if not len(found):
            raise UsageError(f"{run.path} has no frame {when}: the last is {run.frames.index[-1]}")
        return int(found[0])
    try:
        moment = datetime.fromisoformat(when)
    except ValueError as error:
        raise UsageError(
            f"between is {when!r}: pass the number of a frame, or a date as in '2020-04-10 16:00'"
        ) from error
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    seconds = run.frames.pts * float(run.time_base)
    return int(np.abs(seconds - moment.timestamp()).argmin())


def between(
    run: Run, first: str, second: str, *, root: str | os.PathLike[str] | None = None
) -> Between:
    """Compare two photos of a time-lapse.

    Args:
        run: a finished scan of photos with known times.
        first: of one photo its number, or a date.
        second: of the other.
        root: a folder that the photos are in now, if they were moved.

    Raises:
        UsageError: the run is no time-lapse, there is no such photo, or both are one.
        SourceError: the photos are missing or have changed, or one cannot be read.
    """
    check_lapse(run)
    rows = row_at(run, first), row_at(run, second)
    if rows[0] == rows[1]:
        raise UsageError(
            f"between is {first!r} and {second!r}, and both are frame"
            f" {run.frames.index[rows[0]]}: pass two photos"
        )
    frames = frames_of(run, rows, root=root)
    signals = [SignalFrame(np.ascontiguousarray(p), frames.bit_depth) for p in frames.interleaved]
    found = changed_between(signals[1], signals[0])
    shown = [np.asarray(p >> (frames.bit_depth - 8), np.uint8) for p in frames.interleaved]
    changed = np.ones((1, 1), np.bool_) if found is None else found[1]
    return Between(run, rows, (shown[0], shown[1]), None if found is None else found[0], changed)


def draw_between(
    found: Between, out: str | Path | None = None, *, overwrite: bool = False
) -> Figure:
    """Both photos, and the later one in grey with what changed in red.

    Raises:
        UsageError: the extension is not .png, .svg or .pdf.
        OutputExistsError: the file exists, and overwriting was not asked for.
        DiskFullError, StoreError: the file cannot be written.
    """
    return drawn(lambda: _compose(found), out, overwrite=overwrite)


def _compose(found: Between) -> Figure:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    height, width = found.pixels[0].shape[:2]
    size = 3 * BETWEEN_HEIGHT_IN * width / height, BETWEEN_HEIGHT_IN + BETWEEN_EDGE_IN
    figure = Figure(figsize=size, dpi=100, layout="constrained")
    FigureCanvasAgg(figure)
    figure.suptitle(found.sentence)
    shown = (*found.pixels, _marked(found))
    titles = (*(frame_place(found.run, row) for row in found.rows), "what changed")
    for ax, pixels, title in zip(figure.subplots(1, 3), shown, titles, strict=True):
        ax.imshow(pixels, interpolation="nearest")
        ax.set_title(title)
        ax.set_axis_off()
    return figure


def _marked(found: Between) -> NDArray[np.uint8]:
    """(H, W, 3) the later photo in grey, changed cells in red."""
    import cv2

    later = grey(found.pixels[1]).astype(np.float32)
    later = np.repeat(later[..., None], 3, axis=2) if later.ndim == 2 else later
    size = later.shape[1], later.shape[0]
    cells = cv2.resize(found.changed.astype(np.float32), size, interpolation=cv2.INTER_NEAREST)
    mark = MARK_STRENGTH * cells[..., None]
    return np.asarray(later * (1 - mark) + 255 * np.array(MARKED, np.float32) * mark, np.uint8)

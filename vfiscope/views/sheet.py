"""Frames side by side with a map of what is wrong in them, one sheet for several.

Above, the frames as they are and the map over the test frame in grey; a box marks the connected
cells of at least half the map's peak. Below, what lies around that box, enlarged in all of them.
One scale holds for the whole sheet, and a frame in which nothing is wrong has no colour over it.
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from vfiscope.types import Box
from vfiscope.views.arrows import draw_arrows
from vfiscope.views.heat import (
    Layer,
    Scale,
    colour_map,
    grey,
    overlay_map,
    strongest_box,
    window,
)
from vfiscope.views.naming import title
from vfiscope.views.style import GREY, STYLE, clean_texts

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["Panel", "Shot", "draw_sheet"]

SHEET_WIDTH_IN, SHEET_EDGE_IN, GAP_IN = 11.0, 0.2, 0.1
TALLEST_IN = 3.3
"""Of a frame; upright ones are narrower than their column."""
TITLE_IN, HEAD_IN, CAPTION_IN, BETWEEN_IN = 0.62, 0.42, 0.4, 0.3
BAR_IN = 0.09
CHARACTERS_PER_IN = 14.5
"""To the inch of a caption."""
MARK = "#00E5FF"
EMPTY = "#DDDDDD"


@dataclass(frozen=True, eq=False)
class Panel:
    """One frame of a row."""

    picture: NDArray[np.uint8] | None
    """(H, W, 3) RGB, None where it cannot be read."""
    caption: tuple[str, str]
    """What it is, and where."""


@dataclass(frozen=True, eq=False)
class Shot:
    """One test frame, with what it was compared with and its map."""

    heading: str
    details: str
    panels: tuple[Panel, ...]
    test: int
    """Which of the panels the map and the field are about."""
    map: Layer | None
    """None where the frame has none."""
    field: Layer | None = None

    @property
    def size(self) -> tuple[int, int]:
        """(height, width); of frames that cannot be read, any."""
        there = next(
            (panel.picture.shape for panel in self.panels if panel.picture is not None), (9, 16)
        )
        return int(there[0]), int(there[1])

    def box(self, scale: Scale) -> Box | None:
        """Where the map is strongest, if it can be pointed at."""
        return None if self.map is None else strongest_box(self.map, scale)


def draw_sheet(
    shots: Sequence[Shot], scale: Scale, heading: str, notes: str, field: str | None = None
) -> Figure:
    """All shots below each other.

    Args:
        shots: one or more, of frames of one size.
        scale: of the maps.
        heading: what the sheet is of.
        notes: how to read it.
        field: name of the field, where the shots have one to be drawn.

    Returns:
        A figure bound to no window and no global state.
    """
    import matplotlib
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    columns = max(len(shot.panels) for shot in shots) + 1 + (field is not None)
    layout = Layout.of(shots, columns, scale)
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(SHEET_WIDTH_IN, layout.height), dpi=100)
        FigureCanvasAgg(figure)
        layout.text(figure, SHEET_EDGE_IN, 0.26, heading, size=11, weight="bold")
        for line, text in enumerate(textwrap.wrap(notes, 190)[:2]):
            layout.text(figure, SHEET_EDGE_IN, 0.44 + 0.14 * line, text, size=7.5, color=GREY)
        for shot, top in zip(shots, layout.tops, strict=True):
            _draw_shot(figure, layout, shot, top, scale, field)
    return clean_texts(figure)


@dataclass(frozen=True)
class Layout:
    """Where everything lies, in inches from the upper left."""

    width: float
    """Of a frame."""
    tall: float
    pitch: float
    """From a column to the next."""
    tops: tuple[float, ...]
    height: float

    @classmethod
    def of(cls, shots: Sequence[Shot], columns: int, scale: Scale) -> Layout:
        height, width = shots[0].size
        room = (SHEET_WIDTH_IN - 2 * SHEET_EDGE_IN - (columns - 1) * GAP_IN) / columns
        wide = min(room, TALLEST_IN * width / height)
        tall = wide * height / width
        tops, at = [], TITLE_IN + 0.1
        for shot in shots:
            tops.append(at)
            at += (
                HEAD_IN
                + tall
                + CAPTION_IN
                + BETWEEN_IN
                + (tall + GAP_IN) * (shot.box(scale) is not None)
            )
        return cls(wide, tall, max(wide, min(room, 1.6)) + GAP_IN, tuple(tops), at)

    def axes(self, figure: Figure, column: int, top: float, *, height: float | None = None) -> Axes:
        """An empty place for a frame."""
        tall = self.tall if height is None else height
        left, bottom = SHEET_EDGE_IN + column * self.pitch, self.height - top - tall
        ax = figure.add_axes(
            (
                left / SHEET_WIDTH_IN,
                bottom / self.height,
                self.width / SHEET_WIDTH_IN,
                tall / self.height,
            )
        )
        ax.set(xticks=[], yticks=[])
        ax.spines[:].set_visible(False)
        return ax

    def text(self, figure: Figure, x: float, y: float, text: str, **look: Any) -> None:
        """A line whose foot is at a place."""
        figure.text(x / SHEET_WIDTH_IN, 1 - y / self.height, text, **{"va": "baseline", **look})


def _draw_shot(
    figure: Figure, layout: Layout, shot: Shot, top: float, scale: Scale, field: str | None
) -> None:
    layout.text(figure, SHEET_EDGE_IN, top + 0.17, shot.heading, size=10, weight="bold")
    layout.text(figure, SHEET_EDGE_IN, top + 0.34, shot.details, size=8, color=GREY)
    top += HEAD_IN
    box = shot.box(scale)
    part = None if box is None or shot.map is None else window(box, shot.map, scale.spec, shot.size)
    below = top + layout.tall + CAPTION_IN + GAP_IN
    pictures = [panel.picture for panel in shot.panels]
    tested = pictures[shot.test]
    map_at = len(shot.panels)
    if tested is not None and shot.map is not None:
        pictures.append(overlay_map(grey(tested), shot.map, scale))
        _draw_bar(figure, layout, map_at, top + layout.tall, scale)
    for column, picture in enumerate(pictures):
        _show(layout.axes(figure, column, top), picture, None, box)
        if part is not None:
            _show(layout.axes(figure, column, below), picture, part, box)
    most = int(CHARACTERS_PER_IN * (layout.pitch - GAP_IN))
    for column, panel in enumerate(shot.panels):
        for line, text in enumerate(panel.caption):
            at = SHEET_EDGE_IN + column * layout.pitch, top + layout.tall + 0.14 + 0.14 * line
            layout.text(
                figure,
                *at,
                _shortened(text, most),
                size=8 - 0.5 * line,
                color=GREY if line else "black",
            )
    if field is not None and shot.field is not None and tested is not None:
        ax = layout.axes(figure, map_at + 1, top)
        _show(ax, tested, None, None)
        said = draw_arrows(ax, shot.field, shot.size)
        for line, text in enumerate((f"{field}, from test to partner", said)):
            at = SHEET_EDGE_IN + (map_at + 1) * layout.pitch, top + layout.tall + 0.14 + 0.14 * line
            layout.text(figure, *at, text, size=8 - 0.5 * line, color=GREY if line else "black")


def _show(ax: Axes, picture: NDArray[np.uint8] | None, part: Box | None, box: Box | None) -> None:
    """A frame, or a part of it, with a box around another."""
    if picture is None:
        ax.set_facecolor(EMPTY)
        ax.text(
            0.5, 0.5, "cannot be read", transform=ax.transAxes, ha="center", va="center", color=GREY
        )
        return
    if part is not None:
        picture = picture[part.y : part.y + part.h, part.x : part.x + part.w]
        ax.spines[:].set(visible=True, edgecolor=MARK, linewidth=1.2)
    ax.imshow(picture, aspect="auto")
    if box is not None:
        _draw_box(ax, box if part is None else Box(box.x - part.x, box.y - part.y, box.w, box.h))


def _draw_box(ax: Axes, box: Box) -> None:
    from matplotlib.patches import Rectangle

    for colour, width in (("black", 2.6), (MARK, 1.3)):
        ax.add_patch(
            Rectangle(
                (box.x - 0.5, box.y - 0.5),
                box.w,
                box.h,
                fill=False,
                edgecolor=colour,
                linewidth=width,
            )
        )


def _draw_bar(figure: Figure, layout: Layout, column: int, foot: float, scale: Scale) -> None:
    """The colours of the map with its values, below its name."""
    layout.text(
        figure,
        SHEET_EDGE_IN + column * layout.pitch,
        foot + 0.14,
        f"map: {title(scale.spec)}",
        size=8,
    )
    ax = layout.axes(figure, column, foot + 0.19, height=BAR_IN)
    ax.imshow(
        np.linspace(0, 1, 256)[None], cmap=colour_map(), aspect="auto", extent=(*scale.ends, 0, 1)
    )
    ticks = (scale.ends[0], sum(scale.ends) / 2, scale.ends[1])
    ax.set_xticks(ticks, [f"{end:.3g}" for end in ticks], fontsize=7)
    ax.tick_params(axis="x", length=0, pad=2)
    first, _, last = ax.get_xticklabels()
    first.set_horizontalalignment("left")
    last.set_horizontalalignment("right")


def _shortened(text: str, most: int) -> str:
    """A text of so many characters, its end kept: names differ there."""
    return text if len(text) <= most else f"{text[: most // 2 - 1]}…{text[-(most - most // 2) :]}"

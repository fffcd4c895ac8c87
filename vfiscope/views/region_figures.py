"""Figures of what changed between two frames: boxes with numbers, the difference map, an overlay,
and all of it on one page.

The colours of a difference map mean the same in all figures of its unit, so frames can be compared,
and identical frames have a black map.
"""

from __future__ import annotations

import os
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from vfiscope.errors import UsageError
from vfiscope.files import replacing_all
from vfiscope.regions import Found
from vfiscope.views.region_panels import (
    View,
    draw_boxes,
    draw_map,
    draw_scale,
    kind_colour,
    kind_counts,
    mask_picture,
    overlay_picture,
    shown_map,
    shrunk,
)
from vfiscope.views.region_words import answer_sentence
from vfiscope.views.style import GREY, METADATA, STYLE, clean_texts, save_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["REGION_FIGURES", "draw_regions"]

PICTURE_DPI, PAGE_DPI = 100, 150
LONGEST_SHOWN, LEAST_SHOWN = 1600.0, 800.0
"""Pixels of the longer side of a frame in a figure of its own."""
LEAST_WIDTH_IN = 6.4
PAGE_EDGE, LINE, SCALE_ROOM, LEGEND_ROOM = 0.12, 0.19, 0.5, 0.4
"""Inches: around a figure, of a line of text, below a map, and below boxes."""
LETTERS_PER_IN = 13.0
PAGE_PANEL_IN, PAGE_TALLEST_IN, PAGE_NARROWEST_IN = 4.0, 4.4, 2.6
PAGE_GAP, PAGE_TITLE = 0.16, 0.24
MOST_LINES = 3
LEGEND_LETTER, LONGEST_KIND, KINDS_SHOWN = 0.057, 16, 12
"""Inches of a letter; letters of a kind and number of kinds that are shown."""


def draw_regions(
    found: Found,
    folder: str | os.PathLike[str],
    stem: str,
    *,
    heading: str = "",
    overwrite: bool = False,
) -> list[Path]:
    """Write the figures of a pair of frames, all of them or after an error none.

    Args:
        found: what a method found, with the regions and the answer that the figures are to show;
            regions are numbered from 1 in their order, or have the number of their track.
        folder: where the figures go; made if it is missing.
        stem: what their names begin with: ``<stem>_page.png``.
        heading: the frame, in words.
        overwrite: replace files that exist.

    Returns:
        The paths of ``_annotated.png``, ``_heat.png``, ``_overlay.png`` and ``_page.png``.

    Raises:
        UsageError: the stem is no file name.
        OutputExistsError: a file exists, and overwriting was not asked for.
        DiskFullError, StoreError: a file cannot be written.
    """
    import matplotlib

    if not stem or Path(stem).name != stem:
        raise UsageError(f"{stem!r} is no file name: pass one without folders")
    files = {f"{stem}_{name}.png": draw for name, draw in REGION_FIGURES.items()}
    with (
        matplotlib.rc_context(STYLE),
        replacing_all(Path(folder), list(files), overwrite=overwrite) as temporary,
    ):
        for name, draw in files.items():
            how = {"format": "png", "dpi": "figure", "metadata": METADATA[".png"]}
            save_figure(draw(found, heading), temporary / name, overwrite=False, **how)
    return [Path(folder) / name for name in files]


def annotated_figure(found: Found, heading: str) -> Figure:
    """The test frame with numbered boxes."""
    figure, ax, view = _single(found, heading, LEGEND_ROOM)
    view.show(ax, shrunk(found.pair.test, LONGEST_SHOWN))
    _draw_legend(figure, found, draw_boxes(ax, found.regions, view))
    return clean_texts(figure)


def heat_figure(found: Found, heading: str) -> Figure:
    """The difference map with its scale."""
    figure, ax, view = _single(found, heading, SCALE_ROOM)
    draw_map(ax, found, view)
    _draw_scale_below(figure, ax, found)
    return clean_texts(figure)


def overlay_figure(found: Found, heading: str) -> Figure:
    """The difference map over the test frame in grey, where it says that something changed."""
    figure, ax, view = _single(found, heading, SCALE_ROOM)
    view.show(ax, overlay_picture(found, LONGEST_SHOWN))
    _draw_scale_below(figure, ax, found)
    return clean_texts(figure)


def page_figure(found: Found, heading: str) -> Figure:
    """Reference, test frame, map, mask, overlay and boxes on one page, after FrameShift 3."""
    height, width = found.pair.size
    wide = PAGE_PANEL_IN if width >= height else PAGE_TALLEST_IN * width / height
    wide = max(wide, PAGE_NARROWEST_IN)
    tall = min(wide * height / width, PAGE_TALLEST_IN)
    page_width = 3 * wide + 2 * PAGE_GAP + 2 * PAGE_EDGE
    lines = _lines(found, heading, page_width)
    top = PAGE_EDGE + LINE * len(lines)
    row = PAGE_TITLE + tall + SCALE_ROOM
    figure = _empty(page_width, top + 2 * row + PAGE_EDGE, PAGE_DPI)
    _write(figure, lines)
    zoom = PAGE_DPI * min(wide / width, tall / height)
    view, longest = View(height, width, zoom, PAGE_DPI), zoom * max(height, width)
    panels = []
    for n, title in enumerate(_page_titles(found)):
        left, head = PAGE_EDGE + (n % 3) * (wide + PAGE_GAP), top + (n // 3) * row + PAGE_TITLE
        size = zoom * width / PAGE_DPI, zoom * height / PAGE_DPI
        panels.append(_axes(figure, left, head, *size))
        panels[-1].set_title(title, size=9, loc="left")
    pair = found.pair
    view.show(panels[0], shrunk(pair.ref, longest))
    view.show(panels[1], shrunk(pair.test, longest))
    draw_map(panels[2], found, view)
    _draw_scale_below(figure, panels[2], found)
    mask = shown_map(mask_picture(found).astype(np.float32), longest)
    view.show(panels[3], mask, cmap="gray", vmin=0, vmax=255)
    view.show(panels[4], overlay_picture(found, longest))
    view.show(panels[5], shrunk(pair.test, longest))
    _draw_legend(figure, found, draw_boxes(panels[5], found.regions, view), panels[5])
    return clean_texts(figure)


REGION_FIGURES: dict[str, Callable[[Found, str], Figure]] = {
    "annotated": annotated_figure,
    "heat": heat_figure,
    "overlay": overlay_figure,
    "page": page_figure,
}


def _page_titles(found: Found) -> list[str]:
    registration = found.pair.registration
    how = "" if registration is None else f" (registered by {registration.method})"
    count = len(found.regions)
    return [
        "No reference: the current frame" if found.pair.is_alone else "Reference",
        f"Current{how}",
        "Difference map",
        "Mask (grey: in no region)",
        "Overlay",
        f"{count or 'No'} region{'s' * (count != 1)}",
    ]


def _single(found: Found, heading: str, below: float) -> tuple[Figure, Axes, View]:
    """A figure with one place for a frame below some text, and room for more below it."""
    height, width = found.pair.size
    longest = max(height, width)
    zoom = LONGEST_SHOWN / longest if longest > LONGEST_SHOWN else 1.0
    if longest < LEAST_SHOWN:
        zoom = float(max(1, LEAST_SHOWN // longest))
    wide, tall = zoom * width / PICTURE_DPI, zoom * height / PICTURE_DPI
    figure_width = max(LEAST_WIDTH_IN, wide + 2 * PAGE_EDGE)
    lines = _lines(found, heading, figure_width)
    top = PAGE_EDGE + LINE * len(lines)
    figure = _empty(figure_width, top + tall + below + PAGE_EDGE, PICTURE_DPI)
    _write(figure, lines)
    return figure, _axes(figure, PAGE_EDGE, top, wide, tall), View(height, width, zoom, PICTURE_DPI)


def _lines(found: Found, heading: str, width: float) -> list[tuple[str, str]]:
    """(text, weight) of the lines above a frame: the answer, then which frame it is."""
    letters = int(LETTERS_PER_IN * (width - 2 * PAGE_EDGE))
    said = textwrap.wrap(answer_sentence(found.answer), int(0.85 * letters), max_lines=MOST_LINES)
    where = textwrap.wrap(heading, letters, max_lines=MOST_LINES)
    return [*((line, "bold") for line in said), *((line, "normal") for line in where)]


def _empty(width: float, height: float, dpi: int) -> Figure:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), dpi=dpi)
    FigureCanvasAgg(figure)
    return figure


def _write(figure: Figure, lines: list[tuple[str, str]]) -> None:
    width, height = figure.get_size_inches()
    for n, (text, weight) in enumerate(lines):
        color = "black" if weight == "bold" else GREY
        foot = 1 - (PAGE_EDGE + LINE * (n + 0.7)) / height
        figure.text(PAGE_EDGE / width, foot, text, size=9, weight=weight, color=color)


def _axes(figure: Figure, left: float, top: float, width: float, height: float) -> Axes:
    """Axes at a place in inches from the upper left."""
    whole_width, whole_height = figure.get_size_inches()
    ax = figure.add_axes(
        (
            left / whole_width,
            1 - (top + height) / whole_height,
            width / whole_width,
            height / whole_height,
        )
    )
    ax.set(xticks=[], yticks=[])
    ax.spines[:].set(linewidth=0.4, edgecolor=GREY)
    return ax


def _below(figure: Figure, ax: Axes) -> tuple[float, float, float]:
    """Left, foot and width of axes in inches from the upper left."""
    width, height = figure.get_size_inches()
    place = ax.get_position()
    return place.x0 * width, (1 - place.y0) * height, place.width * width


def _draw_scale_below(figure: Figure, ax: Axes, found: Found) -> None:
    left, foot, width = _below(figure, ax)
    room = figure.get_size_inches()[0] - left - PAGE_EDGE
    bar = _axes(figure, left, foot + 0.2, min(max(min(width, 5.0), 2.6), room), 0.09)
    draw_scale(bar, found)


def _draw_legend(figure: Figure, found: Found, unnumbered: int, ax: Axes | None = None) -> None:
    """The kinds with their colours and numbers, below the frame."""
    left, foot, _ = _below(figure, ax or figure.axes[0])
    width, height = figure.get_size_inches()
    counts = kind_counts(found.regions)
    parts = [(f"{kind[:LONGEST_KIND]} {n}", kind_colour(kind)) for kind, n in counts.items()]
    if unnumbered:
        parts.append((f"{unnumbered} unnumbered, no room", "white"))
    at, line = left + 0.04, 0
    for text, colour in parts[:KINDS_SHOWN]:
        long = LEGEND_LETTER * len(text) + 0.16
        if at + long > width and at > left + 0.04:
            at, line = left + 0.04, line + 1
        look = {"boxstyle": "square,pad=0.2", "facecolor": colour, "linewidth": 0.4}
        place = at / width, 1 - (foot + 0.15 + 0.19 * line) / height
        figure.text(*place, text, size=7, va="center", bbox=look)
        at += long

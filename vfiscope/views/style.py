"""How figures look and are written: colours for every kind of colour vision, real text, no text of
others as it is, and files that carry no date."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from vfiscope.files import replacing
from vfiscope.printable import printable
from vfiscope.types import Role

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = [
    "CUTS",
    "DAMAGE_MARKER",
    "FIGURE_DPI",
    "GREY",
    "METADATA",
    "SHADE",
    "STYLE",
    "THRESHOLDS",
    "WARNING",
    "clean_texts",
    "look",
    "pale",
    "save_figure",
]

PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000")
"""Okabe and Ito's colours for every kind of colour vision (2008), without the yellow, which is lost
on white."""
DASHES = ("-", "--", "-.", ":")
"""The eighth run has the first colour again, dashed."""
SHADE = "#F8E3BE"
GREY = "#555555"
WARNING = "#A00000"
CUTS: Any = {"color": "#222222", "linewidth": 0.7, "linestyle": (0, (1, 1.5))}
THRESHOLDS: Any = {"color": WARNING, "linewidth": 0.7, "linestyle": (0, (5, 3))}
DAMAGE_MARKER: Any = {"marker": "x", "markersize": 4, "markeredgewidth": 0.8, "linestyle": "none"}
HELD_MARKER: Any = {
    "marker": "D",
    "markersize": 3,
    "markerfacecolor": "none",
    "markeredgewidth": 0.7,
    "linestyle": "none",
}
FIGURE_DPI = 300
MOST_DRAWN = 400
"""Characters of a line in a figure."""

STYLE: Any = {
    "font.family": "DejaVu Sans",
    "font.size": 8,
    "axes.titlesize": 8,
    "axes.titlepad": 4,
    "axes.labelsize": 8,
    "figure.titlesize": 9,
    "axes.linewidth": 0.6,
    "axes.formatter.useoffset": False,
    "axes.formatter.use_mathtext": False,
    "axes.formatter.limits": (
        -9,
        9,
    ),  # a power of ten would be written where the title of the panel is
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "lines.linewidth": 1.1,
    "lines.solid_joinstyle": "bevel",
    "grid.linewidth": 0.4,
    "grid.color": "#DDDDDD",
    "figure.constrained_layout.h_pad": 0.05,
    "legend.frameon": False,
    "text.parse_math": False,
    "text.usetex": False,
    "svg.fonttype": "none",
    "svg.hashsalt": "vfiscope",
    "pdf.fonttype": 42,
}
METADATA: dict[str, dict[str, str | None]] = {
    ".png": {"Software": "vfiscope"},
    ".svg": {"Creator": "vfiscope", "Date": None},
    ".pdf": {"Creator": "vfiscope", "Producer": None, "CreationDate": None},
}


def look(n: int, role: Role = Role.UNKNOWN) -> dict[str, Any]:
    """Of the line of the n-th run; that of its passed frames is thin and pale, and its held ones
    are hollow diamonds that nothing joins."""
    color, dash = PALETTE[n % len(PALETTE)], DASHES[n // len(PALETTE) % len(DASHES)]
    if role == Role.PASSED:
        return {"color": pale(color), "linestyle": dash, "linewidth": 0.7, "zorder": 1.9}
    if role == Role.HELD:
        return {"color": color, **HELD_MARKER}
    return {"color": color, "linestyle": dash}


def pale(color: str) -> str:
    """A colour "#RRGGBB" half way to white."""
    return "#" + "".join(f"{(int(color[at : at + 2], 16) + 255) // 2:02X}" for at in (1, 3, 5))


def clean_texts(figure: Figure) -> Figure:
    """The figure, whose texts may come from anybody, with every one made printable: an SVG with a
    control character in it is read by no parser."""
    from matplotlib.text import Text

    for each in figure.findobj(Text):
        assert isinstance(each, Text)  # findobj is not typed by its argument
        text = each.get_text()
        clean = "\n".join(printable(line, MOST_DRAWN) for line in text.split("\n"))
        if clean != text:
            each.set_text(clean)
    return figure


def save_figure(figure: Figure, path: Path, *, overwrite: bool, **how: Any) -> None:
    """Write a figure, whole or not at all: the one way in which figures become files.

    Args:
        figure: what was drawn.
        path: where it goes.
        overwrite: replace a file that exists.
        how: passed on to matplotlib.

    Raises:
        OutputExistsError: the file exists, and overwriting was not asked for.
        DiskFullError, StoreError: the file cannot be written.
    """
    clean_texts(figure)
    with replacing(path, overwrite=overwrite) as temporary:
        figure.savefig(temporary, **how)

"""A vector field as short arrows on the one frame that it begins in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from vfiscope.types import Float64
from vfiscope.views.heat import Layer

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["draw_arrows"]

MAX_ARROWS_ACROSS = 20
"""Arrows from the left border to the right one, at most."""
STILL_PX = 0.5
"""Shorter vectors are dots."""
MEDIAN_ARROW_STEPS, MAX_ARROW_STEPS = 0.7, 2.0
"""Lengths of the middle one of the arrows and of the longest, in steps of their grid."""
ARROW_COLOUR, CUT_SHORT_COLOUR = "#FFE000", "#FF7A00"


def draw_arrows(
    ax: Axes, layer: Layer, size: tuple[int, int], asked_stride: int | None = None
) -> str:
    """Draw every n-th vector, all to one scale at which typical ones just do not touch; returns the
    scale in words.

    A vector that would reach over several others, as wrong matches do, is cut short and orange.

    Args:
        ax: shows the frame in its own pixels.
        layer: a field, (dx, dy) px; cells whose vector is NaN are left out.
        size: (height, width) of the frame.
        asked_stride: n, counted from the first row and column; None chooses it by the width.
    """
    field, cells = layer
    h, w = cells.shape
    stride = asked_stride or max(1, -(-w // MAX_ARROWS_ACROSS))
    first = 0 if asked_stride else stride // 2
    rows, columns = np.mgrid[first:h:stride, first:w:stride].reshape(2, -1)
    vectors = field[:, rows, columns].astype(np.float64)
    known = np.isfinite(vectors).all(axis=0)
    down, across = cells.centres
    at = np.stack([across[columns], down[rows]])[:, known]
    vectors = vectors[:, known]
    lengths = np.hypot(*vectors)
    moving = lengths >= STILL_PX
    ax.plot(*at[:, ~moving], ".", color=ARROW_COLOUR, markersize=1.2)
    ax.set(xlim=(-0.5, size[1] - 0.5), ylim=(size[0] - 0.5, -0.5))
    if not moving.any():
        return f"nothing moves by {STILL_PX:g} px or more"
    step = stride * cells.cell_width
    unit = float(np.median(lengths[moving])) / MEDIAN_ARROW_STEPS
    long = lengths > MAX_ARROW_STEPS * unit
    vectors[:, long] *= MAX_ARROW_STEPS * unit / lengths[long]
    for rows_of, colour in ((moving & ~long, ARROW_COLOUR), (long, CUT_SHORT_COLOUR)):
        _quiver(ax, at[:, rows_of], vectors[:, rows_of], unit / step, colour)
    return f"grid step {unit:.3g} px" + (
        f"; orange: over {MAX_ARROW_STEPS * unit:.3g}, cut" if long.any() else ""
    )


def _quiver(ax: Axes, at: Float64, vectors: Float64, scale: float, colour: str) -> None:
    """Arrows with a dark edge, to be seen on any frame."""
    heads: Any = {
        "headwidth": 4.5,
        "headlength": 4,
        "headaxislength": 3.5,
        "minlength": 0,
        "width": 0.004,
    }
    edge: Any = {"color": colour, "edgecolor": "black", "linewidth": 0.4}
    ax.quiver(*at, *vectors, angles="xy", scale_units="xy", scale=scale, **heads, **edge)

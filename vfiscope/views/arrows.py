"""A vector field as short arrows on the one frame that it begins in."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from vfiscope.types import Float32

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["draw_arrows"]

ACROSS = 28
"""Arrows from the left border to the right one, at most."""
STILL_PX = 0.5
"""Shorter vectors are dots."""
COLOUR = "#FFE000"


def draw_arrows(ax: Axes, field: Float32, size: tuple[int, int]) -> str:
    """Draw every so many-th vector, all to one scale at which the longest hardly touch; what the scale is.

    Args:
        ax: shows the frame in its own pixels.
        field: (2, h, w) px, (dx, dy); cells whose vector is NaN are left out.
        size: (height, width) of the frame.
    """
    h, w = field.shape[1:]
    stride = max(1, -(-w // ACROSS))
    rows, columns = np.mgrid[stride // 2 : h : stride, stride // 2 : w : stride].reshape(2, -1)
    x, y = (columns + 0.5) * size[1] / w - 0.5, (rows + 0.5) * size[0] / h - 0.5
    dx, dy = field[0, rows, columns], field[1, rows, columns]
    known = np.isfinite(dx) & np.isfinite(dy)
    x, y, dx, dy = x[known], y[known], dx[known], dy[known]
    lengths = np.hypot(dx, dy)
    moving = lengths >= STILL_PX
    if not moving.any():
        return f"nothing moves by {STILL_PX:g} px or more"
    longest = float(np.percentile(lengths[moving], 95))
    shrink = longest / (1.2 * stride * size[1] / w)
    for colour, width in (("black", 0.006), (COLOUR, 0.0032)):
        ax.quiver(
            *(part[moving] for part in (x, y, dx, dy)),
            angles="xy",
            scale_units="xy",
            scale=shrink,
            width=width,
            headwidth=3.5 if colour != "black" else 2.6,
            color=colour,
            minlength=0,
        )
    ax.plot(x[~moving], y[~moving], ".", color=COLOUR, markersize=1.2)
    ax.set(xlim=(-0.5, size[1] - 0.5), ylim=(size[0] - 0.5, -0.5))
    return f"{1 / shrink:.3g} times as long as in the frame; longest {lengths.max():.3g} px"

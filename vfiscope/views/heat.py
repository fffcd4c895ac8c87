"""A map laid over the frame that it is about: its scale, its colours, and where it is strongest.

What is weak is transparent, and lighter is worse, for every kind of colour vision and in print:
over a frame in grey from purple by way of red to pale yellow; over one in its own colours from
green to yellow, and only where it is strong.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from vfiscope.errors import UsageError
from vfiscope.pixels import luma_fraction
from vfiscope.types import Box, CellGrid, Float32, Float64, MetricSpec

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = [
    "HEAT",
    "OVER_COLOURS",
    "Layer",
    "Look",
    "Scale",
    "colour_map",
    "departure",
    "draw_outline",
    "extent_of",
    "grey",
    "overlay_map",
    "scale_of",
    "stretched",
    "strongest_box",
    "window",
]

SCALE_PERCENTILE = 99.5
"""Per cent of the cells of a call that lie within an automatic scale."""
DARK, LIGHT = 0.08, 0.5
"""Black and white of a frame under a map."""
STRONG_PART_OF_PEAK = 0.5
"""Part of the peak that still belongs to the strongest area."""
SEEN_PART_OF_SCALE = 0.1
"""Part of the scale that the peak must reach to be pointed at: what is less looks dark."""
MIN_WINDOW_SHARE, MAX_WINDOW_SHARE = 0.2, 0.5
"""Sides of the enlarged part, of those of the frame."""


class Look(NamedTuple):
    """How strength becomes a colour over a frame."""

    colours: str
    """Of matplotlib."""
    first: float
    """Where on them those of the scale begin: what is darker is lost on a dark frame."""
    seen: float
    """Strength from which on there is a colour."""
    full: float
    """Strength from which on it is as opaque as it gets."""
    opaque: float


HEAT = Look("inferno", 0.25, 0.0, 0.5, 0.85)
"""For a frame in grey."""
OVER_COLOURS = Look("viridis", 0.5, 0.25, 0.75, 0.75)
"""For a frame in its colours, which are seen beneath; most things are not green and yellow where
red is."""


class Layer(NamedTuple):
    """A map or field of one frame, to be laid over it."""

    values: Float32
    """(h, w) of a map, (2, h, w) of a field."""
    cells: CellGrid
    """Where they lie in the frame."""


@dataclass(frozen=True)
class Scale:
    """What the colours of a map mean."""

    spec: MetricSpec
    top: float
    """The departure from the value of a perfect frame that is brightest."""
    words: str
    """How it was chosen."""

    def strength(self, values: Float32) -> Float64:
        """(h, w) 0..1 for values; 0 where one is NaN."""
        return np.clip(departure(values, self.spec) / self.top, 0.0, 1.0)

    @property
    def ends(self) -> tuple[float, float]:
        """The values that are dark and bright."""
        identity = self.spec.identity
        return identity, identity + (self.top if self.spec.lower_is_better else -self.top)


def departure(values: Float32, spec: MetricSpec) -> Float64:
    """How far values are from that of a perfect frame; 0 where one is NaN."""
    return np.abs(np.nan_to_num(np.asarray(values, np.float64) - spec.identity, nan=0.0))


def scale_of(maps: Sequence[Float32], spec: MetricSpec, how: str | float) -> Scale:
    """One scale for several maps.

    Args:
        maps: (h, w) each.
        spec: what their values mean.
        how: "auto", up to a departure that 99.5 % of all cells do not exceed, and no less than the
            metric's floor, so that noise stays dark; "absolute", the whole range; or a number, the
            departure to end at.

    Raises:
        UsageError: it is none of these, or a range has no end.
    """
    if how == "auto":
        known = [departure(values, spec)[np.isfinite(values)] for values in maps]
        cells = np.concatenate([*known, np.empty(0)])
        reached = float(np.percentile(cells, SCALE_PERCENTILE)) if len(cells) else 0.0
        if reached > spec.floor:
            return Scale(spec, reached, f"{SCALE_PERCENTILE:g} % of the cells shown lie within it")
        least = spec.floor or 1.0
        return Scale(spec, least, f"ends at {least:g}: less is not worth flagging")
    if how == "absolute":
        most = spec.high - spec.identity if spec.lower_is_better else spec.identity - spec.low
        if not 0 < most < np.inf:
            raise UsageError(
                f"the range of {spec.name} has no end: pass a number for the scale to end at"
            )
        return Scale(spec, most, "its whole range")
    try:
        top = float(how)
    except ValueError:
        top = 0.0
    if not 0 < top < np.inf:
        raise UsageError(f"scale is {how!r}: pass auto, absolute, or a number above 0 to end at")
    return Scale(spec, top, "as asked for")


def colour_map(look: Look = HEAT) -> Any:
    """The colours over a frame of middle brightness, for a colour bar."""
    from matplotlib.colors import ListedColormap

    colours, alpha = _colours(look)
    under = (DARK + LIGHT) / 2
    return ListedColormap(under + alpha[:, None] * (colours - under))


def overlay_map(
    picture: NDArray[np.uint8], layer: Layer, scale: Scale, look: Look = HEAT
) -> NDArray[np.uint8]:
    """A frame with a map over it, each cell in one colour. Where the map is perfect, the frame is
    unchanged.

    Args:
        picture: (H, W, 3).
        layer: the map; what is outside of its cells stays as it is.
        scale: what the colours mean.
        look: which they are.

    Returns:
        (H, W, 3).
    """
    colours, alpha = _colours(look)
    levels = np.rint(255 * scale.strength(layer.values)).astype(np.intp)
    size = (picture.shape[0], picture.shape[1])
    over = stretched(alpha[levels], layer.cells, size)[..., None]
    mixed = picture + over * (255.0 * stretched(colours[levels], layer.cells, size) - picture)
    return np.rint(mixed).astype(np.uint8)


def _colours(look: Look) -> tuple[Float64, Float64]:
    """(256, 3) colours and (256,) opacities by strength; the first is transparent."""
    import matplotlib

    strength = np.linspace(0.0, 1.0, 256)
    colours = np.asarray(
        matplotlib.colormaps[look.colours](look.first + (1 - look.first) * strength)
    )[:, :3]
    return colours, look.opaque * np.clip(
        (strength - look.seen) / (look.full - look.seen), 0.0, 1.0
    )


def grey(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """(H, W, 3): the luma of a frame in the darker half of the greys, to be seen beneath a map."""
    luma = luma_fraction(picture)
    return np.repeat(
        np.rint(255 * (DARK + (LIGHT - DARK) * luma)).astype(np.uint8)[..., None], 3, axis=2
    )


def stretched(values: NDArray[Any], cells: CellGrid, size: tuple[int, int]) -> NDArray[Any]:
    """(h, w, ...) values of cells as (H, W, ...) pixels, none of them mixed; 0 outside of them."""
    rows, columns = (
        np.searchsorted(edges, np.arange(length), side="right") - 1
        for edges, length in zip(cells.edges, size, strict=True)
    )
    spread = np.take(np.take(values, rows, axis=0, mode="clip"), columns, axis=1, mode="clip")
    spread[(rows < 0) | (rows >= cells.rows)] = 0
    spread[:, (columns < 0) | (columns >= cells.columns)] = 0
    return spread


def strongest_box(layer: Layer, scale: Scale) -> Box | None:
    """Where a map is strongest: the connected cells of at least half its peak that together hold
    most.

    Args:
        layer: the map.
        scale: what its values mean, and what is seen of them.

    Returns:
        The box around them in pixels; None where :func:`extent_of` says all.
    """
    if extent_of(layer.values, scale):
        return None
    strength = departure(layer.values, scale.spec)
    count, labels = cv2.connectedComponents(
        (strength >= STRONG_PART_OF_PEAK * strength.max()).astype(np.uint8), connectivity=8
    )
    sums = np.bincount(labels.ravel(), strength.ravel(), count)
    rows, columns = np.nonzero(labels == 1 + int(np.argmax(sums[1:])))
    return layer.cells.around(
        slice(int(rows.min()), int(rows.max()) + 1),
        slice(int(columns.min()), int(columns.max()) + 1),
    )


def extent_of(values: Float32, scale: Scale) -> str:
    """The extent of a map in words where no box shows it, else "": nothing, where its peak is below
    the metric's floor or dark on the scale; or all over the frame."""
    strength = departure(values, scale.spec)
    peak = float(strength.max())
    if not peak > 0 or peak < max(scale.spec.floor, SEEN_PART_OF_SCALE * scale.top):
        return "nothing to point at"
    return (
        "all over the frame"
        if (strength >= STRONG_PART_OF_PEAK * peak).mean() >= STRONG_PART_OF_PEAK
        else ""
    )


def window(box: Box, layer: Layer, spec: MetricSpec, size: tuple[int, int]) -> Box:
    """The part of a frame to enlarge: of its shape, with sides of a fifth to a half of its own.

    It lies around the middle of a box; where the box is larger, where the map is strongest in it.
    """
    height, width = size
    part = min(max(1.3 * max(box.w / width, box.h / height), MIN_WINDOW_SHARE), MAX_WINDOW_SHARE)
    w, h = max(1, round(part * width)), max(1, round(part * height))
    x, y = box.x + box.w // 2, box.y + box.h // 2
    if box.w > w or box.h > h:
        strength = stretched(departure(layer.values, spec), layer.cells, size)
        inside = np.zeros_like(strength)
        inside[box.y : box.y + box.h, box.x : box.x + box.w] = 1
        sums = cv2.boxFilter(
            strength * inside, -1, (w, h), normalize=False, borderType=cv2.BORDER_CONSTANT
        )
        y, x = (int(place) for place in np.unravel_index(int(np.argmax(sums)), sums.shape))
    return Box(min(max(0, x - w // 2), width - w), min(max(0, y - h // 2), height - h), w, h)


def draw_outline(ax: Axes, layer: Layer, scale: Scale, size: tuple[int, int]) -> None:
    """Lines around what is at least at half of the scale: white on black, to be seen on any
    colour."""
    strong = (scale.strength(layer.values) >= STRONG_PART_OF_PEAK).astype(np.float64)
    if strong.any() and not strong.all():
        level = stretched(strong, layer.cells, size)
        for colour, width in (("black", 2.4), ("white", 1.1)):
            ax.contour(level, [STRONG_PART_OF_PEAK], colors=colour, linewidths=width)

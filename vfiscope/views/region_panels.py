"""Regions drawn into axes: boxes with numbers, the difference map on its own scale, masks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from vfiscope.regions import Found
from vfiscope.regions.masks import decode
from vfiscope.types import Box, Float32, Region, Uint8
from vfiscope.views.box_labels import Rect, places_for
from vfiscope.views.heat import HEAT, grey

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = [
    "KIND_COLOURS",
    "View",
    "draw_boxes",
    "draw_map",
    "draw_scale",
    "kind_colour",
    "kind_counts",
    "mask_picture",
    "overlay_picture",
    "shown_map",
    "shrunk",
    "top_of",
]

KIND_COLOURS = {
    "missing": "#E8601C",
    "added": "#00C08B",
    "moved": "#56B4E9",
    "colour": "#F28CC8",
    "damage": "#E69F00",
    "scratch": "#F0E442",
    "spot": "#4477FF",
    "unknown": "#FFFFFF",
}
"""After Okabe and Ito (2008), lighter, to be seen on a black casing over any frame."""
MAP_TOPS = {
    "ratio": 4.0,
    "code values": 128.0,
    "code values, stretched": 255.0,
    "1 - SSIM": 1.0,
    "cosine distance": 0.4,
}
"""{unit: the value that is brightest in figures}, the same in all, so that they can be compared."""
SEEN_STRENGTH = 0.12
"""Part of a scale from which on its colours are not almost black."""
UNIT_WORDS = {"ratio": "times the threshold of each pixel"}
"""Words for units that do not tell by themselves."""
MOST_BOXES, MOST_NUMBERED = 1000, 200
"""Boxes that are drawn, and that have a number: the first ones."""
LABEL_PT, LABEL_CHARACTER, LABEL_PADDING = 7.5, 0.7, 3.0
"""Size of the numbers; width of a digit of it, in sizes; pixels on each side."""
CASING = "#101010"
NO_REGION, UNDECIDED = 140, 56
"""Grey of what lies above the threshold in no region, and of what cannot be decided."""


@dataclass(frozen=True)
class View:
    """A frame as it is shown in axes."""

    height: int
    width: int
    zoom: float
    """Pixels of the figure to a pixel of the frame."""
    dpi: float

    @property
    def extent(self) -> tuple[float, float, float, float]:
        """Of matplotlib: pixel centres lie at whole numbers."""
        return -0.5, self.width - 0.5, self.height - 0.5, -0.5

    def show(self, ax: Axes, picture: Any, **how: Any) -> Any:
        """Draw a frame or map, which may be reduced."""
        smooth = "antialiased" if self.zoom < 1 else "nearest"
        options = {"extent": self.extent, "aspect": "auto", "interpolation": smooth}
        return ax.imshow(picture, **{**options, **how})


def top_of(found: Found) -> tuple[float, str]:
    """The value of a difference map that is brightest, and how it was chosen in words: the same for
    all maps of a unit. Of a unit that is not known, a round number above its largest value."""
    unit = found.difference.unit
    if unit in MAP_TOPS:
        return MAP_TOPS[unit], ""
    level = found.cut.level if np.isfinite(found.cut.level) else 0.0
    most = max(float(found.difference.values.max(initial=0.0)), 2 * level)
    if not most > 0:
        return 1.0, ""
    power = 10.0 ** np.floor(np.log10(most))
    return float(
        next(n * power for n in (1, 2, 5, 10) if n * power >= most)
    ), "scale of this frame alone"


def shrunk(frame: Uint8, longest: float) -> Uint8:
    """A frame whose longer side has at most so many pixels, each the mean of those that it stands
    for."""
    part = longest / max(frame.shape[:2])
    if part >= 1:
        return frame
    size = tuple(max(1, round(side * part)) for side in frame.shape[1::-1])
    return np.asarray(cv2.resize(frame, size, interpolation=cv2.INTER_AREA), np.uint8)


def shown_map(values: Float32, longest: float) -> Float32:
    """A map whose longer side has at most about so many cells, each the largest value of those that
    it stands for: a small area does not get lost."""
    step = int(np.ceil(max(values.shape) / longest))
    if step <= 1:
        return values
    rows, columns = (np.arange(0, side, step) for side in values.shape)
    return np.asarray(
        np.maximum.reduceat(np.maximum.reduceat(values, rows, axis=0), columns, axis=1), np.float32
    )


def kind_colour(kind: str) -> str:
    return KIND_COLOURS.get(kind, KIND_COLOURS["unknown"])


def kind_counts(regions: Sequence[Region]) -> dict[str, int]:
    """{kind: how many}, in the order of the colours, then of the regions."""
    counts = Counter(region.kind for region in regions)
    known = [kind for kind in KIND_COLOURS if kind in counts]
    return {kind: counts[kind] for kind in dict.fromkeys([*known, *counts])}


def draw_boxes(ax: Axes, regions: Sequence[Region], view: View) -> int:
    """Thin boxes in the colours of their kinds with numbers from 1 on, or T and the number of the
    track, each tied to its box by a line where it stands apart.

    Returns:
        How many have no number, because there is no room.
    """
    from matplotlib.patches import Rectangle

    for region in reversed(regions[:MOST_BOXES]):
        for colour, width in ((CASING, 2.2), (kind_colour(region.kind), 1.0)):
            corner = region.x - 0.5, region.y - 0.5
            ax.add_patch(
                Rectangle(corner, region.w, region.h, fill=False, edgecolor=colour, linewidth=width)
            )
    ax.set(xlim=view.extent[:2], ylim=view.extent[2:])
    numbered = regions[:MOST_NUMBERED]
    boxes = [
        Rect(*(view.zoom * side for side in (each.x, each.y, each.x + each.w, each.y + each.h)))
        for each in numbered
    ]
    size = LABEL_PT * view.dpi / 72
    labels = [f"T{each.track}" if each.track >= 0 else str(n) for n, each in enumerate(numbered, 1)]
    sizes = [
        (LABEL_CHARACTER * size * len(label) + 2 * LABEL_PADDING, size + LABEL_PADDING)
        for label in labels
    ]
    places = places_for(boxes, sizes, (view.zoom * view.width, view.zoom * view.height))
    for label, region, box, place in zip(labels, numbered, boxes, places, strict=True):
        if place is not None:
            _draw_label(ax, label, kind_colour(region.kind), box, place, view)
    return len(regions) - sum(place is not None for place in places)


def _draw_label(ax: Axes, label: str, colour: str, box: Rect, place: Rect, view: View) -> None:
    from matplotlib.patches import Rectangle

    x0, y0, x1, y1 = (side / view.zoom - 0.5 for side in place)
    x, y = (x0 + x1) / 2, (y0 + y1) / 2
    left, top, right, bottom = (side / view.zoom - 0.5 for side in box)
    near = min(max(x, left), right), min(max(y, top), bottom)
    if near[0] < x0 - 1 or near[0] > x1 + 1 or near[1] < y0 - 1 or near[1] > y1 + 1:
        for line, width in ((CASING, 1.8), (colour, 0.8)):
            ax.plot([x, near[0]], [y, near[1]], color=line, linewidth=width, zorder=2.5)
    ax.add_patch(
        Rectangle(
            (x0, y0),
            x1 - x0,
            y1 - y0,
            facecolor=colour,
            edgecolor=CASING,
            linewidth=0.5,
            zorder=3,
        )
    )
    ax.text(
        x,
        y,
        label,
        size=LABEL_PT,
        weight="bold",
        color="black",
        ha="center",
        va="center_baseline",
        zorder=3.1,
    )


def mask_picture(found: Found) -> Uint8:
    """(H, W) what lies above the threshold: white in regions, grey elsewhere, dark where nothing
    can be decided."""
    size = found.pair.size
    picture = np.where(found.difference.valid, 0, UNDECIDED).astype(np.uint8)
    picture[found.cut.mask] = NO_REGION
    for region in found.regions[:MOST_BOXES]:
        box = _extent(region, size)
        inside = picture[box.y : box.y + box.h, box.x : box.x + box.w]
        mask = decode(region.mask, size, box) if region.mask else inside == NO_REGION
        inside[mask] = 255
    return picture


def _extent(region: Region, size: tuple[int, int]) -> Box:
    """The whole pixels that hold the mask of a region."""
    tight = (region.tight_x, region.tight_y, region.tight_w, region.tight_h)
    x, y, w, h = tight if region.tight_w > 0 else (region.x, region.y, region.w, region.h)
    left, top = min(max(0, int(x)), size[1]), min(max(0, int(y)), size[0])
    right, bottom = min(int(np.ceil(x + w)), size[1]), min(int(np.ceil(y + h)), size[0])
    return Box(left, top, max(0, right - left), max(0, bottom - top))


def overlay_picture(found: Found, longest: float) -> Uint8:
    """(h, w, 3) the test frame in grey under the colours of its map, which begin at half the
    threshold, if they are not almost black there; where nothing changed there are none."""
    frame = grey(shrunk(found.pair.test, longest)).astype(np.float32)
    size = frame.shape[1], frame.shape[0]
    level = found.cut.level
    if not np.isfinite(level):
        return frame.astype(np.uint8)
    values = np.where(found.difference.valid, found.difference.values, 0.0).astype(np.float32)
    large = cv2.resize(shown_map(values, longest), size, interpolation=cv2.INTER_LINEAR)
    strength = np.clip(large / top_of(found)[0], 0, 1)
    start = 0.5 * max(level, 1e-9)
    seen = np.clip(strength / SEEN_STRENGTH, 0, 1) * np.clip((large - start) / start, 0, 1)
    over = HEAT.opaque * seen[..., None]
    colours = 255 * np.asarray(map_colours()(strength))[..., :3]
    return np.asarray(np.rint(frame + over * (colours - frame)), np.uint8)


def draw_map(ax: Axes, found: Found, view: View) -> None:
    """A difference map in the colours of its unit."""
    values = np.where(found.difference.valid, found.difference.values, -1.0).astype(np.float32)
    cells = shown_map(values, view.zoom * max(values.shape))
    shown = np.ma.masked_less(cells, 0.0)
    view.show(ax, shown, cmap=map_colours(), vmin=0.0, vmax=top_of(found)[0])


def draw_scale(ax: Axes, found: Found) -> None:
    """The colours of a difference map with its unit and the threshold, lying in flat axes."""
    top, how = top_of(found)
    level, unit = found.cut.level, found.difference.unit
    ax.imshow(
        np.linspace(0, 1, 256)[None], cmap=map_colours(), aspect="auto", extent=(0, top, 0, 1)
    )
    ticks = np.linspace(0, top, 5)
    labels = [f"{tick:.3g}" for tick in ticks]
    labels[-1] = f"≥ {labels[-1]}"
    ax.set_xticks(ticks, labels, fontsize=7)
    ax.set_yticks([])
    ax.tick_params(axis="x", length=2, pad=2)
    first, *_, last = ax.get_xticklabels()
    first.set_horizontalalignment("left")
    last.set_horizontalalignment("right")
    ax.spines[:].set_linewidth(0.4)
    if np.isfinite(level):
        for colour, width in ((CASING, 2.4), ("white", 1.0)):
            ax.axvline(min(level, top), color=colour, linewidth=width)
        said = f"threshold {level:.3g}"
    else:
        said = "no threshold: nothing changed"
    ax.set_title(
        "; ".join(filter(None, (UNIT_WORDS.get(unit, unit), said, how))), size=7, pad=2, loc="left"
    )


def map_colours() -> Any:
    """The colours of difference maps: black where nothing differs, grey where nothing can be
    decided."""
    import matplotlib

    return matplotlib.colormaps["inferno"].with_extremes(bad="#606060")

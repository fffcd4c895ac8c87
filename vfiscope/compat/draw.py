"""Figures of one compared pair: the seven files of VFI-Similarity and the overlay of its successor
NOVA.

Image A is the reference and image B the test, in the order of their tools
(https://github.com/stootaghaj/NOVA). Two things differ from theirs: the maps of A and B share a
scale that starts at a perfect match, so that equal images are blank, where they stretched each
map to its own range; and grids need not be square. The summary holds the scales.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from vfiscope.files import replacing_all
from vfiscope.options import FIGURE_NAMES, RunConfig
from vfiscope.printable import printable
from vfiscope.types import CellGrid, Float32, MetricSpec
from vfiscope.views.arrows import draw_arrows
from vfiscope.views.heat import (
    HEAT,
    OVER_COLOURS,
    Layer,
    Look,
    Scale,
    colour_map,
    draw_outline,
    grey,
    overlay_map,
    scale_of,
)
from vfiscope.views.style import METADATA, save_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["PAIR_FILES", "Drawing", "PairPictures", "draw_pair"]

PAIR_DPI = 150
LONGEST_IN = 12.0
MISMATCH = MetricSpec(
    "mismatch", "1", 0.0, 2.5, True, 0.0, 0.01, "1 - cosine of each patch to its best match"
)
MIN_RANGE = 0.01
"""Least range of a similarity scale below 1: the departure that is worth flagging."""


@dataclass(frozen=True)
class Drawing:
    """How a pair is drawn; see :mod:`vfiscope.options.figure_options`."""

    arrow_stride: int | None = None
    pca: bool = True
    opacity: float | None = None

    @classmethod
    def of(cls, config: RunConfig) -> Self:
        return cls(**{name: getattr(config, name) for name in FIGURE_NAMES})

    @property
    def files(self) -> tuple[str, ...]:
        """The names of what is written."""
        return tuple(name for name in PAIR_FILES if self.pca or name != PCA_PNG)

    @property
    def overlay(self) -> Look:
        """The colours over the test."""
        return OVER_COLOURS if self.opacity is None else OVER_COLOURS._replace(opaque=self.opacity)

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, eq=False)
class PairPictures:
    """The data to draw of a pair of images with h x w patches."""

    image_a: NDArray[np.uint8]
    """(H, W, 3) RGB."""
    image_b: NDArray[np.uint8]
    path_a: str
    path_b: str
    similarity_a2b: Float32
    """(h, w) cosine of each patch of A to its best match in B; NaN, as in the three below, where B
    shows nothing."""
    similarity_b2a: Float32
    mismatch_a: Float32
    """(h, w) 1 - that cosine, times 1.25 where the two patches are not each other's best match."""
    mismatch_b: Float32
    match_a2b: NDArray[np.int64]
    """(h, w) place of the best match in B in reading order: row * w + column."""
    mutual_a: NDArray[np.bool_]
    """(h, w) whether a patch of A is the best match of its best match."""
    colours: tuple[Float32, Float32] | None
    """(h, w, 3) 0..1 of A and of B: the first three principal components of the patches of both
    images; None where these are not drawn."""
    facts: dict[str, Any]
    """Further entries of the summary."""
    how: Drawing = Drawing()

    @property
    def grid(self) -> tuple[int, int]:
        """(h, w)."""
        h, w = self.similarity_a2b.shape
        return int(h), int(w)

    @property
    def cells(self) -> CellGrid:
        """The patches as cells of the images."""
        return CellGrid.over((self.image_b.shape[0], self.image_b.shape[1]), self.grid)

    @property
    def name_a(self) -> str:
        return printable(Path(self.path_a).name)

    @property
    def name_b(self) -> str:
        return printable(Path(self.path_b).name)

    @property
    def scale(self) -> Scale:
        """Of the mismatch of both images."""
        return scale_of([self.mismatch_a, self.mismatch_b], MISMATCH, "auto")

    @property
    def similarity_scale(self) -> tuple[float, float]:
        """Ends of the colour scale of the similarity of both images."""
        low = float(
            np.nanpercentile(np.concatenate([self.similarity_a2b, self.similarity_b2a]), 0.5)
        )
        return min(low, 1 - MIN_RANGE), 1.0

    def summary(self, folder: Path) -> dict[str, Any]:
        """The keys of VFI-Similarity and of NOVA, full paths, and further facts.

        ``grid_size`` is g for a square grid of g x g patches, as there, and None for any other;
        ``grid`` is always [h, w].
        """
        h, w = self.grid
        return {
            "image_a": Path(self.path_a).name,
            "image_b": Path(self.path_b).name,
            "path_a": self.path_a,
            "path_b": self.path_b,
            "grid_size": h if h == w else None,
            "grid": [h, w],
            "num_patches": h * w,
            "mean_similarity_a2b": float(np.nanmean(self.similarity_a2b)),
            "mean_similarity_b2a": float(np.nanmean(self.similarity_b2a)),
            "mean_mismatch_a": float(np.nanmean(self.mismatch_a)),
            "mean_mismatch_b": float(np.nanmean(self.mismatch_b)),
            "mean_mismatch": float(np.nanmean(self.mismatch_b)),
            "mismatch_scale": list(self.scale.ends),
            "similarity_scale": list(self.similarity_scale),
            "figures": self.how.to_dict(),
            "output_dir": str(folder.resolve()),
            "output_file": str(folder.resolve() / "heatmap_overlay.png"),
            **self.facts,
        }


def draw_pair(
    pair: PairPictures, folder: str | os.PathLike[str], *, overwrite: bool = False
) -> dict[str, Any]:
    """Write :data:`PAIR_FILES` into a folder that is made if it is missing: all of them, or after
    an error none.

    Returns:
        The summary.

    Raises:
        OutputExistsError: a file exists, and overwriting was not asked for.
        DiskFullError, StoreError: a file cannot be written.
    """
    import matplotlib

    summary = pair.summary(Path(folder))
    with (
        matplotlib.rc_context({"font.family": "DejaVu Sans", "text.parse_math": False}),
        replacing_all(Path(folder), PAIR_FILES, overwrite=overwrite) as temporary,
    ):
        for name, draw in DRAWINGS.items():
            if name not in pair.how.files:
                continue
            save_figure(
                draw(pair),
                temporary / name,
                overwrite=False,
                format="png",
                dpi=PAIR_DPI,
                bbox_inches="tight",
                metadata=METADATA[".png"],
            )
        (temporary / SUMMARY_JSON).write_text(
            json.dumps(summary, indent=2, allow_nan=False) + "\n", encoding="utf-8"
        )
    return summary


def _figure(width: float, height: float, columns: int = 1) -> tuple[Figure, list[Axes]]:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    panels = list(figure.subplots(1, columns, squeeze=False)[0])
    for ax in panels:
        ax.axis("off")
    return figure, panels


def _beside(pair: PairPictures, columns: int = 2, width: float = 6.0) -> tuple[Figure, list[Axes]]:
    """A figure for images side by side, each at most this many inches wide."""
    tall, wide = pair.image_b.shape[:2]
    each = min(width, LONGEST_IN * wide / tall / 2)
    return _figure(columns * max(2.5, each) + 0.9, max(1.8, each * tall / wide) + 0.7, columns)


def _similarity(pair: PairPictures, values: Float32, title: str) -> Figure:
    """One map of similarity, 5 x 5 inches where it is square."""
    h, w = values.shape
    low, high = pair.similarity_scale
    figure, (ax,) = _figure(5, min(max(5 * h / w, 1.5), 10))
    shown = ax.imshow(values, interpolation="nearest", cmap="viridis", vmin=low, vmax=high)
    ax.set_title(title, fontsize=9)
    figure.colorbar(
        shown, ax=ax, shrink=0.8, extend="min", label=f"cosine similarity, from {low:.3g}"
    )
    return figure


def _mismatch(pair: PairPictures, image: NDArray[np.uint8], values: Float32, title: str) -> Figure:
    """A map of mismatch over its frame in grey."""
    scale = pair.scale
    figure, (ax,) = _beside(pair, columns=1, width=7)
    ax.imshow(overlay_map(grey(image), Layer(values, pair.cells), scale), interpolation="nearest")
    ax.set_title(title, fontsize=9)
    _bar(figure, [ax], scale)
    return figure


def _bar(figure: Figure, panels: list[Axes], scale: Scale, look: Look = HEAT) -> None:
    """The colours of mismatch, and what they mean."""
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Normalize

    colours = ScalarMappable(Normalize(*scale.ends), colour_map(look))
    bar = figure.colorbar(colours, ax=panels, shrink=0.8, extend="max")
    bar.set_label(f"mismatch, 1 - cosine ({scale.words})", fontsize=8)


def _vector_field(pair: PairPictures) -> Figure:
    """Short arrows on A, from its patches towards where their best matches are in B."""
    (h, w), (height, width), cells = pair.grid, pair.image_a.shape[:2], pair.cells
    rows, columns = np.mgrid[0:h, 0:w]
    to_rows, to_columns = np.divmod(pair.match_a2b, w)
    moved = np.stack(
        [(to_columns - columns) * cells.cell_width, (to_rows - rows) * cells.cell_height]
    ).astype(np.float32)
    moved[:, ~pair.mutual_a] = np.nan
    figure, (ax,) = _beside(pair, columns=1, width=9)
    ax.imshow(pair.image_a)
    said = draw_arrows(ax, Layer(moved, cells), (height, width), pair.how.arrow_stride)
    ax.set_title(
        f"{pair.name_a} (A): from each patch to its best match in {pair.name_b} (B), whole"
        f" patches\n{said}; left out: {int((~pair.mutual_a).sum())} of {h * w} patches, not the"
        " best match of their best match",
        fontsize=9,
    )
    return figure


def _pca(pair: PairPictures) -> Figure:
    figure, panels = _figure(10, 5, 2)
    for ax, name, colours in zip(panels, "AB", pair.colours or (), strict=True):
        ax.imshow(colours, interpolation="nearest", vmin=0, vmax=1)
        ax.set_title(f"Image {name} - PCA Features")
    return figure


def _overlay(pair: PairPictures) -> Figure:
    """The mismatch of B over B in its colours, with outlines, and A beside it."""
    scale, (height, width) = pair.scale, pair.image_b.shape[:2]
    mismatch = Layer(pair.mismatch_b, pair.cells)
    figure, (left, right) = _beside(pair)
    left.imshow(pair.image_a)
    left.set_title(f"reference: {pair.name_a} (A)", fontsize=9)
    look = pair.how.overlay
    right.imshow(overlay_map(pair.image_b, mismatch, scale, look), interpolation="nearest")
    right.set_title(f"test: {pair.name_b} (B), mismatch over it", fontsize=9)
    draw_outline(right, mismatch, scale, (height, width))
    _bar(figure, [left, right], scale, look)
    return figure


PCA_PNG = "pca_features.png"
DRAWINGS: dict[str, Callable[[PairPictures], Figure]] = {
    "similarity_A2B.png": lambda pair: _similarity(
        pair, pair.similarity_a2b, f"{pair.name_a} (A): best matches in B"
    ),
    "similarity_B2A.png": lambda pair: _similarity(
        pair, pair.similarity_b2a, f"{pair.name_b} (B): best matches in A"
    ),
    "mismatch_A.png": lambda pair: _mismatch(
        pair, pair.image_a, pair.mismatch_a, f"{pair.name_a} (A): what is not in B"
    ),
    "mismatch_B.png": lambda pair: _mismatch(
        pair, pair.image_b, pair.mismatch_b, f"{pair.name_b} (B): what is not in A"
    ),
    "vector_field.png": _vector_field,
    PCA_PNG: _pca,
    "heatmap_overlay.png": _overlay,
}
SUMMARY_JSON = "summary.json"
PAIR_FILES = (*DRAWINGS, SUMMARY_JSON)

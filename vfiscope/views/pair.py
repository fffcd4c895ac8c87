"""Pictures of one compared pair: the seven files of VFI-Similarity and the overlay of its successor NOVA.

Image A is the reference and image B the test, in the order of their tools (https://github.com/stootaghaj/NOVA). Two
things differ from theirs: every colour has the same meaning in every picture (similarity 0..1; mismatch 0..1, with the
lower half of the scale spread out), where they stretched each picture to its own range; and grids need not be square.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from vfiscope.types import Float32
from vfiscope.views.export import replacing

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["FILES", "PairPictures", "draw_pair"]

STRIDE = 4
"""An arrow for every so many rows and columns of patches."""
ALPHA = 0.5
"""Opacity of the mismatch over the image."""
GAMMA = 0.5
"""Exponent of the colour scale of mismatch: most of what matters is below a fifth."""
DPI = 150
LONGEST_IN = 12.0
NOT_MUTUAL = "#FF9500"


@dataclass(frozen=True, eq=False)
class PairPictures:
    """What is drawn of a pair of images with h x w patches."""

    image_a: NDArray[np.uint8]
    """(H, W, 3) RGB."""
    image_b: NDArray[np.uint8]
    path_a: str
    path_b: str
    similarity_a2b: Float32
    """(h, w) cosine of each patch of A to its best match in B; NaN, as in the three below, where B shows nothing."""
    similarity_b2a: Float32
    mismatch_a: Float32
    """(h, w) 1 - that cosine, times 1.25 where the two patches are not each other's best match."""
    mismatch_b: Float32
    match_a2b: NDArray[np.int64]
    """(h, w) place of the best match in B in reading order: row * w + column."""
    mutual_a: NDArray[np.bool_]
    """(h, w) whether a patch of A is the best match of its best match."""
    colours_a: Float32
    """(h, w, 3) 0..1: the first three principal components of the patches of both images."""
    colours_b: Float32
    facts: dict[str, Any]
    """Further entries of the summary."""

    @property
    def grid(self) -> tuple[int, int]:
        """(h, w)."""
        h, w = self.similarity_a2b.shape
        return int(h), int(w)

    def summary(self, folder: Path) -> dict[str, Any]:
        """The keys of VFI-Similarity and of NOVA, full paths, and further facts.

        ``grid_size`` is g for a square grid of g x g patches, as there, and [h, w] for any other.
        """
        h, w = self.grid
        return {
            "image_a": Path(self.path_a).name,
            "image_b": Path(self.path_b).name,
            "path_a": self.path_a,
            "path_b": self.path_b,
            "grid_size": h if h == w else [h, w],
            "num_patches": h * w,
            "mean_similarity_a2b": float(np.nanmean(self.similarity_a2b)),
            "mean_similarity_b2a": float(np.nanmean(self.similarity_b2a)),
            "mean_mismatch_a": float(np.nanmean(self.mismatch_a)),
            "mean_mismatch_b": float(np.nanmean(self.mismatch_b)),
            "mean_mismatch": float(np.nanmean(self.mismatch_b)),
            "output_dir": str(folder.resolve()),
            "output_file": str(folder.resolve() / "heatmap_overlay.png"),
            **self.facts,
        }


def draw_pair(pair: PairPictures, folder: str | os.PathLike[str], *, overwrite: bool = False) -> dict[str, Any]:
    """Write :data:`FILES` into a folder that exists.

    Returns:
        The summary.

    Raises:
        OutputExistsError: a file exists, and overwriting was not asked for.
        DiskFullError, StoreError: a file cannot be written.
    """
    import matplotlib

    summary = pair.summary(Path(folder))
    with matplotlib.rc_context({"font.family": "DejaVu Sans", "text.parse_math": False}):
        for name, draw in DRAWINGS.items():
            figure = draw(pair)
            with replacing(Path(folder) / name, overwrite=overwrite) as temporary:
                figure.savefig(temporary, format="png", dpi=DPI, bbox_inches="tight", metadata={"Software": "vfiscope"})
    with replacing(Path(folder) / SUMMARY, overwrite=overwrite) as temporary:
        temporary.write_text(json.dumps(summary, indent=2, allow_nan=False) + "\n", encoding="utf-8")
    return summary


def _figure(width: float, height: float, columns: int = 1) -> tuple[Figure, list[Axes]]:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure, list(figure.subplots(1, columns, squeeze=False)[0])


def _map(values: Float32, title: str, extend: str, **colours: Any) -> Figure:
    """One map with its colour bar, 5 x 5 inches where it is square."""
    h, w = values.shape
    figure, (ax,) = _figure(5, min(max(5 * h / w, 1.5), 10))
    shown = ax.imshow(values, interpolation="nearest", **colours)
    ax.set_title(title)
    ax.axis("off")
    figure.colorbar(shown, ax=ax, shrink=0.8, extend=extend)
    return figure


def _similarity(values: Float32, title: str) -> Figure:
    return _map(values, title, "min", cmap="viridis", vmin=0, vmax=1)


def _mismatch(values: Float32, title: str) -> Figure:
    return _map(values, title, "max", cmap="hot", norm=_mismatch_scale())


def _mismatch_scale() -> Any:
    from matplotlib.colors import PowerNorm

    return PowerNorm(GAMMA, vmin=0, vmax=1, clip=True)


def _vector_field(pair: PairPictures) -> Figure:
    """Arrows from patches of A to their matches in B, both images side by side."""
    figure, (ax,) = _figure(12, 6)
    (h, w), (height, width) = pair.grid, pair.image_a.shape[:2]
    ax.imshow(np.concatenate([pair.image_a, pair.image_b], axis=1))
    rows, columns = np.mgrid[0:h:STRIDE, 0:w:STRIDE].reshape(2, -1)
    to_rows, to_columns = np.divmod(pair.match_a2b[rows, columns], w)
    mutual = pair.mutual_a[rows, columns]
    x, to_x = (columns + 0.5) * width / w - 0.5, (to_columns + 0.5) * width / w - 0.5 + width
    y, to_y = (rows + 0.5) * height / h - 0.5, (to_rows + 0.5) * height / h - 0.5
    for chosen, colour, words in ((mutual, "cyan", "mutual"), (~mutual, NOT_MUTUAL, "not mutual")):
        for start_x, start_y, end_x, end_y in np.stack([x, y, to_x, to_y], axis=1)[chosen]:
            arrow = {"arrowstyle": "-|>,head_length=0.4,head_width=0.2", "color": colour, "alpha": 0.7, "lw": 0.5}
            ax.annotate("", (end_x, end_y), (start_x, start_y), arrowprops={**arrow, "shrinkA": 0, "shrinkB": 0})
        ax.plot([], [], color=colour, label=f"{words} ({int(chosen.sum())})")
    ax.legend(loc="upper right", fontsize=8)
    ax.set_title("Best matches of patches of A (left) in B (right)")
    ax.axis("off")
    return figure


def _pca(pair: PairPictures) -> Figure:
    figure, panels = _figure(10, 5, 2)
    for ax, name, colours in zip(panels, "AB", (pair.colours_a, pair.colours_b), strict=True):
        ax.imshow(colours, interpolation="nearest", vmin=0, vmax=1)
        ax.set_title(f"Image {name} - PCA Features")
        ax.axis("off")
    return figure


def _overlay(pair: PairPictures) -> Figure:
    """The mismatch of B, smoothly enlarged, over B."""
    height, width = pair.image_b.shape[:2]
    inches = LONGEST_IN / max(height, width)
    figure, (ax,) = _figure(max(3.0, width * inches), max(3.0, height * inches))
    ax.imshow(pair.image_b)
    shown = ax.imshow(
        pair.mismatch_b,
        cmap="hot",
        norm=_mismatch_scale(),
        alpha=ALPHA,
        interpolation="bilinear",
        extent=(-0.5, width - 0.5, height - 0.5, -0.5),
    )
    ax.set_title(f"Difference Heatmap - {Path(pair.path_b).name}")
    ax.axis("off")
    figure.colorbar(shown, ax=ax, shrink=0.8, extend="max", label="Difference Intensity")
    return figure


DRAWINGS: dict[str, Callable[[PairPictures], Figure]] = {
    "similarity_A2B.png": lambda pair: _similarity(pair.similarity_a2b, "A→B Cosine Similarity"),
    "similarity_B2A.png": lambda pair: _similarity(pair.similarity_b2a, "B→A Cosine Similarity"),
    "mismatch_A.png": lambda pair: _mismatch(pair.mismatch_a, "Mismatch Map A"),
    "mismatch_B.png": lambda pair: _mismatch(pair.mismatch_b, "Mismatch Map B"),
    "vector_field.png": _vector_field,
    "pca_features.png": _pca,
    "heatmap_overlay.png": _overlay,
}
SUMMARY = "summary.json"
FILES = (*DRAWINGS, SUMMARY)

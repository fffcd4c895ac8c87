"""vfi: one number for interpolated frames, a prediction of LPIPS from four simple comparisons
without network weights.

Conventions:
    Frames are integer RGB (N, 3, H, W), test first, see :mod:`vfiscope.metrics.pixel_pairs`. Four
    parts, each 0 for identical frames and larger for worse ones, are multiplied together::

        vfi = SCALE * (product over the parts of (1 + part / softness) ^ weight - 1)

    with non-negative weights: vfi is 0 exactly where every part is, and never falls when a part
    rises. It is in units of LPIPS (Zhang et al. 2018, SqueezeNet): its least squares prediction,
    minus the prediction for identical frames. No two frames reach 1.6; unrelated frames score 0.3
    to 0.7. The parts are computed from the pixels at their own size, whatever the embedder of a
    run. Every pair is computed on its own, with sums in a fixed order: no score depends on the
    batch or the number of threads. Frames smaller than 11 pixels in a dimension have
    no SSIM and score NaN.

Parts:
    fine, coarse: mean over cells of 8x8 and of 32x32 px of sqrt(1 - cosine) of the dense SIFT and
    colour descriptors at the same place (Lowe 2004, see :mod:`vfiscope.embedders.dsift`): like
    LPIPS, distances between unit vectors of oriented gradients, at two scales. Borders are repeated
    up to whole cells.
    structure: 1 - SSIM of R, G and B averaged (Wang et al. 2004).
    detail: the share of the reference's detail that the test has lost, mean over cells of 16x16 px
    of max(0, l_r - l_t) / (l_r + 4), where l is the mean of the modified Laplacian of luma 0..255,
    the focus measure |2 Y - Y_left - Y_right| + |2 Y - Y_above - Y_below| of Nayar and Nakagawa
    1994. It distinguishes a blurred frame from an equally different sharp one.

Constants:
    ``python benchmarks/vfi.py --fit`` prints them; benchmarks/vfi.md shows how well vfi orders the
    frames of scenes that it was not fitted on.

Cost:
    Fine, coarse and detail come from one pass over the pixels (:mod:`vfiscope.metrics.vfi_cells`);
    SSIM is shared with ``ssim_rgb``. On a device, tensor operations are used
    (:mod:`vfiscope.metrics.tensors.vfi_tensors`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from vfiscope.metrics import vfi_cells
from vfiscope.metrics.metric import Metric
from vfiscope.metrics.pixel_pairs import (
    PixelPairs,
    on_pixels,
    per_frame,
    same_scale,
    undefined,
)
from vfiscope.metrics.ssim import MIN_SSIM_SIDE_PX, similarity_rgb
from vfiscope.types import MetricSpec

if TYPE_CHECKING:
    from vfiscope.types.batch import Pixels

__all__ = [
    "METRICS",
    "PARTS",
    "SCALE",
    "Part",
    "appearance",
    "compared",
    "detail",
    "parts",
    "structure",
    "vfi",
]

FINE_SIDE_PX, COARSE_SIDE_PX = 8, 32
"""Sides in pixels of the cells whose descriptors are compared."""


@dataclass(frozen=True)
class Part:
    """Softness and weight of a part."""

    softness: float
    """Values well below the softness hardly count."""
    weight: float
    """Exponent of 1 + part / softness."""


SCALE = 0.0007317
PARTS = {
    "fine": Part(0.003134, 0.491),
    "coarse": Part(0.00175, 0.38),
    "structure": Part(0.003026, 0.2682),
    "detail": Part(0.003045, 0.1163),
}
"""Fitted on 57 interpolated scenes; see the top of this file."""


def vfi(test: Pixels, ref: Pixels, *, test_depth: int = 8, ref_depth: int = 8) -> Pixels:
    """Predicted LPIPS, from the pixels alone.

    Returns:
        (N,) float32, 0 to 1.6; 0 when identical; NaN for frames smaller than 11 pixels in a
        dimension.
    """
    return _vfi(same_scale(test, ref, test_depth, ref_depth))


def parts(test: Pixels, ref: Pixels, *, test_depth: int = 8, ref_depth: int = 8) -> Pixels:
    """The four parts of vfi.

    Returns:
        (N, 4): fine, coarse, structure and detail; 0 when identical.
    """
    made: Pixels = _parts(same_scale(test, ref, test_depth, ref_depth))
    return made


def appearance(a: PixelPairs, cell: int) -> Any:
    """Mean over cells of sqrt(1 - cosine) of the dense SIFT descriptors at the same place, (N,)
    0..1.

    A cell has 8, 16 or 32 px; on a device any number.
    """
    return compared(a, (cell,))[:, 0]


def structure(a: PixelPairs) -> Any:
    """1 - SSIM of R, G and B averaged, (N,) 0..2; NaN for frames smaller than 11 pixels in a
    dimension."""
    if min(a.size) < MIN_SSIM_SIDE_PX:
        return undefined(a)
    apart = 1 - similarity_rgb(a)
    return apart.clip(min=0)


def detail(a: PixelPairs) -> Any:
    """Share of the reference's detail that the test frame has lost, (N,) 0..1."""
    return compared(a, ())[:, 0]


def compared(a: PixelPairs, cells: tuple[int, ...]) -> Any:
    """:func:`appearance` for each side of a cell and :func:`detail`, from one pass: (N, len(cells)
    + 1)."""
    if a.on_cpu:
        means = [vfi_cells.compare(a, row, cells) for row in range(len(a))]
        return np.array(means, np.float64).reshape(len(a), len(cells) + 1)
    from vfiscope.metrics.tensors import vfi_tensors

    return vfi_tensors.compared(a, cells)


def _parts(a: PixelPairs) -> Any:
    both = compared(a, (FINE_SIDE_PX, COARSE_SIDE_PX))
    if a.on_cpu:
        return np.stack([both[:, 0], both[:, 1], structure(a), both[:, 2]], axis=1)
    from vfiscope.metrics.tensors import vfi_tensors

    return vfi_tensors.columns(both[:, 0], both[:, 1], structure(a), both[:, 2])


def _vfi(a: PixelPairs) -> Pixels:
    return per_frame(_combined, _parts(a))


def _combined(*values: float) -> float:
    exponent = 0.0
    for value, part in zip(values, PARTS.values(), strict=True):
        exponent = exponent + part.weight * math.log1p(value / part.softness)
    return SCALE * math.expm1(exponent)


METRICS = (
    Metric(
        MetricSpec(
            name="vfi",
            unit="1",
            low=0.0,
            high=1.6,
            lower_is_better=True,
            identity=0.0,
            floor=0.01,
            description=(
                "LPIPS of an interpolated frame as predicted from dense SIFT, SSIM and lost detail."
            ),
        ),
        on_pixels(_vfi),
    ),
)

"""Structural similarity of planes on a CUDA device in two fused passes, compiled by Triton.

As tensor operations, the window's 22 taps read and write four planes each. Here one kernel filters
columns as it reads them, and another filters rows and makes the similarity, so that what lies
between is written once. Values are those of :mod:`vfiscope.metrics.tensors.ssim_tensors`, which
adds in the same order.

Importing this imports Triton, which torch brings along on Linux.
"""

from __future__ import annotations

import torch
import triton
import triton.language as tl
from torch import Tensor

from vfiscope.metrics.kernels.window_kernels import WINDOW_MARGIN_PX, taps

__all__ = ["similarity"]

MARGIN = tl.constexpr(WINDOW_MARGIN_PX)
PROGRAM_PX = 512
"""Neighbouring pixels of a row that one program computes."""
ROUNDED = {"enable_fp_fusion": False}
"""Every operation is rounded, as in tensor operations."""


def similarity(s: Tensor, d: Tensor, c: tuple[float, float]) -> tuple[Tensor, Tensor]:
    """SSIM and its contrast-structure part of every window.

    Args:
        s: sums of test and reference, (H, W) float32.
        d: differences.
        c: the constants of SSIM in their unit.

    Returns:
        Two (H - 10, W - 10) float32.
    """
    s, d = s.contiguous(), d.contiguous()
    height, width = s.shape
    rows, columns = height - 2 * WINDOW_MARGIN_PX, width - 2 * WINDOW_MARGIN_PX
    levels = torch.stack([(plane.amin() + plane.amax()) / 2 for plane in (s, d)])
    weights = torch.from_numpy(taps()).to(s.device, torch.float32)
    blurred, made = s.new_empty(4, rows, width), s.new_empty(2, rows, columns)
    with torch.cuda.device_of(s):  # type: ignore[no-untyped-call]
        grid = rows, triton.cdiv(width, PROGRAM_PX)
        _down[grid](s, levels, weights, blurred[:2], width, PROGRAM_PX, **ROUNDED)
        _down[grid](d, levels[1:], weights, blurred[2:], width, PROGRAM_PX, **ROUNDED)
        grid = rows, triton.cdiv(columns, PROGRAM_PX)
        _across[grid](blurred, levels, weights, made, width, *c, PROGRAM_PX, **ROUNDED)
    return made[0], made[1]


@triton.jit  # type: ignore[untyped-decorator]
def _down(
    plane: tl.tensor,
    level: tl.tensor,
    weights: tl.tensor,
    made: tl.tensor,
    width: tl.tensor,
    block: tl.constexpr,
) -> None:
    """Filter the columns of a plane (H, W) around its level, and of its square: (2, H - 10, W)."""
    row, x = tl.program_id(0), tl.program_id(1) * block + tl.arange(0, block)
    inside, around = x < width, tl.load(level)
    first = plane + row * width + x
    value = tl.load(first + MARGIN * width, mask=inside, other=0.0) - around
    weight = tl.load(weights + MARGIN)
    mean, square = weight * value, weight * (value * value)
    for k in tl.static_range(MARGIN):
        weight = tl.load(weights + k)
        above = tl.load(first + k * width, mask=inside, other=0.0) - around
        below = tl.load(first + (2 * MARGIN - k) * width, mask=inside, other=0.0) - around
        mean += weight * (above + below)
        square += weight * (above * above + below * below)
    at = made + row * width + x
    tl.store(at, mean, mask=inside)
    tl.store(at + tl.num_programs(0) * width, square, mask=inside)


@triton.jit  # type: ignore[untyped-decorator]
def _filtered(first: tl.tensor, weights: tl.tensor, inside: tl.tensor) -> tl.tensor:
    """Filter a row."""
    total = tl.load(weights + MARGIN) * tl.load(first + MARGIN, mask=inside, other=0.0)
    for k in tl.static_range(MARGIN):
        before = tl.load(first + k, mask=inside, other=0.0)
        after = tl.load(first + (2 * MARGIN - k), mask=inside, other=0.0)
        total += tl.load(weights + k) * (before + after)
    return total


@triton.jit  # type: ignore[untyped-decorator]
def _across(
    blurred: tl.tensor,
    levels: tl.tensor,
    weights: tl.tensor,
    made: tl.tensor,
    width: tl.tensor,
    c1: tl.tensor,
    c2: tl.tensor,
    block: tl.constexpr,
) -> None:
    """Filter the rows of four planes (4, H, W), and make SSIM and its contrast-structure part of
    them: (2, H, W - 10)."""
    row, rows = tl.program_id(0), tl.num_programs(0)
    columns = width - 2 * MARGIN
    x = tl.program_id(1) * block + tl.arange(0, block)
    inside = x < columns
    first, size = blurred + row * width + x, rows * width
    mean_s = _filtered(first, weights, inside)
    var_s = _filtered(first + size, weights, inside) - mean_s * mean_s
    mean_d = _filtered(first + 2 * size, weights, inside)
    var_d = _filtered(first + 3 * size, weights, inside) - mean_d * mean_d
    mean_s, mean_d = mean_s + tl.load(levels), mean_d + tl.load(levels + 1)
    structure = (var_s - var_d + c2) / (var_s + var_d + c2)
    square_s, square_d = mean_s * mean_s, mean_d * mean_d
    luminance = (square_s - square_d + c1) / (square_s + square_d + c1)
    at = made + row * columns + x
    tl.store(at, luminance * structure, mask=inside)
    tl.store(at + rows * columns, structure, mask=inside)

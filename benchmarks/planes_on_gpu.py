"""Decoded planes to RGB on a device, sample for sample as the CPU converts them; for
``benchmarks/gpu.py``, which tells whether uploading planes would pay.

vfiscope uploads RGB: bars, alignment and signals read it on the CPU in any case.
"""

from __future__ import annotations

import torch
from torch import Tensor

from vfiscope.sources.video.yuv_loops import CENTRE, LEFT, Factors

__all__ = ["to_rgb"]


def to_rgb(y: Tensor, u: Tensor, v: Tensor, site: int, factors: Factors) -> Tensor:
    """A frame as RGB.

    Args:
        y: (H, W) uint8.
        u, v: (h, w) uint8; H is h or 2 h, W is w or 2 w.
        site: where chroma is sited in a row.
        factors: of the matrix and range.

    Returns:
        (3, H, W) uint8 on the device of the planes.
    """
    black, luma, v_red, u_green, v_green, u_blue = (int(each) for each in factors)
    four_u, four_v = (_between_rows(plane.int(), len(y)) - 512 for plane in (u, v))
    terms = [v_red * four_v, u_green * four_u + v_green * four_v, u_blue * four_u]
    chroma = _between_columns(torch.stack(terms), site)
    light = (y.int() - black) * luma + (1 << 21)  # with one half for rounding
    return ((light + chroma) >> 22).clamp(0, 255).to(torch.uint8)


def _between_rows(plane: Tensor, height: int) -> Tensor:
    """Four times the chroma of each of ``height`` rows: a row of half as many lies a quarter from
    it, and the next one three quarters."""
    if len(plane) == height:
        return 4 * plane
    row = torch.arange(height, device=plane.device)
    far = (row // 2 - 1 + row % 2 * 2).clamp(0, len(plane) - 1)
    return 3 * plane[row // 2] + plane[far]


def _between_columns(terms: Tensor, site: int) -> Tensor:
    """Four times what chroma adds to each pixel, from (3, H, w)."""
    before = torch.cat([terms[..., :1], terms[..., :-1]], dim=-1)
    after = torch.cat([terms[..., 1:], terms[..., -1:]], dim=-1)
    if site == LEFT:
        pair = 4 * terms, 2 * terms + 2 * after
    elif site == CENTRE:
        pair = 3 * terms + before, 3 * terms + after
    else:
        return 4 * terms
    return torch.stack(pair, dim=-1).flatten(-2)

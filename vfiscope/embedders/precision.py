"""In which numbers a network multiplies, and whether bfloat16 does for it on a CPU.

bfloat16 keeps 8 of the 24 bits of a float32. On a CPU it is not the default: stored scores would
change, and what it adds to the distance of two patches, about 1e-5, is some per cent of the
distances in a good frame. Processors that multiply in it take about half the time; others imitate
it, which takes longer than float32. So a network is tried before it is used.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
import torch.nn.functional as F
from torch import Tensor

from vfiscope.errors import EmbedderError

__all__ = ["BFLOAT16_TOLERANCE", "check_bfloat16", "multiplying_in", "trial_images"]

BFLOAT16_TOLERANCE = 1e-3
"""Most of 1 - cosine between the vectors of a patch, or of an image, in float32 and in bfloat16.
Random networks of the build of DINOv2 stay below half of it."""
TRIAL_GRID = 8
"""Patches along a side of the images of the trial; ratios of times are those of larger ones."""

Forward = Callable[[Tensor], Tensor]


@contextmanager
def multiplying_in(precision: str, device: torch.device) -> Iterator[None]:
    """Set the precision policy, and restore the previous settings afterwards."""
    products = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("highest")
    try:
        with (
            torch.backends.cudnn.flags(
                enabled=True, benchmark=False, deterministic=True, allow_tf32=False
            ),
            torch.autocast(device.type, torch.bfloat16, enabled=precision == "bfloat16"),
        ):
            yield
    finally:
        torch.set_float32_matmul_precision(products)


@torch.no_grad()
def check_bfloat16(forward: Forward, images: Tensor, prefix: int) -> None:
    """Refuse bfloat16 for a network on a CPU where it gains nothing or loses too much.

    Args:
        forward: the network: images to tokens (N, prefix + patches, D).
        images: as returned by :func:`trial_images`.
        prefix: number of the tokens before those of patches.

    Raises:
        EmbedderError: it takes no less time than float32, or moves a vector by more than
            :data:`BFLOAT16_TOLERANCE`.
    """
    (exact, slow), (rough, fast) = (
        _tried(forward, images, precision) for precision in ("float32", "bfloat16")
    )
    moved = max(
        _apart(exact[:, prefix:], rough[:, prefix:]), _apart(exact.mean(dim=1), rough.mean(dim=1))
    )
    if not moved <= BFLOAT16_TOLERANCE:  # not for NaN either
        raise EmbedderError(
            f"bfloat16 moves the vectors of this network by {moved:.2g} (1 - cosine), over"
            f" {BFLOAT16_TOLERANCE:g}: pass --precision float32"
        )
    if fast >= slow:
        raise EmbedderError(
            f"bfloat16 takes {fast / slow:.2g} times as long as float32 on this processor: pass"
            " --precision float32"
        )


def trial_images(patch: int) -> Tensor:
    """Two normalised images, (2, 3, H, W) float32: noise, and a texture whose amplitude falls with
    the frequency as in photographs (Field 1987)."""
    side = TRIAL_GRID * patch
    drawn = torch.Generator().manual_seed(0)
    noise = torch.randn(1, 3, side, side, generator=drawn)
    texture = torch.zeros_like(noise)
    cells = 2
    while cells < side:
        octave = torch.randn(1, 3, cells, cells, generator=drawn)
        texture += F.interpolate(octave, size=(side, side), mode="bilinear") / cells
        cells *= 2
    return torch.cat([noise, texture / texture.std()])


def _tried(forward: Forward, images: Tensor, precision: str) -> tuple[Tensor, float]:
    """The tokens, and the processor time of the second time: the first prepares weights."""
    with multiplying_in(precision, images.device):
        forward(images)
        start = time.process_time()
        return forward(images).float(), time.process_time() - start


def _apart(exact: Tensor, rough: Tensor) -> float:
    """The largest 1 - cosine along the last axis."""
    return float(1 - F.cosine_similarity(exact.double(), rough.double(), dim=-1).amin())

"""Textures as functions of continuous coordinates, so that a shift by a fraction of a pixel needs
no interpolation."""

from __future__ import annotations

from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from vfiscope.errors import UsageError
from vfiscope.types import Float32, Float64, Uint8

__all__ = ["Ground", "Photo", "Texture", "Waves"]


PALETTES = (
    ((28, 58, 92), (52, 110, 138), (214, 196, 150), (126, 152, 84), (62, 96, 60), (172, 164, 152)),
    (
        (58, 44, 82),
        (120, 74, 108),
        (206, 122, 104),
        (236, 196, 140),
        (120, 160, 150),
        (48, 92, 112),
    ),
    ((62, 48, 40), (128, 84, 56), (196, 150, 96), (230, 212, 170), (140, 156, 120), (70, 96, 92)),
    ((36, 62, 58), (70, 112, 88), (146, 170, 108), (226, 214, 158), (204, 146, 96), (120, 80, 70)),
)
"""RGB stops from the lowest to the highest ground."""
LEVELS = 4096
PALETTE_SIGMAS = 2.2
"""The palette spans this many standard deviations of the ground on either side of its mean."""


class Texture(Protocol):
    """Colour as a function of (x, y) on the whole plane."""

    def render(self, x: float, y: float, height: int, width: int) -> Float32:
        """(height, width, 3) float32 RGB, 0..255, at the points (x + column, y + row)."""


class Waves:
    """A sum of plane waves, ``sum_k a_k cos(u_k x + v_k y + p_k)``, of unit variance.

    Directions and phases are drawn from ``seed``, wavelengths spread evenly over the octaves from
    ``longest`` to ``shortest`` pixels, amplitudes proportional to ``wavelength ** slope``. As
    ``cos(ux + vy + p)`` equals ``cos(vy + p) cos(ux) - sin(vy + p) sin(ux)``, an image of it is
    one matrix product.
    """

    def __init__(
        self, seed: int, longest: float, shortest: float, *, per_octave: int = 7, slope: float = 0.9
    ) -> None:
        random = np.random.default_rng(seed)
        octaves = max(float(np.log2(longest / shortest)), 1.0)
        count = max(8, round(per_octave * octaves))
        wavelength = shortest * 2.0 ** (octaves * (np.arange(count) + random.random(count)) / count)
        # Consecutive waves differ by the golden angle, so that no octave has a preferred direction.
        angle = np.pi * ((np.arange(count) * 0.6180339887 + 0.15 * random.random(count)) % 1.0)
        self.u: Float64 = 2.0 * np.pi * np.cos(angle) / wavelength
        self.v: Float64 = 2.0 * np.pi * np.sin(angle) / wavelength
        self.phase: Float64 = random.uniform(0.0, 2.0 * np.pi, count)
        amplitude = wavelength**slope
        self.amplitude: Float64 = amplitude * np.sqrt(2.0 / np.sum(amplitude**2))
        self._columns: Float32 = np.empty((2 * count, 0), np.float32)

    def __call__(self, x: Float64, y: Float64) -> Float64:
        """The sum at points, float64, without the matrix product: for checks at single points."""
        argument = x[..., None] * self.u + y[..., None] * self.v + self.phase
        total: Float64 = np.sum(self.amplitude * np.cos(argument), axis=-1)
        return total

    def render(self, x: float, y: float, height: int, width: int) -> Float32:
        """(height, width) float32 values at the points (x + column, y + row)."""
        if self._columns.shape[1] < width:
            across = self.u[:, None] * np.arange(width)
            self._columns = np.concatenate([np.cos(across), np.sin(across)]).astype(np.float32)
        down = np.arange(height)[:, None] * self.v + (self.phase + self.u * x + self.v * y)
        rows = np.concatenate(
            [self.amplitude * np.cos(down), -self.amplitude * np.sin(down)], axis=1
        )
        product: Float32 = rows.astype(np.float32) @ self._columns[:, :width]
        return product


class Ground:
    """Coloured land: low waves choose the colour along a palette, high waves add grain to it.

    Args:
        seed: chooses waves and palette.
        longest: longest wavelength, px.
        shortest: shortest wavelength, px; 8 keeps the grain within what video codecs preserve.
        grain: standard deviation of the grain, code values.
        palette: (S, 3) RGB stops, 0..255; None chooses one by ``seed``.
    """

    def __init__(
        self,
        seed: int,
        longest: float,
        shortest: float = 8.0,
        *,
        grain: float = 8.0,
        palette: tuple[tuple[int, int, int], ...] | None = None,
    ) -> None:
        middle = max(2.5 * shortest, min(longest / 2.0, 24.0))
        self.land = Waves(2 * seed, max(longest, 2.0 * middle), middle, slope=1.1)
        self.grain = Waves(2 * seed + 1, max(5.0 * shortest, 1.5 * shortest), shortest, slope=0.6)
        self.grain_level = grain
        stops = np.asarray(
            PALETTES[seed % len(PALETTES)] if palette is None else palette, np.float64
        )
        at = np.linspace(0.0, len(stops) - 1.0, LEVELS)
        table = np.stack(
            [np.interp(at, np.arange(len(stops)), stops[:, c]) for c in range(3)], axis=1
        )
        # A long box filter rounds the corners of the palette, where a moving edge would alias.
        width = LEVELS // (2 * len(stops)) | 1
        padded = np.pad(table, ((width // 2, width // 2), (0, 0)), mode="edge")
        kernel = np.full(width, 1.0 / width)
        self.table = np.stack(
            [np.convolve(padded[:, c], kernel, "valid") for c in range(3)], axis=1
        ).astype(np.float32)

    def render(self, x: float, y: float, height: int, width: int) -> Float32:
        """(height, width, 3) float32 RGB at the points (x + column, y + row)."""
        level = self.land.render(x, y, height, width)
        level *= LEVELS / (2.0 * PALETTE_SIGMAS)
        level += LEVELS / 2.0
        np.clip(level, 0, LEVELS - 1, out=level)
        colour: Float32 = np.take(self.table, level.astype(np.intp), axis=0)
        grain = self.grain.render(x, y, height, width)
        grain *= self.grain_level
        colour += grain[..., None]
        return colour


class Photo:
    """A photograph that continues mirrored beyond its borders.

    Whole-pixel positions are exact; between pixels it is sampled with a bicubic filter at 1/32 px.

    Args:
        pixels: (H, W, 3) uint8 RGB.
    """

    def __init__(self, pixels: Uint8) -> None:
        if pixels.ndim != 3 or pixels.shape[2] != 3 or pixels.dtype != np.uint8:
            raise UsageError(f"texture is {pixels.shape} {pixels.dtype}: pass (H, W, 3) uint8")
        self.pixels = np.ascontiguousarray(pixels)

    def render(self, x: float, y: float, height: int, width: int) -> Float32:
        """(height, width, 3) float32 RGB at the points (x + column, y + row)."""
        rows, columns = self.pixels.shape[:2]
        left, top = int(np.floor(x)), int(np.floor(y))
        # Two more pixels on each side than the bicubic filter reaches, so that its own border rule
        # is never used.
        across = _mirrored(np.arange(left - 3, left + width + 4), columns)
        down = _mirrored(np.arange(top - 3, top + height + 4), rows)
        around = self.pixels[down[:, None], across]
        if x == left and y == top:
            return around[3:-4, 3:-4].astype(np.float32)
        at_y, at_x = np.mgrid[:height, :width].astype(np.float32)
        at_x += np.float32(x - left + 3)
        at_y += np.float32(y - top + 3)
        sampled = cv2.remap(around.astype(np.float32), at_x, at_y, cv2.INTER_CUBIC)
        return np.asarray(sampled, np.float32)


def _mirrored(index: NDArray[np.int64], size: int) -> NDArray[np.int64]:
    """Indices folded into 0..size-1 by reflection with the edge repeated."""
    folded = index % (2 * size)
    return np.minimum(folded, 2 * size - 1 - folded)

"""Map HDR to SDR, only on request.

The steps for a pixel, with code values V in 0..1:

1. Light. PQ (SMPTE ST 2084): L = 10000 (max(V^(1/m2) - c1, 0) / (c2 - c3 V^(1/m2)))^(1/m1) cd/m2.
   HLG (ITU-R BT.2100): E = V^2 / 3 up to V = 1/2, else (exp((V - c) / a) + b) / 12; then the OOTF
   of a display of 1000 cd/m2, L = 1000 Y^0.2 E with Y = 0.2627 R + 0.6780 G + 0.0593 B.
2. x = L / 203: diffuse white (ITU-R BT.2408) becomes 1.
3. BT.2020 to BT.709 primaries (ITU-R BT.2087), negative values to 0; left out where the file has
   other primaries.
4. A curve f on m = max(R, G, B) with the peak w = 1000 / 203, every channel times f(m) / m, so that
   hues stay; what is brighter than 1000 cd/m2 is cut. One of

   - reinhard: f(m) = m (1 + m / w^2) / (1 + m) (Reinhard et al. 2002, eq. 4),
   - hable: f(m) = h(m) / h(w) with h(x) = (x (A x + C B) + D E) / (x (A x + B) + D F) - E / F
     (Hable, GDC 2010; the constants below),
   - mobius: f(m) = m up to j = 0.3, above it (b^2 + 2 b j + j^2) / (b - a) (m + a) / (m + b) with
     a = -j^2 (w - 1) / (j^2 - 2 j + w) and b = (j^2 - 2 j w + w) / (w - 1).

   Hable's and Moebius' are those of FFmpeg's tonemap filter without desaturation
   (libavfilter/vf_tonemap.c).
5. The inverse of a BT.1886 display: V = x^(1/2.4).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["tone_map"]

M1, M2 = 2610 / 16384, 2523 / 4096 * 128
PQ_C1, PQ_C2, PQ_C3 = 3424 / 4096, 2413 / 4096 * 32, 2392 / 4096 * 32
HLG_A = 0.17883277
HLG_B = 1 - 4 * HLG_A
HLG_C = 0.5 - HLG_A * np.log(4 * HLG_A)
HLG_PEAK = 1000.0
WHITE = 203.0
PEAK = 1000 / WHITE
LUMA_2020 = np.array([0.2627, 0.6780, 0.0593], np.float32)
TO_709 = np.array(
    [[1.6605, -0.5876, -0.0728], [-0.1246, 1.1329, -0.0083], [-0.0182, -0.1006, 1.1187]],
    np.float32,
)
WIDE = ("bt2020", "unknown")
HABLE_A, HABLE_B, HABLE_C, HABLE_D, HABLE_E, HABLE_F = 0.15, 0.50, 0.10, 0.20, 0.02, 0.30
MOBIUS_LINEAR = 0.3


def tone_map(pixels: NDArray[Any], transfer: str, primaries: str, curve: str = "reinhard") -> None:
    """Replace HDR code values by SDR ones, in place.

    Args:
        pixels: (H, W, 3) uint8 or uint16 over the full range of their type.
        transfer: "smpte2084" (PQ) or "arib-std-b67" (HLG).
        primaries: as tagged; "bt2020" and "unknown" are converted to BT.709.
        curve: "reinhard", "hable" or "mobius".
    """
    top = np.iinfo(pixels.dtype).max
    table = _light(transfer, int(top))
    for row in range(0, len(pixels), 64):  # in strips, so that the float copies stay small
        strip = pixels[row : row + 64]
        light = table[strip]
        if transfer == "arib-std-b67":
            light *= ((light @ LUMA_2020)[..., None]) ** 0.2 * np.float32(HLG_PEAK / WHITE)
        if primaries in WIDE:
            light = np.maximum(light @ TO_709.T, 0)
        strongest = light.max(-1, keepdims=True)
        light *= CURVES[curve](strongest)
        strip[...] = np.rint(np.minimum(light, 1) ** (1 / 2.4) * top).astype(pixels.dtype)


@lru_cache(maxsize=4)
def _light(transfer: str, top: int) -> NDArray[np.float32]:
    """Of every code value: light over diffuse white (PQ), or scene light in 0..1 (HLG)."""
    value = np.arange(top + 1) / top
    if transfer == "smpte2084":
        root = value ** (1 / M2)
        light = 10000 / WHITE * (np.maximum(root - PQ_C1, 0) / (PQ_C2 - PQ_C3 * root)) ** (1 / M1)
    else:
        light = np.where(value <= 0.5, value**2 / 3, (np.exp((value - HLG_C) / HLG_A) + HLG_B) / 12)
    return light.astype(np.float32)


def _reinhard(m: NDArray[np.float32]) -> NDArray[np.float32]:
    return (1 + m / PEAK**2) / (1 + m)


def _hable(m: NDArray[np.float32]) -> NDArray[np.float32]:
    """h(m) / m over h(w), in a form without the subtraction that cancels digits of dark values."""
    gain: NDArray[np.float32] = _hable_slope(m) / np.float32(PEAK * _hable_slope(PEAK))
    return gain


def _hable_slope(x: Any) -> Any:
    above = HABLE_A * (HABLE_F - HABLE_E) * x + HABLE_B * (HABLE_C * HABLE_F - HABLE_E)
    return above / (HABLE_F * (x * (HABLE_A * x + HABLE_B) + HABLE_D * HABLE_F))


def _mobius(m: NDArray[np.float32]) -> NDArray[np.float32]:
    j = MOBIUS_LINEAR
    a = -(j**2) * (PEAK - 1) / (j**2 - 2 * j + PEAK)
    b = (j**2 - 2 * j * PEAK + PEAK) / (PEAK - 1)
    bright = np.maximum(m, np.float32(j))
    bent = (b**2 + 2 * b * j + j**2) / (b - a) * (bright + a) / ((bright + b) * bright)
    return np.where(m <= j, np.float32(1), bent)


CURVES: dict[str, Callable[[NDArray[np.float32]], NDArray[np.float32]]] = {
    "reinhard": _reinhard,
    "hable": _hable,
    "mobius": _mobius,
}
"""{name: f(m) / m}"""

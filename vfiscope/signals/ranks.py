"""Values by their rank: quantiles and the n-th largest, of arrays that stay in the cache of a core.

A rank is found by halving the range in which its value lies: counting the values below the middle
is a vector operation, where the partition of numpy takes a turn at every value that no processor
foresees, and three times as long. Floats are compared by their bits, which are in the same order.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from vfiscope.jit import compiled

__all__ = ["nth_largest", "ranked"]

HALVINGS = 6
"""Of the range, until values outside of it are left out."""
FLOAT_BITS = {
    np.dtype(np.float32): np.array([0x7FFFFFFF, 0x7F800000, 31], np.int32),
    np.dtype(np.float64): np.array([0x7FFFFFFFFFFFFFFF, 0x7FF0000000000000, 63], np.int64),
}
"""{type: all bits but the sign, those of infinity, and by how many to move the sign to the end}"""


def ranked(values: NDArray[Any], *shares: float) -> list[float]:
    """The values below which these parts of all values lie: quantiles without interpolation. NaN
    counts as larger than all others.

    Args:
        values: at least one, float32 or float64; whole numbers are taken as float64.
        shares: within 0 to 1.
    """
    return [_at_rank(values, round(share * (values.size - 1))) for share in shares]


def nth_largest(values: NDArray[Any], n: int) -> float:
    """The n-th largest of at least so many values, of the types of :func:`ranked`."""
    return _at_rank(values, values.size - n)


def _at_rank(values: NDArray[Any], rank: int) -> float:
    """The value with so many below it."""
    limits = FLOAT_BITS.get(values.dtype)
    if limits is None:
        return _at_rank(values.astype(np.float64), rank)
    return float(value_at_rank(values.ravel(), limits, rank))


@compiled()
def value_at_rank(values: Any, limits: Any, rank: int) -> Any:
    """The float that has so many floats below it.

    Args:
        values: (N,) float32 or float64.
        limits: (3,) int32 or int64, see ``FLOAT_BITS``.
        rank: 0 to N - 1.
    """
    bits, found = values.view(limits.dtype), np.empty(1, limits.dtype)
    count = bits.shape[0]
    ordered = np.empty(count, bits.dtype)
    most, infinite, shift = limits[0], limits[1], limits[2]
    for i in range(count):
        size = bits[i] & most
        turned = bits[i] ^ ((bits[i] >> shift) & most)  # of two negative floats more is less
        ordered[i] = most if size > infinite else turned
    low = high = np.int64(ordered[0])
    for i in range(count):
        low, high = min(low, ordered[i]), max(high, ordered[i])
    while low < high:
        for _ in range(HALVINGS):
            found[0] = (low >> 1) + (high >> 1) + (low & high & 1)
            middle, below = found[0], 0
            for i in range(count):
                below += ordered[i] <= middle
            if below > rank:
                high = np.int64(middle)
            else:
                low = min(np.int64(middle) + 1, high)
        kept = 0
        for i in range(count):
            key = ordered[i]
            ordered[kept] = key
            rank -= key < low
            kept += low <= key <= high
        count = kept
    found[0] = low
    found[0] ^= (found[0] >> shift) & most
    return found.view(values.dtype)[0]

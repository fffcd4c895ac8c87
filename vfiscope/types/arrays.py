"""Names of array types, and the check that every dataclass of arrays makes."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Float32", "Float64", "Int64", "Uint8", "check"]

Int64 = NDArray[np.int64]
Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]
Uint8 = NDArray[np.uint8]


def check(condition: bool, what: str, **arrays: Any) -> None:
    """Raise ValueError with every shape and dtype involved unless the condition holds."""
    if not condition:
        shapes = ", ".join(
            f"{name} {tuple(value.shape)} {value.dtype}" for name, value in arrays.items()
        )
        raise ValueError(f"{what}: {shapes}")

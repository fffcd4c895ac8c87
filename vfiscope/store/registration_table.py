"""The group ``/registration`` of a part or a result: the registration of each test frame."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from vfiscope.types import Registrations, Verdict

__all__ = [
    "REGISTRATION_TYPES",
    "create_registrations",
    "join_registrations",
    "no_registrations",
    "read_registrations",
    "write_registrations",
]

REGISTRATION_TYPES = {
    "matrix": "<f8",
    "verdict": "u1",
    "inliers": "<i8",
    "inlier_ratio": "<f4",
    "residual": "<f4",
    "valid": "<f4",
}


def create_registrations(h5: Any, rows: int, chunk: int, filters: Mapping[str, Any]) -> None:
    """Create empty columns of a number of rows."""
    group = h5.create_group("registration")
    for name, dtype in REGISTRATION_TYPES.items():
        shape = _shape(name)
        group.create_dataset(name, (rows, *shape), dtype, chunks=(chunk, *shape), **filters)
    group["verdict"].attrs["names"] = [verdict.name.lower() for verdict in Verdict]


def write_registrations(h5: Any, rows: slice, registrations: Registrations) -> None:
    """Write the columns of some rows."""
    for name in Registrations.COLUMNS:
        h5["registration"][name][rows] = getattr(registrations, name)


def read_registrations(h5: Any) -> Registrations | None:
    """The registrations of a part or a result, None where its frames were taken as they are."""
    if "registration" not in h5:
        return None
    return Registrations(**{name: h5["registration"][name][()] for name in Registrations.COLUMNS})


def join_registrations(pieces: Sequence[Registrations | None]) -> Registrations | None:
    """Registrations concatenated; None where there are none."""
    known = [piece for piece in pieces if piece is not None]
    if not known:
        return None
    return Registrations(
        **{
            name: np.concatenate([getattr(piece, name) for piece in known])
            for name in Registrations.COLUMNS
        }
    )


def no_registrations() -> Registrations:
    """Registrations of no rows."""
    return Registrations(
        **{name: np.empty((0, *_shape(name)), dtype) for name, dtype in REGISTRATION_TYPES.items()}
    )


def _shape(name: str) -> tuple[int, ...]:
    return (3, 3) if name == "matrix" else ()

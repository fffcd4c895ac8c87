"""The group ``/pairing`` of a result: the map that its frames were paired with."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np

from vfiscope.store.members import attribute
from vfiscope.store.schema import COLUMN_CHUNK_ROWS, SCALAR_FILTERS
from vfiscope.types import Match, Pairing

__all__ = ["PAIRING_TYPES", "PAIR_LISTS", "read_pairing", "write_pairing"]

PAIRING_TYPES = {"ref_index": "<i8", "residual": "<f4", "margin": "<f4", "label": "u1"}
PAIR_LISTS = ("dropped", "displaced")
"""Pairs of ordinals, as many as there are; files of earlier versions lack the second."""


def write_pairing(h5: Any, pairing: Pairing) -> None:
    """Write a map as columns, with its scalar values as attributes of the group."""
    group = h5.create_group("pairing")
    chunk = max(1, min(len(pairing), COLUMN_CHUNK_ROWS))
    for name, dtype in PAIRING_TYPES.items():
        data = getattr(pairing, name).astype(dtype)
        group.create_dataset(name, data=data, chunks=(chunk,), **SCALAR_FILTERS)
    group["label"].attrs["names"] = [label.name.lower() for label in Match]
    group.attrs["method"] = pairing.method
    group.attrs["offset"] = pairing.offset
    group.attrs["rate_num"] = pairing.rate.numerator
    group.attrs["rate_den"] = pairing.rate.denominator
    for name in PAIR_LISTS:
        group.create_dataset(name, data=np.array(getattr(pairing, name), "<i8").reshape(-1, 2))
    group.attrs["digest"] = pairing.digest


def read_pairing(h5: Any) -> Pairing | None:
    """The map that the frames of a result were paired with; None where they were paired without
    one."""
    if "pairing" not in h5:
        return None
    group, attrs = h5["pairing"], h5["pairing"].attrs
    return Pairing(
        **{name: group[name][()] for name in Pairing.COLUMNS},
        method=str(attribute(attrs, "method")),
        offset=int(attribute(attrs, "offset")),
        rate=Fraction(int(attribute(attrs, "rate_num")), int(attribute(attrs, "rate_den"))),
        dropped=_pairs(group["dropped"]),
        displaced=_pairs(group["displaced"]) if "displaced" in group else (),
    )


def _pairs(dataset: Any) -> tuple[tuple[int, int], ...]:
    return tuple((int(first), int(second)) for first, second in dataset[()])

"""Hand-made runs of two and three methods, and the columns of their table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from helpers.stored import EVERY_SECOND, open_all
from vfiscope.store import Run
from vfiscope.views.table import Table
from vfiscope.views.tabulate import table_of

MIXED = [*EVERY_SECOND] * 10
NOISE = np.random.default_rng(8).standard_normal(20)


def three(folder: Path, **common: Any) -> list[Run]:
    """Three methods at 50 dB in passed frames, and at 30, 31 and 33 dB in the ten synthesised
    ones."""
    how = {
        name: {"scores": {"psnr": np.where(np.arange(20) % 2, level, 50)}, "role": MIXED, **common}
        for name, level in (("repeat", 30), ("blend", 31), ("flow", 33))
    }
    return open_all(folder, how)


def two(
    folder: Path, a: Mapping[str, Sequence[float]], b: Mapping[str, Sequence[float]], **common: Any
) -> Table:
    return table_of(open_all(folder, {"a": {"scores": a, **common}, "b": {"scores": b, **common}}))


def column(table: Table, metric: str) -> Any:
    return next(each for each in table.columns if each.spec.name == metric)

"""The right side of a rule: a number, or a number of times a statistic of the clip."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vfiscope.segments.columns import Column
from vfiscope.store import pool

__all__ = ["Value", "float32", "plain", "pool_word"]


@dataclass(frozen=True)
class Value:
    """``str(value)`` is its normal form."""

    number: float
    """The value; with a statistic, how many times it."""
    statistic: str = ""
    """One of :data:`vfiscope.store.POOLS`, of the clip itself; "" for a plain number."""

    def __str__(self) -> str:
        if not self.statistic:
            return plain(self.number)
        times = "" if self.number == 1 else f"{plain(self.number)} * "
        return times + pool_word(self.statistic)

    def of(self, values: Column) -> float | None:
        """The number that it is for these values; None where it is relative and none is finite.

        Args:
            values: (M,) of the frames that the rule is about.
        """
        if not self.statistic:
            return self.number
        pooled = pool(values, self.statistic)
        return None if pooled is None else self.number * pooled


def pool_word(pool_name: str) -> str:
    """A pool as it is written in a rule."""
    return "median" if pool_name == "p50" else pool_name


def plain(number: float) -> str:
    """The shortest digits that read back as the number."""
    return repr(number).removesuffix(".0")


def float32(value: float) -> np.float32:
    """A value as a stored one; beyond the range of float32 it is infinite, as that would be."""
    with np.errstate(over="ignore"):
        return np.float32(value)

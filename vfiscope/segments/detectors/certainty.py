"""Confidence: how probable it is that a segment is real, from how clearly it shows."""

from __future__ import annotations

__all__ = ["certainty"]

SHARPENING = 2.0
"""How fast doubt falls with the margin."""


def certainty(margin: float) -> float:
    """1/2 where a statistic just reaches what is asked of it (a margin of 1), 7/8 where it is twice
    as much, and so on towards 1."""
    return float(1.0 - 0.5 / max(1.0, margin) ** SHARPENING)

"""Parts of a frame in words."""

from __future__ import annotations

__all__ = ["percent"]


def percent(part: float) -> str:
    """0..1 as ``0.52 %``, or ``12 %`` from ten on."""
    return f"{100 * part:.0f} %" if part >= 0.1 else f"{100 * part:.2g} %"

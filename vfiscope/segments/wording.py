"""The sentences that say why something is flagged, with their numbers."""

from __future__ import annotations

from vfiscope.segments.departures import NEIGHBOURHOOD_ROWS, Departures
from vfiscope.types import MetricSpec

__all__ = ["departed", "told"]


def told(value: float, unit: str = "1") -> str:
    """A number to four digits, with its unit unless that is "1"."""
    return f"{value:.4g}" if unit == "1" else f"{value:.4g} {unit}"


def departed(
    spec: MetricSpec, score: float, said: str, departures: Departures, row: int, role: str
) -> str:
    """How far a score departs from its level, and what would have been enough.

    Args:
        spec: the metric.
        score: of the frame.
        said: what the frame has, such as "psnr is 20 dB at frame 7".
        departures: of the frames of the role.
        row: that of the frame among these.
        role: "all", or the role of the frames.
    """
    frames = "frames" if role == "all" else f"{role} frames"
    level = float(departures.level[row])
    whose = (
        f"all {frames}",
        f"the {NEIGHBOURHOOD_ROWS} {frames} around it",
        f"the {frames} beside it",
    )[departures.view[row]]
    signed = spec.low < spec.identity < spec.high
    usual = level if signed or spec.lower_is_better else -level
    if signed:
        far = abs(score - spec.identity) - level
        how = f"further from {spec.identity:g} than {whose} ({told(usual, spec.unit)} from it)"
    else:
        far = abs(score - usual)
        side = "above" if spec.lower_is_better else "below"
        how = f"{side} the level of {whose} ({told(usual, spec.unit)})"
    return (
        f"{said}, {told(far, spec.unit)} {how};"
        f" {told(float(departures.enter[row]), spec.unit)} would be enough"
    )

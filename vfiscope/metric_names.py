"""What can be computed, by name: known without torch, so that a wrong name is refused at once and
help can list them.

A test holds the names against the tables of :mod:`vfiscope.metrics`.
"""

from __future__ import annotations

from collections.abc import Iterable

from vfiscope.errors import UsageError
from vfiscope.registry import suggest

__all__ = ["FIELDS", "MAPS", "METRICS", "chosen"]

METRICS = (
    "mse",
    "psnr",
    "psnr_y",
    "absdiff",
    "ssim",
    "ssim_rgb",
    "ms_ssim",
    "gmsd",
    "vfi",
    "cosine",
    "mismatch",
    "psnr_div",
    "motion_error",
    "error_both",
    "error_one",
    "error_none",
    "fault",
    "fault_peak",
    "moving",
    "repeat",
    "late",
    "early",
    "blend",
    "torn",
    "level",
    "midpoint_px",
    "ghosting",
    "warp",
    "foreign",
    "visible_both",
    "visible_one",
    "visible_none",
    "cosine_before",
    "cosine_after",
    "cut",
    "level_y",
    "level_cb",
    "level_cr",
)
MAPS = (
    "absdiff",
    "ssim",
    "mismatch",
    "mismatch_back",
    "mismatch_boosted",
    "mismatch_boosted_back",
    "similarity",
    "similarity_back",
    "fault",
    "ghosting",
    "warp",
    "foreign",
)
FIELDS = ("motion",)


def chosen(kind: str, known: Iterable[str], names: Iterable[str]) -> tuple[str, ...]:
    """The names without repetition; the name "none" chooses nothing.

    Raises:
        UsageError: a name is not known.
    """
    known = tuple(known)
    asked = tuple(name for name in dict.fromkeys(names) if name != "none")
    for name in asked:
        if name not in known:
            raise UsageError(f"there is no {kind} {name!r}: {suggest(name, known)}")
    if kind == "metric" and not names:
        raise UsageError(f"metrics is empty: choose from {', '.join(known)}")
    return asked

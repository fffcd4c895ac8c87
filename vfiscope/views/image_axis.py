"""Figures of images without times: names below the panels where they are independent and there is
room, else numbers."""

from __future__ import annotations

import itertools
import os
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from vfiscope.errors import UsageError
from vfiscope.printable import printable
from vfiscope.views.curves import frame_axis

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from vfiscope.store import Run

__all__ = [
    "are_independent",
    "are_undated",
    "check_dates",
    "image_axis",
    "image_name",
    "names_room_in",
    "short_names",
    "shown_names",
]

MAX_NAMED = 60
"""Images whose names fit below a figure."""
NAME_IN = 0.055
"""Height of a character of an upright name."""
MAX_NAME_CHARACTERS = 24


def are_independent(runs: Sequence[Run]) -> bool:
    """True if all runs are of independent images."""
    return all(bool(run.config.get("independent")) for run in runs)


def are_undated(runs: Sequence[Run]) -> bool:
    """True if the times of all runs are those of images, counted at a rate that nobody stated."""
    return all(_is_undated(run) for run in runs)


def check_dates(runs: Sequence[Run], labels: Sequence[str]) -> None:
    """Refuse dates beside times that nobody stated.

    Raises:
        UsageError: one run has dates, and another no times.
    """
    dated = next((n for n, run in enumerate(runs) if run.times_from), None)
    undated = next((n for n, run in enumerate(runs) if _is_undated(run)), None)
    if dated is not None and undated is not None:
        raise UsageError(
            f"{labels[dated]} has dates, and {labels[undated]} images without times: plot each by"
            " itself"
        )


def _is_undated(run: Run) -> bool:
    test = next((source for source in run.sources if source.get("role") == "test"), {})
    stated = run.config.get("time_from") is not None or run.config.get("fps") is not None
    return test.get("kind") == "images" and not run.times_from and not stated


def short_names(names: Sequence[str]) -> list[str]:
    """The part of each name in which it differs from the others: ``7`` of ``7/frame_01.png`` beside
    ``12/frame_01.png``."""
    if len(set(names)) < 2:
        return [os.path.basename(name) for name in names]
    first = re.sub(r"[^\W_]+$", "", _common(names))
    last = re.sub(r"[^\W_]+$", "", _common([name[::-1] for name in names]))
    return [name[len(first) : len(name) - len(last)] or name for name in names]


def _common(names: Sequence[str]) -> str:
    """The characters with which all names begin."""
    low, high = min(names), max(names)
    same = itertools.takewhile(lambda pair: pair[0] == pair[1], zip(low, high, strict=False))
    return "".join(one for one, _ in same)


def image_name(run: Run, row: int) -> str:
    """The file name of an image; where others have the same one in other folders, what differs."""
    names = [os.path.basename(name) for name in run.names]
    return printable(names[row] if names.count(names[row]) == 1 else short_names(run.names)[row])


def shown_names(run: Run) -> list[str]:
    """The names to draw below a figure; none where there are too many, or no names."""
    if not run.names or len(run.names) > MAX_NAMED:
        return []
    names = (printable(name) for name in short_names(run.names))
    return [
        n if len(n) <= MAX_NAME_CHARACTERS else f"{n[: MAX_NAME_CHARACTERS - 1]}…" for n in names
    ]


def names_room_in(runs: Sequence[Run]) -> float:
    """Inches that the names take below the panels."""
    longest = max(runs, key=len)
    return NAME_IN * max(map(len, shown_names(longest)), default=0)


def image_axis(ax: Axes, runs: Sequence[Run]) -> Any:
    """An axis of images below axes in seconds: their names, or their numbers."""
    from matplotlib.ticker import MaxNLocator

    run = max(runs, key=len)
    axis = ax.secondary_xaxis("bottom", functions=frame_axis(run.frames))
    axis.set_xlabel("Image", labelpad=2)
    if names := shown_names(run):
        axis.set_xticks(run.frames.index.tolist(), names, rotation=90, fontsize=6)
        ax.set_xticks(np.asarray(run.frames.time_s))
    else:
        axis.xaxis.set_major_locator(MaxNLocator(integer=True))
    return axis

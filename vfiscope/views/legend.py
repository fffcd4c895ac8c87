"""The legend of a figure: the runs, what else is in the panels, and what should not be compared."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from vfiscope.types import Role
from vfiscope.views.curves import roles_of
from vfiscope.views.naming import overlay_warnings
from vfiscope.views.panel import cut_times, damaged_times, flagged, thresholds
from vfiscope.views.style import CUTS, DAMAGE_MARKER, GREY, SHADE, THRESHOLDS, WARNING, look, pale

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from vfiscope.store import Run

__all__ = ["Legend"]

MAX_ROW_CHARACTERS = 110
"""Of a row of entries."""
HANDLE_CHARACTERS = 8
"""Taken by the line or the patch beside an entry."""
WARNING_CHARACTERS = 125
"""Of a line of warnings, which are smaller."""
ROW_IN = 0.18
MOST_KINDS = 8
"""Kinds of segments that are named."""


@dataclass(frozen=True)
class Legend:
    """Entries below the panels, and warnings above the entries."""

    entries: tuple[tuple[Any, str], ...]
    """What is shown, and what it is."""
    warnings: tuple[str, ...]
    """Lines."""

    @classmethod
    def of(cls, runs: Sequence[Run], metrics: Sequence[str], labels: Sequence[str]) -> Legend:
        lines = [
            textwrap.wrap(warning, WARNING_CHARACTERS)
            for warning in overlay_warnings(runs, metrics, labels)
        ]
        return cls(
            tuple(_entries(runs, metrics, labels)), tuple(line for each in lines for line in each)
        )

    @property
    def columns(self) -> int:
        longest = max((len(text) for _, text in self.entries), default=0)
        return max(1, min(len(self.entries), MAX_ROW_CHARACTERS // (longest + HANDLE_CHARACTERS)))

    @property
    def height_in(self) -> float:
        """About how many inches it takes."""
        return ROW_IN * (-(-len(self.entries) // self.columns) + len(self.warnings))

    def add_to(self, figure: Figure) -> None:
        """Place it below the panels; nothing where there are no entries."""
        if not self.entries:
            return
        handles = [handle for handle, _ in self.entries]
        legend = figure.legend(
            handles, ["" for _ in handles], loc="outside lower center", ncols=self.columns
        )
        for place, (_, text) in zip(legend.get_texts(), self.entries, strict=True):
            place.set_text(
                text
            )  # set afterwards, as matplotlib leaves out labels that begin with an underscore
        legend.set_title("\n".join(self.warnings))
        legend.get_title().set(color=WARNING, fontsize=7)


def _entries(
    runs: Sequence[Run], metrics: Sequence[str], labels: Sequence[str]
) -> Iterator[tuple[Any, str]]:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    several = len(runs) > 1
    if several:
        yield from ((Line2D([], [], **look(n)), label) for n, label in enumerate(labels))
    roles = {
        role
        for run in runs
        for metric in metrics
        if metric in run.scores
        for role in roles_of(run, metric)
    }
    for role in sorted(roles - {Role.UNKNOWN}, reverse=True):
        grey = {"color": pale(GREY) if role == Role.PASSED else GREY}
        yield (
            Line2D([], [], **{**look(0, role), **(grey if several else {})}),
            f"{role.name.lower()} frames",
        )
    kinds = {
        segment.kind.replace("_", " ")
        for run in runs
        for metric in metrics
        for segment in flagged(run, metric)
    }
    if kinds:
        how = "flagged by run" if several else "flagged"
        listed = sorted(kinds)[:MOST_KINDS] + ["..."] * (len(kinds) > MOST_KINDS)
        yield Patch(facecolor="#999999" if several else SHADE), f"{how} ({', '.join(listed)})"
    if len(cut_times(runs)):
        yield Line2D([], [], **CUTS), "cut"
    if any(thresholds(runs, metric) for metric in metrics):
        yield Line2D([], [], **THRESHOLDS), "threshold of a rule"
    if any(len(damaged_times(run)) for run in runs):
        yield (
            Line2D([], [], color=GREY if several else look(0)["color"], **DAMAGE_MARKER),
            "damaged frame",
        )

"""The interface of a segment detector: its inputs and its function."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field

from vfiscope.errors import UsageError
from vfiscope.segments.columns import Columns
from vfiscope.types import Segment

__all__ = ["Columns", "Detector"]


@dataclass(frozen=True)
class Detector:
    """A way to find segments in stored columns."""

    name: str
    needs: Sequence[str]
    """The scores and signals that it reads; it is skipped in runs that lack one."""
    detect: Callable[[Columns], list[Segment]]
    """A pure function from the columns of a run to its segments."""
    kinds: Sequence[str] = ()
    """Kinds that it flags: for ``--kinds``, and gates such as ``any(dim)``; that of its own name
    where none is named."""
    gives_way_to: Sequence[str] = ()
    """Kinds that explain what it sees: a segment of it that begins within one of those, or beside
    it, is not flagged."""
    reads: Sequence[str] = ()
    """Scores and signals that it reads too where they are there: those of faults that explain what
    it sees. ``--kinds`` computes them."""
    needs_of: Mapping[str, str] = field(default_factory=dict)
    """{kind: what it needs to flag this kind, beside ``needs``}; other kinds need no more."""

    def __post_init__(self) -> None:
        for given in ("needs", "kinds", "gives_way_to", "reads"):
            if isinstance(text := getattr(self, given), str):
                raise UsageError(
                    f"the detector {self.name} has the {given} {text!r}: pass a list, [{text!r}]"
                )
        object.__setattr__(self, "kinds", tuple(self.kinds) or (self.name,))

    def flags(self, kinds: Collection[str]) -> bool:
        """True if it flags one of these kinds."""
        return not set(kinds).isdisjoint(self.kinds)

    def lacks(self, kind: str, there: Collection[str]) -> set[str]:
        """What it needs to flag this kind, and is not there."""
        return {*self.needs, *filter(None, [self.needs_of.get(kind)])} - set(there)

    def can_read(self, columns: Columns) -> bool:
        """True if the columns hold all that it needs."""
        return all(name in columns.scores or name in columns.signals for name in self.needs)

"""The base class of comparisons, the one class in which jobs differ.

Whatever uses the pairs does not know where they came from. A package adds a comparison of its
own under the entry point group ``vfiscope.plugins``::

    class WithFirst(Comparison):
        name = "first"

        def pairs(self, streams, done):
            first = next(streams.stream("golden"))
            return pair_golden(streams.stream("test", done), first)

    COMPARISONS.add(WithFirst.name, WithFirst)

and ``--comparison first`` chooses it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, Self

import numpy as np

from vfiscope.comparisons.streams import Streams
from vfiscope.options import RunConfig
from vfiscope.types import Float32, FrameTable, Needs, Note, Pairing, Pairs

if TYPE_CHECKING:
    from vfiscope.store import Run

__all__ = ["ComparedWith", "Comparison", "FrameRequest", "Report", "Scored"]


class FrameRequest(NamedTuple):
    """One frame of one input."""

    role: str
    """Of the input: test, ref, source or golden."""
    ordinal: int


class ComparedWith(NamedTuple):
    """The frames that a test frame was compared with; None where there was no such frame."""

    partner: FrameRequest | None = None
    before: FrameRequest | None = None
    """The real frame before it, where it was scored between two."""
    after: FrameRequest | None = None


@dataclass(frozen=True, eq=False)
class Scored:
    """All rows of a run, scored."""

    table: FrameTable
    values: Mapping[str, Float32]
    """{metric: (N,) float32}"""


@dataclass(frozen=True)
class Report:
    """The report on a pairing once all rows are scored."""

    pairing: Mapping[str, Any]
    """How frames were paired and how many were not, as JSON values: the attribute ``pairing`` of
    the result. ``policy`` is the name of the comparison."""
    notes: Sequence[Note] = ()
    """Notes that make the run partial."""
    warnings: Sequence[Note] = ()
    """Warnings about what the scores mean."""
    table: Pairing | None = None
    """The map used for scoring, with one row per scored row: ``/pairing``."""
    reason: str = ""
    """Why no frame could be compared, with the remedy; nothing is stored then. Empty where one
    could."""


@dataclass(frozen=True)
class Comparison(ABC):
    """One way of choosing what test frames are compared with.

    A comparison defines four things and no others: ``prepare``, ``pairs``, ``report``, ``offers``.
    """

    name: ClassVar[str]
    """The name in ``--comparison`` and in stored results."""
    automatic: ClassVar[bool] = False
    """True if ``auto`` may choose it for configurations that it suits."""
    offers: ClassVar[Needs] = Needs.REF | Needs.FEATURES
    """The needs of metrics that its pairs can meet."""
    offers_always: ClassVar[Needs] = Needs.REF | Needs.FEATURES
    """The part of ``offers`` that every clip has: a metric that needs no more and is defined for no
    frame gets a note."""

    config: RunConfig
    needs: Needs = field(default=Needs.NOTHING)
    """The needs of the metrics of the run."""

    @classmethod
    def suits(cls, config: RunConfig) -> bool:
        """True if this comparison can be used with a configuration."""
        return True

    @property
    def multiplier(self) -> int | None:
        """Test frames per original; None where nothing is stated."""
        return None if self.config.multiplier is None else int(self.config.multiplier)

    @property
    def shift(self) -> int | None:
        """How many rows later the reference frames are; None if frames are not paired by rows."""
        return None

    def allows(self, needs: Needs) -> bool:
        """True if a metric with these needs has a value for some frame."""
        return needs in self.offers

    def prepare(self, streams: Streams) -> Self:
        """The comparison with everything that must be found before scoring; may read the inputs."""
        return self

    @abstractmethod
    def pairs(self, streams: Streams, done: int) -> Iterator[Pairs]:
        """The pairs from row ``done`` on, in batches of any length.

        They do not depend on ``done``; as little as possible is computed for the rows before.
        """

    def report(self, streams: Streams, scored: Scored) -> Report:
        """The report on the pairing after scoring."""
        return Report(self.left_over(streams, scored.table))

    def left_over(self, streams: Streams, table: FrameTable) -> dict[str, Any]:
        """The name, and how many frames of either side were unpaired."""
        used = len(np.unique(table.ref_index[table.ref_index >= 0]))
        ref = streams.sources.get("ref")
        return {
            "policy": self.name,
            "test_unpaired": int((table.ref_index < 0).sum()),
            "ref_unpaired": 0 if ref is None else ref.counts.delivered - used,
        }

    @classmethod
    def compared_with(cls, run: Run, row: int) -> ComparedWith:
        """The frames that a row of a stored run was compared with."""
        ordinal = int(run.frames.ref_index[row])
        if ordinal < 0:
            return ComparedWith()
        others = (str(source["role"]) for source in run.sources if source["role"] != "test")
        return ComparedWith(FrameRequest(next(others, "test"), ordinal))

"""What a comparison is: the one small class in which the jobs differ.

Everything behind the pairs does not know where they came from. A package adds a comparison of its
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
    """What a test frame was compared with; None where there was no such frame."""

    partner: FrameRequest | None = None
    before: FrameRequest | None = None
    """The real frame before it, where it was judged between two."""
    after: FrameRequest | None = None


@dataclass(frozen=True, eq=False)
class Scored:
    """All rows of a run, scored."""

    table: FrameTable
    values: Mapping[str, Float32]
    """{metric: (N,) float32}"""


@dataclass(frozen=True)
class Report:
    """What there is to say about a pairing once all rows are scored."""

    pairing: Mapping[str, Any]
    """How frames were paired and what was left over, as JSON values: the attribute ``pairing`` of
    the result. ``policy`` is the name of the comparison."""
    notes: Sequence[Note] = ()
    """What makes the run partial."""
    warnings: Sequence[Note] = ()
    """What may make the scores mean something else."""
    table: Pairing | None = None
    """The map that the scores were made through, a row for each of theirs: ``/pairing``."""
    reason: str = ""
    """Why no frame at all could be compared, with the remedy; empty where one was. Nothing is
    stored then."""


@dataclass(frozen=True)
class Comparison(ABC):
    """One way in which test frames get what they are compared with.

    A comparison answers four questions and no others: ``prepare``, ``pairs``, ``report``,
    ``offers``.
    """

    name: ClassVar[str]
    """As ``--comparison`` and stored results call it."""
    automatic: ClassVar[bool] = False
    """Whether it is chosen by itself for the configurations that it suits."""
    offers: ClassVar[Needs] = Needs.REF | Needs.FEATURES
    """What a metric may ask of its pairs."""
    offers_always: ClassVar[Needs] = Needs.REF | Needs.FEATURES
    """What of that every clip has: a metric that asks no more and is defined for no frame is worth
    a note."""

    config: RunConfig
    needs: Needs = field(default=Needs.NOTHING)
    """What the metrics of the run ask for."""

    @classmethod
    def suits(cls, config: RunConfig) -> bool:
        """Whether the frames that a configuration names can be compared like this."""
        return True

    @property
    def shift(self) -> int | None:
        """How many rows later the reference frames are; None where pairs are not made by rows."""
        return None

    def allows(self, needs: Needs) -> bool:
        """Whether a metric with these needs has a value for some frame."""
        return needs in self.offers

    def prepare(self, streams: Streams) -> Self:
        """The comparison with what must be found before scoring, which may read the inputs."""
        return self

    @abstractmethod
    def pairs(self, streams: Streams, done: int) -> Iterator[Pairs]:
        """The pairs from row ``done`` on, in batches of any length.

        They are the same ones whatever row it begins at; as little as possible is done for the rows
        before.
        """

    def report(self, streams: Streams, scored: Scored) -> Report:
        """What there is to say about the pairing afterwards."""
        return Report(self.left_over(streams, scored.table))

    def left_over(self, streams: Streams, table: FrameTable) -> dict[str, Any]:
        """The name, and how many frames of either side were compared with nothing."""
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


def counted(number: int, noun: str) -> str:
    """ "1 frame", "2 frames"."""
    return f"{number} {noun}{'s' * (number != 1)}"

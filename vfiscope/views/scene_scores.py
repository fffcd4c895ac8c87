"""The scores of several methods over the same frames, row by row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from vfiscope.errors import UsageError
from vfiscope.types import Float64, Int64, MetricSpec, Role, Uint8
from vfiscope.views.comparable import check_comparable, kind_of, warn_unverified

if TYPE_CHECKING:
    from vfiscope.store import Run

__all__ = ["Scene"]


@dataclass(frozen=True, eq=False)
class Scene:
    """The scores of several methods for the M frames that all of their runs have."""

    name: str
    """What tells it from other scenes; "" where there is one."""
    kind: str
    """What the frames were compared with: ref, source, golden, lag or neighbours."""
    index: Int64
    """(M,) decode ordinals of the test frames, which are the same for all methods."""
    time_s: Float64
    """(M,) seconds."""
    role: Uint8
    """(M,) values of :class:`Role`, as far as any run knows them; all unknown where two
    disagree."""
    scores: Mapping[str, Mapping[str, Float64]]
    """{metric: {label: (M,)}}, of the methods that have it."""
    specs: Mapping[str, MetricSpec]
    files: Mapping[str, tuple[str, ...]]
    """{label: M names of images}, of the methods that are images."""
    notes: tuple[str, ...] = ()
    """Decisions about the frames, one sentence each."""
    independent: bool = False
    """True if all runs are of independent images."""

    def __len__(self) -> int:
        return len(self.index)

    @property
    def told_apart(self) -> bool:
        """True if it is known which frames were synthesised."""
        return bool((self.role == Role.SYNTHESISED).any())

    @classmethod
    def of(cls, runs: Sequence[Run], labels: Sequence[str], name: str = "") -> Scene:
        """Put runs side by side.

        Args:
            runs: one for each method.
            labels: what the methods are called.
            name: what the scene is called.

        Raises:
            UsageError: the runs are not comparable, or have no frame in common.
        """
        check_comparable(runs, labels)
        index = reduce(np.intersect1d, [run.frames.index for run in runs])
        if not len(index):
            raise UsageError(
                f"{' and '.join(labels)} have no frame in common: score the same frames of all"
            )
        rows = [_rows(run, index) for run in runs]
        _check_partners(runs, rows, labels)
        role, said = _roles(runs, rows, labels)
        scores: dict[str, dict[str, Float64]] = {}
        for run, mine, label in zip(runs, rows, labels, strict=True):
            for metric, values in run.scores.items():
                scores.setdefault(metric, {})[label] = values[mine].astype(np.float64)
        named = {
            label: (run, mine)
            for run, mine, label in zip(runs, rows, labels, strict=True)
            if run.names
        }
        return cls(
            name=name,
            kind=kind_of(runs[0]),
            index=index,
            time_s=runs[0].frames.time_s[rows[0]],
            role=role,
            scores=scores,
            specs={metric: spec for run in reversed(runs) for metric, spec in run.specs.items()},
            files={
                label: tuple(run.names[row] for row in mine) for label, (run, mine) in named.items()
            },
            notes=(*warn_unverified(runs), *_shorter(runs, labels, len(index)), *said),
            independent=all(bool(run.config.get("independent")) for run in runs),
        )


def _rows(run: Run, index: Int64) -> NDArray[np.int64]:
    """(M,) the rows of a run with these ordinals."""
    order = np.argsort(run.frames.index, kind="stable")
    return np.asarray(order[np.searchsorted(run.frames.index, index, sorter=order)], np.int64)


def _check_partners(
    runs: Sequence[Run], rows: Sequence[NDArray[np.int64]], labels: Sequence[str]
) -> None:
    """Refuse runs that scored the same frame against different frames of the reference."""
    if kind_of(runs[0]) != "ref":
        return
    first = runs[0].frames.ref_index[rows[0]]
    for run, mine, label in zip(runs[1:], rows[1:], labels[1:], strict=True):
        other = run.frames.ref_index[mine]
        apart = np.flatnonzero((first != other) & (first >= 0) & (other >= 0))
        if len(apart):
            frame = int(run.frames.index[mine[apart[0]]])
            raise UsageError(
                f"these runs are not comparable: {len(apart)} frames are paired with other frames"
                f" of the reference (frame {frame} with {first[apart[0]]} in {labels[0]}, with"
                f" {other[apart[0]]} in {label}): score all with the same --align"
            )


def _roles(
    runs: Sequence[Run], rows: Sequence[NDArray[np.int64]], labels: Sequence[str]
) -> tuple[Uint8, list[str]]:
    """(M,) roles that hold for all methods, and what is to be said of it.

    Which frames are originals follows from how a clip was made from its source, and not from the
    method: what one run knows holds for all. Where two know different things, the clips were made
    in different ways, and nothing is used.
    """
    own = np.stack([run.frames.role[mine] for run, mine in zip(runs, rows, strict=True)])
    known = own != Role.UNKNOWN
    lowest = np.where(known, own, Role.UNKNOWN).min(axis=0)
    highest = np.where(known, own, 0).max(axis=0)
    knows = (own == Role.SYNTHESISED).any(axis=1)
    unknown = np.full(own.shape[1], Role.UNKNOWN, np.uint8)
    if not knows.any():
        return unknown, []
    if (known.any(axis=0) & (lowest != highest)).any():
        return unknown, [
            "the runs know different frames as synthesised: over all frames, passed ones among them"
        ]
    by = [label for label, knowing in zip(labels, knows, strict=True) if knowing]
    others = [label for label, knowing in zip(labels, knows, strict=True) if not knowing]
    said = (
        f"synthesised frames are known of {', '.join(by)}, and so taken of {', '.join(others)}: the"
        " same frames"
    )
    return lowest.astype(np.uint8), [said] if others else []


def _shorter(runs: Sequence[Run], labels: Sequence[str], common: int) -> list[str]:
    """A note where some runs have frames that others lack."""
    if all(len(run) == common for run in runs):
        return []
    counts = ", ".join(f"{label} {len(run)}" for label, run in zip(labels, runs, strict=True))
    return [
        f"the runs have different numbers of frames ({counts}): over the {common} that all have"
    ]

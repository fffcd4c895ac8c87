"""Pairs to scores: the one place where scores leave the device."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial, reduce
from operator import or_
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from vfiscope.metric_names import chosen
from vfiscope.metrics import FIELDS, MAPS, METRICS, FieldMetric, Metric
from vfiscope.metrics.pixel import apart_from_refs
from vfiscope.registration import valid_cells
from vfiscope.scoring.portions import Portions
from vfiscope.signals import Sight, Signal, measure, rows_before
from vfiscope.stage_clock import StageClock
from vfiscope.types import Frames, FrameTable, Needs, PacketIndex, Pairs, Role, Scores, Status
from vfiscope.types.batch import to_numpy

__all__ = ["Plan", "score_pairs"]


@dataclass(frozen=True)
class Plan:
    """Which metrics, maps and fields are computed."""

    metrics: Mapping[str, Metric]
    maps: Mapping[str, Metric]
    fields: Mapping[str, FieldMetric]
    signals: Mapping[str, Signal] = field(default_factory=dict)

    @classmethod
    def of(cls, metrics: Iterable[str], maps: Iterable[str], fields: Iterable[str]) -> Plan:
        """A plan by names; the single name "none" chooses nothing.

        Raises:
            UsageError: a name is not in the table, or no metric is chosen.
        """
        return cls(
            {name: METRICS[name] for name in chosen("metric", METRICS, metrics)},
            {name: MAPS[name] for name in chosen("map", MAPS, maps)},
            {name: FIELDS[name] for name in chosen("field", FIELDS, fields)},
        )

    @property
    def parts(self) -> tuple[Metric | FieldMetric, ...]:
        """Everything that is computed."""
        return (*self.metrics.values(), *self.maps.values(), *self.fields.values())

    @property
    def needs(self) -> Needs:
        """The needs of all parts of the plan together."""
        embedded = Needs.FEATURES if self._any_looks_at(Sight.EMBEDDING) else Needs.NOTHING
        return reduce(or_, (part.spec.needs for part in self.parts), embedded)

    @property
    def needs_features(self) -> bool:
        """Whether any part of the plan looks at embeddings."""
        return Needs.FEATURES in self.needs

    @property
    def rows_before(self) -> int:
        """How many rows before the first one signals look at."""
        return max((rows_before(signal.looks_at) for signal in self.signals.values()), default=0)

    @property
    def needs_packets(self) -> bool:
        """Whether any signal looks at the packets of the test."""
        return self._any_looks_at(Sight.PACKETS)

    def without_packets(self) -> Plan:
        """The plan for a test that has none."""
        kept = {n: each for n, each in self.signals.items() if Sight.PACKETS not in each.looks_at}
        return replace(self, signals=kept)

    def _any_looks_at(self, part: Sight) -> bool:
        return any(part in signal.looks_at for signal in self.signals.values())

    def grids(
        self, size: tuple[int, int], patches: tuple[int, int] | None
    ) -> dict[str, tuple[int, int]]:
        """{map or field: (h, w)} for frames of a size (height, width) and a grid of patches."""
        own = {
            name: metric.grid(*size)
            for name, metric in self.maps.items()
            if metric.grid is not None
        }
        names = [name for name in (*self.maps, *self.fields) if name not in own]
        return {**own, **({} if patches is None else dict.fromkeys(names, patches))}


Float = TypeVar("Float", np.float32, np.float16)
KIND_OF_AXES = {0: "", 2: " map", 3: " field"}
"""What the values of a frame are called beside the name of the metric, by their number of axes."""


def score_pairs(
    pairs: Iterable[Pairs],
    plan: Plan,
    grids: Mapping[str, tuple[int, int]],
    clock: StageClock | None = None,
    *,
    lead: int = 0,
    packets: PacketIndex | None = None,
) -> Iterator[Scores]:
    """Score every batch of pairs.

    A score, map or field is NaN in rows without a frame that it needs (the partner or the
    neighbouring real frames), or without the pixels of one.

    Args:
        pairs: batches in row order.
        plan: what to compute.
        grids: {map or field: (h, w)}, as returned by :meth:`Plan.grids`.
        clock: is charged for each part of the plan, and for signals.
        lead: the number of first rows that are only there for signals of later ones, and not
            scored.
        packets: of the test, where signals look at them.
    """
    clock = clock or StageClock()
    scored = clock.timed("score", _scored(pairs, plan, grids, clock, lead))
    return clock.timed("signals", measure(scored, plan.signals, lead, packets, apart_from_refs))


def _scored(
    pairs: Iterable[Pairs],
    plan: Plan,
    grids: Mapping[str, tuple[int, int]],
    clock: StageClock,
    lead: int,
) -> Iterator[tuple[Pairs, Scores | None]]:
    """Every batch, or portion of one, with its scores, which lack signals; None for rows that lead
    in."""
    portions = Portions()
    for batch in pairs:
        if lead:
            leading, batch = batch[:lead], batch[lead:]
            lead -= len(leading)
            yield leading, None
        yield from portions(batch, partial(_scores, plan, grids, clock))


def _scores(
    plan: Plan, grids: Mapping[str, tuple[int, int]], clock: StageClock, batch: Pairs
) -> Scores:
    """The scores of a batch without signals."""
    column = partial(_column, batch, clock)
    in_turn = sorted(plan.metrics.values(), key=lambda metric: not metric.early)
    metrics = {part.spec.name: column(part, (), np.float32) for part in in_turn}
    return Scores(
        _table(batch),
        {name: metrics[name] for name in plan.metrics},
        {name: column(part, grids[name], np.float16) for name, part in plan.maps.items()},
        {name: column(part, (2, *grids[name]), np.float16) for name, part in plan.fields.items()},
        batch.registrations,
    )


def _column(
    pairs: Pairs,
    clock: StageClock,
    part: Metric | FieldMetric,
    shape: tuple[int, ...],
    dtype: type[Float],
) -> NDArray[Float]:
    """The values of one part of a plan for a batch, (N, *shape)."""
    frames = _frames(pairs, part.spec.needs)
    if frames is None:
        return np.full((len(pairs), *shape), np.nan, dtype)
    with clock.stage(f"{part.spec.name}{KIND_OF_AXES[len(shape)]}"):
        column: NDArray[Float] = to_numpy(part.compute(pairs)).astype(dtype)
    column[np.maximum.reduce([each.status for each in frames]) == Status.UNREADABLE] = np.nan
    if (
        shape and pairs.registrations is not None
    ):  # cells in which a registered test frame has no pixel of its own
        seen = valid_cells(pairs.registrations, pairs.test.size, (shape[-2], shape[-1]))
        column[~np.broadcast_to(seen if len(shape) == 2 else seen[:, None], column.shape)] = np.nan
    return column


def _frames(pairs: Pairs, needs: Needs) -> list[Frames] | None:
    """The frames that a part of a plan needs; None where the batch lacks some of them."""
    frames: list[Frames | None] = [pairs.test]
    if Needs.REF in needs:
        frames.append(pairs.ref)
    if Needs.NEIGHBOURS in needs:
        frames += (
            [None, None] if pairs.around is None else [pairs.around.before, pairs.around.after]
        )
    there = [each for each in frames if each is not None]
    return there if len(there) == len(frames) else None


def _table(pairs: Pairs) -> FrameTable:
    """The frame table of a batch: with the partner, else with the neighbouring real frames, else
    unpaired."""
    test, n = pairs.test, len(pairs)
    if pairs.ref is not None:
        ref_index, others = pairs.ref.index, [pairs.ref.status]
    elif pairs.around is not None:
        ref_index, others = (
            pairs.around.before.index,
            [pairs.around.before.status, pairs.around.after.status],
        )
    else:
        ref_index, others = np.full(n, -1, np.int64), [np.full(n, Status.UNPAIRED, np.uint8)]
    return FrameTable(
        index=test.index,
        pts=test.pts,
        time_s=test.time_s,
        ref_index=ref_index,
        role=np.full(n, Role.UNKNOWN, np.uint8) if pairs.role is None else pairs.role,
        phase=np.full(n, np.nan) if pairs.phase is None else pairs.phase,
        status=np.maximum.reduce([test.status, *others]),
        time_base=test.time_base,
    )

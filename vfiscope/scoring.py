"""Pairs to scores: the one place where tensors leave the device."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from vfiscope.align import valid_cells
from vfiscope.errors import UsageError
from vfiscope.metrics import FIELDS, MAPS, METRICS, FieldMetric, Metric
from vfiscope.types import Frames, FrameTable, Pairs, Role, Scores, Status

__all__ = ["Plan", "score_pairs"]


@dataclass(frozen=True)
class Plan:
    """Which metrics, maps and fields are computed."""

    metrics: Mapping[str, Metric]
    maps: Mapping[str, Metric]
    fields: Mapping[str, FieldMetric]

    @classmethod
    def of(cls, metrics: Iterable[str], maps: Iterable[str], fields: Iterable[str]) -> Plan:
        """A plan by names; the single name "none" chooses nothing.

        Raises:
            UsageError: a name is not in the table.
        """
        plan = cls(_choose("metric", METRICS, metrics), _choose("map", MAPS, maps), _choose("field", FIELDS, fields))
        if not plan.metrics:
            raise UsageError(f"metrics is empty: choose from {', '.join(METRICS)}")
        return plan

    @property
    def needs_features(self) -> bool:
        """Whether any part of the plan looks at embeddings."""
        needs = [part.spec.needs for part in (*self.metrics.values(), *self.maps.values())]
        return "features" in needs + [part.spec.needs for part in self.fields.values()]

    def grids(self, size: tuple[int, int], patches: tuple[int, int] | None) -> dict[str, tuple[int, int]]:
        """{map or field: (h, w)} for frames of a size (height, width) and a grid of patches."""
        own = {name: metric.grid(*size) for name, metric in self.maps.items() if metric.grid is not None}
        names = [name for name in (*self.maps, *self.fields) if name not in own]
        return {**own, **({} if patches is None else dict.fromkeys(names, patches))}


T = TypeVar("T")


def _choose(kind: str, table: Mapping[str, T], names: Iterable[str]) -> dict[str, T]:
    chosen = {}
    for name in dict.fromkeys(names):
        if name == "none":
            continue
        if name not in table:
            raise UsageError(f"there is no {kind} {name!r}: choose from {', '.join(table)}")
        chosen[name] = table[name]
    return chosen


Values = dict[str, NDArray[np.float32]]
Grids = dict[str, NDArray[np.float16]]


def score_pairs(pairs: Iterable[Pairs], plan: Plan, grids: Mapping[str, tuple[int, int]]) -> Iterator[Scores]:
    """Score every batch of pairs.

    Rows that are unpaired or unreadable hold NaN in every score, map and field.

    Args:
        pairs: batches in row order.
        plan: what to compute.
        grids: {map or field: (h, w)}, as :meth:`Plan.grids` gives them.
    """
    for batch in pairs:
        yield _unpaired(batch, plan, grids) if batch.ref is None else _paired(batch, batch.ref, plan)


def _paired(pairs: Pairs, ref: Frames, plan: Plan) -> Scores:
    values, maps, vectors = _compute(pairs, plan)
    status = np.maximum(pairs.test.status, ref.status)
    for part in (values, maps, vectors):
        for array in part.values():
            array[status == Status.UNREADABLE] = np.nan
    _blank_unseen(pairs, maps, vectors)
    return Scores(_table(pairs.test, ref, status), values, maps, vectors, pairs.registrations)


def _blank_unseen(pairs: Pairs, maps: Grids, vectors: Grids) -> None:
    """Put NaN into the cells in which a registered test frame has no pixel of its own."""
    if pairs.registrations is None:
        return
    for array in (*maps.values(), *vectors.values()):
        seen = valid_cells(pairs.registrations, pairs.test.size, (array.shape[-2], array.shape[-1]))
        array[~(seen if array.ndim == 3 else np.broadcast_to(seen[:, None], array.shape))] = np.nan


def _unpaired(pairs: Pairs, plan: Plan, grids: Mapping[str, tuple[int, int]]) -> Scores:
    test, n = pairs.test, len(pairs)
    status = np.maximum(test.status, np.uint8(Status.UNPAIRED))
    return Scores(
        _table(test, None, status),
        {name: np.full(n, np.nan, np.float32) for name in plan.metrics},
        {name: np.full((n, *grids[name]), np.nan, np.float16) for name in plan.maps},
        {name: np.full((n, 2, *grids[name]), np.nan, np.float16) for name in plan.fields},
        pairs.registrations,
    )


def _compute(pairs: Pairs, plan: Plan) -> tuple[Values, Grids, Grids]:
    values = {name: _to_numpy(metric.compute(pairs)).astype(np.float32) for name, metric in plan.metrics.items()}
    maps = {name: _to_numpy(metric.compute(pairs)).astype(np.float16) for name, metric in plan.maps.items()}
    vectors = {name: _to_numpy(metric.compute(pairs)).astype(np.float16) for name, metric in plan.fields.items()}
    return values, maps, vectors


def _table(test: Frames, ref: Frames | None, status: NDArray[np.uint8]) -> FrameTable:
    n = len(test)
    return FrameTable(
        index=test.index,
        pts=test.pts,
        time_s=test.time_s,
        ref_index=np.full(n, -1, np.int64) if ref is None else ref.index,
        role=np.full(n, Role.UNKNOWN, np.uint8),
        phase=np.full(n, np.nan),
        status=status,
        time_base=test.time_base,
    )


def _to_numpy(tensor: Tensor) -> NDArray[np.floating]:
    return tensor.detach().to("cpu").numpy()

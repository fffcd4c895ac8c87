"""Pairs to scores: the one place where tensors leave the device."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

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


def score_pairs(pairs: Iterable[Pairs], plan: Plan) -> Iterator[Scores]:
    """Score every batch of pairs.

    Rows that are unpaired or unreadable hold NaN in every score, map and field.
    """
    for batch in pairs:
        yield _score_batch(batch, plan)


def _score_batch(pairs: Pairs, plan: Plan) -> Scores:
    if pairs.ref is None:
        values, maps, vectors = _blank(pairs, plan)
        status = np.maximum(pairs.test.status, np.uint8(Status.UNPAIRED))
        return Scores(_table(pairs.test, None, status), values, maps, vectors)
    values, maps, vectors = _compute(pairs, plan)
    status = np.maximum(pairs.test.status, pairs.ref.status)
    for part in (values, maps, vectors):
        for array in part.values():
            array[status == Status.UNREADABLE] = np.nan
    return Scores(_table(pairs.test, pairs.ref, status), values, maps, vectors)


Values = dict[str, NDArray[np.float32]]
Grids = dict[str, NDArray[np.float16]]


def _compute(pairs: Pairs, plan: Plan) -> tuple[Values, Grids, Grids]:
    values = {name: _to_numpy(metric.compute(pairs)).astype(np.float32) for name, metric in plan.metrics.items()}
    maps = {name: _to_numpy(metric.compute(pairs)).astype(np.float16) for name, metric in plan.maps.items()}
    vectors = {name: _to_numpy(metric.compute(pairs)).astype(np.float16) for name, metric in plan.fields.items()}
    return values, maps, vectors


def _blank(pairs: Pairs, plan: Plan) -> tuple[Values, Grids, Grids]:
    """NaN in the shapes of a pair, which one frame compared with itself tells."""
    one = pairs[:1]
    alike = _compute(Pairs(one.test, one.test, one.test_features, one.test_features), plan)
    values, maps, vectors = (
        {name: np.full((len(pairs), *array.shape[1:]), np.nan, array.dtype) for name, array in part.items()}
        for part in alike
    )
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

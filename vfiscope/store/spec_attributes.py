"""The specifications of scores, maps, fields and signals, as attributes of their datasets."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from vfiscope.printable import printable
from vfiscope.store.members import attribute
from vfiscope.types import FieldSpec, MetricSpec, Needs, SignalSpec

__all__ = [
    "FIELD_TYPES",
    "METRIC_TYPES",
    "SIGNAL_TYPES",
    "Types",
    "read_field",
    "read_metric",
    "read_signal",
    "write_spec",
]

Types = Mapping[str, Callable[[Any], Any]]
"""{attribute: how it is read}"""
Spec = MetricSpec | FieldSpec | SignalSpec
_Spec = TypeVar("_Spec", MetricSpec, FieldSpec, SignalSpec)

METRIC_TYPES: Types = {
    "unit": str,
    "low": float,
    "high": float,
    "lower_is_better": bool,
    "identity": float,
    "floor": float,
    "description": str,
    "needs": Needs.of_word,
    "ranks": bool,
}
UNRANKED = frozenset(
    {
        *("ghosting", "warp", "foreign", "midpoint_px", "cut", "cosine_before", "cosine_after"),
        *("visible_both", "visible_one", "visible_none"),
    }
)
"""Metrics that do not rank, for files that were written before ``ranks`` was an attribute."""
FIELD_TYPES: Types = {
    "unit": str,
    "description": str,
    "needs": Needs.of_word,
}
SIGNAL_TYPES: Types = {"unit": str, "description": str}


def write_spec(attrs: Any, spec: Spec, types: Types) -> None:
    """Store a specification."""
    for key, kind in types.items():
        value = getattr(spec, key)
        attrs[key] = value.word if isinstance(value, Needs) else kind(value)


def read_metric(dataset: Any, name: str) -> MetricSpec:
    """The specification beside a score or a map."""
    spec = _read_spec(MetricSpec, METRIC_TYPES, dataset, name)
    return (
        spec if "ranks" in dataset.attrs else dataclasses.replace(spec, ranks=name not in UNRANKED)
    )


def read_field(dataset: Any, name: str) -> FieldSpec:
    """The specification beside a field."""
    return _read_spec(FieldSpec, FIELD_TYPES, dataset, name)


def read_signal(dataset: Any, name: str) -> SignalSpec:
    """The specification beside a signal."""
    return _read_spec(SignalSpec, SIGNAL_TYPES, dataset, name)


def _read_spec(cls: type[_Spec], types: Types, dataset: Any, name: str) -> _Spec:
    # Attributes that are newer than the file have their defaults.
    attrs = dataset.attrs
    found = {key: kind(attribute(attrs, key)) for key, kind in types.items() if key in attrs}
    texts = {key: printable(value) for key, value in found.items() if isinstance(value, str)}
    return cls(name=name, **{**found, **texts})

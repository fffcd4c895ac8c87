"""The header of a run: the identity of unfinished work."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from vfiscope.errors import StoreError
from vfiscope.options import not_identity, stored_defaults
from vfiscope.options.reading_options import as_stated, with_rate
from vfiscope.store.header_diff import changes
from vfiscope.store.text import plain
from vfiscope.types import CellGrid, FieldSpec, MetricSpec, SignalSpec

__all__ = ["FORMAT", "FORMAT_VERSION", "Header"]

FORMAT = "vfiscope"
FORMAT_VERSION = 1


@dataclass(frozen=True)
class Header:
    """The inputs, options and outputs of a run, known before its first frame. Unfinished work is
    resumed only with an equal header."""

    mode: str
    """score, scan or compare."""
    config: Mapping[str, Any]
    """Every option as JSON-able values."""
    sources: Sequence[Mapping[str, Any]]
    """One dictionary for each input: role, path, size_bytes, digest and other identifying
    values."""
    metrics: Mapping[str, MetricSpec]
    time_base: Fraction
    """Seconds per unit of ``pts``, exact."""
    versions: Mapping[str, str] = field(default_factory=dict)
    """{package: version}; ``vfiscope`` among them."""
    maps: Mapping[str, MetricSpec] = field(default_factory=dict)
    fields: Mapping[str, FieldSpec] = field(default_factory=dict)
    signals: Mapping[str, SignalSpec] = field(default_factory=dict)
    grids: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    """{map or field: (h, w)}"""
    size: tuple[int, int] | None = None
    """(height, width) of the frames as scored, after ``resize``."""
    embedder: Mapping[str, Any] | None = None
    register: Mapping[str, Any] | None = None
    """The registration method and the digest of its weights; None where frames are not
    registered."""

    def __post_init__(self) -> None:
        if missing := {*self.maps, *self.fields} - set(self.grids):
            raise StoreError(f"maps {sorted(missing)} have no size: pass their grids (h, w)")

    def to_dict(self) -> dict[str, Any]:
        """The header as JSON-able values."""
        return {
            "format_version": FORMAT_VERSION,
            "mode": self.mode,
            "config": plain(self.config),
            "sources": plain(self.sources),
            "embedder": plain(self.embedder),
            "register": plain(self.register),
            "versions": plain(self.versions),
            "metrics": {name: _spec_dict(spec) for name, spec in self.metrics.items()},
            "maps": {name: _spec_dict(spec) for name, spec in self.maps.items()},
            "fields": {name: _spec_dict(spec) for name, spec in self.fields.items()},
            "signals": {name: dataclasses.asdict(spec) for name, spec in self.signals.items()},
            "grids": {name: list(grid) for name, grid in self.grids.items()},
            "size": None if self.size is None else list(self.size),
            "time_base": str(self.time_base),
        }

    def cells(self, name: str) -> CellGrid | None:
        """The cells of a map or field, which span the whole frame."""
        return None if self.size is None else CellGrid.over(self.size, self.grids[name])

    def differences(self, other: Header) -> list[str]:
        """The differences from the other header to this one, such as ``config.lag: 1 -> 2``;
        options that affect no score are left out."""
        return self.changes_from(other.to_dict())

    def changes_from(self, stored: Mapping[str, Any]) -> list[str]:
        """As :meth:`differences`, from the dictionary of a header."""
        known = {name: value for name, value in stored_defaults().items() if name in self.config}
        config = with_rate({**known, **as_stated(stored.get("config", {}))})
        own = {**self.to_dict(), "config": with_rate(plain(self.config))}
        return changes({**stored, "config": config}, own, not_identity())


def _spec_dict(spec: MetricSpec | FieldSpec) -> dict[str, Any]:
    return {**dataclasses.asdict(spec), "needs": spec.needs.word}

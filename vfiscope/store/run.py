"""A finished result, open for reading."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from datetime import datetime
from fractions import Fraction
from functools import cached_property, partial
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from vfiscope.errors import StoreError
from vfiscope.options.reading_options import as_stated
from vfiscope.printable import printable, shown
from vfiscope.store import schema
from vfiscope.store.coded_notes import read_notes
from vfiscope.store.contradictions import check_boxes, check_segments, check_spec
from vfiscope.store.frame_geometry import read_cells, read_size
from vfiscope.store.frame_names import read_names
from vfiscope.store.lazy_array import Handle, LazyArray, reading
from vfiscope.store.members import attribute, members
from vfiscope.store.opening import State, check_root, open_stored, opened, settled, state_of
from vfiscope.store.pairing_table import read_pairing
from vfiscope.store.pools import headline_role, rows_of
from vfiscope.store.registration_table import read_registrations
from vfiscope.store.seek_tables import read_seek_tables
from vfiscope.store.spec_attributes import read_field, read_metric, read_signal
from vfiscope.store.stage_tables import StageRecord, read_stages, read_table, rules_of
from vfiscope.store.stored_json import read_json
from vfiscope.store.summary import by_role, count, described_signals, named, pooled
from vfiscope.store.text import plain
from vfiscope.store.validate import check_map, check_stored, check_values
from vfiscope.store.verdict import judge
from vfiscope.types import (
    Answer,
    FieldSpec,
    MetricSpec,
    Note,
    Pairing,
    Region,
    Registrations,
    Segment,
    TimeLapse,
    Track,
    moment_of,
)

__all__ = ["LazyArray", "Run"]

_Row = TypeVar("_Row")
_Spec = TypeVar("_Spec", MetricSpec, FieldSpec)


class Run:
    """One result, open for reading; scores and segments are in memory, maps and fields are read on
    demand.

    Args:
        path: an HDF5 file that vfiscope finished.
        owns: a temporary folder to remove when the run is closed or no longer used.
        made: the state of the file (:func:`~vfiscope.store.opening.state_of`) as a writer of this
            process left it: while it is in that state, what only a file of somebody else may claim
            is not checked.
        earlier: the same run as somebody opened it before: unless it was made anew since then, its
            scores and signals, which no stage changes, are not read again.

    Raises:
        StoreError: the file is missing, not HDF5, not from vfiscope, from a newer vfiscope,
        unfinished, or damaged.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        owns: Path | None = None,
        made: State | None = None,
        earlier: Run | None = None,
    ) -> None:
        self.path = Path(path)
        settled(self.path, partial(self._open, owns, made, earlier), self.close)

    def _open(self, owns: Path | None, made: State | None, earlier: Run | None) -> None:
        h5, file = open_stored(self.path)
        self._handle = Handle(h5, file, owns)
        try:
            check_root(self.path, h5)
            with reading(self.path, "the content"):
                if made is None or state_of(self.path) != made:
                    check_stored(self.path, h5, file)
                self._load(h5, earlier)
        except StoreError:
            self.close()
            raise

    def _load(self, h5: Any, earlier: Run | None) -> None:
        self._load_facts(h5.attrs)
        if earlier is not None and earlier.created != self.created:
            earlier = None
        self._load_rows(h5, {} if earlier is None else earlier.scores)
        self._load_arrays(h5, {} if earlier is None else earlier.signals)
        self.stages: Mapping[str, StageRecord] = MappingProxyType(read_stages(h5))
        """{stage: what made its tables}"""
        self.rules = rules_of(self.stages)
        """The user's rules of the segments; those that the run was made with are in
        ``config["flag"]``."""
        self.segments = read_table(h5, "segments", Segment, clean=True)
        self.regions = read_table(h5, "regions", Region, clean=True, codes=("mask",))
        self.answers = read_table(h5, "answers", Answer, clean=True)
        """What can be said of each pair of frames in which regions were sought."""
        self.tracks = read_table(h5, "tracks", Track, clean=True)
        self.seek_tables = read_seek_tables(h5)
        """{role: its seek table}, for inputs that are videos."""
        digest = attribute(h5["pairing"].attrs, "digest") if "pairing" in h5 else None
        mapped, ref_index = "digest" in self.pairing, self.frames.ref_index
        check_map(self.path, mapped, digest, self.pairing_table, ref_index)
        check_values(self.path, self.frames, self.register, self.registration)
        check_segments(self.path, self.frames, self.segments)
        check_boxes(self.path, self.regions)

    def _load_facts(self, attrs: Any) -> None:
        """The values of the whole run."""
        self.mode = printable(str(attribute(attrs, "mode")))
        self.created: str = attribute(attrs, "created")
        """ISO 8601, UTC."""
        datetime.fromisoformat(self.created)  # nothing else is a time
        self.complete = bool(attribute(attrs, "complete"))
        self.status = printable(str(attribute(attrs, "status")))
        """ok or partial."""
        read = partial(read_json, self.path, attrs)
        # Names of files among these must stay as they are: files are found again by them.
        self.config: dict[str, Any] = as_stated(read("config"))
        self.sources: list[dict[str, Any]] = read("sources")
        self.versions: dict[str, str] = read("versions")
        self.pairing: dict[str, Any] = read("pairing")
        """The pairing policy, the numbers of unpaired frames, and the summary of the map, if
        any."""
        self.timings: dict[str, Any] = read("timings")
        self.notes: list[str] = shown(read("notes"))
        """Reasons why the run is partial, one sentence each."""
        self.warnings: list[str] = shown(read("warnings", "[]"))
        """Reasons to doubt the meaning of scores, one sentence each."""
        self.coded_notes: list[Note] = read_notes(self.path, attrs, "notes")
        """The notes as codes with values; empty in files of versions that did not store them."""
        self.coded_warnings: list[Note] = read_notes(self.path, attrs, "warnings")
        """The warnings as codes with values."""
        self.frame_size = read_size(attrs, self.config, self.sources)
        """(height, width) in pixels of the frames as scored, after ``resize``; None where an older
        file does not tell."""
        self.embedder: dict[str, Any] | None = read("embedder", "null")
        self.register: dict[str, Any] | None = read("register", "null")
        """The registration method and the digest of its weights; None where frames were not
        registered."""

    def _load_rows(self, h5: Any, known: Mapping[str, NDArray[np.float32]]) -> None:
        """The tables with a row for each frame."""
        self.frames = schema.drop_guessed_roles(schema.read_frames(h5), h5, self.config)
        self.names = read_names(h5)
        """The image file of each frame, relative to the folder that all share; empty for video and
        arrays."""
        self.pairing_table: Pairing | None = read_pairing(h5)
        """The map that the frames were paired with, row by row; None where they were paired without
        one."""
        self.registration: Registrations | None = read_registrations(h5)
        """The registration of each test frame, row by row; None where frames were not
        registered."""
        self.scores: Mapping[str, NDArray[np.float32]] = MappingProxyType(
            _columns(members(h5["scores"]), known)
        )
        self.specs = {name: read_metric(dataset, name) for name, dataset in members(h5["scores"])}
        """{metric: MetricSpec}"""
        for spec in self.specs.values():
            check_spec(self.path, spec)

    def _load_arrays(self, h5: Any, known: Mapping[str, NDArray[np.float32]]) -> None:
        """The arrays that are read on demand."""
        signals = members(h5.get("signals", {}))
        self.signals: Mapping[str, NDArray[np.float32]] = MappingProxyType(_columns(signals, known))
        """{signal: (N,) float32}, NaN where not defined; empty in older files."""
        self.signal_specs = {name: read_signal(dataset, name) for name, dataset in signals}
        """{signal: SignalSpec}"""
        self.maps: Mapping[str, LazyArray[MetricSpec]] = MappingProxyType(
            {
                name: self._stored(data, read_metric(data, name))
                for name, data in members(h5["maps"])
            }
        )
        self.fields: Mapping[str, LazyArray[FieldSpec]] = MappingProxyType(
            {
                name: self._stored(data, read_field(data, name))
                for name, data in members(h5["fields"])
            }
        )

    @property
    def grids(self) -> dict[str, tuple[int, int]]:
        """{map or field: (h, w)}"""
        shapes = {
            name: item.shape[-2:]
            for group in (self.maps, self.fields)
            for name, item in group.items()
        }
        return {name: (int(height), int(width)) for name, (height, width) in shapes.items()}

    def _stored(self, dataset: Any, spec: _Spec) -> LazyArray[_Spec]:
        cells = read_cells(dataset, self.frame_size)
        return LazyArray(dataset, spec, cells, self.path, self._handle)

    def __len__(self) -> int:
        return len(self.frames)

    @property
    def time_base(self) -> Fraction:
        """Seconds per unit of ``frames.pts``, exact."""
        return self.frames.time_base

    @property
    def role(self) -> str:
        """The role of the headline numbers: "synthesised" where roles are known, else "all"."""
        return headline_role(self.frames)

    def rows(self, role: str | None = None) -> NDArray[np.bool_]:
        """(N,) mask of the frames of a role, as in ``run.scores["ssim"][run.rows("passed")]``.

        Args:
            role: "synthesised", "passed" or "all"; None for that of the headline numbers.

        Raises:
            UsageError: the role is unknown.
        """
        return rows_of(self.frames, self.role if role is None else role)

    def table(self, name: str, row: type[_Row]) -> list[_Row]:
        """A table of a stage, as the dataclasses of its rows.

        Raises:
            StoreError: the run does not hold the table, or it has other columns.
        """
        known = [table for record in self.stages.values() for table in record.tables]
        if name not in known:
            listed = ", ".join(known) or "none at all"
            raise StoreError(f"{self.path} holds no table {name!r}: its stages made {listed}")

        def read() -> list[_Row]:
            with opened(self.path) as h5, reading(self.path, f"/{name}"):
                return read_table(h5, name, row)

        return settled(self.path, read)

    def moment(self, row: int) -> str | None:
        """The capture time of a row, ISO 8601 in UTC; None where times do not come from the
        images."""
        return moment_of(self._microseconds(row)) if self.times_from else None

    @property
    def times_from(self) -> str:
        """The origin of the times of images: "exif" or "name"; "" where they are counted."""
        test = next((source for source in self.sources if source.get("role") == "test"), {})
        how = test.get("times_from", self.config.get("time_from"))
        return str(how) if how in ("exif", "name") else ""

    def _microseconds(self, row: int) -> int:
        """The presentation time of a row in microseconds."""
        return round(int(self.frames.pts[row]) * self.time_base * 1_000_000)

    @cached_property
    def time_lapse(self) -> TimeLapse | None:
        """When the images were taken; None where their times are counted."""
        if not self.times_from or not len(self.frames):
            return None
        return TimeLapse.of(np.rint(self.frames.pts * float(self.time_base * 1_000_000)))

    @property
    def header(self) -> schema.Header:
        """The header that the run was started with."""
        return schema.Header(
            mode=self.mode,
            config=self.config,
            sources=[
                {key: value for key, value in source.items() if not _is_count(key)}
                for source in self.sources
            ],
            metrics=self.specs,
            time_base=self.time_base,
            versions=self.versions,
            maps={name: stored.spec for name, stored in self.maps.items()},
            fields={name: stored.spec for name, stored in self.fields.items()},
            signals=self.signal_specs,
            grids=self.grids,
            size=self.frame_size,
            embedder=self.embedder,
            register=self.register,
        )

    def summary(self) -> dict[str, Any]:
        """The JSON summary: ``json.dumps(run.summary(), allow_nan=False)`` always works.

        NaN and infinite values are None, and counted. ``metrics`` covers the frames that ``role``
        names; where roles are known, ``roles`` has the numbers of each.
        """
        judgement = judge(self.frames, self.scores)
        scored = self.scores, self.specs, self.frames
        seconds, lapse = self.timings.get("seconds"), self.time_lapse
        moment = self.moment if self.times_from else None
        summary = {
            "mode": self.mode,
            "out": str(self.path),
            "frames": count(self.frames, self.scores, self._unread),
            "taken": None if lapse is None else {**lapse.to_dict(), "how": self.times_from},
            "independent": bool(self.config.get("independent")),
            "role": self.role,
            "metrics": pooled(*scored, self.role, self.names, moment),
            "roles": by_role(*scored, self.names, moment),
            "signals": described_signals(self.signals, self.signal_specs),
            "verdict": None if judgement is None else judgement.to_dict(),
            "segments": [
                named(segment, self.frames, self.names, self.moment) for segment in self.segments
            ],
            **({"kinds": list(kinds)} if (kinds := self.config.get("kinds")) else {}),
            "rules": list(self.rules),
            "regions": len(self.regions),
            "pairing": dict(self.pairing),
            "status": self.status,
            "notes": list(self.notes),
            "warnings": list(self.warnings),
            "seconds": seconds,
            "fps": self.timings.get("fps", len(self) / seconds if seconds else None),
        }
        cleaned: dict[str, Any] = plain(summary)
        return cleaned

    @property
    def _unread(self) -> int | None:
        """Test frames that could not be read, where the run counted them."""
        counts = [each.get("frames_unreadable") for each in self.sources if each["role"] == "test"]
        return counts[0] if counts and isinstance(counts[0], int) else None

    def close(self) -> None:
        """Close the file; what is in memory stays usable. Closing twice does nothing."""
        self._handle.close()

    def __enter__(self) -> Run:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        shapes = [
            f"{name} {stored.shape}"
            for group in (self.maps, self.fields)
            for name, stored in group.items()
        ]
        parts = [
            f"{self.mode}, {len(self)} frames",
            ", ".join(self.scores),
            *shapes,
            f"{len(self.segments)} segments",
        ]
        return f"Run({str(self.path)!r}: {'; '.join(part for part in parts if part)})"


def _columns(
    stored: Iterable[tuple[str, Any]], known: Mapping[str, NDArray[np.float32]]
) -> dict[str, NDArray[np.float32]]:
    """{name: (N,) float32}, read where it is not known."""
    return {name: known[name] if name in known else data[()] for name, data in stored}


def _is_count(key: str) -> bool:
    """True for an entry that was counted while reading the source, and is not part of its
    identity."""
    return key.startswith("frames_") and key != "frames_expected"

"""A finished result, open for reading."""

from __future__ import annotations

import json
import operator
import os
import shutil
import weakref
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from fractions import Fraction
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Any, Generic, TypeVar

import h5py
import numpy as np
from numpy.typing import NDArray

from vfiscope.errors import StoreError
from vfiscope.store import schema
from vfiscope.store.frame_names import read_names
from vfiscope.store.header_diff import changes
from vfiscope.store.notes import read_notes
from vfiscope.store.pairing_table import read_pairing
from vfiscope.store.pools import headline_role, rows_of
from vfiscope.store.registration_table import read_registrations
from vfiscope.store.stage_tables import read_rules, read_table
from vfiscope.store.summary import summarize
from vfiscope.store.validate import check_stored, check_values
from vfiscope.types import (
    UNIX_EPOCH,
    FieldSpec,
    MetricSpec,
    Note,
    Pairing,
    Region,
    Registrations,
    Segment,
)

__all__ = ["LazyArray", "Run", "differences"]

_Spec = TypeVar("_Spec", MetricSpec, FieldSpec)


@contextmanager
def _reading(path: Path, what: str) -> Iterator[None]:
    """Turn h5py's errors about a damaged file into one line."""
    try:
        yield
    except (
        OSError,
        LookupError,
        ValueError,
        TypeError,
        RuntimeError,
        ArithmeticError,
        MemoryError,
    ) as error:
        raise StoreError(
            f"{what} of {path} cannot be read, the file is damaged: make it again"
        ) from error


class _Handle:
    """An open file and what it owns, shared by a run and its maps: closed when none of them is used
    any more."""

    def __init__(self, h5: Any, owns: Path | None) -> None:
        self.close = weakref.finalize(self, _discard, h5, owns)


class LazyArray(Generic[_Spec]):
    """A map or field of a run, read on demand: ``stored[i]`` is one frame, ``stored[a:b]`` several,
    as float32."""

    def __init__(self, dataset: Any, spec: _Spec, path: Path, handle: _Handle) -> None:
        self.spec: _Spec = spec
        self.shape: tuple[int, ...] = tuple(dataset.shape)
        """(N, h, w) of a map, (N, 2, h, w) of a field."""
        self._dataset = dataset
        self._handle = handle
        self._path = path

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows: int | slice) -> NDArray[np.float32]:
        """(h, w) or (2, h, w) for a row, (n, h, w) or (n, 2, h, w) for a slice.

        Raises:
            IndexError: there is no such row.
            StoreError: the file is damaged there, or the run was closed.
        """
        if not self._dataset:
            raise StoreError(f"{self._path} was closed: open it again to read {self.spec.name}")
        picked = self._pick(rows)
        with _reading(self._path, f"{self.spec.name}[{rows}]"):
            if isinstance(picked, int):
                return np.asarray(self._dataset[picked], np.float32)
            if not picked:
                return np.empty((0, *self.shape[1:]), np.float32)
            forward = picked if picked.step > 0 else picked[::-1]
            data = np.asarray(
                self._dataset[forward.start : forward.stop : forward.step], np.float32
            )
        return data if picked.step > 0 else data[::-1]

    def _pick(self, rows: int | slice) -> int | range:
        try:
            return range(len(self))[rows if isinstance(rows, slice) else operator.index(rows)]
        except IndexError as error:
            raise IndexError(
                f"{self.spec.name} has {len(self)} rows: there is no row {rows}"
            ) from error

    def __repr__(self) -> str:
        return f"LazyArray({self.spec.name}, {' x '.join(map(str, self.shape))}, {self.spec.unit})"


class Run:
    """One result, open for reading; scores and segments are in memory, maps and fields are read on
    demand.

    Args:
        path: an HDF5 file that vfiscope finished.
        owns: a temporary folder to remove when the run is closed or no longer used.

    Raises:
        StoreError: the path is missing, no HDF5 file, not from vfiscope, from a newer vfiscope,
        unfinished, or damaged.
    """

    def __init__(self, path: str | os.PathLike[str], *, owns: Path | None = None) -> None:
        self.path = Path(path)
        h5 = _open(self.path)
        self._handle = _Handle(h5, owns)
        try:
            _check_root(self.path, h5)
            with _reading(self.path, "the content"):
                self._load(h5)
        except StoreError:
            self.close()
            raise

    def _load(self, h5: Any) -> None:
        check_stored(self.path, h5)
        attrs = h5.attrs
        self.mode = str(attrs["mode"])
        self.created = str(attrs["created"])
        """ISO 8601, UTC."""
        self.complete = bool(attrs["complete"])
        self.status = str(attrs["status"])
        """ok or partial."""
        self.config: dict[str, Any] = json.loads(attrs["config"])
        self.sources: list[dict[str, Any]] = json.loads(attrs["sources"])
        self.versions: dict[str, str] = json.loads(attrs["versions"])
        self.pairing: dict[str, Any] = json.loads(attrs["pairing"])
        """How frames were paired: policy, numbers left over, and the summary of the map where there
        is one."""
        self.pairing_table: Pairing | None = read_pairing(h5)
        """The map that the scores were made through, row by row; None where they were paired
        without one."""
        self.timings: dict[str, Any] = json.loads(attrs["timings"])
        self.notes: list[str] = json.loads(attrs["notes"])
        """What makes the run partial, one sentence each."""
        self.warnings: list[str] = json.loads(attrs.get("warnings", "[]"))
        """What may make scores mean something else, one sentence each."""
        self.coded_notes: list[Note] = read_notes(attrs, "notes")
        """The notes as codes with values; empty in files of versions that did not store them."""
        self.coded_warnings: list[Note] = read_notes(attrs, "warnings")
        """The warnings as codes with values."""
        self.embedder: dict[str, Any] | None = (
            json.loads(attrs["embedder"]) if "embedder" in attrs else None
        )
        self.register: dict[str, Any] | None = (
            json.loads(attrs["register"]) if "register" in attrs else None
        )
        """How frames were registered: method, and the digest of its weights; None where they were
        taken as they are."""
        self.registration: Registrations | None = read_registrations(h5)
        """How each test frame lies on its partner, row by row; None where they were taken as they
        are."""
        self.frames = schema.drop_guessed_roles(schema.read_frames(h5), h5, self.config)
        self.names = read_names(h5)
        """The image file of each frame, relative to the folder that all share; empty for video and
        arrays."""
        self.scores: Mapping[str, NDArray[np.float32]] = MappingProxyType(
            {name: dataset[()] for name, dataset in h5["scores"].items()}
        )
        self.specs = {
            name: schema.read_metric(dataset, name) for name, dataset in h5["scores"].items()
        }
        """{metric: MetricSpec}"""
        self.maps: Mapping[str, LazyArray[MetricSpec]] = MappingProxyType(
            {
                name: self._stored(data, schema.read_metric(data, name))
                for name, data in h5["maps"].items()
            }
        )
        self.fields: Mapping[str, LazyArray[FieldSpec]] = MappingProxyType(
            {
                name: self._stored(data, schema.read_field(data, name))
                for name, data in h5["fields"].items()
            }
        )
        self.segments = read_table(h5, "segments", Segment)
        self.rules = read_rules(h5)
        """The user's rules that the segments were made with; the run was made with those of
        ``config["flag"]``."""
        self.regions = read_table(h5, "regions", Region)
        self._check_map(h5)
        check_values(self)

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
        return LazyArray(dataset, spec, self.path, self._handle)

    def _check_map(self, h5: Any) -> None:
        """Refuse scores that were made through another map than the stored one."""
        table = self.pairing_table
        if table is None:
            if "digest" in self.pairing:
                raise StoreError(
                    f"{self.path} was scored through a map, but /pairing is missing: make it again"
                )
        elif (
            h5["pairing"].attrs["digest"] != table.digest
            or (table.ref_index != self.frames.ref_index).any()
        ):
            raise StoreError(
                f"/pairing of {self.path} is not the map that its frames were scored through: make"
                " it again"
            )

    def __len__(self) -> int:
        return len(self.frames)

    @property
    def time_base(self) -> Fraction:
        """Seconds per unit of ``frames.pts``, exact."""
        return self.frames.time_base

    @property
    def role(self) -> str:
        """What headline numbers are about: "synthesised" where frames are told apart, else
        "all"."""
        return headline_role(self.frames)

    def rows(self, role: str | None = None) -> NDArray[np.bool_]:
        """(N,) mask of the frames of a role, as in ``run.scores["ssim"][run.rows("passed")]``.

        Args:
            role: "synthesised", "passed" or "all"; None for what headline numbers are about.

        Raises:
            UsageError: there is no such role.
        """
        return rows_of(self.frames, self.role if role is None else role)

    def moment(self, row: int) -> str | None:
        """When the photo of a row was taken, ISO 8601 in UTC; None where times are counted and no
        dates."""
        if self.config.get("time_from") is None:
            return None
        microseconds = round(int(self.frames.pts[row]) * self.time_base * 1_000_000)
        try:
            return (UNIX_EPOCH + timedelta(microseconds=microseconds)).isoformat()
        except OverflowError:  # no date that a calendar has
            return None

    def summary(self) -> dict[str, Any]:
        """The JSON summary: ``json.dumps(run.summary(), allow_nan=False)`` always works."""
        return summarize(self)

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


def _discard(h5: Any, owns: Path | None) -> None:
    h5.close()
    if owns is not None:
        shutil.rmtree(owns, ignore_errors=True)


def _open(path: Path) -> Any:
    if not os.path.isfile(path):
        raise StoreError(
            f"{path} is {'a folder' if os.path.isdir(path) else 'missing'}: name a result file"
        )
    try:
        # Unlocked: a finished result never changes, it is replaced as a whole.
        return h5py.File(path, "r", locking=False)
    except OSError as error:
        if isinstance(error, PermissionError):
            raise StoreError(f"{path} may not be read: ask for permission") from error
        raise StoreError(
            f"{path} is no HDF5 file, or a damaged one: name a result of vfiscope"
        ) from error


def _check_root(path: Path, h5: Any) -> None:
    with _reading(path, "the head"):
        name, version = h5.attrs.get("format"), h5.attrs.get("format_version")
        complete = h5.attrs.get("complete", False)
        if not isinstance(name, str) or name != schema.FORMAT or version is None:
            raise StoreError(
                f"{path} is an HDF5 file but not from vfiscope: name a result of vfiscope"
            )
        if int(version) > schema.FORMAT_VERSION:
            raise StoreError(
                f"{path} has format version {int(version)} and this vfiscope reads up to"
                f" {schema.FORMAT_VERSION}: upgrade vfiscope"
            )
        if not bool(complete):
            raise StoreError(f"{path} is unfinished: run the command that makes it again")


# --------------------------------------------------------------------------------------- comparison


def differences(a: str | os.PathLike[str], b: str | os.PathLike[str]) -> list[str]:
    """Where two HDF5 results differ, bit for bit: data, types, shapes, chunks, filters and
    attributes.

    Left out are ``created``, ``timings`` and the options that change nothing in a result (``out``,
    ``batch``, ...): of two runs on the same input nothing else may differ. NaNs are compared by
    their bits.

    Returns:
        One line for each difference, empty where there is none.

    Raises:
        StoreError: a file is missing or not HDF5.
    """
    with _open(Path(a)) as first, _open(Path(b)) as second:
        return list(_compare("/", first, second))


def _compare(name: str, a: Any, b: Any) -> Iterator[str]:
    ignored = {"created", "timings"} if name == "/" else set()
    for key in sorted({*a.attrs, *b.attrs} - ignored):
        one, two = (_attribute(item, key) for item in (a, b))
        if name == "/" and key == "config" and isinstance(one, str) and isinstance(two, str):
            yield from changes({"config": json.loads(one)}, {"config": json.loads(two)})
        elif one != two:
            yield f"{name}@{key}: {one} -> {two}"
    if isinstance(a, h5py.Group) and isinstance(b, h5py.Group):
        for key in sorted({*a, *b}):
            if key not in a or key not in b:
                yield f"{name}{key}: only in the {'first' if key in a else 'second'}"
            else:
                yield from _compare(
                    f"{name}{key}{'/' if isinstance(a[key], h5py.Group) else ''}", a[key], b[key]
                )
    elif isinstance(a, h5py.Dataset) and isinstance(b, h5py.Dataset):
        yield from _compare_data(name, a, b)
    else:
        yield f"{name}: {type(a).__name__} -> {type(b).__name__}"


def _attribute(item: Any, key: str) -> Any:
    if key not in item.attrs:
        return "(absent)"
    value = item.attrs[key]
    if isinstance(value, str):
        return value
    array = np.asarray(value)
    content = array.tolist() if array.dtype == object else array.tobytes()
    return (str(array.dtype), array.shape, content)


def _compare_data(name: str, a: Any, b: Any) -> Iterator[str]:
    properties = (
        "dtype",
        "shape",
        "chunks",
        "compression",
        "compression_opts",
        "shuffle",
        "fletcher32",
    )
    for key in properties:
        one, two = getattr(a, key), getattr(b, key)
        if one != two:
            yield f"{name}.{key}: {one} -> {two}"
    if a.shape != b.shape or a.dtype != b.dtype:
        return
    rows = [row for row in range(0, len(a), schema.CHUNK_ROWS) if not _same(a, b, row)]
    if rows:
        stops = [min(row + schema.CHUNK_ROWS, len(a)) for row in rows]
        where = ", ".join(f"{row}:{stop}" for row, stop in zip(rows, stops, strict=True))
        yield f"{name}: other values in rows {where}"


def _same(a: Any, b: Any, row: int) -> bool:
    one, two = (item[row : row + schema.CHUNK_ROWS] for item in (a, b))
    return bool(
        one.tolist() == two.tolist() if one.dtype == object else one.tobytes() == two.tobytes()
    )

"""The identity of the inputs of a run, changes to them while it ran, and software versions."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping
from functools import cache
from importlib.metadata import PackageNotFoundError, entry_points, version
from typing import Any

from vfiscope.errors import SourceError
from vfiscope.registry import ENTRY_POINTS
from vfiscope.sources import Source, digest, open_source
from vfiscope.types import Code, Note, SeekTable, sentence

__all__ = [
    "Stamp",
    "changed",
    "identity",
    "seek_tables",
    "stamp_files",
    "versions",
    "with_counts",
]

Stamp = Mapping[str, tuple[int, int]]
"""{file: (size in bytes, time of the last change in ns)}"""
PACKAGES = (
    "vfiscope",
    "av",
    "h5py",
    "kornia",
    "numba",
    "numpy",
    "opencv-python-headless",
    "timm",
    "torch",
)


def identity(role: str, source: Source) -> dict[str, Any]:
    """The facts about a source that a run stores, and compares before it resumes."""
    info = source.info
    return {
        "role": role,
        "path": info.path,
        "kind": info.kind,
        "size_bytes": info.size_bytes,
        "digest": digest(info),
        "width": info.width,
        "height": info.height,
        "bit_depth": info.bit_depth,
        "decoder": info.decoder,
        "color": dict(info.color),
        "frames_expected": info.frames_expected,
        **({} if source.crop is None else {"crop": list(source.crop)}),
        **({"times_from": info.times_from} if info.times_from else {}),
    }


def with_counts(stored: Mapping[str, Any], source: Source) -> dict[str, Any]:
    """A stored identity with the counts and notes from reading the source."""
    counts = source.counts
    return {
        **stored,
        "frames_decoded": counts.decoded,
        "frames_delivered": counts.delivered,
        "frames_corrupt": counts.corrupt,
        "frames_unreadable": counts.unreadable,
        "frames_undecodable": counts.undecodable,
        "frames_skipped": counts.skipped,
        "frames_lost": counts.lost,
        "frames_per_second": None if source.info.rate is None else str(source.info.rate),
        "frames_notes": [sentence(note) for note in source.info.notes],
        "frames_coded_notes": [note.to_dict() for note in source.info.notes],
    }


def stamp_files(source: Source) -> Stamp:
    """Size and time of the files of a source, a cheap check for changes while it is read; empty for
    arrays.

    The stamp of a file that cannot be accessed is (-1, -1).
    """
    info = source.info
    return (
        {} if info.kind == "array" else {file: _stat(file) for file in info.files or (info.path,)}
    )


def changed(source: Source, before: Stamp) -> list[Note]:
    """A note on changes to the files of a source since they were stamped; empty if none."""
    files = [file for file, old in before.items() if _stat(file) != old]
    listed = _listed(source) if source.info.kind == "images" and not files else None
    if listed is not None and listed != tuple(source.info.files):
        return [Note(Code.OTHER_FILES_THAN_BEFORE, {"path": source.info.path})]
    if not files:
        return []
    return [Note(Code.FILES_CHANGED, {"file": files[0], "others": len(files) - 1})]


def _stat(file: str) -> tuple[int, int]:
    try:
        found = os.stat(file)
    except OSError:
        return -1, -1
    return found.st_size, found.st_mtime_ns


def _listed(source: Source) -> tuple[str, ...]:
    try:
        stop = len(source.info.files) if source.info.unread else None
        moved = any(note.code == Code.READ_BY_TIME for note in source.info.notes)
        how: Any = source.info.times_from if moved else "fps"
        with open_source(source.info.path, stop=stop, time_from=how) as again:
            return tuple(again.info.files)
    except SourceError:
        return ()


def versions() -> dict[str, str]:
    """{package: version} of the packages that a score may depend on, with those that add to
    vfiscope's tables."""
    return dict(_versions())


@cache
def _versions() -> Mapping[str, str]:
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "unknown"
    packages = {point.dist for point in entry_points(group=ENTRY_POINTS) if point.dist is not None}
    return found | {package.name: package.version for package in packages}


def seek_tables(sources: Mapping[str, Source]) -> dict[str, SeekTable]:
    """{role: its seek table}, for the videos."""
    noted = {role: source.seek_table for role, source in sources.items()}
    return {role: table for role, table in noted.items() if table is not None}

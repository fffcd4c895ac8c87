"""Add or replace the tables of a stage in a finished run without copying the file.

HDF5 makes the change in memory, on an :class:`~vfiscope.store.overlay.Overlay`: a few pages,
however large the file is. They are then written in place, guarded by :mod:`vfiscope.store.undo`, so
that a kill at any moment leaves either the old tables or the new ones.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as installed
from pathlib import Path
from typing import Any

import h5py

from vfiscope.errors import StoreError
from vfiscope.store.merge import check_stage, run_in_thread
from vfiscope.store.overlay import Overlay
from vfiscope.store.parts import Folder, absolute
from vfiscope.store.run import Run
from vfiscope.store.stage_tables import StageResult, Table, write_stage
from vfiscope.store.undo import apply

__all__ = ["amend"]


def amend(
    path: str | os.PathLike[str],
    stage: str,
    version: int,
    parameters: Mapping[str, Any],
    tables: Mapping[str, Table],
    *,
    created: str | None = None,
) -> None:
    """Store the tables of a stage in a finished run, in place of those that it made before.

    A kill at any moment leaves either all old tables or all new ones; nothing else in the run
    changes. The file is changed in place, so its hard links see the change too.

    Args:
        path: a finished run.
        stage: name of the stage.
        version: version of the stage.
        parameters: its parameters; JSON-able.
        tables: {table: its rows}.
        created: when the run was made from which the tables were computed; None where that cannot
            have changed.

    Raises:
        LockedError: another process is writing the same run.
        DiskFullError: the tables do not fit; the run is as it was.
        StoreError: there is no readable run, another run has taken its place, it or its folder
            cannot be written, or a table cannot be stored.
    """
    out = absolute(path)
    with Run(out):
        pass  # refuses a file that is not a result before a lock is taken
    result = StageResult(stage, version, parameters, tables)
    folder = Folder(out)
    folder.acquire()
    try:
        run_in_thread(lambda stop: _amend(out, folder.undo, result, created))
    finally:
        folder.leave()


def _amend(out: Path, undo: Path, result: StageResult, created: str | None) -> None:
    overlay = Overlay(out)
    try:
        with h5py.File(overlay, "r+") as h5:
            if created is not None and h5.attrs["created"] != created:
                raise StoreError(
                    f"{out} was made anew while {result.stage} was computed from it: ask it again"
                )
            write_stage(h5, result, datetime.now(UTC).isoformat(), _version())
            check_stage(out, h5, result)
        apply(out, undo, overlay)
    finally:
        overlay.close()


def _version() -> str:
    try:
        return installed("vfiscope")
    except PackageNotFoundError:
        return "unknown"

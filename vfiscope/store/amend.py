"""Add or replace the tables of a stage in a finished run without copying the file.

HDF5 makes the change in memory, on an :class:`~vfiscope.store.overlay.Overlay`: a few pages,
however large the file is. They are then written in place, guarded by :mod:`vfiscope.store.undo`, so
that a kill at any moment leaves either the old tables or the new ones.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as installed
from pathlib import Path
from typing import Any

import h5py

from vfiscope.errors import StoreError
from vfiscope.files import absolute
from vfiscope.store.members import attribute
from vfiscope.store.merge import check_stage, run_in_thread
from vfiscope.store.opening import check_root, opened, settled
from vfiscope.store.overlay import Overlay
from vfiscope.store.parts import Folder
from vfiscope.store.run import Run
from vfiscope.store.stage_tables import StageResult, Table, read_stages, write_stage
from vfiscope.store.stored_json import to_json
from vfiscope.store.text import plain
from vfiscope.store.undo import apply

__all__ = ["amend"]


def amend(
    path: str | os.PathLike[str],
    stage: str,
    version: int,
    parameters: Mapping[str, Any],
    tables: Mapping[str, Table],
    *,
    facts: Mapping[str, Any] | None = None,
    since: Run | None = None,
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
        facts: what else the tables depend on; JSON-able.
        since: the run as it was when this was begun; it is refused if it was made anew since then,
            or the stage was asked with other parameters, which would be lost. None where that
            cannot be.

    Raises:
        LockedError: another process is writing the same run.
        DiskFullError: the tables do not fit; the run is as it was.
        StoreError: there is no readable run, it has changed, it or its folder cannot be written, or
            a table cannot be stored.
    """
    out = absolute(path)
    # refuses a file that is not a result before a lock is taken; where it was read, its head tells
    if since is None:
        with Run(out):
            pass
    else:
        settled(out, partial(_check_head, out))
    result = StageResult(stage, version, parameters, tables, facts or {})
    folder = Folder(out)
    folder.acquire()
    try:
        run_in_thread(lambda stop: _amend(out, folder.undo, result, since))
    finally:
        folder.leave()


def _check_head(out: Path) -> None:
    with opened(out) as h5:
        check_root(out, h5)


def _amend(out: Path, undo: Path, result: StageResult, since: Run | None) -> None:
    overlay = Overlay(out)
    try:
        with h5py.File(overlay, "r+") as h5:
            if since is not None:
                _check_unchanged(out, h5, result, since)
            write_stage(h5, result, datetime.now(UTC).isoformat(), _version())
            check_stage(out, h5, result)
        apply(out, undo, overlay)
    finally:
        overlay.close()


def _check_unchanged(out: Path, h5: Any, result: StageResult, since: Run) -> None:
    if attribute(h5.attrs, "created") != since.created:
        raise StoreError(
            f"{out} was made anew while {result.stage} was computed from it: ask it again"
        )
    now, then = read_stages(h5).get(result.stage), since.stages.get(result.stage)
    if now != then and (now is None or now.parameters != plain(result.parameters)):
        asked = None if now is None else to_json("parameters", now.parameters)
        raise StoreError(
            f"{out}: {result.stage} was asked with other parameters ({asked}) at the same time,"
            " and these are kept: ask again to replace them"
        )


def _version() -> str:
    try:
        return installed("vfiscope")
    except PackageNotFoundError:
        return "unknown"

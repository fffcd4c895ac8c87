"""Reports of the pairs of a stored run."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from vfiscope.compat.region_reports.pair_report import PairReport
from vfiscope.compat.region_reports.schemas import REPORTS, write_report
from vfiscope.errors import UsageError
from vfiscope.scoring.region_marks import SoughtPair, WatchRows, sought_pairs
from vfiscope.store import Run

__all__ = ["write_reports"]


def write_reports(
    run: Run,
    schema: str,
    out: str | os.PathLike[str],
    *,
    root: str | os.PathLike[str] | None = None,
    watch: WatchRows | None = None,
    overwrite: bool = False,
) -> Iterator[Path]:
    """Write a report in the JSON of another system for each pair in which regions were found; of a
    single pair, also where none were.

    Args:
        run: a finished run with regions.
        schema: one of :data:`~vfiscope.compat.region_reports.REPORTS`.
        out: a file, for a run of one pair; else a folder, which gets ``<run>-<frame>.json``.
        root: a folder that the inputs lie in now, for inputs that were moved.
        watch: wraps the rows that are read again.
        overwrite: replace reports that exist.

    Returns:
        The paths, as they are written.

    Raises:
        UsageError: there is no such schema, no regions were sought, or a file is to hold the
            reports of several pairs.
        SourceError: an input is not there any more, has changed, or was an array in memory.
        OutputExistsError: a report exists, and overwriting was not asked for.
    """
    REPORTS.named(schema)
    single = Path(out).suffix == ".json"
    if single and len(run.answers) > 1:
        raise UsageError(
            f"{run.path} has {len(run.answers)} pairs, and a report of {schema} is of one: pass a"
            f" folder instead of {out}"
        )
    for pair in sought_pairs(run, root=root, watch=watch):
        path = Path(out)
        if not single:
            path.mkdir(parents=True, exist_ok=True)
            path /= f"{run.path.stem}-{int(run.frames.index[pair.compared.row]):06}.json"
        write_report(_report(run, pair), schema, path, overwrite=overwrite)
        yield path


def _report(run: Run, pair: SoughtPair) -> PairReport:
    made: dict[str, Any] = dict(run.stages["regions"].parameters)
    others = [str(each["path"]) for each in run.sources if each["role"] != "test"]
    moved = pair.found.pair.registration
    return PairReport(
        pair.found.regions,
        pair.found.answer,
        pair.found.pair.test,
        pair.found.pair.ref,
        test_path=_path(run, pair.compared.row),
        ref_path=others[0] if others else "",
        method=str(made["method"]),
        sensitivity=made["sensitivity"],
        matches=0 if moved is None else moved.inliers,
        flagged=pair.found.cut.mask,
    )


def _path(run: Run, row: int) -> str:
    """The video, or the image of a folder, that a test frame is from."""
    path = Path(str(run.sources[0]["path"]))
    return str(path / run.names[row] if run.names and path.is_dir() else path)

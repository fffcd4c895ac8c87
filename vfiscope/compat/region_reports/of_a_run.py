"""Reports of the pairs of a stored run."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from vfiscope.compat.region_reports.pair_report import PairReport
from vfiscope.compat.region_reports.schemas import REPORTS, write_report
from vfiscope.errors import UsageError
from vfiscope.scoring.region_marks import SoughtPair
from vfiscope.store import Run
from vfiscope.types import Code, Note

__all__ = ["check_report", "other_method", "report_pair"]


def check_report(run: Run, schema: str, out: str | os.PathLike[str]) -> None:
    """Refuse reports that cannot be written, before anything is read.

    Args:
        run: a finished run with regions.
        schema: one of :data:`~vfiscope.compat.region_reports.REPORTS`.
        out: a .json file for a run of one pair; anything else is a folder.

    Raises:
        UsageError: there is no such schema, or a file is to hold the reports of several pairs.
    """
    REPORTS.named(schema)
    if _is_file(out) and len(run.answers) > 1:
        raise UsageError(
            f"{run.path} has {len(run.answers)} pairs, and a report of {schema} is of one: pass a"
            f" folder instead of {out}"
        )


def other_method(run: Run, schema: str | None) -> Iterator[Note]:
    """A note where the regions of a run are not by a method of the system that a report is for; its
    keys then hold other values than that system's, or none. None without a report."""
    methods = () if schema is None else REPORTS.named(schema).methods
    method = run.stages["regions"].parameters["method"]
    if not methods or method in methods:
        return
    own = next(iter(methods))
    values = {"schema": schema, "method": method, "run": str(run.path), "own": own}
    yield Note(Code.REPORT_OF_OTHER_METHOD, values)


def report_pair(
    run: Run,
    pair: SoughtPair,
    schema: str,
    out: str | os.PathLike[str],
    *,
    overwrite: bool = False,
) -> Path:
    """Write the report on a pair in the JSON of another system, and return its path.

    Args:
        run: the run of the pair.
        pair: as found in it.
        schema: one of :data:`~vfiscope.compat.region_reports.REPORTS`.
        out: a .json file, or a folder, which gets ``<run>-<frame>.json``.
        overwrite: replace a report that exists.

    Raises:
        UsageError: there is no such schema.
        OutputExistsError: the report exists, and overwriting was not asked for.
        StoreError: it cannot be written, or the mask of a region cannot be read.
    """
    path = Path(out)
    if not _is_file(out):
        path.mkdir(parents=True, exist_ok=True)
        path /= f"{pair.stem}.json"
    return write_report(_report(run, pair), schema, path, overwrite=overwrite)


def _is_file(out: str | os.PathLike[str]) -> bool:
    return Path(out).suffix.lower() == ".json"


def _report(run: Run, pair: SoughtPair) -> PairReport:
    made: dict[str, Any] = dict(run.stages["regions"].parameters)
    moved = pair.found.pair.registration
    return PairReport(
        pair.found.regions,
        pair.found.answer,
        pair.found.pair.test,
        pair.found.pair.ref,
        test_path=pair.compared.test.path,
        ref_path=_reference(pair),
        method=str(made["method"]),
        sensitivity=made["sensitivity"],
        matches=0 if moved is None else moved.inliers,
        flagged=pair.found.cut.mask,
    )


def _reference(pair: SoughtPair) -> str:
    partner = pair.compared.partner or pair.compared.before
    return "" if partner is None else partner.path

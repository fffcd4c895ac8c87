"""The results of a batch: the entry of each job, and the files that hold them all."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vfiscope.batch.means import means_of
from vfiscope.compat.keys import pair_keys
from vfiscope.errors import UsageError
from vfiscope.files import disk_errors, replacing
from vfiscope.printable import CsvRows
from vfiscope.views.labelled import METHODS_FILE, RESULTS

if TYPE_CHECKING:
    from vfiscope.batch.job_file import Job

__all__ = ["FILES", "RESULTS", "SUMMARY_CSV", "check_no_link", "not_done", "recorded"]

SUMMARY_COLUMNS = (
    *("id", "label", "mode", "state", "error", "role", "frames", "scored", "segments"),
    *("answer", "regions"),
)
SUMMARY_CSV = "summary.csv"
RESULTS_SO_FAR = "results.jsonl"
"""A line for each job that has ended, while the batch runs."""
MEANS = "means.json"
FILES = (RESULTS, RESULTS_SO_FAR, SUMMARY_CSV, MEANS, METHODS_FILE)
"""The files in a batch folder that hold the results of all jobs."""


def not_done(job: Job) -> dict[str, Any]:
    """The result of a job before it has run; it has the keys of every result."""
    return {
        "id": job.id,
        "label": job.label,
        "mode": job.mode,
        "test": job.options.get("test"),
        "ref": job.options.get("ref"),
        "source": job.options.get("source"),
        "out": None,
        "state": "failed",
        "skipped": False,
        "flagged_again": False,
        "marked_again": False,
        "error": None,
        "failed_on": [],
        "failures": {},
        "timings": None,
        "summary": None,
        **pair_keys(job.options),
    }


@contextmanager
def recorded(folder: Path) -> Iterator[Callable[[Mapping[str, Any]], None]]:
    """A function that takes the result of each job as it ends and appends it to ``results.jsonl``,
    which costs the same for the last of many jobs as for the first.

    At the end, or where the batch stops, ``results.json``, ``summary.csv`` and ``means.json`` are
    written as a whole and ``results.jsonl`` is removed; where the process is killed, that file
    remains.

    Raises:
        UsageError: one of these files is a link.
        DiskFullError, StoreError: a file cannot be written.
    """
    check_no_link((folder / name for name in FILES), "pass another -o")
    so_far = folder / RESULTS_SO_FAR
    results: list[Mapping[str, Any]] = []
    with disk_errors(so_far):
        so_far.unlink(missing_ok=True)
        so_far.touch()

    def record(result: Mapping[str, Any]) -> None:
        results.append(result)
        with disk_errors(so_far), open(so_far, "a", encoding="utf-8") as file:
            file.write(json.dumps(result, allow_nan=False) + "\n")

    try:
        yield record
    finally:
        _write_json(folder / RESULTS, results)
        _write_json(folder / MEANS, means_of(results))
        _write_summary(folder / SUMMARY_CSV, results)
        so_far.unlink(missing_ok=True)


def check_no_link(paths: Iterable[Path], remedy: str) -> None:
    """Refuse links where a batch is about to write: they may lead to any file of the user.

    Raises:
        UsageError: one is a link.
    """
    if there := next((path for path in paths if os.path.islink(path)), None):
        raise UsageError(
            f"{there} is a link to elsewhere, and a batch writes into its own folder: remove the"
            f" link, or {remedy}"
        )


def _write_json(path: Path, value: Any) -> None:
    with replacing(path, overwrite=True) as temporary:
        temporary.write_text(json.dumps(value, indent=2, allow_nan=False) + "\n", encoding="utf-8")


def _write_summary(path: Path, results: Sequence[Mapping[str, Any]]) -> None:
    """A row for each job: means over the frames of its role, and over passed frames where these are
    known."""
    rows = [_summary_row(result) for result in results]
    means = sorted({name for row in rows for name in row} - {*SUMMARY_COLUMNS})
    with (
        replacing(path, overwrite=True) as temporary,
        open(temporary, "w", newline="", encoding="utf-8") as file,
    ):
        columns = [*SUMMARY_COLUMNS, *means]
        CsvRows(file, end="\r\n").write([columns, *([row.get(c) for c in columns] for row in rows)])


def _summary_row(result: Mapping[str, Any]) -> dict[str, Any]:
    row = {key: result[key] for key in ("id", "label", "mode", "state", "error")}
    if (summary := result["summary"]) is None:
        return row
    role, roles, segments = summary["role"], summary["roles"], summary["segments"]
    defined = max((pooled["defined"] for pooled in summary["metrics"].values()), default=0)
    row |= {"role": role, "frames": defined, "scored": summary["frames"]["scored"]}
    row |= {"segments": sum(segment["role"] != "passed" for segment in segments)}
    if changes := summary.get("changes"):
        row |= {"answer": changes["answer"], "regions": summary["regions"]}
    parts = {"": summary["metrics"], "passed_": roles["passed"]["metrics"] if roles else {}}
    for prefix, metrics in parts.items():
        for name, pooled in metrics.items():
            row |= {
                f"{name}_{prefix}{key}": pooled[key]
                for key in ("mean", "mean_abs")
                if key in pooled
            }
    return row

"""Reading a list of jobs from a .json, .jsonl or .csv file."""

from __future__ import annotations

import csv
import io
import json
import os
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vfiscope.compat.keys import LISTS, option_of, rows_of
from vfiscope.documents import MAX_JOBS, DocumentError, json_of, read_text
from vfiscope.errors import UsageError
from vfiscope.options import RunConfig, declared
from vfiscope.scoring.inputs import golden_index
from vfiscope.sources import is_address

__all__ = ["Job", "jobs_of", "read_jobs"]

EXAMPLE = '{"test": "a.png", "ref": "b.png"}'


@dataclass(frozen=True)
class Job:
    """One row of a job file."""

    id: str
    label: str
    mode: str
    options: Mapping[str, Any]
    """Options of ``RunConfig`` with full paths."""
    fault: str | None = None
    """Why it cannot be run, if its row is not a job."""

    def configure(self, out: Path) -> RunConfig:
        """The configuration of the job, with ``out`` as its result file.

        Raises:
            UsageError: the row is not a job, sets ``out`` itself, or has an invalid option.
        """
        if self.fault is not None:
            raise UsageError(self.fault)
        if self.options.get("out") is not None:
            raise UsageError(
                f"out is {self.options['out']!r}, but a batch writes {out.name} into its own"
                " folder: leave it out"
            )
        return RunConfig.from_options(self.mode, {**typed(self.options), "out": str(out)})


def read_jobs(path: str | os.PathLike[str]) -> list[Job]:
    """Read a job file.

    ``.json`` holds a list of objects or an object with the key ``pairs`` or ``jobs``; ``.jsonl``
    one object per line; ``.csv`` a header and one row per job, where an empty cell leaves an option
    out. Paths are relative to the job file. A job without an ``id`` is called ``pair_001``,
    ``pair_002`` ... by its position. An empty list has no jobs.

    Raises:
        UsageError: the file cannot be read, holds no list of jobs, or two jobs share an id.
    """
    path = Path(path)
    rows = _read_rows(path)
    if len(rows) > MAX_JOBS:
        raise UsageError(f"{path} holds {len(rows)} jobs, more than {MAX_JOBS}: split it")
    try:
        return jobs_of(rows, path.resolve().parent)
    except UsageError as error:
        raise UsageError(f"{path}: {error}") from error


def jobs_of(rows: Iterable[Any], base: Path) -> list[Job]:
    """The jobs of the rows of a job file, with paths relative to a folder.

    Raises:
        UsageError: two jobs share an id, or an id cannot be printed.
    """
    jobs = [_job(row, number, base) for number, row in enumerate(rows, start=1)]
    seen: set[str] = set()
    for job in jobs:
        if job.id in seen:
            raise UsageError(f"two jobs have the id {job.id!r}: give each its own")
        seen.add(job.id)
    return jobs


def typed(options: Mapping[str, Any]) -> dict[str, Any]:
    """Options with the texts of .csv cells converted to the declared types.

    Raises:
        UsageError: a cell does not hold the number, or the true or false, that is declared.
    """
    known = declared()
    return {
        name: told.of_text(value) if isinstance(value, str) and (told := known.get(name)) else value
        for name, value in options.items()
    }


def _read_rows(path: Path) -> list[Any]:
    readers = {".json": _rows_of_json, ".jsonl": _rows_of_jsonl, ".csv": _rows_of_csv}
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise UsageError(f"{path} is not a job file: pass a .json, .jsonl or .csv file")
    try:
        return reader(read_text(path))
    except OSError as error:
        raise UsageError(
            f"cannot read {path}: {error.strerror}: check the name of the job file"
        ) from error
    except (DocumentError, csv.Error) as error:
        raise UsageError(
            f"{path} is not a valid {path.suffix} file ({error}): fix the file"
        ) from error


def _rows_of_json(text: str) -> list[Any]:
    value = rows_of(json_of(text))
    if not isinstance(value, list):
        keys = " or ".join(f'"{key}"' for key in LISTS)
        raise UsageError(f"a job file holds a list of objects, or an object with the key {keys}")
    return value


def _rows_of_jsonl(text: str) -> list[Any]:
    lines = enumerate(text.split("\n"))
    return [json_of(line, number) for number, line in lines if line.strip()]


def _rows_of_csv(text: str) -> list[Any]:
    reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    (name, times), *_ = Counter(reader.fieldnames or ("",)).most_common(1)
    if times > 1:
        raise UsageError(f"two columns of the job file are called {name!r}: leave one out")
    if times == 1 and len(reader.fieldnames or ()) == 1 and any(mark in name for mark in ";\t"):
        raise UsageError(f"the header of the job file is {name!r}: separate columns by commas")
    rows = list(reader)
    for number, row in enumerate(rows, start=2):
        if None in row:
            raise UsageError(
                f"row {number} of the job file has more cells than the header: quote cells with"
                " commas"
            )
    return [{key: value for key, value in row.items() if value} for row in rows]


def _job(row: Any, number: int, base: Path) -> Job:
    named = {"id": f"pair_{number:03d}", "label": "", "mode": "compare"}
    fault = _not_an_object(row, number) or _twice(row) or _no_text(row, named)
    if fault is not None:
        return Job(**named, options={}, fault=fault)
    options = {option_of(key): value for key, value in row.items() if value is not None}
    identity, label, mode = (str(options.pop(key, usual)) for key, usual in named.items())
    if not (identity + label).isprintable():
        raise UsageError(
            f"job {number} has the id {identity!r} and the label {label!r}: use printable"
            " characters"
        )
    return Job(identity, label, mode, _with_full_paths(options, base))


def _not_an_object(row: Any, number: int) -> str | None:
    if isinstance(row, Mapping):
        return None
    return f"entry {number} of the job list is {json.dumps(row)}: pass an object, as {EXAMPLE}"


def _twice(row: Mapping[str, Any]) -> str | None:
    """What is wrong with an entry in which two keys mean the same option."""
    found: dict[str, str] = {}
    for key in row:
        option = option_of(key)
        if option in found:
            return f"{found[option]!r} and {key!r} mean the same, {option}: leave one of them out"
        found[option] = key
    return None


def _no_text(row: Mapping[str, Any], keys: Iterable[str]) -> str | None:
    """What is wrong with an entry whose id, label or mode is neither a text nor a number."""
    for key in keys:
        if key in row and (isinstance(row[key], bool) or not isinstance(row[key], (str, int))):
            return f"{key} is {json.dumps(row[key])}: pass a text, or leave {key} out"
    return None


def _with_full_paths(options: Mapping[str, Any], base: Path) -> dict[str, Any]:
    """Options with file names resolved against the folder of the job file."""
    files = {name for name, told in declared().items() if told.option.file and name != "out"}
    return {
        name: str(base / value) if name in files and _is_path(name, value) else value
        for name, value in options.items()
    }


def _is_path(name: str, value: Any) -> bool:
    """True for a file name; False for the number of a golden frame, or for a URL, which is refused
    later with its own message."""
    number = name == "golden" and golden_index(value) is not None
    return isinstance(value, str) and not number and not is_address(value)

"""Many jobs from one file: a table of configurations, nothing new in the core."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vfiscope.compat.draw import PAIR_FILES
from vfiscope.compat.folder import check_folder
from vfiscope.config import RunConfig
from vfiscope.errors import UsageError, VfiscopeError
from vfiscope.files import bytes_digest, replacing
from vfiscope.scoring.inputs import golden_index
from vfiscope.segments import failures, parse_rule, reflag_if_rules_differ
from vfiscope.sources import is_address
from vfiscope.store import Run
from vfiscope.views.labelled import METHODS_FILE, RESULTS

__all__ = ["RESULTS", "SUMMARY_CSV", "Job", "read_jobs", "run_jobs"]

ALIASES = {"image_a": "ref", "ref_img": "ref", "image_b": "test", "dist_img": "test"}
PATHS = ("test", "ref", "source", "golden", "weights", "register_weights")
EXAMPLE = '{"test": "a.png", "ref": "b.png"}'
WHOLE = ("lag", "batch", "prefetch", "step", "size", "window", "stream")
TRUTHS = {"true": True, "false": False}
SUMMARY_COLUMNS = ("id", "label", "mode", "state", "error", "role", "frames", "scored", "segments")
SUMMARY_CSV = "summary.csv"
"""Files that hold the results of all jobs."""
PICTURED = "summary.json"


@dataclass(frozen=True)
class Job:
    """One row of a job file."""

    id: str
    label: str
    mode: str
    options: Mapping[str, Any]
    """Options of ``RunConfig`` with full paths."""
    fault: str | None = None
    """Why it cannot be run, where its row is no job at all."""


def read_jobs(path: str | Path) -> list[Job]:
    """Read a job file.

    ``.json`` holds a list of objects or an object with the key ``pairs`` or ``jobs``; ``.jsonl``
    one object a line; ``.csv`` a header and one row a job, empty cells left out. Paths are relative
    to the job file. A job without an ``id`` is called ``pair_001``, ``pair_002`` ... by its place.

    Raises:
        UsageError: the file cannot be read, holds no jobs, or two jobs share an id.
    """
    path = Path(path)
    rows = _read_rows(path)
    jobs = [_job(row, number, path.resolve().parent) for number, row in enumerate(rows, start=1)]
    if not jobs:
        raise UsageError(f"{path} holds no jobs: give at least one object with test and ref")
    seen: set[str] = set()
    for job in jobs:
        if job.id in seen:
            raise UsageError(f"{path}: two jobs have the id {job.id!r}: give each its own")
        seen.add(job.id)
    return jobs


def run_jobs(
    jobs: Sequence[Job],
    out: str | Path,
    *,
    fail_on: Sequence[str] = (),
    visualize: bool = False,
    resume: bool = True,
) -> Iterator[dict[str, Any]]:
    """Run jobs one after the other and yield the result of each as it ends.

    A job whose file ``DIR/<id>.h5`` was made with the same inputs and settings is not run again.
    After every job ``DIR/results.json`` and ``DIR/summary.csv`` hold all results so far. In
    ``summary.csv``, ``role`` says which ``frames`` the means are about (synthesised ones where
    these are told apart, else all): ``psnr_mean``, of signed metrics also ``midpoint_px_mean_abs``;
    those of frames passed through are ``psnr_passed_mean``.

    A result has the keys ``id``, ``label``, ``mode``, ``test``, ``ref``, ``out``, ``state`` (ok,
    partial, failed), ``skipped`` (whether it was done before), ``error``, ``failed_on`` (rules),
    ``failures`` ({rule: by what it is met}) and ``summary``. For readers of VFI-Similarity's
    results it also has ``image_a`` (file name of the reference), ``image_b`` (of the test),
    ``cosine_distance`` (the mean over the frames of the role), ``cosine_similarity`` and
    ``embedding_dim``, None where there is no cosine, and with ``visualize`` the keys of
    ``summary.json``.

    Args:
        jobs: what to run.
        out: the folder.
        fail_on: rules for every job.
        visualize: draw the pair of every compare job into ``DIR/<id>/`` (see
            :mod:`vfiscope.compat.pictures`).
        resume: go on with unfinished work; otherwise, or where a job itself says so, discard it.

    Raises:
        UsageError: the folder cannot be made, or a rule cannot be read.
    """
    for rule in fail_on:
        parse_rule(rule)
    folder = Path(out)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(
            f"cannot make the folder {folder}: {error.strerror}: give another -o"
        ) from error
    results: list[dict[str, Any]] = []
    for job in jobs:
        results.append(_run_job(job, folder, fail_on, visualize, resume))
        _write_json(folder / RESULTS, results)
        _write_summary(folder / SUMMARY_CSV, results)
        yield results[-1]


def _read_rows(path: Path) -> list[Any]:
    readers = {".json": _rows_of_json, ".jsonl": _rows_of_jsonl, ".csv": _rows_of_csv}
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise UsageError(f"{path} is no job file: give a .json, .jsonl or .csv file")
    try:
        return reader(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise UsageError(
            f"cannot read {path}: {error.strerror}: check the name of the job file"
        ) from error
    except (ValueError, csv.Error) as error:  # numbers of thousands of digits too
        raise UsageError(
            f"{path} is no valid {path.suffix} file ({error}): mend it there"
        ) from error


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no value of JSON")


def _rows_of_json(text: str) -> list[Any]:
    value = json.loads(text, parse_constant=_refuse)
    if isinstance(value, dict):
        value = value.get("pairs", value.get("jobs"))
    if not isinstance(value, list):
        raise UsageError(
            'a job file holds a list of objects, or an object with the key "pairs" or "jobs"'
        )
    return value


def _rows_of_jsonl(text: str) -> list[Any]:
    rows, begin = [], 0
    for line in text.split("\n"):
        try:
            rows += [json.loads(line, parse_constant=_refuse)] if line.strip() else []
        except json.JSONDecodeError as error:
            raise json.JSONDecodeError(
                error.msg, text, begin + error.pos
            ) from error  # its place in the whole file
        begin += len(line) + 1
    return rows


def _rows_of_csv(text: str) -> list[Any]:
    rows = list(csv.DictReader(io.StringIO(text, newline=""), strict=True))
    for number, row in enumerate(rows, start=2):
        if None in row:
            raise UsageError(
                f"row {number} of the job file has more cells than the header: quote cells with"
                " commas"
            )
    return [{key: value for key, value in row.items() if value} for row in rows]


def _job(row: Any, number: int, base: Path) -> Job:
    if not isinstance(row, dict):
        fault = f"entry {number} of the job list is {json.dumps(row)}: give an object, as {EXAMPLE}"
        return Job(f"pair_{number:03d}", "", "compare", {}, fault)
    given: Mapping[str, Any] = row
    options = {ALIASES.get(key, key): value for key, value in given.items()}
    identity = str(options.pop("id", f"pair_{number:03d}"))
    label = str(options.pop("label", ""))
    mode = str(options.pop("mode", "compare"))
    if not (identity + label).isprintable():
        raise UsageError(
            f"job {number} has the id {identity!r} and the label {label!r}: use printable"
            " characters"
        )
    for key in PATHS:
        value = options.get(key)
        number = key == "golden" and golden_index(value) is not None
        if isinstance(value, str) and not number and not is_address(value):
            options[key] = str(base / value)
    return Job(identity, label, mode, options)


def _run_job(
    job: Job, folder: Path, fail_on: Sequence[str], visualize: bool, resume: bool
) -> dict[str, Any]:
    result: dict[str, Any] = {
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
        "error": None,
        "failed_on": [],
        "failures": {},
        "summary": None,
        **_flat(job),
    }
    try:
        config = _config(job, folder, fail_on, resume)
        from vfiscope.scoring import pipeline

        if visualize and job.mode == "compare":
            check_folder(config.replace(overwrite=True), folder / job.id)
        skipped = pipeline.is_done(config)
        flagged_again = skipped and reflag_if_rules_differ(str(config.out), config.flag)
        with (
            Run(str(config.out)) if skipped else pipeline.run(config.replace(overwrite=True))
        ) as run:
            summary = run.summary()
            met = failures(config.fail_on, run.frames, run.scores, run.specs)
            flat = _flat(job, run)
            identity = _identity(run)
        drawn = (
            _draw(config, folder / job.id, identity) if visualize and job.mode == "compare" else {}
        )
    except (VfiscopeError, OSError, MemoryError) as error:
        return {**result, "error": " ".join(str(error).split())}
    done = {
        "out": str(config.out),
        "state": summary["status"],
        "skipped": skipped,
        "flagged_again": flagged_again,
    }
    return {
        **result,
        **flat,
        **drawn,
        **done,
        "failed_on": list(met),
        "failures": met,
        "summary": summary,
    }


def _flat(job: Job, run: Run | None = None) -> dict[str, Any]:
    """The keys of a result of VFI-Similarity."""
    ref, test = (job.options.get(role) for role in ("ref", "test"))
    distance = None if run is None else run.summary()["metrics"].get("cosine", {}).get("mean")
    return {
        "image_a": Path(ref).name if isinstance(ref, str) else None,
        "image_b": Path(test).name if isinstance(test, str) else None,
        "cosine_similarity": None if distance is None else 1 - distance,
        "cosine_distance": distance,
        "embedding_dim": None if run is None or run.embedder is None else run.embedder["dim"],
    }


def _identity(run: Run) -> str:
    """A digest of all that a run was made from: inputs, settings and versions."""
    text = json.dumps(run.header.to_dict(), sort_keys=True)
    return f"sha256:{bytes_digest(text.encode())}"


def _draw(config: RunConfig, folder: Path, identity: str) -> dict[str, Any]:
    """Draw the pair, unless the folder holds the pictures of this very run; what ``summary.json``
    holds."""
    found = _read_object(folder / PICTURED)
    if found.get("run") == identity and all((folder / name).is_file() for name in PAIR_FILES):
        return found
    from vfiscope.compat.pictures import visualize as draw

    return draw(config.replace(overwrite=True), folder, run=identity)


def _read_object(path: Path) -> dict[str, Any]:
    """The object in a .json file; empty where there is none, or the file is damaged."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _config(job: Job, folder: Path, fail_on: Sequence[str], resume: bool) -> RunConfig:
    if job.fault is not None:
        raise UsageError(job.fault)
    if (
        "/" in job.id
        or "\\" in job.id
        or job.id in ("", ".", "..", RESULTS, SUMMARY_CSV, METHODS_FILE)
    ):
        raise UsageError(f"the id {job.id!r} cannot be a file name: leave out slashes")
    if job.options.get("out") is not None:
        raise UsageError(
            f"out is {job.options['out']!r}, but a batch writes {job.id}.h5 into its own folder:"
            " leave it out"
        )
    options = {**_typed(job.options), "out": str(folder.resolve() / f"{job.id}.h5")}
    config = RunConfig.from_options(job.mode, options)
    return config.replace(fail_on=(*fail_on, *config.fail_on), resume=resume and config.resume)


def _typed(options: Mapping[str, Any]) -> dict[str, Any]:
    """Options with the text of .csv cells turned into the numbers and truths that RunConfig
    holds."""
    typed = dict(options)
    for name in ("precise", "overwrite", "resume"):
        if isinstance(typed.get(name), str):
            typed[name] = TRUTHS.get(typed[name].strip().lower(), typed[name])
    for name, kind in {**dict.fromkeys(WHOLE, int), "fps": float}.items():
        if isinstance(typed.get(name), str):
            try:
                typed[name] = kind(typed[name])
            except ValueError as error:
                raise UsageError(f"{name} is {typed[name]!r}: give a number") from error
    return typed


def _write_json(path: Path, value: Any) -> None:
    with replacing(path, overwrite=True) as temporary:
        temporary.write_text(json.dumps(value, indent=2, allow_nan=False) + "\n", encoding="utf-8")


def _write_summary(path: Path, results: Sequence[Mapping[str, Any]]) -> None:
    """A row for each job: means over the frames of its role, and those of passed frames where they
    are told apart."""
    rows = [_summary_row(result) for result in results]
    means = sorted({name for row in rows for name in row} - {*SUMMARY_COLUMNS})
    with (
        replacing(path, overwrite=True) as temporary,
        open(temporary, "w", newline="", encoding="utf-8") as file,
    ):
        writer = csv.DictWriter(file, [*SUMMARY_COLUMNS, *means], restval="")
        writer.writeheader()
        writer.writerows(rows)


def _summary_row(result: Mapping[str, Any]) -> dict[str, Any]:
    row = {key: result[key] for key in ("id", "label", "mode", "state", "error")}
    if (summary := result["summary"]) is None:
        return row
    role, roles, segments = summary["role"], summary["roles"], summary["segments"]
    defined = max((pooled["defined"] for pooled in summary["metrics"].values()), default=0)
    row |= {"role": role, "frames": defined, "scored": summary["frames"]["scored"]}
    row |= {"segments": sum(segment["role"] != "passed" for segment in segments)}
    parts = {"": summary["metrics"], "passed_": roles["passed"]["metrics"] if roles else {}}
    for prefix, metrics in parts.items():
        for name, pooled in metrics.items():
            row |= {
                f"{name}_{prefix}{key}": pooled[key]
                for key in ("mean", "mean_abs")
                if key in pooled
            }
    return row

"""Run many jobs; one failing job never stops the others."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vfiscope.batch.job_file import Job
from vfiscope.batch.results import FILES, not_done, write_results
from vfiscope.compat.draw import PAIR_FILES
from vfiscope.compat.folder import check_folder
from vfiscope.compat.keys import pair_keys
from vfiscope.documents import DocumentError, json_of, read_text
from vfiscope.errors import UsageError, VfiscopeError
from vfiscope.files import bytes_digest
from vfiscope.options import RunConfig
from vfiscope.scoring.pipeline import Seen, finished, run, run_seen
from vfiscope.scoring.session import Session
from vfiscope.segments import failures, made_by, parse_rule, reflag
from vfiscope.store import Run

__all__ = ["How", "execute", "run_jobs"]

PICTURED = "summary.json"
WRITTEN_EVERY = 1.0
"""Seconds between two writes of the results so far: of thousands of jobs a write takes a while."""


@dataclass(frozen=True)
class How:
    """Settings for every job."""

    fail_on: tuple[str, ...] = ()
    visualize: bool = False
    """Draw the pair of every compare job."""
    resume: bool = True


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
    ``DIR/results.json`` and ``DIR/summary.csv`` hold all results. They are written after the first
    job, then at most once a second, and in full at the end or where it stops. In ``summary.csv``,
    ``role`` says which ``frames`` the means are over (synthesised frames where these are known,
    else all): ``psnr_mean``, for signed metrics also ``midpoint_px_mean_abs``; means over
    passed-through frames are ``psnr_passed_mean``.

    A result has the keys ``id``, ``label``, ``mode``, ``test``, ``ref``, ``out``, ``state`` (ok,
    partial, failed), ``skipped`` (True if it was done before), ``error``, ``failed_on`` (rules),
    ``failures`` ({rule: what met it}) and ``summary``. For readers of VFI-Similarity's
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
        resume: continue unfinished work; if False, or if the job says so, discard it.

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
            f"cannot make the folder {folder}: {error.strerror}: pass another -o"
        ) from error
    results: list[dict[str, Any]] = []
    written, when = 0, -WRITTEN_EVERY
    try:
        for result in execute(jobs, folder, How(tuple(fail_on), visualize, resume)):
            results.append(result)
            if time.monotonic() - when >= WRITTEN_EVERY:
                write_results(folder, results)
                written, when = len(results), time.monotonic()
            yield result
    finally:
        if written < len(results):
            write_results(folder, results)


def execute(jobs: Iterable[Job], folder: Path, how: How) -> Iterator[dict[str, Any]]:
    """Run jobs one after the other, each into its own file in the folder, all with the same opened
    models, and yield the result of each."""
    with Session() as session:
        for job in jobs:
            try:
                yield not_done(job) | _done(job, folder, how, session)
            except (VfiscopeError, OSError, MemoryError) as error:
                yield not_done(job) | {"error": " ".join(str(error).split())}


def _done(job: Job, folder: Path, how: How, session: Session) -> dict[str, Any]:
    """Run a job unless it is done; the entries of its result beyond those of the job itself.

    Raises:
        VfiscopeError: it cannot be run.
    """
    config = _config(job, folder, how)
    pictured = how.visualize and job.mode == "compare"
    if pictured:
        check_folder(config.replace(overwrite=True), folder / job.id)
    opened, seen = finished(config, session), None
    skipped = opened is not None
    flagged_again = opened is not None and not made_by(opened, config.flag)
    if opened is not None and flagged_again:
        opened.close()
        reflag(str(config.out), config.flag)
        opened = Run(str(config.out))
    if opened is None and pictured:
        opened, seen = run_seen(config.replace(overwrite=True), session=session)
    elif opened is None:
        opened = run(config.replace(overwrite=True), session=session)
    with opened:
        summary = opened.summary()
        met = failures(config.fail_on, opened.frames, opened.scores, opened.specs)
        keys = pair_keys(job.options, opened, summary)
        drawn = _draw(config, folder / job.id, opened, seen, session) if pictured else {}
    return {
        **keys,
        **drawn,
        "out": str(config.out),
        "state": summary["status"],
        "skipped": skipped,
        "flagged_again": flagged_again,
        "failed_on": list(met),
        "failures": met,
        "summary": summary,
    }


def _config(job: Job, folder: Path, how: How) -> RunConfig:
    if "/" in job.id or "\\" in job.id or job.id in ("", ".", "..", *FILES):
        raise UsageError(f"the id {job.id!r} cannot be a file name: choose one without slashes")
    config = job.configure(folder.resolve() / f"{job.id}.h5")
    fail_on = (*how.fail_on, *config.fail_on)
    return config.replace(fail_on=fail_on, resume=how.resume and config.resume)


def _identity(run: Run) -> str:
    """A digest of everything that a run was made from: inputs, settings and versions."""
    text = json.dumps(run.header.to_dict(), sort_keys=True)
    return f"sha256:{bytes_digest(text.encode())}"


def _draw(
    config: RunConfig, folder: Path, run: Run, seen: Seen | None, session: Session
) -> dict[str, Any]:
    """Draw the pair, unless the folder already holds the figures of this run; returns the content
    of ``summary.json``."""
    found, identity = _read_object(folder / PICTURED), _identity(run)
    if found.get("run") == identity and all((folder / name).is_file() for name in PAIR_FILES):
        return found
    from vfiscope.compat.pictures import visualize  # imports torch

    again = config.replace(overwrite=True)
    return visualize(again, folder, run=identity, seen=seen, session=session)


def _read_object(path: Path) -> dict[str, Any]:
    """The object in a .json file; empty where there is none, or the file is damaged."""
    try:
        found = json_of(read_text(path))
    except (OSError, DocumentError):
        return {}
    return found if isinstance(found, dict) else {}

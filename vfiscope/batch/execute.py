"""Run many jobs; one failing job never stops the others."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from vfiscope.batch.job_file import Job, jobs_of, read_jobs
from vfiscope.batch.results import FILES, check_no_link, not_done, recorded
from vfiscope.batch.shared_options import checked, inherited, shared_options
from vfiscope.compat.draw import PAIR_FILES, Drawing
from vfiscope.compat.folder import check_folder
from vfiscope.compat.keys import pair_keys
from vfiscope.documents import DocumentError, json_of, read_text
from vfiscope.errors import UsageError, VfiscopeError
from vfiscope.files import bytes_digest, output_file
from vfiscope.options import RunConfig
from vfiscope.options.keyword_types import with_options
from vfiscope.regions.regions_stage import has_regions, outdated, parameters_of
from vfiscope.scoring.pipeline import Seen, finished, run, run_seen
from vfiscope.scoring.region_marks import mark_if_asked
from vfiscope.scoring.session import Session
from vfiscope.segments import failures, made_by, parse_rule, reflag
from vfiscope.store import Run
from vfiscope.store.parts import DONE_SUFFIX
from vfiscope.views.region_summary import summary_with_changes
from vfiscope.views.timing_words import with_ratio

__all__ = ["How", "execute", "run_jobs"]

log = logging.getLogger("vfiscope")
PICTURED = "summary.json"


@dataclass(frozen=True)
class How:
    """Settings for every job."""

    visualize: bool = False
    """Draw the pair of every compare job."""
    fail_on: tuple[str, ...] = ()
    """Rules besides those of a job."""
    resume: bool = True
    """False also where a job says so."""


@with_options(shared_options(RunConfig.declared()).values())
def run_jobs(
    jobs: str | os.PathLike[str] | Iterable[Job | Mapping[str, Any]],
    out: str | os.PathLike[str],
    *,
    visualize: bool = False,
    **options: Any,
) -> Iterator[dict[str, Any]]:
    """Run jobs one after the other and yield the result of each as it ends.

    A job whose file ``DIR/<id>.h5`` was made with the same inputs and settings is not run again.
    At the end, or where the batch stops, ``DIR/results.json`` and ``DIR/summary.csv`` hold all
    results, and ``DIR/means.json`` the means over all compared pairs (see
    :func:`vfiscope.batch.means.means_of`); before, ``DIR/results.jsonl`` has a line for each. In
    ``summary.csv``, ``role`` says which ``frames`` the means are over (synthesised frames where
    these are known, else all): ``psnr_mean``, for signed metrics also ``midpoint_px_mean_abs``;
    means over passed-through frames are ``psnr_passed_mean``. ``answer`` and ``regions`` say what
    changed, where regions were sought.

    A result has the keys ``id``, ``label``, ``mode``, ``test``, ``ref``, ``out``, ``state`` (ok,
    partial, failed), ``skipped`` (True if it was done before), ``error``, ``failed_on`` (rules),
    ``failures`` ({rule: what met it}), ``timings`` (with ``timing``: see
    :func:`vfiscope.views.timing_words.with_ratio`) and ``summary`` (with ``changes``, what was
    found where regions were sought, see :mod:`vfiscope.views.region_summary`). For readers of
    VFI-Similarity's results it also has ``image_a`` (file name of the reference), ``image_b`` (of
    the test), ``cosine_distance`` (the mean over the frames of the role), ``cosine_similarity``,
    ``embedding_dim`` and ``embedder``, None where there is no cosine, ``band`` (see
    :mod:`vfiscope.compat.bands`), and with ``visualize`` the keys of ``summary.json``.

    Args:
        jobs: a job file, or jobs as objects, such as ``{"test": "a.png", "ref": "b.png"}``.
        out: the folder.
        visualize: draw the pair of every compare job into ``DIR/<id>/`` (see
            :mod:`vfiscope.compat.pictures`).
        options: of every job whose mode has them, listed below. What a job itself sets wins;
            ``fail_on`` adds to the rules of the job, and ``resume=False`` holds for all.

    Raises:
        UsageError: the job file, the folder, an option or a rule cannot be used.
        StoreError: the results cannot be written.
    """
    shared = checked(options, drawn=visualize)
    rules, resume = tuple(shared.pop("fail_on", ())), bool(shared.pop("resume", True))
    for rule in rules:
        parse_rule(rule)
    given = _read(jobs)
    _tell_unused(given, shared)
    told = [
        replace(job, options={**inherited(job.mode, job.options, shared), **job.options})
        for job in given
    ]
    folder = Path(out)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(
            f"cannot make the folder {folder}: {error.strerror}: pass another -o"
        ) from error
    return _recorded(told, folder, How(visualize, rules, resume))


def _read(jobs: str | os.PathLike[str] | Iterable[Job | Mapping[str, Any]]) -> list[Job]:
    if isinstance(jobs, (str, os.PathLike)):
        return read_jobs(jobs)
    given = list(jobs)
    if all(isinstance(job, Job) for job in given):
        return [job for job in given if isinstance(job, Job)]
    return jobs_of(given, Path.cwd())


def _tell_unused(jobs: Sequence[Job], shared: Mapping[str, Any]) -> None:
    """Log that there are no jobs, or which shared options no job has."""
    if not jobs:
        log.warning("warning: the job list is empty: nothing is run")
        return
    modes = {job.mode for job in jobs}
    for name, told in shared_options().items():
        if name in shared and modes.isdisjoint(told.option.verbs):
            log.warning(
                "warning: %s has no effect: no job is a %s", name, " or ".join(told.option.verbs)
            )


def _recorded(jobs: Sequence[Job], folder: Path, how: How) -> Iterator[dict[str, Any]]:
    with recorded(folder) as record:
        for result in execute(jobs, folder, how):
            record(result)
            yield result


def execute(jobs: Iterable[Job], folder: Path, how: How) -> Iterator[dict[str, Any]]:
    """Run jobs one after the other, each into its own file in the folder, all with the same opened
    models, and yield the result of each."""
    with Session() as session:
        for job in jobs:
            try:
                with _named_in_warnings(job):
                    done = _done(job, folder, how, session)
                yield not_done(job) | done
            except (VfiscopeError, OSError, MemoryError) as error:
                yield not_done(job) | {"error": " ".join(str(error).split())}


@contextmanager
def _named_in_warnings(job: Job) -> Iterator[None]:
    """Let warnings say of which job they are."""

    def name(record: logging.LogRecord) -> bool:
        if record.levelno == logging.WARNING:
            text = record.getMessage().removeprefix("warning: ")
            record.msg, record.args = f"warning: {job.id}: {text}", ()
        return True

    log.addFilter(name)
    try:
        yield
    finally:
        log.removeFilter(name)


def _done(job: Job, folder: Path, how: How, session: Session) -> dict[str, Any]:
    """Run a job unless it is done; the entries of its result beyond those of the job itself.

    Raises:
        VfiscopeError: it cannot be run.
    """
    config = _config(job, folder, how)
    pictured = how.visualize and job.mode == "compare"
    config.check_drawn(pictured)
    if pictured:
        check_folder(config.replace(overwrite=True), folder / job.id)
    opened, before = _done_before(config, session)
    seen = None
    if opened is None and pictured:
        opened, seen = run_seen(config.replace(overwrite=True), session=session)
    elif opened is None:
        opened = run(config.replace(overwrite=True), session=session)
    with opened:
        summary = summary_with_changes(opened)
        met = failures(config.fail_on, opened)
        keys = pair_keys(job.options, opened, summary)
        drawn = _draw(config, folder / job.id, opened, seen, session) if pictured else {}
    return {
        **keys,
        **drawn,
        "out": str(config.out),
        "state": summary["status"],
        **before,
        "failed_on": list(met),
        "failures": met,
        "timings": with_ratio(opened.timings) if config.timing else None,
        "summary": summary,
    }


def _done_before(config: RunConfig, session: Session) -> tuple[Run | None, dict[str, bool]]:
    """The finished run of a job, if there is one, with its segments by the rules of the job and its
    regions by the options of the job; and which of these had to be made again."""
    opened = finished(config, session)
    flagged_again = opened is not None and not made_by(opened, config.flag)
    if opened is not None and flagged_again:
        opened.close()
        reflag(str(config.out), config.flag, since=opened)
        opened = Run(str(config.out))
    marked_again = opened is not None and not has_regions(opened, parameters_of(config))
    if opened is not None and marked_again:
        opened.close()
        mark_if_asked(Path(str(config.out)), config)
        opened = Run(str(config.out))
    for note in [] if opened is None else outdated(opened):
        log.warning("warning: %s", note)
    told = {"skipped": opened is not None, "flagged_again": flagged_again}
    return opened, told | {"marked_again": marked_again}


def _config(job: Job, folder: Path, how: How) -> RunConfig:
    if job.id in FILES:
        raise UsageError(f"the id {job.id!r} is the name of a file of the batch: choose another")
    if "/" in job.id or "\\" in job.id or job.id in ("", ".", ".."):
        raise UsageError(f"the id {job.id!r} cannot be a file name: choose one without slashes")
    figures = folder / job.id
    drawn = [figures, *(figures / name for name in PAIR_FILES)] if how.visualize else []
    stored = folder / f"{job.id}.h5"
    check_no_link([stored, *drawn], "choose another id")
    output_file(stored, beside=DONE_SUFFIX)  # refuses an id that is too long
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
    """Draw the pair, unless the folder already holds the figures of this run, drawn alike; returns
    the content of ``summary.json``."""
    found, identity, how = _read_object(folder / PICTURED), _identity(run), Drawing.of(config)
    alike = (found.get("run"), found.get("figures")) == (identity, how.to_dict())
    if alike and all((folder / name).is_file() for name in how.files):
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

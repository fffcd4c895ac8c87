"""The only composition: a configuration in, a run out.

::

    sources -> prefetch -> embed -> pairs -> scores -> part files -> flags -> one HDF5 file
"""

from __future__ import annotations

import logging
import shutil
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from itertools import chain
from pathlib import Path

import torch

from vfiscope import config as defaults
from vfiscope.alignment import map_of_shift
from vfiscope.config import RunConfig
from vfiscope.embedders import choose
from vfiscope.errors import StoreError, UsageError
from vfiscope.scoring.checks import Inputs
from vfiscope.scoring.inputs import disagreements, numbering, with_counts
from vfiscope.scoring.job import OpenJob, open_job
from vfiscope.scoring.outcome import (
    collect_notes,
    describe_pairing,
    registered,
    warn_shifted,
    warn_unmarked_originals,
    why_unpaired,
)
from vfiscope.scoring.score import score_pairs
from vfiscope.scoring.streams import TimeMap, WrapDecoding, find_map, pairs_of
from vfiscope.segments import flag, reflag_if_rules_differ
from vfiscope.sources import Source
from vfiscope.store import Run, Writer
from vfiscope.types import Note, Pairing, Pairs, Scores

__all__ = ["WrapDecoding", "WrapScoring", "is_done", "run"]

log = logging.getLogger("vfiscope")

WrapScoring = Callable[[Iterable[Scores], Source, int], Iterable[Scores]]
"""Wraps the stream of scores, as a progress bar does: (scores, the test, rows done before)."""


def run(
    config: RunConfig,
    *,
    inputs: Inputs | None = None,
    watch: WrapScoring | None = None,
    reading: WrapDecoding | None = None,
) -> Run:
    """Do what a configuration says and open the result.

    The inputs are opened where they are not given. Without ``config.out`` the result lives in a
    temporary folder for as long as the returned run.

    Raises:
        VfiscopeError: an input, an option, the embedder or the output cannot be used. Nothing is
            left behind, but for finished parts of the work, which the same call picks up again.
    """
    if config.out is not None:
        return Run(_produce(config, inputs, watch, reading))
    owned = Path(tempfile.mkdtemp(prefix="vfiscope-"))
    try:
        path = _produce(
            config.replace(out=str(owned / f"{config.mode}.h5")), inputs, watch, reading
        )
    except BaseException as error:
        shutil.rmtree(owned)
        error.__notes__ = []  # what an interrupted writer kept is gone with the folder
        raise
    return Run(path, owns=owned)


def is_done(config: RunConfig) -> bool:
    """Whether ``config.out`` holds a finished run of these very inputs and settings."""
    if config.out is None or not Path(config.out).is_file():
        return False
    try:
        with Run(config.out) as found:
            done = found.header
    except StoreError:
        return False
    with ExitStack() as stack:
        # With overwriting, because that the result is there is no reason to refuse the question.
        return not open_job(config.replace(overwrite=True), stack).header.differences(done)


def _produce(
    config: RunConfig,
    inputs: Inputs | None,
    watch: WrapScoring | None,
    reading: WrapDecoding | None,
) -> Path:
    with ExitStack() as stack:
        return _write(
            open_job(config, stack, inputs),
            watch or (lambda scores, _test, _done: scores),
            reading or (lambda frames, _source, _what: frames),
        )


def _write(job: OpenJob, watch: WrapScoring, reading: WrapDecoding) -> Path:
    out, config = Path(str(job.config.out)), job.config
    writing = Writer(
        out,
        job.header,
        overwrite=config.overwrite,
        resume=config.resume,
        block=defaults.ROWS_PER_PART,
    )
    with writing as writer:
        if not writer.already_finished:
            return _fill(job, writer, watch, reading)
    reflag_if_rules_differ(
        out, config.flag
    )  # rules do not identify work, so it may have been finished under others
    return out


def _fill(job: OpenJob, writer: Writer, watch: WrapScoring, reading: WrapDecoding) -> Path:
    """Score what the writer does not hold yet, and finish the result."""
    began, done = time.monotonic(), writer.rows_done
    if done:
        log.info(
            "resuming %s after %d frames", writer.path, done
        )  # what is done is decoded again, which takes a while
    found = find_map(job, reading)
    with torch.inference_mode():
        # Signals look at the row before: where work goes on behind it, it is decoded again.
        lead = done > 0 and job.plan.needs_row_before
        pairs = _start_pairs(pairs_of(job, done - lead, found))
    _announce(job)
    warnings = _input_warnings(job)
    with torch.inference_mode():
        scored = score_pairs(pairs, job.plan, job.header.grids, lead=lead)
        for scores in watch(scored, job.test, done):
            writer.append(scores)
    return _finish(job, writer, found, warnings, began, done)


def _finish(
    job: OpenJob, writer: Writer, found: TimeMap, warnings: list[Note], began: float, done: int
) -> Path:
    """Say what the scores tell, flag segments and make the result one file.

    Args:
        job: what was scored.
        writer: holds all rows.
        found: the map or cadence that they were scored through.
        warnings: what was warned of before.
        began: when, as ``time.monotonic`` counts.
        done: rows that an earlier call had scored.

    Raises:
        UsageError: no frame could have a partner; the work is discarded.
    """
    table, values = writer.curves()
    if reason := why_unpaired(job, table):
        writer.discard()
        raise UsageError(reason)
    registrations = writer.registrations()
    for line in registered(registrations):
        log.info("%s", line)
    if job.policy == "shift":
        found = map_of_shift(table.index, table.ref_index, job.shift or 0)
    pairing = describe_pairing(job, table, found)
    notes = collect_notes(job, pairing, table, values, registrations)
    found_late = warn_shifted(job), warn_unmarked_originals(job, table, values)
    late = [note for note in found_late if note is not None]
    for warning in late:
        log.warning("warning: %s", warning)
    names = job.test.info.names
    seconds = time.monotonic() - began
    return writer.finish(
        segments=flag(table, values, job.header.metrics, job.config.flag, writer.signals()),
        sources=[with_counts(stored, job.sources[stored["role"]]) for stored in job.header.sources],
        pairing=pairing,
        status="partial" if notes else "ok",
        notes=notes,
        warnings=[*warnings, *late],
        timings={"seconds": seconds, "fps": (len(table) - done) / seconds},
        table=found if isinstance(found, Pairing) else None,
        names=[names[index] for index in table.index] if names else (),
    )


def _input_warnings(job: OpenJob) -> list[Note]:
    """What may make scores mean something else, as far as it is known before they are made: said,
    and returned."""
    gaps, notes = numbering(job.sources, shift=job.shift)
    warnings = [*disagreements(job.sources), *gaps]
    for warning in warnings:
        log.warning("warning: %s", warning)
    for note in notes:
        log.info("%s", note)
    return warnings


def _start_pairs(pairs: Iterator[Pairs]) -> Iterator[Pairs]:
    """The same pairs, the first of them made now: inputs of which nothing can be used fail before
    anything is said."""
    first = next(pairs, None)
    return pairs if first is None else chain([first], pairs)


def _announce(job: OpenJob) -> None:
    """Say which options have no effect, which embedder was chosen, and what became of its
    weights."""
    for unused in job.unused:
        log.warning("warning: %s", unused)
    if job.embedder is None:
        return
    if job.config.embedder == "auto":
        log.info("embedder %s: %s", *choose(job.config.embedder, job.config.weights))
    if (report := job.embedder.report) is not None:
        level = logging.WARNING if report.missing else logging.INFO
        log.log(level, "weights %s: %s", job.config.weights or f"of {job.embedder.name}", report)

"""The one place where the steps of a run are put together: a configuration in, a run out.

::

    sources -> prefetch -> embed -> pairs -> scores -> part files -> flags -> one HDF5 file
"""

from __future__ import annotations

import logging
import shutil
import tempfile
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, nullcontext
from dataclasses import dataclass
from functools import partial
from itertools import chain
from pathlib import Path

from vfiscope import config as defaults
from vfiscope.comparisons import Comparison, Report, Scored, Streams, WrapDecoding
from vfiscope.config import RunConfig
from vfiscope.embedders import choose
from vfiscope.errors import (
    Interrupted,
    StoreError,
    Terminated,
    UsageError,
    VfiscopeError,
    interruption,
)
from vfiscope.jit import one_opencv_thread
from vfiscope.regions.unsought import are_awaited
from vfiscope.scoring.fitting import check_bars, check_offset, either_remedy, fitted
from vfiscope.scoring.garbage import old_objects_spared
from vfiscope.scoring.job import Job, open_job, pairs_of, streams_of
from vfiscope.scoring.light_warning import check_light
from vfiscope.scoring.order_warnings import named_elsewhere
from vfiscope.scoring.outcome import damaged, describe_registrations, refused, undefined
from vfiscope.scoring.provenance import seek_tables, with_counts
from vfiscope.scoring.region_marks import WatchRows, mark_if_asked
from vfiscope.scoring.score import score_pairs
from vfiscope.scoring.session import Session
from vfiscope.scoring.warnings import disagreements, noted, numbering, without_effect
from vfiscope.segments import flagged, reflag_if_rules_differ
from vfiscope.segments.stage import are_timed, shown_out_of_order
from vfiscope.sources import Source
from vfiscope.store import Ending, Run, StageResult, Writer
from vfiscope.store.opening import State
from vfiscope.store.parts import Folder
from vfiscope.types import Code, Float32, Needs, Note, Pairs, Scores

__all__ = ["Seen", "WrapDecoding", "WrapScoring", "finished", "run", "run_seen"]

log = logging.getLogger("vfiscope")

SMALL_FRAMES_FOR_ONE = 16
"""Small frames that are scored in the time of one other frame, about."""
WrapScoring = Callable[[Iterable[Scores], Source, int], Iterable[Scores]]
"""Wraps the stream of scores, like a progress bar: (scores, the test, rows done before)."""


@dataclass(frozen=True)
class Seen:
    """The first pairs of a run as they were scored: registered, with features."""

    job: Job
    pairs: Pairs


def run(
    config: RunConfig,
    *,
    session: Session | None = None,
    watch: WrapScoring | None = None,
    reading: WrapDecoding | None = None,
    marking: WatchRows | None = None,
) -> Run:
    """Run a configuration and open the result.

    Models that no session holds are opened. Without ``config.out`` the result is kept in a
    temporary folder for as long as the returned run is open.

    Args:
        config: what to compare, and how.
        session: models that are open.
        watch: wraps the scores, like a progress bar.
        reading: wraps the frames of an input that is read before scoring.
        marking: wraps the rows that are read again for regions.

    Raises:
        VfiscopeError: an input, an option, the embedder or the output cannot be used. Nothing is
            left behind except finished parts of the work, which the same call continues.
    """
    produce = partial(_produce, session=session, watch=watch, reading=reading, marking=marking)
    return _run(produce, config)


def run_seen(
    config: RunConfig,
    *,
    session: Session | None = None,
    watch: WrapScoring | None = None,
    reading: WrapDecoding | None = None,
    marking: WatchRows | None = None,
) -> tuple[Run, Seen | None]:
    """Like :func:`run`, and also return the first pairs, with features even if no metric needs
    them; None where nothing was left to compare."""
    seen: list[Seen] = []
    produce = partial(
        _produce, session=session, watch=watch, reading=reading, marking=marking, seen=seen
    )
    return _run(produce, config), (seen[0] if seen else None)


def finished(config: RunConfig, session: Session | None = None) -> Run | None:
    """Open the run in ``config.out`` if it is finished and was made with the same inputs and
    settings; None otherwise.

    No network is loaded, and nothing is decoded beyond what opening an input needs.

    Raises:
        VfiscopeError: an input, an option or the embedder cannot be used.
    """
    if config.out is None or not Path(config.out).is_file():
        return None
    try:
        found = Run(config.out)
    except StoreError:
        return None
    with ExitStack() as stack:
        unless_done = stack.enter_context(ExitStack())
        unless_done.callback(found.close)
        # With overwriting: the existing result is no reason to refuse here.
        asked = open_job(config.replace(overwrite=True), stack, session, load=False)
        if asked.header.differences(found.header):
            return None
        unless_done.pop_all()
    return found


def _run(produce: Callable[..., tuple[Path, State | None]], config: RunConfig) -> Run:
    """Produce and open a run; without ``out``, in a folder that is removed with the run."""
    if config.out is not None:
        path, made = produce(config)
        return Run(path, made=made)
    owned = Path(tempfile.mkdtemp(prefix="vfiscope-"))
    try:
        path, made = produce(config.replace(out=str(owned / f"{config.mode}.h5")), owned=True)
    except BaseException as error:
        shutil.rmtree(owned)
        if isinstance(error, (Interrupted, Terminated)) and error.__cause__ is not None:
            raise error.__cause__ from None  # what the writer kept is removed with the folder
        raise
    return Run(path, owns=owned, made=made)


def _produce(
    config: RunConfig,
    *,
    session: Session | None,
    watch: WrapScoring | None,
    reading: WrapDecoding | None,
    marking: WatchRows | None,
    seen: list[Seen] | None = None,
    owned: bool = False,
) -> tuple[Path, State | None]:
    """The path of the result, and its state where it was written now."""
    out = Path(str(config.out))
    with ExitStack() as stack:
        also = Needs.NOTHING if seen is None else Needs.FEATURES
        if _waits_for_regions(out, config, session):
            log.info("resuming %s after its scores", out)
            job = open_job(config.replace(overwrite=True), stack, session, load=False)
            reflag_if_rules_differ(out, config.flag)
            _mark(out, config, job.inputs.sources, marking, owned=owned)
            return out, None
        job = open_job(config, stack, session, also=also)
        writing = Writer(
            out,
            job.header,
            overwrite=config.overwrite,
            resume=config.resume,
            block=defaults.ROWS_PER_PART * (SMALL_FRAMES_FOR_ONE if job.has_small_frames else 1),
        )
        with writing as writer:
            finished_before = writer.already_finished
            if not finished_before:
                with _opencv_threads(job), old_objects_spared():
                    _score(job, writer, watch, reading, seen)
        if finished_before:  # rules do not identify work: it may be finished with other ones
            reflag_if_rules_differ(out, config.flag)
        _mark(out, config, job.inputs.sources, marking, owned=owned)
    return out, writer.made


def _opencv_threads(job: Job) -> AbstractContextManager[None]:
    """OpenCV has one thread while a job scores: more only cost where frames are small, as those of
    signals are. Registering keeps them: of its time on two cores they save up to a third."""
    return one_opencv_thread() if job.models.register is None else nullcontext()


def _waits_for_regions(out: Path, config: RunConfig, session: Session | None) -> bool:
    """True if the result is that of this configuration, which was stopped while it sought
    regions."""
    if config.overwrite or not config.resume or config.region_method == "none":
        return False
    if not out.is_file() or Folder(out).exists():
        return False
    try:
        with Run(out) as run:
            same = run.config.get("regions") == config.regions
            if not same or not are_awaited(run):
                return False
    except StoreError:
        return False
    found = finished(config, session)
    if found is not None:
        found.close()
    return found is not None


def _mark(
    out: Path,
    config: RunConfig,
    sources: Mapping[str, Source],
    marking: WatchRows | None,
    *,
    owned: bool,
) -> None:
    """Seek the regions that are asked for; whatever happens, the scores in ``config.out`` stay.

    Raises:
        VfiscopeError: as :func:`vfiscope.scoring.region_marks.mark_if_asked`, with the remedy
            unless the result is temporary and goes with the error.
    """
    try:
        mark_if_asked(out, config, sources, marking)
    except (VfiscopeError, MemoryError) as error:
        if not owned:
            values = {"error": str(error) or "memory ran out", "path": str(out)}
            error.args = (str(Note(Code.REGIONS_FAILED, values)),)
        raise
    except (KeyboardInterrupt, SystemExit) as stop:
        values = {"error": "stopped", "path": str(out)}
        raise interruption(stop, str(Note(Code.REGIONS_FAILED, values))) from stop


def _score(
    job: Job,
    writer: Writer,
    watch: WrapScoring | None,
    reading: WrapDecoding | None,
    seen: list[Seen] | None,
) -> Path:
    """Score what the writer does not hold yet, report on it, and write one file.

    Raises:
        UsageError: no frame could be compared; the work is discarded.
    """
    clock, done, sources = job.clock, writer.rows_done, job.inputs.sources
    if done:  # rows that are done are decoded again, which takes a while
        log.info("resuming %s after %d frames", writer.path, done)
    streams = streams_of(job, reading)
    comparison = clock.calling("align", job.comparison.prepare)(streams)
    scores = _scores(job, comparison, streams, done, seen)
    _announce(job)
    early = _warn_early(job.config, comparison, sources)
    for each in scores if watch is None else watch(scores, sources["test"], done):
        with clock.stage("store"):
            writer.append(each)
    scored = Scored(*writer.curves())
    report = comparison.report(streams, scored)
    if report.reason:
        writer.discard()
        raise UsageError(report.reason)
    registrations = writer.registrations()
    notes = [
        *report.notes,
        *damaged(job.inputs),
        *refused(registrations),
        *undefined(job.plan, comparison, scored),
    ]
    late = _warn_late(job, streams, early, report, scored, writer.signals())
    _tell(describe_registrations(registrations), late)
    names = sources["test"].info.names
    ending = Ending(
        stages=[clock.calling("flag", _flagged)(job, scored, writer.signals(), report)],
        sources=[with_counts(stored, sources[stored["role"]]) for stored in job.header.sources],
        pairing=report.pairing,
        status="partial" if notes else "ok",
        notes=notes,
        warnings=[*early, *late],
        timings=clock.timings(len(scored.table) - done),
        table=report.table,
        names=[names[index] for index in scored.table.index] if names else (),
        seek_tables=seek_tables(sources),
    )
    return writer.finish(ending)


def _flagged(
    job: Job, scored: Scored, signals: Mapping[str, Float32], report: Report
) -> StageResult:
    """The segments, as the result of their stage."""
    columns = scored.table, scored.values, job.header.metrics, job.config.flag, signals
    alone, kinds = job.config.independent, job.config.kinds
    timed = are_timed(job.header.config, job.header.sources)
    return flagged(
        *columns,
        independent=alone,
        size=job.header.size,
        kinds=kinds,
        timed=timed,
        displaced=shown_out_of_order(report.table),
    )


def _scores(
    job: Job, comparison: Comparison, streams: Streams, done: int, seen: list[Seen] | None
) -> Iterator[Scores]:
    """The scores from row ``done`` on. Signals look at rows before, so those are decoded again when
    work is continued."""
    lead = min(done, job.plan.rows_before)
    pairs = _start(pairs_of(job, comparison, streams, done - lead), job, seen)
    packets = streams.sources["test"].packets if job.plan.needs_packets else None
    return score_pairs(pairs, job.plan, job.header.grids, job.clock, lead=lead, packets=packets)


def _start(pairs: Iterator[Pairs], job: Job, seen: list[Seen] | None) -> Iterator[Pairs]:
    """The same pairs. The first is made at once, so that unusable inputs fail before anything is
    printed, and kept in ``seen``."""
    first = next(pairs, None)
    if first is None:
        return pairs
    if seen is not None:
        seen.append(Seen(job, first))
    return chain(iter([first]), pairs)


def _announce(job: Job) -> None:
    """Log which options have no effect, which embedder was chosen, and how its weights loaded."""
    config, embedder = job.config, job.models.embedder
    for unused in without_effect(config, job.plan, job.inputs.sources):
        log.warning("warning: %s", unused)
    if embedder is None:
        return
    if config.embedder == "auto":
        log.info("embedder %s: %s", *choose(config.embedder, config.weights))
    if (report := embedder.report) is not None and not job.models.held:
        level = logging.WARNING if report.missing else logging.INFO
        log.log(level, "weights %s: %s", config.weights or f"of {embedder.name}", report)


def _warn_early(
    config: RunConfig, comparison: Comparison, sources: Mapping[str, Source]
) -> list[Note]:
    """Log and return the warnings about scores that are known before scoring."""
    gaps, notes = numbering(sources, shift=comparison.shift)
    if config.independent:
        gaps, notes = [], []  # what is missing belongs to no sequence
    elif not gaps and not notes:
        gaps = named_elsewhere(sources, comparison.shift)
    stretched, cropped = fitted(sources, config)
    warnings = [*noted(sources), *disagreements(sources), *stretched, *gaps]
    _tell([*cropped, *notes], warnings)
    return warnings


def _warn_late(
    job: Job,
    streams: Streams,
    early: Collection[Note],
    report: Report,
    scored: Scored,
    signals: Mapping[str, Float32],
) -> list[Note]:
    """The warnings about scores that only reading the inputs could tell."""
    found = [*noted(streams.sources), *check_bars(streams, job.config)]
    partner, size = list(streams.sources)[-1], job.inputs.sources["test"].size
    offset = check_offset(job.config, partner, signals, size)
    reported = report.warnings
    if any(note.code == Code.SHIFT_FITS_BETTER for note in reported):
        reported, offset = [either_remedy(note, offset) for note in reported], []
    found += [*offset, *check_light(scored.table, signals)]
    return [note for note in (*found, *reported) if note not in early]


def _tell(facts: Iterable[Note | str], warnings: Iterable[Note]) -> None:
    for warning in warnings:
        log.warning("warning: %s", warning)
    for fact in facts:
        log.info("%s", fact)

"""From a job to its stream of pairs: which test frame is compared with what."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import chain, count

import numpy as np

from vfiscope.alignment import align, describe, describe_cadence, find_cadence
from vfiscope.comparisons import (
    LeadingTest,
    Stream,
    follow_clock,
    pick,
    places_among,
    places_beside,
    places_held_out,
    places_in,
    skip_rows,
    tee_stream,
    with_golden,
    with_lag,
    with_map,
    with_places,
    with_shift,
)
from vfiscope.errors import SourceError, UsageError
from vfiscope.registration import register_pairs
from vfiscope.scoring.job import OpenJob
from vfiscope.sources import Source, prefetch
from vfiscope.types import Cadence, Frames, Int64, Pairing, Pairs, Status

__all__ = ["TimeMap", "WrapDecoding", "find_map", "pairs_of"]

log = logging.getLogger("vfiscope")

WrapDecoding = Callable[[Iterable[Frames], Source, str], Iterable[Frames]]
"""Wraps each pass that an alignment makes over a source: (frames, the source, what is done)."""
TimeMap = Pairing | Cadence | None
"""What was found out about the places of the test frames before they are scored."""


def find_map(job: OpenJob, reading: WrapDecoding) -> TimeMap:
    """The map from test to reference frames, or the cadence in the source, where one is to be
    found."""
    if job.policy not in ("map", "source"):
        return None
    test, other = (
        _PrefetchedSource(source, job.config.prefetch, f"aligning {role}", reading)
        for role, source in job.sources.items()
    )
    if job.policy == "source":
        asked = job.config.multiplier
        cadence = find_cadence(test, other, multiplier=None if asked is None else Fraction(asked))
        log.info("%s", describe_cadence(cadence))
        return cadence
    rates = job.sources["ref"].info.rate, job.test.info.rate
    found = align(test, other, rate=rates[0] / rates[1] if rates[0] and rates[1] else None)
    for line in describe(found):
        log.info("%s", line)
    return found


@dataclass(frozen=True)
class _PrefetchedSource:
    """A source that is decoded ahead each time it is iterated."""

    source: Source
    depth: int
    what: str
    reading: WrapDecoding

    def __iter__(self) -> Iterator[Frames]:
        return iter(self.reading(prefetch(self.source, self.depth), self.source, self.what))


def pairs_of(job: OpenJob, done: int, found: TimeMap) -> Iterator[Pairs]:
    """The pairs of a job from row ``done`` on, doing as little as possible for the rows before it.

    Every source is read to the end of what was asked for, so that it knows what it holds; what no
    pair needs is decoded and not embedded.
    """
    inputs = _Inputs(job)
    pairs: Iterator[Pairs] = (
        replace(each, window=job.config.window) for each in _made(job, inputs, done, found)
    )
    if job.register is not None:
        pairs = register_pairs(
            pairs, job.register, None if job.embedder is None else job.embedder.embed
        )
    yield from pairs
    inputs.drain()


class _Inputs:
    """The streams of a job's sources: frames with their features."""

    def __init__(self, job: OpenJob) -> None:
        self._job = job
        self._decoded: list[Iterator[Frames]] = []
        self._lead = LeadingTest(job.test, job.config.prefetch)

    def stream(self, role: str, skip: int = 0, wanted: Int64 | None = None) -> Stream:
        """Frames of a source from a row on, or those of some ordinals."""
        job = self._job
        decoded = self._decode(role)
        if job.config.mode == "score" and job.policy == "row":
            decoded = job.check.watch(role, decoded)
        self._decoded.append(decoded)
        # Registered frames are embedded afterwards; with a lag they are partners too.
        embedder = (
            None
            if job.register is not None and role == "test" and len(job.sources) > 1
            else job.embedder
        )
        for frames in skip_rows(decoded, skip) if wanted is None else pick(decoded, wanted):
            moved = frames if job.device == "cpu" else frames.to(job.device)
            yield moved, None if embedder is None else embedder.embed(moved)

    def _decode(self, role: str) -> Iterator[Frames]:
        job, depth = self._job, self._job.config.prefetch
        if role == "test":
            return iter(self._lead)
        if role == "ref" and _follows(job):
            return follow_clock(job.sources[role], self._lead, depth, job.shift or 0)
        return prefetch(job.sources[role], depth)

    def drain(self) -> None:
        """Read what is left."""
        for decoded in self._decoded:
            for _ in decoded:
                pass


def _made(job: OpenJob, inputs: _Inputs, done: int, found: TimeMap) -> Iterator[Pairs]:
    match job.policy:
        case "lag":
            first = max(0, done - job.lag)
            return skip_rows(with_lag(inputs.stream("test", first), job.lag), done - first)
        case "golden":
            return _with_golden(job, inputs, done)
        case "neighbours" if job.config.multiplier is not None:
            return _between_originals(inputs, done, int(job.config.multiplier))
        case "neighbours":
            first = max(0, done - 1)
            test, beside = tee_stream(inputs.stream("test", first))
            return skip_rows(with_places(test, beside, places_among(first), first), done - first)
        case "source" if isinstance(found, Cadence):
            first = int(min((row for row in found.before[done:] if row >= 0), default=0))
            places = places_in(found, done)
            return with_places(
                inputs.stream("test", done), inputs.stream("source", first), places, first
            )
    if job.plan.needs_neighbours or job.config.multiplier is not None:
        return _with_neighbours(job, inputs, done, found)
    return _with_reference(job, inputs, done, found)


def _with_golden(job: OpenJob, inputs: _Inputs, done: int) -> Iterator[Pairs]:
    try:
        frames, features = next(inputs.stream("golden"))
    except UsageError as error:
        golden = job.sources["golden"]
        raise UsageError(
            f"golden is {job.config.golden}, but {golden.info.path} has {golden.counts.seen}"
            f" frames: give a number from 0 to {golden.counts.seen - 1}"
        ) from error
    if frames.status[0] == Status.UNREADABLE:
        raise SourceError(
            f"the golden frame of {job.sources['golden'].info.path} cannot be decoded: choose"
            " another"
        )
    return with_golden(
        inputs.stream("test", done), (frames[:1], None if features is None else features[:1])
    )


def _with_reference(job: OpenJob, inputs: _Inputs, done: int, found: TimeMap) -> Iterator[Pairs]:
    if isinstance(found, Pairing):
        partners = found.ref_index[done:]
        return with_map(
            inputs.stream("test", done), inputs.stream("ref", wanted=partners), partners
        )
    first = done + (job.shift or 0)
    return with_shift(inputs.stream("test", done), inputs.stream("ref", max(0, first)), -first)


def _with_neighbours(job: OpenJob, inputs: _Inputs, done: int, found: TimeMap) -> Iterator[Pairs]:
    """The same pairs with the reference frames around them, all named by their decode ordinals."""
    step, multiplier = job.config.step, job.config.multiplier
    reach = step if multiplier is None else int(multiplier)
    first = done + (job.shift or 0)
    if isinstance(found, Pairing):
        partners = found.ref_index[done:]
        near = np.unique(partners[partners >= 0])[:, None] + np.arange(-reach, reach + 1)
        ref = inputs.stream("ref", wanted=np.unique(near))
        ordinals: Iterator[int] = iter(partners.tolist())
    else:
        skip = max(0, first - reach)
        ref, ordinal = _first_ordinal(inputs.stream("ref", skip))
        ordinals = count(ordinal + (first - skip) * step, step)
    places = (
        places_beside(ordinals, step) if multiplier is None else places_held_out(ordinals, reach)
    )
    return with_places(inputs.stream("test", done), ref, places, by_ordinal=True)


def _between_originals(inputs: _Inputs, done: int, multiplier: int) -> Iterator[Pairs]:
    """Every synthesised frame of a sequence with the originals around it, of which every so many
    frames is one."""
    first = max(0, done - multiplier)
    stream, ordinal = _first_ordinal(inputs.stream("test", first))
    test, originals = tee_stream(stream)
    places = places_held_out(count(ordinal), multiplier, truth=False)
    return skip_rows(with_places(test, originals, places, by_ordinal=True), done - first)


def _first_ordinal(stream: Stream) -> tuple[Stream, int]:
    """A stream and the decode ordinal of its first frame; 0 where it has none."""
    batch = next(stream, None)
    return (iter(()), 0) if batch is None else (chain([batch], stream), int(batch[0].index[0]))


def _follows(job: OpenJob) -> bool:
    """Whether the reference takes its frames from the test's instead of its own start and stop."""
    chosen = job.test.selection
    if job.policy == "shift":
        return chosen.timed or chosen.stop is not None
    return job.policy == "row" and chosen.timed

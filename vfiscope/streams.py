"""From a job to its stream of pairs: which test frame is compared with what."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import count, tee

import torch

from vfiscope.align import register_pairs
from vfiscope.errors import SourceError
from vfiscope.job import Job
from vfiscope.pairing import (
    Stream,
    align,
    describe,
    describe_cadence,
    find_cadence,
    pick,
    places_among,
    places_beside,
    places_held_out,
    places_in,
    skip_rows,
    with_golden,
    with_lag,
    with_map,
    with_places,
    with_shift,
)
from vfiscope.sources import Source, prefetch
from vfiscope.types import Cadence, Frames, Int64, Pairing, Pairs, SourceInfo, Status

__all__ = ["Found", "Reading", "find_map", "pairs_of"]

log = logging.getLogger("vfiscope")

Reading = Callable[[Iterable[Frames], SourceInfo, str], Iterable[Frames]]
"""Wraps each pass that an alignment makes over a source: (frames, the source's info, what is done)."""
Found = Pairing | Cadence | None
"""What was found out about the places of the test frames before they are scored."""


def find_map(job: Job, reading: Reading) -> Found:
    """The map from test to reference frames, or the cadence in the source, where one is to be found."""
    if job.policy not in ("map", "source"):
        return None
    test, other = (
        _Again(source, job.config.prefetch, f"aligning {role}", reading) for role, source in job.sources.items()
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
class _Again:
    """A source that is decoded ahead each time it is iterated."""

    source: Source
    depth: int
    what: str
    reading: Reading

    def __iter__(self) -> Iterator[Frames]:
        return iter(self.reading(prefetch(self.source, self.depth), self.source.info, self.what))


def pairs_of(job: Job, done: int, found: Found) -> Iterator[Pairs]:
    """The pairs of a job from row ``done`` on, doing as little as possible for the rows before it."""
    made = (replace(pairs, window=job.config.window) for pairs in _made(job, done, found))
    if job.register is None:
        return made
    return register_pairs(made, job.register, None if job.embedder is None else job.embedder.embed)


def _made(job: Job, done: int, found: Found) -> Iterator[Pairs]:
    match job.policy:
        case "lag":
            first = max(0, done - job.lag)
            return skip_rows(with_lag(_stream(job, "test", first), job.lag), done - first)
        case "golden":
            return _with_golden(job, done)
        case "neighbours":
            first = max(0, done - 1)
            test, beside = tee(_stream(job, "test", first))
            return skip_rows(with_places(test, beside, places_among(first), first), done - first)
        case "source" if isinstance(found, Cadence):
            first = int(min((row for row in found.before[done:] if row >= 0), default=0))
            return with_places(_stream(job, "test", done), _stream(job, "source", first), places_in(found, done), first)
    if job.plan.needs_neighbours or job.config.multiplier is not None:
        return _with_neighbours(job, done, found)
    return _with_reference(job, done, found)


def _with_golden(job: Job, done: int) -> Iterator[Pairs]:
    frames, features = next(_stream(job, "golden", 0))
    if frames.status[0] == Status.UNREADABLE:
        raise SourceError(f"the golden frame of {job.sources['golden'].info.path} cannot be decoded: choose another")
    return with_golden(_stream(job, "test", done), (frames[:1], None if features is None else features[:1]))


def _with_reference(job: Job, done: int, found: Found) -> Iterator[Pairs]:
    if isinstance(found, Pairing):
        partners = found.ref_index[done:]
        return with_map(_stream(job, "test", done), _stream(job, "ref", wanted=partners), partners)
    first = done + _shift(job)
    return with_shift(_stream(job, "test", done), _stream(job, "ref", max(0, first)), -first)


def _with_neighbours(job: Job, done: int, found: Found) -> Iterator[Pairs]:
    """The same pairs with the reference frames around them; by ordinals where a map names these."""
    first = done + _shift(job)
    partners: Iterator[int] = count(first)
    every = 1
    if mapped := isinstance(found, Pairing):
        partners, first, every = iter(found.ref_index[done:].tolist()), 0, job.config.step
    if job.config.multiplier is None:
        places, reach = places_beside(partners, every), every
    else:
        reach = int(job.config.multiplier) * every
        places = places_held_out(partners, reach)
    first = max(0, first - reach)
    ref = _stream(job, "ref", 0 if mapped else first)
    return with_places(_stream(job, "test", done), ref, places, first, by_ordinal=mapped)


def _shift(job: Job) -> int:
    return job.config.align if isinstance(job.config.align, int) else 0


def _stream(job: Job, role: str, skip: int = 0, wanted: Int64 | None = None) -> Stream:
    """Frames of a source with their features: from a row on, or those of some ordinals."""
    decoded: Iterator[Frames] = prefetch(job.sources[role], job.config.prefetch)
    if job.config.mode == "score" and job.policy == "row":
        decoded = job.check.watch(role, decoded)
    # Registered frames are embedded afterwards; with a lag they are partners too.
    embedder = None if job.register is not None and role == "test" and len(job.sources) > 1 else job.embedder
    for frames in skip_rows(decoded, skip) if wanted is None else pick(decoded, wanted):
        moved = _to_device(frames, job.device)
        yield moved, None if embedder is None else embedder.embed(moved)


def _to_device(frames: Frames, device: torch.device) -> Frames:
    if device.type == "cpu":
        return frames
    data = frames.data.to(device, non_blocking=True)
    return Frames(data, frames.index, frames.pts, frames.time_s, frames.status, frames.time_base, frames.bit_depth)

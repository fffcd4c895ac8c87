"""The only composition: a configuration in, a run out.

::

    sources -> prefetch -> embed -> pairs -> scores -> part files -> flags -> one HDF5 file
"""

from __future__ import annotations

import logging
import platform
import shutil
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from vfiscope import align as spatial
from vfiscope import config as defaults
from vfiscope.config import RunConfig
from vfiscope.embed import Embedder, choose, open_embedder, resolve_device
from vfiscope.errors import SourceError, StoreError
from vfiscope.flags import flag, parse_rule
from vfiscope.inputs import Stamp, accounted, changed, check_out, disagreements, identity, open_inputs, stamp
from vfiscope.pairing import (
    ShiftCheck,
    Stream,
    align,
    describe,
    pick,
    shifted,
    skip_rows,
    summarize,
    with_golden,
    with_lag,
    with_map,
    with_reference,
    with_shift,
)
from vfiscope.scoring import Plan, score_pairs
from vfiscope.sources import Source, prefetch
from vfiscope.store import Header, Run, Writer
from vfiscope.types import Frames, FrameTable, Int64, Pairing, Pairs, Registrations, Scores, SourceInfo, Status, Verdict

__all__ = ["Watch", "is_done", "run"]

log = logging.getLogger("vfiscope")

Watch = Callable[[Iterable[Scores], SourceInfo, int], Iterable[Scores]]
"""Wraps the stream of scores, as a progress bar does: (scores, the test's info, rows done before)."""

DAMAGE = {
    "corrupt": "corrupt frames",
    "unreadable": "unreadable frames",
    "undecodable": "undecodable frames",
    "broken": "damaged packets",
    "short": "frames at the end, by the claimed duration, are missing",
    "lost": "packets without a frame",
    "hidden": "frames marked as not to be shown, though not at an end,",
}
"""{count of a source: what it counts}"""

PACKAGES = ("vfiscope", "av", "h5py", "kornia", "numba", "numpy", "opencv-python-headless", "timm", "torch")


@dataclass(frozen=True)
class _Job:
    """A configuration with everything in it opened and chosen."""

    config: RunConfig
    plan: Plan
    sources: dict[str, Source]
    """By role, in the order test, ref or golden."""
    embedder: Embedder | None
    device: torch.device
    register: spatial.Register | None
    """How test frames are brought onto their partners; None where they are taken as they are."""
    header: Header
    stamps: dict[str, Stamp]
    """Of the files of every source, before they were read."""
    check: ShiftCheck

    @property
    def test(self) -> Source:
        return self.sources["test"]

    @property
    def lag(self) -> int:
        return self.config.lag or 1


def run(config: RunConfig, *, watch: Watch | None = None) -> Run:
    """Do what a configuration says and open the result.

    Without ``config.out`` the result lives in a temporary folder for as long as the returned run.

    Raises:
        VfiscopeError: an input, an option, the embedder or the output cannot be used. Nothing is left behind, but for
            finished parts of the work, which the same call picks up again.
    """
    if config.out is not None:
        return Run(_produce(config, watch))
    owned = Path(tempfile.mkdtemp(prefix="vfiscope-"))
    try:
        path = _produce(config.replace(out=str(owned / f"{config.mode}.h5")), watch)
    except BaseException:
        shutil.rmtree(owned)
        raise
    return Run(path, owns=owned)


def is_done(config: RunConfig) -> bool:
    """Whether ``config.out`` holds a finished run of these very inputs and settings."""
    if config.out is None or not Path(config.out).is_file():
        return False
    try:
        with Run(config.out) as found:
            done = Header.of_run(found)
    except StoreError:
        return False
    with ExitStack() as stack:
        return not _open_job(config, stack).header.differences(done)


def _produce(config: RunConfig, watch: Watch | None) -> Path:
    with ExitStack() as stack:
        return _write(_open_job(config, stack), watch or (lambda scores, _info, _done: scores))


def _open_job(config: RunConfig, stack: ExitStack) -> _Job:
    plan = Plan.of(config.metrics, config.maps, config.fields)
    _check_rules(config, plan)
    device = resolve_device(config.device)
    choose(config.embedder, config.weights)
    sources = open_inputs(config, stack)
    check_out(config.out, sources, config.weights, config.register_weights)
    stamps = {role: stamp(source) for role, source in sources.items()}
    embedder = _open_embedder(config, device) if plan.needs_features else None
    register = _open_register(config, device)
    header = _header(config, plan, sources, embedder, device)
    return _Job(config, plan, sources, embedder, device, register, header, stamps, ShiftCheck())


def _check_rules(config: RunConfig, plan: Plan) -> None:
    """Refuse a rule that cannot work before a frame is decoded for it."""
    specs = {name: metric.spec for name, metric in plan.metrics.items()}
    for text in config.flag:
        parse_rule(text, specs=specs).check_marks_frames()
    for text in config.fail_on:
        parse_rule(text, specs=specs)


def _open_embedder(config: RunConfig, device: torch.device) -> Embedder:
    name, _ = choose(config.embedder, config.weights)
    return open_embedder(name, weights=config.weights, size=config.size, pool=config.pool, device=device)


def _open_register(config: RunConfig, device: torch.device) -> spatial.Register | None:
    if config.register == "none":
        return None
    return spatial.open_register(config.register, weights=config.register_weights, device=device)


def _header(
    config: RunConfig, plan: Plan, sources: dict[str, Source], embedder: Embedder | None, device: torch.device
) -> Header:
    test = sources["test"]
    return Header(
        mode=config.mode,
        config={**config.to_dict(), "device": str(device)},
        sources=[identity(role, source) for role, source in sources.items()],
        embedder=None if embedder is None else embedder.describe(*test.size),
        register=None if config.register == "none" else spatial.describe(config.register, config.register_weights),
        versions=_versions(),
        metrics={name: metric.spec for name, metric in plan.metrics.items()},
        maps={name: metric.spec for name, metric in plan.maps.items()},
        fields={name: metric.spec for name, metric in plan.fields.items()},
        grids=plan.grids(test.size, None if embedder is None else embedder.grid(*test.size)),
        time_base=test.info.time_base,
    )


def _versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "unknown"
    return found


def _write(job: _Job, watch: Watch) -> Path:
    out = Path(str(job.config.out))
    began = time.monotonic()
    config = job.config
    writing = Writer(out, job.header, overwrite=config.overwrite, resume=config.resume, block=defaults.BLOCK)
    with writing as writer:
        if writer.already_finished:
            return out
        done = writer.rows_done
        if job.embedder is not None and config.embedder == "auto":
            log.info("embedder %s: %s", *choose(config.embedder, config.weights))
        if done:
            log.info("resuming %s after %d frames", out, done)
        warnings = disagreements(job.sources)
        for warning in warnings:
            log.warning("warning: %s", warning)
        found = _align(job)
        with torch.inference_mode():
            scored = score_pairs(_registered(job, _pairs(job, done, found)), job.plan, job.header.grids)
            for scores in watch(scored, job.test.info, done):
                writer.append(scores)
        table, values = writer.curves()
        segments = flag(table, values, job.header.metrics, config.flag)
        if isinstance(config.align, int):
            found = shifted(table.index, table.ref_index, config.align)
        pairing = _pairing(job, table, found)
        notes = [*_notes(job, pairing), *_refusals(writer.registrations()), *_empty(values)]
        if verdict := pairing.get("warning"):
            warnings.append(verdict)
            log.warning("warning: %s", verdict)
        seconds = time.monotonic() - began
        return writer.finish(
            segments=segments,
            sources=[accounted(stored, job.sources[stored["role"]]) for stored in job.header.sources],
            pairing=pairing,
            status="partial" if notes else "ok",
            notes=notes,
            warnings=warnings,
            timings={"seconds": seconds, "fps": (len(table) - done) / seconds},
            table=found,
        )


def _align(job: _Job) -> Pairing | None:
    """The map from test to reference frames where one is to be found."""
    if job.config.align != "auto":
        return None
    test, ref = job.sources["test"], job.sources["ref"]
    claimed = ref.info.rate / test.info.rate if ref.info.rate and test.info.rate else None
    depth = job.config.prefetch
    found = align(_Again(test, depth), _Again(ref, depth), rate=claimed)
    for line in describe(found):
        log.info("%s", line)
    return found


@dataclass(frozen=True)
class _Again:
    """A source that is decoded ahead each time it is iterated."""

    source: Source
    depth: int

    def __iter__(self) -> Iterator[Frames]:
        return prefetch(self.source, self.depth)


def _pairs(job: _Job, done: int, found: Pairing | None) -> Iterator[Pairs]:
    """The pairs of a job from row ``done`` on, doing as little as possible for the rows before it."""
    config = job.config
    if config.mode == "scan" and "golden" not in job.sources:
        first = max(0, done - job.lag)
        return skip_rows(with_lag(_stream(job, "test", first), job.lag), done - first)
    if config.mode == "scan":
        golden = next(_stream(job, "golden", 0))
        if golden[0].status[0] == Status.UNREADABLE:
            raise SourceError(
                f"the golden frame of {job.sources['golden'].info.path} cannot be decoded: choose another"
            )
        return with_golden(_stream(job, "test", done), (golden[0][:1], None if golden[1] is None else golden[1][:1]))
    if found is not None:
        partners = found.ref_index[done:]
        return with_map(_stream(job, "test", done), _stream(job, "ref", wanted=partners), partners)
    if isinstance(config.align, int):
        first = done + config.align
        return with_shift(_stream(job, "test", done), _stream(job, "ref", max(0, first)), -first)
    return with_reference(_stream(job, "test", done), _stream(job, "ref", done))


def _registered(job: _Job, pairs: Iterator[Pairs]) -> Iterator[Pairs]:
    """The pairs with every test frame brought onto its partner, where that was asked for."""
    if job.register is None:
        return pairs
    return spatial.register_pairs(pairs, job.register, None if job.embedder is None else job.embedder.embed)


def _stream(job: _Job, role: str, skip: int = 0, wanted: Int64 | None = None) -> Stream:
    """Frames of a source with their features: from a row on, or those of some ordinals."""
    decoded: Iterator[Frames] = prefetch(job.sources[role], job.config.prefetch)
    if job.config.mode == "score" and job.config.align == "none":
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


def _pairing(job: _Job, table: FrameTable, found: Pairing | None) -> dict[str, Any]:
    """How frames were paired and what was left over."""
    unpaired = int((table.ref_index < 0).sum())
    if "golden" in job.sources:
        return {"policy": "golden", "test_unpaired": unpaired, "ref_unpaired": 0}
    if job.config.mode == "scan":
        return {"policy": "lag", "lag": job.lag, "test_unpaired": unpaired, "ref_unpaired": 0}
    used = len(np.unique(table.ref_index[table.ref_index >= 0]))
    counts = {"test_unpaired": unpaired, "ref_unpaired": job.sources["ref"].counts.delivered - used}
    if found is not None:
        return {"policy": "map" if found.method == "auto" else "shift", **counts, **summarize(found)}
    warning = job.check.verdict()
    return {"policy": "row", **counts, **({} if warning is None else {"warning": warning})}


def _notes(job: _Job, pairing: dict[str, Any]) -> list[str]:
    """What makes a run partial, one sentence each; empty when it is whole."""
    notes = []
    if pairing["policy"] == "row":
        for role in ("test", "ref"):
            if count := pairing[f"{role}_unpaired"]:
                other = "reference" if role == "test" else "test"
                notes.append(f"{count} {role} frames have no partner: the {other} is shorter; try --align auto")
            if count := job.sources[role].counts.undecodable:
                notes.append(f"{role} lost {count} frames on the way: pairs after the first of them are off")
    if pairing["policy"] == "shift" and pairing["matched"] == 0:
        notes.append(f"no test frame has a partner at a shift of {job.config.align}: give another --align")
    for role, source in job.sources.items():
        for what, words in DAMAGE.items():
            if count := getattr(source.counts, what):
                notes.append(f"{count} {words} in {role} {source.info.path}")
        if source.counts.ended:  # what lies behind --stop was not asked for
            notes += [f"{role} {source.info.path}: {damage}" for damage in source.info.damage]
        notes += changed(source, job.stamps[role])
        if missing := _missing(source):
            notes.append(f"{missing} frames that {role} {source.info.path} claims are not there: it may be cut short")
    return notes


def _refusals(found: Registrations | None) -> list[str]:
    """A sentence about the frames that could not be registered, with the reasons; none where all could."""
    reasons = {v: found.count(v) for v in Verdict if v > Verdict.UNPAIRED} if found is not None else {}
    if not (count := sum(reasons.values())):
        return []
    listed = ", ".join(f"{n} {v.name.lower().replace('_', ' ')}" for v, n in reasons.items() if n)
    return [f"{count} frames could not be registered and were scored as they are ({listed})"]


def _empty(values: Mapping[str, NDArray[np.float32]]) -> list[str]:
    """A sentence for each metric that no frame has a value of: a rule about it would be met by nothing."""
    return [f"{name} is defined for no frame" for name, column in values.items() if np.isnan(column).all()]


def _missing(source: Source) -> int:
    """How many frames a video claims beyond those that its whole stream held."""
    counts, expected = source.counts, source.info.frames_expected
    if source.info.kind != "video" or expected is None or not counts.ended:
        return 0
    return max(0, expected - counts.decoded - counts.skipped - counts.undecodable)

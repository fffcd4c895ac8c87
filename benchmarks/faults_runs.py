"""Runs of vfiscope over the benchmark's clips, and their columns, read once for all reports."""

from __future__ import annotations

import pickle
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from faults_files import Entry, load_list
from faults_match import Said

import vfiscope as vs
from vfiscope.errors import VfiscopeError
from vfiscope.segments import flag
from vfiscope.segments.detectors import DETECTORS, Columns
from vfiscope.types import FrameTable, MetricSpec

RUNS, COLUMNS, FAILED = "runs", "columns.pickle", "failed.txt"
REF_METRICS = ("psnr", "ssim")
SOURCE_METRICS = ("ghosting", "warp", "repeat", "blend")


@dataclass(frozen=True, eq=False)
class Stored:
    """What a detector may see of a run."""

    frames: FrameTable
    scores: Mapping[str, np.ndarray]
    specs: Mapping[str, MetricSpec]
    signals: Mapping[str, np.ndarray]


def run_path(out: Path, entry: Entry) -> Path:
    return out / RUNS / f"{entry.file}.h5"


def scan(out: Path, signals: str, again: bool, only: str) -> int:
    """A run for each clip; those that are there stay. What vfiscope refuses is printed, and counts
    as clips of which nothing is said."""
    parts = only.split(",")
    entries = [e for e in load_list(out) if any(part in e.file for part in parts)]
    start, frames = time.process_time(), 0
    refused: dict[str, str] = {}
    for number, entry in enumerate(entries, 1):
        path = run_path(out, entry)
        if path.exists() and not again:
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            _run(out, entry, path, [name for name in signals.split(",") if name])
            frames += entry.frames
        except VfiscopeError as error:
            refused[entry.file] = str(error)
        print(f"\r{number} of {len(entries)}", end="", file=sys.stderr, flush=True)
    took = time.process_time() - start
    print(f"\n{frames} frames, {1e3 * took / max(1, frames):.1f} ms of processor time for each")
    for file, why in refused.items():
        print(f"{file}: {why}")
    known = failed(out) - {entry.file for entry in entries if run_path(out, entry).exists()}
    (out / FAILED).write_text("".join(f"{file}\n" for file in sorted(known | set(refused))))
    _save(out, stored_runs(out, load_list(out)))
    return 0


def _run(out: Path, entry: Entry, path: Path, signals: Sequence[str]) -> None:
    options: dict[str, Any] = {"out": str(path), "overwrite": True, "device": "cpu"}
    if signals:
        options["signals"] = signals
    test = str(out / entry.file)
    if entry.purpose.startswith("ref"):
        align = "auto" if entry.purpose == "ref-aligned" else "none"
        ref = str(out / entry.against)
        vs.score(test, ref=ref, align=align, metrics=REF_METRICS, **options).close()
    elif entry.purpose == "source":
        source = str(out / entry.against)
        vs.score(test, source=source, metrics=SOURCE_METRICS, **options).close()
    else:
        # The cheapest metric: detectors look at signals.
        vs.scan(test, metrics=("absdiff",), **options).close()


def stored_runs(out: Path, entries: Sequence[Entry]) -> dict[str, Stored]:
    found = {}
    for entry in entries:
        path = run_path(out, entry)
        if not path.exists():
            continue
        with vs.open_run(path) as run:
            scores = {name: np.array(run.scores[name]) for name in run.scores}
            signals = {name: np.array(run.signals[name]) for name in run.signals}
            found[entry.file] = Stored(run.frames, scores, dict(run.specs), signals)
    return found


def _save(out: Path, columns: Mapping[str, Stored]) -> None:
    with (out / COLUMNS).open("wb") as file:
        pickle.dump(columns, file)


def columns(out: Path) -> dict[str, Stored]:
    """The columns of all runs; read anew where a run is newer than what is kept."""
    path = out / COLUMNS
    newest = max((run.stat().st_mtime for run in (out / RUNS).rglob("*.h5")), default=0.0)
    if not path.exists() or path.stat().st_mtime < newest:
        _save(out, stored_runs(out, load_list(out)))
    with path.open("rb") as file:
        return dict(pickle.load(file))


def failed(out: Path) -> set[str]:
    """The clips that vfiscope would not score: nothing is said of them."""
    path = out / FAILED
    return set(path.read_text().splitlines()) if path.exists() else set()


def flagged(stored: Stored, detectors: Sequence[str] = ()) -> list[Said]:
    """The segments of a run as detectors find them now; of some detectors only."""
    if detectors:
        seen = Columns(stored.frames, stored.scores, stored.specs, stored.signals)
        asked = [DETECTORS[name] for name in detectors]
        found = [each for one in asked if one.can_read(seen) for each in one.detect(seen)]
    else:
        found = flag(stored.frames, stored.scores, stored.specs, (), stored.signals)
    return [Said(s.kind, s.start, s.stop, s.confidence, getattr(s, "evidence", "")) for s in found]

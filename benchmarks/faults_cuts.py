"""Cuts beside the tools made for them: the same clips, in one run, with what each of them costs."""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage

from faults_clips import AUDIT
from faults_files import Entry, load_list
from faults_match import Said, judged
from faults_peers import any_transition, hard_cut, lenient, segments, transitions
from faults_truth import OWN

from vfiscope import open_source

SCDET = "FFmpeg scdet"
HEAD = (
    "tool|clips read|F1 cuts|found, false|F1 cuts, dissolves, wipes, fades|found, false"
    "|joined clips: ms a frame|elapsed|whole clips: ms a frame|elapsed|start, s"
)


@dataclass
class Result:
    """What a tool said, and its processor time and elapsed time in seconds by purpose."""

    said: dict[str, list[Said]] = field(default_factory=dict)
    spent: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    elapsed: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    start: float = 0.0
    """Processor time of a process before it reads its first clip."""

    def add(self, entry: Entry, said: Sequence[Said], spent: float, elapsed: float) -> None:
        self.said[entry.file] = list(said)
        self.spent[entry.purpose] += spent
        self.elapsed[entry.purpose] += elapsed


def compare(args: argparse.Namespace) -> int:
    """Print the table, and write it where that is asked for."""
    joined = [e for e in load_list(args.out) if e.purpose == "joined" and e.half == args.half]
    entries = [*joined, *whole_clips(args.clips, args.half)]
    results: dict[str, Result] = defaultdict(Result)
    scripts = {"faults_shots.py": sys.executable, "faults_scenedetect.py": args.scenedetect}
    for script, python in scripts.items():
        if python:
            _ask([python, str(Path(__file__).with_name(script))], args.out, entries, results)
    if shutil.which(args.ffmpeg):
        for entry in entries:
            _scdet(args.ffmpeg, entry, args.out, results[SCDET])
    lines = table(entries, results)
    print("\n".join(lines))
    if args.write:
        args.write.write_text("\n".join(lines) + "\n")
    return 0


def whole_clips(folder: Path, half: str) -> Iterator[Entry]:
    """The real clips of a half with cuts or fades of their own, at their own size."""
    for name, (its_half, truths) in AUDIT.items():
        paths = sorted(folder.rglob(name))
        if its_half != half or not paths or not any(map(any_transition, truths)):
            continue
        with open_source(str(paths[0]), tonemap="none") as source:
            info = source.info
            frames, rate = info.frames_expected or 0, float(info.rate or 25)
        file = str(paths[0].resolve())
        yield Entry(file, half, name, "its own", OWN, frames, rate, truths, "clean")


def _ask(
    command: Sequence[str], out: Path, entries: Sequence[Entry], results: Mapping[str, Result]
) -> None:
    """What a script says of all clips, in one process."""
    files = {str(out / entry.file): entry for entry in entries}
    done = subprocess.run([*command, *files], capture_output=True, text=True, check=True)
    read = json.loads(done.stdout.splitlines()[-1])
    for path, tools in read["files"].items():
        for tool, found in tools.items():
            said = [Said(*segment) for segment in found["said"]]
            results[tool].add(files[path], said, found["seconds"], found["elapsed"])
            results[tool].start = read["start"]


def _scdet(ffmpeg: str, entry: Entry, out: Path, result: Result) -> None:
    """The same of FFmpeg's filter, whose process starts at once."""
    command = [ffmpeg, "-hide_banner", "-nostats", "-loglevel", "debug", "-i"]
    command += [str(out / entry.file), "-an", "-vf", "scdet", "-f", "null", "-"]
    before, began = _children(), time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=True)
    spent, elapsed = _children() - before, time.perf_counter() - began
    said = [Said(*each) for each in segments(entry, "scdet", done.stderr.splitlines())]
    result.add(entry, said, spent, elapsed)


def _children() -> float:
    used = getrusage(RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def table(entries: Sequence[Entry], results: Mapping[str, Result]) -> list[str]:
    """A line for each tool, of the clips that it can decode."""
    lines = [f"| {HEAD.replace('|', ' | ')} |", "|" + "---|" * (HEAD.count("|") + 1)]
    for tool, result in results.items():
        frames: dict[str, int] = defaultdict(int)
        for entry in entries:
            frames[entry.purpose] += entry.frames * (entry.file in result.said)
        seen = judged(entries if tool == "vfiscope" else list(map(lenient, entries)), result.said)
        cells = [tool, str(len(result.said))]
        for meant in (hard_cut, any_transition):
            tally, _ = transitions(seen, meant)
            cells += [f"{tally.f1:.2f}", f"{tally.found}/{tally.visible}, {tally.false}"]
        for purpose, count in frames.items():
            for seconds in (result.spent, result.elapsed):
                cells.append(f"{1e3 * seconds[purpose] / count:.2f}")
        lines.append(f"| {' | '.join([*cells, f'{result.start:.1f}'])} |")
    return lines

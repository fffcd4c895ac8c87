"""The same clips, seen by FFmpeg's filters and by PySceneDetect's detectors."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from faults_files import Entry, load_list
from faults_match import COUNTED, Judged, Said, Tally, judged
from faults_truth import OWN, Truth

PEERS = "peers.json"
FILTERS = {
    "FFmpeg freezedetect=d=0.1": "freezedetect=d=0.1",
    "FFmpeg blackdetect=d=0.05": "blackdetect=d=0.05",
    "FFmpeg scdet": "scdet",
    "FFmpeg mpdecimate": "mpdecimate",
}
"""{tool: filter}, at their defaults, but for a duration of 2 s at which nothing would be found.
mpdecimate drops frames, so it comes last."""
SCENES = "PySceneDetect"
AT_ONCE = 20
SCENE_PURPOSES = ("joined", "clean")


def run_peers(out: Path, ffmpeg: str, scenedetect: str) -> int:
    """What each tool says of each clip, kept in peers.json."""
    entries = [each for each in load_list(out) if each.purpose in (*COUNTED, "clean")]
    said: dict[str, dict[str, Any]] = {entry.file: {} for entry in entries}
    if shutil.which(ffmpeg):
        for number, entry in enumerate(entries, 1):
            lines = _log(ffmpeg, out / entry.file)
            for tool, chain in FILTERS.items():
                said[entry.file][tool] = segments(entry, chain.split("=")[0], lines)
            print(f"\rFFmpeg: {number} of {len(entries)}", end="", file=sys.stderr, flush=True)
    else:
        print(f"there is no {ffmpeg}: its filters are left out")
    if scenedetect:
        shown = [entry for entry in entries if entry.purpose in SCENE_PURPOSES]
        _scenes(out, shown, scenedetect, said)
    (out / PEERS).write_text(json.dumps(said))
    return 0


def _log(ffmpeg: str, path: Path) -> list[str]:
    """What all filters write while they see a clip."""
    command = [ffmpeg, "-hide_banner", "-nostats", "-threads", "1", "-loglevel", "debug"]
    command += ["-i", str(path), "-an", "-vf", ",".join(FILTERS.values()), "-f", "null", "-"]
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=True)
    return done.stderr.splitlines()


def segments(entry: Entry, name: str, lines: Sequence[str]) -> list[list[Any]]:
    """[kind, start, stop] in ordinals of frames, from the seconds in the log of a filter."""
    pts = np.array(entry.pts or range(entry.frames)) / entry.rate
    text = "\n".join(line for line in lines if re.match(rf"\[(Parsed_)?{name}", line))

    def frame(seconds: str) -> int:
        return int(np.abs(pts - float(seconds)).argmin())

    if name == "scdet":
        found = [frame(t) for t in re.findall(r"lavfi\.scd\.time: ([\d.]+)", text)]
        return [["cut", at, at + 1] for at in found]
    if name == "blackdetect":
        pairs = re.findall(r"black_start:([\d.]+) black_end:([\d.]+)", text)
        return [
            ["black", frame(start), max(frame(stop), frame(start) + 1)] for start, stop in pairs
        ]
    if name == "freezedetect":
        starts = re.findall(r"freeze_start: ([\d.]+)", text)
        stops = re.findall(r"freeze_end: ([\d.]+)", text)
        stops = [*stops, str(pts[-1] + 1)][: len(starts)]
        # It says when the frame that is held was first shown; the repeats begin one later.
        return [["freeze", frame(a) + 1, frame(b)] for a, b in zip(starts, stops, strict=True)]
    dropped = np.array([frame(t) for t in re.findall(r"drop pts:\S+ pts_time:([\d.]+)", text)])
    runs = np.split(dropped, np.flatnonzero(np.diff(dropped) != 1) + 1)
    return [
        ["duplicate" if len(run) == 1 else "freeze", int(run[0]), int(run[-1]) + 1]
        for run in runs
        if len(run)
    ]


def _scenes(
    out: Path, entries: Sequence[Entry], python: str, said: dict[str, dict[str, Any]]
) -> None:
    """Adds PySceneDetect's cuts, by a Python that has it."""
    script = str(Path(__file__).with_name("faults_scenedetect.py"))
    seconds: Counter[str] = Counter()
    frames: Counter[str] = Counter()
    for first in range(0, len(entries), AT_ONCE):
        some = {str(out / entry.file): entry for entry in entries[first : first + AT_ONCE]}
        done = subprocess.run([python, script, *some], capture_output=True, text=True, check=True)
        for path, detectors in json.loads(done.stdout.splitlines()[-1])["files"].items():
            for name, found in detectors.items():
                said[some[path].file][name] = found["said"]
                seconds[name] += found["seconds"]
                frames[name] += some[path].frames
        print(f"\r{SCENES}: {first} of {len(entries)}", end="", file=sys.stderr, flush=True)
    for name, took in seconds.items():
        print(f"\n{name}: {1e3 * took / frames[name]:.1f} ms of processor time a frame", end="")


def hard_cut(truth: Truth) -> bool:
    return truth.kind == "cut" and truth.variant != "wipe"


def any_transition(truth: Truth) -> bool:
    return truth.kind in ("cut", "fade") and not truth.optional


def peers_table(out: Path, ours: Judged) -> list[str]:
    """F1 of each kind that another tool names too; and of transitions of all sorts."""
    if not (out / PEERS).exists():
        return ["no peers.json: run peers"]
    read = json.loads((out / PEERS).read_text())
    tools = list(dict.fromkeys(tool for each in read.values() for tool in each))
    results = {"vfiscope": ours, **{tool: _judged(ours.entries, read, tool) for tool in tools}}
    lines = ["| what | tool | precision | recall | F1 | found/visible | false | false on clean |"]
    lines += ["|---|---|---|---|---|---|---|---|"]
    for kind, names in (
        ("duplicate", "mpdecimate"),
        ("freeze", "freezedetect mpdecimate"),
        ("black", "blackdetect"),
    ):
        for tool, result in results.items():
            if tool == "vfiscope" or any(name in tool for name in names.split()):
                lines.append(_row(kind, tool, *_kind(result, kind)))
    for what, meant in (("cuts", hard_cut), ("cuts, dissolves, wipes, fades", any_transition)):
        for tool, result in results.items():
            if tool == "vfiscope" or "scdet" in tool or SCENES in tool:
                lines.append(_row(what, tool, *transitions(result, meant)))
    return lines


def _judged(entries: Sequence[Entry], read: Mapping[str, Any], tool: str) -> Judged:
    said = {
        entry.file: [Said(*segment) for segment in read[entry.file][tool]]
        for entry in entries
        if tool in read.get(entry.file, {})
    }
    return judged([lenient(entry) for entry in entries], said)


def lenient(entry: Entry) -> Entry:
    """For tools with few words: a fade may be called a cut, and repeats of a cadence repeats."""
    truths = [
        replace(truth, also=(*truth.also, "cut")) if truth.kind == "fade" else truth
        for truth in entry.truths
    ]
    repeats = [
        replace(truth, kind="duplicate", also=("freeze",), optional=True)
        for truth in entry.truths
        if truth.kind == "cadence"
    ]
    return replace(entry, truths=[*truths, *repeats])


def _kind(result: Judged, kind: str) -> tuple[Tally, int]:
    counted = result.tallies(*COUNTED).items()
    tally = sum((each for (k, s), each in counted if k == kind and s != OWN), Tally())
    clean = sum(said.kind == kind for _, v in result.of("clean") for said in v.false)
    return tally, clean


def transitions(result: Judged, meant: Callable[[Truth], bool]) -> tuple[Tally, int]:
    """Of the joined clips, and those that clips have themselves. A cut that is said of another
    transition is neither right nor wrong where hard cuts are counted."""
    tally = Tally()
    kinds = ("cut",) if meant is hard_cut else ("cut", "fade")
    for _, found in result.of(*SCENE_PURPOSES):
        tally.found += sum(meant(truth) for truth, _ in found.pairs)
        tally.missed += sum(meant(truth) for truth in found.missed)
        tally.false += sum(said.kind in kinds for said in found.false)
    return tally, sum(said.kind in kinds for _, v in result.of("clean") for said in v.false)


def _row(what: str, tool: str, tally: Tally, clean: int) -> str:
    shares = [f"{value:.2f}" for value in (tally.precision, tally.recall, tally.f1)]
    cells = [what, tool, *shares, f"{tally.found}/{tally.visible}", tally.false, clean]
    return f"| {' | '.join(map(str, cells))} |".replace("nan", "")

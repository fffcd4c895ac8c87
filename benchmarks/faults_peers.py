"""The same clips, seen by FFmpeg's filters and by PySceneDetect's detectors."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from faults_files import Entry, load_list
from faults_match import COUNTED, Judged, Said, Tally, judged
from faults_truth import OWN

PEERS = "peers.json"
FILTERS = {
    "FFmpeg freezedetect": ("freeze", "freezedetect"),
    "FFmpeg freezedetect, d=0.1": ("freeze", "freezedetect=d=0.1"),
    "FFmpeg mpdecimate": ("duplicate", "mpdecimate"),
    "FFmpeg blackdetect": ("black", "blackdetect"),
    "FFmpeg blackdetect, d=0.05": ("black", "blackdetect=d=0.05"),
    "FFmpeg scdet": ("cut", "scdet"),
}
"""{tool: (kind that it names, filter)}; defaults, and shorter durations where those are 2 s."""
SCENE_KINDS = {"ThresholdDetector": "fade"}
"""The others name cuts."""
AT_ONCE = 20
TRANSITIONS = ("cut", "fade")


def run_peers(out: Path, ffmpeg: str, scenedetect: str) -> int:
    """What each tool says of each clip, kept in peers.json."""
    entries = [each for each in load_list(out) if each.purpose in (*COUNTED, "clean")]
    said: dict[str, dict[str, Any]] = {entry.file: {} for entry in entries}
    if shutil.which(ffmpeg):
        for number, entry in enumerate(entries, 1):
            for tool, (kind, chain) in FILTERS.items():
                lines = _ffmpeg(ffmpeg, out / entry.file, chain)
                said[entry.file][tool] = _segments(entry, kind, chain, lines)
            print(f"\rFFmpeg: {number} of {len(entries)}", end="", file=sys.stderr, flush=True)
    else:
        print(f"there is no {ffmpeg}: its filters are left out")
    if scenedetect:
        _scenes(out, entries, scenedetect, said)
    (out / PEERS).write_text(json.dumps(said))
    return 0


def _ffmpeg(ffmpeg: str, path: Path, chain: str) -> list[str]:
    """The log of a filter."""
    command = [ffmpeg, "-hide_banner", "-nostats", "-threads", "1", "-loglevel"]
    command += ["debug" if "mpdecimate" in chain else "info", "-i", str(path), "-an"]
    command += ["-vf", chain, "-f", "null", "-"]
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
    return done.stderr.splitlines()


def _segments(entry: Entry, kind: str, chain: str, lines: Sequence[str]) -> list[list[Any]]:
    """[kind, start, stop] in ordinals of frames, from the seconds in the log."""
    pts = np.array(entry.pts or range(entry.frames)) / entry.rate

    def frame(seconds: str) -> int:
        return int(np.abs(pts - float(seconds)).argmin())

    text = "\n".join(lines)
    if chain.startswith("scdet"):
        found = [frame(t) for t in re.findall(r"lavfi\.scd\.time: ([\d.]+)", text)]
        return [[kind, at, at + 1] for at in found]
    if chain.startswith("blackdetect"):
        pairs = re.findall(r"black_start:([\d.]+) black_end:([\d.]+)", text)
        return [[kind, frame(start), frame(stop)] for start, stop in pairs]
    if chain.startswith("freezedetect"):
        starts = re.findall(r"freeze_start: ([\d.]+)", text)
        stops = re.findall(r"freeze_end: ([\d.]+)", text)
        stops = [*stops, str(pts[-1] + 1)][: len(starts)]
        # It says when the frame that is held was first shown; the repeats begin one later.
        return [[kind, frame(a) + 1, frame(b)] for a, b in zip(starts, stops, strict=True)]
    dropped = [frame(t) for t in re.findall(r"drop pts:\S+ pts_time:([\d.]+)", text)]
    runs = np.split(np.array(dropped), np.flatnonzero(np.diff(dropped) != 1) + 1)
    return [
        ["duplicate" if len(run) == 1 else "freeze", int(run[0]), int(run[-1]) + 1]
        for run in runs
        if len(run)
    ]


def _scenes(
    out: Path, entries: Sequence[Entry], python: str, said: dict[str, dict[str, Any]]
) -> None:
    """Adds PySceneDetect's cuts."""
    script = str(Path(__file__).with_name("faults_scenedetect.py"))
    for first in range(0, len(entries), AT_ONCE):
        some = {str(out / entry.file): entry for entry in entries[first : first + AT_ONCE]}
        done = subprocess.run([python, script, *some], capture_output=True, text=True, check=True)
        for path, detectors in json.loads(done.stdout.splitlines()[-1]).items():
            for name, found in detectors.items():
                kind = SCENE_KINDS.get(name, "cut")
                segments = [[kind, at, at + 1] for at in found["cuts"]]
                said[some[path].file][f"PySceneDetect {name}"] = segments
        print(f"\rPySceneDetect: {first} of {len(entries)}", end="", file=sys.stderr, flush=True)


def peers_table(out: Path, ours: Judged) -> list[str]:
    """F1 of each kind that another tool names; and of transitions of all sorts."""
    if not (out / PEERS).exists():
        return ["no peers.json: run peers"]
    read = json.loads((out / PEERS).read_text())
    tools = list(dict.fromkeys(tool for each in read.values() for tool in each))
    theirs = {tool: _judged(ours.entries, read, tool) for tool in tools}
    lines = ["| kind | tool | precision | recall | F1 | found/visible | false | false on clean |"]
    lines += ["|---|---|---|---|---|---|---|---|"]
    for kind in ("duplicate", "freeze", "black", "fade"):
        for tool, result in {"vfiscope": ours, **theirs}.items():
            if tool == "vfiscope" or _names(read, tool, kind):
                lines.append(_row(kind, tool, *_kind(result, kind)))
    for tool, result in {"vfiscope": ours, **theirs}.items():
        if tool == "vfiscope" or _names(read, tool, "cut") or _names(read, tool, "fade"):
            lines.append(_row("cuts", tool, *_transitions(result, ("cut",))))
    for tool, result in {"vfiscope": ours, **theirs}.items():
        if tool == "vfiscope" or _names(read, tool, "cut") or _names(read, tool, "fade"):
            lines.append(_row("cuts, dissolves, wipes", tool, *_transitions(result, TRANSITIONS)))
    return lines


def _judged(entries: Sequence[Entry], read: Mapping[str, Any], tool: str) -> Judged:
    said = {
        entry.file: [Said(*segment) for segment in read[entry.file][tool]]
        for entry in entries
        if tool in read.get(entry.file, {})
    }
    return judged(entries, said)


def _names(read: Mapping[str, Any], tool: str, kind: str) -> bool:
    return any(seg[0] == kind for each in read.values() for seg in each.get(tool, []))


def _kind(result: Judged, kind: str) -> tuple[Tally, int]:
    counted = result.tallies(*COUNTED).items()
    tally = sum((each for (k, s), each in counted if k == kind and s != OWN), Tally())
    clean = sum(said.kind == kind for _, v in result.of("clean") for said in v.false)
    return tally, clean


def _transitions(result: Judged, kinds: Sequence[str]) -> tuple[Tally, int]:
    """Of the joined clips, and the cuts and dissolves that clips have themselves: those that a
    cut detector can name, or (kinds) only hard cuts."""
    tally = Tally()
    for _, found in result.of("joined", "clean"):
        for truth in [truth for truth, _ in found.pairs]:
            tally.found += _is_transition(truth.kind, truth.variant, truth.also, kinds)
        for truth in found.missed:
            tally.missed += _is_transition(truth.kind, truth.variant, truth.also, kinds)
        tally.false += sum(said.kind in kinds for said in found.false)
    return tally, sum(said.kind in kinds for _, v in result.of("clean") for said in v.false)


def _is_transition(kind: str, variant: str, also: Sequence[str], kinds: Sequence[str]) -> bool:
    if len(kinds) == 1:
        return kind == "cut" and variant != "wipe"
    return "cut" in (kind, *also)


def _row(kind: str, tool: str, tally: Tally, clean: int) -> str:
    shares = [f"{value:.2f}" for value in (tally.precision, tally.recall, tally.f1)]
    cells = [kind, tool, *shares, f"{tally.found}/{tally.visible}", tally.false, clean]
    return f"| {' | '.join(map(str, cells))} |".replace("nan", "")

"""Mutated files: does a flipped bit, a missing end or a pipe in the place of a file crash, hang,
take memory, or go unreported?

``python benchmarks/mutations.py [--files 1000] [--seed 0] [--only KIND]`` makes small clips and
images in many formats (and takes small real ones where available), a folder of images, results,
one of them with regions, unfinished work, the folder of a batch, job files, a file of options and
checkpoints. Copies are damaged and passed to a worker process that uses them as the command line
does. Outcomes:

ok            whole, with the content of the clean file
partial       read, and the run reports that something is wrong
refused       one line of error
crash, hang   a traceback, or the process died; it took more than 20 s
memory        it took more than 2 GB
left behind   the same command ended well and left unfinished work
unsaid count  the run reports ok, but frames, rows or names are missing or too many
unsaid        the run reports ok, but values differ: formats without checksums (BMP, TIFF, WebP,
              JPEG, the payloads of most video codecs outside Matroska, HDF5, safetensors, texts)
              cannot tell
raw           lines on stderr that are none of vfiscope's own, from a library

Exits with 1 after any crash, hang, memory, left behind, unsaid count, or unsaid in images with
checksums and resumed work.
"""

from __future__ import annotations

import argparse
import json
import os
import select
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
from mutation_checks import CHECKS, MAX_BYTES, work
from mutation_originals import Original, damage, originals

LIMIT_S = 20
FILES_PER_WORKER = 60
BAD = ("crash", "hang", "memory", "left behind", "unsaid count", "unsaid, checked")
CHECKED = ("a.png", "image.png", "images", "work")
"""Every byte of these that counts has a checksum."""
COUNTLESS = ("jobs.jsonl", "jobs.csv")
"""A cut between two lines leaves a valid file of fewer jobs."""


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--files", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", choices=tuple(CHECKS))
    parser.add_argument("--work", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # this vfiscope, not another
    if given.work:
        answers = os.fdopen(os.dup(1), "w")
        return work(sys.stdin, answers)
    with tempfile.TemporaryDirectory(prefix="vfiscope-mutations-") as folder:
        clean = [each for each in originals(Path(folder)) if given.only in (None, each.kind)]
        return report(run(clean, Path(folder), given.files, given.seed))


def order(clean: list[Original], files: int) -> list[Original]:
    """Media and other kinds in turns, all kinds equally often."""
    media = [each for each in clean if each.kind == "medium"]
    kinds: dict[str, list[Original]] = {}
    for each in clean:
        kinds.setdefault(each.kind, []).append(each)
    others = [found for kind, found in kinds.items() if kind != "medium"]
    chosen = []
    for number in range(files):
        turn = number // 2 if media and others else number
        if media and (not others or number % 2 == 0):
            chosen.append(media[turn % len(media)])
        else:
            kind = others[turn % len(others)]
            chosen.append(kind[turn // len(others) % len(kind)])
    return chosen


def run(clean: list[Original], folder: Path, files: int, seed: int) -> Counter[tuple[str, ...]]:
    """{(outcome, mutation, name of the original): how often}"""
    rng = np.random.default_rng(seed)
    outcomes: Counter[tuple[str, ...]] = Counter()
    worker = Worker()
    answers = {each: worker.ask(each.kind, _copied(each, folder)) for each in clean}
    for each, answer in answers.items():
        assert answer["status"] == "ok", (each, answer)
    for number, each in enumerate(order(clean, files)):
        path = folder / f"mutated-{number}{each.path.suffix}"
        what = damage(each.path, path, rng)
        answer = worker.ask(each.kind, path)
        outcome = judge(answer, answers[each], each.path.name)
        if outcome == "unsaid count" and _is_shorter_recording(what, path):
            outcome = "unsaid"
        outcomes[outcome, what, each.path.name] += 1
        if answer.get("raw"):
            outcomes["raw", what, each.path.name] += 1
        if outcome in BAD:
            print(
                f"{outcome}: {what} of {each.path.name}, file {number}: {answer.get('why')}",
                flush=True,
            )
        _remove(path)
    worker.end()
    return outcomes


def _is_shorter_recording(what: str, path: Path) -> bool:
    """True for MPEG-TS cut between two of its packets, which has neither a length nor an end."""
    from vfiscope.sources.video.transport_stream import TS_PACKET

    return what == "cut" and path.suffix == ".ts" and path.stat().st_size % TS_PACKET == 0


def _copied(each: Original, folder: Path) -> Path:
    path = folder / f"clean-{each.path.name}"
    if each.path.is_dir():
        return Path(shutil.copytree(each.path, path))
    return Path(shutil.copy(each.path, path))


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink()


def judge(answer: dict[str, Any], clean: dict[str, Any], name: str) -> str:
    if answer.get("peak", 0) > 2 * MAX_BYTES:
        return "memory"
    if answer["status"] != "ok":
        return str(answer["status"])
    found, expected = answer["content"], clean["content"]
    if found == expected or answer.get("lines", 0) > clean.get("lines", 0):
        return "ok"
    shape = isinstance(expected[0], list)
    different = found[0] != expected[0] if shape else len(found) != len(expected)
    if different and name not in COUNTLESS and not name.endswith((".toml", ".json")):
        return "unsaid count"
    return "unsaid, checked" if name in CHECKED else "unsaid"


class Worker:
    """A process that uses one file after the other; started anew after a number of files, a crash
    or a hang."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None
        self._asked = 0

    def ask(self, kind: str, path: Path) -> dict[str, Any]:
        if self._process is None or self._asked >= FILES_PER_WORKER:
            self.end()
            self._process = subprocess.Popen(
                [sys.executable, __file__, "--work"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
            )
            self._asked = 0
            self._ready(120)
        self._asked += 1
        process = self._process
        assert process.stdin is not None
        process.stdin.write(f"{json.dumps([kind, str(path)])}\n")
        process.stdin.flush()
        return self._ready(LIMIT_S)

    def _ready(self, limit: float) -> dict[str, Any]:
        assert self._process is not None
        assert self._process.stdout is not None
        if not select.select([self._process.stdout], [], [], limit)[0]:
            self._process.kill()
            self._process.communicate()
            self._process = None
            return {"status": "hang"}
        line = self._process.stdout.readline()
        if not line:
            self._process = None
            return {"status": "crash", "why": "the process died"}
        answer: dict[str, Any] = json.loads(line)
        return answer

    def end(self) -> None:
        if self._process is not None:
            self._process.communicate()
            self._process = None


def report(outcomes: Counter[tuple[str, ...]]) -> int:
    total: Counter[str] = Counter()
    others: Counter[str] = Counter()
    for (outcome, what, name), count in outcomes.items():
        total[outcome] += count
        if outcome not in ("ok", "partial", "refused"):
            others[f"{outcome}, {what} of {name}"] += count
    raw = total.pop("raw", 0)
    print(
        f"{sum(total.values())} files: "
        + ", ".join(f"{name} {count}" for name, count in total.most_common())
        + f"; raw lines beside {raw}"
    )
    for what, count in others.most_common():
        print(f"  {what}: {count}")
    return 1 if any(total[name] for name in BAD) else 0


if __name__ == "__main__":
    sys.exit(main())

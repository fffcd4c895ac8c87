"""Time to replace the segments of a large run, and the state that a kill at any moment leaves.

    python benchmarks/amend.py [GIGABYTES]     time, beside a full copy of the same file
    python benchmarks/amend.py kills [COUNT]   SIGKILLs at random moments

The run is made by the script: maps of random numbers. A killed run must hold the old or the new
segments, and every other bit of it must be unchanged. Exits with 1 otherwise.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from fractions import Fraction
from pathlib import Path

import h5py
import numpy as np

from vfiscope.store import Ending, Header, Run, Table, Writer, amend, differences
from vfiscope.types import FrameTable, MetricSpec, Scores, Segment

GRID = (256, 256)
BATCH_ROWS = 64
STATES = (0, 40)
"""Segments that are stored in turn."""
SPEC = MetricSpec("psnr", "dB", 0.0, float("inf"), False, float("inf"), 0.5, "made up")


def segments(count: int) -> list[Segment]:
    return [
        Segment(k, k + 1, "low_score", "psnr", 20.0, k, 0.5, k / 25, (k + 1) / 25)
        for k in range(count)
    ]


def store(path: Path, count: int) -> None:
    table = Table(Segment, segments(count))
    amend(path, "segments", 1, {"rules": [f"psnr < {count}"]}, {"segments": table})


def make(path: Path, gigabytes: float) -> None:
    """A run of about that size, with a map that is stored without compression, as that takes
    minutes."""
    rows = max(1, int(gigabytes * 2**30 / (2 * GRID[0] * GRID[1])))
    noise = np.random.default_rng(1)
    header = Header(
        mode="score",
        config={"flag": []},
        sources=[{"role": "test", "path": "/made/up.mp4"}],
        metrics={"psnr": SPEC},
        time_base=Fraction(1, 25),
    )
    index, none = np.arange(rows), np.zeros(rows, np.uint8)
    frames = FrameTable(
        index, index, index / 25, index, none, np.zeros(rows), none, Fraction(1, 25)
    )
    with Writer(path, header) as writer:
        writer.append(Scores(frames, {"psnr": noise.random(rows, np.float32)}, {}, {}))
        sources = header.sources
        writer.finish(Ending(sources=sources, pairing={}, status="ok"))
    with h5py.File(path, "r+") as h5:
        chunk = (min(rows, BATCH_ROWS), *GRID)
        stored = h5["maps"].create_dataset("mismatch", (rows, *GRID), "<f2", chunks=chunk)
        stored.attrs.update(h5["scores/psnr"].attrs)
        for start in range(0, rows, BATCH_ROWS):
            size = (min(BATCH_ROWS, rows - start), *GRID)
            bits = noise.integers(0, 0x7C00, size, np.uint16)
            stored[start : start + size[0]] = bits.view(np.float16)


def durable_copy(path: Path, copy: Path) -> None:
    """The least that replacing the whole file would cost."""
    shutil.copyfile(path, copy)
    with open(copy, "rb+") as file:
        os.fsync(file.fileno())
    os.replace(copy, copy.with_suffix(".replaced"))
    copy.with_suffix(".replaced").unlink()


def timed(path: Path) -> int:
    size = path.stat().st_size
    amended, copied = [], []
    for turn in range(6):
        began = time.monotonic()
        store(path, STATES[turn % 2])
        amended.append(time.monotonic() - began)
    for _ in range(3):
        began = time.monotonic()
        durable_copy(path, path.with_name("copy.h5"))
        copied.append(time.monotonic() - began)
    amending, copying = statistics.median(amended), statistics.median(copied)
    print(
        f"a run of {size / 1e9:.2f} GB: amended in {amending:.3f} s (at most {max(amended):.3f} s),"
    )
    print(f"copied in {copying:.3f} s: {copying / amending:.0f} times as long;")
    print(f"{path.stat().st_size - size} bytes longer after {len(amended)} amendments")
    return 0


def amend_for_ever(path: Path) -> None:
    print("ready", flush=True)
    while True:
        for count in STATES:
            store(path, count)


def killed(path: Path, count: int) -> int:
    store(path, STATES[0])
    whole = Path(shutil.copy(path, path.with_name("whole.h5")))
    chance, wrong, torn = random.Random(1), 0, 0
    states = [(n, [f"psnr < {n}"]) for n in STATES]
    for number in range(1, count + 1):
        command = [sys.executable, __file__, "for-ever", str(path)]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            process.stdout.readline()
            time.sleep(chance.uniform(0, 0.2))
            process.send_signal(signal.SIGKILL)
        unfinished = path.with_name(f"{path.name}.parts").joinpath("undo").exists()
        torn += unfinished
        with Run(path) as run:
            state = (len(run.segments), run.rules)
        good = state in states
        store(path, STATES[0])
        left = differences(whole, path)
        wrong += not good or bool(left)
        when = "while it was written" if unfinished else "before or after"
        print(
            f"kill {number:2} {when:20}: {state[0]} segments, {left or 'the rest identical'}",
            flush=True,
        )
    print(f"{count - wrong} of {count} old or new, {torn} of them killed while the run was written")
    return int(wrong > 0)


def main() -> int:
    arguments = sys.argv[1:]
    if arguments[:1] == ["for-ever"]:
        amend_for_ever(Path(arguments[1]))
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "run.h5"
        if arguments[:1] == ["kills"]:
            make(path, 0.02)
            return killed(path, int(arguments[1]) if len(arguments) > 1 else 50)
        make(path, float(arguments[0]) if arguments else 2.0)
        return timed(path)


if __name__ == "__main__":
    sys.exit(main())

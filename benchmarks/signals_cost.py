"""What signals and detectors cost, beside decoding and beside psnr and ssim in the same process.

    python benchmarks/signals_cost.py CLIP [REF [FRAMES]]

Printed is processor time of all threads per frame: of decoding the clip alone, of a scan with the
metric absdiff, and of a score with psnr and ssim against REF, or the clip itself without one; scan
and score without signals, and with the default ones and the detectors that need them. Each ratio is
the median of ROUNDS rounds that hold all five; what is compiled and opened for the first time is
not counted.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import vfiscope as vs
from vfiscope.sources import open_source

ROUNDS = 3
MOST_FRAMES = "720"
SCAN, SCORE = "scan absdiff", "score psnr,ssim"
SIGNALS = " + signals, detectors"


def decode(clip: str, frames: int) -> int:
    """Decode frames; their number."""
    with open_source(clip, stop=frames) as source:
        return sum(len(batch) for batch in source)


def scan(clip: str, frames: int, signals: tuple[str, ...]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "scan.h5"
        vs.scan(clip, metrics=["absdiff"], signals=signals, stop=frames, out=out).close()


def score(clip: str, ref: str, frames: int, signals: tuple[str, ...]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "score.h5"
        metrics = ["psnr", "ssim"]
        vs.score(clip, ref=ref, metrics=metrics, signals=signals, stop=frames, out=out).close()


def steps(clip: str, ref: str, frames: int) -> dict[str, Callable[[], object]]:
    """What is measured."""
    return {
        "decode": lambda: decode(clip, frames),
        SCAN: lambda: scan(clip, frames, ("none",)),
        SCAN + SIGNALS: lambda: scan(clip, frames, ()),
        SCORE: lambda: score(clip, ref, frames, ("none",)),
        SCORE + SIGNALS: lambda: score(clip, ref, frames, ()),
    }


def processor_ms(do: Callable[[], object], frames: int) -> float:
    """Milliseconds per frame."""
    start = time.process_time()
    do()
    return 1000 * (time.process_time() - start) / frames


def main(clip: str, ref: str = "", most: str = MOST_FRAMES) -> None:
    frames = decode(clip, int(most))
    asked = steps(clip, ref or clip, frames)
    for do in asked.values():
        do()
    rounds = [{name: processor_ms(do, frames) for name, do in asked.items()} for _ in range(ROUNDS)]
    print(f"{Path(clip).name}, {frames} frames\n")
    print(f"| step | processor ms a frame | times decoding | times {SCORE} |\n|---|---|---|---|")
    for name in asked:
        cost, decoding, scoring = (
            statistics.median(
                each[name] / (1 if beside is None else each[beside]) for each in rounds
            )
            for beside in (None, "decode", SCORE)
        )
        print(f"| {name} | {cost:.2f} | {decoding:.2f} | {scoring:.2f} |")


if __name__ == "__main__":
    main(*sys.argv[1:])

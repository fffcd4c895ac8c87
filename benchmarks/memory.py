"""Ratio of the peak memory of the score command on a long clip to that on a short one.

    python benchmarks/memory.py

scores 300 and 3,000 frames of 720p, each in a process of its own, writes ``benchmarks/memory.md``,
which docs/benchmarks.md shows, and fails where the long clip needs over 5 % more.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import numpy as np

from vfiscope.synth import Scene, write_video

SHORT, LONG = 300, 3000
METRICS = "psnr,ssim,cosine,mismatch"


def frames(count: int) -> Iterator[np.ndarray]:
    """The first 60 frames of a scene, forwards and backwards: cheap to draw, but as expensive to
    decode as any."""
    drawn = list(Scene(720, 1280, seed=4).frames(60))
    swing = [*drawn, *reversed(drawn)]
    yield from islice((swing[i % len(swing)] for i in range(count)), count)


def peak_mb(test: Path, ref: Path, out: Path) -> float:
    """Peak resident memory of one score command, from the operating system's account of the
    finished process."""
    code = (
        "import json, resource, subprocess, sys; subprocess.run(sys.argv[1:], check=True);"
        "print(json.dumps(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024))"
    )
    score = [
        sys.executable,
        "-m",
        "vfiscope",
        "score",
        str(test),
        "--ref",
        str(ref),
        "-o",
        str(out),
        "--quiet",
    ]
    run = [sys.executable, "-c", code, *score, "--metrics", METRICS]
    return float(json.loads(subprocess.run(run, check=True, capture_output=True, text=True).stdout))


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        found = {}
        for count in (SHORT, LONG):
            test, ref = folder / f"test{count}.mp4", folder / f"ref{count}.mp4"
            write_video(test, frames(count), crf=30)
            write_video(ref, frames(count), crf=20)
            found[count] = peak_mb(test, ref, folder / f"{count}.h5")
        ratio = found[LONG] / found[SHORT]
    line = f"{LONG} frames of 720p need {ratio:.3f} times the peak memory of {SHORT}."
    print(line, f"({found[LONG]:.0f} MB and {found[SHORT]:.0f} MB)")
    (Path(__file__).parent / "memory.md").write_text(line + "\n", encoding="utf-8")
    sys.exit(ratio > 1.05)


if __name__ == "__main__":
    main()

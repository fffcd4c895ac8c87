"""What starting costs: whole processes that score two small frames, beside the import of torch.

    python benchmarks/speed_start.py

Byte code of Python is kept between processes, as an installation keeps it; where the environment
forbids that, compiling Python would be a third of the start.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from speed_growth import MEASURE

from vfiscope.synth import Scene, write_images

ROUNDS = 3
TORCH = [sys.executable, "-c", "import torch"]
JOBS = {
    "`score --metrics psnr,ssim`": ("--metrics", "psnr,ssim"),
    "`score`, default metrics": (),
}


def processor_seconds(command: list[str], folder: Path, loops: str) -> float:
    """Of a process and its children; compiled loops are kept in a folder of that name."""
    cache = str(folder / f"cache-{loops}")
    env = {**os.environ, "XDG_CACHE_HOME": cache, "LOCALAPPDATA": cache}
    env |= {"PYTHONPYCACHEPREFIX": str(folder / "bytecode"), "PYTHONDONTWRITEBYTECODE": ""}
    told = subprocess.run(
        [sys.executable, "-c", MEASURE, *command],
        check=True,
        capture_output=True,
        text=True,
        env=env,
    )
    return float(json.loads(told.stdout)[0])


def started(folder: Path) -> list[str]:
    """The table."""
    scene, small = Scene(96, 160, seed=5), [folder / "small-test", folder / "small-ref"]
    for each in small:
        write_images(each, scene.frames(2))
    lines = ["| process | processor time, import of torch 1 |", "|---|---|"]
    score = [sys.executable, "-m", "vfiscope", "score", str(small[0]), "--ref", str(small[1])]
    score += ["-o", str(folder / "small.h5"), "--overwrite", "--quiet"]
    for command in (TORCH, score):
        processor_seconds(command, folder, "before")  # writes the byte code
    torch = statistics.median(processor_seconds(TORCH, folder, "none") for _ in range(ROUNDS))
    for name, options in JOBS.items():
        job, loops = [*score, *options], str(len(options))
        first = processor_seconds(job, folder, loops)
        later = statistics.median(processor_seconds(job, folder, loops) for _ in range(ROUNDS))
        for when, seconds in (("loops compiled before", later), ("the first time", first)):
            lines.append(f"| {name}, {when} | {seconds / torch:.2f} |")
            print(lines[-1], f"({seconds:.2f} s, torch {torch:.2f} s)")
    return lines


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name:
        started(Path(name))

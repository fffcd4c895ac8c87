"""What starting costs: whole processes that score two small frames, beside the import of torch.

python benchmarks/speed_start.py
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


def processor_seconds(command: list[str], cache: Path) -> float:
    """Of a process and its children; compiled loops are kept under ``cache``."""
    env = {**os.environ, "XDG_CACHE_HOME": str(cache), "LOCALAPPDATA": str(cache)}
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
    torch = statistics.median(processor_seconds(TORCH, folder) for _ in range(ROUNDS))
    for name, options in JOBS.items():
        score = [sys.executable, "-m", "vfiscope", "score", str(small[0]), "--ref", str(small[1])]
        out = ["-o", str(folder / "small.h5"), "--overwrite", "--quiet"]
        cache = folder / f"cache-{len(options)}"
        first = processor_seconds([*score, *out, *options], cache)
        later = statistics.median(
            processor_seconds([*score, *out, *options], cache) for _ in range(ROUNDS)
        )
        for when, seconds in (("loops compiled before", later), ("the first time", first)):
            lines.append(f"| {name}, {when} | {seconds / torch:.2f} |")
            print(lines[-1], f"({seconds:.2f} s, torch {torch:.2f} s)")
    return lines


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name:
        started(Path(name))

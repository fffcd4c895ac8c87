"""How time and memory of a run grow with the length, the size of frames and the number of metrics.

python benchmarks/speed_growth.py
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from itertools import cycle, islice
from pathlib import Path

import numpy as np

from vfiscope.synth import Scene, write_video

FEW, MANY = 300, 3000
SIZES = {"480p": (480, 854), "720p": (720, 1280), "1080p": (1080, 1920), "2160p": (2160, 3840)}
METRICS = ("psnr", "ssim", "absdiff", "mse", "psnr_y", "gmsd", "ms_ssim", "ssim_rgb")
MEASURE = (
    "import json, resource, subprocess, sys; subprocess.run(sys.argv[1:], check=True);"
    "used = resource.getrusage(resource.RUSAGE_CHILDREN);"
    "print(json.dumps([used.ru_utime + used.ru_stime, used.ru_maxrss / 1024]))"
)


def swing(count: int, height: int, width: int) -> Iterator[np.ndarray]:
    """Some frames of a scene, forwards and backwards: cheap to draw, and as expensive to decode as
    others."""
    drawn = list(Scene(height, width, seed=4).frames(30))
    return islice(cycle([*drawn, *reversed(drawn)]), count)


def clips(folder: Path, count: int, size: tuple[int, int]) -> tuple[Path, Path]:
    made = []
    for name, crf in (("test", 30), ("ref", 20)):
        made.append(folder / f"{name}-{count}-{size[0]}.mp4")
        write_video(made[-1], swing(count, *size), crf=crf)
    return made[0], made[1]


def cost(test: Path, ref: Path, *options: str) -> tuple[float, float]:
    """Processor seconds and peak MB of a score command, as the operating system counts them."""
    score = [sys.executable, "-m", "vfiscope", "score", str(test), "--ref", str(ref), "--quiet"]
    out = ["-o", str(test.with_suffix(".h5")), "--overwrite"]
    command = [sys.executable, "-c", MEASURE, *score, *out, *options]
    told = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    seconds, megabytes = json.loads(told)
    return float(seconds), float(megabytes)


def grown(folder: Path) -> list[str]:
    """The table: each line beside the one that it is a multiple of."""
    both, alone = ("--metrics", "psnr,ssim"), ("--signals", "none")
    usual = ("--metrics", "cosine,mismatch,psnr,ssim")
    rows: list[tuple[str, float, tuple[float, float], tuple[float, float]]] = []
    pair = {count: clips(folder, count, SIZES["720p"]) for count in (FEW, MANY)}
    start = cost(*pair[FEW], *both, "--stop", "2")[0]
    for job, options in (("psnr,ssim", both), ("default metrics", usual)):
        short, long = (cost(*pair[count], *options) for count in (FEW, MANY))
        rows.append((f"{job}: {MANY} frames of 720p, {FEW}", MANY / FEW, long, short))
    base = SIZES["480p"]
    sized = {name: clips(folder, 60, size) for name, size in SIZES.items()}
    costs = {name: cost(*sized[name], *both, *alone) for name in SIZES}
    for name, (height, width) in list(SIZES.items())[1:]:
        rows.append(
            (f"{name}, 480p", height * width / (base[0] * base[1]), costs[name], costs["480p"])
        )
    one = cost(*sized["1080p"], "--metrics", METRICS[0], *alone)
    for count in (2, 4, 8):
        several = cost(*sized["1080p"], "--metrics", ",".join(METRICS[:count]), *alone)
        rows.append((f"{count} metrics ({', '.join(METRICS[:count])}), 1", count, several, one))
    lines = [
        "| what, beside | times as much | processor time | peak memory |",
        "|---|---|---|---|",
    ]
    for name, times, (seconds, peak), (base_seconds, base_peak) in rows:
        ratio = (seconds - start) / (base_seconds - start)
        lines.append(f"| {name} | {times:.3g} | {ratio:.3g} | {peak / base_peak:.2f} |")
        print(lines[-1])
    return lines


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name:
        grown(Path(name))

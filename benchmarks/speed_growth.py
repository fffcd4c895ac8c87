"""How time and memory of a run grow with the length, the size of frames and the number of metrics.

python benchmarks/speed_growth.py
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from itertools import chain, cycle, islice
from pathlib import Path

import numpy as np

from vfiscope.synth import Scene, write_video

FEW, MANY, SOME = 300, 3000, 120
SIZES = {"480p": (480, 854), "720p": (720, 1280), "1080p": (1080, 1920), "2160p": (2160, 3840)}
USUAL = "1080p"
METRICS = ("psnr", "ssim", "absdiff", "mse", "psnr_y", "gmsd", "ms_ssim", "ssim_rgb")
Row = tuple[str, float, tuple[float, float], tuple[float, float]]
"""What is compared, how many times as much it is, and what both cost."""
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
    """Processor seconds and peak MB of a score command, as the operating system counts them;
    seconds without those of the same command on two frames."""
    whole, peak = processed(test, ref, *options)
    return whole - processed(test, ref, *options, "--stop", "2")[0], peak


def processed(test: Path, ref: Path, *options: str) -> tuple[float, float]:
    score = [sys.executable, "-m", "vfiscope", "score", str(test), "--ref", str(ref), "--quiet"]
    out = ["-o", str(test.with_suffix(".h5")), "--overwrite"]
    command = [sys.executable, "-c", MEASURE, *score, *out, *options]
    told = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    seconds, megabytes = json.loads(told)
    return float(seconds), float(megabytes)


def in_length(folder: Path) -> Iterator[Row]:
    pair = {count: clips(folder, count, SIZES["720p"]) for count in (FEW, MANY)}
    for metrics in ("psnr,ssim", "cosine,mismatch,psnr,ssim"):
        short, long = (cost(*pair[count], "--metrics", metrics) for count in (FEW, MANY))
        yield f"{metrics}: {MANY} frames of 720p, {FEW}", MANY / FEW, long, short


def in_size(folder: Path) -> Iterator[Row]:
    both, height = ("--metrics", "psnr,ssim", "--signals", "none"), SIZES[USUAL][0]
    costs = {name: cost(*clips(folder, SOME, SIZES[name]), *both) for name in SIZES}
    for name, (rows, _) in SIZES.items():
        if name != USUAL:
            yield f"psnr,ssim: {name}, {USUAL}", (rows / height) ** 2, costs[name], costs[USUAL]


def in_metrics(folder: Path) -> Iterator[Row]:
    pair = clips(folder, SOME, SIZES[USUAL])
    costs = {
        count: cost(*pair, "--metrics", ",".join(METRICS[:count]), "--signals", "none")
        for count in (1, 2, 4, 8)
    }
    for count in (2, 4, 8):
        yield f"{', '.join(METRICS[:count])}; psnr", count, costs[count], costs[1]


def grown(folder: Path) -> list[str]:
    """The table: each line beside the one that it is a multiple of."""
    lines = [
        "| what, beside | times as much | processor time | peak memory |",
        "|---|---|---|---|",
    ]
    for name, times, (seconds, peak), (base_seconds, base_peak) in chain(
        in_length(folder), in_size(folder), in_metrics(folder)
    ):
        row = f"{times:.3g} | {seconds / base_seconds:.3g} | {peak / base_peak:.2f}"
        lines.append(f"| {name} | {row} |")
        print(lines[-1], f"({seconds:.1f} s, {peak:.0f} MB)", flush=True)
    return lines


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name:
        grown(Path(name))

"""Processor time, wall time and peak memory beside other programs, as ratios.

    python benchmarks/speed.py [TEST REF]

makes a pair of 1080p H.264 clips, or takes one, runs every job and every peer in turn in processes
of their own, and writes ``benchmarks/speed.md``, the tables that docs/benchmarks.md shows. Decoding
is included everywhere. Each ratio is the median over rounds that hold both sides. Needs
``pip install '.[benchmark]'`` and the program ffmpeg.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from peers import PEERS
from speed_growth import SIZES, clips, grown
from speed_start import started

HERE = Path(__file__).parent
OWN, FILTERS, PROGRAM = "vfiscope", "FFmpeg filters", "FFmpeg program"
ASKED = ("psnr", "ssim", "psnr,ssim", "ms_ssim", "gmsd")
JOBS = {
    "psnr,ssim with signals": ("vfiscope with signals", "psnr,ssim"),
    "default": (OWN, "cosine,mismatch,psnr,ssim"),
    "vfi": (OWN, "vfi"),
}
"""Jobs that no peer has: shown beside FFmpeg's psnr and ssim."""
FRAMES, SLOW_FRAMES = 300, 6
QUICK = (OWN, "vfiscope with signals", FILTERS, PROGRAM)
"""The others score fewer pairs of the same clips; what is compared is the time of a pair."""
ROUNDS = 3
Measured = dict[str, float]


def measure(name: str, metrics: str, test: Path, ref: Path) -> Measured:
    """Milliseconds a pair, and MB."""
    pairs = FRAMES if name in QUICK else SLOW_FRAMES
    command = [sys.executable, str(HERE / "peers.py"), name, metrics, str(test), str(ref)]
    told = subprocess.run([*command, str(pairs)], check=True, capture_output=True, text=True)
    found = json.loads(told.stdout)
    times = {which: 1000 * found[which] / found["pairs"] for which in ("processor", "wall")}
    return {**times, "peak_mb": found["peak_mb"]}


def sides() -> Iterator[tuple[str, tuple[str, str], tuple[str, str]]]:
    """What is compared: a heading, our job and the peer's, each a program and metrics."""
    for metrics in ASKED:
        for name, (_, known) in PEERS.items():
            if known and set(metrics.split(",")) <= set(known):
                yield metrics, (OWN, metrics), (name, metrics)
    for heading, job in JOBS.items():
        yield heading, job, (FILTERS, "psnr,ssim")


def compared(test: Path, ref: Path) -> list[str]:
    """The table of jobs and peers."""
    rows = list(sides())
    jobs = dict.fromkeys(job for _, mine, theirs in rows for job in (mine, theirs))
    rounds = [{job: measure(*job, test, ref) for job in jobs} for _ in range(ROUNDS)]
    lines = ["| job | beside | processor time | wall time | peak memory |", "|---|---|---|---|---|"]
    for heading, mine, theirs in rows:
        ratios = [
            statistics.median(each[mine][what] / each[theirs][what] for each in rounds)
            for what in ("processor", "wall", "peak_mb")
        ]
        name = theirs[0] if theirs[1] == mine[1] else f"{theirs[0]} {theirs[1]}"
        lines.append(f"| {heading} | {name} | {' | '.join(f'{each:.2g}' for each in ratios)} |")
        print(
            lines[-1],
            *(f"{rounds[0][job]['processor']:.1f} ms" for job in (mine, theirs)),
            flush=True,
        )
    return lines


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        given = [Path(each) for each in sys.argv[1:3]]
        made = clips(folder, FRAMES, SIZES["1080p"]) if len(given) < 2 else (given[0], given[1])
        tables = [compared(*made), grown(folder), started(folder)]
    text = "\n\n".join("\n".join(lines) for lines in tables)
    (HERE / "speed.md").write_text(f"{text}\n", encoding="utf-8")


if __name__ == "__main__":
    main()

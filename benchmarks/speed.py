"""Pairs per second and peak memory of PSNR and SSIM beside scikit-image, kornia and FFmpeg's
filters, as ratios.

    python benchmarks/speed.py

makes 720p and 1080p clips, runs every peer on them in turn in its own process, and writes
``benchmarks/speed.md``, the table that docs/benchmarks.md shows. Speed is the median of the rounds;
a ratio above 1 means that vfiscope is faster.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from peers import PEERS

from vfiscope.synth import Scene, write_video

HERE = Path(__file__).parent
SIZES = {"720p": (720, 1280), "1080p": (1080, 1920)}
FRAMES = 240
PAIRS = {"vfiscope": FRAMES, "FFmpeg filters": FRAMES, "kornia": 16, "scikit-image": 8}
"""The slow peers score fewer pairs of the same clips; their speed per pair is what is compared."""
ROUNDS = 3


def make_clips(folder: Path, height: int, width: int) -> tuple[Path, Path]:
    """One scene encoded twice, well and badly."""
    scene = Scene(height, width, seed=3)
    test, ref = folder / "test.mp4", folder / "ref.mp4"
    write_video(ref, scene.frames(FRAMES), crf=18)
    write_video(test, scene.frames(FRAMES), crf=30)
    return test, ref


def measure(name: str, test: Path, ref: Path) -> dict[str, float]:
    command = [sys.executable, str(HERE / "peers.py"), name, str(test), str(ref), str(PAIRS[name])]
    found: dict[str, float] = json.loads(
        subprocess.run(command, check=True, capture_output=True, text=True).stdout
    )
    return found


def median(rows: list[dict[str, float]]) -> dict[str, float]:
    return {
        "speed": statistics.median(row["pairs"] / row["seconds"] for row in rows),
        "peak_mb": statistics.median(row["peak_mb"] for row in rows),
        **{key: rows[0][key] for key in ("psnr", "ssim")},
    }


def main() -> None:
    lines = [
        "| size | peer | vfiscope's speed / the peer's | the peer's peak memory / vfiscope's |",
        "|---|---|---|---|",
    ]
    for size, (height, width) in SIZES.items():
        with tempfile.TemporaryDirectory() as folder:
            clips = make_clips(Path(folder), height, width)
            rounds = [{name: measure(name, *clips) for name in PEERS} for _ in range(ROUNDS)]
        found = {name: median([row[name] for row in rounds]) for name in PEERS}
        own = found.pop("vfiscope")
        for name, row in found.items():
            speed, memory = own["speed"] / row["speed"], row["peak_mb"] / own["peak_mb"]
            lines.append(f"| {size} | {name} | {speed:.2g} | {memory:.2f} |")
            print(
                lines[-1],
                f"PSNR {own['psnr']:.3f} / {row['psnr']:.3f}  SSIM {own['ssim']:.5f} /"
                f" {row['ssim']:.5f}",
            )
    (HERE / "speed.md").write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

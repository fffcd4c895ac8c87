"""Time until a finished batch is found to be finished, and whether that loads a network.

::

    python benchmarks/rerun.py FOLDER [--jobs 200] [--embedder dinov2-small --weights FILE]

The first call writes pairs of small images and runs them; each call runs the batch again in a
process of its own and prints the seconds, those for each job, and whether torch was imported.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
from PIL import Image

RERUN = """
import sys, time
began = time.monotonic()
from vfiscope.batch.execute import run_jobs
from vfiscope.batch.job_file import read_jobs
results = list(run_jobs(read_jobs(sys.argv[1]), sys.argv[2]))
done = sum(result["skipped"] for result in results)
seconds = time.monotonic() - began
there = "imported" if "torch" in sys.modules else "not imported"
print(f"{done} of {len(results)} jobs done before; {seconds:.2f} s with imports, torch {there}")
"""


def write_pairs(folder: Path, count: int, options: dict[str, str]) -> Path:
    """Pairs of 64 x 64 images, of which B is A with a little noise, and their job list."""
    noise = np.random.default_rng(0)
    jobs = []
    for number in range(count):
        a = noise.integers(0, 256, (64, 64, 3), np.uint8)
        b = np.clip(a + noise.normal(0, 8, a.shape), 0, 255).astype(np.uint8)
        for name, pixels in (("a", a), ("b", b)):
            Image.fromarray(pixels).save(folder / f"{number:03d}_{name}.png")
        names = {"ref": f"{number:03d}_a.png", "test": f"{number:03d}_b.png"}
        jobs.append({**names, "metrics": "psnr,ssim,cosine", **options})
    path = folder / "jobs.json"
    path.write_text(json.dumps(jobs))
    return path


def main() -> None:
    """Write, run and rerun a batch."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--jobs", type=int, default=200)
    parser.add_argument("--embedder", default="dsift")
    parser.add_argument("--weights")
    asked = parser.parse_args()
    asked.folder.mkdir(parents=True, exist_ok=True)
    options = {"embedder": asked.embedder}
    if asked.weights:
        options["weights"] = str(Path(asked.weights).resolve())
    jobs, out = asked.folder / "jobs.json", asked.folder / "out"
    if not jobs.exists():
        write_pairs(asked.folder, asked.jobs, options)
        began = time.monotonic()
        subprocess.run([sys.executable, "-c", RERUN, str(jobs), str(out)], check=True)
        print(f"the first run took {time.monotonic() - began:.1f} s")
    began = time.monotonic()
    subprocess.run([sys.executable, "-c", RERUN, str(jobs), str(out)], check=True)
    seconds = time.monotonic() - began
    print(f"rerun: {seconds:.2f} s of wall time, {1000 * seconds / asked.jobs:.1f} ms a job")


if __name__ == "__main__":
    main()

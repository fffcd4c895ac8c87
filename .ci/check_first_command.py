"""Check what the README's first command wrote: distances, maps, vectors, the planted segment at its
exact frames."""

import json
import sys
from pathlib import Path

import numpy as np

import vfiscope as vs

run = vs.open_run(sys.argv[1])
truth = json.loads(Path("samples/truth.json").read_text())["interpolated.mp4"]
n = len(run.frames)
checks = {
    "every frame has a row": n == truth["frames"]
    and np.array_equal(run.frames.index, np.arange(n)),
    "cosine distances": bool(np.isfinite(run.scores["cosine"]).all()),
    "mismatch maps": run.maps["mismatch"].shape[0] == n
    and bool(np.isfinite(run.maps["mismatch"][0:n]).all()),
    "motion fields": run.fields["motion"].shape[:2] == (n, 2)
    and bool(np.isfinite(run.fields["motion"][0:n]).all()),
    "status": run.status == "ok" and run.complete,
    "curve": Path(sys.argv[2]).stat().st_size > 10_000,
}
planted = (truth["events"][0]["start"], truth["events"][0]["stop"])
for metric in ("psnr", "ssim", "cosine", "mismatch"):
    found = [(s.start, s.stop) for s in run.segments if s.metric == metric]
    checks[f"{metric} flags {planted} and nothing else, found {found}"] = found == [planted]
for what, holds in checks.items():
    print("ok  " if holds else "FAIL", what)
sys.exit(not all(checks.values()))

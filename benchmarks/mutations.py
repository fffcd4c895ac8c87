"""Mutated files: does a flipped bit or a missing end crash, hang, or go unreported?

``python benchmarks/mutations.py [--files 500] [--seed 0]`` makes small clips and images in many
formats (and takes small real ones where available), flips bits in copies or truncates them, and
passes each to a worker process that scans it as ``vfiscope scan`` does. Outcomes:

ok            whole, with the pixels of the clean file
partial       read, and the run reports that something is wrong
refused       one line of error
crash, hang   the process died, or took more than 30 s
unsaid count  the run reports ok, but frames are missing or too many
unsaid pixels the run reports ok, but pixels differ: formats without checksums (BMP, TIFF, WebP,
              JPEG, the payloads of most video codecs outside Matroska) cannot tell, and libjpeg's
              warnings are not read

Exits with 1 after any crash, hang or unsaid count.
"""

from __future__ import annotations

import argparse
import json
import select
import subprocess
import sys
import tempfile
import zlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO

import numpy as np

LIMIT_S = 30
FILES_PER_WORKER = 25
REAL = Path(__file__).resolve().parents[1].parent / "shared" / "data"
"""Real media beside the checkout, if any."""
REAL_NAMES = (
    "videos/meta-pytorch+torchcodec/h264_10bits.mp4",
    "videos/meta-pytorch+torchcodec/testsrc2_odd_height_and_width_vp9.mp4",
    "videos/meta-pytorch+torchcodec/testsrc2_av1_10bit.mp4",
    "videos/meta-pytorch+torchcodec/testsrc2_odd_width_mpeg2.mp4",
    "videos/meta-pytorch+torchcodec/animated.gif",
    "videos/google+mediapy/image.png",
)
CLIPS = (
    ("h264.mp4", "libx264", "yuv420p"),
    ("h264.mkv", "libx264", "yuv420p"),
    ("h264.ts", "libx264", "yuv420p"),
    ("hevc.mp4", "libx265", "yuv420p10le"),
    ("mpeg4.avi", "mpeg4", "yuv420p"),
    ("mpeg2.ts", "mpeg2video", "yuv420p"),
    ("vp9.webm", "libvpx-vp9", "yuv420p"),
    ("ffv1.mkv", "ffv1", "bgr0"),
    ("mjpeg.mov", "mjpeg", "yuvj420p"),
    ("prores.mov", "prores_ks", "yuv422p10le"),
    ("a.gif", "gif", "rgb8"),
)
IMAGES = ("a.png", "a.jpg", "a.bmp", "a.tif", "a.webp")
QUIET = {
    "libx264": {"x264-params": "log-level=none:keyint=8"},
    "libx265": {"x265-params": "log-level=none"},
}


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--files", type=int, default=500)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--work", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.work:
        return work(sys.stdin)
    with tempfile.TemporaryDirectory(prefix="vfiscope-mutations-") as folder:
        originals = [
            *make(Path(folder)),
            *(REAL / name for name in REAL_NAMES if (REAL / name).is_file()),
        ]
        return report(run(originals, Path(folder) / "mutated", given.files, given.seed))


def make(folder: Path) -> Iterator[Path]:
    """Small clean clips and images."""
    import av
    from PIL import Image

    from vfiscope import synth

    frames = synth.Scene(96, 128, seed=5).clip(20).frames
    for name, codec, pix_fmt in CLIPS:
        with av.open(str(folder / name), "w") as container:
            stream: Any = container.add_stream(codec, rate=25, options=QUIET.get(codec, {}))
            stream.width, stream.height, stream.pix_fmt = 128, 96, pix_fmt
            for i, pixels in enumerate(frames):
                frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels), "rgb24")
                frame.pts = i
                container.mux(stream.encode(frame))
            container.mux(stream.encode())
        yield folder / name
    for name in IMAGES:
        Image.fromarray(frames[0]).save(folder / name)
        yield folder / name


def mutate(data: bytes, rng: np.random.Generator) -> tuple[str, bytes]:
    """One to forty flipped bits, or the file without its end."""
    if rng.random() < 0.4:
        return "cut", data[: int(rng.integers(1, len(data)))]
    changed = bytearray(data)
    for at in rng.integers(0, len(data), int(rng.integers(1, 41))):
        changed[at] ^= 1 << int(rng.integers(8))
    return "flip", bytes(changed)


def run(
    originals: list[Path], folder: Path, files: int, seed: int
) -> Counter[tuple[str, str, str]]:
    """{(outcome, mutation, kind of file): how often}"""
    folder.mkdir()
    rng = np.random.default_rng(seed)
    outcomes: Counter[tuple[str, str, str]] = Counter()
    worker = Worker()
    clean = {path: worker.ask(path) for path in originals}
    for number in range(files):
        original = originals[number % len(originals)]
        kind, data = mutate(original.read_bytes(), rng)
        path = folder / f"{number}{original.suffix}"
        path.write_bytes(data)
        outcome = judge(worker.ask(path), clean[original], data == original.read_bytes())
        outcomes[outcome, kind, original.name] += 1
        if outcome in ("crash", "hang", "unsaid count"):
            print(f"{outcome}: {kind} of {original.name}, file {number} of seed {seed}")
        path.unlink()
    worker.end()
    return outcomes


def judge(answer: dict[str, Any], clean: dict[str, Any], unchanged: bool) -> str:
    if answer["status"] != "ok" or unchanged:
        return str(answer["status"])
    if len(answer["sums"]) != len(clean["sums"]):
        return "unsaid count"
    return "ok" if answer["sums"] == clean["sums"] else "unsaid pixels"


class Worker:
    """A process that scans one file after the other; started anew after a number of files, a crash
    or a hang."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None
        self._asked = 0

    def ask(self, path: Path) -> dict[str, Any]:
        if self._process is None or self._asked >= FILES_PER_WORKER:
            self.end()
            command = [sys.executable, __file__, "--work"]
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
            )
            self._asked = 0
            self._ready(120)
        self._asked += 1
        process = self._process
        assert process.stdin is not None
        process.stdin.write(f"{path}\n")
        process.stdin.flush()
        return self._ready(LIMIT_S)

    def _ready(self, limit: float) -> dict[str, Any]:
        assert self._process is not None
        assert self._process.stdout is not None
        if not select.select([self._process.stdout], [], [], limit)[0]:
            self._process.kill()
            self._process = None
            return {"status": "hang"}
        line = self._process.stdout.readline()
        if not line:
            self._process = None
            return {"status": "crash"}
        answer: dict[str, Any] = json.loads(line)
        return answer

    def end(self) -> None:
        if self._process is not None:
            self._process.communicate()
            self._process = None


def work(paths: TextIO) -> int:
    import vfiscope as vs
    from vfiscope.errors import VfiscopeError

    print(json.dumps({"status": "ready"}), flush=True)
    for line in paths:
        try:
            with vs.scan(
                line.rstrip("\n"), golden=0, metrics="psnr", maps="none", fields="none"
            ) as run:
                status = run.status
            with vs.open_source(line.rstrip("\n")) as source:
                sums = [zlib.crc32(f.data[i].tobytes()) for f in source for i in range(len(f))]
            answer: dict[str, Any] = {"status": status, "sums": sums}
        except VfiscopeError as error:
            answer = {"status": "refused", "why": str(error)}
        print(json.dumps(answer), flush=True)
    return 0


def report(outcomes: Counter[tuple[str, str, str]]) -> int:
    total: Counter[str] = Counter()
    unsaid: Counter[str] = Counter()
    for (outcome, kind, name), count in outcomes.items():
        total[outcome] += count
        if outcome.startswith("unsaid"):
            unsaid[f"{outcome}, {kind} of {name}"] += count
    print(
        f"{sum(total.values())} files: "
        + ", ".join(f"{name} {count}" for name, count in total.most_common())
    )
    for what, count in unsaid.most_common():
        print(f"  {what}: {count}")
    return 1 if total["crash"] + total["hang"] + total["unsaid count"] else 0


if __name__ == "__main__":
    sys.exit(main())

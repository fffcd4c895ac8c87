"""The clean files and folders of ``mutations.py``, and how copies of them are damaged."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

__all__ = ["Original", "damage", "originals"]

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
IMAGES = ("a.png", "a.jpg", "a.bmp", "a.tif", "a.webp", "a.avif")
QUIET = {
    "libx264": {"x264-params": "log-level=none:keyint=8"},
    "libx265": {"x265-params": "log-level=none"},
}
PLAIN = ["--metrics", "psnr,ssim", "--maps", "ssim", "--fields", "none", "--quiet"]


@dataclass(frozen=True)
class Original:
    """A clean file or folder."""

    kind: str
    """How it is used: a key of ``mutation_checks.CHECKS``."""
    path: Path


def originals(folder: Path) -> list[Original]:
    """Media first; what is not made here is left out."""
    real = [REAL / name for name in REAL_NAMES]
    media = [*_media(folder), *(path for path in real if path.is_file())]
    makers = (_folders, _results, _jobs, _tables, _checkpoints)
    others = [each for make in makers for each in make(folder)]
    return [*(Original("medium", path) for path in media), *others]


def _media(folder: Path) -> Iterator[Path]:
    import av
    from PIL import Image

    from vfiscope import synth

    frames = list(synth.Scene(96, 128, seed=5).clip(20).frames)
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


def _folders(folder: Path) -> Iterator[Original]:
    from vfiscope import synth

    images = folder / "images"
    synth.write_images(images, synth.Scene(48, 64, seed=2).frames(8), "f_%02d.png")
    yield Original("folder", images)


def _results(folder: Path) -> Iterator[Original]:
    """A result, and one with regions; a folder of unfinished work; the folder of a batch."""
    from mutation_checks import call, stopped

    clip, images = folder / "ffv1.mkv", folder / "images"
    rules = ["--flag", "ssim < 0.99 for 2 frames"]
    call("scan", clip, *PLAIN, *rules, "--signals", "luma_mean", "-o", folder / "result.h5")
    yield Original("result", folder / "result.h5")
    pair = [images / "f_01.png", images / "f_05.png", "--regions", "auto"]
    call("compare", *pair, *PLAIN, "-o", folder / "regions.h5")
    yield Original("regions", folder / "regions.h5")
    work = folder / "work"
    work.mkdir()
    with stopped(rows=10, rows_per_part=4):
        call("scan", clip, *PLAIN[:-1], "-o", work / "a.h5")
    assert (work / "a.h5.parts" / "journal.jsonl").is_file()
    yield Original("work", work)
    jobs = [
        {"id": f"{label}{n}", "label": label, "test": f"{images}/f_0{n + at}.png"}
        | {"ref": f"{images}/f_0{n}.png", "metrics": ["psnr"], "maps": ["none"]}
        for n in (0, 1)
        for label, at in (("near", 1), ("far", 2))
    ]
    (folder / "jobs.json").write_text(json.dumps(jobs))
    call("batch", folder / "jobs.json", "-o", folder / "batch", "--quiet")
    yield Original("batch", folder / "batch")


def _jobs(folder: Path) -> Iterator[Original]:
    jobs = json.loads((folder / "jobs.json").read_text())
    yield Original("jobs", folder / "jobs.json")
    (folder / "jobs.jsonl").write_text("\n".join(map(json.dumps, jobs)))
    yield Original("jobs", folder / "jobs.jsonl")
    rows = [f"{job['id']},{job['label']},{job['test']},{job['ref']},psnr,none" for job in jobs]
    (folder / "jobs.csv").write_text("\n".join(["id,label,test,ref,metrics,maps", *rows]))
    yield Original("jobs", folder / "jobs.csv")


def _tables(folder: Path) -> Iterator[Original]:
    text = 'step = 2\nmetrics = ["psnr"]\nmaps = "none"\nfields = "none"\nflag = ["psnr < 30 dB"]\n'
    (folder / "options.toml").write_text(text)
    yield Original("options", folder / "options.toml")


def _checkpoints(folder: Path) -> Iterator[Original]:
    import torch
    from mutation_checks import small_network
    from safetensors.torch import save_file

    state = small_network().state_dict()
    torch.save({"teacher": state}, folder / "weights.pth")
    save_file(state, folder / "weights.safetensors")
    for name in ("weights.pth", "weights.safetensors"):
        yield Original("weights", folder / name)


def damage(original: Path, copy: Path, rng: np.random.Generator) -> str:
    """Write a damaged copy of a file or folder; returns what was done to it."""
    if original.is_file():
        what, data = _bytes(original.read_bytes(), rng)
        copy.write_bytes(data)
        return what
    shutil.copytree(original, copy)
    files = sorted(path for path in copy.rglob("*") if path.is_file() and path.stat().st_size)
    if all(path.suffix == ".png" for path in files):  # of the first or last none would be missed
        files = files[1:-1]
    victim = files[int(rng.integers(len(files)))]
    what = str(rng.choice(["bytes", *ACTS]))
    if what == "bytes":
        what, data = _bytes(victim.read_bytes(), rng)
        victim.write_bytes(data)
    else:
        ACTS[what](victim)
    return what


def _bytes(data: bytes, rng: np.random.Generator) -> tuple[str, bytes]:
    """The data without its end, with one to forty flipped bits, or with a part twice."""
    draw = rng.random()
    if draw < 0.35:
        return "cut", data[: int(rng.integers(1, max(2, len(data))))]
    if draw > 0.9:
        start, stop = sorted(rng.integers(0, len(data) + 1, 2))
        return "doubled", data[:stop] + data[start:]
    changed = bytearray(data)
    for at in rng.integers(0, len(data), int(rng.integers(1, 41))):
        changed[at] ^= 1 << int(rng.integers(8))
    return "flip", bytes(changed)


def _instead(make: Callable[[Path], object]) -> Callable[[Path], None]:
    def act(victim: Path) -> None:
        victim.unlink()
        make(victim)

    return act


ACTS: dict[str, Callable[[Path], None]] = {
    "gone": Path.unlink,
    "empty": lambda victim: victim.write_bytes(b"") and None,
    "pipe": _instead(os.mkfifo),
    "folder": _instead(Path.mkdir),
    "device": _instead(lambda victim: victim.symlink_to("/dev/zero")),
    "loop": _instead(lambda victim: victim.symlink_to(victim.name)),
}
"""What happens to one file of a folder."""

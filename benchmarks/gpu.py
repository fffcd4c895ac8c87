"""The table of a GPU, by the name of the card.

    python benchmarks/gpu.py [CLIP]

The clip, 1920 x 1080 in H.264, is scored against itself with DINOv2-base at 518 pixels, decoding
included; without one it is drawn. The network has random weights, whose values do not matter here.
Printed are wall times, each the median of ROUNDS rounds that hold all steps:

- "video to scores": a run with cosine and mismatch, per frame, test and reference counted;
- "network alone": timm's module in a loop over one fixed batch on the card, per frame;
- "ssim, ms_ssim, psnr": of pairs of frames that lie in the card's memory, per pair;
- "upload": of a frame from pinned memory, as RGB, and as planes that become RGB on the card.

Below stands where the time of the last run went, stage by stage, in wall time. Opening the network
and first calls are not counted. Without a card the script says so and prints nothing else.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from network import save_weights
from planes_on_gpu import to_rgb

import vfiscope as vs
from vfiscope.embedders import open_embedder
from vfiscope.embedders.dinov2 import network_batch
from vfiscope.embedders.precision import multiplying_in
from vfiscope.metrics import pixel, ssim
from vfiscope.sources import open_source
from vfiscope.sources.video.yuv_loops import LEFT, Factors
from vfiscope.synth import Scene, write_video

NAME = "dinov2-base"
DEVICE = "cuda"
SIDE = 518
FRAMES = 96
"""Of the clip: as many of the test, and of the reference."""
PAIRS = 8
"""In the card's memory."""
BATCHES = 20
"""Of the network alone; as many frames are uploaded."""
ROUNDS = 3
METRICS = {"ssim": ssim.ssim, "ms_ssim": ssim.ms_ssim, "psnr": pixel.psnr}


class Steps:
    """What is measured; each step returns how many frames or pairs it was about."""

    def __init__(self, session: vs.Session, clip: Path, weights: Path) -> None:
        self.session, self.clip, self.weights = session, clip, weights
        self.embedder = open_embedder(NAME, weights=weights, device=DEVICE, size=SIDE)
        with open_source(clip, stop=PAIRS, batch=PAIRS) as source:
            frames = next(iter(source)).to(DEVICE)
        self.pairs = frames.data.contiguous(), frames.data.flip(0).contiguous()
        self.size = height, width = frames.size
        chroma = torch.zeros(2, height // 2, width // 2, dtype=torch.uint8)
        luma = torch.zeros(height, width, dtype=torch.uint8)
        self.planes = [each.pin_memory() for each in (luma, *chroma)]
        self.rgb = torch.zeros(height, width, 3, dtype=torch.uint8).pin_memory()
        self.timings: Mapping[str, Any] = {}

    def video(self) -> int:
        with self.session.score(
            self.clip,
            ref=self.clip,
            metrics=["cosine", "mismatch"],
            signals=["none"],
            embedder=NAME,
            weights=self.weights,
            size=SIDE,
            device=DEVICE,
            stop=FRAMES,
        ) as run:
            self.timings = run.timings
            return 2 * len(run.frames)

    def network(self) -> int:
        h, w = self.embedder.grid(*self.size)
        patch, count = self.embedder.patch, network_batch(DEVICE, h * w)
        batch = torch.zeros(count, 3, h * patch, w * patch, device=DEVICE)
        precision = self.embedder.identity.precision
        with torch.no_grad(), multiplying_in(precision, torch.device(DEVICE)):
            for _ in range(BATCHES):
                self.embedder.model.forward_features(batch)
        return count * BATCHES

    def upload_rgb(self) -> int:
        for _ in range(BATCHES):
            self.rgb.to(DEVICE, non_blocking=True)
        return BATCHES

    def upload_planes(self) -> int:
        factors = Factors.of("bt709", full=False)
        for _ in range(BATCHES):
            to_rgb(*(each.to(DEVICE, non_blocking=True) for each in self.planes), LEFT, factors)
        return BATCHES

    def metric(self, name: str) -> int:
        METRICS[name](*self.pairs)
        return PAIRS


def milliseconds(do: Callable[[], int]) -> float:
    """Wall time of one frame or pair; the card has finished."""
    start = time.perf_counter()
    count = do()
    torch.cuda.synchronize()
    return 1000 * (time.perf_counter() - start) / count


def main(clip: str | None) -> None:
    if not torch.cuda.is_available():
        print("torch finds no CUDA device on this machine: there is nothing to measure")
        return
    with tempfile.TemporaryDirectory() as folder, vs.Session() as session:
        path = Path(folder) / "clip.mp4" if clip is None else Path(clip)
        if clip is None:
            write_video(path, Scene(1080, 1920, seed=3).frames(FRAMES))
        steps = Steps(session, path, save_weights(NAME, Path(folder) / "weights.safetensors"))
        asked: dict[str, Callable[[], int]] = {
            f"{NAME} at {SIDE}, video to scores": steps.video,
            f"{NAME} at {SIDE}, network alone": steps.network,
            **{f"{name}, from device memory": lambda n=name: steps.metric(n) for name in METRICS},
            "upload as RGB": steps.upload_rgb,
            "upload as planes": steps.upload_planes,
        }
        for do in asked.values():
            do()
        rounds = [{name: milliseconds(do) for name, do in asked.items()} for _ in range(ROUNDS)]
    print(
        f"{torch.cuda.get_device_name()}, {path.name}\n\n| step | ms | per second |\n|---|---|---|"
    )
    for name in asked:
        ms = statistics.median(each[name] for each in rounds)
        print(f"| {name} | {ms:.3g} | {1000 / ms:.4g} |")
    print("\n| stage of the run | share of its wall time |\n|---|---|")
    for name, times in steps.timings["stages"].items():
        print(f"| {name} | {times['wall'] / steps.timings['seconds']:.0%} |")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else None)

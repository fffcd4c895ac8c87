"""What a run on a CPU keeps of the speed of the bare network, as ratios in one run.

    python benchmarks/network.py [CLIP] [FRAMES]

The network is DINOv2-small at its 224 pixels with random weights, whose values do not matter here.
"Bare" is timm's module in a loop over one fixed batch of normalised frames, as many at a time as
vfiscope gives it. Beside it stand runs with the metric cosine, which compares two vectors per pair:
of frames in memory, the first of the clip, also cut to a square, and of the clip with itself.
Printed is processor time of all threads per embedded frame, the median of ROUNDS rounds that hold
all steps, and the share that the bare network's time has in it, the median too; in float32 and in
bfloat16. Opening the network is not counted. Without a clip, one of 1920 x 1080 is drawn.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # as the command line does

import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import timm
import torch
from safetensors.torch import save_file

import vfiscope as vs
from vfiscope.embedders import Embedder, open_embedder
from vfiscope.embedders.dinov2 import network_batch
from vfiscope.embedders.precision import multiplying_in
from vfiscope.models.catalog import entry
from vfiscope.sources import open_source
from vfiscope.synth import Scene, write_video

NAME = "dinov2-small"
FRAMES = 16
ROUNDS = 3


def save_weights(name: str, path: Path) -> Path:
    """Random weights of a network of the catalog."""
    torch.manual_seed(0)
    model = timm.create_model(entry(name).timm_id, num_classes=0, dynamic_img_size=True)
    save_file(model.state_dict(), path)
    return path


def bare(embedder: Embedder, size: tuple[int, int], frames: int) -> None:
    """The module alone on as many frames."""
    h, w = embedder.grid(*size)
    count = network_batch("cpu", h * w)
    batch = torch.zeros(count, 3, h * embedder.patch, w * embedder.patch)
    with torch.no_grad(), multiplying_in(embedder.identity.precision, torch.device("cpu")):
        for _ in range(frames // count):
            embedder.model.forward_features(batch)


def score(
    session: vs.Session, weights: Path, test: Any, ref: Any, *, frames: int, precision: str
) -> None:
    """Half of the frames are test frames, half are references."""
    with tempfile.TemporaryDirectory() as folder:
        session.score(
            test,
            ref=ref,
            metrics=["cosine"],
            signals=["none"],
            embedder=NAME,
            weights=weights,
            precision=precision,
            device="cpu",
            stop=frames // 2,
            out=Path(folder) / "run.h5",
        ).close()


def steps(
    session: vs.Session, weights: Path, clip: Path, frames: int, precision: str
) -> dict[str, Callable[[], None]]:
    """{what is measured: a function that embeds so many frames}"""
    embedder = open_embedder(NAME, weights=weights, precision=precision)
    with open_source(clip, stop=frames // 2) as source:
        images = np.concatenate([batch.interleaved for batch in source])
    height, width = images.shape[1:3]
    side = min(height, width)
    square = np.ascontiguousarray(images[:, :side, :side])
    scored = partial(score, session, weights, frames=frames, precision=precision)
    return {
        "bare, square": lambda: bare(embedder, (side, side), frames),
        "memory, square": lambda: scored(square, square),
        "bare": lambda: bare(embedder, (height, width), frames),
        "memory": lambda: scored(images, images),
        "video": lambda: scored(str(clip), str(clip)),
    }


def processor_ms(do: Callable[[], None], frames: int) -> float:
    """Milliseconds per frame."""
    start = time.process_time()
    do()
    return 1000 * (time.process_time() - start) / frames


def table(asked: dict[str, Callable[[], None]], frames: int) -> None:
    for do in asked.values():
        do()
    rounds = [{name: processor_ms(do, frames) for name, do in asked.items()} for _ in range(ROUNDS)]
    print("\n| step | processor ms a frame | share of the bare network |\n|---|---|---|")
    for name in asked:
        alone = "bare, square" if name.endswith("square") else "bare"
        ms = statistics.median(each[name] for each in rounds)
        share = statistics.median(each[alone] / each[name] for each in rounds)
        print(f"| {name} | {ms:.0f} | {share:.0%} |")


def main(clip: str | None, frames: int) -> None:
    with tempfile.TemporaryDirectory() as folder, vs.Session() as session:
        path = Path(folder) / "clip.mp4" if clip is None else Path(clip)
        if clip is None:
            write_video(path, Scene(1080, 1920, seed=3).frames(frames // 2))
        weights = save_weights(NAME, Path(folder) / "weights.safetensors")
        for precision in ("float32", "bfloat16"):
            print(f"\n{NAME} in {precision}, {path.name}, {torch.get_num_threads()} threads")
            table(steps(session, weights, path, frames, precision), frames)


if __name__ == "__main__":
    given = dict(enumerate(sys.argv))
    main(given.get(1), int(given.get(2, FRAMES)))

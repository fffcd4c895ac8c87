"""Share of frames whose phase and role are found in interpolated clips, clip by clip.

    python benchmarks/cadence.py [DATA]

Clips are synthetic scenes, and real ones where the folder DATA (``../shared/data`` beside the
checkout by default) holds them. Of each, frames are dropped; the rest, the source, is interpolated
again by repeats, by blends and by FFmpeg's ``minterpolate``, and recompressed with H.264 at CRF 23.
Prints a line for each: frames, and those of right phase and role. Exits with 1 if any is wrong.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from vfiscope import open_source, synth
from vfiscope.alignment import find_cadence
from vfiscope.errors import VfiscopeError

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
FRAMES, HEIGHT = 64, 270
CRF = 23
MULTIPLIERS = (Fraction(2), Fraction(4), Fraction(5, 2))
FILLS = ("repeat", "blend", "minterpolate")

Pixels = NDArray[np.uint8]


def clips(data: Path) -> Iterator[tuple[str, Pixels]]:
    """Name and (N, H, W, 3) frames of each clip."""
    for seed, speed in ((1, 1.5), (2, 0.25), (3, 4.0)):
        scene = synth.Scene(180, 320, seed=seed, velocity=(speed, speed / 3))
        yield f"scene, {speed:g} px a frame", np.stack(list(scene.frames(FRAMES)))
    folders = sorted((data / "sequences").glob("*"))
    for path in (
        *folders,
        *sorted(path for path in (data / "videos").glob("*/*") if path.is_file()),
    ):
        try:
            with open_source(str(path), stop=FRAMES, tonemap="none") as source:
                kept = [fitted(batch.interleaved) for batch in source if batch.bit_depth == 8]
        except VfiscopeError:
            continue
        if sum(map(len, kept)) >= 16:
            yield path.name, np.concatenate(kept)


def fitted(frames: NDArray[np.uint8]) -> Pixels:
    """Frames of even size and at most HEIGHT rows."""
    step = max(1, -(-frames.shape[1] // HEIGHT))
    frames = frames[:, ::step, ::step]
    height, width = (side - side % 2 for side in frames.shape[1:3])
    return np.ascontiguousarray(frames[:, :height, :width])


def filled(
    source: Pixels, multiplier: Fraction, fill: str
) -> tuple[list[Pixels], NDArray[np.int64]]:
    """Frames of the interpolated video, and the source position of each in units of 1 /
    numerator."""
    if fill == "minterpolate":
        return motion_compensated(source, multiplier)
    b, a = multiplier.numerator, multiplier.denominator
    steps = np.arange(0, (len(source) - 1) * b + 1, a)
    out = []
    for step in steps:
        before, part = step // b, (step % b) / b
        after = min(before + 1, len(source) - 1)
        if fill == "repeat":
            out.append(source[before])
        else:
            mixed = source[before] * (1 - part) + source[after] * part
            out.append(np.rint(mixed).astype(np.uint8))
    return out, steps


def motion_compensated(
    source: Pixels, multiplier: Fraction
) -> tuple[list[Pixels], NDArray[np.int64]]:
    """The clip interpolated by FFmpeg's minterpolate; positions are its own timestamps."""
    rate = 24
    graph = av.filter.Graph()
    height, width = source.shape[1:3]
    entry = graph.add_buffer(
        width=width, height=height, format="yuv420p", time_base=Fraction(1, rate)
    )
    wanted = rate * multiplier
    middle = graph.add("minterpolate", f"fps={wanted.numerator}/{wanted.denominator}:scd=none")
    end = graph.add("buffersink")
    entry.link_to(middle)
    middle.link_to(end)
    graph.configure()
    out, steps = [], []
    for i, pixels in enumerate(source):
        frame = av.VideoFrame.from_ndarray(pixels, "rgb24").reformat(format="yuv420p")
        frame.pts, frame.time_base = i, Fraction(1, rate)
        entry.push(frame)
        while True:
            try:
                made = end.pull()
            except (av.BlockingIOError, av.EOFError):
                break
            out.append(made.to_ndarray(format="rgb24"))
            steps.append(round(made.pts * made.time_base * rate * multiplier.numerator))
    return out, np.array(steps)


def measure(frames: Pixels, multiplier: Fraction, fill: str, folder: Path) -> tuple[int, int, str]:
    """(frames, right frames, a summary) of a clip that lost frames, was interpolated and
    recompressed."""
    source = frames[:: max(1, int(multiplier))]
    made, steps = filled(source, multiplier, fill)
    path = synth.write_video(folder / "test.mp4", iter(made), rate=24 * multiplier, crf=CRF)
    try:
        with open_source(str(path)) as test, open_source(source, fps=24) as low:
            found = find_cadence(test, low)
    except VfiscopeError as error:
        return len(steps), 0, str(error)
    b = multiplier.numerator
    position = found.before * b + np.rint(np.nan_to_num(found.phase, nan=-1) * b)
    right = (position == steps) & (found.multiplier == multiplier)
    return len(steps), int(right.sum()), f"{found.multiplier} from {found.start}, {found.share:.0%}"


def main() -> int:
    data = Path(sys.argv[1]) if len(sys.argv) > 1 else DATA
    frames_all = right_all = 0
    print("| clip | multiplier | filled by | frames | right | found |\n|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        for name, frames in clips(data):
            for multiplier in MULTIPLIERS:
                for fill in FILLS:
                    count, right, found = measure(frames, multiplier, fill, Path(folder))
                    frames_all, right_all = frames_all + count, right_all + right
                    print(
                        f"| {name} | {multiplier} | {fill} | {count} | {right} | {found} |",
                        flush=True,
                    )
    print(f"\n{right_all} of {frames_all} frames right")
    return 0 if right_all == frames_all else 1


if __name__ == "__main__":
    sys.exit(main())

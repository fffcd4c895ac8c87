"""Time to fetch single frames of a long video, with and without a first pass.

::

    python benchmarks/frames_at.py make clip.mp4 --minutes 10
    python benchmarks/frames_at.py time clip.mp4 --frames 20

``make`` encodes a minute of 1080p at 25 fps in H.264 with the defaults of x264: closed groups of up
to 250 frames with B-frames; ``--open`` makes open groups. The packets of this minute are repeated
at later times up to the requested length. ``time`` reads the whole clip once, as scoring does, and
keeps its seek table; then it opens the clip again, fetches random frames, and compares each with
the frame from the whole reading.
"""

from __future__ import annotations

import argparse
import random
import time
import zlib
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np

from vfiscope.sources import open_source
from vfiscope.types import Frames

HEIGHT, WIDTH, RATE, SECONDS = 1080, 1920, 25, 60


def make(path: Path, minutes: float, open_groups: bool) -> None:
    """A camera that pans over a noisy texture, with a new scene every 20 seconds."""
    packets = _encode(path, open_groups)
    with av.open(str(path)) as source, av.open(str(packets), "w") as out:
        stream = out.add_stream_from_template(source.streams.video[0])
        kept = [packet for packet in source.demux(video=0) if packet.size]
        for turn in range(round(minutes * 60 / SECONDS)):
            for packet in kept:
                again = av.Packet(bytes(packet))
                later = turn * round(SECONDS / packet.time_base)
                again.pts, again.dts = packet.pts + later, packet.dts + later
                again.duration, again.time_base = packet.duration, packet.time_base
                again.is_keyframe, again.stream = packet.is_keyframe, stream
                out.mux(again)
    packets.replace(path)


def _encode(path: Path, open_groups: bool) -> Path:
    """Encode a minute to the path; where the repetition is to be written."""
    params = "log-level=none" + (":open-gop=1" if open_groups else "")
    options = {"preset": "veryfast", "x264-params": params}
    rng = np.random.default_rng(0)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=RATE, options=options)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for i in range(SECONDS * RATE):
            if i % (20 * RATE) == 0:
                texture = _texture(rng)
            shift = 3 * (i % (20 * RATE))
            view = np.ascontiguousarray(texture[shift // 4 :, shift:][:HEIGHT, :WIDTH])
            cv2.putText(view, str(i), (80, 160), cv2.FONT_HERSHEY_SIMPLEX, 5, (255, 255, 255), 9)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(view, "rgb24")))
        container.mux(stream.encode())
    return path.with_stem(path.stem + ".repeated")


def _texture(rng: np.random.Generator) -> Any:
    """(H, W, 3) uint8, larger than a frame by as far as the camera pans."""
    shape = (HEIGHT + 400, WIDTH + 3 * 20 * RATE, 3)
    coarse = rng.integers(0, 256, (shape[0] // 40, shape[1] // 40, 3), np.uint8)
    fine = rng.integers(0, 256, (shape[0] // 4, shape[1] // 4, 3), np.uint8)
    size = (shape[1], shape[0])
    layers = [cv2.resize(layer, size, interpolation=cv2.INTER_CUBIC) for layer in (coarse, fine)]
    return cv2.addWeighted(layers[0], 0.9, layers[1], 0.1, 0)


def measure(path: Path, count: int) -> None:
    """Print the seconds for reading everything and for fetching, and check the fetched frames."""
    began = time.perf_counter()
    with open_source(path, batch=4) as source:
        whole = [told for frames in source for told in _told(frames)]
        table = source.seek_table
    print(f"{len(whole)} frames read whole: {time.perf_counter() - began:.1f} s")
    chosen = random.Random(0).sample(range(len(whole)), count)
    began, cpu = time.perf_counter(), time.process_time()
    with open_source(path) as source:
        source.seek_table = table
        frames = source.frames_at(chosen)
    wall, cpu = time.perf_counter() - began, time.process_time() - cpu
    same = list(_told(frames)) == [whole[i] for i in chosen]
    print(f"{count} random frames with the table {table}: {wall:.2f} s ({cpu:.2f} s of CPU)")
    print(f"bit-identical to the whole reading: {same}")
    began = time.perf_counter()
    with open_source(path) as source:
        source.frames_at(chosen)
    print(f"without a first pass: {time.perf_counter() - began:.1f} s")


def _told(frames: Frames) -> list[tuple[int, int, int]]:
    """(index, pts, checksum) of every frame."""
    pixels = [np.ascontiguousarray(frames.data[i]) for i in range(len(frames))]
    sums = [zlib.crc32(each.data) for each in pixels]
    return list(zip(frames.index.tolist(), frames.pts.tolist(), sums, strict=True))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    verbs = parser.add_subparsers(dest="verb", required=True)
    making = verbs.add_parser("make")
    making.add_argument("path", type=Path)
    making.add_argument("--minutes", type=float, default=10)
    making.add_argument("--open", action="store_true")
    timing = verbs.add_parser("time")
    timing.add_argument("path", type=Path)
    timing.add_argument("--frames", type=int, default=20)
    options = parser.parse_args()
    if options.verb == "make":
        make(options.path, options.minutes, options.open)
    else:
        measure(options.path, options.frames)


if __name__ == "__main__":
    main()

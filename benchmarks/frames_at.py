"""How long it takes to fetch single frames of a long video, with and without the stored keyframes.

::

    python benchmarks/frames_at.py make clip.mp4 --minutes 10
    python benchmarks/frames_at.py time clip.mp4 --frames 20

``make`` encodes a film of 1080p, 25 frames a second, in H.264 as x264 does by itself: groups of up
to 250 frames, three B-frames, closed groups; ``--open`` makes open ones. ``time`` reads the whole
once, as scoring does, and keeps what that noted; then it opens the clip anew and fetches random
frames, and compares every one with what the whole reading gave.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np

HEIGHT, WIDTH, RATE = 1080, 1920, 25


def make(path: Path, minutes: float, open_groups: bool, seed: int) -> None:
    """Encode a camera that pans over a noisy texture, with a new scene every 20 seconds."""
    rng = np.random.default_rng(seed)
    params = "log-level=none" + (":open-gop=1" if open_groups else "")
    with av.open(str(path), "w") as container:
        options = {"preset": "veryfast", "x264-params": params}
        stream = container.add_stream("libx264", rate=RATE, options=options)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        texture = np.empty(0)
        for i in range(round(minutes * 60 * RATE)):
            if i % (20 * RATE) == 0:
                texture = _texture(rng)
            shift = 3 * (i % (20 * RATE))
            view = np.ascontiguousarray(texture[shift // 4 :, shift:][:HEIGHT, :WIDTH])
            cv2.putText(view, str(i), (80, 160), cv2.FONT_HERSHEY_SIMPLEX, 5, (255, 255, 255), 9)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(view, "rgb24")))
        container.mux(stream.encode())


def _texture(rng: np.random.Generator) -> Any:
    """(H, W, 3) uint8, larger than a frame by as far as the camera pans."""
    shape = (HEIGHT + 400, WIDTH + 3 * 20 * RATE, 3)
    coarse = rng.integers(0, 256, (shape[0] // 40, shape[1] // 40, 3), np.uint8)
    fine = rng.integers(0, 256, (shape[0] // 4, shape[1] // 4, 3), np.uint8)
    size = (shape[1], shape[0])
    layers = [cv2.resize(layer, size, interpolation=cv2.INTER_CUBIC) for layer in (coarse, fine)]
    return cv2.addWeighted(layers[0], 0.8, layers[1], 0.2, 0)

"""LPIPS (Zhang et al. 2018, SqueezeNet) of a pair and of copies of it, kept on disk; see
benchmarks/vfi.py.

LPIPS has noise of its own: its network is not symmetric, and it halves the frame four times, so a
value depends on where the frame lies on a grid of 16 px. The yardstick is therefore
its mean over six copies of a pair: plain and mirrored left to right, each whole and without its
first 5 and 10 rows and columns, which moves it by about a third and two thirds of that grid.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["MIRRORED", "PLAIN", "Lpips", "read"]

SHIFTS = (0, 5, 10)
COPIES = [(mirror, shift) for mirror in (False, True) for shift in SHIFTS]
"""Of a pair: whether it is mirrored, and how many rows and columns it loses."""
PLAIN, MIRRORED = COPIES.index((False, 0)), COPIES.index((True, 0))
KNOWN = {"ex_p0": 0.7110, "ex_p1": 0.1479}
"""LPIPS of two images against pairs/lpips/ex_ref.png, as published by its authors."""
MEAN, DEVIATION = (np.array(x, np.float32) for x in ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)))

Pixels = NDArray[np.uint8]


def read(path: Path) -> Pixels:
    return np.ascontiguousarray(cv2.imread(str(path), cv2.IMREAD_COLOR)[:, :, ::-1])


def copies(frame: Pixels) -> Iterator[Pixels]:
    for mirror, shift in COPIES:
        yield (frame[:, ::-1] if mirror else frame)[shift:, shift:]


class Lpips:
    """LPIPS of test and reference, checked against its published numbers; values are kept in a
    cache folder."""

    def __init__(self, data: Path) -> None:
        weights = data / "weights/lpips_squeeze.onnx"
        self._network = cv2.dnn.readNetFromONNX(str(weights))
        self._key = hashlib.sha256(
            weights.read_bytes() + json.dumps([COPIES, cv2.__version__]).encode()
        )
        ref = read(data / "pairs/lpips/ex_ref.png")
        for name, value in KNOWN.items():
            found = self.plain(read(data / f"pairs/lpips/{name}.png"), ref)
            assert abs(found - value) < 1e-3, (
                f"LPIPS of {name} is {found:.4f}, {value:.4f} is published"
            )
        cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"))
        self.file = cache / "vfiscope-benchmarks" / "lpips.jsonl"
        self._kept: dict[str, list[float]] = {}
        if self.file.exists():
            for line in self.file.read_text(encoding="utf-8").splitlines():
                self._kept.update(json.loads(line))

    def plain(self, test: Pixels, ref: Pixels) -> float:
        """Of two frames (H, W, 3) as they are."""
        for name, frame in (("dist", test), ("ref", ref)):
            planes = (frame.astype(np.float32) / 255 - MEAN) / DEVIATION
            self._network.setInput(np.ascontiguousarray(planes.transpose(2, 0, 1)[None]), name)
        return float(self._network.forward().ravel()[0])

    def of_copies(self, test: Pixels, ref: Pixels) -> list[float]:
        """Of each of COPIES."""
        key = self._key.copy()
        for frame in (test, ref):
            key.update(repr(frame.shape).encode() + frame.tobytes())
        name = key.hexdigest()
        if name not in self._kept:
            self._kept[name] = [
                self.plain(*pair) for pair in zip(copies(test), copies(ref), strict=True)
            ]
            self.file.parent.mkdir(parents=True, exist_ok=True)
            with self.file.open("a", encoding="utf-8") as file:
                file.write(json.dumps({name: self._kept[name]}) + "\n")
        return self._kept[name]

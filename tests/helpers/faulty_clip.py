"""A clip with a block at fault in frames 3 and 7, and the clip without."""

from __future__ import annotations

from typing import Any

from vfiscope import synth

N, HEIGHT, WIDTH = 12, 64, 96
LEAN: dict[str, Any] = {"metrics": "psnr", "maps": "absdiff", "fields": "none"}
TRUTH = synth.Scene(HEIGHT, WIDTH, seed=2, velocity=(3.0, 1.0)).clip(N).frames
TEST = TRUTH.copy()
TEST[7, 16:48, 32:64] = 255 - TEST[7, 16:48, 32:64]
TEST[3, 32:48, 0:16] = 0

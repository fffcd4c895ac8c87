"""Soft frames are no ghosts: blur, and what a codec makes of it, against blends of two instants."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from helpers.between import Picture, between, score

import vfiscope as vs
from vfiscope import synth


def ground(x: int) -> Picture:
    """(96, 160, 3) fine texture, ``x`` pixels further right: whole pixels, so that nothing but the
    blur under test softens it."""
    noise = np.random.default_rng(5).normal(size=(96, 200, 3)).astype(np.float32)
    octaves = sum(amp * cv2.GaussianBlur(noise, (0, 0), s) for s, amp in ((1, 20), (3, 150)))
    return np.clip(128 + octaves[:, 40 - x : 200 - x], 0, 255).astype(np.uint8)


def ghosts(step: int, kind: str, folder: Path, sigma: float = 0) -> list[float]:
    """Ghosting of the made frames of a 2x clip as a codec keeps them; real frames are ``2 * step``
    pixels apart."""
    clip = []
    for t in range(4):
        before, middle, after = (ground((2 * t + k) * step) for k in range(3))
        both = before.astype(np.float64) + after
        made = middle if kind == "right" else np.rint(both / 2).astype(np.uint8)
        clip += [before, made if not sigma else cv2.GaussianBlur(made, (0, 0), sigma)]
    path = synth.write_video(folder / "clip.mp4", np.stack([*clip, after]), crf=14)
    with vs.open_source(str(path)) as source:
        shown = np.concatenate([batch.interleaved for batch in source])
    return [score(between(*trio), "ghosting")[0] for trio in trios(shown)]


def trios(shown: Picture) -> list[tuple[Picture, list[Picture], Picture]]:
    return [(shown[k], [shown[k + 1]], shown[k + 2]) for k in range(0, len(shown) - 2, 2)]


@pytest.mark.parametrize(("step", "sigma"), [(1, 0.6), (1, 0.9), (2, 0.6)])
def test_a_soft_frame_at_its_instant_is_no_ghost(tmp_path: Path, step: int, sigma: float) -> None:
    assert max(ghosts(step, "right", tmp_path, sigma)) < 0.03


@pytest.mark.parametrize(("step", "sigma"), [(2, 0), (2, 0.6), (4, 0)])
def test_a_blend_of_two_instants_still_is_one(tmp_path: Path, step: int, sigma: float) -> None:
    assert min(ghosts(step, "blend", tmp_path, sigma)) > 0.7

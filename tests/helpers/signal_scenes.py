"""Made scenes of known motion, and signals of frames by hand."""

from __future__ import annotations

import cv2
import numpy as np

from vfiscope.signals import SIGNALS, SignalFrame

H, W = 120, 200


def texture(seed: int = 1, size: tuple[int, int] = (H + 80, W + 80)) -> np.ndarray:
    """Smooth random luma of mean 120 and deviation 40."""
    rough = np.random.default_rng(seed).normal(0, 1, size)
    smooth = cv2.GaussianBlur(rough, (0, 0), 3)
    return np.clip(120 + 40 * smooth / smooth.std(), 0, 255)


SCENE = texture()


def view(x: float = 0, y: float = 0, scene: np.ndarray = SCENE) -> np.ndarray:
    """The scene from a place: content moves to the left and up where the place goes on."""
    matrix = np.array([[1, 0, 40 + x], [0, 1, 40 + y]], np.float64)
    flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
    return np.asarray(np.rint(cv2.warpAffine(scene, matrix, (W, H), flags=flags)).clip(0, 255))


def frame(luma: np.ndarray) -> SignalFrame:
    return SignalFrame(np.repeat(np.asarray(luma, np.uint8)[..., None], 3, axis=2).copy(), 8)


def step(then: np.ndarray, now: np.ndarray, *names: str) -> list[float]:
    seen = frame(now).linked(frame(then), None, ())
    return [SIGNALS[name].compute(seen) for name in names]


def in_turn(lumas: list[np.ndarray], name: str) -> list[float]:
    """The signal of each frame, every one seen as in a run."""
    frames, found, before = [frame(each) for each in lumas], [], None
    past: tuple[np.ndarray, ...] = ()
    for n, each in enumerate(frames):
        after = frames[n + 1] if n + 1 < len(frames) else None
        seen = each.linked(before, after, past, tuple(one.small for one in frames[n + 1 : n + 3]))
        found.append(SIGNALS[name].compute(seen))
        before, past = seen.alone(), (seen.small, *past[:5])
    return found

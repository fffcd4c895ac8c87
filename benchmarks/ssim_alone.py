"""SSIM of one 1080p pair in memory beside scikit-image's Gaussian form, as a ratio in one run.

    python benchmarks/ssim_alone.py

Printed is processor time of all threads, the median of ROUNDS rounds that hold both, of RGB frames
to a score; luma for scikit-image is made before, in float64. Beside it, how far the scores are
apart.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import numpy as np
from skimage.metrics import structural_similarity

from vfiscope.metrics import ssim
from vfiscope.synth import Scene

ROUNDS = 5
BORDER = 5
"""Pixels around which no whole window fits: our mean leaves them out."""


def pair() -> tuple[np.ndarray, np.ndarray]:
    """Two frames of a scene, a step apart, (1080, 1920, 3) uint8."""
    test, ref = Scene(1080, 1920, seed=3).frames(2)
    return test, ref


def ours(test: np.ndarray, ref: np.ndarray) -> float:
    planes = (each[None].transpose(0, 3, 1, 2) for each in (test, ref))
    return float(ssim.ssim(*planes)[0])


def theirs(test: np.ndarray, ref: np.ndarray) -> float:
    _, full = structural_similarity(
        test,
        ref,
        data_range=255,
        gaussian_weights=True,
        sigma=1.5,
        use_sample_covariance=False,
        full=True,
    )
    return float(full[BORDER:-BORDER, BORDER:-BORDER].mean())


def seconds(compute: Callable[[], float]) -> float:
    start = time.process_time()
    compute()
    return time.process_time() - start


def main() -> None:
    test, ref = pair()
    gray = [each @ np.array([0.299, 0.587, 0.114]) for each in (test, ref)]
    apart = abs(ours(test, ref) - theirs(*gray))  # also compiles the loops
    rounds = [
        (seconds(lambda: theirs(*gray)), seconds(lambda: ours(test, ref))) for _ in range(ROUNDS)
    ]
    ratio = statistics.median(peer / own for peer, own in rounds)
    print(f"{ratio:.0f} times as fast as scikit-image; the scores are {apart:.1g} apart")


if __name__ == "__main__":
    main()

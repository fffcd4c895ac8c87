"""Coverage of the 95 % intervals of `vfiscope table`, in synthetic clips whose neighbouring frames
are alike.

    python benchmarks/intervals.py

A row for each length of a clip, a column for the correlation of neighbouring frames (first-order
autoregression).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vfiscope.views.intervals import interval

CLIPS = 500
FRAMES = (10, 20, 40, 100, 300, 1000)
ALIKE = (0.0, 0.5, 0.8, 0.9)


def clip(frames: int, alike: float, generator: np.random.Generator) -> NDArray[np.float64]:
    """Scores of mean 0."""
    noise = generator.standard_normal(frames + 200)
    scores = np.zeros(frames + 200)
    for n in range(1, len(scores)):
        scores[n] = alike * scores[n - 1] + noise[n]
    return scores[200:]


def main() -> None:
    generator = np.random.default_rng(2026)
    print(f"{'frames':<8}" + "".join(f"{alike:>8}" for alike in ALIKE))
    for frames in FRAMES:
        shares = []
        for alike in ALIKE:
            found = [interval([clip(frames, alike, generator)]) for _ in range(CLIPS)]
            shares.append(
                np.mean([ends is not None and ends.low <= 0 <= ends.high for ends in found])
            )
        print(f"{frames:<8}" + "".join(f"{share:>8.1%}" for share in shares), flush=True)


if __name__ == "__main__":
    main()

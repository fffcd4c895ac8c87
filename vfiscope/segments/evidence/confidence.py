"""Confidence: how probable it is that a segment is real, from how clearly it shows.

Each detector knows a margin: by how much the weakest of its evidence exceeds what is asked of it, 1
where it is just enough. What that is worth was measured: a logistic function of the logarithm of
the margin, one for each kind of evidence, fitted to the segments of the tuning half of
``benchmarks/faults.py`` that are real and those that are none. The two numbers of each are its
values where the margin is 1 and where it is 2.
"""

from __future__ import annotations

import math

__all__ = ["MIN_CONFIDENCE", "confidence"]

MIN_CONFIDENCE = 0.5
"""What is less probable is not said."""
MAX_CONFIDENCE = 0.97
"""Other videos are harder than those it was fitted to."""
MEASURED: dict[str, tuple[float, float]] = {
    "blur": (0.34, 0.94),
    "cadence": (0.81, 0.96),
    "change": (0.12, 0.60),
    "corruption": (0.80, 0.93),
    "cut": (0.90, 0.96),
    "drop": (0.40, 0.66),
    "exposure": (0.65, 0.92),
    "fade": (0.84, 0.96),
    "flash": (0.69, 0.94),
    "flicker": (0.71, 0.95),
    "ghosting": (0.85, 0.95),
    "mixture": (0.80, 0.95),  # chosen, not fitted: none of them was false
    "repeat": (0.50, 0.75),  # the first chosen: few are so
    "shift": (0.49, 0.92),
    "tearing": (0.56, 0.89),
    "transition": (0.90, 0.96),
    "warp": (0.49, 0.88),
}
"""{evidence: probability where the margin is 1, and where it is 2}"""


def confidence(evidence: str, margin: float) -> float:
    """The probability, 0..1, that a segment with such evidence is real.

    Args:
        evidence: one of those that were measured.
        margin: by how much it exceeds what is asked, above 0; 1 where it is just enough.
    """
    just, twice = (math.log(p / (1 - p)) for p in MEASURED[evidence])
    logit = just + (twice - just) * math.log2(max(margin, 1e-3))
    return min(MAX_CONFIDENCE, 1 / (1 + math.exp(-max(logit, -50.0))))

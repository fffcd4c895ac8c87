"""Every way in which a fault is made, at three severities, for each half: other frames, strengths
and shapes in the half that is reported than in the one that detectors are tuned on."""

from __future__ import annotations

from faults_reported import REPORTED
from faults_tuning import TUNING

VARIANTS = {"tuning": TUNING, "reported": REPORTED}

PATTERNS = {
    "tuning": {
        "twos": (2,),
        "threes": (3,),
        "2:3": (2, 3),
        "one in five": (1, 1, 1, 2),
    },
    "reported": {
        "twos": (2,),
        "threes": (3,),
        "3:2": (3, 2),
        "one in six": (1, 1, 1, 1, 2),
        "one in 25": (*[1] * 23, 2),
    },
}
"""Cadences: how often each frame of the source is shown, in turn."""
STRETCHES = (36, 64, 200)
"""Frames of a cadence, mild to strong; the longest is the whole clip."""

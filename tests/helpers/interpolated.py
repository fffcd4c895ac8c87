"""A moving scene, every second frame of it, and what fills the gaps."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from cadence import filled
from click.testing import CliRunner, Result
from numpy.typing import NDArray

from vfiscope.cli.program import vfiscope

Pixels = NDArray[np.uint8]
N = 21
VELOCITY = (3.0, 1.0)
"""Of the ground, px a frame of the fast clip; a frame of the slow one is two of them."""
STEP = 2 * float(np.hypot(*VELOCITY))


def interpolated(low: Pixels, fill: str) -> Pixels:
    return np.stack(filled(low, Fraction(2), fill)[0])


def call(*arguments: str) -> Result:
    return CliRunner().invoke(vfiscope, arguments)

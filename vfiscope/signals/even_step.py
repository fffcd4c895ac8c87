"""Even steps: how far content went in terms of the steps before and after it."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from vfiscope.jit import compiled
from vfiscope.signals.frame_flow import block_flow, from_before, step_before, step_to_next
from vfiscope.signals.pace import MIN_PACE_BLOCKS, MIN_PACE_PX, product, ratios_of
from vfiscope.signals.ranks import ranked
from vfiscope.signals.signal import Sight, Signal, SignalFrame, part_of
from vfiscope.types import SignalSpec

__all__ = ["EVEN_STEPS", "EvenStep", "even_step"]

AGREED_SHARE, AGREED_PX = 0.3, 0.15
"""How far a block may be from where most of them say that it is, in parts of its motion and in tiny
pixels beside that."""


class EvenStep(NamedTuple):
    """The motion of moving blocks beside that with which each would go on evenly."""

    pace: float
    """Median: 1 where motion goes on, n + 1 where n instants are missing."""
    agreed: float
    """Part of what moves, 0..1, that went so many of its own steps."""
    off: float
    """Tiny pixels from even motion: root of the mean square."""


def even_step(frame: SignalFrame) -> EvenStep | None:
    """Let v be the motion of a block since the frame in the row before, and u the mean of its
    motion before that and until the next frame: its step, if motion goes on evenly, or gathers
    speed evenly. Its pace is v . u / |u|^2.

    Where instants are missing, all that moves goes the same number of its own steps at once,
    whatever their directions and lengths; one thing that starts to move, and a bump of the camera,
    do not agree in that. A hand that holds the camera is often as far from even motion.

    Blocks are 8 x 8 of frames scaled down to at most 240 px of width; they move where |u| is above
    0.25 of their pixels, and count by |u|^2 in what agrees. None where fewer than six do, and where
    a neighbour is not known.
    """
    step, earlier, later = block_flow(from_before(frame)), step_before(frame), step_to_next(frame)
    if step is None or earlier is None or later is None:
        return None
    usual = (earlier + later) / 2
    ratios = np.empty(step.size // 2)
    count = ratios_of(step, usual, np.zeros_like(usual), ratios)
    if count < MIN_PACE_BLOCKS:
        return None
    (pace,) = ranked(ratios[:count], 0.5)
    return EvenStep(pace, *beside_even(step, usual, pace))


@compiled()
def beside_even(step: Any, usual: Any, pace: float) -> tuple[float, float]:
    """The part of the moving blocks of a flow (h, w, 2), by the squares of their usual steps, that
    went about ``pace`` of these; and the root of the mean square of how far all are from one."""
    agreed, total, square, count = 0.0, 0.0, 0.0, 0
    for i in range(step.shape[0]):
        for j in range(step.shape[1]):
            length = product(usual[i, j], usual[i, j])
            if length > MIN_PACE_PX * MIN_PACE_PX:
                across, down = step[i, j, 0] - usual[i, j, 0], step[i, j, 1] - usual[i, j, 1]
                square += across * across + down * down
                across = step[i, j, 0] - pace * usual[i, j, 0]
                down = step[i, j, 1] - pace * usual[i, j, 1]
                near = AGREED_SHARE * abs(pace) * math.sqrt(length) + AGREED_PX
                agreed += length * (across * across + down * down < near * near)
                total += length
                count += 1
    return agreed / total, math.sqrt(square / count)


EVEN_STEPS = tuple(
    Signal(
        SignalSpec(f"even_{name}", unit, text),
        part_of(even_step, name),
        Sight.BEFORE | Sight.AFTER | Sight.PAST,
        usual=True,
    )
    for name, unit, text in (
        (
            "pace",
            "1",
            "Motion since the frame before as a multiple of the mean of those before and after it:"
            " 2 where an instant is missing.",
        ),
        ("agreed", "1", "Part of what moves that went as many of its own steps as even_pace says."),
        (
            "off",
            "px",
            "How far what moves is from that many of its steps, at 240 px of width.",
        ),
    )
)

"""Frames that repeat the one before are not embedded again."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from vfiscope.types import Features, Frames, Int64

__all__ = ["embed_once"]


def embed_once(embed: Callable[[Frames], Features], frames: Frames) -> Features:
    """The features of N frames; of equal ones in a row the first is embedded.

    The features of a frame do not depend on the others in its batch, so none change. Frames on a
    device are not compared.
    """
    sources = _sources(frames)
    firsts, rows = np.unique(sources, return_inverse=True)
    if len(firsts) == len(sources):
        return embed(frames)
    return embed(frames.take(firsts)).take(rows)


def _sources(frames: Frames) -> Int64:
    """(N,) for each frame the row of the first of the equal frames in a row that it is one of."""
    made, pixels = np.arange(len(frames)), frames.data
    if isinstance(pixels, np.ndarray):
        middle = pixels.shape[2] // 2
        for row in range(1, len(frames)):
            one, before = pixels[row], pixels[row - 1]
            # Most frames differ in any line.
            if np.array_equal(one[:, middle], before[:, middle]) and np.array_equal(one, before):
                made[row] = made[row - 1]
    return made

"""Embedding step: the distance of a frame's embedding to that of the frame before."""

from __future__ import annotations

import math

import numpy as np

from vfiscope.signals.signal import Sight, Signal, SignalFrame
from vfiscope.types import Float32, Float64, SignalSpec

__all__ = ["EMBEDDING_STEP", "embedding_step"]


def embedding_step(frame: SignalFrame) -> float:
    """1 - cosine of the pooled embeddings of a frame and of the one in the row before, 0..2; 0 when
    equal.

    Computed as half the squared distance of the unit vectors, as the metric ``cosine`` is, in
    float64. A zero vector is at distance 0 from a zero vector and 1 from any other. Where the run
    registers, the embeddings are those of the registered frames.
    """
    if frame.before is None or frame.embedding is None or frame.before.embedding is None:
        return math.nan
    now, then = _unit(frame.embedding), _unit(frame.before.embedding)
    if now is None or then is None:
        return 0.0 if now is then else 1.0
    return 0.5 * float(np.square(now - then).sum())


def _unit(vector: Float32) -> Float64 | None:
    """The vector scaled to unit length; None for a zero vector."""
    wide = vector.astype(np.float64)
    length = math.sqrt(np.square(wide).sum())
    return None if length == 0 else wide / length


EMBEDDING_STEP = Signal(
    SignalSpec("embedding_step", "1", "1 - cosine of the embedding to that of the frame before."),
    embedding_step,
    Sight.BEFORE | Sight.EMBEDDING,
    usual=True,
)

"""Limits and defaults that are not options (those are declared in :mod:`vfiscope.options`)."""

from __future__ import annotations

from typing import get_args

from vfiscope.options import RunConfig
from vfiscope.options.embedding_options import Aspect, Device, Precision, TokenPool

__all__ = ["RunConfig"]

TOKEN_POOLS = get_args(TokenPool)
ASPECTS = get_args(Aspect)
DEVICES = get_args(Device)
PRECISIONS = get_args(Precision)

ROWS_PER_PART = 64
"""Rows per part file: the most that a killed run can lose; an interrupted run loses none."""

SIZE_DSIFT = 392
SIZE_DINOV2_CPU = 224
SIZE_DINOV2_GPU = 518
"""Short side in pixels to which a frame is resized for embedding."""

MAX_CONSECUTIVE_ERRORS = 32
"""Reading a video stops after this many undecodable packets in a row."""

MAX_FRAMES = 10_000_000
"""A source that claims or holds more frames than this is refused."""
MAX_DURATION_S = 366 * 24 * 3600
"""A video that claims to be longer than this is refused."""
MAX_BATCH_BYTES = 2**31
"""Batches are made smaller where their pixels would exceed this."""
MAX_LAG_BYTES = 2**32
"""A scan whose lag would hold more than this in frames and features is refused."""

FLAG_ENTER = 6.0
"""Robust standard deviations from the clip's own level at which a segment starts."""
FLAG_LEAVE = 3.0
"""Robust standard deviations at which it ends (hysteresis)."""
FLAG_MIN_FRAMES = 1
"""Shortest segment of the default rule."""

LOW_MARGIN = 0.2
"""Below this margin, a partner is only one of several that fit nearly as well (see
:class:`vfiscope.types.Pairing`)."""
ALIGN_CELLS = 4_000_000
"""Most pairs of frames (20 bytes each) that an alignment compares at once; longer clips are
compared in a band."""
RATE_TOLERANCE = 0.001
"""Relative difference of two frame rates up to which frames are still paired row by row."""

SIGMA_OF_MAD = 1.4826
"""Standard deviations of Gaussian noise in a median absolute deviation (Rousseeuw, Croux 1993)."""

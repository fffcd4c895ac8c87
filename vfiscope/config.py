"""Limits and defaults that are no options; the options are declared in :mod:`vfiscope.options`."""

from __future__ import annotations

from typing import get_args

from vfiscope.options import RunConfig
from vfiscope.options.embedding_options import Aspect, Device, TokenPool
from vfiscope.options.reading_options import ResizeFilter

__all__ = ["RunConfig"]

TOKEN_POOLS = get_args(TokenPool)
ASPECTS = get_args(Aspect)
DEVICES = get_args(Device)
RESIZE_FILTERS = get_args(ResizeFilter)

ROWS_PER_PART = 64
"""Rows in a part file: what a killed run loses at most; one that is interrupted loses none."""

SIZE_DSIFT = 392
SIZE_DINOV2_CPU = 224
SIZE_DINOV2_GPU = 518
"""Short side in pixels to which a frame is resized before it is embedded."""

MAX_CONSECUTIVE_ERRORS = 32
"""A video is given up after so many undecodable packets in a row."""

MAX_FRAMES = 10_000_000
"""A source that claims or holds more frames is refused."""
MAX_DURATION_S = 366 * 24 * 3600
"""A video that claims to be longer is refused."""
MAX_BATCH_BYTES = 2**31
"""Batches are made smaller where their pixels would not fit in this."""
MAX_LAG_BYTES = 2**32
"""A scan whose lag would hold more than this in frames and features is refused."""

FLAG_ENTER = 6.0
"""Robust standard deviations from the clip's own level at which a segment starts."""
FLAG_LEAVE = 3.0
"""Robust standard deviations at which it ends (hysteresis)."""
FLAG_MIN_FRAMES = 1
"""Shortest segment of the default rule."""

LOW_MARGIN = 0.2
"""Below this margin a partner is one of several that fit nearly as well (see
:class:`vfiscope.types.Pairing`)."""
ALIGN_CELLS = 4_000_000
"""Pairs of frames that an alignment compares at most at once; longer clips are compared in a band
(20 bytes each)."""
RATE_TOLERANCE = 0.001
"""Part by which the rates of two videos may differ and their frames still be paired row by row."""

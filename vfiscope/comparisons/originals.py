"""A warning about originals among frames whose roles are unknown."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from vfiscope.alignment import find_passthrough
from vfiscope.comparisons.comparison import Scored
from vfiscope.options import RunConfig
from vfiscope.types import Code, Float64, Int64, Note, Role

__all__ = ["warn_unmarked_originals"]

BADNESS: dict[str, Callable[[Float64], Float64]] = {
    "mse": lambda mse: mse,
    "psnr": lambda psnr: 10 ** (-psnr / 10),
    "absdiff": lambda absdiff: absdiff,
    "ssim": lambda ssim: 1 - ssim,
    "ghosting": lambda ghosting: ghosting,
}
"""{metric: how bad its values are}; the one that separates originals best comes first."""


def warn_unmarked_originals(config: RunConfig, scored: Scored, counted: Int64) -> list[Note]:
    """A warning if the scores look as if originals had been passed through.

    Scores never decide which frames are originals: the better a method is, the less its frames
    differ from originals. The warning names the option that states it, and the results stay over
    all frames.

    Args:
        config: of the run.
        scored: its rows.
        counted: (N,) the ordinals that a multiplier counts, -1 where there is none.
    """
    table, values = scored.table, scored.values
    name = next((name for name in BADNESS if name in values), None)
    if name is None or config.step != 1 or (table.role != Role.UNKNOWN).any():
        return []
    found = find_passthrough(BADNESS[name](values[name].astype(np.float64)))
    if found is None:
        return []
    multiplier, row = found
    cycle = counted[row::multiplier]
    told = {
        "multiplier": multiplier,
        "frame": int(table.index[row]),
        "metric": name,
        "begins_with_one": int(cycle[cycle >= 0][0]) % multiplier == 0,
    }
    return [Note(Code.UNMARKED_ORIGINALS, told)]

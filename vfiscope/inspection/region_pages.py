"""Figures of the regions of a run, frame by frame."""

from __future__ import annotations

import os
from pathlib import Path

from vfiscope.scoring.region_marks import SoughtPair
from vfiscope.store import Run
from vfiscope.views.places import frame_place
from vfiscope.views.region_figures import draw_regions

__all__ = ["draw_pair"]


def draw_pair(
    run: Run, pair: SoughtPair, folder: str | os.PathLike[str], *, overwrite: bool = False
) -> list[Path]:
    """Draw a pair of frames with its regions: boxes, difference map, overlay, one page.

    Args:
        run: the run of the pair.
        pair: as found in it.
        folder: where ``<run>-<frame>_*.png`` are written.
        overwrite: replace figures that exist.

    Returns:
        The paths.

    Raises:
        OutputExistsError: a figure exists, and overwriting was not asked for.
    """
    heading = frame_place(run, pair.compared.row)
    return draw_regions(pair.found, folder, pair.stem, heading=heading, overwrite=overwrite)

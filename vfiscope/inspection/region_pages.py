"""Figures of the regions of a run, frame by frame."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from vfiscope.scoring.region_marks import WatchRows, sought_pairs
from vfiscope.store import Run
from vfiscope.views.places import frame_place
from vfiscope.views.region_figures import draw_regions

__all__ = ["draw_pages"]


def draw_pages(
    run: Run,
    folder: str | os.PathLike[str],
    *,
    root: str | os.PathLike[str] | None = None,
    watch: WatchRows | None = None,
    overwrite: bool = False,
) -> Iterator[Path]:
    """Draw every frame in which regions were found: boxes, difference map, overlay, one page.

    Args:
        run: a finished run with regions.
        folder: where ``<run>-<frame>_*.png`` are written.
        root: a folder that the inputs lie in now, for inputs that were moved.
        watch: wraps the rows that are read again.
        overwrite: replace figures that exist.

    Returns:
        The paths, as they are written.

    Raises:
        UsageError: no regions were sought in the run.
        SourceError: an input is not there any more, has changed, or was an array in memory.
        OutputExistsError: a figure exists, and overwriting was not asked for.
    """
    for pair in sought_pairs(run, root=root, watch=watch):
        row = pair.compared.row
        stem = f"{run.path.stem}-{int(run.frames.index[row]):06}"
        heading = frame_place(run, row)
        yield from draw_regions(pair.found, folder, stem, heading=heading, overwrite=overwrite)

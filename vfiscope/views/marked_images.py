"""The images that regions were sought in, as annotation tools know them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from vfiscope.errors import UsageError
from vfiscope.regions.masks import lengths_of
from vfiscope.types import Answer, Region

if TYPE_CHECKING:
    from vfiscope.store import Run

__all__ = ["MarkedImage", "check_regions_of", "marked_images", "size_of"]


@dataclass(frozen=True)
class MarkedImage:
    """One test frame, with what was found in it."""

    frame: int
    """Decode ordinal."""
    row: int | None
    """Place in the run; None where the run does not hold it."""
    name: str
    """The image file relative to the folder that all share; "" of a video."""
    answer: Answer | None
    """None where none is stored."""
    regions: list[tuple[int, Region]]
    """(number in the run, from 1; region)"""


def marked_images(run: Run) -> list[MarkedImage]:
    """The frames that regions were sought in, in order, those without any too.

    Raises:
        UsageError: the run holds no regions, nor that there are none.
        StoreError: a region cannot be drawn.
    """
    check_regions_of(run)
    answers = {answer.frame: answer for answer in run.answers}
    regions: dict[int, list[tuple[int, Region]]] = {}
    for number, region in enumerate(run.regions, 1):
        regions.setdefault(region.frame, []).append((number, region))
    rows = {int(frame): row for row, frame in enumerate(run.frames.index)}
    images = []
    for frame in sorted({*answers, *regions}):
        row = rows.get(frame)
        name = run.names[row] if run.names and row is not None else ""
        own = regions.get(frame, [])
        images.append(MarkedImage(frame, row, name, answers.get(frame), own))
    return images


def check_regions_of(run: Run) -> None:
    """Refuse a run without regions, or with masks that cannot be drawn.

    Raises:
        UsageError: regions were never sought.
        StoreError: a mask is not one of the frame.
    """
    if "regions" not in run.stages:
        raise UsageError(f"{run.path} holds no regions: run vfiscope regions {run.path} first")
    for region in run.regions:
        if region.mask:
            lengths_of(region.mask, size_of(run))


def size_of(run: Run) -> tuple[int, int]:
    """(height, width) of the frames as scored.

    Raises:
        UsageError: an older run does not tell.
    """
    if run.frame_size is None:
        raise UsageError(f"{run.path} does not tell the size of its frames: make it again")
    height, width = (int(side) for side in np.asarray(run.frame_size))
    return height, width

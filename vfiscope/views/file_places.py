"""Regions in the pixels of the files that annotation tools show."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import cv2
import numpy as np

from vfiscope.regions.masks import decode, encode
from vfiscope.types import Box, Region
from vfiscope.views.marked_images import marked_images, size_of

if TYPE_CHECKING:
    from vfiscope.store import Run

__all__ = ["PlacedImage", "placed_images"]

COLUMNS, ROWS = ("x", "tight_x", "centroid_x"), ("y", "tight_y", "centroid_y")
"""The places of a region."""


@dataclass(frozen=True)
class PlacedImage:
    """A test frame as its file holds it, whole and in its own size; one that was registered, as it
    was compared."""

    frame: int
    """Decode ordinal."""
    name: str
    """The image file relative to the folder that all share; "" of a video, and of a frame that was
    registered: its regions have the places of the reference, which fit no test file."""
    size: tuple[int, int]
    """(height, width)"""
    registration: str
    """none, or how the frame was brought onto the reference."""
    regions: list[tuple[int, Region]]
    """(number in the run, from 1; region in pixels of this image)"""

    @property
    def stem(self) -> str:
        """What to call an image that has no file."""
        return f"{'frame' if self.registration == 'none' else 'registered'}_{self.frame:06d}"


def placed_images(run: Run) -> list[PlacedImage]:
    """The frames that regions were sought in, with crop and resize undone.

    Raises:
        UsageError: the run holds no regions.
        StoreError: a region cannot be drawn.
    """
    scored = size_of(run)
    whole, part = _of_the_file(run, scored)
    placed = []
    for image in marked_images(run):
        how = image.answer.registration if image.answer else "none"
        if how == "none" and image.row is not None and run.registration is not None:
            used = str((run.register or {}).get("method", "registered"))
            how = used if run.registration.accepted[image.row] else "none"
        if how != "none":
            placed.append(PlacedImage(image.frame, "", scored, how, image.regions))
            continue
        regions = [(n, _moved(region, part, whole, scored)) for n, region in image.regions]
        placed.append(PlacedImage(image.frame, image.name, whole, how, regions))
    return placed


def _of_the_file(run: Run, scored: tuple[int, int]) -> tuple[tuple[int, int], Box]:
    """(height, width) of the test frames as decoded, and the part of them that was scored."""
    test = next((each for each in run.sources if each["role"] == "test"), {})
    whole = int(test.get("height", scored[0])), int(test.get("width", scored[1]))
    return whole, Box(*(test.get("crop") or (0, 0, whole[1], whole[0])))


def _moved(region: Region, part: Box, whole: tuple[int, int], scored: tuple[int, int]) -> Region:
    """A region of a frame as scored, in the whole frame that a part was cut from."""
    if part == Box(0, 0, scored[1], scored[0]) and whole == scored:
        return region
    across, down = part.w / scored[1], part.h / scored[0]
    mask = region.mask
    if mask:
        pixels = decode(mask, scored).astype(np.uint8)
        if scored != (part.h, part.w):
            pixels = np.asarray(
                cv2.resize(pixels, (part.w, part.h), interpolation=cv2.INTER_NEAREST_EXACT)
            )
        mask = encode(pixels > 0, part, whole)
    columns = {name: part.x + across * getattr(region, name) for name in COLUMNS}
    rows = {name: part.y + down * getattr(region, name) for name in ROWS}
    return replace(
        region,
        **columns,
        **rows,
        w=across * region.w,
        h=down * region.h,
        tight_w=across * region.tight_w,
        tight_h=down * region.tight_h,
        area=across * down * region.area,
        mask=mask,
    )

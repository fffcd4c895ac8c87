"""Regions in the format of COCO (https://cocodataset.org/#format-data, detection, 2015)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from vfiscope.store.text import plain
from vfiscope.types import Region
from vfiscope.views.marked_images import marked_images, size_of
from vfiscope.views.region_panels import KIND_COLOURS

if TYPE_CHECKING:
    from vfiscope.store import Run

__all__ = ["coco_of", "kind_ids"]


def coco_of(run: Run) -> dict[str, Any]:
    """The regions of a run as the JSON object of COCO.

    Images are the frames that regions were sought in, those without any too; their ``id`` is the
    decode ordinal, and their ``file_name`` the file relative to the common folder, or
    ``frame_000012.png`` of a video. Annotations are numbered from 1 in the order of the run, and
    categories are the kinds, whose ids stay the same from run to run. ``bbox`` is the box with
    context, ``segmentation`` the mask in compressed run lengths (the box, where there is none),
    ``score`` the mean of the difference map, in the unit in ``info``; ``attributes`` hold the rest.
    All lengths are in pixels of the frames as scored; where an image names a ``registration``, it
    was brought onto the reference, and the places are those there.

    Raises:
        UsageError: the run holds no regions.
        StoreError: a region cannot be drawn.
    """
    images, (height, width) = marked_images(run), size_of(run)
    ids = kind_ids(run.regions)
    record = run.stages["regions"]
    found = {
        "info": {
            "description": f"regions of {run.path.name}",
            "version": f"vfiscope {record.vfiscope_version}",
            "date_created": record.made,
            "contributor": "",
            "url": "",
            "year": int(record.made[:4]) if record.made[:4].isdigit() else 0,
            "units": {answer.unit: answer.level for answer in run.answers},
            "parameters": record.parameters,
        },
        "licenses": [],
        "images": [
            {
                "id": image.frame,
                "file_name": image.name.replace("\\", "/") or f"frame_{image.frame:06d}.png",
                "width": width,
                "height": height,
                "registration": image.answer.registration if image.answer else "none",
            }
            for image in images
        ],
        "annotations": [
            _annotation(number, region, ids[region.kind], (height, width))
            for image in images
            for number, region in image.regions
        ],
        "categories": [
            {"id": number, "name": kind, "supercategory": "change"} for kind, number in ids.items()
        ],
    }
    cleaned: dict[str, Any] = plain(found)
    return cleaned


def kind_ids(regions: Sequence[Region]) -> dict[str, int]:
    """{kind: its number from 1}: those that vfiscope knows, then others by name."""
    others = sorted({region.kind for region in regions} - set(KIND_COLOURS))
    return {kind: number for number, kind in enumerate([*KIND_COLOURS, *others], 1)}


def _annotation(
    number: int, region: Region, category: int, size: tuple[int, int]
) -> dict[str, Any]:
    right, below = region.x + region.w, region.y + region.h
    corners = [region.x, region.y, right, region.y, right, below, region.x, below]
    mask = {"size": list(size), "counts": region.mask}
    return {
        "id": number,
        "image_id": region.frame,
        "category_id": category,
        "bbox": [region.x, region.y, region.w, region.h],
        "area": region.area,
        "segmentation": mask if region.mask else [corners],
        "iscrowd": 0,
        "score": region.score,
        "attributes": {
            "severity": region.severity,
            "change": region.change,
            "track": region.track,
            "peak": region.peak,
            "caption": region.caption,
        },
    }

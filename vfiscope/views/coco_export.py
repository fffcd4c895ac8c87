"""Regions in the format of COCO (https://cocodataset.org/#format-data, detection, 2015)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from vfiscope.regions.describe.mask_shape import outlines_of
from vfiscope.regions.masks import extent_of
from vfiscope.store.text import plain
from vfiscope.types import Region
from vfiscope.views.file_places import placed_images
from vfiscope.views.region_panels import KIND_COLOURS

if TYPE_CHECKING:
    from vfiscope.store import Run

__all__ = ["coco_of", "kind_ids"]


def coco_of(run: Run, *, as_polygons: bool = False) -> dict[str, Any]:
    """The regions of a run as the JSON object of COCO.

    Images are the frames that regions were sought in, those without any too; their ``id`` is the
    decode ordinal, and their ``file_name`` the file relative to the common folder, or
    ``frame_000012.png`` of a video. Annotations are numbered from 1 in the order of the run, and
    categories are the kinds, whose ids stay the same from run to run. ``segmentation`` is the mask
    in compressed run lengths, or the outer outlines of its parts, in which holes are filled;
    ``bbox`` is the extent of the mask (both are the box with context, where there is no mask),
    ``score`` the mean of the difference map, in the unit in ``info``; ``attributes`` hold the rest.
    All lengths are in pixels of the file: ``--crop``, ``--panels`` and ``--resize`` are undone.
    Places in a frame that was registered are those of the reference. Such an image has the size of
    the frames as scored, its ``registration``, and the name ``registered_000012.png``, which is no
    file of the inputs.

    Args:
        run: a finished run in which regions were sought.
        as_polygons: outlines instead of run lengths.

    Raises:
        UsageError: the run holds no regions.
        StoreError: a region cannot be drawn.
    """
    images = placed_images(run)
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
                "file_name": image.name.replace("\\", "/") or f"{image.stem}.png",
                "width": image.size[1],
                "height": image.size[0],
                "registration": image.registration,
            }
            for image in images
        ],
        "annotations": [
            _annotation(number, region, ids[region.kind], image.size, as_polygons)
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
    number: int, region: Region, category: int, size: tuple[int, int], as_polygons: bool
) -> dict[str, Any]:
    tight = extent_of(region.mask, size) if region.mask else None
    x, y, w, h = tight or (region.x, region.y, region.w, region.h)
    return {
        "id": number,
        "image_id": region.frame,
        "category_id": category,
        "bbox": [x, y, w, h],
        "area": region.area,
        "segmentation": _segmentation(region, size, as_polygons),
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


def _segmentation(
    region: Region, size: tuple[int, int], as_polygons: bool
) -> dict[str, Any] | list[list[float]]:
    """The mask of a region, as run lengths or as outlines; of one without a mask its box."""
    if not region.mask:
        right, below = region.x + region.w, region.y + region.h
        return [[region.x, region.y, right, region.y, right, below, region.x, below]]
    if as_polygons:
        return [each.ravel().astype(float).tolist() for each in outlines_of(region.mask, size)]
    return {"size": list(size), "counts": region.mask}

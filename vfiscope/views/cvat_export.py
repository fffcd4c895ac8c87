"""Regions in the formats of CVAT, "CVAT for images 1.1" and "CVAT for video 1.1"
(https://docs.cvat.ai/docs/dataset_management/formats/format-cvat/, 2025).

Each region is the box with context, labelled with its kind, with the attributes ``change``,
``severity``, ``score`` and ``caption``; for images, it may be its outlines instead. Masks are in
the export for COCO, which CVAT reads too.
Images are named as CVAT names them: by their file relative to the common folder, or
``frame_000012`` of a video; frames have the numbers of a task that holds all of them. Lengths are
in pixels of the file: ``--crop``, ``--panels`` and ``--resize`` are undone. Places in a frame that
was registered are those of the reference: it is named ``registered_000012``, which is no file of
the inputs, and no track of a video can hold it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element, ElementTree, SubElement, indent

from vfiscope.errors import UsageError
from vfiscope.printable import printable
from vfiscope.regions.describe.mask_shape import outlines_of
from vfiscope.types import Int64, Region
from vfiscope.views.coco_export import kind_ids
from vfiscope.views.file_places import PlacedImage, placed_images

if TYPE_CHECKING:
    from vfiscope.store import Run

__all__ = ["cvat_of_images", "cvat_of_video"]

CVAT_ATTRIBUTES = ("change", "severity", "score", "caption")


def cvat_of_images(run: Run, *, as_polygons: bool = False) -> ElementTree[Element]:
    """The regions of a run as "CVAT for images 1.1".

    Args:
        run: a finished run in which regions were sought.
        as_polygons: the outer outlines of the masks instead of boxes; those of one region are a
            group. A region without a mask stays a box.

    Raises:
        UsageError: the run holds no regions.
        StoreError: a region cannot be drawn.
    """
    images = placed_images(run)
    root = _root(run, images, "annotation")
    for image in images:
        height, width = image.size
        facts = {"id": str(image.frame), "name": _name(image)}
        node = SubElement(root, "image", {**facts, "width": str(width), "height": str(height)})
        for number, region in image.regions:
            label = {"label": _text(region.kind), "source": "auto"}
            outlines = outlines_of(region.mask, image.size) if as_polygons and region.mask else []
            for outline in outlines:
                facts = {**label, "group_id": str(number)}
                _draw_outline(SubElement(node, "polygon", facts), region, outline)
            if not outlines:
                _draw(SubElement(node, "box", label), region)
    indent(root)
    return ElementTree(root)


def cvat_of_video(run: Run) -> ElementTree[Element]:
    """The tracks of a run as "CVAT for video 1.1"; regions of no track are tracks of one frame.

    CVAT draws a track from box to box, also over frames that were not looked at or in which it
    was not found, and ends it after its last box.

    Raises:
        UsageError: the run holds no regions, or frames were registered.
        StoreError: a region cannot be drawn.
    """
    images = placed_images(run)
    registered = sum(image.registration != "none" for image in images)
    if registered:
        raise UsageError(
            f"{registered} frames of {run.path} were registered: the places of their regions are"
            " those of the reference, not of the video: export .cvat.xml or .regions.json"
        )
    root = _root(run, images, "interpolation")
    last = int(run.frames.index[-1]) if len(run.frames) else -1
    kinds = {track.track: track.kind for track in run.tracks}
    for number, regions in enumerate(_tracks(images)):
        kind = kinds.get(regions[0].track, regions[0].kind)
        track = SubElement(
            root, "track", {"id": str(number), "label": _text(kind), "source": "auto"}
        )
        for region in regions:
            _draw(_keyframe(track, region.frame, outside=False), region)
        if regions[-1].frame < last:
            _draw(_keyframe(track, regions[-1].frame + 1, outside=True), regions[-1])
    indent(root)
    return ElementTree(root)


def _tracks(images: Sequence[PlacedImage]) -> list[list[Region]]:
    """The regions of each track in order, one for each frame, by the numbers of the tracks; then
    every one of no track."""
    found: dict[int, dict[int, Region]] = {}
    alone: list[list[Region]] = []
    for image in images:
        for _, region in image.regions:
            of_track = found.setdefault(region.track, {}) if region.track >= 0 else None
            if of_track is None or region.frame in of_track:
                alone.append([region])
            else:
                of_track[region.frame] = region
    return [*(list(found[track].values()) for track in sorted(found)), *alone]


def _root(run: Run, images: Sequence[PlacedImage], mode: str) -> Element:
    root = Element("annotations")
    SubElement(root, "version").text = "1.1"
    task = SubElement(SubElement(root, "meta"), "task")
    SubElement(task, "name").text = _text(run.path.stem)
    SubElement(task, "size").text = str(len(images))
    SubElement(task, "mode").text = mode
    labels = SubElement(task, "labels")
    for kind in kind_ids(run.regions):
        label = SubElement(labels, "label")
        SubElement(label, "name").text = _text(kind)
        attributes = SubElement(label, "attributes")
        for name in CVAT_ATTRIBUTES:
            attribute = SubElement(attributes, "attribute")
            SubElement(attribute, "name").text = name
            SubElement(attribute, "mutable").text = "True"
            SubElement(attribute, "input_type").text = "text"
            SubElement(attribute, "default_value").text = ""
            SubElement(attribute, "values").text = ""
    size = SubElement(task, "original_size")
    height, width = images[0].size if images else (0, 0)
    SubElement(size, "width").text, SubElement(size, "height").text = str(width), str(height)
    return root


def _keyframe(track: Element, frame: int, *, outside: bool) -> Element:
    facts = {"frame": str(frame), "keyframe": "1", "outside": str(int(outside))}
    return SubElement(track, "box", facts)


def _draw(box: Element, region: Region) -> None:
    """The place of a region and its attributes."""
    corners = (region.x, region.y, region.x + region.w, region.y + region.h)
    places = zip(("xtl", "ytl", "xbr", "ybr"), corners, strict=True)
    _attributed(box, region, {name: f"{value:.2f}" for name, value in places})


def _draw_outline(polygon: Element, region: Region, outline: Int64) -> None:
    """A part of a region and its attributes."""
    points = ";".join(f"{x:.2f},{y:.2f}" for x, y in outline)
    _attributed(polygon, region, {"points": points})


def _attributed(shape: Element, region: Region, place: Mapping[str, str]) -> None:
    for name, text in {"occluded": "0", **place, "z_order": "0"}.items():
        shape.set(name, text)
    for name in CVAT_ATTRIBUTES:
        value = getattr(region, name)
        text = f"{value:.6g}" if isinstance(value, float) else _text(str(value))
        SubElement(shape, "attribute", {"name": name}).text = text


def _name(image: PlacedImage) -> str:
    return _text(image.name.replace("\\", "/")) or image.stem


def _text(text: str) -> str:
    """A text without what XML cannot hold."""
    return printable(text)

"""What was found in a run, as one JSON object for other programs, and as a table."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vfiscope.regions.describe.mask_shape import outlines_of
from vfiscope.regions.masks import lengths_of
from vfiscope.store.text import plain
from vfiscope.types import Region, Role, Status, Track
from vfiscope.views.marked_images import MarkedImage, marked_images, size_of
from vfiscope.views.region_words import answer_sentence

if TYPE_CHECKING:
    from vfiscope.store import Run

__all__ = ["region_facts", "region_report", "region_rows"]

REGION_REPORT_VERSION = 1
SOURCE_FACTS = ("role", "kind", "width", "height", "crop", "digest")
BOX = ("x", "y", "w", "h")
TIGHT = ("tight_x", "tight_y", "tight_w", "tight_h")


def region_report(run: Run, among: Collection[int] | None = None) -> dict[str, Any]:
    """The regions of a run with all that is known of them.

    ``json.dumps(region_report(run), allow_nan=False)`` always works; what is not finite is None.

    ::

        format, version     "vfiscope regions" and the version of this schema
        result              full path of the result
        vfiscope, made      version and time (ISO 8601, UTC) of the search
        parameters          method, sensitivity, ...: those of the search
        inputs              [{role, path (full), kind, width, height, crop, digest}]
        size                {width, height} of the frames as scored
        units               {boxes, area, scores: one for each unit of the difference maps}
        frames              one for each frame that regions were sought in:
            frame           decode ordinal, from 0
            name, time_s, moment    image file, seconds, ISO 8601 in UTC; None where unknown
            role, status    as in the result
            answer          same, light, moved, changed or undecided
            sentence        the answer for people
            unit, level     unit of the difference map, threshold in it (None: nothing changed)
            changed_area    part of the frame that is covered by regions, 0..1
            light           {gain, offset}: test = gain * reference + offset, in 8-bit luma
            camera          {registration, shift_x, shift_y (pixels), rotation (degrees, clockwise
                            as seen), zoom, evidence}
            regions         [{id, track (None: of none), kind, change, severity (1..5), caption,
                            box {x, y, w, h}, tight {x, y, w, h}, centroid {x, y}, area, score,
                            peak, mask_by, mask {size: [h, w], counts: run lengths down the columns,
                            outside and inside in turn} or None, polygons: for each part of the
                            mask, the largest first, its outer outline [[x, y] along the edges of
                            pixels], true to a pixel}]
        tracks              [{track, first_frame, last_frame, regions, kind}]: of the whole
                            result, of those that have a region in these frames
        errors              [{frame, name, error}]: frames of the result without an answer that
                            could not be compared

    All places are in pixels of the frames as scored: with an input's ``crop`` (x, y, w, h), x lies
    at ``crop.x + x * crop.w / size.width`` of its file. With registration, they are those of the
    reference: the test frame was brought onto it.

    Args:
        run: a finished run in which regions were sought.
        among: decode ordinals of the frames that are told of; None for all.

    Raises:
        UsageError: the run holds no regions.
        StoreError: a region cannot be drawn.
    """
    images, record = marked_images(run), run.stages["regions"]
    height, width = size_of(run)
    errors = _errors(run, {image.frame for image in images})
    report = {
        "format": "vfiscope regions",
        "version": REGION_REPORT_VERSION,
        "result": str(Path(run.path).resolve()),
        "vfiscope": record.vfiscope_version,
        "made": record.made,
        "parameters": record.parameters,
        "inputs": [
            {"path": source.get("path"), **{key: source.get(key) for key in SOURCE_FACTS}}
            for source in run.sources
        ],
        "size": {"width": width, "height": height},
        "units": {
            "boxes": "pixels of the frame as scored",
            "area": "pixels",
            "scores": list(dict.fromkeys(answer.unit for answer in run.answers)),
        },
        "frames": [
            _frame(run, image, (height, width))
            for image in images
            if among is None or image.frame in among
        ],
        "tracks": [asdict(track) for track in _tracks(run, among)],
        "errors": [each for each in errors if among is None or each["frame"] in among],
    }
    cleaned: dict[str, Any] = plain(report)
    return cleaned


def region_rows(run: Run) -> Iterator[list[object]]:
    """A heading and a row for each region, without the masks; with the name and time of its frame,
    and the unit and threshold of its map. ``box_x`` to ``box_h`` is the box with context,
    ``tight_x`` to ``tight_h`` the extent of the mask.

    Raises:
        UsageError: the run holds no regions.
        StoreError: a region cannot be drawn.
    """
    images = marked_images(run)
    columns = [field.name for field in fields(Region) if field.name not in ("frame", "mask")]
    named = [f"box_{name}" if name in BOX else name for name in columns]
    yield ["id", "frame", "name", "time_s", *named, "unit", "level"]
    for image in images:
        time_s = None if image.row is None else float(run.frames.time_s[image.row])
        unit, level = (image.answer.unit, image.answer.level) if image.answer else ("", None)
        for number, region in image.regions:
            facts = [getattr(region, name) for name in columns]
            yield [number, image.frame, image.name, time_s, *facts, unit, level]


def _frame(run: Run, image: MarkedImage, size: tuple[int, int]) -> dict[str, Any]:
    row, answer = image.row, image.answer
    facts: dict[str, Any] = {
        "frame": image.frame,
        "name": image.name or None,
        "time_s": None if row is None else float(run.frames.time_s[row]),
        "moment": None if row is None else run.moment(row),
        "role": None if row is None else Role(run.frames.role[row]).name.lower(),
        "status": None if row is None else Status(run.frames.status[row]).name.lower(),
    }
    if answer is not None:
        facts |= {
            "answer": answer.answer,
            "sentence": answer_sentence(answer),
            "unit": answer.unit,
            "level": answer.level,
            "changed_area": answer.changed_area,
            "light": {"gain": answer.gain, "offset": answer.offset},
            "camera": {
                key: getattr(answer, key)
                for key in ("registration", "shift_x", "shift_y", "rotation", "zoom", "evidence")
            },
        }
    return {**facts, "regions": [_region(number, each, size) for number, each in image.regions]}


def region_facts(number: int, region: Region) -> dict[str, Any]:
    """What a region is and where, without its numbers and its mask, as :func:`region_report` names
    it."""
    words = ("kind", "change", "severity", "caption")
    return {
        "id": number,
        "track": None if region.track < 0 else region.track,
        **{key: getattr(region, key) for key in words},
        "box": {key: getattr(region, key) for key in BOX},
        "tight": {key.removeprefix("tight_"): getattr(region, key) for key in TIGHT},
    }


def _region(number: int, region: Region, size: tuple[int, int]) -> dict[str, Any]:
    mask, outlines = None, []
    if region.mask:
        outlines = [each.tolist() for each in outlines_of(region.mask, size)]
        mask = {"size": list(size), "counts": lengths_of(region.mask, size).tolist()}
    return {
        **region_facts(number, region),
        "centroid": {"x": region.centroid_x, "y": region.centroid_y},
        "area": region.area,
        "score": region.score,
        "peak": region.peak,
        "mask_by": region.mask_by,
        "mask": mask,
        "polygons": outlines,
    }


def _tracks(run: Run, among: Collection[int] | None) -> Sequence[Track]:
    if among is None:
        return run.tracks
    shown = {region.track for region in run.regions if region.frame in among}
    return [track for track in run.tracks if track.track in shown]


def _errors(run: Run, seen: set[int]) -> Iterator[dict[str, Any]]:
    for row, status in enumerate(run.frames.status):
        frame = int(run.frames.index[row])
        if frame not in seen and status in (Status.UNREADABLE, Status.UNPAIRED):
            name = run.names[row] if run.names else None
            yield {"frame": frame, "name": name, "error": Status(status).name.lower()}

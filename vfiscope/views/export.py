"""The scores of every frame as a table: .csv, .json or .parquet; or what was found in them.

Regions or segments are written instead where the name ends in one of these:

===================  ================================================================
.segments.json       all that is known of the segments
                     (:mod:`vfiscope.views.segment_exports.segment_rows`)
.segments.csv        a row for each segment
.edl, .ndf.edl       an edit decision list with markers: with drop-frame timecode where
                     the rate has it, and without (:mod:`vfiscope.views.segment_exports.edl`)
.otio                OpenTimelineIO (:mod:`vfiscope.views.segment_exports.otio_timeline`)
.fcpxml              Final Cut Pro XML (:mod:`vfiscope.views.segment_exports.fcpxml`)
.vtt, .srt           timed text (:mod:`vfiscope.views.segment_exports.text_tracks`)
.regions.json        all that is known of the regions (:mod:`vfiscope.views.region_report`)
.regions.csv         a row for each region, without masks
.coco.json           for COCO (:mod:`vfiscope.views.coco_export`), masks as run lengths
.coco-polygons.json  the same, masks as outlines
.cvat.xml            boxes for images in CVAT (:mod:`vfiscope.views.cvat_export`)
.cvat-polygons.xml   outlines for images in CVAT
.cvat-video.xml      tracks for a video in CVAT
===================  ================================================================

Of the scores:

One row per test frame, in order, with the columns ``index, pts, time_s, ref_index, role, phase,
status``, where the test was images ``name``, their files, and every score and signal of the run
under its name. Roles and statuses are written by name. A number is written with the fewest digits
that read back as the same float32 (float64 for time_s and phase), and what is not finite as
follows:

========  ===========  ============  =================================================
file      not defined  +inf, -inf    where
========  ===========  ============  =================================================
.csv      empty        inf, -inf     in its column
.json     null         null          and ``"infinite": {"psnr": "inf"}`` in the row
.parquet  NaN          +inf, -inf    in its column
========  ===========  ============  =================================================

In .csv, a name that a spreadsheet would compute as a formula stands behind an apostrophe, and
control characters are replaced (:mod:`vfiscope.printable`).

JSON is ``{"summary": {...}, "frames": [...]}``, strictly valid, one frame a line; a row without
infinite values has no ``"infinite"``. Parquet keeps each metric's unit, range, direction, identity
and description in the metadata of its column, each signal's unit and description too, the time base
in that of ``pts``, and the run's mode, role (what headline numbers are about), creation time,
status, configuration, sources, embedder, versions, pairing and notes as JSON under ``vfiscope`` in
the metadata of the schema.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.etree.ElementTree import Element, ElementTree

import numpy as np
from numpy.typing import NDArray

from vfiscope.errors import (
    UsageError,
    optional_import,
)
from vfiscope.files import replacing
from vfiscope.printable import CsvRows
from vfiscope.types import FrameTable, Role, Status
from vfiscope.views.coco_export import coco_of
from vfiscope.views.cvat_export import cvat_of_images, cvat_of_video
from vfiscope.views.region_report import region_report, region_rows
from vfiscope.views.segment_exports import SEGMENT_FORMATS

if TYPE_CHECKING:
    from vfiscope.store import Run

__all__ = ["export_run", "suffix_of"]

FRAME_COLUMNS = FrameTable.COLUMNS


def export_run(run: Run, out: str | os.PathLike[str], *, overwrite: bool = False) -> Path:
    """Write the scores of every frame, the regions or the segments; the ending of ``out`` chooses
    the format.

    The file appears whole or not at all.

    Args:
        run: a finished run.
        out: a path that ends in .csv, .json or .parquet for scores; in .segments.json,
            .segments.csv, .edl, .ndf.edl, .otio, .fcpxml, .vtt or .srt for segments; or in
            .regions.json, .regions.csv, .coco.json, .coco-polygons.json, .cvat.xml,
            .cvat-polygons.xml or .cvat-video.xml for regions.
        overwrite: replace a file that exists.

    Returns:
        The path written.

    Raises:
        UsageError: another extension, there are no regions to be written, or the format cannot
            hold the times of the frames.
        OutputExistsError: the file exists, and overwriting was not asked for.
        MissingPackageError: .parquet needs the package pyarrow, .otio OpenTimelineIO.
        DiskFullError, StoreError: the file cannot be written.
    """
    path = Path(out)
    write = _writer_of(path)
    with replacing(path, overwrite=overwrite) as temporary:
        write(run, temporary)
    return path


def suffix_of(path: Path, known: tuple[str, ...]) -> str:
    """The extension in lower case.

    Raises:
        UsageError: it is none of the known ones.
    """
    suffix = path.suffix.lower()
    if suffix not in known:
        raise UsageError(
            f"{path} ends in {path.suffix or 'no extension'}: name a file that ends in"
            f" {' or '.join(known)}"
        )
    return suffix


def _writer_of(path: Path) -> Callable[[Run, Path], None]:
    name = path.name.lower()
    for ending, write in FOUND_WRITERS.items():
        if name.endswith(ending):
            return write
    suffix = suffix_of(path, (*WRITERS, *FOUND_WRITERS))
    return WRITERS[suffix]


def _columns(run: Run) -> dict[str, list[Any] | NDArray[Any]]:
    """Every column in order; role and status by name."""
    named = {"role": Role, "status": Status}
    columns: dict[str, list[Any] | NDArray[Any]] = {}
    for name in FRAME_COLUMNS:
        column = getattr(run.frames, name)
        columns[name] = (
            [named[name](code).name.lower() for code in column] if name in named else column
        )
    if run.names:
        columns["name"] = list(run.names)
    return columns | dict(run.scores) | dict(run.signals)


def _write_csv(run: Run, path: Path) -> None:
    columns = _columns(run)
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = CsvRows(file)
        rows.write([columns])
        rows.write(zip(*columns.values(), strict=True))


def _write_json(run: Run, path: Path) -> None:
    columns = _columns(run)
    rows = zip(*columns.values(), strict=True)
    with path.open("w", encoding="utf-8") as file:
        file.write(f'{{"summary": {json.dumps(run.summary(), allow_nan=False)},\n"frames": [')
        for number, row in enumerate(rows):
            entry = _json_row(dict(zip(columns, row, strict=True)))
            file.write(f"{',' * (number > 0)}\n{json.dumps(entry, allow_nan=False)}")
        file.write("\n]}\n")


def _json_row(row: dict[str, Any]) -> dict[str, Any]:
    infinite = {
        name: str(value)
        for name, value in row.items()
        if isinstance(value, np.floating) and np.isinf(value)
    }
    entry = {name: _json_value(value) for name, value in row.items()}
    return entry | {"infinite": infinite} if infinite else entry


def _json_value(value: Any) -> Any:
    if isinstance(value, np.integer):
        return int(value)
    if isinstance(value, np.floating):
        # by way of its shortest text, as float() would spell out the float32 to 17 digits
        return float(str(value)) if np.isfinite(value) else None
    return value


def _write_parquet(run: Run, path: Path) -> None:
    arrow = optional_import("pyarrow", "parquet")
    parquet = optional_import("pyarrow.parquet", "parquet")
    arrays = {name: arrow.array(column) for name, column in _columns(run).items()}
    fields = [
        arrow.field(name, array.type, metadata=_about(run, name)) for name, array in arrays.items()
    ]
    facts = (
        "mode",
        "role",
        "created",
        "status",
        "config",
        "sources",
        "embedder",
        "versions",
        "pairing",
        "notes",
    )
    about = json.dumps({name: getattr(run, name) for name in facts}, allow_nan=False)
    schema = arrow.schema(fields, metadata={"vfiscope": about})
    parquet.write_table(arrow.Table.from_arrays(list(arrays.values()), schema=schema), path)


def _write_region_rows(run: Run, path: Path) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        CsvRows(file).write(region_rows(run))


def _write_object(run: Run, path: Path, of: Callable[[Run], dict[str, Any]]) -> None:
    made = of(run)
    with path.open("w", encoding="utf-8") as file:
        json.dump(made, file, allow_nan=False)
        file.write("\n")


def _write_xml(run: Run, path: Path, of: Callable[[Run], ElementTree[Element]]) -> None:
    made = of(run)
    with path.open("wb") as file:
        made.write(file, encoding="utf-8", xml_declaration=True)


def _write_text(run: Run, path: Path, of: Callable[[Run], str]) -> None:
    made = of(run)
    path.write_text(made, encoding="utf-8", newline="")


def _about(run: Run, name: str) -> dict[str, str]:
    """What the metadata of a Parquet column says."""
    if name == "pts":
        base = run.frames.time_base
        return {"time_base_num": str(base.numerator), "time_base_den": str(base.denominator)}
    if name == "time_s":
        return {"unit": "s"}
    if name in run.signal_specs:
        signal = run.signal_specs[name]
        return {"unit": signal.unit, "description": signal.description}
    spec = run.specs.get(name)
    if spec is None:
        return {}
    keys = ("unit", "low", "high", "identity", "description")
    direction = {"lower_is_better": "true" if spec.lower_is_better else "false"}
    return {key: str(getattr(spec, key)) for key in keys} | direction


WRITERS: dict[str, Callable[[Run, Path], None]] = {
    ".csv": _write_csv,
    ".json": _write_json,
    ".parquet": _write_parquet,
}
FOUND_WRITERS: dict[str, Callable[[Run, Path], None]] = {
    ".regions.json": partial(_write_object, of=region_report),
    ".regions.csv": _write_region_rows,
    ".coco.json": partial(_write_object, of=coco_of),
    ".coco-polygons.json": partial(_write_object, of=partial(coco_of, as_polygons=True)),
    ".cvat.xml": partial(_write_xml, of=cvat_of_images),
    ".cvat-polygons.xml": partial(_write_xml, of=partial(cvat_of_images, as_polygons=True)),
    ".cvat-video.xml": partial(_write_xml, of=cvat_of_video),
    **{ending: partial(_write_text, of=of) for ending, of in SEGMENT_FORMATS.items()},
}
"""What was found in a run, by the ending of the file; the first that fits is taken."""

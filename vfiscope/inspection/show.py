"""Sheets of single frames of a run: which frames, what is drawn beside them, and where the files
go. Does not import torch."""

from __future__ import annotations

import os
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from vfiscope.errors import StoreError, UsageError
from vfiscope.files import output_file
from vfiscope.inspection.sheet_words import (
    caption_of,
    details_of,
    heading_of,
    how_to_read,
    title_of,
)
from vfiscope.registry import suggest
from vfiscope.scoring.stored_frames import fetch
from vfiscope.store import LazyArray, Run
from vfiscope.store.text import plain
from vfiscope.types import CellGrid, ComparedFrames, FetchedFrame, Float32, MetricSpec, cell_edges
from vfiscope.views.export import suffix_of
from vfiscope.views.heat import Layer, Scale, departure, extent_of, scale_of
from vfiscope.views.sheet import Panel, Shot, draw_sheet
from vfiscope.views.style import METADATA, save_figure
from vfiscope.views.worst import ChosenFrames, chosen_frames, worst_frames

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["default_out", "show"]

SHEET_DPI = 150
DEFAULT_WORST_FRAMES = 5
"""The default number of worst frames."""
MOST = 50
"""Most frames on one sheet."""
SHOWN_CELL_PX = 16
"""Approximate side in pixels of a cell of a map that is computed here."""
ABSDIFF = MetricSpec(
    "absdiff", "1", 0.0, 1.0, True, 0.0, 0.01, "Mean absolute difference over R, G, B, of white."
)
PREFERRED = ("mismatch", "fault")
WORDS = {"ref": "reference", "golden": "golden frame", "source": "original in the source"}


@dataclass(frozen=True, eq=False)
class Sheets:
    """The drawn sheets."""

    figures: tuple[Figure, ...]
    """One sheet, or one for each frame."""
    paths: tuple[Path, ...]
    """The files written, if any."""
    facts: dict[str, Any]
    """The output of ``vfiscope show --json``."""


def show(
    run: Run | str | os.PathLike[str],
    *,
    frames: Sequence[int] | None = None,
    worst: int | None = None,
    by: str | None = None,
    map: str | None = None,
    field: str | None = None,
    scale: str | float = "auto",
    out: str | os.PathLike[str] | None = None,
    root: str | os.PathLike[str] | None = None,
    overwrite: bool = False,
) -> Sheets:
    """Draw frames of a run beside what they were compared with, and a map of what is wrong in them.

    The frames are read again from the inputs, as the run read them. The worst frames are those by
    a metric, spread as :func:`vfiscope.views.worst.worst_frames` says.

    Args:
        run: a finished run, or its path.
        frames: decode ordinals of test frames, in the order to draw them.
        worst: how many of the worst frames to draw instead; 5 by default.
        by: the metric to choose the worst by; None for the first that ranks and has values.
        map: a stored map, or "absdiff", which is computed from the frames if it is not stored; None
            for "mismatch" or "fault", else the stored map that departs most, else "absdiff".
        field: a stored vector field to draw as arrows on the test frame.
        scale: the top of the colour scale: "auto", a departure that 99.5 % of the shown cells do
            not exceed, but no less than the map's floor; "absolute", the end of the map's range; or
            a number.
        out: a .png file for one sheet, or a folder (that exists, or ends in "/") for a file for
            each frame; None writes nothing.
        root: a folder that the inputs are in now, if they were moved.
        overwrite: replace files that exist.

    Raises:
        UsageError: the run has no such frame, metric, map or field, or the arguments do not go
            together.
        SourceError: an input is missing or has changed.
        OutputExistsError: a file exists, and overwriting was not asked for.
        DiskFullError, StoreError: a file cannot be written.
    """
    run = run if isinstance(run, Run) else Run(run)
    if frames is not None and worst is not None:
        raise UsageError("frames and worst exclude each other: pass one of them")
    chosen = (
        worst_frames(run, DEFAULT_WORST_FRAMES if worst is None else worst, by)
        if frames is None
        else chosen_frames(run, frames, by)
    )
    _check_parts(run, map, field)
    paths = _paths(run, chosen.rows, out, overwrite)
    fetched = fetch(run, chosen.rows, root)
    spec, values = _values(run, fetched, map or _default_map(run, chosen, by))
    one_scale = scale_of([each.values for each in values if each is not None], spec, scale)
    shots = [
        _shot(run, each, part, one_scale, chosen, field)
        for each, part in zip(fetched, values, strict=True)
    ]
    sheets = [[shot] for shot in shots] if out is not None and _is_folder(out) else [shots]
    drawn = any(each is not None for each in values)
    words = (
        title_of(run, chosen),
        (
            how_to_read(chosen, one_scale, fetched, one_scale.spec is ABSDIFF)
            if drawn
            else "No map: there is no pair to compare."
        ),
    )
    figures = tuple(draw_sheet(each, one_scale, *words, field) for each in sheets)
    for figure, path in zip(figures, paths, strict=False):
        _save(figure, path, overwrite)
    return Sheets(figures, paths, _facts(run, chosen, shots, one_scale, paths))


# ------------------------------------------------------------------------------------ where it goes


def default_out(run: Run, frames: Sequence[int] | None, worst: int | None) -> str:
    """The default name of the sheet: after the run, in the current folder."""
    what = (
        f"worst{DEFAULT_WORST_FRAMES if worst is None else worst}"
        if frames is None
        else "-".join(f"{index}" for index in frames[:4])
    )
    return f"{run.path.stem}-{what}.png"


def _paths(
    run: Run, rows: Sequence[int], out: str | os.PathLike[str] | None, overwrite: bool
) -> tuple[Path, ...]:
    """The files to write; existing files are refused before anything is read."""
    if out is None:
        return ()
    if _is_folder(out):
        paths = tuple(
            Path(out) / f"{run.path.stem}-{int(run.frames.index[row]):06}.png" for row in rows
        )
    else:
        suffix_of(Path(out), (".png",))
        if len(rows) > MOST:
            raise UsageError(
                f"{len(rows)} frames are too many for one sheet: pass {MOST} or fewer, or -o DIR/"
            )
        paths = (Path(out),)
    for path in paths:
        if path.parent.is_dir():  # it is made later otherwise
            output_file(path, overwrite=overwrite)
    return paths


def _is_folder(out: str | os.PathLike[str]) -> bool:
    return os.fspath(out).endswith(("/", os.sep)) or os.path.isdir(out)


def _save(figure: Figure, path: Path, overwrite: bool) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(
            f"cannot make the folder {path.parent}: {error.strerror}: pass another"
        ) from error
    how = {"format": "png", "dpi": SHEET_DPI, "metadata": METADATA[".png"]}
    save_figure(figure, path, overwrite=overwrite, **how)


# --------------------------------------------------------------------------------------------- maps


def _check_parts(run: Run, map: str | None, field: str | None) -> None:
    if map is not None and map not in run.maps and map != ABSDIFF.name:
        known = dict.fromkeys([*run.maps, ABSDIFF.name])
        raise UsageError(f"{run.path} has no map {map!r}: {suggest(map, known)}")
    if field is not None and field not in run.fields:
        raise UsageError(f"{run.path} has no field {field!r}: {_instead(field, run.fields)}")


def _instead(field: str, fields: Collection[str]) -> str:
    return suggest(field, fields) if fields else "score again with --fields motion"


def _default_map(run: Run, chosen: ChosenFrames, by: str | None) -> str:
    """The default map to show, among those that have a value in these frames."""
    departs = {name: _departs(stored, chosen.rows) for name, stored in run.maps.items()}
    known = [name for name, most in departs.items() if most is not None]
    for name in (by, *PREFERRED):
        if name in known:
            return str(name)
    return max(known, key=lambda name: departs[name] or 0.0, default=ABSDIFF.name)


def _departs(stored: LazyArray[MetricSpec], rows: Sequence[int]) -> float | None:
    """The largest departure of a map from a perfect frame in some rows, in multiples of its floor;
    None where it has no value there."""
    maps = [values for row in rows if np.isfinite(values := stored[row]).any()]
    if not maps:
        return None
    return max(float(departure(values, stored.spec).max()) for values in maps) / (
        stored.spec.floor or 1.0
    )


def _values(
    run: Run, fetched: Sequence[ComparedFrames], name: str
) -> tuple[MetricSpec, list[Layer | None]]:
    """The map of each frame, stored or computed; None where it has none."""
    if name not in run.maps:
        return ABSDIFF, [_absdiff(each) for each in fetched]
    stored = run.maps[name]
    maps = [Layer(stored.at(each.row), stored.cells) for each in fetched]
    return stored.spec, [layer if np.isfinite(layer.values).any() else None for layer in maps]


def _absdiff(each: ComparedFrames) -> Layer | None:
    """Mean absolute difference to the partner, or the lesser of those to the real frames
    before and after."""
    others = [one.pixels for one in (each.partner, each.before, each.after) if one is not None]
    found = [
        _cells(each.test.pixels, other)
        for other in others
        if each.test.pixels is not None and other is not None
    ]
    if each.test.pixels is None or not found or len(found) != len(others):
        return None
    values = np.minimum.reduce(found)
    height, width, _ = each.test.pixels.shape
    return Layer(values, CellGrid.over((height, width), values.shape))


def _cells(test: NDArray[np.uint8], other: NDArray[np.uint8]) -> Float32:
    apart = np.abs(test.astype(np.int16) - other).sum(axis=2)
    y, x = (cell_edges(length, max(1, length // SHOWN_CELL_PX)) for length in apart.shape[:2])
    sums = np.add.reduceat(np.add.reduceat(apart, y[:-1], axis=0), x[:-1], axis=1)
    return (sums / (765.0 * np.outer(np.diff(y), np.diff(x)))).astype(np.float32)


# -------------------------------------------------------------------------------------------- words


def _shot(
    run: Run,
    each: ComparedFrames,
    layer: Layer | None,
    scale: Scale,
    chosen: ChosenFrames,
    field: str | None,
) -> Shot:
    panels = [(role, one) for role, one in _beside(run, each) if one is not None]
    return Shot(
        heading=heading_of(run, each.row, chosen),
        details=details_of(
            run, each, chosen, "no map" if layer is None else extent_of(layer.values, scale)
        ),
        panels=tuple(Panel(one.pixels, caption_of(run, role, one)) for role, one in panels),
        test=[one for _, one in panels].index(each.test),
        map=layer,
        field=None if field is None else _field(run, field, each.row),
    )


def _field(run: Run, name: str, row: int) -> Layer:
    stored = run.fields[name]
    return Layer(stored.at(row), stored.cells)


def _beside(run: Run, each: ComparedFrames) -> list[tuple[str, FetchedFrame | None]]:
    """The captions and frames of a row: between two real frames, or before its partner."""
    if each.partner is None:
        stated = any(run.config.get(name) is not None for name in ("source", "multiplier"))
        kind = "real frame" if stated else "frame"
        return [(f"{kind} before", each.before), ("test", each.test), (f"{kind} after", each.after)]
    lag = run.pairing.get("lag")
    word = (
        f"{lag} frame{'s' * (lag != 1)} before"
        if lag
        else WORDS.get(each.partner.role, "compared with")
    )
    return [("test", each.test), (word, each.partner)]


def _facts(
    run: Run, chosen: ChosenFrames, shots: Sequence[Shot], scale: Scale, paths: Sequence[Path]
) -> dict[str, Any]:
    frames = []
    for row, shot in zip(chosen.rows, shots, strict=True):
        box = shot.box(scale)
        frames.append(
            {
                "index": run.frames.index[row],
                "name": run.names[row] if run.names else None,
                "time_s": run.frames.time_s[row],
                "at": run.moment(row),
                "ref_index": run.frames.ref_index[row],
                "value": None if chosen.metric is None else run.scores[chosen.metric][row],
                "box": None if box is None else box._asdict(),
            }
        )
    about = {
        "metric": chosen.metric,
        "role": chosen.role or None,
        "map": scale.spec.name,
        "unit": scale.spec.unit,
    }
    facts: dict[str, Any] = plain(
        {"out": [str(path) for path in paths], **about, "scale": scale.ends, "frames": frames}
    )
    return facts

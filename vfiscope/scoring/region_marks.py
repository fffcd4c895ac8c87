"""Regions of a run, just scored or stored: the stage with the frames that it needs."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from vfiscope.errors import UsageError
from vfiscope.options import RunConfig
from vfiscope.regions import Found
from vfiscope.regions.regions_stage import (
    REGIONS,
    chosen_rows,
    found_in,
    mark,
    method_of,
    outdated,
    parameters_of,
    stored_parameters,
)
from vfiscope.regions.unsought import why_no_answer
from vfiscope.scoring.stored_frames import opened_inputs, streamed
from vfiscope.sources import Source
from vfiscope.store import Run
from vfiscope.types import Code, ComparedFrames, Fetch, Note

__all__ = [
    "SoughtPair",
    "WatchRows",
    "ask_regions",
    "fetching",
    "mark_if_asked",
    "sought_pairs",
    "to_be_sought",
]

log = logging.getLogger("vfiscope")

WatchRows = Callable[[Iterable[ComparedFrames], int], Iterable[ComparedFrames]]
"""Wraps rows that are read again, like a progress bar: (rows, how many there are)."""


@contextmanager
def fetching(
    run: Run,
    *,
    sources: Mapping[str, Source] | None = None,
    root: str | os.PathLike[str] | None = None,
    watch: WatchRows | None = None,
) -> Iterator[Fetch]:
    """The function that reads rows of a run again.

    Args:
        run: a finished run.
        sources: its inputs, if they are still open; else they are opened again.
        root: a folder that the inputs lie in now, for inputs that were moved.
        watch: wraps the rows that are read.

    Raises:
        SourceError: an input is not there any more, has changed, or was an array in memory.
    """

    def fetch(rows: Any) -> Iterator[ComparedFrames]:
        found = streamed(run, opened, rows)
        yield from found if watch is None else watch(found, len(rows))

    if sources is not None:
        opened = sources
        yield fetch
        return
    with opened_inputs(run, root) as opened:
        yield fetch


def mark_if_asked(
    path: Path,
    config: RunConfig,
    sources: Mapping[str, Source] | None = None,
    watch: WatchRows | None = None,
) -> bool:
    """Seek the regions that a configuration asks for, unless the run has them.

    Returns:
        True if they were sought.

    Raises:
        VfiscopeError: as :func:`vfiscope.regions.regions_stage.mark`.
    """
    opening = partial(fetching, sources=sources, watch=watch)
    return mark(path, parameters_of(config), opening, anew=False)


def to_be_sought(run: Run, asked: Mapping[str, Any]) -> tuple[dict[str, Any], set[int] | None]:
    """What a request for the regions of a run comes to.

    Frames alone choose among those that were looked at: nothing is sought then. Where some of them
    were never looked at, they are, together with those that were. Any other way to look seeks anew,
    in the frames that were asked for.

    Args:
        run: a finished run.
        asked: parameters of the stage that were passed.

    Returns:
        The parameters to seek with, empty where nothing is to be sought; and the decode ordinals of
        the frames that are to be shown, None for all.

    Raises:
        UsageError: the run has none of the frames.
    """
    made = run.stages.get("regions")
    if made is None:
        return {"method": "auto", **asked}, None
    if made.parameters.get("method") == "none":
        return dict(asked), None
    if set(asked) != {"frames"}:
        return _with_kept(run, asked), None
    wanted = set(chosen_rows(run, asked["frames"]))
    looked_at = {answer.frame for answer in run.answers}
    held = {row for row, frame in enumerate(run.frames.index) if int(frame) in looked_at}
    if not outdated(run):
        sought = made.parameters
        held |= set(chosen_rows(run, str(sought.get("frames")), sought.get("normal")))
    shown = {int(run.frames.index[row]) for row in wanted}
    if wanted <= held:
        return {}, shown
    values = {"count": len(wanted - held), "frames": asked["frames"]}
    log.info("%s", Note(Code.REGIONS_OF_MORE_FRAMES, values))
    if not held <= wanted:
        asked = {"frames": _as_text(run, sorted(wanted | held))}
    return _with_kept(run, asked), shown


def _as_text(run: Run, rows: list[int]) -> str:
    """Rows as ranges of frames, such as 12:13,40:60."""
    parts = np.split(np.array(rows), np.flatnonzero(np.diff(rows) > 1) + 1)
    index = run.frames.index
    return ",".join(f"{index[part[0]]}:{index[part[-1]] + 1}" for part in parts)


def _with_kept(run: Run, asked: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters that are asked for and, unless a method is among them, those by which the run
    was marked for the others."""
    made = run.stages.get("regions")
    kept = {} if made is None or not asked or "method" in asked else made.parameters
    return {**{name: kept[name] for name in REGIONS.defaults if name in kept}, **asked}


def ask_regions(
    path: str | os.PathLike[str],
    given: Mapping[str, Any],
    *,
    root: str | os.PathLike[str] | None = None,
    watch: WatchRows | None = None,
) -> None:
    """Seek regions in a stored run again; only the frames that are needed are read.

    Raises:
        VfiscopeError: as :func:`vfiscope.regions.regions_stage.mark`.
    """
    mark(path, given, partial(fetching, root=root, watch=watch))


@dataclass(frozen=True, eq=False)
class SoughtPair:
    """A pair of frames of a run, with what was found in it."""

    stem: str
    """What its files are called: ``<run>-<frame>``."""
    compared: ComparedFrames
    found: Found
    """With the regions and the answer that the run holds."""


def sought_pairs(
    run: Run,
    *,
    among: Collection[int] | None = None,
    root: str | os.PathLike[str] | None = None,
    watch: WatchRows | None = None,
) -> Iterator[SoughtPair]:
    """The pairs of a run in which regions were found, read again, with their difference maps, which
    a run does not hold; of a single pair, also one without regions.

    Args:
        run: a finished run.
        among: decode ordinals of the frames that are wanted; None for all.
        root: a folder that the inputs lie in now, for inputs that were moved.
        watch: wraps the rows that are read.

    Raises:
        UsageError: no regions were sought in the run.
        SourceError: an input is not there any more, has changed, or was an array in memory.
    """
    if not run.answers:
        raise UsageError(str(why_no_answer(run)))
    # The masks are those of the run: they are not drawn again.
    method = method_of(run, **{**stored_parameters(run), "sam_weights": None})
    answers = {answer.frame: answer for answer in run.answers}
    frames = {region.frame for region in run.regions} if len(answers) > 1 else set(answers)
    wanted = frames if among is None else frames.intersection(among)
    rows = [int(row) for row in np.flatnonzero(np.isin(run.frames.index, sorted(wanted)))]
    with fetching(run, root=root, watch=watch) as fetch:
        for compared in fetch(rows):
            found = found_in(compared, method)
            if found is not None:
                frame = int(run.frames.index[compared.row])
                regions = [region for region in run.regions if region.frame == frame]
                kept = replace(found, regions=regions, answer=answers[frame])
                yield SoughtPair(f"{run.path.stem}-{frame:06}", compared, kept)

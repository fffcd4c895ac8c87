"""Regions of a run, just scored or stored: the stage with the frames that it needs."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
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
    found_in,
    mark,
    method_of,
    parameters_of,
    stored_parameters,
)
from vfiscope.regions.unsought import why_no_answer
from vfiscope.scoring.stored_frames import opened_inputs, streamed
from vfiscope.sources import Source
from vfiscope.store import Run
from vfiscope.types import ComparedFrames, Fetch

__all__ = [
    "SoughtPair",
    "WatchRows",
    "ask_regions",
    "fetching",
    "mark_if_asked",
    "sought_pairs",
    "with_kept",
]

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


def with_kept(run: Run, asked: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters that are asked for and, unless a method is among them, those by which the run
    was marked for the others."""
    made = run.stages.get("regions")
    kept = {} if made is None or not asked or "method" in asked else made.parameters
    if kept.get("method") == "none":
        return dict(asked)
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
    root: str | os.PathLike[str] | None = None,
    watch: WatchRows | None = None,
) -> Iterator[SoughtPair]:
    """The pairs of a run in which regions were found, read again, with their difference maps, which
    a run does not hold; of a single pair, also one without regions.

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
    rows = [int(row) for row in np.flatnonzero(np.isin(run.frames.index, sorted(frames)))]
    with fetching(run, root=root, watch=watch) as fetch:
        for compared in fetch(rows):
            found = found_in(compared, method)
            if found is not None:
                frame = int(run.frames.index[compared.row])
                regions = [region for region in run.regions if region.frame == frame]
                kept = replace(found, regions=regions, answer=answers[frame])
                yield SoughtPair(f"{run.path.stem}-{frame:06}", compared, kept)

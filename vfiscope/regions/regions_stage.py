"""Regions as a stage: sought in the frames of a stored run, which are read again."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from vfiscope.errors import UsageError
from vfiscope.options import RunConfig
from vfiscope.options.region_options import frame_ranges
from vfiscope.regions.find import find, find_between
from vfiscope.regions.presets import METHODS, make_method
from vfiscope.regions.segment.sam2_folder import check_sam2
from vfiscope.regions.settings import Sensitivity, Settings
from vfiscope.regions.steps import Found, FramePair, Method
from vfiscope.regions.tracks import link
from vfiscope.stages import STAGES, Fetching, Stage, ask
from vfiscope.store import Run
from vfiscope.types import Answer, ComparedFrames, Fetch, Region, Track

__all__ = [
    "REGIONS",
    "check_regions",
    "found_in",
    "has_regions",
    "mark",
    "method_of",
    "parameters_of",
]

MOST_REGIONS = 1000
"""Regions that are kept of a frame, the first ones; its answer counts all."""


def check_regions(config: RunConfig) -> None:
    """Refuse a method that does not exist, or masks that cannot be drawn, before anything is
    decoded.

    Raises:
        UsageError: there is no method of this name.
        MissingPackageError: the extra ``sam`` is needed and not installed.
        EmbedderError: there is no SAM 2 where it should be.
    """
    if config.region_method != "none":
        METHODS.named(config.region_method)
        if config.sam_weights is not None:
            check_sam2(config.sam_weights)


def parameters_of(config: RunConfig) -> dict[str, Any]:
    """The parameters of the stage that a configuration asks for."""
    return {
        "method": config.region_method,
        "frames": config.region_frames,
        "sensitivity": config.sensitivity,
        "normal": config.normal,
        "sam_weights": config.sam_weights,
    }


def seek(
    run: Run,
    fetch: Fetch,
    *,
    method: str = "auto",
    frames: str = "auto",
    sensitivity: Sensitivity = "medium",
    normal: str | None = None,
    sam_weights: str | None = None,
) -> Mapping[str, Sequence[Any]]:
    """The regions of a stored run, the answer for each pair of frames, and the tracks.

    Args:
        run: a finished run.
        fetch: reads its frames again.
        method: a name in :data:`~vfiscope.regions.METHODS`, or "none".
        frames: "auto", "flagged", "all", or frames such as "12,40:60".
        sensitivity: "low", "medium" or "high".
        normal: normal frames, for methods that compare with them.
        sam_weights: a folder with a checkpoint of SAM 2.

    Raises:
        UsageError: a parameter cannot be used.
    """
    if method == "none":
        return {"regions": [], "answers": [], "tracks": []}
    made = method_of(run, method, sensitivity, normal, sam_weights)
    regions: list[list[Region]] = []
    answers: list[Answer] = []
    for compared in fetch(chosen_rows(run, frames)):
        found = found_in(compared, made)
        if found is not None:
            frame = int(run.frames.index[compared.row])
            kept = found.regions[:MOST_REGIONS]
            regions.append([replace(region, frame=frame) for region in kept])
            answers.append(replace(found.answer, frame=frame))
    if len(answers) < 2:
        return {
            "regions": [one for each in regions for one in each],
            "answers": answers,
            "tracks": [],
        }
    linked, tracks = link(regions, [answer.frame for answer in answers])
    return {"regions": linked, "answers": answers, "tracks": tracks}


REGIONS = STAGES.add(
    "regions",
    Stage(
        "regions",
        1,
        (),
        {"regions": Region, "answers": Answer, "tracks": Track},
        seek,
        frames=True,
    ),
)


def method_of(
    run: Run,
    method: str,
    sensitivity: Sensitivity = "medium",
    normal: str | None = None,
    sam_weights: str | None = None,
) -> Method:
    """A method with the settings of a run: its embedder, weights and device.

    Raises:
        UsageError: there is no such method, or it cannot be used with these settings.
        MissingPackageError, EmbedderError: SAM 2 is wanted and cannot be had.
    """
    known = run.config
    settings = Settings(
        sensitivity=sensitivity,
        normal=normal,
        embedder=str(known.get("embedder") or "auto"),
        weights=known.get("weights"),
        device=str(known.get("device") or "cpu"),
        sam_weights=sam_weights,
    )
    return make_method(method, settings)


def found_in(compared: ComparedFrames, method: Method) -> Found | None:
    """What a method finds in a test frame against its partner or, without one, in what neither of
    the real frames around it shows; None where there is nothing to compare it with."""
    test, partner = compared.test.pixels, compared.partner
    if test is None:
        return None
    if partner is not None and partner.pixels is not None:
        return find(FramePair(test, partner.pixels, compared.seen, compared.registration), method)
    around = [
        FramePair(test, each.pixels)
        for each in (compared.before, compared.after)
        if each is not None and each.pixels is not None
    ]
    return find_between(around, method) if len(around) == 2 else None


def chosen_rows(run: Run, frames: str) -> list[int]:
    """The rows in which regions are sought.

    Raises:
        UsageError: the text names no frames, or a frame that the run did not score, or a range of
            which it scored none; a range may go beyond the last frame.
    """
    if frames == "auto":
        frames = "flagged" if run.mode == "score" else "all"
    index = run.frames.index
    if frames == "all":
        wanted = np.ones(len(index), bool)
    elif frames == "flagged":
        wanted = np.zeros(len(index), bool)
        for segment in run.segments:
            wanted |= (segment.start <= index) & (index < segment.stop)
    else:
        ranges = _ranges(frames)
        within = [(each.start <= index) & (index < each.stop) for each in ranges]
        if missing := [each for each, there in zip(ranges, within, strict=True) if not there.any()]:
            texts = (
                f"{each.start}:{each.stop}".removesuffix(f":{each.start + 1}") for each in missing
            )
            raise UsageError(
                f"{run.path} has none of the frames {','.join(texts)}: it has {index[0]} to"
                f" {index[-1]}"
            )
        wanted = np.logical_or.reduce(within)
    return [int(row) for row in np.flatnonzero(wanted)]


def _ranges(text: str) -> list[range]:
    try:
        return frame_ranges(text)
    except ValueError as error:
        raise UsageError(
            f"frames is {text!r}: pass auto, flagged, all, or frames such as 12,40:60"
        ) from error


def has_regions(run: Run, given: Mapping[str, Any]) -> bool:
    """True if a run holds what the stage would make with these parameters now."""
    made, asked = run.stages.get("regions"), REGIONS.asked(given)
    if made is None:
        return bool(asked["method"] == "none")
    return (made.version, made.parameters) == (REGIONS.version, asked)


def mark(
    path: str | os.PathLike[str],
    given: Mapping[str, Any],
    fetching: Fetching,
    *,
    anew: bool = True,
) -> bool:
    """Seek regions in a stored run; they replace those of the last time.

    Args:
        path: a finished run.
        given: parameters of the stage; the others have their defaults.
        fetching: opens the frames of the run.
        anew: False leaves regions that were found with these parameters as they are.

    Returns:
        True if they were sought.

    Raises:
        UsageError: a parameter cannot be used.
        SourceError: an input is not there any more, or has changed.
        StoreError: there is no readable run, or it cannot be changed.
    """
    if not anew:
        with Run(path) as run:
            if has_regions(run, given):
                return False
    ask(path, REGIONS, given, fetching=fetching)
    return True

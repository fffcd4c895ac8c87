"""Regions as a stage: sought in the frames of a stored run, which are read again."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from vfiscope.errors import UsageError
from vfiscope.files import bytes_digest
from vfiscope.options import RunConfig, declared
from vfiscope.options.region_options import RUN_OPTIONS, STAGE_OPTIONS, frame_ranges
from vfiscope.regions.describe.severity_of import weight
from vfiscope.regions.find import find, find_between
from vfiscope.regions.normal_size import check_normal_size
from vfiscope.regions.presets import check_read, identify_method, make_method
from vfiscope.regions.settings import Sensitivity
from vfiscope.regions.settings_of_run import remedied, settings_of
from vfiscope.regions.steps import Found, FramePair, Method
from vfiscope.regions.tracks import link
from vfiscope.stages import STAGES, Fetching, Stage, ask
from vfiscope.store import Run
from vfiscope.store.contradictions import MAX_TABLE_ROWS
from vfiscope.types import Answer, Code, ComparedFrames, Fetch, Note, Region, Track

__all__ = [
    "REGIONS",
    "check_parameters",
    "check_regions",
    "chosen_rows",
    "found_in",
    "has_regions",
    "mark",
    "method_of",
    "outdated",
    "parameters_of",
    "stored_parameters",
]


def check_regions(config: RunConfig) -> None:
    """Refuse regions that could not be sought, before anything is decoded.

    Raises:
        VfiscopeError: as :func:`vfiscope.regions.presets.identify_method`.
    """
    if config.region_method != "none":
        given = parameters_of(config)
        identify_method(config.region_method, settings_of(config.to_dict(), given or {}))


def parameters_of(config: RunConfig) -> dict[str, Any] | None:
    """The parameters of the stage that a configuration asks for; None where it says nothing about
    regions, so that those that a run holds stay."""
    if config.regions is None and config.region_method == "none":
        return None
    given = {name: getattr(config, option) for name, option in STAGE_OPTIONS.items()}
    return {**given, "method": config.region_method}


def seek(
    run: Run,
    fetch: Fetch,
    *,
    method: str = "auto",
    frames: str = "auto",
    sensitivity: Sensitivity = "medium",
    normal: str | None = None,
    sam_weights: str | None = None,
    embedder: str | None = None,
    weights: str | None = None,
    device: str | None = None,
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
        embedder: of methods that compare features; None: that of the run, with its weights.
        weights: of the embedder.
        device: to compute on; None: that of the run.

    Raises:
        UsageError: a parameter cannot be used.
        EmbedderError: the embedder, its weights or the device cannot be had.
    """
    asked = check_parameters(
        {
            "method": method,
            "frames": frames,
            "sensitivity": sensitivity,
            "normal": normal,
            "sam_weights": sam_weights,
            "embedder": embedder,
            "weights": weights,
            "device": device,
        }
    )
    if method == "none":
        return {"regions": [], "answers": [], "tracks": []}
    check_normal_size(asked["normal"], run.frame_size)
    made, count = method_of(run, **asked), 0
    regions: list[list[Region]] = []
    answers: list[Answer] = []
    for compared in fetch(chosen_rows(run, asked["frames"], asked["normal"])):
        found = found_in(compared, made)
        if found is not None:
            frame = int(run.frames.index[compared.row])
            regions.append(_ordered(found, made, frame))
            count += len(found.regions)
            if count > MAX_TABLE_ROWS:
                raise UsageError(
                    f"up to frame {frame} there are {count} regions, and {MAX_TABLE_ROWS} is the"
                    " limit: pass a lower sensitivity, or fewer frames"
                )
            answers.append(replace(found.answer, frame=frame))
    if len(answers) < 2 or run.config.get("independent"):
        return {
            "regions": [one for each in regions for one in each],
            "answers": answers,
            "tracks": [],
        }
    linked, tracks = link(regions, [answer.frame for answer in answers])
    return {"regions": linked, "answers": answers, "tracks": tracks}


def _ordered(found: Found, method: Method, frame: int) -> list[Region]:
    """The regions of a frame, the most severe first, unless the method has an order of its own."""
    own = found.regions
    if not method.keeps_order:
        own = sorted(own, key=weight, reverse=True)
    return [replace(region, frame=frame) for region in own]


def facts_of(run: Run, **given: Any) -> dict[str, Any]:
    """What the regions of a run depend on beside its scores and the parameters: a digest of the
    rows that are looked at, and what the settings of the method stand for.

    Args:
        run: a finished run.
        given: parameters of the stage.

    Raises:
        UsageError: a parameter cannot be used.
        VfiscopeError: as :func:`vfiscope.regions.presets.identify_method`.
    """
    asked = check_parameters(given)
    if asked["method"] == "none":
        return {}
    with remedied(run, asked):
        found = identify_method(asked["method"], settings_of(run.config, asked))
    return {"rows": _rows_digest(run, asked["frames"], asked["normal"]), **found}


def check_parameters(given: Mapping[str, Any]) -> dict[str, Any]:
    """All parameters of the stage, as options would hold them.

    Raises:
        UsageError: one is unknown or cannot be used.
    """
    asked = REGIONS.asked(given)
    passed = {name: name for name in RUN_OPTIONS if asked[name] is not None}
    checked = {
        name: replace(declared()[option], name=name).validated(asked[name])
        for name, option in (STAGE_OPTIONS | passed).items()
    }
    if asked["method"] != "none":
        own = {name: asked[name] for name in ("embedder", "weights") if asked[name] is not None}
        check_read(asked["method"], own)
    return asked | checked


REGIONS = STAGES.add(
    "regions",
    Stage(
        "regions",
        2,
        (),
        {"regions": Region, "answers": Answer, "tracks": Track},
        seek,
        frames=True,
        facts=facts_of,
    ),
)


def method_of(run: Run, *, method: str, **given: Any) -> Method:
    """A method with the settings of a run: its embedder, weights and device, unless others are
    passed.

    Args:
        run: a finished run.
        method: its name.
        given: other parameters of the stage.

    Raises:
        UsageError: there is no such method, or it cannot be used with these settings.
        MissingPackageError, EmbedderError: SAM 2 is wanted and cannot be had.
    """
    with remedied(run, given):
        return make_method(method, settings_of(run.config, given))


def found_in(compared: ComparedFrames, method: Method) -> Found | None:
    """What a method finds in a test frame against its partner or, without one, in what neither of
    the real frames around it shows, or by itself where the method needs no reference; None where
    there is nothing to compare it with."""
    test, partner = compared.test.pixels, compared.partner
    if test is None:
        return None
    if partner is not None and partner.pixels is not None:
        return find(FramePair(test, partner.pixels, compared.seen, compared.registration), method)
    if not method.needs_reference:
        return find(FramePair.alone(test), method)
    around = [
        FramePair(test, each.pixels)
        for each in (compared.before, compared.after)
        if each is not None and each.pixels is not None
    ]
    return find_between(around, method, compared.phase) if len(around) == 2 else None


def chosen_rows(run: Run, frames: str, normal: object = None) -> list[int]:
    """The rows in which regions are sought.

    Args:
        run: a finished run.
        frames: "auto", "flagged", "all", or frames such as "12,40:60".
        normal: normal frames, if any. With them "auto" is all: what is not normal may be so small
            that no score stands out.

    Raises:
        UsageError: the text names no frames, or a frame that the run did not score, or a range of
            which it scored none; a range may go beyond the last frame.
    """
    if frames == "auto":
        frames = "flagged" if run.mode == "score" and normal is None else "all"
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


def has_regions(run: Run, given: Mapping[str, Any] | None) -> bool:
    """True if a run holds what the stage would make with these parameters now; also where None,
    which asks for nothing."""
    if given is None:
        return True
    made, asked = run.stages.get("regions"), REGIONS.asked(given)
    if made is None:
        return bool(asked["method"] == "none")
    if (made.version, {**REGIONS.defaults, **made.parameters}) != (REGIONS.version, asked):
        return False
    return bool(made.facts == facts_of(run, **asked))


def stored_parameters(run: Run) -> dict[str, Any]:
    """The parameters that the regions of a run were sought with.

    Raises:
        UsageError: they are those of another version, or the embedder or the normal frames are not
            what they were, so that the method would not find these regions again.
    """
    made = run.stages["regions"]
    again = f"seek them again: vfiscope regions {run.path} --method METHOD"
    if made.version != REGIONS.version or not made.parameters.keys() <= REGIONS.defaults.keys():
        raise UsageError(f"the regions of {run.path} are of another version of vfiscope: {again}")
    asked = check_parameters(made.parameters)
    for name, now in facts_of(run, **{**asked, "sam_weights": None}).items():
        if name != "rows" and made.facts.get(name) != now:
            raise UsageError(
                f"the {name} of the regions of {run.path} has changed since they were sought:"
                f" {again}"
            )
    return asked


def outdated(run: Run) -> list[Note]:
    """A note if a run was flagged again since its regions were sought, and these are of the frames
    that were flagged then."""
    made = run.stages.get("regions")
    if made is None or "rows" not in made.facts:
        return []
    sought = made.parameters
    if made.facts["rows"] == _rows_digest(run, str(sought.get("frames")), sought.get("normal")):
        return []
    values = {"path": str(run.path), "method": sought.get("method")}
    return [Note(Code.REGIONS_OF_OTHER_FRAMES, values)]


def _rows_digest(run: Run, frames: str, normal: object) -> str:
    rows = np.array(chosen_rows(run, frames, normal), "<i8")
    return f"sha256:{bytes_digest(rows.tobytes())}"


def mark(
    path: str | os.PathLike[str],
    given: Mapping[str, Any] | None,
    fetching: Fetching,
    *,
    anew: bool = True,
) -> bool:
    """Seek regions in a stored run; they replace those of the last time.

    Args:
        path: a finished run.
        given: parameters of the stage; the others have their defaults. None asks for nothing.
        fetching: opens the frames of the run.
        anew: False leaves regions that were found with these parameters as they are.

    Returns:
        True if they were sought.

    Raises:
        UsageError: a parameter cannot be used.
        SourceError: an input is not there any more, or has changed.
        StoreError: there is no readable run, or it cannot be changed.
    """
    if given is None:
        return False
    if not anew:
        with Run(path) as run:
            if has_regions(run, given):
                return False
    ask(path, REGIONS, check_parameters(given), fetching=fetching)
    return True

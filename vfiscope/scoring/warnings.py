"""Warnings about what scores mean that are known before scoring."""

from __future__ import annotations

import math
from collections.abc import Mapping

from vfiscope.metrics import patches
from vfiscope.options import RunConfig
from vfiscope.scoring.score import Plan
from vfiscope.sources import Source, note_on_gaps
from vfiscope.types import Code, Note

__all__ = ["disagreements", "noted", "numbering", "without_effect"]

TOLD = frozenset(
    {
        Code.SEVERAL_STREAMS,
        Code.CLOCK_RESTARTS,
        Code.IMAGE_PAGES,
        Code.IMAGE_TRANSPARENT,
        Code.MIXED_WITH_HEIC,
        Code.NOT_DATED,
        Code.NO_DURATIONS,
        Code.FEWER_BITS,
        Code.COUNTER_STARTS_AGAIN,
        Code.CLOCK_WENT_BACK,
        Code.NAMES_AGAINST_TIMES,
        Code.NEGATIVE_NUMBERS,
        Code.READ_BY_TIME,
    }
)
"""Notes of a source about what was read of it: they are told with the warnings of a run."""

EMBEDDING = ("weights", "size", "pool", "aspect", "precision")
"""Options of the embedder."""
DEFAULT_CONFIG = RunConfig("scan", None)
MATCHING = frozenset({"mismatch", *(each.spec.name for each in (*patches.MAPS, *patches.FIELDS))})
"""Names of what is computed from matches of patches."""
COLOR_PROPERTIES = ("matrix", "range", "primaries", "transfer")


def noted(sources: Mapping[str, Source]) -> list[Note]:
    """What the sources have noted so far about what is read of them; more may come while they are
    read."""
    return [
        Note(Code.SOURCE_NOTED, {"role": role, "path": source.info.path, "note": note})
        for role, source in sources.items()
        for note in source.info.notes
        if note.code in TOLD
    ]


def disagreements(sources: Mapping[str, Source]) -> list[Note]:
    """Differences in how test and partner are interpreted.

    Matrix and range are compared where both are YUV or gray, transfer and primaries where both are
    known.
    """
    infos = [(role, source.info) for role, source in sources.items()]
    if len(infos) < 2:
        return []
    (role, test), (other, partner) = infos[0], infos[1]
    roles = {"role": role, "other": other}
    found = []
    for key in COLOR_PROPERTIES:
        one, two = test.color[key], partner.color[key]
        both = (
            "rgb" not in (test.color["matrix"], partner.color["matrix"])
            if key in ("matrix", "range")
            else True
        )
        if both and one != two and "unknown" not in (one, two):
            values = {"what": key, "value": one, "decided_by": test.color["decided_by"]}
            others = {"other_value": two, "other_decided_by": partner.color["decided_by"]}
            found.append(Note(Code.COLOR_DIFFERS, {**roles, **values, **others}))
    if test.bit_depth != partner.bit_depth:
        bits = {"bits": test.bit_depth, "other_bits": partner.bit_depth}
        found.append(Note(Code.DEPTH_DIFFERS, {**roles, **bits}))
    if test.color.get("tonemap") != partner.color.get("tonemap"):
        transfer, other_transfer = test.color["transfer"], partner.color["transfer"]
        transfers = {"transfer": transfer, "other_transfer": other_transfer}
        found.append(Note(Code.ONE_IS_HDR, {**roles, **transfers}))
    return found


def numbering(sources: Mapping[str, Source], *, shift: int | None) -> tuple[list[Note], list[Note]]:
    """Notes on gaps in the numbering of images.

    Where frames are paired by rows, a gap on one side only shifts all pairs after it; a gap on both
    sides at the same place has no effect. Gaps have no effect where frames are aligned by content.

    Args:
        sources: by role.
        shift: how many rows later the reference frames are; None if frames are not paired by rows.

    Returns:
        Warnings, and notes.
    """
    infos = {role: sources[role].info for role in ("test", "ref", "source") if role in sources}

    def on_gaps(code: Code) -> list[Note]:
        return [
            Note(code, {"role": role, "path": info.path, "gaps": note_on_gaps(info.gaps)})
            for role, info in infos.items()
            if info.gaps
        ]

    if "ref" not in infos:
        return on_gaps(Code.GAPS_IN_SEQUENCE), []
    if shift is None:
        return [], on_gaps(Code.GAPS_IN_SOURCE)
    places = {
        role: {(gap.row - late, gap.missing): gap for gap in infos[role].gaps}
        for role, late in (("test", 0), ("ref", shift))
    }
    warnings = []
    for role, other in (("test", "ref"), ("ref", "test")):
        if own := [gap for place, gap in places[role].items() if place not in places[other]]:
            values = {"role": role, "path": infos[role].path, "gaps": note_on_gaps(own)}
            others = {"other": other, "other_path": infos[other].path}
            off = {"missing": own[0].missing}
            warnings.append(Note(Code.GAPS_PUT_PAIRS_OFF, {**values, **others, **off}))
    return warnings, [] if warnings else on_gaps(Code.GAPS_IN_BOTH)


def without_effect(config: RunConfig, plan: Plan, sources: Mapping[str, Source]) -> list[str]:
    """Sentences about the options in use on which no score depends."""
    found = _unembedded(config, plan), _untoned(config, sources), _timed(config, sources)
    return [each for each in found if each is not None]


def _unembedded(config: RunConfig, plan: Plan) -> str | None:
    """A sentence about embedding or matching options where nothing is embedded or matched."""
    options = [name for name in EMBEDDING if getattr(config, name) != getattr(DEFAULT_CONFIG, name)]
    options = [] if plan.needs_features else options
    if config.window is not None and not MATCHING & {*plan.metrics, *plan.maps, *plan.fields}:
        options.append("window")
    if not options:
        return None
    given = " and ".join(f"--{name}" for name in options)
    reason = "are matched" if plan.needs_features else "are embedded"
    return f"no score depends on {given}: with these metrics, maps and fields no patches {reason}"


def _untoned(config: RunConfig, sources: Mapping[str, Source]) -> str | None:
    """A sentence about a tone map that no source needs; SDR is always read as with ``none``."""
    if config.tonemap in (None, "none") or any(
        "tonemap" in source.info.color for source in sources.values()
    ):
        return None
    who = (
        f"neither {' nor '.join(sources)} is"
        if len(sources) > 1
        else f"{next(iter(sources))} is not"
    )
    return f"no score depends on --tonemap {config.tonemap}: {who} HDR"


def _timed(config: RunConfig, sources: Mapping[str, Source]) -> str | None:
    """A sentence about a stated rate beside videos, which have times of their own."""
    if config.fps is None:
        return None
    kept = [
        f"{role} ({float(source.info.rate):.6g} frames a second)"
        for role, source in sources.items()
        if source.info.kind == "video"
        and source.info.rate is not None
        and not math.isclose(source.info.rate, float(config.fps), rel_tol=1e-6)
    ]
    if not kept:
        return None
    return f"--fps {config.fps:.6g} does not change {' and '.join(kept)}: video keeps its own times"

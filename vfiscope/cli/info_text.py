"""The text of ``vfiscope info``: facts about a medium, or about a run and its scores."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from vfiscope.cli.messages import describe as describe_summary
from vfiscope.cli.messages import plain
from vfiscope.options import declared
from vfiscope.printable import shown
from vfiscope.types import duration
from vfiscope.views.timing_words import describe_time

__all__ = ["describe_facts"]

INPUTS = ("mode", "test", "ref", "source", "golden")
"""Options that the lines about the sources already show."""
READ = {
    "width",
    "height",
    "bit_depth",
    "decoder",
    "color",
    "frames_decoded",
    "frames_corrupt",
    "frames_unreadable",
}


def describe_facts(facts: Mapping[str, Any]) -> str:
    """The facts as text for people; unset values are left out, long texts cut."""
    facts = shown(facts)
    is_run = facts["kind"] == "run"
    rows = list(_run_rows(facts) if is_run else _medium_rows(facts))
    wide = max(len(name) for name, _ in rows)
    lines = [f"{name:<{wide}}  {plain(value)}" for name, value in rows if value is not None]
    return "\n".join([*lines, "", describe_summary(facts["summary"])] if is_run else lines)


def _medium_rows(facts: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """The facts about a medium; of dated images the duration in words, and nothing of what stands
    for it in counted ones."""
    for name, value in facts.items():
        if facts["times_from"] is None or name not in ("duration_s", "time_base", "times_from"):
            yield name, value
        elif name == "duration_s":
            yield "duration", None if value is None else duration(value)


def _run_rows(facts: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    yield (
        "run",
        (
            f"{facts['mode']}, {facts['status']}, of {facts['created']}, by vfiscope"
            f" {facts['versions'].get('vfiscope')}"
        ),
    )
    for source in facts["sources"]:
        yield str(source.get("role")), _source(source)
    yield "embedder", facts["embedder"]
    for group in ("maps", "fields"):
        shapes = [f"{name} ({', '.join(map(str, shape))})" for name, shape in facts[group].items()]
        yield group, ", ".join(shapes) or "none"
    chosen = {
        name: value
        for name, value in facts["config"].items()
        if name not in INPUTS and _is_chosen(name, value)
    }
    yield "options", chosen or "none"
    yield "time", describe_time(facts["timings"])
    found = facts["regions"]
    yield "regions", facts["regions_note"] if found is None else _regions(found)
    yield "notes", facts["notes"] or None
    yield "warnings", facts["warnings"] or None


def _regions(found: Mapping[str, Any]) -> str:
    answers = ", ".join(f"{count} {answer}" for answer, count in found["answers"].items())
    frames, regions, tracks = (
        f"{found[key]} {word}{'s' * (found[key] != 1)}"
        for key, word in (("looked_at", "frame"), ("regions", "region"), ("tracks", "track"))
    )
    told = "; ".join(filter(None, (answers, f"{regions}, {tracks}")))
    return f"by {found['method']}, in {frames} ({found['frames']}): {told}"


def _source(source: Mapping[str, Any]) -> str:
    if READ - source.keys():
        return str(source.get("path"))  # a run written by another program may lack these
    color = {"matrix": "?", "range": "?", "decided_by": "?", **source["color"]}
    damaged = [
        f"{source[f'frames_{what}']} {what}"
        for what in ("corrupt", "unreadable")
        if source[f"frames_{what}"]
    ]
    told = [
        f"{source['width']}x{source['height']}",
        f"{source['bit_depth']} bit",
        f"{source['frames_decoded']} frames decoded",
        *damaged,
        source["decoder"],
        f"read as {color['matrix']} {color['range']} ({color['decided_by']})",
    ]
    return f"{source['path']}: {', '.join(told)}"


def _is_chosen(name: str, value: Any) -> bool:
    told = declared().get(name)
    default = None if told is None else told.default
    return bool(value != (list(default) if isinstance(default, tuple) else default))

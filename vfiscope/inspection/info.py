"""Facts about a path: a run, a video or a set of images. Does not import torch."""

from __future__ import annotations

from collections import Counter
from typing import Any

from vfiscope.files import open_regular
from vfiscope.regions.unsought import are_awaited, why_no_answer
from vfiscope.sources import open_source
from vfiscope.store import Run
from vfiscope.types import sentence
from vfiscope.views.timing_words import with_ratio

__all__ = ["describe"]

HDF5_SIGNATURE = b"\x89HDF\r\n\x1a\n"


def describe(path: str) -> dict[str, Any]:
    """Facts about a run or a medium, as JSON-able values.

    Raises:
        VfiscopeError: the path is neither of them.
    """
    return _describe_run(path) if _is_hdf5(path) else _describe_medium(path)


def _is_hdf5(path: str) -> bool:
    try:
        with open_regular(path) as file:
            return file.read(len(HDF5_SIGNATURE)) == HDF5_SIGNATURE
    except OSError:
        return False  # opening it as a medium reports why


def _describe_run(path: str) -> dict[str, Any]:
    with Run(path) as run:
        return {
            "kind": "run",
            "path": str(run.path),
            "mode": run.mode,
            "created": run.created,
            "status": run.status,
            "notes": list(run.notes),
            "warnings": list(run.warnings),
            "frames": len(run.frames),
            "role": run.role,
            "scores": list(run.scores),
            "maps": {name: list(run.maps[name].shape) for name in run.maps},
            "fields": {name: list(run.fields[name].shape) for name in run.fields},
            "segments": len(run.segments),
            "regions": _regions(run),
            "regions_note": str(why_no_answer(run)) if are_awaited(run) else None,
            "embedder": None if run.embedder is None else dict(run.embedder),
            "sources": [dict(source) for source in run.sources],
            "config": dict(run.config),
            "versions": dict(run.versions),
            "timings": with_ratio(run.timings),
            "summary": run.summary(),
        }


def _regions(run: Run) -> dict[str, Any] | None:
    """How regions were sought, and what was found; None where they were not."""
    made = run.stages.get("regions")
    if made is None or made.parameters.get("method") == "none":
        return None
    answers = Counter(answer.answer for answer in run.answers)
    return {
        "method": made.parameters.get("method"),
        "sensitivity": made.parameters.get("sensitivity"),
        "frames": made.parameters.get("frames"),
        "looked_at": answers.total(),
        "answers": dict(answers),
        "regions": len(run.regions),
        "tracks": len(run.tracks),
    }


def _describe_medium(path: str) -> dict[str, Any]:
    with open_source(path, tonemap="none") as source:
        info = source.info
        return {
            "kind": info.kind,
            "path": info.path,
            "width": info.width,
            "height": info.height,
            "bit_depth": info.bit_depth,
            "frames_expected": info.frames_expected,
            "duration_s": info.duration_s,
            "rate": None if info.rate is None else float(info.rate),
            "time_base": str(info.time_base),
            "decoder": info.decoder,
            "color": dict(info.color),
            "size_bytes": info.size_bytes,
            "times_from": info.times_from or None,
            "damage": [sentence(note) for note in info.damage],
            "notes": [sentence(note) for note in info.notes],
        }

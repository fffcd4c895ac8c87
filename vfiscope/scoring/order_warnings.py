"""Warnings about the order of images, which their names alone decide."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePath

from vfiscope.sources import Source
from vfiscope.types import Code, Note

__all__ = ["ordering"]

ABOUT_ORDER = (Code.COUNTER_STARTS_AGAIN,)
"""Notes of a source that a run repeats as warnings."""


def ordering(sources: Mapping[str, Source], *, shift: int | None) -> list[Note]:
    """Notes on images that may be in another order, or stand for other frames, than their rows.

    Args:
        sources: by role.
        shift: how many rows later the reference frames are; None if frames are not paired by rows.
    """
    found = [
        Note(Code.ORDER_OF_IMAGES, {"role": role, "path": source.info.path, "note": note})
        for role, source in sources.items()
        if role != "golden"
        for note in source.info.notes
        if note.code in ABOUT_ORDER
    ]
    if shift is not None and "ref" in sources:
        found += _named_elsewhere(sources["test"], sources["ref"], shift)
    return found


def _named_elsewhere(test: Source, ref: Source, shift: int) -> list[Note]:
    """A note where all images of the test are named as images of the reference in other rows, as
    where only the synthesised frames are there."""
    names, others = _stems(test), _stems(ref)
    rows = {name: row for row, name in enumerate(others)}
    if len(names) < 2 or len(names) >= len(others) or not all(name in rows for name in names):
        return []
    row = next((row for row, name in enumerate(names) if rows[name] != row + shift), None)
    if row is None:
        return []
    partner = row + shift
    values = {
        "file": PurePath(test.info.names[row]).name,
        "named": rows[names[row]],
        "partner": PurePath(ref.info.names[partner]).name if 0 <= partner < len(others) else "none",
    }
    return [Note(Code.NAMED_AS_OTHERS, values)]


def _stems(source: Source) -> list[str]:
    """The names of images without their endings; none of a video or an array."""
    return [str(PurePath(name).with_suffix("")).casefold() for name in source.info.names]

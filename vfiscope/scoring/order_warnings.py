"""A warning about images that stand for other frames than their rows, by their names."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePath

from vfiscope.sources import Source
from vfiscope.types import Code, Note

__all__ = ["named_elsewhere"]


def named_elsewhere(sources: Mapping[str, Source], shift: int | None) -> list[Note]:
    """A note where all images of the test are named as images of the reference in other rows, as
    where only the synthesised frames are there.

    Args:
        sources: by role.
        shift: how many rows later the reference frames are; None if frames are not paired by rows.
    """
    if shift is None or "ref" not in sources or sources["test"].selection.timed:
        return []
    names, others = _stems(sources["test"]), _stems(sources["ref"])
    rows = {name: row for row, name in enumerate(others)}
    if len(names) < 2 or len(names) >= len(others) or not all(name in rows for name in names):
        return []
    row = next((row for row, name in enumerate(names) if rows[name] != row + shift), None)
    if row is None:
        return []
    partner, partners = row + shift, sources["ref"].info.names
    values = {
        "file": PurePath(sources["test"].info.names[row]).name,
        "named": rows[names[row]],
        "partner": PurePath(partners[partner]).name if 0 <= partner < len(others) else "none",
    }
    return [Note(Code.NAMED_AS_OTHERS, values)]


def _stems(source: Source) -> list[str]:
    """The names of images without their endings; none of a video or an array."""
    return [str(PurePath(name).with_suffix("")).casefold() for name in source.info.names]

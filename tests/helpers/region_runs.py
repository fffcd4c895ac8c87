"""Small stored runs that hold regions."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from helpers.stored import store_run
from vfiscope.regions.regions_stage import REGIONS
from vfiscope.store import Table, amend
from vfiscope.types import Answer, Region, Track

__all__ = ["answer", "region", "region_run"]


def region(frame: int, **facts: Any) -> Region:
    """A box of 12 x 10 pixels at (20, 8), of which the mask takes 10 x 8."""
    usual = {"x": 20, "y": 8, "w": 12, "h": 10, "area": 80, "score": 2.5, "severity": 3}
    tight = {"tight_x": 21, "tight_y": 9, "tight_w": 10, "tight_h": 8, "peak": 4.0}
    words = {"kind": "spot", "caption": "", "change": "brighter"}
    return Region(frame, **{**usual, **tight, **words, **facts})


def answer(frame: int, regions: int = 0, **facts: Any) -> Answer:
    """One in the unit "ratio", changed where there are regions."""
    said = "changed" if regions else "same"
    usual = {"answer": said, "changed_area": 0.026 * regions, "unit": "ratio", "level": 1.0}
    return Answer(frame, regions=regions, **{"caption": "", **usual, **facts})


def region_run(
    path: Path,
    regions: Sequence[Region],
    answers: Sequence[Answer],
    tracks: Sequence[Track] = (),
    **how: Any,
) -> Path:
    """A run of six frames of 64x48 pixels, or as many as :func:`helpers.stored.store_run` is
    told."""
    store_run(path, {"psnr": [40.0] * 6, **how.pop("scores", {})}, **how)
    tables = {
        "regions": Table(Region, regions),
        "answers": Table(Answer, answers),
        "tracks": Table(Track, tracks),
    }
    amend(path, "regions", REGIONS.version, {"method": "auto", "sensitivity": "medium"}, tables)
    return path

"""Runs of a clip with a ghosted stretch."""

from __future__ import annotations

from pathlib import Path

import vfiscope as vs

N = 30


def score(media: Path, out: Path | None = None, **options: object) -> vs.Run:
    return vs.score(
        str(media / "test.mp4"),
        ref=str(media / "truth.mp4"),
        out=None if out is None else str(out),
        **options,
    )

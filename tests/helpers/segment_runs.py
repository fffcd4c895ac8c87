"""Small stored runs with the times and segments that a test gives them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from helpers.results import segments_result
from helpers.stored import SPECS
from vfiscope.store import Ending, Header, Run, Writer
from vfiscope.types import FrameTable, Role, Scores, SeekTable, Segment

__all__ = ["found", "ntsc", "segment_run"]


def found(start: int, stop: int, kind: str = "freeze", **facts: Any) -> Segment:
    """A segment that a detector found on ssim, with its peak at its first frame."""
    usual = {"metric": "ssim", "peak": 0.25, "peak_index": start, "confidence": 0.875}
    times = {"start_time_s": start / 25, "stop_time_s": stop / 25}
    return Segment(start, stop, kind, **{**usual, **times, **facts})


def ntsc(frames: int, base: int = 30) -> dict[str, Any]:
    """Ticks of so many frames at ``base * 1000/1001`` a second, and their unit."""
    return {"ticks": [1001 * n for n in range(frames)], "time_base": Fraction(1, base * 1000)}


def segment_run(
    folder: Path,
    segments: Sequence[Segment] = (),
    *,
    ticks: Sequence[int],
    time_base: Fraction,
    rows: Sequence[int] | None = None,
    first: int = 0,
    seek: bool = False,
    names: Sequence[str] = (),
    test: Mapping[str, Any] | None = None,
    config: Mapping[str, Any] | None = None,
    rules: Sequence[str] = (),
) -> Run:
    """A run with segments.

    Args:
        folder: where it is stored.
        segments: what was found.
        ticks: times of all frames of the clip from the first, in units of the time base.
        time_base: seconds.
        rows: the ordinals that were scored; all by default.
        first: presentation timestamp of the first frame of the clip.
        seek: store the seek table of the clip.
        names: image files of the rows.
        test: facts of the test source.
        config: options.
        rules: those of the user.
    """
    whole = np.asarray(ticks, np.int64)
    index = np.arange(len(whole)) if rows is None else np.asarray(rows, np.int64)
    frames = FrameTable(
        index=index,
        pts=whole[index] + first,
        time_s=whole[index] * float(time_base),
        ref_index=index,
        role=np.full(len(index), Role.UNKNOWN, np.uint8),
        phase=np.full(len(index), np.nan),
        status=np.zeros(len(index), np.uint8),
        time_base=time_base,
    )
    own = {"role": "test", "path": "/v/clip.mp4", "kind": "video", "width": 64, "height": 48}
    other = {"role": "ref", "path": "/v/truth.mp4", "kind": "video", "width": 32, "height": 24}
    header = Header(
        mode="score",
        config={"mode": "score", "flag": list(rules), "fps": 25.0, **(config or {})},
        sources=[{**own, **(test or {})}, other],
        metrics={"ssim": SPECS["ssim"]},
        time_base=time_base,
    )
    none = np.zeros(0, np.int64)
    table = SeekTable(whole + first, np.zeros(len(whole), np.int64), none, none, ended=True)
    with Writer(folder / "run.h5", header, overwrite=True, resume=False) as writer:
        values = np.full(len(index), 0.5, np.float32)
        writer.append(Scores(frames, {"ssim": values}, {}, {}))
        writer.finish(
            Ending(
                sources=header.sources,
                pairing={"policy": "row"},
                status="ok",
                notes=[],
                timings={},
                names=names,
                stages=[segments_result(segments, rules)],
                seek_tables={"test": table} if seek else {},
            )
        )
    return Run(folder / "run.h5")

"""Made-up results: a header, scores of random values, and the file that the writer makes of
them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from vfiscope.store import Ending, Header, StageResult, Table, Writer, amend, schema
from vfiscope.types import (
    Code,
    FieldSpec,
    FrameTable,
    MetricSpec,
    Needs,
    Note,
    Region,
    Scores,
    Segment,
)

TIME_BASE = Fraction(1001, 30000)
GRID = (3, 4)
PSNR = MetricSpec(
    "psnr", "dB", 0.0, float("inf"), False, float("inf"), 0.5, "peak signal-to-noise ratio"
)
SSIM = MetricSpec("ssim", "1", -1.0, 1.0, False, 1.0, 0.01, "structural similarity")
MISMATCH = MetricSpec(
    "mismatch",
    "1",
    0.0,
    2.0,
    True,
    0.0,
    0.02,
    "1 - cosine to the best match",
    Needs.REF | Needs.FEATURES,
)
MOTION = FieldSpec("motion", "best match")
SEGMENT = Segment(3, 9, "blür", "ssim", 0.25, 5, 0.875, 0.1, 0.3)
REGION = Region(5, 1.5, 2.0, 30.0, 40.25, 1000.0, 0.5, 3, "change", "größer — 変化")


def make_header(**changes: Any) -> Header:
    header = Header(
        mode="score",
        config={
            "mode": "score",
            "lag": 1,
            "flag": [],
            "out": "a.h5",
            "batch": 8,
            "overwrite": False,
            "resume": True,
        },
        sources=[
            {"role": "test", "path": "/t.mp4", "digest": "sha256:aa"},
            {"role": "ref", "path": "/r.mp4"},
        ],
        embedder={"name": "dsift", "dim": 128, "grid": list(GRID)},
        versions={"vfiscope": "0.1.0", "numpy": "2"},
        metrics={"psnr": PSNR, "ssim": SSIM},
        maps={"mismatch": MISMATCH},
        fields={"motion": MOTION},
        grids={"mismatch": GRID, "motion": GRID},
        time_base=TIME_BASE,
    )
    return replace(header, **changes)


def make_scores(rows: int, grid: tuple[int, int] = GRID, seed: int = 0) -> Scores:
    """Rows of random values with a NaN and an infinity among them."""
    rng = np.random.default_rng(seed)
    index = np.arange(rows, dtype=np.int64)
    frames = FrameTable(
        index,
        index * 1001,
        index * 1001 / 30000,
        np.where(index % 7, index, -1),
        (index % 3).astype(np.uint8),
        np.where(index % 2, 0.5, np.nan),
        (index % 4).astype(np.uint8),
        TIME_BASE,
    )
    psnr = rng.uniform(20, 50, rows).astype(np.float32)
    psnr[2::10], psnr[3::10] = np.inf, np.nan
    return Scores(
        frames,
        {"psnr": psnr, "ssim": rng.random(rows, np.float32)},
        {"mismatch": rng.random((rows, *grid)).astype(np.float16)},
        {"motion": rng.normal(size=(rows, 2, *grid)).astype(np.float16)},
    )


def batches(scores: Scores, size: int, start: int = 0) -> Iterator[Scores]:
    for row in range(start, len(scores), size):
        yield schema.sliced(scores, slice(row, row + size))


def segments_result(segments: Sequence[Segment], rules: Sequence[str] = ()) -> StageResult:
    """Segments as the stage of that name stores them."""
    return StageResult(
        "segments", 1, {"rules": list(rules)}, {"segments": Table(Segment, segments)}
    )


def store_segments(path: Path, segments: Sequence[Segment], rules: Sequence[str]) -> None:
    """Store segments in a finished run, in place of its own."""
    result = segments_result(segments, rules)
    amend(path, result.stage, result.version, result.parameters, result.tables)


def finish(writer: Writer, **changes: Any) -> Path:
    """Finish with a segment, where there are rows enough; they begin with frame 0."""
    inside = writer.rows_done + writer._rows_held >= SEGMENT.stop
    arguments: dict[str, Any] = {
        "stages": [
            segments_result([SEGMENT] if inside else []),
            StageResult("regions", 1, {}, {"regions": Table(Region, [REGION])}),
        ],
        "sources": [{**source, "frames_decoded": 9} for source in writer.header.sources],
        "pairing": {"policy": "row", "offset": 0},
        "status": "ok",
        "notes": [Note(Code.IMAGE_UNREADABLE, {"reason": text}) for text in ("first", "zweite")],
        "timings": {"seconds": 2.5},
    }
    return writer.finish(Ending(**{**arguments, **changes}))


def write(
    out: Path, scores: Scores, size: int = 1000, header: Header | None = None, **options: Any
) -> Path:
    """Write, or continue to write, the scores in batches of one size."""
    with Writer(out, header or make_header(), **options) as writer:
        if not writer.already_finished:
            for batch in batches(scores, size, writer.rows_done):
                writer.append(batch)
            finish(writer)
    return out


def bits(array: np.ndarray[Any, Any]) -> tuple[str, tuple[int, ...], bytes]:
    return str(array.dtype), array.shape, array.tobytes()

"""Small stored runs with the scores, frames and inputs that a test gives them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from vfiscope.store import Ending, Header, Run, Writer
from vfiscope.types import Code, FrameTable, MetricSpec, Needs, Note, Role, Scores

INF = float("inf")
SPECS = {
    "psnr": MetricSpec("psnr", "dB", 0, INF, False, INF, 1.0, ""),
    "mse": MetricSpec("mse", "code^2", 0, INF, True, 0, 1.0, ""),
    "ssim": MetricSpec("ssim", "1", -1, 1, False, 1, 0.01, ""),
    "cosine": MetricSpec("cosine", "1", 0, 2, True, 0, 0.01, "", needs=Needs.REF | Needs.FEATURES),
    "mismatch": MetricSpec(
        "mismatch", "1", 0, 2, True, 0, 0.01, "", needs=Needs.REF | Needs.FEATURES
    ),
    "midpoint_px": MetricSpec(
        "midpoint_px", "px", -INF, INF, True, 0, 0.5, "", Needs.NEIGHBOURS, ranks=False
    ),
    "ghosting": MetricSpec("ghosting", "1", 0, 1, True, 0, 0.01, "", Needs.NEIGHBOURS, ranks=False),
    "visible_one": MetricSpec("visible_one", "1", 0, 1, True, 0, 1, "", ranks=False),
    "cut": MetricSpec("cut", "1", 0, 1, True, 0, 1, "", ranks=False),
}
TRUTH = {"role": "ref", "path": "/v/truth.mp4", "digest": "sha256:truth", "width": 64, "height": 48}
SOURCE = {**TRUTH, "role": "source", "path": "/v/source.mp4", "digest": "sha256:source"}
EVERY_SECOND = (Role.PASSED, Role.SYNTHESISED)


def store_run(
    path: Path,
    scores: Mapping[str, ArrayLike],
    *,
    role: Sequence[int] | None = None,
    index: Sequence[int] | None = None,
    ref_index: Sequence[int] | None = None,
    reference: Mapping[str, Any] | None = TRUTH,
    test: Mapping[str, Any] | None = None,
    mode: str = "score",
    config: Mapping[str, Any] | None = None,
    pairing: Mapping[str, Any] | None = None,
    embedder: Mapping[str, Any] | None = None,
    status: str = "ok",
    notes: Sequence[str] = (),
    names: Sequence[str] = (),
) -> Path:
    """A finished run at 25 frames a second, whose frames are paired row by row unless said
    otherwise."""
    values = {name: np.asarray(column, np.float32) for name, column in scores.items()}
    rows = np.arange(len(next(iter(values.values()))), dtype=np.int64)
    ordinals = rows if index is None else np.asarray(index, np.int64)
    frames = FrameTable(
        index=ordinals,
        pts=ordinals,
        time_s=ordinals / 25,
        ref_index=ordinals if ref_index is None else np.asarray(ref_index, np.int64),
        role=np.full(len(rows), Role.UNKNOWN, np.uint8)
        if role is None
        else np.asarray(role, np.uint8),
        phase=np.full(len(rows), np.nan),
        status=np.zeros(len(rows), np.uint8),
        time_base=Fraction(1, 25),
    )
    own = {
        "role": "test",
        "path": f"/v/{path.stem}.mp4",
        "digest": f"sha256:{path.stem}",
        "width": 64,
        "height": 48,
    }
    header = Header(
        mode=mode,
        config={"mode": mode, "start": None, "stop": None, "step": 1, "flag": [], **(config or {})},
        sources=[{**own, **(test or {})}, *([] if reference is None else [reference])],
        metrics={name: SPECS[name] for name in values},
        time_base=frames.time_base,
        embedder=embedder,
    )
    with Writer(path, header) as writer:
        writer.append(Scores(frames, values, {}, {}))
        writer.finish(
            Ending(
                sources=header.sources,
                pairing=pairing or {"policy": "row"},
                status=status,
                notes=[Note(Code.IMAGE_UNREADABLE, {"reason": note}) for note in notes],
                timings={},
                names=names,
            )
        )
    return path


def open_all(folder: Path, runs: Mapping[str, Mapping[str, Any]]) -> list[Run]:
    """Store and open several runs: {name: arguments of :func:`store_run`}."""
    return [Run(store_run(folder / f"{name}.h5", **how)) for name, how in runs.items()]

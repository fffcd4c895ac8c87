"""Hand-made runs to draw, and what stands in a figure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.figure import Figure
from numpy.typing import NDArray

from vfiscope.types import FrameTable, MetricSpec, Needs, Role, Segment

INF, NAN = float("inf"), float("nan")
SPECS = {
    "psnr": MetricSpec("psnr", "dB", 0, INF, False, INF, 1.0, ""),
    "ssim": MetricSpec("ssim", "1", -1, 1, False, 1, 0.01, ""),
    "cosine": MetricSpec("cosine", "1", 0, 2, True, 0, 0.01, "", needs=Needs.REF | Needs.FEATURES),
    "mismatch": MetricSpec(
        "mismatch", "1", 0, 2, True, 0, 0.01, "", needs=Needs.REF | Needs.FEATURES
    ),
    "midpoint_px": MetricSpec("midpoint_px", "px", -INF, INF, True, 0, 0.5, ""),
    "mse": MetricSpec("mse", "code^2", 0, 255.0**2, True, 0, 25, ""),
    "visible_one": MetricSpec("visible_one", "1", 0, 1, True, 0, 1, ""),
    "cut": MetricSpec("cut", "1", 0, 1, True, 0, 1, ""),
}


def fake(
    scores: Mapping[str, Sequence[float] | NDArray[Any]],
    *,
    name: str = "a",
    time_s: NDArray[np.float64] | None = None,
    index: NDArray[np.int64] | None = None,
    segments: Sequence[Segment] = (),
    role: Sequence[int] | NDArray[Any] | None = None,
    status: Sequence[int] | None = None,
    rules: Sequence[str] = (),
    embedder: Mapping[str, Any] | None = None,
    folder: str = "/runs",
    test: str | None = None,
) -> Any:
    """A run as the figures see it."""
    n = len(next(iter(scores.values()), []))
    rows = np.arange(n)
    return SimpleNamespace(
        path=Path(f"{folder}/{name}.h5"),
        mode="score",
        frames=FrameTable(
            index=rows if index is None else index,
            pts=rows,
            time_s=rows / 25 if time_s is None else time_s,
            ref_index=rows,
            role=np.full(n, Role.UNKNOWN, np.uint8) if role is None else np.asarray(role, np.uint8),
            phase=np.full(n, NAN),
            status=np.zeros(n, np.uint8) if status is None else np.asarray(status, np.uint8),
            time_base=Fraction(1, 25),
        ),
        scores={metric: np.asarray(values, np.float32) for metric, values in scores.items()},
        signals={},
        frame_size=None,
        specs={metric: SPECS[metric] for metric in scores},
        segments=list(segments),
        rules=list(rules),
        config={"golden": 7},
        sources=[
            {"role": "test", "path": test or f"/v/{name}.mp4"},
            {"role": "ref", "path": "/v/truth.mp4"},
        ],
        embedder=embedder,
        pairing={"policy": "row"},
        names=(),
        time_lapse=None,
        times_from="",
        moment=lambda row: None,
    )


def segment(start: int, stop: int, metric: str) -> Segment:
    return Segment(start, stop, "low_score", metric, 0.5, start, 1.0, start / 25, stop / 25)


def panels(figure: Figure) -> list[Axes]:
    return list(figure.axes)


def lines(ax: Axes) -> list[tuple[list[float], list[float]]]:
    """Every curve and set of markers with data, as (times, values)."""
    drawn = [(np.asarray(line.get_xdata()), np.asarray(line.get_ydata())) for line in ax.lines]
    return [(x.tolist(), y.tolist()) for x, y in drawn if len(x)]


def boxes(ax: Axes) -> list[tuple[float, float, float, float]]:
    """(x0, x1, y0, y1) of every shaded range, y in parts of the panel."""
    shaded = [collection for collection in ax.collections if isinstance(collection, PolyCollection)]
    extents = [path.get_extents() for collection in shaded for path in collection.get_paths()]
    return [(round(e.x0, 6), round(e.x1, 6), round(e.y0, 6), round(e.y1, 6)) for e in extents]


def legend(figure: Figure) -> list[str]:
    return [text.get_text() for each in figure.legends for text in each.get_texts()]

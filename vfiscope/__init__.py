"""Score interpolated videos, scan time-lapse sequences and plot temporal difference curves.

::

    import vfiscope as vs

    run = vs.score("interp.mp4", ref="truth.mp4", metrics=["psnr", "ssim", "cosine"],
    out="interp.h5") run.scores["ssim"]  # (N,) float32 run.maps["mismatch"][0]  # (h, w) float32,
    read on demand

Names are imported at their first use, so that opening a stored run needs no torch.
"""

from __future__ import annotations

TYPE_CHECKING = False  # as in typing, which takes a while to import

if TYPE_CHECKING:
    from typing import Any

    from vfiscope import synth
    from vfiscope.api import (
        Session,
        compare,
        export,
        find_regions,
        flag,
        open_run,
        plot,
        scan,
        score,
        table,
    )
    from vfiscope.batch.execute import run_jobs
    from vfiscope.errors import VfiscopeError
    from vfiscope.inspection.show import show
    from vfiscope.scoring.stored_frames import frames_of
    from vfiscope.sources import Source, open_source
    from vfiscope.store import Run
    from vfiscope.types import (
        Features,
        Frames,
        FrameTable,
        MetricSpec,
        Pairs,
        Region,
        Role,
        Scores,
        Segment,
    )

_HOME = {
    "Features": "types",
    "FrameTable": "types",
    "Frames": "types",
    "MetricSpec": "types",
    "Pairs": "types",
    "Region": "types",
    "Role": "types",
    "Run": "store",
    "Scores": "types",
    "Segment": "types",
    "Session": "api",
    "Source": "sources",
    "VfiscopeError": "errors",
    "compare": "api",
    "export": "api",
    "find_regions": "api",
    "flag": "api",
    "frames_of": "scoring.stored_frames",
    "open_run": "api",
    "open_source": "sources",
    "plot": "api",
    "run_jobs": "batch.execute",
    "scan": "api",
    "score": "api",
    "show": "inspection.show",
    "synth": "",
    "table": "api",
}

__all__ = [
    "Features",
    "FrameTable",
    "Frames",
    "MetricSpec",
    "Pairs",
    "Region",
    "Role",
    "Run",
    "Scores",
    "Segment",
    "Session",
    "Source",
    "VfiscopeError",
    "compare",
    "export",
    "find_regions",
    "flag",
    "frames_of",
    "open_run",
    "open_source",
    "plot",
    "run_jobs",
    "scan",
    "score",
    "show",
    "synth",
    "table",
]


def __getattr__(name: str) -> Any:
    import importlib

    if name not in _HOME:
        raise AttributeError(f"module 'vfiscope' has no attribute {name!r}")
    if _HOME[name] == "":
        return importlib.import_module(f"vfiscope.{name}")
    return getattr(importlib.import_module(f"vfiscope.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return [*__all__]

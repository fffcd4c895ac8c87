"""Options of what is computed, and the defaults."""

from __future__ import annotations

from typing import Annotated, ClassVar, Self

from pydantic import model_validator

from vfiscope.options.embedding_options import EmbeddingOptions
from vfiscope.options.option import Names, Option

__all__ = [
    "DEFAULT_FIELDS",
    "DEFAULT_MAPS",
    "DEFAULT_METRICS",
    "FIELD_METRICS",
    "LEVEL_METRICS",
    "NEIGHBOUR_MAPS",
    "NEIGHBOUR_METRICS",
    "ComputingOptions",
]

DEFAULT_METRICS = ("cosine", "mismatch", "psnr", "ssim")
"""Embeddings come before pixels, here and in every run: they rank interpolated frames best, and
metrics are printed and drawn in this order."""
DEFAULT_MAPS = ("mismatch",)
DEFAULT_FIELDS = ("motion",)
NEIGHBOUR_METRICS = (
    "cosine_before",
    "cosine_after",
    "fault",
    "fault_peak",
    "moving",
    "repeat",
    "late",
    "early",
    "blend",
    "torn",
    "level",
    "midpoint_px",
    "ghosting",
    "warp",
    "foreign",
    "cut",
)
LEVEL_METRICS = ("level_y", "level_cb", "level_cr")
NEIGHBOUR_MAPS = ("fault", "ghosting", "warp", "foreign")
"""Computed without ground truth, as are NEIGHBOUR_METRICS and LEVEL_METRICS."""
FIELD_METRICS = {"motion": "mismatch"}
"""{field: the metric whose matches it shows}"""


class ComputingOptions(EmbeddingOptions):
    """What is computed; an empty field is filled with the defaults of the mode."""

    heading: ClassVar[str] = "Scores, maps and fields"

    metrics: Annotated[
        Names,
        Option(
            f"Scores to compute; with a reference by default {','.join(DEFAULT_METRICS)}.",
            metavar="A,B,C",
            names="metric",
        ),
    ] = ()
    maps: Annotated[
        Names,
        Option(
            'Maps to keep per frame, or "none"; by default those of the metrics.',
            metavar="A,B",
            names="map",
        ),
    ] = ()
    fields: Annotated[
        Names,
        Option(
            'Vector fields to keep per frame, or "none"; by default motion, with mismatch.',
            metavar="A,B",
            names="field",
        ),
    ] = ()
    signals: Annotated[
        Names,
        Option(
            "Signals to keep per frame, beside those that detectors need; by default those that"
            ' cost little. "none" keeps none.',
            metavar="A,B",
            names="signal",
        ),
    ] = ()

    kinds: Annotated[
        Names,
        Option(
            "Look for segments of these kinds only (cut,fade), and compute nothing but the signals"
            " that they need unless --metrics, --maps, --fields or --signals ask for more.",
            metavar="A,B",
            names="kind",
            verbs=("scan",),
        ),
    ] = ()

    @model_validator(mode="after")
    def _fill_in(self) -> Self:
        """Fill in the defaults where nothing was chosen."""
        for name, names in self.usual().items():
            if not getattr(self, name):
                self.__dict__[name] = names  # frozen for everybody else, and not handed out yet
        return self

    def usual(self) -> dict[str, tuple[str, ...]]:
        """The defaults of the mode: its metrics, and the maps and fields of the chosen metrics.
        With a source, PSNR and SSIM of the originals are added."""
        metrics: tuple[str, ...] = DEFAULT_METRICS
        maps: tuple[str, ...] = DEFAULT_MAPS
        fields: tuple[str, ...] = DEFAULT_FIELDS
        if self.mode == "score" and self.ref is None:
            originals = ("psnr", "ssim") if self.source is not None else ()
            metrics = NEIGHBOUR_METRICS + originals + LEVEL_METRICS
            maps, fields = NEIGHBOUR_MAPS, ()
        if self.kinds:
            metrics = ("none",)
        asked = self.metrics or metrics
        return {
            "metrics": metrics,
            "maps": tuple(name for name in maps if name in asked) or ("none",),
            "fields": tuple(name for name in fields if FIELD_METRICS[name] in asked) or ("none",),
        }

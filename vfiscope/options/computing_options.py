"""Options of what is computed, and what is where nothing was asked for."""

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
    "NEIGHBOUR_MAPS",
    "NEIGHBOUR_METRICS",
    "ComputingOptions",
]

DEFAULT_METRICS = ("cosine", "mismatch", "psnr", "ssim")
"""Embeddings before pixels, here and in every run: they rank interpolated frames best, and what is
computed first is printed and drawn first."""
DEFAULT_MAPS = ("mismatch",)
DEFAULT_FIELDS = ("motion",)
NEIGHBOUR_METRICS = (
    "cosine_before",
    "cosine_after",
    "fault",
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
NEIGHBOUR_MAPS = ("fault", "ghosting", "warp", "foreign")
"""What is computed where there is no ground truth; with the source, PSNR and SSIM of its own frames
besides."""
FIELD_METRICS = {"motion": "mismatch"}
"""The metric whose matches a field shows."""


class ComputingOptions(EmbeddingOptions):
    """What is computed; where a field is empty, it is filled with what suits the mode."""

    heading: ClassVar[str] = "Scores, maps and fields"

    metrics: Annotated[
        Names,
        Option(
            f"Scores to compute; {','.join(DEFAULT_METRICS)} where there is a reference.",
            metavar="A,B,C",
            names="metric",
        ),
    ] = ()
    maps: Annotated[
        Names,
        Option(
            'Maps to keep per frame, or "none"; where absent, those of the metrics.',
            metavar="A,B",
            names="map",
        ),
    ] = ()
    fields: Annotated[
        Names,
        Option(
            'Vector fields to keep per frame, or "none"; where absent, motion beside mismatch.',
            metavar="A,B",
            names="field",
        ),
    ] = ()
    signals: Annotated[
        Names,
        Option(
            'Signals to keep per frame, or "none"; where absent, those that cost little.',
            metavar="A,B",
            names="signal",
        ),
    ] = ()

    @model_validator(mode="after")
    def _fill_in(self) -> Self:
        """Choose what is computed where nothing was asked for."""
        for name, names in self.usual().items():
            if not getattr(self, name):
                self.__dict__[name] = names  # frozen to all others, and not yet handed out
        return self

    def usual(self) -> dict[str, tuple[str, ...]]:
        """What suits the mode; of its maps and fields those that show a metric asked for."""
        metrics: tuple[str, ...] = DEFAULT_METRICS
        maps: tuple[str, ...] = DEFAULT_MAPS
        fields: tuple[str, ...] = DEFAULT_FIELDS
        if self.mode == "score" and self.ref is None:
            originals = ("psnr", "ssim") if self.source is not None else ()
            metrics, maps, fields = NEIGHBOUR_METRICS + originals, NEIGHBOUR_MAPS, ()
        asked = self.metrics or metrics
        return {
            "metrics": metrics,
            "maps": tuple(name for name in maps if name in asked) or ("none",),
            "fields": tuple(name for name in fields if FIELD_METRICS[name] in asked) or ("none",),
        }

"""Options of the figures of two compared images."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from vfiscope.errors import UsageError
from vfiscope.options.option import Option
from vfiscope.options.region_options import RegionOptions

__all__ = ["FIGURE_NAMES", "FigureOptions"]


class FigureOptions(RegionOptions):
    """How a compared pair is drawn; without ``visualize`` they are refused."""

    heading: ClassVar[str] = "Figures"

    arrow_stride: Annotated[
        int | None,
        Field(ge=1, le=1000),
        Option(
            "With --visualize: an arrow for every N-th patch of vector_field.png; by default about"
            " 20 across.",
            "a whole number of patches",
            "N",
            verbs=("compare",),
            stored=False,
        ),
    ] = None
    pca: Annotated[
        bool,
        Option("With --visualize: draw pca_features.png.", verbs=("compare",), stored=False),
    ] = True
    opacity: Annotated[
        float | None,
        Field(ge=0.0, le=1.0),
        Option(
            "With --visualize: opacity of the colours in heatmap_overlay.png; by default 0.75.",
            metavar="0..1",
            verbs=("compare",),
            stored=False,
        ),
    ] = None

    def check_drawn(self, drawn: bool) -> None:
        """Refuse a choice of how figures are drawn where none are.

        Raises:
            UsageError: names the option.
        """
        for told in () if drawn else FigureOptions.declared():
            value = getattr(self, told.name)
            if told.name in FIGURE_NAMES and value != told.default:
                raise UsageError(
                    f"{told.name} is {value}, but no figures are drawn: pass --visualize, or leave"
                    " it out"
                )


FIGURE_NAMES = tuple(
    name for name in FigureOptions.model_fields if name not in RegionOptions.model_fields
)
"""The options of this group."""

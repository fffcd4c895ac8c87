"""Options of regions: what changed, and where."""

from __future__ import annotations

import re
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import PlainValidator, model_validator

from vfiscope.errors import UsageError
from vfiscope.options.option import FileName, Option
from vfiscope.options.result_options import ResultOptions

__all__ = ["RUN_OPTIONS", "STAGE_OPTIONS", "RegionOptions", "Sensitivity", "frame_ranges"]

Sensitivity = Literal["low", "medium", "high"]
STAGE_OPTIONS = {
    "method": "regions",
    "frames": "region_frames",
    "sensitivity": "sensitivity",
    "normal": "normal",
    "sam_weights": "sam_weights",
}
"""{parameter of the stage, and option of the verb ``regions``: the option of the other verbs}"""
RUN_OPTIONS = ("embedder", "weights", "device")
"""More of both, under the names that they have everywhere; what is not passed is as in the run."""
RANGE = re.compile(r"(\d{1,9})(?::(\d{1,9}))?")


def frame_ranges(text: str) -> list[range]:
    """Frames as half-open ranges: "12,40:60" is frame 12 and frames 40 to 59.

    Raises:
        ValueError: the text is something else.
    """
    found = [RANGE.fullmatch(part.strip()) for part in text.split(",")]
    ends = [(int(one[1]), int(one[2] or int(one[1]) + 1)) for one in found if one is not None]
    if len(ends) < len(found) or any(start >= stop for start, stop in ends):
        raise ValueError
    return [range(start, stop) for start, stop in ends]


def _frames(value: Any) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str):
        raise ValueError
    if value not in ("auto", "flagged", "all"):
        frame_ranges(value)
    return value


class RegionOptions(ResultOptions):
    """How regions are found."""

    heading: ClassVar[str] = "Regions"

    regions: Annotated[
        str | None,
        Option(
            "Mark what changed, and where, by this method; auto suits most pairs, none marks"
            " nothing. compare marks with auto by default.",
            "the name of a method",
            "METHOD",
            names="method",
            identifies=False,
        ),
    ] = None
    region_frames: Annotated[
        str,
        PlainValidator(_frames),
        Option(
            "The frames in which regions are sought: flagged, all, or numbers such as 12,40:60;"
            " auto takes the flagged ones in score, and all in scan, in compare and with --normal.",
            "auto, flagged, all, or frames such as 12,40:60",
            "auto|flagged|all|FRAMES",
            verbs=("score", "scan"),
            identifies=False,
        ),
    ] = "auto"
    sensitivity: Annotated[
        Sensitivity,
        Option("How small a difference makes a region.", identifies=False),
    ] = "medium"
    normal: Annotated[
        FileName | None,
        Option(
            "Normal frames, for patchcore and reconstruction: what none of them shows is marked,"
            " and a test frame needs no partner. A folder, a video, a result, or a memory bank that"
            " was saved (.h5).",
            metavar="FOLDER|RUN|BANK",
            file=True,
            identifies=False,
        ),
    ] = None
    sam_weights: Annotated[
        FileName | None,
        Option(
            "A folder with a SAM 2 checkpoint of transformers: it draws the masks of the regions.",
            metavar="DIR",
            file=True,
            identifies=False,
        ),
    ] = None

    panels: Annotated[
        bool,
        Option(
            "TEST holds both images, side by side or one above the other: the left or upper one is"
            " the reference.",
            verbs=("compare",),
        ),
    ] = False

    @property
    def region_method(self) -> str:
        """The method that was chosen, or the default of the mode; "none" marks nothing."""
        return self.regions or ("auto" if self.mode == "compare" else "none")

    @property
    def is_alone(self) -> bool:
        """Whether an image has no reference and needs none, as normal frames tell what changed."""
        return self.ref is None and not self.panels and self.normal is not None

    @model_validator(mode="after")
    def _one_page(self) -> Self:
        if self.panels and self.ref is not None:
            raise UsageError("panels finds both images in test: leave ref out")
        if self.panels and self.crop is not None:
            raise UsageError(f"panels finds the images, but crop is {self.crop!r}: leave it out")
        return self

    @model_validator(mode="after")
    def _something_to_mark(self) -> Self:
        if self.region_method == "none":
            for name in ("region_frames", "sensitivity", "normal", "sam_weights"):
                value = getattr(self, name)
                if value != type(self).model_fields[name].default:
                    raise UsageError(
                        f"{name} is {value!r}, but no regions are marked: add --regions METHOD"
                    )
        return self

"""Options of what is compared with what, and the rules on which of them go together."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from vfiscope.errors import UsageError
from vfiscope.options.option import VERBS, Option
from vfiscope.options.reading_options import ReadOptions, parse_rate

__all__ = ["InputOptions", "golden_index", "parse_multiplier"]

Mode = Literal["score", "scan", "compare"]


def parse_multiplier(value: str | int | float) -> Fraction:
    """Test frames per source frame: "2", "2.5", "5/2", or two rates such as "24:60".

    Raises:
        UsageError: it is not a ratio above 1 (at 1 nothing is interpolated) and up to 1000.
    """
    try:
        low, colon, high = str(value).partition(":")
        ratio = parse_rate(high) / parse_rate(low) if colon else parse_rate(low)
        ratio = ratio.limit_denominator(1001)
    except (ValueError, ZeroDivisionError):
        ratio = Fraction(0)
    if not 1 < ratio <= 1000:
        raise UsageError(
            f"multiplier is {value!r}: pass test frames per source frame, more than 1, such as 2,"
            " 5/2 or 24:60"
        )
    return ratio


def golden_index(golden: Any) -> int | None:
    """The ordinal of a golden frame that is chosen by number; None if it is a file or an array."""
    if isinstance(golden, int) or (
        isinstance(golden, str) and re.fullmatch(r"[+-]?[0-9]{1,18}", golden)
    ):
        return int(golden)
    return None


def _ratio(value: str | int | float | None) -> str | None:
    return None if value is None else str(parse_multiplier(value))


class InputOptions(ReadOptions):
    """What to compare; one field per option."""

    heading: ClassVar[str] = "Inputs"

    mode: Annotated[Mode, Option("What to do: score, scan or compare.", verbs=())]
    test: Annotated[
        Any,
        Option(
            "The video, folder or image to score.",
            argument_of=VERBS,
            identifies=False,
            file=True,
        ),
    ]
    """Path, glob, printf pattern, or an array (N, H, W, 3) uint8 or uint16; arrays, tensors,
    images, lists and generators in other forms are taken where they can mean one thing only."""
    ref: Annotated[
        Any,
        Option(
            "Ground truth: a video, folder, glob or printf pattern.",
            metavar="REF",
            verbs=("score", "compare"),
            argument_of=("compare",),
            identifies=False,
            file=True,
        ),
    ] = None
    source: Annotated[
        Any,
        Option(
            "Without ground truth: the lower-rate video that TEST was made from.",
            metavar="SRC",
            verbs=("score",),
            identifies=False,
            file=True,
        ),
    ] = None
    multiplier: Annotated[
        str | int | float | None,
        AfterValidator(_ratio),
        Option(
            "Test frames per source frame: frames 0, M, 2M ... are then originals, and results are"
            " over the frames between. With --source it is detected, and may be a ratio (5/2,"
            " 24:60).",
            "a ratio such as 2, 5/2 or 24:60",
            "M",
            verbs=("score",),
        ),
    ] = None
    """Test frames per source frame, such as "2", "2.5", "5/2" or "24:60". With ``source``, None
    detects it from the frames. Without ``source``, a whole number M states that frames 0, M, 2M ...
    (of the reference, or of the test itself) are passed-through originals and that the frames
    between were synthesised from them; None states nothing."""
    golden: Annotated[
        Any,
        Option(
            "Compare every frame with this image, or with this frame of TEST.",
            "an image, or the number of a frame",
            metavar="IMAGE|INDEX",
            verbs=("scan",),
            file=True,
        ),
    ] = None
    """Image path or array, or the ordinal of the golden frame in the test itself."""
    lag: Annotated[
        int | None,
        Field(ge=1, le=1_000_000),
        Option(
            "Without --golden: compare every frame with the one N frames before it; N frames are"
            " held in memory.",
            metavar="N",
            verbs=("scan",),
        ),
    ] = None
    """1 where neither golden nor lag is set."""
    independent: Annotated[
        bool,
        Option(
            "The images have nothing to do with those beside them, as in many triplets: each is"
            " judged alone, by --flag rules, and told by its name.",
            verbs=("score", "scan"),
        ),
    ] = False

    @model_validator(mode="after")
    def _of_this_mode(self) -> Self:
        """Refuse options that this mode would ignore."""
        for told in sorted(type(self).declared(), key=lambda each: each.name):
            told.check_mode(self.mode, getattr(self, told.name))
        return self

    @model_validator(mode="after")
    def _one_partner(self) -> Self:
        if self.golden is not None and self.lag is not None:
            raise UsageError("golden and lag exclude each other: pass one of them")
        if self.source is not None and self.ref is not None:
            raise UsageError("source and ref exclude each other: pass one of them")
        return self

    @model_validator(mode="after")
    def _nothing_beside(self) -> Self:
        if not self.independent:
            return self
        for name in ("source", "multiplier", "lag"):
            if getattr(self, name) is not None:
                raise UsageError(
                    f"independent images have no frames beside them, which {name} is about: leave"
                    " one of them out"
                )
        if self.ref is None and self.golden is None:
            remedy = "add --ref" if self.mode == "score" else "add --golden"
            raise UsageError(f"independent images need something to be compared with: {remedy}")
        return self

    @model_validator(mode="after")
    def _multiplier_without_source(self) -> Self:
        if self.multiplier is None or self.source is not None:
            return self
        if "/" in str(self.multiplier):
            raise UsageError(
                f"multiplier is {self.multiplier}, which without source must be a whole number: a"
                " ratio does not say which frames are originals"
            )
        if self.step != 1:
            raise UsageError(
                f"step is {self.step}, but multiplier counts every frame: leave one of them out"
            )
        return self

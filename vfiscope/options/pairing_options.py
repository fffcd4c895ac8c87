"""Options of which reference frame a test frame is scored against, and of bringing it onto that."""

from __future__ import annotations

import re
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import PlainValidator, model_validator

from vfiscope.errors import UsageError
from vfiscope.options.input_options import InputOptions
from vfiscope.options.option import FileName, Option

__all__ = ["PairingOptions"]

RegisterMethod = Literal["none", "ecc", "sift", "loftr"]


def _shift_or_word(value: Any) -> str | int:
    """What ``align`` says, numbers as numbers."""
    if value in ("auto", "none") or (isinstance(value, int) and not isinstance(value, bool)):
        return value  # type: ignore[no-any-return]
    if isinstance(value, str) and re.fullmatch(r"[+-]?\d{1,9}", value.strip()):
        return int(value)
    raise ValueError


class PairingOptions(InputOptions):
    """How test frames find their partners, in time and in space."""

    heading: ClassVar[str] = "Pairing"

    align: Annotated[
        str | int,
        PlainValidator(_shift_or_word),
        Option(
            "Of score: find each test frame's partner; pair row by row; or with the frame SHIFT"
            " (+3, -17) later.",
            "auto, none, or a shift in frames, as +3 or -17",
            "auto|none|SHIFT",
        ),
    ] = "none"
    """Which reference frame a test frame is scored against: "none", that of the same row; a number,
    that so many frames later; "auto", the one that a map found from the pictures gives."""
    comparison: Annotated[
        str,
        Option(
            "What frames are compared with, where an installed package brings another way.",
            "a name",
            "NAME",
            names="comparison",
        ),
    ] = "auto"
    """By name: see :data:`vfiscope.comparisons.COMPARISONS`; "auto", what the other options
    mean."""
    register: Annotated[
        RegisterMethod,
        Option(
            "Bring each test frame onto its partner first: ecc for small motions, sift, or loftr"
            " with weights."
        ),
    ] = "none"
    register_weights: Annotated[
        FileName | None,
        Option("Weights of LoFTR, for --register loftr.", metavar="FILE", file=True),
    ] = None

    @model_validator(mode="after")
    def _something_to_align(self) -> Self:
        if self.align == "none":
            return self
        if self.mode == "score" and self.ref is None and self.source is None:
            raise UsageError(
                f"align is {self.align!r} without ref: there is nothing to align with, add --ref"
            )
        if self.source is None and self.mode != "score":
            raise UsageError(
                f"align is {self.align!r} in {self.mode}, where nothing is aligned in time: leave"
                f" it out, or use vfiscope score TEST --ref REF --align {self.align}"
            )
        return self

    @model_validator(mode="after")
    def _one_shift(self) -> Self:
        shifted = isinstance(self.align, int) and self.align != 0
        if shifted and (self.step != 1 or self.start is not None):
            raise UsageError(
                f"align is {self.align} beside start or step, which shift too: pass --align auto"
            )
        if self.source is not None and (self.step != 1 or self.align != "none"):
            raise UsageError(
                "step and align do not go with source, whose cadence is found: leave them out"
            )
        return self

    @model_validator(mode="after")
    def _something_to_register(self) -> Self:
        if self.register_weights is not None and self.register != "loftr":
            raise UsageError(
                f"register_weights mean nothing where register is {self.register!r}: pass loftr"
            )
        if self.register_weights is None and self.register == "loftr":
            raise UsageError(
                "register is 'loftr' without its weights: pass --register-weights FILE"
            )
        if self.register != "none" and self.mode == "score" and self.ref is None:
            raise UsageError(
                f"register is {self.register!r} without ref: it brings test frames onto a"
                " reference's"
            )
        return self

"""Options of pairing: alignment of test and reference frames in time, registration in space."""

from __future__ import annotations

import re
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import PlainValidator, model_validator

from vfiscope.errors import UsageError
from vfiscope.options.crop import Crop
from vfiscope.options.input_options import InputOptions, golden_index
from vfiscope.options.option import FileName, Option

__all__ = ["PairingOptions"]

RegisterMethod = Literal["none", "ecc", "sift", "loftr"]


def _shift_or_word(value: Any) -> str | int:
    """The value of ``align``, with shifts as int."""
    if value in ("auto", "none") or (isinstance(value, int) and not isinstance(value, bool)):
        return value  # type: ignore[no-any-return]
    if isinstance(value, str) and re.fullmatch(r"[+-]?[0-9]{1,9}", value.strip()):
        return int(value)
    raise ValueError


class PairingOptions(InputOptions):
    """How test frames get their partners, in time and in space."""

    heading: ClassVar[str] = "Pairing"

    align: Annotated[
        str | int,
        PlainValidator(_shift_or_word),
        Option(
            "In score, find the partner of each test frame (auto), pair row by row (none), or pair"
            " with the reference frame SHIFT later (+3, -17).",
            "auto, none, or a shift in frames such as +3 or -17",
            "auto|none|SHIFT",
        ),
    ] = "none"
    """The reference frame that a test frame is scored against: "none", the one of the same row; a
    number, the one that many frames later; "auto", the one found by aligning the frames."""
    comparison: Annotated[
        str,
        Option(
            "What frames are compared with, by name; auto follows the other options.",
            "a name",
            "NAME",
            names="comparison",
        ),
    ] = "auto"
    """A name in :data:`vfiscope.comparisons.COMPARISONS`, to which packages may add; "auto" follows
    from the other options."""
    register: Annotated[
        RegisterMethod,
        Option(
            "Register each test frame to its partner first: ecc for small motions, sift, or loftr"
            " with weights."
        ),
    ] = "none"
    register_weights: Annotated[
        FileName | None,
        Option("Weights of LoFTR, for --register loftr.", metavar="FILE", file=True),
    ] = None

    crop_ref: Annotated[
        Crop,
        Option(
            "The box of the reference, source or golden image, where it is another than that of"
            " --crop.",
            "X,Y,W,H, or bars",
            "X,Y,W,H|bars",
        ),
    ] = None

    @model_validator(mode="after")
    def _something_to_crop(self) -> Self:
        if self.crop_ref is None or self.ref is not None or self.source is not None:
            return self
        if self.golden is None or golden_index(self.golden) is not None:
            raise UsageError(
                f"crop_ref is {self.crop_ref!r} without a reference, source or golden image: pass"
                " it as crop"
            )
        return self

    @model_validator(mode="after")
    def _something_to_align(self) -> Self:
        if self.align == "none":
            return self
        if self.independent:
            raise UsageError(
                f"align is {self.align!r}, but independent images are in no order: leave it out"
            )
        if self.mode == "score" and self.ref is None and self.source is None:
            raise UsageError(
                f"align is {self.align!r} without ref, which it aligns with: add --ref"
            )
        if self.source is None and self.mode != "score":
            raise UsageError(
                f"align is {self.align!r}, but {self.mode} does not align in time: leave it out, or"
                f" use vfiscope score TEST --ref REF --align {self.align}"
            )
        return self

    @model_validator(mode="after")
    def _one_shift(self) -> Self:
        shifted = isinstance(self.align, int) and self.align != 0
        if shifted and (self.step != 1 or self.start is not None):
            raise UsageError(
                f"align is {self.align}, but start or step also shift frames: pass --align auto"
            )
        if self.source is not None and (self.step != 1 or self.align != "none"):
            raise UsageError(
                "step and align do not go with source, whose cadence is detected: leave them out"
            )
        return self

    @model_validator(mode="after")
    def _something_to_register(self) -> Self:
        if self.register_weights is not None and self.register != "loftr":
            raise UsageError(
                f"register_weights have no effect with register {self.register!r}: use loftr"
            )
        if self.register_weights is None and self.register == "loftr":
            raise UsageError(
                "register is 'loftr' without its weights: pass --register-weights FILE"
            )
        if self.register != "none" and self.mode == "score" and self.ref is None:
            raise UsageError(
                f"register is {self.register!r} without ref, which it registers to: add --ref"
            )
        return self

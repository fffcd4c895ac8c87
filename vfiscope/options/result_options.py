"""Options of the result: its file, its rules, and what happens to an earlier result."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import AfterValidator

from vfiscope.options.computing_options import ComputingOptions
from vfiscope.options.option import FileName, Option, Texts

__all__ = ["ResultOptions"]


def _hdf5(name: str | None) -> str | None:
    if name is not None and not name.endswith((".h5", ".hdf5")):
        raise ValueError("pass a name that ends in .h5")
    return name


class ResultOptions(ComputingOptions):
    """Where the result goes and how it is judged."""

    heading: ClassVar[str] = "Result"

    out: Annotated[
        FileName | None,
        AfterValidator(_hdf5),
        Option(
            "Result file; by default TEST.h5 in the current folder.",
            metavar="FILE.h5",
            short="-o",
            file=True,
            stored=False,
        ),
    ] = None
    flag: Annotated[
        Texts,
        Option(
            'Flag segments that meet a rule such as "ssim < 0.9 for 3 frames" or "sharpness < 0.5 *'
            ' median for 2 s".',
            metavar="RULE",
            identifies=False,
        ),
    ] = ()
    fail_on: Annotated[
        Texts,
        Option(
            'Exit with 1 if a rule such as "mean(psnr) < 35" or "any(freeze) for 1 s" is met; write'
            ' "psnr of all", "of passed" or "of synthesised" to choose frames where their roles are'
            " known.",
            metavar="RULE",
            stored=False,
        ),
    ] = ()
    overwrite: Annotated[bool, Option("Replace a result that exists.", stored=False)] = False
    timing: Annotated[
        bool,
        Option(
            "Print where the time went, stage by stage, with --quiet too; every run stores it.",
            stored=False,
        ),
    ] = False
    resume: Annotated[bool, Option("Continue unfinished work, or discard it.", stored=False)] = True

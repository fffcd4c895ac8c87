"""Options of the result: its file, the rules about it, and what becomes of an earlier one."""

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
            "Result file; TEST.h5 in this folder where absent.",
            metavar="FILE.h5",
            short="-o",
            file=True,
            stored=False,
        ),
    ] = None
    flag: Annotated[
        Texts,
        Option('Flag segments, as "ssim < 0.9 for 3 frames".', metavar="RULE", identifies=False),
    ] = ()
    fail_on: Annotated[
        Texts,
        Option(
            'Exit with 1 if met, as "mean(psnr) < 35"; "psnr of all", "of passed" or "of'
            " synthesised\" frames where these are told apart, else the headline's.",
            metavar="RULE",
            stored=False,
        ),
    ] = ()
    overwrite: Annotated[bool, Option("Replace a result that exists.", stored=False)] = False
    resume: Annotated[bool, Option("Go on with unfinished work, or discard it.", stored=False)] = (
        True
    )

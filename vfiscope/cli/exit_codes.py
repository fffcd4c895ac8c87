"""The exit codes of ``vfiscope``, and which of them a run gets."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from vfiscope.store import Run

from vfiscope.cli.entry import INTERRUPTED
from vfiscope.cli.terminal import say_error

__all__ = [
    "FAILED_ON",
    "FAULT",
    "INTERRUPTED",
    "OK",
    "PARTIAL",
    "TERMINATED",
    "UNUSABLE",
    "exit_code",
    "judged",
]

OK, FAILED_ON, UNUSABLE, PARTIAL, FAULT, TERMINATED = 0, 1, 2, 3, 70, 143


def judged(result: Run, rules: Iterable[str]) -> dict[str, Any]:
    """The summary of a run, with the rules that it fails on and the values that met them."""
    from vfiscope.segments import failures

    failed = failures(rules, result)
    if "regions" in result.stages:
        from vfiscope.views.region_summary import summary_with_changes

        summary = summary_with_changes(result)
    else:  # what seeks them is not even imported
        summary = {**result.summary(), "changes": None}
    return {**summary, "failed_on": list(failed), "failures": failed}


def exit_code(summary: dict[str, Any], otherwise: int) -> int:
    """The exit code of a run; prints each rule that it failed on."""
    for rule, failure in summary["failures"].items():
        say_error(f"failed on {rule!r}: {failure}")
    return FAILED_ON if summary["failures"] else otherwise

"""Flagging a finished run again from its stored scores, decoding nothing."""

from __future__ import annotations

import os
from collections.abc import Sequence

from vfiscope.segments.detect import flag
from vfiscope.store import Run, rewrite_segments

__all__ = ["reflag", "reflag_if_rules_differ"]


def reflag(path: str | os.PathLike[str], rules: Sequence[str] | None = None) -> None:
    """Replace the segments of a run by those that its scores give now.

    Args:
        path: a finished run.
        rules: the user's rules besides the default one; None for those that the run was made with.

    Raises:
        UsageError: a rule cannot be read, or is about a metric or frames that the run does not
            hold.
        StoreError: there is no readable run, or it cannot be rewritten.
    """
    with Run(path) as run:
        chosen = run.config.get("flag", ()) if rules is None else rules
        segments = flag(run.frames, run.scores, run.specs, chosen, run.signals)
    rewrite_segments(path, segments, chosen)


def reflag_if_rules_differ(path: str | os.PathLike[str], rules: Sequence[str]) -> bool:
    """Flag again, unless these rules made the segments that the run holds; whether it was needed.

    Raises:
        as :func:`reflag`.
    """
    with Run(path) as run:
        kept = list(run.rules) == list(rules)
    if not kept:
        reflag(path, rules)
    return not kept

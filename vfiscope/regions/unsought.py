"""Why a run holds no answer about any pair."""

from __future__ import annotations

from vfiscope.store import Run
from vfiscope.types import Code, Note

__all__ = ["why_no_answer"]


def why_no_answer(run: Run) -> Note:
    """Why a run without answers has none, with the remedy."""
    made = run.stages.get("regions")
    if made is None or made.parameters.get("method") == "none":
        return Note(Code.REGIONS_NOT_SOUGHT, {"run": str(run.path)})
    frames = made.parameters.get("frames")
    unless_all = run.mode == "score" and made.parameters.get("normal") is None
    flagged = frames == "flagged" or (frames == "auto" and unless_all)
    if flagged and not run.segments:
        return Note(Code.REGIONS_OF_NO_FLAGGED_FRAME, {"run": str(run.path)})
    return Note(Code.REGIONS_OF_NO_PAIR)

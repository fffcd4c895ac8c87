"""Why a run holds no answer about any pair."""

from __future__ import annotations

from vfiscope.store import Run
from vfiscope.types import Code, Note

__all__ = ["are_awaited", "why_no_answer"]


def are_awaited(run: Run) -> bool:
    """True if regions were asked for with the scores, and the run ended before they were sought."""
    return "regions" not in run.stages and _asked(run) != "none"


def _asked(run: Run) -> str:
    """The method that the run was made with."""
    if "regions" not in run.config:  # of a version without them
        return "none"
    return str(run.config["regions"] or ("auto" if run.mode == "compare" else "none"))


def why_no_answer(run: Run) -> Note:
    """Why a run without answers has none, with the remedy."""
    if are_awaited(run):
        return Note(Code.REGIONS_AWAITED, {"run": str(run.path), "method": _asked(run)})
    made = run.stages.get("regions")
    if made is None or made.parameters.get("method") == "none":
        return Note(Code.REGIONS_NOT_SOUGHT, {"run": str(run.path)})
    frames = made.parameters.get("frames")
    unless_all = run.mode == "score" and made.parameters.get("normal") is None
    flagged = frames == "flagged" or (frames == "auto" and unless_all)
    if flagged and not run.segments:
        return Note(Code.REGIONS_OF_NO_FLAGGED_FRAME, {"run": str(run.path)})
    return Note(Code.REGIONS_OF_NO_PAIR)

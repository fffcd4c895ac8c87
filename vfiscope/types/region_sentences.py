"""The sentences about the regions of a run."""

from __future__ import annotations

from vfiscope.types.notes import Code, Template

__all__ = ["OF_REGIONS"]

OF_REGIONS: dict[Code, Template] = {
    Code.MASKS_OF_MAP: "masks of the map, where SAM 2 missed what changed: {count} of {regions}",
    Code.REPORT_OF_OTHER_METHOD: (
        "the reports have the form of {schema}, but their regions are those of the method {method}:"
        " vfiscope regions {run} --method {own} seeks those of that system"
    ),
    Code.REGIONS_NOT_SOUGHT: "no regions were sought: run vfiscope regions {run} --method auto",
    Code.REGIONS_AWAITED: (
        "regions were asked for and not sought yet: run the same command again, or vfiscope regions"
        " {run} --method {method}"
    ),
    Code.REGIONS_OF_NO_FLAGGED_FRAME: (
        "no regions: no frame is flagged, and only those are looked at: run vfiscope regions {run}"
        " --frames all"
    ),
    Code.REGIONS_OF_MORE_FRAMES: (
        "frames {frames}: {count} of them were never looked at, so regions are sought in them and"
        " again in those that were"
    ),
    Code.REGIONS_OF_NO_PAIR: "no regions: no frame has a readable partner to compare it with",
    Code.REGIONS_FAILED: (
        "no regions: {error} (the scores are kept: vfiscope regions {path} --method METHOD, or the"
        " same command again without --overwrite, seeks regions alone)"
    ),
    Code.REGIONS_OF_OTHER_FRAMES: (
        "the regions of {path} are of the frames that were flagged before: vfiscope regions {path}"
        " --method {method} seeks them again"
    ),
}

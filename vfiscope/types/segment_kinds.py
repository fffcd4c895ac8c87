"""The kinds of segments: what each says, and which are faults."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["EDITS", "FAULTS", "INFORMATION", "SEGMENT_KINDS", "is_fault"]

FAULTS: Mapping[str, str] = {
    "duplicate": "a frame repeats the one before it",
    "freeze": "several frames in a row repeat the one before them",
    "drop": "instants are missing before the frame",
    "flicker": "the brightness or colour alternates",
    "exposure": "the brightness or colour steps and stays",
    "overexposed": "a photo is brighter than those before and after it",
    "underexposed": "a photo is darker than those before and after it",
    "ghosting": "two instants are blended",
    "tearing": "bands of the frame show different instants",
    "blur": "the frame is less sharp than those around it",
    "warp": "the local geometry is broken",
    "corruption": "blocks are damaged, or the decoder reports damage",
    "shift": "the camera was bumped",
    "change": "the content differs from the reference for a time, or something appears or is gone",
    "low_score": "a rule of the user is met, or a score is clearly worse than the clip's own level",
}
"""{kind: what it says}"""
EDITS: Mapping[str, str] = {
    "cut": "the frames before and after are unrelated",
    "fade": "the content fades out, in, or both",
}
"""The same for what an editor did: no fault by itself, and a place where interpolation has nothing
to go by."""
INFORMATION: Mapping[str, str] = {
    "black": "the frame is black",
    "flash": "the frame is brighter for a moment, as of a lamp",
    "static": "nothing moves, and nothing should",
    "cadence": "frames repeat in a regular pattern",
    "gap": "no photo was taken for several usual steps, as over night",
    "growth": "a colour takes more and more of the photos",
}
"""The same for kinds that say something about the material and are no faults."""
SEGMENT_KINDS: Mapping[str, str] = {**FAULTS, **EDITS, **INFORMATION}
"""All kinds that vfiscope flags; detectors of other packages may name others."""


def is_fault(kind: str) -> bool:
    """True unless the kind is information or an edit; a kind of another package is a fault."""
    return kind not in INFORMATION and kind not in EDITS

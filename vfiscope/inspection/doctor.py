"""Diagnosis of media: what is unusual about one, and what will make the scores of a pair wrong.
Does not import torch.

A medium is examined frame by frame (:mod:`.examine`), checks yield notes about it
(:mod:`.medium_checks`, :mod:`.pair_checks`), and a table explains each of them (:mod:`.findings`).
"""

from __future__ import annotations

import itertools
from dataclasses import asdict, dataclass
from typing import Any

from vfiscope.inspection.examine import Examination, Timing, examine
from vfiscope.inspection.findings import SEVERITIES, Finding
from vfiscope.inspection.medium_checks import check_medium
from vfiscope.inspection.pair_checks import check_pair, check_place

__all__ = ["Diagnosis", "Finding", "diagnose"]


@dataclass(frozen=True)
class Diagnosis:
    """Every finding about a medium or a pair, errors first."""

    media: dict[str, Examination]
    """{"test": ..., "ref": ...}"""
    findings: tuple[Finding, ...]

    @property
    def damaged(self) -> bool:
        """True if pixels are damaged or missing."""
        return any(finding.severity == "error" for finding in self.findings)

    def to_dict(self) -> dict[str, Any]:
        """The diagnosis as JSON-able values."""
        return {
            "status": "damaged" if self.damaged else "ok",
            "media": {role: _facts(found) for role, found in self.media.items()},
            "findings": [finding.to_dict() for finding in self.findings],
        }


def diagnose(path: str, ref: str | None = None) -> Diagnosis:
    """Read every frame of a medium, and of its reference if there is one, and find what is unusual.

    Raises:
        SourceError: one of them cannot be opened at all.
    """
    media = {"test": examine(path)} if ref is None else {"test": examine(path), "ref": examine(ref)}
    findings = [
        Finding(note, role) for role, found in media.items() for note in check_medium(found)
    ]
    if ref is not None:
        notes = [*check_pair(media["test"], media["ref"]), *check_place(path, ref)]
        findings += [Finding(note, "pair") for note in notes]
    findings.sort(key=lambda finding: SEVERITIES.index(finding.severity))
    return Diagnosis(media, tuple(findings))


def _facts(found: Examination) -> dict[str, Any]:
    info, timing = found.info, found.timing
    return {
        "path": info.path,
        "kind": info.kind,
        "container": found.container,
        "decoder": info.decoder,
        "width": info.width,
        "height": info.height,
        "frames_claimed": info.frames_expected,
        "frames": found.frames,
        "frames_skipped": found.skipped,
        "frames_corrupt": found.corrupt,
        "undecodable": found.undecodable,
        "formats": dict(found.formats),
        "sizes": {f"{width}x{height}": count for (height, width), count in found.sizes.items()},
        "colors": dict(found.colors),
        "color": dict(info.color),
        "rate": None if info.rate is None else float(info.rate),
        "timing": None if timing is None else {**asdict(timing), "intervals": _first(timing)},
    }


def _first(timing: Timing) -> dict[str, int]:
    return {
        f"{seconds:.6g}": count for seconds, count in itertools.islice(timing.intervals.items(), 16)
    }

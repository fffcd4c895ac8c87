"""Detectors of segments: one file each, and the table of them.

A detector of another package is added by a module of it (see :mod:`vfiscope.registry`)::

    from vfiscope.segments.detectors import DETECTORS, Detector

    DETECTORS.add("dim", Detector("dim", ["luma_mean"], detect))
"""

from __future__ import annotations

from vfiscope.registry import Registry
from vfiscope.segments.detectors import cut, low_score
from vfiscope.segments.detectors.detector import Columns, Detector

__all__ = ["DETECTORS", "Columns", "Detector"]

DETECTORS: Registry[Detector] = Registry("detector")
"""All detectors, in the order in which they are asked."""
for _detector in (
    Detector("low_score", (), low_score.detect),
    Detector("cut", ("cut",), cut.detect),
):
    DETECTORS.add(_detector.name, _detector)

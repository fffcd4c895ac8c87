"""Segment detectors, one file each, and the table of them.

Another package adds a detector from one of its modules (see :mod:`vfiscope.registry`)::

    from vfiscope.segments.detectors import DETECTORS, Detector

    DETECTORS.add("dim", Detector("dim", ["luma_mean"], detect))
"""

from __future__ import annotations

from vfiscope.options.computing_options import LEVEL_METRICS
from vfiscope.registry import Registry
from vfiscope.segments.detectors import (
    regular,
    change,
    cut,
    duplicate,
    exposure,
    flicker,
    low_score,
    odd_exposure,
    slip,
)
from vfiscope.segments.detectors.detector import Columns, Detector
from vfiscope.segments.detectors.repeats import REPEAT_SIGNALS

__all__ = ["DETECTORS", "Columns", "Detector"]

DETECTORS: Registry[Detector] = Registry("detector")
"""All detectors, in the order in which they run."""
for _detector in (
    Detector("low_score", (), low_score.detect),
    Detector("cut", ("cut",), cut.detect),
    Detector("change", ("changed_area",), change.detect),
    Detector("exposure", exposure.LIGHT_SIGNALS, exposure.detect),
    Detector("odd_exposure", ("luma_mean",), odd_exposure.detect),
    Detector("slip", (), slip.detect),
    Detector("cadence", REPEAT_SIGNALS, regular.detect),
    Detector("duplicate", REPEAT_SIGNALS, duplicate.detect),
    Detector("flicker", LEVEL_METRICS, flicker.detect),
):
    DETECTORS.add(_detector.name, _detector)

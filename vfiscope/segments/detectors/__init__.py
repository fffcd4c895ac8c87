"""Segment detectors, one file each, and the table of them.

Another package adds a detector from one of its modules (see :mod:`vfiscope.registry`)::

    from vfiscope.segments.detectors import DETECTORS, Detector

    DETECTORS.add("dim", Detector("dim", ["luma_mean"], detect))
"""

from __future__ import annotations

from vfiscope.options.computing_options import LEVEL_METRICS
from vfiscope.registry import Registry
from vfiscope.segments.detectors import (
    blur,
    change,
    corruption,
    cut,
    exposure,
    flicker,
    ghosting,
    low_score,
    odd_exposure,
    shift,
    slip,
    tearing,
    warp,
)
from vfiscope.segments.detectors.detector import Columns, Detector

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
    Detector("flicker", LEVEL_METRICS, flicker.detect),
    Detector("blur", blur.BLUR_SIGNALS, blur.detect),
    Detector("corruption", corruption.DAMAGE_SIGNALS, corruption.detect),
    Detector("ghosting", ghosting.GHOSTING_SIGNALS, ghosting.detect),
    Detector("shift", shift.SHIFT_SIGNALS, shift.detect),
    Detector("tearing", tearing.TEAR_SIGNALS, tearing.detect),
    Detector("warp", warp.WARP_SIGNALS, warp.detect),
):
    DETECTORS.add(_detector.name, _detector)

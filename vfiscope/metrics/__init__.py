"""What can be computed from pairs: one table of scores, one of maps, one of vector fields.

To add a metric, write one function and one :class:`~vfiscope.types.MetricSpec` beside it, and put both into the
``METRICS`` or ``MAPS`` of its module.
"""

from __future__ import annotations

from vfiscope.metrics import dense, gmsd, moving, pixel, ssim, temporal, vfi
from vfiscope.metrics.base import FieldMetric, Metric

__all__ = ["FIELDS", "MAPS", "METRICS", "FieldMetric", "Metric"]

_MODULES = (pixel, ssim, gmsd, vfi, dense, moving, temporal)

METRICS: dict[str, Metric] = {m.spec.name: m for module in _MODULES for m in module.METRICS}
"""{name: metric} of scores, (N,) float32."""

MAPS: dict[str, Metric] = {m.spec.name: m for m in pixel.MAPS + ssim.MAPS + dense.MAPS + temporal.MAPS}
"""{name: metric} of maps, (N, h, w) float32."""

FIELDS: dict[str, FieldMetric] = {f.spec.name: f for f in dense.FIELDS}
"""{name: field} of vector fields, (N, 2, h, w) float32."""

"""What can be computed from pairs: one table of scores, one of maps, one of vector fields.

To add a metric, write one function and one :class:`~vfiscope.types.MetricSpec` beside it, and put
both into the ``METRICS`` or ``MAPS`` of its module.
"""

from __future__ import annotations

from vfiscope.metrics import gmsd, patches, pixel, ssim, vfi
from vfiscope.metrics.interpolation import between_frames, motion_weighted
from vfiscope.metrics.metric import FieldMetric, Metric

__all__ = ["FIELDS", "MAPS", "METRICS", "FieldMetric", "Metric"]

_MODULES = (pixel, ssim, gmsd, vfi, patches, motion_weighted, between_frames)

METRICS: dict[str, Metric] = {m.spec.name: m for module in _MODULES for m in module.METRICS}
"""{name: metric} of scores, (N,) float32."""

MAPS: dict[str, Metric] = {
    m.spec.name: m for m in pixel.MAPS + ssim.MAPS + patches.MAPS + between_frames.MAPS
}
"""{name: metric} of maps, (N, h, w) float32."""

FIELDS: dict[str, FieldMetric] = {f.spec.name: f for f in patches.FIELDS}
"""{name: field} of vector fields, (N, 2, h, w) float32."""

"""Metrics of frame pairs: one table of scores, one of maps, one of vector fields.

To add a metric, write one function and one :class:`~vfiscope.types.MetricSpec` beside it, and put
both into the ``METRICS`` or ``MAPS`` of its module. A package adds one of its own to a table with
:meth:`~vfiscope.registry.Registry.add`.

Most pixel metrics are implemented twice. On the CPU frames are numpy arrays, and compiled loops
(:mod:`vfiscope.metrics.kernels`) compare them several times faster than tensor operations would,
with the same result on any number of threads, and without torch, whose import alone takes seconds
and hundreds of megabytes. On a device frames are tensors, and tensor operations
(:mod:`vfiscope.metrics.tensors`) compare them there, so that only scores are copied back. A metric
is still one public function and one spec: it takes arrays or tensors and returns the same kind; one
test checks that both implementations of every metric agree. Embeddings are always tensors, as a
network makes them. Metrics that need neighbours (optical flow) are computed on the CPU only.
"""

from __future__ import annotations

from vfiscope.metrics import gmsd, level, patches, pixel, ssim, vfi
from vfiscope.metrics.interpolation import between_frames, motion_weighted
from vfiscope.metrics.metric import FieldMetric, Metric
from vfiscope.registry import Registry

__all__ = ["FIELDS", "MAPS", "METRICS", "FieldMetric", "Metric"]

METRICS: Registry[Metric] = Registry("metric")
"""{name: metric} of scores, (N,) float32."""
MAPS: Registry[Metric] = Registry("map")
"""{name: metric} of maps, (N, h, w) float32."""
FIELDS: Registry[FieldMetric] = Registry("field")
"""{name: field} of vector fields, (N, 2, h, w) float32."""

for _module in (pixel, ssim, gmsd, vfi, patches, motion_weighted, between_frames, level):
    for _metric in _module.METRICS:
        METRICS.add(_metric.spec.name, _metric)
for _map in (*pixel.MAPS, *ssim.MAPS, *patches.MAPS, *between_frames.MAPS):
    MAPS.add(_map.spec.name, _map)
for _field in patches.FIELDS:
    FIELDS.add(_field.spec.name, _field)

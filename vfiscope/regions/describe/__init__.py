"""From a proposal to a region: where, how much, what changed, of which kind, how severe."""

from __future__ import annotations

from vfiscope.regions.describe.region_of import describe

__all__ = ["describe"]

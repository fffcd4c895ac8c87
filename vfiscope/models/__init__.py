"""Weights of networks: the catalog, their place on disk, reading their files, and the devices that
they run on.

Importing this does not import torch; loading weights does.
"""

from vfiscope.models.catalog import AUTO_ORDER, CATALOG, Entry
from vfiscope.models.checkpoints import cached_weights, fetch_weights
from vfiscope.models.device import resolve_device

__all__ = ["AUTO_ORDER", "CATALOG", "Entry", "cached_weights", "fetch_weights", "resolve_device"]

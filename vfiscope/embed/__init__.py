"""Embedders: frames into vectors. Importing this imports no torch; opening an embedder does."""

from vfiscope.embed.base import Embedder
from vfiscope.embed.catalog import AUTO_ORDER, CATALOG, Entry
from vfiscope.embed.checkpoints import cached_weights, fetch_weights
from vfiscope.embed.device import resolve_device
from vfiscope.embed.registry import EMBEDDERS, check, choose, open_embedder

__all__ = [
    "AUTO_ORDER",
    "CATALOG",
    "EMBEDDERS",
    "Embedder",
    "Entry",
    "cached_weights",
    "check",
    "choose",
    "fetch_weights",
    "open_embedder",
    "resolve_device",
]

"""Embedders: frames into vectors. Importing this imports no torch; opening an embedder does."""

from vfiscope.embedders.embedder import Embedder
from vfiscope.embedders.identity import Identity
from vfiscope.embedders.kinds import (
    EMBEDDERS,
    check,
    choose,
    identify,
    list_embedders,
    open_embedder,
)

__all__ = [
    "EMBEDDERS",
    "Embedder",
    "Identity",
    "check",
    "choose",
    "identify",
    "list_embedders",
    "open_embedder",
]

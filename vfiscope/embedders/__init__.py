"""Embedders turn frames into vectors. Importing this does not import torch; opening one does."""

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

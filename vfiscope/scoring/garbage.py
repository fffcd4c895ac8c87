"""Python's search for garbage while a run scores."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["old_objects_spared"]

OWN_OF_PYTHON = 1000
"""Objects up to which Python itself may have frozen some at its start."""


@contextmanager
def old_objects_spared() -> Iterator[None]:
    """Leave what exists already out of the search for reference cycles, until this ends.

    The modules of numpy, numba and others are hundreds of thousands of objects, which are looked
    through again and again while each frame makes some more. A program that froze objects itself is
    left as it is; Python 3.12 freezes some hundred itself.
    """
    if gc.get_freeze_count() > OWN_OF_PYTHON:
        yield
        return
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()

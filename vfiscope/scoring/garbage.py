"""Python's search for garbage while a run scores."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["old_objects_spared"]


@contextmanager
def old_objects_spared() -> Iterator[None]:
    """Leave what exists already out of the search for reference cycles, until this ends.

    The modules of numpy, numba and others are hundreds of thousands of objects, which are looked
    through again and again while each frame makes some more: a thirtieth of the time of a scan. A
    program that froze objects itself is left as it is.
    """
    if gc.get_freeze_count():
        yield
        return
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()

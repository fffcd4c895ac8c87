"""The image file of each frame: ``/frames/name``, in results whose test is a set of images."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import h5py

from vfiscope.printable import printable

__all__ = ["read_names", "write_names"]


def write_names(h5: Any, names: Sequence[str]) -> None:
    """Store a name for every frame; bytes that are not UTF-8 are written as ``\\udcXX``."""
    texts = [name.encode("utf-8", "backslashreplace").decode() for name in names]
    h5["frames"].create_dataset("name", data=texts, dtype=h5py.string_dtype("utf-8"))


def read_names(h5: Any) -> tuple[str, ...]:
    """The name of every frame, made printable; none where the test was a video or an array."""
    if "name" not in h5["frames"]:
        return ()
    return tuple(printable(name) for name in h5["frames"]["name"].asstr()[()].tolist())

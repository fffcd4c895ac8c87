"""A memory bank in a HDF5 file: attributes and two arrays, no pickled objects."""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass
from json import dumps
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from pydantic import TypeAdapter

from vfiscope.embedders import Identity
from vfiscope.errors import StoreError
from vfiscope.files import replacing
from vfiscope.store.claims import stored_bytes
from vfiscope.store.lazy_array import reading
from vfiscope.store.members import attribute
from vfiscope.store.opening import opened
from vfiscope.store.text import check_texts
from vfiscope.store.validate import is_plain
from vfiscope.types import Float32

__all__ = ["NormalData", "is_bank", "read_normal", "write_normal"]

BANK_FORMAT = "vfiscope-normal"
BANK_VERSION = 1
ARRAYS = {"patches": 2, "maxima": 1}
"""{name: axes}"""
MAX_TEXT = 2**16
"""Characters of a text in the file."""
UNIT_TOLERANCE = 1e-3
"""By which the squared length of a vector may differ from 1."""
IDENTITY: TypeAdapter[Identity] = TypeAdapter(Identity)


@dataclass(frozen=True, eq=False)
class NormalData:
    """What is stored of normal frames."""

    patches: Float32
    """(M, D + 1) unit vectors, as :func:`vfiscope.metrics.tensors.patch_tensors.unit` makes them
    of vectors of length D."""
    maxima: Float32
    """(n,) the largest distance of each of the n normal frames to the patches of the others; cosine
    distance, 0..2."""
    identity: Identity
    """Of the embedder."""
    size: tuple[int, int]
    """(height, width) of the normal frames."""
    source: str
    """The path that they were read from."""


def write_normal(data: NormalData, path: str | os.PathLike[str], *, overwrite: bool) -> None:
    """Write a bank; after an error an older file is untouched.

    Raises:
        StoreError: it cannot be written, or exists and ``overwrite`` is False.
    """
    check_texts("the source of the normal frames", [data.source])
    with (
        replacing(Path(path), overwrite=overwrite) as temporary,
        h5py.File(temporary, "w", libver="v110") as h5,
    ):
        h5.attrs["format"] = BANK_FORMAT
        h5.attrs["format_version"] = BANK_VERSION
        h5.attrs["embedder"] = dumps(asdict(data.identity))
        h5.attrs["source"] = data.source
        h5.attrs["frame_height"], h5.attrs["frame_width"] = data.size
        for name in ARRAYS:
            h5.create_dataset(name, data=getattr(data, name).astype("<f4"))


def is_bank(path: str | os.PathLike[str]) -> bool:
    """True for a HDF5 file that says it is a memory bank.

    Raises:
        StoreError: it is no HDF5 file, or damaged.
    """
    with opened(Path(path)) as h5, reading(Path(path), "the head"):
        return _text(h5, "format", "") == BANK_FORMAT


def read_normal(path: str | os.PathLike[str]) -> NormalData:
    """Read a bank that may come from anybody.

    Raises:
        StoreError: the file is none, is newer, is damaged, or would make HDF5 open other files or
            exhaust the memory.
    """
    path = Path(path)
    with opened(path) as h5, reading(path, "the memory bank"):
        if _text(h5, "format", "") != BANK_FORMAT:
            raise StoreError(f"{path} is not a memory bank: name one that was saved by vfiscope")
        version = int(attribute(h5.attrs, "format_version"))
        if version > BANK_VERSION:
            raise StoreError(
                f"{path} has format version {version} and this vfiscope reads up to"
                f" {BANK_VERSION}: upgrade vfiscope"
            )
        identity = IDENTITY.validate_json(_text(h5, "embedder"), strict=True)
        size = int(attribute(h5.attrs, "frame_height")), int(attribute(h5.attrs, "frame_width"))
        patches, maxima = (_array(path, h5, *each) for each in ARRAYS.items())
        source = _text(h5, "source")
    data = NormalData(patches, maxima, identity, size, source)
    _check_numbers(path, data)
    return data


def _check_numbers(path: Path, data: NormalData) -> None:
    """Refuse contradictory or meaningless numbers."""
    patches, maxima, identity = data.patches, data.maxima, data.identity
    if min(data.size) < 1 or not len(maxima) or not len(patches):
        raise StoreError(f"{path} holds no frames or patches: build it again")
    if patches.shape[1] != identity.dim + 1:
        raise StoreError(
            f"{path} holds vectors of {patches.shape[1] - 1} numbers, and its embedder makes"
            f" {identity.dim}: it is damaged, build it again"
        )
    lengths = np.einsum("md,md->m", patches, patches)
    if not (np.abs(lengths - 1) < UNIT_TOLERANCE).all():
        raise StoreError(f"{path} holds vectors of another length than 1: build it again")
    if not ((maxima >= 0) & (maxima <= 2 + UNIT_TOLERANCE)).all():
        raise StoreError(f"{path} holds distances outside of 0..2: build it again")


def _text(h5: Any, name: str, missing: str | None = None) -> str:
    if missing is not None and name not in h5.attrs:
        return missing
    value = attribute(h5.attrs, name)
    if not isinstance(value, str) or len(value) > MAX_TEXT:
        raise ValueError(f"{name} is not a text")
    return value


def _array(path: Path, h5: Any, name: str, axes: int) -> Float32:
    """A float32 array that lies in the file itself."""
    linked = not isinstance(h5.get(name, getlink=True), h5py.HardLink)
    dataset = None if linked else h5[name]
    if not isinstance(dataset, h5py.Dataset) or not is_plain(dataset):
        raise StoreError(f"{path}: /{name} is not stored in the file itself: do not trust it")
    if dataset.dtype != np.dtype("<f4") or dataset.ndim != axes:
        raise StoreError(
            f"{path}: /{name} is {dataset.dtype} of shape {dataset.shape}: build it again"
        )
    try:
        stored_bytes(dataset)
    except ValueError as error:
        raise StoreError(f"{path}: /{name} {error}: do not trust it") from error
    return np.asarray(dataset[()], np.float32)

"""Whether a file holds the data that its datasets claim: a few bytes may claim terabytes.

Only sizes are read, never the data, so that a large result opens at once.
"""

from __future__ import annotations

import math
from typing import Any

import h5py
import numpy as np

__all__ = ["stored_bytes", "text_bytes"]

DEFLATE_RATIO = 1032
"""Greatest of zlib, see https://zlib.net/zlib_tech.html."""
FILTER_BYTES = 64
"""More than filters add to a chunk that they cannot make smaller."""
MAX_CHUNK_BYTES = 2**31
"""Of an unpacked chunk, which is read whole."""
TEXT_REF_BYTES = 16
"""Of a reference to a text: its length (4 bytes), the address of its heap (8), its place there."""
SLAB_BYTES = 2**26
"""Of texts that are read at once, if all of them were as long as the file."""
MAX_SLAB = 4096


def stored_bytes(dataset: Any) -> int:
    """Bytes that the data of a dataset take in the file.

    Raises:
        ValueError: there are too few for the size that the dataset claims, or too many.
    """
    if dataset.chunks is None:
        stored, meant = int(dataset.id.get_storage_size()), dataset.size * _item_bytes(dataset)
        if stored != meant:
            raise ValueError(f"claims {meant} bytes and holds {stored}")
        return stored
    found: list[Any] = []
    dataset.id.chunk_iter(found.append)
    meant = math.prod(
        -(-side // chunk) for side, chunk in zip(dataset.shape, dataset.chunks, strict=True)
    )
    if len(found) != meant:
        raise ValueError(f"claims {meant} chunks and holds {len(found)}")
    whole = math.prod(dataset.chunks) * _item_bytes(dataset)
    least, most = whole // DEFLATE_RATIO, whole + whole // 100 + FILTER_BYTES
    sizes = [int(chunk.size) for chunk in found]
    if whole > MAX_CHUNK_BYTES or any(not least <= size <= most for size in sizes):
        raise ValueError(f"claims chunks of {whole} bytes, which the file cannot hold")
    return sum(sizes)


def text_bytes(dataset: Any, file: Any) -> int:
    """Bytes of all texts of a dataset, which the file may hold once and refer to many times.

    Args:
        dataset: (n,) texts.
        file: the file object below it.
    """
    count, offset = dataset.shape[0], dataset.id.get_offset()
    if offset is not None:
        file.seek(offset)
        refs = np.frombuffer(file.read(TEXT_REF_BYTES * count), "<u4")
        return int(refs[:: TEXT_REF_BYTES // 4].sum(dtype=np.int64))
    # Chunked, as no version of vfiscope stores texts, but h5repack may: in slabs that fit.
    step = max(1, min(MAX_SLAB, SLAB_BYTES // max(1, file.size)))
    slabs = (dataset[start : start + step] for start in range(0, count, step))
    return sum(len(text) for slab in slabs for text in slab)


def _item_bytes(dataset: Any) -> int:
    return TEXT_REF_BYTES if h5py.check_string_dtype(dataset.dtype) else dataset.dtype.itemsize

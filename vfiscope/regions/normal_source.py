"""The normal frames that a user names: images, a video, or the test frames of a run."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import repeat
from typing import Any

import numpy as np

from vfiscope.errors import UsageError
from vfiscope.files import HDF5_MARK, open_regular
from vfiscope.options import ReadOptions
from vfiscope.pixels import same_scale_codes
from vfiscope.sources import Source, open_source
from vfiscope.sources.open import open_with
from vfiscope.store import Run
from vfiscope.types import Status, Uint8

__all__ = ["FOLDS", "NormalFrames", "folds", "is_hdf5", "open_normal"]

FOLDS = 5
BLOCKS_PER_FOLD = 3
"""Blocks of frames into which a sequence is cut, in each fold."""
MAX_BLOCK = 32
"""Frames of a block at most."""


@dataclass(frozen=True, eq=False)
class NormalFrames:
    """Normal frames, read again each time that they are iterated."""

    source: Source

    def __iter__(self) -> Iterator[tuple[int, Uint8]]:
        """Fold (0..4) and pixels (H, W, 3), 8-bit RGB, of each frame that can be read.

        Neighbours in time are alike, so folds are made of blocks of frames: most frames of one have
        no neighbour in another.
        """
        fold = folds(self.source.info.frames_expected)
        for batch in self.source:
            codes = same_scale_codes(batch.interleaved, batch.bit_depth)
            for pixels, status in zip(codes, batch.status, strict=True):
                if status != Status.UNREADABLE:
                    yield next(fold), np.rint(pixels).astype(np.uint8)

    @property
    def name(self) -> str:
        """What to call them."""
        return str(self.source.info.path)


def folds(count: int | None) -> Iterator[int]:
    """The fold of each frame of a sequence, without end.

    Blocks have one length where the number of frames is known. Where it is not, they grow with what
    was dealt, so that a short sequence fills all folds too.
    """
    dealt = 0
    while True:
        block = max(1, min(MAX_BLOCK, (count or dealt) // (FOLDS * BLOCKS_PER_FOLD)))
        for fold in range(FOLDS):
            yield from repeat(fold, block)
        dealt += FOLDS * block


def open_normal(target: Any) -> NormalFrames:
    """The normal frames of a target.

    Args:
        target: a stored run, whose test frames are taken as they were read; or whatever
            :func:`vfiscope.sources.open_source` takes.

    Raises:
        SourceError: it cannot be read.
        StoreError: it is a HDF5 file, but no run that can be read.
        UsageError: the frames of the run were an array in memory.
    """
    if is_hdf5(target):
        return NormalFrames(_test_of(os.fspath(target)))
    return NormalFrames(open_source(target))


def is_hdf5(target: Any) -> bool:
    """True for the path of a HDF5 file."""
    if not isinstance(target, (str, os.PathLike)) or not os.path.isfile(target):
        return False
    try:
        with open_regular(target) as file:
            return file.read(len(HDF5_MARK)) == HDF5_MARK
    except OSError:
        return False


def _test_of(path: str) -> Source:
    """The test input of a run, read as it was scored."""
    with Run(path) as run:
        test = next(each for each in run.sources if each["role"] == "test")
        if test.get("kind") == "array":
            raise UsageError(
                f"the test frames of {path} were an array in memory, which was not kept: pass a"
                " folder or a video of normal frames"
            )
        known = set(ReadOptions.model_fields) - {"batch", "crop"}
        options = {name: run.config[name] for name in known if name in run.config}
        if test.get("crop"):
            options["crop"] = ",".join(str(value) for value in test["crop"])
        return open_with(test["path"], ReadOptions(**options), run.frame_size)

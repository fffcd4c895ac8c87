"""What normal looks like: a memory bank of the patches of many normal frames.

::

    normal = build_normal("good_parts/", Settings(embedder="dsift"))
    normal.save("good_parts.h5")
    METHODS["patchcore"](Settings(normal="good_parts.h5"))

Calibration: the frames are cut into blocks that are dealt to five folds, and each fold has a
coreset of its own; all together are the bank. Each frame is compared with the coresets of the other
folds, as a frame that the bank has not seen, and its largest distance is kept. A threshold is a
quantile of the extreme-value distribution of these maxima, never below the largest of them (see
:mod:`vfiscope.regions.extremes`): as the whole bank is at least as near, no frame that it was built
of has a region.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import numpy as np

from vfiscope.embedders import Identity
from vfiscope.errors import EmbedderError, UsageError
from vfiscope.models import CATALOG
from vfiscope.regions.coreset import Coreset
from vfiscope.regions.extremes import level_above
from vfiscope.regions.normal_file import NormalData, is_bank, read_normal, write_normal
from vfiscope.regions.normal_source import FOLDS, NormalFrames, is_hdf5, open_normal
from vfiscope.regions.patch_features import PatchFeatures, features_for
from vfiscope.regions.settings import Sensitivity, Settings

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["MOST_PATCHES", "Normal", "bank_features", "bank_of", "build_normal", "load_normal"]

MOST_PATCHES = 8192
"""Patches that a bank holds at most, unless asked for otherwise."""
LEAST_FRAMES = 2
"""Normal frames: one is compared with the other."""
OF_VECTORS = ("name", "version", "weights_digest", "patch", "dim", "size", "aspect", "precision")
"""What two embedders must have in common for their patches to be compared."""


@dataclass(frozen=True, eq=False)
class Normal(NormalData):
    """A memory bank with its calibration; see :class:`~vfiscope.regions.normal_file.NormalData`."""

    def level(self, sensitivity: Sensitivity) -> float:
        """The cosine distance above which a patch is in no normal frame."""
        return level_above(self.maxima, sensitivity)

    def distances(self, patches: Tensor) -> Tensor:
        """1 - cosine of patches (h, w, D) to the nearest of the bank, (h, w) float32, 0..2; exactly
        0 for a patch of the bank. At the border as :func:`whole_patches` tells."""
        import torch

        from vfiscope.metrics.tensors.patch_tensors import unit
        from vfiscope.regions.difference.nearest_patches import nearest

        bank = torch.from_numpy(self.patches).to(patches.device)
        apart, _ = nearest(unit(patches).flatten(0, 1), bank, 1)
        return whole_patches(apart[:, 0].reshape(patches.shape[:2]), self.identity)

    def check(self, identity: Identity) -> None:
        """Refuse another embedder than that of the bank.

        Raises:
            EmbedderError: the embedders differ.
        """
        for name in OF_VECTORS:
            then, now = getattr(self.identity, name), getattr(identity, name)
            if then != now:
                raise EmbedderError(
                    f"the normal frames of {self.source!r} were embedded by {self.identity.name}"
                    f" with {name} {then}, and now it is {identity.name} with {name} {now}: pass"
                    f" --embedder {self.identity.name} and the same weights, or build it again"
                )

    def save(self, path: str | os.PathLike[str], *, overwrite: bool = False) -> None:
        """Write the bank to a HDF5 file.

        Raises:
            StoreError: it cannot be written, or exists.
        """
        write_normal(self, path, overwrite=overwrite)


def load_normal(path: str | os.PathLike[str]) -> Normal:
    """A bank that was saved.

    Raises:
        StoreError: the file is no memory bank, is damaged, or claims what it cannot hold.
    """
    data = read_normal(path)
    return Normal(**{each.name: getattr(data, each.name) for each in fields(NormalData)})


def bank_of(settings: Settings) -> tuple[PatchFeatures, Normal]:
    """The features and the memory bank that the settings name: loaded, or built.

    With the embedder ``auto``, that of a saved bank is taken.

    Raises:
        EmbedderError: the embedder cannot be had, or is not that of the bank.
        SourceError, StoreError, UsageError: as for :func:`load_normal` and :func:`build_normal`.
    """
    embed, normal = bank_features(settings)
    return embed, build_normal(settings.normal, settings) if normal is None else normal


def bank_features(settings: Settings) -> tuple[PatchFeatures, Normal | None]:
    """The features that the settings name, and the memory bank if it was saved.

    Raises:
        EmbedderError, StoreError: as for :func:`bank_of`.
    """
    target = settings.normal
    if not is_hdf5(target) or not is_bank(str(target)):
        return features_for(settings), None
    normal = load_normal(str(target))
    name = settings.embedder
    if name == "auto" and normal.identity.name in CATALOG:
        name = normal.identity.name
    size = normal.identity.size
    embed = PatchFeatures(name, settings.weights, settings.device, size=size)
    normal.check(embed.identity)
    return embed, normal


def build_normal(
    source: Any, settings: Settings | None = None, *, most: int = MOST_PATCHES
) -> Normal:
    """The memory bank of normal frames, read twice, in memory that does not grow with their number.

    Args:
        source: a folder, glob or video, a stored run (its test frames), or whatever
            :func:`vfiscope.sources.open_source` takes.
        settings: embedder, weights and device; None takes the defaults.
        most: patches that the bank holds at most.

    Raises:
        SourceError, StoreError: the frames cannot be read.
        EmbedderError: the embedder cannot be had.
        UsageError: there are fewer than two frames, or ``most`` is below 5.
    """
    if most < FOLDS:
        raise UsageError(f"most is {most}: a bank needs {FOLDS} patches or more")
    embed = features_for(settings or Settings())
    frames = open_normal(source)
    with frames.source:
        return _built(frames, embed, most)


def _built(frames: NormalFrames, embed: PatchFeatures, most: int) -> Normal:
    """The bank of open frames."""
    import torch

    parts, count = [Coreset(most // FOLDS) for _ in range(FOLDS)], 0
    for fold, patches in _features(frames, embed):
        parts[fold].add(patches.flatten(0, 1))
        count += 1
    if count >= LEAST_FRAMES and sum(each.filled for each in parts) < LEAST_FRAMES:
        raise UsageError(
            f"{frames.name} claims {frames.source.info.frames_expected} frames and only its first"
            f" {count} can be read: pass frames that can all be read, or a folder of those {count}"
        )
    if count < LEAST_FRAMES:
        raise UsageError(
            f"{frames.name} has {count} normal frame{'' if count == 1 else 's'}: pass"
            f" {LEAST_FRAMES} or more, as a threshold comes from how they differ"
        )
    banks = {fold: each.vectors() for fold, each in enumerate(parts) if each.filled}
    maxima = [
        _largest(patches, [bank for fold, bank in banks.items() if fold != own], embed.identity)
        for own, patches in _features(frames, embed)
    ]
    return Normal(
        patches=torch.cat([*banks.values()]).cpu().numpy(),
        maxima=np.array(maxima, np.float32),
        identity=embed.identity,
        size=frames.source.size,
        source=frames.name,
    )


def _features(frames: NormalFrames, embed: PatchFeatures) -> Iterator[tuple[int, Tensor]]:
    """Fold and unit vectors (h, w, E) of each frame."""
    from vfiscope.metrics.tensors.patch_tensors import unit

    for fold, pixels in frames:
        yield fold, unit(embed(pixels))


def _largest(patches: Tensor, banks: Sequence[Tensor], identity: Identity) -> float:
    """The largest distance of unit vectors (h, w, E) to the nearest of several banks."""
    import torch

    from vfiscope.regions.difference.nearest_patches import nearest

    vectors = patches.flatten(0, 1)
    apart = torch.cat([nearest(vectors, bank, 1)[0] for bank in banks], dim=1).amin(dim=1)
    return float(whole_patches(apart.reshape(patches.shape[:2]), identity).max())


def whole_patches(cells: Tensor, identity: Identity) -> Tensor:
    """Distances (h, w) with those of the outermost patches of dense SIFT replaced by their inner
    neighbours'.

    Its descriptors look at 5 x 5 patches. Of the outermost ones nearly half lies outside of the
    frame, so they show how the border cuts the scene, which is another cut in every new frame,
    where the next ones see up to the border too. A network's patches stay as they are.
    """
    import torch.nn.functional as F

    if identity.name != "dsift" or min(cells.shape) < 3:
        return cells
    return F.pad(cells[None, None, 1:-1, 1:-1], (1, 1, 1, 1), mode="replicate")[0, 0]

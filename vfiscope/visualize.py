"""Pictures of a compared pair: its features once more, and from them what :mod:`vfiscope.views.pair` draws."""

from __future__ import annotations

import os
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from vfiscope.config import RunConfig
from vfiscope.embed import Embedder, resolve_device
from vfiscope.errors import OutputExistsError, SourceError, StoreError, UsageError
from vfiscope.inputs import open_inputs
from vfiscope.job import open_embedder_of
from vfiscope.metrics import dense
from vfiscope.sources import Source
from vfiscope.types import Features, Float32, Frames, Pairs, Status
from vfiscope.views.pair import FILES, PairPictures, draw_pair

__all__ = ["check_folder", "principal_colours", "visualize"]

STEEPNESS = 2.0
"""Of the curve by which VFI-Similarity turns a whitened component into a colour."""


def check_folder(config: RunConfig, folder: str | os.PathLike[str]) -> None:
    """Refuse, before anything is computed, a folder that :func:`visualize` could not fill.

    Raises:
        UsageError: the configuration compares no two images.
        StoreError: the folder is a file.
        OutputExistsError: it holds one of the files, and ``config.overwrite`` is not set.
    """
    path = Path(folder)
    if config.mode != "compare":
        raise UsageError(f"visualize draws two compared images and this is a {config.mode}: leave it out")
    if path.exists() and not path.is_dir():
        raise StoreError(f"{path} is no folder: name one for the pictures")
    there = next((path / name for name in FILES if (path / name).exists()), None)
    if there is not None and not config.overwrite:
        raise OutputExistsError(f"{there} exists: give --overwrite or another folder")


def visualize(config: RunConfig, folder: str | os.PathLike[str]) -> dict[str, Any]:
    """Draw two compared images as VFI-Similarity and NOVA do, into a folder that is made where it is missing.

    Image A is the reference and image B the test. The files are :data:`vfiscope.views.pair.FILES`.

    Args:
        config: of a comparison of two images, with the embedder's options and the window.
        folder: where the files go.

    Returns:
        What ``summary.json`` holds.

    Raises:
        VfiscopeError: an input, the embedder or the folder cannot be used.
    """
    check_folder(config, folder)
    with ExitStack() as stack, torch.inference_mode():
        embedder = open_embedder_of(config, resolve_device(config.device))
        pictures = _pictures(config, embedder, open_inputs(config, stack))
    try:
        Path(folder).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(f"cannot make the folder {folder}: {error.strerror}: name another") from error
    return draw_pair(pictures, folder, overwrite=config.overwrite)


def _pictures(config: RunConfig, embedder: Embedder, sources: dict[str, Source]) -> PairPictures:
    test, ref = (_only_frame(sources[role]) for role in ("test", "ref"))
    a, b = embedder.embed(ref), embedder.embed(test)
    pairs = Pairs(test, ref, b, a, window=config.window)
    found = dense.match(b, a, config.window)
    maps = {each.spec.name: each.compute(pairs)[0].cpu().numpy() for each in dense.MAPS}
    grid = embedder.grid(*test.size)
    colours = principal_colours(*(_vectors(each) for each in (a, b)))
    distance = float(dense.cosine_distance(b.pooled, a.pooled)[0])
    return PairPictures(
        image_a=_shown(ref),
        image_b=_shown(test),
        path_a=sources["ref"].info.path,
        path_b=sources["test"].info.path,
        similarity_a2b=maps["similarity_back"],
        similarity_b2a=maps["similarity"],
        mismatch_a=maps["mismatch_boosted_back"],
        mismatch_b=maps["mismatch_boosted"],
        match_a2b=found.backward[0].reshape(grid).cpu().numpy(),
        mutual_a=found.mutual_back[0].reshape(grid).cpu().numpy(),
        colours_a=colours[0].reshape(*grid, 3),
        colours_b=colours[1].reshape(*grid, 3),
        facts={
            "embedding_dim": embedder.dim,
            "cosine_distance": distance,
            "cosine_similarity": 1 - distance,
            "embedder": embedder.describe(*test.size),
        },
    )


def _only_frame(source: Source) -> Frames:
    frames = next(iter(source))[:1]
    if frames.status[0] == Status.UNREADABLE:
        raise SourceError(f"{source.info.path} cannot be decoded: there is nothing to draw")
    return frames


def _vectors(features: Features) -> NDArray[np.float64]:
    return features.patches[0].flatten(0, 1).cpu().numpy().astype(np.float64)


def _shown(frames: Frames) -> NDArray[np.uint8]:
    """(H, W, 3) uint8 of the first frame."""
    data = frames.data[0].permute(1, 2, 0).cpu().numpy()
    return (data >> (frames.bit_depth - 8)).astype(np.uint8)


def principal_colours(a: NDArray[np.float64], b: NDArray[np.float64]) -> tuple[Float32, Float32]:
    """Colours that are alike where patches are alike, in both images.

    The first three principal components of the vectors of both images together, whitened (unit variance, as
    scikit-learn's ``PCA(3, whiten=True)``), each as ``1 / (1 + exp(-2 x))``. The greatest entry of a component is
    positive. What does not vary is 0.5.

    Args:
        a: (P, D) vectors of one image.
        b: (Q, D) of the other.

    Returns:
        (P, 3) and (Q, 3) float32 in 0..1.
    """
    both = np.concatenate([a, b])
    centred = both - both.mean(axis=0)
    variances, axes = np.linalg.eigh(centred.T @ centred / max(1, len(both) - 1))
    variances, axes = variances[::-1][:3], axes[:, ::-1][:, :3]
    axes = axes * np.sign(np.take_along_axis(axes, np.abs(axes).argmax(axis=0)[None], axis=0))
    varies = variances > 1e-9 * max(float(np.square(both).sum(axis=1).mean()), 1e-30)
    whitened = np.where(varies, centred @ axes / np.sqrt(np.where(varies, variances, 1.0)), 0.0)
    colours = (1 / (1 + np.exp(-STEEPNESS * whitened))).astype(np.float32)
    return colours[: len(a)], colours[len(a) :]

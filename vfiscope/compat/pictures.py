"""The data of a compared pair, computed as in a run, for the figures of
:mod:`vfiscope.compat.draw`."""

from __future__ import annotations

import os
from contextlib import ExitStack
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vfiscope.comparisons import WrapDecoding
from vfiscope.compat.bands import band
from vfiscope.compat.draw import Drawing, PairPictures, draw_pair
from vfiscope.compat.folder import check_folder
from vfiscope.config import RunConfig
from vfiscope.errors import SourceError
from vfiscope.metrics import patches
from vfiscope.registration import valid_cells
from vfiscope.scoring.job import Job, open_job, pairs_of, streams_of
from vfiscope.scoring.pipeline import Seen, WrapScoring, run_seen
from vfiscope.scoring.region_marks import WatchRows
from vfiscope.scoring.session import Session
from vfiscope.store import Run
from vfiscope.types import Features, Float32, Frames, Pairs, Registrations, Status, Verdict
from vfiscope.types.batch import to_numpy

__all__ = ["compare_and_draw", "principal_colours", "visualize"]

DRAWN_MAPS = ("similarity", "similarity_back", "mismatch_boosted", "mismatch_boosted_back")
STEEPNESS = 2.0
"""Of the curve by which VFI-Similarity turns a whitened component into a colour."""


def compare_and_draw(
    config: RunConfig,
    folder: str | os.PathLike[str],
    *,
    session: Session | None = None,
    watch: WrapScoring | None = None,
    reading: WrapDecoding | None = None,
    marking: WatchRows | None = None,
) -> Run:
    """Compare two images and draw them like :func:`visualize`, computing everything once.

    Raises:
        VfiscopeError: an input, an option, the embedder, the output or the folder cannot be used.
            Where only drawing fails, neither figures nor a result are left, so that the same call
            may be repeated; with ``config.overwrite`` the result is kept.
    """
    check_folder(config, folder)
    made, seen = run_seen(config, session=session, watch=watch, reading=reading, marking=marking)
    try:
        visualize(config, folder, seen=seen, session=session)
    except BaseException:
        made.close()
        if config.out is not None and not config.overwrite:  # so that this call made it
            made.path.unlink(missing_ok=True)
        raise
    return made


def visualize(
    config: RunConfig,
    folder: str | os.PathLike[str],
    *,
    run: str | None = None,
    seen: Seen | None = None,
    session: Session | None = None,
) -> dict[str, Any]:
    """Draw two compared images as VFI-Similarity and NOVA do, into a folder that is made if it is
    missing.

    Image A is the reference and image B the test, registered where the run registers it: the
    numbers are those of a run of the same configuration. The files are
    :data:`vfiscope.compat.draw.PAIR_FILES`.

    Args:
        config: of a comparison of two images, with the options of embedder and registration and the
            window.
        folder: where the files go.
        run: what identifies the run that is drawn, kept in the summary.
        seen: the pair, as :func:`vfiscope.scoring.pipeline.run_seen` returns it; None computes it.
        session: its models are shared where the pair is computed.

    Returns:
        The content of ``summary.json``.

    Raises:
        VfiscopeError: an input, the embedder or the folder cannot be used.
    """
    check_folder(config, folder)
    pictures = _pictures(seen or _pair(config, session), run, Drawing.of(config))
    return draw_pair(pictures, folder, overwrite=config.overwrite)


def _pair(config: RunConfig, session: Session | None) -> Seen:
    """The two images of a comparison, read and embedded without scoring them."""
    plain = config.replace(
        out=None, metrics=("cosine",), maps=("none",), fields=("none",), flag=(), fail_on=()
    )
    with ExitStack() as stack:
        job = open_job(plain, stack, session)
        (pairs,) = pairs_of(job, job.comparison, streams_of(job), 0)
    return Seen(job, pairs)


def _pictures(seen: Seen, run: str | None, how: Drawing) -> PairPictures:
    """The data to draw of the only pair of a job."""
    job, pairs = seen.job, seen.pairs
    test, ref, b, a = pairs.test, pairs.ref, pairs.test_features, pairs.ref_features
    if ref is None or a is None or b is None:
        raise ValueError(
            f"only a pair with features can be drawn, and this one has none: {pairs!r}"
        )
    paths = {role: source.info.path for role, source in job.inputs.sources.items()}
    for role, frames in (("test", test), ("ref", ref)):
        if frames.status[0] == Status.UNREADABLE:
            raise SourceError(f"{paths[role]} cannot be decoded: there is nothing to draw")
    found = patches.matches_of(pairs)
    grid = (int(a.patches.shape[1]), int(a.patches.shape[2]))
    maps = _maps(pairs, grid)
    return PairPictures(
        image_a=_shown(ref),
        image_b=_shown(test),
        path_a=paths["ref"],
        path_b=paths["test"],
        similarity_a2b=maps["similarity_back"],
        similarity_b2a=maps["similarity"],
        mismatch_a=maps["mismatch_boosted_back"],
        mismatch_b=maps["mismatch_boosted"],
        match_a2b=to_numpy(found.backward[0]).reshape(grid),
        mutual_a=to_numpy(found.mutual_back[0]).reshape(grid),
        colours=_colours(a, b) if how.pca else None,
        facts={
            **_facts(job, pairs, float(patches.cosine_distance(b.pooled, a.pooled)[0])),
            "run": run,
        },
        how=how,
    )


def _maps(pairs: Pairs, grid: tuple[int, int]) -> dict[str, Float32]:
    """{map: (h, w)}, NaN where a registered test frame has no pixel of its own, as in a run."""
    maps = {
        each.spec.name: to_numpy(each.compute(pairs)[0])
        for each in patches.MAPS
        if each.spec.name in DRAWN_MAPS
    }
    if pairs.registrations is None:
        return maps
    seen = valid_cells(pairs.registrations, pairs.test.size, grid)[0]
    return {name: np.where(seen, values, np.float32(np.nan)) for name, values in maps.items()}


def _facts(job: Job, pairs: Pairs, distance: float) -> dict[str, Any]:
    """Further entries of the summary."""
    embedder = job.models.embedder
    described = None if embedder is None else embedder.describe(*pairs.test.size)
    facts = {
        "embedding_dim": None if described is None else described["dim"],
        "cosine_distance": distance,
        "cosine_similarity": 1 - distance,
        "band": band(described, distance),
        "embedder": described,
    }
    if pairs.registrations is None:
        return facts
    return {
        **facts,
        "register": {**(job.header.register or {}), "verdict": _verdict(pairs.registrations)},
    }


def _verdict(registrations: Registrations) -> str:
    return Verdict(int(registrations.verdict[0])).name.lower()


def _colours(a: Features, b: Features) -> tuple[Float32, Float32]:
    """(h, w, 3) colours of the patches of both images."""
    of_a, of_b = principal_colours(_vectors(a), _vectors(b))
    h, w = a.patches.shape[1:3]
    return of_a.reshape(h, w, 3), of_b.reshape(h, w, 3)


def _vectors(features: Features) -> NDArray[np.float64]:
    one = to_numpy(features.patches[0])
    return one.reshape(-1, one.shape[-1]).astype(np.float64)


def _shown(frames: Frames) -> NDArray[np.uint8]:
    """(H, W, 3) uint8 of the first frame."""
    shown: NDArray[np.uint8] = (frames.interleaved[0] >> (frames.bit_depth - 8)).astype(np.uint8)
    return shown


def principal_colours(a: NDArray[np.float64], b: NDArray[np.float64]) -> tuple[Float32, Float32]:
    """Colours that are alike where patches are alike, in both images.

    The first three principal components of the vectors of both images together, whitened (unit
    variance, as scikit-learn's ``PCA(3, whiten=True)``), each as ``1 / (1 + exp(-2 x))``. The
    greatest entry of a component is positive. What does not vary is 0.5.

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

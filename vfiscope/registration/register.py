"""Registration of batches: every test frame is warped onto its partner."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vfiscope.errors import UsageError
from vfiscope.pixels import luma_plane, white
from vfiscope.registration.ecc import register_ecc
from vfiscope.registration.homography import cells_covered, covered_mask
from vfiscope.registration.homography import warp as warp_pixels
from vfiscope.registration.loftr import load_loftr, weights_digest
from vfiscope.registration.points import Matcher, from_points, refused
from vfiscope.registration.sift import match_sift
from vfiscope.types import (
    Features,
    Float32,
    Frames,
    Pairs,
    Registration,
    Registrations,
    Status,
    Verdict,
)

__all__ = [
    "Register",
    "describe",
    "fill",
    "open_register",
    "register",
    "register_pairs",
    "valid_cells",
    "warp",
]

Register = Callable[[Float32, Float32], Registration]
"""Takes the luma of test and reference, each (H, W) float32 0..255."""


def open_register(method: str, *, weights: str | None = None, device: str = "cpu") -> Register:
    """A method of registration.

    Args:
        method: "ecc", "sift" or "loftr".
        weights: LoFTR's, for "loftr".
        device: where LoFTR computes; the others compute on the CPU.

    Raises:
        UsageError: the method is unknown, or its weights cannot be used.
    """
    if method == "ecc":
        return register_ecc
    if method == "sift":
        return partial(_register_matches, method=method, match=match_sift)
    if method == "loftr":
        return partial(
            _register_matches,
            method=method,
            match=load_loftr(weights, device),
        )
    raise UsageError(f"register is {method!r}: choose ecc, sift or loftr")


def _register_matches(test: Float32, ref: Float32, *, method: str, match: Matcher) -> Registration:
    return from_points(match(test, ref), (test.shape[0], test.shape[1]), method)


def describe(method: str, weights: str | None) -> dict[str, Any]:
    """The method and the digest of its weights, as a run stores them.

    Raises:
        UsageError: the weights do not exist.
    """
    if weights is None:
        return {"method": method}
    return {"method": method, "weights_digest": weights_digest(weights)}


def register(test: Frames, ref: Frames, method: Register) -> list[Registration]:
    """The registration of each test frame to the reference frame of the same row.

    Args:
        test: N frames.
        ref: N frames of the same size.
        method: as returned by :func:`open_register`. A registration depends only on its two frames.
    """
    unreadable = np.maximum(test.status, ref.status) == Status.UNREADABLE
    return [
        refused("none", Verdict.UNPAIRED, "there are no pixels")
        if unreadable[row]
        else method(*lumas)
        for row, lumas in enumerate(zip(_lumas(test), _lumas(ref), strict=True))
    ]


def warp(frames: Frames, registrations: Sequence[Registration]) -> tuple[Frames, NDArray[np.bool_]]:
    """Frames resampled onto their references, and masks of the pixels that they cover.

    Bicubic, positions rounded to 1/32 px; outside the frame its nearest pixel is repeated. A frame
    whose matrix is the identity keeps exactly its pixels.

    Returns:
        The frames, and (N, H, W) bool: True where a reference pixel lies in the test frame.
    """
    pixels = frames.interleaved
    masks = np.stack([covered_mask(one.matrix, frames.size) for one in registrations])
    warped = np.stack(
        [warp_pixels(p, one.matrix) for p, one in zip(pixels, registrations, strict=True)]
    )
    return _with_pixels(frames, warped), masks


def fill(frames: Frames, partners: Frames, masks: NDArray[np.bool_]) -> Frames:
    """Frames with their partners' pixels outside the masks, so that areas which the test frame does
    not show do not count as a difference.

    Args:
        frames: N frames.
        partners: N frames of the same size; at another bit depth, their values are scaled and
            rounded.
        masks: (N, H, W) bool, as returned by :func:`warp`.
    """
    own, theirs = frames.interleaved, partners.interleaved
    if frames.bit_depth != partners.bit_depth:
        scale = white(frames.bit_depth) / white(partners.bit_depth)
        theirs = np.rint(theirs * scale).astype(own.dtype)
    return _with_pixels(frames, np.where(masks[..., None], own, theirs))


def valid_cells(
    registrations: Registrations, size: tuple[int, int], grid: tuple[int, int]
) -> NDArray[np.bool_]:
    """(N, h, w) cells of a grid over frames of size (height, width) in which the test frame covers
    at least one pixel."""
    cells = np.ones((len(registrations), *grid), bool)
    for row in np.flatnonzero(registrations.accepted):
        cells[row] = cells_covered(covered_mask(registrations.matrix[row], size), grid)
    return cells


def register_pairs(
    pairs: Iterable[Pairs], method: Register, embed: Callable[[Frames], Features] | None = None
) -> Iterator[Pairs]:
    """The same pairs with every test frame registered, warped onto its partner, and filled up with
    the partner's pixels.

    A frame that cannot be registered stays as it is, and its verdict says so.

    Args:
        pairs: batches; features of the unregistered test frames are not used.
        method: as returned by :func:`open_register`.
        embed: computes the features of the registered frames; None where none are needed.
            Neighbouring frames must come from the reference, in whose place the frames now lie.
    """
    for batch in pairs:
        if batch.ref is None:
            unpaired = [refused("none", Verdict.UNPAIRED, "there is no partner")] * len(batch)
            yield replace(batch, registrations=_table(unpaired))
            continue
        found = register(batch.test, batch.ref, method)
        warped, masks = warp(batch.test, found)
        test = fill(warped, batch.ref, masks)
        features = None if embed is None else embed(test)
        yield replace(
            batch,
            test=test,
            test_features=features,
            registrations=_table(found),
            decoded=batch.test,
        )


def _table(found: Sequence[Registration]) -> Registrations:
    return Registrations(
        matrix=np.array([one.matrix for one in found], np.float64).reshape(-1, 3, 3),
        verdict=np.array([one.verdict for one in found], np.uint8),
        inliers=np.array([one.inliers for one in found], np.int64),
        inlier_ratio=np.array([one.inlier_ratio for one in found], np.float32),
        residual=np.array([one.residual for one in found], np.float32),
        valid=np.array([one.valid for one in found], np.float32),
    )


def _with_pixels(frames: Frames, pixels: NDArray[Any]) -> Frames:
    """The frames with other pixels (N, H, W, 3), on the CPU or the device as before."""
    planes = np.ascontiguousarray(pixels).transpose(0, 3, 1, 2)
    made = replace(frames, data=planes, luma=None, sums=None)
    return made if isinstance(frames.data, np.ndarray) else made.to(str(frames.data.device))


def _lumas(frames: Frames) -> Iterator[Float32]:
    """(H, W) float32 luma of each frame, 0..255."""
    for pixels in frames.interleaved:
        yield luma_plane(pixels, frames.bit_depth)

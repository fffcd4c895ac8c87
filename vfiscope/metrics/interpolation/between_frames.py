"""Metrics of a test frame between two real frames, without ground truth.

Metrics: fault, which sums up all faults of a frame; fault_peak, which is about its worst part; the
kinds of faults, moving, repeat, late, early, blend, torn and level; midpoint_px, ghosting, warp,
foreign, visible_both, visible_one, visible_none, cosine_before, cosine_after, cut.

Conventions:
    All but the cosines, foreign and level are computed on luma at the working size of
    :mod:`vfiscope.metrics.interpolation.flow`; lengths are scaled back to pixels of the full frame.
    A score depends only on the three frames and the phase. Every score and map of a row is NaN
    where the frames before and after are unrelated (:func:`is_cut`), and everything that needs flow
    is NaN for frames of fewer than 16 pixels in a dimension.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from vfiscope.metrics.interpolation import foreign, ghosting
from vfiscope.metrics.interpolation.cut_detection import is_cut
from vfiscope.metrics.interpolation.fault import MIN_MOVING_PX, Evidence, Faults, find
from vfiscope.metrics.interpolation.flow import (
    MIN_FLOW_SIDE_PX,
    Triplet,
    colours,
    neighbours,
    row_by_row,
    triplets,
    working_size,
)
from vfiscope.metrics.interpolation.midpoint import deviation
from vfiscope.metrics.interpolation.real_motion import MAX_BETWEEN_SIDE_PX, Between
from vfiscope.metrics.metric import Metric
from vfiscope.metrics.patches import cosine_distance
from vfiscope.metrics.pixel_pairs import cell_grid
from vfiscope.types import Features, Float32, MetricSpec, Needs, Pairs
from vfiscope.types.batch import to_numpy

__all__ = ["MAPS", "METRICS", "MIN_MOVING_PX", "by_triplet"]


def by_triplet(
    pairs: Pairs,
    compute: Callable[[Triplet, int], float | Float32],
    *shape: int,
    middle: str = "test",
) -> Float32:
    """``compute(triplet, row)`` for each row, NaN at cuts and where frames are too small for flow.

    Returns:
        (N, *shape) float32.
    """
    values = np.full((len(pairs), *shape), np.nan, np.float32)
    frames = triplets(pairs, middle)
    if frames is not None:
        rows = np.flatnonzero(~is_cut(pairs)).tolist()
        for row, value in zip(
            rows, row_by_row(lambda k: compute(frames[rows[k]], rows[k]), len(rows)), strict=True
        ):
            values[row] = value
    return values


def _midpoint(pairs: Pairs) -> Float32:
    phases = _phases(pairs)
    return by_triplet(pairs, lambda frame, row: deviation(frame, float(phases[row])))


def _phases(pairs: Pairs) -> NDArray[np.float64]:
    return np.full(len(pairs), np.nan) if pairs.phase is None else pairs.phase


def _planes(pairs: Pairs, name: str) -> Sequence[Float32]:
    """Ghosts, broken geometry or foreign colours of every row, (h, w) each, made once."""
    frames = triplets(pairs) or ()
    makers = {"ghosting": _ghosts, "warp": _broken, "foreign": _foreign, "fault": _at_fault}
    compute = makers[name](pairs, frames)
    return pairs.share(name, lambda: row_by_row(compute, len(frames)))


def _ghosts(pairs: Pairs, frames: Sequence[Triplet]) -> Callable[[int], Float32]:
    return lambda row: ghosting.ghosts(frames[row])


def _broken(pairs: Pairs, frames: Sequence[Triplet]) -> Callable[[int], Float32]:
    """Broken geometry without ghosts, whose double contours are not broken geometry."""
    ghosts = _planes(pairs, "ghosting")
    return lambda row: ghosting.broken(frames[row]) * (1 - ghosts[row])


def _foreign(pairs: Pairs, frames: Sequence[Triplet]) -> Callable[[int], Float32]:
    trios, betweens, phases = _trios(pairs), _betweens(pairs), _instants(pairs)
    return lambda row: foreign.foreign_colours(
        frames[row], trios[row], betweens[row], float(phases[row])
    )


def _at_fault(pairs: Pairs, frames: Sequence[Triplet]) -> Callable[[int], Float32]:
    found = _faults(pairs)
    return lambda row: found[row].plane


def _instants(pairs: Pairs) -> NDArray[np.float64]:
    """(N,) phase of each frame; half way where it is unknown."""
    return np.nan_to_num(_phases(pairs), nan=0.5)


def _trios(pairs: Pairs) -> Sequence[Sequence[Float32]]:
    """For every row, RGB of the frame and of the frames before and after, (h, w, 3) each."""
    around, size = neighbours(pairs), working_size(*pairs.test.size, MAX_BETWEEN_SIDE_PX)

    def compute(row: int) -> Sequence[Float32]:
        return [colours(each, row, size) for each in (pairs.test, around.before, around.after)]

    return pairs.share("trios", lambda: row_by_row(compute, len(pairs)))


def _betweens(pairs: Pairs) -> Sequence[Between]:
    """For every row, the motion between the real frames around the test frame."""
    frames, size = triplets(pairs) or (), working_size(*pairs.test.size, MAX_BETWEEN_SIDE_PX)

    def compute(row: int) -> Between:
        return Between.of(frames[row].before, frames[row].after, size)

    return pairs.share("betweens", lambda: row_by_row(compute, len(frames)))


def _faults(pairs: Pairs) -> Sequence[Faults]:
    """For every row, the faults of its frame."""
    frames, betweens, phases = triplets(pairs) or (), _betweens(pairs), _instants(pairs)
    ghosts, broken, strange = (_planes(pairs, name) for name in ("ghosting", "warp", "foreign"))
    trios = _trios(pairs)

    def compute(row: int) -> Faults:
        evidence = Evidence(ghosts[row], broken[row], strange[row], foreign.level(trios[row]))
        return find(frames[row], betweens[row], evidence, float(phases[row]))

    return pairs.share("faults", lambda: row_by_row(compute, len(frames)))


def _of_faults(name: str) -> Callable[[Pairs], Float32]:
    def compute(pairs: Pairs) -> Float32:
        found = _faults(pairs)
        return by_triplet(pairs, lambda _, row: float(getattr(found[row], name)))

    return compute


def _level(pairs: Pairs) -> Float32:
    trios = _trios(pairs)
    return by_triplet(pairs, lambda _, row: foreign.level(trios[row]))


def _share(name: str) -> Callable[[Pairs], Float32]:
    def compute(pairs: Pairs) -> Float32:
        planes = _planes(pairs, name)
        return by_triplet(pairs, lambda _, row: float(planes[row].mean(dtype=np.float64)))

    return compute


def _cells(name: str) -> Callable[[Pairs], Float32]:
    def compute(pairs: Pairs) -> Float32:
        planes, (h, w) = _planes(pairs, name), cell_grid(*pairs.test.size)

        def cells(_: Triplet, row: int) -> Float32:
            return np.asarray(
                cv2.resize(planes[row], (w, h), interpolation=cv2.INTER_AREA), np.float32
            )

        return by_triplet(pairs, cells, h, w)

    return compute


def _visible_in(count: int) -> Callable[[Pairs], Float32]:
    def share(frame: Triplet, _: int) -> float:
        return float((frame.in_before.astype(np.int64) + frame.in_after == count).mean())

    return lambda pairs: by_triplet(pairs, share)


def _cut(pairs: Pairs) -> Float32:
    found = is_cut(pairs).astype(np.float32)
    if min(pairs.test.size) < MIN_FLOW_SIDE_PX:
        found[:] = np.nan
    return found


def _cosine_to(name: str) -> Callable[[Pairs], Float32]:
    def compute(pairs: Pairs) -> Float32:
        test, other = pairs.test_features, getattr(neighbours(pairs), f"{name}_features")
        if not isinstance(test, Features) or not isinstance(other, Features):
            raise ValueError(
                f"cosine_{name} compares features, and these pairs have none: {pairs.test!r}"
            )
        distance: Float32 = to_numpy(cosine_distance(test.pooled, other.pooled))
        return np.where(is_cut(pairs), np.float32(np.nan), distance)

    return compute


def _spec(name: str, floor: float, description: str, *, worse_is_more: bool = True) -> MetricSpec:
    """One kind of fault among several, or a fact about the material; not used for ranking."""
    identity = 0.0 if worse_is_more else 1.0
    return MetricSpec(
        name,
        "1",
        0.0,
        1.0,
        worse_is_more,
        identity,
        floor,
        description,
        Needs.NEIGHBOURS,
        ranks=False,
    )


def _cosine_spec(name: str) -> MetricSpec:
    # The distance follows the motion, and the onset of motion is not a fault: nothing is flagged.
    description = f"1 - cosine of the pooled embeddings of the frame and the real frame {name}."
    return MetricSpec(
        f"cosine_{name}",
        "1",
        0.0,
        2.0,
        True,
        0.0,
        2.0,
        description,
        Needs.NEIGHBOURS | Needs.FEATURES,
        ranks=False,
    )


def _signed(name: str, unit: str, floor: float, description: str) -> MetricSpec:
    return MetricSpec(
        name,
        unit,
        -math.inf,
        math.inf,
        True,
        0.0,
        floor,
        description,
        Needs.NEIGHBOURS,
        ranks=False,
    )


_FAULT = (
    "repeated, blended, late or early content, broken geometry, foreign colour or another level"
    " than the real frames around it have"
)
_OF_MOVING = "Share of the moving content"
_GHOSTING = (
    "that is a blend of the real frames before and after, and no repeat or moved copy of either."
)
_WARP = "whose local geometry fits neither the real frame before nor the one after."
_FOREIGN = "whose colour comes neither from the real frame before nor from the one after."

METRICS = (
    Metric(
        replace(
            _spec(
                "fault", 0.05, f"Share of the frame's content, moving or at rest, with {_FAULT}."
            ),
            ranks=True,
        ),
        _of_faults("fault"),
    ),
    Metric(
        _spec(
            "fault_peak",
            1 / 9,
            "Share of the worst window of the frame, 48 px or a twelfth of the shorter side wide,"
            f" with {_FAULT}.",
        ),
        _of_faults("peak"),
    ),
    Metric(
        _spec(
            "moving",
            1.0,
            "Share of the frame that moves visibly from the real frame before to the one after.",
        ),
        _of_faults("moving"),
    ),
    Metric(
        _spec("repeat", 0.05, f"{_OF_MOVING} that shows the real frame before or after in place."),
        _of_faults("repeat"),
    ),
    Metric(
        _spec(
            "late", 0.05, f"{_OF_MOVING} that is behind its instant, or repeats the frame before."
        ),
        _of_faults("late"),
    ),
    Metric(
        _spec(
            "early", 0.05, f"{_OF_MOVING} that is ahead of its instant, or repeats the frame after."
        ),
        _of_faults("early"),
    ),
    Metric(
        _spec("blend", 0.05, f"{_OF_MOVING} that is a blend of two instants."), _of_faults("blend")
    ),
    Metric(
        _spec(
            "torn", 0.5, "How purely a band of rows shows one instant, and all other rows another."
        ),
        _of_faults("torn"),
    ),
    Metric(
        _signed(
            "level",
            "code",
            1.0,
            "How much brighter (positive) the frame is than both real frames around it, in R, G"
            " or B.",
        ),
        _level,
    ),
    Metric(
        _signed(
            "midpoint_px",
            "px",
            1.0,
            "How far content is ahead (positive) of where it should be along its track between the"
            " real frames before and after: median over what moves 1 px or more.",
        ),
        _midpoint,
    ),
    Metric(_spec("ghosting", 0.02, f"Share of the frame {_GHOSTING}"), _share("ghosting")),
    Metric(_spec("warp", 0.02, f"Share of the frame {_WARP}"), _share("warp")),
    Metric(_spec("foreign", 0.02, f"Share of the frame {_FOREIGN}"), _share("foreign")),
    Metric(
        _spec(
            "visible_both",
            1.0,
            "Share of the frame visible in both the real frames before and after.",
            worse_is_more=False,
        ),
        _visible_in(2),
    ),
    Metric(
        _spec("visible_one", 1.0, "Share of the frame visible in one real frame around it."),
        _visible_in(1),
    ),
    Metric(
        _spec("visible_none", 1.0, "Share of the frame visible in no real frame around it."),
        _visible_in(0),
    ),
    Metric(_cosine_spec("before"), _cosine_to("before")),
    Metric(_cosine_spec("after"), _cosine_to("after")),
    Metric(
        _spec("cut", 1.0, "1 where the real frames before and after are unrelated, else 0."), _cut
    ),
)

MAPS = (
    Metric(
        replace(
            _spec("fault", 0.05, f"Share of each cell of about 16x16 px with {_FAULT}."), ranks=True
        ),
        _cells("fault"),
        cell_grid,
    ),
    Metric(
        _spec("ghosting", 0.02, f"Share of each cell of about 16x16 px {_GHOSTING}"),
        _cells("ghosting"),
        cell_grid,
    ),
    Metric(
        _spec("warp", 0.02, f"Share of each cell of about 16x16 px {_WARP}"),
        _cells("warp"),
        cell_grid,
    ),
    Metric(
        _spec("foreign", 0.02, f"Share of each cell of about 16x16 px {_FOREIGN}"),
        _cells("foreign"),
        cell_grid,
    ),
)

"""Regions of several frames, linked where they show one thing.

From frame to frame, regions are assigned to tracks one to one, so that the sum of their likenesses
is largest (Kuhn 1955, by :func:`scipy.optimize.linear_sum_assignment`). The likeness of a region to
a track is the intersection over union of the boxes, plus one less the distance of the centres in
box sides. It is taken at the last place of the track, for what stands still, and where its last
movement would have brought it, for what moves; the larger counts. A region that overlaps no such
place, and lies further than a side from each, begins a track of its own. Of a thing that falls
apart, the part that is most like it goes on.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from vfiscope.types import Float64, Region, Track

__all__ = ["link"]

MOST_LINKED = 300
"""Regions of a frame, those with the largest areas: of more, none is a thing that can be followed,
and every one is compared with every track."""


@dataclass
class _Thread:
    """A track as it grows."""

    number: int
    regions: list[Region] = field(default_factory=list)
    seen: float = 0.0
    """The step of its last frame."""
    speed: Float64 = field(default_factory=lambda: np.zeros(2))
    """(x, y) pixels per step, from its last two regions."""

    def add(self, region: Region, at: float) -> None:
        if self.regions:
            self.speed = (_centre(region) - _centre(self.regions[-1])) / (at - self.seen)
        self.regions.append(region)
        self.seen = at

    @property
    def track(self) -> Track:
        kinds = Counter(region.kind for region in self.regions)
        return Track(
            track=self.number,
            first_frame=self.regions[0].frame,
            last_frame=self.regions[-1].frame,
            regions=len(self.regions),
            kind=kinds.most_common(1)[0][0],
        )


def link(
    regions: Sequence[Sequence[Region]], frames: Sequence[int] | None = None, *, max_gap: int = 2
) -> tuple[list[Region], list[Track]]:
    """Link the regions of a sequence into tracks.

    Args:
        regions: those of each frame that was compared, in order; empty where nothing was found. Of
            a frame, the 300 with the largest areas are linked.
        frames: decode ordinals of the frames, increasing; None where all were compared. A step is
            the smallest distance between two of them.
        max_gap: steps in which a thing may be missing and still be the same one.

    Returns:
        All regions in their order, each with its track, and the tracks by number, in
        the order of their beginnings. Of kinds that are equally common, a track has the first.
    """
    threads: list[_Thread] = []
    alive: list[_Thread] = []
    linked: list[Region] = []
    for at, own in zip(_steps(frames, len(regions)), regions, strict=True):
        alive = [each for each in alive if at - each.seen <= max_gap + 1]
        largest = sorted(range(len(own)), key=lambda n: -own[n].area)
        chosen = sorted(largest[:MOST_LINKED])
        assigned = _assigned(alive, [own[n] for n in chosen], at)
        found: dict[int, _Thread | None] = dict.fromkeys(chosen)
        found |= {chosen[n]: thread for n, thread in assigned}
        for n, region in enumerate(own):
            if n not in found:
                linked.append(replace(region, track=-1))
                continue
            thread = found[n]
            if thread is None:
                thread = _Thread(len(threads))
                threads.append(thread)
                alive.append(thread)
            linked.append(replace(region, track=thread.number))
            thread.add(linked[-1], at)
    return linked, [thread.track for thread in threads]


def _steps(frames: Sequence[int] | None, count: int) -> list[float]:
    """The places of the frames, in steps."""
    if frames is None or count < 2:
        return [float(n) for n in range(count)]
    step = max(1, int(np.diff(frames).min()))
    return [frame / step for frame in frames]


def _assigned(
    threads: Sequence[_Thread], regions: Sequence[Region], at: float
) -> list[tuple[int, _Thread]]:
    """(place of a region, its thread) of those that belong together."""
    from scipy.optimize import linear_sum_assignment

    if not threads or not regions:
        return []
    last = _boxes([thread.regions[-1] for thread in threads])
    moved = last.copy()
    moved[:, :2] += [thread.speed * (at - thread.seen) for thread in threads]
    boxes = _boxes(regions)
    likeness = np.maximum(_likeness(last, boxes), _likeness(moved, boxes))
    pairs = zip(*linear_sum_assignment(likeness, maximize=True), strict=True)
    return [(int(n), threads[m]) for m, n in pairs if likeness[m, n] > 0]


def _likeness(of: Float64, to: Float64) -> Float64:
    """(M, N) 0..2 of boxes (M, 4) and (N, 4); 0 where they are too far apart."""
    first, second = of[:, None], to[None]
    low = np.maximum(first[..., :2], second[..., :2])
    high = np.minimum((first[..., :2] + first[..., 2:]), (second[..., :2] + second[..., 2:]))
    both = np.prod(np.maximum(high - low, 0), axis=-1)
    area = np.prod(first[..., 2:], axis=-1), np.prod(second[..., 2:], axis=-1)
    overlap = both / np.maximum(area[0] + area[1] - both, 1e-9)
    centres = first[..., :2] + first[..., 2:] / 2 - second[..., :2] - second[..., 2:] / 2
    side = (np.sqrt(area[0]) + np.sqrt(area[1])) / 2
    distance = np.hypot(centres[..., 0], centres[..., 1]) / np.maximum(side, 1e-9)
    return np.asarray(overlap + np.maximum(1 - distance, 0), np.float64)


def _boxes(regions: Sequence[Region]) -> Float64:
    """(N, 4) x, y, w, h as an annotator would draw them: of thin marks too, these overlap."""
    return np.array([(each.x, each.y, each.w, each.h) for each in regions], np.float64)


def _centre(region: Region) -> Float64:
    return np.array([region.x + region.w / 2, region.y + region.h / 2])

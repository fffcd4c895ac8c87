"""Tracks of regions in sequences that can be followed by hand."""

from __future__ import annotations

import tracemalloc

from vfiscope.regions.tracks import MOST_LINKED, link
from vfiscope.types import Region, Track


def region(frame: int, x: float, y: float = 0, side: float = 10, kind: str = "spot") -> Region:
    return Region(frame, x, y, side, side, side * side, 1.0, 1, kind, "")


def tracks_of(*frames: list[Region], max_gap: int = 2) -> tuple[list[int], list[Track]]:
    regions, tracks = link(frames, max_gap=max_gap)
    return [each.track for each in regions], tracks


def test_two_things_that_stand_still_and_change_their_order() -> None:
    numbers, tracks = tracks_of(
        [region(4, 0), region(4, 50, kind="scratch")],
        [region(7, 51, kind="spot"), region(7, 1)],
        [region(9, 50, kind="scratch")],
    )
    assert numbers == [0, 1, 1, 0, 1]
    assert tracks == [Track(0, 4, 7, 2, "spot"), Track(1, 4, 9, 3, "scratch")]


def test_what_moves_faster_than_its_size_is_followed_once_it_moves() -> None:
    """8, 11, 14 pixels a frame: the last steps are longer than a side of 10, and expected."""
    places = [0, 8, 19, 33]
    numbers, _ = tracks_of(*([region(n, x)] for n, x in enumerate(places)))
    assert numbers == [0, 0, 0, 0]
    assert tracks_of([region(0, 0)], [region(1, 33)])[0] == [0, 1]


def test_things_that_pass_each_other_keep_their_tracks() -> None:
    """At frame 2 they lie at 16 and 17, at 3 at 24 and 9: their movement tells them apart."""
    frames = [[region(n, 8 * n, 0), region(n, 33 - 8 * n, 4)] for n in range(5)]
    numbers, tracks = tracks_of(*frames)
    assert numbers == [0, 1] * 5
    assert len(tracks) == 2


def test_a_gap_is_bridged_as_far_as_asked() -> None:
    frames = [[region(0, 0)], [], [], [region(3, 1)]]
    assert tracks_of(*frames, max_gap=2)[0] == [0, 0]
    assert tracks_of(*frames, max_gap=1)[0] == [0, 1]
    assert tracks_of(*frames, max_gap=2)[1] == [Track(0, 0, 3, 2, "spot")]


def test_what_moves_is_found_behind_a_gap() -> None:
    assert tracks_of([region(0, 0)], [region(1, 8)], [], [region(3, 24)])[0] == [0, 0, 0]


def test_frames_far_apart_are_not_neighbours() -> None:
    """Every tenth frame was compared; between 20 and 500 nothing was."""
    regions, tracks = link([[region(n, 0)] for n in (10, 20, 500)], [10, 20, 500])
    assert [each.track for each in regions] == [0, 0, 1]
    assert tracks[0] == Track(0, 10, 20, 2, "spot")


def test_of_a_thing_that_falls_apart_the_part_most_like_it_goes_on() -> None:
    numbers, _ = tracks_of(
        [region(0, 0, side=20)],
        [region(1, 14, 14, side=5), region(1, 1, 1, side=14)],
        [region(2, 1, 1, side=14)],
    )
    assert numbers == [0, 1, 0, 0]


def test_one_good_likeness_is_worth_more_than_two_poor_ones() -> None:
    """Regions at 0 and 9, then at 9 and 18: the second stayed, though each could have moved."""
    numbers, _ = tracks_of([region(0, 0), region(0, 9)], [region(1, 9), region(1, 18)])
    assert numbers == [0, 1, 1, 2]


def test_no_frames_and_no_regions() -> None:
    assert link([]) == ([], [])
    assert link([[], []]) == ([], [])


def test_too_many_regions_of_a_frame_are_left_out() -> None:
    crowd = [region(0, 30 * n, side=11) for n in range(MOST_LINKED + 2)]
    crowd[0] = region(0, 0, side=10)  # the smallest; of those that are equal, the first are kept
    numbers, tracks = tracks_of(crowd)
    assert [numbers[0], *numbers[-2:]] == [-1, MOST_LINKED - 1, -1]
    assert len(tracks) == MOST_LINKED


def test_crowds_take_little_memory() -> None:
    """Five frames of 1000 regions: tracks that are alive times regions."""
    frames = [[region(n, 30 * (k % 40), 30 * (k // 40)) for k in range(1000)] for n in range(5)]
    tracemalloc.start()
    link(frames)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 32 * 2**20


def test_the_regions_that_were_passed_stay_as_they_were() -> None:
    first = region(0, 0)
    link([[first]])
    assert first.track == -1

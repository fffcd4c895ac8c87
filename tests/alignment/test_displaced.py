"""Frames out of order: they have no partner in a monotone map, and the map says what they show."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

import vfiscope as vs
from vfiscope import synth
from vfiscope.alignment import align, describe
from vfiscope.errors import PairingError
from vfiscope.types import Code, Note, Pairing, Status

Pixels = NDArray[np.uint8]
N = 40
QUICK = {"metrics": "psnr", "maps": "none", "fields": "none"}


@pytest.fixture(scope="module")
def scene() -> Pixels:
    """(N, 144, 256, 3) frames that carry their number."""
    frames = synth.Scene(144, 256, seed=1).frames(N)
    return np.stack([synth.stamp(frame, number) for number, frame in enumerate(frames)])


def aligned(test: object, ref: object) -> Pairing:
    with vs.open_source(test) as one, vs.open_source(ref) as other:
        return align(one, other)


def exchanged(one: int, other: int) -> NDArray[np.int64]:
    order = np.arange(N)
    order[[one, other]] = other, one
    return order


def test_two_frames_that_are_swapped_are_out_of_order_and_nothing_is_dropped(
    scene: Pixels,
) -> None:
    found = aligned(scene[exchanged(10, 20)], scene)
    assert found.displaced == ((10, 20), (20, 10))
    assert found.dropped == ()
    first, second = describe(found)
    assert first.endswith("rate 1:1, 0 repeated, 0 dropped, 2 out of order")
    assert second.endswith("as where frames repeat each other or are out of order")


def test_of_two_neighbours_that_are_swapped_one_keeps_its_partner(scene: Pixels) -> None:
    found = aligned(scene[exchanged(10, 11)], scene)
    assert found.displaced in (((10, 11),), ((11, 10),))
    assert found.dropped == ()


def test_what_is_dropped_beside_frames_out_of_order_stays_dropped(scene: Pixels) -> None:
    order = np.delete(exchanged(10, 20), [30, 31])
    found = aligned(scene[order], scene)
    assert found.displaced == ((10, 20), (20, 10))
    assert found.dropped == ((30, 32),)


def test_a_foreign_frame_and_a_still_clip_are_not_out_of_order(scene: Pixels) -> None:
    foreign = synth.Scene(144, 256, seed=77).frame(0)
    assert aligned(np.insert(scene, 10, foreign, axis=0), scene).displaced == ()
    still = np.repeat(scene[:1], 24, axis=0)
    assert aligned(np.insert(still, 10, foreign, axis=0), still).displaced == ()


def test_frames_shown_twice_far_apart_say_where_they_belong(scene: Pixels) -> None:
    found = aligned(np.insert(scene, 30, scene[5], axis=0), scene)
    assert found.displaced == ((30, 5),)
    assert found.dropped == ()


def test_a_clip_in_no_order_is_refused_as_one(scene: Pixels) -> None:
    order = np.random.default_rng(0).permutation(N)
    shown = ", ".join(f"frame {row} shows reference frame {order[row]}" for row in range(3))
    with pytest.raises(PairingError) as refused:
        aligned(scene[order], scene)
    assert str(refused.value) == (
        f"40 of 40 test frames resemble reference frames, but come in another order ({shown}):"
        " put the frames of the test in order, or pass --align none"
    )


def test_clips_that_share_a_few_frames_are_not_said_to_be_in_another_order(scene: Pixels) -> None:
    other = np.stack(list(synth.Scene(144, 256, seed=77).frames(N)))
    other[0], other[1] = scene[9], scene[3]
    with pytest.raises(PairingError, match="none of 40 test frames resembles"):
        aligned(other, scene[::-1])


def test_a_run_warns_of_them_and_calls_nothing_missing(scene: Pixels, tmp_path: Path) -> None:
    out = str(tmp_path / "a.h5")
    order = np.arange(N)
    order[10:13] = 12, 10, 11
    said = (
        "1 frame is out of order and not scored: frame 10 shows frame 12 of the reference, between"
        " frames that show 9 and 10; put the frames of the test in order"
    )
    vs.score(scene[order], ref=scene, align="auto", out=out, **QUICK).close()
    with vs.open_run(out) as run:
        assert said in run.warnings
        assert run.pairing["out_of_order"] == 1
        assert run.pairing["dropped"] == 0
        assert run.pairing_table is not None
        assert run.pairing_table.displaced == ((10, 12),)
        assert run.frames.status[10] == Status.UNPAIRED
        evidence = [each.evidence for each in run.segments if each.metric == "cadence"]
    expected = "frame 12 of the reference comes out of order, and not before frame 13"
    assert evidence == [expected]
    vs.flag(out)
    with vs.open_run(out) as again:
        assert [each.evidence for each in again.segments if each.metric == "cadence"] == evidence


def test_the_warning_names_the_first_three_and_the_last() -> None:
    place = {"frame": 4, "shows": 2, "before": -1, "after": 7}
    note = Note(Code.OUT_OF_ORDER, {"places": [place] * 3, "total": 5, "last": 9})
    one = "frame 4 shows frame 2 of the reference, before the frame that shows 7"
    assert str(note) == (
        f"5 frames are out of order and not scored: {one}; {one}; {one}; and 2 more up to frame 9;"
        " put the frames of the test in order"
    )

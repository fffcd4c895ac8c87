"""What is found of a kind does not depend on the kinds that a scan is asked for."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

import vfiscope as vs
from vfiscope import synth
from vfiscope.scoring.job import read_for
from vfiscope.segments import flag

HEIGHT, WIDTH, COUNT = 144, 192, 330


def faulty() -> np.ndarray:
    """A moving scene with one fault after the other, a cut, a dissolve and a fade into black."""
    truth = synth.Scene(HEIGHT, WIDTH, seed=5, objects=4, velocity=(2.4, 0.6)).clip(COUNT).frames
    other = synth.Scene(HEIGHT, WIDTH, seed=6, objects=3, velocity=(-2.0, 0.4)).clip(90).frames
    made, light = truth.copy(), truth.astype(np.float32)
    made[20], made[40:45] = truth[19], truth[39]
    made[70:72] = (light[68:70] + light[72:74]) / 2
    made[95, HEIGHT // 2 :] = truth[92, HEIGHT // 2 :]
    for y, x in ((32, 48), (32, 96), (64, 64), (80, 112), (96, 48)):
        made[120, y : y + 16, x : x + 16] = truth[300, 0:16, x : x + 16]
    made[145] = np.roll(truth[145], (6, -9), (0, 1))
    made[170:200] = np.clip(1.2 * light[170:200], 0, 255)
    made[220:240:2] = np.clip(1.1 * light[220:240:2], 0, 255)
    made[262] = np.clip(1.3 * light[262] + 60, 0, 255)
    made = np.delete(made, slice(310, 314), axis=0)
    share = np.linspace(0, 1, 18)[1:-1, None, None, None]
    mixed = (1 - share) * other[44:60] + share * light[:16]
    out = np.linspace(1, 0, 24)[:, None, None, None] * light[30:54]
    black = np.zeros((12, HEIGHT, WIDTH, 3))
    return np.concatenate([made, other[:44], mixed, light[16:30], out, black]).astype(np.uint8)


@pytest.mark.slow
def test_each_kind_alone_has_the_segments_of_the_whole_scan(tmp_path: Path) -> None:
    clip = synth.write_video(tmp_path / "faulty.mp4", iter(faulty()), rate=Fraction(25), crf=18)
    with vs.scan(str(clip), metrics="absdiff") as run:
        frames, signals, size = run.frames, dict(run.signals), run.frame_size
    whole = flag(frames, {}, {}, (), signals, size=size)
    there = {each.kind for each in whole}
    assert {"duplicate", "freeze", "corruption", "cut", "fade", "black", "flash"} <= there
    for kind in there:
        needed = {name: column for name, column in signals.items() if name in read_for([kind])}
        alone = flag(frames, {}, {}, (), needed, size=size, kinds=[kind])
        expected = [(each.start, each.stop) for each in whole if each.kind == kind]
        assert [(each.start, each.stop) for each in alone] == expected, kind


@pytest.mark.parametrize(
    ("width", "kinds", "read"),
    [
        (320, "cut,fade", 320),
        (480, "fade", 240),
        (640, "cut", 320),
        (1280, "cut,fade,flash", 320),
        (640, "black", 640),  # the brightest pixels tell, which means hide
    ],
)
def test_frames_are_read_at_the_largest_whole_fraction_that_is_enough(
    width: int, kinds: str, read: int
) -> None:
    frames = np.zeros((2, width * 9 // 16, width, 3), np.uint8)
    with vs.scan(frames, kinds=kinds) as run:
        assert run.frame_size[1] == read


@pytest.mark.parametrize(("height", "size"), [(204, (102, 480)), (272, (90, 426)), (8, (8, 960))])
def test_of_very_wide_frames_three_times_their_height_counts(
    height: int, size: tuple[int, int]
) -> None:
    width = 1280 if height == 272 else 960
    frames = np.zeros((2, height, width, 3), np.uint8)
    with vs.scan(frames, kinds="cut") as run:
        assert run.frame_size == size

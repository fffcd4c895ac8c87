"""Signals of a time-lapse: the camera, the light and the colours of photos with known answers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from vfiscope import api, synth
from vfiscope.signals import SIGNALS, SignalFrame
from vfiscope.signals.colour_share import colour_share
from vfiscope.signals.photo_view import light_on_earlier, photo_on_earlier


def linked(frames: list[np.ndarray]) -> list[SignalFrame]:
    made: list[SignalFrame] = []
    for pixels in frames:
        frame = SignalFrame(np.ascontiguousarray(pixels), 8)
        frame = frame.linked(made[-1].alone() if made else None, None, ())
        photo_on_earlier(frame)
        made.append(frame)
    return made


@pytest.fixture(scope="module")
def lapse() -> synth.TimeLapse:
    return synth.TimeLapse(
        *(4, 150, 200), seed=5, flicker=0.05, bumps={1: (3.3, -2.2, 0.4)}, covered=(2,), growth=0.1
    )


@pytest.fixture(scope="module")
def frames(lapse: synth.TimeLapse) -> list[SignalFrame]:
    return linked(list(lapse.frames()))


def test_a_bump_is_measured_and_undone(frames: list[SignalFrame]) -> None:
    found = photo_on_earlier(frames[1])
    assert found is not None
    assert (found.x, found.y) == pytest.approx((3.3, -2.2), abs=0.15)
    assert found.rotation == pytest.approx(0.4, abs=0.04)
    assert found.scale == pytest.approx(1, abs=0.001)
    assert found.agreeing > 0.6
    assert found.residual < 0.5
    assert found.spread < 0.03
    assert found.changed == pytest.approx(0.02, abs=0.01)  # what the plants grew by


def test_light_is_measured_per_channel(lapse: synth.TimeLapse, frames: list[SignalFrame]) -> None:
    found = light_on_earlier(frames[1])
    assert found is not None
    assert found.light == pytest.approx(lapse.light(1) - lapse.light(0), abs=0.004)


def test_a_covered_photo_lies_on_none_and_the_next_on_the_one_before_it(
    lapse: synth.TimeLapse, frames: list[SignalFrame]
) -> None:
    assert photo_on_earlier(frames[2]) is None
    after = photo_on_earlier(frames[3])
    assert after is not None
    assert after.back == 2
    lit = light_on_earlier(frames[3])
    assert lit is not None
    assert lit.back == 3
    assert lit.light == pytest.approx(lapse.light(3) - lapse.light(0), abs=0.004)


def test_who_stood_before_the_camera_is_left_out_and_what_stays_is_not() -> None:
    lapse = synth.TimeLapse(4, 150, 200, seed=6, growth=0.0)
    frames = np.stack(list(lapse.frames()))
    frames[2, 30:, 60:150] = (140, 100, 90)
    stood, *_, after = linked([frames[0], frames[1], frames[2], frames[3]])[-2:]
    found = photo_on_earlier(stood), photo_on_earlier(after)
    assert [(each.back, round(each.changed, 1)) for each in found if each] == [(1, 0.4), (2, 0.0)]
    frames[3, 30:, 60:150] = (140, 100, 90)
    stays = photo_on_earlier(linked([frames[k] for k in range(4)])[-1])
    assert stays is not None
    assert (stays.back, stays.changed) == (1, 0)


def test_the_green_share_is_the_area_of_the_plants(lapse: synth.TimeLapse) -> None:
    for k in (0, 3):
        frame = SignalFrame(lapse.frame(k), 8)
        assert colour_share(frame, 1).share == pytest.approx(lapse.share(k), rel=0.06, abs=0.0005)


def test_a_leaf_has_its_place() -> None:
    bed = np.full((60, 80, 3), 120, np.uint8)
    bed[20:40, 10:30] = (60, 140, 60)
    found = colour_share(SignalFrame(bed, 8), 1)
    assert found == (400 / 4800, 19.5, 29.5)
    assert colour_share(SignalFrame(bed, 8), 0).share == 0


def test_noise_lies_on_nothing() -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (2, 64, 96, 3), dtype=np.uint8)
    assert photo_on_earlier(linked([*pixels])[1]) is None


@pytest.mark.slow
def test_dated_photos_have_these_signals_by_default(tmp_path: Path) -> None:
    synth.TimeLapse(3, 48, 64, seed=1).write(tmp_path / "bed")
    options = {"metrics": ("absdiff",), "device": "cpu"}
    dated = {name for name, signal in SIGNALS.items() if signal.dated}
    with api.scan(str(tmp_path / "bed"), **options) as run:
        assert dated <= set(run.signals)
        assert np.isnan(run.signals["photo_back"][0])
    with api.scan(str(tmp_path / "bed"), time_from="fps", **options) as run:
        assert not dated & set(run.signals)

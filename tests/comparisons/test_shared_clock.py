"""Times choose frames on one clock, the test's: its reference gives the frames of the same
numbers."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers.media import moving, noise, write_video

import vfiscope as vs
from vfiscope.errors import UsageError
from vfiscope.options import RunConfig
from vfiscope.scoring import pipeline
from vfiscope.store import differences
from vfiscope.types import Scores

N = 40
FRAMES = noise(N, 16, 16)
PLAIN: dict[str, Any] = {"metrics": ["psnr"], "maps": ["none"], "fields": ["none"]}


def video(path: Path, rate: Fraction | int, frames: Any = FRAMES) -> str:
    """The frames without loss; Matroska rounds their times to milliseconds, AVI does not."""
    return str(write_video(path, frames, rate=rate))


def in_range(times: np.ndarray[Any, Any], start: float, stop: float) -> list[int]:
    """The oracle: the frames whose time lies in the half-open range."""
    return np.flatnonzero((times >= start) & (times < stop)).tolist()


def scored(test: Any, ref: Any, **options: Any) -> vs.Run:
    return vs.score(test, ref=ref, **{**PLAIN, **options})


@pytest.mark.parametrize(
    ("start", "stop"), [("0.8s", None), (None, "0.8s"), ("0.4s", "1.2s"), (0.8, 30), (7, "0.8s")]
)
def test_images_against_a_video_of_another_rate(tmp_path: Path, start: Any, stop: Any) -> None:
    ref = video(tmp_path / "ref.avi", 30)
    times = np.arange(N) / 25
    low = 0 if start is None else 7 / 25 if start == 7 else float(str(start).rstrip("s"))
    high = 99 if stop is None else 30 / 25 if stop == 30 else float(str(stop).rstrip("s"))
    for test, other in ((FRAMES, ref), (ref, FRAMES)):
        clock = times if test is FRAMES else np.arange(N) / 30
        wanted = in_range(
            clock,
            7 / 30 if start == 7 and test is ref else low,
            1 if stop == 30 and test is ref else high,
        )
        with scored(test, other, start=start, stop=stop) as run:
            assert run.frames.index.tolist() == wanted
            assert run.frames.ref_index.tolist() == wanted
            assert np.isinf(run.scores["psnr"]).all()
            assert (run.status, run.pairing["ref_unpaired"]) == ("ok", 0)


def test_times_rounded_to_milliseconds_against_exact_ones(tmp_path: Path) -> None:
    rounded, exact = video(tmp_path / "a.mkv", 30), video(tmp_path / "b.avi", 30)
    for test, ref, first in ((rounded, exact, 20), (exact, rounded, 21)):
        with scored(test, ref, start="0.667s") as run:
            assert (
                run.frames.index.tolist() == run.frames.ref_index.tolist() == list(range(first, N))
            )
            assert np.isinf(run.scores["psnr"]).all()


def test_rates_within_the_tolerance(tmp_path: Path) -> None:
    frames = noise(1450, 2, 2)
    film = video(tmp_path / "a.mkv", Fraction(24000, 1001), frames)
    whole = video(tmp_path / "b.mkv", 24, frames)
    with scored(film, whole, start="60s", stop="60.2s") as run:
        assert (
            run.frames.index.tolist()
            == run.frames.ref_index.tolist()
            == [1439, 1440, 1441, 1442, 1443]
        )
        assert np.isinf(run.scores["psnr"]).all()


@pytest.mark.parametrize("batch", [1, 3, 8, 64])
@pytest.mark.parametrize("step", [1, 3])
def test_steps_and_batches(tmp_path: Path, step: int, batch: int) -> None:
    ref = video(tmp_path / "ref.avi", 30)
    wanted = list(range(10, 30))[::step]
    with scored(FRAMES, ref, start="0.4s", stop="1.2s", step=step, batch=batch, prefetch=1) as run:
        assert run.frames.index.tolist() == run.frames.ref_index.tolist() == wanted
        assert (
            run.sources[1]["frames_delivered"] == run.sources[0]["frames_delivered"] == len(wanted)
        )
        assert (
            run.sources[1]["frames_decoded"] == 31
        )  # the one at the stop tells that it is reached


@pytest.mark.slow
def test_the_frames_around_go_by_the_same_clock(tmp_path: Path) -> None:
    frames = moving(N, 48, 64)
    ref = video(tmp_path / "ref.avi", 30, frames)
    options = {
        "start": "0.4s",
        "stop": "0.8s",
        "metrics": ["psnr", "cosine_before"],
        "maps": ["none"],
    }
    for extra in ({}, {"multiplier": 2}):
        with scored(frames, ref, **options, **extra) as run:
            assert run.frames.index.tolist() == run.frames.ref_index.tolist() == list(range(10, 20))
            assert np.isinf(run.scores["psnr"]).all()


@pytest.mark.parametrize("shift", [3, 0, -3])
@pytest.mark.parametrize("stop", ["0.8s", 20])
def test_a_shift_ends_with_the_test(tmp_path: Path, shift: int, stop: Any) -> None:
    ref = video(tmp_path / "ref.avi", 30)
    with scored(FRAMES, ref, align=shift, stop=stop) as run:
        assert run.frames.index.tolist() == list(range(20))
        assert run.frames.ref_index.tolist() == [max(-1, i + shift) for i in range(20)]


def test_a_test_that_ends_before_its_stop_leaves_the_rest_to_the_reference_s_clock(
    tmp_path: Path,
) -> None:
    ref = video(tmp_path / "ref.avi", 30)
    with scored(FRAMES[:12], ref, start="0.2s", stop="1s") as run:
        assert run.frames.index.tolist() == run.frames.ref_index.tolist() == list(range(5, 12))
        assert run.pairing["ref_unpaired"] == 30 - 12
        assert run.status == "partial"


def test_a_start_behind_the_end_names_the_side(tmp_path: Path) -> None:
    ref = video(tmp_path / "ref.avi", 30, FRAMES[:15])
    with pytest.raises(
        UsageError,
        match=r"nothing of array is selected by start 2s and stop 3\.5s: it has 40 frames",
    ):
        scored(FRAMES, ref, start="2s", stop="3.5s")
    with pytest.raises(
        UsageError, match=r"nothing of .*ref\.avi is selected by start 20 and stop 1s"
    ):
        scored(FRAMES, ref, start="0.8s", stop="1s")


def test_by_pictures_each_side_has_its_own_clock(tmp_path: Path) -> None:
    """Of 30 frames a second in 60, one second is 30 frames of the one and 60 of the other."""
    frames = moving(120, 48, 64)
    test, ref = video(tmp_path / "a.avi", 30, frames[::2]), video(tmp_path / "b.avi", 60, frames)
    with scored(test, ref, align="auto", start="0.5s", stop="1.5s") as run:
        assert run.frames.index.tolist() == list(range(15, 45))
        assert run.frames.ref_index.tolist() == list(range(30, 90, 2))


def test_a_run_that_is_resumed_pairs_alike(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vfiscope.config.ROWS_PER_PART", 4)
    ref = video(tmp_path / "ref.avi", 30)
    config = RunConfig(
        "score",
        FRAMES,
        ref=ref,
        start="0.4s",
        stop="1.2s",
        batch=3,
        **{k: tuple(v) for k, v in PLAIN.items()},
    )

    def stop_after_ten(scores: Any, *_: Any) -> Any:
        rows = 0
        for each in scores:
            assert isinstance(each, Scores)
            yield each
            rows += len(each)
            if rows > 10:
                raise KeyboardInterrupt

    whole, resumed = (
        config.replace(out=str(tmp_path / name)) for name in ("whole.h5", "resumed.h5")
    )
    pipeline.run(whole).close()
    with pytest.raises(KeyboardInterrupt):
        pipeline.run(resumed, watch=stop_after_ten)
    with pipeline.run(resumed) as run:
        assert run.frames.ref_index.tolist() == list(range(10, 30))
    assert differences(tmp_path / "whole.h5", tmp_path / "resumed.h5") == []

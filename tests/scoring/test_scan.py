"""Scans against a golden frame or the frames before, and comparisons of one pair."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from helpers.ghosted_runs import N

import vfiscope as vs
from vfiscope import synth
from vfiscope.errors import (
    SourceError,
    UsageError,
)
from vfiscope.types import Status


def test_scan_against_a_golden_frame(media: Path) -> None:
    with vs.scan(
        str(media / "truth.mp4"), golden=4, metrics="psnr,absdiff", maps="none", fields="none"
    ) as run:
        np.testing.assert_array_equal(run.frames.ref_index, np.full(N, 4))
        assert run.scores["absdiff"][4] == 0
        assert np.isinf(run.scores["psnr"][4])
        assert np.isfinite(run.scores["psnr"][[3, 5]]).all()


@pytest.mark.slow
def test_scan_against_the_frames_before(media: Path) -> None:
    with vs.scan(str(media / "truth.mp4"), lag=3) as run:
        np.testing.assert_array_equal(run.frames.ref_index, [-1, -1, -1, *range(N - 3)])
        np.testing.assert_array_equal(run.frames.status[:4], [Status.UNPAIRED] * 3 + [Status.OK])
        assert np.isnan(run.scores["ssim"][:3]).all()
        assert np.isnan(run.maps["mismatch"][0:3]).all()
        assert np.isfinite(run.scores["ssim"][3:]).all()
        assert run.status == "ok"


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"ref": "x.mp4"}, UsageError, "ref has no effect in mode scan"),
        ({"golden": 0, "lag": 2}, UsageError, "golden and lag"),
        ({"golden": "²"}, SourceError, "²"),
        ({"golden": "{m}/truth"}, UsageError, "not one image"),
        ({"golden": "{m}/truth.mp4"}, UsageError, "not one image"),
    ],
)
def test_a_scan_with_an_impossible_partner_is_refused(
    media: Path, options: dict[str, object], error: type[Exception], message: str
) -> None:
    given = {
        name: value.format(m=media) if isinstance(value, str) else value
        for name, value in options.items()
    }
    with pytest.raises(error, match=message):
        vs.scan(str(media / "test.mp4"), **given)


def test_a_golden_frame_that_cannot_be_decoded_is_refused(tmp_path: Path) -> None:
    first, *_ = synth.write_images(tmp_path / "seq", synth.Scene(48, 64).frames(3))
    first.write_bytes(first.read_bytes()[:200])
    with pytest.raises(SourceError, match=r"golden frame .* cannot be decoded"):
        vs.scan(str(tmp_path / "seq"), golden=0)


def test_a_sequence_no_longer_than_the_lag_is_refused_and_leaves_nothing(
    media: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vfiscope.config.ROWS_PER_PART", 8)
    out = tmp_path / "a.h5"
    chosen = {"metrics": "psnr", "out": str(out)}
    with pytest.raises(
        UsageError, match=f"^lag is {N}, but the sequence has {N} frames: pass a smaller one$"
    ):
        vs.scan(str(media / "truth.mp4"), lag=N, **chosen)
    with pytest.raises(
        UsageError, match=r"^lag is 8, but the sequence has 5 frames: pass a smaller one$"
    ):
        vs.scan(str(media / "truth.mp4"), lag=8, stop=5, **chosen)
    assert list(tmp_path.iterdir()) == []
    with vs.scan(str(media / "truth.mp4"), lag=N - 1, **chosen) as run:
        assert run.summary()["frames"]["scored"] == 1


@pytest.mark.parametrize(
    ("depth", "metric", "size"),
    [
        (np.uint8, "psnr", 3 * 60 * 80),
        (np.uint16, "psnr", 2 * 3 * 60 * 80),
        (
            np.uint8,
            "cosine",
            3 * 60 * 80 + 4 * (135 + 14 * 14) * 4 * 5,
        ),  # dsift: 135 numbers and 14 x 14 of luma for each patch; the frame's are the same
    ],
)
def test_a_lag_that_would_fill_the_memory_is_refused(depth: type, metric: str, size: int) -> None:
    frames = np.zeros((4, 60, 80, 3), depth)
    options = {
        "metrics": [metric],
        "maps": ["none"],
        "fields": ["none"],
        "embedder": "dsift",
        "size": 56,
    }
    most = 2**32 // size
    with pytest.raises(
        UsageError,
        match=rf"lag {most + 1} holds .* 80x60 .*4\.0 GiB.* 4 GiB .*--lag {most} or less",
    ):
        vs.scan(frames, lag=most + 1, **options)
    with pytest.raises(UsageError, match=f"lag is {most}, but the sequence has 4 frames"):
        vs.scan(frames, lag=most, **options)


def test_compare_two_arrays() -> None:
    ref = np.full((32, 32, 3), 10, np.uint8)
    with vs.compare(ref + 3, ref, metrics=["mse", "psnr"], maps=["none"], fields=["none"]) as run:
        assert run.scores["mse"].tolist() == [9.0]
        assert run.scores["psnr"][0] == pytest.approx(10 * np.log10(255**2 / 9), abs=1e-4)

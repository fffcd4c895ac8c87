"""Pairs of another shape or with black bars: what is advised, and that what they show counts."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from helpers.media import Array, write_video

import vfiscope as vs
from vfiscope import synth
from vfiscope.errors import PairingError, SourceError, UsageError
from vfiscope.inspection.doctor import diagnose
from vfiscope.options import RunConfig
from vfiscope.scoring import pipeline
from vfiscope.sources import open_source
from vfiscope.sources.shape import same_shape, shape_of
from vfiscope.types import Code, Note
from vfiscope.views.comparable import obstacles

H, W, N = 72, 96, 8
REF = np.stack(list(synth.Scene(H, W, seed=5, objects=1).frames(N)))
TEST = np.clip(REF.astype(int) + np.random.default_rng(0).integers(-3, 4, REF.shape), 0, 255)
TEST = TEST.astype(np.uint8)
LEAN: dict[str, Any] = {"metrics": "psnr", "maps": "none", "fields": "none"}


def framed(frames: Array, *, rows: int = 0, columns: int = 0, level: int = 0) -> Array:
    out = np.full_like(frames, level)
    inside = slice(rows, H - rows), slice(columns, W - columns)
    out[:, inside[0], inside[1]] = frames[:, inside[0], inside[1]]
    return out


def psnr(test: Array, ref: Array) -> Array:
    """(N,) of the pixels themselves."""
    mse = np.mean((test.astype(float) - ref) ** 2, axis=(1, 2, 3))
    return np.asarray(10 * np.log10(255**2 / mse), np.float32)


def codes(run: vs.Run) -> list[str]:
    return [note.code for note in run.coded_warnings]


@pytest.mark.parametrize("rows", [9, 14])
def test_the_content_of_a_letterbox_is_scored(rows: int) -> None:
    content = slice(rows, H - rows)
    test, ref = TEST[:, content], framed(REF, rows=rows)
    with pytest.raises(PairingError, match=f"ref has black bars .top {rows}.*--crop bars to leave"):
        vs.score(test, ref=ref, **LEAN)
    run = vs.score(test, ref=ref, crop="bars", **LEAN)
    assert np.allclose(run.scores["psnr"], psnr(test, REF[:, content]), atol=1e-4)
    assert run.frame_size == (H - 2 * rows, W)
    assert codes(run) == []
    by_hand = vs.score(test, ref=ref, crop_ref=(0, rows, W, H - 2 * rows), **LEAN)
    assert np.array_equal(by_hand.scores["psnr"], run.scores["psnr"])


def test_a_pillarbox_not_quite_black() -> None:
    test, ref = framed(TEST, columns=12, level=17), REF
    run = vs.score(test, ref=ref, **LEAN)
    assert codes(run) == ["bars_differ"]
    assert "test has black bars (left 12, right 12 px), ref has none" in run.warnings[0]
    run = vs.score(test, ref=ref, crop="bars", **LEAN)
    inside = slice(12, W - 12)
    assert np.allclose(run.scores["psnr"], psnr(TEST[:, :, inside], REF[:, :, inside]), atol=1e-4)


def test_bars_of_another_height_leave_what_both_show() -> None:
    test, ref = framed(TEST, rows=12), framed(REF, rows=9)
    assert codes(vs.score(test, ref=ref, **LEAN)) == ["bars_differ"]
    run = vs.score(test, ref=ref, crop="bars", **LEAN)
    inside = slice(12, H - 12)
    assert np.allclose(run.scores["psnr"], psnr(TEST[:, inside], REF[:, inside]), atol=1e-4)
    assert [source["crop"] for source in run.sources] == [[0, 12, W, H - 24]] * 2
    assert codes(vs.score(framed(TEST, rows=9), ref=ref, **LEAN)) == []


def test_bars_around_a_smaller_copy_go_before_it_is_resized() -> None:
    small = np.stack([cv2.resize(f, (W // 2, H // 2), interpolation=cv2.INTER_AREA) for f in REF])
    test = np.zeros((N, H // 2 + 16, W // 2, 3), np.uint8)
    test[:, 8:-8] = small
    with pytest.raises(PairingError, match=r"--crop bars --resize FILTER$"):
        vs.score(test, ref=REF, **LEAN)
    run = vs.score(test, ref=REF, crop="bars", resize="bilinear", **LEAN)
    plain = vs.score(small, ref=REF, resize="bilinear", **LEAN)
    assert np.array_equal(run.scores["psnr"], plain.scores["psnr"])
    assert codes(run) == codes(plain) == []


def test_a_stretch_is_never_advised_and_always_said() -> None:
    test = REF[:, 6:-6]
    with pytest.raises(PairingError, match=r"1.6:1 and 1.33:1.*--register sift$"):
        vs.score(test, ref=REF, **LEAN)
    run = vs.score(test, ref=REF, resize="area", **LEAN)
    assert codes(run) == ["resize_stretches"]
    assert "from 96x60 (1.6:1) to 96x72 (1.33:1)" in run.warnings[0]
    with pytest.raises(PairingError, match=r"pass --resize FILTER to bring the test to that size$"):
        vs.score(REF[:, ::2, ::2], ref=REF, **LEAN)


def test_pixels_that_are_not_square_keep_their_shape() -> None:
    with open_source(REF[:, :, ::2]) as half, open_source(REF) as whole:
        wide = replace(half.info, notes=(Note(Code.PIXELS_NOT_SQUARE, {"aspect": "2:1"}),))
        shown = shape_of(whole.info, whole.size)
        assert not same_shape(shape_of(half.info, half.size), shown)
        assert same_shape(shape_of(wide, half.size), shown)


def test_a_cropped_run_shows_and_finds_what_it_scored(tmp_path: Path) -> None:
    test = write_video(tmp_path / "test.mkv", framed(TEST, rows=12))
    ref = write_video(tmp_path / "ref.mkv", framed(REF, rows=9))
    out = tmp_path / "a.h5"
    asked = {"metrics": ("psnr",), "maps": ("absdiff",), "fields": ("none",), "out": str(out)}
    with vs.score(test, ref=ref, crop="bars", **asked) as run:
        shown = vs.frames_of(run, [3, 1])
        assert np.array_equal(shown.interleaved, TEST[[3, 1], 12:-12])
        assert np.array_equal(vs.frames_of(run, [2], "ref").interleaved, REF[[2], 12:-12])
        x, y, _, height = run.maps["absdiff"].box(0, 0)
        assert (x, y) == (0, 0)
        assert (height * run.maps["absdiff"].shape[1], run.frame_size) == (H - 24, (H - 24, W))
    config = RunConfig("score", str(test), str(ref), crop="bars", **asked)
    assert pipeline.finished(config) is not None
    assert pipeline.finished(config.replace(crop="0,12,96,40")) is None
    assert pipeline.finished(config.replace(crop=None)) is None


def test_a_box_leaves_out_a_clock_in_a_scan() -> None:
    clocked = REF.copy()
    clocked[:, :10] = np.random.default_rng(1).integers(0, 256, (N, 10, W, 3))
    run = vs.scan(clocked[[0, 0, 0]], golden=0, crop=(0, 10, W, H - 10), **LEAN)
    assert np.isinf(run.scores["psnr"]).all()
    run = vs.scan(REF, golden=REF[0], crop=(0, 10, W, H - 10), **LEAN)
    assert np.isinf(run.scores["psnr"][0])
    assert run.frame_size == (H - 10, W)


@pytest.mark.parametrize(
    ("options", "error", "says"),
    [
        ({"crop": "1,2,3"}, UsageError, "crop is '1,2,3': pass X,Y,W,H, or bars"),
        ({"crop": "0,0,0,8"}, UsageError, "pass X,Y,W,H, or bars"),
        ({"crop": (0, 70, 96, 10)}, UsageError, "frames of array are 96x72: pass X,Y,W,H inside"),
        ({"crop_ref": "0,0,90,72"}, PairingError, "boxes of one shape to --crop and --crop-ref"),
    ],
)
def test_a_box_that_cannot_be_is_refused(
    options: dict[str, Any], error: type[Exception], says: str
) -> None:
    with pytest.raises(error, match=says):
        vs.score(TEST, ref=REF, **LEAN, **options)


def test_a_box_without_its_side_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="crop_ref is '0,0,8,8' without a reference"):
        vs.scan(REF, golden=0, crop_ref="0,0,8,8", **LEAN)
    folder = tmp_path / "mixed"
    synth.write_images(folder, REF[:2])
    cv2.imwrite(str(folder / "z.png"), REF[0, ::2, ::2])
    with pytest.raises(SourceError, match="use --resize area without --crop"):
        vs.scan(str(folder), golden=0, crop="0,0,8,8", resize="area", **LEAN)


def test_the_doctor_finds_bars_and_shapes(tmp_path: Path) -> None:
    test = write_video(tmp_path / "test.mkv", framed(TEST, rows=12))
    ref = write_video(tmp_path / "ref.mkv", framed(REF, rows=9))
    cut = write_video(tmp_path / "cut.mkv", TEST[:, 9:-9])
    said = {(f.where, f.what): f.detail for f in diagnose(str(test), str(ref)).findings}
    assert said["pair", "black bars differ"] == "test top 12, bottom 12 px, ref top 9, bottom 9 px"
    assert said["ref", "black bars"] == "top 9, bottom 9 px"
    (shape,) = [f for f in diagnose(str(cut), str(ref)).findings if f.what == "shape differs"]
    assert "--resize alone would stretch" in shape.detail


def test_bars_of_a_golden_image_and_of_a_later_start() -> None:
    golden = framed(REF[:1], rows=9)[0]
    run = vs.scan(framed(TEST, rows=9), golden=golden, start=3, crop="bars", **LEAN)
    assert [source["crop"] for source in run.sources] == [[0, 9, W, H - 18]] * 2
    assert run.frames.index.tolist() == list(range(3, N))


def test_bars_are_found_in_the_frames_of_a_start_in_real_time(tmp_path: Path) -> None:
    for number, pixels in enumerate(framed(TEST[:4], rows=9)):
        cv2.imwrite(str(tmp_path / f"cam_20240501_12{number:02}30.png"), pixels[..., ::-1])
    with pytest.raises(UsageError, match="is selected by start 120s"):
        vs.scan(str(tmp_path), start="120s", crop="bars", time_from="fps", **LEAN)
    run = vs.scan(str(tmp_path), start="120s", crop="bars", **LEAN)
    assert run.frames.index.tolist() == [2, 3]
    assert run.sources[0]["crop"] == [0, 9, W, H - 18]


def test_runs_with_other_boxes_are_not_ranked_together(tmp_path: Path) -> None:
    boxes = ("0,0,96,72", "0,10,96,50")
    runs = [vs.score(TEST, ref=REF, crop=box, **LEAN) for box in boxes]
    told = obstacles(runs, ["whole", "cropped"])
    assert any("crops of the reference" in each for each in told)

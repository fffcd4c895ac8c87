"""The whole way: real files in, one result out, the same whatever the batch, the threads or an
interruption."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

import vfiscope as vs
from vfiscope import synth
from vfiscope.config import RunConfig
from vfiscope.errors import (
    EmbedderError,
    OutputExistsError,
    PairingError,
    ResumeError,
    SourceError,
    UsageError,
)
from vfiscope.scoring import pipeline
from vfiscope.sources import array
from vfiscope.store import differences
from vfiscope.types import Role, Status

N = 30


@pytest.fixture(scope="module")
def media(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """truth.mp4 and test.mp4, 30 frames of 96x128, the test ghosted in [10, 16)."""
    folder = tmp_path_factory.mktemp("media")
    clip = synth.Scene(96, 128, seed=2).clip(N)
    synth.write_video(folder / "truth.mp4", clip.frames, crf=12)
    synth.write_video(folder / "test.mp4", synth.ghost(clip, 10, 16, distance=5).frames, crf=14)
    synth.write_images(folder / "truth", clip.frames[:8])
    synth.write_images(folder / "test", synth.noise(clip, 0, N, sigma=4).frames[:8])
    return folder


def score(media: Path, out: Path | None = None, **options: object) -> vs.Run:
    return vs.score(
        str(media / "test.mp4"),
        ref=str(media / "truth.mp4"),
        out=None if out is None else str(out),
        **options,
    )


def test_a_video_is_scored_into_one_file(media: Path, tmp_path: Path) -> None:
    with score(media, tmp_path / "a.h5") as run:
        assert run.mode == "score"
        assert run.status == "ok"
        np.testing.assert_array_equal(run.frames.index, np.arange(N))
        np.testing.assert_array_equal(run.frames.ref_index, np.arange(N))
        np.testing.assert_allclose(run.frames.time_s, np.arange(N) / 25, atol=1e-9)
        assert list(run.scores) == ["cosine", "mismatch", "psnr", "ssim"]
        h, w = run.maps["mismatch"].shape[1:]
        assert run.fields["motion"].shape == (N, 2, h, w)
        np.testing.assert_allclose(
            np.mean(run.maps["mismatch"][0:N], axis=(1, 2)),
            run.scores["mismatch"],
            rtol=2e-3,
            atol=1e-6,
        )
        assert {(s.start, s.stop) for s in run.segments if s.metric in ("psnr", "ssim")} == {
            (10, 16)
        }
        assert [s["role"] for s in run.sources] == ["test", "ref"]
        assert all(s["frames_decoded"] == N for s in run.sources)
    assert [path.name for path in tmp_path.iterdir()] == ["a.h5"]


def test_scores_equal_scikit_image(media: Path) -> None:
    files = [str(media / name / "*.png") for name in ("test", "truth")]
    with vs.score(files[0], ref=files[1], metrics="psnr,ssim", maps="none", fields="none") as run:
        for i in range(8):
            test, ref = (vs.open_source(name).__enter__() for name in files)
            a, b = (np.concatenate([f.interleaved for f in s])[i] for s in (test, ref))
            luma = np.array([0.299, 0.587, 0.114])
            assert run.scores["psnr"][i] == pytest.approx(peak_signal_noise_ratio(b, a), abs=1e-4)
            _, full = structural_similarity(
                a @ luma,
                b @ luma,
                data_range=255,
                gaussian_weights=True,
                sigma=1.5,
                use_sample_covariance=False,
                full=True,
            )
            assert run.scores["ssim"][i] == pytest.approx(full[5:-5, 5:-5].mean(), abs=1e-5)


def test_identical_inputs_reach_the_identity_exactly(media: Path) -> None:
    path = str(media / "truth.mp4")
    with vs.score(
        path, ref=path, metrics="mse,psnr,psnr_y,ssim,ssim_rgb,gmsd,absdiff,cosine,mismatch"
    ) as run:
        for name, spec in run.specs.items():
            np.testing.assert_array_equal(
                run.scores[name], np.full(N, spec.identity, np.float32), err_msg=name
            )
        assert not run.maps["mismatch"][0:N].any()
        assert not run.fields["motion"][0:N].any()
        assert run.segments == []
        summary = run.summary()
        assert summary["metrics"]["psnr"]["infinite"] == N
        json.dumps(summary, allow_nan=False)


@pytest.mark.parametrize("batch", [1, 7, 64])
def test_batch_threads_and_prefetch_change_nothing(media: Path, tmp_path: Path, batch: int) -> None:
    metrics = "mse,psnr,psnr_y,ssim,ssim_rgb,gmsd,absdiff,cosine,mismatch"
    score(media, tmp_path / "a.h5", metrics=metrics).close()
    threads = torch.get_num_threads()
    torch.set_num_threads(1 if batch == 7 else threads)
    try:
        score(media, tmp_path / "b.h5", metrics=metrics, batch=batch, prefetch=5).close()
    finally:
        torch.set_num_threads(threads)
    assert differences(tmp_path / "a.h5", tmp_path / "b.h5") == []


def test_pixel_maps_have_a_grid_of_their_own(media: Path) -> None:
    with score(media, metrics="ssim,absdiff", maps="ssim,absdiff,mismatch") as run:
        assert run.maps["ssim"].shape == run.maps["absdiff"].shape == (N, 6, 8)
        assert run.maps["mismatch"].shape == (N, 28, 37)
        np.testing.assert_allclose(
            run.maps["absdiff"][0:N].mean((1, 2)), run.scores["absdiff"], rtol=1e-3, atol=1e-6
        )
        assert list(run.maps) == ["ssim", "absdiff", "mismatch"]
    with vs.scan(
        str(media / "truth.mp4"), lag=2, metrics="ssim", maps="ssim", fields="none"
    ) as run:
        assert run.embedder is None
        assert np.isnan(run.maps["ssim"][0:2]).all()
        assert np.isfinite(run.maps["ssim"][2]).all()


def test_scan_against_a_golden_frame(media: Path) -> None:
    with vs.scan(
        str(media / "truth.mp4"), golden=4, metrics="psnr,absdiff", maps="none", fields="none"
    ) as run:
        np.testing.assert_array_equal(run.frames.ref_index, np.full(N, 4))
        assert run.scores["absdiff"][4] == 0
        assert np.isinf(run.scores["psnr"][4])
        assert np.isfinite(run.scores["psnr"][[3, 5]]).all()


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
        ({"ref": "x.mp4"}, UsageError, "ref means nothing in mode scan"),
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


def test_a_link_to_nothing_keeps_its_row(tmp_path: Path) -> None:
    paths = synth.write_images(tmp_path / "seq", synth.Scene(48, 64).frames(4))
    paths[2].unlink()
    paths[2].symlink_to("nowhere.png")
    with vs.scan(
        str(tmp_path / "seq"), golden=0, metrics="psnr", maps="none", fields="none"
    ) as run:
        assert run.frames.status.tolist() == [0, 0, Status.UNREADABLE, 0]
        assert run.status == "partial"


def test_a_metric_without_a_value_makes_a_run_partial(media: Path) -> None:
    chosen = {"metrics": "psnr,ms_ssim", "maps": "none", "fields": "none"}
    with vs.score(str(media / "test"), ref=str(media / "truth"), **chosen) as run:
        assert run.status == "partial"
        assert run.notes == ["ms_ssim is defined for no frame"]


def test_an_output_that_is_an_input_is_refused(media: Path, tmp_path: Path) -> None:
    clip = tmp_path / "clip.mp4"
    clip.write_bytes((media / "test.mp4").read_bytes())
    (tmp_path / "link.h5").symlink_to(clip)
    with pytest.raises(UsageError, match="is an input of the same run"):
        vs.scan(str(clip), out=str(tmp_path / "link.h5"), overwrite=True)
    assert clip.read_bytes() == (media / "test.mp4").read_bytes()
    (tmp_path / "notes.h5").write_text("mine")
    with pytest.raises(OutputExistsError, match="is no result"):
        vs.scan(str(clip), out=str(tmp_path / "notes.h5"), overwrite=True)
    assert (tmp_path / "notes.h5").read_text() == "mine"
    with pytest.raises(UsageError, match=r"give a name that ends in \.h5"):
        vs.scan(str(clip), out=str(clip), overwrite=True)


def test_a_sequence_no_longer_than_the_lag_is_refused_and_leaves_nothing(
    media: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vfiscope.config.ROWS_PER_PART", 8)
    out = tmp_path / "a.h5"
    chosen = {"metrics": "psnr", "out": str(out)}
    with pytest.raises(
        UsageError, match=f"^lag is {N}, but the sequence has {N} frames: give a smaller one$"
    ):
        vs.scan(str(media / "truth.mp4"), lag=N, **chosen)
    with pytest.raises(
        UsageError, match=r"^lag is 8, but the sequence has 5 frames: give a smaller one$"
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
            3 * 60 * 80 + 4 * 135 * 4 * 5,
        ),  # dsift: 135 numbers for each patch, and the frame's are the same
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


def test_the_shorter_side_is_reported_and_stored(media: Path) -> None:
    test, ref = np.zeros((5, 16, 16, 3), np.uint8), np.zeros((3, 16, 16, 3), np.uint8)
    chosen = {"metrics": "psnr", "maps": "none", "fields": "none"}
    with vs.score(test, ref=ref, **chosen) as run:
        assert run.frames.ref_index.tolist() == [0, 1, 2, -1, -1]
        assert run.status == "partial"
        assert run.pairing["test_unpaired"] == 2
        assert "2 test frames have no partner" in run.notes[0]
    with vs.score(ref, ref=test, **chosen) as run:
        assert len(run.frames) == 3
        assert run.status == "partial"
        assert run.pairing["ref_unpaired"] == 2


def test_start_stop_and_step_select_the_same_frames_on_both_sides(media: Path) -> None:
    with score(media, metrics="psnr", maps="none", fields="none") as whole:
        everything = whole.scores["psnr"]
    with score(
        media, metrics="psnr", maps="none", fields="none", start=5, stop="0.8s", step=4
    ) as run:
        assert run.frames.index.tolist() == [5, 9, 13, 17]
        assert run.frames.ref_index.tolist() == [5, 9, 13, 17]
        np.testing.assert_array_equal(run.scores["psnr"], everything[5:20:4])
        counted = [
            (source["frames_expected"], source["frames_delivered"]) for source in run.sources
        ]
        assert counted == [(N, 4), (N, 4)]


def test_sizes_that_differ_are_refused_unless_resized(media: Path) -> None:
    small, large = np.zeros((2, 16, 16, 3), np.uint8), np.zeros((2, 20, 24, 3), np.uint8)
    with pytest.raises(PairingError, match=r"16x16.*24x20.*--resize"):
        vs.score(small, ref=large)
    with vs.score(
        small, ref=large, resize="bicubic", metrics="psnr", maps="none", fields="none"
    ) as run:
        assert np.isinf(run.scores["psnr"]).all()


def test_an_unreadable_image_keeps_its_row(media: Path, tmp_path: Path) -> None:
    frames = synth.Scene(48, 64).clip(5).frames
    for side in ("test", "ref"):
        synth.write_images(tmp_path / side, frames)
    (tmp_path / "test" / "frame_0002.png").write_bytes(
        (tmp_path / "test" / "frame_0002.png").read_bytes()[:300]
    )
    with vs.score(str(tmp_path / "test"), ref=str(tmp_path / "ref")) as run:
        assert run.frames.status.tolist() == [0, 0, Status.UNREADABLE, 0, 0]
        assert np.isnan(run.scores["psnr"]).tolist() == [False, False, True, False, False]
        assert np.isnan(run.maps["mismatch"][2]).all()
        assert run.status == "partial"
        assert run.summary()["frames"]["unreadable"] == 1


def test_a_corrupt_frame_without_a_partner_is_not_scored(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every second frame is nearly as it was, which is said and decides nothing."""
    truth = np.random.default_rng(0).integers(0, 200, (14, 20, 20, 3)).astype(np.uint8)
    test = truth + np.where(np.arange(14) % 2, 20, 1).astype(np.uint8)[:, None, None, None]
    paint = array._paint

    def painted(frame: Any, name: str, out: Any) -> Status:
        paint(frame, name, out)
        return Status.CORRUPT if np.array_equal(frame, test[13]) else Status.OK

    monkeypatch.setattr(array, "_paint", painted)
    with vs.score(test, ref=truth[:12], metrics=["psnr"], maps=["none"], fields=["none"]) as run:
        assert run.frames.status.tolist() == [0] * 12 + [Status.UNPAIRED, Status.CORRUPT]
        assert run.frames.role.tolist() == [Role.UNKNOWN] * 14
        assert [warning.partition(" than")[0] for warning in run.warnings] == [
            "one frame in 2, from 0 on, is much better in psnr"
        ]
        assert run.summary()["frames"] == {
            "scored": 12,
            "unpaired": 2,
            "corrupt": 1,
            "unreadable": 0,
            "total": 14,
        }


def test_a_video_that_is_cut_short_is_partial(media: Path, tmp_path: Path) -> None:
    whole = (media / "test.mp4").read_bytes()
    (tmp_path / "cut.mp4").write_bytes(whole[: len(whole) * 2 // 3])
    path = str(tmp_path / "cut.mp4")
    with vs.scan(path, metrics="psnr", maps="none", fields="none") as run:
        (source,) = run.sources
        lost = source["frames_expected"] - len(run.frames) - source["frames_undecodable"]
        assert source["frames_expected"] == N
        assert len(run.frames) == source["frames_decoded"] + source["frames_unreadable"] < N
        assert run.status == "partial"
        assert any(
            f"{lost} frames that test {path} claims are not there" in note for note in run.notes
        ) == (lost > 0)
    with vs.scan(path, stop=3, metrics="psnr", maps="none", fields="none") as run:
        assert run.frames.status.tolist() == [Status.UNPAIRED, Status.OK, Status.OK]
        assert not any("claims are not there" in note for note in run.notes)


def test_a_failed_run_without_an_output_leaves_nothing(
    media: Path, tmp_path: Path, monkeypatch
) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with pytest.raises(UsageError):
        vs.scan(str(media / "test.mp4"), golden=99)
    assert list(tmp_path.iterdir()) == []
    run = vs.scan(str(media / "test.mp4"), metrics="psnr", maps="none", fields="none")
    assert len(list(tmp_path.iterdir())) == 1
    run.close()
    assert list(tmp_path.iterdir()) == []


def test_a_result_that_exists_is_left_alone(media: Path, tmp_path: Path) -> None:
    score(media, tmp_path / "a.h5", metrics="psnr", maps="none", fields="none").close()
    before = (tmp_path / "a.h5").read_bytes()
    with pytest.raises(OutputExistsError, match="--overwrite"):
        score(media, tmp_path / "a.h5", metrics="ssim")
    assert (tmp_path / "a.h5").read_bytes() == before
    score(
        media, tmp_path / "a.h5", metrics="ssim", maps="none", fields="none", overwrite=True
    ).close()
    with vs.open_run(tmp_path / "a.h5") as run:
        assert list(run.scores) == ["ssim"]


def test_is_done_knows_the_same_work(media: Path, tmp_path: Path) -> None:
    config = RunConfig(
        "score",
        str(media / "test.mp4"),
        str(media / "truth.mp4"),
        out=str(tmp_path / "a.h5"),
        metrics=("psnr",),
    )
    assert not pipeline.is_done(config)
    pipeline.run(config).close()
    assert pipeline.is_done(config)
    assert pipeline.is_done(config.replace(batch=3))
    assert not pipeline.is_done(config.replace(step=2))


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"metrics": "psrn"}, UsageError, "no metric 'psrn'"),
        ({"maps": "x"}, UsageError, "no map 'x'"),
        ({"fields": "x"}, UsageError, "no field 'x'"),
        ({"metrics": ""}, UsageError, "metrics is empty"),
        ({"batch": 0}, UsageError, "batch is 0"),
        ({"pool": "max"}, UsageError, "pool is 'max'"),
        ({"aspect": "crop"}, UsageError, "aspect is 'crop': choose one of keep, stretch"),
        ({"window": 0}, UsageError, "window is 0: give a number from 1 to 16384"),
        ({"window": "3"}, UsageError, "window is '3': give a whole number of patches"),
        ({"precise": 1}, UsageError, "precise is 1: give true or false"),
        ({"colour": 1}, UsageError, "no option 'colour'"),
        ({"lag": 2}, UsageError, "lag means nothing in mode score"),
        ({"golden": 2}, UsageError, "golden means nothing"),
        ({"size": "14"}, UsageError, "size is '14'"),
        ({"fps": None}, UsageError, "fps is None"),
        ({"fps": 1e7}, UsageError, "fps is 10000000.0"),
        ({"batch": 10**9}, UsageError, "batch is 1000000000"),
        ({"batch": True}, UsageError, "batch is True"),
        ({"metrics": 5}, UsageError, "metrics is 5"),
        ({"embedder": [1]}, UsageError, r"embedder is \[1\]"),
        (
            {"embedder": "nonsense", "metrics": "psnr", "maps": "none", "fields": "none"},
            EmbedderError,
            "nonsense",
        ),
        ({"flag": ["ssim <"]}, UsageError, "ssim <"),
        ({"flag": ["mean(ssim) < 1"]}, UsageError, "--fail-on"),
        ({"flag": ["gmsd < 1"]}, UsageError, "no metric 'gmsd'"),
        ({"fail_on": ["gmsd < 1"]}, UsageError, "no metric 'gmsd'"),
        ({"source": "low.mp4"}, UsageError, "source and ref are two ways"),
        ({"ref": None, "multiplier": 2, "step": 3}, UsageError, "step is 3 beside multiplier"),
        ({"multiplier": "24:60"}, UsageError, "multiplier is 5/2: without source"),
        (
            {"flag": ["psnr of passed < 1"]},
            UsageError,
            "about passed frames, and here none are told apart",
        ),
        (
            {"fail_on": ["mean(psnr of synthesised) < 1"]},
            UsageError,
            "or leave 'of synthesised' out",
        ),
        ({"multiplier": "fast"}, UsageError, "multiplier is 'fast'"),
        ({"multiplier": 0.5}, UsageError, "multiplier is 0.5"),
        ({"ref": None, "source": "nowhere.mp4"}, SourceError, "nowhere.mp4"),
        (
            {"ref": None, "source": "nowhere.mp4", "step": 2},
            UsageError,
            "step and align do not go with source",
        ),
        ({"ref": "nowhere.mp4"}, SourceError, "nowhere.mp4"),
        ({"start": "soon"}, UsageError, "soon"),
    ],
)
def test_wrong_options_are_one_line_and_leave_nothing(
    media: Path, tmp_path: Path, options: dict[str, object], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message) as caught:
        vs.score(
            str(media / "test.mp4"),
            **{"ref": str(media / "truth.mp4"), "out": str(tmp_path / "a.h5"), **options},
        )
    assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_changed_settings_refuse_to_resume(media: Path, tmp_path: Path) -> None:
    interrupted(media, tmp_path / "a.h5")
    with pytest.raises(ResumeError, match=r"step: 1 -> 2.*--no-resume"):
        score(media, tmp_path / "a.h5", metrics="psnr", step=2)
    score(media, tmp_path / "a.h5", metrics="psnr", step=2, resume=False).close()
    with vs.open_run(tmp_path / "a.h5") as run:
        assert len(run.frames) == 15


@pytest.mark.parametrize(("tonemap", "said"), [("hable", 1), ("none", 0), (None, 0)])
def test_a_tone_map_for_what_is_not_hdr_is_said(
    media: Path, caplog: pytest.LogCaptureFixture, tonemap: str | None, said: int
) -> None:
    caplog.set_level("WARNING", "vfiscope")
    score(media, metrics="psnr", tonemap=tonemap).close()
    assert [text for text in caplog.messages if "tonemap" in text] == [
        "warning: no score depends on --tonemap hable: neither test nor ref is HDR"
    ] * said
    caplog.clear()
    vs.scan(str(media / "test.mp4"), metrics="psnr", tonemap=tonemap).close()
    assert [text for text in caplog.messages if "tonemap" in text] == [
        "warning: no score depends on --tonemap hable: test is not HDR"
    ] * said


def interrupted(media: Path, out: Path) -> None:
    """Leave a run as Ctrl-C would after 20 rows in blocks of 8."""

    def stop_at_20(scores, _info, _done):  # type: ignore[no-untyped-def]
        rows = 0
        for batch in scores:
            yield batch
            rows += len(batch)
            if rows >= 20:
                raise KeyboardInterrupt

    config = RunConfig(
        "score", str(media / "test.mp4"), str(media / "truth.mp4"), out=str(out), metrics=("psnr",)
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("vfiscope.config.ROWS_PER_PART", 8)
        with pytest.raises(KeyboardInterrupt):
            pipeline.run(config, watch=stop_at_20)


@pytest.mark.parametrize(("mode", "block"), [("score", 8), ("map", 8), ("lag", 8), ("golden", 64)])
def test_resuming_scores_only_what_is_missing_and_ends_identical(
    media: Path, tmp_path: Path, mode: str, block: int
) -> None:
    config = {
        "score": RunConfig("score", str(media / "test.mp4"), str(media / "truth.mp4")),
        "map": RunConfig("score", str(media / "test.mp4"), str(media / "truth.mp4"), align="auto"),
        "lag": RunConfig("scan", str(media / "test.mp4"), lag=3),
        "golden": RunConfig("scan", str(media / "test.mp4"), golden=7),
    }[mode]
    seen: list[int] = []

    def watch(scores, _info, done):  # type: ignore[no-untyped-def]
        for batch in scores:
            seen.extend(batch.frames.index.tolist())
            yield batch
            if done == 0 and len(seen) >= 20:
                raise KeyboardInterrupt

    pipeline.run(config.replace(out=str(tmp_path / "whole.h5"))).close()
    resumed = config.replace(out=str(tmp_path / "resumed.h5"), batch=3)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("vfiscope.config.ROWS_PER_PART", block)
        with pytest.raises(KeyboardInterrupt) as caught:
            pipeline.run(resumed, watch=watch)
        (note,) = caught.value.__notes__
        assert note.startswith(f"21 frames of {tmp_path / 'resumed.h5'} are kept")
        del seen[:]
        pipeline.run(resumed, watch=watch).close()
    assert seen == list(range(21, N))
    assert differences(tmp_path / "whole.h5", tmp_path / "resumed.h5") == []


def test_an_interrupted_run_in_a_temporary_folder_claims_to_keep_nothing(
    media: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(scores, _info, _done):  # type: ignore[no-untyped-def]
        yield next(iter(scores))
        raise KeyboardInterrupt

    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with pytest.raises(KeyboardInterrupt) as caught:
        pipeline.run(RunConfig("scan", str(media / "test.mp4"), metrics=("psnr",)), watch=stop)
    assert caught.value.__notes__ == []
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("last", ["publish", "remove"])
def test_new_rules_hold_for_a_run_that_was_killed_when_it_was_scored(
    media: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, last: str
) -> None:
    """Stopped before its result took its place, or before its parts went: what is left holds the
    old segments."""

    def stop(_self: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(f"vfiscope.store.parts.Folder.{last}", stop)
        with pytest.raises(KeyboardInterrupt):
            score(media, tmp_path / "a.h5", metrics=["psnr"], flag=["psnr < 9"])
    rule = "psnr < 99 for 3 frames"
    with score(media, tmp_path / "a.h5", metrics=["psnr"], flag=[rule]) as run:
        assert run.rules == [rule]
        assert (0, N, rule) in {
            (segment.start, segment.stop, segment.rule) for segment in run.segments
        }


def test_flagging_again_from_python(media: Path, tmp_path: Path) -> None:
    score(media, tmp_path / "a.h5", metrics=["psnr"], flag=["psnr < 99 for 3 frames"]).close()
    with vs.flag(tmp_path / "a.h5", ["psnr < 9"]) as run:
        assert (run.rules, run.config["flag"]) == (["psnr < 9"], ["psnr < 99 for 3 frames"])
        assert {segment.rule for segment in run.segments} == {""}
    with vs.flag(tmp_path / "a.h5") as run:
        assert run.rules == ["psnr < 99 for 3 frames"]
        assert "psnr < 99 for 3 frames" in {segment.rule for segment in run.segments}
    with pytest.raises(UsageError, match="ssim"):
        vs.flag(tmp_path / "a.h5", ["ssim < 1"])


def test_a_killed_process_resumes_to_the_same_file(media: Path, tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "vfiscope",
        "score",
        str(media / "test.mp4"),
        "--ref",
        str(media / "truth.mp4"),
    ]
    options = ["--metrics", "psnr,cosine", "--quiet", "--batch", "1", "-o"]
    subprocess.run([*command, *options, str(tmp_path / "whole.h5")], check=True)
    process = subprocess.Popen([*command, *options, str(tmp_path / "killed.h5")])
    while not (tmp_path / "killed.h5.parts").exists() and process.poll() is None:
        time.sleep(0.005)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    if not (tmp_path / "killed.h5").exists():
        subprocess.run([*command, *options, str(tmp_path / "killed.h5")], check=True)
    assert differences(tmp_path / "whole.h5", tmp_path / "killed.h5") == []


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (
            {"size": 28, "window": 2, "metrics": "psnr"},
            "no score depends on --size and --window: .* no patches are embedded",
        ),
        (
            {"pool": "all", "metrics": "psnr"},
            "no score depends on --pool: .* no patches are embedded",
        ),
        ({"aspect": "stretch", "metrics": "psnr"}, "no score depends on --aspect"),
        ({"precise": True, "metrics": "psnr"}, "no score depends on --precise"),
        (
            {"embedder": "dinov2-small", "weights": "w.pth", "metrics": "psnr"},
            "no score depends on --weights",
        ),
        (
            {"window": 2, "size": 28, "embedder": "dsift", "metrics": "cosine"},
            "no score depends on --window: .* no patches are matched",
        ),
        ({"window": 2, "size": 28, "embedder": "dsift", "metrics": "mismatch"}, None),
        (
            {
                "window": 2,
                "size": 28,
                "embedder": "dsift",
                "metrics": "psnr",
                "maps": "similarity_back",
            },
            None,
        ),
        (
            {"window": 2, "size": 28, "embedder": "dsift", "metrics": "psnr", "fields": "motion"},
            None,
        ),
        ({"metrics": "psnr"}, None),
    ],
)
def test_options_without_effect_are_said(
    caplog: pytest.LogCaptureFixture, options: dict[str, object], said: str | None
) -> None:
    image = synth.Scene(28, 28).frame(0)
    with caplog.at_level("WARNING", "vfiscope"):
        vs.compare(image, image, **{"maps": "none", "fields": "none", **options}).close()
    lines = [record.getMessage() for record in caplog.records if "no score" in record.getMessage()]
    assert len(lines) == (said is not None)
    assert said is None or re.fullmatch(f"warning: {said}.*", lines[0])

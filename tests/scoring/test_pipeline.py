"""Whole runs: scores against independent ones, selections, sizes, frames that cannot be read."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from helpers.ghosted_runs import N, score
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

import vfiscope as vs
from vfiscope import synth
from vfiscope.errors import (
    EmbedderError,
    OutputExistsError,
    PairingError,
    SourceError,
    UsageError,
)
from vfiscope.sources import array
from vfiscope.store import differences
from vfiscope.types import Role, Status


@pytest.mark.slow
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


@pytest.mark.slow
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


@pytest.mark.slow
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


@pytest.mark.slow
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
    with pytest.raises(OutputExistsError, match="is not a result"):
        vs.scan(str(clip), out=str(tmp_path / "notes.h5"), overwrite=True)
    assert (tmp_path / "notes.h5").read_text() == "mine"
    with pytest.raises(UsageError, match=r"pass a name that ends in \.h5"):
        vs.scan(str(clip), out=str(clip), overwrite=True)


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
    paint = array.ArraySource._paint

    def painted(source: array.ArraySource, index: int, out: Any) -> Status:
        paint(source, index, out)
        return Status.CORRUPT if index == 13 else Status.OK

    monkeypatch.setattr(array.ArraySource, "_paint", painted)
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
            "partner_unreadable": 0,
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
        ({"window": 0}, UsageError, "window is 0: pass a number from 1 to 16384"),
        ({"window": "3"}, UsageError, "window is '3': pass a whole number of patches"),
        ({"independent": 1}, UsageError, "independent is 1: pass true or false"),
        ({"colour": 1}, UsageError, "no option 'colour'"),
        ({"lag": 2}, UsageError, "lag has no effect in mode score"),
        ({"golden": 2}, UsageError, "golden has no effect"),
        ({"size": "14"}, UsageError, "size is '14'"),
        ({"fps": "fast"}, UsageError, "fps is 'fast'"),
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
        ({"flag": ["gmsd < 1"]}, UsageError, "no metric or signal 'gmsd'"),
        ({"fail_on": ["gmsd < 1"]}, UsageError, "no metric or signal 'gmsd'"),
        ({"source": "low.mp4"}, UsageError, "source and ref exclude each other"),
        ({"ref": None, "multiplier": 2, "step": 3}, UsageError, "step is 3, but multiplier"),
        ({"multiplier": "24:60"}, UsageError, "multiplier is 5/2, which without source"),
        (
            {"flag": ["psnr of passed < 1"]},
            UsageError,
            "about passed frames, but the roles of these frames are unknown",
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


def test_a_rate_for_video_is_said_to_change_nothing(
    media: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("WARNING", "vfiscope")
    with vs.score(
        str(media / "test.mp4"), ref=str(media / "truth.mp4"), metrics="psnr", fps="30000/1001"
    ) as run:
        assert np.diff(run.frames.time_s) == pytest.approx(1 / 25)
    assert [text for text in caplog.messages if "--fps" in text] == [
        "warning: --fps 29.97 does not change test (25 frames a second) and ref (25 frames a"
        " second): video keeps its own times"
    ]
    caplog.clear()
    synth.write_images(tmp_path / "images", synth.Scene(28, 28).frames(3), "%03d.png")
    with vs.scan(str(tmp_path / "images"), metrics="psnr", fps="30000/1001") as run:
        assert run.frames.time_s[1] == pytest.approx(1001 / 30000)
    assert not any("--fps" in text for text in caplog.messages)


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
        ({"precision": "float32", "metrics": "psnr"}, "no score depends on --precision"),
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

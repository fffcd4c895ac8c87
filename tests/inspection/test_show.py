"""Single frames of a run, read again: those that were scored, and inputs that moved or changed."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers.faulty_clip import HEIGHT, LEAN, TEST, TRUTH, WIDTH

import vfiscope as vs
from vfiscope import synth
from vfiscope.errors import SourceError, UsageError
from vfiscope.inspection.show import show
from vfiscope.scoring import stored_frames as fetching
from vfiscope.scoring.stored_frames import fetch
from vfiscope.types import FetchedFrame

NAN, INF = float("nan"), float("inf")


def indices(*pictures: FetchedFrame | None) -> list[tuple[str, int] | None]:
    return [None if one is None else (one.role, one.index) for one in pictures]


def pixels(one: FetchedFrame | None) -> np.ndarray:
    assert one is not None
    assert one.pixels is not None
    return one.pixels


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
        with pytest.raises(UsageError, match="these frames take"):
            fetch(run, [0, 1, 2])


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
            match=r"old/test/clip.mkv, the test of .*a.h5, is not there any more: pass --r",
        ):
            fetch(run, [7])
        (found,) = fetch(run, [7], copied / "new")
        assert np.array_equal(pixels(found.test), TEST[7])
        assert np.array_equal(pixels(found.partner), TRUTH[7])
        with pytest.raises(
            SourceError,
            match=r"no clip.mkv, the test of .*a.h5, is in .*: pass --root with the folder",
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
        with pytest.raises(SourceError, match="same size, but other content"):
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
        with pytest.raises(SourceError, match="same size, but other content"):
            fetch(run, [3])
        assert np.array_equal(pixels(fetch(run, [3], tmp_path / "c")[0].test), TEST[3])


def test_an_array_cannot_be_read_again() -> None:
    with (
        vs.score(TEST, ref=TRUTH, **LEAN) as run,
        pytest.raises(SourceError, match="was an array in memory"),
    ):
        show(run)


def test_a_run_without_a_finite_score_has_no_worst_frame(media: Path) -> None:
    with vs.score(media / "truth.mkv", ref=media / "truth.mkv", **LEAN) as run:
        with pytest.raises(
            UsageError,
            match=r"no frame of .* has a finite value of any score: choose frames by number",
        ):
            show(run)
        with pytest.raises(UsageError, match=r"no frame of .* has a finite value of psnr"):
            show(run, by="psnr")

"""Regions of runs: in which frames they are sought, and where those come from."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

import vfiscope as vs
from vfiscope import files, synth
from vfiscope.cli.messages import describe
from vfiscope.errors import UsageError
from vfiscope.views.region_words import describe_regions

PLAIN = np.full((48, 64, 3), 100, np.uint8)
MARKED = PLAIN.copy()
MARKED[10:26, 20:44] = 200
GOOD = np.tile(np.arange(60, 124, dtype=np.uint8)[:, None], (48, 1, 3))
BAD = GOOD.copy()
BAD[10:26, 20:44] = 200
FEW = {"metrics": ["psnr"], "signals": ["none"]}


def boxes(run: vs.Run) -> list[tuple[int, float, float, float, float]]:
    return [(each.frame, each.x, each.y, each.w, each.h) for each in run.regions]


def test_arrays_in_memory_are_marked_in_the_same_run() -> None:
    run = vs.compare(MARKED, PLAIN, regions="absdiff", **FEW)
    assert boxes(run) == [(0, 20, 10, 24, 16)]
    assert run.stages["regions"].parameters["method"] == "absdiff"


def test_a_scan_is_marked_in_all_frames_and_a_score_in_the_flagged_ones() -> None:
    test, ref = np.stack([PLAIN, MARKED, MARKED, PLAIN]), np.stack([PLAIN] * 4)
    run = vs.scan(test, golden=0, regions="absdiff", **FEW)
    assert [each.answer for each in run.answers] == ["same", "changed", "changed", "same"]
    assert [each.frame for each in run.regions] == [1, 2]
    run = vs.score(test, ref=ref, regions="absdiff", flag=["psnr < 30"], **FEW)
    assert [each.frame for each in run.answers] == [1, 2]
    run = vs.score(test, ref=ref, regions="absdiff", region_frames="2:4", **FEW)
    assert [each.answer for each in run.answers] == ["changed", "same"]


def test_a_range_may_go_beyond_the_last_frame() -> None:
    far = {"regions": "absdiff", "region_frames": "1:999999999"}
    run = vs.scan(np.stack([PLAIN, MARKED, PLAIN]), golden=0, **FEW, **far)
    assert [each.frame for each in run.answers] == [1, 2]


def test_a_registered_run_says_so_and_is_not_registered_again() -> None:
    ref = next(iter(synth.Scene(160, 220, seed=3).frames(1)))
    turn = cv2.getRotationMatrix2D((109.5, 79.5), 3, 1)  # anticlockwise, as OpenCV turns
    test = cv2.warpAffine(ref, turn, (220, 160), borderMode=cv2.BORDER_REFLECT)
    run = vs.compare(test, ref, register="sift", regions="auto", **FEW)
    (answer,) = run.answers
    assert (answer.answer, answer.registration) == ("moved", "sift")
    assert abs(answer.rotation + 3) < 0.1  # clockwise
    assert max(abs(answer.shift_x), abs(answer.shift_y)) < 0.2
    assert "3.0 degrees anticlockwise" in answer.caption


def test_independent_images_have_no_tracks() -> None:
    frames = {"independent": True, "regions": "absdiff", "region_frames": "all"}
    run = vs.score(np.stack([MARKED] * 3), ref=np.stack([PLAIN] * 3), **frames, **FEW)
    assert [each.track for each in run.regions] == [-1, -1, -1]
    assert run.tracks == []
    lines = describe_regions(run)
    assert lines[0] == "something changed in 3 of 3 frames: 3 regions"
    assert lines[1].startswith("  frame ")


def test_a_frame_between_two_is_marked_where_it_is_like_neither() -> None:
    source = np.stack([PLAIN, MARKED])
    test = np.stack([PLAIN, PLAIN, MARKED])
    test[1, 40:48, 50:64] = 0
    run = vs.score(
        test,
        source=source,
        multiplier=2,
        regions="absdiff",
        region_frames="all",
        metrics=["fault"],
    )
    assert boxes(run) == [(1, 50, 40, 14, 8)]


def test_a_stored_run_is_asked_again_and_reads_only_its_files(tmp_path: Path) -> None:
    for name, pixels in (("test.png", MARKED), ("ref.png", PLAIN)):
        cv2.imwrite(str(tmp_path / name), pixels)
    out = tmp_path / "run.h5"
    inputs = str(tmp_path / "test.png"), str(tmp_path / "ref.png")
    vs.compare(*inputs, regions="none", out=out, **FEW).close()
    with vs.open_run(out) as run:
        assert run.regions == []
        assert "regions" not in run.stages
    with vs.find_regions(out, "absdiff") as run:
        assert boxes(run) == [(0, 20, 10, 24, 16)]
        with vs.find_regions(run, "absdiff") as same:
            assert boxes(same) == boxes(run)
    with vs.find_regions(out, "absdiff", sensitivity="low") as run:
        assert run.stages["regions"].parameters["sensitivity"] == "low"
    with vs.find_regions(out, "none") as run:
        assert run.regions == []
    (tmp_path / "ref.png").unlink()
    with pytest.raises(vs.VfiscopeError, match="is not there any more"):
        vs.find_regions(out, "absdiff")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"regions": "absdif"}, "did you mean 'absdiff'"),
        ({"sensitivity": "high"}, "add --regions METHOD"),
        ({"regions": "absdiff", "region_frames": "4:2"}, "auto, flagged, all, or frames"),
    ],
)
def test_what_cannot_be_used_is_said_in_one_line(options: dict[str, str], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        vs.scan(np.stack([PLAIN, MARKED]), golden=0, **FEW, **options)


@pytest.fixture
def normal(tmp_path: Path) -> str:
    """Eight frames of which none shows a mark."""
    random = np.random.default_rng(0)
    for n in range(8):
        noise = random.integers(-2, 3, GOOD.shape)
        cv2.imwrite(str(tmp_path / f"{n}.png"), (GOOD + noise).astype(np.uint8))
    return str(tmp_path)


def test_normal_frames_need_no_partner_in_a_scan(normal: str) -> None:
    frames = np.stack([BAD, GOOD, GOOD])
    run = vs.scan(frames, regions="reconstruction", normal=normal, **FEW)
    assert [each.answer for each in run.answers] == ["changed", "same", "same"]
    (region,) = run.regions
    assert (region.frame, region.kind, region.change) == (0, "unknown", "")
    assert abs(region.centroid_x - 31.5) < 1
    assert abs(region.centroid_y - 17.5) < 1
    assert region.caption.startswith("Something is not as in the normal frames")
    run = vs.score(frames, ref=frames, regions="reconstruction", normal=normal, **FEW)
    assert not run.segments
    assert [each.answer for each in run.answers] == ["changed", "same", "same"]
    run = vs.scan(BAD[None], regions="reconstruction", normal=normal, **FEW)
    assert (run.status, [each.answer for each in run.answers]) == ("ok", ["changed"])


def test_an_image_is_compared_with_normal_frames_alone(normal: str, tmp_path: Path) -> None:
    run = vs.compare(BAD, regions="reconstruction", normal=normal, **FEW)
    assert [each.answer for each in run.answers] == ["changed"]
    assert (run.status, dict(run.pairing)["policy"]) == ("ok", "alone")
    assert np.isnan(run.scores["psnr"]).all()
    (line,) = describe(run.summary()).splitlines()  # no scores
    assert line.endswith("compare.h5: 1 frame without a reference")
    with pytest.raises(UsageError, match="compare needs a reference"):
        vs.compare(BAD)
    with pytest.raises(UsageError, match="the method auto does not look at it"):
        vs.compare(BAD, normal=normal)
    with pytest.raises(UsageError, match="has no reference: leave visualize out"):
        vs.compare(BAD, regions="reconstruction", normal=normal, visualize=tmp_path / "f")


@pytest.mark.parametrize("method", ["patchcore", "reconstruction"])
def test_normal_frames_of_another_size_are_refused(normal: str, method: str) -> None:
    frames = np.stack([GOOD[:24, :32]] * 2)
    with pytest.raises(UsageError, match="are 64x48, and these are 32x24: pass normal frames"):
        vs.scan(frames, regions=method, normal=normal, **FEW)


def test_normal_images_are_digested_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(6):
        cv2.imwrite(str(tmp_path / f"{number}.png"), np.full((48, 64, 3), 100 + number, np.uint8))
    digested: list[str] = []

    def counted(path: str) -> str:
        digested.append(Path(path).name)
        return "0" * 64

    monkeypatch.setattr(files, "file_digest", counted)
    asked = {"regions": "reconstruction", "normal": str(tmp_path)}
    vs.scan(np.stack([PLAIN, MARKED]), golden=0, **asked, **FEW)
    assert sorted(digested) == [f"{number}.png" for number in range(6)]


def test_an_image_that_cannot_be_read_is_told_once(tmp_path: Path) -> None:
    whole, cut = tmp_path / "whole.png", tmp_path / "cut.png"
    cv2.imwrite(str(whole), np.random.default_rng(0).integers(0, 255, (48, 64, 3), np.uint8))
    cut.write_bytes(whole.read_bytes()[:2000])
    run = vs.compare(str(cut), str(whole), metrics=["psnr", "ssim"], signals=["none"])
    assert [str(note) for note in run.notes if "defined for no frame" in str(note)] == []
    assert len(run.notes) == 2  # that it could not be read, and why

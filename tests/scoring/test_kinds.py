"""Scans that look for segments of some kinds alone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from helpers.interpolated import call
from helpers.media import write_video

import vfiscope as vs
from vfiscope.errors import UsageError
from vfiscope.sources import open_source


def shots(path: Path) -> Path:
    """Two shots of moving blobs, 12 frames each, 600 x 216."""
    rng = np.random.default_rng(4)
    scenes = [np.kron(rng.integers(20, 235, (27, 90, 3)), np.ones((8, 8, 1))) for _ in range(2)]
    frames = [scenes[n // 12][:, n : n + 600].astype(np.uint8) for n in range(24)]
    return write_video(path, np.stack(frames))


def test_a_scan_for_cuts_computes_what_cuts_need_of_small_frames(tmp_path: Path) -> None:
    clip, out = shots(tmp_path / "shots.mp4"), str(tmp_path / "run.h5")
    with vs.scan(str(clip), kinds="cut,fade", out=out) as run:
        assert [(s.kind, s.start, s.stop) for s in run.segments] == [("cut", 12, 13)]
        assert not run.scores
        assert {"cut_step", "cut_residual"} <= set(run.signals)
        assert not {"shot_step", "sharpness"} & set(run.signals)
        assert run.config["max_width"] == 320
        assert run.frame_size == (108, 300)
    vs.flag(out)
    with vs.open_run(out) as run:
        assert {s.kind for s in run.segments} == {"cut"}
    with vs.scan(str(clip), kinds="cut", signals="sharpness") as run:
        assert run.config["max_width"] is None
        assert {"sharpness", "shot_step"} <= set(run.signals)
        assert "seam" not in run.signals


def test_what_a_rule_measures_is_measured_of_whole_frames(tmp_path: Path) -> None:
    clip = str(shots(tmp_path / "shots.mp4"))
    widths = []
    for gates in ("any(cut)", "sharpness < 0.1"):
        with vs.scan(clip, kinds="cut", fail_on=gates, stop=3) as run:
            widths.append(run.config["max_width"])
    assert widths == [320, None]
    with pytest.raises(
        UsageError, match="about blur, which --kinds cut leaves out: scan with blur in"
    ):
        vs.scan(clip, kinds="cut", fail_on="any(blur)")


def test_what_explains_a_kind_is_computed_too(tmp_path: Path) -> None:
    with vs.scan(str(shots(tmp_path / "shots.mp4")), kinds="drop", stop=3) as run:
        assert {"keyframe", "tear_ahead"} <= set(run.signals)
        assert "sharpness" not in run.signals


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"kinds": "cut", "signals": "none"}, r"nothing tells cut.* or none out of --signals"),
        ({"kinds": "ghosting", "signals": "none"}, r"nothing tells ghosting without signals"),
        (
            {"kinds": "low_score"},
            r"low_score is about scores, .*: name some in --metrics, or leave",
        ),
        ({"kinds": " ,"}, r"kinds is empty: name at least one, or leave kinds out"),
        ({"kinds": "cut,growth"}, r"nothing tells growth.* only photos that tell when"),
    ],
)
def test_a_kind_that_nothing_can_tell_is_refused(
    tmp_path: Path, asked: dict[str, str], said: str
) -> None:
    with pytest.raises(UsageError, match=said):
        vs.scan(str(shots(tmp_path / "shots.mp4")), **asked)


def test_a_scan_says_what_it_looked_for(tmp_path: Path) -> None:
    out = tmp_path / "a.h5"
    line = f"scan {shots(tmp_path / 'shots.mp4')} --kinds cut,black --stop 5 -o {out}"
    result = call(*line.split())
    assert result.exit_code == 0, result.output
    assert "looked for cut, black: 0 segments" in result.output
    with vs.open_run(out) as run:
        assert run.summary()["kinds"] == ["cut", "black"]
    refused = call(*f"flag {out} --fail-on any(blur)".split()).exception
    assert "is about blur, which --kinds cut,black leaves out" in str(refused)
    assert call(*f"flag {out} --fail-on any(fault)".split()).exit_code == 0


def test_a_kind_that_nothing_flags_is_refused(tmp_path: Path) -> None:
    clip = str(shots(tmp_path / "shots.mp4"))
    with pytest.raises(UsageError, match=r"there is no kind 'cuts': did you mean 'cut'"):
        vs.scan(clip, kinds="cuts")


def test_wide_frames_are_read_at_a_whole_fraction_of_their_size(tmp_path: Path) -> None:
    whole = np.kron(np.arange(40, 200, 10)[:, None, None], np.ones((12, 600, 3))).astype(np.uint8)
    clip = str(write_video(tmp_path / "bars.mp4", np.stack([whole] * 3)))
    for target in (clip, np.stack([whole] * 3)):
        with open_source(target, max_width=200) as source:
            assert source.size == (64, 200)
            (frames,) = source
        seen = frames.interleaved[0].astype(float)
        rows = np.arange(1.5, 192, 3)  # the centre of what each row stands for
        np.testing.assert_allclose(seen[..., 1].mean(1), 40 + 10 * (rows // 12), atol=2)
    with open_source(clip, max_width=600) as source:
        assert source.size == (192, 600)


def test_a_scan_that_looks_for_no_kind_needs_a_metric(tmp_path: Path) -> None:
    clip = str(shots(tmp_path / "shots.mp4"))
    with pytest.raises(UsageError, match=r"metrics is none, .*: name some, or pass --kinds"):
        vs.scan(clip, metrics="none")

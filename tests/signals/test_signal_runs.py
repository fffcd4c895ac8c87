"""Signals of whole runs: stored, read, exported, the same however a run was batched or resumed, and
added by other packages."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import cv2
import h5py
import numpy as np
import pytest

import vfiscope as vs
from vfiscope import config as defaults
from vfiscope import synth
from vfiscope.config import RunConfig
from vfiscope.errors import StoreError, UsageError
from vfiscope.scoring import pipeline
from vfiscope.segments import flag
from vfiscope.segments.columns import Columns
from vfiscope.segments.detectors import DETECTORS, Detector
from vfiscope.signals import Sight, choose_signals
from vfiscope.store import Run, differences
from vfiscope.types import Segment

N, HEIGHT, WIDTH = 13, 56, 84
FRAMES = synth.Scene(HEIGHT, WIDTH, seed=2, velocity=(3.0, 1.0)).clip(N).frames
SMALL: dict[str, Any] = {"metrics": ["cosine"], "embedder": "dsift", "size": 56}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The frames as images; number 6 cannot be read."""
    folder = tmp_path_factory.mktemp("frames")
    synth.write_images(folder, FRAMES)
    broken = folder / sorted(os.listdir(folder))[6]
    broken.write_bytes(broken.read_bytes()[:200])
    return folder


def test_a_rule_may_be_about_a_signal_which_is_then_stored() -> None:
    rule = "frame_difference > 0.9 * median for 3 frames"
    lean = {**SMALL, "metrics": ["absdiff"], "signals": ["luma_mean"]}
    with vs.scan(FRAMES, flag=[rule], fail_on=["min(luma_mean) < 10"], **lean) as run:
        assert list(run.signals) == ["luma_mean", "frame_difference"]
        (found,) = [segment for segment in run.segments if segment.rule == rule]
        steps = run.signals["frame_difference"][found.start : found.stop]
        assert (steps > 0.9 * np.nanmedian(run.signals["frame_difference"])).all()
    with pytest.raises(
        UsageError,
        match=r"'luma_mean': it is a signal, make the run again with --signals luma_mean; the run",
    ):
        vs.scan(FRAMES, flag=["z(luma_mean) > 6"], **{**lean, "signals": ["none"]})
    with pytest.raises(UsageError, match=r"no kind 'freez' of segments: did you mean 'freeze'"):
        vs.scan(FRAMES, fail_on=["any(freez)"], **lean)


@pytest.mark.parametrize(
    ("metric", "lag", "compared"),
    [
        ("absdiff", 1, 0),
        ("psnr", 1, N - 3),
        ("absdiff", 2, N - 3),
    ],
)
def test_the_difference_to_the_frame_before_is_added_up_once(
    folder: Path, metric: str, lag: int, compared: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A metric that has compared the same frames has it already."""
    asked: list[int] = []

    def norm(one: Any, other: Any, kind: int) -> float:
        asked.extend([kind] * (one.ndim == 3))
        return float(np.abs(one.astype(float) - other).sum())

    monkeypatch.setattr(cv2, "norm", norm)
    look: dict[str, Any] = {"metrics": [metric], "signals": ["frame_difference"], "batch": 3}
    with vs.scan(folder, lag=lag, **look) as run:
        found = run.signals["frame_difference"]
    apart = np.abs(np.diff(FRAMES.astype(float), axis=0)).mean(axis=(1, 2, 3))
    apart[[5, 6]] = np.nan
    np.testing.assert_allclose(found, [np.nan, *apart], rtol=1e-6)
    assert asked == [cv2.NORM_L1] * compared


def test_signals_are_stored_with_their_meaning(tmp_path: Path) -> None:
    out = tmp_path / "a.h5"
    with vs.scan(FRAMES, out=str(out), **SMALL) as run:
        offered = Sight.BEFORE | Sight.AFTER | Sight.PAST | Sight.COMING | Sight.EMBEDDING
        assert list(run.signals) == list(choose_signals((), offered))
        luma = (FRAMES.astype(np.float64) @ [0.299, 0.587, 0.114]).mean(axis=(1, 2))
        np.testing.assert_allclose(run.signals["luma_mean"], luma, rtol=1e-6)
        # A scan against the frame before has the same distance as a score.
        steps = run.signals["embedding_step"]
        np.testing.assert_allclose(steps[1:], run.scores["cosine"][1:], rtol=1e-3)
        assert np.isnan([steps[0], run.signals["frame_difference"][0]]).all()
        spec = run.signal_specs["luma_mean"]
        assert (spec.name, spec.unit) == ("luma_mean", "code")
        told = run.summary()["signals"]["luma_mean"]
        assert told == {
            "unit": "code",
            "mean": pytest.approx(luma.mean()),
            "min": pytest.approx(luma.min()),
            "max": pytest.approx(luma.max()),
            "defined": N,
        }
    with h5py.File(out) as h5:
        stored = h5["signals/luma_mean"]
        assert (stored.shape, stored.dtype) == ((N,), np.float32)
        assert dict(stored.attrs) == {"unit": spec.unit, "description": spec.description}


def test_no_signals_where_none_are_wanted_and_in_files_of_before(tmp_path: Path) -> None:
    out = tmp_path / "a.h5"
    with vs.scan(FRAMES, signals="none", out=str(out), metrics=["psnr"]) as run:
        assert run.signals == run.signal_specs == run.summary()["signals"] == {}
    with h5py.File(out) as h5:
        assert "signals" not in h5
    vs.flag(out, []).close()
    with Run(out) as run:
        assert run.signals == {}


def test_a_signal_that_is_stored_otherwise_is_refused(tmp_path: Path) -> None:
    out = tmp_path / "a.h5"
    vs.scan(FRAMES, out=str(out), metrics=["psnr"]).close()
    with h5py.File(out, "r+") as h5:
        del h5["signals/luma_mean"]
        h5["signals/luma_mean"] = np.zeros(N)
    with pytest.raises(StoreError, match="/signals/luma_mean is float64, not float32"):
        Run(out)


def test_an_embedding_is_made_for_a_signal_that_is_asked_for() -> None:
    options = {**SMALL, "metrics": ["psnr"], "signals": "embedding_step"}
    with vs.scan(FRAMES[:3], **options) as run, vs.scan(FRAMES[:3], **SMALL) as embedded:
        assert run.embedder is not None
        assert list(run.signals) == ["embedding_step"]
        np.testing.assert_array_equal(
            run.signals["embedding_step"], embedded.signals["embedding_step"]
        )


def test_compare_has_no_frame_before() -> None:
    with vs.compare(FRAMES[0], FRAMES[1], **SMALL) as run:
        assert list(run.signals) == list(choose_signals((), Sight.NOTHING))
        assert "frame_difference" not in run.signals
    with pytest.raises(UsageError, match="frame_difference looks at the frame before"):
        vs.compare(FRAMES[0], FRAMES[1], signals="frame_difference", **SMALL)


def test_the_frames_before_and_after_one_that_cannot_be_read(folder: Path) -> None:
    with vs.scan(folder, **SMALL) as run:
        known = {name: np.flatnonzero(np.isfinite(run.signals[name])) for name in run.signals}
    rows = set(range(N))
    assert {*known["luma_mean"]} == rows - {6}
    assert {*known["frame_difference"]} == {*known["embedding_step"]} == rows - {0, 6, 7}


def moved(folder: Path) -> list[np.ndarray]:
    """The first frame, further and further to the left; the test's frame n is moved by 2 n."""
    wide = synth.Scene(240, 360, seed=2).clip(1).frames[0]
    return [np.ascontiguousarray(wide[:, 2 * n : 2 * n + 320]) for n in range(4)]


def test_the_shift_of_registered_frames_and_the_pixels_of_decoded_ones(tmp_path: Path) -> None:
    """Content of frame n lies 2 n px further to the left than in frame 0, its partner."""
    frames = np.stack(moved(tmp_path))
    options: dict[str, Any] = {"golden": 0, "metrics": ["psnr"], "register": "sift"}
    with vs.scan(frames, **options) as run:
        np.testing.assert_allclose(run.signals["shift_x"], [0, 2, 4, 6], atol=0.1)
        np.testing.assert_allclose(run.signals["shift_y"], 0, atol=0.1)
        apart = np.abs(np.diff(frames.astype(float), axis=0)).mean(axis=(1, 2, 3))
        np.testing.assert_allclose(run.signals["frame_difference"][1:], apart, rtol=1e-6)
    with vs.scan(frames, golden=0, metrics=["mismatch"], embedder="dsift", size=168) as run:
        np.testing.assert_allclose(run.signals["shift_x"], [0, 2, 4, 6], atol=0.3)
        assert run.signals["shift_x"][0] == 0


# --------------------------------------------------------------------------- batches and resumption

JOBS: dict[str, dict[str, Any]] = {
    "lag": {"mode": "scan", "lag": 3},
    "golden": {"mode": "scan", "golden": 2, "register": "sift"},
    "step": {"mode": "scan", "golden": 0, "step": 2},
    "row": {"mode": "score", "ref": True, "metrics": ("cosine", "mismatch", "psnr")},
    "neighbours": {"mode": "score", "metrics": ("cosine_before", "cut")},
    "multiplier": {"mode": "score", "multiplier": 2, "metrics": ("cosine_before", "cut")},
}


@pytest.mark.slow
@pytest.mark.parametrize("name", JOBS)
def test_signals_do_not_depend_on_batches_or_on_where_a_run_went_on(
    folder: Path, tmp_path: Path, name: str
) -> None:
    """Interrupted behind every place around the frame that cannot be read, and near the ends."""
    options = {**SMALL, "metrics": ("cosine",), **JOBS[name], "batch": 4}
    if options.pop("ref", False):
        options["ref"] = str(folder)
    mode = options.pop("mode")
    whole = RunConfig(mode, str(folder), out=str(tmp_path / "whole.h5"), **options)
    pipeline.run(whole).close()
    last = (N + 1) // whole.step if whole.step > 1 else N
    for stop in (1, 3, last - 1) if whole.step > 1 else (1, 7, 8, 12):
        config = whole.replace(out=str(tmp_path / f"{stop}.h5"), batch=1)

        def interrupt(scores, _source, _done):  # type: ignore[no-untyped-def]
            for row, batch in enumerate(scores):
                if row == stop:  # noqa: B023
                    raise KeyboardInterrupt
                yield batch

        with pytest.raises(KeyboardInterrupt):
            pipeline.run(config, watch=interrupt)
        seen: list[int] = []

        def count(scores, _source, done):  # type: ignore[no-untyped-def]
            seen.append(done)  # noqa: B023
            for batch in scores:
                seen.extend(batch.frames.index.tolist())  # noqa: B023
                yield batch

        pipeline.run(config.replace(batch=5), watch=count).close()
        assert seen[0] == stop
        assert len(seen) - 1 == last - stop
        assert differences(str(whole.out), str(config.out)) == []


def test_parts_of_several_rows_keep_signals(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    vs.scan(folder, out=str(tmp_path / "whole.h5"), **SMALL).close()
    monkeypatch.setattr(defaults, "ROWS_PER_PART", 3)
    vs.scan(folder, out=str(tmp_path / "parts.h5"), **SMALL).close()
    assert differences(tmp_path / "whole.h5", tmp_path / "parts.h5") == []


# ------------------------------------------------------------------------------------ users of them


def test_detectors_are_given_signals(tmp_path: Path) -> None:
    """One that flags frames brighter than the clip's mean, when the run is made and afterwards."""
    seen = []

    def detect(columns: Any) -> list[Segment]:
        luma = columns.signals["luma_mean"]
        seen.append(luma)
        row = int(np.nanargmax(luma))
        return [Segment(row, row + 1, "flash", "luma_mean", float(luma[row]), row, 1.0, 0.0, 0.0)]

    DETECTORS.add("brightest", Detector("brightest", ("luma_mean",), detect))
    try:
        with vs.scan(FRAMES, out=str(tmp_path / "a.h5"), metrics=["psnr"]) as run:
            kinds = [segment.kind for segment in run.segments]
            luma = run.signals["luma_mean"]
            again = flag(run.frames, run.scores, run.specs, (), run.signals)
        with vs.flag(tmp_path / "a.h5") as reflagged:
            assert "flash" in [segment.kind for segment in reflagged.segments]
    finally:
        del DETECTORS._things["brightest"]
    assert "flash" in kinds
    assert "flash" in [segment.kind for segment in again]
    assert len(seen) == 3
    assert all(np.array_equal(each, luma) for each in seen)


def test_signals_are_exported(tmp_path: Path) -> None:
    with vs.scan(FRAMES, metrics=["psnr"], out=str(tmp_path / "a.h5")) as run:
        vs.export(run, tmp_path / "a.csv")
        vs.export(run, tmp_path / "a.json")
        luma = run.signals["luma_mean"]
    with (tmp_path / "a.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [np.float32(row["luma_mean"]) for row in rows] == luma.tolist()
    assert rows[0]["frame_difference"] == ""
    frames = json.loads((tmp_path / "a.json").read_text())["frames"]
    assert [np.float32(frame["luma_mean"]) for frame in frames] == luma.tolist()
    assert frames[0]["frame_difference"] is None


PLUGIN = """
from vfiscope.signals import SIGNALS, Sight, Signal
from vfiscope.types import SignalSpec

def red_step(frame):
    if frame.before is None:
        return float("nan")
    return float(frame.pixels[..., 0].mean()) - float(frame.before.pixels[..., 0].mean())

SPEC = SignalSpec("red_step", "code", "Change of the mean of R")
SIGNALS.add("red_step", Signal(SPEC, red_step, Sight.BEFORE))
"""


@pytest.mark.slow
def test_a_signal_of_another_package_works_from_the_command_line(tmp_path: Path) -> None:
    """One small file, and the metadata that an installer writes."""
    (tmp_path / "my_signal.py").write_text(PLUGIN)
    info = tmp_path / "my_signal-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: my-signal\nVersion: 1\n")
    (info / "entry_points.txt").write_text("[vfiscope.plugins]\nmine = my_signal\n")
    for number, frame in enumerate(FRAMES[:4]):
        cv2.imwrite(str(tmp_path / f"{number}.png"), frame[..., ::-1])
    arguments = ["scan", f"{tmp_path}/*.png", "--metrics", "psnr", "--signals", "red_step"]
    code = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n"
        "from vfiscope.cli.program import main\n"
        f"main({[*arguments, '-o', str(tmp_path / 'a.h5'), '--quiet']!r})"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    with Run(tmp_path / "a.h5") as run:  # read without the package
        assert list(run.signals) == ["red_step"]
        red = FRAMES[:4, ..., 0].astype(float).mean(axis=(1, 2))
        np.testing.assert_allclose(run.signals["red_step"], [np.nan, *np.diff(red)], rtol=1e-4)
        assert run.signal_specs["red_step"].unit == "code"


def test_a_rule_is_not_about_what_stands_in_for_a_signal() -> None:
    frames = np.stack(list(synth.Scene(96, 128, velocity=(3.0, 1.0)).frames(8)))
    with vs.scan(frames, kinds=["cut", "fade"]) as run:
        assert "cut_step" in run.signals
        assert "shot_step" not in run.signals
        columns = Columns.of(run)
        assert "shot_step" in columns.signals  # for detectors
        assert "shot_step" not in columns.values
        assert "shot_step" not in columns.known
        assert "cut_step" in columns.values

"""Runs that were interrupted, finished before, or are asked for with other options."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from helpers.ghosted_runs import N, score

import vfiscope as vs
from vfiscope.errors import (
    Interrupted,
    OutputExistsError,
    ResumeError,
    UsageError,
)
from vfiscope.options import RunConfig
from vfiscope.scoring import pipeline
from vfiscope.store import differences


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


def test_a_finished_run_is_found_by_the_same_work(media: Path, tmp_path: Path) -> None:
    config = RunConfig(
        "score",
        str(media / "test.mp4"),
        str(media / "truth.mp4"),
        out=str(tmp_path / "a.h5"),
        metrics=("psnr",),
    )
    assert pipeline.finished(config) is None
    pipeline.run(config).close()
    for same in (config, config.replace(batch=3)):
        found = pipeline.finished(same)
        assert found is not None
        with found:
            assert found.header.sources[0]["path"] == str(media / "test.mp4")
    assert pipeline.finished(config.replace(step=2)) is None


def test_changed_settings_refuse_to_resume(media: Path, tmp_path: Path) -> None:
    interrupted(media, tmp_path / "a.h5")
    with pytest.raises(ResumeError, match=r"step: 1 -> 2.*--no-resume"):
        score(media, tmp_path / "a.h5", metrics="psnr", step=2)
    score(media, tmp_path / "a.h5", metrics="psnr", step=2, resume=False).close()
    with vs.open_run(tmp_path / "a.h5") as run:
        assert len(run.frames) == 15


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


@pytest.mark.slow
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
        assert isinstance(caught.value, Interrupted)
        assert caught.value.kept == 21
        assert str(caught.value).startswith(f"21 frames of {tmp_path / 'resumed.h5'} are kept")
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
    assert type(caught.value) is KeyboardInterrupt
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


@pytest.mark.slow
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

"""Where the memory of a device runs out, batches are halved, and the scores stay the same."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from helpers.media import frames_of, noise

import vfiscope as vs
from vfiscope.embedders import open_embedder
from vfiscope.embedders.dsift import Dsift
from vfiscope.errors import UsageError
from vfiscope.scoring.portions import Portions
from vfiscope.scoring.score import Plan, score_pairs
from vfiscope.types import Frames, Pairs


def with_room_for(rows: int, compute: Callable[..., Any], seen: list[int]) -> Callable[..., Any]:
    """The same function on a device without memory for more rows; it notes how many it is asked
    for."""

    def limited(batch: Any) -> Any:
        seen.append(len(batch))
        if len(batch) > rows:
            raise torch.OutOfMemoryError("CUDA out of memory.\nmore lines")
        return compute(batch)

    return limited


def indices(frames: Frames) -> list[int]:
    return frames.index.tolist()


def test_what_does_not_fit_comes_in_halves_and_so_does_what_follows() -> None:
    seen: list[int] = []
    portions, frames = Portions(), frames_of(noise(11, 4, 4))
    compute = with_room_for(3, indices, seen)
    made = [row for part in (frames[:8], frames[8:]) for _, row in portions(part, compute)]
    assert made == [[0, 1], [2, 3], [4, 5], [6, 7], [8, 9], [10]]
    assert seen == [8, 4, 2, 2, 2, 2, 2, 1]
    assert list(portions(frames[:0], compute)) == []


def test_a_frame_that_does_not_fit_alone_is_told() -> None:
    with pytest.raises(UsageError, match=r"for a single frame: CUDA out of memory\.: pass a small"):
        list(Portions()(frames_of(noise(3, 4, 4)), with_room_for(0, indices, [])))


def test_a_batch_without_frames_has_features_of_none() -> None:
    embed = open_embedder("dsift", device="cpu", size=28).embed
    frames = frames_of(noise(2, 40, 56))
    some, none = (Portions().features(each, embed) for each in (frames, frames[:0]))
    assert none.patches.shape == (0, *some.patches.shape[1:])
    assert none.pooled.shape == (0, *some.pooled.shape[1:])


def test_other_errors_stay_what_they_are() -> None:
    def fails(_: Frames) -> None:
        raise RuntimeError("no kernel image")

    with pytest.raises(RuntimeError, match="no kernel image"):
        list(Portions()(frames_of(noise(2, 4, 4)), fails))


def test_the_scores_of_halves_are_those_of_the_batch() -> None:
    plan = Plan.of(("psnr", "ssim"), ("absdiff",), ())
    pairs = Pairs(frames_of(noise(7, 32, 48)), frames_of(noise(7, 32, 48, seed=1)))
    seen: list[int] = []
    psnr = plan.metrics["psnr"]
    limited = {**plan.metrics, "psnr": replace(psnr, compute=with_room_for(2, psnr.compute, seen))}
    grids = plan.grids((32, 48), None)
    (whole,) = score_pairs([pairs], plan, grids)
    parts = list(score_pairs([pairs], replace(plan, metrics=limited), grids))
    assert seen == [7, 3, 1, 1, 1, 1, 1, 1, 1]
    for name in ("psnr", "ssim"):
        joined = np.concatenate([part.values[name] for part in parts])
        assert np.array_equal(joined, whole.values[name])
    assert np.array_equal(
        np.concatenate([part.maps["absdiff"] for part in parts]), whole.maps["absdiff"]
    )


def test_a_run_goes_on_with_smaller_batches_for_its_embedder(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    asked = {"metrics": ["cosine"], "signals": ["none"], "embedder": "dsift"}
    asked |= {"size": 28, "batch": 6}
    test, ref = noise(6, 40, 56), noise(6, 40, 56, seed=1)
    with vs.score(test, ref=ref, **asked) as run:
        whole = run.scores["cosine"]
    seen: list[int] = []
    embed = Dsift.embed
    monkeypatch.setattr(
        Dsift,
        "embed",
        lambda self, frames: with_room_for(4, lambda f: embed(self, f), seen)(frames),
    )
    with caplog.at_level(logging.INFO, "vfiscope"), vs.score(test, ref=ref, **asked) as run:
        assert np.array_equal(run.scores["cosine"], whole)
    assert seen == [6, 3, 3, 3, 3]
    assert "no memory for 6 frames at once: going on with 3" in caplog.messages

"""Runs without ground truth at the frames: real frames around each, and what is known of roles."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from helpers.interpolated import STEP, VELOCITY, N, Pixels, call, interpolated

import vfiscope as vs
from vfiscope import synth
from vfiscope.errors import PairingError, UsageError, VfiscopeError
from vfiscope.options import RunConfig
from vfiscope.options.computing_options import LEVEL_METRICS, NEIGHBOUR_METRICS
from vfiscope.scoring import pipeline
from vfiscope.sources import Source
from vfiscope.store import differences
from vfiscope.types import Role, Scores, Status


@pytest.mark.slow
def test_true_frames_are_where_they_should_be(truth: Pixels, low: Pixels) -> None:
    with vs.score(truth, source=low) as run:
        made = np.arange(N) % 2 == 1
        np.testing.assert_array_equal(
            run.frames.role, np.where(made, Role.SYNTHESISED, Role.PASSED)
        )
        np.testing.assert_array_equal(run.frames.phase, np.where(made, 0.5, 0.0))
        np.testing.assert_array_equal(run.frames.ref_index, np.arange(N) // 2)
        assert np.isinf(run.scores["psnr"][~made]).all()
        assert np.isnan(run.scores["psnr"][made]).all()
        assert np.isnan(run.scores["midpoint_px"][~made]).all()
        assert np.abs(run.scores["midpoint_px"][made]).max() < 0.1
        assert run.scores["ghosting"][made].max() < 0.01
        assert run.scores["warp"][made].max() < 0.01
        assert run.pairing == {
            "policy": "source",
            "test_unpaired": 0,
            "ref_unpaired": 0,
            "multiplier": "2",
            "start": "0",
            "passed": 11,
            "synthesised": 10,
            "unknown": 0,
            "held": 0,
            "outside": 0,
            "alike": 1.0,
            "drawings": 0,
            "held_for": 1,
            "slips": [],
        }
        assert [source["role"] for source in run.sources] == ["test", "source"]
        assert run.status == "ok"
        summary = run.summary()
        assert (
            summary["role"],
            {role: part["frames"] for role, part in summary["roles"].items()},
        ) == (
            "synthesised",
            {"synthesised": 10, "passed": 11, "all": 21},
        )
        # No number of the codec is among them.
        assert list(summary["metrics"]) == [*NEIGHBOUR_METRICS, *LEVEL_METRICS]
        assert list(summary["roles"]["passed"]["metrics"]) == ["psnr", "ssim", *LEVEL_METRICS]
        assert summary["roles"]["passed"]["metrics"]["ssim"]["mean"] == 1.0
        assert summary["metrics"]["midpoint_px"]["mean_abs"] < 0.1


@pytest.mark.slow
@pytest.mark.parametrize(("fill", "midpoint"), [("repeat", -STEP / 2), ("blend", None)])
def test_repeats_lag_and_blends_ghost(low: Pixels, fill: str, midpoint: float | None) -> None:
    with vs.score(interpolated(low, fill), source=low) as run:
        made = run.frames.role == Role.SYNTHESISED
        if midpoint is not None:
            np.testing.assert_allclose(run.scores["midpoint_px"][made], midpoint, atol=0.1)
            np.testing.assert_array_equal(run.scores["cosine_before"][made], 0)
            assert run.scores["ghosting"][made].max() < 0.01
        else:
            assert run.scores["ghosting"][made].min() > 0.5


@pytest.mark.slow
def test_with_nothing_but_the_video_neighbours_are_asked(truth: Pixels) -> None:
    late = truth.copy()
    late[9] = synth.Scene(144, 256, seed=6, objects=0, velocity=VELOCITY).frame(9 - 0.75)
    with vs.score(late) as run:
        assert list(run.scores) == [
            "cosine_before",
            "cosine_after",
            *("fault", "fault_peak", "moving", "repeat", "late", "early", "blend", "torn", "level"),
            "midpoint_px",
            "ghosting",
            "warp",
            "foreign",
            "cut",
            *("level_y", "level_cb", "level_cr"),
        ]
        np.testing.assert_array_equal(run.frames.ref_index, [-1, *range(N - 2), -1])
        np.testing.assert_array_equal(
            np.flatnonzero(run.frames.status == Status.UNPAIRED), [0, N - 1]
        )
        assert run.scores["midpoint_px"][9] == pytest.approx(-0.75 * STEP / 2, abs=0.1)
        assert np.nanmax(np.abs(np.delete(run.scores["midpoint_px"], [8, 9, 10]))) < 0.1
        assert [(s.start, s.stop) for s in run.segments if s.metric == "midpoint_px"] == [(8, 11)]
        assert run.pairing["policy"] == "neighbours"
        assert run.status == "ok"


def test_frames_held_out_are_told_from_real_ones(truth: Pixels, low: Pixels) -> None:
    test = interpolated(low, "repeat")
    with vs.score(
        test, ref=truth, multiplier=2, metrics="psnr,midpoint_px", maps="none", fields="none"
    ) as run:
        made = np.arange(N) % 2 == 1
        np.testing.assert_array_equal(run.frames.role == Role.SYNTHESISED, made)
        np.testing.assert_array_equal(run.frames.ref_index, np.arange(N))
        assert np.isinf(run.scores["psnr"][~made]).all()
        assert np.isfinite(run.scores["psnr"][made]).all()
        np.testing.assert_allclose(run.scores["midpoint_px"][made], -STEP / 2, atol=0.1)


def test_beside_a_reference_its_own_frames_are_the_neighbours(truth: Pixels) -> None:
    with vs.score(
        truth, ref=truth, metrics="psnr_div,midpoint_px,error_both", maps="warp", fields="none"
    ) as run:
        assert np.isinf(run.scores["psnr_div"][1:-1]).all()
        assert np.isnan(run.scores["psnr_div"][[0, -1]]).all()
        assert np.abs(run.scores["midpoint_px"][1:-1]).max() < 0.1
        np.testing.assert_array_equal(run.scores["error_both"][1:-1], 0)


@pytest.mark.slow
def test_a_cut_is_labelled_and_not_pooled(truth: Pixels) -> None:
    other = (
        np.stack(list(synth.Scene(144, 256, seed=40, objects=0, velocity=VELOCITY).frames(10)))[
            ..., ::-1
        ]
        // 3
    )
    with vs.score(np.concatenate([truth[:10], other])) as run:
        cuts = [(s.start, s.stop) for s in run.segments if s.kind == "cut"]
        assert cuts == [(9, 11)]
        assert np.isnan(run.scores["midpoint_px"][9:11]).all()
        assert np.isnan(run.scores["cosine_before"][9:11]).all()
        assert run.summary()["metrics"]["midpoint_px"]["defined"] == 16


MODES: dict[str, Callable[[Pixels, Pixels], dict[str, object]]] = {
    "source": lambda truth, low: {"test": truth, "source": low},
    "neighbours": lambda truth, low: {"test": truth},
    "held out": lambda truth, low: {
        "test": truth,
        "ref": truth[::-1][::-1],
        "multiplier": "2",
        "metrics": ("warp", "psnr"),
    },
    "between originals": lambda truth, low: {"test": truth, "multiplier": "3"},
    "beside": lambda truth, low: {
        "test": truth,
        "ref": truth.copy(),
        "metrics": ("psnr_div", "cosine"),
    },
}


@pytest.mark.slow
@pytest.mark.parametrize("mode", MODES)
def test_batches_and_resuming_change_nothing(
    truth: Pixels, low: Pixels, tmp_path: Path, mode: str
) -> None:
    config = RunConfig("score", **MODES[mode](truth, low), batch=4)  # type: ignore[arg-type]
    pipeline.run(config.replace(out=str(tmp_path / "whole.h5"))).close()
    pipeline.run(config.replace(out=str(tmp_path / "single.h5"), batch=1)).close()
    assert differences(tmp_path / "whole.h5", tmp_path / "single.h5") == []

    seen: list[int] = []

    def watch(scores: Iterator[Scores], source: Source, done: int) -> Iterator[Scores]:
        for part in scores:
            seen.extend(part.frames.index.tolist())
            yield part
            if done == 0 and len(seen) >= 11:
                raise KeyboardInterrupt

    resumed = config.replace(out=str(tmp_path / "resumed.h5"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("vfiscope.config.ROWS_PER_PART", 4)
        with pytest.raises(KeyboardInterrupt):
            pipeline.run(resumed, watch=watch)
        kept = len(seen)
        seen.clear()
        pipeline.run(resumed, watch=watch).close()
    assert 11 <= kept < N
    assert seen == list(range(kept, N))
    assert differences(tmp_path / "whole.h5", tmp_path / "resumed.h5") == []


@pytest.mark.slow
def test_the_command_line_says_the_cadence_and_pools_by_role(
    truth: Pixels, low: Pixels, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    paths = [
        synth.write_video(tmp_path / f"{name}.mp4", iter(frames), rate=rate, crf=18)
        for name, frames, rate in (("test", truth, 24), ("low", low, 12))
    ]
    result = call("score", str(paths[0]), "--source", str(paths[1]), "-o", str(tmp_path / "a.h5"))
    assert result.exit_code == 0, result.output
    head, _, rest = result.output.partition("11 frames passed through, mean: psnr ")
    assert "over the 10 synthesised frames of 21:\nmetric" in head
    assert "psnr" not in head
    assert "|midpoint_px|" in head
    assert "|midpoint_px|" not in rest
    result = call(
        "score",
        str(paths[0]),
        "--source",
        str(paths[1]),
        "-o",
        str(tmp_path / "b.h5"),
        "--json",
        "--quiet",
    )
    summary = json.loads(result.output)
    assert summary["pairing"]["multiplier"] == "2"


@pytest.mark.slow
def test_frames_outside_of_the_source_make_a_run_partial(truth: Pixels, low: Pixels) -> None:
    with vs.score(truth, source=low[:8]) as run:
        assert run.status == "partial"
        assert "5 test frames lie outside of the source" in " ".join(run.notes)
        np.testing.assert_array_equal(run.frames.ref_index[15:], -1)
    with vs.score(
        truth[:20], source=low[:10]
    ) as run:  # the frame after the last original is no fault
        assert run.status == "ok"
        assert run.frames.ref_index[19] == -1


@pytest.mark.parametrize("start", [1, 2, 7])
def test_a_start_moves_the_places_and_no_more(low: Pixels, start: int) -> None:
    test = interpolated(low, "repeat")
    options = {"metrics": "cut", "maps": "none", "fields": "none"}
    with vs.score(test, source=low, start=start, **options) as run:
        np.testing.assert_array_equal(
            run.frames.role, np.where(np.arange(start, N) % 2, Role.SYNTHESISED, Role.PASSED)
        )
        np.testing.assert_array_equal(run.frames.ref_index, np.arange(start, N) // 2)
    for align in ("none", "auto"):
        with vs.score(test, ref=test, multiplier=2, start=start, align=align, **options) as run:
            assert (
                run.frames.role == np.where(np.arange(start, N) % 2, Role.SYNTHESISED, Role.PASSED)
            ).all(), align


def test_neighbours_across_a_gap_of_the_map_are_not_all_held(
    truth: Pixels, monkeypatch: pytest.MonkeyPatch
) -> None:
    from vfiscope.comparisons import placing

    held: list[int] = []
    taken = placing._Window.take

    def counted(window: placing._Window, rows: list[int]) -> object:
        held.append(len(window._held))
        return taken(window, rows)

    monkeypatch.setattr(placing._Window, "take", counted)
    options = {"align": "auto", "metrics": "cut,psnr", "maps": "none", "fields": "none", "batch": 2}
    with vs.score(np.delete(truth, slice(4, 15), axis=0), ref=truth, **options) as run:
        np.testing.assert_array_equal(run.frames.ref_index, [0, 1, 2, 3, *range(15, N)])
    assert max(held) <= 6


def test_what_no_pair_needs_is_not_embedded(
    truth: Pixels, low: Pixels, monkeypatch: pytest.MonkeyPatch
) -> None:
    from vfiscope.embedders.dsift import Dsift

    count: list[int] = []
    embed = Dsift.embed
    monkeypatch.setattr(
        Dsift, "embed", lambda self, frames: count.append(len(frames)) or embed(self, frames)
    )
    options = {"stop": 4, "multiplier": 2, "metrics": "cosine_before", "maps": "none", "batch": 2}
    with vs.score(truth, source=low, **options) as run:
        assert run.sources[1]["frames_decoded"] == len(low)
    assert sum(count) <= 4 + 4


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"metrics": "psnr"}, "psnr needs the ground truth"),
        ({"maps": "mismatch"}, "mismatch needs the ground truth"),
        ({"source": True, "metrics": "error_both"}, "error_both needs the ground truth"),
        ({"align": 3}, "align is 3 without ref"),
        ({"align": "auto"}, "align is 'auto' without ref"),
        ({"ref": True, "align": 3, "start": 2}, "align is 3, but start or step also"),
        ({"ref": True, "multiplier": 2, "step": 2}, "step is 2, but multiplier"),
        ({"register": "sift"}, "register is 'sift' without ref"),
        ({"source": True, "multiplier": 100}, "a multiplier of 100 predicts one original"),
    ],
)
def test_what_a_mode_cannot_do_is_refused(
    truth: Pixels, low: Pixels, options: dict[str, object], message: str
) -> None:
    given = {
        **options,
        **({"ref": truth} if "ref" in options else {}),
        **({"source": low} if "source" in options else {}),
    }
    with pytest.raises(VfiscopeError, match=message):
        vs.score(truth, **given)


@pytest.mark.parametrize("mode", ["scan", "compare"])
def test_neighbours_are_of_score_alone(truth: Pixels, mode: str) -> None:
    with pytest.raises(
        UsageError,
        match=f"ghosting needs neighbouring source frames, which {mode} mode does not have",
    ):
        (
            vs.scan(truth, metrics="ghosting")
            if mode == "scan"
            else vs.compare(truth[:1], truth[:1], metrics="ghosting")
        )


def test_where_nothing_was_interpolated_the_source_is_refused(truth: Pixels, low: Pixels) -> None:
    with pytest.raises(PairingError, match="nothing was interpolated"):
        vs.score(truth, source=truth)
    with pytest.raises(PairingError, match="fits best, though the test has 1 more: check --source"):
        vs.score(truth[:3], source=truth[:3:2])  # too few to find out that it is two
    with pytest.raises(PairingError, match="resembles any"):
        vs.score(truth, source=np.stack(list(synth.Scene(144, 256, seed=77).frames(9))))


@pytest.mark.parametrize(("n", "said"), [(1, "1 frame"), (2, "2 frames")])
def test_too_few_frames_for_neighbours_are_refused(truth: Pixels, n: int, said: str) -> None:
    with pytest.raises(
        UsageError,
        match=f"the test has {said}, none with one before and one after it: pass three or",
    ):
        vs.score(truth[:n])
    with vs.score(truth[:3]) as run:
        assert run.frames.status.tolist() == [Status.UNPAIRED, Status.OK, Status.UNPAIRED]

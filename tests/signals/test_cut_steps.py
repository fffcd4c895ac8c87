"""Steps of a scan for cuts and fades alone: those of shots, with motion followed near cuts only."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pytest
from helpers.signal_scenes import frame, texture, view

import vfiscope as vs
import vfiscope.signals.cut_step as cut_steps
import vfiscope.signals.shot_step as shot_steps
from vfiscope import synth
from vfiscope.scoring.score import Plan, score_pairs
from vfiscope.segments.detectors.shot_cut import CUT_ALONE_ROWS, CUT_AROUND
from vfiscope.signals import SIGNALS, rows_before
from vfiscope.signals.frame_flow import Carried, from_before
from vfiscope.signals.signal import NEAR_ROWS, Sight, SignalFrame
from vfiscope.sources import open_source
from vfiscope.types import Float32, Pairs, Status

OTHER = texture(99)
ROWS, CUT = 40, 20
NAMES = ("shot_step", "shot_residual", "cut_step", "cut_residual")


@pytest.fixture
def followed(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The ordinals of the frames along whose motion something is sought."""
    rows: list[int] = []

    def noted(seen: SignalFrame) -> Carried | None:
        rows.append(seen.index)
        return from_before(seen)

    monkeypatch.setattr(shot_steps, "from_before", noted)
    return rows


def measured(
    lumas: Sequence[np.ndarray], *names: str, unreadable: Sequence[int] = (), start: int = 0
) -> dict[str, Float32]:
    """{signal: values from a row on}, in batches of 7."""
    rgb = np.repeat(np.asarray(lumas, np.uint8)[..., None], 3, axis=3)
    with open_source(rgb, batch=len(rgb)) as source:
        (batch,) = source
    batch.status[list(unreadable)] = Status.UNREADABLE
    pairs, plan = Pairs(batch, None), Plan({}, {}, {}, {name: SIGNALS[name] for name in names})
    lead = min(start, plan.rows_before)
    batches = [pairs[at : at + 7] for at in range(start - lead, len(rgb), 7)]
    made = [scores.signals for scores in score_pairs(batches, plan, {}, lead=lead)]
    return {name: np.concatenate([part[name] for part in made]) for name in names}


def moving(rows: int = ROWS, cut: int = CUT) -> list[np.ndarray]:
    """Content that moves 4 px a frame, and is another one from a row on."""
    return [view(4 * n % 36) if n < cut else view(4 * n % 36, 0, OTHER) for n in range(rows)]


def test_motion_is_followed_at_a_cut_and_around_it_only(followed: list[int]) -> None:
    found = measured(moving(), *NAMES)
    wrapped = {9, 18, 27, 36}  # where the motion begins again, another scene nearly
    near = {row for row in range(ROWS) if abs(row - CUT) <= NEAR_ROWS}
    for name, usual in (("cut_step", "shot_step"), ("cut_residual", "shot_residual")):
        same = set(np.flatnonzero(found[name] == found[usual]).tolist())
        assert near <= same
        assert (found[name][1:] >= found[usual][1:]).all()
    apart = np.flatnonzero(found["cut_step"] > found["shot_step"] + 0.1)
    assert len(set(apart.tolist()) - near - wrapped) > 10
    followed.clear()
    measured(moving(cut=ROWS), "cut_step")
    assert len(set(followed) - wrapped) < ROWS / 4


def test_it_is_followed_where_contrast_changes_and_structure_does_not_stay(
    followed: list[int],
) -> None:
    flat = [view(4 * n % 36) for n in range(9)]
    fading = [120 + (each - 120) * 0.97**n for n, each in enumerate(flat)]
    measured(flat, "cut_step")
    calm = set(followed)
    followed.clear()
    measured(fading, "cut_step")
    assert set(range(1, 9)) <= set(followed)
    assert not set(range(1, 9)) <= calm


def test_a_row_of_a_fade_may_rest(followed: list[int]) -> None:
    shares = np.cumprod([1, 0.97, 0.97, 1, 0.97, 0.97])
    measured([120 + (view(4 * n) - 120) * each for n, each in enumerate(shares)], "cut_step")
    assert {1, 2, 3, 4, 5} <= set(followed)


@pytest.mark.parametrize("start", [1, 13, 14, 20, 26, 27])
def test_values_do_not_depend_on_where_a_run_goes_on(start: int) -> None:
    whole = measured(moving(), "cut_step", "cut_residual", unreadable=[17, 24])
    found = measured(moving(), "cut_step", "cut_residual", unreadable=[17, 24], start=start)
    for name, values in found.items():
        np.testing.assert_array_equal(values, whole[name][start:], err_msg=name)


def test_rows_around_are_whole_frames_each_with_the_one_before() -> None:
    """Rows 17 and 24 cannot be read, and are left out."""
    seen: list[SignalFrame] = []
    looking = SIGNALS["cut_step"]
    plan = Plan({}, {}, {}, {"any": type(looking)(looking.spec, _kept(seen), looking.looks_at)})
    rgb = np.repeat(np.asarray(moving(), np.uint8)[..., None], 3, axis=3)
    with open_source(rgb, batch=ROWS) as source:
        (batch,) = source
    batch.status[[17, 24]] = Status.UNREADABLE
    pairs = Pairs(batch, None)
    list(score_pairs([pairs[at : at + 7] for at in range(0, ROWS, 7)], plan, {}))
    at = next(each for each in seen if each.index == 20)
    assert [each.index for each in at.earlier] == [19, 18, 16, 15, 14]
    assert [each.index for each in at.later] == [21, 22, 23, 25, 26]
    befores = [None if each.before is None else each.before.index for each in at.later]
    assert befores == [20, 21, 22, None, 25]
    assert all(each.before is None or each.before.before is None for each in at.earlier)
    assert at.alone().earlier == at.alone().later == ()


def _kept(seen: list[SignalFrame]):  # type: ignore[no-untyped-def]
    return lambda each: seen.append(each) or 0.0


def test_what_has_structure_along_the_motion_alone_may_be_a_cut(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(cut_steps, "in_place", lambda _: shot_steps.Unlike(math.nan, 1.0))
    monkeypatch.setattr(cut_steps, "unlike_before", lambda _: shot_steps.Unlike(0.9, 0.8))
    plain = np.full((120, 200), 100.0)
    for now, step in ((plain, math.nan), (plain + 100, 0.9)):  # of the same and of other colours
        seen = frame(now).linked(frame(plain), None, ())
        assert SIGNALS["cut_step"].compute(seen) == pytest.approx(step, nan_ok=True)


@pytest.mark.parametrize("velocity", [(12, 5), (20, 8)])
def test_what_lies_like_a_cut_and_moves_is_none(velocity: tuple[float, float]) -> None:
    frames = np.stack(list(synth.Scene(144, 240, velocity=velocity).frames(40)))
    with vs.scan(frames, kinds=["cut", "fade"]) as run:
        assert list(run.segments) == []


def test_as_many_rows_are_known_as_cuts_are_compared_with() -> None:
    assert max(*CUT_AROUND, CUT_ALONE_ROWS) == -min(CUT_AROUND) == NEAR_ROWS
    assert rows_before(Sight.BEFORE | Sight.NEAR) == NEAR_ROWS + 1

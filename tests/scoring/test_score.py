"""A batch computes what its frames allow, and says what it was compared with."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch
from helpers.between import between, frames

from vfiscope import synth
from vfiscope.scoring.score import Plan, score_pairs
from vfiscope.types import Features, Frames, Neighbours, Pairs, Role, Scores, Status

SCENE = synth.Scene(64, 96, seed=4, velocity=(6, 2))
PLAN = Plan.of(("psnr", "ghosting", "psnr_div"), ("absdiff", "warp"), ())
GRID = (4, 6)


def scored(pairs: Pairs, plan: Plan = PLAN) -> Scores:
    (made,) = score_pairs([pairs], plan, plan.grids((64, 96), None))
    return made


def known(scores: Scores) -> dict[str, list[bool]]:
    maps = {
        f"map {name}": grids.reshape(len(grids), -1)[:, 0] for name, grids in scores.maps.items()
    }
    return {
        name: (~np.isnan(column)).tolist() for name, column in {**scores.values, **maps}.items()
    }


def with_status(batch: Frames, *status: Status) -> Frames:
    return dataclasses.replace(batch, status=np.array(status, np.uint8))


def everything(rows: int = 2) -> Pairs:
    tests = [SCENE.frame(0.4), SCENE.frame(0.6)][:rows]
    return between(SCENE.frame(0), tests, SCENE.frame(1), ref=SCENE.frame(0.5))


@pytest.mark.parametrize("has_ref", [True, False])
@pytest.mark.parametrize("has_around", [True, False])
def test_what_lacks_a_frame_is_nan(has_ref: bool, has_around: bool) -> None:
    whole = everything()
    scores = scored(
        Pairs(
            whole.test, whole.ref if has_ref else None, around=whole.around if has_around else None
        )
    )
    assert known(scores) == {
        "psnr": [has_ref] * 2,
        "ghosting": [has_around] * 2,
        "psnr_div": [has_ref and has_around] * 2,
        "map absdiff": [has_ref] * 2,
        "map warp": [has_around] * 2,
    }
    assert all(
        grids.shape == (2, *GRID) and grids.dtype == np.float16 for grids in scores.maps.values()
    )
    unpaired = not (has_ref or has_around)
    assert scores.frames.status.tolist() == [Status.UNPAIRED if unpaired else Status.OK] * 2


def test_frames_say_what_they_were_compared_with() -> None:
    whole = everything()
    before, after = frames([SCENE.frame(0)] * 2, start=10), frames([SCENE.frame(1)] * 2, start=20)
    role, phase = np.array([Role.SYNTHESISED, Role.PASSED], np.uint8), np.array([0.5, 0.0])
    around = Pairs(whole.test, None, around=Neighbours(before, after), role=role, phase=phase)
    table = scored(around).frames
    assert table.ref_index.tolist() == [10, 11]
    assert table.role.tolist() == [Role.SYNTHESISED, Role.PASSED]
    assert table.phase.tolist() == [0.5, 0.0]
    paired = scored(
        Pairs(whole.test, frames([SCENE.frame(0.5)] * 2, start=5), around=Neighbours(before, after))
    ).frames
    assert paired.ref_index.tolist() == [5, 6]
    assert paired.role.tolist() == [Role.UNKNOWN] * 2
    assert np.isnan(paired.phase).all()
    assert scored(Pairs(whole.test, None)).frames.ref_index.tolist() == [-1, -1]


@pytest.mark.parametrize("place", ["test", "ref", "before", "after"])
def test_an_unreadable_frame_leaves_nan_where_it_was_needed(place: str) -> None:
    whole = everything()
    assert whole.ref is not None
    assert whole.around is not None
    parts = {
        "test": whole.test,
        "ref": whole.ref,
        "before": whole.around.before,
        "after": whole.around.after,
    }
    parts[place] = with_status(parts[place], Status.UNREADABLE, Status.OK)
    around = Neighbours(parts["before"], parts["after"])
    scores = scored(Pairs(parts["test"], parts["ref"], around=around))
    psnr, ghosting = place in ("before", "after"), place == "ref"
    assert known(scores) == {
        "psnr": [psnr, True],
        "ghosting": [ghosting, True],
        "psnr_div": [False, True],
        "map absdiff": [psnr, True],
        "map warp": [ghosting, True],
    }
    alone = scored(Pairs(parts["test"], None, around=around)).frames.status.tolist()
    assert alone == [Status.OK if place == "ref" else Status.UNREADABLE, Status.OK]
    both = scores.frames.status.tolist()
    assert both == [Status.UNREADABLE if place in ("test", "ref") else Status.OK, Status.OK]


def test_a_plan_of_neighbour_features_needs_an_embedder() -> None:
    assert Plan.of(("cosine_before",), (), ()).needs_features
    assert not Plan.of(("ghosting", "psnr_div"), ("warp",), ()).needs_features
    assert Plan.of(("ghosting",), ("warp",), ()).grids((1080, 1920), None) == {"warp": (67, 120)}


def test_cosines_to_neighbours_are_scored() -> None:
    plan, whole = Plan.of(("cosine", "cosine_before", "cosine_after"), (), ()), everything(1)
    assert whole.around is not None
    one, other = (
        Features(torch.tensor([v]), torch.zeros(1, 1, 1, 2)) for v in ([1.0, 0.0], [0.0, 1.0])
    )
    around = Neighbours(whole.around.before, whole.around.after, one, other)
    values = scored(Pairs(whole.test, None, one, around=around), plan).values
    assert values["cosine_before"].tolist() == [0]
    assert values["cosine_after"].tolist() == [1]
    assert np.isnan(values["cosine"]).all()

"""Regions in words: the answer, regions by severity, tracks with their frames."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from helpers.region_runs import answer, region, region_run

from vfiscope.regions.masks import decode, encode
from vfiscope.store import Run
from vfiscope.types import Box, Region, Track
from vfiscope.views.region_words import answer_sentence, describe_regions


def lines_of(path: Path, *args: object, most: int = 10, **how: object) -> list[str]:
    with Run(region_run(path, *args, **how)) as run:  # type: ignore[arg-type]
        return describe_regions(run, most)


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (answer(0), "nothing changed: no region"),
        (answer(0, 2), "something changed: 2 regions, 5.2 % of the frame"),
        (answer(0, 1, changed_area=1.0), "something changed: 1 region, 100 % of the frame"),
        (answer(0, answer="light"), "only the light changed: no region"),
        (answer(0, answer="new", caption="Said by itself."), "Said by itself."),
    ],
)
def test_the_answer_in_one_sentence(said: object, words: str) -> None:
    assert answer_sentence(said) == words  # type: ignore[arg-type]


def test_a_pair_has_its_regions_by_severity(tmp_path: Path) -> None:
    regions = [
        region(0, severity=2, area=9, caption="A spot appeared."),
        region(0, severity=5, kind="missing", caption="Something is \x1b[2Jmissing."),
        region(0, severity=2, area=10),
    ]
    assert lines_of(tmp_path / "a.h5", regions, [answer(0, 3)]) == [
        "something changed: 3 regions, 7.8 % of the frame",
        "   2  severity 5, missing: Something is \ufffd[2Jmissing.",
        "   3  severity 2, spot: x 20, y 8, 12x10 px",
        "   1  severity 2, spot: A spot appeared.",
    ]


def test_a_sequence_has_its_tracks(tmp_path: Path) -> None:
    regions = [
        region(1, track=0),
        region(2, track=0, severity=4, caption="Worst."),
        region(2, track=-1, severity=1),
        region(4, track=1, severity=5, caption="Short."),
    ]
    answers = [answer(n, sum(each.frame == n for each in regions)) for n in range(5)]
    tracks = [Track(0, 1, 2, 2, "spot"), Track(1, 4, 4, 1, "spot")]
    assert lines_of(tmp_path / "a.h5", regions, answers, tracks) == [
        "something changed in 3 of 5 frames, nothing changed in 2: 4 regions, 2 tracks",
        "  track 1, frame 4, 0.160 s, 1 region:",
        "    severity 5, spot: Short.",
        "  track 0, frames 1 to 2, 0.040..0.080 s, 2 regions:",
        "    frame 2, 0.080 s, severity 4, spot: Worst.",
        "  no track, frame 2, 0.080 s, 1 region:",
        "    severity 1, spot: x 20, y 8, 12x10 px",
    ]


def test_images_have_their_names(tmp_path: Path) -> None:
    names = [f"{n}.jpg" for n in "abcdef"]
    regions = [region(1, track=0), region(3, track=0, severity=4)]
    answers = [answer(1, 1), answer(2, answer="moved"), answer(3, 1)]
    lines = lines_of(tmp_path / "a.h5", regions, answers, [Track(0, 1, 3, 2, "spot")], names=names)
    assert lines == [
        "something changed in 2 of 3 frames, only the camera moved in 1: 2 regions, 1 track",
        "  track 0, b.jpg..d.jpg, 2 regions:",
        "    d.jpg, severity 4, spot: x 20, y 8, 12x10 px",
    ]


def test_only_so_many_are_listed(tmp_path: Path) -> None:
    lines = lines_of(tmp_path / "a.h5", [region(0)] * 5, [answer(0, 5)], most=2)
    assert len(lines) == 4
    assert lines[-1] == "  and 3 more, all in the result"


def test_no_regions_were_sought_or_found(tmp_path: Path) -> None:
    (said,) = lines_of(tmp_path / "a.h5", [], [])
    assert said == "no regions: no frame has a readable partner to compare it with"
    assert lines_of(tmp_path / "b.h5", [], [answer(0), answer(1)]) == [
        "nothing changed in 2 of 2 frames: 0 regions"
    ]


def test_a_region_of_a_frame_that_the_run_does_not_hold(tmp_path: Path) -> None:
    lines = lines_of(tmp_path / "a.h5", [region(99)], [answer(98), answer(99, 1)])
    assert lines[1] == "  no track, frame 5, 0.200 s, 1 region:"


def test_a_long_mask_is_read_whole(tmp_path: Path) -> None:
    size, box = (48, 64), Box(0, 0, 64, 48)
    mask = (np.indices(size).sum(axis=0) % 2).astype(bool)
    stored: Region = region(0, mask=encode(mask, box, size))
    assert len(stored.mask) > 2000
    with Run(region_run(tmp_path / "a.h5", [stored], [answer(0, 1)])) as run:
        assert (decode(run.regions[0].mask, size) == mask).all()

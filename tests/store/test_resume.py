"""Unfinished work is continued only by the job that began it."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from helpers.results import (
    GRID,
    PSNR,
    SSIM,
    make_header,
    make_scores,
    write,
)

from vfiscope.errors import ResumeError
from vfiscope.store import Header, Run, Writer

CHANGES = [
    ({"config": {**make_header().config, "lag": 2}}, "config.lag: 1 -> 2"),
    ({"mode": "scan"}, "mode: score -> scan"),
    (
        {
            "sources": [
                {**make_header().sources[0], "digest": "sha256:bb"},
                make_header().sources[1],
            ]
        },
        "sources[test].digest: sha256:aa -> sha256:bb",
    ),
    ({"sources": make_header().sources[:1]}, "sources[ref].role: ref -> (absent)"),
    ({"embedder": {**(make_header().embedder or {}), "dim": 384}}, "embedder.dim: 128 -> 384"),
    ({"embedder": None}, "embedder.name: dsift -> (absent)"),
    ({"versions": {"vfiscope": "0.2.0", "numpy": "2"}}, "versions.vfiscope: 0.1.0 -> 0.2.0"),
    ({"metrics": {"psnr": PSNR}}, "metrics.ssim.name: ssim -> (absent)"),
    (
        {"metrics": {"psnr": replace(PSNR, floor=0.6), "ssim": SSIM}},
        "metrics.psnr.floor: 0.5 -> 0.6",
    ),
    ({"grids": {"mismatch": GRID, "motion": (3, 5)}}, "grids.motion: [3, 4] -> [3, 5]"),
    ({"time_base": Fraction(1, 25)}, "time_base: 1001/30000 -> 1/25"),
]


@pytest.mark.parametrize(("change", "message"), CHANGES, ids=[message for _, message in CHANGES])
def test_unfinished_work_with_another_header_is_refused(
    tmp_path: Path, change: dict[str, Any], message: str
) -> None:
    out = tmp_path / "a.h5"
    with Writer(out, make_header(), block=4) as writer:
        writer.append(make_scores(10))
    before = sorted(
        (path.name, path.read_bytes()) for path in (tmp_path / "a.h5.parts").glob("part*")
    )
    with pytest.raises(ResumeError) as caught, Writer(out, make_header(**change)):
        pass
    text = str(caught.value)
    assert message in text
    assert "--no-resume discards the unfinished work" in text
    assert "\n" not in text
    assert (
        sorted((path.name, path.read_bytes()) for path in (tmp_path / "a.h5.parts").glob("part*"))
        == before
    )
    with Writer(out, make_header()) as writer:
        assert writer.rows_done == 8


def test_every_change_is_listed() -> None:
    changed = make_header(mode="scan", config={**make_header().config, "lag": 2, "batch": 99})
    assert changed.differences(make_header()) == ["mode: score -> scan", "config.lag: 1 -> 2"]
    assert make_header().differences(make_header()) == []


def test_the_default_rate_of_earlier_versions_was_stated_by_nobody() -> None:
    def header(fps: float | None, time_from: str | None) -> Header:
        return make_header(config={**make_header().config, "fps": fps, "time_from": time_from})

    assert header(None, None).differences(header(25.0, None)) == []
    for clock in ("fps", "exif"):
        assert header(None, clock).differences(header(25.0, clock)) == []
        assert header(24.0, clock).differences(header(25.0, clock)) == ["config.fps: 25.0 -> 24.0"]
    assert header(25.0, "fps").differences(header(25.0, None)) == [
        "config.fps: null -> 25.0",
        "config.time_from: null -> fps",
    ]


def test_each_metric_map_and_field_is_named_once() -> None:
    names = [f"m{i}" for i in range(20)]
    every = make_header(metrics={name: replace(PSNR, name=name) for name in names})
    other = make_header(
        metrics={"m0": replace(PSNR, name="m0", floor=9, unit="px")}, maps={}, embedder=None
    )
    assert other.differences(every) == [
        "embedder.name: dsift -> (absent)",
        "metrics.m0.unit: dB -> px",
        *(f"metrics.{name}.name: {name} -> (absent)" for name in names[1:]),
        "maps.mismatch.name: mismatch -> (absent)",
    ]
    assert "embedder.name: (absent) -> dsift" in every.differences(other)


def test_a_long_list_of_changes_is_cut(tmp_path: Path) -> None:
    many = make_header(
        metrics={name: replace(PSNR, name=name) for name in map("m{}".format, range(20))}
    )
    with Writer(tmp_path / "a.h5", many, block=4) as writer:
        scores = make_scores(5)
        writer.append(replace(scores, values=dict.fromkeys(many.metrics, scores.values["psnr"])))
    with pytest.raises(ResumeError) as caught, Writer(tmp_path / "a.h5", make_header()):
        pass
    text = str(caught.value).removeprefix(
        f"the unfinished work for {tmp_path / 'a.h5'} was made otherwise ("
    )
    changes = [f"metrics.m{i}.name: m{i} -> (absent)" for i in range(5)]
    assert (
        text == "; ".join([*changes, "and 17 more"]) + "): --no-resume discards the unfinished work"
    )


def test_two_sources_of_one_role_are_told_apart() -> None:
    first, second = ({"role": "test", "digest": digest} for digest in "ab")
    old, new = (
        make_header(sources=[first, second]),
        make_header(sources=[{**first, "digest": "c"}, second]),
    )
    assert new.differences(old) == ["sources[0].digest: a -> c"]


def test_options_that_change_no_score_may_change(tmp_path: Path) -> None:
    with Writer(tmp_path / "a.h5", make_header(), block=4) as writer:
        writer.append(make_scores(10))
    other = make_header(config={**make_header().config, "batch": 3, "overwrite": True})
    with Writer(tmp_path / "a.h5", other) as writer:
        assert writer.rows_done == 8


def test_header_of_a_run_is_the_one_it_was_written_with(tmp_path: Path) -> None:
    with Run(write(tmp_path / "a.h5", make_scores(5))) as run:
        assert make_header().differences(run.header) == []
        changed = make_header(config={**make_header().config, "lag": 3})
        assert changed.differences(run.header) == ["config.lag: 1 -> 3"]

"""What every comparison promises, and the pairs of each, written down by hand."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from vfiscope import synth
from vfiscope.comparisons import (
    COMPARISONS,
    Comparison,
    Scored,
    Streams,
    choose_comparison,
)
from vfiscope.errors import UsageError
from vfiscope.metrics import METRICS
from vfiscope.options import RunConfig
from vfiscope.scoring.inputs import open_inputs
from vfiscope.scoring.score import Plan, score_pairs
from vfiscope.types import FrameTable, Needs, Pairs

Row = tuple[int, int, int, int]
"""Ordinals of the test frame, its partner, and the frames before and after it; -1 for none."""
N = 13
FRAMES = np.stack(list(synth.Scene(64, 96, seed=3, objects=0, velocity=(3, 1)).frames(N)))
REF, AROUND = Needs.REF, Needs.REF | Needs.NEIGHBOURS


@dataclass(frozen=True)
class Case:
    """A configuration, and what its pairs must be."""

    name: str
    mode: str
    options: dict[str, Any]
    rows: list[Row]
    needs: Needs = REF
    shown: range = range(6)
    """The frames of the clip that the test has."""

    @property
    def test(self) -> NDArray[np.uint8]:
        return FRAMES[0] if self.mode == "compare" else FRAMES[self.shown.start : self.shown.stop]


CASES = {
    "by row": Case(
        "row", "score", {"ref": FRAMES[:5]}, [(n, n, -1, -1) for n in range(5)] + [(5, -1, -1, -1)]
    ),
    "by image": Case(
        "image",
        "score",
        {"ref": FRAMES[:5], "independent": True},
        [(n, n, -1, -1) for n in range(5)] + [(5, -1, -1, -1)],
    ),
    "by row, looking around": Case(
        "row",
        "score",
        {"ref": FRAMES[:6]},
        [(n, n, *((n - 1, n + 1) if 0 < n < 5 else (-1, -1))) for n in range(6)],
        AROUND,
    ),
    "by row, with a multiplier": Case(
        "row",
        "score",
        {"ref": FRAMES[:6], "multiplier": 2},
        [(n, n, *((n - 1, n + 1) if n in (1, 3) else (-1, -1))) for n in range(6)],
    ),
    "by shift": Case(
        "shift", "score", {"ref": FRAMES, "align": 3}, [(n, n + 3, -1, -1) for n in range(6)]
    ),
    "by shift back, looking around": Case(
        "shift",
        "score",
        {"ref": FRAMES, "align": -2},
        [
            (0, -1, -1, -1),
            (1, -1, -1, -1),
            (2, 0, -1, -1),
            *((n, n - 2, n - 3, n - 1) for n in (3, 4, 5)),
        ],
        AROUND,
    ),
    "by map": Case(
        "map",
        "score",
        {"ref": FRAMES, "align": "auto"},
        [(n, n + 4, -1, -1) for n in range(8)],
        shown=range(4, 12),
    ),
    "by map, looking around": Case(
        "map",
        "score",
        {"ref": FRAMES, "align": "auto"},
        [(n, n + 4, n + 3, n + 5) for n in range(8)],
        AROUND,
        range(4, 12),
    ),
    "with golden": Case("golden", "scan", {"golden": 2}, [(n, 2, -1, -1) for n in range(6)]),
    "with lag": Case(
        "lag", "scan", {"lag": 2}, [(n, n - 2 if n > 1 else -1, -1, -1) for n in range(6)]
    ),
    "with lag of one": Case("lag", "scan", {}, [(n, n - 1, -1, -1) for n in range(6)]),
    "with source": Case(
        "source",
        "score",
        {"source": FRAMES[::2]},
        [(n, -1, n // 2, n // 2 + 1) if n % 2 else (n, n // 2, -1, -1) for n in range(N)],
        shown=range(N),
    ),
    "between neighbours": Case(
        "neighbours",
        "score",
        {},
        [(0, -1, -1, -1), *((n, -1, n - 1, n + 1) for n in range(1, 5)), (5, -1, -1, -1)],
        Needs.NEIGHBOURS,
    ),
    "between originals": Case(
        "neighbours",
        "score",
        {"multiplier": 3},
        [(n, n, -1, -1) if n % 3 == 0 else (n, -1, n // 3 * 3, n // 3 * 3 + 3) for n in range(7)],
        Needs.NEIGHBOURS,
        range(7),
    ),
    "one image": Case(
        "alone",
        "compare",
        {"normal": "good", "regions": "reconstruction"},
        [(0, -1, -1, -1)],
        Needs.NOTHING,
    ),
    "two images": Case("images", "compare", {"ref": FRAMES[1]}, [(0, 0, -1, -1)]),
}


@pytest.fixture(params=CASES, ids=lambda name: name.replace(" ", "_"))
def case(request: pytest.FixtureRequest) -> Case:
    return CASES[request.param]


def config_of(case: Case, **more: Any) -> RunConfig:
    return RunConfig(case.mode, case.test, **case.options, **more)


def made(case: Case, done: int, batch: int) -> tuple[Comparison, Streams, list[Pairs]]:
    """The comparison of a case, its streams, and its pairs from a row on."""
    config = config_of(case, batch=batch)
    with ExitStack() as stack:
        streams = Streams(open_inputs(config, stack))
        comparison = choose_comparison(config)(config, case.needs).prepare(streams)
        pairs = list(comparison.pairs(streams, done))
        streams.drain()
    return comparison, streams, pairs


def rows_of(pairs: list[Pairs]) -> Iterator[Row]:
    for each in pairs:
        around = each.around
        for row in range(len(each)):
            yield (
                int(each.test.index[row]),
                -1 if each.ref is None else int(each.ref.index[row]),
                -1 if around is None else int(around.before.index[row]),
                -1 if around is None else int(around.after.index[row]),
            )


def test_there_is_a_case_for_every_comparison() -> None:
    assert {case.name for case in CASES.values()} == set(COMPARISONS)


def test_the_configuration_chooses_it_and_no_other(case: Case) -> None:
    config = config_of(case)
    assert choose_comparison(config) is COMPARISONS[case.name]
    assert choose_comparison(config_of(case, comparison=case.name)) is COMPARISONS[case.name]
    assert [name for name, each in COMPARISONS.items() if each.suits(config)] == [case.name]
    for other in set(COMPARISONS) - {case.name}:
        with pytest.raises(UsageError, match=f"comparison '{other}' does not go with these"):
            choose_comparison(config_of(case, comparison=other))


@pytest.mark.parametrize("batch", [1, 4, 100])
def test_pairs_are_those_written_down_from_any_row_on(case: Case, batch: int) -> None:
    for done in range(len(case.rows) + 1):
        assert list(rows_of(made(case, done, batch)[2])) == case.rows[done:]


def test_pairs_hold_what_is_offered(case: Case) -> None:
    comparison, _, pairs = made(case, 0, 4)
    offered = Needs.FEATURES
    for each in pairs:
        itself = each.ref is not None and case.name == "neighbours"  # of an original: no judgement
        offered |= Needs.NOTHING if each.ref is None or itself else Needs.REF
        offered |= Needs.NOTHING if each.around is None else Needs.NEIGHBOURS
    assert offered in comparison.offers
    assert comparison.offers_always in comparison.offers
    allowed = {name for name, metric in METRICS.items() if comparison.allows(metric.spec.needs)}
    assert ("psnr" in allowed) == (Needs.REF in comparison.offers)
    assert ("ghosting" in allowed) == (Needs.NEIGHBOURS in comparison.offers)
    in_order = case.mode == "score" and "ref" in case.options and case.name != "image"
    assert ("psnr_div" in allowed) == in_order


def test_what_must_be_found_is_found_before_and_changes_nothing_else(case: Case) -> None:
    config = config_of(case)
    comparison = choose_comparison(config)(config, case.needs)
    with ExitStack() as stack:
        streams = Streams(open_inputs(config, stack))
        prepared = comparison.prepare(streams)
        assert type(prepared) is type(comparison)
        assert (prepared.config, prepared.needs) == (config, case.needs)
        if case.name in ("map", "source"):
            with pytest.raises(ValueError, match="not found yet"):
                comparison.pairs(streams, 0)
        else:
            assert prepared is comparison


def test_a_report_counts_what_was_left_over(case: Case) -> None:
    comparison, streams, pairs = made(case, 0, 4)
    table = table_of(pairs)
    report = comparison.report(streams, Scored(table, {}))
    alone = sum(row[1:] == (-1, -1, -1) for row in case.rows)
    used = {row[1] for row in case.rows} - {-1}
    refs = {"by row": 5, "two images": 1}
    given = case.options.get("ref")
    count = 0 if given is None else refs.get(case.name, len(given) if given.ndim == 4 else 1)
    assert report.pairing["test_unpaired"] == alone
    assert report.pairing["ref_unpaired"] == (count - len(used) if given is not None else 0)
    assert report.pairing["policy"] == ("row" if case.name == "images" else case.name)
    assert report.reason == ""
    assert (report.table is not None) == (case.name in ("map", "shift"))
    if report.table is not None:
        assert report.table.ref_index.tolist() == [row[1] for row in case.rows]
        assert report.pairing["digest"] == report.table.digest


def table_of(pairs: list[Pairs]) -> FrameTable:
    """The frame table of a run of these pairs, of which nothing is computed."""
    tables = [scores.frames for scores in score_pairs(pairs, Plan({}, {}, {}), {})]
    columns = {
        name: np.concatenate([getattr(table, name) for table in tables])
        for name in FrameTable.COLUMNS
    }
    return FrameTable(**columns, time_base=tables[0].time_base)


@pytest.mark.parametrize(
    ("mode", "options", "frames", "message"),
    [
        ("scan", {"lag": 3}, 3, "lag is 3, but the sequence has 3 frames: pass a smaller one"),
        ("scan", {}, 1, "lag is 1, but the sequence has 1 frame: pass two or more, or --golden"),
        ("score", {}, 2, "the test has 2 frames, none with one before and one after it"),
        ("score", {"multiplier": 3}, 3, "none synthesised between two originals: pass 4 or more"),
        (
            "score",
            {"ref": FRAMES, "align": 20},
            3,
            "align is 20, and none of 3 frames has a partner",
        ),
    ],
)
def test_where_nothing_could_be_paired_a_report_says_why(
    mode: str, options: dict[str, Any], frames: int, message: str
) -> None:
    case = Case("", mode, options, [], Needs.NOTHING, range(frames))
    comparison, streams, pairs = made(case, 0, 2)
    assert message in comparison.report(streams, Scored(table_of(pairs), {})).reason

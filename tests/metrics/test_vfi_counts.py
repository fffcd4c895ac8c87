"""How metrics are counted against the yardstick: by hand, and by plain resampling; and what the
table says."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from scipy.stats import spearmanr

from vfiscope.metrics import METRICS
from vfiscope.types import Needs

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"


@pytest.fixture
def counts(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    import vfi_counts

    return vfi_counts


@pytest.fixture
def benchmark(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    import vfi as module

    yield module
    del sys.modules["vfi"]


def by_hand(counts: ModuleType) -> object:
    """Two scenes; of four pairs the first is a near tie: 0.10 and 0.11."""
    copies = np.array([[0.08, 0.12], [0.11, 0.11], [0.30, 0.10], [0.5, 0.5], [0.3, 0.3]])
    return counts.Sheet(["one", "clip two, frame 2"], np.array([0, 0, 0, 1, 1]), copies, {})


@pytest.mark.parametrize(
    ("values", "rate", "first"),
    [
        ([1, 2, 3, 5, 4], 1.0, 1.0),
        ([2, 1, 3, 5, 4], 1.0, 1.0),
        ([1, 3, 2, 4, 5], 1 / 3, 0.5),
        ([1, 2, 2, 4, 4], 0.5 * 4 / 3, 0.75),
        ([7, 7, 7, 7, 7], 0.5, 0.5),
        ([np.nan, 3, 2, 5, 4], 0.5, 0.0),
    ],
    ids=[
        "perfect",
        "wrong in the near tie alone",
        "two wrong",
        "two ties",
        "one value",
        "one not defined",
    ],
)
def test_shares_by_hand(counts: ModuleType, values: list[float], rate: float, first: float) -> None:
    sheet = by_hand(counts)
    assert sheet.yardstick == pytest.approx([0.10, 0.11, 0.20, 0.5, 0.3])
    assert sheet.all_pairs.tolist() == [[0, 1], [0, 2], [1, 2], [4, 3]]
    assert sheet.pairs.tolist() == [[0, 2], [1, 2], [4, 3]]
    assert sheet.rate(np.array(values, float)) == pytest.approx(rate)
    assert sheet.rate(np.array(values, float), "one") == pytest.approx(first)


def test_copies_agree_by_hand(counts: ModuleType) -> None:
    # Of the first scene the copies say 1 2 3 and 3 2 1, of the second the same.
    within, counted, near = by_hand(counts).agreement(0, 1)
    assert within == pytest.approx((-1 + 1) / 2)
    assert (counted, near) == pytest.approx((1 / 3, 0))


def drawn(counts: ModuleType) -> object:
    rng = np.random.default_rng(1)
    scene = np.repeat(np.arange(9), 4)
    names = (
        [f"scene {s}" for s in range(5)]
        + [f"clip a, frame {s}" for s in range(2)]
        + ["clip b, x", "clip b, y"]
    )
    copies = np.exp(rng.normal(-3, 1, (36, 2)))
    values = copies.mean(axis=1) * np.exp(rng.normal(0, 1, 36))
    values[5] = np.nan
    return counts.Sheet(names, scene, copies, {"some": values, "twice": 2 * values})


def test_resamples_are_those_of_whole_groups(counts: ModuleType) -> None:
    sheet = drawn(counts)
    values = sheet.columns["some"]
    assert len(set(sheet.groups)) == 7
    assert sheet.groups[5] == sheet.groups[6] != sheet.groups[7] == sheet.groups[8]
    assert sheet.draws.sum(axis=1).tolist() == [7] * counts.RESAMPLES
    draw = sheet.draws[3]
    rights, rows = [], []
    for group, times in enumerate(draw):
        members = np.flatnonzero(sheet.groups[sheet.scene] == group)
        pairs = [pair for pair in sheet.pairs if pair[0] in members]
        rights += times * [
            float(values[a] < values[b]) for a, b in pairs if not np.isnan(values[a] + values[b])
        ]
        rows += times * [k for k in members if not np.isnan(values[k])]
    assert sheet.rates(values)[3] == pytest.approx(np.mean(rights))
    assert sheet.correlations(values)[3] == pytest.approx(
        spearmanr(values[rows], sheet.yardstick[rows]).statistic
    )


def test_metrics_that_order_alike_are_never_apart(counts: ModuleType) -> None:
    sheet = drawn(counts)
    assert counts.interval(
        sheet.rates(sheet.columns["some"]) - sheet.rates(sheet.columns["twice"])
    ) == (0.0, 0.0)
    assert counts.interval(sheet.rates(sheet.yardstick)) == (1.0, 1.0)


def test_joined_sheets_keep_their_scenes(counts: ModuleType) -> None:
    both = counts.joined(drawn(counts), drawn(counts))
    assert len(both.pairs) == 2 * len(drawn(counts).pairs)
    assert both.rate(both.columns["some"]) == drawn(counts).rate(drawn(counts).columns["some"])


def test_rank_correlation_is_scipys_and_0_for_one_value(counts: ModuleType) -> None:
    rng = np.random.default_rng(19)
    first, second = rng.integers(0, 5, 40).astype(float), rng.integers(0, 9, 40).astype(float)
    assert counts.spearman(first, second) == pytest.approx(
        spearmanr(first, second).statistic, abs=1e-12
    )
    assert counts.spearman(first, np.zeros(40)) == 0.0


def rows_of(name: str) -> dict[str, list[str]]:
    cells = [
        line.split("|")[1:-1]
        for line in (BENCHMARKS / name).read_text().splitlines()
        if line.startswith("| ")
    ]
    return {row[0].strip(): [cell.strip() for cell in row[1:]] for row in cells}


def test_the_table_is_sorted_and_holds_every_metric(benchmark: ModuleType) -> None:
    rows = rows_of("vfi.md")
    rows.pop("metric")
    rates = [float(row[0].split()[0]) for row in rows.values()]
    assert rates == sorted(rates, reverse=True)
    comparing = {name for name, metric in METRICS.items() if Needs.REF in metric.spec.needs}
    assert set(rows) >= (comparing - {"vfi"}) | {benchmark.VFI}
    short = rows_of("vfi_short.md")
    short.pop("metric")
    assert set(short) == set(benchmark.SHOWN)
    assert all(rows[name] == row for name, row in short.items())


@pytest.mark.parametrize("name", ["vfi.md", "vfi_short.md"])
def test_leads_are_called_decisive_where_their_interval_leaves_out_0(name: str) -> None:
    said = re.search(
        r"decisive over (.*)\.\nIt is not over (.*)\.", (BENCHMARKS / name).read_text()
    )
    assert said is not None
    decisive, level = (set(names.split(", ")) - {"none"} for names in said.groups())
    ahead = {row: re.search(r"\((\S+) to", cells[-1]) for row, cells in rows_of(name).items()}
    lows = {row: float(found[1]) for row, found in ahead.items() if found}
    assert decisive | level == set(lows)
    assert len(lows) == len(ahead) - 2
    assert {row for row, low in lows.items() if low > 0} <= decisive
    assert {row for row, low in lows.items() if low < 0} <= level


def test_the_page_gets_the_new_table_and_nothing_else(
    benchmark: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = tmp_path / "benchmarks.md"
    page.write_text("# A\n\n<!-- benchmarks/vfi_short.md -->\nold\n\nolder\n\n## More\n\n## End\n")
    monkeypatch.setattr(benchmark, "PAGE", page)
    benchmark.into_page("new\n")
    assert page.read_text() == "# A\n\n<!-- benchmarks/vfi_short.md -->\nnew\n\n## More\n\n## End\n"

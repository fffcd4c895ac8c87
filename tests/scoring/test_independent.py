"""Images that have nothing to do with those beside them: judged alone and told by their names."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers.images import save

import vfiscope as vs
from vfiscope.cli.messages import describe
from vfiscope.errors import UsageError
from vfiscope.store import Run
from vfiscope.views.image_axis import short_names
from vfiscope.views.plot import plot_run
from vfiscope.views.tabulate import table_of

QUICK = {"metrics": "psnr", "maps": "none", "fields": "none"}
IDS = [3, 7, 8, 20, 21, 22, 40, 41, 50, 61]
OFF = [2, 2, 30, 30, 2, 2, 2, 2, 2, 40]
PSNR = [20 * np.log10(255 / off) for off in OFF]


@pytest.fixture(scope="module")
def triplets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten folders with a truth and a result that is a constant off: PSNR is 20 log(255 / off)."""
    folder = tmp_path_factory.mktemp("triplets")
    truth = np.random.default_rng(2).integers(60, 200, (len(IDS), 16, 16, 3))
    for made, name, off in zip(truth, IDS, OFF, strict=True):
        save(folder / f"{name}/truth.png", made.astype(np.uint8))
        save(folder / f"{name}/ours.png", (made + off).astype(np.uint8))
    return folder


def scored(triplets: Path, **options: Any) -> Run:
    usual = {**QUICK, "ref": str(triplets / "*/truth.png"), "independent": True}
    return vs.score(str(triplets / "*/ours.png"), **{**usual, **options})


def test_each_image_is_scored_with_its_partner_and_flagged_alone(triplets: Path) -> None:
    with scored(triplets, flag="psnr < 30") as run:
        np.testing.assert_allclose(run.scores["psnr"], PSNR, rtol=1e-6)
        assert run.pairing["policy"] == "image"
        assert (run.status, run.warnings) == ("ok", [])
        assert [(s.start, s.stop) for s in run.segments] == [(2, 3), (3, 4), (9, 10)]
        assert "luma_mean" in run.signals
        assert "frame_difference" not in run.signals  # it needs the image before
        lines = describe(run.summary()).splitlines()
        from vfiscope.segments import reflag

        reflag(run.path)
        with Run(run.path) as again:
            assert again.segments == run.segments
    assert lines[2] == "over all 10 independent images:"
    assert lines[-4:] == [
        "flagged images:",
        "  8/ours.png  psnr 18.59  rule 'psnr < 30'",
        "  20/ours.png  psnr 18.59  rule 'psnr < 30'",
        "  61/ours.png  psnr 16.09  rule 'psnr < 30'",
    ]


def test_nothing_is_flagged_by_the_others(triplets: Path) -> None:
    """As a clip, the worse images stand out from its level."""
    with scored(triplets) as run:
        assert run.segments == []
    sides = str(triplets / "*/ours.png"), str(triplets / "*/truth.png")
    with vs.score(sides[0], ref=sides[1], **QUICK) as run:
        assert run.segments


def test_a_figure_has_names_and_no_times(triplets: Path) -> None:
    with scored(triplets) as run:
        figure = plot_run(run)
        (axis,) = figure.axes[0].child_axes
        assert axis.get_xlabel() == "Image"
        assert [label.get_text() for label in axis.get_xticklabels()] == [str(i) for i in IDS]
        curve = figure.axes[0].lines[0].get_ydata()
        joined = np.isfinite(curve[:-1]) & np.isfinite(curve[1:])
        assert not joined.any()
        assert [text.get_text() for text in figure.axes[0].texts] == ["61"]


def test_a_table_draws_images_for_its_intervals(triplets: Path, tmp_path: Path) -> None:
    a = scored(triplets, out=str(tmp_path / "a.h5"))
    b = scored(triplets, out=str(tmp_path / "b.h5"))
    table = table_of([a, b])
    assert table.heading == "all 10 independent images"
    assert table.drawn == "bootstrap over 10 images"
    (column,) = table.columns
    assert column.values["a"] == pytest.approx(np.mean(PSNR), rel=1e-6)
    assert column.low["a"] < np.mean(PSNR) < column.high["a"]
    assert [worst.file for worst in column.worst["a"]] == ["61/ours.png"]
    a.close(), b.close()


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"flag": "psnr < 30 for 2 frames"}, "is about consecutive frames"),
        ({"fail_on": "psnr < 30 for 1 s"}, r"write 'psnr < 30'"),
        ({"align": "auto"}, "independent images are in no order"),
        ({"multiplier": 2}, "which multiplier is about"),
        ({"metrics": "midpoint_px"}, "choose other metrics"),
        ({"signals": "frame_difference"}, "looks at the frame before"),
    ],
)
def test_what_is_about_neighbours_is_refused(
    triplets: Path, options: dict[str, Any], reason: str
) -> None:
    with pytest.raises(UsageError, match=reason):
        scored(triplets, **options)


def test_a_scan_of_independent_images_needs_a_golden_one(triplets: Path) -> None:
    ours = str(triplets / "*/ours.png")
    with pytest.raises(UsageError, match="need something to be compared with: add --golden"):
        vs.scan(ours, independent=True, **QUICK)
    with vs.scan(ours, golden=0, independent=True, **QUICK) as run:
        assert (run.segments, len(run)) == ([], len(IDS))


def test_images_without_a_partner_are_counted(triplets: Path) -> None:
    with scored(triplets, ref=str(triplets / "?/truth.png")) as run:
        assert run.notes == ["7 test images have no partner: pass as many on both sides"]


@pytest.mark.parametrize(
    ("names", "short"),
    [
        (["7/a_01.png", "12/a_01.png"], ["7", "12"]),
        (["im7_ours.png", "im12_ours.png"], ["im7", "im12"]),
        (["a/x.png", "b/y.png"], ["a/x", "b/y"]),
        (["x/a.png"], ["a.png"]),
    ],
)
def test_names_are_shortened_to_what_differs(names: list[str], short: list[str]) -> None:
    assert short_names(names) == short

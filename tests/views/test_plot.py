"""Figures: what is drawn where, and files that come out the same."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from helpers.results import segments_result
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection, PolyCollection
from matplotlib.figure import Figure
from matplotlib.text import Annotation
from numpy.typing import NDArray

from vfiscope.errors import OutputExistsError, UsageError
from vfiscope.store import Header, Run, Writer
from vfiscope.types import FrameTable, MetricSpec, Needs, Role, Scores, Segment, Status
from vfiscope.views import draw_metric, overlay_warnings, plot_run
from vfiscope.views.curves import Curve, frame_axis, shade, thin
from vfiscope.views.naming import choose, title

INF, NAN = float("inf"), float("nan")
SPECS = {
    "psnr": MetricSpec("psnr", "dB", 0, INF, False, INF, 1.0, ""),
    "ssim": MetricSpec("ssim", "1", -1, 1, False, 1, 0.01, ""),
    "cosine": MetricSpec("cosine", "1", 0, 2, True, 0, 0.01, "", needs=Needs.REF | Needs.FEATURES),
    "mismatch": MetricSpec(
        "mismatch", "1", 0, 2, True, 0, 0.01, "", needs=Needs.REF | Needs.FEATURES
    ),
    "midpoint_px": MetricSpec("midpoint_px", "px", -INF, INF, True, 0, 0.5, ""),
    "mse": MetricSpec("mse", "code^2", 0, 255.0**2, True, 0, 25, ""),
    "visible_one": MetricSpec("visible_one", "1", 0, 1, True, 0, 1, ""),
    "cut": MetricSpec("cut", "1", 0, 1, True, 0, 1, ""),
}


def fake(
    scores: Mapping[str, Sequence[float] | NDArray[Any]],
    *,
    name: str = "a",
    time_s: NDArray[np.float64] | None = None,
    index: NDArray[np.int64] | None = None,
    segments: Sequence[Segment] = (),
    role: Sequence[int] | NDArray[Any] | None = None,
    status: Sequence[int] | None = None,
    rules: Sequence[str] = (),
    embedder: Mapping[str, Any] | None = None,
    folder: str = "/runs",
    test: str | None = None,
) -> Any:
    """A run as the figures see it."""
    n = len(next(iter(scores.values()), []))
    rows = np.arange(n)
    return SimpleNamespace(
        path=Path(f"{folder}/{name}.h5"),
        mode="score",
        frames=FrameTable(
            index=rows if index is None else index,
            pts=rows,
            time_s=rows / 25 if time_s is None else time_s,
            ref_index=rows,
            role=np.full(n, Role.UNKNOWN, np.uint8) if role is None else np.asarray(role, np.uint8),
            phase=np.full(n, NAN),
            status=np.zeros(n, np.uint8) if status is None else np.asarray(status, np.uint8),
            time_base=Fraction(1, 25),
        ),
        scores={metric: np.asarray(values, np.float32) for metric, values in scores.items()},
        specs={metric: SPECS[metric] for metric in scores},
        segments=list(segments),
        rules=list(rules),
        config={"golden": 7},
        sources=[
            {"role": "test", "path": test or f"/v/{name}.mp4"},
            {"role": "ref", "path": "/v/truth.mp4"},
        ],
        embedder=embedder,
        pairing={"policy": "row"},
        names=(),
    )


def segment(start: int, stop: int, metric: str) -> Segment:
    return Segment(start, stop, "low_score", metric, 0.5, start, 1.0, start / 25, stop / 25)


def cut(start: int, stop: int) -> Segment:
    return Segment(start, stop, "cut", "cut", 1.0, start, 1.0, start / 25, stop / 25)


def panels(figure: Figure) -> list[Axes]:
    return list(figure.axes)


def lines(ax: Axes) -> list[tuple[list[float], list[float]]]:
    """Every curve and set of markers with data, as (times, values)."""
    drawn = [(np.asarray(line.get_xdata()), np.asarray(line.get_ydata())) for line in ax.lines]
    return [(x.tolist(), y.tolist()) for x, y in drawn if len(x)]


def boxes(ax: Axes) -> list[tuple[float, float, float, float]]:
    """(x0, x1, y0, y1) of every shaded range, y in parts of the panel."""
    shaded = [collection for collection in ax.collections if isinstance(collection, PolyCollection)]
    extents = [path.get_extents() for collection in shaded for path in collection.get_paths()]
    return [(round(e.x0, 6), round(e.x1, 6), round(e.y0, 6), round(e.y1, 6)) for e in extents]


def cut_lines(ax: Axes) -> list[float]:
    """Times of the lines through a panel."""
    through = [
        collection for collection in ax.collections if isinstance(collection, LineCollection)
    ]
    return [
        round(float(ends[0][0]), 6) for collection in through for ends in collection.get_segments()
    ]


def legend(figure: Figure) -> list[str]:
    return [text.get_text() for each in figure.legends for text in each.get_texts()]


def test_one_panel_for_each_metric_with_its_name_unit_and_direction() -> None:
    run = fake(
        {
            "psnr": [30, 31, 32],
            "ssim": [0.9, 1, 0.8],
            "cosine": [0, 0.1, 0],
            "midpoint_px": [0, 1, -1],
        }
    )
    figure = plot_run(run)
    assert [ax.get_title(loc="left") for ax in panels(figure)] == [
        "PSNR [dB] ↑",
        "SSIM ↑",
        "Cosine distance ↓",
        "Midpoint offset [px] (0 is best)",
    ]
    assert {(ax.get_ylabel(), ax.get_xlabel()) for ax in panels(figure)} == {("", "")}
    below = [[axis.get_xlabel() for axis in ax.child_axes] for ax in panels(figure)]
    assert below == [[], [], [], ["Time [s]", "Frame"]]
    assert figure.get_suptitle() == "a.mp4 against truth.mp4"
    assert not figure.legends


def test_metrics_choose_and_order_the_panels() -> None:
    run = fake({"psnr": [30, 31], "ssim": [0.9, 1], "cosine": [0, 0.1]})
    figure = plot_run(run, metrics=["cosine", "psnr"])
    assert [ax.get_title(loc="left") for ax in panels(figure)] == [
        "Cosine distance ↓",
        "PSNR [dB] ↑",
    ]


def test_what_tells_nothing_about_quality_has_no_direction() -> None:
    assert title(SPECS["visible_one"]) == "Visible in one"
    assert title(SPECS["mse"]) == "MSE [code²] ↓"
    assert title(MetricSpec("my_score", "1", 0, 1, False, 1, 0, "")) == "My score ↑"


def test_the_curve_is_the_scores() -> None:
    ax = panels(plot_run(fake({"ssim": [0.5, 0.75, 1.0]})))[0]
    assert lines(ax) == [([0.0, 0.04, 0.08], [0.5, 0.75, 1.0])]


def test_a_frame_without_a_value_breaks_the_curve_and_leaves_lone_values_as_dots() -> None:
    curve = Curve.of(np.arange(7.0), np.array([1, 2, NAN, 3, NAN, 4, 5], np.float32))
    np.testing.assert_array_equal(curve.line[1], [1, 2, NAN, 3, NAN, 4, 5])
    assert [part.tolist() for part in curve.dots] == [[3.0], [3.0]]
    assert (curve.undefined, curve.infinite) == (2, 0)
    ax = panels(plot_run(fake({"ssim": [0.5, NAN, 0.75]})))[0]
    assert ax.get_title(loc="right") == "1 without a value"


def test_one_infinite_value_is_stepped_over_and_several_break_the_curve() -> None:
    curve = Curve.of(np.arange(8.0), np.array([30, INF, 31, INF, INF, 32, 33, INF], np.float32))
    np.testing.assert_array_equal(curve.line[0], [0, 2, 3, 4, 5, 6])
    np.testing.assert_array_equal(curve.line[1], [30, 31, NAN, NAN, 32, 33])
    np.testing.assert_array_equal(curve.above, [1, 3, 4, 7])
    assert len(curve.below) == 0


def test_infinite_values_are_triangles_at_the_top_and_counted() -> None:
    ax = panels(plot_run(fake({"psnr": [30, INF, 31, INF]})))[0]
    assert ax.get_title(loc="right") == "▲\u00a02 identical"
    curve, triangles = lines(ax)
    assert curve == ([0.0, 0.08], [30, 31])
    assert triangles[0] == [0.04, 0.12]
    assert set(triangles[1]) == {0.965}
    assert ax.get_ylim()[1] > 31 + 0.1 * (31 - 30)


def test_a_panel_of_nothing_finite_is_still_drawn(tmp_path: Path) -> None:
    figure = plot_run(fake({"psnr": [INF, INF], "cosine": [NAN, NAN]}), tmp_path / "a.png")
    assert [ax.get_title(loc="right") for ax in panels(figure)] == [
        "▲\u00a02 identical",
        "2 without a value",
    ]


@pytest.mark.parametrize(
    ("metric", "values", "includes"),
    [
        ("ssim", [0.3, 0.4], (0.3, 0.4)),
        ("ssim", [0.9, 0.96], (0.9, 1.0)),
        ("ssim", [1.0, 1.0], (0.9975, 1.0)),
        ("cosine", [0.5, 0.6], (0.5, 0.6)),
        ("cosine", [0.05, 0.1], (0.0, 0.1)),
        ("cosine", [0.0, 0.007], (0.0, 0.007)),
        ("cosine", [0.0, 0.0], (0.0, 0.0025)),
        ("cosine", [0.0002, 0.00022], (0.0, 0.0025)),
        ("cosine", [0.3, 0.3], (0.29875, 0.30125)),
        ("psnr", [35.0, 35.0], (34.875, 35.125)),
        ("psnr", [-3.0, 60.0], (-3.0, 60.0)),
        ("midpoint_px", [0.0, 0.0], (-0.0625, 0.0625)),
        ("midpoint_px", [3.0, 4.0], (3.0, 4.0)),
        ("midpoint_px", [1.0, 2.0], (0.0, 2.0)),
        ("midpoint_px", [-3.0, 4.0], (-3.0, 4.0)),
        ("visible_one", [0.02, 0.03], (0.02, 0.03)),
        ("visible_one", [0.5, 0.5], (0.4975, 0.5025)),
    ],
)
def test_limits_fit_the_data_down_to_a_quarter_of_the_floor(
    metric: str, values: list[float], includes: tuple[float, float]
) -> None:
    low, high = panels(plot_run(fake({metric: values})))[0].get_ylim()
    span = includes[1] - includes[0]
    np.testing.assert_allclose(
        [low, high], [includes[0] - 0.06 * span, includes[1] + 0.06 * span], rtol=1e-6
    )


def test_flagged_ranges_are_shaded_in_their_own_panel() -> None:
    run = fake(
        {"psnr": [30] * 9, "ssim": [1] * 9}, segments=[segment(2, 5, "ssim"), segment(8, 9, "ssim")]
    )
    figure = plot_run(run)
    psnr, ssim = panels(figure)
    assert boxes(psnr) == []
    assert boxes(ssim) == [(0.06, 0.18, 0.0, 1.0), (0.3, 0.34, 0.0, 1.0)]
    assert legend(figure) == ["flagged (low score)"]
    assert ssim.get_xlim()[1] > 0.34


def test_a_shade_covers_its_frames_and_not_the_gap_after_them() -> None:
    """Photos every three hours with a night of twelve; frames 2 and 3 lie on both sides of it."""
    hours = np.array([0.0, 3, 6, 18, 21, 24])
    run = fake(
        {"ssim": [1] * 6},
        time_s=3600 * hours,
        segments=[segment(2, 3, "ssim"), segment(3, 4, "ssim")],
    )
    (ssim,) = panels(plot_run(run))
    spans = [(left / 3600, right / 3600) for left, right, *_ in boxes(ssim)]
    assert spans == [(4.5, 7.5), (16.5, 19.5)]


@pytest.mark.parametrize(
    ("times", "start", "stop", "span"),
    [
        ([0.0, 1, 2, 3], 0, 1, (-0.5, 0.5)),
        ([0.0, 1, 2, 3], 3, 4, (2.5, 3.5)),
        ([0.0, 1, 2, 3], 1, 3, (0.5, 2.5)),
        ([0.0, 1, 1.5, 2.5], 1, 2, (0.5, 1.25)),
        ([7.0], 0, 1, (6.5, 7.5)),
    ],
)
def test_a_bad_frame_lies_inside_its_shade(
    times: list[float], start: int, stop: int, span: tuple[float, float]
) -> None:
    run = fake({"ssim": [1] * len(times)}, time_s=np.array(times))
    assert shade(run.frames, start, stop) == span


def test_a_segment_of_no_metric_is_shaded_in_every_panel() -> None:
    run = fake({"psnr": [30] * 9, "ssim": [1] * 9}, segments=[segment(2, 5, "")])
    assert [boxes(ax) for ax in panels(plot_run(run))] == [[(0.06, 0.18, 0.0, 1.0)]] * 2


def test_a_cut_is_a_line_through_every_panel_and_no_panel() -> None:
    cuts = [NAN, 0, NAN, 1, NAN, 0, NAN, 1, 1]
    run = fake({"psnr": [30] * 9, "ssim": [1] * 9, "cut": cuts}, segments=[cut(3, 4), cut(7, 9)])
    figure = plot_run(run)
    assert [ax.get_title(loc="left") for ax in panels(figure)] == ["PSNR [dB] ↑", "SSIM ↑"]
    assert [cut_lines(ax) for ax in panels(figure)] == [[0.12, 0.3], [0.12, 0.3]]
    assert [boxes(ax) for ax in panels(figure)] == [[], []]
    assert legend(figure) == ["cut"]
    (asked_for,) = panels(plot_run(run, metrics=["cut"]))
    assert asked_for.get_title(loc="left") == "Cut"
    (alone,) = panels(plot_run(fake({"cut": [0, 0]})))
    assert alone.get_title(loc="left") == "Cut"


def test_passed_and_synthesised_frames_have_a_curve_each() -> None:
    run = fake({"ssim": [1, 0.75, 1, 0.5, 1]}, role=[0, 1, 0, 1, 0])
    figure = plot_run(run)
    assert lines(panels(figure)[0]) == [([0.0, 0.08, 0.16], [1, 1, 1]), ([0.04, 0.12], [0.75, 0.5])]
    passed, made = [line for line in panels(figure)[0].lines if len(np.asarray(line.get_xdata()))]
    assert passed.get_linewidth() < made.get_linewidth()
    assert passed.get_color() != made.get_color()
    assert legend(figure) == ["synthesised frames", "passed frames"]


def test_a_metric_of_one_role_counts_no_frames_of_the_other() -> None:
    run = fake({"midpoint_px": [NAN, 0.5, NAN, NAN, NAN, 1]}, role=[0, 1, 0, 1, 0, 1])
    figure = plot_run(run)
    assert panels(figure)[0].get_title(loc="right") == "1 without a value"
    assert legend(figure) == ["synthesised frames"]


def test_the_axis_fits_synthesised_frames_and_says_where_passed_ones_are_not_in_sight() -> None:
    far = panels(plot_run(fake({"psnr": [60, 30, 61, 32, 60, 31]}, role=[0, 1] * 3)))[0]
    low, high = far.get_ylim()
    assert 29 < low < 30
    assert 32 < high < 33
    assert far.get_title(loc="right") == "passed frames beyond the panel"
    near = panels(plot_run(fake({"psnr": [33.5, 30, 33.9, 32, 33.5, 31]}, role=[0, 1] * 3)))[0]
    assert near.get_ylim()[1] > 33.9
    assert near.get_title(loc="right") == ""


def test_what_only_passed_frames_have_comes_last_and_says_so() -> None:
    scores = {"psnr": [40, NAN, 41, NAN], "midpoint_px": [NAN, 1, NAN, 2]}
    made, passed = segment(0, 1, "psnr"), replace(segment(2, 3, "psnr"), role="passed")
    figure = plot_run(
        fake(scores, role=[0, 1] * 2, segments=[replace(made, metric="midpoint_px"), passed])
    )
    assert [ax.get_title(loc="left") for ax in panels(figure)] == [
        "Midpoint offset [px] (0 is best)",
        "PSNR [dB] ↑",
    ]
    assert panels(figure)[1].get_title(loc="right") == "passed frames only"
    assert [len(boxes(ax)) for ax in panels(figure)] == [1, 1]
    beside = fake(
        {"ssim": [1, 0.9, 1, 0.8]}, role=[0, 1] * 2, segments=[replace(passed, metric="ssim")]
    )
    assert boxes(panels(plot_run(beside))[0]) == []


@pytest.mark.parametrize(
    ("scores", "more", "marked"),
    [
        ({"ssim": [1, 0.9, 0.8, NAN]}, {}, ("2", 0.08, 0.8)),
        ({"psnr": [30, INF, 31, 20]}, {}, ("3", 0.12, 20)),
        ({"midpoint_px": [1, -3, 2, 0]}, {}, ("1", 0.04, -3)),
        ({"ssim": [0.5, 0.9, 0.6, 0.8]}, {"role": [0, 1, 0, 1]}, ("3", 0.12, 0.8)),
        ({"ssim": [1, 0.9, 0.8, 1]}, {"index": np.array([4, 6, 8, 10])}, ("8", 0.08, 0.8)),
        ({"cosine": [0, 0, 0.0001, 0]}, {}, None),
        ({"ssim": [NAN] * 4}, {}, None),
        ({"visible_one": [0, 1, 0.5, 0]}, {}, None),
    ],
)
def test_the_worst_frame_of_a_run_has_its_number(
    scores: Any, more: Any, marked: tuple[str, float, float] | None
) -> None:
    (ax,) = panels(plot_run(fake(scores, **more)))
    texts = [(text.get_text(), *text.xy) for text in ax.texts if isinstance(text, Annotation)]
    assert texts == ([] if marked is None else [(marked[0], marked[1], pytest.approx(marked[2]))])


def test_the_worst_photo_has_its_name_and_several_runs_have_no_marks() -> None:
    run = fake({"ssim": [1, 0.9, 0.8, 1]})
    run.names = ("a/1.jpg", "a/2.jpg", "b/3.jpg", "b/4.jpg")
    assert [text.get_text() for text in panels(plot_run(run))[0].texts] == ["3.jpg"]
    assert panels(plot_run([run, fake({"ssim": [1, 0.7, 0.8, 1]}, name="b")]))[0].texts[:] == []


def test_the_threshold_of_a_rule_is_a_dashed_line_in_sight() -> None:
    rules = ["PSNR < 28 dB for 3 frames", "mean(psnr) < 20", "ssim < 0.9"]
    figure = plot_run(
        fake({"psnr": [30, 31, 32], "ssim": [1, 0.95, 1], "cosine": [0, 0, 0.1]}, rules=rules)
    )
    dashed = [
        [float(np.asarray(line.get_ydata())[0]) for line in ax.lines if line.is_dashed()]
        for ax in panels(figure)
    ]
    assert dashed == [[28.0], [0.9], []]
    assert [round(ax.get_ylim()[0], 6) for ax in panels(figure)[:2]] == [
        28 - 0.06 * 4,
        0.9 - 0.06 * 0.1,
    ]
    assert legend(figure) == ["threshold of a rule"]


def test_damaged_frames_are_crosses_at_the_foot() -> None:
    status = [Status.OK, Status.CORRUPT, Status.UNPAIRED, Status.UNREADABLE, Status.OK]
    figure = plot_run(fake({"ssim": [0.5, 0.75, NAN, NAN, 1]}, status=status))
    assert lines(panels(figure)[0])[0] == ([0.04, 0.12], [0.0, 0.0])
    assert legend(figure) == ["damaged frame"]


def test_the_one_value_of_a_run_of_one_frame_is_written() -> None:
    figure = plot_run(fake({"psnr": [23.25], "ssim": [NAN], "mse": [12345.0]}))
    assert [ax.get_title(loc="right") for ax in panels(figure)] == [
        "23.25",
        "1 without a value",
        "12345",
    ]


@pytest.mark.parametrize(("count", "shape"), [(6, (6, 1)), (7, (4, 2)), (12, (6, 2))])
def test_many_panels_stand_in_two_columns(
    count: int, shape: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [f"m{n}" for n in range(count)]
    for name in names:
        monkeypatch.setitem(SPECS, name, MetricSpec(name, "1", 0, 1, True, 0, 0.01, ""))
    figure = plot_run(fake({name: [0.1, 0.2] for name in names}))
    grids = [ax.get_subplotspec() for ax in panels(figure)]
    assert {grid.get_geometry()[:2] for grid in grids if grid} == {shape}
    numbered = [n for n, ax in enumerate(panels(figure)) if ax.child_axes]
    assert numbered == list(range(count - shape[1], count))


def test_twenty_runs_with_long_names_leave_room_for_the_panels(
    recwarn: pytest.WarningsRecorder,
) -> None:
    runs = [
        fake({"psnr": [30 + n, INF, 31 + n], "ssim": [1] * 3}, name=f"{n:02d}{'x' * 60}")
        for n in range(20)
    ]
    runs[3].scores.pop("ssim")
    for run in runs[:10]:
        run.scores["psnr"][2] = NAN
    figure = plot_run(runs)
    figure.canvas.draw()
    psnr, ssim = panels(figure)
    assert psnr.get_title(loc="right") == "▲\u00a020 identical, 10 without a value in all"
    assert ssim.get_title(loc="right") == f"03{'x' * 24}…{'x' * 21}: not scored"
    assert all(ax.bbox.height / figure.dpi > 0.8 for ax in panels(figure))
    assert not recwarn.list
    drawn = np.concatenate(
        [np.asarray(line.get_ydata()) for line in psnr.lines if line.get_marker() == "^"]
    )
    assert 0.65 < drawn.min() < drawn.max() < 1


def test_several_runs_have_a_legend_colours_and_bars_of_their_own() -> None:
    runs = [
        fake({"ssim": [1, 0.9, 1]}, name="rife", segments=[segment(1, 2, "ssim")]),
        fake({"ssim": [1, 0.8, 1]}, name="_blend", segments=[segment(1, 3, "ssim")]),
    ]
    figure = plot_run(runs)
    (ax,) = panels(figure)
    assert legend(figure) == ["rife", "_blend", "flagged by run (low score)"]
    assert figure.get_suptitle() == "2 runs against truth.mp4"
    assert len(lines(ax)) == 2
    assert len({str(line.get_color()) for line in ax.lines}) == 2
    first, second = boxes(ax)
    assert (first[:2], second[:2]) == ((0.02, 0.06), (0.02, 0.1))
    assert first[3] < second[2] < second[3] < 0.11
    assert ax.get_ylim()[0] < 0.8 - 0.09 * 0.2


def test_no_two_of_many_runs_look_alike() -> None:
    runs = [fake({"ssim": [1, 0.9]}, name=f"r{n}") for n in range(16)]
    (ax,) = panels(plot_run(runs))
    looks = {
        (str(line.get_color()), str(line.get_linestyle()))
        for line in ax.lines
        if len(line.get_xdata())
    }  # type: ignore[arg-type]
    assert len(looks) == 16


def test_runs_are_told_apart_by_what_differs() -> None:
    def names(*runs: Any) -> list[str]:
        return legend(plot_run(runs))

    scores = {"ssim": [1.0, 0.9]}
    assert names(fake(scores, name="a"), fake(scores, name="b")) == ["a", "b"]
    assert names(fake(scores, test="/v/x.mp4"), fake(scores, test="/v/y.mp4")) == ["x.mp4", "y.mp4"]
    assert names(fake(scores, folder="/r/one"), fake(scores, folder="/r/two")) == ["one/a", "two/a"]
    assert names(fake(scores), fake(scores)) == ["1 a", "2 a"]


def test_names_are_shown_as_they_are(tmp_path: Path) -> None:
    odd = fake({"ssim": [1, 0.9]}, name="$x^2$ \udce9\n" + "y" * 60)
    figure = plot_run(odd, tmp_path / "a.svg")
    assert figure.get_suptitle() == f"$x^2$ \ufffd\ufffd{'y' * 18}…{'y' * 17}.mp4 against truth.mp4"
    assert "$x^2$" in (tmp_path / "a.svg").read_text(encoding="utf-8")


def test_what_was_compared_is_in_the_title() -> None:
    run = fake({"ssim": [1, 0.9]})
    run.sources = [{"role": "test", "path": "/v/garden/*.jpg"}]
    run.pairing = {"policy": "lag", "lag": 2}
    assert plot_run(run).get_suptitle() == "garden/*.jpg against itself 2 frames before"
    run.sources.append({"role": "golden", "path": "/v/gold.png"})
    assert plot_run(run).get_suptitle() == "garden/*.jpg against gold.png"
    run.sources[1]["path"] = run.sources[0]["path"]
    assert plot_run(run).get_suptitle() == "garden/*.jpg against frame 7"


def test_a_run_without_the_metric_is_noted() -> None:
    runs = [
        fake({"ssim": [1, 0.9], "psnr": [30, 31]}, name="x"),
        fake({"ssim": [1, 0.9]}, name="y"),
    ]
    ssim, psnr = panels(plot_run(runs))
    assert ssim.get_title(loc="right") == ""
    assert psnr.get_title(loc="right") == "y: not scored"


def test_frame_numbers_follow_variable_frame_rates() -> None:
    times = np.array([0.0, 0.1, 0.2, 1.2, 2.2])
    frames = fake({"ssim": [1] * 5}, time_s=times, index=np.array([10, 12, 14, 16, 18])).frames
    to_frame, to_time = frame_axis(frames)
    np.testing.assert_allclose(to_frame(times), [10, 12, 14, 16, 18], rtol=0, atol=1e-12)
    np.testing.assert_allclose(
        to_frame([0.15, 0.7, -0.1, 3.2]), [13, 15, 8, 20], rtol=0, atol=1e-12
    )
    np.testing.assert_allclose(to_time([8, 13, 15, 20]), [-0.1, 0.15, 0.7, 3.2], rtol=0, atol=1e-12)


def test_a_frame_that_does_not_advance_in_time_is_left_out_of_the_axis() -> None:
    frames = fake({"ssim": [1] * 5}, time_s=np.array([0.0, 0.1, 0.1, 0.05, 0.4])).frames
    np.testing.assert_allclose(
        frame_axis(frames)[0]([0.0, 0.1, 0.4]), [0, 1, 4], rtol=0, atol=1e-12
    )


def frame_ticks(figure: Figure) -> list[float]:
    _, numbers = panels(figure)[-1].child_axes
    figure.canvas.draw()
    low, high = numbers.get_xlim()
    return [float(tick) for tick in numbers.get_xticks() if low <= tick <= high]


@pytest.mark.parametrize("n", [1, 2, 5, 96])
def test_frame_numbers_are_whole_and_exist(n: int) -> None:
    ticks = frame_ticks(
        plot_run(
            fake({"ssim": [1] * n}, index=np.arange(7, 7 + n), time_s=np.arange(7, 7 + n) / 25)
        )
    )
    assert ticks
    assert all(tick == int(tick) and 7 <= tick < 7 + n for tick in ticks)


@pytest.mark.parametrize(
    ("last_s", "unit", "half"), [(9000, "s", 4500), (36000, "h", 5), (864000, "d", 5)]
)
def test_long_sequences_have_hours_or_days(last_s: float, unit: str, half: float) -> None:
    figure = plot_run(fake({"ssim": [1] * 11}, time_s=np.linspace(0, last_s, 11)))
    times, _ = panels(figure)[-1].child_axes
    assert times.get_xlabel() == f"Time [{unit}]"
    figure.canvas.draw()
    low, high = panels(figure)[-1].get_xlim()
    assert sum(times.get_xlim()) / 2 == pytest.approx((low + high) / 2 * half / (last_s / 2))
    drawn = [panel.get_xticks() * half / (last_s / 2) for panel in panels(figure)]
    np.testing.assert_allclose(drawn, [times.get_xticks()] * len(drawn))


def test_the_frame_axis_says_whose_frames_it_numbers_when_runs_differ() -> None:
    slow = fake({"ssim": [1] * 5}, name="slow", time_s=np.arange(5) / 10)
    fast = fake({"ssim": [1] * 9}, name="fast")
    _, numbers = panels(plot_run([slow, fast]))[-1].child_axes
    assert numbers.get_xlabel() == "Frame of slow"
    _, numbers = panels(plot_run([fast, fake({"ssim": [1] * 4}, name="short")]))[-1].child_axes
    assert numbers.get_xlabel() == "Frame"


def test_thinning_loses_no_spike_and_no_gap() -> None:
    n = 100_000
    rng = np.random.default_rng(0)
    values = rng.normal(0, 1, n)
    spikes = rng.choice(n, 20, replace=False)
    values[spikes] = np.linspace(50, 100, 20)
    values[40_013:40_322] = NAN
    values[70_000] = NAN
    times, kept = thin(np.arange(n, dtype=np.float64), values)
    assert len(times) < 12_000
    assert (np.diff(times) > 0).all()
    np.testing.assert_array_equal(kept, values[times.astype(int)])
    assert set(spikes[~np.isnan(values[spikes])]) <= set(times.astype(int))
    assert {40_013, 40_321, 70_000} <= set(times.astype(int))
    size = -(-n // 2000)
    for start in range(0, n, size):
        inside = (times >= start) & (times < start + size)
        part = values[start : start + size]
        if not np.isnan(part).all():
            assert np.nanmin(kept[inside]) == np.nanmin(part)
            assert np.nanmax(kept[inside]) == np.nanmax(part)


@pytest.mark.parametrize("n", [10_001, 10_007, 123_457])
def test_thinning_keeps_the_ends(n: int) -> None:
    times, values = thin(np.arange(n, dtype=np.float64), np.zeros(n))
    assert (times[0], times[-1]) == (0, n - 1)
    assert len(times) == len(values) <= 10_000


def test_few_rows_are_not_thinned() -> None:
    times = np.arange(10_000.0)
    assert thin(times, times)[0] is times


def test_a_very_long_run_is_drawn_from_few_points(tmp_path: Path) -> None:
    values = np.full(100_000, 35.0)
    values[54_321] = 5
    values[::2] = INF
    ax = panels(plot_run(fake({"psnr": values}), tmp_path / "a.svg"))[0]
    assert min(lines(ax)[0][1]) == 5
    assert sum(len(x) for x, _ in lines(ax)) < 25_000
    assert (tmp_path / "a.svg").stat().st_size < 2_000_000


HEADS = {".png": b"\x89PNG", ".svg": b"<?xml", ".pdf": b"%PDF"}


@pytest.mark.parametrize("suffix", sorted(HEADS))
def test_files_come_out_the_same_and_undated(tmp_path: Path, suffix: str) -> None:
    run = fake({"psnr": [30, INF, 32], "ssim": [0.9, 1, 0.8]}, segments=[segment(1, 2, "ssim")])
    written = []
    for name in ("a", "b"):
        plot_run(run, tmp_path / f"{name}{suffix}")
        written.append((tmp_path / f"{name}{suffix}").read_bytes())
    assert written[0] == written[1]
    assert written[0].startswith(HEADS[suffix])
    assert not re.search(rb"CreationDate|<dc:date>|20\d\d-\d\d-\d\d", written[0])


def test_svg_text_is_text(tmp_path: Path) -> None:
    plot_run(fake({"ssim": [0.9, 1, 0.8]}), tmp_path / "a.svg")
    text = (tmp_path / "a.svg").read_text(encoding="utf-8")
    assert ">SSIM ↑<" in text
    assert ">Time [s]<" in text


def test_png_is_300_dots_per_inch(tmp_path: Path) -> None:
    from PIL import Image

    plot_run(fake({"ssim": [0.9, 1, 0.8]}), tmp_path / "a.png")
    with Image.open(tmp_path / "a.png") as image:
        assert image.width == 2100
        assert round(image.info["dpi"][0]) == 300


def test_an_existing_figure_is_replaced_only_when_asked(tmp_path: Path) -> None:
    run = fake({"ssim": [0.9, 1, 0.8]})
    path = tmp_path / "a.svg"
    path.write_text("mine")
    with pytest.raises(OutputExistsError):
        plot_run(run, path)
    assert path.read_text() == "mine"
    plot_run(run, path, overwrite=True)
    assert path.read_bytes().startswith(b"<?xml")
    assert [each.name for each in tmp_path.iterdir()] == ["a.svg"]


def test_what_cannot_be_drawn_is_refused(tmp_path: Path) -> None:
    run = fake({"ssim": [0.9, 1, 0.8], "psnr": [1, 2, 3]})
    with pytest.raises(
        UsageError, match=r"ends in \.jpg: name a file that ends in \.png or \.svg or \.pdf"
    ):
        plot_run(run, tmp_path / "a.jpg")
    with pytest.raises(UsageError, match="no run has the metric 'sim': choose from ssim, psnr"):
        plot_run(run, metrics=["ssim", "sim"])
    with pytest.raises(UsageError, match="there is no run to draw"):
        plot_run([])
    with pytest.raises(UsageError, match="holds no scores"):
        plot_run(fake({}))
    assert list(tmp_path.iterdir()) == []


def test_drawing_leaves_no_global_state() -> None:
    import matplotlib

    before = dict(matplotlib.rcParams)
    plot_run(fake({"ssim": [0.9, 1]}))
    assert dict(matplotlib.rcParams) == before


def test_axes_go_in_and_come_out() -> None:
    ax = Figure().add_subplot()
    assert draw_metric(ax, [fake({"ssim": [0.9, 1]})], "ssim") is ax
    assert lines(ax)[0][1] == [pytest.approx(0.9), 1.0]
    with pytest.raises(UsageError, match="no run has the metric 'psnr'"):
        draw_metric(ax, [fake({"ssim": [0.9, 1]})], "psnr")


def embedded(name: str, embedder: Mapping[str, Any] | None, *metrics: str) -> Any:
    return fake({metric: [0.1, 0.2] for metric in metrics}, name=name, embedder=embedder)


def test_different_embedders_are_warned_about_in_words_and_in_the_figure() -> None:
    runs = [
        embedded("a", {"name": "dsift"}, "ssim", "cosine", "mismatch"),
        embedded("b", {"name": "dinov2_vits14"}, "ssim", "cosine", "mismatch"),
        embedded("c", {"name": "dsift"}, "ssim", "cosine"),
    ]
    assert overlay_warnings(runs) == [
        (
            "cosine: different embedders, not comparable between these runs (dsift: a, c;"
            " dinov2_vits14: b)"
        ),
        (
            "mismatch: different embedders, not comparable between these runs (dsift: a;"
            " dinov2_vits14: b)"
        ),
    ]
    drawn = plot_run(runs).legends[0].get_title().get_text()
    assert drawn.replace("\n", " ") == " ".join(overlay_warnings(runs))
    assert overlay_warnings(runs, ["ssim"]) == []
    assert plot_run(runs, metrics=["ssim"]).legends[0].get_title().get_text() == ""


def test_what_differs_in_an_embedder_is_named() -> None:
    common = {"name": "dsift", "pool": "patch", "dim": 128}
    runs = [
        embedded("a", {**common, "size": 224}, "cosine"),
        embedded("b", {**common, "size": 392}, "cosine"),
    ]
    assert overlay_warnings(runs) == [
        "cosine: different embedders, not comparable between these runs (dsift size 224: a; dsift"
        " size 392: b)"
    ]
    weights = [
        {"name": "dinov2", "weights_digest": f"sha256:{digest * 32}"} for digest in ("ab", "cd")
    ]
    assert (
        "(dinov2 weights_digest abababababab: a; "
        in overlay_warnings(
            [embedded("a", weights[0], "cosine"), embedded("b", weights[1], "cosine")]
        )[0]
    )


def test_two_versions_of_an_embedder_are_not_compared() -> None:
    versions = [{"name": "dsift", "version": f"dsift-{number}", "dim": 135} for number in (1, 2)]
    runs = [embedded(name, made, "cosine") for name, made in zip("ab", versions, strict=True)]
    assert overlay_warnings(runs) == [
        "cosine: different embedders, not comparable between these runs "
        "(dsift version dsift-1: a; dsift version dsift-2: b)"
    ]


def test_no_warning_where_there_is_nothing_to_compare() -> None:
    one = embedded("a", {"name": "dsift", "grid": [9, 16]}, "cosine")
    assert overlay_warnings([one]) == []
    assert (
        overlay_warnings([one, embedded("b", {"name": "dsift", "grid": [18, 32]}, "cosine")]) == []
    )
    assert overlay_warnings([one, embedded("b", {"name": "dinov2"}, "mismatch")]) == []
    assert overlay_warnings([one, embedded("b", None, "ssim")]) == []


def test_a_stored_run_is_drawn(tmp_path: Path) -> None:
    frames = fake({"psnr": [30] * 9}).frames
    specs = {"psnr": SPECS["psnr"]}
    header = Header(
        mode="score",
        config={},
        sources=[{"role": "test", "path": "/v/x.mp4"}],
        metrics=specs,
        time_base=frames.time_base,
    )
    with Writer(tmp_path / "a.h5", header) as writer:
        writer.append(Scores(frames, {"psnr": np.arange(30, 39, dtype=np.float32)}, {}, {}))
        found = [segment(2, 5, "psnr")]
        writer.finish(
            stages=[segments_result(found)],
            sources=header.sources,
            pairing={},
            status="ok",
            notes=[],
            timings={},
        )
    with Run(tmp_path / "a.h5") as run:
        figure = plot_run(run, tmp_path / "a.png")
    (ax,) = panels(figure)
    assert lines(ax)[0][1] == list(range(30, 39))
    assert boxes(ax) == [(0.06, 0.18, 0.0, 1.0)]
    assert figure.get_suptitle() == "x.mp4"


# ------------------------------------------------------------------------------------------- labels


def test_labels_stand_where_file_names_did() -> None:
    runs = [
        embedded("a", {"name": "dsift"}, "ssim", "cosine"),
        embedded("b", {"name": "dinov2"}, "ssim", "cosine"),
    ]
    figure = plot_run(runs, labels=["ours", "_theirs"])
    assert legend(figure)[:2] == ["ours", "_theirs"]
    assert (
        figure.legends[0].get_title().get_text().replace("\n", " ")
        == "cosine: different embedders, not comparable between these runs (dsift: ours; dinov2:"
        " _theirs)"
    )


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        (["one"], "1 label for 2 runs: give one for each run, in order"),
        (["one", "two", "three"], "3 labels for 2 runs"),
        (["one", " one "], "the label 'one' is given to two runs"),
        (["one", "\x1b[31m"], "is no name: give 1 to 48 printable characters"),
        (["one", ""], "the label '' is no name"),
    ],
)
def test_labels_that_name_no_run_are_refused(labels: list[str], said: str, tmp_path: Path) -> None:
    runs = [fake({"ssim": [0.9, 0.8]}, name="a"), fake({"ssim": [0.9, 0.8]}, name="b")]
    with pytest.raises(UsageError, match=re.escape(said)):
        plot_run(runs, tmp_path / "a.png", labels=labels)
    assert not list(tmp_path.iterdir())


def test_long_names_that_are_cut_stay_apart() -> None:
    names = [f"{'a' * 30}{middle}{'z' * 30}" for middle in ("one", "two")]
    runs = [fake({"ssim": [0.9, 0.8]}, name=name, test="/v/same.mp4") for name in names]
    labels = legend(plot_run(runs))[:2]
    assert len(set(labels)) == 2


def test_kinds_of_fault_that_no_run_has_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, ranks in (("fault", True), ("blend", False), ("torn", False)):
        monkeypatch.setitem(
            SPECS, name, MetricSpec(name, "1", 0, 1, True, 0, 0.05, "", ranks=ranks)
        )
    flow = fake({"fault": [0, 0.01], "blend": [0, 0.01], "torn": [0, NAN]})
    blended = fake({"fault": [0, 0.5], "blend": [0, 0.5], "torn": [0, 0]}, name="b")
    assert choose([flow], None) == ["fault"]
    assert choose([flow, blended], None) == ["fault", "blend"]
    assert choose([flow], ["torn"]) == ["torn"]
    assert choose([fake({"torn": [0, 0]})], None) == ["torn"]

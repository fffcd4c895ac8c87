"""The figure of one run: panels, curves, shades, cuts, marks and files."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers.figures import INF, NAN, SPECS, boxes, fake, legend, lines, panels, segment
from helpers.results import segments_result
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.text import Annotation

from vfiscope.errors import OutputExistsError, UsageError
from vfiscope.store import Ending, Header, Run, Writer
from vfiscope.types import MetricSpec, Scores, Segment, Status
from vfiscope.views.curves import Curve, shade
from vfiscope.views.naming import choose, title
from vfiscope.views.plot import draw_metric, plot_run


def cut(start: int, stop: int) -> Segment:
    return Segment(start, stop, "cut", "cut", 1.0, start, 1.0, start / 25, stop / 25)


def cut_lines(ax: Axes) -> list[float]:
    """Times of the lines through a panel."""
    through = [
        collection for collection in ax.collections if isinstance(collection, LineCollection)
    ]
    return [
        round(float(ends[0][0]), 6) for collection in through for ends in collection.get_segments()
    ]


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
    rules = ["PSNR < 28 dB for 3 frames", "mean(psnr) < 20", "ssim < 0.9", "z(ssim) < -4"]
    rules += ["cosine > 2 * max"]
    figure = plot_run(
        fake({"psnr": [30, 31, 32], "ssim": [1, 0.95, 1], "cosine": [0, 0, 0.125]}, rules=rules)
    )
    dashed = [
        [float(np.asarray(line.get_ydata())[0]) for line in ax.lines if line.is_dashed()]
        for ax in panels(figure)
    ]
    assert dashed == [[28.0], [0.9], [0.25]]
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


HEADS = {".png": b"\x89PNG", ".svg": b"<?xml", ".pdf": b"%PDF"}


@pytest.mark.slow
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
    with pytest.raises(UsageError, match="no run has the metric 'sim': did you mean 'ssim'"):
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
            Ending(
                stages=[segments_result(found)],
                sources=header.sources,
                pairing={},
                status="ok",
                notes=[],
                timings={},
            )
        )
    with Run(tmp_path / "a.h5") as run:
        figure = plot_run(run, tmp_path / "a.png")
    (ax,) = panels(figure)
    assert lines(ax)[0][1] == list(range(30, 39))
    assert boxes(ax) == [(0.06, 0.18, 0.0, 1.0)]
    assert figure.get_suptitle() == "x.mp4"


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


def test_held_frames_have_a_look_of_their_own() -> None:
    run = fake({"psnr": [40, 30, 31, 40, 38, 38, 40]}, role=[0, 1, 1, 0, 3, 3, 0])
    figure = plot_run(run)
    looks = {}
    for line, text in zip(figure.legends[0].legend_handles, legend(figure), strict=True):
        assert isinstance(line, Line2D)
        looks[text] = (line.get_color(), line.get_linestyle(), line.get_marker())
    assert {"passed frames", "synthesised frames", "held frames"} <= set(looks)
    assert len(set(looks.values())) == len(looks)
    held = [each for each in figure.axes[0].lines if each.get_marker() == "D"]
    assert held
    assert all(each.get_linestyle() == "None" for each in held)

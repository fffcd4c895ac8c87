"""Figures of several runs: colours, legends, labels, and warnings of what is not comparable."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers.figures import INF, NAN, boxes, fake, legend, lines, panels, segment

from vfiscope.errors import UsageError
from vfiscope.views.plot import overlay_warnings, plot_run


@pytest.mark.slow
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
        (["one"], "1 label for 2 runs: pass one for each run, in order"),
        (["one", "two", "three"], "3 labels for 2 runs"),
        (["one", " one "], "the label 'one' is used for two runs"),
        (["one", "\x1b[31m"], "is not a name: use 1 to 48 printable characters"),
        (["one", ""], "the label '' is not a name"),
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

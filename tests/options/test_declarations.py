"""The one declaration of every option: what is refused and in which words, what is read alike, and
what is made of it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pytest
from pydantic import Field, model_validator

from vfiscope.errors import UsageError
from vfiscope.options import (
    GROUPS,
    Group,
    Option,
    RunConfig,
    declared,
    not_identity,
    not_stored,
    sections,
)
from vfiscope.options.reading_options import as_stated

WEIGHTS = "w.ckpt"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"batch": 0}, "batch is 0: pass a number from 1 to 4096"),
        ({"batch": 4097}, "batch is 4097: pass a number from 1 to 4096"),
        ({"batch": True}, "batch is True: pass a whole number"),
        ({"batch": "3"}, "batch is '3': pass a whole number"),
        ({"batch": 2.0}, "batch is 2.0: pass a whole number"),
        ({"fps": float("nan")}, "fps is nan: pass a number from 1e-06 to 100000.0"),
        ({"fps": 0}, "fps is 0: pass a number from 1e-06 to 100000.0"),
        ({"fps": "1e999"}, "fps is '1e999': pass a number from 1e-06 to 100000.0"),
        ({"fps": "1/0"}, "fps is '1/0': pass frames per second, such as 25 or 30000/1001"),
        ({"fps": "fast"}, "fps is 'fast': pass frames per second, such as 25 or 30000/1001"),
        ({"fps": True}, "fps is True: pass frames per second, such as 25 or 30000/1001"),
        ({"size": 1.5}, "size is 1.5: pass a whole number of pixels"),
        ({"stream": -1}, "stream is -1: pass a number from 0 to 9999"),
        ({"independent": 1}, "independent is 1: pass true or false"),
        ({"pool": "max"}, "pool is 'max': choose one of patch, all, cls"),
        ({"device": None}, "device is None: choose one of auto, cpu, cuda, mps"),
        ({"tonemap": "x"}, "tonemap is 'x': choose one of none, reinhard, hable, mobius"),
        ({"start": [1]}, r"start is \[1\]: pass a frame number or a time"),
        ({"metrics": 5}, "metrics is 5: pass a list of texts"),
        ({"flag": [1]}, r"flag is \[1\]: pass a list of texts"),
        ({"embedder": 5}, "embedder is 5: pass a name"),
        ({"weights": 5}, "weights is 5: pass a file name"),
        ({"out": "a.txt"}, r"out is 'a.txt': pass a name that ends in .h5"),
        ({"multiplier": "1/2"}, "multiplier is '1/2': pass test frames per source frame"),
        ({"align": "1.5"}, "align is '1.5': pass auto, none, or a shift in frames such as"),
        ({"bach": 3}, "there is no option 'bach': did you mean 'batch'"),
        ({"zzzz": 3}, "there is no option 'zzzz': choose from align, arrow_stride, aspect"),
        ({"lag": 2}, "lag has no effect in mode score: leave it out, or use mode scan"),
        ({"source": "s"}, "source and ref exclude each other"),
        ({"align": 3, "step": 2}, "align is 3, but start or step also shift frames"),
        ({"align": 3, "start": 1}, "align is 3, but start or step also shift frames"),
        ({"multiplier": "5/2"}, "multiplier is 5/2, which without source must be"),
        ({"multiplier": 2, "step": 2}, "step is 2, but multiplier counts every frame"),
        ({"register": "loftr"}, "register is 'loftr' without its weights: pass --register-w"),
        ({"register_weights": WEIGHTS}, "register_weights have no effect with register 'none'"),
    ],
    ids=str,
)
def test_a_wrong_option_is_one_line_with_the_value_and_what_to_do(
    options: dict[str, Any], message: str
) -> None:
    with pytest.raises(UsageError, match=f"^{message}") as caught:
        RunConfig("score", "t", "r", **options)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("mode", "options", "message"),
    [
        ("scan", {"ref": "r"}, "ref has no effect in mode scan: leave it out, or use mode score"),
        ("scan", {"golden": 0, "lag": 1}, "golden and lag exclude each other"),
        ("scan", {"align": "auto"}, "align is 'auto', but scan does not align in time"),
        ("compare", {"ref": "r", "golden": 0}, "golden has no effect in mode compare"),
        (
            "score",
            {"align": "auto"},
            "align is 'auto' without ref, which it aligns with: add --ref",
        ),
        ("score", {"source": "s", "step": 2}, "step and align do not go with source"),
        ("score", {"register": "ecc"}, "register is 'ecc' without ref"),
        ("judge", {}, "mode is 'judge': choose one of score, scan, compare"),
    ],
)
def test_options_that_do_not_go_together_are_refused(
    mode: str, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(UsageError, match=f"^{message}"):
        RunConfig(mode, "t", **options)


def test_what_means_the_same_is_held_alike() -> None:
    plain = RunConfig("score", "t", "r", align=" -17", fps=24, out=Path("a.h5"))
    assert (plain.align, plain.fps, plain.out) == (-17, 24.0, "a.h5")
    assert isinstance(plain.fps, float)
    ratio = RunConfig("score", "t", source="s", multiplier="24:60", start="7", stop="2.5s")
    assert (ratio.multiplier, ratio.start, ratio.stop) == ("5/2", 7, "2.5s")
    for metrics in ("psnr, ssim", ["psnr", "ssim"], ("psnr", "ssim")):
        assert RunConfig("score", "t", "r", metrics=metrics).metrics == ("psnr", "ssim")
    assert RunConfig("score", "t", "r", flag="psnr < 3, or").flag == ("psnr < 3, or",)


def test_a_configuration_cannot_be_changed_but_copied() -> None:
    config = RunConfig("score", "t", "r")
    with pytest.raises(ValueError, match="frozen"):
        config.batch = 3  # type: ignore[misc]
    copy = config.replace(batch=3, metrics=("psnr",))
    assert (config.batch, copy.batch) == (4, 3)
    assert (copy.metrics, copy.maps, copy.fields) == (("psnr",), ("none",), ("none",))
    assert copy.replace(batch=4, metrics=()) == config
    assert config.replace(ref=None).metrics[-1] == "level_cr"
    with pytest.raises(UsageError, match="batch is 0"):
        config.replace(batch=0)


def test_a_dictionary_holds_what_may_change_a_run_and_no_more() -> None:
    array = np.zeros((1, 2, 2, 3), np.uint8)
    config = RunConfig("score", array, Path("r.mp4"), out="a.h5", batch=2, metrics="psnr")
    stored = config.to_dict()
    assert (stored["test"], stored["ref"]) == ("array", "r.mp4")
    assert (stored["metrics"], stored["maps"]) == (["psnr"], ["none"])
    figures = {"arrow_stride", "pca", "opacity"}
    unstored = {"out", "batch", "prefetch", "overwrite", "resume", "fail_on", "timing"} | figures
    assert not_stored() == unstored
    assert set(stored) == set(declared()) - unstored
    stages = {"flag", "regions", "region_frames", "sensitivity", "normal", "sam_weights"}
    assert not_identity() == unstored | stages | {"test", "ref", "source"}


def test_images_are_counted_at_a_rate_that_is_stated() -> None:
    def clock(**options: Any) -> tuple[float | None, str | None]:
        config = RunConfig("scan", "photos", **options).replace(batch=2)
        return config.fps, config.time_from

    assert clock() == (None, None)
    assert clock(fps=25.0) == (25.0, "fps")  # though it is the usual one
    assert clock(fps=25.0, time_from="exif") == (25.0, "exif")


@pytest.mark.parametrize(
    ("stated", "rate"),
    [(24, 24.0), ("24", 24.0), ("30000/1001", 30000 / 1001), ("1e-3", 0.001), (" 23.976 ", 23.976)],
)
def test_a_rate_may_be_a_fraction_or_a_text(stated: str | float, rate: float) -> None:
    assert RunConfig("scan", "photos", fps=stated).fps == rate


@pytest.mark.parametrize(
    ("before", "now"),
    [
        ({"fps": 25.0, "time_from": None}, {"fps": None, "time_from": None}),
        ({"fps": 24.0, "time_from": None}, {"fps": 24.0, "time_from": "fps"}),
        ({"fps": 25.0, "time_from": "fps"}, {"fps": 25.0, "time_from": "fps"}),
        ({"fps": 25.0, "time_from": "exif"}, {"fps": 25.0, "time_from": "exif"}),
        ({"lag": 1}, {"lag": 1}),
    ],
)
def test_rates_that_earlier_versions_stored(before: dict[str, Any], now: dict[str, Any]) -> None:
    assert as_stated(before) == now


def test_every_option_says_what_it_does_in_a_section() -> None:
    listed = [told for options in sections(declared().values()).values() for told in options]
    assert sorted(told.name for told in listed) == sorted(declared())
    for told in listed:
        assert told.option.help.endswith((".", '"')), told.name
        assert "\n" not in told.option.help, told.name


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("batch", " 4", 4),
        ("opacity", "0.5", 0.5),
        ("independent", "TRUE", True),
        ("resume", "false", False),
        ("align", "+3", "+3"),
        ("start", "120", "120"),
    ],
)
def test_a_cell_of_a_table_is_what_is_declared(name: str, text: str, value: object) -> None:
    assert declared()[name].of_text(text) == value


def test_a_cell_that_is_no_number_or_truth_is_refused() -> None:
    with pytest.raises(UsageError, match=r"^batch is 'two': pass a whole number$"):
        declared()["batch"].of_text("two")
    with pytest.raises(UsageError, match=r"^independent is 'yes': pass true or false$"):
        declared()["independent"].of_text("yes")


def test_a_job_with_a_key_that_is_no_option_is_refused_whatever_the_key() -> None:
    for key in ("self", "mode", "cls"):
        with pytest.raises(UsageError, match=f"there is no option '{key}'"):
            RunConfig.from_options("score", {"test": "a.mp4", key: 1})


class Added(Group):
    """As an installed package declares options."""

    heading = "Added"
    words: Annotated[tuple[str, ...], Option("Words.", verbs=("score",))] = ("a", "b")
    least: Annotated[int, Field(ge=0), Option("At least.")] = 0

    @model_validator(mode="after")
    def _together(self) -> Added:
        if self.least == 13:
            raise ValueError("least is 13: choose another number")
        return self


def test_options_of_packages_have_errors_of_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(GROUPS._things, "added", Added)
    scan = RunConfig("scan", "a.mp4")
    assert scan.replace(batch=4).words == ("a", "b")  # the default of another mode is no mistake
    with pytest.raises(UsageError, match=r"^words has no effect in mode scan"):
        RunConfig("scan", "a.mp4", words=("c",))
    with pytest.raises(UsageError, match=r"^least is -1: pass a number from 0$"):
        RunConfig("scan", "a.mp4", least=-1)
    with pytest.raises(UsageError, match=r"^least is 13: choose another number$"):
        RunConfig("scan", "a.mp4", least=13)

"""Reading a result: what it holds, the summary, what is refused, rewriting segments, comparing
results."""

from __future__ import annotations

import gc
import json
import os
import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from helpers.results import (
    GRID,
    MISMATCH,
    MOTION,
    PSNR,
    REGION,
    SEGMENT,
    SSIM,
    bits,
    finish,
    make_header,
    make_scores,
    store_segments,
    write,
)

from vfiscope.errors import LockedError, StoreError, UsageError
from vfiscope.store import Run, Writer, differences, pool
from vfiscope.types import MetricSpec, Role, Scores, Status

ROWS = 100


@pytest.fixture(scope="module")
def scores() -> Scores:
    return make_scores(ROWS)


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory, scores: Scores) -> Path:
    return write(tmp_path_factory.mktemp("run") / "a.h5", scores)


@pytest.fixture
def result(original: Path, tmp_path: Path) -> Path:
    """A copy to damage."""
    return Path(shutil.copy(original, tmp_path / "a.h5"))


# ------------------------------------------------------------------------------------------ reading


def test_whether_a_metric_ranks_is_stored_and_known_of_older_files(tmp_path: Path) -> None:
    def stored(name: str, ranks: bool, older: bool) -> bool:
        spec = replace(PSNR, name=name, ranks=ranks)
        scores = make_scores(3)
        header = make_header(metrics={name: spec}, maps={}, fields={}, grids={})
        out = write(
            tmp_path / f"{name}_{ranks}_{older}.h5",
            Scores(scores.frames, {name: scores.values["psnr"]}, {}, {}),
            header=header,
        )
        if older:
            with h5py.File(out, "r+") as h5:
                del h5[f"scores/{name}"].attrs["ranks"]
        with Run(out) as run:
            return run.specs[name].ranks

    for ranks in (True, False):
        assert stored("ghosting", ranks, older=False) is ranks
        assert stored("psnr", ranks, older=False) is ranks
    assert stored("psnr", False, older=True) is True
    for name in ("ghosting", "midpoint_px", "cosine_before", "cut"):
        assert stored(name, True, older=True) is False


@pytest.mark.parametrize(
    ("stated", "told"), [({}, False), ({"multiplier": "2"}, True), ({"source": "a.mp4"}, True)]
)
def test_roles_that_an_older_version_guessed_from_scores_are_left_out(
    tmp_path: Path, stated: dict[str, str], told: bool
) -> None:
    scores = make_scores(4)
    roles = np.array([Role.PASSED, Role.SYNTHESISED] * 2, np.uint8)
    frames = replace(scores.frames, role=roles, phase=np.array([0, 0.5, 0, 0.5]))
    header = make_header(metrics={"psnr": PSNR}, maps={}, fields={}, grids={})
    header = replace(header, config={**header.config, **stated})
    out = write(
        tmp_path / "a.h5", Scores(frames, {"psnr": scores.values["psnr"]}, {}, {}), header=header
    )
    with Run(out) as run:
        assert run.role == "synthesised"
    with h5py.File(out, "r+") as h5:
        del h5["scores/psnr"].attrs["ranks"]
    with Run(out) as run:
        assert run.role == ("synthesised" if told else "all")
        assert np.isnan(run.frames.phase).all() != told


def test_everything_comes_back(original: Path, scores: Scores) -> None:
    with Run(original) as run:
        header = make_header()
        assert (run.path, run.mode, run.complete, run.status) == (original, "score", True, "ok")
        assert (run.config, run.embedder) == (header.config, header.embedder)
        assert run.sources == [{**source, "frames_decoded": 9} for source in header.sources]
        assert (run.notes, run.timings) == (["first", "zweite"], {"seconds": 2.5})
        assert run.pairing == {"policy": "row", "offset": 0}
        assert run.versions == header.versions
        assert run.specs == {"psnr": PSNR, "ssim": SSIM}
        assert (run.maps["mismatch"].spec, run.fields["motion"].spec) == (MISMATCH, MOTION)
        assert (run.segments, run.regions) == ([SEGMENT], [REGION])
        assert bits(run.frames.time_s) == bits(scores.frames.time_s)
        assert bits(run.scores["psnr"]) == bits(scores.values["psnr"])
        assert (
            repr(run)
            == f"Run({str(original)!r}: score, 100 frames; psnr, ssim; mismatch (100, 3, 4); motion"
            " (100, 2, 3, 4); 1 segments)"
        )


@pytest.mark.parametrize(
    "rows", [0, -1, 99, np.int64(5), slice(3, 9), slice(None), slice(-5, None), slice(80, 500)]
)
@pytest.mark.parametrize("extra", [None, slice(None, None, -7), slice(5, 5), slice(10, 60, 9)])
def test_maps_are_indexed_as_arrays_are(
    original: Path, scores: Scores, rows: Any, extra: Any
) -> None:
    key = rows if extra is None else extra
    with Run(original) as run:
        assert bits(run.maps["mismatch"][key]) == bits(
            scores.maps["mismatch"][key].astype(np.float32)
        )
        assert bits(run.fields["motion"][key]) == bits(
            scores.fields["motion"][key].astype(np.float32)
        )


def test_maps_know_their_shape_and_end(original: Path) -> None:
    with Run(original) as run:
        stored = run.maps["mismatch"]
        assert (len(stored), stored.shape, repr(stored)) == (
            100,
            (100, 3, 4),
            "LazyArray(mismatch, 100 x 3 x 4, 1)",
        )
        for row in (100, -101):
            with pytest.raises(IndexError, match=f"mismatch has 100 rows: there is no row {row}"):
                stored[row]
        assert len(list(stored)) == 100


def test_a_closed_run_keeps_its_scores_and_says_why_maps_are_gone(original: Path) -> None:
    run = Run(original)
    run.close()
    run.close()
    assert len(run.scores["psnr"]) == 100
    with pytest.raises(StoreError, match="was closed: open it again to read mismatch"):
        run.maps["mismatch"][0]


def test_maps_outlive_the_name_of_their_run(original: Path, scores: Scores) -> None:
    stored = Run(original).maps["mismatch"]
    gc.collect()
    assert bits(stored[0]) == bits(scores.maps["mismatch"][0].astype(np.float32))


def test_a_run_opens_twice(original: Path) -> None:
    with Run(original) as first, Run(original) as second:
        first.close()
        assert second.maps["mismatch"][0].shape == GRID


def test_a_run_removes_the_folder_it_owns(original: Path, tmp_path: Path) -> None:
    def owned() -> Path:
        folder = tmp_path / "owned"
        folder.mkdir()
        return Path(shutil.copy(original, folder / "a.h5"))

    with Run(owned(), owns=tmp_path / "owned") as run:
        assert run.maps["mismatch"][0].shape == GRID
    assert os.listdir(tmp_path) == []
    run = Run(owned(), owns=tmp_path / "owned")
    del run
    gc.collect()
    assert os.listdir(tmp_path) == []
    owned().write_bytes(b"damaged")
    with pytest.raises(StoreError):
        Run(tmp_path / "owned" / "a.h5", owns=tmp_path / "owned")
    assert (tmp_path / "owned").exists()


# ------------------------------------------------------------------------------------------ summary


def summary_of(
    tmp_path: Path,
    values: list[float],
    spec: MetricSpec = PSNR,
    role: Sequence[int] | None = None,
    **changes: Any,
) -> dict[str, Any]:
    scores = make_scores(len(values))
    roles = (
        np.full(len(values), Role.UNKNOWN, np.uint8) if role is None else np.array(role, np.uint8)
    )
    header = make_header(metrics={spec.name: spec}, maps={}, fields={})
    with Writer(tmp_path / "s.h5", header) as writer:
        partners = np.where(scores.frames.status == Status.UNPAIRED, -1, scores.frames.index)
        partners[6:] = -1
        frames = replace(
            scores.frames, index=scores.frames.index + 10, ref_index=partners, role=roles
        )
        writer.append(Scores(frames, {spec.name: np.array(values, np.float32)}, {}, {}))
        finish(writer, **changes)
    with Run(tmp_path / "s.h5") as run:
        summary = run.summary()
    assert json.loads(json.dumps(summary, allow_nan=False)) == summary
    return summary


def test_summary_of_a_hand_made_run(tmp_path: Path) -> None:
    summary = summary_of(
        tmp_path, [30.0, np.inf, 10.0, np.nan, 20.0, 40.0, 10.0], timings={"seconds": 3.5}
    )
    assert list(summary) == [
        "mode",
        "out",
        "frames",
        "role",
        "metrics",
        "roles",
        "verdict",
        "segments",
        "rules",
        "regions",
        "pairing",
        "status",
        "notes",
        "warnings",
        "seconds",
        "fps",
    ]
    # status runs 0 1 2 3 0 1 2: ok, unpaired, corrupt, unreadable; the last has no partner either
    assert summary["frames"] == {
        "scored": 3,
        "unpaired": 3,
        "corrupt": 2,
        "unreadable": 1,
        "total": 7,
    }
    psnr = summary["metrics"]["psnr"]
    # the finite values, sorted: 10 10 20 30 40
    assert psnr == {
        "mean": 22.0,
        "std": pytest.approx(136**0.5, rel=1e-15),
        "min": 10.0,
        "p1": 10.0,
        "p5": 10.0,
        "p50": 20.0,
        "p95": pytest.approx(38.0, rel=1e-15),
        "p99": pytest.approx(39.6, rel=1e-15),
        "max": 40.0,
        "worst": 10.0,
        "worst_index": 12,
        "infinite": 1,
        "defined": 6,
    }
    assert (summary["role"], summary["roles"]) == ("all", {})
    assert (summary["mode"], summary["out"], summary["regions"]) == (
        "score",
        str(tmp_path / "s.h5"),
        1,
    )
    assert (summary["status"], summary["notes"]) == ("ok", ["first", "zweite"])
    assert (summary["seconds"], summary["fps"]) == (3.5, 2.0)
    assert summary["segments"] == [
        {
            "start": 3,
            "stop": 9,
            "kind": "blür",
            "metric": "ssim",
            "peak": 0.25,
            "peak_index": 5,
            "confidence": 0.875,
            "start_time_s": 0.1,
            "stop_time_s": 0.3,
            "rule": "",
            "role": "all",
        }
    ]


SIGNED = MetricSpec("midpoint_px", "px", -np.inf, np.inf, True, 0.0, 0.1, "signed")
ROLES = [
    Role.PASSED,
    Role.SYNTHESISED,
    Role.PASSED,
    Role.SYNTHESISED,
    Role.UNKNOWN,
    Role.SYNTHESISED,
]


def test_the_headline_is_about_synthesised_frames_where_these_are_told_apart(
    tmp_path: Path,
) -> None:
    summary = summary_of(tmp_path, [np.inf, 30.0, 50.0, 20.0, 5.0, np.nan], role=ROLES)
    assert summary["role"] == "synthesised"
    assert list(summary["roles"]) == ["synthesised", "passed", "all"]
    assert summary["metrics"] == summary["roles"]["synthesised"]["metrics"]
    frames = {role: part["frames"] for role, part in summary["roles"].items()}
    assert frames == {"synthesised": 3, "passed": 2, "all": 6}
    told = ("mean", "min", "max", "worst_index", "infinite", "defined")
    pooled = {
        role: [part["metrics"]["psnr"][key] for key in told]
        for role, part in summary["roles"].items()
    }
    assert pooled == {
        "synthesised": [25.0, 20.0, 30.0, 13, 0, 2],
        "passed": [50.0, 50.0, 50.0, 12, 1, 2],
        "all": [26.25, 5.0, 50.0, 14, 1, 5],
    }


def test_a_metric_of_passed_frames_alone_is_not_in_the_headline(tmp_path: Path) -> None:
    summary = summary_of(tmp_path, [40.0, np.nan, 50.0, np.nan, np.nan, np.nan], role=ROLES)
    assert {role: list(part["metrics"]) for role, part in summary["roles"].items()} == {
        "synthesised": [],
        "passed": ["psnr"],
        "all": ["psnr"],
    }
    assert summary["metrics"] == {}


def test_a_signed_metric_has_its_mean_without_signs_everywhere(tmp_path: Path) -> None:
    summary = summary_of(tmp_path, [np.nan, 3.0, np.nan, -1.0, np.nan, 4.0], SIGNED, role=ROLES)
    pooled = summary["metrics"]["midpoint_px"]
    assert (pooled["mean"], pooled["mean_abs"]) == (2.0, pytest.approx(8 / 3, rel=1e-15))
    assert summary["roles"]["all"]["metrics"]["midpoint_px"] == pooled
    # of one sign too, so that the label is the same in every run
    (tmp_path / "b").mkdir()
    assert (
        summary_of(tmp_path / "b", [-1.0, -2.0], SIGNED)["metrics"]["midpoint_px"]["mean_abs"]
        == 1.5
    )


def test_rows_of_a_run_by_role(tmp_path: Path) -> None:
    summary_of(tmp_path, [1.0] * 6, role=ROLES)
    with Run(tmp_path / "s.h5") as run:
        assert run.role == "synthesised"
        assert (
            run.rows().tolist()
            == run.rows("synthesised").tolist()
            == [False, True, False, True, False, True]
        )
        assert run.rows("passed").tolist() == [True, False, True, False, False, False]
        assert run.rows("all").all()
        with pytest.raises(
            UsageError, match="there is no role 'made': choose all, synthesised, or passed"
        ):
            run.rows("made")


def test_summary_of_identical_clips(tmp_path: Path) -> None:
    psnr = summary_of(tmp_path, [np.inf] * 5)["metrics"]["psnr"]
    assert {name for name, value in psnr.items() if value is not None} == {"infinite", "defined"}
    assert (psnr["infinite"], psnr["defined"]) == (5, 5)


def test_summary_of_scores_that_are_nowhere_defined(tmp_path: Path) -> None:
    psnr = summary_of(tmp_path, [np.nan] * 5)["metrics"]["psnr"]
    assert {name for name, value in psnr.items() if value is not None} == {"infinite", "defined"}
    assert (psnr["infinite"], psnr["defined"]) == (0, 0)


@pytest.mark.parametrize(
    ("spec", "values", "worst"),
    [
        (SSIM, [0.9, 0.2, 0.5], 11),
        (MISMATCH, [0.1, 0.2, 0.9], 12),
        (SIGNED, [0.5, -3.0, 2.0], 11),
        (SIGNED, [-0.5, 1.0, 2.0], 12),
    ],
)
def test_the_worst_frame_follows_the_direction(
    tmp_path: Path, spec: MetricSpec, values: list[float], worst: int
) -> None:
    assert summary_of(tmp_path, values, spec)["metrics"][spec.name]["worst_index"] == worst


def test_statistics_are_of_double_precision(tmp_path: Path) -> None:
    values = [100.0, *[1e-6] * 999]
    mean = summary_of(tmp_path, values)["metrics"]["psnr"]["mean"]
    assert mean == pytest.approx((100 + 999 * float(np.float32(1e-6))) / 1000, rel=1e-15)


def test_summary_without_timings(tmp_path: Path) -> None:
    summary = summary_of(tmp_path, [1.0], timings={})
    assert (summary["seconds"], summary["fps"]) == (None, None)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("mean", 2.5),
        ("min", 1.0),
        ("max", 4.0),
        ("p50", 2.5),
        ("p0", 1.0),
        ("p100", 4.0),
        ("p12.5", 1.375),
    ],
)
def test_pools(name: str, expected: float) -> None:
    assert pool(np.array([3, np.nan, 1, np.inf, 2, 4, -np.inf], np.float32), name) == expected


def test_pool_of_nothing_finite() -> None:
    assert pool([np.nan, np.inf], "mean") is None
    assert pool([], "p5") is None


@pytest.mark.parametrize("name", ["median", "p", "p101", "p-1", "p5%", "", "MEAN", "p5\n"])
def test_unknown_pools(name: str) -> None:
    with pytest.raises(UsageError, match="there is no pool"):
        pool([1.0], name)


# ----------------------------------------------------------------------------------------- refusals


def spoil(edit: Callable[[Any], Any]) -> Callable[[Path], Any]:
    def run(path: Path) -> None:
        with h5py.File(path, "r+") as h5:
            edit(h5)

    return run


def drop(*names: str) -> Callable[[Any], None]:
    def edit(h5: Any) -> None:
        for name in names:
            del h5[name]

    return edit


def external(h5: Any) -> None:
    del h5["maps/mismatch"]
    h5["maps/mismatch"] = h5py.ExternalLink("/etc/passwd", "/x")


def soft(h5: Any) -> None:
    del h5["scores"]
    h5["scores"] = h5py.SoftLink("/frames")


def foreign_storage(h5: Any) -> None:
    del h5["maps/mismatch"]
    h5["maps"].create_dataset("mismatch", (100,), "u1", external=[("/etc/passwd", 0, 100)])


def absurd_rows(h5: Any) -> None:
    del h5["frames/pts"]
    h5["frames"].create_dataset("pts", (2**45,), "<i8", chunks=(64,), compression="gzip")


def absurd_cells(h5: Any) -> None:
    del h5["maps/mismatch"]
    h5["maps"].create_dataset(
        "mismatch", (3, 2**20, 2**20), "<f2", chunks=(1, 64, 64), compression="gzip"
    )


def virtual(h5: Any) -> None:
    layout = h5py.VirtualLayout((100,), "f4")
    layout[:] = h5py.VirtualSource("/tmp/other.h5", "x", (100,))
    del h5["scores/psnr"]
    h5["scores"].create_virtual_dataset("psnr", layout)


def foreign_filter(h5: Any) -> None:
    del h5["scores/psnr"]
    h5["scores"].create_dataset("psnr", (100,), "f4", chunks=(100,), compression="lzf")


def short(h5: Any) -> None:
    attrs = dict(h5["scores/psnr"].attrs)
    del h5["scores/psnr"]
    h5["scores/psnr"] = np.zeros(99, "f4")
    h5["scores/psnr"].attrs.update(attrs)


def long_double(h5: Any) -> None:
    attrs = dict(h5["scores/psnr"].attrs)
    del h5["scores/psnr"]
    h5["scores/psnr"] = np.zeros(100, np.longdouble)
    h5["scores/psnr"].attrs.update(attrs)


def claims(
    name: str, shape: tuple[int, ...], dtype: Any = None, **options: Any
) -> Callable[[Any], None]:
    """Another dataset of that name, of nothing but zeros that are not even written."""

    def edit(h5: Any) -> None:
        attrs, kind = dict(h5[name].attrs), h5[name].dtype if dtype is None else dtype
        del h5[name]
        made = h5.create_dataset(
            name, shape, kind, **{"chunks": (1,) * len(shape), "compression": "gzip", **options}
        )
        made.attrs.update(attrs)

    return edit


def put(name: str, value: Any) -> Callable[[Any], None]:
    return lambda h5: h5[name].__setitem__(3, value)


GROWING = {"chunks": (2**27,), "maxshape": (None,)}
REFUSED: dict[str, tuple[Callable[[Path], Any], str]] = {
    "missing": (lambda path: path.unlink(), "is missing: name a result file"),
    "folder": (lambda path: (path.unlink(), path.mkdir()), "is a folder: name a result file"),
    "empty": (lambda path: path.write_bytes(b""), "is no HDF5 file"),
    "text": (lambda path: path.write_text("hello"), "is no HDF5 file"),
    "cut off": (
        lambda path: os.truncate(path, path.stat().st_size // 2),
        "is no HDF5 file, or a damaged one",
    ),
    "other HDF5": (lambda path: h5py.File(path, "w").close(), "not from vfiscope"),
    "other format": (spoil(lambda h5: h5.attrs.create("format", "colmap")), "not from vfiscope"),
    "format is no text": (spoil(lambda h5: h5.attrs.create("format", [1, 2])), "not from vfiscope"),
    "newer": (
        spoil(lambda h5: h5.attrs.create("format_version", 2)),
        "format version 2 .* upgrade vfiscope",
    ),
    "version is no number": (
        spoil(lambda h5: h5.attrs.create("format_version", "x")),
        "the head of .* cannot be read",
    ),
    "unfinished": (spoil(lambda h5: h5.attrs.create("complete", False)), "is unfinished"),
    "never finished": (spoil(lambda h5: h5.attrs.__delitem__("complete")), "is unfinished"),
    "no config": (spoil(lambda h5: h5.attrs.__delitem__("config")), "the file is damaged"),
    "config is no JSON": (spoil(lambda h5: h5.attrs.create("config", "{")), "the file is damaged"),
    "no scores": (spoil(drop("scores")), "/scores is missing"),
    "no column": (spoil(drop("frames/pts")), "the file is damaged"),
    "no segments": (spoil(drop("segments/peak")), "the file is damaged"),
    "column too short": (spoil(short), "holds 100 frames, but /scores/psnr has 99 rows"),
    "column of another type": (spoil(long_double), r"/scores/psnr is float\d+, not float32"),
    "group for a score": (
        spoil(lambda h5: h5["scores"].create_group("x")),
        "/scores/x is not stored in the file",
    ),
    "absurd number of rows": (
        spoil(absurd_rows),
        r"/frames/pts claims the shape \(35184372088832,\)",
    ),
    "wide column": (
        spoil(claims("frames/pts", (100, 2**20))),
        r"/frames/pts claims the shape \(100, 1048576\)",
    ),
    "wide score": (
        spoil(claims("scores/psnr", (100, 2**20))),
        r"/scores/psnr claims the shape \(100, 1048576\)",
    ),
    "flat map": (
        spoil(claims("maps/mismatch", (100, 9))),
        r"/maps/mismatch claims the shape \(100, 9\)",
    ),
    "three to a field": (
        spoil(claims("fields/motion", (100, 3, 2, 2))),
        r"/fields/motion claims .* \(100, 3, 2, 2\)",
    ),
    "wide segments": (
        spoil(claims("segments/peak", (1, 2**20))),
        r"/segments/peak claims the shape",
    ),
    "map too long": (
        spoil(claims("maps/mismatch", (101, 3, 4))),
        "100 frames, but /maps/mismatch has 101 rows",
    ),
    "large chunk": (
        spoil(claims("frames/pts", (100,), **GROWING)),
        r"/frames/pts claims chunks \(134217728,\)",
    ),
    "large value": (
        spoil(claims("frames/pts", (100,), "V10000000")),
        r"/frames/pts is \|V10000000, not int64",
    ),
    "text for a number": (
        spoil(claims("segments/peak", (1,), "S9")),
        r"/segments/peak is \|S9, not float64",
    ),
    "unknown role": (spoil(put("frames/role", 9)), r"/frames/role\[3\] is 9, which means nothing"),
    "unknown status": (
        spoil(put("frames/status", 9)),
        r"/frames/status\[3\] is 9, which means nothing",
    ),
    "register alone": (
        spoil(lambda h5: h5.attrs.create("register", '{"method": "sift"}')),
        "no /registration",
    ),
    "absurd map": (spoil(absurd_cells), r"/maps/mismatch claims the shape \(3, 1048576, 1048576\)"),
    "external link": (spoil(external), "/maps/mismatch is not stored in the file itself"),
    "soft link": (spoil(soft), "/scores is missing or a link"),
    "external storage": (spoil(foreign_storage), "/maps/mismatch is not stored in the file itself"),
    "virtual": (spoil(virtual), "/scores/psnr is not stored in the file itself"),
    "other filter": (spoil(foreign_filter), "/scores/psnr is not stored in the file itself"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_no_result_is_refused_in_one_line(result: Path, case: str) -> None:
    damage, message = REFUSED[case]
    damage(result)
    with pytest.raises(StoreError, match=message) as caught:
        Run(result)
    assert str(result) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_flipped_bit_in_a_map_is_noticed(result: Path) -> None:
    with h5py.File(result, "r") as h5:
        chunk = h5["maps/mismatch"].id.get_chunk_info(1)
    data = bytearray(result.read_bytes())
    data[chunk.byte_offset + chunk.size // 2] ^= 1
    result.write_bytes(data)
    with Run(result) as run:
        assert run.maps["mismatch"][0].shape == GRID
        with pytest.raises(StoreError, match=r"mismatch\[70\] of .* cannot be read"):
            run.maps["mismatch"][70]


# --------------------------------------------------------------------------------- rewrite segments


def test_segments_are_rewritten_and_nothing_else(result: Path, original: Path) -> None:
    other = replace(SEGMENT, start=50, stop=60, kind="low_score")
    with Run(result) as open_before:
        store_segments(result, [other, SEGMENT], ["ssim < 0.9"])
        assert open_before.maps["mismatch"][99].shape == GRID
    with Run(result) as run:
        assert run.segments == [other, SEGMENT]
        assert run.config == make_header().config
        assert run.rules == ["ssim < 0.9"]
        assert run.summary()["rules"] == ["ssim < 0.9"]
    assert os.listdir(result.parent) == ["a.h5"]
    changed = differences(original, result)
    assert changed[-1].endswith('{"rules": []} -> {"rules": ["ssim < 0.9"]}')
    assert all(line.startswith(("/segments/", "/stages/segments/@")) for line in changed)
    store_segments(result, [SEGMENT], [])
    assert differences(original, result) == []


def test_rules_are_stored_beside_the_segments(result: Path) -> None:
    ruled = replace(SEGMENT, rule="ssim < 0,9 ≤")
    store_segments(result, [ruled, SEGMENT], ["psnr < 1", ruled.rule])
    with Run(result) as run:
        assert run.segments == [ruled, SEGMENT]
        assert run.rules == ["psnr < 1", ruled.rule]


def test_a_result_from_before_rules_were_stored_beside_the_segments_is_read(result: Path) -> None:
    with h5py.File(result, "r+") as h5:
        del h5["segments/rule"], h5["segments/role"], h5["stages"]
        h5.attrs["config"] = json.dumps({**json.loads(h5.attrs["config"]), "flag": ["ssim < 0.9"]})
    with Run(result) as run:
        assert run.segments == [SEGMENT]
        assert run.rules == ["ssim < 0.9"]


@pytest.mark.parametrize("text", ['"x"', '{"a": 1}', "[null]", "7", "{"])
def test_damaged_rules_are_refused(result: Path, text: str) -> None:
    with h5py.File(result, "r+") as h5:
        del h5["stages"]
        h5["segments"].attrs["rules"] = text
    with pytest.raises(StoreError, match="damaged: make it again"):
        Run(result)


def test_segments_may_be_none(result: Path) -> None:
    store_segments(result, [], [])
    with Run(result) as run:
        assert run.segments == []


def test_rewriting_keeps_unfinished_work_and_the_permissions(result: Path) -> None:
    os.chmod(result, 0o640)
    with Writer(result, make_header(), overwrite=True, block=4) as writer:
        writer.append(make_scores(10))
        with pytest.raises(LockedError):
            store_segments(result, [], [])
    store_segments(result, [], [])
    assert result.stat().st_mode & 0o777 == 0o640
    with Writer(result, make_header(), overwrite=True, block=4) as writer:
        assert writer.rows_done == 8


def test_rewriting_what_is_no_result(tmp_path: Path) -> None:
    (tmp_path / "a.h5").write_text("hello")
    with pytest.raises(StoreError, match="is no HDF5 file"):
        store_segments(tmp_path / "a.h5", [], [])
    assert os.listdir(tmp_path) == ["a.h5"]


# -------------------------------------------------------------------------------------- differences


def set_value(name: str, row: int) -> Callable[[Any], None]:
    def edit(h5: Any) -> None:
        h5[name][row] = 0

    return edit


def change_type(h5: Any) -> None:
    data, attrs = h5["scores/ssim"][()], dict(h5["scores/ssim"].attrs)
    del h5["scores/ssim"]
    h5["scores"].create_dataset(
        "ssim", data=data.astype("f8"), chunks=(64,), compression="gzip", compression_opts=1
    )
    h5["scores/ssim"].attrs.update(attrs)


DIFFERENT: dict[str, tuple[Callable[[Any], Any], list[str]]] = {
    "score": (set_value("scores/ssim", 70), ["/scores/ssim: other values in rows 64:100"]),
    "map": (set_value("maps/mismatch", 3), ["/maps/mismatch: other values in rows 0:64"]),
    "text": (
        lambda h5: h5["segments/kind"].__setitem__(0, "cut"),
        ["/segments/kind: other values in rows 0:1"],
    ),
    "attribute": (lambda h5: h5.attrs.create("mode", "scan"), ["/@mode: score -> scan"]),
    "spec": (
        lambda h5: h5["scores/ssim"].attrs.__delitem__("unit"),
        ["/scores/ssim@unit: 1 -> (absent)"],
    ),
    "config": (
        lambda h5: h5.attrs.create(
            "config", json.dumps({**make_header().config, "lag": 2, "out": "b"})
        ),
        [],
    ),
    "missing": (drop("maps/mismatch"), ["/maps/mismatch: only in the first"]),
    "type": (
        change_type,
        ["/scores/ssim.dtype: float32 -> float64", "/scores/ssim.shuffle: True -> False"],
    ),
    "created": (lambda h5: (h5.attrs.create("created", "x"), h5.attrs.create("timings", "{}")), []),
}
DIFFERENT["config"] = (DIFFERENT["config"][0], ["config.lag: 1 -> 2"])


@pytest.mark.parametrize("case", DIFFERENT)
def test_differences_are_found(original: Path, result: Path, case: str) -> None:
    edit, expected = DIFFERENT[case]
    spoil(edit)(result)
    assert differences(original, result) == expected


def test_differences_of_a_nan_by_its_bits(original: Path, result: Path) -> None:
    def edit(h5: Any) -> None:
        phase = h5["frames/phase"][()]
        phase.view("u8")[0] ^= 1
        h5["frames/phase"][:] = phase

    assert np.isnan(make_scores(1).frames.phase[0])
    spoil(edit)(result)
    assert differences(original, result) == ["/frames/phase: other values in rows 0:64"]


def test_status_names_cover_the_summary() -> None:
    assert [status.name for status in Status] == ["OK", "UNPAIRED", "CORRUPT", "UNREADABLE"]

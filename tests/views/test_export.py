"""Exported tables hold what the run holds, to the bit."""

from __future__ import annotations

import csv
import json
import math
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from numpy.typing import NDArray

from vfiscope.errors import (
    DiskFullError,
    MissingPackageError,
    OutputExistsError,
    StoreError,
    UsageError,
)
from vfiscope.store import Ending, Header, Run, Writer
from vfiscope.types import Code, FrameTable, MetricSpec, Note, Role, Scores, Status
from vfiscope.views.export import export_run

INF, NAN = float("inf"), float("nan")
SPECS = {
    "psnr": MetricSpec("psnr", "dB", 0, INF, False, INF, 1.0, "peak signal-to-noise ratio"),
    "ssim": MetricSpec("ssim", "1", -1, 1, False, 1, 0.01, "structural similarity"),
}
SUFFIXES = (".csv", ".json", ".parquet")


def make_table(n: int, phase: NDArray[np.float64] | None = None) -> FrameTable:
    rows = np.arange(n)
    return FrameTable(
        index=rows * 2 + 10,
        pts=rows * 1001,
        time_s=rows * 1001 / 30000,
        ref_index=np.where(rows == 1, -1, rows),
        role=(rows % 3).astype(np.uint8),
        phase=np.full(n, NAN) if phase is None else phase,
        status=np.where(rows == 1, Status.UNPAIRED, Status.OK).astype(np.uint8),
        time_base=Fraction(1, 30000),
    )


def make_run(path: Path, psnr: NDArray[np.float32], phase: NDArray[np.float64]) -> Run:
    frames = make_table(len(psnr), phase)
    header = Header(
        mode="score",
        config={"test": "a.mp4", "step": 2},
        sources=[{"role": "test", "path": "/v/a.mp4"}],
        metrics=SPECS,
        time_base=frames.time_base,
    )
    values = {"psnr": psnr, "ssim": np.linspace(0.5, 1, len(psnr), dtype=np.float32)}
    with Writer(path, header) as writer:
        writer.append(Scores(frames, values, {}, {}))
        out = writer.finish(
            Ending(
                sources=header.sources,
                pairing={"policy": "row"},
                status="ok",
                notes=[Note(Code.NO_TIMES)],
                timings={},
            )
        )
    return Run(out)


@pytest.fixture
def run(tmp_path: Path) -> Run:
    psnr = np.array([31.5, NAN, INF, -INF, 0.1, 1e-30], np.float32)
    return make_run(tmp_path / "a.h5", psnr, np.array([0, 0.5, NAN, 1 / 3, 0.1, 1e-9]))


def named(path: Path, names: list[str]) -> Run:
    """A result whose frames were read from these images."""
    header = Header("scan", {}, [{"role": "test", "path": "/v"}], SPECS, Fraction(1, 30000))
    rows = np.linspace(0.5, 1, len(names), dtype=np.float32)
    with Writer(path, header) as writer:
        writer.append(Scores(make_table(len(names)), {"psnr": rows, "ssim": rows}, {}, {}))
        told: dict[str, Any] = {
            "sources": header.sources,
            "pairing": {},
            "status": "ok",
            "notes": [],
            "timings": {},
        }
        with pytest.raises(StoreError, match=f"1 names for {len(names)} rows"):
            writer.finish(Ending(names=["a"], **told))
        return Run(writer.finish(Ending(names=names, **told)))


def read_csv(path: Path) -> dict[str, list[str]]:
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    return {name: [row[name] for row in rows] for name in rows[0]}


def read_parquet(path: Path) -> Any:
    return pytest.importorskip("pyarrow.parquet").read_table(path)


def test_the_images_that_frames_were_read_from_are_named(tmp_path: Path) -> None:
    names = ["a/1,2.png", "b/ü.png", "c/\udcff.png"]
    run = named(tmp_path / "a.h5", names)
    assert run.names == ("a/1,2.png", "b/ü.png", "c/\\udcff.png")
    assert read_csv(export_run(run, tmp_path / "a.csv"))["name"] == list(run.names)
    assert [
        row["name"]
        for row in json.loads(export_run(run, tmp_path / "a.json").read_text())["frames"]
    ] == list(run.names)
    assert read_parquet(export_run(run, tmp_path / "a.parquet"))["name"].to_pylist() == list(
        run.names
    )
    roles = run.summary()["roles"]  # passed, synthesised, unknown
    assert [
        roles[role]["metrics"]["psnr"]["worst_name"] for role in ("passed", "synthesised")
    ] == list(run.names[:2])


def test_csv_text(run: Run, tmp_path: Path) -> None:
    assert export_run(run, tmp_path / "a.csv") == tmp_path / "a.csv"
    assert (tmp_path / "a.csv").read_bytes().decode().split("\n") == [
        "index,pts,time_s,ref_index,role,phase,status,psnr,ssim",
        "10,0,0.0,0,passed,0.0,ok,31.5,0.5",
        "12,1001,0.03336666666666667,-1,synthesised,0.5,unpaired,,0.6",
        "14,2002,0.06673333333333334,2,unknown,,ok,inf,0.7",
        "16,3003,0.1001,3,passed,0.3333333333333333,ok,-inf,0.8",
        "18,4004,0.13346666666666668,4,synthesised,0.1,ok,0.1,0.9",
        "20,5005,0.16683333333333333,5,unknown,1e-09,ok,1e-30,1.0",
        "",
    ]


def test_json_is_strict_and_says_what_is_infinite(run: Run, tmp_path: Path) -> None:
    export_run(run, tmp_path / "a.json")

    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is not JSON")

    read = json.loads((tmp_path / "a.json").read_text(encoding="utf-8"), parse_constant=refuse)
    assert read["summary"] == run.summary()
    assert read["summary"]["role"] == "synthesised"
    assert read["summary"]["metrics"]["psnr"]["mean"] == pytest.approx(0.1)
    assert read["summary"]["roles"]["all"]["metrics"]["psnr"]["infinite"] == 2
    assert [row["psnr"] for row in read["frames"]] == [31.5, None, None, None, 0.1, 1e-30]
    assert [row.get("infinite") for row in read["frames"]] == [
        None,
        None,
        {"psnr": "inf"},
        {"psnr": "-inf"},
        None,
        None,
    ]
    assert "infinite" not in read["frames"][0]
    assert read["frames"][1] == {
        "index": 12,
        "pts": 1001,
        "time_s": 0.03336666666666667,
        "ref_index": -1,
        "role": "synthesised",
        "phase": 0.5,
        "status": "unpaired",
        "psnr": None,
        "ssim": 0.6,
    }


def test_json_has_a_frame_on_each_line(run: Run, tmp_path: Path) -> None:
    export_run(run, tmp_path / "a.json")
    lines = (tmp_path / "a.json").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line.rstrip(","))["index"] for line in lines[2:-1]] == [
        10,
        12,
        14,
        16,
        18,
        20,
    ]


def test_parquet_keeps_types_and_what_they_mean(run: Run, tmp_path: Path) -> None:
    export_run(run, tmp_path / "a.parquet")
    table = read_parquet(tmp_path / "a.parquet")
    assert [f"{field.name} {field.type}" for field in table.schema] == [
        "index int64",
        "pts int64",
        "time_s double",
        "ref_index int64",
        "role string",
        "phase double",
        "status string",
        "psnr float",
        "ssim float",
    ]
    assert table.schema.field("psnr").metadata == {
        b"unit": b"dB",
        b"low": b"0.0",
        b"high": b"inf",
        b"identity": b"inf",
        b"lower_is_better": b"false",
        b"description": b"peak signal-to-noise ratio",
    }
    assert table.schema.field("pts").metadata == {
        b"time_base_num": b"1",
        b"time_base_den": b"30000",
    }
    about = json.loads(table.schema.metadata[b"vfiscope"])
    assert (about["mode"], about["role"]) == ("score", "synthesised")
    assert about["created"] == run.created
    assert about["sources"] == run.sources
    assert about["config"] == run.config
    assert table.column("role").to_pylist() == ["passed", "synthesised", "unknown"] * 2
    assert table.column("status").to_pylist() == ["ok", "unpaired", "ok", "ok", "ok", "ok"]
    assert table.column("psnr").null_count == 0


def read_back(path: Path, name: str) -> NDArray[np.float32]:
    """A column of scores from any of the three files."""
    if path.suffix == ".csv":
        return np.array([np.float32(text or "nan") for text in read_csv(path)[name]], np.float32)
    if path.suffix == ".json":
        rows = json.loads(path.read_text(encoding="utf-8"))["frames"]
        values = [
            float(row.get("infinite", {}).get(name, NAN)) if row[name] is None else row[name]
            for row in rows
        ]
        return np.array(values, np.float32)
    column: NDArray[np.float32] = read_parquet(path).column(name).to_numpy()
    return column


@pytest.mark.slow
@pytest.mark.parametrize("suffix", SUFFIXES)
@settings(deadline=None)
@given(values=npst.arrays(np.float32, st.integers(1, 40), elements=st.floats(width=32)))
def test_every_float32_comes_back(suffix: str, values: NDArray[np.float32]) -> None:
    facts = dict.fromkeys(
        (
            "mode",
            "role",
            "created",
            "status",
            "config",
            "sources",
            "embedder",
            "versions",
            "pairing",
            "notes",
        )
    )
    frames = make_table(len(values))
    run: Any = SimpleNamespace(
        frames=frames,
        names=(),
        scores={"psnr": values},
        specs=SPECS,
        signals={},
        signal_specs={},
        summary=dict,
        **facts,
    )
    with tempfile.TemporaryDirectory() as folder:
        back = read_back(export_run(run, Path(folder, f"a{suffix}")), "psnr")
    assert back.dtype == np.float32
    np.testing.assert_array_equal(back, values)
    np.testing.assert_array_equal(
        np.signbit(back)[~np.isnan(values)], np.signbit(values)[~np.isnan(values)]
    )


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_times_and_frames_come_back(run: Run, tmp_path: Path, suffix: str) -> None:
    path = export_run(run, tmp_path / f"a{suffix}")
    read: Callable[[str], list[Any]] = {
        ".csv": lambda name: read_csv(path)[name],
        ".json": lambda name: [row[name] for row in json.loads(path.read_text())["frames"]],
        ".parquet": lambda name: read_parquet(path).column(name).to_pylist(),
    }[suffix]
    for name in ("index", "pts", "ref_index"):
        assert [int(value) for value in read(name)] == getattr(run.frames, name).tolist()
    assert [float(value) for value in read("time_s")] == run.frames.time_s.tolist()
    phase = [float(value) if value not in ("", None) else math.nan for value in read("phase")]
    np.testing.assert_array_equal(phase, run.frames.phase)
    assert read("role") == [Role(code).name.lower() for code in run.frames.role]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_an_existing_file_is_replaced_only_when_asked(
    run: Run, tmp_path: Path, suffix: str
) -> None:
    path = tmp_path / f"a{suffix}"
    path.write_text("mine")
    with pytest.raises(OutputExistsError, match="exists: pass --overwrite or another --out"):
        export_run(run, path)
    assert path.read_text() == "mine"
    export_run(run, path, overwrite=True)
    np.testing.assert_array_equal(read_back(path, "ssim"), run.scores["ssim"])
    assert sorted(each.name for each in tmp_path.iterdir()) == sorted(["a.h5", path.name])


@pytest.mark.parametrize("name", ["a.xlsx", "a", "a.csv.gz", ".csv"])
def test_another_extension_is_refused(run: Run, tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match=r"name a file that ends in \.csv or \.json or \.parquet"):
        export_run(run, tmp_path / name)


def test_the_extension_may_be_in_capitals(run: Run, tmp_path: Path) -> None:
    assert export_run(run, tmp_path / "A.CSV").read_text().startswith("index,pts,")


def test_a_folder_that_is_not_there_is_one_line(run: Run, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="does not exist: make it or pass another --out") as caught:
        export_run(run, tmp_path / "no" / "a.csv")
    assert "\n" not in str(caught.value)
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(StoreError, match="is a folder"):
        export_run(run, tmp_path / "folder.csv", overwrite=True)


def test_a_failure_leaves_neither_a_file_nor_its_beginning(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    path = tmp_path / "a.csv"
    path.write_text("mine")
    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(DiskFullError, match="does not fit on the disk"):
        export_run(run, path, overwrite=True)
    assert path.read_text() == "mine"
    assert sorted(each.name for each in tmp_path.iterdir()) == ["a.csv", "a.h5"]


def test_parquet_without_pyarrow_says_what_to_install(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Hidden:
        def find_spec(self, name: str, *_: object) -> None:
            if name.split(".")[0] == "pyarrow":
                raise ModuleNotFoundError(f"No module named {name!r}", name=name)

    for name in [name for name in sys.modules if name.split(".")[0] == "pyarrow"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(sys, "meta_path", [Hidden(), *sys.meta_path])
    with pytest.raises(MissingPackageError, match=r"pip install 'vfiscope\[parquet\]'"):
        export_run(run, tmp_path / "a.parquet")
    assert [each.name for each in tmp_path.iterdir()] == ["a.h5"]


@pytest.mark.slow
def test_views_bring_neither_torch_nor_matplotlib_nor_pyarrow() -> None:
    code = (
        "import sys, vfiscope.views; print([n for n in ('torch', 'matplotlib', 'pyarrow') if n in"
        " sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"

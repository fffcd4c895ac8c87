"""The group ``/pairing`` of a result: what a damaged or inconsistent one is answered with."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

import vfiscope as vs
from vfiscope import synth
from vfiscope.errors import StoreError

N = 12


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("run") / "a.h5"
    frames = synth.Scene(64, 96, seed=2).clip(N).frames
    vs.score(
        frames[2:], ref=frames, align=2, metrics="psnr", maps="none", fields="none", out=str(out)
    ).close()
    return out


def replaced(name: str, data: Any) -> Callable[[h5py.File], None]:
    def damage(h5: h5py.File) -> None:
        del h5["pairing"][name]
        h5["pairing"][name] = data

    return damage


def attribute(name: str, value: Any) -> Callable[[h5py.File], None]:
    return lambda h5: h5["pairing"].attrs.__setitem__(name, value)


def without_group(h5: h5py.File) -> None:
    del h5["pairing"]


def without_column(h5: h5py.File) -> None:
    del h5["pairing"]["margin"]


def linked(h5: h5py.File) -> None:
    del h5["pairing"]["margin"]
    h5["pairing"]["margin"] = h5py.ExternalLink("other.h5", "/margin")


def no_group(name: str) -> Callable[[h5py.File], None]:
    def damage(h5: h5py.File) -> None:
        del h5[name]
        h5[name] = np.zeros(3)

    return damage


ROWS = np.arange(2, N)
DAMAGES = {
    "group missing": (without_group, "was scored through a map, but /pairing is missing"),
    "column missing": (without_column, "the file is damaged"),
    "a link": (linked, "/pairing/margin is not stored in the file itself"),
    "no group": (no_group("pairing"), "/pairing is not a group: the file is damaged"),
    "no other group": (no_group("scores"), "/scores is not a group: the file is damaged"),
    "other partners": (
        replaced("ref_index", ROWS - 1),
        "is not the map that its frames were scored through",
    ),
    "falling": (replaced("ref_index", ROWS[::-1].copy()), "the file is damaged"),
    "too short": (replaced("ref_index", ROWS[:-1]), "/pairing/ref_index has 9 rows"),
    "all too short": (
        lambda h5: [replaced(n, h5["pairing"][n][:-1])(h5) for n in COLUMNS],
        "has 9 rows: it is damaged",
    ),
    "wrong type": (
        replaced("residual", np.zeros(N - 2)),
        "/pairing/residual is float64, not float32",
    ),
    "label unknown": (replaced("label", np.full(N - 2, 9, np.uint8)), "the file is damaged"),
    "label false": (replaced("label", np.full(N - 2, 2, np.uint8)), "the file is damaged"),
    "other digest": (
        attribute("digest", "0" * 16),
        "is not the map that its frames were scored through",
    ),
    "rate over 0": (attribute("rate_den", 0), "the file is damaged"),
    "rate negative": (attribute("rate_num", -1), "the file is damaged"),
    "method unknown": (attribute("method", "guess"), "the file is damaged"),
    "ranges flat": (replaced("dropped", np.arange(3)), "/pairing/dropped claims the shape (3,)"),
}
COLUMNS = ("ref_index", "residual", "margin", "label")


def test_the_undamaged_file_is_read(original: Path) -> None:
    with vs.open_run(original) as run:
        assert run.pairing_table is not None
        np.testing.assert_array_equal(run.pairing_table.ref_index, ROWS)


@pytest.mark.parametrize("name", DAMAGES)
def test_a_damaged_map_is_refused_in_one_line(original: Path, tmp_path: Path, name: str) -> None:
    damage, words = DAMAGES[name]
    path = Path(shutil.copy(original, tmp_path / "a.h5"))
    with h5py.File(path, "r+") as h5:
        damage(h5)
    with pytest.raises(StoreError) as caught:
        vs.open_run(path)
    assert words in str(caught.value)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)

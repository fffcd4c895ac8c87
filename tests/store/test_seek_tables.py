"""What helps to find frames again, stored with a run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from helpers.results import finish, make_header, make_scores

from vfiscope.errors import StoreError
from vfiscope.store import Run, Writer
from vfiscope.types import NOT_WHOLE, SeekTable

TABLE = SeekTable(
    pts=np.arange(9000, dtype=np.int64) * 512 - 1024,
    checksum=np.random.default_rng(0).integers(NOT_WHOLE, 2**32, 9000),
    keyframe_pts=np.array([-1024, 127488], np.int64),
    keyframe_dts=np.array([-2048, 126464], np.int64),
    ended=False,
)


def write(path: Path, **tables: SeekTable) -> Path:
    with Writer(path, make_header()) as writer:
        writer.append(make_scores(10))
        return finish(writer, seek_tables=tables)


def test_tables_come_back_as_they_were_stored(tmp_path: Path) -> None:
    empty = SeekTable(*(np.empty(0, np.int64) for _ in SeekTable.COLUMNS), ended=True)
    with Run(write(tmp_path / "a.h5", test=TABLE, ref=empty)) as run:
        stored = run.seek_tables
    assert set(stored) == {"test", "ref"}
    for table, found in ((TABLE, stored["test"]), (empty, stored["ref"])):
        assert found.ended is table.ended
        for name in SeekTable.COLUMNS:
            assert getattr(found, name).dtype == np.int64
            assert np.array_equal(getattr(found, name), getattr(table, name))


def test_results_without_tables_have_none(tmp_path: Path) -> None:
    with Run(write(tmp_path / "a.h5")) as run:
        assert run.seek_tables == {}
    with h5py.File(tmp_path / "a.h5") as h5:
        assert "seek" not in h5


def relinked(h5: Any) -> None:
    del h5["seek/test"]
    h5["seek/test"] = h5py.ExternalLink("other.h5", "/frames")


def outside(h5: Any) -> None:
    del h5["seek/test/pts"]
    h5["seek/test/pts"] = h5py.ExternalLink("other.h5", "/frames/pts")


def replaced(column: str, data: Any) -> Callable[[Any], None]:
    def damage(h5: Any) -> None:
        del h5["seek/test"][column]
        if data is not None:
            h5["seek/test"].create_dataset(column, data=data)

    return damage


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (relinked, "/seek/test is missing or a link: make the file again"),
        (outside, "/seek/test/pts is not stored in the file itself: do not trust it"),
        (replaced("pts", np.zeros(9000, np.float64)), "/seek/test/pts is float64, not int64"),
        (replaced("pts", np.zeros((9000, 2), np.int64)), "/seek/test/pts claims the shape"),
        (replaced("pts", np.zeros(8, np.int64)), "the content of .* cannot be read"),
        (replaced("keyframe_dts", None), "the content of .* cannot be read"),
    ],
)
def test_a_damaged_table_is_refused(
    tmp_path: Path, damage: Callable[[Any], None], message: str
) -> None:
    out = write(tmp_path / "a.h5", test=TABLE)
    with h5py.File(out, "r+") as h5:
        damage(h5)
    with pytest.raises(StoreError, match=message):
        Run(out)

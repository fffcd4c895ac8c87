"""New tables in a finished result: nothing else changes, and a kill leaves the old or the new."""

from __future__ import annotations

import errno
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from helpers.crashes import PREAMBLE, die_at, forked
from helpers.results import (
    GRID,
    REGION,
    SEGMENT,
    make_header,
    make_scores,
    store_segments,
    write,
)

from vfiscope.errors import DiskFullError, LockedError, StoreError
from vfiscope.store import Run, Table, Writer, amend, differences, undo

ROWS = 100


def test_segments_are_replaced_and_nothing_else(result: Path, original: Path) -> None:
    other = replace(SEGMENT, start=50, stop=60, peak_index=55, kind="low_score")
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


def test_amending_keeps_unfinished_work_and_the_permissions(result: Path) -> None:
    os.chmod(result, 0o640)
    with Writer(result, make_header(), overwrite=True, block=4) as writer:
        writer.append(make_scores(10))
        with pytest.raises(LockedError):
            store_segments(result, [], [])
    store_segments(result, [], [])
    assert result.stat().st_mode & 0o777 == 0o640
    with Writer(result, make_header(), overwrite=True, block=4) as writer:
        assert writer.rows_done == 8


def test_amending_what_is_no_result(tmp_path: Path) -> None:
    (tmp_path / "a.h5").write_text("hello")
    with pytest.raises(StoreError, match="is not an HDF5 file"):
        store_segments(tmp_path / "a.h5", [], [])
    assert os.listdir(tmp_path) == ["a.h5"]


# ------------------------------------------------------------------------------ tables of a stage


@dataclass(frozen=True)
class Spot:
    """A row of a table of another package."""

    frame: int
    weight: float
    bright: bool
    name: str = "none"


SPOTS = [Spot(3, 0.5, True, "größer"), Spot(7, float("inf"), False)]


def store_spots(path: Path, spots: list[Spot], **parameters: Any) -> None:
    amend(path, "spots", 2, parameters, {"spots": Table(Spot, spots)})


def test_a_stage_of_another_package_is_stored_and_told_of(result: Path, original: Path) -> None:
    store_spots(result, SPOTS, limit=0.25)
    store_spots(result, SPOTS[:1], limit=0.5)
    with Run(result) as run:
        record = run.stages["spots"]
        assert (record.version, record.parameters) == (2, {"limit": 0.5})
        assert record.tables == ("spots",)
        assert datetime.fromisoformat(record.made) > datetime.fromisoformat(run.created)
        assert run.table("spots", Spot) == SPOTS[:1]
        assert run.stages["segments"].tables == ("segments",)
        with pytest.raises(StoreError, match=r"holds no table 'spot': its stages made .*spots"):
            run.table("spot", Spot)
    assert differences(original, result) == [
        "/spots: only in the second",
        "/stages/spots: only in the second",
    ]
    with h5py.File(result, "r") as h5:
        assert h5["stages/spots"].attrs["parameters"] == '{"limit": 0.5}'
        assert h5["spots/weight"][()].tolist() == [0.5]


def test_a_table_without_rows_is_stored(result: Path) -> None:
    store_spots(result, [])
    with Run(result) as run:
        assert run.table("spots", Spot) == []


@pytest.mark.parametrize("name", ["scores", "frames", "segments", "stages", "a/b", "", "2"])
def test_a_table_of_a_taken_or_no_name_is_refused(result: Path, name: str) -> None:
    before = result.read_bytes()
    with pytest.raises(StoreError, match=f"the stage spots makes a table '{name}', which is taken"):
        amend(result, "spots", 1, {}, {name: Table(Spot, SPOTS)})
    assert result.read_bytes() == before
    assert os.listdir(result.parent) == ["a.h5"]


@dataclass(frozen=True)
class Wide:
    """A row that no column can hold."""

    cells: list[int]


def test_a_row_of_another_type_is_refused(result: Path) -> None:
    with pytest.raises(StoreError, match=r"Wide\.cells is of type list\[int\]: make it int, float"):
        amend(result, "wide", 1, {}, {"wide": Table(Wide, [])})
    with pytest.raises(StoreError, match=r"spots\.frame holds float64: make it <i8"):
        store_spots(result, [replace(SPOTS[0], frame=1.5)])  # type: ignore[arg-type]


def test_a_result_from_before_stages_is_amended(result: Path) -> None:
    with h5py.File(result, "r+") as h5:
        h5["segments"].attrs["rules"] = '["psnr < 1"]'
        del h5["stages"]
    with Run(result) as run:
        assert run.stages["segments"].parameters == {"rules": ["psnr < 1"]}
        assert run.regions == [REGION]
    store_segments(result, [], ["ssim < 0.9"])
    with Run(result) as run:
        assert (run.segments, run.rules, run.regions) == ([], ["ssim < 0.9"], [REGION])
    with h5py.File(result, "r") as h5:
        assert list(h5["stages"]) == ["segments"]


def test_a_result_without_segments_and_regions_is_read(result: Path) -> None:
    with h5py.File(result, "r+") as h5:
        del h5["stages"], h5["segments"], h5["regions"]
    with Run(result) as run:
        assert (run.segments, run.regions, run.rules, dict(run.stages)) == ([], [], [], {})


DAMAGED_STAGES = {
    "a link": lambda h5: h5.__setitem__("stages/spots", h5py.SoftLink("/scores")),
    "a dataset": lambda h5: h5["stages"].create_dataset("spots", data=1),
    "no parameters": lambda h5: h5["stages/segments"].attrs.__delitem__("parameters"),
    "a list": lambda h5: h5["stages/segments"].attrs.__setitem__("parameters", "[]"),
    "no rules": lambda h5: h5["stages/segments"].attrs.__setitem__("parameters", "{}"),
    "no table": lambda h5: h5["stages/segments"].attrs.__setitem__("tables", '["spots"]'),
    "no names": lambda h5: h5["stages/segments"].attrs.__setitem__("tables", '"segments"'),
}


@pytest.mark.parametrize("case", DAMAGED_STAGES)
def test_damaged_records_are_refused(result: Path, case: str) -> None:
    with h5py.File(result, "r+") as h5:
        DAMAGED_STAGES[case](h5)
    with pytest.raises(StoreError, match=r"make (it|the file) again") as caught:
        Run(result)
    assert "\n" not in str(caught.value)


def test_an_error_that_is_kept_keeps_no_other_thread_out(result: Path) -> None:
    good = Path(shutil.copy(result, result.with_name("b.h5")))
    with h5py.File(result, "r+") as h5:
        del h5["stages/segments"].attrs["parameters"]
    with pytest.raises(StoreError) as kept:
        Run(result)
    store_segments(good, [], ["r"])  # in a thread of its own
    with Run(good) as run:
        assert run.rules == ["r"]
    assert "damaged" in str(kept.value)


# ------------------------------------------------------------------------------------------ readers


def test_a_run_opened_after_an_amendment_sees_it_beside_one_from_before(result: Path) -> None:
    with h5py.File(result, "r"), Run(result) as before:
        store_segments(result, [], ["r"])
        with Run(result) as after:
            assert (after.segments, after.rules) == ([], ["r"])
        assert before.segments == [SEGMENT]
        assert before.fields["motion"][99].shape == (2, *GRID)


@pytest.mark.slow
def test_readers_beside_a_busy_writer_see_the_old_or_the_new(result: Path) -> None:
    states = ([SEGMENT], []), ([], ["r"])
    store_segments(result, *states[0])
    stop = threading.Event()

    def write_on() -> None:
        while not stop.is_set():
            for state in states:
                store_segments(result, *state)
                time.sleep(0.1)  # readers that find no pause at all give up, and say so

    with ThreadPoolExecutor(1) as pool:
        writing = pool.submit(write_on)
        try:
            for _ in range(60):
                with Run(result) as run:
                    assert (run.segments, run.rules) in states
        finally:
            stop.set()  # else the pool would wait for ever
        writing.result()
    assert os.listdir(result.parent) == ["a.h5"]


# -------------------------------------------------------------------------------- killed and failed


def torn(out: Path, step: int) -> bool:
    """Begin to amend and die before that change on the disk; whether it came to that."""

    def work(monkeypatch: pytest.MonkeyPatch) -> None:
        die_at(monkeypatch, step)
        store_segments(out, [], ["r"])

    code = forked(work)
    assert code in (0, 9)
    return code == 9


@pytest.mark.slow
def test_killed_before_any_change_on_the_disk(tmp_path: Path, original: Path) -> None:
    step, found, killed = 0, [], True
    while killed:
        out = Path(shutil.copy(original, tmp_path / "a.h5"))
        killed = torn(out, step)
        with Run(out) as run:
            found.append((len(run.segments), run.rules))
        assert os.listdir(tmp_path) == ["a.h5"] or not (tmp_path / "a.h5.parts" / "undo").exists()
        left = differences(original, out)
        assert all(line.startswith(("/segments/", "/stages/segments/@")) for line in left)
        store_segments(out, [], ["r"])
        assert os.listdir(tmp_path) == ["a.h5"]
        step += 1
    new = found.index((0, ["r"]))
    assert found == [(1, [])] * new + [(0, ["r"])] * (len(found) - new)
    assert new > 8


def place_of_the_last_page(out: Path) -> int:
    """The step before which all pages but the last are in place."""
    with pytest.MonkeyPatch.context() as patch:
        done = die_at(patch, 10_000)
        store_segments(out, [], ["r"])
    return len(done) - 1 - done[::-1].index("place")


@pytest.fixture
def torn_result(result: Path, original: Path) -> Path:
    """A result of which all pages but one are those of an amendment."""
    step = place_of_the_last_page(result)
    shutil.copy(original, result)
    assert torn(result, step)
    assert result.read_bytes() != original.read_bytes()
    assert (result.parent / "a.h5.parts" / "undo").exists()
    return result


def test_a_torn_result_is_rolled_back_by_whoever_opens_it(
    torn_result: Path, original: Path
) -> None:
    with Run(torn_result) as run:
        assert run.segments == [SEGMENT]
    assert torn_result.read_bytes() == original.read_bytes()
    assert os.listdir(torn_result.parent) == ["a.h5"]


def test_a_torn_result_is_rolled_back_before_it_is_written(
    torn_result: Path, original: Path
) -> None:
    with Writer(torn_result, make_header(), overwrite=True):
        assert torn_result.read_bytes() == original.read_bytes()


def test_a_torn_result_is_read_where_nothing_may_be_written(
    torn_result: Path, original: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = torn_result.read_bytes()

    def refuse(self: Path, **_: Any) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "mkdir", refuse)
    with Run(torn_result) as run, Run(original) as expected:
        assert run.segments == expected.segments == [SEGMENT]
        assert np.array_equal(run.maps["mismatch"][:], expected.maps["mismatch"][:])
    assert differences(torn_result, original) == []
    assert torn_result.read_bytes() == before


def damage(undo: Path) -> None:
    data = bytearray(undo.read_bytes())
    data[-1] ^= 1
    undo.write_bytes(data)


@pytest.mark.parametrize("other_file", [False, True], ids=["damaged", "of another file"])
def test_what_cannot_be_rolled_back_is_said_and_kept(torn_result: Path, other_file: bool) -> None:
    undo = torn_result.parent / "a.h5.parts" / "undo"
    if other_file:
        write(torn_result.with_name("b.h5"), make_scores(40)).replace(torn_result)
    else:
        damage(undo)
    before = torn_result.read_bytes()
    message = (
        r"parts/undo, saved before a\.h5 was changed, is damaged or of another file: remove it"
    )
    with pytest.raises(StoreError, match=message):
        store_segments(torn_result, [], [])
    assert undo.exists()
    assert torn_result.read_bytes() == before
    if other_file:
        undo.unlink()
        with Run(torn_result) as run:
            assert len(run) == 40
    else:
        with pytest.raises(StoreError, match=message):
            Run(torn_result)


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO])
def test_a_failing_write_leaves_the_file_as_it_was(
    result: Path, original: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    place, step = undo.place, 0
    expected = DiskFullError if code == errno.ENOSPC else StoreError
    failed = True
    while failed:
        done = 0

        def once(*arguments: Any, step: int = step) -> None:
            nonlocal done
            done += 1
            if done == step + 1:
                raise OSError(code, os.strerror(code))
            place(*arguments)

        monkeypatch.setattr(undo, "place", once)
        try:
            store_segments(result, [], ["r"])
            failed = False
        except expected:
            assert result.read_bytes() == original.read_bytes()
        assert os.listdir(result.parent) == ["a.h5"]
        step += 1
    assert step > 3


def test_a_folder_or_a_file_that_may_not_be_written(
    result: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = result.read_bytes()

    def refuse(*_: Any, **__: Any) -> None:
        raise PermissionError(13, "Permission denied")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "mkdir", refuse)
        with pytest.raises(StoreError, match=r"a\.h5\.parts cannot be written \(Permission denied"):
            store_segments(result, [], [])
    with monkeypatch.context() as patch:
        patch.setattr(undo, "_put", refuse)
        with pytest.raises(StoreError, match=r"a\.h5 cannot be written"):
            store_segments(result, [], [])
    (result.parent / "a.h5.parts" / "undo").unlink(missing_ok=True)
    assert result.read_bytes() == before


AMENDING = """
out = sys.argv[1]
print("ready", flush=True)
while True:
    store_segments(out, [], ["r"])
    store_segments(out, [], ["s"] * 9)
"""


@pytest.mark.slow
def test_killed_at_random_moments(result: Path, original: Path) -> None:
    moments = random.Random(3)
    for _ in range(6):
        with subprocess.Popen(
            [sys.executable, "-c", PREAMBLE + AMENDING, str(result)], stdout=subprocess.PIPE
        ) as process:
            assert process.stdout is not None
            process.stdout.readline()
            time.sleep(moments.uniform(0, 0.08))
            process.kill()
        assert process.returncode == -signal.SIGKILL
        with Run(result) as run:
            assert (run.segments, run.rules) in (
                ([SEGMENT], []),
                ([], ["r"]),
                ([], ["s"] * 9),
            )
    store_segments(result, [SEGMENT], [])
    assert differences(original, result) == []


def test_tables_of_a_run_that_was_replaced_are_refused(result: Path) -> None:
    with Run(result) as since:
        since.created = "2001-01-01T00:00:00+00:00"
    with pytest.raises(StoreError, match="was made anew while segments was computed from it"):
        amend(result, "segments", 1, {}, {}, since=since)

"""Leaving a writer early keeps what is stored; a second writer is refused."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from helpers.results import (
    finish,
    make_header,
    make_scores,
    write,
)

from vfiscope.errors import (
    DiskFullError,
    Interrupted,
    LockedError,
    OutputExistsError,
    StoreError,
    Terminated,
)
from vfiscope.store import Writer, differences, schema


def append_and_raise(out: Path, rows: int, error: BaseException | type[BaseException]) -> None:
    with Writer(out, make_header(), block=4) as writer:
        writer.append(make_scores(rows))
        raise error


def test_leaving_with_an_error_keeps_stored_blocks_and_nothing_else(tmp_path: Path) -> None:
    out = tmp_path / "a.h5"
    with pytest.raises(ValueError, match=r"^$"):
        append_and_raise(out, 3, ValueError)
    assert os.listdir(tmp_path) == []
    with pytest.raises(ValueError, match=r"^$"):
        append_and_raise(out, 7, ValueError)
    assert os.listdir(tmp_path) == ["a.h5.parts"]
    with Writer(out, make_header(), block=4) as writer:
        assert writer.rows_done == 4


def test_an_interrupt_on_a_full_disk_stays_one_and_says_what_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "a.h5"

    def full(*_: object) -> None:
        raise DiskFullError("no room")

    commit = Writer._commit
    monkeypatch.setattr(
        Writer, "_commit", lambda writer, rows: commit(writer, rows) if rows == 4 else full()
    )
    with pytest.raises(Interrupted) as caught:
        append_and_raise(out, 7, KeyboardInterrupt)
    kept = f"4 frames of {out} are kept: run the same command again to go on after them"
    assert caught.value.message == f"{kept} (the rows since then were not kept: no room)"
    assert caught.value.kept == 4


def test_an_exit_that_was_asked_for_keeps_its_code(tmp_path: Path) -> None:
    with pytest.raises(Terminated) as caught:
        append_and_raise(tmp_path / "a.h5", 5, SystemExit(143))
    assert (caught.value.code, caught.value.kept) == (143, 5)
    assert isinstance(caught.value.__cause__, SystemExit)


@pytest.mark.parametrize("rows", [0, 3, 4, 7])
def test_leaving_with_an_interrupt_keeps_every_row_and_says_how_many(
    tmp_path: Path, rows: int
) -> None:
    out = tmp_path / "a.h5"
    with pytest.raises(Interrupted) as caught:
        append_and_raise(out, rows, KeyboardInterrupt)
    kept = f"{rows} frames of {out} are kept: run the same command again to go on after them"
    none = f"no frame of {out} was finished: run the same command again to begin anew"
    assert (caught.value.message, caught.value.kept) == (kept if rows else none, rows)
    assert os.listdir(tmp_path) == (["a.h5.parts"] if rows else [])
    with Writer(out, make_header(), block=4) as writer:
        assert writer.rows_done == rows
        writer.append(schema.sliced(make_scores(30), slice(rows, 30)))
        lines = (tmp_path / "a.h5.parts" / "journal.jsonl").read_text().splitlines()
        # The block that was cut is filled up, so that all further ones are where they always are.
        assert {stop for line in lines for stop in json.loads(line)["rows"]} == {
            *range(0, 29, 4),
            rows,
        }
        finish(writer)
    scores = schema.join([make_scores(rows), schema.sliced(make_scores(30), slice(rows, 30))])
    assert differences(out, write(tmp_path / "b.h5", scores)) == []


def test_a_second_writer_is_refused_and_the_first_one_finishes(tmp_path: Path) -> None:
    out = tmp_path / "a.h5"
    scores = make_scores(20)
    with Writer(out, make_header(), block=4) as first:
        first.append(schema.sliced(scores, slice(0, 10)))
        for options in ({}, {"resume": False}, {"overwrite": True, "resume": False}):
            with (
                pytest.raises(
                    LockedError, match=f"process {os.getpid()} on {socket.gethostname()}"
                ),
                Writer(out, make_header(), **options),
            ):
                pass
        assert "LockedError" in other_process(out)
        first.append(schema.sliced(scores, slice(10, 20)))
        finish(first)
    assert differences(out, write(tmp_path / "b.h5", scores)) == []
    assert sorted(os.listdir(tmp_path)) == ["a.h5", "b.h5"]


def other_process(out: Path) -> str:
    code = (
        f"import sys; sys.path.insert(0, {str(Path(__file__).parents[1])!r})\n"
        "from helpers.results import *\nfrom vfiscope.errors import StoreError\n"
        f"try: write({str(out)!r}, make_scores(20), resume=False)\n"
        "except StoreError as error: print(type(error).__name__, error)"
    )
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout


def test_another_name_of_the_same_file_is_the_same_lock(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    (tmp_path / "link.h5").symlink_to("real/a.h5")
    with Writer(tmp_path / "real" / "a.h5", make_header()):
        for other in (tmp_path / "link" / "a.h5", tmp_path / "link.h5"):
            with pytest.raises(LockedError), Writer(other, make_header()):
                pass


def test_leftovers_of_removed_work_go_away(tmp_path: Path) -> None:
    (tmp_path / "a.h5.parts.done").mkdir()
    (tmp_path / "a.h5.parts.done" / "part-000000.h5").write_bytes(b"old")
    write(tmp_path / "a.h5", make_scores(5))
    assert os.listdir(tmp_path) == ["a.h5"]


def test_what_a_network_file_system_still_holds_open_is_no_one_s(tmp_path: Path) -> None:
    (tmp_path / "a.h5.parts.done").mkdir()
    (tmp_path / "a.h5.parts.done" / ".nfs00000001").touch()
    write(tmp_path / "a.h5", make_scores(5))
    assert os.listdir(tmp_path) == ["a.h5"]


@pytest.mark.parametrize("mine", ["notes.txt", "part-000000.h5/notes.txt"])
def test_a_folder_of_the_user_s_in_that_place_is_refused_and_kept(
    tmp_path: Path, mine: str
) -> None:
    kept = tmp_path / "a.h5.parts.done" / mine
    kept.parent.mkdir(parents=True)
    kept.write_text("mine")
    with pytest.raises(
        StoreError, match=rf"a\.h5\.parts\.done holds '{mine.split('/')[0]}', .*: move it away"
    ):
        write(tmp_path / "a.h5", make_scores(5))
    assert kept.read_text() == "mine"
    assert os.listdir(tmp_path) == ["a.h5.parts.done"]


@pytest.mark.parametrize("name", ["a.h5.parts", "a.h5.parts.done"])
def test_leftovers_excuse_the_command_that_left_them_and_no_other(
    tmp_path: Path, name: str
) -> None:
    out = write(tmp_path / "a.h5", make_scores(5))
    made = out.read_bytes()
    for header, refused in (
        (make_header(), False),
        (make_header(mode="scan"), True),
        (make_header(), True),
    ):
        if not (header.mode == "score" and refused):  # the last call finds no leftovers
            (tmp_path / name).mkdir()
            (tmp_path / name / "part-000000.h5").write_bytes(b"old")
        if refused:
            with pytest.raises(OutputExistsError):
                write(out, make_scores(5), header=header)
        else:
            with Writer(out, header) as writer:
                assert writer.already_finished
        assert os.listdir(tmp_path) == ["a.h5"]
        assert out.read_bytes() == made


def modules_after(statements: Sequence[str]) -> set[str]:
    code = "\n".join([*statements, "import sys", "print(*sys.modules)"])
    return set(
        subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True
        ).stdout.split()
    )


def test_the_store_needs_no_torch(tmp_path: Path) -> None:
    out = write(tmp_path / "a.h5", make_scores(5))
    loaded = modules_after(["from vfiscope.store import *", f"Run({str(out)!r}).summary()"])
    assert "h5py" in loaded
    assert not loaded & {"torch", "av", "cv2", "numba", "matplotlib"}

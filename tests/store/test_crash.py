"""Processes that are killed or interrupted at any moment: nothing stored is lost, and what comes
out is what an undisturbed run writes."""

from __future__ import annotations

import gc
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from helpers.crashes import BLOCK, PREAMBLE, ROWS, die_at, forked, in_process
from helpers.results import batches, finish, make_header, make_scores, write

from vfiscope.errors import OutputExistsError, ResumeError, StoreError
from vfiscope.store import Run, Writer, differences, merge, parts, schema
from vfiscope.store import writer as writer_module
from vfiscope.types import Scores

pytestmark = pytest.mark.usefixtures("no_waiting_for_the_disk")


SLOW = """
out = sys.argv[1]
with Writer(out, make_header(), block=8) as writer:
    print("ready", flush=True)
    for batch in batches(make_scores(300), 3, writer.rows_done):
        writer.append(batch)
        time.sleep(0.004)
    finish(writer)
"""


@pytest.mark.slow
def test_killed_at_random_moments_and_resumed(tmp_path: Path) -> None:
    out = tmp_path / "a.h5"
    moments = random.Random(5)
    progress = []
    for _ in range(8):
        with subprocess.Popen(
            [sys.executable, "-c", PREAMBLE + SLOW, str(out)], stdout=subprocess.PIPE
        ) as process:
            assert process.stdout is not None
            process.stdout.readline()
            time.sleep(moments.uniform(0, 0.12))
            process.kill()
        assert process.returncode == -signal.SIGKILL
        assert not out.exists()
        # A part counts once its line is in the journal; one that was killed in between is written
        # again.
        journal = tmp_path / "a.h5.parts" / "journal.jsonl"
        progress.append(journal.read_bytes().count(b"\n") if journal.exists() else 0)
    assert progress == sorted(progress)
    write(out, make_scores(300), 3)
    assert differences(out, write(tmp_path / "b.h5", make_scores(300))) == []
    assert sorted(os.listdir(tmp_path)) == ["a.h5", "b.h5"]


@pytest.mark.slow
@pytest.mark.parametrize("older", [False, True], ids=["new", "overwrite"])
def test_killed_before_any_change_on_the_disk(
    tmp_path: Path, scores: Scores, expected: Path, older: bool
) -> None:
    out = tmp_path / "a.h5"
    old = write(tmp_path / "old.h5", make_scores(5, seed=1))
    finished, step = False, 0
    while not finished:
        shutil.rmtree(tmp_path / "a.h5.parts", ignore_errors=True)
        shutil.rmtree(tmp_path / "a.h5.parts.done", ignore_errors=True)
        out.unlink(missing_ok=True)
        if older:
            shutil.copy(old, out)

        def work(monkeypatch: pytest.MonkeyPatch, step: int = step) -> None:
            die_at(monkeypatch, step)
            write(out, scores, 5, overwrite=older, block=BLOCK)

        code = forked(work)
        assert code in (0, 9), f"step {step}"
        finished = code == 0
        if out.exists():
            assert not differences(out, expected) or (older and not differences(out, old)), (
                f"step {step}"
            )
        if older or not out.exists() or sorted(os.listdir(tmp_path)) != ["a.h5", "old.h5"]:
            write(out, scores, 5, overwrite=older, block=BLOCK)
        else:
            with pytest.raises(OutputExistsError):
                write(out, scores, 5)
            write(out, scores, 5, overwrite=True, block=BLOCK)
        assert differences(out, expected) == [], f"step {step}"
        assert sorted(os.listdir(tmp_path)) == ["a.h5", "old.h5"], f"step {step}"
        step += 1 if older else 3
    assert step > 30


class Interrupted(BaseException):
    """As KeyboardInterrupt, which pytest would take for its own."""


def interrupted_at(line: int, out: Path, scores: Scores) -> int | None:
    """Write 20 rows, interrupted before a line of the store's code; the rows that were taken, None
    if it was not."""
    passed = taken = 0

    def trace(frame: Any, event: str, _argument: Any) -> Any:
        nonlocal passed
        if frame.f_code.co_filename not in (writer_module.__file__, parts.__file__):
            return None
        passed += event == "line"
        if passed > line:
            raise Interrupted
        return trace

    def append(writer: Writer) -> None:
        nonlocal taken
        sys.settrace(trace)
        for batch in batches(schema.sliced(scores, slice(0, 20)), 5):
            writer.append(batch)
            taken += 5
        sys.settrace(None)

    before = sys.gettrace()
    try:
        with Writer(out, make_header(), block=BLOCK) as writer:
            append(writer)
    except Interrupted:
        return taken
    finally:
        sys.settrace(before)
    return None


# Between a file's opening and its with block an interrupt leaves it to the garbage collector.
@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_interrupted_before_any_line_no_row_is_lost_or_doubled(
    tmp_path: Path, scores: Scores, expected: Path
) -> None:
    out, line, seen = tmp_path / "a.h5", 0, set()
    while (taken := interrupted_at(line, out, scores)) is not None:
        with Writer(out, make_header(), block=BLOCK) as writer:
            # A batch that was being appended is stored or not, as a whole.
            assert writer.rows_done in (taken, taken + 5), f"line {line}"
            seen.add(writer.rows_done)
            for batch in batches(scores, 6, writer.rows_done):
                writer.append(batch)
            finish(writer)
        assert differences(out, expected) == [], f"line {line}"
        out.unlink()
        line += 7
    gc.collect()  # here, where the warning is expected
    assert line > 130
    assert seen == {0, 5, 10, 15, 20}


@pytest.mark.slow
def test_killed_again_and_again_while_resuming(
    tmp_path: Path, scores: Scores, expected: Path
) -> None:
    moments = random.Random(3)
    for _ in range(6):
        out = tmp_path / "a.h5"
        code = 9
        while code == 9:
            step = moments.randrange(25)

            def work(monkeypatch: pytest.MonkeyPatch, step: int = step, out: Path = out) -> None:
                die_at(monkeypatch, step)
                write(out, scores, 5, overwrite=True, block=BLOCK)

            code = forked(work)
        assert code == 0
        assert differences(out, expected) == []
        out.unlink()


def write_until(step: int, out: Path, rows: Scores) -> bool:
    """Write and die before that change on the disk; whether it came to that."""

    def work(monkeypatch: pytest.MonkeyPatch) -> None:
        die_at(monkeypatch, step)
        write(out, rows)

    code = forked(work)
    assert code in (0, 9)
    return code == 9


@pytest.mark.slow
def test_killed_at_any_step_of_the_end_and_again_in_the_next_command(tmp_path: Path) -> None:
    few = make_scores(3)
    expected = write(tmp_path / "b.h5", few)
    folder, step, pairs = tmp_path / "0", 8, 0
    folder.mkdir()
    while write_until(step, folder / "a.h5", few):
        seen = sorted(os.listdir(folder))
        for second in range(step % 3, 12, 3) if "a.h5" in seen and len(seen) > 1 else ():
            again = Path(shutil.copytree(folder, tmp_path / f"{step}, {second}"))
            pairs += write_until(second, again / "a.h5", few)
            if os.listdir(again) != ["a.h5"]:
                write(again / "a.h5", few)
            assert os.listdir(again) == ["a.h5"], f"steps {step} and {second}"
            assert differences(again / "a.h5", expected) == []
        shutil.rmtree(folder)
        folder.mkdir()
        step += 1
    assert pairs > 15


@pytest.mark.parametrize("overwrite", [False, True])
@pytest.mark.parametrize("moved", [False, True], ids=["before the move", "after the move"])
def test_killed_after_the_merge_is_completed_on_entering(
    tmp_path: Path, scores: Scores, expected: Path, moved: bool, overwrite: bool
) -> None:
    out = tmp_path / "a.h5"
    if overwrite:
        write(out, make_scores(5, seed=1))

    def work(monkeypatch: pytest.MonkeyPatch) -> None:
        def die(self: parts.Folder) -> None:
            if moved:
                os.replace(self.merged, self.out)
            os._exit(9)

        monkeypatch.setattr(parts.Folder, "publish", die)
        write(out, scores, overwrite=overwrite)

    assert forked(work) == 9
    journal = (tmp_path / "a.h5.parts" / "journal.jsonl").read_text().splitlines()
    assert json.loads(journal[-1])["merged"] is True
    changed = make_header(mode="scan")
    if not moved:
        with (
            pytest.raises(ResumeError, match="mode: score -> scan"),
            Writer(out, changed, overwrite=overwrite),
        ):
            pass
    with Writer(out, make_header(), overwrite=overwrite) as writer:
        assert writer.already_finished
    assert differences(out, expected) == []
    assert os.listdir(tmp_path) == ["a.h5"]


def test_leftovers_of_a_published_result_do_not_stand_in_the_way(
    tmp_path: Path, scores: Scores
) -> None:
    out = tmp_path / "a.h5"

    def work(monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(parts.Folder, "remove", lambda self: os._exit(9))
        write(out, scores)

    assert forked(work) == 9
    with Writer(out, make_header(mode="scan"), overwrite=True) as writer:
        assert (writer.already_finished, writer.rows_done) == (False, 0)
    with Run(out) as run:
        assert (run.mode, len(run)) == ("score", ROWS)
    assert os.listdir(tmp_path) == ["a.h5"]


def test_a_published_result_that_was_removed_is_made_again(
    tmp_path: Path, scores: Scores, expected: Path
) -> None:
    out = tmp_path / "a.h5"

    def work(monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(parts.Folder, "remove", lambda self: os._exit(9))
        write(out, scores)

    assert forked(work) == 9
    out.unlink()
    with Writer(out, make_header()) as writer:
        assert (writer.already_finished, writer.rows_done) == (False, ROWS)
        finish(writer)
    assert differences(out, expected) == []


INTERRUPTED = """
out = sys.argv[1]
slabs = merge._slabs
def slow(pieces, chunk):
    for number, piece in enumerate(slabs(pieces, chunk)):
        if number == 2:
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(0.2)
        print(number, flush=True)
        yield piece
merge._slabs = slow
write(out, make_scores(300), block=64)
"""


def test_ctrl_c_while_merging_keeps_the_parts(tmp_path: Path) -> None:
    out = tmp_path / "a.h5"
    done = in_process(INTERRUPTED, out)
    assert done.returncode == 1, done.stderr  # the script of a user that does not catch it
    kept = f"300 frames of {out} are kept: run the same command again to go on after them"
    assert done.stderr.splitlines()[-1] == f"vfiscope.errors.Interrupted: {kept}"
    assert done.stdout.split() == ["0", "1", "2"]  # of five
    assert not (tmp_path / "a.h5.parts" / "merged.tmp").exists()
    with Writer(out, make_header()) as writer:
        assert writer.rows_done == 300
        finish(writer)
    assert differences(out, write(tmp_path / "b.h5", make_scores(300))) == []


def test_memory_of_a_merge_does_not_grow_with_the_length(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = []
    join = schema.join
    monkeypatch.setattr(
        schema, "join", lambda pieces: held.append(sum(map(len, pieces))) or join(pieces)
    )
    with Writer(tmp_path / "a.h5", make_header(), block=10) as writer:
        for batch in batches(make_scores(500), 10):
            writer.append(batch)
        held.clear()
        finish(writer)
    assert max(held) < schema.CHUNK_ROWS + 10


def test_work_away_from_signals_raises_here() -> None:
    def work(stop: threading.Event) -> None:
        raise StoreError("x")

    with pytest.raises(StoreError, match="x"):
        merge.run_in_thread(work)

"""Crashes, full disks and damage: nothing stored is lost, and what comes out is what an undisturbed
run writes."""

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
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from helpers.results import batches, finish, make_header, make_scores, write

from vfiscope import files
from vfiscope.errors import DiskFullError, OutputExistsError, ResumeError, StoreError
from vfiscope.store import Run, Writer, differences, merge, parts, schema
from vfiscope.store import writer as writer_module
from vfiscope.types import Scores

HERE = Path(__file__).parent
ROWS, BLOCK = 27, 8
BIG = (16, 16)


@pytest.fixture(autouse=True)
def no_waiting_for_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a killed process has written the system still knows; only a power cut needs fsync."""
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)


@pytest.fixture(scope="module")
def scores() -> Scores:
    return make_scores(ROWS)


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory, scores: Scores) -> Path:
    """The file of an undisturbed run."""
    return write(tmp_path_factory.mktemp("expected") / "a.h5", scores)


def in_process(script: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    head = (
        f"import sys; sys.path[:0] = {[str(HERE), str(HERE.parent)]!r}\nfrom test_crash import"
        " *\nimport resource\n"
    )
    return subprocess.run(
        [sys.executable, "-c", head + script, *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
    )


# ------------------------------------------------------------------------------------------ SIGKILL

SLOW = """
out = sys.argv[1]
with Writer(out, make_header(), block=8) as writer:
    print("ready", flush=True)
    for batch in batches(make_scores(300), 3, writer.rows_done):
        writer.append(batch)
        time.sleep(0.004)
    finish(writer)
"""


def test_killed_at_random_moments_and_resumed(tmp_path: Path) -> None:
    out = tmp_path / "a.h5"
    moments = random.Random(5)
    head = (
        f"import sys; sys.path[:0] = {[str(HERE), str(HERE.parent)]!r}\nfrom test_crash import *\n"
    )
    progress = []
    for _ in range(8):
        with subprocess.Popen(
            [sys.executable, "-c", head + SLOW, str(out)], stdout=subprocess.PIPE
        ) as process:
            assert process.stdout is not None
            process.stdout.readline()
            time.sleep(moments.uniform(0, 0.12))
            process.kill()
        assert process.returncode == -signal.SIGKILL
        assert not out.exists()
        # A part counts once its line is in the journal; one that was killed in between is written
        # again.
        progress.append((tmp_path / "a.h5.parts" / "journal.jsonl").read_bytes().count(b"\n"))
    assert progress == sorted(progress)
    write(out, make_scores(300), 3)
    assert differences(out, write(tmp_path / "b.h5", make_scores(300))) == []
    assert sorted(os.listdir(tmp_path)) == ["a.h5", "b.h5"]


def die_at(monkeypatch: pytest.MonkeyPatch, step: int) -> list[str]:
    """End this process, as SIGKILL would, just before the given change on the disk; returns what
    was done so far."""
    done: list[str] = []

    def patched(name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def run(*arguments: Any, **options: Any) -> Any:
            if len(done) == step:
                os._exit(9)
            done.append(name)
            return call(*arguments, **options)

        return run

    for name in ("replace", "fsync", "unlink", "mkdir", "rmdir", "truncate"):
        monkeypatch.setattr(os, name, patched(name, getattr(os, name)))
    return done


def forked(work: Callable[[pytest.MonkeyPatch], None]) -> int:
    """Exit code of the work done in a copy of this process; 0 when it came to its end, 1 when it
    raised."""
    pid = os.fork()
    if pid == 0:
        try:
            with pytest.MonkeyPatch.context() as monkeypatch:
                work(monkeypatch)
            os._exit(0)
        finally:
            os._exit(1)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


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
        if older or not out.exists() or (tmp_path / "a.h5.parts").exists():
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
    assert line > 150
    assert seen == {0, 5, 10, 15, 20}


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


# ---------------------------------------------------------------------------------------- full disk

LIMITED = """
limit, out = int(sys.argv[1]), sys.argv[2]
resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
try:
    header = make_header(grids={"mismatch": BIG, "motion": BIG})
    write(out, make_scores(300, BIG), header=header, overwrite=True, block=8)
except DiskFullError as error:
    print(error)
    sys.exit(7)
"""


@pytest.mark.parametrize(("limit", "stage"), [(20_000, "part-000000.h5"), (150_000, "merged.tmp")])
def test_a_full_disk_ends_in_an_error_and_is_continued_from(
    tmp_path: Path, limit: int, stage: str
) -> None:
    out = write(tmp_path / "a.h5", make_scores(5, seed=1))
    before = out.read_bytes()
    done = in_process(LIMITED, limit, out)
    assert done.returncode == 7, done.stderr
    assert done.stdout.startswith(f"{out}.parts/{stage} needs ")
    assert "bytes are free" in done.stdout or "are free (File too large)" in done.stdout
    assert done.stdout.endswith("free space and run the same command to resume\n")
    assert done.stderr == ""
    assert out.read_bytes() == before
    big = make_scores(300, BIG)
    with Writer(
        out, make_header(grids={"mismatch": BIG, "motion": BIG}), overwrite=True, block=8
    ) as writer:
        assert writer.rows_done == (0 if stage.startswith("part") else 300)
        for batch in batches(big, 50, writer.rows_done):
            writer.append(batch)
        finish(writer)
    assert (
        differences(
            out,
            write(
                tmp_path / "b.h5", big, header=make_header(grids={"mismatch": BIG, "motion": BIG})
            ),
        )
        == []
    )
    assert sorted(os.listdir(tmp_path)) == ["a.h5", "b.h5"]


SWEEP = """
out = sys.argv[1]
full = Writer(out, make_header(grids={"mismatch": BIG, "motion": BIG}), block=64)
with full:
    full.append(make_scores(300, BIG))
reached = set()
for limit in range(1000, 700_000, 19_937):
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
    try:
        with Writer(out, make_header(grids={"mismatch": BIG, "motion": BIG}), block=64) as writer:
            if not writer.rows_done == 256:
                sys.exit(5)
            merge.merge(writer._folder, writer._parts, writer.header, ENDING)
            reached.add("whole")
    except DiskFullError as error:
        reached.add(str(error).split(" needs")[0].rsplit("/")[-1])
print(*sorted(reached))
"""
ENDING = schema.Ending([], [], {}, "ok", [], {}, "now")


def test_merging_survives_a_full_disk_at_any_size(tmp_path: Path) -> None:
    done = in_process(SWEEP, tmp_path / "a.h5")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.split() == ["merged.tmp", "whole"]


def error_of(work: Callable[[], Any]) -> StoreError | None:
    try:
        work()
    except StoreError as error:
        return error
    return None


@pytest.mark.parametrize(("call", "code"), [("fsync", errno.EIO), ("replace", errno.EDQUOT)])
def test_a_failing_call_at_any_time_is_one_error_and_is_continued_from(
    tmp_path: Path,
    scores: Scores,
    expected: Path,
    monkeypatch: pytest.MonkeyPatch,
    call: str,
    code: int,
) -> None:
    original = getattr(os, call)
    step, failed = 0, True
    while failed:
        out = tmp_path / f"{step}.h5"
        done = 0

        def once(*arguments: Any, step: int = step) -> Any:
            nonlocal done
            done += 1
            if done == step + 1:
                raise OSError(code, os.strerror(code))
            return original(*arguments)

        with monkeypatch.context() as patch:
            patch.setattr(os, call, once)
            error = error_of(lambda out=out: write(out, scores, 5, block=BLOCK))
        failed = error is not None
        if failed:
            assert isinstance(error, DiskFullError) == (code != errno.EIO), f"step {step}"
            assert "\n" not in str(error)
            write(out, scores, 5, block=BLOCK, overwrite=True)
        assert differences(out, expected) == []
        assert os.listdir(tmp_path) == [out.name]
        out.unlink()
        step += 1
    assert step > 5


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
def test_every_kind_of_full_disk_says_what_is_needed(tmp_path: Path, code: int) -> None:
    error = files.disk_error(OSError(code, "reason"), tmp_path / "x", 12345)
    assert isinstance(error, DiskFullError)
    free = shutil.disk_usage(tmp_path).free
    text = str(error)
    assert text.startswith(f"{tmp_path / 'x'} needs 12345 bytes and ")
    assert abs(int(text.split(" and ")[1].split()[0]) - free) < 2**32
    assert text.endswith(" are free (reason): free space and run the same command to resume")


def test_too_little_space_is_known_before_merging(
    tmp_path: Path, scores: Scores, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = type("usage", (), {"free": 1000})
    with Writer(tmp_path / "a.h5", make_header(), block=BLOCK) as writer:
        writer.append(scores)
        monkeypatch.setattr(shutil, "disk_usage", lambda path: usage)
        with pytest.raises(
            DiskFullError, match=r"merged\.tmp needs \d{5,6} bytes and 1000 are free"
        ):
            finish(writer)
        monkeypatch.undo()
        finish(writer)
    assert os.listdir(tmp_path) == ["a.h5"]


def half_a_line(file: Any, data: bytes) -> None:
    """Write all of a part, and half of a line of the journal."""
    journal = Path(file.name).name == "journal.jsonl"
    file.write(data[:20] if journal else data)
    if journal:
        raise OSError(errno.ENOSPC, "No space left on device")


def test_a_writer_goes_on_after_a_failed_block(
    tmp_path: Path, scores: Scores, expected: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Writer(tmp_path / "a.h5", make_header(), block=BLOCK) as writer:
        writer.append(schema.sliced(scores, slice(0, 10)))
        with monkeypatch.context() as patch:
            patch.setattr(files, "write_all", half_a_line)
            patch.setattr(parts, "write_all", half_a_line)
            with pytest.raises(DiskFullError, match="part-000001"):
                writer.append(schema.sliced(scores, slice(10, 17)))
        assert writer.rows_done == 8
        writer.append(schema.sliced(scores, slice(17, ROWS)))
        lines = (tmp_path / "a.h5.parts" / "journal.jsonl").read_text().splitlines()
        assert [json.loads(line)["rows"] for line in lines] == [[0, 8], [8, 16], [16, 24]]
        finish(writer)
    assert differences(tmp_path / "a.h5", expected) == []


# ------------------------------------------------------------------------------------------- damage


def unfinished(out: Path, scores: Scores) -> Path:
    """The parts folder of a run with three parts."""
    with Writer(out, make_header(), block=BLOCK) as writer:
        writer.append(schema.sliced(scores, slice(0, 26)))
    return out.with_name(f"{out.name}.parts")


def flip(path: Path, place: int = 1000) -> None:
    data = bytearray(path.read_bytes())
    data[place] ^= 1
    path.write_bytes(data)


def cut(path: Path, less: int) -> None:
    os.truncate(path, path.stat().st_size - less)


def edit_line(path: Path, number: int, text: str) -> None:
    lines = path.read_text().splitlines(keepends=True)
    lines[number] = text
    path.write_text("".join(lines))


DAMAGE: dict[str, tuple[Callable[[Path], Any], int]] = {
    "none": (lambda folder: None, 24),
    "bit in the first part": (lambda folder: flip(folder / "part-000000.h5"), 0),
    "bit in the last part": (lambda folder: flip(folder / "part-000002.h5"), 16),
    "middle part missing": (lambda folder: (folder / "part-000001.h5").unlink(), 8),
    "last part cut": (lambda folder: cut(folder / "part-000002.h5", 1), 16),
    "last line cut": (lambda folder: cut(folder / "journal.jsonl", 20), 16),
    "newline cut": (lambda folder: cut(folder / "journal.jsonl", 1), 16),
    "middle line lost": (lambda folder: edit_line(folder / "journal.jsonl", 1, ""), 8),
    "middle line is no JSON": (
        lambda folder: edit_line(folder / "journal.jsonl", 1, "{nonsense\n"),
        8,
    ),
    "middle line is something else": (
        lambda folder: edit_line(folder / "journal.jsonl", 1, '["part"]\n'),
        8,
    ),
    "line of bytes": (lambda folder: (folder / "journal.jsonl").write_bytes(b"\xff\xfe\n"), 0),
    "first line twice": (lambda folder: edit_line(folder / "journal.jsonl", 1, _first(folder)), 8),
    "rows do not follow": (
        lambda folder: edit_line(
            folder / "journal.jsonl", 1, _second(folder).replace("[8, 16]", "[9, 16]")
        ),
        8,
    ),
    "journal empty": (lambda folder: (folder / "journal.jsonl").write_bytes(b""), 0),
    "stale temporary files": (lambda folder: (folder / "part-000003.h5.tmp").write_bytes(b"x"), 24),
    "part beyond the journal": (lambda folder: (folder / "part-000003.h5").write_bytes(b"x"), 24),
}


def _first(folder: Path) -> str:
    return (folder / "journal.jsonl").read_text().splitlines(keepends=True)[0]


def _second(folder: Path) -> str:
    return (folder / "journal.jsonl").read_text().splitlines(keepends=True)[1]


@pytest.mark.parametrize("case", DAMAGE)
def test_damaged_work_is_kept_up_to_the_damage(
    tmp_path: Path, scores: Scores, expected: Path, case: str
) -> None:
    out = tmp_path / "a.h5"
    damage, rows = DAMAGE[case]
    damage(unfinished(out, scores))
    with Writer(out, make_header(), block=BLOCK) as writer:
        assert writer.rows_done == rows
        for batch in batches(scores, 5, writer.rows_done):
            writer.append(batch)
        assert len((tmp_path / "a.h5.parts" / "journal.jsonl").read_text().splitlines()) == 3
        finish(writer)
    assert differences(out, expected) == []
    assert os.listdir(tmp_path) == ["a.h5"]


@pytest.mark.parametrize("content", [None, b"{", b"[1]", b"\xff"])
def test_a_damaged_header_is_refused_and_can_be_discarded(
    tmp_path: Path, scores: Scores, content: bytes | None
) -> None:
    out = tmp_path / "a.h5"
    path = unfinished(out, scores) / "header.json"
    path.unlink() if content is None else path.write_bytes(content)
    with (
        pytest.raises(ResumeError, match=r"header\.json: --no-resume|is no header: --no-resume"),
        Writer(out, make_header()),
    ):
        pass
    with Writer(out, make_header(), resume=False) as writer:
        assert writer.rows_done == 0


def test_a_part_damaged_while_writing_is_named(
    tmp_path: Path, scores: Scores, expected: Path
) -> None:
    out = tmp_path / "a.h5"
    with Writer(out, make_header(), block=BLOCK) as writer:
        writer.append(scores)
        cut(tmp_path / "a.h5.parts" / "part-000001.h5", 500)
        with pytest.raises(
            StoreError, match=r"part-000001\.h5 cannot be read: run the same command"
        ):
            finish(writer)
        with pytest.raises(StoreError, match=r"part-000001\.h5 cannot be read"):
            writer.curves()
    write(out, scores, block=BLOCK)
    assert differences(out, expected) == []


def test_a_damaged_merged_file_is_made_again(
    tmp_path: Path, scores: Scores, expected: Path
) -> None:
    out = tmp_path / "a.h5"

    def work(monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(parts.Folder, "publish", lambda self: os._exit(9))
        write(out, scores, block=BLOCK)

    assert forked(work) == 9
    cut(tmp_path / "a.h5.parts" / "merged.tmp", 10)
    with Writer(out, make_header(), block=BLOCK) as writer:
        assert (writer.already_finished, writer.rows_done) == (False, ROWS)
        finish(writer)
    assert differences(out, expected) == []


# --------------------------------------------------------------------------------------- interrupts

INTERRUPTED = """
out = sys.argv[1]
slabs = merge._slabs
def slow(pieces):
    for number, piece in enumerate(slabs(pieces)):
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
    assert done.returncode == -signal.SIGINT, done.stderr
    kept = f"300 frames of {out} are kept: run the same command again to go on after them"
    assert done.stderr.splitlines()[-2:] == ["KeyboardInterrupt", kept]
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


# ------------------------------------------------------------------------ the file that cannot fail


def test_a_guarded_file_reads_back_what_it_could_not_write(tmp_path: Path) -> None:
    script = f"""
resource.setrlimit(resource.RLIMIT_FSIZE, (100, resource.RLIM_INFINITY))
file = merge.GuardedFile({str(tmp_path / "x")!r}, "w+")
generator, model, end = random.Random(1), bytearray(400), 0
for _ in range(500):
    place, size = generator.randrange(300), generator.randrange(1, 99)
    if generator.random() < 0.5:
        data = generator.randbytes(size)
        file.seek(place); assert file.write(data) == size
        model[place:place + size] = data
        end = max(end, place + size)
    else:
        file.seek(place); assert file.read(size) == model[place:place + size]
    assert file.seek(0, 2) == end == file.tell()
file.sync()
print(type(file.error).__name__, file.error.errno == errno.EFBIG, end)
"""
    done = in_process(script)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.split() == ["OSError", "True", "391"]


def test_work_away_from_signals_raises_here() -> None:
    def work(stop: threading.Event) -> None:
        raise StoreError("x")

    with pytest.raises(StoreError, match="x"):
        merge.run_in_thread(work)

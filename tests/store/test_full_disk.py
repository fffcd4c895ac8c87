"""Full disks and failing calls end in one error, and the work goes on after it."""

from __future__ import annotations

import errno
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from helpers.crashes import BIG, BLOCK, ROWS, in_process
from helpers.results import batches, finish, make_header, make_scores, write

from vfiscope import files
from vfiscope.errors import DiskFullError, StoreError
from vfiscope.store import Writer, differences, parts, schema
from vfiscope.types import Scores

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


@pytest.mark.slow
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


@pytest.mark.slow
def test_merging_survives_a_full_disk_at_any_size(tmp_path: Path) -> None:
    done = in_process(SWEEP, tmp_path / "a.h5")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.split() == ["merged.tmp", "whole"]


SEGMENTS = """
limit, out = int(sys.argv[1]), sys.argv[2]
resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
try:
    store_segments(out, list(Run(out).segments) * 4000, [])
except DiskFullError as error:
    print(error)
    sys.exit(7)
"""


@pytest.mark.slow
@pytest.mark.parametrize("room", [-100, 100, 20_000])
def test_a_full_disk_while_amending(tmp_path: Path, expected: Path, room: int) -> None:
    out = Path(shutil.copy(expected, tmp_path / "a.h5"))
    done = in_process(SEGMENTS, out.stat().st_size + room, out)
    assert (done.returncode, done.stderr) == (7, "")
    assert f"{out} needs " in done.stdout
    assert out.read_bytes() == expected.read_bytes()
    assert os.listdir(tmp_path) == ["a.h5"]


def error_of(work: Callable[[], Any]) -> StoreError | None:
    try:
        work()
    except StoreError as error:
        return error
    return None


@pytest.mark.slow
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


@pytest.mark.slow
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

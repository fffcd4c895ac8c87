"""Damaged parts, journals and merged files: what is whole is kept, and nothing else is believed."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from helpers.crashes import BLOCK, ROWS, cut, forked
from helpers.results import batches, finish, make_header, write

from vfiscope.errors import ResumeError, StoreError
from vfiscope.store import Writer, differences, parts, schema
from vfiscope.types import Scores


def unfinished(out: Path, scores: Scores) -> Path:
    """The parts folder of a run with three parts."""
    with Writer(out, make_header(), block=BLOCK) as writer:
        writer.append(schema.sliced(scores, slice(0, 26)))
    return out.with_name(f"{out.name}.parts")


def flip(path: Path, place: int = 1000) -> None:
    data = bytearray(path.read_bytes())
    data[place] ^= 1
    path.write_bytes(data)


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


@pytest.mark.slow
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


@pytest.mark.parametrize(
    "content",
    [None, b"{", b"[1]", b"\xff", b'{"config": [1]}', b"[" * 100_000, "/dev/zero"],
    ids=lambda content: repr(content)[:20],
)
def test_a_damaged_header_is_refused_and_can_be_discarded(
    tmp_path: Path, scores: Scores, content: bytes | str | None
) -> None:
    out = tmp_path / "a.h5"
    path = unfinished(out, scores) / "header.json"
    path.unlink()
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif content:
        path.symlink_to(content)
    with (
        pytest.raises(ResumeError, match=r"header\.json: --no-resume|is not a header: --no-resume"),
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

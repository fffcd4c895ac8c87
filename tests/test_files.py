"""Only regular files are opened, and at once."""

from __future__ import annotations

import os
import socket
import stat
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import patch

import pytest

from vfiscope.files import file_digest, open_regular, read_whole

KINDS = ("pipe", "device", "socket", "folder", "gone")


@pytest.fixture(params=[*KINDS, *(f"link to {kind}" for kind in KINDS)])
def odd(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """What is no regular file, and the word for it."""
    path, kind = tmp_path / "odd.json", request.param.removeprefix("link to ")
    listener = socket.socket(socket.AF_UNIX)
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "device":
        path = Path("/dev/zero")
    elif kind == "socket":
        listener.bind(str(path))
    elif kind == "folder":
        path.mkdir()
    if kind != request.param:
        (tmp_path / "link.json").symlink_to(path)
        path = tmp_path / "link.json"
    word = {"folder": "Is a directory", "gone": "No such file"}.get(kind, "not a regular file")
    yield word, path
    listener.close()


OPENING: dict[str, Callable[[Path], object]] = {
    "open": open_regular,
    "digest": file_digest,
    "read": lambda path: read_whole(path, 9),
}


@pytest.mark.parametrize("opening", OPENING.values(), ids=list(OPENING))
def test_what_is_no_regular_file_is_not_opened(
    odd: tuple[str, Path], opening: Callable[[Path], object]
) -> None:
    word, path = odd
    before = len(os.listdir("/proc/self/fd"))
    with pytest.raises(OSError, match=word):
        opening(path)
    assert len(os.listdir("/proc/self/fd")) == before


def test_a_whole_file_within_its_limit(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"123456789")
    assert read_whole(tmp_path / "a", 9) == b"123456789"
    with open_regular(tmp_path / "a") as file:
        assert file.read(2) == b"12"
    with pytest.raises(OSError, match="larger than 8 bytes"):
        read_whole(tmp_path / "a", 8)
    os.truncate(tmp_path / "a", 2**40)  # a hole, which takes no room on the disk
    with pytest.raises(OSError, match="larger than 8 bytes"):
        read_whole(tmp_path / "a", 8)


def test_no_more_is_reserved_than_a_file_holds(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"x" * 99)
    tracemalloc.start()
    assert read_whole(tmp_path / "a", 2**30) == b"x" * 99
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2**20


def test_a_file_that_grew_or_claims_no_size_is_read_to_its_end(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"x" * 99)
    with patch("os.fstat", return_value=SimpleNamespace(st_size=0, st_mode=stat.S_IFREG)):
        assert read_whole(tmp_path / "a", 99) == b"x" * 99
        with pytest.raises(OSError, match="larger than 98 bytes"):
            read_whole(tmp_path / "a", 98)

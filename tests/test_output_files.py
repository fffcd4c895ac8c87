"""Where files are written is decided in one place: links are followed, special files and names that
cannot be are refused in one line, and nothing is left behind."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from helpers.cli import call
from helpers.stored import store_run

from vfiscope.batch.execute import run_jobs
from vfiscope.batch.job_file import Job
from vfiscope.errors import OutputExistsError, StoreError
from vfiscope.files import output_file, replacing, replacing_all

WRITERS = {
    "plot": (["plot", "{run}", "-o", "{out}"], ".svg"),
    "export": (["export", "{run}", "-o", "{out}"], ".csv"),
    "table": (["table", "{run}", "{other}", "-o", "{out}"], ".md"),
    "score": (["score", "samples/truth.mp4", "--stop", "2", "-o", "{out}"], ".h5"),
    "show": (["show", "{run}", "-o", "{out}"], ".png"),
}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("run")
    store_run(folder / "b.h5", {"psnr": [32.0, 31.0]})
    return store_run(folder / "a.h5", {"psnr": [30.0, 31.0]})


def write(verb: str, run: Path, out: Path) -> int:
    arguments, _ = WRITERS[verb]
    return call(
        *(each.format(run=run, other=run.with_name("b.h5"), out=out) for each in arguments),
        "--overwrite",
    )


@pytest.mark.parametrize("verb", ["plot", "export", "table"])
def test_a_link_is_followed_and_stays_a_link(run: Path, tmp_path: Path, verb: str) -> None:
    suffix = WRITERS[verb][1]
    target, link = tmp_path / f"real{suffix}", tmp_path / f"link{suffix}"
    link.symlink_to(target.name)
    for _ in range(2):  # at first the link leads to nothing
        assert write(verb, run, link) == 0
        assert link.is_symlink()
        assert target.stat().st_size > 10
    assert sorted(os.listdir(tmp_path)) == sorted([target.name, link.name])


@pytest.mark.parametrize("verb", WRITERS)
def test_a_pipe_is_refused_and_stays(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], verb: str
) -> None:
    pipe = tmp_path / f"pipe{WRITERS[verb][1]}"
    os.mkfifo(pipe)
    assert write(verb, run, pipe) == 2
    assert capsys.readouterr().err == (
        f"vfiscope: error: {pipe} is not a regular file: pass another --out\n"
    )
    assert stat.S_ISFIFO(pipe.stat().st_mode)
    assert os.listdir(tmp_path) == [pipe.name]


@pytest.mark.parametrize("verb", WRITERS)
def test_a_name_of_300_letters_is_refused_with_the_limit(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], verb: str
) -> None:
    suffix = WRITERS[verb][1]
    most = 244 if verb == "score" else 255  # beside a result are files with longer names
    assert write(verb, run, tmp_path / ("n" * 300 + suffix)) == 2
    assert capsys.readouterr().err == (
        f"vfiscope: error: {tmp_path}/{'n' * 60}... is too long a name: it has"
        f" {300 + len(suffix)} bytes, and {most} are the most here: use a shorter one\n"
    )
    assert os.listdir(tmp_path) == []


def test_a_name_is_measured_in_bytes(tmp_path: Path) -> None:
    assert output_file(tmp_path / ("n" * 255)).name == "n" * 255
    with pytest.raises(StoreError, match="it has 256 bytes, and 255 are the most here"):
        output_file(tmp_path / ("é" * 128))


ODD: dict[str, tuple[Callable[[Path], object], str]] = {
    "folder": (lambda path: path.mkdir(), "is a folder: pass a file name as --out"),
    "link to a folder": (lambda path: path.symlink_to("."), "is a folder"),
    "link to a device": (lambda path: path.symlink_to("/dev/null"), "not a regular file"),
    "link to itself": (lambda path: path.symlink_to(path.name), "symbolic link|Symlink loop"),
    "link into nowhere": (lambda path: path.symlink_to("no/x"), "no does not exist: make it"),
    "file": (lambda path: path.write_text("x"), "exists: pass --overwrite"),
    "link to a file": (
        lambda path: [(path.parent / "b").write_text("x"), path.symlink_to("b")],
        "b exists: pass --overwrite",
    ),
}


@pytest.mark.parametrize("case", ODD)
def test_what_cannot_be_written_to_is_refused_before_anything(tmp_path: Path, case: str) -> None:
    make, words = ODD[case]
    make(tmp_path / "a")
    before = sorted(os.listdir(tmp_path))
    with (
        pytest.raises((StoreError, OutputExistsError), match=words),
        replacing(tmp_path / "a", overwrite=False),
    ):
        raise AssertionError("written to")
    assert sorted(os.listdir(tmp_path)) == before


def test_a_set_of_files_follows_links_and_refuses_pipes(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to("real")
    (tmp_path / "real").write_text("old")
    with replacing_all(tmp_path, ["a", "b"], overwrite=True) as temporary:
        (temporary / "a").write_text("new")
        (temporary / "b").write_text("new")
    assert (tmp_path / "a").is_symlink()
    assert (tmp_path / "real").read_text() == "new"
    os.mkfifo(tmp_path / "c")
    with (
        pytest.raises(StoreError, match="c is not a regular file"),
        replacing_all(tmp_path, ["a", "c"], overwrite=True),
    ):
        raise AssertionError("written to")
    assert sorted(os.listdir(tmp_path)) == ["a", "b", "c", "real"]


@pytest.mark.parametrize("number", [errno.EROFS, errno.EACCES])
def test_a_folder_that_cannot_be_written_into_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def deny(self: Path, *_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number), str(self))

    monkeypatch.setattr(Path, "unlink", deny)  # as on a disk that is mounted for reading
    out = tmp_path / "a.csv"
    with (
        pytest.raises(StoreError, match="allow writing into") as caught,
        replacing(out, overwrite=False) as temporary,
    ):
        deny(temporary)
    assert str(caught.value) == (
        f"{out} cannot be written ({os.strerror(number)}): allow writing into {tmp_path}, or pass"
        " another --out"
    )


def test_an_id_of_300_letters_fails_its_job_with_the_limit(tmp_path: Path) -> None:
    jobs = [Job("i" * 300, "", "scan", {"test": str(tmp_path)})]
    (result,) = run_jobs(jobs, tmp_path / "out")
    assert result["error"] == (
        f"{tmp_path}/out/{'i' * 60}... is too long a name: it has 303 bytes, and 244 are the most"
        " here: use a shorter one"
    )

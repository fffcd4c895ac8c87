"""Compiled loops: bands of rows on threads, and code kept outside the package, known by all that it
was made of."""

from __future__ import annotations

import importlib
import logging
import os
import pkgutil
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import FunctionType
from typing import Any

import cv2
import numba
import numpy as np
import pytest
from numba.core.caching import NullCache
from numba.core.dispatcher import Dispatcher
from numba.core.registry import cpu_target
from threadpoolctl import threadpool_info, threadpool_limits

import vfiscope
from vfiscope import jit, jit_cache
from vfiscope.jit_cache import CodeCache, describe_code

SOURCE = """
import numpy as np
from vfiscope.jit import compiled

FACTOR = 3
{more}

@compiled(inner=True)
def scaled(x):
    return x * FACTOR

@compiled()
def scale(start, stop, values, out):
    {comment}
    for i in range(start, stop):
        out[i] = scaled(values[i]) + {term}
"""


def scale(
    factor: int = 3, term: str = "1", comment: str = "", more: str = "", how: str = ""
) -> Any:
    """A kernel that multiplies by a constant of its module, in a helper, and adds a term."""
    source = SOURCE.format(term=term, comment=comment, more=more).replace(
        "FACTOR = 3", f"FACTOR = {factor}"
    )
    source = source.replace("@compiled()", f"@compiled({how})")
    names: dict[str, Any] = {"__name__": "made"}
    exec(source, names)
    return names["scale"]


def applied(kernel: Any, count: int = 5) -> list[float]:
    values, out = np.arange(count, dtype=np.float64), np.zeros(count)
    jit.in_bands(kernel, count, values, out)
    return [float(value) for value in out]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder for compiled code."""
    monkeypatch.setattr(jit_cache, "_folder", lambda: tmp_path / "cache" / "loops")
    monkeypatch.setattr(jit_cache, "_SAID", set())
    return tmp_path / "cache" / "loops"


@pytest.mark.parametrize("count", [0, 1, 2, 3, 7, 100])
@pytest.mark.parametrize("number", [1, 2, 3, 8, 192])
def test_bands_make_up_all_rows_once(
    threads: Callable[[int], None], count: int, number: int
) -> None:
    visits, bands = np.zeros(count, np.int64), []

    def visit(start: int, stop: int, rows: Any) -> None:
        rows[start:stop] += 1
        bands.append(stop - start)

    threads(number)
    jit.in_bands(visit, count, visits)
    assert visits.tolist() == [1] * count
    assert len(bands) == max(1, min(count, number, 16))
    assert max(bands) - min(bands) <= 1


def test_an_error_in_any_band_is_raised(threads: Callable[[int], None]) -> None:
    def fail(start: int, _stop: int) -> None:
        if start > 0:
            raise ValueError("in the second band")

    threads(2)
    with pytest.raises(ValueError, match="in the second band"):
        jit.in_bands(fail, 10)


@pytest.mark.parametrize("failing", [0, 1])
def test_an_error_in_a_band_is_raised_when_no_band_runs_any_more(
    threads: Callable[[int], None], failing: int
) -> None:
    started, running = threading.Event(), list[int]()

    def visit(start: int, _stop: int) -> None:
        if start == failing:
            assert started.wait(10)
            raise ValueError("in a band")
        running.append(start)
        started.set()
        time.sleep(0.02)
        running.remove(start)

    threads(3)
    with pytest.raises(ValueError, match="in a band"):
        jit.in_bands(visit, 3)
    assert running == []


def test_rows_come_in_order_from_threads_that_last(threads: Callable[[int], None]) -> None:
    def square(row: int) -> tuple[int, str]:
        return row * row, threading.current_thread().name

    threads(3)
    names: set[str] = set()
    for _ in range(20):
        found = jit.map_rows(square, 7)
        assert [value for value, _ in found] == [0, 1, 4, 9, 16, 25, 36]
        names |= {name for _, name in found}
    assert len(names) <= jit._pool(os.getpid())._max_workers
    assert jit.map_rows(square, 0) == []


def test_work_on_the_threads_may_ask_for_threads(threads: Callable[[int], None]) -> None:
    def visit(start: int, stop: int, rows: Any) -> None:
        rows[start:stop] += 1

    def count(row: int) -> int:
        rows = np.zeros(10, np.int64)
        jit.in_bands(visit, 10, rows)
        return int(rows.sum()) + sum(jit.map_rows(lambda inner: inner * row, 4))

    threads(2)
    assert jit.map_rows(count, 20) == [10 + 6 * row for row in range(20)]


def test_an_error_of_a_row_is_raised_when_no_row_runs_any_more(
    threads: Callable[[int], None],
) -> None:
    running: list[int] = []

    def fail(row: int) -> None:
        running.append(row)
        try:
            if row == 1:
                raise ValueError("in the second row")
            time.sleep(0.01)
        finally:
            running.remove(row)

    threads(2)
    with pytest.raises(ValueError, match="in the second row"):
        jit.map_rows(fail, 100)
    assert running == []


def test_products_of_matrices_get_one_thread_for_a_while() -> None:
    def numbers() -> set[int]:
        return {each["num_threads"] for each in threadpool_info() if each["user_api"] == "blas"}

    with threadpool_limits(2, user_api="blas"):
        with jit.one_blas_thread():
            assert 1 in numbers()  # others may have been loaded since
        assert numbers() == {2}


def test_a_forked_process_has_threads_of_its_own() -> None:
    code = """
        import os
        from vfiscope import jit
        jit.threads = lambda: 2
        rows = [0] * 10
        def visit(start, stop):
            for row in range(start, stop):
                rows[row] += 1
        jit.in_bands(visit, 10)
        child = os.fork()
        jit.in_bands(visit, 10)
        if child == 0:
            os._exit(0 if rows == [2] * 10 else 1)
        assert os.waitpid(child, 0)[1] == 0 and rows == [2] * 10
    """
    if not hasattr(os, "fork"):
        pytest.skip("this system does not fork")
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", textwrap.dedent(code)], timeout=60)
    assert done.returncode == 0


def test_code_is_known_by_constants_helpers_and_instructions_but_not_by_comments() -> None:
    def key(kernel: Any) -> list[str]:
        return list(describe_code(kernel.py_func))

    assert key(scale()) == key(scale()) == key(scale(comment="# said otherwise"))
    for other in (scale(factor=4), scale(term="2"), scale(term="values[0]")):
        assert key(other) != key(scale())
    table = "TABLE = np.array([{}.0, 2.0])"
    tables = [scale(term="TABLE[1]", more=table.format(first)) for first in (1, 1, 5)]
    assert key(tables[0]) == key(tables[1]) != key(tables[2])


def test_what_a_key_cannot_tell_is_refused() -> None:
    with pytest.raises(TypeError, match=r"scale in .* uses .*: use numbers only"):
        list(describe_code(scale(term="LIST[0]", more="LIST = [1]").py_func))
    with pytest.raises(TypeError, match="uses <module 'vfiscope"):
        list(
            describe_code(scale(term="config.DEVICES", more="from vfiscope import config").py_func)
        )
    factor = len(SOURCE)

    def closure(start: int) -> int:
        return start * factor

    with pytest.raises(TypeError, match=r"closure in .* takes factor from a function around it"):
        list(describe_code(closure))


def test_compiled_code_is_kept_and_a_changed_constant_of_a_helper_compiles_anew(
    folder: Path,
) -> None:
    assert applied(scale()) == [1, 4, 7, 10, 13]
    (kept,) = folder.iterdir()
    assert kept.name.startswith("scale-")
    again = scale()
    assert applied(again) == [1, 4, 7, 10, 13]
    assert sum(again.stats.cache_hits.values()) == 1
    changed = scale(factor=10)
    assert applied(changed) == [1, 11, 21, 31, 41]
    assert sum(changed.stats.cache_hits.values()) == 0
    fused = scale(how="frozenset({'contract'})")
    assert applied(fused) == [1, 4, 7, 10, 13]
    assert sum(fused.stats.cache_hits.values()) == 0
    assert len([*folder.iterdir()]) == 3


def test_each_kind_of_array_has_its_own_file(folder: Path) -> None:
    kernel = scale()
    for dtype in (np.float32, np.uint8):
        out = np.zeros(2)
        kernel(0, 2, np.array([1, 2], dtype), out)
        assert out.tolist() == [4, 7]
    assert len([*folder.iterdir()]) == 2


@pytest.mark.parametrize(
    "damage", [lambda content: content[:-5], lambda content: b"", lambda content: content[::-1]]
)
def test_a_damaged_file_is_made_anew(folder: Path, damage: Callable[[bytes], bytes]) -> None:
    applied(scale())
    (kept,) = folder.iterdir()
    kept.write_bytes(damage(kept.read_bytes()))
    assert applied(scale()) == [1, 4, 7, 10, 13]
    again = scale()
    applied(again)
    assert sum(again.stats.cache_hits.values()) == 1


def test_how_long_compiling_takes_is_said_once_and_only_where_something_is_compiled(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, logger="vfiscope"):
        applied(scale())
        applied(scale(factor=7))
    (line,) = caplog.messages
    assert line.startswith("compiling loops for this machine, once: up to about ")
    assert int(line.split()[-2]) >= 1
    caplog.clear()
    jit_cache._SAID.clear()
    with caplog.at_level(logging.INFO, logger="vfiscope"):
        applied(scale(factor=7))
    assert caplog.messages == []


def test_a_folder_that_cannot_be_written_is_said_once_and_changes_nothing(
    folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    folder.parent.write_text("a file where the folder should be")
    with caplog.at_level(logging.WARNING, logger="vfiscope"):
        assert applied(scale()) == [1, 4, 7, 10, 13]
        assert applied(scale(factor=2)) == [1, 3, 5, 7, 9]
    (line,) = caplog.messages
    assert line.startswith(
        f"warning: every run compiles again: compiled loops cannot be kept in {folder} ("
    )
    assert "\n" not in line


def test_without_a_home_nothing_is_written_into_the_current_folder(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(jit_cache, "_folder", lambda: Path("~/.cache/vfiscope/loops"))
    with caplog.at_level(logging.WARNING, logger="vfiscope"):
        assert applied(scale()) == [1, 4, 7, 10, 13]
    assert "there is no home folder" in caplog.text
    assert [*tmp_path.iterdir()] == []


def test_files_that_nothing_asked_for_are_removed_and_others_stay(folder: Path) -> None:
    folder.mkdir(parents=True)
    now = os.stat(folder).st_mtime
    for name, days in (("old.bin", 91), ("making-old", 91), ("young.bin", 80)):
        (folder / name).write_bytes(b"")
        os.utime(folder / name, (now - 86400 * days,) * 2)
    applied(scale())
    assert {path.name.split("-")[0] for path in folder.iterdir()} == {"young.bin", "scale"}


def test_a_file_that_is_used_stays_young(folder: Path) -> None:
    applied(scale())
    (kept,) = folder.iterdir()
    os.utime(kept, (0, 0))
    applied(scale())
    assert kept.stat().st_mtime > 1e9


def test_an_old_file_in_a_folder_that_can_only_be_read_is_used(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    applied(scale())
    (kept,) = folder.iterdir()
    os.utime(kept, (0, 0))

    def refuse(path: Path) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(jit_cache.os, "utime", refuse)
    again = scale()
    assert applied(again) == [1, 4, 7, 10, 13]
    assert sum(again.stats.cache_hits.values()) == 1


@pytest.mark.slow
def test_processes_share_the_folder_and_a_later_one_starts_no_compiler(tmp_path: Path) -> None:
    source = SOURCE.format(term="np.empty(1).size", comment="", more="")
    (tmp_path / "shared_kernel.py").write_text(source)
    code = """
        import numpy as np
        from vfiscope import jit_cache
        jit_cache._folder = lambda: jit_cache.Path("cache").resolve()
        from shared_kernel import scale
        for dtype in (np.uint8, np.uint16, np.float32, np.float64):
            out = np.zeros(2)
            scale(0, 2, np.array([1, 2], dtype), out)
            assert out.tolist() == [4, 7]
    """
    command = [sys.executable, "-c", textwrap.dedent(code)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), *sys.path])}
    started = [subprocess.Popen(command, cwd=tmp_path, env=environment) for _ in range(2)]
    assert [process.wait(timeout=120) for process in started] == [0, 0]
    names = [path.name for path in (tmp_path / "cache").iterdir()]
    assert len(names) == 4
    assert all(name.startswith("scale-") and name.endswith(".bin") for name in names)
    command[-1] += "import sys; assert 'numba.np.arraymath' not in sys.modules"
    assert subprocess.run(command, cwd=tmp_path, env=environment, timeout=120).returncode == 0


@pytest.mark.parametrize(
    ("chosen", "able", "wide"),
    [
        ({}, True, True),
        ({}, False, False),
        ({"CPU_NAME": "generic"}, True, False),
        ({"CPU_FEATURES": "+sse2"}, True, False),
    ],
)
def test_vectors_are_as_wide_as_the_processor_has_them_unless_somebody_chose(
    monkeypatch: pytest.MonkeyPatch, chosen: dict[str, str], able: bool, wide: bool
) -> None:
    features, read = f"+avx2,{'+' if able else '-'}avx512vbmi2", []
    for name in ("CPU_NAME", "CPU_FEATURES"):
        monkeypatch.setattr(numba.config, name, chosen.get(name))
    monkeypatch.setattr(jit, "get_host_cpu_features", lambda: features)
    monkeypatch.setattr(jit, "_read_features", lambda: read.append(numba.config.CPU_FEATURES))
    jit._widen_vectors()
    assert read == ([f"{features},-prefer-256-bit"] if wide else [])
    assert chosen.get("CPU_FEATURES") == numba.config.CPU_FEATURES


def test_loops_are_compiled_with_the_features_that_were_read() -> None:
    used = cpu_target.target_context.codegen().magic_tuple()[2].split(",")
    able = {"CPU_NAME", "CPU_FEATURES"}.isdisjoint(name[6:] for name in os.environ)
    assert ("-prefer-256-bit" in used) == (able and f"+{jit.WIDE_AND_QUICK}" in used)


def package_dispatchers() -> list[Any]:
    names = [module.name for module in pkgutil.walk_packages(vfiscope.__path__, "vfiscope.")]
    modules = [importlib.import_module(name) for name in names if not name.endswith("__main__")]
    found = {
        id(value): value
        for module in modules
        for value in vars(module).values()
        if isinstance(value, Dispatcher)
    }
    return [*found.values()]


def test_no_loop_of_the_package_is_kept_beside_its_source_or_is_of_unknown_content() -> None:
    dispatchers = package_dispatchers()
    assert {type(each._cache) for each in dispatchers} == {CodeCache, NullCache}
    for each in dispatchers:
        assert isinstance(each.py_func, FunctionType)
        assert len([*describe_code(each.py_func)]) > 1
        assert not each.targetoptions.get("parallel", False), each


def test_of_callers_that_overlap_the_last_one_restores_opencv() -> None:
    before = cv2.getNumThreads()
    cv2.setNumThreads(2)
    try:
        first, second = (jit.one_opencv_thread() for _ in range(2))
        first.__enter__()
        second.__enter__()
        first.__exit__(None, None, None)
        assert cv2.getNumThreads() == 1
        second.__exit__(None, None, None)
        assert cv2.getNumThreads() == 2
    finally:
        cv2.setNumThreads(before)

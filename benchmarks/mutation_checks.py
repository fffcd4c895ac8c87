"""What ``mutations.py`` does with a mutated file, in a process of its own."""

from __future__ import annotations

import contextlib
import json
import os
import resource
import shutil
import sys
import tempfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, TextIO

__all__ = ["CHECKS", "MAX_BYTES", "call", "small_network", "stopped", "work"]

MAX_BYTES = 2 * 2**30
"""Memory that a file may cost beyond what the process takes when it begins."""
QUICK = ["--metrics", "psnr", "--maps", "none", "--fields", "none"]
CRASHED, PARTIAL, UNUSABLE = 70, 3, 2
STATES = {0: "ok", 1: "ok", UNUSABLE: "refused", PARTIAL: "partial"}

Answer = dict[str, Any]


def call(*words: object) -> tuple[int, str]:
    """Exit code of the program in this process, and all that it wrote on stderr, by any library."""
    from vfiscope.cli.program import main

    with tempfile.TemporaryFile("w+", errors="replace") as errors, open(os.devnull, "w") as null:
        sys.stderr.flush()
        kept = [os.dup(number) for number in (1, 2)]
        os.dup2(null.fileno(), 1)
        os.dup2(errors.fileno(), 2)
        try:
            main([str(word) for word in words])
        except SystemExit as done:
            code = int(done.code or 0)
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            for number, descriptor in zip((1, 2), kept, strict=True):
                os.dup2(descriptor, number)
                os.close(descriptor)
        errors.seek(0)
        return code, errors.read()


@contextlib.contextmanager
def stopped(rows: int, rows_per_part: int) -> Iterator[None]:
    """Runs of the program are interrupted after some rows."""
    from vfiscope import config
    from vfiscope.cli import run_commands

    def stop(scores: Iterable[Any], *_: object) -> Iterator[Any]:
        for done, each in enumerate(scores):
            if done * len(each) >= rows:
                raise KeyboardInterrupt
            yield each

    progress, usual = run_commands.progress, config.ROWS_PER_PART
    run_commands.progress, config.ROWS_PER_PART = stop, rows_per_part
    try:
        yield
    finally:
        run_commands.progress, config.ROWS_PER_PART = progress, usual


def small_network() -> Any:
    import torch
    from timm.models.vision_transformer import VisionTransformer

    torch.manual_seed(0)
    return VisionTransformer(
        img_size=28, patch_size=14, embed_dim=48, depth=1, num_heads=4, num_classes=0
    )


def _ran(calls: Iterable[tuple[int, str]], content: Callable[[], list[Any]]) -> Answer:
    """The answer for some calls of the program, and the content where none was refused."""
    from vfiscope.errors import VfiscopeError

    done = list(calls)
    codes = [code for code, _ in done]
    if set(codes) - set(STATES):
        return {"status": "crash", "why": next(err for code, err in done if code not in STATES)}
    lines = [line for _, text in done for line in text.replace("\r", "\n").splitlines()]
    raw = [line for line in lines if line.strip() and not line.startswith("vfiscope: ")]
    status = "refused" if UNUSABLE in codes else STATES[max(codes, key=(0, 1, 3).index)]
    found: Answer = {"status": status, "raw": raw[:3], "lines": len(lines)}
    if status == "refused":
        return found
    try:
        return {**found, "content": content()}
    except VfiscopeError as error:  # of an array, which is read on demand
        return {**found, "status": "refused", "why": str(error)}


def _pixels(path: Path) -> list[int]:
    import vfiscope as vs
    from vfiscope.errors import VfiscopeError

    try:
        with vs.open_source(str(path)) as source:
            return [
                zlib.crc32(frames.data[i].tobytes())
                for frames in source
                for i in range(len(frames))
            ]
    except VfiscopeError:
        return []


def _scanned(path: Path, out: Path) -> Answer:
    call_ = call("scan", path, "--golden", "0", *QUICK, "-o", out / "a.h5")
    return _ran([call_], lambda: _pixels(path))


def _result(path: Path, out: Path) -> Answer:
    verbs = (
        ("info", path),
        ("export", path, "-o", out / "a.csv"),
        ("export", path, "-o", out / "a.json"),
        ("plot", path, "-o", out / "a.svg"),
        ("flag", path, "--rule", "psnr < 30"),
    )
    return _ran((call(*words) for words in verbs), lambda: _values(path))


def _regions(path: Path, out: Path) -> Answer:
    verbs = (
        ("info", path),
        ("regions", path),
        ("regions", path, "--json"),
        ("export", path, "-o", out / "a.coco.json"),
    )
    return _ran((call(*words) for words in verbs), lambda: _found(path))


def _found(path: Path) -> list[Any]:
    """Rows of each table, then what they hold."""
    from vfiscope.store import Run

    with Run(path) as run:
        tables = [run.regions, run.answers, run.tracks]
        return [[len(rows) for rows in tables], *(zlib.crc32(repr(t).encode()) for t in tables)]


def _values(path: Path) -> list[Any]:
    """Rows and names, then the values."""
    from vfiscope.store import Run

    with Run(path) as run:
        shape = [len(run.frames), *run.scores, *run.maps, *run.signals]
        arrays = [
            run.frames.time_s,
            *run.scores.values(),
            *(run.maps[name][:] for name in run.maps),
        ]
        return [shape, *(zlib.crc32(array.tobytes()) for array in arrays)]


def _work(path: Path, out: Path) -> Answer:
    """The interrupted command once more, discarding the work where it is refused."""
    words = ["scan", path.parent / "ffv1.mkv", "--metrics", "psnr,ssim", "--maps", "ssim"]
    words += ["--fields", "none", "-o", path / "a.h5"]
    first = call(*words)
    calls = [first, call(*words, "--no-resume")] if first[0] == UNUSABLE else [first]
    answer = _ran(calls[-1:], lambda: _values(path / "a.h5"))
    left = sorted(os.listdir(path)) if answer["status"] == "ok" else ["a.h5"]
    return answer if left == ["a.h5"] else {**answer, "status": "left behind", "why": str(left)}


def _batch(path: Path, out: Path) -> Answer:
    calls = [call("table", path, "-o", out / "a.json")]
    return _ran(calls, lambda: [json.loads((out / "a.json").read_text())["methods"]])


def _jobs(path: Path, out: Path) -> Answer:
    calls = [call("batch", path, "-o", out / "b", "--quiet")]
    return _ran(calls, lambda: sorted(os.listdir(out / "b")))


def _options(path: Path, out: Path) -> Answer:
    clip = path.parent / "ffv1.mkv"
    clip = clip if clip.is_file() else path.parents[1] / "ffv1.mkv"
    return _ran(
        [call("scan", clip, "--config", path, "-o", out / "a.h5", "--quiet")],
        lambda: _values(out / "a.h5"),
    )


def _weights(path: Path, out: Path) -> Answer:
    from vfiscope.errors import VfiscopeError
    from vfiscope.models.checkpoints import load_state
    from vfiscope.models.loading import load_into

    network = small_network()
    try:
        report = load_into(network, load_state(path))
    except VfiscopeError as error:
        return {"status": "refused", "why": str(error)}
    if report.missing:  # which is printed
        return {"status": "partial"}
    state = network.state_dict()
    values = [zlib.crc32(tensor.numpy().tobytes()) for tensor in state.values()]
    return {"status": "ok", "content": [[len(report.loaded), len(report.missing)], *values]}


CHECKS: dict[str, Callable[[Path, Path], Answer]] = {
    "medium": _scanned,
    "folder": _scanned,
    "result": _result,
    "regions": _regions,
    "work": _work,
    "batch": _batch,
    "jobs": _jobs,
    "options": _options,
    "weights": _weights,
}


def work(asked: TextIO, answers: TextIO) -> int:
    """Answer lines of (kind, path) with a JSON line each."""
    import timm
    import torch

    import vfiscope.views.plot  # noqa: F401  (what is imported later counts as memory of a file)

    torch.set_num_threads(1)
    _limit_memory()
    print(json.dumps({"status": "ready", "with": [timm.__version__]}), file=answers, flush=True)
    for line in asked:
        kind, path = json.loads(line)
        out = Path(tempfile.mkdtemp(prefix="vfiscope-mutated-"))
        try:
            answer = CHECKS[kind](Path(path), out)
        except BaseException as error:
            answer = {"status": "crash", "why": f"{type(error).__name__}: {error}"}
        shutil.rmtree(out)
        answer["peak"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        print(json.dumps(answer), file=answers, flush=True)
    return 0


def _limit_memory() -> None:
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    limit = pages * os.sysconf("SC_PAGE_SIZE") + MAX_BYTES
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))

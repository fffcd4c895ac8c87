"""Time to flag a long run again, beside reading its columns in the same process.

    python benchmarks/flag.py [FRAMES]

Two runs are made up, of 100,000 frames unless said otherwise: a scan against a golden frame, and an
interpolated clip with the roles of its frames; each with all metrics and signals that such a run
stores by default, as curves that drift, with noise and faults. Printed are processor time of all
threads and elapsed time: of every detector by itself and of all together, of all rules of RULES,
and of ``vfiscope flag`` as a whole, without its start.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np

from vfiscope.metrics import METRICS
from vfiscope.options.computing_options import DEFAULT_METRICS, LEVEL_METRICS, NEIGHBOUR_METRICS
from vfiscope.segments import Columns, reflag
from vfiscope.segments.detectors import DETECTORS, Detector
from vfiscope.segments.rules import Rule, marked, parse_rule
from vfiscope.signals import SIGNALS
from vfiscope.store import Ending, Header, Run, Writer
from vfiscope.types import Float32, FrameTable, Role, Scores

FRAMES = 100_000
RATE = 25
REPEATS = 3
FAULTS_PER_FRAME = 0.001
RULES = (
    "luma_mean > 1.1 * median until median for 0.2 s",
    "z(luma_mean) > 6",
    "frame_difference < 0.5 * p5 for 2 frames",
)


def curve(frames: int, center: float, seed: int) -> Float32:
    """A level that wanders, noise, and faults of up to eight frames."""
    noise = np.random.default_rng(seed)
    wander = 0.05 * np.sin(np.arange(frames) / 700 + seed)
    values = center * (1 + wander + noise.normal(0, 0.01, frames))
    for start in noise.integers(0, frames, int(FAULTS_PER_FRAME * frames)):
        values[start : start + noise.integers(1, 8)] *= noise.uniform(0.2, 0.8)
    return values.astype(np.float32)


def make(path: Path, frames: int, metrics: Sequence[str], *, interpolated: bool) -> None:
    """Store a made-up run."""
    index = np.arange(frames)
    role = np.where(index % 2, Role.SYNTHESISED, Role.PASSED) if interpolated else Role.UNKNOWN
    table = FrameTable(
        index,
        index,
        index / RATE,
        index // 2 if interpolated else np.zeros(frames, np.int64),
        np.broadcast_to(role, frames).astype(np.uint8),
        index % 2 / 2 if interpolated else np.full(frames, np.nan),
        np.zeros(frames, np.uint8),
        Fraction(1, RATE),
    )
    signals = {name: each.spec for name, each in SIGNALS.items() if each.usual}
    if interpolated:
        signals = {name: spec for name, spec in signals.items() if name not in GOLDEN}
    header = Header(
        mode="score" if interpolated else "scan",
        config={"flag": []},
        sources=[{"role": "test", "path": "/made/up.mp4"}],
        metrics={name: METRICS[name].spec for name in metrics},
        time_base=table.time_base,
        signals=signals,
    )
    scores = {name: curve(frames, 0.5, n) for n, name in enumerate(metrics)}
    if interpolated:
        scores |= {name: scores[name] - np.float32(0.5) for name in LEVEL_METRICS}
        scores["cut"] = (scores["cut"] < 0.3).astype(np.float32)
    seen = {name: curve(frames, 100.0, 50 + n) for n, name in enumerate(signals)}
    with Writer(path, header) as writer:
        writer.append(Scores(table, scores, {}, {}, signals=seen))
        writer.finish(Ending(sources=header.sources, pairing={}, status="ok"))


GOLDEN = next(each for each in DETECTORS.values() if each.name == "exposure").needs


def seconds(do: Callable[[], object]) -> tuple[float, float]:
    """The least of REPEATS processor times, and of as many elapsed ones; the first call
    compiles."""
    do()
    times = []
    for _ in range(REPEATS):
        start = time.process_time(), time.perf_counter()
        do()
        times.append((time.process_time() - start[0], time.perf_counter() - start[1]))
    processor, elapsed = zip(*times, strict=True)
    return min(processor), min(elapsed)


def read(path: Path) -> None:
    """Open a run and look at every column."""
    with Run(path) as run:
        for values in (*run.scores.values(), *run.signals.values()):
            values.sum()


def rules() -> Iterable[Rule]:
    return (rule for rule in map(parse_rule, RULES) if isinstance(rule, Rule))


def together(detectors: Iterable[Detector], columns: Columns) -> None:
    """Ask all of them; what they share is computed once."""
    for each in detectors:
        each.detect(columns)


def report(path: Path) -> Mapping[str, tuple[float, float]]:
    """{step: processor and elapsed seconds}"""
    with Run(path) as run:
        columns = Columns.of(run)
        asked = {name: each for name, each in DETECTORS.items() if each.can_read(columns)}
        steps = {
            name: seconds(lambda each=each: each.detect(Columns.of(run)))  # type: ignore[misc]
            for name, each in asked.items()
        }
        steps["all detectors"] = seconds(lambda: together(asked.values(), Columns.of(run)))
        steps["rules"] = seconds(lambda: [marked(rule, columns) for rule in rules()])
    steps["read the columns"] = seconds(lambda: read(path))
    steps["flag"] = seconds(lambda: reflag(path))
    return steps


def main(frames: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        for name, metrics in (
            ("scan", DEFAULT_METRICS),
            ("score", (*NEIGHBOUR_METRICS, "psnr", "ssim", *LEVEL_METRICS)),
        ):
            path = Path(folder) / f"{name}.h5"
            make(path, frames, metrics, interpolated=name == "score")
            steps = report(path)
            with Run(path) as run:
                held = f"{len(run.scores)} metrics, {len(run.signals)} signals"
                print(f"\n{name}: {len(run.frames)} frames, {held}, {len(run.segments)} segments\n")
            reading, _ = steps["read the columns"]
            print("| step | processor ms | elapsed ms | times reading |\n|---|---|---|---|")
            for step, (processor, elapsed) in steps.items():
                times = f"{1000 * processor:.1f} | {1000 * elapsed:.1f}"
                print(f"| {step} | {times} | {processor / reading:.2f} |")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else FRAMES)

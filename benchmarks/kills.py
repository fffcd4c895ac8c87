"""Kill the score command at random moments, run it again, and compare the file with an
uninterrupted run's.

    python benchmarks/kills.py [COUNT]

Prints a line for each kill: its time, the number of frames stored by then, and whether the resumed
file is identical apart from ``created`` and the timings. Fails if one is not. Runs that end before
their kill do not count.
"""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from vfiscope.store import differences
from vfiscope.synth import Scene, write_video

FRAMES = 320


def command(folder: Path, out: Path) -> list[str]:
    score = [
        sys.executable,
        "-m",
        "vfiscope",
        "score",
        str(folder / "test.mp4"),
        "--ref",
        str(folder / "ref.mp4"),
    ]
    return [*score, "--size", "112", "--quiet", "-o", str(out)]


def stored_rows(out: Path) -> int:
    """Frames that the journal of an unfinished run calls safe."""
    journal = Path(f"{out}.parts") / "journal.jsonl"
    if not journal.exists():
        return 0
    lines = [json.loads(line) for line in journal.read_text().splitlines() if line.endswith("}")]
    return max((line["rows"][1] for line in lines if "rows" in line), default=0)


def kill_once(folder: Path, out: Path, after: float) -> str | None:
    """Start a run, kill it after ``after`` seconds, and finish it; returns what was found in
    between.

    None where the run ended before the kill.
    """
    process = subprocess.Popen(command(folder, out))
    time.sleep(after)
    process.send_signal(signal.SIGKILL)
    process.wait()
    if out.exists():
        return None
    found = f"{stored_rows(out)} of {FRAMES} frames stored"
    subprocess.run(command(folder, out), check=True)
    return found


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 30
    chance = random.Random(1)
    wrong = 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        scene = Scene(144, 256, seed=6)
        write_video(folder / "ref.mp4", scene.frames(FRAMES), crf=16)
        write_video(folder / "test.mp4", scene.frames(FRAMES), crf=32)
        whole = folder / "whole.h5"
        subprocess.run(command(folder, whole), check=True)
        began = time.monotonic()
        subprocess.run(command(folder, folder / "again.h5"), check=True)
        seconds = time.monotonic() - began
        number = 0
        while number < count:
            out, after = folder / f"{number}.h5", chance.uniform(0.25 * seconds, 0.95 * seconds)
            found = kill_once(folder, out, after)
            if found is not None:
                number += 1
                left = differences(whole, out)
                wrong += bool(left)
                print(
                    f"kill {number:2} after {after:.2f} of {seconds:.2f} s, {found}:"
                    f" {left or 'identical'}",
                    flush=True,
                )
            out.unlink()
    print(f"{count - wrong} of {count} identical")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()

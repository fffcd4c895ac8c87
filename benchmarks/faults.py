"""How well faults in time are found, named and placed: known faults at known places.

    python benchmarks/faults.py make CLIPS OUT     the clips of both halves, and truth.json
    python benchmarks/faults.py scan OUT           a run of vfiscope for each clip, kept
    python benchmarks/faults.py peers OUT          FFmpeg's filters and PySceneDetect on each clip
    python benchmarks/faults.py report OUT         flags the runs again and prints the tables
    python benchmarks/faults.py cuts OUT CLIPS     cuts beside other tools, with what each costs
    python benchmarks/faults.py audit              what the real clips have of themselves

CLIPS is a folder with the clips named in ``faults_clips.py``, wherever they lie in it; clips of
synthetic scenes are made beside them. Two halves: detectors are tuned on ``tuning``, and the other
one is reported; clips, places, strengths, shapes and codecs differ. ``report`` decodes nothing, so
it takes seconds and can be asked after every change of a detector.

A segment and a truth match if the segment is of the truth's kind and they overlap, or are at most
two frames apart; one to one. Truths that lie where nothing can be seen (``faults_place.py``) count
for "all" alone, and what the clips have of themselves (``faults_clips.py``) is no false alarm.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from itertools import chain, product
from pathlib import Path


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    verbs = parser.add_subparsers(dest="verb", required=True)
    verb = verbs.add_parser("make", help="write the clips and truth.json")
    verb.add_argument("clips", type=Path)
    verb.add_argument("out", type=Path)
    verb.add_argument("--half", default="", choices=("", "tuning", "reported"), help="one only")
    verb.add_argument("--scale", type=float, default=1.0, help="below 1: fewer faults")
    verb.add_argument(
        "--seed", default="0", help="other places, scenes and damages; more faults: 17,19"
    )
    verb = verbs.add_parser("scan", help="a run for each clip")
    verb.add_argument("out", type=Path)
    verb.add_argument("--again", action="store_true", help="also where there is a run")
    verb.add_argument("--signals", default="", help="as of vfiscope scan")
    verb.add_argument("--only", default="", help="clips whose names hold one of these")
    verb = verbs.add_parser("peers", help="other tools on each clip")
    verb.add_argument("out", type=Path)
    verb.add_argument("--ffmpeg", default="ffmpeg")
    verb.add_argument("--scenedetect", default="", help="a Python that has PySceneDetect")
    verb = verbs.add_parser("cuts", help="cuts beside other tools, with what each costs")
    verb.add_argument("out", type=Path)
    verb.add_argument("clips", type=Path)
    verb.add_argument("--half", default="tuning", choices=("tuning", "reported"))
    verb.add_argument("--ffmpeg", default="ffmpeg")
    verb.add_argument("--scenedetect", default="", help="a Python that has PySceneDetect")
    verb.add_argument("--write", type=Path, help="the table, in Markdown")
    verb = verbs.add_parser("report", help="the tables")
    verb.add_argument("out", type=Path)
    verb.add_argument("--half", default="tuning", choices=("tuning", "reported"))
    verb.add_argument("--detectors", default="", help="of vfiscope, by name; all where left out")
    verb.add_argument("--codec", default="", help="clips of a codec whose name holds this")
    verb.add_argument(
        "--errors", default="", help="lists misses and false alarms of a kind, or all"
    )
    verb.add_argument("--peers", action="store_true", help="tables beside other tools")
    verb.add_argument("--write", type=Path, help="a page of Markdown for the documentation")
    verbs.add_parser("audit", help="what the real clips have of themselves")
    args = parser.parse_args()
    return VERBS[args.verb](args)


def make_all(args: argparse.Namespace) -> int:
    os.environ.setdefault("SVT_LOG", "1")
    from faults_clips import not_audited
    from faults_compared import compared
    from faults_files import save_list
    from faults_make import make
    from faults_truth import HALVES

    seeds = [int(seed) for seed in args.seed.split(",")]
    entries, start = [], time.process_time()
    for half, seed in product([args.half] if args.half else HALVES, seeds):
        inside = Path(str(seed)) if len(seeds) > 1 else Path()
        folder = args.out / inside
        folder.mkdir(parents=True, exist_ok=True)
        made = make(args.clips, folder, half, args.scale, seed)
        for entry in chain(made, compared(args.clips, folder, half, seed)):
            entries.append(entry.within(inside))
            print(f"\r{len(entries)} clips", end="", file=sys.stderr, flush=True)
    save_list(args.out, entries)
    size = sum((args.out / entry.file).stat().st_size for entry in entries)
    print(f"\n{len(entries)} clips, {size / 1e6:.0f} MB, {time.process_time() - start:.0f} s")
    for name in not_audited(args.clips):
        print(f"left out, as nobody looked for its own faults: {name}")
    return 0


def scan_all(args: argparse.Namespace) -> int:
    from faults_runs import scan

    return scan(args.out, args.signals, args.again, args.only)


def peers_all(args: argparse.Namespace) -> int:
    from faults_peers import run_peers

    return run_peers(args.out, args.ffmpeg, args.scenedetect)


def cuts_all(args: argparse.Namespace) -> int:
    from faults_cuts import compare

    return compare(args)


def report_all(args: argparse.Namespace) -> int:
    from faults_report import report

    return report(args)


def audit(args: argparse.Namespace) -> int:
    from faults_clips import audit_table

    print("\n".join(audit_table()))
    return 0


VERBS = {
    "make": make_all,
    "scan": scan_all,
    "peers": peers_all,
    "cuts": cuts_all,
    "report": report_all,
    "audit": audit,
}

if __name__ == "__main__":
    sys.exit(main())

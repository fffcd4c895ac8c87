"""The tables of the benchmark of faults, in Markdown."""

from __future__ import annotations

import argparse
import math
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence

from faults_files import Entry, load_list
from faults_match import COUNTED, INFORMATION, UNNAMED, Judged, Said, Tallies, Tally, judged
from faults_peers import peers_table
from faults_runs import columns, failed, flagged
from faults_truth import OWN, SEVERITIES

KINDS = (
    *("duplicate", "freeze", "drop", "cut", "fade", "flicker", "exposure", "ghosting", "tearing"),
    *("blur", "warp", "corruption", "shift", "change", "black", "flash", "cadence"),
)
COMPARED = ("ref", "ref-aligned", "source")


def report(args: argparse.Namespace) -> int:
    start = time.process_time()
    entries = [
        each for each in load_list(args.out) if each.half == args.half and args.codec in each.codec
    ]
    names = [name for name in args.detectors.split(",") if name]
    stored = columns(args.out)
    said = {e.file: flagged(stored[e.file], names) for e in entries if e.file in stored}
    said |= {e.file: [] for e in entries if e.file in failed(args.out)}
    result = judged(entries, said)
    for part in parts(result, args):
        print("\n".join(part), end="\n\n")
    if args.write:
        args.write.write_text("\n\n".join("\n".join(each) for each in page(result, args)) + "\n")
    print(f"{len(said)} of {len(entries)} clips, {time.process_time() - start:.1f} s")
    return 0


def parts(result: Judged, args: argparse.Namespace) -> Iterator[list[str]]:
    """The tables that are asked for, line by line."""
    yield by_kind(result.tallies(*COUNTED))
    yield clean_table(result)
    yield by_variant(result.tallies(*COUNTED, by_variant=True))
    yield confusion_table(result.confusions())
    yield calibration_table(result)
    yield compared_table(result)
    if args.peers:
        yield peers_table(args.out, result)
    if args.errors:
        yield errors(result, args.errors)


def page(result: Judged, args: argparse.Namespace) -> Iterator[list[str]]:
    """What the documentation shows."""
    yield by_kind(result.tallies(*COUNTED))
    clean = clean_table(result)
    yield [*clean[:2], clean[-1]]
    yield calibration_table(result)
    yield compared_table(result)
    yield peers_table(args.out, result)


def number(value: float, digits: int = 2) -> str:
    return "" if math.isnan(value) else f"{value:.{digits}f}"


def table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> list[str]:
    lines = [head, ["---"] * len(head), *rows]
    return [f"| {' | '.join(str(cell) for cell in line)} |" for line in lines]


def total(tallies: Tallies, wanted: Callable[[str, str], bool]) -> Tally:
    return sum((tally for key, tally in tallies.items() if wanted(*key)), Tally())


def by_kind(tallies: Tallies) -> list[str]:
    """Precision, recall and F1 of each kind at each severity and over all."""
    other = sorted({kind for kind, _ in tallies} - {*KINDS, UNNAMED})
    rows = []
    for kind in (*KINDS, *other, "all kinds"):
        each = [
            total(tallies, lambda k, s, kind=kind, level=level: _counts(k, s, kind, level))
            for level in (*SEVERITIES, "")
        ]
        moderate, every = each[1], each[3]
        rows.append(
            [
                kind,
                *(number(tally.f1) for tally in each),
                *(number(moderate.precision), number(moderate.recall)),
                f"{moderate.found}/{moderate.visible}",
                f"{every.found}/{every.visible}",
                f"{every.found + every.found_unseen}/{every.placed}",
                number(every.f1_placed),
                every.false,
                *(number(every.within(frames)) for frames in (0, 1)),
            ]
        )
    head = "kind,F1 mild,F1 moderate,F1 strong,F1 all,precision (moderate),recall (moderate)"
    head += ",found/visible (moderate),found/visible,found/placed,F1 placed,false"
    return table([*head.split(","), "boundaries exact", "within 1"], rows)


def _counts(kind: str, severity: str, wanted: str, level: str) -> bool:
    if severity == OWN or kind == UNNAMED or level not in ("", severity):
        return False
    return wanted in ("all kinds", kind)


def by_variant(tallies: Tallies) -> list[str]:
    """Found of those that can be seen, by how they were made; a clip's own events at the end."""
    names = sorted({name for name, _ in tallies if ":" in name})
    rows = [
        [name, *(_share(tallies.get((name, level))) for level in (*SEVERITIES, OWN))]
        for name in names
    ]
    return table(["kind: variant", *SEVERITIES, "the clips' own"], rows)


def _share(tally: Tally | None) -> str:
    return f"{tally.found}/{tally.visible}" if tally and tally.visible else ""


def clean_table(result: Judged) -> list[str]:
    """False alarms of clips into which nothing was put, clip by clip."""
    minutes: dict[str, float] = defaultdict(float)
    alarms: dict[str, Counter[str]] = defaultdict(Counter)
    own: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for entry, found in result.of("clean"):
        minutes[entry.base] += entry.minutes
        alarms[entry.base].update(said.kind for said in found.false)
        own[entry.base][0] += len(found.pairs)
        own[entry.base][1] += len(found.pairs) + len(found.missed)
    names, rows = [*minutes], []
    for name in [*names, "all"]:
        chosen = names if name == "all" else [name]
        counts = sum((alarms[each] for each in chosen), Counter())
        length = sum(minutes[each] for each in chosen)
        faults = sum(n for kind, n in counts.items() if kind not in INFORMATION)
        found, there = (sum(own[each][i] for each in chosen) for i in (0, 1))
        kinds = ", ".join(f"{kind} {n}" for kind, n in counts.most_common())
        rate = number(faults / length, 1) if length else ""
        rows.append([name, number(length), faults, rate, f"{found}/{there}", kinds])
    head = ["clean clip", "minutes", "false alarms", "a minute", "own events found", "which"]
    return table(head, rows)


def confusion_table(counts: Counter[tuple[str, str]]) -> list[str]:
    rows = [[said, there, n] for (said, there), n in counts.most_common(20)]
    return table(["said, and false", "what is there", "how often"], rows)


def calibration_table(result: Judged) -> list[str]:
    rows = [
        [f"{low:.1f} to {low + 0.1:.1f}", count, real, number(real / count)]
        for low, count, real in result.calibration()
    ]
    return table(["confidence", "segments", "real", "share"], rows)


def compared_table(result: Judged) -> list[str]:
    """With a reference or a source: all severities together."""
    rows = []
    for purpose in COMPARED:
        tallies = result.tallies(purpose)
        for kind in sorted({kind for kind, _ in tallies} - {UNNAMED}):
            one = total(tallies, lambda k, s, kind=kind: k == kind)
            shares = [number(value) for value in (one.precision, one.recall, one.f1)]
            counts = [f"{one.found}/{one.visible}", f"{one.found + one.found_unseen}/{one.placed}"]
            rows.append([purpose, kind, *shares, *counts, one.false])
    head = "with,kind,precision,recall,F1,found/visible,found/placed,false"
    return table(head.split(","), rows)


def errors(result: Judged, kind: str) -> list[str]:
    """Each miss and false alarm of a kind, where it is."""
    lines = []
    for entry in result.entries:
        found = result.verdicts[entry.file]
        for truth in found.missed:
            if kind in ("all", truth.kind) and truth.visible:
                what = f"missed {truth.kind} [{truth.start}, {truth.stop}) {truth.variant}"
                lines.append((entry, truth.start, what))
        for said in found.false:
            if kind in ("all", said.kind):
                lines.append((entry, said.start, _false(entry, said)))
    lines.sort(key=lambda line: (line[0].file, line[1]))
    return [f"{entry.file} ({entry.codec}): {what}" for entry, _, what in lines]


def _false(entry: Entry, said: Said) -> str:
    there = [
        f"{t.kind} [{t.start}, {t.stop})"
        for t in entry.truths
        if t.start - 9 < said.stop and t.stop + 9 > said.start
    ]
    text = f"false {said.kind} [{said.start}, {said.stop}) {said.confidence:.2f} {said.evidence}"
    return f"{text} near {', '.join(there)}" if there else text

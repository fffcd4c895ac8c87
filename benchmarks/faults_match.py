"""Which segment is right about which truth, and what follows from that."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from faults_files import Entry
from faults_truth import OWN, Truth

NEAR = 2
"""Frames by which a segment may lie beside its truth."""
INFORMATION = ("black", "flash", "static", "cadence")
UNNAMED = "low_score"
"""Says that a stretch is bad, not why: no cause is right or wrong with it."""
COUNTED = ("faults", "joined", "cadence", "packets")
"""The purposes of clips that are counted kind by kind."""


@dataclass(frozen=True)
class Said:
    """A segment that a detector found."""

    kind: str
    start: int
    stop: int
    confidence: float = 1.0
    evidence: str = ""


@dataclass(frozen=True)
class Verdict:
    """A clip's segments against its truths."""

    pairs: Sequence[tuple[Truth, Said]]
    missed: Sequence[Truth]
    false: Sequence[Said]
    forgiven: Sequence[Said]
    """Right about something that nobody need say."""


def near(truth: Truth, said: Said) -> bool:
    stop = truth.start + 1 if truth.lasting else truth.stop
    return said.start < stop + NEAR and said.stop > truth.start - NEAR


def apart(truth: Truth, said: Said) -> int:
    """Frames by which start and stop are off together."""
    return abs(said.start - truth.start) + (0 if truth.lasting else abs(said.stop - truth.stop))


def right(truth: Truth, said: Said) -> bool:
    return said.kind in (truth.kind, *truth.also) and near(truth, said)


def verdict(truths: Sequence[Truth], said: Sequence[Said]) -> Verdict:
    """One to one, the nearest first; what is left may be about an optional truth."""
    wanted = [truth for truth in truths if not truth.optional]
    possible = [(t, s) for t in range(len(wanted)) for s in range(len(said))]
    possible = [(t, s) for t, s in possible if right(wanted[t], said[s])]
    possible.sort(key=lambda pair: (apart(wanted[pair[0]], said[pair[1]]), pair))
    of_truth: dict[int, int] = {}
    for t, s in possible:
        if t not in of_truth and s not in of_truth.values():
            of_truth[t] = s
    left = [one for s, one in enumerate(said) if s not in of_truth.values()]
    forgiven = [one for one in left if _harmless(one, truths)]
    return Verdict(
        [(wanted[t], said[s]) for t, s in of_truth.items()],
        [truth for t, truth in enumerate(wanted) if t not in of_truth],
        [one for one in left if one not in forgiven],
        forgiven,
    )


def _harmless(said: Said, truths: Sequence[Truth]) -> bool:
    if said.kind == "static":
        return True
    if said.kind == UNNAMED:
        return any(near(truth, said) for truth in truths if truth.kind != "cadence")
    return any(truth.optional and right(truth, said) for truth in truths)


@dataclass
class Tally:
    """Counts of a kind."""

    found: int = 0
    missed: int = 0
    found_unseen: int = 0
    missed_unseen: int = 0
    false: int = 0
    starts: list[int] = field(default_factory=list)
    stops: list[int] = field(default_factory=list)

    def __add__(self, other: Tally) -> Tally:
        two = zip(vars(self).values(), vars(other).values(), strict=True)
        return Tally(*(a + b for a, b in two))

    @property
    def visible(self) -> int:
        return self.found + self.missed

    @property
    def placed(self) -> int:
        return self.visible + self.found_unseen + self.missed_unseen

    @property
    def precision(self) -> float:
        said = self.found + self.false
        return self.found / said if said else float("nan")

    @property
    def recall(self) -> float:
        return self.found / self.visible if self.visible else float("nan")

    @property
    def f1(self) -> float:
        both = 2 * self.found + self.missed + self.false
        return 2 * self.found / both if both else float("nan")

    @property
    def f1_placed(self) -> float:
        """Over all that was placed, seen or not."""
        found = self.found + self.found_unseen
        both = 2 * found + self.missed + self.missed_unseen + self.false
        return 2 * found / both if both else float("nan")

    def within(self, frames: int) -> float:
        """Share of the boundaries that are off by at most so many frames."""
        ends = [*self.starts, *self.stops]
        return sum(abs(e) <= frames for e in ends) / len(ends) if ends else float("nan")


Tallies = Mapping[tuple[str, str], Tally]
"""{(kind, severity): counts}"""


@dataclass(frozen=True)
class Judged:
    """All clips of a half against what was said of them."""

    verdicts: Mapping[str, Verdict]
    """{file: verdict}"""
    entries: Sequence[Entry]

    def of(self, *purposes: str) -> Iterable[tuple[Entry, Verdict]]:
        return ((e, self.verdicts[e.file]) for e in self.entries if e.purpose in purposes)

    def tallies(self, *purposes: str, by_variant: bool = False) -> Tallies:
        """Counts by kind (or by kind and variant) and severity; a clip's own events are apart."""
        counts: dict[tuple[str, str], Tally] = defaultdict(Tally)
        for entry, found in self.of(*purposes):
            for truth, said in found.pairs:
                tally = counts[_key(truth, by_variant)]
                tally.found += truth.visible
                tally.found_unseen += not truth.visible
                tally.starts.append(said.start - truth.start)
                if not truth.lasting:
                    tally.stops.append(said.stop - truth.stop)
            for truth in found.missed:
                counts[_key(truth, by_variant)].missed += truth.visible
                counts[_key(truth, by_variant)].missed_unseen += not truth.visible
            for said in found.false:
                counts[said.kind, entry.severity].false += 1
        return counts

    def confusions(self) -> Counter[tuple[str, str]]:
        """{(kind said, kind of a truth there, or "nothing"): false segments}"""
        counts: Counter[tuple[str, str]] = Counter()
        for _, found in self.of(*COUNTED):
            truths = [*found.missed, *(truth for truth, _ in found.pairs)]
            for said in found.false:
                there = [each.kind for each in truths if near(each, said)]
                real = [kind for kind in there if kind != "cadence"]
                counts[said.kind, (real or there or ["nothing"])[0]] += 1
        return counts

    def calibration(self) -> list[tuple[float, int, int]]:
        """(lower bound of a tenth of confidence, segments, real ones)."""
        tenths: dict[int, list[bool]] = defaultdict(list)
        for _, found in self.of(*COUNTED, "clean"):
            said = [(one, True) for _, one in found.pairs]
            said += [(one, True) for one in found.forgiven] + [(one, False) for one in found.false]
            for one, real in said:
                if one.kind not in (UNNAMED, "static"):
                    tenths[min(9, int(10 * one.confidence + 1e-9))].append(real)
        return [(t / 10, len(tenths[t]), sum(tenths[t])) for t in sorted(tenths)]


def _key(truth: Truth, by_variant: bool) -> tuple[str, str]:
    name = f"{truth.kind}: {truth.variant or OWN}" if by_variant else truth.kind
    return name, truth.severity


def judged(entries: Sequence[Entry], said: Mapping[str, Sequence[Said]]) -> Judged:
    """Clips without a run are left out."""
    there = [entry for entry in entries if entry.file in said]
    return Judged({e.file: verdict(e.truths, said[e.file]) for e in there}, there)

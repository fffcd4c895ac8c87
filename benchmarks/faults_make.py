"""Makes the clips of the benchmark of faults, with a list of what is where."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import faults_time as time
import numpy as np
from faults_clips import WINDOW, Base, bases
from faults_files import (
    CODECS,
    DAMAGED_BYTES,
    DAMAGED_CODECS,
    Codec,
    Entry,
    damage_packets,
    damaged_stretches,
    decoded,
    write,
)
from faults_joined import joined
from faults_place import LEAST_ACT, NAIVE_SHARE, Sights, place, shows
from faults_truth import HALVES, SEVERITIES, Edit, Shots, Truth
from faults_variant import Variant
from faults_variants import PATTERNS, STRETCHES, VARIANTS

EACH = (8, 16, 8)
"""Faults of each kind: mild, moderate, strong."""
IN_A_CLIP = 5
TRIES = 30
"""Clips that are asked for a place, and damages that are tried."""
JOINED, DAMAGED_CLIPS = 4, 4
"""Clips for each severity."""
CLEAN_CODECS = {"tuning": (0, 2, 4), "reported": (0, 2, 6)}


def make(folder: Path, out: Path, half: str, scale: float = 1.0, seed: int = 0) -> Iterator[Entry]:
    """Write the clips of a half; ``scale`` below 1 makes fewer, another ``seed`` other ones."""
    clips = bases(folder, half, seed)
    moving = [base for base in clips if not base.cadenced]
    yield from clean(clips, out, half)
    for level, severity in enumerate(SEVERITIES):
        random = np.random.default_rng([HALVES.index(half), level, seed])
        each = max(1, round(EACH[level] * scale))
        yield from with_faults(moving, out, half, level, each, random)
        for number in range(max(1, round(JOINED * scale))):
            order = list(random.permutation(len(moving)))
            shots = joined([moving[i] for i in order], half, level, severity, random)
            codec = CODECS[half][number % len(CODECS[half])]
            yield entry(
                out, shots, half, "joined", codec, severity, f"joined-{severity}-{number}", "joined"
            )
        yield from cadences(moving, out, half, level, random)
        for number in range(max(1, round(DAMAGED_CLIPS * scale))):
            base = moving[int(random.integers(len(moving)))]
            yield from damaged(base, out, half, level, number, random)


def entry(
    out: Path,
    shots: Shots,
    half: str,
    base: str,
    codec: Codec,
    severity: str,
    name: str,
    purpose: str,
    against: str = "",
) -> Entry:
    """The clip, written."""
    path = write(out / f"{half}-{name}", shots, codec)
    return Entry(
        file=path.name,
        half=half,
        base=base,
        codec=codec.name,
        severity=severity,
        frames=len(shots.frames),
        rate=float(shots.rate),
        truths=sorted(shots.truths, key=lambda each: (each.start, each.kind)),
        purpose=purpose,
        against=against,
        pts=shots.pts if shots.waits else [],
    )


def windows(base: Base) -> list[tuple[int, int]]:
    """(start, count) of stretches that cover a clip."""
    whole = len(base.shots().frames)
    starts = list(range(0, max(1, whole - WINDOW // 2), WINDOW))
    stops = [*starts[1:], whole]
    return [(start, stop - start) for start, stop in zip(starts, stops, strict=True)]


def clean(clips: Sequence[Base], out: Path, half: str) -> Iterator[Entry]:
    for base in clips:
        stem = Path(base.name).stem
        for start, count in windows(base):
            shots = base.window(start, count)
            for number in CLEAN_CODECS[half]:
                codec = CODECS[half][number]
                name = f"clean-{stem}-{start}-{number}"
                yield entry(out, shots, half, base.name, codec, "clean", name, "clean")


@dataclass(frozen=True)
class Waiting:
    """A fault that has no place yet."""

    variant: Variant
    naive: bool
    """It is put anywhere, seen or not."""
    tries: int = 0


def queue(half: str, each: int, random: np.random.Generator) -> list[Waiting]:
    """``each`` faults of every kind, shared by its variants, in random order."""
    kinds: dict[str, list[Variant]] = {}
    for variant in VARIANTS[half]:
        kinds.setdefault(variant.kind, []).append(variant)
    wanted = [kind[i % len(kind)] for kind in kinds.values() for i in range(each)]
    random.shuffle(wanted)  # type: ignore[arg-type]
    return [Waiting(variant, bool(random.random() < NAIVE_SHARE)) for variant in wanted]


def with_faults(
    clips: Sequence[Base],
    out: Path,
    half: str,
    level: int,
    each: int,
    random: np.random.Generator,
) -> Iterator[Entry]:
    """Clips with several faults of one severity, until all are placed."""
    waiting = queue(half, each, random)
    number = 0
    while waiting:
        base = clips[number % len(clips)]
        start = int(random.integers(max(1, len(base.shots().frames) - WINDOW + 1)))
        shots, waiting = filled(base.window(start), waiting, level, random)
        codec = CODECS[half][int(random.integers(len(CODECS[half])))]
        name = f"{SEVERITIES[level]}-{number}-{Path(base.name).stem}"
        if any(truth.severity == SEVERITIES[level] for truth in shots.truths):
            yield entry(out, shots, half, base.name, codec, SEVERITIES[level], name, "faults")
        number += 1


def filled(
    shots: Shots,
    waiting: list[Waiting],
    level: int,
    random: np.random.Generator,
) -> tuple[Shots, list[Waiting]]:
    """The clip with the next faults that have a place in it, and those that are left."""
    sights, chosen = Sights(shots), []
    left: list[Waiting] = []
    taken: list[tuple[int, int]] = []
    for place_in_line, one in enumerate(waiting):
        variant = one.variant
        if len(chosen) == IN_A_CLIP or place_in_line >= 4 * IN_A_CLIP:
            left += waiting[place_in_line:]
            break
        found = place(sights, variant, level, taken, random, one.naive or one.tries > TRIES)
        if found is None:
            # A clip in which nothing moves is no place for some faults: another one is asked.
            left.append(replace(one, tries=one.tries + 1))
            continue
        at, visible = found
        taken.append((at, at + variant.length(level)))
        chosen.append((at, visible, variant))
    return planted(shots, chosen, level, random), left


def planted(
    shots: Shots,
    chosen: Sequence[tuple[int, bool, Variant]],
    level: int,
    random: np.random.Generator,
) -> Shots:
    """The clip with faults at these places. What stays to the end comes first, so that a black
    frame is black; then the last, so that places stay."""

    def turn(each: tuple[int, bool, Variant]) -> tuple[bool, int]:
        return not each[2].stays(level), -each[0]

    for at, visible, variant in sorted(chosen, key=turn):
        edit = variant.make(shots.frames, at, random, **variant.levels[level])
        seen = bool(visible and shows(edit, shots.frames, variant.kind))
        shots = shots.edited(named(edit, variant.name, SEVERITIES[level], seen))
    return shots


def named(edit: Edit, variant: str, severity: str, visible: bool) -> Edit:
    truths = [
        each
        if each.optional
        else replace(each, variant=variant, severity=severity, visible=visible)
        for each in edit.truths
    ]
    return replace(edit, truths=truths)


def cadences(
    clips: Sequence[Base], out: Path, half: str, level: int, random: np.random.Generator
) -> Iterator[Entry]:
    """A stretch of each cadence in a clip that moves."""
    patterns: dict[str, tuple[int, ...] | None] = {**PATTERNS[half], "3:2 of fields": None}
    for number, (name, pattern) in enumerate(patterns.items()):
        shots = next(moving_windows(clips, random))
        sights, at = Sights(shots), 0 if level == 2 else 24 + 4 * number
        count = STRETCHES[level]
        if pattern is None:
            edit = time.combed(shots.frames, at, random, count=count)
        else:
            edit = time.cadence(shots.frames, at, random, count=count, pattern=pattern)
        used = sights.steps[at + 1 : edit.last]
        seen = bool(np.median(used) >= LEAST_ACT)
        kept = replace(shots, truths=[])
        shots = kept.edited(named(edit, name, SEVERITIES[level], seen))
        codec = CODECS[half][(number + level) % len(CODECS[half])]
        file = f"cadence-{SEVERITIES[level]}-{name.replace(' ', '-').replace(':', '-')}"
        yield entry(out, shots, half, "cadence", codec, SEVERITIES[level], file, "cadence")


def moving_windows(clips: Sequence[Base], random: np.random.Generator) -> Iterator[Shots]:
    """Clips in which much moves and which have nothing of their own; any where there is none."""
    while True:
        for number in random.permutation(len(clips)):
            shots = clips[int(number)].window(0)
            if not shots.truths and np.median(Sights(shots).steps[1:]) >= LEAST_ACT:
                yield shots


def damaged(
    base: Base, out: Path, half: str, level: int, number: int, random: np.random.Generator
) -> Iterator[Entry]:
    """A clip some of whose packets are damaged; what is wrong is what the decoder makes of it."""
    shots, codec = base.window(0), DAMAGED_CODECS[half]
    found: list[tuple[int, int]] = []
    whole = write(out / f"{half}-whole", shots, codec)
    path = out / f"{half}-packets-{SEVERITIES[level]}-{number}{codec.suffix}"
    for _ in range(TRIES):
        places = sorted(random.choice(range(10, len(shots.frames) - 14), 3, replace=False).tolist())
        seed = int(random.integers(1 << 30))
        damage_packets(whole, path, places, DAMAGED_BYTES[level], seed)
        good, bad = decoded(whole), decoded(path)
        if good is None or bad is None or len(good) != len(bad):
            continue
        found = merged(damaged_stretches(good, bad))
        if found:
            break
    whole.unlink()
    if not found:
        path.unlink()
        return
    truths = [
        Truth("corruption", *each, variant="packets", severity=SEVERITIES[level]) for each in found
    ]
    # A decoder may report what hardly shows, up to the next keyframe.
    every = int(codec.options["g"])
    truths += [
        Truth("corruption", at, (at // every + 1) * every, optional=True, reason="damaged packet")
        for at in places
    ]
    yield Entry(
        path.name, half, base.name, codec.name, SEVERITIES[level], len(shots.frames),
        float(shots.rate), [*shots.truths, *truths], "packets",
    )  # fmt: skip


def merged(stretches: Sequence[tuple[int, int]], least: int = 4) -> list[tuple[int, int]]:
    """Stretches that are closer than ``least`` frames are one."""
    found: list[tuple[int, int]] = []
    for start, stop in stretches:
        if found and start - found[-1][1] < least:
            found[-1] = found[-1][0], stop
        else:
            found.append((start, stop))
    return found

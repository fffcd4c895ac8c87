"""Clips with a reference or a source beside them, by which causes can be told."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
from faults_clips import Base, bases
from faults_files import CODECS, Entry, write
from faults_make import entry, planted
from faults_place import Sights, place
from faults_truth import HALVES, SEVERITIES, Shots
from faults_variant import Variant
from faults_variants import VARIANTS

KINDS = {
    "ref": ("duplicate", "freeze", "ghosting", "warp"),
    "ref-aligned": ("duplicate", "freeze", "drop"),
    "source": ("duplicate", "freeze", "drop", "ghosting", "warp"),
}
"""{purpose: faults}. Where frames are missing or added, the reference is aligned."""
COMPARED_FRAMES = 97
"""Odd, so that the last frame of an interpolated clip is an original."""
CLIPS = ("things", "hand-held", "pan")
ROUNDS = 2
REAL = {"tuning": "bigbuckbunny.mp4", "reported": "Seeking_30_480_1050.mp4"}


def compared(folder: Path, out: Path, half: str, seed: int = 0) -> Iterator[Entry]:
    clips = [base for base in bases(folder, half, seed) if base.name in (*CLIPS, REAL[half])]
    for level in range(len(SEVERITIES)):
        for number, base in enumerate(clips * ROUNDS):
            for purpose in KINDS:
                seeds = [HALVES.index(half), level, number, len(purpose), seed]
                name = f"{purpose}-{SEVERITIES[level]}-{number}-{Path(base.name).stem}"
                yield one(base, out, half, purpose, level, name, np.random.default_rng(seeds))


def one(
    base: Base,
    out: Path,
    half: str,
    purpose: str,
    level: int,
    name: str,
    random: np.random.Generator,
) -> Entry:
    """The clip with faults, and its reference or source, written."""
    clear = base.window(0, COMPARED_FRAMES)
    codec = CODECS[half][level % len(CODECS[half])]
    step = 2 if purpose == "source" else 1
    other = Shots(clear.frames[::step], clear.rate / step)
    against = write(out / f"{half}-{name}-against", other, CODECS[half][0])
    places = chosen(clear, half, purpose, level, random)
    # A repeat that the reference has too is none. Of a source every second frame is left: what
    # repeats in the film itself is a repeat of the frames in between.
    own = [truth for truth in clear.truths if truth.kind == "duplicate"]
    shots = planted(
        replace(clear, truths=own if purpose == "source" else []), places, level, random
    )
    severity = SEVERITIES[level]
    return entry(out, shots, half, base.name, codec, severity, name, purpose, against.name)


def chosen(
    shots: Shots, half: str, purpose: str, level: int, random: np.random.Generator
) -> list[tuple[int, bool, Variant]]:
    """Places and faults, four at most."""
    sights, taken, found = Sights(shots), [], []
    wanted = [
        each
        for each in VARIANTS[half]
        if each.kind in KINDS[purpose] and each.name != "gap in time"
    ]
    if purpose == "ref":
        wanted = [each for each in wanted if "inserted" not in each.levels[level]]
    random.shuffle(wanted)  # type: ignore[arg-type]
    for variant in wanted:
        where = place(sights, variant, level, taken, random)
        if where is not None and len(found) < 4:
            taken.append((where[0], where[0] + variant.length(level)))
            found.append((*where, variant))
    return found

"""The clips that faults are put into, and what those clips have of themselves.

``AUDIT`` lists, for every real clip of the data folder that is long enough, the events that it
really has, found by looking at the frames wherever a difference stood out. They are no false
alarms. Cuts, fades and cadences must be found and are counted apart; the rest is optional.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import cv2
import numpy as np
from faults_scenes import HOLDS, SCENES, made
from faults_truth import HALVES, Pixels, Shots, Truth

from vfiscope import open_source
from vfiscope.errors import VfiscopeError

MAX_WIDTH = 480
MIN_SECONDS, MIN_COUNT = 3.0, 75
WINDOW = 132
"""Frames of a clip that is made."""


def own(kind: str, start: int, stop: int = 0, reason: str = "", also: str = "") -> Truth:
    """Something that must be found."""
    return Truth(kind, start, stop or start + 1, reason=reason, also=tuple(also.split()))


def trifle(kind: str, start: int, stop: int = 0, reason: str = "", also: str = "") -> Truth:
    return replace(own(kind, start, stop, reason, also), optional=True)


REPEATED = "24 to 25 frames a second by repeats"
AUDIT: dict[str, tuple[str, list[Truth]]] = {
    "bigbuckbunny.mp4": (
        "tuning",
        [
            own("cadence", 0, 132, REPEATED),
            *(trifle("duplicate", at, reason=REPEATED) for at in range(7, 132, 25)),
        ],
    ),
    "issue-134-rotate.mp4": (
        "tuning",
        [
            trifle("duplicate", 1, reason="frame 1 repeats frame 0"),
            *(own("cut", at) for at in (90, 210)),
            trifle("change", 1, 90, "a text is typed on a screen"),
            trifle("change", 90, 210, "another one"),
        ],
    ),
    "nasa_13013_hdr.mp4": (
        "tuning",
        [
            own("fade", 127, 152, "dissolve", "cut"),
            own("cut", 202),
            trifle("cadence", 0, 202, "as below, hardly moving"),
            own("cadence", 202, 325, "two repeats and a jump in ten frames"),
            *(trifle("duplicate", at) for at in range(203, 325) if at % 10 in (6, 9)),
            *(trifle("drop", at) for at in range(203, 325) if at % 10 == 8),
        ],
    ),
    "scene_cuts.mp4": ("tuning", [own("cut", at) for at in (30, 76, 137, 187, 242)]),
    "BBB_sampleB_distorted.mp4": (
        "reported",
        [
            trifle(
                "exposure",
                at,
                reason="a keyframe renews a frame 3 % too bright, whose motion lags by two steps",
                also="blur drop",
            )
            for at in (120, 240)
        ],
    ),
    "Seeking_30_480_1050.mp4": ("reported", []),
    "testvideo.mp4": (
        "reported",
        [
            trifle("fade", 0, 24, "a text fades in"),
            trifle("black", 0, 30, also="static freeze"),
            *(own("cut", at) for at in (30, 180)),
            trifle("black", 180, 213, also="static freeze"),
            own("fade", 211, 241, "from black"),
            own("fade", 331, 361, "to black"),
            trifle("black", 359, 395, also="static freeze"),
            own("fade", 394, 424, "from black"),
            own("fade", 529, 559, "dissolve", "cut"),
            own("fade", 664, 690, "to black"),
            trifle("black", 688, 720, also="static freeze"),
            trifle("fade", 690, 715, "a text fades out"),
        ],
    ),
    "test_clip_10s.mp4": (
        "reported",
        [
            trifle("fade", 0, 4, "to white", "exposure"),
            trifle("duplicate", 4, reason="a blank frame repeats", also="freeze"),
            trifle("fade", 3, 60, "fog clears"),
            own("fade", 72, 104, "to black"),
            trifle("cut", 104, reason="a title"),
            trifle("black", 100, 168, also="static freeze"),
            trifle("fade", 136, 158, "a title fades out"),
            own("fade", 164, 190, "from black"),
            own("cut", 214),
        ],
    ),
    "av1_video.mkv": (
        "reported",
        [
            trifle("change", at, reason="the counter of a test pattern turns over", also="cut")
            for at in (25, 50, 75, 100)
        ],
    ),
}
SAME_FILM = ("luma.mp4", "chroma1.mp4", "chroma2.mp4")
"""Copies of bigbuckbunny.mp4."""


@dataclass(frozen=True)
class Base:
    """A clip to put faults into."""

    name: str
    half: str
    path: Path | None = None
    seed: int = 0
    """Of a made one."""

    @property
    def cadenced(self) -> bool:
        """Whether time itself runs by a pattern, so that faults of time would not be told."""
        return self.name in HOLDS

    def shots(self) -> Shots:
        """All of its frames, at most 480 px wide, with its own events."""
        return _loaded(self)

    def window(self, start: int, count: int = WINDOW) -> Shots:
        """Frames [start, start + count) as a clip of their own."""
        whole = self.shots()
        stop = min(start + count, len(whole.frames))
        inside = [
            replace(each, start=max(each.start - start, 0), stop=min(each.stop, stop) - start)
            for each in whole.truths
            # A cut at the first frame is none, and of a fade a few frames must be left.
            if min(each.stop, stop) - max(each.start, start) >= min(4, each.stop - each.start)
            and not (each.kind == "cut" and each.start == start)
        ]
        return Shots(whole.frames[start:stop], whole.rate, inside)


@cache
def _loaded(base: Base) -> Shots:
    """About a gigabyte for the clips of a half, which are asked for again and again."""
    if base.path is None:
        return made(base.name, HALVES.index(base.half), base.seed)
    frames: list[Pixels] = []
    with open_source(str(base.path), tonemap="none") as source:
        rate = float(source.info.rate or 25)
        for batch in source:
            deep = batch.bit_depth - 8
            frames += [scaled((f >> deep).astype(np.uint8)) for f in batch.interleaved]
    return Shots(frames, rate, list(AUDIT[base.name][1]))


def scaled(frame: Pixels) -> Pixels:
    """At most 480 wide and 480 high, with even sides."""
    height, width = frame.shape[:2]
    factor = min(1.0, MAX_WIDTH / max(height, width))
    size = tuple(2 * max(1, round(side * factor / 2)) for side in (width, height))
    if size == (width, height):
        return np.ascontiguousarray(frame)
    return np.asarray(cv2.resize(frame, size, interpolation=cv2.INTER_AREA), np.uint8)


def bases(folder: Path, half: str, seed: int = 0) -> list[Base]:
    """The real clips of a half that are in the folder, and the made ones."""
    real = [Base(path.name, half, path) for path in long_enough(folder, half)]
    return [*real, *(Base(name, half, seed=seed) for name in (*SCENES, *HOLDS))]


def long_enough(folder: Path, half: str) -> Iterator[Path]:
    for name, (its_half, _) in AUDIT.items():
        if its_half == half:
            yield from sorted(folder.rglob(name))[:1]


def not_audited(folder: Path) -> list[str]:
    """Clips that are long enough and that nobody looked at: they are left out, and named."""
    missing = []
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() not in {".mp4", ".mkv", ".mov", ".webm", ".avi", ".m4v"}:
            continue
        if path.name in AUDIT or path.name in SAME_FILM:
            continue
        try:
            with open_source(str(path), tonemap="none") as source:
                info = source.info
                count = info.frames_expected or 0
                if count >= MIN_COUNT and count >= MIN_SECONDS * float(info.rate or 25):
                    missing.append(path.name)
        except VfiscopeError:
            continue
    return missing


def audit_table() -> list[str]:
    """What the real clips have of themselves, in Markdown. Equal events are put together."""
    lines = [
        "| clip | half | event | frames | must be found | reason |",
        "|---|---|---|---|---|---|",
    ]
    for name, (half, truths) in AUDIT.items():
        alike: dict[tuple[str, str, bool], list[str]] = {}
        for truth in truths:
            one = truth.stop == truth.start + 1
            frames = f"{truth.start}" if one else f"{truth.start} to {truth.stop - 1}"
            kinds = " or ".join((truth.kind, *truth.also))
            alike.setdefault((kinds, truth.reason, truth.optional), []).append(frames)
        for (kinds, reason, optional), frames in alike.items():
            shown = ", ".join(frames if len(frames) < 7 else [*frames[:4], "...", frames[-1]])
            cells = [name, half, kinds, shown, "no" if optional else "yes", reason]
            lines.append(f"| {' | '.join(cells)} |")
        if not truths:
            lines.append(f"| {name} | {half} | none | | | |")
    return lines

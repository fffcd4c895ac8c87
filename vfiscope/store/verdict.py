"""The verdict on a run without ground truth: how many frames are wrong, in what way, and whether
they follow a pattern.

It uses the stored columns only. A frame has one cause, the first of :data:`CAUSES` that applies:
later causes can be side effects of earlier ones, as a tear consists of repeats, and a blend has
double contours. What a frame shows of an instant beyond its neighbours is in neither of them, so
that its colours are foreign and its geometry is broken; such a frame is late or early.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vfiscope.config import FLAG_ENTER, SIGMA_OF_MAD
from vfiscope.store.instants import beyond_neighbours
from vfiscope.store.pools import headline_role, rows_of
from vfiscope.types import Float64, FrameTable

__all__ = ["CAUSES", "CAUSE_WORDS", "NEEDED", "Judgement", "causes_by_name", "causes_of", "judge"]

Bool = NDArray[np.bool_]
Columns = Mapping[str, NDArray[np.float32]]

NEEDED = ("fault", "moving", "repeat", "late", "early", "blend")
"""Columns without which there is no verdict; faults of other missing columns are not looked for."""
CAUSES = ("torn", "repeats", "off_colour", "blends", "broken", "late", "early", "local")
SIDE_CAUSES = ("off_colour", "blends", "broken", "local")
"""Causes that a frame has too which shows an instant beyond its neighbours."""
WITHOUT_MOTION = ("off_colour", "broken", "local")
"""Causes that apply to frames in which nothing moves, too."""
MIN_TORN_PURITY = 0.75
"""Least purity of the two instants in the bands of a torn frame; planted tears reach 0.85 or
more."""
MIN_WRONG_INSTANT_SHARE = 0.5
"""Least part of the moving content at a wrong instant for the whole frame to count as wrong."""
MIN_BLEND_SHARE = 0.1
"""Least part of a frame that is a blend for the frame to count as one. Only what nothing else
explains counts, and where little moves, blends look like soft frames: blends in real clips have
0.06 to 0.75, other frames up to 0.03."""
MIN_BROKEN_SHARE, MIN_FOREIGN_SHARE = 0.1, 0.05
"""Least parts of a frame with broken geometry, or with foreign colours, for the frame to count as
such. True frames of fast clips with large occlusions have up to 0.05 and 0.03."""
MIN_LOCAL_SHARE = 1 / 9
"""Least part at fault of the worst window of a frame for a local fault: 16x16 px of 48x48, and of
1080 rows 32x32 px, which can be seen."""
MIN_LOCAL_DEVIATIONS, MIN_LOCAL_FRAMES = FLAG_ENTER, 8
"""Least robust standard deviations by which a local fault departs from the level of the run, and
the fewest frames that have one. What all frames of a run have, such as content that turns between
two frames or is hidden in one, is more often a limit of what two real frames tell than a fault."""
MIN_OFF_LEVEL = 2.0
"""Least brightness offset of a whole frame in 8-bit code values, above what rounding to limited
range (1.2) and noise cause."""
MAX_STILL_SHARE = 0.01
"""Moving part of a frame below which it counts as still: it is judged by colours and geometry, not
by its instant."""

MAX_PATTERN_CYCLE, MIN_PATTERN_CYCLES = 30, 3
"""Longest cycle searched for a pattern of faults, and the fewest cycles that a pattern needs."""
MIN_PATTERN_SHARE, MAX_SHARE_OFF_PATTERN = 0.75, 0.1
"""Least part of the frames at the places of a pattern that have its fault, and largest part of the
others. The limits are loose because a fault does not show where little moves."""
MAX_PAUSE_FRAMES = 6
"""Longest run of still frames between moving ones that counts as one held frame, as in a clip
interpolated by 8."""

UNEVEN = "where motion is uneven, true frames look late or early too"
"""Said with a verdict that counts such frames: between two real frames, motion is taken as even."""
_WORDS = {
    "repeats": ("repeats a neighbour", "repeat a neighbour"),
    "blends": ("is a blend of its neighbours", "are blends of their neighbours"),
    "late": ("is late", "are late"),
    "early": ("is early", "are early"),
    "torn": ("is torn", "are torn"),
    "off_colour": ("is off in colour or brightness", "are off in colour or brightness"),
    "broken": ("is broken in geometry", "are broken in geometry"),
    "local": ("has a local fault", "have local faults"),
    "clean": ("shows no clear fault", "show no clear fault"),
}
CAUSE_WORDS = {name: _WORDS[name][0] for name in CAUSES}
"""{cause: what the frame does or is}"""
_PARTS = {2: "half", 3: "a third of", 4: "a quarter of"}


@dataclass(frozen=True)
class Pattern:
    """A fault at the same places of every cycle."""

    fault: str
    """"repeats" or "blends"."""
    cycle: int
    """Frames in a cycle."""
    count: int
    """Number of frames in a cycle with the fault."""
    first: int
    """Decode ordinal of the first frame with the fault."""
    of: str
    """The frame that is repeated: "before", "after", or either "neighbour"; "" for blends."""
    step: int = 1
    """Frames of the clip from one scored frame to the next."""

    @property
    def sentence(self) -> str:
        """The pattern in words."""
        one = self.count == 1
        if self.of:
            repeated = (
                "a neighbour"
                if self.of == "neighbour"
                else f"the frame {self.of} {'it' if one else 'them'}"
            )
            did = f"{'repeats' if one else 'repeat'} {repeated}"
        else:
            did = "is a blend of its neighbours" if one else "are blends of their neighbours"
        which = f"of every {self.cycle} frames, from {self.first} on, {self.count}"
        if one:
            which = "every second frame" if self.cycle == 2 else f"one frame in {self.cycle}"
            which += f", from {self.first} on,"
        scored = "of the frames scored, " if self.step != 1 else ""
        return f"{scored}{which} {did}{self._rate}"

    @property
    def _rate(self) -> str:
        if not self.of or self.cycle - self.count != 1 or self.step != 1:
            return ""
        return f": this is a clip of {_PARTS.get(self.cycle, f'1/{self.cycle} of')} the rate"


@dataclass(frozen=True)
class Judgement:
    """Numbers of frames of a run by fault; each frame is counted once."""

    role: str
    """The role of the judged frames: "synthesised" or "all"."""
    frames: int
    """Number of judged frames, without those across cuts and originals between blends."""
    repeats: int
    blends: int
    late: int
    early: int
    torn: int
    off_colour: int
    broken: int
    local: int
    clean: int
    """Frames without any of these faults, including still ones."""
    still: int
    """Frames in which nothing moves, so that no instant can be wrong."""
    cadence: Pattern | None
    """The pattern that the repeats or blends follow."""

    @property
    def sentence(self) -> str:
        """The verdict in a sentence or two."""
        kind = "" if self.role == "all" else f"{self.role} "
        counts = [(getattr(self, name), words) for name, words in _WORDS.items()]
        parts = [f"{count} {words[count != 1]}" for count, words in counts if count]
        listed = " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)
        still = f" (nothing moves in {self.still} of them)" if self.still else ""
        told = f"of {self.frames} {kind}frame{'s' * (self.frames != 1)} {listed}{still}"
        if self.late or self.early:
            told += f"; {UNEVEN}"
        if self.cadence is None:
            return told
        advice = ""
        alone = self.role == "all" and self.cadence.step == 1
        if alone and self.cadence.count == self.cadence.cycle - 1:
            advice = f"; state --multiplier {self.cadence.cycle} to judge only those"
        return f"{self.cadence.sentence}{advice}; {told}"

    def to_dict(self) -> dict[str, Any]:
        """The judgement as JSON-able values, with its sentence."""
        return {**asdict(self), "sentence": self.sentence}


def judge(frames: FrameTable, scores: Columns) -> Judgement | None:
    """The verdict on a run.

    Args:
        frames: one row per test frame. The synthesised ones are judged where these are known, else
            all.
        scores: {metric: (N,)}.

    Returns:
        None where the columns do not allow one, or have no value for any of these frames.
    """
    found = _causes(frames, scores)
    if found is None:
        return None
    role = headline_role(frames)
    columns, judged, causes = found
    still = judged & (columns["moving"] < MAX_STILL_SHARE)
    pattern, places = _pattern(frames, columns, causes, judged, still)
    if pattern is not None and pattern.fault == "repeats":
        held = still & places & ~np.any(list(causes.values()), axis=0)
        causes["repeats"], still = causes["repeats"] | held, still & ~held
    elif pattern is not None and role == "all":
        judged &= places | ~_beside(places)
    counts = {name: int((rows & judged).sum()) for name, rows in causes.items()}
    total = int(judged.sum())
    return Judgement(
        role=role,
        frames=total,
        **counts,
        clean=total - sum(counts.values()),
        still=int((still & judged).sum()),
        cadence=pattern,
    )


def causes_of(frames: FrameTable, scores: Columns) -> list[str]:
    """The fault of each frame of a run in words, such as "is torn"; "" where there is none, or none
    is known.

    Args:
        frames, scores: as for :func:`judge`.
    """
    words = [""] * len(frames)
    for name, rows in causes_by_name(frames, scores).items():
        for row in np.flatnonzero(rows):
            words[row] = CAUSE_WORDS[name]
    return words


def causes_by_name(frames: FrameTable, scores: Columns) -> dict[str, Bool]:
    """{one of :data:`CAUSES`: (N,) the rows with that fault}; empty where none is known."""
    found = _causes(frames, scores)
    return {} if found is None else found[2]


def _causes(
    frames: FrameTable, scores: Columns
) -> tuple[dict[str, Float64], Bool, dict[str, Bool]] | None:
    """The columns in float64, the rows to judge, and {cause: its rows}; None where a verdict is not
    possible."""
    role = headline_role(frames)
    if any(name not in scores for name in NEEDED):
        return None
    columns = {name: np.asarray(values, np.float64) for name, values in scores.items()}
    judged = rows_of(frames, role) & np.isfinite(columns["fault"])
    if not judged.any():
        return None
    marks = _marks(columns, judged, _stays(frames))
    marks = _at_their_instants(marks, columns, judged)
    if role == "all":
        # Of two equal frames the second is the repeat; the first is where it belongs.
        repeated = marks["repeats"] & (columns["early"] >= columns["late"])
        marks = {
            name: rows & ~repeated if name in ("repeats", "early") else rows
            for name, rows in marks.items()
        }
    return columns, judged, _first(marks)


def _marks(columns: Mapping[str, Float64], judged: Bool, stays: Bool) -> dict[str, Bool]:
    """{cause: (N,) rows to which it applies}, in the order of :data:`CAUSES`; ``stays`` are rows
    at the place of the row before."""
    nothing = np.zeros(len(judged))

    def column(name: str) -> Float64:
        return np.nan_to_num(columns.get(name, nothing))

    found = {
        "torn": column("torn") >= MIN_TORN_PURITY,
        "repeats": stays | (column("repeat") >= MIN_WRONG_INSTANT_SHARE),
        "off_colour": (column("foreign") >= MIN_FOREIGN_SHARE)
        | (np.abs(column("level")) >= MIN_OFF_LEVEL),
        "blends": column("blend") >= MIN_BLEND_SHARE,
        "broken": column("warp") >= MIN_BROKEN_SHARE,
        "late": column("late") >= MIN_WRONG_INSTANT_SHARE,
        "early": column("early") >= MIN_WRONG_INSTANT_SHARE,
        "local": _stands_out(column("fault_peak"), judged),
    }
    moves = column("moving") >= MAX_STILL_SHARE
    return {name: found[name] & judged & (moves | (name in WITHOUT_MOTION)) for name in CAUSES}


def _stays(frames: FrameTable) -> Bool:
    """(N,) rows whose place among the frames of the source is that of the row before, where any
    place moves on: they fit their place, and repeat the frame before them."""
    steps = np.diff(frames.ref_index + frames.phase, prepend=np.nan)
    placed = frames.ref_index >= 0
    known = placed & np.roll(placed, 1) & np.isfinite(steps)
    if not (steps[known] > 0).any():
        return np.zeros(len(frames), bool)
    found: Bool = known & (steps == 0)
    return found


def _at_their_instants(
    marks: dict[str, Bool], columns: Mapping[str, Float64], judged: Bool
) -> dict[str, Bool]:
    """The same, where what shows an instant beyond its neighbours is late or early alone."""
    nothing = np.zeros(len(judged))
    foreign, level, ahead = (
        np.nan_to_num(columns.get(name, nothing)) for name in ("foreign", "level", "midpoint_px")
    )
    clear = (foreign >= MIN_FOREIGN_SHARE) & (np.abs(level) < MIN_OFF_LEVEL)
    odd = np.any([marks[name] for name in SIDE_CAUSES], axis=0)
    ways = {
        way: beyond_neighbours(marks[way], odd, clear, sign * ahead, judged)
        for way, sign in (("late", -1), ("early", 1))
    }
    moved = ways["late"] | ways["early"]
    return {
        name: marked & ~moved if name in SIDE_CAUSES else marked | ways.get(name, False)
        for name, marked in marks.items()
    }


def _stands_out(peak: Float64, judged: Bool) -> Bool:
    """(N,) rows whose worst window is far worse than the usual one of those that are judged."""
    if judged.sum() < MIN_LOCAL_FRAMES:
        return np.zeros_like(judged)
    level = np.median(peak[judged])
    usual = SIGMA_OF_MAD * np.median(np.abs(peak[judged] - level))
    found: Bool = peak - level >= max(MIN_LOCAL_SHARE, MIN_LOCAL_DEVIATIONS * usual)
    return found


def _first(marks: Mapping[str, Bool]) -> dict[str, Bool]:
    """The same with each row only under its first cause."""
    left, causes = np.ones(len(next(iter(marks.values()))), bool), {}
    for name, rows in marks.items():
        causes[name] = rows & left
        left &= ~rows
    return causes


def _beside(places: Bool) -> Bool:
    """Rows next to some places."""
    padded = np.pad(places, 1)
    return padded[:-2] | padded[2:]


def _pattern(
    frames: FrameTable,
    columns: Mapping[str, Float64],
    causes: Mapping[str, Bool],
    judged: Bool,
    still: Bool,
) -> tuple[Pattern | None, Bool]:
    """The shortest cycle that repeats or blends follow, and its places, (N,); None and no place
    where there is none."""
    alone = headline_role(frames) == "all"
    held = still & _short_runs(still) if alone else np.zeros_like(still)
    passed = rows_of(frames, "passed")
    for name in ("repeats", "blends"):
        hits = causes[name] | (held if name == "repeats" else False)
        known = (judged & ~still) | passed | (held if name == "repeats" else False)
        if not causes[name].any() or (found := _cycle(hits, known)) is None:
            continue
        cycle, phases = found
        places = np.isin(np.arange(len(frames)) % cycle, phases)
        first = int(frames.index[np.flatnonzero(places & hits)[0]])
        late = (columns["late"] > columns["early"])[places & causes[name]]
        before = late.mean() if len(late) else 0.5
        of = (
            ""
            if name == "blends"
            else "before"
            if before > 0.9
            else "after"
            if before < 0.1
            else "neighbour"
        )
        step = int(np.median(np.diff(frames.index)))
        return Pattern(name, cycle, len(phases), first, of, step), places & hits
    return None, np.zeros(len(frames), bool)


def _short_runs(still: Bool) -> Bool:
    """Rows in runs of a few still frames between moving ones."""
    found = np.zeros_like(still)
    for start, stop in _runs(still):
        found[start:stop] = stop - start <= MAX_PAUSE_FRAMES and start > 0 and stop < len(still)
    return found


def _runs(rows: Bool) -> Iterator[tuple[int, int]]:
    edges = np.flatnonzero(np.diff(np.pad(rows, 1).astype(np.int8)))
    yield from zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True)


def _cycle(hits: Bool, known: Bool) -> tuple[int, list[int]] | None:
    """The shortest cycle with a part of its places nearly always hit, and the rest hardly ever; and
    those places."""
    for cycle in range(2, MAX_PATTERN_CYCLE + 1):
        seen = [known[phase::cycle] for phase in range(cycle)]
        if min(int(each.sum()) for each in seen) < MIN_PATTERN_CYCLES:
            continue
        shares = np.array([hits[phase::cycle][seen[phase]].mean() for phase in range(cycle)])
        often = shares >= MIN_PATTERN_SHARE
        if often.any() and not often.all() and (shares[~often] <= MAX_SHARE_OFF_PATTERN).all():
            return cycle, np.flatnonzero(often).tolist()
    return None

"""Corruption: damaged blocks, by their seams or by the word of the decoder."""

from __future__ import annotations

import numpy as np

from vfiscope.segments.detectors.confidence import confidence
from vfiscope.segments.detectors.context import Context, context_of, medians
from vfiscope.segments.detectors.detector import Columns
from vfiscope.segments.detectors.leaps import explained_rows
from vfiscope.segments.detectors.stand_out import (
    SIDE_BEFORE,
    SIDE_BEHIND,
    behind_repeats,
    impulse_margin,
    relit,
    residual_ratio,
    seam_margin,
    touched,
)
from vfiscope.segments.evidence import told
from vfiscope.segments.rules import segment_of, spans
from vfiscope.segments.spans import Mask
from vfiscope.types import Segment, Status

__all__ = ["DAMAGE_SIGNALS", "damaged_rows", "detect"]

DAMAGE_SIGNALS = (
    *("impulse", "seam", "warp_residual", "structure_step", "luma_mean", "light_step"),
    "difference_p99",
)
MIN_SEAMS, MIN_LONE_BLOCKS, MIN_BOTH = 0.5, 1.0, 1.8
"""Least margins of seams and of lone blocks, and of their geometric mean."""
MANY_SEAMS, FEW_LONE_BLOCKS = 2.0, 0.3
"""Margins of seams that need few lone blocks, and of these."""
MIN_STRONG_SEAMS = 1.2
"""Least margin of the strongest seams of a damage that stays."""
MIN_LONE = 1.5
"""Margin of lone blocks in two frames in a row where content was lost."""
MAX_LIGHT_STEP, MAX_DARKER = 0.1, 0.4
"""Step of the light, and of the logarithm of mean luma, of a flash or of black."""
MAX_DAMAGED_STEP = 0.65
"""Change of structure from which on it is another scene."""
GAP_ROWS = 2
"""Rows between two reports of the decoder that are one damage."""
REPORTED_CONFIDENCE = 0.92
"""Of 48 damages that decoders reported in the tuning half of the benchmark, 44 showed."""
MIN_NEW_RATIO = 1.4
"""What motion leaves at the first frame of a damage that stays, and behind the last."""
MIN_NEW_CHANGE, MIN_USUAL_CHANGE = 1.4, 4.0
"""Change of the most changed blocks at a keyframe that renews them, in terms of the usual, which is
at least so many code values: others renew a little everywhere."""
MIN_LONE_RATIO = 1.2
"""What motion leaves on the way into lone blocks, or out of them."""
MAX_STAY_ROWS = 50


def detect(columns: Columns) -> list[Segment]:
    """The damaged frames.

    Blocks that neither the frame before nor the one after has, and more straight seams one pixel
    sharp than there; or such seams for some frames, with content at their start and end that no
    motion explains; or what the decoder says, up to the keyframe that renews the frame.

    Args:
        columns: with the signals ``DAMAGE_SIGNALS``.
    """
    context = context_of(columns)
    if not context.is_video:
        return []
    damaged = damage(context)
    marked = _until_renewed(context, columns.frames.status == Status.CORRUPT)
    found = [_marked(context, rows) for rows in marked]
    taken = np.zeros(len(damaged), bool)
    for first, last in marked:
        taken[max(0, first - 1) : last + 1] = True
    lost = [rows for rows in _lost(context) if not taken[rows[0] : rows[1] + 1].any()]
    for first, last in lost:
        taken[first : last + 1] = True
        found.append(_predicted(context, (first, last)))
    for rows in spans(damaged & ~taken, np.zeros(len(damaged), bool)):
        found.append(_seen(context, rows))
    return sorted(found, key=lambda segment: segment.start)


def damage(context: Context) -> Mask:
    """(N,) True for rows with the seams and blocks of damage."""

    def compute() -> Mask:
        seams, blocks = seam_margin(context), impulse_margin(context)
        both = np.sqrt(np.maximum(seams, 0) * np.maximum(blocks, 0))
        ratio, steady = residual_ratio(context), _same_light(context)
        lone = (seams >= MIN_SEAMS) & (blocks >= MIN_LONE_BLOCKS) & (both >= MIN_BOTH) & steady
        going = np.append(ratio[1:], 0)
        lone &= np.fmax(ratio, going) >= MIN_LONE_RATIO
        # Where much is lone anyway, as in a shaken frame, seams and what motion leaves tell more.
        clear = (seams >= MANY_SEAMS) & (np.fmin(ratio, going) >= MIN_NEW_RATIO) & steady
        lone |= clear & (blocks >= FEW_LONE_BLOCKS)
        # The rest of a damage that differs from frame to frame.
        weak = (seams >= 1) & (blocks >= FEW_LONE_BLOCKS) & steady
        weak &= np.fmax(ratio, going) >= MIN_LONE_RATIO
        lone = touched(lone, weak) & ~explained_rows(context) & ~behind_repeats(context)
        return np.asarray(lone | _staying(context, steady))

    return context.columns.share("damage", compute)


def damaged_rows(context: Context) -> Mask:
    """(N,) True for rows that a segment of this kind covers, and the one behind each: of runs that
    hold all signals, else nowhere."""

    def compute() -> Mask:
        rows, index = np.zeros(len(context.columns.frames), bool), context.columns.frames.index
        if all(name in context.columns.signals for name in DAMAGE_SIGNALS):
            for segment in detect(context.columns):
                rows |= (index >= segment.start - 1) & (index <= segment.stop)
        return rows

    return context.columns.share("damaged_rows", compute)


def _same_light(context: Context) -> Mask:
    """(N,) False at flashes and in black, which only one frame has, too: at a step of the light
    that most places have, and behind it as long as the mean is another one."""
    stepped = np.abs(context.signal("light_step")) > MAX_LIGHT_STEP
    ago = np.convolve(stepped, np.ones(len(SIDE_BEHIND) + 1))[: len(stepped)] > 0
    return np.asarray(~stepped & ~(ago & relit(context, MAX_DARKER)))


def _staying(context: Context, steady: Mask) -> Mask:
    """(N,) rows of seams that come and go with content that no motion explains."""
    ratio, seams = residual_ratio(context), seam_margin(context)
    new = ratio >= MIN_NEW_RATIO
    cut = context.signal("structure_step") > MAX_DAMAGED_STEP
    rows = np.zeros(len(seams), bool)
    for first, last in spans(seams >= 1, np.zeros(len(seams), bool)):
        # The seams of a single row and of the edges of a stretch may be few.
        first -= int(first > 0 and ratio[first - 1] > max(MIN_NEW_RATIO, ratio[first]))
        behind = last + 1 + int(last + 2 < len(new) and not new[last + 1])
        if behind >= len(new) or not 0 < behind - first < MAX_STAY_ROWS:
            continue
        quiet = steady[first : behind + 1].all() and not cut[first : behind + 1].any()
        # In a cadence each new frame has as much that is new.
        before, after = ratio[max(0, first - 7) : first], ratio[behind + 1 : behind + 8]
        usual = max(before.max(initial=0), after.max(initial=0))
        lone = min(ratio[first], ratio[behind]) > MIN_NEW_RATIO / 1.2 * usual
        strong = seams[first:behind].max() >= MIN_STRONG_SEAMS
        if quiet and lone and strong and new[first] and new[behind] and behind - first > 1:
            rows[first:behind] = True
    return rows


def _lost(context: Context) -> list[tuple[int, int]]:
    """Stretches from a frame that shows something else than it should, and so its neighbour, to
    the keyframe that renews it."""
    keyframes = context.columns.signals.get("keyframe")
    if keyframes is None:
        return []
    blocks, ratio, lit = impulse_margin(context), residual_ratio(context), relit(context)
    change = context.signal("difference_p99")
    with np.errstate(invalid="ignore"):
        usual = np.fmax(medians(change, (*SIDE_BEFORE, *SIDE_BEHIND)), MIN_USUAL_CHANGE)
        new = (ratio >= MIN_NEW_RATIO) & (change >= MIN_NEW_CHANGE * usual)
    lone = (blocks >= MIN_LONE) & (np.append(0, blocks[:-1]) >= MIN_LONE)
    cut = context.signal("structure_step") > MAX_DAMAGED_STEP
    renewed = np.flatnonzero(keyframes == 1)
    starts = lone & ~explained_rows(context) & (keyframes != 1)
    found: list[tuple[int, int]] = []
    for row in np.flatnonzero(starts).tolist():
        place = int(np.searchsorted(renewed, row, side="right"))
        if place == len(renewed) or (found and row <= found[-1][1]):
            continue
        behind = int(renewed[place])
        # What comes back before was not lost.
        comes_back = (ratio[row + 1 : min(behind, row + 1 + GAP_ROWS)] >= MIN_NEW_RATIO).any()
        if new[behind] and not comes_back and not (cut | lit)[row : behind + 1].any():
            found.append((row, behind - 1))
    return found


def _until_renewed(context: Context, marked: Mask) -> list[tuple[int, int]]:
    """Runs of frames that the decoder marks, each up to the keyframe behind it if that shows
    content which no motion explains: until then frames were predicted from damaged ones."""
    runs = spans(marked, np.zeros(len(marked), bool))
    keyframes = context.columns.signals.get("keyframe")
    if keyframes is None:
        return runs
    new, renewed = residual_ratio(context) >= MIN_NEW_RATIO, np.flatnonzero(keyframes == 1)
    longer: list[tuple[int, int]] = []
    for first, last in runs:
        if longer and last <= longer[-1][1]:
            continue
        if longer and first - longer[-1][1] <= GAP_ROWS:
            first = longer.pop()[0]
        place = int(np.searchsorted(renewed, last, side="right"))
        behind = int(renewed[place]) if place < len(renewed) else len(new)
        ends = behind == len(new) or new[behind]
        longer.append((first, behind - 1 if ends else last))
    return longer


def _marked(context: Context, rows: tuple[int, int]) -> Segment:
    frames = context.columns.frames
    said = f"the decoder reports damage at frame {int(frames.index[rows[0]])}"
    if rows[1] > rows[0]:
        said += f", which lasts up to frame {int(frames.index[rows[1]])}"
    return _segment(context, rows, REPORTED_CONFIDENCE, said)


def _predicted(context: Context, rows: tuple[int, int]) -> Segment:
    frames, ratio = context.columns.frames, residual_ratio(context)
    blocks = impulse_margin(context)
    margin = float(np.sqrt(min(blocks[rows[0] - 1], blocks[rows[0]]) * ratio[rows[1] + 1] / 2))
    said = (
        f"blocks of frame {int(frames.index[rows[0]])} are lost (they differ from both neighbours"
        f" {told(float(blocks[rows[0]]))} times what stands out), and keyframe"
        f" {int(frames.index[rows[1]]) + 1} brings content that no motion explains"
        f" ({told(float(ratio[rows[1] + 1]))} times as much as usual)"
    )
    return _segment(context, rows, confidence("corruption", margin), said)


def _seen(context: Context, rows: tuple[int, int]) -> Segment:
    first, last = rows
    own = slice(first, last + 1)
    seams, blocks = seam_margin(context)[own], impulse_margin(context)[own]
    seam = context.signal("seam")
    row = first + int(seams.argmax())
    lone = float(np.nanmax(context.signal("impulse")[own]))
    said = (
        f"frame {int(context.columns.frames.index[row])} has {told(float(seam[row]), 'px')} of"
        f" straight seams, {told(float(seams.max()))} times what stands out from the frames around,"
        f" and blocks that differ from both neighbours by {told(lone)} code values"
    )
    margin = float(np.sqrt(seams.max() * max(1.0, blocks.max())))
    return _segment(context, rows, confidence("corruption", margin), said)


def _segment(context: Context, rows: tuple[int, int], sure: float, said: str) -> Segment:
    column = context.columns.signals["seam"]
    badness = np.nan_to_num(np.asarray(column, np.float64))
    return segment_of(
        *(context.columns.frames, "seam", column, badness, rows, sure, "corruption"),
        evidence=said,
    )

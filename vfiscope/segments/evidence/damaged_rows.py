"""Damaged rows: blocks and straight seams of blocks that no motion explains, or what the decoder
says."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from vfiscope.segments.evidence.context import Context, medians
from vfiscope.segments.evidence.leaps import explained_rows
from vfiscope.segments.evidence.stand_out import (
    SIDE_BEFORE,
    SIDE_BEHIND,
    behind_repeats,
    impulse_margin,
    relit,
    residual_ratio,
    seam_margin,
    touched,
)
from vfiscope.segments.spans import Mask, spans
from vfiscope.types import Status

__all__ = ["DAMAGE_SIGNALS", "damage_of", "damaged_rows"]

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
MIN_NEW_RATIO = 1.4
"""What motion leaves at the first frame of a damage that stays, and behind the last."""
MIN_NEW_CHANGE, MIN_USUAL_CHANGE = 1.4, 4.0
"""Change of the most changed blocks at a keyframe that renews them, in terms of the usual, which is
at least so many code values: others renew a little everywhere."""
MIN_LONE_RATIO = 1.2
"""What motion leaves on the way into lone blocks, or out of them."""
MAX_STAY_ROWS = 50


class Damage(NamedTuple):
    """Runs of damaged rows, as (first, last), by what tells them; none touches another one."""

    marked: list[tuple[int, int]]
    """The decoder reports them."""
    lost: list[tuple[int, int]]
    """They show something else than they should, up to a keyframe."""
    seen: list[tuple[int, int]]
    """They have seams and lone blocks."""


def damage_of(context: Context) -> Damage:
    """The damage of a video with the signals ``DAMAGE_SIGNALS``."""

    def compute() -> Damage:
        damaged = _with_seams(context)
        marked = _until_renewed(context, context.columns.frames.status == Status.CORRUPT)
        taken = np.zeros(len(damaged), bool)
        for first, last in marked:
            taken[max(0, first - 1) : last + 1] = True
        lost = [rows for rows in _lost(context) if not taken[rows[0] : rows[1] + 1].any()]
        for first, last in lost:
            taken[first : last + 1] = True
        return Damage(marked, lost, spans(damaged & ~taken, np.zeros(len(damaged), bool)))

    return context.columns.share("damage", compute)


def damaged_rows(context: Context) -> Mask:
    """(N,) True for damaged rows, and those beside them: of videos that hold all signals, else
    nowhere."""

    def compute() -> Mask:
        rows = np.zeros(len(context.columns.frames), bool)
        if context.is_video and all(name in context.columns.signals for name in DAMAGE_SIGNALS):
            for first, last in (run for runs in damage_of(context) for run in runs):
                rows[max(0, first - 1) : last + 2] = True
        return rows

    return context.columns.share("damaged_rows", compute)


def _with_seams(context: Context) -> Mask:
    """(N,) True for rows with the seams and blocks of damage."""
    seams, blocks = seam_margin(context), impulse_margin(context)
    both = np.sqrt(np.maximum(seams, 0) * np.maximum(blocks, 0))
    ratio, steady = residual_ratio(context), _same_light(context)
    lone = (seams >= MIN_SEAMS) & (blocks >= MIN_LONE_BLOCKS) & (both >= MIN_BOTH) & steady
    going = np.append(ratio[1:], 0)
    lone &= np.fmax(ratio, going) >= MIN_LONE_RATIO
    # What is unlike the frame before, and goes on as usual, begins another scene; and the last
    # frame of a scene is unlike the one behind. More seams than that stand out by themselves.
    begins = context.signal("structure_step") > MAX_DAMAGED_STEP
    ends = np.append(begins[1:], False)
    turns = (begins & (going < MIN_LONE_RATIO)) | (ends & (ratio < MIN_LONE_RATIO))
    lone &= (seams >= 1) | ~turns
    # Where much is lone anyway, as in a shaken frame, seams and what motion leaves tell more.
    clear = (seams >= MANY_SEAMS) & (np.fmin(ratio, going) >= MIN_NEW_RATIO) & steady
    lone |= clear & (blocks >= FEW_LONE_BLOCKS)
    # The rest of a damage that differs from frame to frame.
    weak = (seams >= 1) & (blocks >= FEW_LONE_BLOCKS) & steady
    weak &= np.fmax(ratio, going) >= MIN_LONE_RATIO
    lone = touched(lone, weak) & ~explained_rows(context) & ~behind_repeats(context)
    return np.asarray(lone | _staying(context, steady))


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

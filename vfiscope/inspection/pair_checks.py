"""Checks of a pair: each looks at both sides and yields notes on what will make scores wrong."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from vfiscope.alignment import ShiftCheck
from vfiscope.errors import SourceError
from vfiscope.inspection.examine import Examination, Timing
from vfiscope.inspection.findings import DoctorCode
from vfiscope.registration.constant_offset import ConstantOffset, constant_offset
from vfiscope.registration.offset import frame_offset
from vfiscope.signals.global_shift import SHIFT_STEP
from vfiscope.sources import Selection, Source, open_source
from vfiscope.sources.shape import same_shape, shape_of
from vfiscope.types import Note, Status

__all__ = ["check_pair", "check_place"]

RATE_DIFFERENCE = 0.005
"""Relative difference of two rates from which it is noted."""
HALF_A_FRAME = 0.5
PLACED_FRAMES = 240
"""Frames of each side that are read to find where one lies on the other."""

COLOR_CODES = {
    "matrix": DoctorCode.PAIR_MATRIX,
    "range": DoctorCode.PAIR_RANGE,
    "primaries": DoctorCode.PAIR_PRIMARIES,
    "transfer": DoctorCode.PAIR_TRANSFER,
}
YUV_ONLY = ("matrix", "range")
"""Properties that RGB does not have."""


def check_pair(test: Examination, ref: Examination) -> Iterator[Note]:
    """Notes on all differences between two media that are to be compared."""
    sizes = _size(test), _size(ref)
    if sizes[0] != sizes[1]:
        shapes = [shape_of(each.info, (each.info.height, each.info.width)) for each in (test, ref)]
        code = DoctorCode.PAIR_SIZE if same_shape(*shapes) else DoctorCode.PAIR_SHAPE
        yield _two(code, *sizes)
    if test.borders is not None and ref.borders is not None and test.borders.differ(ref.borders):
        yield _two(DoctorCode.PAIR_BARS, str(test.borders.bars()), str(ref.borders.bars()))
    if test.frames != ref.frames:
        yield _two(DoctorCode.PAIR_COUNT, test.frames, ref.frames)
    if test.timing is not None and ref.timing is not None:
        yield from _times(test.timing, ref.timing)
    yield from _colors(test, ref)
    if test.info.bit_depth != ref.info.bit_depth:
        yield _two(DoctorCode.PAIR_DEPTH, _depth(test), _depth(ref))


def check_place(test: str, ref: str) -> list[Note]:
    """A note where frames of the same rows lie off each other by the same few pixels.

    The first frames are read. Nothing is said where they cannot be compared, or are paired a frame
    off, and so lie as far off as the camera moves in a frame.
    """
    try:
        with open_source(test, tonemap="none") as one, open_source(ref, tonemap="none") as other:
            if one.size != other.size:
                return []
            found = _offset(one, other)
    except SourceError:
        return []
    if found is None:
        return []
    return [Note(DoctorCode.PAIR_OFFSET, {"dx": found.dx, "dy": found.dy, "share": found.share})]


def _offset(test: Source, ref: Source) -> ConstantOffset | None:
    check, shifts = ShiftCheck(), []
    chosen = Selection(0, PLACED_FRAMES)
    sides = [
        check.watch(role, source.select(chosen)) for role, source in (("test", test), ("ref", ref))
    ]
    for own, others in zip(*sides, strict=False):
        for row in range(min(len(own), len(others))):
            readable = max(own.status[row], others.status[row]) != Status.UNREADABLE
            if readable and own.index[row] % SHIFT_STEP == 0:
                pixels = own.interleaved[row], others.interleaved[row]
                shifts.append(frame_offset(*pixels, own.bit_depth, others.bit_depth))
    if not shifts or check.verdict() is not None:
        return None
    across, down = np.array(shifts).T
    return constant_offset(across, down, test.size)


def _times(test: Timing, ref: Timing) -> Iterator[Note]:
    if not test.rate or not ref.rate or not test.interval_s or not ref.interval_s:
        return
    if abs(test.rate / ref.rate - 1) > RATE_DIFFERENCE:
        yield _two(DoctorCode.PAIR_RATE, test.rate, ref.rate)
    longest = max(test.interval_s, ref.interval_s)
    if abs(test.duration_s - ref.duration_s) > HALF_A_FRAME * longest:
        yield _two(DoctorCode.PAIR_DURATION, test.duration_s, ref.duration_s)


def _colors(test: Examination, ref: Examination) -> Iterator[Note]:
    one, two = test.info.color, ref.info.color
    one_is_rgb = "rgb" in (one["matrix"], two["matrix"])
    assumed = "assumed" in (one["decided_by"], two["decided_by"])
    for key, code in COLOR_CODES.items():
        if one[key] == two[key] or "unknown" in (one[key], two[key]):
            continue
        if one_is_rgb and key in YUV_ONLY:
            continue
        guessed = assumed and key in YUV_ONLY
        yield Note(code, {"test": one[key], "ref": two[key], "guessed": guessed})
    if one_is_rgb and assumed:
        yield Note(DoctorCode.PAIR_COLOR_GUESSED)


def _two(code: DoctorCode, test: str | float, ref: str | float) -> Note:
    return Note(code, {"test": test, "ref": ref})


def _size(found: Examination) -> str:
    return f"{found.info.width}x{found.info.height}"


def _depth(found: Examination) -> str:
    bits = "8" if found.info.bit_depth == 8 else "more than 8"
    return f"{bits} bits ({', '.join(found.formats)})"

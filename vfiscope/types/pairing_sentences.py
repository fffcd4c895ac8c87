"""The sentences about how the frames of a run were paired, or found in their source."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from vfiscope.types.notes import Code, Template, counted

__all__ = ["OF_PAIRING"]


def _shift_fits_better(
    shift: int,
    residual: float,
    residual_by_row: float,
    dx: float = 0,
    dy: float = 0,
    method: str = "",
) -> str:
    in_place = (
        f"; or, if frames are in time and lie ({dx:+.3g}, {dy:+.3g}) px off, --register {method}"
        if method
        else ""
    )
    return (
        f"a shift of {shift:+d} frame fits better (residual {residual:.2f} against"
        f" {residual_by_row:.2f}): pass --align {shift:+d} or --align auto{in_place}"
    )


def _unmarked_originals(multiplier: int, frame: int, metric: str, begins_with_one: bool) -> str:
    remedy = f"state it with --multiplier {multiplier}"
    if not begins_with_one:
        remedy = f"let the clip begin with one of them and {remedy}"
    return (
        f"one frame in {multiplier}, from {frame} on, is much better in {metric} than those"
        f" between: if these are originals passed through, {remedy}; without, every number mixes"
        " the two"
    )


def _cadence_slips(slips: Sequence[Mapping[str, int]], total: int) -> str:
    told, late = [], 0
    for slip in slips:
        late += slip["repeats"]
        told.append(f"{_slip(**slip)} (from there on {_delay(late)})")
    more = f"; and {total - len(told)} more" if total > len(told) else ""
    return f"the cadence slips: {'; '.join(told)}{more}"


def _slip(frame: int, repeats: int) -> str:
    if repeats == 1:
        return f"frame {frame} repeats frame {frame - 1}"
    if repeats > 0:
        return f"frames {frame} to {frame + repeats - 1} repeat frame {frame - 1}"
    missing = "a frame is" if repeats == -1 else f"{-repeats} frames are"
    return f"{missing} missing before frame {frame}"


def _delay(late: int) -> str:
    if late == 0:
        return "all are in time again"
    return f"all are {abs(late)} frame{'s' * (abs(late) > 1)} {'late' if late > 0 else 'early'}"


def _out_of_order(places: Sequence[Mapping[str, int]], total: int, last: int) -> str:
    told = "; ".join(_place(**place) for place in places)
    more = f"; and {total - len(places)} more up to frame {last}" if total > len(places) else ""
    are = "is" if total == 1 else "are"
    return (
        f"{counted(total, 'frame')} {are} out of order and not scored: {told}{more}; put the frames"
        " of the test in order"
    )


def _place(frame: int, shows: int, before: int, after: int) -> str:
    if before < 0:
        where = f"before the frame that shows {after}"
    elif after < 0:
        where = f"behind the frame that shows {before}"
    else:
        where = f"between frames that show {before} and {after}"
    return f"frame {frame} shows frame {shows} of the reference, {where}"


OF_PAIRING: dict[Code, Template] = {
    Code.SHIFT_FITS_BETTER: _shift_fits_better,
    Code.UNMARKED_ORIGINALS: _unmarked_originals,
    Code.CADENCE_SLIPS: _cadence_slips,
    Code.OUT_OF_ORDER: _out_of_order,
    Code.ORIGINALS_UNLIKE: (
        "{count} of {passed} passed frames are unlike their source frames, the first at frame"
        " {frame}: the cadence may not hold there, or the originals were changed"
    ),
}

"""Why something is no sequence of frames, and the line of code that makes it one."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from vfiscope.errors import SourceError

__all__ = ["Passed", "not_frames", "not_numbers", "not_opaque", "not_values"]

FORMS = "(N, H, W, 3) or (H, W, 3), uint8 or uint16, with at least one pixel"
TO_8_BITS = ".round().astype(np.uint8)"
IN_TORCH = {
    "np.nan_to_num(x)": "x.nan_to_num()",
    "(np.uint8)": "(torch.uint8)",
    "(np.uint16)": "(torch.uint16)",
    ".astype(": ".to(",
    ".transpose(": ".permute(",
}


class Passed(NamedTuple):
    """What was passed, for a message about it."""

    what: str
    """In words, with its shape and dtype."""
    several: bool
    """True for a list or generator of frames."""
    tensor: bool

    def line(self, line: str) -> str:
        """A line about an array ``x`` as a line about what was passed."""
        for numpy, torch in IN_TORCH.items() if self.tensor else ():
            line = line.replace(numpy, torch)
        return f"[{line} for x in frames]" if self.several else line


def not_frames(passed: Passed, frame: NDArray[Any]) -> SourceError:
    """The error to raise about the shape of something.

    Args:
        passed: what it is, called ``x`` in the line that makes it right.
        frame: its first frame, or the whole of an array that cannot be told apart into frames.
    """
    known = frame.size and frame.dtype.kind in "biuf"
    remedy = FORMS if not known else _by_shape(passed, frame.ndim, frame.shape)
    return SourceError(f"{passed.what} is not a sequence of frames: pass {remedy}")


def not_values(passed: Passed, dtype: np.dtype[Any], low: float, high: float) -> SourceError:
    """The error to raise about the values of frames.

    Args:
        passed: what they are.
        dtype: of the values.
        low: the lowest of them.
        high: the highest.
    """
    line = _by_values(dtype, low, high)
    return SourceError(
        f"{passed.what} with values from {low:.4g} to {high:.4g} is not a sequence of frames: pass"
        f" {passed.line(line) if line else FORMS}"
    )


def not_numbers(passed: Passed) -> SourceError:
    """The error to raise about frames that hold NaN."""
    line = passed.line("np.nan_to_num(x)")
    return SourceError(f"{passed.what} holds NaN, which no pixel can be: pass {line}")


def not_opaque(passed: Passed, dtype: np.dtype[Any], *, planes: bool) -> SourceError:
    """The error to raise about frames with a fourth channel that may be alpha or anything.

    Args:
        passed: what they are.
        dtype: of the values.
        planes: True if channels come first.
    """
    white = np.iinfo(dtype).max if dtype.kind in "ui" else 1
    before = ("" if passed.several else ":, ") if planes else "..., "
    color, alpha = f"x[{before}:3]", f"x[{before}3:]"
    over_black = f"({color} * ({alpha} / {white})).round().astype(np.{dtype})"
    return SourceError(
        f"{passed.what} has a fourth channel that is not opaque: pass {passed.line(color)} to leave"
        f" it out, or {passed.line(over_black)} to lay it on black"
    )


def _by_shape(passed: Passed, axes: int, shape: tuple[int, ...]) -> str:
    """What to pass instead of frames, or a whole array, of an impossible shape."""
    if passed.several and axes == 4:
        return "its frames one by one: [frame for batch in frames for frame in batch]"
    if axes == 5:
        return passed.line("x.reshape(-1, *x.shape[2:])") + " if the first two axes are batches"
    if passed.several or axes not in (3, 4):
        return FORMS
    if axes == 4:
        first = passed.line("x.transpose(1, 2, 3, 0)")
        return f"{first} if channels come first" if shape[0] in (1, 3, 4) else FORMS
    gray, planes = passed.line("x[..., None]"), passed.line("x.transpose(1, 2, 0)")
    either = f", or {planes} if it is one with {shape[0]} channels" if shape[0] in (3, 4) else ""
    return f"{gray} if these are {shape[0]} gray frames{either}"


def _by_values(dtype: np.dtype[Any], low: float, high: float) -> str:
    if dtype.kind == "b":
        return "x.astype(np.uint8) * 255"
    if dtype.kind == "f":
        return _of_floats(low, high)
    fits = dtype.kind in "iu" and low >= 0 and high <= 65535
    return f"x.astype(np.{'uint8' if high <= 255 else 'uint16'})" if fits else ""


def _of_floats(low: float, high: float) -> str:
    if not np.isfinite((low, high)).all():
        return "np.nan_to_num(x).clip(0, 1)"
    if low >= -0.5 and high < 2:  # what a filter overshoots
        return "x.clip(0, 1)"
    if low >= -1 and high <= 1:
        return "(x + 1) / 2"
    if low >= 0 and high <= 255:
        return f"x{TO_8_BITS}"
    return "(x - x.min()) / (x.max() - x.min())"

"""The forms in which frames come from Python: arrays, tensors, images, and lists and generators of
them.

What can mean one thing only is taken; anything else is refused with the line of code that makes it
right.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vfiscope.errors import SourceError
from vfiscope.pixels import over_black
from vfiscope.sources.refusals import (
    Passed,
    not_frames,
    not_numbers,
    not_opaque,
    not_values,
)
from vfiscope.sources.spool import check_alike, is_stream, spooled
from vfiscope.types import Code, Note

__all__ = ["Stack", "as_stack", "held"]

DEPTHS = {np.dtype(np.uint8): 8, np.dtype(np.uint16): 16}
FEWER_BITS = (8, 10, 12)
"""Depths whose values are often stored in 16 bits as they are."""
CHANNEL_COUNTS = (1, 3, 4)


@dataclass(frozen=True)
class Stack:
    """Frames in memory; each becomes RGB when it is asked for."""

    frames: Sequence[Any]
    to_rgb: Callable[[NDArray[Any]], NDArray[Any]]
    """Makes (H, W, 3) uint8 or uint16 of a frame as it was passed."""
    notes: tuple[Note, ...]

    def __len__(self) -> int:
        return len(self.frames)

    def rgb(self, index: int) -> NDArray[Any]:
        """(H, W, 3) RGB code values, uint8 or uint16; the frame itself where it is that already."""
        return self.to_rgb(_plain(self.frames[index]))


def held(target: Any, limit: int | None = None) -> Any:
    """A generator as a list of its frames, which lie on disk, see :func:`spooled`; anything else as
    it is."""
    return [*np.asarray(spooled(target, _plain, limit))] if is_stream(target) else target


def as_stack(target: Any, limit: int | None = None) -> Stack | None:
    """The frames of an array, a tensor, an image, or a list or generator of them; None for anything
    else.

    Arrays are (N, H, W, C), (N, C, H, W), (H, W, C), (C, H, W), (N, H, W) with one or five and more
    frames, or (H, W), where C is 1, 3 or 4 with opaque alpha: uint8, uint16, or floating point from
    0 to 1, which becomes 8 bits where these hold it exactly, else 16. Elements of lists and
    generators are frames of one such form.

    Args:
        target: what was passed.
        limit: how many frames of a generator to take at most.

    Raises:
        SourceError: the target could mean several things, or nothing.
    """
    if isinstance(target, (list, tuple)) or is_stream(target):
        return _several(held(target, limit))
    return _one(target) if _is_array(target) else None


def _several(frames: Sequence[Any]) -> Stack:
    first = _plain(frames[0]) if len(frames) else np.empty((0, 0, 3), np.uint8)
    what = f"{len(frames)} frames {first.shape} {first.dtype}"
    passed = Passed(what, True, len(frames) > 0 and _is_tensor(frames[0]))
    if first.ndim not in (2, 3):
        raise not_frames(passed, first)
    return _stack(frames, first, passed)


def _one(target: Any) -> Stack:
    array = _plain(target)
    kind = "a tensor" if _is_tensor(target) else "an array"
    passed = Passed(f"{kind} {array.shape} {array.dtype}", False, _is_tensor(target))
    gray = array.ndim == 3 and array.shape[-1] not in (1, 2, 3, 4)
    if array.ndim not in (2, 3, 4) or (gray and array.shape[0] in (2, 3, 4)):
        raise not_frames(passed, array)
    several = array.ndim == 4 or gray
    frames: Any = array if several else array[np.newaxis]
    if not array.size or _channel_axis(frames.shape[1:]) is None:
        raise not_frames(passed, array)
    return _stack(frames, frames[0], passed)


def _is_array(target: Any) -> bool:
    return isinstance(target, np.ndarray) or _is_tensor(target) or _is_image(target)


def _is_tensor(target: Any) -> bool:
    """True for a torch tensor, recognised by its name, so that torch need not be imported."""
    return type(target).__module__.partition(".")[0] == "torch" and hasattr(target, "detach")


def _is_image(target: Any) -> bool:
    """True for an image of Pillow, recognised likewise."""
    return hasattr(target, "getbands") and hasattr(target, "tobytes")


def _plain(frame: Any) -> NDArray[Any]:
    """What was passed as an array, without copying where that is possible.

    Raises:
        SourceError: it is none.
    """
    if isinstance(frame, np.ndarray):
        return frame
    if _is_tensor(frame):
        tensor = frame.detach().cpu()
        array: NDArray[Any] = (tensor.float() if "bfloat" in str(frame.dtype) else tensor).numpy()
        return array
    if _is_image(frame):
        return _of_image(frame)
    kind = type(frame).__name__
    if isinstance(frame, (str, os.PathLike)):
        raise SourceError(
            f"a list of names is not a source ({frame!r}): pass their folder, a glob, or"
            " (PIL.Image.open(name) for name in x)"
        )
    raise SourceError(f"a {kind} is not a frame: pass arrays (H, W, 3), uint8 or uint16")


def _of_image(image: Any) -> NDArray[Any]:
    """(H, W) or (H, W, 3) of an image of Pillow, over black where it is transparent."""
    if image.mode in ("LA", "La", "PA", "RGBA", "RGBa") or "transparency" in image.info:
        return over_black(np.asarray(image.convert("RGBA")))
    kept = image.mode in ("L", "RGB", "F", "I") or image.mode.startswith("I;16")
    return np.asarray(image if kept else image.convert("RGB"))


def _stack(frames: Sequence[Any], first: NDArray[Any], passed: Passed) -> Stack:
    """The frames in the form of the first; all are looked at once, for their values."""
    axis = _channel_axis(first.shape)
    if axis is None or not first.size or first.dtype.kind not in "biuf":
        raise not_frames(passed, first)
    seen = _Seen()
    for index in range(len(frames)):
        frame = _plain(frames[index])
        check_alike(frame, first.shape, first.dtype, index)
        seen.add(np.moveaxis(frame, axis, -1) if frame.ndim == 3 else frame)
    depth = seen.depth(first.dtype)
    if depth is None:
        raise seen.refused(passed, first.dtype)
    if not seen.opaque:
        raise not_opaque(passed, first.dtype, planes=axis == 0)

    def to_rgb(frame: NDArray[Any]) -> NDArray[Any]:
        shown = np.moveaxis(frame, axis, -1) if frame.ndim == 3 else frame[..., np.newaxis]
        shown = shown[..., :3] if shown.shape[-1] > 1 else np.repeat(shown, 3, -1)
        if first.dtype in DEPTHS:
            return shown
        codes = np.rint(shown.astype(np.float64) * ((1 << depth) - 1))
        return codes.astype(np.uint8 if depth == 8 else np.uint16)

    return Stack(frames, to_rgb, _notes(frames, seen, first.dtype))


def _channel_axis(shape: tuple[int, ...]) -> int | None:
    """Of one frame: the last where it can be, as documented, else the first."""
    if len(shape) == 2 or shape[-1] in CHANNEL_COUNTS:
        return -1
    return 0 if shape[0] in CHANNEL_COUNTS else None


class _Seen:
    """The range of all values, and what they are exact in."""

    def __init__(self) -> None:
        self.low, self.high = np.inf, -np.inf
        self.finite = self.opaque = self.exact = True
        self.nan = False

    def add(self, frame: NDArray[Any]) -> None:
        """Look at a frame (H, W) or (H, W, C)."""
        color = frame[..., :3] if frame.ndim == 3 else frame
        if frame.dtype != np.uint8:
            self.low = min(self.low, float(color.min()))
            self.high = max(self.high, float(color.max()))
        if frame.dtype.kind == "f":
            self.finite = self.finite and bool(np.isfinite(color).all())
            self.nan = self.nan or bool(np.isnan(color).any())
            self.exact = self.exact and _is_exact(color)
        if frame.ndim == 3 and frame.shape[-1] == 4:
            whole = np.iinfo(frame.dtype).max if frame.dtype.kind in "ui" else 1
            self.opaque = self.opaque and bool((frame[..., 3] == whole).all())

    def depth(self, dtype: np.dtype[Any]) -> int | None:
        """Bits in which the values are kept; None where they do not say their range."""
        if dtype in DEPTHS:
            return DEPTHS[dtype]
        if dtype.kind != "f" or not self.finite or self.low < 0 or self.high > 1:
            return None
        return 8 if self.exact else 16

    def refused(self, passed: Passed, dtype: np.dtype[Any]) -> SourceError:
        """The error about values that do not say their range; the smallest and largest know of no
        NaN."""
        if self.nan:
            return not_numbers(passed)
        return not_values(passed, dtype, self.low, self.high)


def _is_exact(values: NDArray[Any]) -> bool:
    """True if values from 0 to 1 are those of 8 bits, to the rounding of their type."""
    codes = values.astype(np.float64) * 255
    return bool(np.abs(codes - np.rint(codes)).max() <= 2 * 255 * np.finfo(values.dtype).eps)


def _notes(frames: Sequence[Any], seen: _Seen, dtype: np.dtype[Any]) -> tuple[Note, ...]:
    notes = []
    fitting = [bits for bits in FEWER_BITS if 0 < seen.high < 1 << bits]
    if dtype == np.uint16 and fitting:
        values = {"highest": int(seen.high), "bits": fitting[0]}
        notes.append(Note(Code.FEWER_BITS, values))
    if any(_is_image(frame) and frame.mode in ("LA", "PA", "RGBA") for frame in frames):
        notes.append(Note(Code.ALPHA_ON_BLACK))
    return tuple(notes)

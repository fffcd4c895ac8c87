"""Faults planted in clips: pure functions from clip to clip, each of which writes down what it did
and where.

Ranges are half-open and count the frames of the clip passed in. A function that shifts later frames
shifts the events recorded before it with them. Fractions of a code value are rounded to the
nearest.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import ArrayLike

from vfiscope.errors import UsageError
from vfiscope.synth.clip import Clip, Event
from vfiscope.synth.scene import Scene
from vfiscope.types import Float32, Role, Uint8

__all__ = [
    "blur",
    "brightness_step",
    "cut",
    "drop",
    "fade",
    "flicker",
    "ghost",
    "insert",
    "interpolate_by",
    "noise",
    "repeat",
    "shift",
    "tear",
    "variable_rate",
]


INTERPOLATION_METHODS = ("repeat", "blend", "motion")


def cut(clip: Clip, after: Clip) -> Clip:
    """One clip directly followed by another of the same size and time base.

    Truth: ``cut`` at the first frame of the second clip; its own events follow, moved.
    """
    if (
        clip.size != after.size
        or clip.time_base != after.time_base
        or not len(clip)
        or not len(after)
    ):
        raise UsageError(
            f"cut joins {clip.size} at {clip.time_base} s to {after.size} at {after.time_base} s: "
            "pass two clips of one size and time base, neither empty"
        )
    n = len(clip)
    pts = np.concatenate([clip.pts, after.pts - after.pts[0] + clip.pts[-1] + clip.step])
    return Clip(
        np.concatenate([clip.frames, after.frames]),
        pts,
        clip.time_base,
        np.concatenate([clip.instant, after.instant]),
        np.concatenate([clip.role, after.role]),
        (*clip.events, Event("cut", n, n + 1), *(_moved(event, n) for event in after.events)),
    )


def repeat(clip: Clip, at: int, count: int = 1) -> Clip:
    """Frames [at, at + count) show frame ``at - 1`` again, as when new ones came too late. The
    length stays.

    Truth: ``duplicate`` for one frame, ``freeze`` for more.
    """
    _range(clip, at, at + count)
    if at < 1:
        raise UsageError(f"repeat at {at}: there is no frame before it to repeat; pass 1 or more")
    frames, instant = clip.frames.copy(), clip.instant.copy()
    frames[at : at + count], instant[at : at + count] = frames[at - 1], instant[at - 1]
    event = Event("duplicate" if count == 1 else "freeze", at, at + count, {"shows": at - 1})
    return clip.replace(frames=frames, instant=instant, events=(*clip.events, event))


def drop(clip: Clip, at: int, count: int = 1, *, gap: bool = False) -> Clip:
    """Frames [at, at + count) are missing.

    Args:
        gap: True leaves a hole in the times; False closes it, as when a recorder lost frames
            unawares.

    Truth: ``drop`` at the frame that now follows the hole. Frames must remain on either side.
    """
    _range(clip, at, at + count)
    if at < 1 or at + count >= len(clip):
        raise UsageError(
            f"drop [{at}, {at + count}) of {len(clip)} frames: leave a frame before and after it"
        )
    keep = np.r_[0:at, at + count : len(clip)]
    pts = clip.pts[keep]
    if not gap:
        pts[at:] -= clip.pts[at + count] - clip.pts[at]
    kept = (_without(event, at, count) for event in clip.events)
    event = Event("drop", at, at + 1, {"missing": count, "gap": gap})
    events = (*(other for other in kept if other is not None), event)
    return Clip(clip.frames[keep], pts, clip.time_base, clip.instant[keep], clip.role[keep], events)


def insert(clip: Clip, at: int, frames: Uint8) -> Clip:
    """Foreign frames (M, H, W, 3) before frame ``at``; what follows comes later by M frames.

    Truth: ``change`` over the new frames, which show no instant of the scene (NaN) and have an
    unknown role.
    """
    count = len(frames)
    if (
        not 0 <= at <= len(clip)
        or frames.shape[1:] != clip.frames.shape[1:]
        or frames.dtype != np.uint8
        or not count
    ):
        raise UsageError(
            f"insert of {frames.shape} {frames.dtype} at {at} into {clip.frames.shape}: "
            "pass uint8 frames of the clip's size and a place within it"
        )
    step = clip.step
    begin = clip.pts[at] if at < len(clip) else clip.pts[-1] + step
    events = tuple(_spread(event, at, count) for event in clip.events)
    return Clip(
        np.concatenate([clip.frames[:at], frames, clip.frames[at:]]),
        np.concatenate(
            [clip.pts[:at], begin + step * np.arange(count), clip.pts[at:] + step * count]
        ),
        clip.time_base,
        np.insert(clip.instant, at, np.full(count, np.nan)),
        np.insert(clip.role, at, np.full(count, Role.UNKNOWN, np.uint8)),
        (*events, Event("change", at, at + count)),
    )


def brightness_step(
    clip: Clip, start: int, stop: int, *, gain: float = 1.0, offset: float = 0.0
) -> Clip:
    """Pixels of frames [start, stop) become ``gain * value + offset``, clipped to 0..255. Truth:
    ``exposure``."""
    return _retouch(
        clip,
        "exposure",
        start,
        stop,
        lambda frame, _: gain * frame + offset,
        {"gain": gain, "offset": offset},
    )


def flicker(clip: Clip, start: int, stop: int, *, gain: float = 0.85) -> Clip:
    """Every second frame of [start, stop), from ``start`` on, is multiplied by ``gain``. Truth:
    ``flicker``."""
    return _retouch(
        clip,
        "flicker",
        start,
        stop,
        lambda frame, i: frame * (gain if (i - start) % 2 == 0 else 1.0),
        {"gain": gain},
    )


def fade(clip: Clip, start: int, stop: int, *, to: Sequence[float] = (0.0, 0.0, 0.0)) -> Clip:
    """Frames [start, stop) go evenly towards an RGB colour, which frame ``stop - 1`` reaches.
    Truth: ``fade``."""
    colour = np.asarray(to, np.float32)

    def faded(frame: Float32, i: int) -> Float32:
        weight = np.float32((i - start + 1) / (stop - start))
        return frame + weight * (colour - frame)

    return _retouch(clip, "fade", start, stop, faded, {"to": [float(value) for value in colour]})


def ghost(
    clip: Clip, start: int, stop: int, *, weight: float = 0.5, distance: int | Sequence[int] = 1
) -> Clip:
    """Frames [start, stop) are blended with others: ``(1 - weight) * own + weight * mean(others)``.

    Args:
        distance: how many frames later the other instant lies, negative for earlier; or several
            such numbers. Where the clip ends before that, the frame as far on the other side is
            taken.

    Truth: ``ghosting``; the instants become NaN.
    """
    distances = [distance] if isinstance(distance, int) else [int(value) for value in distance]
    if not distances or not all(1 <= abs(value) < len(clip) / 2 for value in distances):
        raise UsageError(
            f"ghost distance is {distance}: pass 1 or more, and less than half of the {len(clip)}"
            " frames"
        )

    def ghosted(frame: Float32, i: int) -> Float32:
        others = [i + value if 0 <= i + value < len(clip) else i - value for value in distances]
        return np.asarray(
            (1.0 - weight) * frame + weight * clip.frames[others].mean(axis=0, dtype=np.float32)
        )

    out = _retouch(
        clip,
        "ghosting",
        start,
        stop,
        ghosted,
        {"weight": weight, "distance": distances if len(distances) > 1 else distances[0]},
    )
    instant = out.instant.copy()
    instant[start:stop] = np.nan
    return out.replace(instant=instant)


def noise(clip: Clip, start: int, stop: int, *, sigma: float = 8.0, seed: int = 0) -> Clip:
    """Independent Gaussian noise of ``sigma`` code values on frames [start, stop). Truth:
    ``noise``."""
    random = np.random.default_rng(seed)
    return _retouch(
        clip,
        "noise",
        start,
        stop,
        lambda frame, _: frame + sigma * random.standard_normal(frame.shape, np.float32),
        {"sigma": sigma, "seed": seed},
    )


def blur(clip: Clip, start: int, stop: int, *, sigma: float = 2.0) -> Clip:
    """Frames [start, stop) through a Gaussian of ``sigma`` px. Truth: ``blur``."""
    return _retouch(
        clip,
        "blur",
        start,
        stop,
        lambda frame, _: np.asarray(cv2.GaussianBlur(frame, (0, 0), sigma)),
        {"sigma": sigma},
    )


def shift(clip: Clip, start: int, stop: int, *, dx: int = 6, dy: int = 0) -> Clip:
    """The content of frames [start, stop) moves by whole pixels (dx, dy); the border repeats.
    Truth: ``shift``."""
    height, width = clip.size
    rows = np.clip(np.arange(height) - dy, 0, height - 1)
    columns = np.clip(np.arange(width) - dx, 0, width - 1)
    return _retouch(
        clip, "shift", start, stop, lambda frame, _: frame[rows][:, columns], {"dx": dx, "dy": dy}
    )


def tear(clip: Clip, start: int, stop: int, *, row: int) -> Clip:
    """In frames [start, stop) the rows from ``row`` on still show the frame before. Truth:
    ``tearing``."""
    _range(clip, start, stop)
    if start < 1 or not 0 < row < clip.size[0]:
        raise UsageError(
            f"tear from frame {start} at row {row}: start at 1 or more, with a row inside the frame"
        )

    def torn(frame: Float32, i: int) -> Float32:
        return np.concatenate([frame[:row], clip.frames[i - 1, row:].astype(np.float32)])

    return _retouch(clip, "tearing", start, stop, torn, {"row": row})


def variable_rate(clip: Clip, pts: ArrayLike) -> Clip:
    """The same frames at other times: (N,) strictly increasing, in the clip's time base. Truth: the
    ``pts``."""
    return clip.replace(pts=np.array(pts, np.int64))


def interpolate_by(
    clip: Clip, method: str, *, scene: Scene | None = None, strength: float = 1.0, factor: int = 2
) -> Clip:
    """Keep every ``factor``-th frame and make those between from their two neighbours, as an
    interpolator would.

    Frames after the last kept one have no later neighbour and repeat it.

    Args:
        method: "repeat" shows the frame before; "blend" mixes both linearly in time; "motion" moves
            both along the scene's true motion times ``strength``, and mixes them where both are
            visible.
        scene: for "motion": the scene that the clip was rendered from.
        strength: 1 is perfect; 0.9 leaves a tenth of the way to each neighbour undone.

    Truth: the roles; made frames have the instant that they claim with "motion", that which they
    show with "repeat", and NaN with "blend".
    """
    if method not in INTERPOLATION_METHODS:
        raise UsageError(f"method is {method!r}: choose one of {', '.join(INTERPOLATION_METHODS)}")
    if factor < 2:
        raise UsageError(f"factor is {factor}: pass 2 or more")
    if method == "motion" and scene is None:
        raise UsageError(
            "method motion needs the scene that the clip was rendered from: pass scene"
        )
    frames, instant, role = clip.frames.copy(), clip.instant.copy(), clip.role.copy()
    for i in range(len(clip)):
        before, phase = i - i % factor, (i % factor) / factor
        after = before + factor
        if i == before:
            continue
        role[i] = Role.SYNTHESISED
        if method == "repeat" or after >= len(clip):
            frames[i], instant[i] = clip.frames[before], clip.instant[before]
        elif scene is None or method == "blend":
            pair = clip.frames[[before, after]].astype(np.float32)
            frames[i], instant[i] = _code((1.0 - phase) * pair[0] + phase * pair[1]), np.nan
        else:
            frames[i] = _code(_compensated(clip, scene, (before, i, after), strength))
    return clip.replace(frames=frames, instant=instant, role=role)


def _compensated(clip: Clip, scene: Scene, at: tuple[int, int, int], strength: float) -> Float32:
    """The middle of three frames, made from the outer two by backward warping along the true
    motion."""
    before, middle, after = at
    time = clip.instant[list(at)]
    phase = (middle - before) / (after - before)
    height, width = clip.size
    y, x = np.mgrid[:height, :width].astype(np.float32)
    total, weights = (
        np.zeros((height, width, 3), np.float32),
        np.zeros((height, width, 1), np.float32),
    )
    for number, instant, share in ((before, time[0], 1.0 - phase), (after, time[2], phase)):
        flow = strength * scene.flow(time[1], instant)
        warped = cv2.remap(
            clip.frames[number],
            x + flow[0],
            y + flow[1],
            cv2.INTER_LINEAR,
            None,
            cv2.BORDER_REPLICATE,
        )
        # What is hidden in one neighbour comes from the other; a small weight decides where it is
        # hidden in both.
        seen = scene.visible(time[1], instant, margin=0.0)
        weight = np.where(seen, share, 1e-3 * share).astype(np.float32)[..., None]
        total += weight * warped
        weights += weight
    return np.asarray(total / weights, np.float32)


def _retouch(
    clip: Clip, kind: str, start: int, stop: int, change: Any, values: dict[str, Any]
) -> Clip:
    """``change(frame as float32, number)`` on each frame of the range, with the event recorded."""
    _range(clip, start, stop)
    frames = clip.frames.copy()
    for i in range(start, stop):
        frames[i] = _code(change(clip.frames[i].astype(np.float32), i))
    return clip.replace(frames=frames, events=(*clip.events, Event(kind, start, stop, values)))


def _code(values: Float32) -> Uint8:
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)


def _range(clip: Clip, start: int, stop: int) -> None:
    if not 0 <= start < stop <= len(clip):
        raise UsageError(
            f"range [{start}, {stop}) does not lie within the {len(clip)} frames of the clip"
        )


def _moved(event: Event, by: int) -> Event:
    return Event(event.kind, event.start + by, event.stop + by, event.values)


def _spread(event: Event, at: int, count: int) -> Event:
    """An event after ``count`` frames were inserted before frame ``at``."""
    start, stop = (
        event.start + count * (event.start >= at),
        event.stop + count * (event.stop > at),
    )
    return Event(event.kind, start, stop, event.values)


def _without(event: Event, at: int, count: int) -> Event | None:
    """An event after frames [at, at + count) went; None where they were all of it."""
    start, stop = (
        edge if edge <= at else max(at, edge - count) for edge in (event.start, event.stop)
    )
    return Event(event.kind, start, stop, event.values) if start < stop else None

"""A textured scene with moving shapes whose every position and motion vector is known.

Convention
    The pixel in row i and column j shows the point (x, y) = (j, i) of the frame. Times are in
    frames and may be fractions. Velocities are in pixels per frame, positive to the right and
    downwards, and say how content moves *in the frame*: the ground at (x, y) at time t is at (x +
    vx * dt, y + vy * dt) at time t + dt.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from vfiscope.errors import UsageError
from vfiscope.synth.clip import Clip
from vfiscope.synth.texture import Ground, Photo, Texture
from vfiscope.types import Float32, Float64, Uint8

__all__ = ["Scene", "Shape"]

Bool = NDArray[np.bool_]

SHAPES = ("disc", "rectangle")
EDGE_MARGIN_PX = 3.0
"""Pixels that a visible point keeps from every edge: the reach of a bicubic filter and of the soft
edge."""


@dataclass(frozen=True)
class Shape:
    """A textured disc (an ellipse where width and height differ) or rectangle that moves over the
    ground."""

    kind: str
    """"disc" or "rectangle"."""
    x: float
    y: float
    """Centre at time 0, px."""
    width: float
    height: float
    vx: float = 0.0
    vy: float = 0.0
    """Velocity at time 0, px per frame."""
    ax: float = 0.0
    ay: float = 0.0
    """Acceleration, px per frame per frame."""
    seed: int = 0
    """Chooses its texture."""
    bounce: bool = False
    """Turn back where the shape would touch the border of the frame, instead of leaving it."""
    appear: float = -np.inf
    vanish: float = np.inf
    """It is there at times appear <= t < vanish."""

    def __post_init__(self) -> None:
        if self.kind not in SHAPES:
            raise UsageError(f"shape kind is {self.kind!r}: choose one of {', '.join(SHAPES)}")
        if not (self.width > 0 and self.height > 0):
            raise UsageError(
                f"shape size is {self.width} x {self.height}: pass numbers of pixels above 0"
            )

    def distance(self, dx: Float64, dy: Float64) -> Float64:
        """Distance to the outline, px, negative inside, of points (dx, dy) from the centre; exact
        near the outline for circles and rectangles, to first order for other ellipses."""
        half_w, half_h = self.width / 2.0, self.height / 2.0
        if self.kind == "rectangle":
            return np.maximum(np.abs(dx) - half_w, np.abs(dy) - half_h)
        if self.width == self.height:
            return np.hypot(dx, dy) - half_w
        radius = np.hypot(dx / half_w, dy / half_h)
        slope = np.hypot(dx / half_w**2, dy / half_h**2)
        return radius * (radius - 1.0) / np.maximum(slope, 1e-9)


class Scene:
    """A textured ground that slides under the camera, with shapes moving over it.

    Rendering holds one frame at a time, so a scene of any length can be streamed.

    Args:
        height, width: frame size, px.
        seed: chooses textures and, where ``objects`` is a number, shapes.
        objects: shapes from the farthest to the nearest; or how many to make up (they bounce at the
            borders).
        velocity: (vx, vy) of the ground in the frame, px per frame.
        texture: None for made-up land; an (H, W, 3) uint8 RGB photograph, mirrored beyond its
            borders; or a :class:`Texture`.
        shortest: shortest wavelength of made-up textures, px.

    Raises:
        UsageError: a size below 1, or a texture of another shape or dtype.
    """

    def __init__(
        self,
        height: int = 360,
        width: int = 640,
        seed: int = 0,
        *,
        objects: int | Sequence[Shape] = 3,
        velocity: tuple[float, float] = (1.5, 0.5),
        texture: Uint8 | Texture | None = None,
        shortest: float = 8.0,
    ) -> None:
        if height < 1 or width < 1:
            raise UsageError(
                f"scene size is {height} x {width}: pass height and width of 1 pixel or more"
            )
        self.height, self.width, self.seed = int(height), int(width), int(seed)
        self.velocity = (float(velocity[0]), float(velocity[1]))
        if texture is None:
            self.ground: Texture = Ground(seed, 0.9 * max(height, 4.0 * shortest), shortest)
        else:
            self.ground = Photo(texture) if isinstance(texture, np.ndarray) else texture
        self.objects: tuple[Shape, ...] = (
            _made_up(objects, self) if isinstance(objects, int) else tuple(objects)
        )
        self._skins = [
            Ground(
                101 + 7 * self.seed + shape.seed,
                max(shape.width, 4.0 * shortest),
                shortest,
                grain=6.0,
            )
            for shape in self.objects
        ]

    def __repr__(self) -> str:
        return f"Scene({self.height}x{self.width}, seed {self.seed}, {len(self.objects)} objects)"

    def positions(self, t: float) -> Float64:
        """(K, 2) centres (x, y) of the shapes at time ``t``, px, whether they are in the frame or
        not."""
        return np.array([self._position(shape, t) for shape in self.objects], np.float64).reshape(
            -1, 2
        )

    def frame(self, t: float) -> Uint8:
        """(H, W, 3) uint8 RGB frame at time ``t``."""
        picture = self.ground.render(
            -self.velocity[0] * t, -self.velocity[1] * t, self.height, self.width
        )
        for shape, skin in zip(self.objects, self._skins, strict=True):
            if shape.appear <= t < shape.vanish:
                self._paint(picture, shape, skin, self._position(shape, t))
        np.rint(picture, out=picture)
        np.clip(picture, 0, 255, out=picture)
        return picture.astype(np.uint8)

    def frames(self, n: int, *, start: float = 0.0, step: float = 1.0) -> Iterator[Uint8]:
        """The ``n`` frames at times start, start + step, ..., one at a time."""
        return (self.frame(start + step * i) for i in range(n))

    def clip(
        self, n: int, *, rate: Fraction | int = 24, start: float = 0.0, step: float = 1.0
    ) -> Clip:
        """``n`` frames in memory with their instants: frame i shows time start + step * i."""
        frames = np.stack(list(self.frames(n, start=start, step=step)))
        return Clip.at_rate(frames, rate, instant=start + step * np.arange(n))

    def layers(self, t: float) -> NDArray[np.int64]:
        """(H, W) number of the nearest shape that covers each pixel at time ``t``, -1 for the
        ground."""
        x, y = self._grid()
        nearest = np.full((self.height, self.width), -1, np.int64)
        for number, distance in self._distances(x, y, t):
            nearest[distance <= 0.0] = number
        return nearest

    def flow(self, t0: float, t1: float) -> Float32:
        """True motion from time ``t0`` to ``t1``.

        Returns:
            (2, H, W) float32 (dx, dy), px: content at (x, y) at ``t0`` is at (x + dx, y + dy) at
            ``t1``, whether it can be seen there or not (see :meth:`visible`).
        """
        elapsed = t1 - t0
        moves = np.array(
            [*(self.positions(t1) - self.positions(t0)), np.multiply(self.velocity, elapsed)]
        )
        # Layer -1, the ground, picks the last row.
        return np.ascontiguousarray(moves[self.layers(t0)].transpose(2, 0, 1), np.float32)

    def visible(self, t0: float, t1: float, margin: float = EDGE_MARGIN_PX) -> Bool:
        """Mask of the content at ``t0`` that is still visible at ``t1``, at least ``margin`` px
        from every edge.

        Returns:
            (H, W) bool: False where it left the frame, is hidden by a shape, or is near an
            outline or border.
        """
        x, y = self._grid()
        layers, flow = self.layers(t0), self.flow(t0, t1).astype(np.float64)
        to_x, to_y = x + flow[0], y + flow[1]
        seen: Bool = (to_x >= margin) & (to_x <= self.width - 1 - margin)
        seen &= (to_y >= margin) & (to_y <= self.height - 1 - margin)
        for number, distance in self._distances(x, y, t0):
            seen &= np.where(
                layers == number, distance < -margin, (layers > number) | (distance > margin)
            )
        there = dict(self._distances(to_x, to_y, t1))
        for number, distance in there.items():
            seen &= (layers >= number) | (distance > margin)
        for number in np.unique(layers[layers >= 0]):
            if int(number) not in there:
                seen &= layers != number
        return seen

    def _grid(self) -> tuple[Float64, Float64]:
        y, x = np.mgrid[: self.height, : self.width].astype(np.float64)
        return x, y

    def _distances(self, x: Float64, y: Float64, t: float) -> Iterator[tuple[int, Float64]]:
        """Number of each shape that is there at ``t``, and the points' distances to its outline."""
        for number, shape in enumerate(self.objects):
            if shape.appear <= t < shape.vanish:
                at_x, at_y = self._position(shape, t)
                yield number, shape.distance(x - at_x, y - at_y)

    def _position(self, shape: Shape, t: float) -> tuple[float, float]:
        x = shape.x + shape.vx * t + shape.ax * t * t / 2.0
        y = shape.y + shape.vy * t + shape.ay * t * t / 2.0
        if not shape.bounce:
            return x, y
        return _bounced(x, shape.width, self.width), _bounced(y, shape.height, self.height)

    def _paint(
        self, picture: Float32, shape: Shape, skin: Ground, centre: tuple[float, float]
    ) -> None:
        """Blend a shape into the frame, in place, with an edge one pixel soft."""
        at_x, at_y = centre
        left, right = _reach(at_x, shape.width, self.width)
        top, bottom = _reach(at_y, shape.height, self.height)
        if left >= right or top >= bottom:
            return
        dx: Float64 = np.arange(left, right, dtype=np.float64)[None, :] - at_x
        dy: Float64 = np.arange(top, bottom, dtype=np.float64)[:, None] - at_y
        distance = shape.distance(dx, dy)
        colour = skin.render(left - at_x, top - at_y, bottom - top, right - left)
        # A rim that darkens over the last pixels sets a shape off from ground of its own colour.
        rim = max(2.0, 0.06 * min(shape.width, shape.height))
        colour *= (1.0 - 0.55 * np.exp(np.minimum(distance, 0.0) / rim)).astype(np.float32)[
            ..., None
        ]
        cover = np.clip(0.5 - distance, 0.0, 1.0).astype(np.float32)[..., None]
        area = picture[top:bottom, left:right]
        area += cover * (colour - area)


def _reach(centre: float, size: float, limit: int) -> tuple[int, int]:
    """The half-open range of pixels that a shape may touch along one axis, within the frame."""
    return max(0, int(np.floor(centre - size / 2.0)) - 1), min(
        limit, int(np.ceil(centre + size / 2.0)) + 2
    )


def _bounced(at: float, size: float, limit: int) -> float:
    """A coordinate folded so that a shape of ``size`` stays between 0 and ``limit``."""
    low, span = size / 2.0, limit - size
    if span <= 0.0:
        return limit / 2.0
    folded = (at - low) % (2.0 * span)
    return low + min(folded, 2.0 * span - folded)


def _made_up(count: int, scene: Scene) -> tuple[Shape, ...]:
    """Shapes of middling size, spread over the frame, at about one to two percent of its width
    per frame."""
    if count < 0:
        raise UsageError(f"objects is {count}: pass a number of 0 or more, or shapes")
    random = np.random.default_rng(scene.seed + 5)
    shapes = []
    for number in range(count):
        size = scene.height * random.uniform(0.18, 0.32)
        speed, angle = scene.width * random.uniform(0.004, 0.009), random.uniform(0.0, 2.0 * np.pi)
        shapes.append(
            Shape(
                kind=SHAPES[number % 2],
                x=scene.width * (number + random.uniform(0.3, 0.7)) / count,
                y=scene.height * random.uniform(0.25, 0.75),
                width=size,
                height=size if number % 2 == 0 else size * random.uniform(0.6, 0.9),
                vx=speed * np.cos(angle),
                vy=speed * np.sin(angle),
                seed=number + 1,
                bounce=True,
            )
        )
    return tuple(shapes)

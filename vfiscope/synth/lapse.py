"""A made-up time-lapse with known answers: plants that grow in a bed, photographed for days by a
camera whose exposure flickers, whose white balance drifts and that is bumped.

    >>> from vfiscope import synth
    >>> lapse = synth.TimeLapse(seed=3, bumps={20: (3.3, -2.2, 0.4)})
    >>> lapse.write("bed")  # doctest: +SKIP
    >>> round(lapse.share(59), 3)
    0.064
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from vfiscope.synth.texture import Ground
from vfiscope.synth.write import write_images
from vfiscope.types import Float32, Float64, Uint8

__all__ = ["TimeLapse"]

BED_PALETTES = (
    ((74, 56, 44), (120, 96, 78), (168, 146, 128), (98, 92, 96)),
    ((60, 58, 66), (112, 106, 112), (150, 138, 134), (92, 76, 66)),
    ((88, 64, 52), (132, 112, 104), (176, 160, 150), (70, 66, 80)),
)
"""Soil, stone and wood: none of it is green."""
LEAF_PALETTE = ((38, 92, 30), (62, 132, 44), (92, 168, 66))
BED_MARGIN_PX = 32
"""How far the bed goes on beyond the frame, for bumps."""
EARLY_SHARE, LATE_SHARE = 0.04, 1.0
"""Of its last area, what a plant covers in the first and in the last photo."""


@dataclass(frozen=True)
class TimeLapse:
    """N photos with a truth for each thing that was planted, made one by one."""

    photos: int = 60
    height: int = 240
    width: int = 320
    seed: int = 0
    flicker: float = 0.02
    """Root mean square of the logarithm by which exposure varies from photo to photo."""
    daylight: float = 0.08
    """Amplitude of the logarithm by which light rises and falls during a day."""
    drift: tuple[float, float] = (0.05, -0.06)
    """Logarithm by which red and blue have drifted against green in the last photo."""
    bumps: Mapping[int, tuple[float, float, float]] = field(default_factory=dict)
    """{photo: (px right, px down, degrees clockwise) that content has moved from there on}"""
    plants: int = 3
    growth: float = 0.08
    """Part of the photo that all plants cover in the last photo, were none harvested."""
    harvests: Mapping[int, int] = field(default_factory=dict)
    """{photo: the plant that is gone from there on}"""
    covered: tuple[int, ...] = ()
    """Photos with a hand in front of the camera."""
    step_s: int = 7200
    per_day: int = 6
    start: int = 1_700_000_000
    """When the first photo was taken, in seconds since 1970."""

    def __len__(self) -> int:
        return self.photos

    def moment(self, k: int) -> int:
        """Seconds since 1970; the nights are left out."""
        day, hour = divmod(k, self.per_day)
        return self.start + day * 86400 + hour * self.step_s

    @cached_property
    def gains(self) -> Float64:
        """(N,) ln of the exposure of each photo, without daylight: zero mean, of the given size."""
        rng = np.random.default_rng([self.seed, 1])
        values = rng.standard_normal(self.photos)
        values -= values.mean()
        size = math.sqrt(float(np.square(values).mean())) or 1.0
        return np.asarray(self.flicker / size * values, np.float64)

    def light(self, k: int) -> Float64:
        """(3,) ln of the factor of R, G and B in photo k."""
        hour = (k % self.per_day) / max(1, self.per_day - 1)
        day = self.daylight * math.sin(math.pi * hour)
        part = k / max(1, self.photos - 1)
        red, blue = (part * each for each in self.drift)
        return np.array([red, 0.0, blue]) + (day + float(self.gains[k]))

    def motion(self, k: int) -> Float64:
        """(2, 3) from pixels of the bed to those of photo k, about the centre."""
        x, y, turn = np.sum([(0.0, 0.0, 0.0), *(b for at, b in self.bumps.items() if at <= k)], 0)
        centre = (self.width - 1) / 2, (self.height - 1) / 2
        matrix = cv2.getRotationMatrix2D(centre, -float(turn), 1.0)
        matrix[:, 2] += x, y
        return np.asarray(matrix, np.float64)

    def share(self, k: int) -> float:
        """Part of photo k that is plant, were the camera never bumped."""
        margin = BED_MARGIN_PX
        inside = self._cover(k)[margin : margin + self.height, margin : margin + self.width]
        return float(inside.mean())

    def frame(self, k: int) -> Uint8:
        """(H, W, 3) uint8 RGB photo k."""
        rng = np.random.default_rng([self.seed, 2, k])
        if k in self.covered:
            hand = Ground(self.seed + 900 + k, self.height, grain=3.0)
            return np.asarray(hand.render(0, 0, self.height, self.width).clip(0, 255), np.uint8)
        cover = self._cover(k)[..., None]
        bed = self._bed + cover * (self._leaves - self._bed)
        matrix = self.motion(k)
        matrix[:, 2] -= matrix[:, :2] @ np.full(2, float(BED_MARGIN_PX))
        size = self.width, self.height
        seen = cv2.warpAffine(bed, matrix, size, flags=cv2.INTER_CUBIC)
        lit = seen * np.exp(self.light(k)) + rng.normal(0.0, 1.0, seen.shape)
        return np.asarray(np.rint(lit).clip(0, 255), np.uint8)

    def frames(self) -> Iterator[Uint8]:
        """All photos in turn."""
        return (self.frame(k) for k in range(self.photos))

    def write(self, folder: str | Path, extension: str = ".jpg") -> list[Path]:
        """Write the photos, named by the second in which each was taken; the folder is made."""
        made = []
        for k, frame in enumerate(self.frames()):
            tens, ones = divmod(self.moment(k), 10)
            pattern = f"{tens}%d{extension}"
            made += write_images(folder, [frame], pattern, first=ones)
        return made

    @property
    def truth(self) -> dict[str, Any]:
        """What was planted, as JSON-able values."""
        return {
            "flicker": self.flicker,
            "exposure": self.gains.tolist(),
            "drift": list(self.drift),
            "bumps": {str(at): list(bump) for at, bump in self.bumps.items()},
            "share": [self.share(k) for k in range(self.photos)],
            "harvests": {str(at): self.harvested(at) for at in self.harvests},
            "covered": list(self.covered),
            "moments": [self.moment(k) for k in range(self.photos)],
        }

    def harvested(self, at: int) -> float:
        """Part of the photo that the harvest at a photo takes."""
        return self.share(at - 1) - self.share(at)

    @cached_property
    def _size(self) -> tuple[int, int]:
        return self.height + 2 * BED_MARGIN_PX, self.width + 2 * BED_MARGIN_PX

    @cached_property
    def _bed(self) -> Float32:
        palette = BED_PALETTES[self.seed % len(BED_PALETTES)]
        return Ground(self.seed, self.height / 2, palette=palette).render(0, 0, *self._size)

    @cached_property
    def _leaves(self) -> Float32:
        ground = Ground(self.seed + 500, self.height / 6, palette=LEAF_PALETTE)
        return ground.render(0, 0, *self._size)

    @cached_property
    def _plants(self) -> Float64:
        """(P, 4) x, y in pixels of the bed, last radius, and when it grows most, 0..1."""
        rng = np.random.default_rng([self.seed, 3])
        parts = rng.uniform(0.6, 1.4, self.plants)
        areas = self.growth * self.width * self.height * parts / parts.sum()
        radius = np.sqrt(areas / math.pi)
        slots = (np.arange(self.plants) + 0.5) / self.plants
        x = BED_MARGIN_PX + self.width * slots
        y = BED_MARGIN_PX + self.height * rng.uniform(0.35, 0.65, self.plants)
        return np.stack([x, y, radius, rng.uniform(0.4, 0.8, self.plants)], axis=1)

    def _cover(self, k: int) -> Float32:
        """(h, w) part of each pixel of the bed that is plant in photo k."""
        height, width = self._size
        down, across = np.mgrid[:height, :width].astype(np.float64)
        found = np.zeros((height, width), np.float32)
        part = k / max(1, self.photos - 1)
        for number, (x, y, radius, middle) in enumerate(self._plants):
            if any(plant == number and at <= k for at, plant in self.harvests.items()):
                continue
            ends = [1 / (1 + math.exp(-8 * (at - middle))) for at in (0.0, part, 1.0)]
            grown = (ends[1] - ends[0]) / (ends[2] - ends[0])
            size = radius * math.sqrt(EARLY_SHARE + (LATE_SHARE - EARLY_SHARE) * grown)
            angle = np.arctan2(down - y, across - x)
            lobed = size * (1 + 0.12 * np.cos(5 * angle + number)) / math.sqrt(1 + 0.12**2 / 2)
            edge = np.hypot(across - x, down - y) - lobed
            found = np.maximum(found, np.clip(0.5 - edge, 0, 1).astype(np.float32))
        return found

"""The shift of a whole small plane on another one that brings their enhanced correlation
coefficient to its maximum (Evangelidis and Psarakis 2008), step by step.

The steps are those of OpenCV's ``findTransformECC`` for translations, which resamples whole planes
for matrices in general. By a shift alone every pixel is interpolated with the same four weights, so
that one pass makes all sums of a step.
"""

from __future__ import annotations

import math
from typing import Any

import cv2
import numpy as np

from vfiscope.jit import REORDERED, compiled
from vfiscope.types import Float32

__all__ = ["climb"]

CLIMB_STEPS, CLIMB_END = 30, 1e-4
"""Most steps, and the gain of the coefficient below which there is no further one."""
BLUR_PX = 5
NO_SUM, ALL = np.float32(0), np.float32(1)
STRIP_ROWS = 8


def climb(own: Float32, other: Float32) -> tuple[float, float, float]:
    """(dx, dy) px, at which content of a plane at (x, y) is at (x + dx, y + dy) of the other, and
    the correlation there; NaN where the search does not converge.

    Args:
        own: (h, w) luma.
        other: of the same size.
    """
    smooth, image = (cv2.GaussianBlur(plane, (BLUR_PX, BLUR_PX), 0) for plane in (own, other))
    level = np.float32(smooth.mean())
    height, width = own.shape
    ringed = np.zeros((3, height + 2, width + 2), np.float32)
    with_slopes(image, level, ringed)
    found = np.zeros(3)
    climb_steps(smooth - level, ringed, level, found)
    return float(found[0]), float(found[1]), float(found[2])


@compiled()
def with_slopes(image: Any, level: Any, ringed: Any) -> None:
    """Fill (3, h + 2, w + 2) with an image less a level, and its slopes across and down; at the
    border these are 0, as beyond it, where the image is 0."""
    height, width = image.shape
    ringed[0, :, :] = -level
    for y in range(height):
        for x in range(width):
            ringed[0, y + 1, x + 1] = image[y, x] - level
            if 0 < x < width - 1:
                ringed[1, y + 1, x + 1] = (image[y, x + 1] - image[y, x - 1]) / 2
            if 0 < y < height - 1:
                ringed[2, y + 1, x + 1] = (image[y + 1, x] - image[y - 1, x]) / 2


@compiled()
def climb_steps(own: Any, ringed: Any, level: Any, found: Any) -> None:
    """Fill ``found`` (3,) with the shift and its correlation; all NaN where it does not converge.

    As in OpenCV, pixels whose nearest one lies outside have no part in the means and in the
    template, yet one in the slopes.
    """
    height, width = own.shape
    sums = np.zeros(16)
    found[:] = 0, 0, -1
    last = -1.0 - 2 * CLIMB_END
    for _ in range(CLIMB_STEPS):
        if abs(found[2] - last) < CLIMB_END:
            return
        # Not for NaN either: the sums read memory without bounds checks.
        if not (abs(found[0]) <= width - 1 and abs(found[1]) <= height - 1):
            break
        count = sum_up(own, ringed, found[0], found[1], sums)
        t, w, tt, ww, tw, tg, th, g, h, gg, gh, hh, gw, hw, gs, hs = sums
        w_mean, t_mean = w / count, t / count
        own_power, power = tt - t * t_mean, ww - w * w_mean
        both = tw - t * w_mean
        image_g = gw - w_mean * g + level * (gs - g)
        image_h = hw - w_mean * h + level * (hs - h)
        own_g, own_h = tg - t_mean * g, th - t_mean * h
        area = gg * hh - gh * gh
        step_g, step_h = (hh * image_g - gh * image_h) / area, (gg * image_h - gh * image_g) / area
        gained = both - own_g * step_g - own_h * step_h
        last, found[2] = found[2], both / math.sqrt(own_power * power)
        if not gained > 0:
            break
        light = (power - image_g * step_g - image_h * step_h) / gained
        left_g, left_h = light * own_g - image_g, light * own_h - image_h
        found[0] += (hh * left_g - gh * left_h) / area
        found[1] += (gg * left_h - gh * left_g) / area
    else:
        return
    found[:] = math.nan


@compiled(REORDERED)
def sum_up(own: Any, ringed: Any, dx: float, dy: float, sums: Any) -> int:
    """The sums of a step: with t the template, w the image and g, h its slopes at the shift, those
    of t, w, tt, ww, tw, gt, ht, g, h of the pixels whose nearest one lies inside, whose number is
    returned, and of gg, gh, hh, gw, hw, g, h of all.

    Strips of rows are summed in float32, and their sums in float64. Of single rows more time would
    go into adding up the parts of a vector than into filling it.
    """
    height, width = own.shape
    left: Any = np.int64(math.floor(dx))
    top: Any = np.int64(math.floor(dy))
    start: Any = max(0, -1 - left)
    stop: Any = min(width, width - left)
    last: Any = min(np.int64(height), height - top)
    count, columns, rows = stop - start, 0, 0
    inside, strip = np.zeros(count, np.float32), np.empty((5, STRIP_ROWS * count), np.float32)
    for x in range(count):
        if 0 <= math.floor(start + x + dx + 0.5) < width:
            inside[x] = 1
            columns += 1
    parts = np.float32(dx - left), np.float32(dy - top)
    sums[:] = 0
    for y in range(max(np.int64(0), -1 - top), last, STRIP_ROWS):
        high = min(STRIP_ROWS, last - y)
        fetch_strip(ringed, y + top + 1, start + left + 1, parts, high, count, strip)
        rows += mask_strip(own, y, start, dy, high, inside, strip)
        add_inside(strip, high * count, sums)
        add_slopes(strip, high * count, sums)
    return rows * columns


@compiled(REORDERED, inner=True)
def fetch_strip(
    ringed: Any, top: Any, left: Any, parts: Any, high: int, count: int, strip: Any
) -> None:
    """Fill the first three of (5, n) float32: ``high`` rows of ``count`` pixels of an image and its
    slopes, which lie parts of a pixel to the right of and below a corner."""
    right, down = parts
    near, far = (ALL - right) * (ALL - down), right * (ALL - down)
    below, beyond = (ALL - right) * down, right * down
    first = np.uint64(left)  # never negative, so no index need be checked for that
    for k in range(3):
        for y in range(high):
            one, two = ringed[k, top + y, first:], ringed[k, top + y + 1, first:]
            made = strip[k, np.uint64(y * count) :]
            for x in range(count):
                made[x] = near * one[x] + far * one[x + 1] + below * two[x] + beyond * two[x + 1]


@compiled(REORDERED, inner=True)
def mask_strip(own: Any, top: Any, left: Any, dy: float, high: int, inside: Any, strip: Any) -> int:
    """Fill the other two: the template and 1 where the nearest pixel lies inside, 0 elsewhere. The
    number of rows inside."""
    rows, count, first = 0, inside.shape[0], np.uint64(left)
    for y in range(high):
        lies_inside = 0 <= math.floor(top + y + dy + 0.5) < own.shape[0]
        rows += lies_inside
        line, at, share = own[top + y, first:], np.uint64(y * count), np.float32(lies_inside)
        template, mask = strip[3, at:], strip[4, at:]
        for x in range(count):
            mask[x] = inside[x] * share
            template[x] = line[x] * inside[x] * share
    return rows


@compiled(REORDERED, inner=True)
def add_inside(strip: Any, count: int, sums: Any) -> None:
    """Add the first nine sums of the first pixels of a strip."""
    image, across, down, own, inside = strip[0], strip[1], strip[2], strip[3], strip[4]
    t, w, tt, ww, tw = NO_SUM, NO_SUM, NO_SUM, NO_SUM, NO_SUM
    tg, th, g, h = NO_SUM, NO_SUM, NO_SUM, NO_SUM
    for x in range(count):
        here, there = own[x], image[x] * inside[x]
        t += here
        w += there
        tt += here * here
        ww += there * there
        tw += here * there
        tg += here * across[x]
        th += here * down[x]
        g += inside[x] * across[x]
        h += inside[x] * down[x]
    sums[0] += t
    sums[1] += w
    sums[2] += tt
    sums[3] += ww
    sums[4] += tw
    sums[5] += tg
    sums[6] += th
    sums[7] += g
    sums[8] += h


@compiled(REORDERED, inner=True)
def add_slopes(strip: Any, count: int, sums: Any) -> None:
    """Add the other sums of the same pixels."""
    image, across, down = strip[0], strip[1], strip[2]
    gg, gh, hh, gw, hw = NO_SUM, NO_SUM, NO_SUM, NO_SUM, NO_SUM
    g, h = NO_SUM, NO_SUM
    for x in range(count):
        gg += across[x] * across[x]
        gh += across[x] * down[x]
        hh += down[x] * down[x]
        gw += across[x] * image[x]
        hw += down[x] * image[x]
        g += across[x]
        h += down[x]
    sums[9] += gg
    sums[10] += gh
    sums[11] += hh
    sums[12] += gw
    sums[13] += hw
    sums[14] += g
    sums[15] += h

"""Planar YUV of 8 bits to interleaved RGB in one pass, sample for sample as swscale converts it.

swscale makes planes of RGB, which are interleaved afterwards, in about nine times the time. What
it computes (``yuv2gbrp_full_X`` of libswscale 9.5, bilinear with accurate rounding) is exact until
the last shift, so that the same integers follow in any order: chroma is interpolated in quarters,
each product has 22 bits after the point, and the sums wrap around at 32 bits, as swscale's do where
the blue of no real colour overflows.

Whether the loops may convert a frame is found out on a specimen: see :class:`YuvLoops`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import av
import numpy as np
from av.video.plane import VideoPlane
from av.video.reformatter import Interpolation, VideoReformatter
from numpy.typing import NDArray

from vfiscope.jit import compiled
from vfiscope.pixels import LUMA_BITS, LUMA_PARTS, Beside
from vfiscope.sources.video.frame_planes import PLANAR_8_BIT, lines_of
from vfiscope.sources.video.properties import Properties, properties_of

__all__ = ["YuvLoops", "paint_planes"]

MATRICES = {
    "bt709": (117489, 138438, 13975, 34925),
    "fcc": (104448, 132798, 24759, 53109),
    "bt601": (104597, 132201, 25675, 53279),
    "smpte240m": (117579, 136230, 16907, 35559),
    "bt2020nc": (110013, 140363, 12277, 42626),
}
"""V in red, U in blue, U and V taken from green, times 2^16 for limited range (swscale's table)."""
SPECIMEN_PX = 16
HALF_OF_LUMA = 1 << (LUMA_BITS - 1)
THREE, FOUR_TIMES_GREY = np.int32(3), np.int32(4 * 128)
THREE_ZEROS = (np.int32(0), np.int32(0), np.int32(0))
LEFT, CENTRE, EVERY = range(3)
"""Where chroma is sited in a row: on every second pixel, between two pixels, on every pixel."""

Planes = tuple[NDArray[np.uint8], NDArray[np.uint8], NDArray[np.uint8]]


class Factors(NamedTuple):
    """What the code values of a matrix and range are multiplied with."""

    black: np.int32
    luma: np.int32
    v_red: np.int32
    u_green: np.int32
    v_green: np.int32
    u_blue: np.int32

    @classmethod
    @lru_cache(maxsize=16)
    def of(cls, matrix: str, *, full: bool) -> Factors:
        """Of a name of ``MATRICES``: rounded to 13 bits after the point as swscale does, then
        scaled so that Y has 22 and the quarters of chroma the same in sum."""
        v_red, u_blue, u_green, v_green = (
            each * 224 // 255 if full else each for each in MATRICES[matrix]
        )
        one = 65536 if full else 65536 * 255 // 219
        luma, *chroma = (
            (each * 8192 + 32768) >> 16 for each in (one, v_red, -u_green, -v_green, u_blue)
        )
        scaled = (0 if full else 16, luma * 512, *(each * 32 for each in chroma))
        return cls(*(np.int32(each) for each in scaled))


class YuvLoops:
    """Converts the frames of a stream with compiled loops where they agree with swscale.

    PyAV does not tell where the chroma of a frame is sited, nor whether swscale interpolates the
    fields of it apart; other versions of swscale may round otherwise. So frames are asked: a
    small copy with all properties of one is filled with noise and converted by swscale, and the
    loops convert the frame only if they make the same of the copy. What is not told changes with
    the header of a sequence alone, which a keyframe follows: so the first frame from each keyframe
    on is asked (:meth:`ask_again`), and what tells anything else than the frame before it.
    """

    def __init__(self) -> None:
        self._reformatter = VideoReformatter()
        self._asked: tuple[Properties, str, bool] | None = None
        self._answer: int | None = None

    def ask_again(self) -> None:
        """Ask the next frame, whatever was asked before: a keyframe or another place is reached."""
        self._asked = None

    def convert(
        self,
        frame: av.VideoFrame,
        matrix: str,
        *,
        full: bool,
        swscale: Callable[[av.VideoFrame], av.VideoFrame],
        out: NDArray[np.uint8],
        beside: Beside | None = None,
    ) -> bool:
        """Write a frame as RGB; return False where the loops cannot, and nothing was written.

        Args:
            frame: of any pixel format.
            matrix: how its code values are meant.
            full: True for full range.
            swscale: converts a frame to planes of G, B and R.
            out: (H, W, 3), C-contiguous.
            beside: filled with what belongs beside that RGB; or None.
        """
        planes = frame.planes
        if matrix not in MATRICES or frame.format.name not in PLANAR_8_BIT or not _fits(planes):
            return False
        asked = properties_of(frame), matrix, full
        if asked != self._asked:
            self._asked, self._answer = asked, self._ask(frame, matrix, full, swscale)
        if self._answer is None:
            return False
        lines = [lines_of(plane) for plane in planes]
        _write(lines, out, beside, self._answer, Factors.of(matrix, full=full))
        return True

    def _ask(
        self,
        frame: av.VideoFrame,
        matrix: str,
        full: bool,
        swscale: Callable[[av.VideoFrame], av.VideoFrame],
    ) -> int | None:
        """The site of chroma with which the loops convert frames like this one; None where they
        cannot."""
        specimen = self._specimen(frame)
        if specimen is None:
            return None
        shown = [lines_of(plane)[:, :SPECIMEN_PX].tobytes() for plane in swscale(specimen).planes]
        return _site(frame.format.name, matrix, full, b"".join(shown))

    def _specimen(self, frame: av.VideoFrame) -> av.VideoFrame | None:
        """A small frame of noise with all properties of a frame; None where swscale makes none."""
        name, side = frame.format.name, SPECIMEN_PX
        try:
            small = self._reformatter.reformat(
                frame, side, side, name, interpolation=Interpolation.POINT, threads=1
            )
        except (av.FFmpegError, OSError):
            return None
        for plane, noise in zip(small.planes, _noise(name), strict=True):
            lines_of(plane)[:, : noise.shape[1]] = noise
        return small


def paint_planes(
    planes: Sequence[NDArray[np.uint8]],
    matrix: str,
    *,
    full: bool,
    out: NDArray[np.uint8],
    beside: Beside | None = None,
) -> None:
    """Write Y, U and V of one size (H, W) as RGB into ``out``, (H, W, 3).

    Args:
        planes: no decoded ones, about which swscale need not be asked.
        matrix: a name of ``MATRICES``.
        full: True for full range.
        out: C-contiguous.
        beside: filled with what belongs beside that RGB; or None.
    """
    _write(planes, out, beside, EVERY, Factors.of(matrix, full=full))


def _write(
    planes: Sequence[NDArray[np.uint8]],
    out: NDArray[np.uint8],
    beside: Beside | None,
    site: int,
    factors: Factors,
) -> None:
    """Write planes, whose lines may be padded, into ``out``, (H, W, 3)."""
    grey, sums = (None, np.empty(3, np.int64)) if beside is None else beside
    y, u, v = planes
    _paint(y, u, v, out.reshape(len(out), -1), grey, sums, site, *factors)


def _fits(planes: Sequence[VideoPlane]) -> bool:
    """True for frames larger than a specimen with whole steps of chroma: swscale stretches that of
    odd sizes."""
    luma, chroma, _ = planes
    steps = luma.width / chroma.width, luma.height / chroma.height
    padded = all(plane.line_size >= plane.width for plane in planes)
    return min(luma.width, luma.height) > SPECIMEN_PX and set(steps) <= {1, 2} and padded


@lru_cache(maxsize=16)
def _noise(name: str) -> Planes:
    """The samples of a specimen of a pixel format, black, white and the ends of chroma included."""
    rows = SPECIMEN_PX // (2 if "420" in name else 1)
    columns = SPECIMEN_PX // (1 if "444" in name else 2)
    random = np.random.default_rng(1)
    sizes = ((SPECIMEN_PX, SPECIMEN_PX), (rows, columns), (rows, columns))
    y, u, v = (random.integers(0, 256, size, np.uint8) for size in sizes)
    return y, u, v


@lru_cache(maxsize=16)
def _site(name: str, matrix: str, full: bool, shown: bytes) -> int | None:
    """The site of chroma with which the loops make of the specimen what swscale made of it, G, B
    and R plane by plane; None where there is none."""
    green, blue, red = np.frombuffer(shown, np.uint8).reshape(3, SPECIMEN_PX, SPECIMEN_PX)
    wanted = np.stack([red, green, blue], axis=2)
    made = np.empty_like(wanted)
    for site in (EVERY,) if "444" in name else (LEFT, CENTRE):
        _write(_noise(name), made, None, site, Factors.of(matrix, full=full))
        if np.array_equal(made, wanted):
            return site
    return None


@compiled()
def _paint(
    y: Any,
    u: Any,
    v: Any,
    out: Any,
    grey: Any,
    sums: Any,
    site: Any,
    black: Any,
    luma: Any,
    v_red: Any,
    u_green: Any,
    v_green: Any,
    u_blue: Any,
) -> None:
    """Write planes into ``out``, (H, 3 W), and the luma of that RGB into ``grey``, (H, W), and its
    sums into ``sums``, (3,) int64; where ``grey`` is None, zeros."""
    height, last = out.shape[0], u.shape[0] - 1
    columns = out.shape[1] // (3 if site == EVERY else 6)
    terms = np.empty((3, columns + 2), np.int32)
    sums[:] = 0
    for row in range(height):
        near = far = row
        if last < height - 1:  # chroma lies between rows, one quarter from one of them
            near = row // 2
            far = min(max(near - 1 + row % 2 * 2, 0), last)
        _multiply(u, v, near, far, v_red, u_green, v_green, u_blue, terms)
        if site == LEFT:
            total = _paint_left(y, row, black, luma, terms, out, grey)
        elif site == CENTRE:
            total = _paint_centre(y, row, black, luma, terms, out, grey)
        else:
            total = _paint_every(y, row, black, luma, terms, out, grey)
        for colour in range(3):
            sums[colour] += total[colour]


@compiled(inner=True)
def _multiply(
    u: Any,
    v: Any,
    near: Any,
    far: Any,
    v_red: Any,
    u_green: Any,
    v_green: Any,
    u_blue: Any,
    terms: Any,
) -> None:
    """What each sample of a row of chroma adds to R, G and B; the first and last one twice.

    Each result is made int32 at once: numba would go on in int64, of which a vector holds half.
    """
    columns = terms.shape[1] - 2
    near_u, far_u, near_v, far_v = u[near], u[far], v[near], v[far]
    red, green, blue = terms[0], terms[1], terms[2]
    for i in range(columns):
        four_u = np.int32(np.int32(near_u[i]) * THREE + np.int32(far_u[i])) - FOUR_TIMES_GREY
        four_v = np.int32(np.int32(near_v[i]) * THREE + np.int32(far_v[i])) - FOUR_TIMES_GREY
        four_u, four_v = np.int32(four_u), np.int32(four_v)
        red[i + 1] = np.int32(v_red * four_v)
        green[i + 1] = np.int32(np.int32(u_green * four_u) + np.int32(v_green * four_v))
        blue[i + 1] = np.int32(u_blue * four_u)
    for colour in range(3):
        terms[colour, 0] = terms[colour, 1]
        terms[colour, columns + 1] = terms[colour, columns]


@compiled(inner=True)
def _paint_left(y: Any, row: Any, black: Any, luma: Any, terms: Any, out: Any, grey: Any) -> Any:
    total = THREE_ZEROS
    for i in range(terms.shape[1] - 2):
        j, k = i + 1, i + 2
        r, g, b = 4 * terms[0, j], 4 * terms[1, j], 4 * terms[2, j]
        one = _put(out, grey, row, 2 * i, y[row, 2 * i], black, luma, r, g, b)
        r, g, b = 2 * terms[0, j], 2 * terms[1, j], 2 * terms[2, j]
        r, g, b = r + 2 * terms[0, k], g + 2 * terms[1, k], b + 2 * terms[2, k]
        two = _put(out, grey, row, 2 * i + 1, y[row, 2 * i + 1], black, luma, r, g, b)
        total = _plus(total, _plus(one, two))
    return total


@compiled(inner=True)
def _paint_centre(y: Any, row: Any, black: Any, luma: Any, terms: Any, out: Any, grey: Any) -> Any:
    total = THREE_ZEROS
    for i in range(terms.shape[1] - 2):
        j, k = i + 1, i + 2
        r, g, b = 3 * terms[0, j], 3 * terms[1, j], 3 * terms[2, j]
        before = r + terms[0, i], g + terms[1, i], b + terms[2, i]
        after = r + terms[0, k], g + terms[1, k], b + terms[2, k]
        one = _put(out, grey, row, 2 * i, y[row, 2 * i], black, luma, *before)
        two = _put(out, grey, row, 2 * i + 1, y[row, 2 * i + 1], black, luma, *after)
        total = _plus(total, _plus(one, two))
    return total


@compiled(inner=True)
def _paint_every(y: Any, row: Any, black: Any, luma: Any, terms: Any, out: Any, grey: Any) -> Any:
    total = THREE_ZEROS
    for i in range(terms.shape[1] - 2):
        r, g, b = 4 * terms[0, i + 1], 4 * terms[1, i + 1], 4 * terms[2, i + 1]
        total = _plus(total, _put(out, grey, row, i, y[row, i], black, luma, r, g, b))
    return total


@compiled(inner=True)
def _put(
    out: Any,
    grey: Any,
    row: Any,
    x: Any,
    y: Any,
    black: Any,
    luma: Any,
    r: Any,
    g: Any,
    b: Any,
) -> Any:
    """Write one pixel from the code value of its luma and what chroma adds; R, G and B of it, or
    zeros where its luma is not written."""
    light = np.int32(np.int32(y - black) * luma + (1 << 21))  # with one half for rounding
    red: Any = np.int32(light + r) >> 22
    green: Any = np.int32(light + g) >> 22
    blue: Any = np.int32(light + b) >> 22
    red, green = np.int32(min(max(red, 0), 255)), np.int32(min(max(green, 0), 255))
    blue = np.int32(min(max(blue, 0), 255))
    out[row, 3 * x], out[row, 3 * x + 1], out[row, 3 * x + 2] = red, green, blue
    if grey is None:
        return THREE_ZEROS  # the sums, which nobody asked for, are compiled away
    parts = red * LUMA_PARTS[0] + green * LUMA_PARTS[1] + blue * LUMA_PARTS[2]
    grey[row, x] = (parts + HALF_OF_LUMA) >> LUMA_BITS
    return red, green, blue


@compiled(inner=True)
def _plus(one: Any, other: Any) -> Any:
    """Sums of three int32 each, in int32: of a row they are no more than that holds."""
    red, green, blue = one[0] + other[0], one[1] + other[1], one[2] + other[2]
    return np.int32(red), np.int32(green), np.int32(blue)

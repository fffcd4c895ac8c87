"""The two images that one image holds side by side, or one above the other: a page of a magazine, a
figure with axes, a screenshot of two windows, two frames joined."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations, product
from typing import NamedTuple, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from vfiscope.errors import UsageError
from vfiscope.regions.propose.extents import bounds
from vfiscope.regions.steps import Mask
from vfiscope.types import Box, Uint8

__all__ = ["find_panels"]

T = TypeVar("T", bound=np.generic)
Colour = NDArray[np.uint8]
"""(3,)"""
PAGE_TOLERANCES = (24, 8, 64)
"""Code values by which a pixel may differ from the page and still be page: the first that shows two
panels is taken."""
LEAST_SIDE = 1 / 8
"""Part of the side of the page."""
MOST_UNLIKE = 0.05
"""Part of the side by which the sizes or places of the two may differ."""
LEAST_FILLED = 0.97
"""Part of its box that a panel covers."""
LEAST_OF_HALVES = 0.7
"""The same of halves: most images are no pair, and the halves of some are similar."""
THUMB = 64
"""Side of the thumbnails that are compared."""
LEAST_PAGE = 0.9
"""Part of a line that has the colour of the page where the line is page."""
MOST_BESIDE = 0.25
"""What may stand on the page beside two parts (titles, labels), as a part of their area."""
LARGE_PART = 0.9
"""Of the largest area and of the highest correlation: what is as good as the best."""
FLAT_LINE = 8
"""Range of code values in a line that is no part of an image: the frame of axes."""
TICKS = 10
"""Percent of the pixels of a line, the darkest and the brightest, that may be ticks or letters."""
BLENDED, BLENDED_ALIKE = 0.6, 0.9
"""Where a frame is mixed into a line: part of the contrast of the next line that it has at most,
and the correlation with it."""
MOST_FRAME = 0.02
"""Part of the side that frame lines may take at each edge; four lines in any case."""
LEAST_LIKENESS = 0.5
"""Correlation of two parts of one page that show the same."""


def find_panels(image: Uint8) -> tuple[Box, Box]:
    """The boxes of the test and the reference image in a page.

    Looked for are, in turn, two of like size and place that are: parts that stand out from the
    page, are alike, and leave little else on it; what lies on either side of an empty strip,
    alike; halves, alike; any parts that are alike; rectangles that are not. The left or upper of
    the two is the reference. Of several, the large ones that are most alike are taken; of equal
    ones the first as one reads.

    Args:
        image: (H, W, 3) RGB.

    Returns:
        Test, reference; both of one size, without the lines of axes around them, placed so
        within a few pixels that the two images agree best.

    Raises:
        UsageError: there are no such two.
    """
    for pairs in _searches(image):
        if pairs:
            ref, test = _best(image, pairs)
            return _of_one_size(image, *_without_frame(image, test, ref))
    height, width = image.shape[:2]
    raise UsageError(
        f"no two images of like size side by side were found in {width}x{height} pixels: cut them"
        " out and pass both"
    )


def _searches(image: Uint8) -> Iterator[list[tuple[Box, Box]]]:
    """Pairs in order, one kind after the other."""
    colours = _page_colours(image)
    parts = _parts(image, colours)
    alike = [pair for pair in parts if _are_alike(image, *pair)]
    yield [pair for pair in alike if parts[pair].alone]
    yield [pair for pair in _beside_a_gap(image, colours) if _are_alike(image, *pair)]
    yield [pair for pair in _halves(image) if _likeness(image, *pair) >= LEAST_OF_HALVES]
    yield alike
    yield [
        pair
        for pair, parted in parts.items()
        if parted.rectangles and not any(_is_flat(image, box) for box in pair)
    ]


def _best(image: Uint8, pairs: Sequence[tuple[Box, Box]]) -> tuple[Box, Box]:
    """The first as one reads of those that are nearly as large, and as much alike, as the best."""
    areas = np.array([min(box.w * box.h for box in pair) for pair in pairs])
    likeness = np.array([_likeness(image, *pair) for pair in pairs])
    alike = likeness >= min(LEAST_LIKENESS, likeness.max())
    large = alike & (areas >= LARGE_PART * areas[alike].max())
    most = float(likeness[large].max())
    good = large & (likeness >= min(most, LARGE_PART * most))  # it may be negative
    return min(
        (pair for pair, taken in zip(pairs, good, strict=True) if taken),
        key=lambda pair: [(box.y, box.x) for box in pair],
    )


def _in_order(boxes: tuple[Box, Box]) -> tuple[Box, Box] | None:
    """The left or upper box first; None for boxes that are not alike or not beside each other."""
    a, b = boxes
    slack_x, slack_y = (max(2, MOST_UNLIKE * max(sides)) for sides in ((a.w, b.w), (a.h, b.h)))
    if abs(a.w - b.w) > slack_x or abs(a.h - b.h) > slack_y:
        return None
    if abs(a.y - b.y) <= slack_y:
        first, second = sorted(boxes)
        return (first, second) if first.x + first.w <= second.x else None
    if abs(a.x - b.x) <= slack_x:
        first, second = sorted(boxes, key=lambda box: box.y)
        return (first, second) if first.y + first.h <= second.y else None
    return None


class _Parted(NamedTuple):
    rectangles: bool
    alone: bool


def _parts(image: Uint8, colours: Sequence[Colour]) -> dict[tuple[Box, Box], _Parted]:
    """Pairs of parts that stand out from the page, whether both are rectangles, and whether
    there is little beside them."""
    for tolerance in PAGE_TOLERANCES:
        found = {}
        for colour in colours:
            mask = _unlike(image, colour, tolerance)
            parts = _standing_out(mask)
            for a, b in combinations(parts, 2):
                if pair := _in_order((a, b)):
                    inside = sum(np.count_nonzero(_cut(mask, box)) for box in pair)
                    beside = np.count_nonzero(mask) - inside
                    area = sum(box.w * box.h for box in pair)
                    found[pair] = _Parted(parts[a] and parts[b], bool(beside <= MOST_BESIDE * area))
        if found:
            return found
    return {}


def _page_colours(image: Uint8) -> list[Colour]:
    """The colours of the edge and of the middle lines, of those that are of one colour."""
    height, width = image.shape[:2]
    lines = _edge(image), image[:, width // 2], image[height // 2]
    medians = [np.asarray(np.median(line, axis=0), np.uint8) for line in lines]
    return [median for median, line in zip(medians, lines, strict=True) if _is_of(line, [median])]


def _edge(image: Uint8) -> Uint8:
    return np.concatenate([image[0], image[-1], image[:, 0], image[:, -1]])


def _is_of(line: Uint8, colours: Sequence[Colour]) -> bool:
    """Whether most pixels of a line are of one of the colours."""
    return any(
        _unlike(line[None], colour, min(PAGE_TOLERANCES)).mean() <= 1 - LEAST_PAGE
        for colour in colours
    )


def _unlike(image: Uint8, colour: Colour, tolerance: int) -> Mask:
    plain = np.broadcast_to(colour, image.shape)
    away = np.asarray(cv2.absdiff(image, np.ascontiguousarray(plain)), np.uint8)
    return np.asarray(away.max(axis=2) > tolerance, bool)


def _standing_out(mask: Mask) -> dict[Box, bool]:
    """The boxes of large parts, without what sticks out of them (ticks, letters), and whether
    each is a rectangle."""
    height, width = mask.shape
    outer, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    filled = np.zeros((height, width), np.uint8)
    cv2.drawContours(filled, list(outer), -1, 1, cv2.FILLED)
    side = max(5, min(height, width) // 40) | 1
    opened = cv2.morphologyEx(filled, cv2.MORPH_OPEN, np.ones((side, side), np.uint8))
    count, _, stats, _ = cv2.connectedComponentsWithStats(np.asarray(opened, np.uint8))
    found = {}
    for x, y, w, h, area in stats[1:count].tolist():
        if w >= LEAST_SIDE * width and h >= LEAST_SIDE * height:
            found[Box(x, y, w, h)] = area >= LEAST_FILLED * w * h
    return found


def _beside_a_gap(image: Uint8, colours: Sequence[Colour]) -> Iterator[tuple[Box, Box]]:
    """What lies on either side of the widest empty strip in the middle third."""
    for colour, upright in product(colours, (True, False)):
        mask = _unlike(image, colour, min(PAGE_TOLERANCES))
        mask = mask if upright else mask.T
        length = mask.shape[1]
        used: Mask = np.asarray(mask.any(axis=0), bool)
        used[: length // 3] = used[length - length // 3 :] = True
        edges = np.flatnonzero(np.diff(used.astype(np.int8)))
        if len(edges) < 2:
            continue
        starts, ends = edges[::2] + 1, edges[1::2] + 1
        widest = int(np.argmax(ends - starts))
        parts = mask[:, : starts[widest]], mask[:, ends[widest] :]
        if not all(part.any() for part in parts):
            continue
        first, second = bounds(parts[0]), bounds(parts[1], int(ends[widest]))
        pair = _in_order((first, second) if upright else (_turned(first), _turned(second)))
        least_w, least_h = LEAST_SIDE * image.shape[1], LEAST_SIDE * image.shape[0]
        if pair and all(box.w >= least_w and box.h >= least_h for box in pair):
            yield pair


def _turned(box: Box) -> Box:
    return Box(box.y, box.x, box.h, box.w)


def _halves(image: Uint8) -> list[tuple[Box, Box]]:
    height, width = image.shape[:2]
    w, h = width // 2, height // 2
    return [
        (Box(0, 0, w, height), Box(width - w, 0, w, height)),
        (Box(0, 0, width, h), Box(0, height - h, width, h)),
    ]


def _cut(image: NDArray[T], box: Box) -> NDArray[T]:
    return image[box.y : box.y + box.h, box.x : box.x + box.w]


def _is_flat(image: Uint8, box: Box) -> bool:
    """Whether a part is of one colour, as the bars of a letterbox are."""
    return bool(np.std(_cut(image, box), axis=(0, 1)).max() < FLAT_LINE)


def _are_alike(image: Uint8, first: Box, second: Box) -> bool:
    return _likeness(image, first, second) >= LEAST_LIKENESS


def _likeness(image: Uint8, *boxes: Box) -> float:
    """Correlation of what is finer than a quarter of two parts: skies above grounds are not alike
    because of that. 0 where one is constant or smaller than 8 pixels a side."""
    if min(side for box in boxes for side in box[2:]) < 8:
        return 0.0
    fine = []
    for box in boxes:
        # Small, so that a displacement of a few pixels is no difference.
        small = cv2.resize(_cut(image, box), (THUMB, THUMB), interpolation=cv2.INTER_AREA)
        values = small.astype(np.float64)
        fine.append((values - cv2.GaussianBlur(values, (0, 0), THUMB / 16)).ravel())
    if min(each.std() for each in fine) < 1e-6:
        return 0.0
    return float(np.asarray(np.corrcoef(np.stack(fine)))[0, 1])


def _without_frame(image: Uint8, *boxes: Box) -> list[Box]:
    """The boxes without the lines of a frame at their edges that both have."""
    found = list(boxes)
    for axis, last in product((0, 1), (False, True)):
        side = min(box[3 - axis] for box in found)
        for _ in range(min(_most_lines(side), side - 1)):
            if not all(_begins_with_frame(_cut(image, box), axis, last) for box in found):
                break
            found = [_shortened(box, axis, last) for box in found]
    return found


def _most_lines(side: int) -> int:
    return max(4, int(MOST_FRAME * side))


def _begins_with_frame(part: Uint8, axis: int, last: bool) -> bool:
    """Whether the outermost line of a part is of a frame: of one colour; of one but for ticks, and
    of another one than the next line; or like the next line with much less contrast, as where the
    frame covers a part of the pixels."""
    end, length = part.shape[axis] - 1, part.shape[1 - axis]
    places = [end, max(0, end - 1)] if last else [0, min(1, end)]
    corner = min(_most_lines(length), length // 4)  # which belongs to the frame of another edge
    lines = part.take(places, axis=axis).swapaxes(0, axis)[:, corner : length - corner]
    outer, inner = lines.astype(np.float64)
    if np.ptp(outer, axis=0).max() <= FLAT_LINE:
        return True
    low, middle, high = np.percentile(outer, (TICKS, 50, 100 - TICKS), axis=0)
    apart = np.abs(middle - np.median(inner, axis=0)).max()
    if (high - low).max() <= FLAT_LINE < apart:
        return True
    contrast, beside = outer.std(), inner.std()
    alike = (
        (outer - outer.mean()) * (inner - inner.mean())
    ).mean() >= BLENDED_ALIKE * contrast * beside
    return bool(alike and contrast < BLENDED * beside)


def _shortened(box: Box, axis: int, last: bool) -> Box:
    sides = list(box)
    sides[3 - axis] -= 1
    if not last:
        sides[1 - axis] += 1
    return Box(*sides)


def _of_one_size(image: Uint8, test: Box, ref: Box) -> tuple[Box, Box]:
    """The boxes cut to their common size, where the two images agree best."""
    w, h = min(test.w, ref.w), min(test.h, ref.h)
    tests, refs = (
        [Box(box.x + x, box.y + y, w, h) for x, y in _slack(box, w, h)] for box in (test, ref)
    )

    def difference(pair: tuple[Box, Box]) -> float:
        return float(np.mean(cv2.absdiff(_cut(image, pair[0]), _cut(image, pair[1]))))

    return min(product(tests, refs), key=difference)


def _slack(box: Box, w: int, h: int) -> Iterator[tuple[int, int]]:
    """Every displacement of up to 2 pixels in a larger box, and its middle."""
    most_x, most_y = box.w - w, box.h - h
    if max(most_x, most_y) <= 2:
        yield from product(range(most_x + 1), range(most_y + 1))
    else:
        yield from product({0, most_x // 2, most_x}, {0, most_y // 2, most_y})

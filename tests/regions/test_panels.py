"""The two images on a page: made pages, and published plots."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from vfiscope.errors import UsageError
from vfiscope.regions.panels import find_panels
from vfiscope.types import Box

Image = NDArray[np.uint8]


def scene(height: int, width: int, seed: int = 3) -> Image:
    """Smooth colours, in which both images of a page are alike."""
    coarse = np.random.default_rng(seed).integers(40, 230, (12, 18, 3), dtype=np.uint8)
    return np.asarray(cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC), np.uint8)


def changed(image: Image) -> Image:
    other = image.copy()
    other[20:40, 30:60] = 255 - other[20:40, 30:60]
    return other


def page(
    size: tuple[int, int], places: list[tuple[Image, int, int]], colour: tuple[int, ...]
) -> Image:
    made = np.full((*size, 3), colour, np.uint8)
    for image, x, y in places:
        made[y : y + image.shape[0], x : x + image.shape[1]] = image
    return made


REF = scene(80, 120)
TEST = changed(REF)


@pytest.mark.parametrize("colour", [(255, 255, 255), (0, 0, 0), (240, 228, 200)])
@pytest.mark.parametrize(("dx", "dy"), [(150, 0), (0, 100), (121, 1)])
def test_a_page_with_margins(colour: tuple[int, ...], dx: int, dy: int) -> None:
    made = page((210, 310), [(REF, 20, 15), (TEST, 20 + dx, 15 + dy)], colour)
    assert find_panels(made) == (Box(20 + dx, 15 + dy, 120, 80), Box(20, 15, 120, 80))


def test_axes_with_ticks_and_titles() -> None:
    made = page((150, 340), [(REF, 40, 30), (TEST, 190, 30)], (255, 255, 255))
    for x in (40, 190):
        cv2.rectangle(made, (x - 1, 29), (x + 120, 110), (0, 0, 0), 1)
        for tick in range(0, 120, 30):
            cv2.line(made, (x + tick, 110), (x + tick, 114), (0, 0, 0), 1)
            cv2.line(made, (x - 6, 30 + tick // 2), (x - 1, 30 + tick // 2), (0, 0, 0), 2)
        cv2.putText(made, "image", (x + 20, 20), cv2.FONT_HERSHEY_SIMPLEX, 0.5, (0, 0, 0), 1)
    assert find_panels(made) == (Box(190, 30, 120, 80), Box(40, 30, 120, 80))


def test_a_frame_of_thick_lines_that_do_not_fall_on_pixels() -> None:
    """Inwards: a halo with ticks, two black lines, and one that covers the rest of its pixels."""
    made = page((150, 340), [(REF, 40, 30), (TEST, 190, 30)], (255, 255, 255))
    for x in (40, 190):
        part = made[30:110, x : x + 120]
        part[[0, -1]] = part[[0, -1]] // 3
        part[1:-1, [0, -1]] = part[1:-1, [0, -1]] // 3
        cv2.rectangle(made, (x - 3, 27), (x + 122, 112), (220, 220, 220), 1)
        cv2.rectangle(made, (x - 2, 28), (x + 121, 111), (0, 0, 0), 1)
        cv2.rectangle(made, (x - 1, 29), (x + 120, 110), (0, 0, 0), 1)
        for tick in range(0, 120, 30):
            cv2.line(made, (x + tick, 112), (x + tick, 117), (0, 0, 0), 1)
    assert find_panels(made) == (Box(191, 31, 118, 78), Box(41, 31, 118, 78))


def test_sizes_that_differ_by_two_pixels_are_cut_where_they_agree() -> None:
    larger = scene(82, 122)
    made = page((110, 300), [(larger, 10, 12), (changed(larger)[1:81, 2:122], 160, 13)], (255,) * 3)
    assert find_panels(made) == (Box(160, 13, 120, 80), Box(12, 13, 120, 80))


def test_images_that_fill_the_page() -> None:
    joined = np.concatenate([REF, TEST], axis=1)
    assert find_panels(joined) == (Box(120, 0, 120, 80), Box(0, 0, 120, 80))
    joined = np.concatenate([REF, TEST], axis=0)
    assert find_panels(joined) == (Box(0, 80, 120, 80), Box(0, 0, 120, 80))
    gutter = np.zeros((80, 6, 3), np.uint8)
    joined = np.concatenate([REF, gutter, TEST], axis=1)
    assert find_panels(joined) == (Box(126, 0, 120, 80), Box(0, 0, 120, 80))


def test_drawings_without_a_frame() -> None:
    made = np.full((120, 320, 3), 255, np.uint8)
    for x in (10, 170):
        cv2.circle(made, (x + 30, 60), 28, (200, 30, 30), -1)
        cv2.line(made, (x + 60, 100), (x + 120, 20), (0, 0, 0), 3)
        cv2.line(made, (x + 60, 20), (x + 120, 100), (0, 0, 0), 3)
    made[60:70, 200:215] = 255  # a hole in the second
    test, ref = find_panels(made)
    assert (test.x - ref.x, test.y, test.w, test.h) == (160, ref.y, ref.w, ref.h)
    assert ref.w > 110
    assert ref.h > 80


def test_the_two_that_are_alike_of_several() -> None:
    mask = np.zeros_like(REF)
    mask[20:40, 30:60] = 255
    made = page((110, 430), [(mask, 10, 15), (REF, 150, 15), (TEST, 290, 15)], (255,) * 3)
    assert find_panels(made) == (Box(290, 15, 120, 80), Box(150, 15, 120, 80))


@pytest.mark.parametrize(
    "image",
    [
        scene(100, 150),
        np.zeros((1, 1, 3), np.uint8),
        np.full((3, 2, 3), 200, np.uint8),
        np.full((60, 90, 3), 255, np.uint8),
        page((200, 300), [(REF, 20, 15)], (255, 255, 255)),
        page((200, 300), [(REF, 10, 15), (scene(60, 90, seed=4), 170, 15)], (255, 255, 255)),
    ],
    ids=["a photograph", "1x1", "3x2", "white", "one image", "two of other sizes"],
)
def test_pages_without_two_images_are_refused(image: Image) -> None:
    height, width = image.shape[:2]
    with pytest.raises(UsageError, match=f"no two images of like size .* {width}x{height}"):
        find_panels(image)


def test_published_plots(shared_data: Path) -> None:
    """Axes of 356 x 219 with their frames, and a figure of five axes without any."""
    folder = shared_data / "golden"
    expected = {
        "diffspotter_ex6/pair_plot.png": (Box(490, 17, 354, 217), Box(63, 17, 354, 217)),
        "diffspotter_ex6/final_plot.png": (Box(490, 17, 354, 217), Box(63, 17, 354, 217)),
        "trackshift_tire/published_p1.png": (Box(495, 32, 356, 356), Box(10, 32, 356, 356)),
        "trackshift_tire/published_p4.png": (Box(495, 32, 356, 356), Box(10, 32, 356, 356)),
    }
    for name, boxes in expected.items():
        image = np.ascontiguousarray(cv2.imread(str(folder / name))[..., ::-1])
        assert find_panels(image) == boxes

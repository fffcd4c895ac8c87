"""Black bars are found to the pixel, and dark scenes are not taken for them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers.media import Array, noise, write_video

from vfiscope import synth
from vfiscope.sources import open_source
from vfiscope.sources.bars import Bars, Borders, look

H, W = 72, 96
SCENE = synth.Scene(H, W, seed=3, objects=0, velocity=(2.0, 1.0))
CLIP = np.stack(list(SCENE.frames(12)))


def barred(frames: Array, bars: Bars, level: int = 0, uneven: int = 0) -> Array:
    """Frames with bars of a level, give or take noise."""
    out = np.clip(noise(*frames.shape[:3]).astype(int) % (uneven + 1) + level, 0, 255)
    out = out.astype(np.uint8)
    rows, columns = slice(bars.top, H - bars.bottom), slice(bars.left, W - bars.right)
    out[:, rows, columns] = frames[:, rows, columns]
    return out


def found(frames: Array, **options: Any) -> Bars | None:
    with open_source(frames, **options) as source:
        return look(source).bars()


@pytest.mark.parametrize("bars", [Bars(9, 9, 0, 0), Bars(0, 0, 14, 12), Bars(6, 8, 10, 10), Bars()])
@pytest.mark.parametrize(("level", "uneven"), [(0, 0), (18, 8)])
def test_bars_are_found_to_the_pixel(bars: Bars, level: int, uneven: int) -> None:
    assert found(barred(CLIP, bars, level, uneven)) == bars
    assert found(barred(CLIP, bars, level, uneven).astype(np.uint16) * 257) == bars


def test_a_fade_from_black_hides_no_bar() -> None:
    fade = (barred(CLIP, Bars(9, 9)) * np.linspace(0, 1, 12)[:, None, None, None]).astype(np.uint8)
    assert found(fade) == Bars(9, 9)


def test_padding_is_found_on_one_side() -> None:
    assert found(barred(CLIP, Bars(bottom=8))) == Bars(bottom=8)


def night(horizon: Array) -> Array:
    """The clip under a black sky that ends at a row for each column."""
    sky = np.arange(H)[:, None] < horizon[None, :]
    return np.where(sky[None, :, :, None], np.uint8(3), CLIP)


def test_dark_scenery_is_no_bar() -> None:
    level = np.full(W, 24)
    hills = (24 + 8 * np.sin(np.arange(W) / 6)).astype(int)
    dusk = (CLIP * (np.arange(H) / H)[:, None, None]).astype(np.uint8)
    for scene in (night(level), night(hills), dusk):
        assert found(scene) == Bars()


def test_what_is_all_dark_tells_nothing() -> None:
    dark = (CLIP // 20).astype(np.uint8)
    assert found(dark) is None
    with open_source(dark) as one, open_source(barred(CLIP, Bars(9, 9))) as other:
        assert not look(one).differ(look(other))


def test_crop_leaves_out_the_bars_of_a_source() -> None:
    with open_source(barred(CLIP, Bars(9, 7)), crop="bars") as source:
        assert source.size == (H - 16, W)
        (frames,) = list(source.select(source.selection))[:1]
    assert np.array_equal(frames.interleaved, CLIP[: len(frames), 9 : H - 7])


@pytest.mark.parametrize("bars", [Bars(11, 11), Bars(left=13, right=13)])
def test_compression_moves_no_edge(tmp_path: Path, bars: Bars) -> None:
    options = {"crf": "30", "x264-params": "log-level=none"}
    how: dict[str, Any] = {"codec": "libx264", "pix_fmt": "yuv420p", "options": options}
    path = write_video(tmp_path / "a.mp4", barred(CLIP, bars, 16), **how)
    with open_source(path) as source:
        assert look(source).bars() == bars


@pytest.mark.parametrize("batch", [7, 250])
def test_of_a_long_sequence_every_fifth_frame_is_looked_at_first_and_every_25th_later(
    batch: int,
) -> None:
    frames, borders = np.zeros((300, 8, 8, 3), np.uint8), Borders()
    with open_source(frames, batch=batch) as source:
        for passed in borders.watch(source):
            assert len(passed) <= batch
    assert borders.frames == 48 + 2  # up to frame 235, then 250 and 275


def test_bars_differ_from_what_a_fade_shows_there_later() -> None:
    """Its first frames are brighter than a bar may be, and too dark to tell that one is none."""
    grey = np.broadcast_to(np.arange(45, 105, 5, np.uint8)[:, None, None, None], (12, H, W, 3))
    with open_source(grey) as faded, open_source(barred(grey, Bars(9, 9, 0, 0))) as other:
        assert look(faded).frames > 1
        assert look(faded).differ(look(other))


def test_where_every_border_was_lit_there_is_no_bar_to_look_for() -> None:
    frames, borders = np.zeros((120, 8, 8, 3), np.uint8), Borders()
    frames[10, :, :7] = 90
    frames[20, :, 7] = 90
    with open_source(frames) as source:
        for _ in borders.watch(source):
            pass
        assert borders.are_lit
        assert borders.frames == 5 + 4  # 0, 5, 10, 15 and 20, then 25, 50, 75 and 100
        assert look(source).frames == 11  # of images every second one, up to 20
        assert look(source).bars() == Bars()

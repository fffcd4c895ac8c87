"""How signals see the frames around theirs, whatever batches a run is made of and wherever it goes
on."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import cv2
import numpy as np
import pytest
from helpers.media import noise

from vfiscope.pixels import luma_bytes
from vfiscope.scoring.score import Plan, score_pairs
from vfiscope.signals import SIGNALS, Sight, Signal, SignalFrame, rows_before
from vfiscope.signals.frame_views import block_means, scaled_down
from vfiscope.signals.signal import PAST_ROWS
from vfiscope.sources import open_source
from vfiscope.types import Pairs, SignalSpec, Status

NAN = float("nan")
FRAMES = noise(12, 20, 30, seed=3)
LUMA = np.stack([cv2.cvtColor(each, cv2.COLOR_RGB2GRAY) for each in FRAMES]).astype(float)
CUTS = [(12,), (1,) * 12, (5, 7), (3, 3, 3, 3), (4, 1, 7)]


def pairs_of(*unreadable: int, frames: np.ndarray = FRAMES) -> Pairs:
    with open_source(frames, batch=len(frames)) as source:
        (batch,) = source
    batch.status[list(unreadable)] = Status.UNREADABLE
    return Pairs(batch, None)


def signal(name: str, compute: Any, looks_at: Sight) -> Signal:
    return Signal(SignalSpec(name, "code", "."), compute, looks_at)


def to_after(frame: SignalFrame) -> float:
    return NAN if frame.after is None else float(cv2.absdiff(frame.luma, frame.after.luma).mean())


def furthest(frame: SignalFrame) -> float:
    """The place of the frame that is furthest back, by its mean."""
    if not frame.past:
        return NAN
    return float(np.abs(LUMA.mean(axis=(1, 2)) - frame.past[-1].mean()).argmin())


def twice_back(frame: SignalFrame) -> float:
    """The change of the frame before, which it has computed when it had one before it."""

    def change(of: SignalFrame) -> float:
        before = of.before
        return NAN if before is None else float(of.luma.mean()) - float(before.luma.mean())

    frame.share("change", lambda: change(frame))
    return NAN if frame.before is None else frame.before.share("change", lambda: NAN)


LOOKING = {
    "luma_mean": SIGNALS["luma_mean"],
    "frame_difference": SIGNALS["frame_difference"],
    "to_after": signal("to_after", to_after, Sight.AFTER),
    "furthest": signal("furthest", furthest, Sight.PAST),
    "twice_back": signal("twice_back", twice_back, Sight.BEFORE | Sight.PAST),
}


def columns(pairs: Pairs, cut: tuple[int, ...], start: int = 0, **signals: Signal) -> Any:
    """{signal: values} of the rows from ``start`` on, with as many rows read before as needed, in
    batches of the lengths of ``cut``."""
    plan = Plan({}, {}, {}, signals)
    lead = min(start, plan.rows_before)
    edges = [max(start - lead, edge) for edge in itertools.accumulate(cut, initial=0)]
    batches = [pairs[a:b] for a, b in itertools.pairwise(edges) if a < b]
    made = [scores.signals for scores in score_pairs(batches, plan, {}, lead=lead)]
    assert all(values.dtype == np.float32 for part in made for values in part.values())
    return {name: np.concatenate([part[name] for part in made]) for name in signals}


def expected() -> dict[str, list[float]]:
    """Frame 4 cannot be read: it has no value, and those around it none that need it."""
    luma = [NAN if n == 4 else (LUMA[n]).mean() for n in range(12)]
    steps = np.abs(np.diff(LUMA, axis=0)).mean(axis=(1, 2))
    steps[[3, 4]] = NAN
    change = np.diff(luma)
    back = [NAN if n in (0, 5) else max(n - 6, 0 if n < 5 else 5) for n in range(12)]
    back[4] = NAN
    twice = [NAN, NAN, *change[:10]]
    twice[4] = NAN  # a frame that cannot be read, whatever came before
    return {"to_after": [*steps, NAN], "furthest": back, "twice_back": twice}


@pytest.mark.parametrize("cut", CUTS)
def test_values_do_not_depend_on_how_rows_are_batched(cut: tuple[int, ...]) -> None:
    found = columns(pairs_of(4), cut, **LOOKING)
    for name, values in expected().items():
        np.testing.assert_allclose(found[name], values, rtol=1e-4, err_msg=name)
    exact = FRAMES.astype(np.float64) @ [0.299, 0.587, 0.114]
    exact[4] = NAN
    np.testing.assert_allclose(found["luma_mean"], exact.mean(axis=(1, 2)), rtol=1e-6)
    apart = np.abs(np.diff(FRAMES.astype(float), axis=0)).mean(axis=(1, 2, 3))
    apart[[3, 4]] = NAN
    np.testing.assert_allclose(found["frame_difference"], [NAN, *apart], rtol=1e-6)


@pytest.mark.parametrize("start", [1, 2, 4, 5, 6, 7, 11])
def test_values_do_not_depend_on_where_a_run_goes_on(start: int) -> None:
    whole = columns(pairs_of(4), (12,), **LOOKING)
    found = columns(pairs_of(4), (2, 3, 7), start, **LOOKING)
    for name, values in found.items():
        np.testing.assert_array_equal(values, whole[name][start:], err_msg=name)


def test_rows_that_are_read_before_are_as_few_as_signals_need() -> None:
    assert rows_before(Sight.NOTHING) == rows_before(Sight.AFTER) == 0
    assert rows_before(Sight.BEFORE | Sight.AFTER) == 1
    assert rows_before(Sight.BEFORE | Sight.PAST) == PAST_ROWS
    assert Plan({}, {}, {}, LOOKING).rows_before == PAST_ROWS
    assert Plan({}, {}, {}).rows_before == 0


@pytest.mark.parametrize("looks_at", [Sight.BEFORE, Sight.AFTER])
def test_scores_wait_for_the_next_batch_only_where_a_signal_looks_ahead(looks_at: Sight) -> None:
    pairs, read = pairs_of(), []

    def batches() -> Iterator[Pairs]:
        for start in range(0, 12, 3):
            read.append(start)
            yield pairs[start : start + 3]

    plan = Plan({}, {}, {}, {"any": signal("any", lambda _: 0.0, looks_at)})
    rows = [(each.frames.index[0], read[-1]) for each in score_pairs(batches(), plan, {})]
    ahead = 3 if looks_at == Sight.AFTER else 0
    assert rows == [(start, min(start + ahead, 9)) for start in range(0, 12, 3)]


def test_no_frame_keeps_those_long_before_it_in_memory() -> None:
    seen: list[SignalFrame] = []
    looking = signal("any", lambda frame: seen.append(frame) or 0.0, Sight.BEFORE | Sight.AFTER)
    columns(pairs_of(), (5, 3, 4), any=looking)
    assert [frame.index for frame in seen] == list(range(12))
    for frame in seen[1:]:
        assert frame.before is not None
        assert frame.before.index == frame.index - 1
        assert (frame.before.before, frame.before.after, frame.past) == (None, None, ())
    owned = [frame.index for frame in seen if frame.pixels.base is None]
    assert owned == [4]  # the last of a large batch does not keep the whole batch


def test_without_signals_nothing_is_held_back() -> None:
    (made,) = score_pairs([pairs_of()], Plan({}, {}, {}), {})
    assert made.signals == {}


# --------------------------------------------------------------------------------------- the views


def test_views_are_means_of_whole_squares() -> None:
    """1000 wide: a third is 333, of which a half is 166."""
    pixels = noise(1, 401, 1000, seed=1)[0]
    frame = SignalFrame(pixels, 8)
    luma = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    squares = luma[:399, :999].reshape(133, 3, 333, 3).astype(float).mean(axis=(1, 3))
    assert (frame.luma == luma).all()
    assert np.abs(frame.small - squares).max() <= 0.5
    squares = frame.small[:132, :332].reshape(66, 2, 166, 2).astype(float).mean(axis=(1, 3))
    assert np.abs(frame.tiny - squares).max() <= 0.5
    assert frame.small is frame.linked(frame, None, ()).small


def test_views_of_frames_that_are_small_already() -> None:
    pixels = noise(1, 5, 240, seed=1)[0]
    frame = SignalFrame(pixels, 8)
    assert frame.tiny is frame.small is frame.luma
    assert frame.blocks is None
    other = SignalFrame(np.zeros_like(pixels), 8)
    blocks = SignalFrame(pixels, 8, before=other).blocks
    assert blocks is not None
    by_hand = frame.luma.reshape(5, 15, 16).astype(float).mean(axis=(0, 2))
    np.testing.assert_allclose(blocks, by_hand[None], rtol=1e-6)
    assert block_means(np.full((3, 2), 7, np.uint8)).tolist() == [[7.0]]
    assert scaled_down(np.full((300, 900), 9, np.uint8), 480).tolist() == [[9] * 450] * 150
    assert scaled_down(np.full((1, 900), 9, np.uint8), 480).tolist() == [[9] * 900]


def test_deep_luma_is_scaled_to_8_bits() -> None:
    pixels = np.full((2, 3, 3), 1023, np.uint16)
    pixels[0] = 514
    assert luma_bytes(pixels, 10).tolist() == [[128] * 3, [255] * 3]

"""Whether a frame is a mixture of reference frames, and of which."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest

import vfiscope as vs
from vfiscope.segments.detectors.mixed import MIX_SIGNALS
from vfiscope.signals.reference_mix import EARLIER, LATER, OFF, PLANES, _weights

HEIGHT, WIDTH, COUNT, AT = 96, 160, 7, 3
GROUND = cv2.resize(
    np.random.default_rng(4).integers(0, 255, (60, 200, 3), np.uint8),
    (800, 240),
    interpolation=cv2.INTER_CUBIC,
)


def view(place: float) -> np.ndarray:
    """The ground from a camera that has gone so many pixels to the right."""
    matrix = np.array([[1, 0, -place], [0, 1, 0]], np.float64)
    moved = cv2.warpAffine(GROUND, matrix, (WIDTH + 300, HEIGHT))
    return np.ascontiguousarray(moved[:, 200 : 200 + WIDTH])


REF = np.stack([view(9.0 * number) for number in range(COUNT)])


def mixed(*weights: float) -> np.ndarray:
    """A mixture of the reference frames before, at and behind the place of the test frame."""
    parts = REF[AT - 1 : AT + 2].astype(float)
    return np.rint(np.tensordot(np.array(weights), parts, 1)).astype(np.uint8)


def scored(frame: np.ndarray, **options: Any) -> vs.Run:
    test = REF.copy()
    test[AT] = frame
    return vs.score(test, ref=REF, metrics=["psnr"], signals=[*MIX_SIGNALS], **options)


@pytest.mark.parametrize("weights", [(0.5, 0, 0.5), (0, 0.6, 0.4), (0.3, 0.4, 0.3)])
def test_the_parts_of_a_mixture_are_found(weights: tuple[float, ...]) -> None:
    with scored(mixed(*weights)) as run:
        explained, before, after = (float(run.signals[name][AT]) for name in MIX_SIGNALS)
        assert explained > 0.95
        assert (before, after) == pytest.approx((weights[0], weights[2]), abs=0.02)
        (ghost,) = [each for each in run.segments if each.kind == "ghosting"]
        assert (ghost.start, ghost.stop, ghost.metric) == (AT, AT + 1, "mix_explained")
        assert ghost.confidence > 0.9
        said = [
            f"{round(100 * weight)} % of frame {AT - 1 + number}"
            for number, weight in enumerate(weights)
            if weight
        ]
        assert ghost.evidence.startswith(f"frame {AT} is a mixture of reference frames, {said[0]}")
        assert f"and {said[-1]}, which explains" in ghost.evidence
        others = np.delete(run.signals["mix_explained"], AT)
        assert not (others > 0).any()  # nothing differs, or a frame beside is missing


TORN = np.concatenate([REF[AT - 1][:72], REF[AT][72:]])
NOT_MIXED = {
    "a repeat": REF[AT - 1],
    "a tear": TORN,
    "a little late": view(9.0 * AT - 0.75),
    "half way": view(9.0 * AT - 4.5),
    "softer": cv2.GaussianBlur(REF[AT], (0, 0), 1.5),
    "brighter": REF[AT] // 2 + 80,
}


@pytest.mark.parametrize("name", NOT_MIXED)
def test_what_is_no_mixture_is_not_called_one(name: str) -> None:
    with scored(NOT_MIXED[name]) as run:
        assert not [each for each in run.segments if each.kind == "ghosting"], run.segments


def test_depths_may_differ_and_registered_frames_are_left_out() -> None:
    test = REF.astype(np.uint16) * 257
    test[AT] = mixed(0.5, 0, 0.5).astype(np.uint16) * 257
    with vs.score(test, ref=REF, metrics=["psnr"], signals=["mix_explained"]) as run:
        assert run.signals["mix_explained"][AT] > 0.95
    with scored(mixed(0.5, 0, 0.5), register="ecc") as run:
        assert np.isnan(run.signals["mix_explained"]).all()


@pytest.mark.parametrize("other", [(0.3, 1.0), (1.0, 0.0), (-0.5, 0.0), (0.0, 0.0)])
def test_weights_are_the_shortest_least_squares(other: tuple[float, float]) -> None:
    rng = np.random.default_rng(6)
    one, noise = rng.normal(size=(2, 40))
    steps = np.stack(
        [one, other[0] * one + other[1] * noise], axis=1
    )  # parallel, but for the first
    off, mean = rng.normal(size=40), np.zeros((PLANES, PLANES))
    mean[EARLIER : LATER + 1, EARLIER : LATER + 1] = steps.T @ steps
    mean[OFF, EARLIER : LATER + 1] = steps.T @ off
    expected, *_ = np.linalg.lstsq(steps, off)
    assert _weights(mean) == pytest.approx(tuple(expected))
    assert _weights(np.zeros_like(mean)) == (0, 0)

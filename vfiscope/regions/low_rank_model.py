"""A low-rank model of normal frames: every normal frame is nearly a mean frame plus a few others,
weighted.

The model is an incremental principal component analysis (Ross et al., "Incremental Learning for
Robust Visual Tracking", IJCV 2008, as scikit-learn has it) of small frames, whose light was fitted
to that of the mean frame by a gain and an offset. The errors of a frame are what is left of it
after it was projected on the components. The projection leaves out, step by step, the places with
large errors, so that a defect does not bend it (after Candes et al., "Robust principal component
analysis?", J. ACM 2011, in the simplest form). Each place has its own scale, the root mean square
error of normal frames there; an edge that trembles has a large one.

Calibration is that of :mod:`vfiscope.regions.normal`: frames in blocks, dealt to folds; the frames
of a fold are measured by a model of the others.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from vfiscope.errors import UsageError
from vfiscope.regions.extremes import level_above
from vfiscope.regions.normal_source import NormalFrames, is_hdf5, open_normal
from vfiscope.regions.settings import Sensitivity
from vfiscope.regions.steps import Light
from vfiscope.types import Float32, Uint8

__all__ = ["LowRankModel", "build_for", "build_low_rank"]

SMALL_SIDE = 96
"""Short side to which frames are reduced; smaller ones stay as they are."""
MOST_PIXELS = 96 * 1024
"""Of a small frame, whatever its shape."""
MOST_COMPONENTS = 12
FRAMES_AT_ONCE = 24
"""Frames with which the model is updated together."""
TRIMMED_ROUNDS = 4
KEPT_PART = 0.8
"""Part of the places, those with the least errors, that a frame is projected by."""
LEAST_CODES = 1.5
"""Standard deviation of a place in code values that is always allowed: rounding and noise."""
CALIBRATION_FOLDS = 2
LEAST_SINGULAR = 1e-3
"""Singular value of a component, in code values, that is more than rounding."""
LEAST_OF_MODEL = 4
"""Normal frames: two for each half."""


@dataclass(frozen=True, eq=False)
class Subspace:
    """A mean frame and components, of small frames as vectors."""

    mean: Float32
    """(V,)"""
    components: Float32
    """(K, V), orthonormal."""

    def residual(self, small: Float32) -> tuple[Float32, Light]:
        """What is left of a small frame (V,), and its light against that of the mean frame."""
        used = np.ones(len(small), bool)
        light, rest = Light(), small
        for _ in range(TRIMMED_ROUNDS):
            light = fitted(self.mean[used], small[used])
            level = (small - light.offset) / light.gain - self.mean
            weights = self.components[:, used] @ level[used]
            if not used.all() and len(weights):
                gram = self.components[:, used] @ self.components[:, used].T
                weights = np.linalg.lstsq(gram, weights, rcond=1e-6)[0]
            rest = np.asarray(level - weights @ self.components, np.float32)
            used = np.abs(rest) <= np.quantile(np.abs(rest), KEPT_PART)
        return rest, light


@dataclass(frozen=True, eq=False)
class LowRankModel:
    """A subspace with the scale of each place and the calibration."""

    subspace: Subspace
    shape: tuple[int, int]
    """(h, w) of small frames."""
    scale: Float32
    """(h, w) root mean square error of normal frames, in code values."""
    maxima: Float32
    """(n,) the largest error of each normal frame by a model of others, in scales."""
    size: tuple[int, int]
    """(height, width) of the normal frames."""
    source: str

    def level(self, sensitivity: Sensitivity) -> float:
        """The error above which a place is in no normal frame."""
        return level_above(self.maxima, sensitivity)

    def errors(self, frame: Uint8) -> tuple[Float32, Light]:
        """(h, w) errors of a frame (H, W, 3) in scales, and its light.

        Raises:
            UsageError: it has not the shape of the normal frames.
        """
        if small_shape(frame.shape[:2]) != self.shape:
            raise UsageError(
                f"the normal frames of {self.source!r} are {self.size[1]}x{self.size[0]} and these"
                f" {frame.shape[1]}x{frame.shape[0]}: pass normal frames of the same shape"
            )
        rest, light = self.subspace.residual(shrunk(frame, self.shape))
        return joined(rest, self.shape) / self.scale, light


def fitted(mean: Float32, small: Float32) -> Light:
    """Gain and offset of a frame against the mean frame, by least squares; a gain of 0.5 to 2."""
    centred = mean - mean.mean()
    spread = float(centred @ centred)
    gain = float(centred @ (small - small.mean())) / spread if spread > 0 else 1.0
    gain = min(max(gain, 0.5), 2.0)
    return Light(gain, float(small.mean()) - gain * float(mean.mean()))


def joined(rest: Float32, shape: tuple[int, int]) -> Float32:
    """(h, w) largest absolute error of R, G and B, averaged over 3 x 3 places."""
    worst = np.abs(rest.reshape(*shape, 3)).max(axis=2)
    return np.asarray(cv2.blur(worst, (3, 3), borderType=cv2.BORDER_REPLICATE), np.float32)


def small_shape(size: tuple[int, ...]) -> tuple[int, int]:
    """(h, w) of the small frame of one of (H, W) pixels."""
    height, width = size[0], size[1]
    factor = min(1.0, SMALL_SIDE / min(height, width), (MOST_PIXELS / (height * width)) ** 0.5)
    return max(1, round(height * factor)), max(1, round(width * factor))


def shrunk(frame: Uint8, shape: tuple[int, int]) -> Float32:
    """A frame (H, W, 3) as a vector (h * w * 3,) of code values."""
    small = cv2.resize(frame, (shape[1], shape[0]), interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.float32).ravel()


def build_low_rank(target: Any) -> LowRankModel:
    """The model of normal frames, read three times, in memory that does not grow with their number.

    Args:
        target: whatever :func:`vfiscope.regions.normal_source.open_normal` takes.

    Raises:
        SourceError, StoreError: the frames cannot be read.
        UsageError: there are fewer than four frames.
    """
    frames = open_normal(target)
    with frames.source:
        shape = small_shape(frames.source.size)
        return _built(frames, shape)


def _built(frames: NormalFrames, shape: tuple[int, int]) -> LowRankModel:
    """The model of open frames."""
    total, counts = np.zeros(shape[0] * shape[1] * 3), [0] * CALIBRATION_FOLDS
    for fold, small in _small(frames, shape):
        total += small
        counts[fold] += 1
    if min(counts) < 2:
        raise UsageError(
            f"{frames.name} has {sum(counts)} normal frames: pass {LEAST_OF_MODEL} or more, as each"
            " half makes a model"
        )
    mean = np.asarray(total / sum(counts), np.float32)
    whole = _subspace(mean, (small for _, small in _small(frames, shape)))
    of_others = [
        _subspace(mean, (small for own, small in _small(frames, shape) if own != fold))
        for fold in range(CALIBRATION_FOLDS)
    ]
    squares = np.zeros(shape)
    for fold, small in _small(frames, shape):
        squares += joined(of_others[fold].residual(small)[0], shape) ** 2
    scale = np.maximum(np.sqrt(squares / sum(counts)), LEAST_CODES).astype(np.float32)
    maxima = [
        float(
            max(
                (joined(each.residual(small)[0], shape) / scale).max()
                for each in (of_others[fold], whole)
            )
        )
        for fold, small in _small(frames, shape)
    ]
    size = frames.source.size
    return LowRankModel(whole, shape, scale, np.array(maxima, np.float32), size, frames.name)


def _small(frames: NormalFrames, shape: tuple[int, int]) -> Iterator[tuple[int, Float32]]:
    """Half and small frame of each frame."""
    for fold, pixels in frames:
        yield fold % CALIBRATION_FOLDS, shrunk(pixels, shape)


def _subspace(mean: Float32, frames: Iterable[Float32]) -> Subspace:
    """The components of frames whose light was fitted to that of the mean frame."""
    from sklearn.decomposition import IncrementalPCA

    made, held, most = None, [], min(MOST_COMPONENTS, len(mean))
    for small in frames:
        light = fitted(mean, small)
        held.append((small - light.offset) / light.gain - mean)
        if len(held) == FRAMES_AT_ONCE:
            made = _updated(made or IncrementalPCA(most), held)
            held = []
    if made is None:  # fewer frames than are taken at once
        made = _updated(IncrementalPCA(min(most, max(1, len(held) // 2))), held)
    elif len(held) >= most:  # scikit-learn takes no fewer; a few more frames tell little
        made = _updated(made, held)
    middle = np.asarray(mean + made.mean_, np.float32)
    told = made.singular_values_ > LEAST_SINGULAR
    return Subspace(middle, np.asarray(made.components_[told], np.float32))


def _updated(made: Any, held: Sequence[Float32]) -> Any:
    with np.errstate(invalid="ignore"):  # of frames that never change, 0 / 0 of the variance
        return made.partial_fit(np.stack(held))


def build_for(normal: str | None) -> LowRankModel:
    """The model of the frames that the settings name.

    Raises:
        SourceError, StoreError: they cannot be read.
        UsageError: as for :func:`frames_of_model`.
    """
    return build_low_rank(frames_of_model(normal))


def frames_of_model(normal: str | None) -> str:
    """The frames that the settings name.

    Raises:
        UsageError: they name none, or a memory bank, which holds patches and no frames.
    """
    from vfiscope.regions.normal_file import is_bank

    if normal is None:
        raise UsageError("reconstruction needs normal frames: pass --normal FOLDER, VIDEO or RUN")
    if is_hdf5(normal) and is_bank(normal):
        raise UsageError(
            f"{normal} is a memory bank, and reconstruction needs frames: pass --normal with the"
            " folder, video or run that it was built from"
        )
    return normal

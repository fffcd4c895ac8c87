"""The outputs: the map from test to reference, and one row for each frame."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from vfiscope.types.arrays import Float32, Float64, Int64, Uint8, check
from vfiscope.types.batch import Batch
from vfiscope.types.specs import Match, Verdict

__all__ = [
    "Cadence",
    "FrameTable",
    "Pairing",
    "Registration",
    "Registrations",
    "Scores",
    "Slip",
]


@dataclass(frozen=True, eq=False)
class Pairing:
    """A monotone map from N test frames to reference frames."""

    ref_index: Int64
    """(N,) decode ordinal of the partner, -1 where there is none; non-decreasing."""
    residual: Float32
    """(N,) RMS difference of the two signatures, each of mean 0 and variance 1: 0 where the two are
    equal, about 1.4 for unrelated frames, NaN where there is no partner or nothing was
    compared."""
    margin: Float32
    """(N,) 0..1: 1 less the ratio of the partner's squared residual to that of the second best,
    each with the noise of a codec added. 0 where another frame of the reference, or one just beyond
    its end, fits as well; near 1 where only the partner does. Without partner: how much worse the
    best one fits than partners elsewhere. NaN: not compared."""
    label: Uint8
    """(N,) values of :class:`Match`."""
    method: str
    """"auto" where the map was estimated, "shift" where a shift was passed."""
    offset: int
    """Reference ordinal minus test ordinal of the first frame that has a partner."""
    rate: Fraction
    """Reference frames per test frame: 1/2 where every reference frame has two test frames."""
    dropped: tuple[tuple[int, int], ...] = ()
    """Half-open ranges of reference ordinals between partners that no test frame shows, beyond what
    the rate omits."""
    displaced: tuple[tuple[int, int], ...] = ()
    """Ordinals of test frames without a partner that are out of order, each with that of the
    reference frame which it shows."""

    COLUMNS = ("ref_index", "residual", "margin", "label")

    def __post_init__(self) -> None:
        columns: dict[str, Any] = {name: getattr(self, name) for name in self.COLUMNS}
        check(
            all(c.shape == (len(self),) for c in columns.values()),
            "pairing columns must be (N,)",
            **columns,
        )
        partners = self.ref_index[self.ref_index >= 0]
        check(
            bool((np.diff(partners) >= 0).all()),
            "a pairing must be monotone",
            ref_index=self.ref_index,
        )
        named = ((self.label == Match.UNMATCHED) == (self.ref_index < 0)) & (
            self.label <= max(Match)
        )
        check(
            bool(named.all()),
            "rows without a partner, and no others, must be labelled unmatched",
            **columns,
        )
        check(
            self.method in ("auto", "shift") and self.rate > 0,
            f"a map of {self.method!r} at rate {self.rate}",
        )

    def __len__(self) -> int:
        return len(self.ref_index)

    @property
    def digest(self) -> str:
        """16 hexadecimal digits that name the map: equal where every test frame has the same
        partner."""
        return hashlib.sha256(self.ref_index.astype("<i8").tobytes()).hexdigest()[:16]

    def count(self, label: Match) -> int:
        """Number of test frames with that label."""
        return int((self.label == label).sum())


class Slip(NamedTuple):
    """Repeated or lost frames, after which a cadence goes on with all frames later or earlier."""

    frame: int
    """Decode ordinal of the first repeated test frame, or of the first one behind lost frames."""
    repeats: int
    """Number of frames that repeat the one before them; negative: number of frames lost."""


@dataclass(frozen=True, eq=False)
class Cadence:
    """The positions of N test frames among the frames of the lower-rate source that they were made
    from."""

    multiplier: Fraction
    """Test frames per source frame: 2 from 30 to 60 fps, 5/2 from 24 to 60."""
    before: Int64
    """(N,) decode ordinal of the source frame at the instant or the last before it, -1 outside of
    the source."""
    phase: Float64
    """(N,) position of the instant between there and the next source frame: 0 at an original, below
    1; NaN outside of the source."""
    role: Uint8
    """(N,) values of :class:`Role`: passed where the phase is 0."""
    start: Fraction
    """Source position of test frame 0, in drawings where there are any."""
    share: float
    """Part of the passed frames that are like their source frames, 0..1."""
    unlike: tuple[int, ...] = ()
    """Decode ordinals of the passed frames that are not."""
    slips: tuple[Slip, ...] = ()
    """Places where frames were repeated or lost, in order."""
    outside: int = 0
    """Number of frames that lie a whole source frame or more outside of the source. An interpolated
    video often ends with frames after its last original, which are not counted."""

    drawings: int = 0
    """Number of drawings where the test was made from them and not from all frames of the source:
    ``multiplier`` is then that of drawings, and a synthesised frame lies between the last frame of
    one and the first of the next. 0 otherwise."""
    held_for: int = 1
    """Frames for which the source usually holds a drawing; 1 for no animation."""

    COLUMNS = ("before", "phase", "role")

    def __post_init__(self) -> None:
        columns: dict[str, Any] = {name: getattr(self, name) for name in self.COLUMNS}
        check(
            all(c.shape == (len(self),) for c in columns.values()),
            "cadence columns must be (N,)",
            **columns,
        )

    def __len__(self) -> int:
        return len(self.before)


@dataclass(frozen=True, eq=False)
class Registration:
    """The registration of one test frame on its reference."""

    matrix: Float64
    """(3, 3) float64, from pixel coordinates (x, y, 1) of the test to those of the reference, up to
    their scale; pixel centres lie at whole numbers. The identity where it was refused: the frame is
    then used as it is."""
    method: str
    """"ecc", "sift" or "loftr"."""
    model: str
    """"affine" or "homography"."""
    verdict: Verdict
    reason: str
    """One sentence where it was refused; empty where it was accepted."""
    inliers: int
    """Matched points that agree with the matrix; with "ecc", points of the flow."""
    inlier_ratio: float
    """Their part of all matched points, 0..1; NaN where there are none."""
    residual: float
    """RMS distance in reference pixels at which they agree; NaN where there are none."""
    valid: float
    """Part of the reference that the registered test frame covers, 0..1."""

    def __post_init__(self) -> None:
        check(self.matrix.shape == (3, 3), "Registration.matrix must be (3, 3)", matrix=self.matrix)

    @property
    def accepted(self) -> bool:
        return self.verdict == Verdict.ACCEPTED


@dataclass(frozen=True, eq=False)
class Registrations(Batch):
    """The registrations of N test frames, as columns."""

    matrix: Float64
    """(N, 3, 3) float64, as :attr:`Registration.matrix`: what was done to each frame."""
    verdict: Uint8
    """(N,) values of :class:`Verdict`."""
    inliers: Int64
    """(N,)"""
    inlier_ratio: Float32
    """(N,) 0..1, NaN where no points were matched."""
    residual: Float32
    """(N,) px, NaN where no points were matched."""
    valid: Float32
    """(N,) 0..1, 1 where a frame was taken as it is."""

    COLUMNS = ("matrix", "verdict", "inliers", "inlier_ratio", "residual", "valid")

    def __post_init__(self) -> None:
        columns: dict[str, Any] = {name: getattr(self, name) for name in self.COLUMNS}
        shapes = {name: (len(self), 3, 3) if name == "matrix" else (len(self),) for name in columns}
        fits = all(column.shape == shapes[name] for name, column in columns.items())
        check(fits, "registration columns must be (N,), the matrix (N, 3, 3)", **columns)

    @property
    def accepted(self) -> NDArray[np.bool_]:
        """(N,) where the frame was registered; the others were taken as they are."""
        return np.asarray(self.verdict == Verdict.ACCEPTED)

    def one(self, row: int, method: str) -> Registration:
        """The accepted registration of a test frame, by the method of the run."""
        matrix = self.matrix[row]
        return Registration(
            matrix,
            method,
            "homography" if matrix[2, :2].any() else "affine",
            Verdict.ACCEPTED,
            "",
            int(self.inliers[row]),
            float(self.inlier_ratio[row]),
            float(self.residual[row]),
            float(self.valid[row]),
        )

    def count(self, verdict: Verdict) -> int:
        """Number of test frames with that verdict."""
        return int((self.verdict == verdict).sum())


@dataclass(frozen=True, eq=False)
class FrameTable:
    """One row per test frame."""

    index: Int64
    """(N,) decode ordinal of the test frame."""
    pts: Int64
    """(N,) in ``time_base`` units."""
    time_s: Float64
    """(N,) seconds from the first presented frame."""
    ref_index: Int64
    """(N,) decode ordinal of the partner, -1 where there is none."""
    role: Uint8
    """(N,) values of :class:`Role`."""
    phase: Float64
    """(N,) instant between the two source frames around it; NaN where unknown."""
    status: Uint8
    """(N,) values of :class:`Status`."""
    time_base: Fraction

    COLUMNS = ("index", "pts", "time_s", "ref_index", "role", "phase", "status")

    def __post_init__(self) -> None:
        columns: dict[str, Any] = {name: getattr(self, name) for name in self.COLUMNS}
        check(
            all(c.shape == (len(self),) for c in columns.values()),
            "frame columns must be (N,)",
            **columns,
        )

    def __len__(self) -> int:
        return len(self.index)


@dataclass(frozen=True, eq=False)
class Scores:
    """The scores of N pairs, on the CPU and ready to be stored."""

    frames: FrameTable
    values: Mapping[str, NDArray[np.float32]]
    """{metric: (N,) float32}, NaN where not defined."""
    maps: Mapping[str, NDArray[np.float16]]
    """{map: (N, h, w) float16}, absolute scale, NaN where not defined."""
    fields: Mapping[str, NDArray[np.float16]]
    """{field: (N, 2, h, w) float16}, (dx, dy) in pixels of the frame as scored."""
    registrations: Registrations | None = None
    """The registrations of the test frames; None where registration was not requested."""
    signals: Mapping[str, NDArray[np.float32]] = field(default_factory=dict)
    """{signal: (N,) float32}, NaN where not defined."""

    def __post_init__(self) -> None:
        n = len(self.frames)
        arrays: dict[str, Any] = {**self.values, **self.maps, **self.fields, **self.signals}
        check(all(a.shape[0] == n for a in arrays.values()), f"scores must have {n} rows", **arrays)
        if self.registrations is not None:
            check(
                len(self.registrations) == n,
                f"registrations must have {n} rows",
                matrix=self.registrations.matrix,
            )

    def __len__(self) -> int:
        return len(self.frames)

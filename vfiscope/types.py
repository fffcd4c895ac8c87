"""The words of vfiscope as frozen dataclasses. Imports neither torch nor any other part of the package."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from torch import Tensor

__all__ = [
    "Features",
    "FieldSpec",
    "FrameTable",
    "Frames",
    "Match",
    "MetricSpec",
    "Pairing",
    "Pairs",
    "Region",
    "Role",
    "Scores",
    "Segment",
    "SourceInfo",
    "Status",
]

Int64 = NDArray[np.int64]
Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]
Uint8 = NDArray[np.uint8]


class Status(IntEnum):
    """What happened to a frame. Of two frames in a pair the higher value counts."""

    OK = 0
    UNPAIRED = 1
    """It has no partner; nothing that needs one is defined."""
    CORRUPT = 2
    """The decoder said that it is damaged; it was scored all the same."""
    UNREADABLE = 3
    """There are no pixels; it keeps its row, and every score is NaN."""


class Role(IntEnum):
    """Where a frame of an interpolated sequence comes from."""

    PASSED = 0
    SYNTHESISED = 1
    UNKNOWN = 2


class Match(IntEnum):
    """How a test frame of a :class:`Pairing` got its partner."""

    MATCHED = 0
    REPEATED = 1
    """It has the partner of the matched test frame before it."""
    UNMATCHED = 2
    """No reference frame is its partner."""


def _check(condition: bool, what: str, **arrays: Any) -> None:
    """Raise ValueError with every shape and dtype involved unless the condition holds."""
    if not condition:
        shapes = ", ".join(f"{name} {tuple(value.shape)} {value.dtype}" for name, value in arrays.items())
        raise ValueError(f"{what}: {shapes}")


@dataclass(frozen=True, eq=False)
class Frames:
    """A batch of N frames in presentation order."""

    data: Tensor
    """(N, 3, H, W) uint8, or uint16 for deeper sources: RGB code values over the full range of ``bit_depth``."""
    index: Int64
    """(N,) decode ordinals, 0 for the first presented frame of the source."""
    pts: Int64
    """(N,) presentation times in ``time_base`` units."""
    time_s: Float64
    """(N,) seconds since the first presented frame of the source."""
    status: Uint8
    """(N,) values of :class:`Status`; the data of an unreadable frame is zero."""
    time_base: Fraction
    """Seconds per unit of ``pts``, exact."""
    bit_depth: int = 8
    """White is ``2 ** bit_depth - 1``: 8 with uint8 data, up to 16 with uint16 data."""

    def __post_init__(self) -> None:
        n = len(self.index)
        _check(
            self.data.ndim == 4 and self.data.shape[1] == 3 and self.data.shape[0] == n,
            "Frames.data must be (N, 3, H, W) with one index per frame",
            data=self.data,
            index=self.index,
        )
        _check(
            self.pts.shape == self.index.shape == self.time_s.shape == self.status.shape,
            "Frames.index, pts, time_s and status must be (N,)",
            index=self.index,
            pts=self.pts,
            time_s=self.time_s,
            status=self.status,
        )
        dtype = "uint8" if self.bit_depth == 8 else "uint16"
        _check(str(self.data.dtype).endswith(f".{dtype}"), f"bit depth {self.bit_depth} needs {dtype}", data=self.data)

    def __len__(self) -> int:
        return len(self.index)

    def __getitem__(self, rows: slice) -> Frames:
        """The frames of a slice of rows; shares memory."""
        return Frames(
            self.data[rows],
            self.index[rows],
            self.pts[rows],
            self.time_s[rows],
            self.status[rows],
            self.time_base,
            self.bit_depth,
        )

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) in pixels."""
        return int(self.data.shape[2]), int(self.data.shape[3])

    def __repr__(self) -> str:
        ends = f"{self.index[0]}..{self.index[-1]}" if len(self) else "none"
        return f"Frames({len(self)} x {self.size[0]}x{self.size[1]}, {self.bit_depth} bit, index {ends})"


@dataclass(frozen=True, eq=False)
class Features:
    """Embeddings of N frames."""

    pooled: Tensor
    """(N, D) float32, one vector per frame."""
    patches: Tensor
    """(N, h, w, D) float32, one vector per patch, rows from the top."""

    def __post_init__(self) -> None:
        _check(
            self.pooled.ndim == 2
            and self.patches.ndim == 4
            and self.pooled.shape[0] == self.patches.shape[0]
            and self.pooled.shape[1] == self.patches.shape[3],
            "Features need pooled (N, D) and patches (N, h, w, D)",
            pooled=self.pooled,
            patches=self.patches,
        )

    def __len__(self) -> int:
        return int(self.pooled.shape[0])

    def __getitem__(self, rows: slice) -> Features:
        return Features(self.pooled[rows], self.patches[rows])

    def __repr__(self) -> str:
        n, h, w, d = self.patches.shape
        return f"Features({n} x {h}x{w} patches, {d} dimensions)"


@dataclass(frozen=True, eq=False)
class Pairs:
    """N test frames, each with its partner; or N test frames that have none."""

    test: Frames
    ref: Frames | None
    """The partners, row by row; None where these test frames are unpaired."""
    test_features: Features | None = None
    ref_features: Features | None = None
    shared: dict[str, Any] = field(default_factory=dict, repr=False)
    """Values that several metrics of the same batch use, computed once."""

    def __post_init__(self) -> None:
        if self.ref is not None:
            _check(
                self.test.data.shape == self.ref.data.shape,
                "test and reference frames must agree in number and size",
                test=self.test.data,
                ref=self.ref.data,
            )

    def __len__(self) -> int:
        return len(self.test)

    def __getitem__(self, rows: slice) -> Pairs:
        return Pairs(
            self.test[rows],
            None if self.ref is None else self.ref[rows],
            None if self.test_features is None else self.test_features[rows],
            None if self.ref_features is None else self.ref_features[rows],
        )

    def share(self, key: str, compute: Callable[[], Any]) -> Any:
        """The value stored under ``key``, computed at its first use."""
        if key not in self.shared:
            self.shared[key] = compute()
        return self.shared[key]


@dataclass(frozen=True, eq=False)
class Pairing:
    """A monotone map from N test frames to reference frames."""

    ref_index: Int64
    """(N,) decode ordinal of the partner, -1 where there is none; never falls from one partner to the next."""
    residual: Float32
    """(N,) RMS difference of the two signatures, each of mean 0 and variance 1: 0 where the two are equal, about 1.4
    for unrelated pictures, NaN where there is no partner or nothing was compared."""
    margin: Float32
    """(N,) 0..1: 1 less the ratio of the partner's squared residual to that of the second best, each with the noise of
    a codec added. 0 where another frame of the reference, or one just beyond its end, fits as well; near 1 where only
    the partner does. Without partner: how much worse the best one fits than partners elsewhere. NaN: not compared."""
    label: Uint8
    """(N,) values of :class:`Match`."""
    method: str
    """"auto" where the map was found, "shift" where it was given."""
    offset: int
    """Reference ordinal minus test ordinal of the first frame that has a partner."""
    rate: Fraction
    """Reference frames to a test frame: 1/2 where every reference frame has two test frames."""
    dropped: tuple[tuple[int, int], ...] = ()
    """Half-open ranges of reference ordinals between partners that no test frame shows, beyond what the rate omits."""

    COLUMNS = ("ref_index", "residual", "margin", "label")

    def __post_init__(self) -> None:
        columns: dict[str, Any] = {name: getattr(self, name) for name in self.COLUMNS}
        _check(all(c.shape == (len(self),) for c in columns.values()), "pairing columns must be (N,)", **columns)
        partners = self.ref_index[self.ref_index >= 0]
        _check(bool((np.diff(partners) >= 0).all()), "a pairing must be monotone", ref_index=self.ref_index)
        named = ((self.label == Match.UNMATCHED) == (self.ref_index < 0)) & (self.label <= max(Match))
        _check(bool(named.all()), "rows without a partner, and no others, must be labelled unmatched", **columns)
        _check(self.method in ("auto", "shift") and self.rate > 0, f"a map of {self.method!r} at rate {self.rate}")

    def __len__(self) -> int:
        return len(self.ref_index)

    @property
    def digest(self) -> str:
        """16 hexadecimal digits that name the map: equal where every test frame has the same partner."""
        return hashlib.sha256(self.ref_index.astype("<i8").tobytes()).hexdigest()[:16]

    def count(self, label: Match) -> int:
        """Number of test frames with that label."""
        return int((self.label == label).sum())


@dataclass(frozen=True)
class MetricSpec:
    """What the numbers of a score or a map mean."""

    name: str
    unit: str
    """"dB", "px", or "1" for a plain ratio."""
    low: float
    high: float
    lower_is_better: bool
    identity: float
    """The value for identical frames, reached exactly."""
    floor: float
    """The smallest departure from a clip's own level that is worth flagging, in ``unit``."""
    description: str
    needs: str = "pixels"
    """"pixels" or "features"."""


@dataclass(frozen=True)
class FieldSpec:
    """What the vectors of a field mean: (dx, dy) in pixels of the full test frame."""

    name: str
    description: str
    unit: str = "px"
    needs: str = "features"


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
        _check(all(c.shape == (len(self),) for c in columns.values()), "frame columns must be (N,)", **columns)

    def __len__(self) -> int:
        return len(self.index)


@dataclass(frozen=True, eq=False)
class Scores:
    """What N pairs scored, on the CPU and ready to be stored."""

    frames: FrameTable
    values: Mapping[str, NDArray[np.float32]]
    """{metric: (N,) float32}, NaN where not defined."""
    maps: Mapping[str, NDArray[np.float16]]
    """{map: (N, h, w) float16}, absolute scale, NaN where not defined."""
    fields: Mapping[str, NDArray[np.float16]]
    """{field: (N, 2, h, w) float16}, (dx, dy) in pixels."""

    def __post_init__(self) -> None:
        n = len(self.frames)
        arrays: dict[str, Any] = {**self.values, **self.maps, **self.fields}
        _check(all(a.shape[0] == n for a in arrays.values()), f"scores must have {n} rows", **arrays)

    def __len__(self) -> int:
        return len(self.frames)


@dataclass(frozen=True)
class Segment:
    """A flagged half-open range of test frames, in decode ordinals."""

    start: int
    stop: int
    kind: str
    metric: str
    peak: float
    """The worst value inside, in the metric's unit."""
    peak_index: int
    confidence: float
    """0..1; 1 for a user's own rule."""
    start_time_s: float
    stop_time_s: float


@dataclass(frozen=True)
class Region:
    """A flagged area in one test frame, in pixels of the full frame."""

    frame: int
    x: float
    y: float
    w: float
    h: float
    area: float
    score: float
    severity: int
    """1..5"""
    kind: str
    caption: str


@dataclass(frozen=True)
class SourceInfo:
    """What an opened source is, before a frame was decoded. Container claims are hints."""

    path: str
    """Absolute path, glob or pattern; ``array`` for frames in memory."""
    kind: str
    """"video", "images" or "array"."""
    width: int
    height: int
    bit_depth: int
    frames_expected: int | None
    """Frames that the container or the folder claims, None where it claims nothing; before start, stop and step."""
    duration_s: float | None
    time_base: Fraction
    rate: Fraction | None
    """Average frames per second, for display only."""
    decoder: str
    color: Mapping[str, str]
    """matrix, range, primaries, transfer as used, and ``decided_by``: tag or assumed."""
    size_bytes: int
    files: Sequence[str] = ()
    """The image files in order; empty for a video."""
    damage: Sequence[str] = ()
    """What the file itself gives away of missing parts, one sentence each."""
    notes: Sequence[str] = ()
    """What is unusual, one sentence each: gaps in the numbering, files left out."""

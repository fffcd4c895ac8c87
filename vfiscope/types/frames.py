"""The inputs of metrics: batches of frames, their features, and pairs of frames."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from vfiscope.types.arrays import Float64, Int64, Uint8, check
from vfiscope.types.batch import Batch, Sharing, to_numpy, to_tensor
from vfiscope.types.tables import Registrations

if TYPE_CHECKING:
    from vfiscope.types.batch import Pixels, Vectors

__all__ = ["Features", "Frames", "Neighbours", "Pairs"]


@dataclass(frozen=True, eq=False)
class Frames(Batch):
    """A batch of N frames in presentation order."""

    data: Pixels
    """(N, 3, H, W) uint8, or uint16 for deeper sources: RGB code values over the full range of
    ``bit_depth``. A numpy array, as it was decoded: a view of interleaved rows; a tensor only
    where the frames were moved to a device."""
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
    luma: Uint8 | None = None
    """(N, H, W) their luma as :func:`vfiscope.pixels.luma_bytes` makes it, where a source was asked
    for it; None where it was not, or cannot make it cheaper than that."""
    sums: Int64 | None = None
    """(N, 3) sums of R, G and B over all pixels, where there is luma."""

    COLUMNS = ("data", "index", "pts", "time_s", "status", "luma", "sums")

    def __post_init__(self) -> None:
        n = len(self.index)
        check(
            self.data.ndim == 4 and self.data.shape[1] == 3 and self.data.shape[0] == n,
            "Frames.data must be (N, 3, H, W) with one index per frame",
            data=self.data,
            index=self.index,
        )
        check(
            self.pts.shape == self.index.shape == self.time_s.shape == self.status.shape,
            "Frames.index, pts, time_s and status must be (N,)",
            index=self.index,
            pts=self.pts,
            time_s=self.time_s,
            status=self.status,
        )
        dtype = "uint8" if self.bit_depth == 8 else "uint16"
        check(
            str(self.data.dtype).removeprefix("torch.") == dtype,
            f"bit depth {self.bit_depth} needs {dtype}",
            data=self.data,
        )
        for name, shape in (("luma", (n, *self.size)), ("sums", (n, 3))):
            column = getattr(self, name)
            if column is not None:
                check(column.shape == shape, f"Frames.{name} must be {shape}", column=column)

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) in pixels."""
        return int(self.data.shape[2]), int(self.data.shape[3])

    @property
    def interleaved(self) -> NDArray[Any]:
        """(N, H, W, 3) pixels as a numpy array, C-contiguous; shares the memory of decoded
        frames."""
        return np.ascontiguousarray(to_numpy(self.data).transpose(0, 2, 3, 1))

    def to(self, device: str) -> Frames:
        """The same frames with their pixels as a tensor on a device ("cpu", "cuda:0"), for networks
        and for metrics on a device."""
        return replace(self, data=to_tensor(self.data, device))

    def __repr__(self) -> str:
        ends = f"{self.index[0]}..{self.index[-1]}" if len(self) else "none"
        return (
            f"Frames({len(self)} x {self.size[0]}x{self.size[1]}, {self.bit_depth} bit, index"
            f" {ends})"
        )


@dataclass(frozen=True, eq=False)
class Features(Batch):
    """Embeddings of N frames: numpy arrays on the CPU, tensors on a device."""

    pooled: Vectors
    """(N, E) float32, one vector per frame; E is D where it is a mean of patches, and h * w * D
    where it is all of them side by side."""
    patches: Vectors
    """(N, h, w, D) float32, one vector per patch, rows from the top."""
    luma: Vectors | None = None
    """(N, h * P, w * P) float32, white 1: the luma of the frames at the size at which a patch has a
    side of P pixels; None where the embedder makes none."""

    COLUMNS = ("pooled", "patches", "luma")

    def __post_init__(self) -> None:
        check(
            self.pooled.ndim == 2
            and self.patches.ndim == 4
            and self.pooled.shape[0] == self.patches.shape[0],
            "Features need pooled (N, E) and patches (N, h, w, D)",
            pooled=self.pooled,
            patches=self.patches,
        )

    def __repr__(self) -> str:
        n, h, w, d = self.patches.shape
        return f"Features({n} x {h}x{w} patches, {d} dimensions)"


@dataclass(frozen=True, eq=False)
class Neighbours(Batch):
    """The real frames around N instants."""

    before: Frames
    """The frames before, row by row."""
    after: Frames
    """The frames after."""
    before_features: Features | None = None
    after_features: Features | None = None

    COLUMNS = ("before", "after", "before_features", "after_features")

    def __post_init__(self) -> None:
        check(
            self.before.data.shape == self.after.data.shape,
            "frames before and after must agree in number and size",
            before=self.before.data,
            after=self.after.data,
        )


@dataclass(frozen=True, eq=False)
class Pairs(Batch, Sharing):
    """N test frames, each with its partner; or N test frames that have none.

    Independently of that, each may have real frames around it, and its role may be known.
    """

    test: Frames
    ref: Frames | None
    """The partners, row by row; None where these test frames are unpaired."""
    test_features: Features | None = None
    ref_features: Features | None = None
    around: Neighbours | None = None
    """The real frames between which the test frames lie; None where there are none."""
    role: Uint8 | None = None
    """(N,) values of :class:`Role`; None where unknown."""
    phase: Float64 | None = None
    """(N,) instant of the test frame between the frames around it: 0 at the one before, 1 at the
    one after; NaN or None where unknown."""
    window: int | None = None
    """Largest distance of a match in columns and rows of patches; None for any distance."""
    registrations: Registrations | None = None
    """The registrations of the test frames; None where they are as decoded."""
    decoded: Frames | None = None
    """The test frames before they were registered; None where they are as decoded."""
    ref_is_row_before: bool = False
    """True where each partner is the test frame in the row before."""

    COLUMNS = (
        "test",
        "ref",
        "test_features",
        "ref_features",
        "around",
        "role",
        "phase",
        "registrations",
        "decoded",
    )

    def __post_init__(self) -> None:
        if self.ref is not None:
            check(
                self.test.data.shape == self.ref.data.shape,
                "test and reference frames must agree in number and size",
                test=self.test.data,
                ref=self.ref.data,
            )
        if self.around is not None:
            check(
                self.test.data.shape == self.around.before.data.shape,
                "test frames and those around them must agree in number and size",
                test=self.test.data,
                before=self.around.before.data,
            )
        for name in ("role", "phase"):
            column = getattr(self, name)
            if column is not None:
                check(
                    column.shape == (len(self.test),), f"Pairs.{name} must be (N,)", column=column
                )

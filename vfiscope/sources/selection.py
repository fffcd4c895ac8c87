"""The selection of frames from a source, and the options for reading them."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from vfiscope.errors import UsageError
from vfiscope.options.crop import Box

__all__ = ["NOT_ASKED", "Options", "Selection"]

NOT_ASKED = Fraction(0)
"""The time of a frame where a selection by ordinals does not ask for it."""


@dataclass(frozen=True)
class Selection:
    """The selected frames: every ``step``-th of a half-open range in ordinals (int) or seconds
    (Fraction)."""

    start: int | Fraction | None = None
    stop: int | Fraction | None = None
    step: int = 1

    def __post_init__(self) -> None:
        if not isinstance(self.step, int) or self.step < 1:
            raise UsageError(f"step is {self.step!r}: pass a whole number of 1 or more")
        same = type(self.start) is type(self.stop)
        if same and self.start is not None and self.stop is not None and self.start >= self.stop:
            raise UsageError(
                f"start {self.start} is not before stop {self.stop}: the stop itself is not"
                " included"
            )

    def __str__(self) -> str:
        ends = {
            name: end
            for name, end in (("start", self.start), ("stop", self.stop))
            if end is not None
        }
        return " and ".join(
            f"{name} {end if isinstance(end, int) else f'{float(end):g}s'}"
            for name, end in ends.items()
        )

    def before(self, index: int, seconds: Fraction) -> bool:
        """True for a frame before the start."""
        return (
            self.start is not None
            and (index if isinstance(self.start, int) else seconds) < self.start
        )

    def after(self, index: int, seconds: Fraction) -> bool:
        """True for a frame at or after the stop."""
        return (
            self.stop is not None
            and (index if isinstance(self.stop, int) else seconds) >= self.stop
        )

    @property
    def timed(self) -> bool:
        """True if the start or the stop is a time, which means other ordinals in other sources."""
        return isinstance(self.start, Fraction) or isinstance(self.stop, Fraction)


@dataclass(frozen=True)
class Options:
    """The options for reading frames."""

    selection: Selection
    batch: int
    fps: Fraction
    resize: tuple[int, int, str] | None
    """(height, width, filter), or None to refuse frames of another size."""
    tonemap: str | None = None
    """The name of a tone map, or None to refuse HDR."""
    time_from: str | None = None
    """The origin of the times of images: "exif", "name" or "fps"; None for what can be found."""
    stream: int | None = None
    """Number of the video's stream, None for the best one."""
    deinterlace: str = "none"
    """The deinterlacer for interlaced video: "none" or "bwdif"."""
    raw_size: tuple[int, int] | None = None
    """(width, height) of the frames in raw video."""
    raw_format: str | None = None
    """Pixel format of raw video."""
    crop: Box | None = None
    """The part of each frame that is delivered, in pixels before it is resized; None for all."""
    max_width: int | None = None
    """Frames that are wider, after ``crop``, are delivered at a whole fraction of their size."""

    @property
    def any_size(self) -> bool:
        """True if frames of another size than the first are taken; no box could mean the same part
        of them."""
        return self.resize is not None and self.crop is None

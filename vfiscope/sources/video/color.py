"""Convert decoded video frames to RGB: the only place that decides matrix and range.

Conventions:

* A tag of the stream is obeyed. An untagged matrix is BT.709 from 720 lines on and BT.601 below; an
  untagged range is limited, except for the ``yuvj`` formats. RGB is always full range, gray is full
  range unless tagged limited.
* Sources of 8 bits become uint8. Deeper ones become uint16 in which white is 65535.
* Chroma is interpolated linearly, with its samples where the stream puts them: left of the pixels
  they stand for in H.264, HEVC and MPEG-2, at their centre where the stream does not say.
* Transfer and primaries are recorded and not converted, except for HDR (PQ, HLG) where a tone map
  was requested (``tonemap.py``).
* Frames with an alpha channel are composited over black: code value times alpha, rounded to
  nearest, after the conversion.

Rounding is to nearest: for even sizes the result is within 0.51/255 of the float64 conversion; odd
sizes stretch subsampled chroma by half a sample over the whole frame. The planar destination is
chosen because swscale has exact vectorised code for it, while its packed 16-bit output overflows
for some sizes (libswscale 9.5). What compiled loops convert to the same samples does not pass
swscale (``yuv_loops.py``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any

import av
import cv2
import numpy as np
from av.video.reformatter import Interpolation, VideoReformatter
from numpy.typing import NDArray

from vfiscope.errors import SourceError
from vfiscope.pixels import Beside
from vfiscope.sources.video.frame_planes import lines_of
from vfiscope.sources.video.properties import Properties, properties_of
from vfiscope.sources.video.shrink import shrunk_planes
from vfiscope.sources.video.tonemap import tone_map
from vfiscope.sources.video.yuv_loops import YuvLoops, paint_planes

__all__ = ["Color", "RgbConverter", "bits_of", "decide", "has_alpha"]

FLAGS = Interpolation.BILINEAR | Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INT
HD_LINES = 720
LIMITED, FULL = 1, 2

MATRIX_OF_CODE = {1: "bt709", 4: "fcc", 5: "bt601", 6: "bt601", 7: "smpte240m", 9: "bt2020nc"}
"""Code points of H.273 that can be converted."""
REFUSED_MATRICES = {0: "rgb", 8: "ycgco", 10: "bt2020c", 11: "smpte2085", 14: "ictcp", 15: "ipt-c2"}
SWSCALE = {"bt709": 1, "fcc": 4, "bt601": 5, "smpte240m": 7, "bt2020nc": 9}
PRIMARIES = {
    1: "bt709",
    4: "bt470m",
    5: "bt470bg",
    6: "smpte170m",
    7: "smpte240m",
    8: "film",
    9: "bt2020",
    10: "smpte428",
    11: "smpte431",
    12: "smpte432",
    22: "ebu3213",
}
TRANSFERS = {
    1: "bt709",
    4: "gamma22",
    5: "gamma28",
    6: "smpte170m",
    7: "smpte240m",
    8: "linear",
    11: "iec61966-2-4",
    13: "iec61966-2-1",
    14: "bt2020-10",
    15: "bt2020-12",
    16: "smpte2084",
    17: "smpte428",
    18: "arib-std-b67",
}
HDR = ("smpte2084", "arib-std-b67")
UNSPECIFIED = (2, 3)


@dataclass(frozen=True)
class Color:
    """The interpretation of the code values of a frame."""

    matrix: str
    """A name of ``MATRIX_OF_CODE``, or "rgb" or "gray"."""
    range: str
    """"limited" or "full"."""
    primaries: str
    transfer: str
    decided_by: str
    """"tag" where the stream says both matrix and range, else "assumed"."""

    def as_mapping(self) -> Mapping[str, str]:
        """The fields by name, as they are stored."""
        return dict(vars(self))

    @property
    def is_hdr(self) -> bool:
        """True for the transfers PQ and HLG, whose values stand for other brightnesses than those
        of ordinary video."""
        return self.transfer in HDR


def decide(frame: av.VideoFrame, path: str) -> Color:
    """The interpretation of the code values of a frame; the path is for the message.

    Raises:
        SourceError: its matrix cannot be converted.
    """
    told = properties_of(frame)
    color = _decided(told)
    if color is None:
        name = REFUSED_MATRICES.get(told.colorspace, str(told.colorspace))
        raise SourceError(
            f"{path} has the colour matrix {name!r}, which cannot be converted: re-encode it as"
            " BT.709"
        )
    return color


@lru_cache(maxsize=64)
def _decided(told: Properties) -> Color | None:
    """The interpretation of what frames tell; None where their matrix cannot be converted."""
    primaries, transfer = _name(PRIMARIES, told.primaries), _name(TRANSFERS, told.transfer)
    video_format = av.VideoFormat(told.pixel_format)
    if _is_rgb(video_format):
        return Color("rgb", "full", primaries, transfer, "tag")
    tagged_range = {LIMITED: "limited", FULL: "full"}.get(told.color_range)
    if told.pixel_format.startswith("yuvj"):
        tagged_range = "full"
    if _is_gray(video_format):
        return Color(
            "gray",
            tagged_range or "full",
            primaries,
            transfer,
            "tag" if tagged_range else "assumed",
        )
    code = told.colorspace
    if code not in MATRIX_OF_CODE and code not in UNSPECIFIED:
        return None
    assumed = "bt709" if told.height >= HD_LINES else "bt601"
    decided_by = "tag" if code in MATRIX_OF_CODE and tagged_range else "assumed"
    return Color(
        MATRIX_OF_CODE.get(code, assumed),
        tagged_range or "limited",
        primaries,
        transfer,
        decided_by,
    )


def bits_of(video_format: av.VideoFormat) -> int:
    """Bits of the deepest colour component of a pixel format."""
    return _bits(video_format.name)


@lru_cache(maxsize=64)
def _bits(name: str) -> int:
    return max(part.bits for part in av.VideoFormat(name).components if not part.is_alpha)


def has_alpha(video_format: av.VideoFormat) -> bool:
    """True for pixel formats with an alpha channel."""
    return video_format.has_palette or _lets_through(video_format.name)


@lru_cache(maxsize=64)
def _lets_through(name: str) -> bool:
    return any(part.is_alpha for part in av.VideoFormat(name).components)


class RgbConverter:
    """Converts the frames of one stream, on the calling thread. Not to be shared between
    threads."""

    def __init__(self, path: str, tonemap: str | None = None) -> None:
        self._path = path
        self._tonemap = tonemap
        self._reformatter = VideoReformatter()
        self._specimens = VideoReformatter()
        self._loops = YuvLoops()

    def reach(self, frame: av.VideoFrame | None) -> None:
        """Note each frame that decoding reaches, converted or not: what a stream does not tell of
        its frames may change with a keyframe, and where nothing could be decoded. None for such a
        place, and where decoding went on elsewhere."""
        if frame is None or frame.key_frame:
            self._loops.ask_again()

    def __call__(
        self, frame: av.VideoFrame, color: Color, out: NDArray[Any], beside: Beside | None = None
    ) -> None:
        """Write the frame into ``out``, (H, W, 3) uint8 for 8-bit sources, uint16 for deeper ones;
        and what belongs beside it, for 8-bit sources.

        Raises:
            SourceError: the pixel format cannot be converted.
        """
        looped = self._by_loops(frame, color, out, beside)
        if not looped:
            self.by_swscale(frame, color, out)
        changed = self._finish(frame, color, out)
        if beside is not None and (changed or not looped):
            beside.fill(out)

    def shrunk(
        self, frame: av.VideoFrame, color: Color, out: NDArray[Any], beside: Beside | None = None
    ) -> bool:
        """As calling it, into a smaller ``out``, each sample the mean of about the area that it
        stands for; return False for pixel formats for which there is no such way."""
        planes = shrunk_planes(frame, out.shape[:2])
        if planes is None:
            return False
        paint_planes(planes, color.matrix, full=color.range == "full", out=out, beside=beside)
        if self._finish(frame, color, out) and beside is not None:
            beside.fill(out)
        return True

    def _by_loops(
        self, frame: av.VideoFrame, color: Color, out: NDArray[Any], beside: Beside | None = None
    ) -> bool:
        """As :meth:`by_swscale`, many times as fast, and what belongs beside it in the same pass;
        False for frames that need swscale."""
        planar = partial(self._reformat, name="gbrp", color=color, by=self._specimens)
        full = color.range == "full"
        return self._loops.convert(
            frame, color.matrix, full=full, swscale=planar, out=out, beside=beside
        )

    def _finish(self, frame: av.VideoFrame, color: Color, out: NDArray[Any]) -> bool:
        """What is left to do with converted code values; False where nothing is."""
        gain, offset = _levels(color, bits_of(frame.format))
        toned, laid = color.is_hdr and self._tonemap not in (None, "none"), has_alpha(frame.format)
        if gain != 1:
            cv2.addWeighted(out, gain, out, 0, offset, dst=out)
        if toned:
            tone_map(out, color.transfer, color.primaries, str(self._tonemap))
        if laid:
            self._lay_on_black(frame, color, out)
        return gain != 1 or toned or laid

    def by_swscale(self, frame: av.VideoFrame, color: Color, out: NDArray[Any]) -> None:
        """Write the code values that swscale makes of a frame of any pixel format."""
        deep = out.dtype == np.uint16
        planar = color.matrix in SWSCALE
        name = ("gbrp16le" if planar else "rgb48le") if deep else ("gbrp" if planar else "rgb24")
        converted = self._reformat(frame, name, color)
        if planar:
            green, blue, red = (
                lines_of(plane, out.dtype)[:, : frame.width] for plane in converted.planes
            )
            cv2.merge([red, green, blue], dst=out)
        else:
            np.copyto(
                out,
                lines_of(converted.planes[0], out.dtype)[:, : 3 * frame.width].reshape(out.shape),
            )

    def _reformat(
        self,
        frame: av.VideoFrame,
        name: str,
        color: Color,
        by: VideoReformatter | None = None,
    ) -> av.VideoFrame:
        try:
            return (by or self._reformatter).reformat(
                frame,
                format=name,
                src_colorspace=SWSCALE.get(color.matrix),
                src_color_range=LIMITED if color.range == "limited" else FULL,
                dst_color_range=FULL,
                interpolation=FLAGS,
                threads=1,
            )
        except (av.FFmpegError, OSError) as error:
            raise SourceError(
                f"{self._path} has the pixel format {frame.format.name!r}, which cannot be"
                " converted: re-encode it"
            ) from error

    def _lay_on_black(self, frame: av.VideoFrame, color: Color, out: NDArray[Any]) -> None:
        top = np.iinfo(out.dtype).max
        name = frame.format.name
        if name.startswith(("yuva", "gbrap")):
            bits = bits_of(frame.format)
            dtype = np.dtype(np.uint8 if bits == 8 else np.uint16)
            alpha = lines_of(frame.planes[3], dtype)[:, : frame.width]
            scale = 1 / ((1 << bits) - 1)
        else:
            whole = self._reformat(frame, "rgba" if out.dtype == np.uint8 else "rgba64le", color)
            lines = lines_of(whole.planes[0], out.dtype)[:, : 4 * frame.width]
            alpha = lines.reshape(*out.shape[:2], 4)[..., 3]
            scale = 1 / int(top)
        if int(alpha.min()) * scale < 1:
            cv2.multiply(out, cv2.merge([alpha] * 3), dst=out, scale=scale)


def _levels(color: Color, bits: int) -> tuple[float, float]:
    """Gain and offset from what swscale delivers to code values with black at 0 and white at the
    top.

    swscale shifts deep YUV and gray up instead of scaling them, so that its white is below 65535,
    and it treats all gray as full range. 65283 is its output for limited white at every depth
    above 8 (measured, libswscale 9.5).
    """
    depth = 8 if bits <= 8 else 16
    top = (1 << depth) - 1
    black, white = 0, top
    if color.matrix == "gray" and color.range == "limited":
        black, white = 16 << (depth - 8), 235 << (depth - 8)
    elif depth == 16 and color.matrix in SWSCALE and color.range == "limited":
        white = 65283
    elif color.matrix != "rgb" and 8 < bits < 16:
        white = ((1 << bits) - 1) << (16 - bits)
    gain = top / (white - black)
    return gain, -black * gain


def _is_rgb(video_format: av.VideoFormat) -> bool:
    return video_format.is_rgb or video_format.has_palette


def _is_gray(video_format: av.VideoFormat) -> bool:
    return sum(not component.is_alpha for component in video_format.components) == 1


def _name(names: Mapping[int, str], code: int) -> str:
    return "unknown" if code in UNSPECIFIED else names.get(code, str(code))

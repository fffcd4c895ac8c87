"""Small media files with known pixels, made while the tests run."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

from vfiscope.sources import Source
from vfiscope.types import Frames

Array = np.ndarray[Any, Any]


def pixels(source: Source) -> Array:
    """Every frame of a source as (N, H, W, 3)."""
    return np.concatenate([frames.interleaved for frames in source])


def column(source: Source, name: str) -> list[Any]:
    """One field of every frame of a source."""
    return [value for frames in source for value in getattr(frames, name).tolist()]


def noise(n: int, height: int, width: int, *, dtype: Any = np.uint8, seed: int = 0) -> Array:
    """(N, H, W, 3) random pixels over the full range."""
    return np.random.default_rng(seed).integers(
        0, np.iinfo(dtype).max + 1, (n, height, width, 3), dtype
    )


def frames_of(images: Array | Sequence[Array], bit_depth: int = 8) -> Frames:
    """(N, H, W, 3) images as readable frames at 25 frames a second."""
    n = len(images)
    return Frames(
        np.asarray(images).transpose(0, 3, 1, 2),
        np.arange(n),
        np.arange(n),
        np.arange(n) / 25,
        np.zeros(n, np.uint8),
        Fraction(1, 25),
        bit_depth,
    )


def moving(n: int, height: int, width: int) -> Array:
    """(N, H, W, 3) uint8: smooth waves that move, which codecs like."""
    y, x = np.mgrid[:height, :width]
    waves = [
        np.stack([np.sin((x + 3 * t) / 9), np.cos((y - 2 * t) / 7), np.sin((x + y + t) / 11)], -1)
        for t in range(n)
    ]
    return (127.5 + 100 * np.array(waves)).astype(np.uint8)


def from_planes(planes: Sequence[Array], pix_fmt: str) -> av.VideoFrame:
    """A frame of a planar format with exactly these samples."""
    frame = av.VideoFrame(planes[0].shape[1], planes[0].shape[0], pix_fmt)
    for plane, samples in zip(frame.planes, planes, strict=True):
        padded = np.zeros((plane.height, plane.line_size // samples.itemsize), samples.dtype)
        padded[: samples.shape[0], : samples.shape[1]] = samples
        plane.update(padded.tobytes())
    return frame


def write_video(
    path: Path,
    frames: Any,
    *,
    codec: str = "ffv1",
    pix_fmt: str = "bgr0",
    rate: Fraction | int = 25,
    pts: Sequence[int] | None = None,
    time_base: Fraction | None = None,
    options: dict[str, str] | None = None,
    container_options: dict[str, str] | None = None,
    matrix: int | None = None,
    color_range: int | None = None,
    transfer: int | None = None,
    rotation: int | None = None,
) -> Path:
    """Encode (N, H, W, 3) pixels or ready frames; ``pts`` counts in ``time_base`` units."""
    with av.open(str(path), "w", container_options=container_options or {}) as container:
        stream = container.add_stream(codec, rate=rate, options=options or {})
        stream.pix_fmt = pix_fmt
        if time_base is not None:
            stream.time_base = stream.codec_context.time_base = time_base
        if matrix is not None:
            stream.codec_context.colorspace = matrix
        if color_range is not None:
            stream.codec_context.color_range = color_range
        if transfer is not None:
            stream.codec_context.color_trc = transfer
        if rotation is not None:
            stream.set_display_rotation(rotation)
        for i, item in enumerate(frames):
            frame = item if isinstance(item, av.VideoFrame) else _from_pixels(item)
            if i == 0:
                stream.width, stream.height = frame.width, frame.height
            if matrix is not None:
                frame.colorspace = matrix
            if color_range is not None:
                frame.color_range = color_range
            frame.pts = i if pts is None else pts[i]
            frame.time_base = time_base or 1 / Fraction(rate)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def write_clip(path: Path) -> Path:
    """60 frames of H.264, 128x96, a key frame every 12, the index in front."""
    noisy = np.clip(moving(60, 96, 128).astype(int) + noise(60, 96, 128) // 8, 0, 255).astype(
        np.uint8
    )
    options = {"g": "12", "x264-params": "log-level=none"}
    fast = {"movflags": "faststart"}
    return write_video(
        path, noisy, codec="libx264", pix_fmt="yuv420p", options=options, container_options=fast
    )


def write_audio(path: Path, *, picture: Array | None = None) -> Path:
    """A second of silence in MP4, with a cover picture if one is given."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=8000)
        if picture is not None:
            cover = container.add_stream("mjpeg", rate=1)
            cover.width, cover.height, cover.pix_fmt = (
                picture.shape[1],
                picture.shape[0],
                "yuvj420p",
            )
            cover.disposition = av.stream.Disposition.attached_pic
        for i in range(8):
            frame = av.AudioFrame("fltp", "mono", 1000)
            frame.sample_rate, frame.pts = 8000, i * 1000
            for plane in frame.planes:
                plane.update(bytes(plane.buffer_size))
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
        if picture is not None:
            container.mux(cover.encode(_from_pixels(picture)))
            container.mux(cover.encode())
    return path


def to_rgb(y: Array, u: Array, v: Array, *, bits: int, matrix: str, full: bool, top: int) -> Array:
    """YUV of full chroma resolution to RGB code values 0..top, in float64 from the definition of
    the matrix."""
    kr, kb = {"bt709": (0.2126, 0.0722), "bt601": (0.299, 0.114), "bt2020nc": (0.2627, 0.0593)}[
        matrix
    ]
    scale = 2 ** (bits - 8)
    if full:
        luma, cb, cr = (
            y / (2**bits - 1),
            (u - 128.0 * scale) / (2**bits - 1),
            (v - 128.0 * scale) / (2**bits - 1),
        )
    else:
        luma = (y - 16.0 * scale) / (219 * scale)
        cb, cr = (u - 128.0 * scale) / (224 * scale), (v - 128.0 * scale) / (224 * scale)
    red, blue = luma + 2 * (1 - kr) * cr, luma + 2 * (1 - kb) * cb
    green = (luma - kr * red - kb * blue) / (1 - kr - kb)
    return np.clip(np.stack([red, green, blue], -1), 0, 1) * top


def upsample(chroma: Array, height: int, width: int) -> Array:
    """Linear interpolation of (h, w) samples that lie at the centres of the pixels they stand
    for."""
    for axis, size in enumerate((height, width)):
        count = chroma.shape[axis]
        at = np.clip((np.arange(size) + 0.5) * count / size - 0.5, 0, count - 1)
        low = np.floor(at).astype(int)
        high = np.minimum(low + 1, count - 1)
        part = (at - low)[:, None] if axis == 0 else (at - low)[None, :]
        chroma = np.take(chroma, low, axis) * (1 - part) + np.take(chroma, high, axis) * part
    return chroma


def _from_pixels(pixels: Array) -> av.VideoFrame:
    return av.VideoFrame.from_ndarray(
        np.ascontiguousarray(pixels), "rgb24" if pixels.dtype == np.uint8 else "rgb48le"
    )

"""Image files of made-up pixels."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
from PIL import Image

from helpers.media import Array, noise
from vfiscope.sources import open_source


def save(path: Path, pixels: Array, **options: Any) -> Path:
    """Write (H, W, C) pixels with Pillow, 16-bit ones with OpenCV."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if pixels.dtype == np.uint16:
        swapped = pixels[..., [2, 1, 0, 3][: pixels.shape[2]]] if pixels.ndim == 3 else pixels
        assert cv2.imwrite(str(path), np.ascontiguousarray(swapped))
    else:
        Image.fromarray(pixels).save(path, **options)
    return path


def read(target: Any, **options: Any) -> Array:
    """Every frame as (N, H, W, 3)."""
    with open_source(target, **options) as source:
        return np.concatenate([frames.interleaved for frames in source])


def folder_of(folder: Path, names: list[str], height: int = 6, width: int = 8) -> Array:
    """PNG files with these names in this order; returns their pixels."""
    made = noise(len(names), height, width)
    for name, pixels in zip(names, made, strict=True):
        save(folder / name, pixels)
    return made

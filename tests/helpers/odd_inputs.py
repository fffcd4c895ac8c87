"""Clips and images for tests of bad and odd inputs, and how a refusal is checked."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from helpers.cli import call
from helpers.media import (
    Array,
    moving,
    noise,
    write_clip,
    write_video,
)

QUICK: dict[str, Any] = {"metrics": "psnr,ssim", "maps": "none", "fields": "none"}


def refused(capsys: pytest.CaptureFixture[str], path: object, words: str, out: Path) -> None:
    """The command line ends with 2 and one line that matches, and writes nothing."""
    assert (
        call("scan", path, "--metrics", "psnr", "--maps", "none", "--fields", "none", "-o", out)
        == 2
    )
    printed, errors = capsys.readouterr()
    assert printed == ""
    assert re.search(words, errors), errors
    assert "Traceback" not in errors
    assert len([line for line in errors.splitlines() if "error:" in line]) == 1
    assert not out.exists()


def h264(path: Path, frames: Array | None = None, **more: Any) -> Path:
    return write_video(
        path,
        moving(12, 48, 64) if frames is None else frames,
        codec="libx264",
        pix_fmt="yuv420p",
        **more,
    )


def picture(path: Path, seed: int = 0, size: tuple[int, int] = (16, 16), **more: Any) -> Path:
    Image.fromarray(noise(1, *size, seed=seed)[0]).save(path, **more)
    return path


def damaged(path: Path, how: str) -> Path:
    data = bytearray(write_clip(path).read_bytes())
    if how == "random":
        for at in np.random.default_rng(3).integers(len(data) // 5, len(data) * 9 // 10, 60):
            data[at] ^= 0xFF
    elif how == "zeroed":
        data[len(data) // 2 : len(data) // 2 + 9000] = bytes(9000)
    path.write_bytes(data)
    return path

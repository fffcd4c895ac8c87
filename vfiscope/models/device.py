"""Resolve the name of a device to one that exists on this machine."""

from __future__ import annotations

import ctypes
import platform
from pathlib import Path
from typing import TYPE_CHECKING

from vfiscope.config import DEVICES
from vfiscope.errors import EmbedderError

if TYPE_CHECKING:
    import torch

__all__ = ["resolve_device"]


def resolve_device(name: str | torch.device) -> str:
    """The device of that name, as torch spells it; ``auto`` takes the first of cuda, mps and cpu
    that exists. A torch device is returned by its name.

    Torch, whose import takes seconds, is imported only where a device other than the CPU may exist.

    Raises:
        EmbedderError: the device is unknown, or torch cannot use it on this machine.
    """
    if not isinstance(name, str):
        return str(name)
    if name not in DEVICES:
        raise EmbedderError(f"there is no device {name!r}: choose one of {', '.join(DEVICES)}")
    if name == "cpu" or (name == "auto" and not _driver_found()):
        return "cpu"
    import torch

    usable = {
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
        "cpu": True,
    }
    if name == "auto":
        return next(kind for kind, there in usable.items() if there)
    if not usable[name]:
        there = " or ".join(kind for kind, usable_here in usable.items() if usable_here)
        raise EmbedderError(f"torch finds no {name} device on this machine: choose auto or {there}")
    return name


def _driver_found() -> bool:
    """True where this machine has a driver that torch needs to find a device: that of NVIDIA, of
    AMD, or of a Mac."""
    if platform.system() == "Darwin" or Path("/dev/kfd").exists():
        return True
    try:
        ctypes.CDLL("nvcuda.dll" if platform.system() == "Windows" else "libcuda.so.1")
    except OSError:
        return False
    return True

"""From a device's name to a device that is really there."""

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
    """The device of that name, as torch spells it; ``auto`` takes the first that is there of cuda,
    mps and cpu. A torch device stays itself.

    Imports torch, which takes seconds, only where there may be another device than the CPU.

    Raises:
        EmbedderError: there is no such device, or torch cannot use it on this machine.
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
        there = ", ".join(kind for kind, usable_here in usable.items() if usable_here)
        raise EmbedderError(
            f"torch finds no {name} device on this machine: choose auto or one of {there}"
        )
    return name


def _driver_found() -> bool:
    """Whether this machine has a driver without which torch finds no device: that of NVIDIA, that
    of AMD, or a Mac's own."""
    if platform.system() == "Darwin" or Path("/dev/kfd").exists():
        return True
    try:
        ctypes.CDLL("nvcuda.dll" if platform.system() == "Windows" else "libcuda.so.1")
    except OSError:
        return False
    return True

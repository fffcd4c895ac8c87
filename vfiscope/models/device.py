"""From a device's name to a device that is really there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vfiscope.config import DEVICES
from vfiscope.errors import EmbedderError

if TYPE_CHECKING:
    import torch

__all__ = ["resolve_device"]


def resolve_device(name: str | torch.device) -> torch.device:
    """The device of that name; ``auto`` takes the first that is there of cuda, mps and cpu. A
    device stays itself.

    Raises:
        EmbedderError: there is no such device, or torch cannot use it on this machine.
    """
    import torch

    if isinstance(name, torch.device):
        return name
    if name not in DEVICES:
        raise EmbedderError(f"there is no device {name!r}: choose one of {', '.join(DEVICES)}")
    usable = {
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
        "cpu": True,
    }
    if name == "auto":
        return torch.device(next(kind for kind, there in usable.items() if there))
    if not usable[name]:
        there = ", ".join(kind for kind, usable_here in usable.items() if usable_here)
        raise EmbedderError(
            f"torch finds no {name} device on this machine: choose auto or one of {there}"
        )
    return torch.device(name)

"""Matched points by LoFTR (Sun et al. 2021), from a weight file: for frames that share little but
the scene.

kornia's network, always in float32: in half precision its confidences overflow. It costs more than
everything else that is done with a frame, so it is meant for few frames.
"""

from __future__ import annotations

import pickle
import struct
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from vfiscope.errors import UsageError
from vfiscope.files import kept_digest
from vfiscope.models.formats import MAX_DEPTH
from vfiscope.models.torch_files import changed_part
from vfiscope.printable import printable
from vfiscope.registration.homography import project, reduced
from vfiscope.registration.points import Matches
from vfiscope.types import Float32

if TYPE_CHECKING:
    import torch
    from torch import nn

__all__ = ["LoftrMatcher", "load_loftr", "weights_digest"]

MAX_LOFTR_SIDES_PX = (480, 640)
"""Shorter and longer side in pixels to which a larger frame is reduced."""
NESTS = ("state_dict", "model_state_dict", "model")
LOFTR_PREFIXES = ("module.", "matcher.", "model.")


class LoftrMatcher:
    """A :data:`vfiscope.registration.points.Matcher` around a network of kornia's LoFTR.

    Args:
        network: in evaluation mode, float32.
        device: the device that holds it.
    """

    def __init__(self, network: nn.Module, device: torch.device) -> None:
        self.network = network
        self.device = device

    def __call__(self, test: Float32, ref: Float32) -> Matches:
        import torch

        small, back = reduced(test, *MAX_LOFTR_SIDES_PX)
        small_ref, _ = reduced(ref, *MAX_LOFTR_SIDES_PX)
        frames = [
            torch.from_numpy(frame.copy()).to(self.device)[None, None] / 255.0
            for frame in (small, small_ref)
        ]
        with torch.inference_mode(), torch.autocast(self.device.type, enabled=False):
            found = self.network({"image0": frames[0], "image1": frames[1]})
        # LoFTR puts the centre of the first pixel at 0.5.
        at, at_ref = (
            found[name].cpu().numpy().astype(np.float64) - 0.5
            for name in ("keypoints0", "keypoints1")
        )
        return Matches(project(back, at), project(back, at_ref), float(back[0, 0]))


def load_loftr(weights: str | None, device: str) -> LoftrMatcher:
    """kornia's LoFTR with the weights from a file. Nothing is ever downloaded.

    Args:
        weights: a checkpoint of the LoFTR authors or of kornia (``loftr_outdoor.ckpt``), or a plain
            state dict.
        device: the device for the network.

    Raises:
        UsageError: no file was given, or it does not hold the weights of this network.
    """
    if weights is None:
        raise UsageError("register is 'loftr' without weights: pass --register-weights FILE")
    import torch
    from kornia.feature import LoFTR

    state = _state(weights)
    network = LoFTR(pretrained=None)
    wanted = network.state_dict()
    wrong = [name for name in {**wanted, **state} if name not in state or name not in wanted]
    wrong += [name for name in state if name in wanted and state[name].shape != wanted[name].shape]
    if wrong:
        raise UsageError(
            f"the register weights {weights!r} are not LoFTR's: {len(wrong)} tensors missing,"
            f" unknown or of another shape, first {wrong[0]!r}: pass loftr_outdoor.ckpt or"
            " loftr_indoor.ckpt"
        )
    network.load_state_dict(state)
    there = torch.device(device)
    return LoftrMatcher(network.eval().to(device=there, dtype=torch.float32), there)


def weights_digest(weights: str) -> str:
    """``sha256:`` and the hexadecimal digest of a weight file.

    Raises:
        UsageError: it cannot be read.
    """
    _check_is_file(weights)
    try:
        return f"sha256:{kept_digest(weights)}"
    except OSError as error:
        raise UsageError(
            f"cannot read the register weights {weights!r}: {error.strerror}: ask for permission"
        ) from error


def _check_is_file(weights: str) -> None:
    if not Path(weights).is_file():
        raise UsageError(
            f"the register weights {weights!r} are not a file: pass LoFTR's with --register-weights"
            " FILE"
        )


def _state(weights: str) -> dict[str, Any]:
    """The tensors of a checkpoint, by the names that kornia uses."""
    import torch

    _check_is_file(weights)
    # What torch.load raises on a file that is not a checkpoint depends on the first bytes that it
    # cannot read.
    damaged = (
        RuntimeError,
        LookupError,
        ValueError,
        TypeError,
        AttributeError,
        ArithmeticError,
        struct.error,
        zipfile.BadZipFile,
    )
    try:
        found: Any = torch.load(weights, map_location="cpu", weights_only=True)
        changed = changed_part(weights)
    except (pickle.UnpicklingError, OSError, EOFError, *damaged) as error:
        raise UsageError(
            f"cannot read the register weights {weights!r} ({type(error).__name__}): the file is"
            " damaged, or holds more than tensors; save the model's state_dict()"
        ) from error
    if changed is not None:
        raise UsageError(
            f"the register weights {weights!r} are damaged: {printable(changed)!r} in them differs"
            " from its checksum; copy or download them again"
        )
    for _ in range(MAX_DEPTH):
        if isinstance(found, Mapping) and (
            nest := next((name for name in NESTS if name in found), None)
        ):
            found = found[nest]
    if not isinstance(found, Mapping) or not all(
        isinstance(value, torch.Tensor) for value in found.values()
    ):
        raise UsageError(
            f"the register weights {weights!r} hold no state dict: save the model's state_dict()"
        )
    return {_without_prefix(str(name)): tensor for name, tensor in found.items()}


def _without_prefix(name: str) -> str:
    while prefix := next((prefix for prefix in LOFTR_PREFIXES if name.startswith(prefix)), None):
        name = name.removeprefix(prefix)
    return name

"""Checks on tensors of somebody else before anything is computed from them: only their shapes,
types and storage are looked at."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vfiscope.errors import EmbedderError
from vfiscope.printable import printable

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["check_floats", "check_plain"]

MAX_ELEMENTS = 2**28
"""Numbers in a tensor, 1 GiB as float32: ten times those of the largest tensor in timm."""


def check_plain(name: str, tensor: Tensor, source: str) -> None:
    """Refuse a tensor that is not held in memory as an array of a sane size.

    Raises:
        EmbedderError: it is sparse, nested, quantized or without content, or too large.
    """
    import torch

    if tensor.is_meta:
        kind = "a meta tensor, which has no content,"
    elif tensor.is_quantized:
        kind = "a quantized tensor"
    elif tensor.layout != torch.strided or tensor.is_nested:
        kind = f"a tensor of the layout {str(tensor.layout).removeprefix('torch.')}"
    elif tensor.numel() > MAX_ELEMENTS:
        kind = f"a tensor of {tensor.numel()} numbers, and {MAX_ELEMENTS} is the limit,"
    else:
        return
    raise EmbedderError(
        f"{source} hold {kind} at {printable(name)!r}: save plain tensors of floats"
    )


def check_floats(name: str, tensor: Tensor, source: str, *, whole: bool = False) -> None:
    """Refuse a tensor that does not hold floats.

    Args:
        name: name of the tensor.
        tensor: one that :func:`check_plain` accepts.
        source: name of the file in the error message.
        whole: refuse a tensor whose numbers are not all in the file (one number stretched over a
            shape), because a copy would be larger than the file.

    Raises:
        EmbedderError: it holds integers or complex numbers, or is not whole.
    """
    if not tensor.is_floating_point():
        kind = f"a tensor of {str(tensor.dtype).removeprefix('torch.')}"
    elif whole and tensor.untyped_storage().nbytes() < tensor.numel() * tensor.element_size():
        kind = "a tensor with fewer numbers than its shape has"
    else:
        return
    raise EmbedderError(
        f"{source} hold {kind} at {printable(name)!r}: save plain tensors of floats"
    )

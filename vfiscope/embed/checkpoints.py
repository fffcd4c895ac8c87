"""Weights: where they are, what they are, and into the network without a key to spare.

Weights come from a file that the user names, or from the Hugging Face cache, where :func:`fetch_weights` puts them.
Nothing but :func:`fetch_weights` downloads. Only ``.safetensors`` files are read, and ``.pt`` and ``.pth`` through
``torch.load(weights_only=True)``. What is loaded must fit the network exactly.
"""

from __future__ import annotations

import hashlib
import logging
import os
import pickle
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vfiscope.embed.catalog import CATALOG, entry
from vfiscope.errors import EmbedderError

if TYPE_CHECKING:
    from torch import Tensor, nn

__all__ = ["cached_weights", "fetch_weights", "find_weights", "load_into", "load_state", "weights_digest"]

FILES = ("model.safetensors", "pytorch_model.bin")
"""File names in a Hugging Face repository, the better one first."""
SUFFIXES = (".safetensors", ".pt", ".pth", ".bin")


def cached_weights(name: str) -> Path | None:
    """The weights of an embedder in this machine's Hugging Face cache, None where they are not. No network, no torch.

    Raises:
        EmbedderError: there is no such embedder.
    """
    from huggingface_hub import try_to_load_from_cache

    repo = entry(name).repo
    if repo is None:
        return None
    for file in FILES:
        found = try_to_load_from_cache(repo, file)
        if isinstance(found, str):
            return Path(found)
    return None


def fetch_weights(name: str) -> Path:
    """Download the weights of an embedder into the Hugging Face cache, unless they are there.

    Returns:
        The file.

    Raises:
        EmbedderError: the embedder has no weights, or they cannot be had.
    """
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import HfHubHTTPError

    repo = entry(name).repo
    if repo is None:
        with_weights = ", ".join(made.name for made in CATALOG.values() if made.repo)
        raise EmbedderError(f"{name} has no weights to fetch: choose one of {with_weights}")
    # Its bases include the error of the HTTP client underneath, whichever that is, so a refused proxy counts too.
    network: tuple[type[Exception], ...] = (HfHubHTTPError, OSError, *HfHubHTTPError.__bases__)
    log = logging.getLogger("huggingface_hub")
    level = log.level
    log.setLevel(logging.ERROR)  # it warns of every retry; what comes of them is said once, below
    try:
        return Path(hf_hub_download(repo, FILES[0]))
    except network as error:
        raise EmbedderError(
            f"cannot fetch {FILES[0]} of {repo} from Hugging Face ({type(error).__name__}): "
            "try again with a network, or download it elsewhere and give it with --weights FILE"
        ) from error
    finally:
        log.setLevel(level)


def find_weights(name: str, weights: str | os.PathLike[str] | None = None) -> Path:
    """The file that holds the weights of an embedder: the one given, or the one in the cache.

    Raises:
        EmbedderError: there is none.
    """
    if weights is not None:
        return _checked(Path(weights))
    cached = cached_weights(name)
    if cached is None:
        raise EmbedderError(
            f"the weights of {name} are not on this machine: run 'vfiscope models fetch {name}', or give --weights FILE"
        )
    return cached


def weights_digest(path: str | os.PathLike[str]) -> str:
    """``sha256:`` and the hexadecimal digest of the file.

    Raises:
        EmbedderError: the file cannot be read.
    """
    try:
        with open(_checked(Path(path)), "rb") as stream:
            return f"sha256:{hashlib.file_digest(stream, 'sha256').hexdigest()}"
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise EmbedderError(f"cannot read the weights {str(path)!r}: {reason}") from error


def load_state(path: str | os.PathLike[str]) -> dict[str, Tensor]:
    """The tensors of a weight file, on the CPU.

    Args:
        path: a ``.safetensors`` file, or a ``.pt``, ``.pth`` or ``.bin`` file that holds a plain state dict.

    Raises:
        EmbedderError: the file is missing, damaged, of another kind, or does not hold a state dict of finite numbers.
    """
    file = _checked(Path(path))
    state = _read(file)
    if not isinstance(state, Mapping) or not state:
        raise EmbedderError(f"the weights {str(path)!r} hold no state dict: save the model's state_dict()")
    _check_tensors(state, file)
    return {str(name): tensor for name, tensor in state.items()}


def load_into(model: nn.Module, state: Mapping[str, Tensor], source: str = "the weights") -> None:
    """Put a state dict into a network, which must match it key by key; a classifier (``head.*``) is left out.

    Args:
        model: the network; changed in place.
        state: names and tensors of a plain timm state dict; floats of any width.
        source: what to call the weights in an error.

    Raises:
        EmbedderError: a tensor is missing, left over, or of another shape.
    """
    wanted = model.state_dict()
    given = {name: tensor for name, tensor in state.items() if not name.startswith("head.")}
    missing = [name for name in wanted if name not in given and not name.startswith("head.")]
    unexpected = [name for name in given if name not in wanted]
    if missing or unexpected:
        first = (missing + unexpected)[0]
        raise EmbedderError(
            f"{source} do not fit the network: {len(missing)} tensors missing and {len(unexpected)} unknown, "
            f"first {first!r}: give a timm state dict of this very network"
        )
    for name, tensor in given.items():
        if tensor.shape != wanted[name].shape:
            raise EmbedderError(
                f"{source} do not fit the network: {name!r} is {tuple(tensor.shape)} instead of "
                f"{tuple(wanted[name].shape)}: choose the embedder that these weights were made for"
            )
    model.load_state_dict(given, strict=False)


def _checked(path: Path) -> Path:
    if not path.is_file():
        what = "are not a file" if path.exists() else "do not exist"
        raise EmbedderError(f"the weights {str(path)!r} {what}: give a {', '.join(SUFFIXES)} file")
    if path.suffix not in SUFFIXES:
        raise EmbedderError(f"the weights {str(path)!r} are of no known kind: give a {', '.join(SUFFIXES)} file")
    return path


def _read(path: Path) -> Any:
    """Whatever the file holds."""
    import torch
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    # What torch.load raises on a file that is no checkpoint depends on the first bytes it trips over.
    damaged = (RuntimeError, LookupError, ValueError, TypeError, AttributeError, ArithmeticError, struct.error)
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        return torch.load(path, map_location="cpu", weights_only=True)
    except (SafetensorError, pickle.UnpicklingError, OSError, EOFError, *damaged) as error:
        raise EmbedderError(
            f"cannot read the weights {str(path)!r} ({type(error).__name__}): the file is damaged, "
            "or holds more than tensors; save the model's state_dict() as .safetensors"
        ) from error


def _check_tensors(state: Mapping[Any, Any], path: Path) -> None:
    """Refuse anything but finite tensors."""
    import torch

    for name, tensor in state.items():
        if not isinstance(tensor, torch.Tensor):
            raise EmbedderError(
                f"the weights {str(path)!r} hold a {type(tensor).__name__} at {name!r}, not a tensor: "
                "save the model's state_dict()"
            )
        if tensor.is_floating_point() and not bool(torch.isfinite(tensor).all()):
            raise EmbedderError(f"the weights {str(path)!r} hold NaN or infinity at {name!r}: get them again")

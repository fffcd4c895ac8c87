"""Weights: where they are, what they are, and into the network with an account of every tensor.

Weights come from a file that the user names, or from the Hugging Face cache, where
:func:`fetch_weights` puts them. Nothing but :func:`fetch_weights` downloads. Only ``.safetensors``
files are read, and ``.pt`` and ``.pth`` through ``torch.load(weights_only=True)``. What kinds of
checkpoint are understood is in :mod:`vfiscope.models.formats`.
"""

from __future__ import annotations

import logging
import os
import pickle
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vfiscope.errors import EmbedderError
from vfiscope.files import kept_digest
from vfiscope.models.catalog import CATALOG, entry
from vfiscope.models.formats import StateDict, plain_state

if TYPE_CHECKING:
    from torch import Tensor, nn

__all__ = [
    "LoadReport",
    "cached_weights",
    "fetch_weights",
    "find_weights",
    "load_into",
    "load_state",
    "weights_digest",
]

WEIGHT_FILES = ("model.safetensors", "pytorch_model.bin")
"""File names in a Hugging Face repository, the better one first."""
WEIGHT_SUFFIXES = (".safetensors", ".pt", ".pth", ".bin")
MATCHED = 0.9
"""Part of the network's tensors that a file must hold."""


@dataclass(frozen=True)
class LoadReport:
    """What became of the tensors of a weight file and of a network. Every field holds names but for
    the notes."""

    loaded: tuple[str, ...]
    missing: tuple[str, ...]
    """The network's, not in the file; they keep their random start."""
    unexpected: tuple[str, ...]
    """In the file, and no part of the network."""
    merged: tuple[str, ...]
    """Weights to which a LoRA adapter was added."""
    notes: tuple[str, ...] = ()

    def __str__(self) -> str:
        """One line."""
        parts = [f"{len(self.loaded)} of {len(self.loaded) + len(self.missing)} tensors loaded"]
        named = {
            "missing and left at random": self.missing,
            "left over": self.unexpected,
            "merged with LoRA": self.merged,
        }
        for words, names in named.items():
            if names:
                parts.append(f"{len(names)} ({names[0]}{', ...' * (len(names) > 1)}) {words}")
        return ", ".join([*parts, *self.notes])

    def to_dict(self) -> dict[str, Any]:
        """The same as JSON-able values, the loaded ones counted."""
        return {
            "loaded": len(self.loaded),
            "missing": list(self.missing),
            "unexpected": list(self.unexpected),
            "merged": list(self.merged),
            "notes": list(self.notes),
        }


def cached_weights(name: str) -> Path | None:
    """The weights of an embedder in this machine's Hugging Face cache, None where they are not. No
    network, no torch.

    Raises:
        EmbedderError: there is no such embedder.
    """
    from huggingface_hub import constants

    repo = entry(name).repo
    if (
        repo is None
        or not Path(constants.HF_HUB_CACHE, f"models--{repo.replace('/', '--')}").is_dir()
    ):
        return None
    from huggingface_hub import try_to_load_from_cache  # brings an HTTP client

    for file in WEIGHT_FILES:
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
    # Its bases include the error of the HTTP client underneath, whichever that is, so a refused
    # proxy counts too.
    network: tuple[type[Exception], ...] = (HfHubHTTPError, OSError, *HfHubHTTPError.__bases__)
    log = logging.getLogger("huggingface_hub")
    level = log.level
    log.setLevel(logging.ERROR)  # it warns of every retry; what comes of them is said once, below
    try:
        return Path(hf_hub_download(repo, WEIGHT_FILES[0]))
    except network as error:
        raise EmbedderError(
            f"cannot fetch {WEIGHT_FILES[0]} of {repo} from Hugging Face ({type(error).__name__}): "
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
            f"the weights of {name} are not on this machine: run 'vfiscope models fetch {name}', or"
            " give --weights FILE"
        )
    return cached


def weights_digest(path: str | os.PathLike[str]) -> str:
    """``sha256:`` and the hexadecimal digest of the file.

    Raises:
        EmbedderError: the file cannot be read.
    """
    try:
        return f"sha256:{kept_digest(_checked(Path(path)))}"
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise EmbedderError(f"cannot read the weights {str(path)!r}: {reason}") from error


def load_state(path: str | os.PathLike[str]) -> StateDict:
    """The state dict in a weight file, on the CPU, with adapters merged.

    Args:
        path: a ``.safetensors`` file, or a ``.pt``, ``.pth`` or ``.bin`` file.

    Raises:
        EmbedderError: the file is missing, damaged, of another kind, or does not hold a state dict
        of finite numbers.
    """
    file = _checked(Path(path))
    plain = plain_state(_read(file), f"the weights {str(path)!r}")
    for name, tensor in plain.tensors.items():
        if tensor.is_floating_point() and not bool(tensor.isfinite().all()):
            raise EmbedderError(
                f"the weights {str(path)!r} hold NaN or infinity at {name!r}: get them again"
            )
    return plain


def load_into(model: nn.Module, plain: StateDict, source: str = "the weights") -> LoadReport:
    """Put a state dict into a network; a classifier (``head.*``) is no part of it.

    Args:
        model: a timm VisionTransformer; changed in place.
        plain: names and tensors; floats of any width. Position embeddings of another grid are
            resampled, bicubic with antialiasing.
        source: what to call the weights in an error.

    Raises:
        EmbedderError: a tensor is of another shape, or too few of the network's tensors are there;
        nothing is loaded.
    """
    wanted = {
        name: tensor for name, tensor in model.state_dict().items() if not name.startswith("head.")
    }
    given = {name: tensor for name, tensor in plain.tensors.items() if name in wanted}
    missing = [name for name in wanted if name not in given]
    unexpected = [name for name in plain.tensors if name not in wanted]
    if len(given) < MATCHED * len(wanted):
        raise EmbedderError(
            f"{source} do not fit the network: only {len(given)} of its {len(wanted)} tensors are"
            f" there, missing {missing[0]!r} and {len(unexpected)} unknown: choose the embedder"
            " that they were made for"
        )
    notes = list(plain.notes)
    if "pos_embed" in given and given["pos_embed"].shape != wanted["pos_embed"].shape:
        given["pos_embed"] = _resampled(model, given["pos_embed"])
        notes.append(f"pos_embed resampled to {wanted['pos_embed'].shape[1]} tokens")
    for name, tensor in given.items():
        if tensor.shape != wanted[name].shape:
            raise EmbedderError(
                f"{source} do not fit the network: {name!r} is {tuple(tensor.shape)} instead of "
                f"{tuple(wanted[name].shape)}: choose the embedder that these weights were made for"
            )
    model.load_state_dict(given, strict=False)
    return LoadReport(
        (*given,), (*missing,), (*unexpected, *plain.left_over), plain.merged, (*notes,)
    )


def _resampled(model: Any, embedding: Tensor) -> Tensor:
    """Position embeddings (1, n, D) for the grid of the model; as they are where they come from no
    square."""
    from timm.layers.pos_embed import resample_abs_pos_embed

    prefix = 0 if model.no_embed_class else model.num_prefix_tokens
    side = max(0, embedding.shape[1] - prefix) ** 0.5
    if embedding.ndim != 3 or side % 1 or not side:
        return embedding
    made: Tensor = resample_abs_pos_embed(
        embedding.float(),
        list(model.patch_embed.grid_size),
        [int(side)] * 2,
        num_prefix_tokens=prefix,
    )
    return made


def _checked(path: Path) -> Path:
    if not path.is_file():
        what = "are not a file" if path.exists() else "do not exist"
        raise EmbedderError(
            f"the weights {str(path)!r} {what}: give a {', '.join(WEIGHT_SUFFIXES)} file"
        )
    if path.suffix not in WEIGHT_SUFFIXES:
        raise EmbedderError(
            f"the weights {str(path)!r} are of no known kind: give a"
            f" {', '.join(WEIGHT_SUFFIXES)} file"
        )
    return path


def _read(path: Path) -> Any:
    """Whatever the file holds."""
    import torch
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    # What torch.load raises on a file that is no checkpoint depends on the first bytes it trips
    # over.
    damaged = (
        RuntimeError,
        LookupError,
        ValueError,
        TypeError,
        AttributeError,
        ArithmeticError,
        struct.error,
    )
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        return torch.load(path, map_location="cpu", weights_only=True)
    except (SafetensorError, pickle.UnpicklingError, OSError, EOFError, *damaged) as error:
        raise EmbedderError(
            f"cannot read the weights {str(path)!r} ({type(error).__name__}): the file is damaged, "
            "or holds more than tensors; save the model's state_dict() as .safetensors"
        ) from error

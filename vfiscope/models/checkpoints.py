"""Find weights, read them, and load them into a network with a report on every tensor.

Weights come from a file that the user names, or from the Hugging Face cache, where
:func:`fetch_weights` puts them; nothing else downloads. ``.safetensors`` files are read, and
``.pt``, ``.pth`` and ``.bin`` files through ``torch.load(weights_only=True)``. See
:mod:`vfiscope.models.formats` for the kinds of checkpoint that are understood.
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
"""File names in a Hugging Face repository, the preferred one first."""
WEIGHT_SUFFIXES = (".safetensors", ".pt", ".pth", ".bin")
MATCHED = 0.9
"""Least share of the network's tensors that a file must hold."""


@dataclass(frozen=True)
class LoadReport:
    """Report on the tensors of a weight file and of a network. All fields hold names, except for
    the notes."""

    loaded: tuple[str, ...]
    missing: tuple[str, ...]
    """In the network but not in the file; they keep their random initial values."""
    unexpected: tuple[str, ...]
    """In the file but not in the network."""
    merged: tuple[str, ...]
    """Weights that a LoRA adapter was merged into."""
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
        """The same as JSON-able values, with a count of the loaded tensors."""
        return {
            "loaded": len(self.loaded),
            "missing": list(self.missing),
            "unexpected": list(self.unexpected),
            "merged": list(self.merged),
            "notes": list(self.notes),
        }


def cached_weights(name: str) -> Path | None:
    """The weights of an embedder in this machine's Hugging Face cache; None where there are none.
    Uses neither the Internet nor torch.

    Raises:
        EmbedderError: the embedder is unknown.
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
    """Download the weights of an embedder into the Hugging Face cache, unless it holds them.

    Returns:
        The file.

    Raises:
        EmbedderError: the embedder has no weights, or they cannot be downloaded.
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
    log.setLevel(logging.ERROR)  # it warns of every retry; the outcome is reported once, below
    try:
        return Path(hf_hub_download(repo, WEIGHT_FILES[0]))
    except network as error:
        raise EmbedderError(
            f"cannot fetch {WEIGHT_FILES[0]} of {repo} from Hugging Face ({type(error).__name__}): "
            "try again with a network, or download it elsewhere and pass it with --weights FILE"
        ) from error
    finally:
        log.setLevel(level)


def find_weights(name: str, weights: str | os.PathLike[str] | None = None) -> Path:
    """The weight file of an embedder: the one passed, or the one in the cache.

    Raises:
        EmbedderError: it does not exist.
    """
    if weights is not None:
        return _checked(Path(weights))
    cached = cached_weights(name)
    if cached is None:
        raise EmbedderError(
            f"the weights of {name} are not on this machine: run 'vfiscope models fetch {name}', or"
            " pass --weights FILE"
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
                f"the weights {str(path)!r} hold NaN or infinity at {name!r}: download them again"
            )
    return plain


def load_into(model: nn.Module, plain: StateDict, source: str = "the weights") -> LoadReport:
    """Load a state dict into a network; a classifier (``head.*``) is not part of it.

    Args:
        model: a timm VisionTransformer; changed in place.
        plain: names and tensors; floats of any width. Position embeddings of another grid are
            resampled, bicubic with antialiasing.
        source: name of the weights in error messages.

    Raises:
        EmbedderError: a tensor has another shape, or too few of the network's tensors are there;
            nothing is loaded then.
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
    """Position embeddings (1, n, D) resampled to the grid of the model; unchanged where they do not
    come from a square grid."""
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
            f"the weights {str(path)!r} {what}: pass a {', '.join(WEIGHT_SUFFIXES)} file"
        )
    if path.suffix not in WEIGHT_SUFFIXES:
        raise EmbedderError(
            f"the weights {str(path)!r} are not of a known kind: pass a"
            f" {', '.join(WEIGHT_SUFFIXES)} file"
        )
    return path


def _read(path: Path) -> Any:
    """The content of the file, unchecked."""
    import torch
    from safetensors import SafetensorError
    from safetensors.torch import load_file

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

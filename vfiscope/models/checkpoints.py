"""Find weights and read them.

Weights come from a file that the user names, or from the Hugging Face cache, where
:func:`fetch_weights` puts them; nothing else downloads. ``.safetensors`` files are read, and
``.pt``, ``.pth``, ``.bin`` and ``.ckpt`` files through ``torch.load(weights_only=True)``. See
:mod:`vfiscope.models.formats` for the kinds of checkpoint that are understood.
"""

from __future__ import annotations

import logging
import os
import pickle
import struct
import warnings
import zipfile
from argparse import Namespace
from pathlib import Path
from typing import Any

from vfiscope.errors import EmbedderError
from vfiscope.files import kept_digest
from vfiscope.models.catalog import CATALOG, entry
from vfiscope.models.formats import StateDict, plain_state
from vfiscope.models.torch_files import changed_part
from vfiscope.printable import printable

__all__ = [
    "cached_weights",
    "fetch_weights",
    "find_weights",
    "load_state",
    "weights_digest",
]

WEIGHT_FILES = ("model.safetensors", "pytorch_model.bin")
"""File names in a Hugging Face repository, the preferred one first."""
WEIGHT_SUFFIXES = (".safetensors", ".pt", ".pth", ".bin", ".ckpt")


def cached_weights(name: str) -> Path | None:
    """The weights of an embedder in this machine's Hugging Face cache; None where there are none.
    Does not use the Internet, and imports torch only for a network of timm that is not in
    :data:`CATALOG`.

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
    if cached is None and entry(name).repo is None:
        raise EmbedderError(f"timm has no weights of {name}: pass --weights FILE")
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


def load_state(path: str | os.PathLike[str], *, lora_alpha: float | None = None) -> StateDict:
    """The state dict in a weight file, on the CPU, with adapters merged.

    Args:
        path: a ``.safetensors`` file, or a ``.pt``, ``.pth``, ``.bin`` or ``.ckpt`` file.
        lora_alpha: alpha of all LoRA adapters, in place of the one in the file.

    Raises:
        EmbedderError: the file is missing, damaged, of another kind, or does not hold a state dict
        of plain tensors.
    """
    file = _checked(Path(path))
    return plain_state(_read(file), f"the weights {str(path)!r}", lora_alpha=lora_alpha)


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
        zipfile.BadZipFile,
    )
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        # Training code keeps its settings beside the tensors; torch warns of kinds of tensors
        # that are refused by name later.
        with torch.serialization.safe_globals([Namespace]), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            content = torch.load(path, map_location="cpu", weights_only=True)
        changed = changed_part(path)
    except (SafetensorError, pickle.UnpicklingError, OSError, EOFError, *damaged) as error:
        raise EmbedderError(
            f"cannot read the weights {str(path)!r} ({type(error).__name__}): the file is damaged, "
            "or holds more than tensors; save the model's state_dict() as .safetensors"
        ) from error
    if changed is not None:
        raise EmbedderError(
            f"the weights {str(path)!r} are damaged: {printable(changed)!r} in them differs from"
            " its checksum; copy or download them again"
        )
    return content

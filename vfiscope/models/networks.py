"""Vision transformers of timm by name: their facts, and networks that hold the weights of a file.

Importing this imports torch and timm.
"""

from __future__ import annotations

import os
from difflib import get_close_matches
from functools import cache
from math import isqrt
from typing import Any

import timm
import torch
from timm.layers.patch_embed import PatchEmbed
from torch import nn

from vfiscope.errors import EmbedderError
from vfiscope.models.catalog import CATALOG, Entry, Triple
from vfiscope.models.checkpoints import load_state
from vfiscope.models.formats import StateDict
from vfiscope.models.loading import LoadReport, fit
from vfiscope.printable import printable

__all__ = ["load_network", "timm_entry"]

NAMES_SUGGESTED = 3
MAX_SIDE = 128
"""Patches along a side of the grid that weights may be saved for; DINOv2's are for 37."""
MAX_PREFIX = 2
"""Most tokens, of class and distillation, that share the position embeddings with the patches."""


@cache
def timm_entry(name: str) -> Entry:
    """The facts about a vision transformer that timm knows by this name; the entry of the catalog
    where it holds the same network.

    Raises:
        EmbedderError: timm has no network of that name, or it does not turn images of any size into
            a grid of tokens.
    """
    facts = timm.get_pretrained_cfg(name) if _in_timm(name) else None
    if facts is None:
        names = {*timm.list_models(), *timm.list_models(pretrained=True)}
        near = get_close_matches(name, names, NAMES_SUGGESTED)
        raise EmbedderError(
            f"there is no embedder {printable(name)!r}, and timm has no network of that name: "
            + (f"did you mean {' or '.join(near)}?" if near else "see timm.list_models()")
        )
    tagged = f"{facts.architecture}.{facts.tag}"
    full = tagged if _in_timm(tagged) else str(facts.architecture)
    same = next((made for made in CATALOG.values() if made.timm_id == full), None)
    if same is not None:
        return same
    network: Any = _built(name)
    (patch, _), (height, width) = network.patch_embed.patch_size, facts.input_size[1:]
    size = max(1, (2 * min(height, width) + patch) // (2 * patch)) * patch
    what = f"{facts.architecture}, a vision transformer of timm"
    repo = facts.hf_hub_id or None
    dim = int(network.embed_dim)
    mean, deviation = (_triple(values) for values in (facts.mean, facts.std))
    return Entry(full, patch, dim, what, full, repo, size, mean, deviation)


def load_network(
    made: Entry, path: str | os.PathLike[str], *, lora_alpha: float | None = None
) -> tuple[nn.Module, LoadReport]:
    """The network of an entry with the weights of a file, on the CPU in float32.

    Its grid of position embeddings is that of the file, so that they are resampled at most once, to
    the grid of a frame.

    Args:
        made: an entry with a ``timm_id``.
        path: the weight file.
        lora_alpha: see :func:`vfiscope.models.formats.plain_state`.

    Raises:
        EmbedderError: the file cannot be read, or does not fit the network.
    """
    plain = load_state(path, lora_alpha=lora_alpha)
    name, source = str(made.timm_id), f"the weights {os.fspath(path)!r}"
    model = _built(name)
    if options := _grid_of(plain, model):
        model = _built(name, **options)
    fitted = fit(model, plain, source)
    # Initial values take ten times as long as reading the weights that replace them, so the network
    # is built without any, unless something in it is not in the file.
    stored = model.state_dict()
    if fitted.report.missing or any(name not in stored for name, _ in model.named_buffers()):
        model = _built(name, "cpu", **options)
    else:
        model.to_empty(device="cpu")
    model.load_state_dict(fitted.tensors, strict=False)
    return model, fitted.report


def _triple(values: tuple[float, ...]) -> Triple:
    red, green, blue = values
    return red, green, blue


def _in_timm(name: str) -> bool:
    """True for a name of timm's with a tag that it knows; nothing is downloaded."""
    if not name.isascii() or "/" in name or ":" in name or not timm.is_model(name):
        return False
    tag = name.partition(".")[2]
    return not tag or name in timm.list_pretrained(f"{name.partition('.')[0]}.*")


def _built(name: str, device: str = "meta", **options: Any) -> nn.Module:
    """A network of timm without a classifier.

    Raises:
        EmbedderError: it does not turn images of any size into a grid of tokens.
    """
    try:
        with torch.device(device):
            model: nn.Module = timm.create_model(
                name, pretrained=False, num_classes=0, dynamic_img_size=True, **options
            )
    except TypeError as error:  # dynamic_img_size is unknown to it
        raise _unusable(name) from error
    if not isinstance(getattr(model, "patch_embed", None), PatchEmbed):
        raise _unusable(name)
    return model


def _unusable(name: str) -> EmbedderError:
    return EmbedderError(
        f"the network {name} of timm cannot be an embedder, because it does not take images of any"
        " size as a grid of patches: choose a network whose name begins with vit_, deit or eva02_"
    )


def _grid_of(plain: StateDict, model: Any) -> dict[str, Any]:
    """The options by which a network gets the square grid of the position embeddings in a file;
    none where it has it already, or they are of no square grid."""
    found, own = plain.tensors.get("pos_embed"), getattr(model, "pos_embed", None)
    if found is None or own is None or found.ndim != 3 or found.shape[1] == own.shape[1]:
        return {}
    counts = (found.shape[1] - prefix for prefix in range(MAX_PREFIX + 1))
    side = next((isqrt(count) for count in counts if count > 0 and isqrt(count) ** 2 == count), 0)
    fits = 0 < side <= MAX_SIDE
    return {"img_size": side * model.patch_embed.patch_size[0]} if fits else {}

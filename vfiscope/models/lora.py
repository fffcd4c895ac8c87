"""LoRA adapters in a state dict, merged into the weights that they adapt.

LoRA (Hu et al., "LoRA: Low-Rank Adaptation of Large Language Models", ICLR 2022) adds ``alpha / r *
B A`` to a weight matrix, where A is (r, in) and B is (out, r); with ``use_rslora`` the factor is
``alpha / sqrt(r)``. The adapter of a layer X is ``X.lora_A`` and ``X.lora_B``, with ``.weight`` or
``.default.weight`` (peft) behind it, and optionally ``X.alpha``. The weight that it adapts is
``X.weight``, or ``X.something.weight`` where a wrapper keeps the layer under a name of its own
(``base_layer`` of peft, ``original``, ...) and there is only one such. A wrapper may also store A
as (in, r) and B as (r, out), to multiply from the right: the shapes tell.
"""

from __future__ import annotations

import re
from collections.abc import Container, Mapping
from typing import TYPE_CHECKING, Any

from vfiscope.errors import EmbedderError
from vfiscope.models.plain_tensors import check_floats
from vfiscope.printable import printable

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["Adapters", "find_adapters", "merge", "unwrapped"]

ADAPTER = re.compile(
    r"(?P<layer>.+)\.lora_(?P<part>A|B)(?:\.(?!weight$)(?P<adapter>\w+))?(?:\.weight)?"
)
ALPHA = (".lora_alpha", ".alpha")
NO_ALPHA = "no alpha is stored with the adapters: taken as r (--lora-alpha sets another)"
MAX_FLOAT32 = 3.4e38
"""Largest finite number of float32."""

Adapters = dict[str, dict[str, "Tensor"]]
"""{layer: {"A", "B" and optionally "alpha": tensor}}"""


def find_adapters(state: dict[str, Tensor], source: str) -> Adapters:
    """The adapters in a state dict, which are removed from it.

    Raises:
        EmbedderError: one is not a plain LoRA pair.
    """
    found: Adapters = {}
    for name in [name for name in state if ".lora_" in name]:
        match = ADAPTER.fullmatch(name)
        if match is None:
            continue
        pair = found.setdefault(match["layer"], {})
        if match["part"] in pair:
            raise EmbedderError(
                f"{source} hold two adapters for {printable(match['layer'])!r}: merge them before"
                " saving"
            )
        pair[match["part"]] = state.pop(name)
    for layer, pair in found.items():
        for ending in ALPHA:
            if layer + ending in state:
                pair["alpha"] = state.pop(layer + ending)
    unknown = [name for name in state if ".lora_" in name] + [
        layer for layer in found if not {"A", "B"} <= {*found[layer]}
    ]
    if unknown:
        raise EmbedderError(
            f"{source} hold an adapter that is not a plain LoRA pair at {printable(unknown[0])!r}:"
            " merge it before saving"
        )
    return found


def unwrapped(
    state: Mapping[str, Tensor], layers: Container[str], source: str
) -> dict[str, Tensor]:
    """The state with the tensors of wrapped layers under the names that they would have without
    their wrappers.

    Raises:
        EmbedderError: a layer wraps several weights.
    """
    wrapped: dict[str, str] = {}
    for name in state:
        layer, inner, leaf = _split(name)
        if leaf != "weight" or layer not in layers or f"{layer}.weight" in state:
            continue
        if layer in wrapped:
            both = " and ".join(repr(printable(each)) for each in (wrapped[layer], inner))
            raise EmbedderError(
                f"{source} hold a LoRA pair for {printable(layer)!r}, which wraps {both}: merge it"
                " before saving"
            )
        wrapped[layer] = inner
    made = dict(state)
    for name in state:
        layer, inner, leaf = _split(name)
        if wrapped.get(layer) == inner:
            made.setdefault(f"{layer}.{leaf}", made.pop(name))
    return made


def _split(name: str) -> tuple[str, str, str]:
    """("blocks.0.attn.qkv", "original", "weight") of "blocks.0.attn.qkv.original.weight"."""
    inner, _, leaf = name.rpartition(".")
    layer, _, inner = inner.rpartition(".")
    return layer, inner, leaf


def merge(
    state: dict[str, Tensor],
    layer: str,
    pair: Mapping[str, Tensor],
    config: Mapping[str, Any],
    source: str,
    lora_alpha: float | None = None,
) -> str | None:
    """Merge one adapter into its weight in the state.

    Args:
        state: changed in place.
        layer: name of the layer.
        pair: A, B and optionally alpha.
        config: lora_alpha or alpha, and use_rslora, where they are known.
        source: name of the file in error messages.
        lora_alpha: alpha in place of the one in the file.

    Returns:
        A note where alpha had to be assumed, or is another than that of the file.

    Raises:
        EmbedderError: there is no weight for it, a shape does not fit, or alpha is not a number.
    """
    name = f"{layer}.weight"
    weight = state.get(name)
    down, up = pair["A"], pair["B"]
    if weight is None or down.ndim != 2 or up.ndim != 2 or weight.ndim != 2:
        raise _no_fit(name, weight, pair, source)
    if (up.shape[0], down.shape[1]) != weight.shape:  # unless it is multiplied from the right
        down, up = down.T, up.T
    if (up.shape[0], down.shape[1]) != weight.shape:
        raise _no_fit(name, weight, pair, source)
    rank = int(down.shape[0])
    if not 1 <= rank <= max(weight.shape) or up.shape[1] != rank:
        raise EmbedderError(
            f"{source} hold a LoRA pair of rank {rank} and {up.shape[1]} for {printable(name)!r}:"
            " save it again"
        )
    for part, tensor in (("lora_A", down), ("lora_B", up), ("weight", weight)):
        check_floats(f"{layer}.{part}", tensor, source, whole=True)
    if config.get("alpha_pattern") and "alpha" not in pair and lora_alpha is None:
        raise EmbedderError(
            f"{source} have a LoRA alpha for each layer (alpha_pattern): merge the adapters before"
            " saving"
        )
    stored = pair.get("alpha", config.get("lora_alpha", config.get("alpha")))
    alpha = stored if lora_alpha is None else lora_alpha
    divisor = rank**0.5 if config.get("use_rslora") else rank
    factor = 1.0 if alpha is None else _number(alpha, name, source) / divisor
    state[name] = weight.float() + factor * (up.float() @ down.float())
    if lora_alpha is not None:
        return f"LoRA alpha {lora_alpha:g} as asked" + (
            "" if stored is None else ", in place of the one in the file"
        )
    return NO_ALPHA if stored is None else None


def _no_fit(
    name: str, weight: Tensor | None, pair: Mapping[str, Tensor], source: str
) -> EmbedderError:
    up, down = (tuple(pair[part].shape) for part in "BA")
    shape = None if weight is None else tuple(weight.shape)
    return EmbedderError(
        f"{source} hold a LoRA pair {up} x {down} for {printable(name)!r}, which is {shape}: save"
        " the network together with its adapters"
    )


def _number(alpha: Any, name: str, source: str) -> float:
    """The alpha as one finite number."""
    import torch

    if isinstance(alpha, torch.Tensor) and alpha.numel() == 1 and not alpha.is_complex():
        alpha = alpha.item()
    if not isinstance(alpha, (int, float)) or not abs(alpha) <= MAX_FLOAT32:
        shown = f"{alpha:g}" if isinstance(alpha, float) else f"a {type(alpha).__name__}"
        raise EmbedderError(
            f"{source} have {shown} as the LoRA alpha of {printable(name)!r}: store one finite"
            " number"
        )
    return float(alpha)

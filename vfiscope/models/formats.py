"""Extract the plain state dict from the kinds of checkpoint that people save: unwrap mappings,
strip prefixes, and merge LoRA adapters.

LoRA (Hu et al., "LoRA: Low-Rank Adaptation of Large Language Models", ICLR 2022) adds ``alpha / r *
B A`` to a weight matrix, where A is (r, in) and B is (out, r); with ``use_rslora`` the factor is
``alpha / sqrt(r)``. Two naming schemes are understood: that of peft (``X.base_layer.weight``,
``X.lora_A.default.weight``) and the plain one (``X.weight``, ``X.lora_A`` or ``X.lora_A.weight``,
and optionally ``X.alpha``).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from vfiscope.errors import EmbedderError

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["StateDict", "plain_state"]

STATE_DICT_KEYS = ("state_dict", "model_state_dict", "model", "base", "backbone")
"""Keys under which a checkpoint may hold the tensors, the outer ones first."""
CONFIGS = ("adapter_config", "lora_config", "peft_config")
NUMBERS = ("r", "rank", "lora_alpha", "alpha", "use_rslora")
WRAPPER_PREFIXES = ("module.", "_orig_mod.", "base_model.", "model.", "base.", "backbone.")
"""Prefixes that wrappers add to the names of a network; no name of the network itself has one."""
ADAPTER = re.compile(
    r"(?P<layer>.+)\.lora_(?P<part>A|B)(?:\.(?!weight$)(?P<adapter>\w+))?(?:\.weight)?"
)
ALPHA = (".lora_alpha", ".alpha")
MAX_DEPTH = 16
"""Most nested mappings: more than anybody saves, and a limit for one that contains itself."""
MAX_FLOAT32 = 3.4e38
"""Largest finite number of float32."""


@dataclass(frozen=True, eq=False)
class StateDict:
    """The state dict inside a checkpoint."""

    tensors: Mapping[str, Tensor]
    merged: tuple[str, ...] = ()
    """Weights that an adapter was merged into."""
    left_over: tuple[str, ...] = ()
    """Tensors beside the state dict, which are ignored."""
    notes: tuple[str, ...] = ()


def plain_state(raw: Any, source: str) -> StateDict:
    """The plain state dict in the content of a file.

    Args:
        raw: the content: a mapping, perhaps of mappings.
        source: name of the file in error messages.

    Raises:
        EmbedderError: there is no state dict, it holds something other than tensors, or an adapter
            cannot be merged.
    """
    flat, config, left_over = _unwrapped(raw, source)
    if not isinstance(flat, Mapping) or not flat:
        raise EmbedderError(f"{source} hold no state dict: save the model's state_dict()")
    state = _stripped(flat, source)
    adapters = _adapters(state, source)
    if not adapters:
        return StateDict(state, (), left_over)
    state = {name.replace(".base_layer.", "."): tensor for name, tensor in state.items()}
    notes = [_merge(state, layer, pair, config, source) for layer, pair in adapters.items()]
    merged = tuple(f"{layer}.weight" for layer in adapters)
    return StateDict(state, merged, left_over, tuple(dict.fromkeys(note for note in notes if note)))


def _unwrapped(raw: Any, source: str) -> tuple[Any, dict[str, Any], tuple[str, ...]]:
    """The innermost mapping, and the adapter settings and the other tensors found on the way."""
    config: dict[str, Any] = {}
    left_over: list[str] = []
    for _ in range(MAX_DEPTH):
        if not isinstance(raw, Mapping):
            return raw, config, (*left_over,)
        config |= _config(raw)
        key = next((key for key in STATE_DICT_KEYS if isinstance(raw.get(key), Mapping)), None)
        if key is None:
            return (
                {name: value for name, value in raw.items() if not _is_setting(name, value)},
                config,
                (*left_over,),
            )
        for name, value in raw.items():
            if name != key:
                left_over += _names(str(name), value)
        raw = raw[key]
    raise EmbedderError(
        f"{source} are nested more than {MAX_DEPTH} deep: save the model's state_dict()"
    )


def _names(name: str, value: Any) -> list[str]:
    """The names of the tensors in a value beside the state dict."""
    import torch

    if isinstance(value, Mapping):
        return [f"{name}.{key}" for key, inner in value.items() if isinstance(inner, torch.Tensor)]
    return [name] if isinstance(value, torch.Tensor) else []


def _is_setting(name: Any, value: Any) -> bool:
    return name in CONFIGS or (name in NUMBERS and not getattr(value, "ndim", 0))


def _config(raw: Mapping[Any, Any]) -> dict[str, Any]:
    """r, lora_alpha and use_rslora where a mapping has them, itself or in a nested
    configuration."""
    found = _numbers(raw)
    for inner in (raw.get(key) for key in CONFIGS):
        if isinstance(inner, Mapping):
            nested = inner.get("default")
            found |= _numbers(nested if isinstance(nested, Mapping) else inner)
    return found


def _numbers(raw: Mapping[Any, Any]) -> dict[str, Any]:
    return {
        str(name): value
        for name, value in raw.items()
        if name in NUMBERS and _is_setting(name, value)
    }


def _stripped(flat: Mapping[Any, Any], source: str) -> dict[str, Tensor]:
    """{name without prefixes: tensor}."""
    import torch

    state: dict[str, Tensor] = {}
    for name, tensor in flat.items():
        if not isinstance(tensor, torch.Tensor):
            raise EmbedderError(
                f"{source} hold a {type(tensor).__name__} at {name!r}, not a tensor: save the"
                " model's state_dict()"
            )
        short = str(name)
        while prefix := next(
            (prefix for prefix in WRAPPER_PREFIXES if short.startswith(prefix)), None
        ):
            short = short.removeprefix(prefix)
        if short in state and not torch.equal(state[short], tensor):
            raise EmbedderError(
                f"{source} hold two tensors for {short!r}: save the state_dict() of one network"
            )
        state[short] = tensor
    return state


def _adapters(state: dict[str, Tensor], source: str) -> dict[str, dict[str, Tensor]]:
    """{layer: {"A", "B" and optionally "alpha": tensor}}, which are removed from the state."""
    found: dict[str, dict[str, Tensor]] = {}
    for name in [name for name in state if ".lora_" in name]:
        match = ADAPTER.fullmatch(name)
        if match is None:
            continue
        pair = found.setdefault(match["layer"], {})
        if match["part"] in pair:
            raise EmbedderError(
                f"{source} hold two adapters for {match['layer']!r}: merge them before saving"
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
            f"{source} hold an adapter that is not a plain LoRA pair at {unknown[0]!r}: merge it"
            " before saving"
        )
    return found


def _merge(
    state: dict[str, Tensor],
    layer: str,
    pair: Mapping[str, Tensor],
    config: Mapping[str, Any],
    source: str,
) -> str | None:
    """Merge one pair into its weight in the state; returns a note where alpha had to be assumed."""
    name = f"{layer}.weight"
    down, up = pair["A"].float(), pair["B"].float()
    weight = state.get(name)
    if (
        weight is None
        or down.ndim != 2
        or up.ndim != 2
        or (*up.shape[:1], *down.shape[1:]) != weight.shape
    ):
        shape = None if weight is None else tuple(weight.shape)
        raise EmbedderError(
            f"{source} hold a LoRA pair {tuple(up.shape)} x {tuple(down.shape)} for {name!r}, which"
            f" is {shape}: save the network together with its adapters"
        )
    rank = int(down.shape[0])
    if rank < 1 or up.shape[1] != rank:
        raise EmbedderError(
            f"{source} hold a LoRA pair of rank {rank} and {up.shape[1]} for {name!r}: save it"
            " again"
        )
    alpha = pair.get("alpha", config.get("lora_alpha", config.get("alpha")))
    factor = (
        1.0
        if alpha is None
        else _number(alpha, name, source) / (rank**0.5 if config.get("use_rslora") else rank)
    )
    state[name] = weight.float() + factor * (up @ down)
    return "no alpha is stored with the adapters: taken as r" if alpha is None else None


def _number(alpha: Any, name: str, source: str) -> float:
    """The alpha as one finite number."""
    import torch

    if isinstance(alpha, torch.Tensor) and alpha.numel() == 1 and not alpha.is_complex():
        alpha = alpha.item()
    if not isinstance(alpha, (int, float)) or not abs(alpha) <= MAX_FLOAT32:
        shown = f"{alpha:g}" if isinstance(alpha, float) else f"a {type(alpha).__name__}"
        raise EmbedderError(
            f"{source} have {shown} as the LoRA alpha of {name!r}: store one finite number"
        )
    return float(alpha)

"""Extract the plain state dict from the kinds of checkpoint that people save: unwrap mappings,
strip prefixes, merge LoRA adapters (:mod:`vfiscope.models.lora`), and name the tensors as DINOv2's
own code does (:mod:`vfiscope.models.layouts`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from vfiscope.errors import EmbedderError
from vfiscope.models.layouts import renamed
from vfiscope.models.lora import find_adapters, merge, unwrapped
from vfiscope.models.plain_tensors import check_plain
from vfiscope.printable import printable

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["StateDict", "plain_state"]

STATE_DICT_KEYS = ("state_dict", "model_state_dict", "model", "teacher", "base", "backbone")
"""Keys under which a checkpoint may hold the tensors, the outer ones first."""
CONFIGS = ("adapter_config", "lora_config", "peft_config")
NUMBERS = ("r", "rank", "lora_alpha", "alpha", "use_rslora", "alpha_pattern")
WRAPPER_PREFIXES = ("module.", "_orig_mod.", "base_model.", "model.", "base.", "backbone.")
"""Prefixes that wrappers add to the names of a network; no name of the network itself has one."""
MAX_DEPTH = 16
"""Most nested mappings: more than anybody saves, and a limit for one that contains itself."""


@dataclass(frozen=True, eq=False)
class StateDict:
    """The state dict inside a checkpoint."""

    tensors: Mapping[str, Tensor]
    merged: tuple[str, ...] = ()
    """Weights that an adapter was merged into."""
    left_over: tuple[str, ...] = ()
    """Tensors beside the state dict, which are ignored."""
    notes: tuple[str, ...] = ()


def plain_state(raw: Any, source: str, *, lora_alpha: float | None = None) -> StateDict:
    """The plain state dict in the content of a file.

    Args:
        raw: the content: a mapping, perhaps of mappings.
        source: name of the file in error messages.
        lora_alpha: alpha of all LoRA adapters, in place of the one in the file.

    Raises:
        EmbedderError: there is no state dict, it holds something other than plain tensors, an
            adapter cannot be merged, or there is none for ``lora_alpha``.
    """
    flat, config, left_over = _unwrapped(raw, source)
    if not isinstance(flat, Mapping) or not flat:
        raise EmbedderError(f"{source} hold no state dict: save the model's state_dict()")
    stripped = _stripped(flat, source)
    adapters = find_adapters(stripped, source)
    if lora_alpha is not None and not adapters:
        raise EmbedderError(
            f"{source} hold no LoRA adapters, and lora_alpha is {lora_alpha:g}: leave it out"
        )
    state = unwrapped(stripped, adapters, source)
    notes = [
        merge(state, layer, pair, config, source, lora_alpha) for layer, pair in adapters.items()
    ]
    merged = tuple(f"{layer}.weight" for layer in adapters)
    named = renamed(state, source)
    told = tuple(dict.fromkeys(note for note in (*named.notes, *notes) if note))
    return StateDict(named.tensors, merged, (*left_over, *named.left_over), told)


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
                f"{source} hold a {type(tensor).__name__} at {printable(str(name))!r}, not a"
                " tensor: save the model's state_dict()"
            )
        check_plain(str(name), tensor, source)
        short = str(name)
        while prefix := next(
            (prefix for prefix in WRAPPER_PREFIXES if short.startswith(prefix)), None
        ):
            short = short.removeprefix(prefix)
        if short in state and not torch.equal(state[short], tensor):
            raise EmbedderError(
                f"{source} hold two tensors for {printable(short)!r}: save the state_dict() of one"
                " network"
            )
        state[short] = tensor
    return state

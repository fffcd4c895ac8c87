"""Names of tensors in checkpoints of other code bases, mapped to those of DINOv2's own code, which
timm reads.

Every rule is here. Hugging Face transformers names a network in its own way and keeps query, key
and value apart; the training code of DINOv2 numbers its blocks within chunks. Wrappers put prefixes
in front of all names: the prefix is what stands before the name of the first convolution, of which
a network has exactly one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from vfiscope.errors import EmbedderError
from vfiscope.models.plain_tensors import check_floats
from vfiscope.printable import printable

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["Renamed", "renamed"]

FIRST = re.compile(
    r"(?P<prefix>.*?)"
    r"(?P<first>patch_embed\.proj|embeddings\.patch_embeddings(\.projection)?)\.weight"
)
"""The first convolution, as timm and DINOv2's own code name it, and transformers."""
TEACHER = "teacher"
"""Of the networks of a self-distillation, the one that is used: it is the one that is published."""

RULES = tuple(
    (re.compile(old), new)
    for old, new in (
        (r"embeddings\.(cls_token|mask_token|register_tokens)", r"\1"),
        (r"embeddings\.position_embeddings", "pos_embed"),
        (r"embeddings\.patch_embeddings\.(?:projection\.)?(\w+)", r"patch_embed.proj.\1"),
        (r"(?:encoder\.layer|layers|layer)\.(\d+)\.(.+)", r"blocks.\1.\2"),
        (r"(blocks\.\d+)\.attention\.(?:attention\.)?(query|key|value)\.(\w+)", r"\1.attn.\2.\3"),
        (r"(blocks\.\d+)\.attention\.q_proj\.(\w+)", r"\1.attn.query.\2"),
        (r"(blocks\.\d+)\.attention\.k_proj\.(\w+)", r"\1.attn.key.\2"),
        (r"(blocks\.\d+)\.attention\.v_proj\.(\w+)", r"\1.attn.value.\2"),
        (r"(blocks\.\d+)\.attention\.(?:output\.dense|o_proj)\.(\w+)", r"\1.attn.proj.\2"),
        (r"(blocks\.\d+)\.layer_scale([12])\.lambda1", r"\1.ls\2.gamma"),
        (r"(blocks\.\d+)\.mlp\.weights_in\.(\w+)", r"\1.mlp.w12.\2"),
        (r"(blocks\.\d+)\.mlp\.(?:weights_out|down_proj)\.(\w+)", r"\1.mlp.w3.\2"),
        (r"(blocks\.\d+)\.intermediate\.dense\.(\w+)", r"\1.mlp.fc1.\2"),
        (r"(blocks\.\d+)\.output\.dense\.(\w+)", r"\1.mlp.fc2.\2"),
        (r"(blocks\.\d+)\.layernorm_before\.(\w+)", r"\1.norm1.\2"),
        (r"(blocks\.\d+)\.layernorm_after\.(\w+)", r"\1.norm2.\2"),
        (r"layernorm\.(\w+)", r"norm.\1"),
    )
)
"""(name in transformers, name in DINOv2's code); each applies to what the ones before it made."""
JOINED = (
    (re.compile(r"(.+\.attn)\.query\.(\w+)"), ("query", "key", "value"), "qkv"),
    (re.compile(r"(.+\.mlp)\.gate_proj\.(\w+)"), ("gate_proj", "up_proj"), "w12"),
)
"""(name of the first part, the parts, name of the whole): parts that lie side by side in one
tensor."""
CHUNKED = re.compile(r"^blocks\.\d+\.(\d+)\.")
"""Blocks in chunks: the second number counts through all of them."""
MAX_PREFIX_SHOWN = 60
CHUNKED_SIGN = re.compile(r"blocks\.\d+\.\d+\.norm1\.weight")


@dataclass(frozen=True, eq=False)
class Renamed:
    """Tensors under the names of DINOv2's own code, and what was done for it."""

    tensors: dict[str, Tensor]
    left_over: tuple[str, ...] = ()
    """Tensors of other networks in the file."""
    notes: tuple[str, ...] = ()


def renamed(state: Mapping[str, Tensor], source: str) -> Renamed:
    """The tensors of one network under the names of DINOv2's own code; those that already have
    them, and those of no known layout, stay as they are.

    Args:
        state: {name: tensor}.
        source: name of the file in error messages.

    Raises:
        EmbedderError: the file holds several networks, and none is a teacher; or one name twice.
    """
    prefix, of_transformers = _prefix(state, source)
    if prefix is None:
        return Renamed(dict(state))
    inner = {
        name.removeprefix(prefix): tensor
        for name, tensor in state.items()
        if name.startswith(prefix)
    }
    others = tuple(name for name in state if not name.startswith(prefix))
    notes = []
    if of_transformers:
        inner = _joined(_with_names(inner, _name, source), source)
        notes.append("named as in Hugging Face transformers")
    elif any(CHUNKED_SIGN.fullmatch(name) for name in inner):
        inner = _with_names(inner, partial(CHUNKED.sub, r"blocks.\1."), source)
        notes.append("named as in DINOv2's training")
    if TEACHER in prefix:
        notes.append(f"of {printable(prefix)}")
    return Renamed(inner, others, tuple(notes))


def _prefix(state: Mapping[str, Tensor], source: str) -> tuple[str | None, bool]:
    """The prefix of the names of the network, and whether they are those of transformers; None
    where no name is that of a first convolution."""
    found = [match for name in state if (match := FIRST.fullmatch(name))]
    chosen = (
        [match for match in found if not match["prefix"]]
        or [match for match in found if TEACHER in match["prefix"]]
        or found
    )
    if len(chosen) > 1:
        first, second = (printable(match["prefix"], MAX_PREFIX_SHOWN) for match in chosen[:2])
        raise EmbedderError(
            f"{source} hold several networks, {first!r} and {second!r}: save the state_dict() of"
            " one"
        )
    if not chosen:
        return None, False
    return chosen[0]["prefix"], chosen[0]["first"] != "patch_embed.proj"


def _name(name: str) -> str:
    """The name in DINOv2's own code of a name in transformers."""
    for old, new in RULES:
        name = old.sub(new, name) if old.fullmatch(name) else name
    return name


def _with_names(
    state: Mapping[str, Tensor], rename: Callable[[str], str], source: str
) -> dict[str, Tensor]:
    made: dict[str, Tensor] = {}
    for name, tensor in state.items():
        new = rename(name)
        if new in made:
            raise EmbedderError(
                f"{source} hold two tensors for {printable(new)!r}: save the state_dict() of one"
                " network"
            )
        made[new] = tensor
    return made


def _joined(state: dict[str, Tensor], source: str) -> dict[str, Tensor]:
    """The tensors with parts joined that lie side by side."""
    import torch

    made = dict(state)
    for first, parts, whole in JOINED:
        for match in filter(None, map(first.fullmatch, state)):
            names = [f"{match[1]}.{part}.{match[2]}" for part in parts]
            there = [made[name] for name in names if name in made and made[name].ndim]
            if len(there) < len(names) or len({part.shape[1:] for part in there}) > 1:
                continue  # the whole is missing then, and that is said
            for name in names:
                check_floats(name, made.pop(name), source, whole=True)
            made[f"{match[1]}.{whole}.{match[2]}"] = torch.cat(there)
    return made

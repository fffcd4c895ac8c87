"""Load a state dict into a network, with a report on every tensor."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from vfiscope.errors import EmbedderError
from vfiscope.models.formats import StateDict
from vfiscope.models.plain_tensors import check_floats
from vfiscope.printable import printable

if TYPE_CHECKING:
    from torch import Tensor, nn

__all__ = ["Fitted", "LoadReport", "fit", "load_into"]

MATCHED = 0.9
"""Least share of the network's tensors that a file must hold."""
MAX_NAME_SHOWN = 120
FIRST_CONVOLUTION = "patch_embed.proj.weight"
LOOKS_WRONG = (RuntimeError, LookupError, ValueError, TypeError)
"""What functions raise that are not made for the tensors of a stranger."""


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


@dataclass(frozen=True, eq=False)
class Fitted:
    """The tensors of a state dict that a network takes, and the report on all of them."""

    tensors: Mapping[str, Tensor]
    """{name in the network: floats of any width}"""
    report: LoadReport


def load_into(model: nn.Module, plain: StateDict, source: str = "the weights") -> LoadReport:
    """Load a state dict into a network; see :func:`fit`, whose errors it raises before anything is
    loaded."""
    fitted = fit(model, plain, source)
    model.load_state_dict(fitted.tensors, strict=False)
    return fitted.report


def fit(model: nn.Module, plain: StateDict, source: str = "the weights") -> Fitted:
    """The tensors that a network takes; a classifier (``head.*``) is not part of it.

    Args:
        model: a timm VisionTransformer, which may be on the meta device; it is not changed.
        plain: names and tensors; floats of any width.
        source: name of the weights in error messages.

    Raises:
        EmbedderError: a tensor has another shape, does not hold finite floats, or too few of the
            network's tensors are there.
    """
    wanted = {
        name: tensor for name, tensor in model.state_dict().items() if not name.startswith("head.")
    }
    tensors, dropped, notes = _named_for(model, wanted, plain.tensors)
    given = {name: tensor for name, tensor in tensors.items() if name in wanted}
    missing = [name for name in wanted if name not in given]
    unexpected = [name for name in tensors if name not in wanted]
    if len(given) < MATCHED * len(wanted):
        raise EmbedderError(
            f"{source} do not fit the network: only {len(given)} of its {len(wanted)} tensors are"
            f" there, missing {missing[0]!r} and {len(unexpected)} unknown: choose the embedder"
            " that they were made for"
        )
    for name, tensor in given.items():
        if tensor.shape != wanted[name].shape:
            raise EmbedderError(
                f"{source} do not fit the network: {name!r} is {tuple(tensor.shape)} instead of "
                f"{tuple(wanted[name].shape)}: choose the embedder that these weights were made for"
            )
        check_floats(name, tensor, source)
        if not bool(tensor.float().isfinite().all()):
            raise EmbedderError(f"{source} hold NaN or infinity at {name!r}: download them again")
    left_over = (*unexpected, *dropped, *plain.left_over)
    report = LoadReport(
        (*given,), (*missing,), _short(left_over), _short(plain.merged), (*plain.notes, *notes)
    )
    return Fitted(given, report)


def _named_for(
    model: Any, wanted: Mapping[str, Tensor], tensors: Mapping[str, Tensor]
) -> tuple[Mapping[str, Tensor], tuple[str, ...], tuple[str, ...]]:
    """The tensors under the names that a network of timm has for them, those that are dropped for
    it, and a note on it. Where a name is missing, the rules are those by which timm reads what
    others publish: register tokens, gated layers, and so on."""
    rules = getattr(sys.modules[type(model).__module__], "checkpoint_filter_fn", None)
    first = tensors.get(FIRST_CONVOLUTION)
    other_patch = first is not None and first.shape != wanted[FIRST_CONVOLUTION].shape
    if wanted.keys() <= tensors.keys() or rules is None or other_patch:
        return tensors, (), ()
    state = dict(tensors)
    if any(name == "register_tokens" or ".mlp.w12." in name for name in state):
        # timm takes a file for DINOv2's by this name, and drops it
        state.setdefault("mask_token", next(iter(state.values())))
    try:
        renamed: Mapping[str, Tensor] = rules(state, model)
    except (ArithmeticError, AssertionError, AttributeError, *LOOKS_WRONG):
        return tensors, (), ()  # what is wrong with them is said where they are compared
    count = len([name for name in renamed if name in wanted and name not in tensors])
    if not count:
        return tensors, (), ()
    dropped = ("mask_token",) if "mask_token" in tensors else ()
    return renamed, dropped, (f"{count} renamed by timm",)


def _short(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(printable(name, MAX_NAME_SHOWN) for name in names)

"""Models and devices, opened once for many jobs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from types import TracebackType
from typing import Any, Self, TypeVar

from vfiscope import registration as spatial
from vfiscope.config import RunConfig
from vfiscope.embedders import Embedder, Identity, choose, identify, open_embedder
from vfiscope.models import resolve_device
from vfiscope.types import Needs

__all__ = ["Models", "Session"]

MODELS_HELD = 2
"""Embedders, and registration methods, that stay open at the same time."""
T = TypeVar("T")


@dataclass(frozen=True)
class Models:
    """The device and models of a job."""

    device: str
    identity: Identity | None
    """Of the embedder; None where no metric needs features."""
    embedder: Embedder | None = None
    """None where no metric needs features, or nothing is to be computed."""
    register: spatial.Register | None = None
    """The registration of test frames to their partners; None where frames are not registered, or
    nothing is to be computed."""
    held: bool = False
    """Whether an earlier job had the same embedder, and its weights have been told."""


class Session:
    """Opened models by identity, shared by the jobs of one session.

    It keeps the last two embedders and the last two registration methods that jobs used. As a
    context manager it releases them at the end.
    """

    def __init__(self) -> None:
        self._devices: dict[str, str] = {}
        self._embedders: dict[tuple[Identity, str], Embedder] = {}
        self._registers: dict[tuple[str | None, ...], spatial.Register] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Release all models; a later job opens its models again."""
        self._embedders.clear()
        self._registers.clear()

    def identify(self, config: RunConfig, needs: Needs) -> Models:
        """The device and the identity of the embedder of a configuration; nothing is loaded.

        Args:
            config: what is computed, and where.
            needs: what its metrics ask for.

        Raises:
            EmbedderError: the device, the embedder, its weights or an option cannot be used.
        """
        name = config.device
        device = self._devices[name] = self._devices.get(name) or resolve_device(name)
        if Needs.FEATURES not in needs:
            return Models(device, None)
        return Models(device, identify(device=device, **_named(config)))

    def models(self, config: RunConfig, needs: Needs) -> Models:
        """The models of a configuration, opened unless an earlier job did.

        Raises:
            EmbedderError: the device, the embedder, its weights or an option cannot be used.
            UsageError: the registration's weights cannot be used.
        """
        known = self.identify(config, needs)
        device, embedder, register, held = known.device, None, None, False
        if known.identity is not None:
            opening = partial(open_embedder, device=device, **_named(config))
            held = (known.identity, device) in self._embedders
            embedder = _held(self._embedders, (known.identity, device), opening)
        if config.register != "none":
            weights = config.register_weights
            method = spatial.describe(config.register, weights)
            register = _held(
                self._registers,
                (config.register, method.get("weights_digest"), device),
                partial(spatial.open_register, config.register, weights=weights, device=device),
            )
        return replace(known, embedder=embedder, register=register, held=held)


def _named(config: RunConfig) -> dict[str, Any]:
    """The arguments by which the embedder of a configuration is identified and opened."""
    name, _ = choose(config.embedder, config.weights)
    return {
        "name": name,
        "weights": config.weights,
        "size": config.size,
        "aspect": config.aspect,
        "pool": config.pool,
        "precision": config.precision,
        "lora_alpha": config.lora_alpha,
    }


def _held(held: dict[Any, T], key: Any, opening: Callable[[], T]) -> T:
    """The model of a key, opened if it is not held; the least recently used is dropped first."""
    if key in held:
        held[key] = held.pop(key)
        return held[key]
    while len(held) >= MODELS_HELD:
        del held[next(iter(held))]
    held[key] = opening()
    return held[key]

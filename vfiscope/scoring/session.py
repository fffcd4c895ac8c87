"""Models and devices, opened once for many jobs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from vfiscope import registration as spatial
from vfiscope.config import RunConfig
from vfiscope.embedders import Embedder, choose, open_embedder
from vfiscope.models import resolve_device
from vfiscope.types import Needs

__all__ = ["Models", "Session"]


@dataclass(frozen=True)
class Models:
    """What a job computes with."""

    device: str
    embedder: Embedder | None
    """None where no metric needs features."""
    register: spatial.Register | None
    """How test frames are brought onto their partners; None where they are taken as they are."""


class Session:
    """Opened models, by all that identifies them. Jobs of one session share them."""

    def __init__(self) -> None:
        self._embedders: dict[tuple[Any, ...], Embedder] = {}
        self._registers: dict[tuple[Any, ...], spatial.Register] = {}

    def models(self, config: RunConfig, needs: Needs) -> Models:
        """What a configuration computes with, opened at its first use.

        Args:
            config: what is computed, and where.
            needs: what its metrics ask for.

        Raises:
            EmbedderError: the embedder, its weights or one of its options cannot be used.
            UsageError: the registration's weights cannot be used.
        """
        device = resolve_device(config.device)
        return Models(
            device,
            self._embedder(config, device) if Needs.FEATURES in needs else None,
            None if config.register == "none" else self._register(config, device),
        )

    def _embedder(self, config: RunConfig, device: str) -> Embedder:
        name, _ = choose(config.embedder, config.weights)
        options: dict[str, Any] = {
            "weights": config.weights,
            "size": config.size,
            "aspect": config.aspect,
            "pool": config.pool,
            "precise": config.precise,
        }
        key = (name, device, *options.values())
        if key not in self._embedders:
            self._embedders[key] = open_embedder(name, device=device, **options)
        return self._embedders[key]

    def _register(self, config: RunConfig, device: str) -> spatial.Register:
        key = (config.register, config.register_weights, device)
        if key not in self._registers:
            self._registers[key] = spatial.open_register(
                config.register, weights=config.register_weights, device=device
            )
        return self._registers[key]

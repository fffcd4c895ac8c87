"""DINOv2 and other networks of timm: dense features of a vision transformer.

Oquab et al., "DINOv2: Learning Robust Visual Features without Supervision", TMLR 2024; the network
is timm's. A frame is resized (see :mod:`vfiscope.embedders.embedder`), normalised with the ImageNet
mean and deviation, and goes through the network. The patch vectors are the normalised outputs
after the prefix tokens (class and register tokens, as many as the network has). Position embeddings
are resampled once, from the grid of the weights to that of the frame, by timm, bicubic with
antialiasing; the original code does not antialias, so features differ slightly from its own except
at 518 x 518. Other vision transformers of timm are used alike, with their own mean and deviation.

Precision: float32 on a CPU and bfloat16 on a CUDA device, unless the other is asked for. Factors of
float32 products are never rounded to 10 bits (TF32). With bfloat16 the products are computed in it
(autocast), and layer norms, the mean over the tokens and all comparisons in float32; on a CPU it is
tried first (see :mod:`vfiscope.embedders.precision`).

The network always gets batches of one size (see :func:`network_batch`), the last one padded with
zeros, because the rounding of matrix products depends on their size: the features of a frame depend
neither on its neighbours nor on the batch size or the resume point of a run. They do depend, in the
last bits, on the device and the number of threads.
"""

from __future__ import annotations

import os
from typing import Any

import torch
from torch import Tensor, nn

from vfiscope.embedders.embedder import check_aspect, resize_for
from vfiscope.embedders.identity import (
    Identity,
    check_network_size,
    check_pool,
    identify_network,
    precision_on,
)
from vfiscope.embedders.precision import check_bfloat16, multiplying_in, trial_images
from vfiscope.errors import EmbedderError
from vfiscope.models.catalog import Entry, Triple
from vfiscope.models.checkpoints import find_weights
from vfiscope.models.loading import LoadReport
from vfiscope.models.networks import load_network
from vfiscope.types import Features, Frames
from vfiscope.types.batch import array_on_cpu, to_tensor

__all__ = ["EMBED_BATCH", "Dinov2", "load_dinov2", "network_batch"]

EMBED_BATCH = 4
"""Most frames in a batch of the network. It is part of a score: another number changes its last
bits."""
CPU_PATCHES = 1024
"""Patches with which a batch keeps a CPU busy: those of four frames of 224 x 224."""


def network_batch(device: str, patches: int) -> int:
    """Frames in every batch of the network, for frames of so many patches each.

    On a CPU large frames go through it in smaller batches, which take no longer for each frame, so
    that less is computed of frames of zeros: at 518 x 518 one by one. Never by threes, since frames
    seldom come by threes.
    """
    fitting = EMBED_BATCH if device != "cpu" else CPU_PATCHES // patches
    return next(count for count in (EMBED_BATCH, 2, 1) if count <= max(1, fitting))


class Dinov2:
    """A DINOv2 network, or any timm vision transformer with ``forward_features`` and dynamic image
    size."""

    def __init__(
        self,
        model: nn.Module,
        *,
        name: str,
        version: str,
        size: int | None = None,
        aspect: str = "keep",
        pool: str = "patch",
        precision: str = "auto",
        mean: Triple = Entry.mean,
        deviation: Triple = Entry.deviation,
        weights_digest: str | None = None,
        lora_alpha: float | None = None,
        report: LoadReport | None = None,
        device: torch.device | str = "cpu",
    ) -> None:
        """Wrap a network that has its weights.

        Args:
            model: a timm VisionTransformer made with ``num_classes=0, dynamic_img_size=True``.
            name: name of the embedder.
            version: name of the network, which is stored.
            size: short side of the resized frame, a multiple of the patch; None takes 224, or 518
                on a GPU.
            aspect: ``keep`` or ``stretch``, see :mod:`vfiscope.embedders.embedder`.
            pool: ``patch`` (mean of the patch tokens), ``all`` (mean of all tokens) or ``cls`` (the
                class token).
            precision: ``float32``, ``bfloat16``, or ``auto`` for that of the device.
            mean: mean of red, green and blue in 0..1, by which frames are normalised.
            deviation: their standard deviation.
            weights_digest: digest of the weight file, which is stored.
            lora_alpha: alpha that adapters in the file were merged with, where one was asked for;
                it is stored.
            report: which tensors of the weight file were loaded, which is stored.
            device: the device to compute on; the network is moved there.

        Raises:
            EmbedderError: the size, aspect or pool does not fit the network.
        """
        self.device = torch.device(device)
        self.name = name
        self.report: LoadReport | None = report
        network: Any = model.eval().requires_grad_(False).to(self.device, torch.float32)
        self.model: nn.Module = network
        self._forward = network.forward_features
        self.patch = int(network.patch_embed.patch_size[0])
        self.dim = int(network.embed_dim)
        self.prefix = int(network.num_prefix_tokens)
        self.size = check_network_size(size, self.patch, str(self.device))
        self.pool = check_pool(pool)
        self.precision = precision_on(str(self.device), precision)
        self.identity = Identity(
            name,
            version,
            weights_digest,
            self.patch,
            self.dim,
            self.size,
            check_aspect(aspect),
            self.pool,
            self.precision,
            lora_alpha=lora_alpha,
        )
        if pool == "cls" and network.cls_token is None:
            raise EmbedderError(
                f"pool is 'cls': the network {version} has no class token, choose patch or all"
            )
        self._mean = torch.tensor(mean, device=self.device)[:, None, None]
        self._deviation = torch.tensor(deviation, device=self.device)[:, None, None]

    def grid(self, height: int, width: int) -> tuple[int, int]:
        """Patches (h, w) of a frame of height x width pixels."""
        return self.identity.grid(height, width)

    def floats(self, height: int, width: int) -> int:
        """Number of float32 values in the features of a frame: one vector for each patch and one
        for the frame."""
        return self.identity.floats(height, width)

    @torch.no_grad()
    def embed(self, frames: Frames) -> Features:
        """Features of N frames: patches (N, h, w, D), pooled (N, D), float32."""
        h, w = self.grid(*frames.size)
        prefix = self.prefix
        tokens = torch.empty((len(frames), prefix + h * w, self.dim), device=self.device)
        count = network_batch(self.device.type, h * w)
        for start in range(0, len(frames), count):
            rows = slice(start, start + count)
            tokens[rows] = self._tokens(frames[rows], (h, w), count)
        patches = tokens[:, prefix:]
        pooled = {"patch": patches, "all": tokens, "cls": tokens[:, :1]}[self.pool].mean(dim=1)
        patches = patches.reshape(len(frames), h, w, self.dim)
        return Features(array_on_cpu(pooled), array_on_cpu(patches))

    def describe(self, height: int, width: int) -> dict[str, Any]:
        """The record of the embedder that a run stores."""
        weights = None if self.report is None else self.report.to_dict()
        return {**self.identity.describe(height, width), "weights": weights}

    def check_precision(self) -> None:
        """Try bfloat16 where it is used on a CPU.

        Raises:
            EmbedderError: see :func:`vfiscope.embedders.precision.check_bfloat16`.
        """
        if self.precision == "bfloat16" and self.device.type == "cpu":
            check_bfloat16(self._forward, trial_images(self.patch), self.prefix)

    def _tokens(self, frames: Frames, grid: tuple[int, int], count: int) -> Tensor:
        """(n, prefix + h * w, D) for n <= count frames, computed in a batch of that many."""
        images = resize_for(
            to_tensor(frames.data, str(self.device)), frames.bit_depth, grid, self.patch
        )
        batch = images.new_zeros((count, *images.shape[1:]))
        batch[: len(frames)] = (images - self._mean) / self._deviation
        with multiplying_in(self.precision, self.device):
            tokens: Tensor = self._forward(batch)
        return tokens[: len(frames)]


def load_dinov2(
    made: Entry,
    *,
    weights: str | os.PathLike[str] | None = None,
    size: int | None = None,
    aspect: str = "keep",
    pool: str = "patch",
    precision: str = "auto",
    lora_alpha: float | None = None,
    device: torch.device | str = "cpu",
) -> Dinov2:
    """Build a network of timm and load its weights.

    Args:
        made: an entry with a ``timm_id``.
        weights: the weight file; None takes the one in the Hugging Face cache.
        size, aspect, pool, precision, lora_alpha: see :class:`Dinov2`.
        device: the device to compute on.

    Raises:
        EmbedderError: the size or pool does not fit, the weights are missing, damaged or from
        another network, or bfloat16 does not suit this CPU or network.
    """
    identity = identify_network(  # before gigabytes are read
        made,
        weights=weights,
        size=size,
        aspect=aspect,
        pool=pool,
        precision=precision,
        lora_alpha=lora_alpha,
        device=str(device),
    )
    model, report = load_network(made, find_weights(made.name, weights), lora_alpha=lora_alpha)
    embedder = Dinov2(
        model,
        name=identity.name,
        version=identity.version,
        size=identity.size,
        aspect=aspect,
        pool=pool,
        precision=precision,
        mean=made.mean,
        deviation=made.deviation,
        lora_alpha=lora_alpha,
        weights_digest=identity.weights_digest,
        report=report,
        device=device,
    )
    embedder.check_precision()
    return embedder

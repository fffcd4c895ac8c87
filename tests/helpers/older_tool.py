"""What VFI-Similarity and NOVA compute, written again from the description of their steps with
plain PIL, timm and torch; nothing of vfiscope is used."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import timm
import torch
from PIL import Image

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
SMALL = "vit_small_patch14_dinov2.lvd142m"


def build(name: str = SMALL, **options: Any) -> torch.nn.Module:
    """A network of one block without a head, with random weights of a size that tells images
    apart: those of a new network hardly do."""
    torch.manual_seed(7)
    made = timm.create_model(name, num_classes=0, dynamic_img_size=True, depth=1, **options)
    for name, tensor in made.named_parameters():
        if name.endswith("gamma"):
            torch.nn.init.ones_(tensor)
        elif name.endswith("weight") and tensor.ndim > 1:
            torch.nn.init.normal_(tensor, std=0.1)
    return made.eval()


def load_image(path: Path, size: int) -> torch.Tensor:
    """(1, 3, S, S): both sides resized to S by PIL, bilinear, then the numbers of ImageNet."""
    image = Image.open(path).convert("RGB").resize((size, size), Image.Resampling.BILINEAR)
    values = (np.asarray(image, np.float64) / 255 - MEAN) / STD
    return torch.from_numpy(values.transpose(2, 0, 1)[None]).float()


@torch.inference_mode()
def tokens(model: torch.nn.Module, path: Path, size: int) -> torch.Tensor:
    """(1 + N, D): the class token and the patches after the last norm."""
    return model.forward_features(load_image(path, size))[0]


def cosine_distance(model: torch.nn.Module, a: Path, b: Path, size: int) -> float:
    """1 - cosine of the means over all tokens, the class token included."""
    first, second = (tokens(model, path, size).mean(dim=0) for path in (a, b))
    return 1 - float(torch.nn.functional.cosine_similarity(first, second, dim=0))


def dense(model: torch.nn.Module, a: Path, b: Path, size: int) -> Mapping[str, Any]:
    """The numbers of its summary, with the best matches. Mismatch is 1 - similarity, times 1.25
    where a match is not mutual; the tool itself stretched each similarity map to 0..1 before."""
    p, q = (torch.nn.functional.normalize(tokens(model, path, size)[1:], dim=1) for path in (a, b))
    similarity = p @ q.T
    (best_a, index_a), (best_b, index_b) = similarity.max(dim=1), similarity.max(dim=0)
    mutual_a = index_b[index_a] == torch.arange(len(index_a))
    mutual_b = index_a[index_b] == torch.arange(len(index_b))
    return {
        "num_patches": len(p),
        "grid_size": round(len(p) ** 0.5),
        "embedding_dim": p.shape[1],
        "mean_similarity_a2b": float(best_a.mean()),
        "mean_similarity_b2a": float(best_b.mean()),
        "mean_mismatch_a": float(((1 - best_a) * torch.where(mutual_a, 1, 1.25)).mean()),
        "mean_mismatch_b": float(((1 - best_b) * torch.where(mutual_b, 1, 1.25)).mean()),
        "mutual": int(mutual_a.sum()),
    }


def lora(state: Mapping[str, torch.Tensor], rank: int = 4) -> dict[str, dict[str, torch.Tensor]]:
    """{layer: A (r, in) and B (out, r)} for the attention of the first block."""
    torch.manual_seed(11)
    found = {}
    for layer in ("blocks.0.attn.qkv", "blocks.0.attn.proj"):
        out, into = state[f"{layer}.weight"].shape
        found[layer] = {"A": torch.randn(rank, into) * 0.2, "B": torch.randn(out, rank) * 0.2}
    return found


def merged(
    state: Mapping[str, torch.Tensor], adapters: Mapping[str, Any], scale: float
) -> dict[str, torch.Tensor]:
    """W + scale B A."""
    found = dict(state)
    for layer, pair in adapters.items():
        found[f"{layer}.weight"] = state[f"{layer}.weight"] + scale * pair["B"] @ pair["A"]
    return found

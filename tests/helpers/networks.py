"""Small networks and their saved states."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from timm.models.vision_transformer import VisionTransformer

from vfiscope.errors import EmbedderError

State = dict[str, torch.Tensor]


def network(
    seed: int = 0, dim: int = 48, classes: int = 0, image: int = 28, **options: object
) -> VisionTransformer:
    torch.manual_seed(seed)
    build = partial(VisionTransformer, patch_size=14, depth=1, num_heads=4, dynamic_img_size=True)
    return build(img_size=image, embed_dim=dim, num_classes=classes, **options)


def save(state: object, path: Path) -> Path:
    if path.suffix == ".safetensors":
        save_file(state, path)
    else:
        torch.save(state, path)
    return path


def one_line(error: pytest.ExceptionInfo[EmbedderError]) -> str:
    text = str(error.value)
    assert "\n" not in text
    return text

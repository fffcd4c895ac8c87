"""Small networks and their saved states."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest
import timm
import torch
from safetensors.torch import save_file
from timm.models.vision_transformer import VisionTransformer

from vfiscope.errors import EmbedderError
from vfiscope.models.catalog import entry

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


def shallow(patch: pytest.MonkeyPatch) -> None:
    """Networks of a single block in place of those of the catalogue, of the same widths."""
    patch.setattr(timm, "create_model", partial(timm.create_model, depth=1))


def write_weights(name: str, path: Path, value: float = 0.0) -> Path:
    """Weights of a catalogued network, all of one value: a file of a few kilobytes."""
    with torch.device("meta"):
        made = timm.create_model(entry(name).timm_id, num_classes=0, dynamic_img_size=True)
    one = torch.tensor(value)
    state = {key: one.expand(tensor.shape) for key, tensor in made.state_dict().items()}
    return save(state, path)

"""Checkpoints of other code bases hold the same network as timm's: the loaded weights are equal."""

from __future__ import annotations

import re
from argparse import Namespace
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from helpers.networks import State, network, one_line, save
from timm.layers import SwiGLUPacked
from timm.models.vision_transformer import VisionTransformer

from vfiscope.errors import EmbedderError
from vfiscope.models.checkpoints import load_state
from vfiscope.models.formats import plain_state
from vfiscope.models.loading import load_into

SCALED = {"init_values": 0.5}
REGISTERS = {**SCALED, "reg_tokens": 4, "no_embed_class": True}
GATED = {
    **SCALED,
    "mlp_layer": SwiGLUPacked,
    "act_layer": torch.nn.SiLU,
    "mlp_ratio": 8 / 3,
}


def own_names(model: VisionTransformer) -> State:
    """The state as DINOv2's own code names and holds it."""
    state = {**model.state_dict(), "mask_token": torch.zeros(1, 48)}
    if "reg_token" in state:  # one more position for the class token, which is added to it
        shift = torch.full((1, 1, 48), 0.25)
        state["register_tokens"] = state.pop("reg_token")
        state["pos_embed"] = torch.cat([shift, state["pos_embed"]], dim=1)
        state["cls_token"] = state["cls_token"] - shift
    if model.blocks[0].mlp.fc1.out_features != model.blocks[0].mlp.fc2.in_features:
        state = {
            name.replace("mlp.fc1", "mlp.w12").replace("mlp.fc2", "mlp.w3"): tensor
            for name, tensor in state.items()
        }
    return state


def transformers_name(name: str, vit: bool) -> str:
    """As transformers 5.24 saves Dinov2Model, Dinov2WithRegistersModel and ViTModel."""
    whole = {
        "pos_embed": "embeddings.position_embeddings",
        "norm.weight": "layernorm.weight",
        "norm.bias": "layernorm.bias",
    }
    if not name.startswith("blocks."):
        first = "embeddings.patch_embeddings.projection"
        return whole.get(name) or (
            name.replace("patch_embed.proj", first) if "proj" in name else f"embeddings.{name}"
        )
    _, number, rest = name.split(".", 2)
    parts = [
        ("attn.proj.", "attention.output.dense."),
        ("ls1.gamma", "layer_scale1.lambda1"),
        ("ls2.gamma", "layer_scale2.lambda1"),
        ("mlp.w12.", "mlp.weights_in."),
        ("mlp.w3.", "mlp.weights_out."),
    ]
    if vit:
        parts += [
            ("norm1.", "layernorm_before."),
            ("norm2.", "layernorm_after."),
            ("mlp.fc1.", "intermediate.dense."),
            ("mlp.fc2.", "output.dense."),
        ]
    for ours, theirs in parts:
        rest = rest.replace(ours, theirs)
    return f"encoder.layer.{number}.{rest}"


def transformers(model: VisionTransformer, *, vit: bool = False) -> State:
    state: State = {}
    for name, tensor in own_names(model).items():
        new = transformers_name(name, vit)
        if "attn.qkv" not in new:
            state[new] = tensor
            continue
        for part, rows in zip(("query", "key", "value"), tensor.chunk(3), strict=True):
            state[new.replace("attn.qkv", f"attention.attention.{part}")] = rows.clone()
    return state


def in_memory(model: VisionTransformer) -> State:
    """``torch.save(model.state_dict())`` of transformers 5, which names other than it saves."""
    state: State = {}
    for name, tensor in transformers(model).items():
        new = name.replace("attention.output.dense", "attention.o_proj")
        for part in ("query", "key", "value"):
            new = new.replace(f"attention.attention.{part}", f"attention.{part[0]}_proj")
        if "mlp.weights_in" in new:
            gate, up = tensor.chunk(2)
            state[new.replace("weights_in", "gate_proj")] = gate.clone()
            state[new.replace("weights_in", "up_proj")] = up.clone()
        else:
            state[new.replace("weights_out", "down_proj")] = tensor
    return state


def with_classifier(model: VisionTransformer) -> State:
    inner = {f"dinov2.{name}": tensor for name, tensor in transformers(model).items()}
    return {**inner, "classifier.weight": torch.zeros(2, 96), "classifier.bias": torch.zeros(2)}


def training(model: VisionTransformer) -> object:
    """A checkpoint of DINOv2's training: blocks in chunks, heads beside the backbone."""
    state = {
        "backbone." + re.sub(r"^blocks\.(\d+)\.", r"blocks.0.\1.", name): tensor
        for name, tensor in own_names(model).items()
    }
    return {"teacher": {**state, "dino_head.mlp.0.weight": torch.zeros(4, 4)}, "iteration": 3}


def teacher_and_student(model: VisionTransformer) -> State:
    state = own_names(model)
    student = {f"student.backbone.{name}": tensor + 1 for name, tensor in state.items()}
    return {**student, **{f"teacher.backbone.{name}": tensor for name, tensor in state.items()}}


def lightning(model: VisionTransformer) -> object:
    state = {f"net.encoder.{name}": tensor for name, tensor in model.state_dict().items()}
    return {"state_dict": {**state, "net.decoder.weight": torch.zeros(3)}, "epoch": 3}


def dino(model: VisionTransformer) -> object:
    """A checkpoint of DINO's training, which keeps its arguments beside the networks."""
    state = {f"module.backbone.{name}": each for name, each in model.state_dict().items()}
    student = {name: tensor + 1 for name, tensor in state.items()}
    return {"student": student, "teacher": state, "args": Namespace(arch="vit", lr=0.1)}


def vit(model: VisionTransformer) -> State:
    state = transformers(model, vit=True)
    del state["embeddings.mask_token"]
    return {**state, "pooler.dense.weight": torch.zeros(48, 48)}


OF_TRANSFORMERS, OF_TRAINING = (
    "named as in Hugging Face transformers",
    "named as in DINOv2's training",
)


@pytest.mark.parametrize(
    ("write", "options", "suffix", "left_over", "notes"),
    [
        (own_names, SCALED, "pth", 1, ()),
        (own_names, REGISTERS, "pth", 1, ("1 renamed by timm",)),
        (own_names, {**REGISTERS, **GATED}, "pth", 1, ("5 renamed by timm",)),
        (transformers, SCALED, "safetensors", 1, (OF_TRANSFORMERS,)),
        (transformers, REGISTERS, "safetensors", 1, (OF_TRANSFORMERS, "1 renamed by timm")),
        (transformers, GATED, "bin", 1, (OF_TRANSFORMERS, "4 renamed by timm")),
        (in_memory, GATED, "bin", 1, (OF_TRANSFORMERS, "4 renamed by timm")),
        (with_classifier, SCALED, "bin", 3, (OF_TRANSFORMERS,)),
        (vit, {}, "safetensors", 1, (OF_TRANSFORMERS,)),
        (training, SCALED, "pth", 2, (OF_TRAINING,)),
        (teacher_and_student, SCALED, "pth", 22, ("of teacher.backbone.",)),
        (lightning, SCALED, "ckpt", 1, ()),
        (dino, {}, "ckpt", 18, ()),
    ],
)
def test_the_same_network_is_loaded(
    tmp_path: Path,
    write: Callable[[VisionTransformer], object],
    options: dict[str, object],
    suffix: str,
    left_over: int,
    notes: tuple[str, ...],
) -> None:
    saved, other = network(0, **options), network(1, **options)
    report = load_into(other, load_state(save(write(saved), tmp_path / f"w.{suffix}")))
    assert report.missing == report.merged == ()
    assert len(report.unexpected) == left_over, report.unexpected
    assert report.notes == notes
    for name, tensor in saved.state_dict().items():
        assert torch.allclose(tensor, other.state_dict()[name], rtol=0, atol=5e-8), name


def test_files_of_which_no_network_can_be_chosen(tmp_path: Path) -> None:
    state = network(0).state_dict()
    two = {f"{part}.{name}": each for part in ("left", "right") for name, each in state.items()}
    twice = {**transformers(network(0)), "encoder.layer.0.attention.q_proj.bias": torch.zeros(48)}
    for content, message in (
        (two, r"hold several networks, 'left\.' and 'right\.': save the state_dict\(\) of one"),
        (twice, r"hold two tensors for 'blocks\.0\.attn\.query\.bias'"),
    ):
        with pytest.raises(EmbedderError, match=message) as error:
            load_state(save(content, tmp_path / "w.pth"))
        one_line(error)


def test_parts_that_do_not_make_a_whole_are_missing() -> None:
    """A tenth of the tensors may be missing; the report names it."""
    layer = "encoder.layer.0.attention.attention"
    uneven, short, scalar = (transformers(network(0)) for _ in range(3))
    uneven[f"{layer}.key.weight"] = torch.zeros(48, 4)
    del short[f"{layer}.value.weight"]
    scalar[f"{layer}.query.weight"] = torch.tensor(1.0)
    for content in (uneven, short, scalar):
        report = load_into(network(1), plain_state(content, "the weights"))
        assert report.missing == ("blocks.0.attn.qkv.weight",)
        assert "1 (blocks.0.attn.qkv.weight) missing and left at random" in str(report)

"""Weights into a network: what is loaded, wrapped, merged, resampled, and said of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import pytest
import torch
from helpers.networks import State, network, one_line, save
from timm.models.vision_transformer import VisionTransformer

from vfiscope.errors import EmbedderError
from vfiscope.models.checkpoints import load_state
from vfiscope.models.formats import StateDict
from vfiscope.models.loading import load_into
from vfiscope.models.lora import NO_ALPHA


@pytest.mark.parametrize("suffix", ["safetensors", "pth", "pt", "bin"])
def test_a_saved_state_is_loaded_bit_by_bit(tmp_path: Path, suffix: str) -> None:
    saved, other = network(0), network(1)
    path = save(saved.state_dict(), tmp_path / f"w.{suffix}")
    assert not torch.equal(saved.pos_embed, other.pos_embed)
    report = load_into(other, load_state(path))
    assert sorted(report.loaded) == sorted(saved.state_dict())
    assert report.missing == report.unexpected == report.merged == report.notes == ()
    assert str(report) == f"{len(report.loaded)} of {len(report.loaded)} tensors loaded"
    for name, tensor in saved.state_dict().items():
        assert torch.equal(tensor, other.state_dict()[name]), name


def test_a_classifier_in_the_file_is_left_out() -> None:
    saved, other = network(0, classes=10), network(1)
    report = load_into(other, StateDict(saved.state_dict()))
    assert report.unexpected == ("head.weight", "head.bias")
    assert torch.equal(saved.norm.weight, other.norm.weight)
    assert torch.equal(saved.pos_embed, other.pos_embed)


def test_half_precision_weights_are_widened() -> None:
    saved, other = network(0), network(1)
    load_into(
        other, StateDict({name: tensor.half() for name, tensor in saved.state_dict().items()})
    )
    assert other.pos_embed.dtype == torch.float32
    assert torch.equal(other.pos_embed, saved.pos_embed.half().float())


def test_under_nine_tenths_of_the_network_nothing_is_loaded() -> None:
    model = network(0)
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    names = list(before)
    assert len(names) == 18
    few = {name: network(1).state_dict()[name] for name in names[:16]}
    with pytest.raises(
        EmbedderError, match="only 16 of its 18 tensors are there, missing 'norm"
    ) as error:
        load_into(model, StateDict({**few, "mask_token": torch.zeros(1)}), "the weights 'w.pth'")
    assert one_line(error).startswith("the weights 'w.pth' do not fit")
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())


def test_a_tensor_that_is_missing_or_left_over_is_said() -> None:
    state = network(1).state_dict()
    del state["norm.bias"]
    report = load_into(
        network(0), StateDict({**state, "mask_token": torch.zeros(1)}, left_over=("optimizer",))
    )
    assert (report.missing, report.unexpected) == (("norm.bias",), ("mask_token", "optimizer"))
    assert (
        str(report)
        == "17 of 18 tensors loaded, 1 (norm.bias) missing and left at random, 2 (mask_token, ...)"
        " left over"
    )
    assert report.to_dict() == {
        "loaded": 17,
        "missing": ["norm.bias"],
        "unexpected": ["mask_token", "optimizer"],
        "merged": [],
        "notes": [],
    }


def test_a_tensor_of_another_shape_is_named() -> None:
    with pytest.raises(
        EmbedderError,
        match=r"'cls_token' is \(1, 1, 32\) instead of \(1, 1, 48\): choose the embedder",
    ):
        load_into(network(0), StateDict(network(0, dim=32).state_dict()))


def prefixed(prefix: str, state: State) -> State:
    return {f"{prefix}{name}": tensor for name, tensor in state.items()}


WRAPPERS: dict[str, Callable[[State], object]] = {
    "plain": dict,
    "model": lambda state: {"model": state, "epoch": 3},
    "state_dict": lambda state: {"state_dict": prefixed("model.", state), "hyper": {"lr": 0.1}},
    "model_state_dict": lambda state: {
        "epoch": 1,
        "model_state_dict": state,
        "optimizer": {"state": {}},
    },
    "nested": lambda state: {"model": {"state_dict": prefixed("module.backbone.", state)}},
    "module.": lambda state: prefixed("module.", state),
    "base.": lambda state: prefixed("base.", state),
    "backbone.": lambda state: prefixed("backbone.", state),
    "peft": lambda state: prefixed("base_model.model.", state),
}


@pytest.mark.parametrize("name", WRAPPERS)
def test_a_state_dict_is_found_in_its_wrapping(tmp_path: Path, name: str) -> None:
    saved, other = network(0), network(1)
    path = save(WRAPPERS[name](saved.state_dict()), tmp_path / "w.pth")
    report = load_into(other, load_state(path))
    assert (len(report.loaded), report.missing, report.unexpected, report.merged) == (
        18,
        (),
        (),
        (),
    )
    assert all(
        torch.equal(tensor, other.state_dict()[key]) for key, tensor in saved.state_dict().items()
    )


def test_novas_checkpoint_is_a_base_and_a_head_that_no_output_uses(tmp_path: Path) -> None:
    saved, other = network(0), network(1)
    head = torch.nn.Sequential(torch.nn.Linear(48, 48), torch.nn.ReLU(), torch.nn.Linear(48, 32))
    path = save(
        {"base": saved.state_dict(), "embedding_head": head.state_dict()}, tmp_path / "w.pt"
    )
    report = load_into(other, load_state(path))
    assert torch.equal(saved.norm.weight, other.norm.weight)
    assert report.unexpected == tuple(
        f"embedding_head.{key}" for key in ("0.weight", "0.bias", "2.weight", "2.bias")
    )
    flat = {
        **prefixed("base.", saved.state_dict()),
        **prefixed("embedding_head.", head.state_dict()),
    }
    again = load_into(network(1), load_state(save(flat, tmp_path / "flat.safetensors")))
    assert sorted(again.unexpected) == sorted(report.unexpected)


class Adapted(torch.nn.Module):
    """A linear layer with a LoRA adapter beside it, as it is trained."""

    def __init__(self, layer: torch.nn.Linear, rank: int, factor: float) -> None:
        super().__init__()
        self.layer, self.factor = layer, factor
        self.down = torch.randn(rank, layer.in_features)
        self.up = torch.randn(layer.out_features, rank)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.layer(x) + self.factor * (x @ self.down.T @ self.up.T)


def adapted(rank: int, factor: float) -> tuple[VisionTransformer, State, dict[str, Adapted]]:
    """A network with adapters, its state without them, and the adapters by layer."""
    model = network(0)
    state = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    adapters = {}
    for layer in ("blocks.0.attn.qkv", "blocks.0.attn.proj", "blocks.0.mlp.fc1"):
        parent, _, name = layer.rpartition(".")
        adapters[layer] = Adapted(model.get_submodule(layer), rank, factor)
        setattr(model.get_submodule(parent), name, adapters[layer])
    return model.eval(), state, adapters


def peft(state: State, adapters: Mapping[str, Adapted], **config: object) -> object:
    flat = {}
    for name, tensor in state.items():
        layer, _, kind = name.rpartition(".")
        flat[
            (
                f"base_model.model.{layer}.base_layer.{kind}"
                if layer in adapters
                else f"base_model.model.{name}"
            )
        ] = tensor
    for layer, each in adapters.items():
        flat[f"base_model.model.{layer}.lora_A.default.weight"] = each.down
        flat[f"base_model.model.{layer}.lora_B.default.weight"] = each.up
    return {"state_dict": flat, "adapter_config": config} if config else flat


def plain(ending: str, **stored: float) -> Callable[..., object]:
    def made(state: State, adapters: Mapping[str, Adapted]) -> object:
        flat = dict(state)
        for layer, each in adapters.items():
            flat |= {f"{layer}.lora_A{ending}": each.down, f"{layer}.lora_B{ending}": each.up}
            flat |= {f"{layer}.{name}": torch.tensor(value) for name, value in stored.items()}
        return {"model": flat}

    return made


@pytest.mark.parametrize(
    ("write", "factor", "notes"),
    [
        (partial(peft, r=4, lora_alpha=8), 2.0, ()),
        (partial(peft, r=4, lora_alpha=8, use_rslora=True), 4.0, ()),
        (peft, 1.0, (NO_ALPHA,)),
        (plain(""), 1.0, (NO_ALPHA,)),
        (plain(".weight"), 1.0, (NO_ALPHA,)),
        (plain(".weight", alpha=2.0), 0.5, ()),
        (plain("", lora_alpha=12.0), 3.0, ()),
    ],
    ids=["peft", "rslora", "peft without alpha", "plain", "plain weight", "alpha", "lora_alpha"],
)
def test_lora_is_merged(
    tmp_path: Path, write: Callable[..., object], factor: float, notes: tuple[str, ...]
) -> None:
    """The merged network computes what the network computes with its adapters beside it."""
    torch.manual_seed(3)
    trained, state, adapters = adapted(4, factor)
    merged = network(1).eval()
    report = load_into(merged, load_state(save(write(state, adapters), tmp_path / "w.pth")))
    assert report.merged == tuple(f"{layer}.weight" for layer in adapters)
    assert (report.missing, report.unexpected, report.notes) == ((), (), notes)
    image = torch.randn(2, 3, 28, 42)
    with torch.no_grad():
        expected, plain_output = (
            trained.forward_features(image),
            network(0).eval().forward_features(image),
        )
        assert torch.allclose(merged.forward_features(image), expected, atol=2e-4)
        assert float((expected - plain_output).abs().max()) > 0.1


def test_adapters_that_cannot_be_merged(tmp_path: Path) -> None:
    state = network(0).state_dict()
    layer = "blocks.0.attn.qkv"
    down, up = torch.zeros(4, 48), torch.zeros(144, 4)
    pair = {f"{layer}.lora_A.weight": down, f"{layer}.lora_B.weight": up}
    for extra, message in (
        ({f"{layer}.lora_A.weight": down}, f"not a plain LoRA pair at '{layer}'"),
        (
            {**pair, f"{layer}.lora_magnitude_vector.weight": down},
            "not a plain LoRA pair at .*magnitude",
        ),
        ({**pair, f"{layer}.lora_A.other.weight": down}, f"two adapters for '{layer}'"),
        (
            {**pair, f"{layer}.lora_B.weight": up[:9]},
            r"LoRA pair \(9, 4\) x \(4, 48\) for .* which is \(144, 48\)",
        ),
        ({"head2.lora_A": down, "head2.lora_B": up}, "for 'head2.weight', which is None"),
    ):
        with pytest.raises(EmbedderError, match=message) as error:
            load_state(save({**state, **extra}, tmp_path / "w.pth"))
        one_line(error)
    clash = {**state, "module.norm.bias": state["norm.bias"] + 1}
    with pytest.raises(EmbedderError, match=r"hold two tensors for 'norm\.bias'"):
        load_state(save(clash, tmp_path / "w.pth"))


def test_alphas_and_ranks_that_are_none(tmp_path: Path) -> None:
    state = network(0).state_dict()
    layer = "blocks.0.attn.qkv"
    pair = {
        f"{layer}.lora_A.weight": torch.zeros(4, 48),
        f"{layer}.lora_B.weight": torch.zeros(144, 4),
    }
    no_rank = {
        f"{layer}.lora_A.weight": torch.zeros(0, 48),
        f"{layer}.lora_B.weight": torch.zeros(144, 0),
    }
    uneven = {**pair, f"{layer}.lora_B.weight": torch.zeros(144, 3)}
    for alpha, shown in (
        ([8], "a list"),
        ("8", "a str"),
        ({}, "a dict"),
        (8j, "a complex"),
        (10**400, "a int"),
        (float("nan"), "nan"),
        (float("-inf"), "-inf"),
        (torch.tensor(float("nan")), "nan"),
    ):
        with pytest.raises(
            EmbedderError, match=f"have {shown} as the LoRA alpha of '{layer}.weight': store"
        ) as error:
            load_state(
                save(
                    {"model": {**state, **pair}, "lora_config": {"lora_alpha": alpha}},
                    tmp_path / "w.pth",
                )
            )
        one_line(error)
    for flat, message in (
        ({**pair, f"{layer}.alpha": torch.ones(3)}, "have a Tensor as the LoRA alpha"),
        ({**no_rank, f"{layer}.alpha": torch.tensor(8.0)}, "a LoRA pair of rank 0 and 0"),
        (no_rank, "a LoRA pair of rank 0 and 0"),
        (uneven, "a LoRA pair of rank 4 and 3"),
    ):
        with pytest.raises(EmbedderError, match=message) as error:
            load_state(save({**state, **flat}, tmp_path / "w.pth"))
        one_line(error)


def test_nesting_has_an_end(tmp_path: Path) -> None:
    """A mapping that holds itself, as model and as settings, and one that is only deep."""
    itself: dict[str, object] = {}
    itself["model"] = itself
    deep: dict[str, object] = dict(network(0).state_dict())
    for _ in range(15):
        deep = {"model": deep}
    assert len(load_state(save(deep, tmp_path / "w.pth")).tensors) == 18
    for content in (itself, {"model": deep}):
        with pytest.raises(EmbedderError, match="are nested more than 16 deep: save") as error:
            load_state(save(content, tmp_path / "w.pth"))
        one_line(error)
    settings: dict[str, object] = {"lora_alpha": 8}
    settings["adapter_config"] = settings["default"] = settings
    content = {"model": network(0).state_dict(), "adapter_config": settings}
    assert len(load_state(save(content, tmp_path / "w.pth")).tensors) == 18


def wrapped(inner: str, *, mirrored: bool = False) -> Callable[..., object]:
    """The layer under a name of its own within a wrapper, perhaps multiplied from the right."""

    def made(state: State, adapters: Mapping[str, Adapted]) -> object:
        flat = dict(state)
        for layer, each in adapters.items():
            for leaf in ("weight", "bias"):
                flat[f"{layer}.{inner}.{leaf}"] = flat.pop(f"{layer}.{leaf}")
            down, up = (each.down.T, each.up.T) if mirrored else (each.down, each.up)
            flat |= {f"{layer}.lora_A": down, f"{layer}.lora_B": up}
        return {"model": flat}

    return made


@pytest.mark.parametrize(
    "write",
    [wrapped("original"), wrapped("linear"), wrapped("layer", mirrored=True), partial(peft, r=4)],
)
@pytest.mark.parametrize(("alpha", "factor"), [(None, 1.0), (16.0, 4.0)])
def test_lora_in_a_wrapper_of_ones_own_and_an_alpha_that_is_asked_for(
    tmp_path: Path, write: Callable[..., object], alpha: float | None, factor: float
) -> None:
    torch.manual_seed(3)
    trained, state, adapters = adapted(4, factor)
    merged = network(1).eval()
    path = save(write(state, adapters), tmp_path / "w.pth")
    report = load_into(merged, load_state(path, lora_alpha=alpha))
    assert (report.missing, report.unexpected) == ((), ())
    assert report.notes == ((NO_ALPHA,) if alpha is None else ("LoRA alpha 16 as asked",))
    image = torch.randn(1, 3, 28, 42)
    with torch.no_grad():
        expected = trained.forward_features(image)
        assert torch.allclose(merged.forward_features(image), expected, atol=2e-4)


def test_an_alpha_that_is_asked_for_in_place_of_another_or_of_none(tmp_path: Path) -> None:
    torch.manual_seed(3)
    _, state, adapters = adapted(4, 1.0)
    path = save(peft(state, adapters, lora_alpha=8), tmp_path / "w.pth")
    asked = load_into(network(1), load_state(path, lora_alpha=2.0))
    assert asked.notes == ("LoRA alpha 2 as asked, in place of the one in the file",)
    save(peft(state, adapters, lora_alpha=8, alpha_pattern={"qkv": 2}), path)
    assert load_into(network(1), load_state(path, lora_alpha=2.0)).notes == asked.notes
    with pytest.raises(EmbedderError, match=r"have a LoRA alpha for each layer \(alpha_pattern\)"):
        load_state(path)
    save(network(0).state_dict(), path)
    with pytest.raises(EmbedderError, match="hold no LoRA adapters, and lora_alpha is 2: leave it"):
        load_state(path, lora_alpha=2.0)


def test_wrappers_of_which_the_weight_is_not_clear(tmp_path: Path) -> None:
    state, layer = network(0).state_dict(), "blocks.0.attn.qkv"
    weight = state.pop(f"{layer}.weight")
    pair = {f"{layer}.lora_A": torch.zeros(4, 48), f"{layer}.lora_B": torch.zeros(144, 4)}
    both = {f"{layer}.old.weight": weight, f"{layer}.new.weight": weight}
    stretched = {f"{layer}.old.weight": torch.ones(1).expand(144, 48)}
    wide = {
        **pair,
        f"{layer}.lora_A": torch.zeros(200, 48),
        f"{layer}.lora_B": torch.zeros(144, 200),
    }
    for extra, message in (
        ({**pair, **both}, f"LoRA pair for '{layer}', which wraps 'old' and 'new': merge it"),
        ({**pair, **stretched}, "a tensor with fewer numbers than its shape has at '.*weight'"),
        ({**wide, f"{layer}.weight": weight}, "hold a LoRA pair of rank 200 and 200 for"),
    ):
        with pytest.raises(EmbedderError, match=message) as error:
            load_state(save({**state, **extra}, tmp_path / "w.pth"))
        one_line(error)

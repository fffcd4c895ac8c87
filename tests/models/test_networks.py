"""Networks of timm by name, built without initial values and on the grid of their weights."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
import timm
import torch
from helpers.media import frames_of, noise
from helpers.networks import one_line, save

import vfiscope as vs
from vfiscope.embedders import identify, open_embedder
from vfiscope.errors import EmbedderError
from vfiscope.models.catalog import CATALOG, entry
from vfiscope.models.networks import load_network, timm_entry
from vfiscope.types import Frames

NAME = "test_vit.r160_in1k"
"""A network of 0.4 M parameters: patches of 16 x 16, and a grid of 10 x 10."""


def built(name: str = NAME, seed: int = 0, **options: object) -> torch.nn.Module:
    torch.manual_seed(seed)
    made = timm.create_model(name, num_classes=0, dynamic_img_size=True, **options).eval()
    with torch.no_grad():
        for parameter in made.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    return made


def frame(height: int, width: int) -> Frames:
    return frames_of(noise(1, height, width))


def by_hand(model: torch.nn.Module, frames: Frames, mean: float, deviation: float) -> torch.Tensor:
    """The patch tokens of a frame that has whole patches already, without the adapter."""
    with torch.no_grad():
        values = (torch.from_numpy(frames.data.copy()) / 255 - mean) / deviation
        return model.forward_features(values)[0, model.num_prefix_tokens :]


@pytest.mark.parametrize(
    ("name", "size", "dim"), [(NAME, 160, 64), ("test_vit2", 160, 64), ("test_vit3", 160, 96)]
)
def test_a_network_of_timm_by_its_name(tmp_path: Path, name: str, size: int, dim: int) -> None:
    """At its own patch size, default size and normalisation; class and register tokens are no
    patches."""
    model = built(name)
    path = save(model.state_dict(), tmp_path / "w.pth")
    made = open_embedder(name, weights=path)
    assert (made.patch, made.dim, made.identity.size) == (16, dim, size)
    assert made.identity == identify(name, weights=path)
    assert made.identity.version == model.pretrained_cfg["architecture"] + ".r160_in1k"
    frames = frame(160, 192)
    settings = model.pretrained_cfg
    expected = by_hand(model, frames, settings["mean"][0], settings["std"][0])
    assert len(set(settings["mean"])) == len(set(settings["std"])) == 1
    assert np.allclose(made.embed(frames).patches[0].reshape(-1, made.dim), expected, atol=1e-4)


@pytest.mark.slow
def test_weights_of_another_grid_are_resampled_once(tmp_path: Path) -> None:
    """Weights saved for 6 x 6 patches: on such a grid as they are, on others resampled from it."""
    model = built(img_size=96)
    path = save(model.state_dict(), tmp_path / "w.pth")
    made = open_embedder(NAME, weights=path, size=96)
    assert made.model.pos_embed.shape == model.pos_embed.shape == (1, 37, 64)
    assert torch.equal(made.model.pos_embed, model.pos_embed)
    for size in ((96, 96), (96, 128), (160, 160)):
        frames = frame(*size)
        got = open_embedder(NAME, weights=path, size=min(size)).embed(frames).patches[0]
        assert np.allclose(got.reshape(-1, 64), by_hand(model, frames, 0.5, 0.5), atol=1e-4)
    for tokens in (31, 1 + 129**2):  # no square, and one that is too large
        state = {**model.state_dict(), "pos_embed": torch.zeros(1, 1, 64).expand(1, tokens, 64)}
        with pytest.raises(EmbedderError, match=rf"'pos_embed' is \(1, {tokens}, 64\) instead of"):
            open_embedder(NAME, weights=save(state, path))


@pytest.mark.slow
def test_what_is_not_in_the_file_has_initial_values(tmp_path: Path) -> None:
    """And so have buffers that no file holds: the angles of rotary embeddings."""
    model = built()
    state = model.state_dict()
    del state["norm.bias"]
    loaded, report = load_network(entry(NAME), save(state, tmp_path / "w.pth"))
    assert report.missing == ("norm.bias",)
    assert torch.equal(loaded.norm.bias, torch.zeros(64))
    assert torch.equal(loaded.pos_embed, model.pos_embed)
    rotary = built("vit_small_patch16_dinov3", depth=1)
    path = save(rotary.state_dict(), tmp_path / "r.pth")
    with pytest.MonkeyPatch.context() as patch:
        create = timm.create_model
        patch.setattr(timm, "create_model", lambda *a, **b: create(*a, depth=1, **b))
        made = open_embedder("vit_small_patch16_dinov3", weights=path, size=64)
    mean, deviation = (rotary.pretrained_cfg[key] for key in ("mean", "std"))
    frames = frame(64, 64)
    with torch.no_grad():
        values = torch.from_numpy(frames.data.copy()) / 255
        values -= torch.tensor(mean)[:, None, None]
        tokens = rotary.forward_features(values / torch.tensor(deviation)[:, None, None])[0, 5:]
    assert made.embed(frames).patches.shape == (1, 4, 4, 384)
    assert np.allclose(made.embed(frames).patches[0].reshape(tokens.shape), tokens, atol=1e-4)


def test_names_of_timm() -> None:
    assert timm_entry("vit_small_patch14_dinov2.lvd142m") is CATALOG["dinov2-small"]
    assert timm_entry("vit_base_patch14_reg4_dinov2") is CATALOG["dinov2-base-reg"]
    dino = entry("vit_small_patch16_224.dino")
    assert (dino.patch, dino.dim, dino.size) == (16, 384, 224)
    assert dino.repo == "timm/vit_small_patch16_224.dino"
    siglip = entry("vit_base_patch16_siglip_224.webli")
    assert (siglip.mean, siglip.deviation) == ((0.5,) * 3, (0.5,) * 3)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("vit_small_patch16_224.dinoo", "did you mean vit_small_patch16_224.dino or "),
        ("vit_smal_patch14_dinov2.lvd142m", "did you mean vit_small_patch14_dinov2.lvd142m or "),
        ("dinov2_vits14_reg", "timm has no network of that name"),
        ("hf-hub:timm/test_vit.r160_in1k", "timm has no network of that name"),
        ("test_resnet", "the network test_resnet of timm cannot be an embedder, because it does"),
        ("beit_base_patch16_224", "of timm cannot be an embedder"),
        ("vit_tiny_r_s16_p8_224", "of timm cannot be an embedder"),
        ("\x1b[31m_" + "x" * 10**5, "there is no embedder '\ufffd[31m_xxx"),
    ],
)
def test_names_that_are_not_of_a_vision_transformer(name: str, said: str) -> None:
    with pytest.raises(EmbedderError, match=re.escape(said)) as error:
        identify(name)
    assert len(one_line(error)) < 3000


def test_networks_without_published_weights() -> None:
    with pytest.raises(EmbedderError, match="has no weights of vit_small_patch16_18x2_224: pass"):
        identify("vit_small_patch16_18x2_224")
    with pytest.raises(EmbedderError, match=r"vfiscope models fetch test_vit\.r160_in1k"):
        identify("test_vit")
    with pytest.raises(EmbedderError, match="lora_alpha is 8: leave it out"):
        identify("dsift", lora_alpha=8.0)


def test_a_run_with_a_network_of_timm_and_an_alpha(tmp_path: Path) -> None:
    """The cosine of a run is that of the networks with B A added by hand; alpha is stored."""
    model, layer = built(), "blocks.0.attn.qkv"
    state = model.state_dict()
    down, up = torch.randn(4, 64), 0.1 * torch.randn(192, 4)
    path = save({**state, f"{layer}.lora_A": down, f"{layer}.lora_B": up}, tmp_path / "w.pth")
    images = noise(2, 160, 160)
    run = vs.compare(
        *images,
        embedder=NAME,
        weights=path,
        lora_alpha=8,
        metrics=["cosine"],
        maps=[],
        fields=[],
        out=tmp_path / "a.h5",
    )
    with torch.no_grad():
        model.get_submodule(layer).weight += 2 * up @ down
    test, ref = (by_hand(model, frames_of(each[None]), 0.5, 0.5).mean(0) for each in images)
    expected = 1 - float(torch.cosine_similarity(test.double(), ref.double(), dim=0))
    assert float(run.scores["cosine"][0]) == pytest.approx(expected, abs=1e-5)
    assert expected > 1e-4
    assert run.config["lora_alpha"] == run.embedder["lora_alpha"] == 8
    assert run.embedder["name"] == NAME

"""The DINOv2 adapter, with small random networks of the same build."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
import timm
import torch
from helpers.media import frames_of
from PIL import Image
from safetensors.torch import save_file
from timm.models.vision_transformer import VisionTransformer

from vfiscope import open_run
from vfiscope.cli.program import main
from vfiscope.embedders import choose, kinds, open_embedder
from vfiscope.embedders.dinov2 import EMBED_BATCH, Dinov2, network_batch
from vfiscope.embedders.embedder import resize_for
from vfiscope.errors import EmbedderError
from vfiscope.metrics import patches
from vfiscope.models import CATALOG, device, resolve_device
from vfiscope.models.lora import NO_ALPHA
from vfiscope.types.batch import to_tensor

DIM = 48
SMALL = {"patch_size": 14, "embed_dim": DIM, "depth": 2, "num_heads": 4, "init_values": 1e-5}


def network(
    *, seed: int = 0, image: int = 70, spread: float = 0.2, **options: object
) -> VisionTransformer:
    torch.manual_seed(seed)
    built = VisionTransformer(
        img_size=image, num_classes=0, dynamic_img_size=True, **{**SMALL, **options}
    )
    with torch.no_grad():  # so that every part of it matters
        for parameter in built.parameters():
            parameter.add_(spread * torch.randn_like(parameter))
    return built.eval()


def registers(**options: object) -> VisionTransformer:
    return network(reg_tokens=4, no_embed_class=True, **options)


def embedder(model: VisionTransformer, **options: object) -> Dinov2:
    return Dinov2(model, name="small", version="random", **{"size": 70, **options})


def noise(n: int, height: int, width: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (n, height, width, 3), dtype=np.uint8)


def by_hand(model: VisionTransformer, image: np.ndarray) -> torch.Tensor:
    """All tokens of one image that already has whole patches, without the adapter: (tokens, D)."""
    mean, deviation = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])
    values = torch.from_numpy((image / 255 - mean) / deviation).permute(2, 0, 1)[None].float()
    with torch.no_grad():
        return model.forward_features(values)[0]


def small() -> VisionTransformer:
    """DINOv2 S, but for the depth."""
    return network(embed_dim=384, num_heads=6, spread=0.03)


def base() -> VisionTransformer:
    """DINOv2 B, but for the depth."""
    return network(embed_dim=768, num_heads=12, spread=0.03)


@pytest.mark.slow
@pytest.mark.parametrize("build", [network, registers, small, base])
@pytest.mark.parametrize("size", [(70, 70), (70, 98), (112, 70)], ids=str)
def test_a_batch_is_the_images_one_by_one(build: object, size: tuple[int, int]) -> None:
    model = build()
    images = noise(EMBED_BATCH + 2, *size)
    made = embedder(model).embed(frames_of(images))
    grid = (size[0] // 14, size[1] // 14)
    assert made.patches.shape == (EMBED_BATCH + 2, *grid, model.embed_dim)
    prefix = 5 if build is registers else 1
    for row, image in enumerate(images):
        tokens, got = by_hand(model, image), made.patches[row].reshape(-1, model.embed_dim)
        assert np.allclose(got, tokens[prefix:], atol=1e-5)
        assert np.allclose(made.pooled[row], tokens[prefix:].mean(dim=0), atol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["dinov2-small", "dinov2-base", "dinov2-small-reg"])
def test_a_batch_of_the_whole_network_is_the_images_one_by_one(name: str) -> None:
    torch.manual_seed(2)
    model = timm.create_model(CATALOG[name].timm_id, num_classes=0, dynamic_img_size=True).eval()
    images = noise(3, 28, 42)
    made = embedder(model, size=28).embed(frames_of(images))
    for row, image in enumerate(images):
        tokens = by_hand(model, image)
        assert np.allclose(made.patches[row].reshape(-1, model.embed_dim), tokens[-6:], atol=1e-5)
    assert len(tokens) == 6 + (5 if name.endswith("-reg") else 1)


@pytest.mark.parametrize("size", [70, 112])
def test_novas_number_from_its_description(size: int) -> None:
    """Both images size x size; ImageNet mean and deviation; 1 - cosine of the mean over all 1 + g^2
    tokens."""
    model = network()
    images = noise(2, size, size)
    means = [by_hand(model, image).double().mean(dim=0) for image in images]
    expected = float(1 - means[0] @ means[1] / means[0].norm() / means[1].norm())
    made = embedder(model, size=size, pool="all", aspect="stretch")
    test, ref = (made.embed(frames_of(image[None])).pooled for image in images)
    assert expected > 1e-4
    assert patches.cosine_distance(test, ref).item() == pytest.approx(expected, abs=1e-6)


def test_the_resize_is_pillows_but_for_its_rounding() -> None:
    """NOVA resizes 8-bit images with Pillow, which rounds after each axis: at most one code value
    apart."""
    for height, width, size in ((300, 400, 224), (90, 120, 154)):
        image = cv2.GaussianBlur(noise(1, height, width)[0], (0, 0), 1.0)
        pillow = np.asarray(
            Image.fromarray(image).resize((size, size), Image.Resampling.BILINEAR)
        ).astype(float)
        frames = frames_of(image[None])
        ours = (
            resize_for(to_tensor(frames.data, "cpu"), 8, (size // 14, size // 14), 14)[0]
            .permute(1, 2, 0)
            .numpy()
            * 255
        )
        assert np.abs(ours - pillow).max() <= 1.01
        assert 0.1 < np.abs(ours - pillow).mean() < 0.35


def test_stretched_frames_have_a_square_grid() -> None:
    made = embedder(network(), aspect="stretch")
    image = noise(1, 60, 130)
    square = frames_of(image)
    assert made.grid(60, 130) == (5, 5)
    resized = resize_for(to_tensor(square.data, "cpu"), 8, (5, 5), 14)
    assert resized.shape == (1, 3, 70, 70)
    by_loop = made.model.forward_features((resized - made._mean) / made._deviation)[0]
    assert np.allclose(made.embed(square).patches[0].reshape(-1, made.dim), by_loop[1:], atol=1e-5)
    with pytest.raises(EmbedderError, match="aspect is 'crop': choose one of keep, stretch"):
        embedder(network(), aspect="crop")


def test_pools() -> None:
    model = registers()
    image = noise(1, 70, 84)
    tokens = by_hand(model, image[0])
    pooled = {
        pool: embedder(model, pool=pool).embed(frames_of(image)).pooled[0]
        for pool in ("patch", "all", "cls")
    }
    assert np.allclose(pooled["patch"], tokens[5:].mean(dim=0), atol=1e-5)
    assert np.allclose(pooled["all"], tokens.mean(dim=0), atol=1e-5)
    assert np.allclose(pooled["cls"], tokens[0], atol=1e-5)
    assert not np.allclose(pooled["patch"], pooled["all"], atol=1e-3)


def test_a_defect_shows_in_its_own_cell_in_every_corner() -> None:
    """Register and class tokens are no patches: a change at a corner changes that corner most."""
    model = registers()
    plain = np.full((1, 98, 126, 3), 120, np.uint8)
    before = embedder(model).embed(frames_of(plain)).patches[0]
    h, w = before.shape[:2]
    for y, x in ((0, 0), (0, w - 1), (h - 1, 0), (h - 1, w - 1), (3, 4)):
        image = cv2.resize(plain[0], (w * 14, h * 14))
        image[y * 14 : y * 14 + 14, x * 14 : x * 14 + 14] = noise(1, 14, 14)[0]
        after = embedder(model).embed(frames_of(image[None])).patches[0]
        assert int(np.linalg.norm(after - before, axis=-1).argmax()) == y * w + x


@pytest.mark.parametrize("batch", [1, 2, 3, 4, 7])
def test_bits_do_not_depend_on_the_batch(batch: int) -> None:
    frames = frames_of(noise(7, 80, 110))
    made = embedder(network())
    whole = made.embed(frames)
    for start in range(0, 7, batch):
        part = made.embed(frames[start : start + batch])
        assert np.array_equal(part.patches, whole.patches[start : start + batch])
        assert np.array_equal(part.pooled, whole.pooled[start : start + batch])


def test_the_network_sees_one_batch_shape_only(monkeypatch: pytest.MonkeyPatch) -> None:
    model, seen = network(), []
    forward = model.forward_features
    monkeypatch.setattr(
        model, "forward_features", lambda batch: (seen.append(batch.clone()), forward(batch))[1]
    )
    made = embedder(model)
    for n in (1, EMBED_BATCH, EMBED_BATCH + 2):
        assert len(made.embed(frames_of(noise(n, 70, 84)))) == n
    assert [tuple(batch.shape) for batch in seen] == [(EMBED_BATCH, 3, 70, 84)] * 4
    assert [int((batch.flatten(1) == 0).all(dim=1).sum()) for batch in seen] == [3, 0, 0, 2]


def test_large_frames_pass_the_network_in_smaller_batches_on_a_cpu() -> None:
    counts = {patches: network_batch("cpu", patches) for patches in (1, 256, 257, 512, 513, 1369)}
    assert counts == {1: 4, 256: 4, 257: 2, 512: 2, 513: 1, 1369: 1}
    assert network_batch("cuda", 1369) == network_batch("mps", 1369) == EMBED_BATCH


@pytest.mark.slow
def test_bits_of_large_frames_do_not_depend_on_the_batch() -> None:
    made, frames = embedder(network(depth=1), size=14 * 19), frames_of(noise(3, 14 * 19, 14 * 27))
    whole = made.embed(frames)
    for row in range(3):
        alone = made.embed(frames[row : row + 1])
        assert np.array_equal(alone.patches[0], whole.patches[row])


def test_deep_frames_are_read_over_their_own_range() -> None:
    shallow = noise(1, 70, 70)
    deep = (shallow.astype(np.uint32) * 65535 // 255).astype(np.uint16)
    made = embedder(network())
    one, other = made.embed(frames_of(shallow)), made.embed(frames_of(deep, 16))
    assert np.allclose(one.patches, other.patches, atol=1e-4)


def test_no_frames_give_no_features() -> None:
    made = embedder(network()).embed(frames_of(noise(0, 70, 84)))
    assert made.patches.shape == (0, 5, 6, DIM)
    assert made.pooled.shape == (0, DIM)


def test_the_network_is_left_in_evaluation_and_without_gradients() -> None:
    model = network(proj_drop_rate=0.5, drop_path_rate=0.5).train()
    made = embedder(model)
    frames = frames_of(noise(1, 70, 70))
    assert np.array_equal(made.embed(frames).patches, made.embed(frames).patches)
    assert isinstance(made.embed(frames).patches, np.ndarray)


def test_position_embeddings_are_resampled_from_518() -> None:
    """A network built at 518 px takes other grids, and resampling is bicubic with antialiasing."""
    model = network(image=518, depth=1)
    assert model.pos_embed.shape == (1, 1 + 37 * 37, DIM)
    image = noise(1, 70, 112)
    got = embedder(model).embed(frames_of(image)).patches[0]
    grid = model.pos_embed[:, 1:].reshape(1, 37, 37, DIM).permute(0, 3, 1, 2)
    small = torch.nn.functional.interpolate(grid, size=(5, 8), mode="bicubic", antialias=True)
    twin = network(image=(70, 112), depth=1)
    state = model.state_dict()
    state["pos_embed"] = torch.cat(
        [model.pos_embed[:, :1], small.permute(0, 2, 3, 1).reshape(1, 40, DIM)], dim=1
    )
    twin.load_state_dict(state)
    assert np.allclose(got.reshape(-1, model.embed_dim), by_hand(twin, image[0])[1:], atol=1e-5)


def test_sizes_and_pools_that_do_not_fit() -> None:
    with pytest.raises(EmbedderError, match="such as 70 or 84"):
        embedder(network(), size=75)
    with pytest.raises(EmbedderError, match="pool is 'max': choose one of patch, all, cls"):
        embedder(network(), pool="max")
    with pytest.raises(EmbedderError, match="has no class token"):
        embedder(network(class_token=False, global_pool="avg"), pool="cls")
    assert embedder(network(class_token=False, global_pool="avg")).embed(
        frames_of(noise(1, 70, 70))
    ).pooled.shape == (
        1,
        DIM,
    )


def test_describe_says_what_made_the_features() -> None:
    made = embedder(network(), pool="all", weights_digest="sha256:ab")
    assert made.describe(720, 1280) == {
        "name": "small",
        "version": "random",
        "weights_digest": "sha256:ab",
        "dim": DIM,
        "pooled_dim": DIM,
        "patch": 14,
        "grid": [5, 9],
        "size": 70,
        "aspect": "keep",
        "pool": "all",
        "precision": "float32",
        "resizing": 2,
        "weights": None,
    }
    assert Dinov2(network(), name="small", version="random").size == 224


@pytest.mark.slow
def test_the_catalogue_agrees_with_timm() -> None:
    for entry in CATALOG.values():
        if entry.timm_id is not None:
            settings = timm.get_pretrained_cfg(entry.timm_id)
            assert settings is not None
            assert settings.hf_hub_id == entry.repo
    with torch.device("meta"):
        for name in CATALOG.keys() - {"dsift"}:
            model = timm.create_model(
                CATALOG[name].timm_id, pretrained=False, num_classes=0, dynamic_img_size=True
            )
            assert model.embed_dim == CATALOG[name].dim
            assert model.patch_embed.patch_size == (CATALOG[name].patch, CATALOG[name].patch)
            assert model.num_prefix_tokens == (5 if name.endswith("-reg") else 1)


@pytest.mark.slow
def test_weights_of_the_real_network_are_loaded_from_a_file(tmp_path: Path) -> None:
    torch.manual_seed(1)
    model = timm.create_model(
        "vit_small_patch14_dinov2.lvd142m", num_classes=0, dynamic_img_size=True
    ).eval()
    path = tmp_path / "weights.safetensors"
    save_file(model.state_dict(), path)
    opened = open_embedder("dinov2-small", weights=path, size=28)
    image = noise(1, 28, 42)
    made = opened.embed(frames_of(image)).patches.reshape(-1, opened.dim)
    assert np.allclose(made, by_hand(model, image[0])[1:], atol=1e-4)
    assert opened.describe(28, 42)["version"] == "vit_small_patch14_dinov2.lvd142m"
    assert opened.describe(28, 42)["weights_digest"].startswith("sha256:")
    assert opened.describe(28, 42)["weights"] == {
        "loaded": 174,
        "missing": [],
        "unexpected": [],
        "merged": [],
        "notes": [],
    }
    report = kinds.check("dinov2-small", path)
    assert report["tensors"] == len(model.state_dict()) == 174
    assert report["report"] == "174 of 174 tensors loaded"
    assert report["dim"] == 384
    assert report["path"] == str(path)
    assert report["digest"] == opened.describe(28, 42)["weights_digest"]
    assert report["probe_norm"] > 0


@pytest.mark.slow
def test_a_run_says_and_stores_what_became_of_the_weights(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """NOVA's layout with an un-merged adapter, from the command line."""
    monkeypatch.chdir(tmp_path)
    torch.manual_seed(1)
    model = timm.create_model(
        "vit_small_patch14_reg4_dinov2.lvd142m", num_classes=0, dynamic_img_size=True
    )
    state = model.state_dict()
    state |= {
        "blocks.0.attn.qkv.lora_A": torch.ones(2, 384),
        "blocks.0.attn.qkv.lora_B": torch.ones(1152, 2),
    }
    del state["norm.bias"]
    torch.save({"base": state, "embedding_head": {"0.weight": torch.ones(3, 3)}}, "w.pt")
    for name, image in zip(("a.png", "b.png"), noise(2, 28, 42), strict=True):
        Image.fromarray(image).save(name)
    options = [
        "--embedder",
        "dinov2-small-reg",
        "--weights",
        "w.pt",
        "--size",
        "28",
        "--metrics",
        "mismatch",
    ]
    with pytest.raises(SystemExit) as caught:
        main(
            [
                "compare",
                "a.png",
                "b.png",
                "-o",
                "a.h5",
                "--pool",
                "all",
                "--aspect",
                "stretch",
                "--precision",
                "float32",
                *options,
            ]
        )
    assert caught.value.code == 0
    note = NO_ALPHA
    assert [line for line in capsys.readouterr().err.splitlines() if "weights" in line] == [
        "vfiscope: weights w.pt: 174 of 175 tensors loaded, 1 (norm.bias) missing and left at"
        " random, 1 (embedding_head.0.weight) left over, 1 (blocks.0.attn.qkv.weight) merged with"
        f" LoRA, {note}"
    ]
    with open_run("a.h5") as run:
        assert run.embedder is not None
        assert run.embedder["weights"] == {
            "loaded": 174,
            "missing": ["norm.bias"],
            "unexpected": ["embedding_head.0.weight"],
            "merged": ["blocks.0.attn.qkv.weight"],
            "notes": [note],
        }
        stored = {key: run.embedder[key] for key in ("aspect", "pool", "precision", "grid", "size")}
        assert stored == {
            "aspect": "stretch",
            "pool": "all",
            "precision": "float32",
            "grid": [2, 2],
            "size": 28,
        }
        assert run.config["precision"] == "float32"
        assert run.maps["mismatch"].shape == (1, 2, 2)


def test_auto_takes_the_first_network_whose_weights_are_here(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(kinds, "cached_weights", lambda name: Path("w") if name in here else None)
    here: set[str] = set()
    name, reason = choose("auto")
    assert name == "dsift"
    assert "models fetch dinov2-small" in reason
    here |= {"dinov2-large", "dinov2-base"}
    assert choose("auto")[0] == "dinov2-base"
    assert choose("dsift") == ("dsift", "as asked")


def test_names_and_weights_that_cannot_be() -> None:
    with pytest.raises(
        EmbedderError, match="there is no embedder 'dinov3': choose from dsift, dinov2-small"
    ):
        choose("dinov3")
    with pytest.raises(EmbedderError, match="choose their network, one of"):
        choose("auto", "w.safetensors")
    with pytest.raises(EmbedderError, match="dsift has no weights"):
        open_embedder("dsift", weights="w.safetensors")
    with pytest.raises(EmbedderError, match="such as 224 or 238"):
        open_embedder("dinov2-giant", weights="missing.safetensors", size=230)


def test_dsift_can_be_checked_too() -> None:
    report = kinds.check("dsift")
    assert report | {"probe_norm": 0} == {
        "name": "dsift",
        "path": None,
        "digest": None,
        "tensors": 0,
        "report": None,
        "dim": 135,
        "probe_norm": 0,
    }
    assert 0.5 < report["probe_norm"] <= 1


def test_devices() -> None:
    assert resolve_device("cpu") == "cpu"
    assert resolve_device(torch.device("cuda", 1)) == "cuda:1"
    assert resolve_device("auto") in ("cpu", "cuda", "mps")
    with pytest.raises(EmbedderError, match="there is no device 'tpu'"):
        resolve_device("tpu")


def test_a_device_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    monkeypatch.setattr(device, "_driver_found", lambda: True)
    assert resolve_device("auto") == "cpu"
    with pytest.raises(
        EmbedderError, match="torch finds no cuda device on this machine: choose auto or cpu"
    ):
        open_embedder("dsift", device="cuda")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert resolve_device("auto") == "cuda"
    monkeypatch.setattr(device, "_driver_found", lambda: False)
    assert resolve_device("auto") == "cpu"  # without a driver torch is not asked

"""Weights: from files good and bad, into networks that fit and that do not."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from pathlib import Path

import huggingface_hub
import pytest
import torch
from huggingface_hub.errors import LocalEntryNotFoundError
from safetensors.torch import save_file
from timm.models.vision_transformer import VisionTransformer

from vfiscope.embed.catalog import list_embedders
from vfiscope.embed.checkpoints import (
    cached_weights,
    fetch_weights,
    find_weights,
    load_into,
    load_state,
    weights_digest,
)
from vfiscope.errors import EmbedderError

REPO = "timm/vit_small_patch14_dinov2.lvd142m"


def network(seed: int = 0, dim: int = 48, classes: int = 0) -> VisionTransformer:
    torch.manual_seed(seed)
    return VisionTransformer(
        img_size=28, patch_size=14, embed_dim=dim, depth=1, num_heads=4, num_classes=classes, dynamic_img_size=True
    )


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


@pytest.mark.parametrize("suffix", ["safetensors", "pth", "pt", "bin"])
def test_a_saved_state_is_loaded_bit_by_bit(tmp_path: Path, suffix: str) -> None:
    saved, other = network(0), network(1)
    path = save(saved.state_dict(), tmp_path / f"w.{suffix}")
    assert not torch.equal(saved.pos_embed, other.pos_embed)
    load_into(other, load_state(path))
    for name, tensor in saved.state_dict().items():
        assert torch.equal(tensor, other.state_dict()[name]), name


def test_a_classifier_in_the_file_is_left_out() -> None:
    saved, other = network(0, classes=10), network(1)
    load_into(other, saved.state_dict())
    assert torch.equal(saved.norm.weight, other.norm.weight)
    assert torch.equal(saved.pos_embed, other.pos_embed)


def test_half_precision_weights_are_widened() -> None:
    saved, other = network(0), network(1)
    load_into(other, {name: tensor.half() for name, tensor in saved.state_dict().items()})
    assert other.pos_embed.dtype == torch.float32
    assert torch.equal(other.pos_embed, saved.pos_embed.half().float())


def test_missing_and_unknown_tensors_are_counted_and_nothing_is_loaded() -> None:
    model = network(0)
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    state = network(1).state_dict()
    del state["cls_token"], state["norm.weight"]
    with pytest.raises(EmbedderError, match="2 tensors missing and 0 unknown, first 'cls_token'") as error:
        load_into(model, state, "the weights 'w.pth'")
    assert one_line(error).startswith("the weights 'w.pth' do not fit")
    with pytest.raises(EmbedderError, match="0 tensors missing and 1 unknown, first 'mask_token'"):
        load_into(model, {**network(1).state_dict(), "mask_token": torch.zeros(1)})
    prefixed = {f"module.{name}": tensor for name, tensor in network(1).state_dict().items()}
    with pytest.raises(EmbedderError, match=r"missing and \d+ unknown"):
        load_into(model, prefixed)
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())


def test_a_tensor_of_another_shape_is_named() -> None:
    with pytest.raises(
        EmbedderError, match=r"'cls_token' is \(1, 1, 32\) instead of \(1, 1, 48\): choose the embedder"
    ):
        load_into(network(0), network(0, dim=32).state_dict())


@pytest.mark.parametrize("suffix", ["safetensors", "pth"])
@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_numbers_that_are_none_are_refused(tmp_path: Path, suffix: str, value: float) -> None:
    state = network(0).state_dict()
    state["norm.bias"][3] = value
    with pytest.raises(EmbedderError, match=r"hold NaN or infinity at 'norm\.bias'"):
        load_state(save(state, tmp_path / f"w.{suffix}"))


@pytest.mark.parametrize("suffix", ["safetensors", "pth", "pt"])
@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"hello, this is no checkpoint\n" * 40,
        b"<html><body>404</body></html>",
        bytes(range(256)) * 8,
        b"\x80\x02.",
    ],
    ids=["empty", "text", "html", "bytes", "pickle"],
)
def test_files_that_are_no_checkpoint(tmp_path: Path, suffix: str, content: bytes) -> None:
    path = tmp_path / f"bad.{suffix}"
    path.write_bytes(content)
    with pytest.raises(EmbedderError, match="cannot read the weights") as error:
        load_state(path)
    assert str(path) in one_line(error)


@pytest.mark.parametrize("suffix", ["safetensors", "pth"])
@pytest.mark.parametrize("share", [0.01, 0.5, 0.999])
def test_truncated_files(tmp_path: Path, suffix: str, share: float) -> None:
    path = save(network(0).state_dict(), tmp_path / f"w.{suffix}")
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(EmbedderError, match="cannot read the weights") as error:
        load_state(path)
    one_line(error)


def test_code_in_a_pickle_is_not_run(tmp_path: Path) -> None:
    mark = tmp_path / "mark"

    class Trap:
        def __reduce__(self) -> tuple[object, ...]:
            return (Path.touch, (mark,))

    path = save({"weight": Trap()}, tmp_path / "trap.pth")
    with pytest.raises(EmbedderError, match=r"UnpicklingError.*holds more than tensors"):
        load_state(path)
    assert not mark.exists()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"model": {"a": torch.ones(1)}}, "hold a dict at 'model', not a tensor"),
        ([torch.ones(1)], "hold no state dict"),
        ({}, "hold no state dict"),
        ({"epoch": 3}, "hold a int at 'epoch'"),
    ],
)
def test_files_that_hold_something_else(tmp_path: Path, content: object, message: str) -> None:
    with pytest.raises(EmbedderError, match=message):
        load_state(save(content, tmp_path / "w.pth"))


def test_paths_that_are_no_weight_file(tmp_path: Path) -> None:
    with pytest.raises(EmbedderError, match=r"none\.pth' do not exist"):
        load_state(tmp_path / "none.pth")
    (tmp_path / "folder.pth").mkdir()
    with pytest.raises(EmbedderError, match="are not a file"):
        load_state(tmp_path / "folder.pth")
    (tmp_path / "w.ckpt").write_bytes(b"x")
    with pytest.raises(EmbedderError, match=r"of no known kind: give a \.safetensors, \.pt"):
        find_weights("dinov2-small", tmp_path / "w.ckpt")


def test_the_digest_is_sha256_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "w.pth"
    path.write_bytes(b"abc" * 100000)
    assert weights_digest(path) == f"sha256:{hashlib.sha256(b'abc' * 100000).hexdigest()}"
    with pytest.raises(EmbedderError, match="do not exist"):
        weights_digest(tmp_path / "none.pth")


def in_cache(root: Path, file: str) -> Path:
    """A file placed as a download would place it."""
    repo = root / f"models--{REPO.replace('/', '--')}"
    snapshot = repo / "snapshots" / "0123abc"
    snapshot.mkdir(parents=True, exist_ok=True)
    (repo / "refs").mkdir(exist_ok=True)
    (repo / "refs" / "main").write_text("0123abc")
    (snapshot / file).write_bytes(b"x")
    return snapshot / file


def use_cache(monkeypatch: pytest.MonkeyPatch, root: Path) -> None:
    real = huggingface_hub.try_to_load_from_cache
    monkeypatch.setattr(huggingface_hub, "try_to_load_from_cache", lambda repo, file: real(repo, file, cache_dir=root))


def test_weights_are_found_in_the_cache_safetensors_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    use_cache(monkeypatch, tmp_path)
    assert cached_weights("dinov2-small") is None
    plain = in_cache(tmp_path, "pytorch_model.bin")
    assert cached_weights("dinov2-small") == plain
    better = in_cache(tmp_path, "model.safetensors")
    assert cached_weights("dinov2-small") == find_weights("dinov2-small") == better
    assert cached_weights("dinov2-base") is None
    assert cached_weights("dsift") is None
    with pytest.raises(EmbedderError, match="there is no embedder 'x'"):
        cached_weights("x")


def test_the_list_says_where_the_weights_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    use_cache(monkeypatch, tmp_path)
    path = in_cache(tmp_path, "model.safetensors")
    listed = {entry["name"]: entry for entry in list_embedders()}
    assert list(listed) == ["dsift", "dinov2-small", "dinov2-base", "dinov2-large", "dinov2-giant"]
    assert [entry["dim"] for entry in listed.values()] == [135, 384, 768, 1024, 1536]
    assert listed["dsift"]["weights"] == "none needed"
    assert listed["dinov2-small"]["weights"] == str(path)
    assert listed["dinov2-base"]["weights"] == "not on this machine"
    assert json.loads(json.dumps(list_embedders())) == list_embedders()


def test_weights_that_are_not_here_say_how_to_get_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    use_cache(monkeypatch, tmp_path)
    with pytest.raises(EmbedderError, match="run 'vfiscope models fetch dinov2-base', or give --weights FILE") as error:
        find_weights("dinov2-base")
    one_line(error)


def test_fetching(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    asked = []

    def download(repo: str, file: str) -> str:
        asked.append((repo, file))
        return str(tmp_path / file)

    monkeypatch.setattr(huggingface_hub, "hf_hub_download", download)
    assert fetch_weights("dinov2-small") == tmp_path / "model.safetensors"
    assert asked == [(REPO, "model.safetensors")]
    with pytest.raises(EmbedderError, match="dsift has no weights to fetch: choose one of dinov2-small"):
        fetch_weights("dsift")


@pytest.mark.parametrize(
    "failure", [LocalEntryNotFoundError("no\nnetwork"), OSError("refused"), ConnectionError("reset\nby peer")]
)
def test_fetching_without_a_network(monkeypatch: pytest.MonkeyPatch, failure: Exception) -> None:
    def download(repo: str, file: str) -> str:
        raise failure

    monkeypatch.setattr(huggingface_hub, "hf_hub_download", download)
    with pytest.raises(EmbedderError, match=f"cannot fetch model.safetensors of {REPO} .* --weights FILE") as error:
        fetch_weights("dinov2-small")
    one_line(error)


def test_looking_for_weights_imports_no_torch() -> None:
    code = (
        "import sys, vfiscope.embed as e; list(e.EMBEDDERS); e.choose('auto'); e.cached_weights('dinov2-small');"
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0

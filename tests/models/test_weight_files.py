"""Files that are no weights, and weights that are looked for and fetched."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import huggingface_hub
import numpy as np
import pytest
import torch
from helpers.networks import network, one_line, save
from huggingface_hub.errors import LocalEntryNotFoundError

from vfiscope.embedders.kinds import list_embedders
from vfiscope.errors import EmbedderError, UsageError
from vfiscope.models.checkpoints import (
    cached_weights,
    fetch_weights,
    find_weights,
    load_state,
    weights_digest,
)
from vfiscope.models.loading import load_into
from vfiscope.registration.loftr import load_loftr

REPO = "timm/vit_small_patch14_dinov2.lvd142m"


@pytest.mark.parametrize("suffix", ["safetensors", "pth"])
@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_numbers_that_are_none_are_refused(tmp_path: Path, suffix: str, value: float) -> None:
    state = network(0).state_dict()
    state["norm.bias"][3] = value
    plain = load_state(save(state, tmp_path / f"w.{suffix}"))
    with pytest.raises(EmbedderError, match=r"hold NaN or infinity at 'norm\.bias'"):
        load_into(network(1), plain)


def damaged(content: object, path: Path) -> Path:
    """A file of these tensors, with one bit of the first one changed."""
    data = bytearray(save(content, path).read_bytes())
    data[data.index(np.full(9, 0.7, np.float32).tobytes())] ^= 1
    path.write_bytes(data)
    return path


def test_a_checkpoint_with_a_changed_bit_is_refused(tmp_path: Path) -> None:
    state = {"norm.bias": torch.full((9,), 0.7)}
    path = damaged(state, tmp_path / "w.pth")
    assert list(torch.load(path, weights_only=True)) == ["norm.bias"]  # torch does not look
    said = r" are damaged: 'w/data/0' in them differs from its checksum; copy or download them"
    with pytest.raises(EmbedderError, match=said):
        load_state(path)
    with pytest.raises(UsageError, match="the register weights .*" + said):
        load_loftr(str(path), "cpu")
    torch.save(state, path, _use_new_zipfile_serialization=False)
    assert list(load_state(path).tensors) == ["norm.bias"]  # has no checksums


def refused(content: object, path: Path) -> str:
    """The one line with which weights are refused before they are made real."""
    with pytest.raises(EmbedderError) as error:
        load_into(network(1), load_state(save(content, path)))
    return one_line(error)


BIAS, MATRIX, CLASS = "norm.bias", "blocks.0.mlp.fc1.weight", "cls_token"
LIMIT = "268435456 is the limit, at"


@pytest.mark.filterwarnings("ignore:Sparse CSR tensor support is in beta")
@pytest.mark.parametrize(
    ("name", "make", "said"),
    [
        (BIAS, lambda t: t.to_sparse(), f"a tensor of the layout sparse_coo at '{BIAS}': save"),
        (MATRIX, lambda t: t.to_sparse_csr(), "a tensor of the layout sparse_csr at"),
        (BIAS, lambda t: t.to("meta"), f"a meta tensor, which has no content, at '{BIAS}'"),
        (CLASS, lambda t: t.to(torch.complex64), f"a tensor of complex64 at '{CLASS}': save plain"),
        (CLASS, lambda t: t.to(torch.int64), "a tensor of int64 at"),
        (BIAS, lambda t: t > 0, "a tensor of bool at"),
        (BIAS, lambda t: t.expand(2**23, 48), f"a tensor of 402653184 numbers, and {LIMIT}"),
        ("other", lambda _: torch.ones(1).expand(2**40), f"numbers, and {LIMIT} 'other'"),
        (BIAS, lambda t: t.double() + 1e300, f"NaN or infinity at '{BIAS}'"),
    ],
)
def test_tensors_that_are_not_plain_are_refused_before_they_are_made_real(
    tmp_path: Path, name: str, make: Callable[[torch.Tensor], torch.Tensor], said: str
) -> None:
    state = network(0).state_dict()
    content = {**state, name: make(state.get(name))}
    assert said in refused(content, tmp_path / "w.pth")


def test_names_of_a_stranger_are_cleaned_and_shortened(tmp_path: Path) -> None:
    """A name of a megabyte with codes for the terminal, wherever it would be shown."""
    state, path = network(0).state_dict(), tmp_path / "w.pth"
    name = "\x1b[31m\n" + "x" * 2**20
    report = load_into(network(1), load_state(save({**state, name: torch.zeros(1)}, path)))
    assert len(report.unexpected[0]) < 200
    assert report.unexpected[0].isprintable()
    assert len(str(report)) < 400
    lora = {f"{name}.lora_A": torch.zeros(1), f"{name}.lora_B": torch.zeros(1)}
    for content in (
        {**state, name: 3},
        {**state, name: torch.zeros(1).to_sparse()},
        {**state, **lora},
        {**state, f"module.{name}": torch.zeros(1), name: torch.ones(1)},
        {f"{part}{name}.patch_embed.proj.weight": torch.zeros(1) for part in "ab"},
    ):
        said = refused(content, path)
        assert len(said) < 2500
        assert said.isprintable()


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
        ({"model": {"a": 3}}, "hold a int at 'a', not a tensor"),
        ({"model": {}}, "hold no state dict"),
        ({"weights": {"a": torch.ones(1)}}, "hold a dict at 'weights', not a tensor"),
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
    (tmp_path / "w.onnx").write_bytes(b"x")
    with pytest.raises(EmbedderError, match=r"not of a known kind: pass a \.safetensors, \.pt"):
        find_weights("dinov2-small", tmp_path / "w.onnx")


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
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(root))


def test_weights_are_found_in_the_cache_safetensors_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
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


def test_the_list_says_where_the_weights_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_cache(monkeypatch, tmp_path)
    path = in_cache(tmp_path, "model.safetensors")
    listed = {entry["name"]: entry for entry in list_embedders()}
    dims = {"small": 384, "base": 768, "large": 1024, "giant": 1536}
    named = {
        f"dinov2-{size}{registers}": dim for size, dim in dims.items() for registers in ("", "-reg")
    }
    assert {name: entry["dim"] for name, entry in listed.items()} == {"dsift": 135, **named}
    assert listed["dsift"]["weights"] == "none needed"
    assert listed["dinov2-small"]["weights"] == str(path)
    assert listed["dinov2-base"]["weights"] == "not on this machine"
    assert json.loads(json.dumps(list_embedders())) == list_embedders()


def test_weights_that_are_not_here_say_how_to_get_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_cache(monkeypatch, tmp_path)
    with pytest.raises(
        EmbedderError, match="run 'vfiscope models fetch dinov2-base', or pass --weights FILE"
    ) as error:
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
    with pytest.raises(
        EmbedderError, match="dsift has no weights to fetch: choose one of dinov2-small"
    ):
        fetch_weights("dsift")


@pytest.mark.parametrize(
    "failure",
    [LocalEntryNotFoundError("no\nnetwork"), OSError("refused"), ConnectionError("reset\nby peer")],
)
def test_fetching_without_a_network(monkeypatch: pytest.MonkeyPatch, failure: Exception) -> None:
    def download(repo: str, file: str) -> str:
        raise failure

    monkeypatch.setattr(huggingface_hub, "hf_hub_download", download)
    with pytest.raises(
        EmbedderError, match=f"cannot fetch model.safetensors of {REPO} .* --weights FILE"
    ) as error:
        fetch_weights("dinov2-small")
    one_line(error)


def test_looking_for_weights_imports_no_torch() -> None:
    code = (
        "import sys, vfiscope.embedders as e; list(e.EMBEDDERS); e.choose('auto');"
        " import vfiscope.models as m; m.cached_weights('dinov2-small');"
        " sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0

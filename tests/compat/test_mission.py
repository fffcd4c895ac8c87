"""The mission table: each feature of VFI-Similarity and NOVA, the command here, and a result equal
to theirs; where it differs on purpose, the test says why.

Theirs is :mod:`helpers.older_tool`; networks have one block of random numbers.

========================================  ==================================  =====================
feature there                             here                                result
========================================  ==================================  =====================
compute_cosine_distance                   vs.compare(...).scores["cosine"]    equal (resize: 1e-3)
--resize N                                --size N --aspect stretch           equal; theirs crashed
--checkpoint, eight forms of file         --weights                           equal
--model-name, any timm ViT                --embedder NAME                     equal
weights of another grid of patches        --weights                           equal; theirs crashed
LoRA merged, or beside the weights        --weights, --lora-alpha             equal; theirs ignored
a checkpoint that fits not or is missing  --weights                           refused; theirs silent
--config list, pairs, both namings        batch JOBS                          equal
--config with --checkpoint, --resize ...  batch JOBS with the options         equal
unreadable image in a list                batch JOBS                          one fails; theirs all
empty list                                batch JOBS                          results.json is []
results.json, pair_NNN/                   batch -o DIR --visualize            their keys and names
average over all pairs                    batch                               equal
run_visualization, --visualize            --visualize DIR                     their eight files
summary.json                              summary.json                        equal
mismatch means                            summary.json                        on one scale
--arrow-stride, --no-pca, --alpha         --arrow-stride, --no-pca, --opacity alike
interpretation bands                      screen, --json and all results      equal
--device                                  --device                            alike
load_model once                           vs.Session, batch                   built once
========================================  ==================================  =====================
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from helpers import older_tool
from helpers.cli import call
from helpers.images import save
from helpers.networks import save as save_weights
from helpers.networks import shallow

import vfiscope as vs
from vfiscope import synth
from vfiscope.batch.job_file import read_jobs
from vfiscope.compat.draw import PAIR_FILES
from vfiscope.embedders import dinov2
from vfiscope.errors import EmbedderError

pytestmark = pytest.mark.slow

CLOSE = pytest.approx
SIZE = 56
"""Also of the images, so that nothing is resized."""
SAME, RESIZED = 1e-4, 5e-3
"""Relative; PIL rounds the resized image to 8 bits, vfiscope does not."""
NOVA: dict[str, Any] = {
    "embedder": "dinov2-small",
    "aspect": "stretch",
    "pool": "all",
    "device": "cpu",
    "size": SIZE,
}
ONLY: dict[str, Any] = {"metrics": ["cosine"], "maps": ["none"], "fields": ["none"]}
FLAGS = [
    *("--embedder", "dinov2-small", "--size", str(SIZE), "--aspect", "stretch", "--pool", "all"),
    *("--device", "cpu", "--metrics", "cosine", "--maps", "none", "--fields", "none", "--quiet"),
]


@pytest.fixture(scope="module")
def theirs() -> torch.nn.Module:
    return older_tool.build()


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, theirs: torch.nn.Module) -> Path:
    """Images of three scenes, and weights."""
    there = tmp_path_factory.mktemp("made")
    for seed, name in enumerate("abc"):
        save(there / f"{name}.png", synth.Scene(SIZE, SIZE, seed, objects=2).frame(0))
    save_weights(theirs.state_dict(), there / "w.pt")
    return there


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, made: Path) -> Path:
    """A folder of them to work in, where networks have one block."""
    shallow(monkeypatch)
    monkeypatch.setattr("vfiscope.compat.draw.PAIR_DPI", 20)
    monkeypatch.chdir(tmp_path)
    for path in made.iterdir():
        (tmp_path / path.name).hardlink_to(path)
    return tmp_path


@pytest.fixture(scope="module")
def wanted(made: Path, theirs: torch.nn.Module) -> float:
    return older_tool.cosine_distance(theirs, made / "a.png", made / "b.png", SIZE)


def ours(weights: str = "w.pt", **options: Any) -> float:
    """The cosine distance of b from a."""
    with vs.compare("b.png", "a.png", weights=weights, **{**NOVA, **ONLY, **options}) as run:
        return float(run.scores["cosine"][0])


@pytest.mark.parametrize(("size", "close"), [(518, RESIZED), (SIZE, SAME)])
def test_cosine_distance_at_any_size(
    folder: Path, theirs: torch.nn.Module, size: int, close: float
) -> None:
    wanted = older_tool.cosine_distance(theirs, folder / "a.png", folder / "b.png", size)
    assert wanted > 0.1
    assert ours(size=size) == CLOSE(wanted, rel=close)


def nova_file(state: dict[str, Any]) -> dict[str, Any]:
    return {"base": state, "embedding_head": {"0.weight": torch.ones(4, 4)}}


def whole_module(state: dict[str, Any]) -> dict[str, Any]:
    head = {"embedding_head.0.weight": torch.ones(4, 4)}
    return {**{f"base.{name}": tensor for name, tensor in state.items()}, **head}


FORMS: dict[str, tuple[str, Callable[[dict[str, Any]], Any]]] = {
    "NOVA, base and embedding_head": ("w.pt", nova_file),
    "NOVA, the whole module": ("w.pt", whole_module),
    "DataParallel": ("w.pth", lambda s: {f"module.{name}": each for name, each in s.items()}),
    "state_dict": ("w.pth", lambda s: {"state_dict": s, "epoch": 3}),
    "model_state_dict": ("w.bin", lambda s: {"model_state_dict": s, "optimizer_state_dict": {}}),
    "model": ("w.pt", lambda s: {"model": s}),
    "a checkpoint of Lightning": ("w.ckpt", lambda s: {"state_dict": s, "epoch": 3}),
    "safetensors": ("w.safetensors", dict),
}


@pytest.mark.parametrize(("name", "wrap"), FORMS.values(), ids=list(FORMS))
def test_checkpoints_of_every_form(
    folder: Path, theirs: torch.nn.Module, wanted: float, name: str, wrap: Callable[[Any], Any]
) -> None:
    state = {key: tensor.clone() for key, tensor in theirs.state_dict().items()}
    save_weights(wrap(state), folder / f"form_{name}")
    assert ours(f"form_{name}") == CLOSE(wanted, rel=SAME)


def test_weights_saved_for_the_grid_that_is_asked_for(folder: Path) -> None:
    """Saved for 16 x 16 patches, asked for at 224: never resampled, as there."""
    smaller = older_tool.build(img_size=224)
    assert smaller.pos_embed.shape[1] == 16 * 16 + 1
    save_weights(smaller.state_dict(), folder / "w224.pt")
    wanted = older_tool.cosine_distance(smaller, folder / "a.png", folder / "b.png", 224)
    assert ours("w224.pt", size=224) == CLOSE(wanted, rel=RESIZED)


@pytest.mark.parametrize(
    ("name", "size"), [(older_tool.SMALL, SIZE), ("deit_tiny_patch16_224", 64)]
)
def test_any_network_of_timm_by_its_name(folder: Path, name: str, size: int) -> None:
    """Of one trained with the mean and deviation of ImageNet, which the tool took for all; here a
    network has its own."""
    theirs = older_tool.build(name)
    save_weights(theirs.state_dict(), folder / "named.pt")
    wanted = older_tool.cosine_distance(theirs, folder / "a.png", folder / "b.png", size)
    assert ours("named.pt", embedder=name, size=size) == CLOSE(wanted, rel=RESIZED)


@pytest.fixture(scope="module")
def adapted(made: Path, theirs: torch.nn.Module) -> tuple[dict[str, Any], dict[str, Any], float]:
    """Weights, LoRA adapters of rank 4 and alpha 8, and the distance with both merged."""
    state = dict(theirs.state_dict())
    adapters = older_tool.lora(state)
    model = older_tool.build()
    model.load_state_dict(older_tool.merged(state, adapters, 8 / 4))
    paths = made / "a.png", made / "b.png"
    return state, adapters, older_tool.cosine_distance(model, *paths, SIZE)


@pytest.mark.parametrize("form", ["merged", "peft", "plain", "wrapped", "no alpha"])
def test_lora_adapters(folder: Path, adapted: Any, wanted: float, form: str) -> None:
    """The tool claimed merged weights and had no code for it; vfiscope merges what is beside."""
    state, adapters, with_lora = adapted
    assert with_lora != CLOSE(wanted, rel=0.02)
    if form == "merged":
        saved = older_tool.merged(state, adapters, 2)
    elif form == "peft":
        saved = {f"base_model.model.{name}": each for name, each in state.items()}
        for layer, pair in adapters.items():
            saved[f"base_model.model.{layer}.base_layer.weight"] = saved.pop(
                f"base_model.model.{layer}.weight"
            )
            for part, each in pair.items():
                saved[f"base_model.model.{layer}.lora_{part}.default.weight"] = each
        saved = {"state_dict": saved, "peft_config": {"r": 4, "lora_alpha": 8}}
    elif form == "wrapped":
        saved = dict(state)
        for layer, pair in adapters.items():
            saved[f"{layer}.original.weight"] = saved.pop(f"{layer}.weight")
            saved |= {f"{layer}.lora_{part}": each for part, each in pair.items()}
        saved = {"model": saved, "lora_config": {"r": 4, "alpha": 8}}
    else:
        beside = {
            f"{la}.lora_{part}": each for la in adapters for part, each in adapters[la].items()
        }
        stored = {"lora_config": {"r": 4, "alpha": 8}} if form == "plain" else {}
        saved = {"model": {**state, **beside}, **stored}
    save_weights(saved, folder / "lora.pt")
    alpha = 8.0 if form == "no alpha" else None
    assert ours("lora.pt", lora_alpha=alpha) == CLOSE(with_lora, rel=SAME)


@pytest.mark.parametrize("kind", ["missing", "half", "another network", "a whole model"])
def test_a_checkpoint_that_does_not_fit_is_refused(
    folder: Path, theirs: torch.nn.Module, kind: str
) -> None:
    """The tool went on with stock weights, or with what it had."""
    if kind == "half":
        (folder / "bad.pt").write_bytes((folder / "w.pt").read_bytes()[:100_000])
    elif kind == "another network":
        save_weights({"layer.weight": torch.ones(3, 3)}, folder / "bad.pt")
    elif kind == "a whole model":
        torch.save(theirs, folder / "bad.pt")
    with pytest.raises(EmbedderError, match=r"bad\.pt") as refused:
        ours("bad.pt")
    assert "\n" not in str(refused.value)


def test_job_lists_of_every_form_are_the_same(folder: Path) -> None:
    """A list, an object with ``pairs``, the other names; a label is text beside, as there."""
    a, b = (str(folder / f"{name}.png") for name in "ab")
    pair = {"image_a": "a.png", "image_b": "b.png", "label": "x"}
    other = {"ref_img": "a.png", "dist_img": "b.png", "label": "x"}
    for number, form in enumerate(([pair], {"pairs": [pair]}, [other], {"pairs": [other]})):
        path = folder / f"{number}.json"
        path.write_text(json.dumps(form))
        (job,) = read_jobs(path)
        assert (job.id, job.label, job.mode) == ("pair_001", "x", "compare")
        assert dict(job.options) == {"ref": a, "test": b}


def test_a_job_list_gives_their_numbers(
    folder: Path,
    theirs: torch.nn.Module,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """As made for ``--config pairs.json --checkpoint W --resize N``: nothing in it is changed. The
    network is built once, one unreadable image fails alone, and the mean is said at the end."""
    pairs = [{"image_a": "a.png", "image_b": f"{name}.png", "label": "x"} for name in "bcz"]
    (folder / "pairs.json").write_text(json.dumps({"pairs": pairs}))
    opened, load = [], dinov2.load_dinov2
    monkeypatch.setattr(dinov2, "load_dinov2", lambda *a, **k: opened.append(1) or load(*a, **k))
    flags = [each for each in FLAGS if each != "--quiet"]
    assert call("batch", "pairs.json", "-o", "D", "--weights", "w.pt", *flags) == 3
    results = json.loads((folder / "D/results.json").read_text())
    wanted = [
        older_tool.cosine_distance(theirs, folder / "a.png", folder / f"{name}.png", SIZE)
        for name in "bc"
    ]
    assert [each["cosine_distance"] for each in results[:2]] == CLOSE(wanted, rel=SAME)
    assert [each["cosine_similarity"] for each in results[:2]] == CLOSE(
        [1 - each for each in wanted], rel=SAME
    )
    assert [(each["image_a"], each["image_b"]) for each in results] == [
        ("a.png", f"{name}.png") for name in "bcz"
    ]
    assert [each["embedding_dim"] for each in results] == [384, 384, None]
    assert "z.png" in results[2]["error"]
    assert len(opened) == 1
    means = json.loads((folder / "D/means.json").read_text())
    assert means["metrics"]["cosine"]["mean"] == CLOSE(np.mean(wanted), rel=SAME)
    out, err = capsys.readouterr()
    assert f"mean of 2 pairs: cosine {means['metrics']['cosine']['mean']:.4g}" in out
    assert err.count("weights w.pt: 20 of 20 tensors loaded") == 1


def test_an_empty_list_writes_an_empty_list(folder: Path) -> None:
    """A list under another key is refused: the tool took it for empty, and a typing error with
    it."""
    (folder / "pairs.json").write_text('{"pairs": []}')
    assert call("batch", "pairs.json", "-o", "D", "--quiet") == 0
    assert json.loads((folder / "D/results.json").read_text()) == []
    (folder / "pairs.json").write_text('{"paris": []}')
    assert call("batch", "pairs.json", "-o", "D", "--quiet") == 2


THEIR_KEYS = {
    "image_a",
    "image_b",
    "grid_size",
    "num_patches",
    "embedding_dim",
    "mean_similarity_a2b",
    "mean_similarity_b2a",
    "mean_mismatch_a",
    "mean_mismatch_b",
    "output_dir",
    "mean_mismatch",
    "output_file",
}


def test_figures_and_summary_of_a_pair(folder: Path, theirs: torch.nn.Module) -> None:
    """All eight files of both tools; every number of the summary, of the pair and in the batch.
    Mismatch is not stretched to 0..1 for each image, so that equal images have none."""
    (folder / "pairs.json").write_text(json.dumps([{"image_a": "a.png", "image_b": "b.png"}]))
    command = ["batch", "pairs.json", "-o", "D", "--visualize", "--weights", "w.pt", *FLAGS]
    assert call(*command) == 0
    assert {path.name for path in (folder / "D/pair_001").iterdir()} == {*PAIR_FILES}
    assert {path.suffix for path in (folder / "D/pair_001").iterdir()} == {".png", ".json"}
    summary = json.loads((folder / "D/pair_001/summary.json").read_text())
    (result,) = json.loads((folder / "D/results.json").read_text())
    numbers = dict(older_tool.dense(theirs, folder / "a.png", folder / "b.png", SIZE))
    del numbers["mutual"]
    assert {key: summary[key] for key in numbers} == CLOSE(numbers, rel=SAME)
    assert summary.keys() >= THEIR_KEYS
    assert {key: result[key] for key in THEIR_KEYS} == {key: summary[key] for key in THEIR_KEYS}
    assert summary["output_dir"] == str(folder / "D/pair_001")


@pytest.fixture
def figures(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """{file: figure} of what is drawn, and not written, which takes most of the time."""
    found: dict[str, Any] = {}
    monkeypatch.setattr(
        "vfiscope.compat.draw.save_figure",
        lambda figure, path, **_: found.update({path.name: figure}),
    )
    return found


def test_arrows_pca_and_overlay_are_chosen(folder: Path, figures: dict[str, Any]) -> None:
    """Theirs: --arrow-stride 3, --no-pca, --alpha 0.5. Arrows begin at the first patch, as there;
    matches that are not mutual have none."""
    how = ["--arrow-stride", "3", "--no-pca", "--opacity", "0.5"]
    command = ["compare", "a.png", "a.png", "--visualize", "F", "--weights", "w.pt", *FLAGS]
    assert call(*command, *how) == 0
    (ax,) = figures["vector_field.png"].axes
    dots = np.concatenate([line.get_xydata() for line in ax.lines])
    assert sorted(set(dots[:, 0])) == [6.5, 48.5]  # the centres of 0 and 3 of 4
    assert len(dots) == 4
    assert "pca_features.png" not in figures


def test_bands_are_said_everywhere(
    folder: Path,
    figures: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The bands are of NOVA's embedder, dinov2-base at 518; here the small one passes for it."""
    distance, words = 0.15, "noticeable"
    bands = {"name": "dinov2-small", "pool": "all", "size": SIZE, "aspect": "stretch"}
    monkeypatch.setattr("vfiscope.compat.bands.BANDS_FOR", bands)
    monkeypatch.setattr(
        "vfiscope.metrics.patches.cosine_distance",
        lambda a, _: np.full(len(a), distance, np.float32),
    )
    pair = ["b.png", "a.png", "--weights", "w.pt", *FLAGS]
    assert call("compare", *pair, "-o", "1.h5", "--json", "--visualize", "F", "--no-pca") == 0
    assert json.loads(capsys.readouterr().out)["band"].startswith(words)
    assert json.loads((folder / "F/summary.json").read_text())["band"].startswith(words)
    (result,) = vs.run_jobs(
        [{"test": "b.png", "ref": "a.png"}], "D", weights="w.pt", **NOVA, **ONLY
    )
    assert result["band"].startswith(words)
    assert call("compare", *pair[:-1], "-o", "2.h5") == 0
    assert f"cosine {distance:.4g}: {words}" in capsys.readouterr().out


def test_devices(folder: Path, wanted: float) -> None:
    assert ours(device="auto") == CLOSE(wanted, rel=SAME)
    if not torch.cuda.is_available():
        with pytest.raises(EmbedderError, match=r"choose auto or cpu"):
            ours(device="cuda")


def test_a_model_is_loaded_once_for_many_pairs(
    folder: Path,
    theirs: torch.nn.Module,
    figures: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Their load_model, then compute_cosine_distance and run_visualization for each pair."""
    opened, load = [], dinov2.load_dinov2
    monkeypatch.setattr(dinov2, "load_dinov2", lambda *a, **k: opened.append(1) or load(*a, **k))
    shared = {**NOVA, **ONLY, "weights": "w.pt", "pca": False}
    with vs.Session() as session:
        for name in "bca":
            with session.compare(f"{name}.png", "a.png", visualize=f"F/{name}", **shared) as run:
                wanted = older_tool.cosine_distance(
                    theirs, folder / "a.png", folder / f"{name}.png", SIZE
                )
                assert run.scores["cosine"][0] == CLOSE(wanted, rel=SAME, abs=1e-6)
            summary = json.loads((folder / "F" / name / "summary.json").read_text())
            assert summary["cosine_distance"] == CLOSE(wanted, rel=SAME, abs=1e-6)
    assert len(opened) == 1

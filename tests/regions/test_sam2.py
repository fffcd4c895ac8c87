"""SAM 2 by a small random network of the same architecture; nothing is downloaded."""

from __future__ import annotations

import json
import shutil
import socket
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from helpers.small_sam2 import SIDE, random_sam2, save_sam2
from safetensors.torch import load_file, save_file

import vfiscope as vs
from vfiscope.errors import EmbedderError, MissingPackageError
from vfiscope.files import file_digest
from vfiscope.regions import METHODS, FramePair, Settings, find, make_method
from vfiscope.regions.segment.sam2 import Sam2
from vfiscope.regions.segment.sam2_folder import open_sam2
from vfiscope.regions.steps import Proposal
from vfiscope.types import Box

PROMPTS = [
    Proposal(Box(1, 2, 10, 20)),
    Proposal(Box(40, 5, 30, 30), point=(50, 20)),
    Proposal(Box(0, 0, 80, 48)),
    Proposal(Box(79, 47, 1, 1)),
]
WIDE = np.random.default_rng(0).integers(0, 255, (48, 80, 3), np.uint8)
PLAIN = np.full((48, 64, 3), 100, np.uint8)
MARKED = PLAIN.copy()
MARKED[10:26, 20:44] = 200
MOSTLY = PLAIN.copy()
MOSTLY[4:44, 4:60] = 200


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("the network was asked")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_sam2(tmp_path_factory.mktemp("sam2"), random_sam2())


@pytest.fixture
def copied(folder: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(folder, tmp_path / "copy"))


def saying(folder: Path, value: float) -> Path:
    """The folder, with a network that has this logit everywhere, whatever it is asked."""
    state = load_file(folder / "model.safetensors")
    for name, tensor in state.items():
        if name.startswith(("mask_decoder.upscale_conv2", "mask_decoder.conv_s0")):
            tensor.fill_(10.0 if name.endswith("upscale_conv2.bias") else 0.0)
        if "output_hypernetworks_mlps" in name and ".proj_out." in name:
            tensor.fill_(value if name.endswith("bias") else 0.0)
    save_file(state, folder / "model.safetensors", {"format": "pt"})
    return folder


@pytest.mark.slow
def test_masks_are_those_of_transformers_itself(folder: Path) -> None:
    """Its own way from files to masks, of all boxes together."""
    import transformers

    model = transformers.Sam2Model.from_pretrained(folder, local_files_only=True)
    processor = transformers.Sam2Processor.from_pretrained(folder, local_files_only=True)
    boxes = [[x, y, x + w, y + h] for x, y, w, h in (each.box for each in PROMPTS)]
    inputs = processor(images=WIDE, input_boxes=[boxes], return_tensors="pt")
    with torch.no_grad():
        logits = model(**inputs, multimask_output=False).pred_masks
    expected = processor.post_process_masks(logits, inputs["original_sizes"])[0][:, 0].numpy()
    made = list(Sam2(str(folder))(WIDE, [Proposal(each.box) for each in PROMPTS]))
    assert len({mask.tobytes() for mask in made}) == len(PROMPTS)
    differ = [np.count_nonzero(a != b) for a, b in zip(made, expected, strict=True)]
    assert max(differ) <= 2  # pixels whose logit is 0 but for rounding


def test_one_mask_for_each_prompt_whatever_the_others(folder: Path) -> None:
    draw = Sam2(str(folder))
    together = list(draw(WIDE, PROMPTS))
    backwards = list(Sam2(str(folder))(WIDE, PROMPTS[::-1]))[::-1]
    alone = [next(draw(WIDE, [prompt])) for prompt in PROMPTS]
    for mask, other, single in zip(together, backwards, alone, strict=True):
        assert mask.shape == (48, 80)
        assert np.array_equal(mask, other)
        assert np.array_equal(mask, single)
    boxed = next(draw(WIDE, [Proposal(PROMPTS[1].box)]))
    assert not np.array_equal(boxed, together[1])  # the point was a prompt too


def test_a_frame_is_encoded_once(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from vfiscope.regions.segment import sam2

    asked = []
    encode = sam2._encode
    monkeypatch.setattr(sam2, "_encode", lambda *each: asked.append(each[1]) or encode(*each))
    draw = Sam2(str(folder))
    for frame in (WIDE, PLAIN, WIDE.copy(), PLAIN, MARKED, PLAIN):
        assert len(list(draw(frame, PROMPTS[:2]))) == 2
    assert len(asked) == 3


@pytest.mark.parametrize("size", [(1, 1), (3, 5), (1, 7), (64, 64), (100, 20)])
def test_frames_of_every_size(folder: Path, size: tuple[int, int]) -> None:
    frame = np.full((*size, 3), 128, np.uint8)
    frame.setflags(write=False)
    (mask,) = Sam2(str(folder))(frame, [Proposal(Box(0, 0, 1, 1), point=(0, 0))])
    assert mask.shape == size
    assert mask.dtype == bool


@pytest.mark.parametrize("value", [1.0, -1.0])
def test_a_mask_of_everything_or_nothing_is_not_taken(copied: Path, value: float) -> None:
    """A network that sees the thing everywhere, and one that sees none, leave the map's mask, and
    the region says so."""
    weights = str(saying(copied, value))
    for name in ("auto", "absdiff"):
        settings = Settings(sam_weights=weights)
        of_map = find(FramePair(MARKED, PLAIN), METHODS[name](settings))
        found = find(FramePair(MARKED, PLAIN), make_method(name, settings))
        (region,), (before,) = found.regions, of_map.regions
        assert region == before
        assert region.mask_by == "map"
        assert find(FramePair(PLAIN, PLAIN), make_method(name, settings)).regions == []


def test_a_run_says_what_drew_its_masks(copied: Path) -> None:
    from vfiscope.views.region_words import describe_regions

    few = {"metrics": ["psnr"], "signals": ["none"], "regions": "absdiff"}
    run = vs.compare(MARKED, PLAIN, sam_weights=saying(copied, -1.0), **few)
    assert [region.mask_by for region in run.regions] == ["map"]
    assert run.stages["regions"].parameters["sam_weights"] == str(copied)
    said = "masks of the map, where SAM 2 missed what changed: 1 of 1"
    assert describe_regions(run)[-1] == said
    run = vs.compare(MOSTLY, PLAIN, sam_weights=saying(copied, 1.0), **few)
    digest = file_digest(copied / "model.safetensors")
    assert [region.mask_by for region in run.regions] == [f"sam2:{digest[:12]}"]
    assert run.regions[0].area == 40 * 56
    assert "SAM" not in "".join(describe_regions(run))


def test_a_checkpoint_as_meta_publishes_it(tmp_path: Path) -> None:
    """It says that it is for videos, names its image processor by an older name in an older file,
    has half floats here, and holds the tensor that places prompts and pixels once."""
    video = save_sam2(tmp_path / "video", random_sam2("Sam2Video").half())
    (video / "processor_config.json").write_text('{"processor_class": "Sam2VideoProcessor"}')
    images = {"image_processor_type": "Sam2ImageProcessorFast", "resample": 2}
    images |= {"size": {"height": SIDE, "width": SIDE}}
    (video / "preprocessor_config.json").write_text(json.dumps(images))
    state = load_file(video / "model.safetensors")
    del state["prompt_encoder.shared_embedding.positional_embedding"]
    assert any(name.startswith("memory_attention") for name in state)
    save_file(state, video / "model.safetensors")
    model = open_sam2(str(video), "cpu").model
    assert {tensor.dtype for tensor in model.state_dict().values()} == {torch.float32}
    assert len(list(Sam2(str(video))(WIDE, PROMPTS))) == len(PROMPTS)


def edit_config(folder: Path, **changes: object) -> None:
    path = folder / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def edit_tensors(folder: Path, change: Callable[[dict[str, torch.Tensor]], object]) -> None:
    state = load_file(folder / "model.safetensors")
    change(state)
    save_file(state, folder / "model.safetensors")


def pickle_only(folder: Path) -> None:
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")


def cut_short(folder: Path) -> None:
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:1000])


FIRST = "mask_decoder.iou_token.weight"
BAD: list[tuple[Callable[[Path], object], str]] = [
    (shutil.rmtree, "does not exist"),
    (lambda f: (shutil.rmtree(f), f.write_text("")), "is not a folder"),
    (lambda f: (f / "config.json").unlink(), "holds no config.json that can be read (No such file"),
    (lambda f: (f / "config.json").write_text("{"), "holds no config.json that can be read"),
    (lambda f: (f / "config.json").write_text("[]"), "holds a model of type None, not SAM 2"),
    (lambda f: edit_config(f, model_type="vit"), "holds a model of type vit, not SAM 2"),
    (lambda f: edit_config(f, vision_config=None), "holds a config.json without vision_config"),
    (lambda f: (f / "processor_config.json").unlink(), "holds no preprocessor_config.json"),
    (
        lambda f: (f / "processor_config.json").write_text("{"),
        "holds settings that cannot be used",
    ),
    (
        lambda f: edit_config(f, prompt_encoder_config={"hidden_size": 32, "image_size": 128}),
        "prepares frames in another size than the network's 128",
    ),
    (
        lambda f: edit_config(f, mask_decoder_config={"hidden_size": 32, "num_hidden_layers": "x"}),
        "holds settings that cannot be used",
    ),
    (pickle_only, "holds no model.safetensors: pytorch_model.bin may run code when it is read"),
    (cut_short, "holds a model.safetensors that cannot be read"),
    (
        lambda f: edit_tensors(f, lambda state: state.pop(FIRST)),
        f"holds a model.safetensors without {FIRST}",
    ),
    (
        lambda f: edit_tensors(f, lambda state: state.update({FIRST: torch.zeros(2, 32)})),
        f"weights that do not fit its settings: {FIRST} is (2, 32) instead of (1, 32)",
    ),
    (
        lambda f: edit_tensors(f, lambda state: state[FIRST].fill_(torch.nan)),
        f"holds weights with NaN or infinity at {FIRST}",
    ),
]


@pytest.mark.parametrize(("spoil", "said"), BAD, ids=[said for _, said in BAD])
def test_a_folder_that_cannot_be_used(
    copied: Path, spoil: Callable[[Path], object], said: str
) -> None:
    spoil(copied)
    with pytest.raises(EmbedderError) as error:
        open_sam2(str(copied), "cpu")
    text = str(error.value)
    assert text.startswith(f"sam_weights {copied} ")
    assert said in text
    assert text.endswith("hf download facebook/sam2.1-hiera-small --local-dir DIR")
    assert "\n" not in text


def test_a_wrong_folder_is_refused_before_anything_is_decoded(tmp_path: Path) -> None:
    with pytest.raises(EmbedderError, match="does not exist"):
        vs.compare(tmp_path / "no.png", tmp_path / "no.png", sam_weights=tmp_path / "nowhere")


def test_without_the_extra(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(MissingPackageError, match=r"pip install 'vfiscope\[sam\]'"):
        make_method("auto", Settings(sam_weights=str(folder)))


def test_with_a_version_that_knows_no_sam_2(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import transformers

    monkeypatch.delattr(transformers, "Sam2Model")
    monkeypatch.setattr(transformers, "__version__", "4.40")
    monkeypatch.setattr(type(transformers), "__getattr__", lambda *_: _raise())
    with pytest.raises(MissingPackageError, match=r"transformers 4\.40 does not know SAM 2"):
        open_sam2(str(folder), "cpu")


def _raise() -> None:
    raise AttributeError

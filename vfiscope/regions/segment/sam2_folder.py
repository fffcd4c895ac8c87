"""A checkpoint of SAM 2 in a folder, as transformers saves it: checked, and opened."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, NamedTuple

from vfiscope.errors import EmbedderError, MissingPackageError, optional_import
from vfiscope.files import kept_digest, read_whole
from vfiscope.models import resolve_device
from vfiscope.printable import printable

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["Sam2Network", "check_sam2", "open_sam2", "sam2_digest", "sam2_library"]

SAM2_CONFIG = "config.json"
SAM2_TENSORS = "model.safetensors"
SAM2_PREPROCESSING = "preprocessor_config.json", "processor_config.json"
"""The folder must hold one of these: newer versions of transformers write the second only."""
SAM2_PARTS = "vision_config", "prompt_encoder_config", "mask_decoder_config"
SAM2_KINDS = "sam2", "sam2_video"
"""Model types whose networks hold all of SAM 2 for images; those of Meta say sam2_video."""
SAM2_REMEDY = (
    "pass the folder of a checkpoint of SAM 2 for transformers, as made by: hf download"
    " facebook/sam2.1-hiera-small --local-dir DIR"
)
POSITIONS = (
    "prompt_encoder.shared_embedding.positional_embedding",
    "shared_image_embedding.positional_embedding",
)
MAX_CONFIG_BYTES = 1 << 20
WHAT_LIBRARIES_RAISE = (ArithmeticError, AttributeError, LookupError, RuntimeError, TypeError)
"""Beside OSError and ValueError: what transformers and torch raise for settings that fit
nothing."""


class Sam2Network(NamedTuple):
    """SAM 2, ready to be used."""

    model: Any
    """transformers.Sam2Model in float32 on the device, for inference."""
    processor: Any
    """transformers.Sam2Processor"""
    device: str


def sam2_library() -> ModuleType:
    """The package transformers.

    Raises:
        MissingPackageError: it is not installed, or does not know SAM 2 yet.
    """
    library = optional_import("transformers", "sam")
    if not hasattr(library, "Sam2Model"):
        raise MissingPackageError(
            f"transformers {library.__version__} does not know SAM 2: pip install -U"
            " 'vfiscope[sam]'"
        )
    return library


def check_sam2(folder: str) -> None:
    """Refuse a folder that cannot hold SAM 2, before anything large is read.

    Raises:
        MissingPackageError: transformers is not installed.
        EmbedderError: the folder or one of its files is missing, or it holds something else.
    """
    optional_import("transformers", "sam")
    path = Path(folder)
    if not path.is_dir():
        what = "is not a folder" if path.exists() else "does not exist"
        raise _refused(folder, what)
    if not (path / SAM2_TENSORS).is_file():
        others = sorted(each.name for each in path.iterdir() if each.suffix in (".bin", ".pt"))
        left = (
            f": {printable(others[0])} may run code when it is read, and is not" if others else ""
        )
        raise _refused(folder, f"holds no {SAM2_TENSORS}{left}")
    if not any((path / name).is_file() for name in SAM2_PREPROCESSING):
        raise _refused(folder, f"holds no {SAM2_PREPROCESSING[0]}")
    _settings(folder)


def sam2_digest(folder: str) -> str:
    """The SHA-256 of the weights in a folder, as the hub of Hugging Face shows it.

    Raises:
        EmbedderError: they cannot be read.
    """
    try:
        return kept_digest(Path(folder) / SAM2_TENSORS)
    except OSError as error:
        raise _refused(folder, f"holds a {SAM2_TENSORS} that cannot be read", error) from error


def open_sam2(folder: str, device: str) -> Sam2Network:
    """Open SAM 2 from a folder. Nothing is downloaded, and no file that could run code is read.

    Args:
        folder: with config.json, model.safetensors and preprocessor_config.json (or
            processor_config.json).
        device: where it computes, as of :func:`~vfiscope.models.resolve_device`.

    Raises:
        MissingPackageError: transformers is not installed.
        EmbedderError: the folder cannot be used, or torch cannot use the device.
    """
    check_sam2(folder)
    device, settings, library = resolve_device(device), _settings(folder), sam2_library()
    import torch
    from huggingface_hub.errors import StrictDataclassError

    try:
        config = library.Sam2Config.from_dict({part: settings[part] for part in SAM2_PARTS})
        with torch.device("meta"):  # the tensors come from the file
            model = library.Sam2Model(config).eval()
        images = library.Sam2ImageProcessor.from_pretrained(folder, local_files_only=True)
        side = config.prompt_encoder_config.image_size
        fits = dict(images.size) == {"height": side, "width": side}
    except (OSError, ValueError, StrictDataclassError, *WHAT_LIBRARIES_RAISE) as error:
        raise _refused(folder, "holds settings that cannot be used", error) from error
    if not fits:
        raise _refused(folder, f"prepares frames in another size than the network's {side}")
    model.load_state_dict(_tensors(folder, model.state_dict()), assign=True)
    model.requires_grad_(False)
    return Sam2Network(model.to(device), library.Sam2Processor(images), device)


def _settings(folder: str) -> Mapping[str, Any]:
    try:
        settings = json.loads(read_whole(Path(folder) / SAM2_CONFIG, MAX_CONFIG_BYTES))
    except (OSError, ValueError, RecursionError) as error:
        raise _refused(folder, f"holds no {SAM2_CONFIG} that can be read", error) from error
    kind = settings.get("model_type") if isinstance(settings, dict) else None
    if kind not in SAM2_KINDS:
        raise _refused(folder, f"holds a model of type {printable(str(kind), 40)}, not SAM 2")
    for part in SAM2_PARTS:
        if not isinstance(settings.get(part), dict):
            raise _refused(folder, f"holds a {SAM2_CONFIG} without {part}")
    found: Mapping[str, Any] = settings
    return found


def _tensors(folder: str, wanted: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """{name: float32} of all that the network has; what only videos need is left out."""
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        held = load_file(Path(folder) / SAM2_TENSORS)
    except (OSError, ValueError, SafetensorError) as error:
        raise _refused(folder, f"holds a {SAM2_TENSORS} that cannot be read", error) from error
    # Prompts and the frame are placed by one and the same tensor, which may be saved once only.
    for name, same in (POSITIONS, POSITIONS[::-1]):
        if same in held:
            held.setdefault(name, held[same])
    for name, tensor in wanted.items():
        found = held.get(name)
        if found is None:
            raise _refused(folder, f"holds a {SAM2_TENSORS} without {name}")
        if found.shape != tensor.shape:
            shapes = f"{tuple(found.shape)} instead of {tuple(tensor.shape)}"
            raise _refused(
                folder, f"holds weights that do not fit its settings: {name} is {shapes}"
            )
        if not bool(found.isfinite().all()):
            raise _refused(folder, f"holds weights with NaN or infinity at {name}")
    return {name: held[name].float() for name in wanted}


def _refused(folder: str, why: str, error: Exception | None = None) -> EmbedderError:
    reason = "" if error is None else f" ({printable(_first_line(error), 120)})"
    return EmbedderError(f"sam_weights {folder} {why}{reason}: {SAM2_REMEDY}")


def _first_line(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return (str(error).strip().splitlines() or [type(error).__name__])[0]

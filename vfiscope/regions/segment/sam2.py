"""Masks by SAM 2, a network that draws the thing in a box (Ravi et al. 2024, arXiv:2408.00714)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from vfiscope.regions.segment.sam2_folder import Sam2Network, check_sam2, open_sam2, sam2_digest
from vfiscope.regions.steps import Mask, Proposal
from vfiscope.types import Uint8

__all__ = ["Sam2"]

DIGITS_OF_DIGEST = 12
FRAMES_ENCODED = 2
"""Frames whose encoding is remembered: a reference is compared with many frames."""


class Sam2:
    """Draws masks by SAM 2 from a local folder; a :data:`~.prompted.DrawMasks`.

    The network is opened for the first frame, and those with the same weights share it. A frame is
    encoded once. Prompts are decoded one by one: on a CPU that is no slower than together, and a
    mask never depends on the other prompts, not even by rounding.

    Args:
        folder: a checkpoint of transformers.
        device: where it computes.

    Raises:
        MissingPackageError: transformers is not installed.
        EmbedderError: the folder cannot be used.
    """

    def __init__(self, folder: str, device: str = "cpu") -> None:
        check_sam2(folder)
        self._folder, self._device, self._digest = folder, device, sam2_digest(folder)
        self._encoded: list[tuple[Uint8, Any]] = []

    @property
    def name(self) -> str:
        """What :attr:`~vfiscope.types.Region.mask_by` says: "sam2:" and the first digits of the
        SHA-256 of the weights."""
        return f"sam2:{self._digest[:DIGITS_OF_DIGEST]}"

    def __call__(self, frame: Uint8, proposals: Sequence[Proposal]) -> Iterator[Mask]:
        """The (H, W) mask of the thing in the box of each proposal, in their order.

        Args:
            frame: (H, W, 3) RGB.
            proposals: their boxes and, where they have one, their points are the prompts.
        """
        network = _opened(self._folder, self._digest, self._device)
        encoding = self._encoding(network, frame)
        for proposal in proposals:
            yield _mask(network, encoding, frame.shape[:2], proposal)

    def _encoding(self, network: Sam2Network, frame: Uint8) -> Any:
        for pixels, encoding in self._encoded:
            if np.array_equal(pixels, frame):
                return encoding
        own = np.array(frame)  # one that can be written, as torch wants it
        self._encoded = [(own, _encode(network, own)), *self._encoded][:FRAMES_ENCODED]
        return self._encoded[0][1]


@lru_cache(maxsize=1)
def _opened(folder: str, digest: str, device: str) -> Sam2Network:
    return open_sam2(folder, device)


def _encode(network: Sam2Network, frame: Uint8) -> Any:
    """The encodings of a frame at three scales, on the device."""
    import torch

    # The order of axes is stated: that of a frame with 1 or 3 rows cannot be told by its shape.
    made = network.processor(images=frame, input_data_format="channels_last", return_tensors="pt")
    with torch.inference_mode():
        return network.model.get_image_embeddings(made["pixel_values"].to(network.device))


def _mask(network: Sam2Network, encoding: Any, size: tuple[int, ...], proposal: Proposal) -> Mask:
    """(H, W) pixels where the network finds the thing more likely than not."""
    import torch

    height, width = size
    x, y, w, h = proposal.box
    prompts: dict[str, Any] = {"input_boxes": [[[x, y, x + w, y + h]]]}
    if proposal.point is not None:
        middle = [coordinate + 0.5 for coordinate in proposal.point]
        prompts |= {"input_points": [[[middle]]], "input_labels": [[[1]]]}
    sizes = [[height, width]]
    made = network.processor(original_sizes=sizes, return_tensors="pt", **prompts)
    asked = {name: made[name].to(network.device) for name in prompts}
    with torch.inference_mode():
        found = network.model(image_embeddings=encoding, multimask_output=False, **asked)
        masks = network.processor.post_process_masks(found.pred_masks, sizes)
    return np.asarray(masks[0][0, 0].cpu().numpy(), bool)

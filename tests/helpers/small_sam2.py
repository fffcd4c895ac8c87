"""A small random SAM 2 in a folder, as transformers saves it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

__all__ = ["SIDE", "random_sam2", "save_sam2"]

SIDE = 64
"""Pixels of the square that frames are resized to."""


def random_sam2(kind: str = "Sam2", seed: int = 0) -> Any:
    """A network of the architecture of SAM 2, of four blocks; "Sam2Video" for one as Meta publishes
    it."""
    import transformers

    grids = [[SIDE // step, SIDE // step] for step in (4, 8, 16)]
    widths = [8, 16, 32, 64]
    backbone = transformers.Sam2HieraDetConfig(
        hidden_size=8,
        image_size=[SIDE, SIDE],
        blocks_per_stage=[1, 1, 2, 1],
        embed_dim_per_stage=widths,
        num_attention_heads_per_stage=[1, 2, 4, 8],
        window_size_per_stage=[4, 4, 4, 2],
        global_attention_blocks=[3],
    )
    vision = transformers.Sam2VisionConfig(
        backbone_config=backbone,
        backbone_channel_list=widths[::-1],
        backbone_feature_sizes=grids,
        fpn_hidden_size=32,
    )
    parts = {
        "vision_config": vision,
        "prompt_encoder_config": {"hidden_size": 32, "image_size": SIDE},
        "mask_decoder_config": {
            "hidden_size": 32,
            "mlp_dim": 32,
            "num_hidden_layers": 1,
            "num_attention_heads": 2,
            "iou_head_hidden_dim": 32,
        },
    }
    if kind == "Sam2Video":
        parts |= {
            "memory_attention_hidden_size": 32,
            "memory_attention_num_layers": 1,
            "memory_attention_feed_forward_hidden_size": 32,
            "memory_encoder_hidden_size": 32,
            "mask_downsampler_embed_dim": 32,
            "memory_fuser_embed_dim": 32,
        }
    model = getattr(transformers, f"{kind}Model")(getattr(transformers, f"{kind}Config")(**parts))
    torch.manual_seed(seed)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_(std=0.2)  # as it is made, all its masks are nearly empty or full
    return model.eval()


def save_sam2(folder: Path, model: Any) -> Path:
    """The folder, with the network and how frames are prepared for it."""
    import transformers

    model.save_pretrained(folder)
    quarter = {"height": SIDE // 4, "width": SIDE // 4}
    images = transformers.Sam2ImageProcessor(
        size={"height": SIDE, "width": SIDE}, mask_size=quarter
    )
    transformers.Sam2Processor(images).save_pretrained(folder)
    return folder

"""One pair of images through a small vision transformer at 518 px: ``vfiscope compare`` with all
that it computes by default, against a script of plain torch that imports, builds the network, loads
its weights and runs it on both images.

    python benchmarks/pair.py [ROUNDS]

Both run as whole processes in turn, on random weights; medians and their ratios are printed. CPU
time is the user and system time of a process with its threads; where other work runs beside them
its ratio is steadier than that of wall time.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import timm
import torch
from PIL import Image

PLAIN = """
import sys
import numpy as np, timm, torch
from PIL import Image
torch.set_grad_enabled(False)
model = timm.create_model("vit_small_patch14_dinov2.lvd142m", num_classes=0).eval()
model.load_state_dict(torch.load(sys.argv[1], weights_only=True))
def mean_token(path):
    image = Image.open(path).convert("RGB").resize((518, 518), Image.Resampling.BILINEAR)
    values = torch.from_numpy(np.array(image)).permute(2, 0, 1)[None] / 255
    mean, deviation = torch.tensor([[0.485, 0.456, 0.406], [0.229, 0.224, 0.225]])[..., None, None]
    return model.forward_features((values - mean) / deviation).mean(dim=1)
test, ref = (mean_token(path) for path in sys.argv[2:])
print("cosine", 1 - torch.cosine_similarity(test, ref).item())
"""
SIDES = (300, 400)


def make_inputs(folder: Path) -> tuple[Path, list[Path]]:
    torch.manual_seed(0)
    model = timm.create_model("vit_small_patch14_dinov2.lvd142m", num_classes=0)
    state = {
        name: tensor + 0.02 * torch.randn_like(tensor)
        for name, tensor in model.state_dict().items()
    }
    weights, images = folder / "w.pth", [folder / "test.png", folder / "ref.png"]
    torch.save(state, weights)
    random = np.random.default_rng(0)
    for path in images:
        blocks = random.integers(0, 256, (30, 40, 3), dtype=np.uint8)
        Image.fromarray(blocks).resize(SIDES[::-1], Image.Resampling.BICUBIC).save(path)
    return weights, images


def measure(command: list[str], folder: Path) -> tuple[float, float]:
    """Seconds of wall and of CPU time of a process."""
    before, start = os.times(), time.perf_counter()
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    after, wall = os.times(), time.perf_counter() - start
    spent = after.children_user + after.children_system
    return wall, spent - before.children_user - before.children_system


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        weights, images = make_inputs(folder)
        root = str(Path(__file__).resolve().parent.parent)
        options = (
            "--embedder dinov2-small --size 518 --aspect stretch --pool all --overwrite -o o.h5"
        )
        start = f"import sys; sys.path.insert(0, {root!r}); from vfiscope.cli import program"
        start += "; program.main()"
        files = [str(path) for path in images]
        commands = {
            "plain torch": [sys.executable, "-c", PLAIN, str(weights), *files],
            "vfiscope compare": [
                *(sys.executable, "-c", start, "compare", *files),
                *(*options.split(), "--weights", str(weights)),
            ],
        }
        times: dict[str, list[tuple[float, float]]] = {each: [] for each in commands}
        for command in commands.values():
            measure(command, folder)  # compiles, and brings the packages into the disk's cache
        for _ in range(rounds):
            for each, command in commands.items():
                times[each].append(measure(command, folder))
    print(f"{'median of ' + str(rounds):<20}{'wall s':>8}{'CPU s':>8}")
    medians = {
        each: [statistics.median(column) for column in zip(*rows, strict=True)]
        for each, rows in times.items()
    }
    for each, (wall, cpu) in medians.items():
        print(f"{each:<20}{wall:>8.2f}{cpu:>8.2f}")
    plain, ours = medians.values()
    print(f"{'ratio':<20}{ours[0] / plain[0]:>8.2f}{ours[1] / plain[1]:>8.2f}")


if __name__ == "__main__":
    main()

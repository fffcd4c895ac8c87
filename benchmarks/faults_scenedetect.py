"""Runs under a Python that has PySceneDetect: its detectors, at their defaults, on each file.

    python faults_scenedetect.py FILE...

Prints {"files": {file: {tool: {"said": [["cut", first frame of each scene but the first, the frame
behind]], "seconds": processor time, "elapsed": seconds}}}, "start": processor time before} as JSON.
A file of which OpenCV decodes no frame, as builds without a decoder of AV1 do, has no tools. The
first file is read once more at the start, which loads what is needed.
"""

import json
import sys
import time

from scenedetect import SceneManager, open_video
from scenedetect.detectors import (
    AdaptiveDetector,
    ContentDetector,
    HashDetector,
    HistogramDetector,
    ThresholdDetector,
)

DETECTORS = {
    "ContentDetector": ContentDetector,
    "AdaptiveDetector": AdaptiveDetector,
    "HistogramDetector": HistogramDetector,
    "HashDetector": HashDetector,
    "ThresholdDetector": ThresholdDetector,
}


def cuts(path: str, name: str) -> dict | None:
    """What a detector says, and what it took; None where no frame could be read."""
    manager = SceneManager()
    # Its default asks for scenes of 15 frames at least, which is kept.
    manager.add_detector(DETECTORS[name]())
    start, began = time.process_time(), time.perf_counter()
    read = manager.detect_scenes(open_video(path))
    found = [first.frame_num for first, _ in manager.get_scene_list()[1:]]
    seconds, elapsed = time.process_time() - start, time.perf_counter() - began
    if not read:
        return None
    return {"said": [["cut", at, at + 1] for at in found], "seconds": seconds, "elapsed": elapsed}


if __name__ == "__main__":
    cuts(sys.argv[1], next(iter(DETECTORS)))  # loads what is needed
    start = time.process_time()
    files = {
        path: {f"PySceneDetect {n}": found for n in DETECTORS if (found := cuts(path, n))}
        for path in sys.argv[1:]
    }
    print(json.dumps({"files": files, "start": start}))

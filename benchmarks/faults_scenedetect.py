"""Runs under a Python that has PySceneDetect: its detectors, at their defaults, on each file.

    python faults_scenedetect.py FILE...

Prints {file: {detector: {"cuts": [first frame of each scene but the first], "seconds": processor
time}}} as JSON.
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


def cuts(path: str, name: str) -> dict:
    manager = SceneManager()
    # Its default asks for scenes of 15 frames at least, which is kept.
    manager.add_detector(DETECTORS[name]())
    start = time.process_time()
    manager.detect_scenes(open_video(path))
    found = [first.frame_num for first, _ in manager.get_scene_list()[1:]]
    return {"cuts": found, "seconds": time.process_time() - start}


if __name__ == "__main__":
    print(
        json.dumps({path: {name: cuts(path, name) for name in DETECTORS} for path in sys.argv[1:]})
    )

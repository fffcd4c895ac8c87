"""Cuts and fades of each file as vfiscope finds them where nothing else is asked for.

    python faults_shots.py FILE...

Prints what ``faults_scenedetect.py`` prints, as JSON.
"""

from __future__ import annotations

import json
import sys
import time
from typing import Any

import vfiscope as vs


def shots(path: str) -> dict[str, Any]:
    start, began = time.process_time(), time.perf_counter()
    with vs.scan(path, kinds=("cut", "fade"), tonemap="none") as run:
        said = [[s.kind, s.start, s.stop] for s in run.segments]
    seconds = time.process_time() - start
    return {"said": said, "seconds": seconds, "elapsed": time.perf_counter() - began}


if __name__ == "__main__":
    shots(sys.argv[1])  # loads what is needed
    begun = time.process_time()
    files = {path: {"vfiscope": shots(path)} for path in sys.argv[1:]}
    print(json.dumps({"files": files, "start": begun}))

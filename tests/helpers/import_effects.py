"""Run as a program: which modules change the process when they are imported, a line for each.

Takes a JSON list of two lists: libraries, which are imported before; and the modules to look at.
"""

from __future__ import annotations

import atexit
import importlib
import json
import logging
import os
import signal
import socket
import sys
import threading
import warnings
from typing import Any

HOOKS = [
    "breakpointhook",
    "displayhook",
    "excepthook",
    "unraisablehook",
    "path",
    "path_hooks",
    "meta_path",
    "stdout",
    "stderr",
]


def loggers() -> dict[str, str]:
    """What each logger was told; of those that exist and were told nothing, nothing."""
    logs = [logging.getLogger(name) for name in (None, *logging.root.manager.loggerDict)]
    told = {
        log.name: (log.level, log.handlers, log.propagate, log.disabled, log.filters)
        for log in logs
    }
    return {name: repr(of) for name, of in told.items() if of != (0, [], True, False, [])}


def state() -> dict[str, Any]:
    """What an import could change that others would notice."""
    import av
    import cv2
    import matplotlib
    import numba
    import numpy as np
    import PIL.Image
    import torch
    from numba.core import event

    return {
        "loggers": loggers(),
        "environment": dict(os.environ),
        "atexit": atexit._ncallbacks(),
        "signals": [repr(signal.getsignal(number)) for number in signal.valid_signals()],
        "warnings": [repr(each) for each in warnings.filters],
        "hooks": [repr(getattr(sys, name)) for name in HOOKS],
        "tracing": repr([sys.gettrace(), sys.getprofile(), threading.excepthook]),
        "limits": [sys.getrecursionlimit(), sys.getswitchinterval(), socket.getdefaulttimeout()],
        "folder": os.getcwd(),
        "threads": threading.active_count(),
        "thread counts": [cv2.getNumThreads(), torch.get_num_threads(), numba.get_num_threads()],
        "OpenCV": [cv2.useOptimized(), cv2.ocl.useOpenCL()],
        "torch": repr(
            [
                torch.get_default_dtype(),
                torch.is_grad_enabled(),
                torch.initial_seed(),
                torch.are_deterministic_algorithms_enabled(),
                torch.get_float32_matmul_precision(),
                torch.backends.cudnn.benchmark,
            ]
        ),
        "numpy": repr([np.geterr(), np.get_printoptions(), np.random.get_state()]),
        "matplotlib": repr(dict(matplotlib.rcParams)),
        "Pillow": [PIL.Image.MAX_IMAGE_PIXELS, len(PIL.Image.OPEN)],
        "FFmpeg log": repr([av.logging.get_level(), av.logging.get_skip_repeated()]),
        "numba": repr({kind: each for kind, each in event._registered.items() if each}),
    }


def main(libraries: list[str], modules: list[str]) -> None:
    for name in libraries:
        importlib.import_module(name)
    state()  # imports more
    before = state()
    for name in modules:
        importlib.import_module(name)
        after = state()
        for what in before:
            if before[what] != after[what]:
                print(name.partition(".")[2], what)
        before = after


if __name__ == "__main__":
    main(*json.loads(sys.argv[1]))
